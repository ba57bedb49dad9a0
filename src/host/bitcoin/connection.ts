/**
 * The Bitcoin adapter in this world: its peers, its headers of an earlier life, and who is told of
 * what it finds. Source: `docs/spec/bitcoin.md` §3.
 */
import type { BlockHash } from '../../core/base/bytes.ts'
import { NS_PER_MS } from '../../core/base/units.ts'
import { BitcoinAdapter } from '../../core/btc/adapter.ts'
import type {
  AdapterConfig,
  AdapterInput,
  AdapterOutput,
  AdapterStatus,
  PeerStatus,
} from '../../core/btc/adapter-port.ts'
import type { Block, BlockHeader } from '../../core/btc/block.ts'
import type { Offence } from '../../core/btc/peer-session.ts'
import type { Announcement, Evidence, TransactionReport } from '../../core/btc/transaction-relay.ts'
import type { Clock } from '../clock.ts'
import type { HeaderKeeper } from './header-keeper.ts'
import { restoreHeaders } from './header-restore.ts'
import type { SocksProxy } from './peer-driver.ts'
import { PeerDriver } from './peer-driver.ts'
import type { PeerSources } from './peer-sources.ts'
import { KEEP_EVERY_MS } from './peer-sources.ts'

export type BitcoinConnectionOptions = Omit<AdapterConfig, 'discovery' | 'isProxied'> & {
  /** Without them no peer is used but the configured ones (AD-2). */
  readonly sources?: PeerSources
  readonly proxy?: SocksProxy
  readonly clock: Clock
  /** Keeps the headers of a long chain between starts. */
  readonly keeper?: HeaderKeeper | undefined
  readonly onHeaders: (headers: readonly BlockHeader[]) => void
  readonly onBlock: (hash: BlockHash, block: Block) => void
  readonly onEvidence?: (evidence: Evidence) => void
  /** Hears of every connection that we end, and why. */
  readonly onOffence?: (peer: number, offence: Offence) => void
}

/** A running adapter. It connects again by itself until it is closed. */
export interface BitcoinConnection {
  /** Headers that are known already: before anything else. */
  know(headers: readonly BlockHeader[]): void
  /** Blocks to download; replaces the list before. */
  want(hashes: readonly BlockHash[]): void
  /** Transactions to announce; replaces the list before. */
  announce(transactions: readonly Announcement[]): void
  peers(): readonly PeerStatus[]
  /** What is known of the transactions that were announced. */
  report(): readonly TransactionReport[]
  /** How long ago a peer first announced a transaction that was never in the list. */
  heardAgeMs(ids: Pick<Announcement, 'txid' | 'wtxid'>): number | undefined
  bestHeight(): number
  /** Of the first peer: by its own word, until it has shown all its headers. */
  shownHeight(): number
  /** Where the first peer's chain ends by its own word, once it has shown all its headers. */
  peerHeight(): number | undefined
  /** How far a header that a peer shows lies before our clock, if that is too far (HDR-10). */
  aheadSeconds(): number | undefined
  status(): AdapterStatus
  /** Somebody uses the node: connections that idleness has ended come back (AD-11). */
  called(): void
  close(): void
}

/** Begins to connect. `known`: headers of the chain view, parents first. */
export function startBitcoinConnection(
  options: BitcoinConnectionOptions,
  known: readonly BlockHeader[] = [],
): BitcoinConnection {
  const { keeper, sources, proxy } = options
  const config = { ...options, isProxied: proxy !== undefined }
  const adapter = new BitcoinAdapter(sources ? { ...config, discovery: sources.config } : config)
  const hear = (output: AdapterOutput): void => {
    if (output.type === 'headers') keeper?.keep(adapter.headers.best)
    if (output.type === 'lookUp') void lookUp(output.seed)
    else report(output, options)
  }
  const driver = new PeerDriver<AdapterInput, AdapterOutput>(adapter, {
    clock: options.clock,
    report: hear,
    proxy,
  })
  const lookUp = async (seed: string): Promise<void> => {
    const addresses = (await sources?.lookUp(seed)) ?? []
    driver.step({ type: 'lookedUp', seed, addresses })
  }
  const keep = (): void => sources?.keep(adapter.toKeep())
  const keeping = sources && setInterval(keep, KEEP_EVERY_MS).unref()
  driver.step({ type: 'knownHeaders', headers: known })
  const start = (): void => driver.step({ type: 'start' })
  if (keeper === undefined) start()
  else
    restoreHeaders({
      parts: keeper.load(),
      count: () => adapter.headers.best.length,
      take: (headers) => driver.step({ type: 'knownHeaders', headers }),
      // Whoever heard of them in that life may have forgotten them since.
      taken: (from) => options.onHeaders(adapter.headers.best.slice(from).map(headerOf)),
      isOver: () => driver.isClosed,
      done: () => {
        keeper.adopt(adapter.headers.best)
        start()
      },
    })
  return {
    know: (headers) => driver.step({ type: 'knownHeaders', headers }),
    want: (hashes) => driver.step({ type: 'want', hashes }),
    announce: (transactions) => driver.step({ type: 'announce', transactions }),
    peers: () => adapter.peers,
    report: () => adapter.report(options.clock()),
    heardAgeMs: (ids) => {
      const heardMs = adapter.heardMs(ids)
      return heardMs && Number(options.clock() / NS_PER_MS) - heardMs
    },
    bestHeight: () => adapter.bestHeight,
    shownHeight: () => {
      const { height, isAll } = adapter.shownBy(0)
      return isAll ? adapter.bestHeight : Math.max(height, adapter.bestHeight)
    },
    peerHeight: () => {
      const { height, isAll } = adapter.shownBy(0)
      return isAll ? height : undefined
    },
    aheadSeconds: () => adapter.aheadSeconds,
    status: () => adapter.status,
    called: () => driver.step({ type: 'called' }),
    close: () => {
      clearInterval(keeping)
      keep()
      driver.close()
    },
  }
}

const headerOf = ({ header }: { readonly header: BlockHeader }): BlockHeader => header

function report(output: AdapterOutput, options: BitcoinConnectionOptions): void {
  switch (output.type) {
    case 'disconnect':
      options.onOffence?.(output.peer, output.offence)
      break
    case 'headers':
      options.onHeaders(output.headers)
      break
    case 'block':
      options.onBlock(output.hash, output.block)
      break
    case 'evidence':
      options.onEvidence?.(output)
      break
    case 'connect':
    case 'send':
    case 'alarm': // Done by the driver.
    case 'lookUp':
    case 'peerReady':
    case 'filterMessage': // Not asked for.
      break
  }
}
