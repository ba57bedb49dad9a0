/** Which of the minter's transactions are final, and their change. Source: minter §13 [H 10]. */

import { equalBytes } from '../../base/bytes.ts'
import { decodeTransaction, outpointKey } from '../../btc/transaction.ts'
import type { Context } from '../context.ts'
import { schedule } from '../context.ts'
import { observeUtxos } from '../observed.ts'
import { compareAsListed } from '../state/coin-set.ts'
import { changeOf, liveTransaction } from '../state/replacement-chain.ts'
import type { OutpointKey, TxidKey } from '../state/state.ts'
import { keyOfTxid, keyOfUtxo, mainAccount } from '../state/state.ts'
import type { Utxo } from '../types.ts'

/**
 * Transactions whose change is on the main chain, however deep; undefined while the view cannot
 * tell.
 */
export function seenInChain({ state, ports }: Context): ReadonlySet<TxidKey> | undefined {
  const live = [...state.submitted.values(), ...state.stuck.values()]
  const changes = live.flatMap((transaction) => changeOf(transaction) ?? [])
  const missing = changes.length === 0 ? [] : ports.bitcoin.missing(changes)
  if (missing === undefined) return undefined
  const gone = new Set(missing.map(({ txid }) => keyOfTxid(txid)))
  return new Set(changes.map(({ txid }) => keyOfTxid(txid)).filter((key) => !gone.has(key)))
}

/** One round: looks at the main address, and finalises what has its change there deep enough. */
export function findConfirmations(context: Context, seen: ReadonlySet<TxidKey>): void {
  const { state, volatile, ports, record } = context
  if (volatile.root === undefined || ![...seen].some((key) => mayBeFinal(context, key))) return
  const answer = ports.bitcoin.utxos({
    script: volatile.root.mainScript,
    minConfirmations: state.config.minConfirmations,
  })
  if (answer.type !== 'utxos') return
  observeUtxos(context, 'minter', answer.utxos.length)
  const { own, donated } = sortOutputs(context, answer.utxos)
  for (const utxo of donated) record({ type: 'xDonation', utxo })
  if (own.length > 0) {
    record({ type: 'receivedUtxos', toAccount: mainAccount(state), utxos: own })
    // The batch of this round is over: who waited for coins gets another one.
    if (state.queue.length > 0)
      schedule(context, 'process', context.now + context.settings.processPeriodNs)
  }
  for (const key of confirmedBy(context, own, seen)) {
    const transaction = liveTransaction(state, key)
    if (transaction === undefined) continue // Its chain ended with the one before.
    record({ type: 'confirmedTransaction', txid: transaction.txid })
  }
}

/** Not while its block is too near the tip. One whose block is not held any more is deep. */
function mayBeFinal({ state, ports }: Context, key: TxidKey): boolean {
  const transaction = liveTransaction(state, key)
  const depth = transaction === undefined ? 0 : ports.bitcoin.confirmations(transaction.txid)
  return depth === 0 || depth >= state.config.minConfirmations
}

/** New outputs at the main address: of transactions the minter sent, and of others (step 3). */
function sortOutputs(
  context: Context,
  utxos: readonly Utxo[],
): { readonly own: readonly Utxo[]; readonly donated: readonly Utxo[] } {
  const { state } = context
  const isNew = (utxo: Utxo): boolean =>
    !state.mintedOutpoints.has(keyOfUtxo(utxo)) && !state.donations.has(keyOfUtxo(utxo))
  const txidOf = ({ outpoint }: Utxo): TxidKey => keyOfTxid(outpoint.txid)
  const isSent = (utxo: Utxo): boolean => liveTransaction(state, txidOf(utxo)) !== undefined
  const distinct = new Map(utxos.map((utxo) => [keyOfUtxo(utxo), utxo])) // Pages may overlap.
  const fresh = [...distinct.values()].filter(isNew).sort(compareAsListed)
  const isWhole = (utxo: Utxo): boolean => isNamedWhole(context, txidOf(utxo), distinct)
  const own = fresh.filter((utxo) => isSent(utxo) && isWhole(utxo))
  const donated = fresh.filter((utxo) => !isSent(utxo) && !state.signing.has(txidOf(utxo)))
  return { own, donated }
}

/**
 * Outputs of one transaction come together. An answer that lacks one of them is not the whole, and
 * waits: what came after the transaction is final would be taken for a donation.
 */
function isNamedWhole(
  { state, volatile }: Context,
  key: TxidKey,
  named: ReadonlyMap<OutpointKey, Utxo>,
): boolean {
  const { txid, signedTransaction } = liveTransaction(state, key) ?? {}
  if (txid === undefined || signedTransaction === undefined) return true // A log that has no bytes.
  const mainScript = volatile.root?.mainScript ?? new Uint8Array(0)
  return decodeTransaction(signedTransaction).outputs.every(({ script }, vout) => {
    const outpoint = outpointKey({ txid, vout })
    const isOurs = equalBytes(script, mainScript)
    return !isOurs || named.has(outpoint) || state.mintedOutpoints.has(outpoint)
  })
}

/**
 * Transactions whose change output is among `outputs` (step 2), or was when the log ended before it
 * said so.
 */
function confirmedBy(
  { state }: Context,
  outputs: readonly Utxo[],
  seen: ReadonlySet<TxidKey>,
): readonly TxidKey[] {
  const found = new Set(outputs.map(keyOfUtxo))
  const isFound = (key: TxidKey, change: string): boolean =>
    found.has(change) || (seen.has(key) && state.mintedOutpoints.has(change))
  return [...state.submitted, ...state.stuck].flatMap(([key, { txid, changeOutput }]) =>
    changeOutput !== undefined && isFound(key, outpointKey({ txid, vout: changeOutput.vout }))
      ? [key]
      : [],
  )
}
