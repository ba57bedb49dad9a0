/**
 * Transactions of ours that were final when a reorganisation took their blocks: no list that is
 * announced from has them any more, so they are sent again. Source: minter [H 15]; bitcoin §10.2.
 */
import type { OutPoint } from '../btc/transaction.ts'
import type { Context } from './context.ts'
import type { Payload } from './events.ts'
import type { TxidKey } from './state.ts'
import { keyOfTxid } from './state.ts'

type Sent = Payload<'sentTransaction'>

/** As many as the list takes (bitcoin RB-4). */
const SENT_AGAIN_MAX = 1_000

/**
 * Sends what made these outputs, and what made its inputs, as far as the chain lacks them. What is
 * listed already is not listed again.
 */
export function sendAgain({ log, ports }: Context, lost: readonly OutPoint[]): void {
  if (lost.length === 0) return
  const sent = new Map<TxidKey, Sent>()
  for (const { payload } of log.events)
    if (payload.type === 'sentTransaction') sent.set(keyOfTxid(payload.txid), payload)
  const due = new Set<Sent>()
  const looked = [...lost]
  for (const { txid } of looked) {
    const transaction = sent.get(keyOfTxid(txid))
    if (transaction === undefined || due.has(transaction)) continue
    due.add(transaction)
    if (due.size >= SENT_AGAIN_MAX) break
    const outpoints = transaction.utxos.map(({ outpoint }) => outpoint)
    looked.push(...(ports.bitcoin.missing(outpoints) ?? []))
  }
  // In the order they were made: none spends what a later one makes.
  for (const transaction of sent.values())
    if (due.has(transaction) && transaction.signedTransaction !== undefined)
      ports.bitcoin.send(transaction.signedTransaction)
}
