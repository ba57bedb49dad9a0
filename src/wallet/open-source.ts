/** A source of Bitcoin from its name. Source: bitcoin.md §8.1, §8.2; cli §5.13. */
import { setTimeout as pause } from 'node:timers/promises'
import { fromUtf8 } from '../core/base/bytes.ts'
import { attempt, BadEncoding, HostDisk } from '../core/base/errors.ts'
import type { PeerAddress } from '../core/btc/adapter-port.ts'
import type { BlockHeader } from '../core/btc/block.ts'
import type { FilterFindings, FilterMemory } from '../core/btc/filter-port.ts'
import type { Network as BitcoinNetwork } from '../core/btc/network.ts'
import { networks } from '../core/btc/network.ts'
import type { BitcoinSource, SourcePorts } from './bitcoin-source.ts'
import type { Client } from './client.ts'
import { depositAddress } from './deposit-address.ts'
import { readBounded } from './private-files.ts'
import type { SourceSpec } from './source-spec.ts'
import { BitcoindSource } from './sources/bitcoind.ts'
import { CanisterSource } from './sources/canister.ts'
import type { EmbeddedChain } from './sources/embedded.ts'
import { EmbeddedSource } from './sources/embedded.ts'
import { EsploraSource } from './sources/esplora.ts'
import { unusable } from './sources/failures.ts'
import type { FindingsStore } from './sources/header-file.ts'
import { findingsFile, headerFile } from './sources/header-file.ts'
import type { PeerConnector } from './sources/p2p.ts'
import { PeerSource } from './sources/p2p.ts'

/** Longest cookie file that is read: one line. */
const COOKIE_BYTES_MAX = 1_024
/** Headers between two words about them: half a second. */
const TOLD_EVERY = 50_000

/** What only the host has: the local subnet's chain, and sockets. */
export type SourceHost = {
  /** Undefined where the network is not the local subnet. */
  readonly chain: EmbeddedChain | undefined
  /** Peers of the local subnet's chain, where none are named; elsewhere none. */
  readonly localPeers: () => Promise<readonly PeerAddress[]>
  readonly connect: (options: {
    readonly network: BitcoinNetwork
    /** No others are used; without any they are discovered (AD-1, AD-2). */
    readonly peers: readonly PeerAddress[]
    readonly memory: FilterFindings | undefined
    /** Of an earlier life. */
    readonly headers: Iterable<readonly BlockHeader[]>
    /** Hears how many of them are judged. */
    readonly onRestored: (count: number) => void
  }) => PeerConnector & { toKeep(): FilterMemory | undefined }
}

export type OpenOptions = {
  readonly client: Client
  readonly host: SourceHost
  readonly cacheFolder: string
  readonly signal?: AbortSignal
  readonly onStep?: (text: string) => void
}

/** A wait keeps the program alive: somebody wants what comes after it. */
async function waited(ms: number, over?: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, over === undefined ? {} : { signal: over })
  } catch (error) {
    if (over?.aborted !== true) throw error
  }
}

/** Throws `BTC_SOURCE_UNUSABLE` for what this network does not have. */
export async function openSource(spec: SourceSpec, options: OpenOptions): Promise<BitcoinSource> {
  const { client, host, cacheFolder } = options
  const network = networks[client.network.bitcoin]
  const headerStore = headerFile(cacheFolder, network.name)
  const ports: SourcePorts = {
    network,
    fetch,
    nowSeconds: () => Math.floor(Date.now() / 1_000),
    wait: waited,
    signal: options.signal,
    onStep: options.onStep,
    headerStore,
  }
  switch (spec.kind) {
    case 'embedded':
      if (host.chain === undefined)
        throw unusable(
          spec.name,
          `${client.network.name} is not the local subnet`,
          'name another source: p2p, bitcoind=<url>, esplora=<url>',
        )
      return new EmbeddedSource(host.chain, ports)
    case 'canister': {
      const { bitcoin, network: own } = client
      if (bitcoin === undefined)
        throw unusable(spec.name, `${own.name} names no Bitcoin canister`, 'name another source')
      const { address } = await depositAddress(client, { owner: own.ids.minter })
      return new CanisterSource(bitcoin, ports, address)
    }
    case 'p2p':
      return openPeers(spec.peers, {
        ports,
        host,
        findings: findingsFile(cacheFolder, network.name),
      })
    case 'esplora':
      return new EsploraSource(spec.url, ports)
    case 'bitcoind': {
      const { url, cookieFile } = spec
      return new BitcoindSource({ url, authority: () => authorityIn(cookieFile) }, ports)
    }
  }
}

async function openPeers(
  named: readonly PeerAddress[],
  {
    ports,
    host,
    findings,
  }: {
    readonly ports: SourcePorts
    readonly host: SourceHost
    readonly findings: FindingsStore | undefined
  },
): Promise<BitcoinSource> {
  const { network, headerStore } = ports
  const peers = named.length > 0 ? named : await host.localPeers()
  const { count, parts } = headerStore?.load() ?? { count: 0, parts: [] }
  let restored = 0
  let told = 0
  const connector = host.connect({
    network,
    peers,
    memory: findings?.load(),
    headers: parts,
    onRestored: (headers) => {
      restored = headers
      if (headers < told + TOLD_EVERY) return
      told = headers
      ports.onStep?.(`${headers} of ${count} known headers checked`)
    },
  })
  const keep = (): void => {
    const memory = connector.toKeep()
    if (memory === undefined) return
    const { headers: kept, ...found } = memory
    if (kept.length > restored) headerStore?.save(kept)
    // Without headers they would be of no use, and few of them are found again soon.
    if (found.filterHeaders.length > 0) findings?.save(found)
  }
  return new PeerSource(connector, ports, { onClose: keep })
}

/** The line of a cookie file; undefined without one. Throws `BTC_SOURCE_UNUSABLE`. */
function authorityIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const line = attempt(() => {
    try {
      return fromUtf8(readBounded(file, COOKIE_BYTES_MAX) ?? new Uint8Array(0)).trim()
    } catch (error) {
      if (error instanceof HostDisk) throw new BadEncoding('it cannot be read', { cause: error })
      throw error
    }
  })
  if (!(line instanceof BadEncoding) && /^[^:\s]+:\S+$/.test(line)) return line
  throw unusable(
    'bitcoind',
    `${file} does not hold <user>:<password>`,
    'the cookie file is in the data directory of the node, while it runs',
  )
}
