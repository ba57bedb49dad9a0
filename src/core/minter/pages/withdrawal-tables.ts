/** Tables of the dashboard that tell of withdrawals. Source: minter §20.3. */
import { fromHex } from '../../base/bytes.ts'
import type { View } from '../../base/view.ts'
import type { Context } from '../context.ts'
import { chainOf } from '../state/replacement-chain.ts'
import type { SubmittedTransaction } from '../state/state.ts'
import { slice } from '../views/pages.ts'
import { waitOf } from '../views/waits.ts'
import type { Html } from './html.ts'
import { html } from './html.ts'
import type { Cell, Table } from './table.ts'
import {
  accountCell,
  addressCell,
  amountText,
  lines,
  outpointCell,
  timeText,
  txidCell,
} from './texts.ts'

export const withdrawalTables = (context: Context): readonly Table[] => [
  pending(context),
  inFlight(context),
  submitted(context),
  chains(context),
  finalized(context),
  reimbursements(context),
  reimbursed(context),
  journal(context),
]

function pending(context: Context): Table {
  const { state } = context
  return {
    name: 'pending',
    title: 'Pending requests',
    head: ['burn', 'amount', 'to', 'received', 'waits for'],
    total: state.queue.length,
    rows: (from, to) =>
      state.queue
        .slice(from, to)
        .map(({ blockIndex, amount, address, receivedAt }) => [
          blockIndex,
          amountText(amount),
          addressCell(address, state.config.network),
          timeText(receivedAt),
          waitText(context, blockIndex),
        ]),
  }
}

function waitText(context: Context, burn: bigint): string {
  const wait = waitOf(context, burn)
  switch (wait?.type) {
    case 'queue':
      return `a batch, until ${timeText(wait.until)}`
    case 'funds':
      return 'coins'
    case 'fees':
      return `lower fees, until ${timeText(wait.until)}`
    case 'lostCoins':
      return 'lost coins'
    case 'key':
      return 'the key'
    case 'view':
      return 'the view of Bitcoin'
    case 'stopped':
      return 'a person: the minter has stopped'
    default:
      return ''
  }
}

function inFlight({ state }: Context): Table {
  return {
    name: 'in_flight',
    title: 'In flight: being signed',
    head: ['transaction', 'for', 'signed', 'failed', 'inputs'],
    total: state.signing.size,
    rows: (from, to) =>
      slice(state.signing.values(), from, to).map(
        ({ txid, purpose, signed, utxos, failures }): readonly Cell[] => [
          txidCell(txid),
          purpose.type === 'toReplace'
            ? html`replaces ${txidCell(purpose.oldTxid)}`
            : purposeCell(purpose),
          `${signed.size} of ${utxos.length}`,
          [...failures.values()].reduce((sum, count) => sum + count, 0),
          lines(utxos, outpointCell),
        ],
      ),
  }
}

function purposeCell(purpose: View<SubmittedTransaction>['purpose']): Html {
  if (purpose.type === 'toConsolidate')
    return html`consolidation, burn ${purpose.request.blockIndex}`
  const burns = lines(purpose.requests, ({ blockIndex }) => html`burn ${blockIndex}`)
  return html`${purpose.type === 'toCancel' ? html`cancels<br>` : ''}${burns}`
}

function submitted(context: Context): Table {
  const { state, ports } = context
  return {
    name: 'submitted',
    title: 'Submitted transactions',
    head: ['transaction', 'for', 'sent', 'rate, msat/vB', 'change', 'confirmations', 'inputs'],
    total: state.submitted.size,
    rows: (from, to) =>
      slice(state.submitted, from, to).map(([key, transaction]): readonly Cell[] => {
        const { txid, purpose, submittedAt, feeRate, changeOutput, utxos } = transaction
        return [
          txidCell(txid),
          purposeCell(purpose),
          sentText(context, key, submittedAt),
          feeRate ?? '?',
          changeOutput === undefined ? '–' : amountText(changeOutput.value),
          `${ports.bitcoin.confirmations(txid)} of ${state.config.minConfirmations}`,
          lines(utxos, outpointCell),
        ]
      }),
  }
}

function sentText({ volatile }: Context, key: string, submittedAt: bigint): string {
  if (volatile.unsent.has(key)) return 'not taken yet'
  const delay = volatile.delayed.get(key)
  const time = timeText(submittedAt)
  return delay === undefined ? time : `${time}, not replaced: ${delay.reason}`
}

function chains({ state }: Context): Table {
  const newest = [...state.submitted.keys()].filter((key) => state.replaces.has(key))
  return {
    name: 'chains',
    title: 'Replacement chains, oldest first',
    head: ['transactions', 'length'],
    total: newest.length,
    rows: (from, to) =>
      newest.slice(from, to).map((key) => {
        const chain = chainOf(state, key)
        return [lines(chain, (each) => txidCell(fromHex(each))), chain.length]
      }),
  }
}

function finalized({ state }: Context): Table {
  const { size } = state.finalized
  return {
    name: 'finalized',
    title: 'Finalised requests, newest first',
    head: ['burn', 'amount', 'to', 'transaction'],
    total: size,
    rows: (from, to) =>
      slice(state.finalized.values(), size - to, size - from)
        .toReversed()
        .map(({ request, txid }) => [
          request.blockIndex,
          amountText(request.amount),
          addressCell(request.address, state.config.network),
          txid === undefined ? 'amount too low' : txidCell(txid),
        ]),
  }
}

function reimbursements({ state }: Context): Table {
  const tasks = [...state.reimbursements, ...state.depositReimbursements]
  return {
    name: 'reimbursements',
    title: 'To be given back',
    head: ['burn', 'amount', 'to'],
    total: tasks.length,
    rows: (from, to) =>
      tasks
        .slice(from, to)
        .map(([burn, { amount, account }]) => [burn, amountText(amount), accountCell(account)]),
  }
}

function reimbursed({ state }: Context): Table {
  const { size } = state.reimbursed
  return {
    name: 'reimbursed',
    title: 'Given back, newest first',
    head: ['burn', 'amount', 'to', 'mint'],
    total: size,
    rows: (from, to) =>
      slice(state.reimbursed, size - to, size - from)
        .toReversed()
        .map(([burn, { amount, account, mintBlockIndex }]) => [
          burn,
          amountText(amount),
          accountCell(account),
          mintBlockIndex ?? 'not known',
        ]),
  }
}

function journal({ state }: Context): Table {
  return {
    name: 'journal',
    title: 'Ledger calls whose outcome is not known',
    head: ['made', 'for', 'amount'],
    total: state.calls.size,
    rows: (from, to) =>
      slice(state.calls.values(), from, to).map(({ createdAtTime, purpose, amount }) => [
        timeText(createdAtTime),
        purpose.type,
        amountText(amount),
      ]),
  }
}
