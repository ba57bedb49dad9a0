/**
 * Announcing our own transactions until the chain has them. Source: `docs/spec/bitcoin.md` §3.7,
 * §10.5.
 */
import type { Hash32, Txid } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { InventoryItem, Message } from './message.ts'
import { inventory } from './message.ts'
import type { Transaction } from './transaction.ts'

/** Entries in one `inv` (TX-1). */
export const ANNOUNCED_MAX = 1_000
/** A push is for the few transactions of a running subnet; longer lists are announced. */
export const PUSHED_BYTES_MAX = 1_000_000
/** Answers to one `getdata`; what is left out is asked for again. */
const SERVED_BYTES_MAX = 10_000_000
const MINUTE_MS = 60_000
/** Until the second, third and fourth announcement (RB-3). */
const ROUNDS_MS = [2 * MINUTE_MS, 3 * MINUTE_MS, 10 * MINUTE_MS] as const

/** What to announce; `bytes` is the form with witness data. */
export type Announcement = {
  readonly txid: Txid
  readonly wtxid: Txid
  readonly transaction: Transaction
  readonly bytes: Uint8Array
}

export type RelayPeer = {
  readonly peer: number
  readonly wtxidRelay: boolean
  /** Send transactions unasked (TX-4). */
  readonly push: boolean
}

export type Evidence = { readonly txid: Txid; readonly kind: 'requested' | 'echoed' }

type Entry = {
  readonly announcement: Announcement
  readonly toldPeers: Set<number>
  round: number
  nextMs: number
  echoed: boolean
}

export type Sending = { readonly peer: number; readonly message: Message }

export class TransactionRelay {
  readonly #entries = new Map<string, Entry>()
  /** The same entries by txid. */
  readonly #byTxid = new Map<string, Entry>()
  /** A number in [0, 1): spreads repetitions over time. */
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** The whole list anew: what is new goes to every ready peer, what is gone is served no more. */
  announce(
    list: readonly Announcement[],
    peers: readonly RelayPeer[],
    nowMs: number,
  ): readonly Sending[] {
    const keys = new Set(list.map(({ wtxid }) => toHex(wtxid)))
    for (const [key, entry] of this.#entries) {
      if (keys.has(key)) continue
      this.#entries.delete(key)
      const id = toHex(entry.announcement.txid)
      // Another witness may have the id.
      if (this.#byTxid.get(id) === entry) this.#byTxid.delete(id)
    }
    const added: Entry[] = []
    for (const announcement of list) {
      const key = toHex(announcement.wtxid)
      if (this.#entries.has(key)) continue
      const nextMs = nowMs + ROUNDS_MS[0]
      const entry = { announcement, toldPeers: new Set<number>(), round: 0, nextMs, echoed: false }
      this.#entries.set(key, entry)
      this.#byTxid.set(toHex(announcement.txid), entry)
      added.push(entry)
    }
    return peers.flatMap((peer) => tell(peer, added))
  }

  /** A peer is newly connected (RB-2). */
  peerReady(peer: RelayPeer): readonly Sending[] {
    return tell(peer, [...this.#entries.values()])
  }

  forget(peer: number): void {
    for (const { toldPeers } of this.#entries.values()) toldPeers.delete(peer)
  }

  /** Repeats what is due (RB-3). */
  expire(peers: readonly RelayPeer[], nowMs: number): readonly Sending[] {
    const due = [...this.#entries.values()].filter(({ nextMs }) => nextMs <= nowMs)
    for (const entry of due) {
      entry.round += 1
      entry.nextMs = nowMs + this.#pause(entry)
    }
    return peers.flatMap((peer) => tell(peer, due))
  }

  #pause({ round, echoed }: Entry): number {
    if (echoed) return (12 + 24 * this.#random()) * 60 * MINUTE_MS
    return ROUNDS_MS[round] ?? (30 + 30 * this.#random()) * MINUTE_MS
  }

  get deadlineMs(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const { nextMs } of this.#entries.values()) earliest = Math.min(earliest, nextMs)
    return earliest
  }

  #find(hash: Hash32): Entry | undefined {
    const key = toHex(hash)
    return this.#entries.get(key) ?? this.#byTxid.get(key)
  }

  /** Answers `getdata` for our own transactions, and says what we do not have (TX-2, TX-7). */
  serve(items: readonly InventoryItem[]): {
    readonly messages: readonly Message[]
    readonly evidence: readonly Evidence[]
  } {
    const served = new Set<Entry>()
    const missing: InventoryItem[] = []
    let bytes = 0
    for (const item of items) {
      const entry = this.#find(item.hash)
      if (entry === undefined) missing.push(item)
      else if (!served.has(entry) && bytes < SERVED_BYTES_MAX) {
        served.add(entry)
        bytes += entry.announcement.bytes.length
      }
    }
    const found = [...served].map(({ announcement }) => announcement)
    return {
      messages: [
        ...found.map(({ transaction }) => ({ type: 'tx' as const, transaction })),
        ...(missing.length > 0 ? [{ type: 'notfound' as const, items: missing }] : []),
      ],
      evidence: found.map(({ txid }) => ({ txid, kind: 'requested' })),
    }
  }

  /** A peer that we told nothing announces our transaction: it has propagated (EV-2). */
  heard(items: readonly InventoryItem[], peer: number, nowMs: number): readonly Evidence[] {
    return items.flatMap(({ kind, hash }): readonly Evidence[] => {
      if (kind !== inventory.tx && kind !== inventory.wtx) return []
      const entry = this.#find(hash)
      if (entry === undefined || entry.echoed || entry.toldPeers.has(peer)) return []
      entry.echoed = true
      entry.nextMs = nowMs + this.#pause(entry)
      return [{ txid: entry.announcement.txid, kind: 'echoed' }]
    })
  }
}

function tell(
  { peer, wtxidRelay, push }: RelayPeer,
  entries: readonly Entry[],
): readonly Sending[] {
  if (entries.length === 0) return []
  for (const { toldPeers } of entries) toldPeers.add(peer)
  const list = entries.map(({ announcement }) => announcement)
  const bytes = list.reduce((sum, { bytes: { length } }) => sum + length, 0)
  if (push && bytes <= PUSHED_BYTES_MAX)
    return list.map(({ transaction }) => ({ peer, message: { type: 'tx', transaction } }))
  const items = list.map(({ txid, wtxid }) =>
    wtxidRelay ? { kind: inventory.wtx, hash: wtxid } : { kind: inventory.tx, hash: txid },
  )
  const batches: Sending[] = []
  for (let at = 0; at < items.length; at += ANNOUNCED_MAX)
    batches.push({ peer, message: { type: 'inv', items: items.slice(at, at + ANNOUNCED_MAX) } })
  return batches
}
