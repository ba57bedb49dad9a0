/**
 * Headers of one network in a file of the cache: 80 bytes each, after genesis. They are judged again
 * whenever they are read. Source: bitcoin.md HDR-16.
 */
import { join } from 'node:path'
import { concatAll } from '../../core/base/bytes.ts'
import { HostDisk } from '../../core/base/errors.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { decodeHeader, encodeHeader, HEADER_SIZE } from '../../core/btc/block.ts'
import type { NetworkName } from '../../core/btc/network.ts'
import type { HeaderStore } from '../bitcoin-source.ts'
import { makePrivateFolder, readBounded, writePrivate } from '../private-files.ts'

/** Two million headers. */
const BYTES_MAX = 160_000_000

/** Undefined for regtest, of which there is a new chain every day. */
export function headerFile(folder: string, network: NetworkName): HeaderStore | undefined {
  if (network === 'regtest') return undefined
  const path = join(folder, `bitcoin-headers-${network}.bin`)
  return {
    load: () => {
      const bytes = attemptDisk(() => readBounded(path, BYTES_MAX)) ?? new Uint8Array(0)
      const count = Math.floor(bytes.length / HEADER_SIZE)
      return Array.from({ length: count }, (_, i) =>
        decodeHeader(bytes.subarray(i * HEADER_SIZE, (i + 1) * HEADER_SIZE)),
      )
    },
    save: (headers: readonly BlockHeader[]) => {
      attemptDisk(() => {
        makePrivateFolder(folder)
        writePrivate(path, concatAll(headers.map(encodeHeader)))
      })
    },
  }
}

/** Without its cache a command takes longer, and that is all. */
function attemptDisk<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof HostDisk) return undefined
    throw error
  }
}
