/**
 * Invariants after one event, looked at where the event may have changed something: the cost does
 * not grow with the state. Source: minter §18.5, 1 to 9; `violations.ts` looks everywhere.
 */
import type { View } from '../../base/view.ts'
import { accountKey } from '../../ic/account.ts'
import { apply } from '../apply/apply.ts'
import type { Event } from '../events/events.ts'
import type { Utxo } from '../types.ts'
import { queuePosition } from './burn-places.ts'
import { isInOrder } from './coin-set.ts'
import { liveTransaction, newestOf, oldestOf } from './replacement-chain.ts'
import type { AccountKey, BurnIndex, OutpointKey, State, TxidKey } from './state.ts'
import { burnsOf, keyOfTxid, keyOfUtxo } from './state.ts'
import type { Touched } from './touched.ts'
import { touchedBy } from './touched.ts'

/** Empty in every state that can be reached. */
export function violationsAt(state: View<State>, touched: Touched): readonly string[] {
  const problems: string[] = []
  const say = (problem: string): void => void problems.push(problem)
  checkSizes(state, say)
  for (const coin of touched.coins) checkCoin(state, coin, touched.account, say)
  for (const burn of touched.burns) checkBurn(state, burn, say)
  for (const transaction of transactionsOf(state, touched))
    checkTransaction(state, transaction, say)
  return problems
}

type Say = (problem: string) => void

/** Of whole maps: what came to one has left another. */
function checkSizes(state: View<State>, say: Say): void {
  const { availableUtxos, spentBy, outpointAccount, mintedOutpoints } = state
  const { stuck, replacedBy, replaces } = state
  if (availableUtxos.size + spentBy.size !== outpointAccount.size)
    say('7: a coin is neither available nor spent')
  if (mintedOutpoints.size < outpointAccount.size) say('8: a coin is held and was never credited')
  if (stuck.size !== replacedBy.size) say('4: a transaction is stuck and not replaced')
  if (replacedBy.size !== replaces.size) say('5: the two maps of replacements differ')
}

/** 1, 2, 7, 8 of one coin. */
function checkCoin(
  state: View<State>,
  key: OutpointKey,
  waitingFor: AccountKey | undefined,
  say: Say,
): void {
  const owner = state.outpointAccount.get(key)
  const available = state.availableUtxos.get(key)
  const isSpent = state.spentBy.has(key)
  const isOwned =
    owner !== undefined && state.accountUtxos.get(accountKey(owner))?.has(key) === true
  if (available !== undefined && !isOwned) say(`1: ${key} is available and nobody's`)
  if (owner !== undefined && !isOwned) say(`2: ${key} has an account that has it not`)
  if (isSpent && owner === undefined) say(`7: ${key} is spent and nobody's`)
  if (isSpent && available !== undefined) say(`7: ${key} is available and spent`)
  if (owner !== undefined && !isSpent && available === undefined)
    say(`7: ${key} is neither available nor spent`)
  if (available !== undefined && !isInOrder(state.coins, available))
    say(`7: ${key} is not where its order puts it`)
  const suspended = waitingFor === undefined ? undefined : state.suspendedUtxos.get(waitingFor)
  const waits = [state.checkedUtxos, state.legacySuspendedUtxos, suspended].filter((place) =>
    place?.has(key),
  )
  if (waits.length > 1) say(`8: ${key} waits in two places`)
  const isCredited = state.mintedOutpoints.has(key)
  if (isCredited && waits.length + (state.donations.has(key) ? 1 : 0) > 0)
    say(`8: ${key} is credited and waits`)
  if (owner !== undefined && !isCredited) say(`8: ${key} is held and was never credited`)
}

/** 3 and 6 of one burn. */
function checkBurn(state: View<State>, burn: BurnIndex, say: Say): void {
  const place = state.burnPlaces.get(burn)
  const { finalized, cancelled, reimbursements, reimbursed } = state
  const ends = [state.burnPlaces, finalized, cancelled, reimbursements, reimbursed]
  if (ends.filter((end) => end.has(burn)).length > 1) say(`6: burn ${burn} is in two places`)
  if (state.held.has(burn) && place?.type !== 'queued')
    say(`6: burn ${burn} is held outside the queue`)
  if (place?.type === 'signing' && !state.signing.has(place.txid))
    say(`6: burn ${burn} is not where the index says`)
  if (place?.type === 'submitted' && !state.submitted.has(place.txid))
    say(`6: burn ${burn} is not where the index says`)
  if (place?.type !== 'queued') return
  const { queue } = state
  const position = queuePosition(queue, place.request)
  const [before, own, after] = [queue[position - 1], queue[position], queue[position + 1]]
  if (own !== place.request) say(`6: burn ${burn} is not where the index says`)
  const { receivedAt } = place.request
  if (before !== undefined && before.receivedAt > receivedAt)
    say(`3: burn ${burn} stands behind one that came later`)
  if (after !== undefined && after.receivedAt < receivedAt)
    say(`3: burn ${burn} stands before one that came earlier`)
}

