/**
 * Transactions of ours that were final when a reorganisation took their blocks: no list that is
 * announced from has them any more, so they are sent again. Source: minter [H 15]; bitcoin §10.2.
 */
import type { Txid } from '../base/bytes.ts'
import type { OutPoint } from '../btc/transaction.ts'
import type { Context } from './context.ts'
import { sentEvent } from './event-log.ts'
import type { Payload } from './events.ts'
import type { TxidKey } from './state.ts'
import { keyOfTxid } from './state.ts'

/** `number`: of the event in the log. */
type Sent = Payload<'sentTransaction'> & { readonly number: number }

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
    const outpoints = transaction.utxos.map(({ outpoint }) => outpoint)
    looked.push(...(ports.bitcoin.missing(outpoints) ?? []))
  }
  // In the order they were made: none spends what a later one makes.
  for (const { signedTransaction } of [...due.values()].sort((a, b) => a.number - b.number))
    if (signedTransaction !== undefined) ports.bitcoin.send(signedTransaction)
}

function sentOf(log: Context['log'], txid: Txid): Sent | undefined {
  const found = sentEvent(log, txid)
  return found?.event.payload.type === 'sentTransaction'
    ? { ...found.event.payload, number: found.number }
    : undefined
}
