/**
 * Announcing our own transactions until the chain has them. Source: `docs/spec/bitcoin.md` §3.7,
 * §10.4, §10.5.
 */
import type { Hash32, Txid } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import type { InventoryItem, Message } from './message.ts'
import { inventory } from './message.ts'
import type { Standing } from './standing.ts'
import type { Transaction } from './transaction.ts'
import type { Fate, Remark, Tracked } from './transaction-fate.ts'
import { advance, fateOf, newTracked, remarkOf } from './transaction-fate.ts'

/** Entries in one `inv` (TX-1). */
export const ANNOUNCED_MAX = 1_000
/** A push is for the few transactions of a running subnet; longer lists are announced. */
export const PUSHED_BYTES_MAX = 1_000_000
/** Answers to one `getdata`; what is left out is asked for again. */
const SERVED_BYTES_MAX = 10_000_000
/** Transactions that left the list and whose end is remembered. */
export const PAST_MAX = 100
/** Transactions of others that were heard of: one may turn out to be ours. */
export const HEARD_MAX = 5_000
const MINUTE_MS = 60_000
/** Until the second, third and fourth announcement (RB-3). */
const ROUNDS_MS = [2 * MINUTE_MS, 3 * MINUTE_MS, 10 * MINUTE_MS] as const

/** What to announce; `bytes` is the form with witness data. */
export type Announcement = {
  readonly txid: Txid
  readonly wtxid: Txid
  readonly transaction: Transaction
  readonly bytes: Uint8Array
  /** Waiting, unless told. */
  readonly standing?: Standing
}

export type RelayPeer = {
  readonly peer: number
  readonly wtxidRelay: boolean
  /** Send transactions unasked (TX-4). */
  readonly push: boolean
}

export type Evidence = { readonly txid: Txid; readonly kind: 'requested' | 'echoed' }

/** What a person may be told of a transaction. */
export type TransactionReport = {
  readonly txid: Txid
  readonly fate: Fate
  /** How long it has been so. */
  readonly ageMs: number
  readonly remark: Remark | undefined
  /** With witness data. */
  readonly bytes: Uint8Array
}

type Entry = {
  readonly announcement: Announcement
  readonly tracked: Tracked
  round: number
  nextMs: number
}

type Heard = { readonly peers: Set<number>; readonly sinceMs: number }

export type Sending = { readonly peer: number; readonly message: Message }