/** Those that the event names, and those in which its burns stand now. */
function transactionsOf(
  { burnPlaces }: View<State>,
  { burns, transactions }: Touched,
): ReadonlySet<TxidKey> {
  const found = new Set(transactions)
  for (const burn of burns) {
    const place = burnPlaces.get(burn)
    if (place !== undefined && place.type !== 'queued') found.add(place.txid)
  }
  return found
}

/** 4, 5, 7, 9 of one transaction. */
function checkTransaction(state: View<State>, key: TxidKey, say: Say): void {
  const { signing, submitted, stuck } = state
  if ([signing, submitted, stuck].filter((place) => place.has(key)).length > 1)
    say(`7: ${key} is in two places`)
  checkChain(state, key, say)
  const signed = signing.get(key)
  const sent = liveTransaction(state, key)
  if (sent !== undefined) {
    checkCoins(state, sent.utxos, oldestOf(state, key), say)
    if (submitted.has(key))
      checkBurns(state, burnsOf(sent.purpose), { type: 'submitted', key }, say)
    if (sent.purpose.type === 'toConsolidate') checkCurrent(state, sent.purpose.request, say)
  }
  if (signed === undefined) return
  const { purpose, utxos } = signed
  if (purpose.type !== 'toReplace') {
    checkCoins(state, utxos, key, say)
    checkBurns(state, burnsOf(purpose), { type: 'signing', key }, say)
    if (purpose.type === 'toConsolidate') checkCurrent(state, purpose.request, say)
    return
  }
  const old = keyOfTxid(purpose.oldTxid)
  checkCoins(state, utxos, oldestOf(state, old), say)
  if (!submitted.has(old)) say(`4: ${old} is replaced by nothing`)
  const twins = [...signing.values()].filter(
    (other) => other.purpose.type === 'toReplace' && keyOfTxid(other.purpose.oldTxid) === old,
  )
  if (twins.length > 1) say(`5: two replacements of ${old} are signed`)
}

function checkChain(state: View<State>, key: TxidKey, say: Say): void {
  const { submitted, stuck, replacedBy, replaces } = state
  const [before, after] = [replaces.get(key), replacedBy.get(key)]
  if (stuck.has(key) !== replacedBy.has(key)) say(`4: ${key} is stuck and not replaced`)
  if (after !== undefined && liveTransaction(state, after) === undefined)
    say(`4: the replacement of ${key} leads nowhere`)
  if (before !== undefined && replacedBy.get(before) !== key) say(`5: ${key} replaces one way only`)
  if (after !== undefined && replaces.get(after) !== key) say(`5: ${key} is replaced one way only`)
  if (stuck.has(key) && !submitted.has(newestOf(state, key)))
    say(`5: the chain of ${key} does not end`)
}

/** All of one chain serve its first transaction. */
function checkCoins(
  { spentBy, outpointAccount, availableUtxos }: View<State>,
  utxos: readonly View<Utxo>[],
  first: TxidKey,
  say: Say,
): void {
  for (const utxo of utxos) {
    const key = keyOfUtxo(utxo)
    if (spentBy.get(key) !== first) say(`7: ${key} is spent by another`)
    if (!outpointAccount.has(key)) say(`7: ${key} is spent and nobody's`)
    if (availableUtxos.has(key)) say(`7: ${key} is available and spent`)
  }
}

function checkBurns(
  { burnPlaces }: View<State>,
  burns: readonly BurnIndex[],
  { type, key }: { readonly type: 'signing' | 'submitted'; readonly key: TxidKey },
  say: Say,
): void {
  for (const burn of burns) {
    const place = burnPlaces.get(burn)
    const isThere = place !== undefined && place.type === type && place.txid === key
    if (!isThere) say(`6: burn ${burn} is not where the index says`)
  }
}

function checkCurrent(
  { consolidation }: View<State>,
  { blockIndex }: { readonly blockIndex: BurnIndex },
  say: Say,
): void {
  if (consolidation?.blockIndex !== blockIndex)
    say('9: a consolidation is sent that is not current')
}

/** Problems that are kept: the first ones say where it began. */
const BROKEN_MAX = 16

/**
 * Applies an event and looks at what it touched. What does not hold from now on stays in
 * `volatile.broken`, and stops the minter (§18.5).
 */
export function applyChecked(state: State, event: Event): void {
  const touched = touchedBy(state, event.payload)
  apply(state, event)
  const { broken } = state.volatile
  for (const problem of violationsAt(state, touched))
    if (broken.length < BROKEN_MAX) broken.push(`${event.payload.type}: ${problem}`)
}
