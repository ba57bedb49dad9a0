/**
 * Sockets of the Bitcoin adapter: connects to its peers over TCP and feeds it. Source:
 * `docs/spec/bitcoin.md` §3, KA-4.
 */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import type { BlockHash } from '../../core/base/bytes.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { NS_PER_MS } from '../../core/base/units.ts'
import type { View } from '../../core/base/view.ts'
import { BitcoinAdapter } from '../../core/btc/adapter.ts'
import type {
  AdapterConfig,
  AdapterInput,
  AdapterOutput,
  AdapterStatus,
  PeerStatus,
} from '../../core/btc/adapter-port.ts'
import type { Block, BlockHeader } from '../../core/btc/block.ts'
import type { HeaderNode } from '../../core/btc/header-tree.ts'
import { HEADERS_MAX } from '../../core/btc/message.ts'
import type { Offence } from '../../core/btc/peer-session.ts'
import type { Announcement, Evidence, TransactionReport } from '../../core/btc/transaction-relay.ts'
import type { Clock } from '../clock.ts'
import type { HeaderKeeper } from './header-keeper.ts'
import type { PeerSources } from './peer-sources.ts'
import { KEEP_EVERY_MS } from './peer-sources.ts'

/** No bytes in either direction for so long end a connection (KA-4). */
const IDLE_MS_MAX = 20 * 60_000
/** Unsent bytes of one peer beyond which nothing more is read from it, until it has read. */
const UNSENT_BYTES_FULL = 1_000_000
/** Beyond, it is taken to have stopped reading. */
const UNSENT_BYTES_MAX = 64_000_000
/** Longest delay that a timer of the platform takes. */
const TIMER_MS_MAX = 2 ** 31 - 1

export type BitcoinConnectionOptions = Omit<AdapterConfig, 'discovery'> & {
  /** Without them no peer is used but the configured ones (AD-2). */
  readonly sources?: PeerSources
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
  const { keeper, sources } = options
  const adapter = new BitcoinAdapter(sources ? { ...options, discovery: sources.config } : options)
  const driver = new PeerDriver<AdapterInput, AdapterOutput>(adapter, options.clock, (output) => {
    if (output.type === 'headers') keeper?.keep(adapter.headers.best)
    if (output.type === 'lookUp') void lookUp(output.seed)
    else report(output, options)
  })
  const lookUp = async (seed: string): Promise<void> => {
    const addresses = (await sources?.lookUp(seed)) ?? []
    driver.step({ type: 'lookedUp', seed, addresses })
  }
  const keep = (): void => sources?.keep(adapter.toKeep())
  const keeping = sources && setInterval(keep, KEEP_EVERY_MS).unref()
  if (keeper !== undefined) {
    driver.step({ type: 'keptHeaders', headers: keeper.load() })
    keeper.adopt(adapter.headers.best)
    tellInParts(adapter.headers.best, options, () => driver.isClosed)
  }
  driver.step({ type: 'knownHeaders', headers: known })
  driver.step({ type: 'start' })
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

/** Headers of an earlier life: whoever was told of them then may have forgotten it since. */
function tellInParts(
  best: readonly View<HeaderNode>[],
  { onHeaders }: BitcoinConnectionOptions,
  isClosed: () => boolean,
): void {
  const headers = best.slice(1).map(({ header }) => header)
  const tell = (from: number): void => {
    if (from >= headers.length || isClosed()) return
    onHeaders(headers.slice(from, from + HEADERS_MAX))
    setImmediate(tell, from + HEADERS_MAX)
  }
  setImmediate(tell, 0)
}

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

type SocketInput = Extract<
  AdapterInput,
  { readonly type: 'connected' | 'bytes' | 'disconnected' | 'alarm' }
>

/** A party that speaks to peers over sockets: the adapter, or what is built on it. */
export interface PeerParty<I, O> {
  step(input: I | SocketInput, now: TimestampNs): readonly O[]
}

/** Sockets and timers of such a party; what is none of these is for `report`. */
export class PeerDriver<I, O extends AdapterOutput | { readonly type: 'changed' }> {
  readonly #party: PeerParty<I, O>
  readonly #clock: Clock
  readonly #report: (output: O) => void
  readonly #sockets = new Map<number, Socket>()
  /** Inputs that arose while another was worked off: one at a time, in order. */
  readonly #queue: (I | SocketInput)[] = []
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #busy = false
  #closed = false

  constructor(party: PeerParty<I, O>, clock: Clock, report: (output: O) => void) {
    this.#party = party
    this.#clock = clock
    this.#report = report
  }

  step(input: I | SocketInput): void {
    if (this.#closed) return
    this.#queue.push(input)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
        for (const output of this.#party.step(next, this.#clock())) {
          if (this.#closed) return
          this.#perform(output)
          this.#report(output)
        }
    } finally {
      this.#busy = false
    }
  }

  #perform(output: AdapterOutput | { readonly type: 'changed' }): void {
    switch (output.type) {
      case 'connect':
        this.#connect(output)
        break
      case 'send':
        this.#send(output.peer, output.bytes)
        break
      case 'disconnect':
        this.#drop(output.peer)
        break
      case 'alarm':
        this.#ring(output.name, output.afterMs)
        break
      case 'headers':
      case 'block':
      case 'evidence':
      case 'lookUp':
      case 'peerReady':
      case 'filterMessage':
      case 'changed':
        break
    }
  }

  #ring(name: string, afterMs: number): void {
    clearTimeout(this.#timers.get(name))
    const timer = setTimeout(
      () => this.step({ type: 'alarm', name }),
      Math.min(afterMs, TIMER_MS_MAX),
    )
    this.#timers.set(name, timer)
  }

  #connect({ peer, host, port }: Extract<AdapterOutput, { type: 'connect' }>): void {
    const socket = connect({ host, port, noDelay: true })
    this.#sockets.set(peer, socket)
    // A socket that was replaced or dropped says nothing more.
    const report = (input: SocketInput): void => {
      if (this.#sockets.get(peer) === socket) this.step(input)
    }
    socket.once('connect', () => report({ type: 'connected', peer }))
    socket.on('data', (bytes) => report({ type: 'bytes', peer, bytes: new Uint8Array(bytes) }))
    socket.on('drain', () => socket.resume())
    socket.on('error', () => undefined) // Its `close` follows.
    socket.setTimeout(IDLE_MS_MAX, () => socket.destroy())
    socket.once('close', () => {
      if (this.#sockets.get(peer) !== socket) return
      this.#sockets.delete(peer)
      this.step({ type: 'disconnected', peer })
    })
  }

  #send(peer: number, bytes: Uint8Array): void {
    const socket = this.#sockets.get(peer)
    if (socket === undefined) return
    socket.write(bytes)
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy()
    // Who asks faster than he reads waits: his questions stay in his own buffers.
    else if (socket.writableLength > UNSENT_BYTES_FULL) socket.pause()
  }

  #drop(peer: number): void {
    const socket = this.#sockets.get(peer)
    this.#sockets.delete(peer)
    socket?.destroy()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const peer of [...this.#sockets.keys()]) this.#drop(peer)
  }
}
