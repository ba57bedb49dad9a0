/**
 * Transactions of ours that were final when a reorganisation took their blocks: no list that is
 * announced from has them any more, so they are sent again. Source: minter [H 15]; bitcoin §10.2.
 */

import type { Txid } from '../../base/bytes.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import { decodeTransaction, encodeTransaction, txid as txidOf } from '../../btc/transaction.ts'
import type { Context } from '../context.ts'
import { eventAt, sentEvent } from '../events/event-log.ts'
import type { SignedInput, TxidKey } from '../state/state.ts'
import { keyOfTxid } from '../state/state.ts'
import { withWitnesses } from './signed-transaction.ts'

type Sent = {
  /** Of the event in the log. */
  readonly number: number
  readonly spends: readonly OutPoint[]
  /** Undefined where a log of the deployed minter does not tell. */
  readonly bytes: Uint8Array | undefined
}

/** As many as the list takes (bitcoin RB-4). */
const SENT_AGAIN_MAX = 1_000

/**
 * Sends what made these outputs, and what made its inputs, as far as the chain lacks them. What is
 * listed already is not listed again.
 */
export function sendAgain({ log, ports }: Context, lost: readonly OutPoint[]): void {
  const due = new Map<TxidKey, Sent>()
  const looked = [...lost]
  for (const { txid } of looked) {
    const transaction = due.has(keyOfTxid(txid)) ? undefined : sentOf(log, txid)
    if (transaction === undefined) continue
    due.set(keyOfTxid(txid), transaction)
    if (due.size >= SENT_AGAIN_MAX) break
    looked.push(...(ports.bitcoin.missing(transaction.spends) ?? []))
  }
  // In the order they were made: none spends what a later one makes.
  for (const { bytes } of [...due.values()].sort((a, b) => a.number - b.number))
    if (bytes !== undefined) ports.bitcoin.send(bytes)
}

function sentOf(log: Context['log'], txid: Txid): Sent | undefined {
  const found = sentEvent(log, txid)
  if (found === undefined) return undefined
  const { number, event } = found
  const { payload } = event
  if (payload.type === 'sentTransaction') {
    const spends = payload.utxos.map(({ outpoint }) => outpoint)
    return { number, spends, bytes: payload.signedTransaction }
  }
  return payload.type === 'replacedTransaction'
    ? replacementOf(log, { number, txid: payload.newTxid })
    : undefined
}

/** The event of a replacement has no bytes: they are made of the signatures that stand before it. */
function replacementOf(
  log: Context['log'],
  { number, txid }: { readonly number: number; readonly txid: Txid },
): Sent | undefined {
  const signed = new Map<number, SignedInput>()
  for (let index = number - 1; index >= 0; index--) {
    const payload = eventAt(log, index)?.payload
    if (payload?.type === 'xInputSigned' && equalBytes(payload.txid, txid))
      signed.set(payload.input, payload)
    if (payload?.type !== 'xSigningStarted' || payload.replaces === undefined) continue
    const transaction = decodeTransaction(payload.unsignedTransaction)
    if (!equalBytes(txidOf(transaction), txid)) continue
    const spends = transaction.inputs.map(({ outpoint }) => outpoint)
    return { number, spends, bytes: encodeTransaction(withWitnesses({ transaction, signed })) }
  }
  return undefined // A log of the deployed minter.
}
