/** Answers that change nothing. Source: minter §2.1, §10.4, §20.1. */
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import { EVENTS_PER_QUERY_MAX } from '../constants.ts'
import type { Context } from '../context.ts'
import { reply, rootOf, trap } from '../context.ts'
import type { EventLog } from '../events/event-log.ts'
import { encodedEvents, publishedEvents } from '../events/event-log.ts'
import type { Event } from '../events/events.ts'
import { coinsToSpend } from '../losses/lost-coins.ts'
import { planTransaction } from '../transactions/build-transaction.ts'
import type { Answer, BitcoinAddress, MinterInfo, Utxo, WithdrawalFee } from '../types.ts'

/** Stands for any recipient of the commonest kind. */
const SOME_RECIPIENT: BitcoinAddress = { type: 'p2wpkhV0', bytes: new Uint8Array(20) }

/** Known and unspent, or spent by a transaction that is not final yet. */
export const knownUtxos = ({ state }: Context, account: Account): readonly Utxo[] => [
  ...(state.accountUtxos.get(accountKey(account))?.values() ?? []),
]

/** The smallest deposit that can be credited at all. */
function effectiveDepositMin({ state }: Context): bigint {
  const { depositMinAmount = 0n, checkFee } = state.config
  return depositMinAmount > checkFee ? depositMinAmount : checkFee + 1n
}

export const minterInfo = (context: Context): MinterInfo => ({
  minConfirmations: context.state.config.minConfirmations,
  retrieveMinAmount: context.volatile.fees.withdrawalMin,
  checkFee: context.state.config.checkFee,
  depositMinAmount: effectiveDepositMin(context),
})

/** Of the events in the log; who asks goes on behind them. A reply has room for as much. */
const PAGE_BYTES_MAX = 1_500_000

type Page = { readonly start: bigint; readonly length: bigint }

/** Events that the deployed minter knows, counted without ours. */
export function eventsPage(log: View<EventLog>, page: Page): readonly Event[] {
  const { start, end } = bounds(page, log.published)
  return publishedEvents(log, { start, length: end - start, bytesMax: PAGE_BYTES_MAX })
}

/** All events, ours included, as bytes: the extension endpoint of §18.2. */
export function encodedPage(log: View<EventLog>, page: Page): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  let size = 0
  for (const bytes of encodedEvents(log, bounds(page, log.count))) {
    size += bytes.length
    if (size > PAGE_BYTES_MAX && found.length > 0) break
    found.push(bytes)
  }
  return found
}

/** Positions of a page among `count`: none beyond the end, and no more rows than one query gives. */
function bounds(
  { start, length }: Page,
  count: number,
): { readonly start: number; readonly end: number } {
  const first = start < BigInt(count) ? Number(start) : count
  const rows = Number(length < EVENTS_PER_QUERY_MAX ? length : EVENTS_PER_QUERY_MAX)
  return { start: first, end: Math.min(count, first + rows) }
}

/** What a withdrawal of `amount` would cost now, by the last median. */
export function estimateWithdrawalFee(
  context: Context,
  amount = context.volatile.fees.withdrawalMin,
): Answer<WithdrawalFee> {
  const { state, volatile, settings } = context
  if (volatile.root === undefined || !volatile.fees.known) return trap('no fee estimate yet')
  const outcome = planTransaction({
    available: coinsToSpend(context),
    recipients: [{ address: SOME_RECIPIENT, amount }],
    mainScript: rootOf(context).mainScript,
    rate: volatile.fees.median,
    inputsMax: state.config.inputsMax,
    countThreshold: settings.utxosCountThreshold,
    dialect: settings.dialect,
  })
  switch (outcome.type) {
    case 'built':
      return reply(outcome.withdrawalFee)
    case 'notEnoughFunds':
      return trap(`the coins that can be spent now do not cover ${amount}`)
    case 'tooManyInputs':
      return trap(`${amount} would need ${outcome.inputs} inputs, at most ${outcome.inputsMax}`)
    case 'amountTooLow':
    case 'dustOutput':
      return trap(`${amount} is too low to pay the fees`)
  }
}
