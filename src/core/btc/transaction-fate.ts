/**
 * What is known of one of our transactions, from the list to its last confirmation: a state for each
 * kind of evidence, the strongest first. Source: `docs/spec/bitcoin.md` §10.2 to §10.4.
 */
import type { Txid } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import { SETTLED_CONFIRMATIONS } from './outgoing.ts'
import type { Standing } from './standing.ts'

/** Silence says nothing before (§10.3). */
export const SILENCE_MS = 60_000
/** Core asks for nothing below this while it is in initial download: nobody pays so much. */
const DOWNLOADING_SAT_PER_KVB = 9_000_000n

export type Fate =
  | { readonly type: 'queued' }
  | { readonly type: 'announced' | 'requested' | 'echoed'; readonly peers: number }
  | { readonly type: 'inBlock'; readonly height: number; readonly confirmations: number }
  | { readonly type: 'final' }
  | { readonly type: 'conflicted'; readonly by: Txid; readonly confirmations: number }
  | { readonly type: 'replaced'; readonly by: Txid }
  | { readonly type: 'expired' }

export type FateEvent =
  | { readonly type: 'announced' | 'requested' | 'echoed'; readonly peer: number }
  /** As the chain view has it now. */
  | { readonly type: 'standing'; readonly standing: Standing }
  /** It left the list. */
  | { readonly type: 'dropped' }

/** Peers by what they did since it waits; of those that have gone as well. */
export type Tracked = {
  standing: Standing
  /** Whom we ever told: what they say they have from us (EV-2). */
  readonly told: Set<number>
  readonly announced: Set<number>
  readonly requested: Set<number>
  readonly echoed: Set<number>
  dropped: boolean
  /** When the fate became what it is. */
  sinceMs: number
}

export const newTracked = (standing: Standing, nowMs: number): Tracked => ({
  standing,
  told: new Set(),
  announced: new Set(),
  requested: new Set(),
  echoed: new Set(),
  dropped: false,
  sinceMs: nowMs,
})

/** The strongest first. */
const evidence = ['echoed', 'requested', 'announced'] as const

/** The only writer. Whether the transaction has to be announced anew (10.2). */
export function advance(tracked: Tracked, event: FateEvent, nowMs: number): boolean {
  const before = fateOf(tracked)
  const isLost = applyEvent(tracked, event)
  if (fateOf(tracked).type !== before.type) tracked.sinceMs = nowMs
  return isLost
}

function applyEvent(tracked: Tracked, event: FateEvent): boolean {
  switch (event.type) {
    case 'announced':
      tracked.told.add(event.peer)
      tracked.announced.add(event.peer)
      return false
    case 'requested':
      tracked.requested.add(event.peer)
      return false
    case 'echoed':
      if (!tracked.told.has(event.peer)) tracked.echoed.add(event.peer)
      return false
    case 'dropped':
      tracked.dropped = true
      return false
    case 'standing': {
      const wasIn = tracked.standing.type !== 'waiting'
      tracked.standing = event.standing
      const isLost = wasIn && event.standing.type === 'waiting'
      // What peers did before a reorganisation says nothing of what they have now.
      if (isLost) for (const kind of evidence) tracked[kind].clear()
      return isLost
    }
  }
}

/** The strongest evidence. */
export function fateOf({ standing, dropped, ...peers }: View<Tracked>): Fate {
  switch (standing.type) {
    case 'inBlock':
      if (dropped || standing.confirmations >= SETTLED_CONFIRMATIONS) return { type: 'final' }
      return standing
    case 'conflicted':
    case 'replaced':
      return standing
    case 'held':
    case 'waiting':
      if (dropped) return { type: 'expired' }
      for (const type of evidence)
        if (peers[type].size > 0) return { type, peers: peers[type].size }
      return { type: 'queued' }
  }
}

export type Remark = {
  readonly reason: string
  /** What a replacement would have to pay. */
  readonly bumpSatPerKvb?: bigint
}

/** Why nothing is heard, as far as it can be known (§10.3). `filters`: of peers that may be told. */
export function remarkOf(
  tracked: View<Tracked>,
  { filters, nowMs }: { readonly filters: readonly bigint[]; readonly nowMs: number },
): Remark | undefined {
  const { standing, sinceMs } = tracked
  if (standing.type === 'held') return { reason: standing.reason }
  const { type } = fateOf(tracked)
  if (standing.type !== 'waiting' || (type !== 'queued' && type !== 'announced')) return undefined
  if (filters.length === 0) return { reason: 'no peer is connected' }
  const lowest = filters.reduce((least, filter) => (filter < least ? filter : least))
  if (lowest >= DOWNLOADING_SAT_PER_KVB)
    return { reason: 'the peers take no transactions: they are in initial download' }
  const { rateSatPerKvb } = standing
  if (rateSatPerKvb !== undefined && rateSatPerKvb < lowest)
    return { reason: `it pays less than the fee filter of every peer`, bumpSatPerKvb: lowest }
  if (type === 'queued' || nowMs - sinceMs < SILENCE_MS) return undefined
  return { reason: 'not requested: the peers have it, or drop it' }
}
