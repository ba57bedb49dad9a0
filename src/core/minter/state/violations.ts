/** Invariants of the state: names of those that do not hold. Source: minter §18.5, 1 to 9. */
import type { View } from '../../base/view.ts'
import { accountKey } from '../../ic/account.ts'
import type { Utxo } from '../types.ts'
import { isSamePlace, searchedPlaces } from './burn-places.ts'
import { coinSetFlaws } from './coin-set.ts'
import { newestOf, oldestOf } from './replacement-chain.ts'
import type { State } from './state.ts'
import { keyOfTxid, keyOfUtxo, requestsOf } from './state.ts'

/** Empty in every state that can be reached. */
export function invariantViolations(state: View<State>): readonly string[] {
  return [
    ...coinsWithoutOwner(state),
    ...queueDisorder(state),
    ...brokenChains(state),
    ...burnsInTwoPlaces(state),
    ...burnsAstray(state),
    ...coinsUsedTwice(state),
    ...coinSetFlaws(state.coins).map((flaw) => `7: ${flaw}`),
    ...coinsInTwoStates(state),
    ...consolidationProblems(state),
    ...callProblems(state),
  ]
}

/** 1 and 2. */
function coinsWithoutOwner(state: View<State>): readonly string[] {
  const available = [...state.availableUtxos.keys()].filter((key) => {
    const account = state.outpointAccount.get(key)
    return account === undefined || !state.accountUtxos.get(accountKey(account))?.has(key)
  })
  const owned = [...state.accountUtxos].flatMap(([owner, utxos]) =>
    [...utxos.keys()].filter((key) => {
      const account = state.outpointAccount.get(key)
      return account === undefined || accountKey(account) !== owner
    }),
  )
  const count = [...state.accountUtxos.values()].reduce((sum, utxos) => sum + utxos.size, 0)
  return [
    ...available.map((key) => `1: ${key} is available and nobody's`),
    ...owned.map((key) => `2: ${key} is held by another account`),
    ...(count === state.outpointAccount.size
      ? []
      : ['2: an outpoint has an account that has it not']),
  ]
}

/** 3. */
function queueDisorder({ queue }: View<State>): readonly string[] {
  return queue
    .filter(({ receivedAt }, i) => receivedAt < (queue[i - 1]?.receivedAt ?? 0n))
    .map(({ blockIndex }) => `3: burn ${blockIndex} stands before one that came earlier`)
}

/** 4 and 5. */
function brokenChains(state: View<State>): readonly string[] {
  const { submitted, stuck, replacedBy, replaces } = state
  const alone = [...stuck.keys()].filter((key) => !replacedBy.has(key))
  const dangling = [...replacedBy].filter(
    ([before, after]) => !stuck.has(before) || !(submitted.has(after) || stuck.has(after)),
  )
  const oneWay = [...replacedBy].filter(([before, after]) => replaces.get(after) !== before)
  const endless = [...stuck.keys()].filter((key) => !submitted.has(newestOf(state, key)))
  return [
    ...alone.map((key) => `4: ${key} is stuck and not replaced`),
    ...dangling.map(([key]) => `4: the replacement of ${key} leads nowhere`),
    ...oneWay.map(([key]) => `5: ${key} is replaced one way only`),
    ...(replacedBy.size === replaces.size ? [] : ['5: the two maps of replacements differ']),
    ...endless.map((key) => `5: the chain of ${key} does not end`),
    ...replacementsAstray(state),
  ]
}

/** A replacement that is being signed: the only one of a transaction that is submitted. */
function replacementsAstray({ signing, submitted }: View<State>): readonly string[] {
  const old = [...signing.values()].flatMap(({ purpose }) =>
    purpose.type === 'toReplace' ? [keyOfTxid(purpose.oldTxid)] : [],
  )
  return [
    ...old.filter((key) => !submitted.has(key)).map((key) => `4: ${key} is replaced by nothing`),
    ...duplicates(old).map((key) => `5: two replacements of ${key} are signed`),
  ]
}

/** 6; transactions of one chain carry the same requests, so only submitted ones count. */
function burnsInTwoPlaces(state: View<State>): readonly string[] {
  const places = [
    ...state.queue.map(({ blockIndex }) => blockIndex),
    ...[...state.signing.values(), ...state.submitted.values()].flatMap(({ purpose }) =>
      requestsOf(purpose).map((r) => r.blockIndex),
    ),
    ...state.finalized.keys(),
    ...state.cancelled.keys(),
    ...state.reimbursements.keys(),
    ...state.reimbursed.keys(),
  ]
  const lost = [...state.held.keys()].filter(
    (burn) => !state.queue.some(({ blockIndex }) => blockIndex === burn),
  )
  return [
    ...duplicates(places.map(String)).map((burn) => `6: burn ${burn} is in two places`),
    ...lost.map((burn) => `6: burn ${burn} is held outside the queue`),
  ]
}