export class TransactionRelay {
  readonly #entries = new Map<string, Entry>()
  /** The same entries by txid. */
  readonly #byTxid = new Map<string, Entry>()
  readonly #past = new Map<string, Entry>()
  /** Who announced what is not in the list, by either id. */
  readonly #heard = new Map<string, Heard>()
  /** The lowest rate that each peer wants to hear of, in satoshi per 1,000 vbytes (TX-5). */
  readonly #filters = new Map<number, bigint>()
  /** A number in [0, 1): spreads repetitions over time. */
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * The whole list anew: what is new, or was lost by a reorganisation, goes to every ready peer;
   * what is gone is served no more.
   */
  announce(
    list: readonly Announcement[],
    peers: readonly RelayPeer[],
    nowMs: number,
  ): readonly Sending[] {
    const keys = new Set(list.map(({ wtxid }) => toHex(wtxid)))
    for (const [key, entry] of this.#entries) if (!keys.has(key)) this.#drop(key, entry, nowMs)
    const due = list.flatMap((announcement) => this.#post(announcement, nowMs) ?? [])
    return this.#tellAll(peers, due, nowMs)
  }

  #drop(key: string, entry: Entry, nowMs: number): void {
    this.#entries.delete(key)
    const id = toHex(entry.announcement.txid)
    // Another witness may have the id.
    if (this.#byTxid.get(id) === entry) this.#byTxid.delete(id)
    advance(entry.tracked, { type: 'dropped' }, nowMs)
    this.#past.delete(id)
    this.#past.set(id, entry)
    const [oldest] = this.#past.keys()
    if (this.#past.size > PAST_MAX && oldest !== undefined) this.#past.delete(oldest)
  }

  /** The entry, if everybody has to be told of it now. */
  #post(announcement: Announcement, nowMs: number): Entry | undefined {
    const { standing = { type: 'waiting' }, txid, wtxid } = announcement
    const key = toHex(wtxid)
    const known = this.#entries.get(key)
    if (known === undefined) {
      const tracked = newTracked(standing, nowMs)
      const entry = { announcement, tracked, round: 0, nextMs: nowMs + ROUNDS_MS[0] }
      this.#entries.set(key, entry)
      this.#byTxid.set(toHex(txid), entry)
      this.#past.delete(toHex(txid))
      for (const peer of this.heardOf({ txid, wtxid })?.peers ?? [])
        advance(tracked, { type: 'echoed', peer }, nowMs)
      return entry
    }
    if (!advance(known.tracked, { type: 'standing', standing }, nowMs)) return undefined
    known.round = 0
    known.nextMs = nowMs + ROUNDS_MS[0]
    return known
  }

  /** A peer is newly connected (RB-2). */
  peerReady(peer: RelayPeer, nowMs: number): readonly Sending[] {
    return this.#tell(peer, [...this.#entries.values()], nowMs)
  }

  /** The peer wants to hear of nothing below this rate; what it had kept from us it is told now. */
  filter(
    { peer, peers }: { readonly peer: number; readonly peers: readonly RelayPeer[] },
    rateSatPerKvb: bigint,
    nowMs: number,
  ): readonly Sending[] {
    const before = this.#filters.get(peer) ?? 0n
    this.#filters.set(peer, rateSatPerKvb)
    const told = peers.find((one) => one.peer === peer)
    if (told === undefined || rateSatPerKvb >= before) return []
    const freed = [...this.#entries.values()].filter(
      (entry) => rateOf(entry) < before && rateOf(entry) >= rateSatPerKvb,
    )
    return this.#tell(told, freed, nowMs)
  }

  /** The connection is gone, and with it what the peer wanted. */
  forget(peer: number): void {
    this.#filters.delete(peer)
  }

  /** Repeats what is due (RB-3). */
  expire(peers: readonly RelayPeer[], nowMs: number): readonly Sending[] {
    const due = [...this.#entries.values()].filter(({ nextMs }) => nextMs <= nowMs)
    for (const entry of due) {
      entry.round += 1
      entry.nextMs = nowMs + this.#pause(entry)
    }
    return this.#tellAll(peers, due, nowMs)
  }

  #pause({ round, tracked }: Entry): number {
    if (tracked.echoed.size > 0) return (12 + 24 * this.#random()) * 60 * MINUTE_MS
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
  serve(
    peer: number,
    items: readonly InventoryItem[],
    nowMs: number,
  ): { readonly messages: readonly Message[]; readonly evidence: readonly Evidence[] } {
    const served = new Set<Entry>()
    const missing: InventoryItem[] = []
    let bytes = 0
    for (const item of items) {
      const entry = this.#find(item.hash)
      if (entry === undefined || entry.tracked.standing.type === 'held') missing.push(item)
      else if (!served.has(entry) && bytes < SERVED_BYTES_MAX) {
        served.add(entry)
        bytes += entry.announcement.bytes.length
      }
    }
    for (const { tracked } of served) advance(tracked, { type: 'requested', peer }, nowMs)
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
      if (entry === undefined) {
        this.#remember(toHex(hash), peer, nowMs)
        return []
      }
      const before = entry.tracked.echoed.size
      advance(entry.tracked, { type: 'echoed', peer }, nowMs)
      if (before > 0 || entry.tracked.echoed.size === 0) return []
      entry.nextMs = nowMs + this.#pause(entry)
      return [{ txid: entry.announcement.txid, kind: 'echoed' }]
    })
  }

  #remember(key: string, peer: number, nowMs: number): void {
    const heard = this.#heard.get(key) ?? { peers: new Set(), sinceMs: nowMs }
    heard.peers.add(peer)
    this.#heard.set(key, heard)
    const [oldest] = this.#heard.keys()
    if (this.#heard.size > HEARD_MAX && oldest !== undefined) this.#heard.delete(oldest)
  }

  /** Who announced a transaction that was not in the list then, and since when. */
  heardOf({ txid, wtxid }: Pick<Announcement, 'txid' | 'wtxid'>): Heard | undefined {
    return this.#heard.get(toHex(txid)) ?? this.#heard.get(toHex(wtxid))
  }

  /** Of every transaction in the list, and of the last that left it. */
  report(peers: readonly RelayPeer[], nowMs: number): readonly TransactionReport[] {
    const filters = peers.map(({ peer }) => this.#filters.get(peer) ?? 0n)
    return [...this.#past.values(), ...this.#entries.values()].map(({ announcement, tracked }) => ({
      txid: announcement.txid,
      bytes: announcement.bytes,
      fate: fateOf(tracked),
      ageMs: Math.max(0, nowMs - tracked.sinceMs),
      remark: remarkOf(tracked, { filters, nowMs }),
    }))
  }

  #tellAll(
    peers: readonly RelayPeer[],
    entries: readonly Entry[],
    nowMs: number,
  ): readonly Sending[] {
    return peers.flatMap((peer) => this.#tell(peer, entries, nowMs))
  }

  /** Of what waits, and pays what the peer asks for (TX-5). */
  #tell(peer: RelayPeer, entries: readonly Entry[], nowMs: number): readonly Sending[] {
    const least = this.#filters.get(peer.peer) ?? 0n
    const wanted = entries.filter(
      (entry) => entry.tracked.standing.type === 'waiting' && rateOf(entry) >= least,
    )
    for (const { tracked } of wanted)
      advance(tracked, { type: 'announced', peer: peer.peer }, nowMs)
    return sendings(
      peer,
      wanted.map(({ announcement }) => announcement),
    )
  }
}

/** Where it is not known, no filter holds it back. */
function rateOf({ tracked: { standing } }: Entry): bigint {
  const rate = standing.type === 'waiting' ? standing.rateSatPerKvb : undefined
  return rate ?? BigInt(Number.MAX_SAFE_INTEGER)
}

function sendings(
  { peer, wtxidRelay, push }: RelayPeer,
  list: readonly Announcement[],
): readonly Sending[] {
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
