/**
 * The client of compact filters on real sockets: the connector of the wallet's `p2p` source.
 * Source: bitcoin.md §8.1, §8.5.
 */
import type { BlockHash } from '../core/base/bytes.ts'
import { toHex } from '../core/base/bytes.ts'
import type { PeerAddress } from '../core/btc/adapter-port.ts'
import type { Block, BlockHeader } from '../core/btc/block.ts'
import { FilterClient } from '../core/btc/filter-client.ts'
import type {
  FilterConfig,
  FilterInput,
  FilterMemory,
  FilterOutput,
  FilterStatus,
} from '../core/btc/filter-port.ts'
import type { Offence } from '../core/btc/peer-session.ts'
import type { Announcement } from '../core/btc/transaction-relay.ts'
import { restoreHeaders } from './bitcoin/header-restore.ts'
import type { SocksProxy } from './bitcoin/peer-driver.ts'
import { PeerDriver } from './bitcoin/peer-driver.ts'
import type { PeerSources } from './bitcoin/peer-sources.ts'
import { systemClock } from './clock.ts'

export type FilterConnectionOptions = Omit<FilterConfig, 'discovery'> & {
  /** It resolves the names of seeds too, unless `isProxied` is false: then `sources` do (PX-2). */
  readonly proxy?: SocksProxy | undefined
  /** Without them no peer is used but the configured ones (AD-2). */
  readonly sources?: PeerSources | undefined
  /** Of an earlier life, in parts; nobody is called before they are judged. */
  readonly headers?: Iterable<readonly BlockHeader[]> | undefined
  /** Hears how many of them are judged. */
  readonly onRestored?: ((count: number) => void) | undefined
  /** Hears of every connection that we end, and why. */
  readonly onOffence?: (peer: PeerAddress, offence: Offence) => void
}

export type FilterConnection = {
  readonly client: Pick<FilterClient, 'tree' | 'scan' | 'peers' | 'search'> & {
    readonly status: FilterStatus
  }
  watch(scripts: readonly Uint8Array[], birth: number): void
  announce(transactions: readonly Announcement[]): void
  /** Calls once with the block; with nothing if it is not on the best chain. */
  fetch(hash: BlockHash, receive: (block: Block | undefined) => void): void
  /** Peers that have asked for, or themselves announced, a transaction that was announced. */
  evidence(): readonly Extract<FilterOutput, { readonly type: 'evidence' }>[]
  /** Calls `listener` whenever the status has changed; returns how to stop that. */
  onChange(listener: () => void): () => void
  /** Undefined until the headers of an earlier life are judged. */
  toKeep(): FilterMemory | undefined
  close(): void
}

/** Evidence that is kept of the transactions of one command. */
const EVIDENCE_MAX = 1_000
/** Peers that were called last: a search without success calls others without end. */
const CALLED_MAX = 1_000

/** Begins to connect. */
export function startFilterConnection(options: FilterConnectionOptions): FilterConnection {
  const { proxy, sources, headers = [], onRestored } = options
  const config = { isProxied: proxy !== undefined, ...options }
  const client = new FilterClient(
    sources ? { ...config, discovery: sources.config } : config,
    systemClock(),
  )
  const called = new Map<number, PeerAddress>()
  const listeners = new Set<() => void>()
  const evidence: Extract<FilterOutput, { readonly type: 'evidence' }>[] = []
  const fetching = new Map<string, ((block: Block | undefined) => void)[]>()
  const report = (output: FilterOutput): void => {
    if (output.type === 'connect') remember(called, output)
    if (output.type === 'lookUp') void lookUp(output.seed)
    if (output.type === 'disconnect') {
      const address = called.get(output.peer)
      if (address !== undefined) options.onOffence?.(address, output.offence)
    }
    if (output.type === 'evidence' && evidence.length < EVIDENCE_MAX) evidence.push(output)
    if (output.type === 'fetched') {
      const key = toHex(output.hash)
      for (const receive of fetching.get(key) ?? []) receive(output.block)
      fetching.delete(key)
    }
    if (output.type === 'changed' || output.type === 'evidence' || output.type === 'fetched')
      for (const listener of listeners) listener()
  }
  const driver = new PeerDriver<FilterInput, FilterOutput>(client, {
    clock: systemClock,
    report,
    proxy,
  })
  const lookUp = async (seed: string): Promise<void> => {
    const addresses = (await sources?.lookUp(seed)) ?? []
    driver.step({ type: 'lookedUp', seed, addresses })
  }
  let isRestored = false
  restoreHeaders({
    parts: headers,
    count: () => client.tree.best.length,
    take: (part) => driver.step({ type: 'knownHeaders', headers: part }),
    taken: () => onRestored?.(client.tree.best.length - 1),
    isOver: () => driver.isClosed,
    done: () => {
      isRestored = true
      driver.step({ type: 'start' })
    },
  })
  return {
    client,
    watch: (scripts, birth) => driver.step({ type: 'watch', scripts, birth }),
    announce: (transactions) => driver.step({ type: 'announce', transactions }),
    fetch: (hash, receive) => {
      const key = toHex(hash)
      fetching.set(key, [...(fetching.get(key) ?? []), receive])
      driver.step({ type: 'fetch', hash })
    },
    evidence: () => evidence,
    onChange: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    toKeep: () => (isRestored ? client.toKeep() : undefined),
    close: () => {
      if (!driver.isClosed) sources?.keep(client.knownPeers)
      driver.close()
    },
  }
}

function remember(
  called: Map<number, PeerAddress>,
  { peer, host, port }: PeerAddress & { readonly peer: number },
): void {
  called.delete(peer)
  called.set(peer, { host, port })
  const [oldest] = called.keys()
  if (called.size > CALLED_MAX && oldest !== undefined) called.delete(oldest)
}
