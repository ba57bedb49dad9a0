/** Which of the minter's transactions are final, and their change. Source: minter §13 [H 10]. */

import { outpointKey } from '../btc/transaction.ts'
import { compareAsListed } from './coin-set.ts'
import type { Context } from './context.ts'
import { schedule } from './context.ts'
import type { TxidKey } from './state.ts'
import { keyOfTxid, keyOfUtxo, mainAccount } from './state.ts'
import type { Utxo } from './types.ts'

/** One round: looks at the main address, and finalises what has its change there deep enough. */
export function findConfirmations(context: Context): void {
  const { state, volatile, ports, record } = context
  if (volatile.root === undefined || state.submitted.size + state.stuck.size === 0) return
  const answer = ports.bitcoin.utxos({
    script: volatile.root.mainScript,
    minConfirmations: state.config.minConfirmations,
  })
  if (answer.type !== 'utxos') return
  const { own, donated } = sortOutputs(context, answer.utxos)
  for (const utxo of donated) record({ type: 'xDonation', utxo })
  if (own.length > 0) {
    record({ type: 'receivedUtxos', toAccount: mainAccount(state), utxos: own })
    // The batch of this round is over: who waited for coins gets another one.
    if (state.queue.length > 0)
      schedule(context, 'process', context.now + context.settings.processPeriodNs)
  }
  for (const key of confirmedBy(context, own)) {
    const transaction = liveTransaction(context, key)
    if (transaction === undefined) continue // Its chain ended with the one before.
    record({ type: 'confirmedTransaction', txid: transaction.txid })
  }
}

const liveTransaction = ({ state }: Context, key: TxidKey) =>
  state.submitted.get(key) ?? state.stuck.get(key)

/** New outputs at the main address: of transactions the minter sent, and of others (step 3). */
function sortOutputs(
  context: Context,
  utxos: readonly Utxo[],
): { readonly own: readonly Utxo[]; readonly donated: readonly Utxo[] } {
  const { state } = context
  const isNew = (utxo: Utxo): boolean =>
    !state.mintedOutpoints.has(keyOfUtxo(utxo)) && !state.donations.has(keyOfUtxo(utxo))
  const txidOf = ({ outpoint }: Utxo): TxidKey => keyOfTxid(outpoint.txid)
  const fresh = utxos.filter(isNew).sort(compareAsListed)
  const own = fresh.filter((utxo) => liveTransaction(context, txidOf(utxo)) !== undefined)
  const donated = fresh.filter(
    (utxo) =>
      liveTransaction(context, txidOf(utxo)) === undefined && !state.signing.has(txidOf(utxo)),
  )
  return { own, donated }
}

/** Transactions whose change output is among `outputs` (step 2). */
function confirmedBy({ state }: Context, outputs: readonly Utxo[]): readonly TxidKey[] {
  const found = new Set(outputs.map(keyOfUtxo))
  return [...state.submitted, ...state.stuck].flatMap(([key, { txid, changeOutput }]) =>
    changeOutput !== undefined && found.has(outpointKey({ txid, vout: changeOutput.vout }))
      ? [key]
      : [],
  )
}
