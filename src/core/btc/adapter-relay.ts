/** Our transactions at the peers of the Bitcoin adapter. Source: `docs/spec/bitcoin.md` §3.7, §10.5. */
import type { AdapterLinks } from './adapter-links.ts'
import type { AdapterTurn } from './adapter-turn.ts'
import type { InventoryItem } from './message.ts'
import type {
  Announcement,
  Evidence,
  RelayPeer,
  Sending,
  TransactionReport,
} from './transaction-relay.ts'
import { TransactionRelay } from './transaction-relay.ts'

/** Beyond, requests of the same chunk of bytes are not answered: a few bytes ask for many. */
const STEP_BYTES_MAX = 10_000_000

/** To exactly one peer transactions go unasked (TX-4). */
const PUSHED_PEER = 0
/** A connection that ends so soon after a push was ended for it: bcoin takes none unasked. */
const PUSH_RESENTED_MS = 5_000

type Parts = {
  readonly turn: AdapterTurn
  readonly links: AdapterLinks
  /** Send transactions unasked to the first peer (TX-4). */
  readonly push: boolean
}

export class AdapterRelay {
  readonly #parts: Parts
  readonly #relay: TransactionRelay
  #pushedMs = Number.NEGATIVE_INFINITY
  #isPushing: boolean
  /** Connected peers that were told of the whole list once. */
  readonly #greeted = new Set<number>()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#isPushing = parts.push
    this.#relay = new TransactionRelay(() => parts.turn.fraction())
  }

  get deadlineMs(): number {
    return this.#relay.deadlineMs
  }

  announce(transactions: readonly Announcement[]): void {
    const { nowMs } = this.#parts.turn
    this.#post(this.#relay.announce(transactions, this.#peers(), nowMs))
  }

  /** A handshake is complete (RB-2): a new canary may free the one before it to be told. */
  ready(): void {
    for (const peer of this.#peers()) {
      if (this.#greeted.has(peer.peer)) continue
      this.#greeted.add(peer.peer)
      this.#post(this.#relay.peerReady(peer, this.#parts.turn.nowMs))
    }
  }

  /** Since when peers announce a transaction that was never in our list. */
  heardMs(ids: Pick<Announcement, 'txid' | 'wtxid'>): number | undefined {
    return this.#relay.heardOf(ids)?.sinceMs
  }

  /** Of our transactions, for people. */
  report(nowMs: number): readonly TransactionReport[] {
    return this.#relay.report(this.#peers(), nowMs)
  }

  /** The peer has said below which rate it wants to hear of nothing (TX-5). */
  filter(peer: number, rateSatPerKvb: bigint): void {
    const told = { peer, peers: this.#peers() }
    this.#post(this.#relay.filter(told, rateSatPerKvb, this.#parts.turn.nowMs))
  }

  forget(peer: number): void {
    if (peer === PUSHED_PEER && this.#parts.turn.nowMs - this.#pushedMs < PUSH_RESENTED_MS)
      this.#isPushing = false
    this.#greeted.delete(peer)
    this.#relay.forget(peer)
  }

  /** Answers a `getdata`. */
  serve(peer: number, items: readonly InventoryItem[]): void {
    if (this.#parts.turn.sentBytes > STEP_BYTES_MAX) return
    const { messages, evidence } = this.#relay.serve(peer, items, this.#parts.turn.nowMs)
    for (const reply of messages) this.#parts.turn.send(peer, reply)
    this.#report(peer, evidence)
  }

  heard(peer: number, items: readonly InventoryItem[]): void {
    this.#report(peer, this.#relay.heard(items, peer, this.#parts.turn.nowMs))
  }

  expire(): void {
    this.#post(this.#relay.expire(this.#peers(), this.#parts.turn.nowMs))
  }

  /**
   * Who is told of transactions: of several peers the last is the canary, and hears nothing of us
   * (EV-1).
   */
  #peers(): readonly RelayPeer[] {
    const { links } = this.#parts
    const ready = links.ready.filter(({ role }) => role !== 'blocks' && role !== 'seed') // AD-6
    return ready.slice(0, Math.max(1, ready.length - 1)).map(({ peer, session }) => ({
      peer,
      wtxidRelay: session.wtxidRelay,
      push: this.#isPushing && peer === PUSHED_PEER,
    }))
  }

  #post(sendings: readonly Sending[]): void {
    for (const { peer, message } of sendings) {
      if (message.type === 'tx') this.#pushedMs = this.#parts.turn.nowMs
      this.#parts.turn.send(peer, message)
    }
  }

  #report(peer: number, evidence: readonly Evidence[]): void {
    for (const { txid, kind } of evidence)
      this.#parts.turn.emit({ type: 'evidence', peer, txid, kind })
  }
}
