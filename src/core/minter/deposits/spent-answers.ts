/** Cached answers that name a coin which is being spent are dropped. Source: minter §5.4. */
import { accountKey } from '../../ic/account.ts'
import type { Payload } from '../events/events.ts'
import type { State } from '../state/state.ts'
import { keyOfTxid, keyOfUtxo } from '../state/state.ts'
import type { Utxo } from '../types.ts'

/** Before the event is applied: answers that name a coin which it spends must not be given again. */
export function dropSpent(state: State, payload: Payload): void {
  const { answers } = state.volatile.utxoCache
  if (answers.size === 0) return
  for (const utxo of spentBy(state, payload)) {
    const account = state.outpointAccount.get(keyOfUtxo(utxo))
    if (account !== undefined) answers.delete(accountKey(account))
  }
}

function spentBy({ submitted, stuck }: State, payload: Payload): readonly Utxo[] {
  const inputsOf = (txid: Uint8Array): readonly Utxo[] =>
    (submitted.get(keyOfTxid(txid)) ?? stuck.get(keyOfTxid(txid)))?.utxos ?? []
  const { type } = payload
  if (type === 'sentTransaction') return payload.utxos
  if (type === 'replacedTransaction') return inputsOf(payload.oldTxid)
  return type === 'confirmedTransaction' ? inputsOf(payload.txid) : []
}
