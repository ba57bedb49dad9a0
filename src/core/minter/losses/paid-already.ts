/**
 * Payments of a withdrawal that were given up at a write-off and confirmed after all: nobody is paid
 * once more then. Source: minter §18.8 [H 2].
 */
import type { Txid } from '../../base/bytes.ts'
import type { OutPoint } from '../../btc/transaction.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Context } from '../context.ts'
import { eventAt } from '../events/event-log.ts'
import type { BurnIndex } from '../state/state.ts'

type Payment = { readonly txid: Txid; readonly change: OutPoint | undefined }

/** The transaction that is on the chain and pays one of these, among all that ever paid one. */
export function paidAlready(context: Context, burns: Iterable<BurnIndex>): Txid | undefined {
  const { ports, state } = context
  for (const burn of burns)
    for (const { txid, change } of paymentsOf(context, burn)) {
      if (ports.bitcoin.confirmations(txid) > 0) return txid
      if (change === undefined) continue
      const isAdopted = state.mintedOutpoints.has(outpointKey(change))
      if (isAdopted || ports.bitcoin.missing([change])?.length === 0) return txid
    }
  return undefined
}

/**
 * Whether a payment of it stands in the place of one that a write-off gave up, and that may confirm
 * all the same.
 */
export function isPaidInPlace({ log }: Pick<Context, 'log'>, burn: BurnIndex): boolean {
  const begun = (log.history.burns.get(burn) ?? []).filter(
    (position) => eventAt(log, position)?.payload.type === 'xSigningStarted',
  )
  return begun.length > 1
}

function* paymentsOf({ log }: Context, burn: BurnIndex): Iterable<Payment> {
  for (const position of log.history.burns.get(burn) ?? []) {
    const payload = eventAt(log, position)?.payload
    if (payload?.type !== 'sentTransaction' && payload?.type !== 'replacedTransaction') continue
    const txid = payload.type === 'sentTransaction' ? payload.txid : payload.newTxid
    const { changeOutput } = payload
    yield { txid, change: changeOutput && { txid, vout: changeOutput.vout } }
  }
}
