/**
 * What need not be fetched again, in files of the cache. Headers: 80 bytes each, after genesis, and
 * judged again whenever they are read. Findings of filters: held against what peers say. Source:
 * bitcoin.md HDR-16, CF-2, CF-4.
 */
import { join } from 'node:path'
import { concatAll } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, HostDisk } from '../../core/base/errors.ts'
import type { BlockHeader } from '../../core/btc/block.ts'
import { decodeHeader, encodeHeader, HEADER_SIZE } from '../../core/btc/block.ts'
import { decodeFindings, encodeFindings } from '../../core/btc/filter-memory.ts'
import type { FilterFindings } from '../../core/btc/filter-port.ts'
import type { NetworkName } from '../../core/btc/network.ts'
import type { HeaderStore } from '../bitcoin-source.ts'
import { makePrivateFolder, readBounded, systemCode, writePrivate } from '../private-files.ts'

/** Two million headers. */
const BYTES_MAX = 160_000_000
/** Judging so many takes some 20 ms. */
export const PART_HEADERS = 2_000

/** Findings of a search through compact filters. */
export interface FindingsStore {
  load(): FilterFindings | undefined
  save(findings: FilterFindings): void
}

/** Undefined for regtest, of which there is a new chain every day. */
export function findingsFile(folder: string, network: NetworkName): FindingsStore | undefined {
  if (network === 'regtest') return undefined
  const path = join(folder, `bitcoin-filters-${network}.bin`)
  return {
    load: () => {
      const bytes = attemptDisk(() => readBounded(path, BYTES_MAX))
      const found = bytes && attempt(() => decodeFindings(bytes))
      return found instanceof BadEncoding ? undefined : found
    },
    save: (findings) => {
      attemptDisk(() => {
        makePrivateFolder(folder)
        writePrivate(path, encodeFindings(findings))
      })
    },
  }
}

/** Undefined for regtest, of which there is a new chain every day. */
export function headerFile(folder: string, network: NetworkName): HeaderStore | undefined {
  if (network === 'regtest') return undefined
  const path = join(folder, `bitcoin-headers-${network}.bin`)
  return {
    load: () => {
      const bytes = attemptDisk(() => readBounded(path, BYTES_MAX)) ?? new Uint8Array(0)
      const count = Math.floor(bytes.length / HEADER_SIZE)
      return { count, parts: partsOf(bytes, count) }
    },
    save: (headers: readonly BlockHeader[]) => {
      attemptDisk(() => {
        makePrivateFolder(folder)
        writePrivate(path, concatAll(headers.map(encodeHeader)))
      })
    },
  }
}

function* partsOf(bytes: Uint8Array, count: number): Generator<readonly BlockHeader[]> {
  for (let from = 0; from < count; from += PART_HEADERS)
    yield Array.from({ length: Math.min(PART_HEADERS, count - from) }, (_, i) =>
      decodeHeader(bytes.subarray((from + i) * HEADER_SIZE, (from + i + 1) * HEADER_SIZE)),
    )
}

/** Without its cache a command takes longer, and that is all. */
function attemptDisk<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof HostDisk || error instanceof BadEncoding) return undefined
    if (systemCode(error) !== undefined) return undefined
    throw error
  }
}