/** The index of burns says what a search finds. */
function burnsAstray(state: View<State>): readonly string[] {
  const found = new Map(searchedPlaces(state))
  const astray = [...found].filter(([burn, place]) => {
    const indexed = state.burnPlaces.get(burn)
    return indexed === undefined || !isSamePlace(indexed, place)
  })
  return [
    ...astray.map(([burn]) => `6: burn ${burn} is not where the index says`),
    ...(found.size === state.burnPlaces.size ? [] : ['6: the index names a burn that is nowhere']),
  ]
}

const duplicates = (keys: readonly string[]): readonly string[] => {
  const seen = new Set<string>()
  return keys.filter((key) => seen.size === seen.add(key).size)
}

/**
 * 7: each chain of replacements, and each signing transaction, spends coins that nothing else
 * spends.
 */
function coinsUsedTwice(state: View<State>): readonly string[] {
  const users = new Map<string, string>()
  const problems: string[] = []
  const use = (user: string, utxos: readonly View<Utxo>[]): void => {
    const first = oldestOf(state, user)
    for (const utxo of utxos) {
      const key = keyOfUtxo(utxo)
      if (state.spentBy.get(key) !== first) problems.push(`7: ${key} is spent by another`)
      if (state.availableUtxos.has(key)) problems.push(`7: ${key} is available and spent`)
      if (!state.outpointAccount.has(key)) problems.push(`7: ${key} is spent and nobody's`)
      if ((users.get(key) ?? user) !== user) problems.push(`7: ${key} is spent twice`)
      users.set(key, user)
    }
  }
  for (const [key, { utxos, purpose }] of state.signing)
    use(purpose.type === 'toReplace' ? keyOfTxid(purpose.oldTxid) : key, utxos)
  for (const [key, { utxos }] of [...state.submitted, ...state.stuck])
    use(newestOf(state, key), utxos)
  if (users.size !== state.spentBy.size) problems.push('7: a coin is spent by nothing')
  if (state.availableUtxos.size + state.spentBy.size !== state.outpointAccount.size)
    problems.push('7: a coin is neither available nor spent')
  return problems
}

/** 8: an outpoint is new, checked, suspended, given away or credited, and only one of these. */
function coinsInTwoStates(state: View<State>): readonly string[] {
  const suspended = [...state.suspendedUtxos.values()].flatMap((utxos) => [...utxos.keys()])
  const waiting = [...suspended, ...state.legacySuspendedUtxos.keys(), ...state.checkedUtxos.keys()]
  const credited = [...waiting, ...state.donations.keys()].filter((key) =>
    state.mintedOutpoints.has(key),
  )
  const unknown = [...state.outpointAccount.keys()].filter((key) => !state.mintedOutpoints.has(key))
  return [
    ...duplicates(waiting).map((key) => `8: ${key} waits in two places`),
    ...credited.map((key) => `8: ${key} is credited and waits`),
    ...unknown.map((key) => `8: ${key} is held and was never credited`),
  ]
}

/** 9. */
function consolidationProblems(state: View<State>): readonly string[] {
  const sent = [...state.submitted.values()].filter(
    ({ purpose }) => purpose.type === 'toConsolidate',
  )
  const foreign = sent.filter(
    ({ purpose }) =>
      purpose.type === 'toConsolidate' &&
      purpose.request.blockIndex !== state.consolidation?.blockIndex,
  )
  return [
    ...(sent.length > 1 ? ['9: two consolidations are sent'] : []),
    ...(foreign.length > 0 ? ['9: a consolidation is sent that is not current'] : []),
  ]
}

/** 8 and §18.6: what may have been minted is marked so, and nothing is on its way twice. */
function callProblems(state: View<State>): readonly string[] {
  const problems: string[] = []
  for (const { purpose } of state.calls.values()) {
    if (purpose.type === 'deposit' && state.mintedOutpoints.has(keyOfUtxo(purpose.utxo)))
      problems.push(`8: ${keyOfUtxo(purpose.utxo)} is credited and its mint is unknown`)
    if (purpose.type !== 'reimbursement') continue
    const { burnBlockIndex: burn } = purpose
    const isOwed = state.reimbursements.has(burn)
    if (!isOwed && state.reimbursed.get(burn)?.mintBlockIndex !== undefined)
      problems.push(`8: burn ${burn} is reimbursed and its mint is unknown`)
  }
  const withdrawals = [...state.calls.values()].flatMap(({ purpose }) =>
    purpose.type === 'withdrawal' ? [accountKey(purpose.account)] : [],
  )
  return [
    ...problems,
    ...duplicates(withdrawals).map((key) => `8: two burns of ${key} are unknown`),
  ]
}
