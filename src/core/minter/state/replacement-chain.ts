/** Transactions that replace each other: at most one of a chain confirms. Source: minter §14. */
import type { View } from '../../base/view.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import type { State, SubmittedTransaction, TxidKey } from './state.ts'
import { keyOfTxid } from './state.ts'

type Chains = View<Pick<State, 'submitted' | 'stuck' | 'replaces' | 'replacedBy'>>

/** Sent and not final: the newest of its chain, or one before it. */
export const liveTransaction = (
  { submitted, stuck }: View<Pick<State, 'submitted' | 'stuck'>>,
  key: TxidKey,
): View<SubmittedTransaction> | undefined => submitted.get(key) ?? stuck.get(key)

/** The transaction and those before it that it replaces, newest first. */
export function* replacedOf(
  { replaces }: View<Pick<State, 'replaces'>>,
  key: TxidKey,
): Iterable<TxidKey> {
  for (let each: TxidKey | undefined = key; each !== undefined; each = replaces.get(each))
    yield each
}

/** All transactions that replace each other, `key` among them, oldest first. */
export function chainOf(
  state: View<Pick<State, 'replaces' | 'replacedBy'>>,
  key: TxidKey,
): readonly TxidKey[] {
  const chain = [...replacedOf(state, key)].reverse()
  for (let next = state.replacedBy.get(key); next !== undefined; ) {
    chain.push(next)
    next = state.replacedBy.get(next)
  }
  return chain
}

/** The end of a walk; the start again where it goes round, which no log leads to. */
function endOfWalk(links: ReadonlyMap<TxidKey, TxidKey>, start: TxidKey): TxidKey {
  let end = start
  for (let steps = 0; steps <= links.size; steps++) {
    const next = links.get(end)
    if (next === undefined) return end
    end = next
  }
  return start
}

/** The newest of a chain. */
export const newestOf = ({ replacedBy }: View<Pick<State, 'replacedBy'>>, key: TxidKey): TxidKey =>
  endOfWalk(replacedBy, key)

/** The first of a chain. */
export const oldestOf = ({ replaces }: View<Pick<State, 'replaces'>>, key: TxidKey): TxidKey =>
  endOfWalk(replaces, key)

/** By what a transaction is known on the chain; those without change cannot be told. */
export const changeOf = ({
  txid,
  changeOutput,
}: View<Pick<SubmittedTransaction, 'txid' | 'changeOutput'>>): OutPoint | undefined =>
  changeOutput === undefined ? undefined : { txid, vout: changeOutput.vout }

/** Submitted transactions whose replacement is being signed. */
export const beingReplaced = ({ signing }: View<Pick<State, 'signing'>>): ReadonlySet<TxidKey> =>
  new Set(
    [...signing.values()].flatMap(({ purpose }) =>
      purpose.type === 'toReplace' ? [keyOfTxid(purpose.oldTxid)] : [],
    ),
  )

/** Changes of a transaction and of those it replaces; undefined where one has none. */
export function changesOf(state: Chains, newest: TxidKey): readonly OutPoint[] | undefined {
  const changes: OutPoint[] = []
  for (const key of replacedOf(state, newest)) {
    const transaction = liveTransaction(state, key)
    const change = transaction && changeOf(transaction)
    if (change === undefined) return undefined
    changes.push(change)
  }
  return changes
}
