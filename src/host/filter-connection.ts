/**
 * The client of compact filters on real sockets: the connector of the wallet's `p2p` source.
 * Source: bitcoin.md §8.1, §8.5.
 */
import type { BlockHash } from '../core/base/bytes.ts'
import { toHex } from '../core/base/bytes.ts'
import type { Block } from '../core/btc/block.ts'
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
import type { SocksProxy } from './bitcoin/peer-driver.ts'
import { PeerDriver } from './bitcoin/peer-driver.ts'
import { systemClock } from './clock.ts'

export type FilterConnectionOptions = Omit<FilterConfig, 'isProxied'> & {
  readonly proxy?: SocksProxy | undefined
  /** Hears of every connection that we end, and why. */
  readonly onOffence?: (peer: number, offence: Offence) => void
}

export type FilterConnection = {
  readonly client: Pick<FilterClient, 'tree' | 'scan' | 'peers'> & { readonly status: FilterStatus }
  watch(scripts: readonly Uint8Array[], birth: number): void
  announce(transactions: readonly Announcement[]): void
  /** Calls once with the block; with nothing if it is not on the best chain. */
  fetch(hash: BlockHash, receive: (block: Block | undefined) => void): void
  /** Peers that have asked for, or themselves announced, a transaction that was announced. */
  evidence(): readonly Extract<FilterOutput, { readonly type: 'evidence' }>[]
  /** Calls `listener` whenever the status has changed; returns how to stop that. */
  onChange(listener: () => void): () => void
  toKeep(): FilterMemory
  close(): void
}

/** Evidence that is kept of the transactions of one command. */
const EVIDENCE_MAX = 1_000

/** Begins to connect. */
export function startFilterConnection(options: FilterConnectionOptions): FilterConnection {
  const { proxy } = options
  const client = new FilterClient({ ...options, isProxied: proxy !== undefined }, systemClock())
  const listeners = new Set<() => void>()
  const evidence: Extract<FilterOutput, { readonly type: 'evidence' }>[] = []
  const fetching = new Map<string, ((block: Block | undefined) => void)[]>()
  const report = (output: FilterOutput): void => {
    if (output.type === 'disconnect') options.onOffence?.(output.peer, output.offence)
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
  driver.step({ type: 'start' })
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
    toKeep: () => client.toKeep(),
    close: () => driver.close(),
  }
}
