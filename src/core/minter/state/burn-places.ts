/**
 * Where each burn stands that is not settled, so that nobody searches for it. Source: minter §7.3.
 */
import type { View } from '../../base/view.ts'
import type { BurnIndex, State, TxidKey, WithdrawalRequest } from './state.ts'
import { burnsOf } from './state.ts'

export type BurnPlace =
  | { readonly type: 'queued'; readonly request: WithdrawalRequest }
  | { readonly type: 'signing'; readonly txid: TxidKey }
  /** Of a chain of replacements the newest. */
  | { readonly type: 'submitted'; readonly txid: TxidKey }

type Placed = Pick<State, 'burnPlaces'>

export function placeBurns(state: Placed, burns: readonly BurnIndex[], place: BurnPlace): void {
  for (const burn of burns) state.burnPlaces.set(burn, place)
}

/** They are settled: paid, given back, or promised to be. */
export function settleBurns(state: Placed, burns: readonly BurnIndex[]): void {
  for (const burn of burns) state.burnPlaces.delete(burn)
}

/** In a transaction that is being signed, or that was sent and is not final. */
export function isOnItsWay({ burnPlaces }: View<Placed>, burn: BurnIndex): boolean {
  const place = burnPlaces.get(burn)
  return place !== undefined && place.type !== 'queued'
}

/** The request, while it waits in the queue. */
export function queuedRequest(
  { burnPlaces }: View<Placed>,
  burn: BurnIndex,
): View<WithdrawalRequest> | undefined {
  const place = burnPlaces.get(burn)
  return place?.type === 'queued' ? place.request : undefined
}

/**
 * Position in the queue of a request that is there: among those that arrived at its time, which a
 * search finds.
 */
export function queuePosition(
  queue: readonly View<WithdrawalRequest>[],
  { receivedAt, blockIndex }: View<WithdrawalRequest>,
): number {
  let [low, high] = [0, queue.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((queue[middle]?.receivedAt ?? 0n) < receivedAt) low = middle + 1
    else high = middle
  }
  for (let at = low; queue[at]?.receivedAt === receivedAt; at++)
    if (queue[at]?.blockIndex === blockIndex) return at
  return -1
}

/** Every burn with the place where a search finds it: what the index must say. */
export function* searchedPlaces(
  state: View<Pick<State, 'queue' | 'signing' | 'submitted'>>,
): Generator<readonly [BurnIndex, View<BurnPlace>]> {
  for (const request of state.queue) yield [request.blockIndex, { type: 'queued', request }]
  for (const [txid, { purpose }] of state.signing)
    if (purpose.type !== 'toReplace')
      for (const burn of burnsOf(purpose)) yield [burn, { type: 'signing', txid }]
  for (const [txid, { purpose }] of state.submitted)
    for (const burn of burnsOf(purpose)) yield [burn, { type: 'submitted', txid }]
}

/** Whether two places are one. */
export function isSamePlace(a: View<BurnPlace>, b: View<BurnPlace>): boolean {
  if (a.type === 'queued') return b.type === 'queued' && a.request === b.request
  return b.type === a.type && a.txid === b.txid
}
