/** `ckbtc fees`: everything that costs, and the limits, read now. Implements cli §5.8. */
import { parseAmount } from '../core/base/amounts.ts'
import { UsageInvalid } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Warning } from '../terminal/json.ts'
import { printPairs } from '../terminal/table.ts'
import type { Fees } from '../wallet/fees.ts'
import { readFees } from '../wallet/fees.ts'
import { smallText, tokenDocument, tokenOption } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { coins, sats } from './money-words.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'

export async function fees(
  { args: [typed] }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  // What can be said before anybody is asked is said then.
  if (typed !== undefined && context.globals.token === undefined) parseAmount(typed)
  const session = await open(context)
  if (session.token.isFurther) return tokenFees(typed, session, context)
  const amount = typed === undefined ? undefined : parseAmount(typed)
  const found = await readFees(session.client, amount)
  const readAt = new Date().toISOString()
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'fees',
    network: session.network.name,
    data: { ...documentOf(found), readAt },
    warnings: [...session.warnings, ...rateWarnings(found)],
    essential: sats(found.ledgerFeeSat),
    print: () =>
      terminal.settings.plain
        ? printPairs(terminal, plainPairs(found))
        : printPeople(found, session, context),
  })
}

/** Of a further token nothing but its ledger takes fees. */
async function tokenFees(
  typed: string | undefined,
  { client, network, token, warnings }: Session,
  { terminal }: Context,
): Promise<void> {
  if (typed !== undefined)
    throw new UsageInvalid('an amount is one to redeem, and only ckBTC is redeemed', {
      fix: 'leave it out',
      command: `ckbtc fees${tokenOption(token)}`,
    })
  const fee = await client.ledger.fee()
  const text = smallText(fee, token)
  printAnswer(terminal, {
    schema: 'fees',
    network: network.name,
    data: { ...tokenDocument(token, { ledgerFeeSat: fee }), readAt: new Date().toISOString() },
    warnings,
    essential: text,
    print: () =>
      printPairs(terminal, [[terminal.settings.plain ? 'ledger_fee' : 'Ledger transfer', text]]),
  })
}

const documentOf = ({ noEstimate: _, ...found }: Fees) => found

/** Below what nodes relay; the median of a day is not known here. */
const RATE_MIN = 1

function rateWarnings({ feeRateSatPerVb: rate }: Fees): readonly Warning[] {
  if (rate === undefined || rate >= RATE_MIN) return []
  const message = `the minter’s fee rate of ${rate} sat/vB is below what Bitcoin nodes relay`
  return [{ code: 'FEE_RATE_LOW', message }]
}

const plainPairs = (found: Fees): readonly (readonly [string, string])[] => [
  ['ledger_fee', sats(found.ledgerFeeSat)],
  ['check_fee', sats(found.checkFeeSat)],
  ['deposit_minimum', sats(found.depositMinimumSat)],
  ['redeem_minimum', sats(found.redeemMinimumSat)],
  ['minter_fee', found.minterFeeSat === undefined ? '-' : sats(found.minterFeeSat)],
  ['bitcoin_fee', found.bitcoinFeeSat === undefined ? '-' : sats(found.bitcoinFeeSat)],
  ['confirmations', String(found.confirmations)],
]

function printPeople(found: Fees, { symbols }: Session, { terminal: { answer } }: Context): void {
  const { minterFeeSat, bitcoinFeeSat, feeRateSatPerVb, amountSat, noEstimate } = found
  const check = sats(found.checkFeeSat).padEnd(16)
  answer(`Ledger transfer      ${sats(found.ledgerFeeSat)}`)
  answer(`Deposit check        ${check} minimum deposit   ${sats(found.depositMinimumSat)}`)
  if (minterFeeSat === undefined || bitcoinFeeSat === undefined) {
    answer(`Redeem               no estimate now: ${noEstimate ?? 'the minter does not say'}`)
  } else {
    const rate = `(${feeRateSatPerVb} sat/vB)`
    answer(
      `Redeem               minter ${sats(minterFeeSat)} + Bitcoin about ${sats(bitcoinFeeSat)} ${rate}`,
    )
  }
  answer(
    `                     minimum redeem   ${sats(found.redeemMinimumSat)}, moves with Bitcoin fees`,
  )
  if (minterFeeSat === undefined || bitcoinFeeSat === undefined) return
  const cost = minterFeeSat + bitcoinFeeSat
  if (cost >= amountSat) return
  const hundredths = (cost * 20_000n + amountSat) / (2n * amountSat) // Rounded to the nearest.
  const share = `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`
  const arrives = coins(amountSat - cost, symbols.bitcoin)
  answer(
    `Redeeming ${coins(amountSat, symbols.token)} now would deliver about ${arrives} (fees ${share} %)`,
  )
}
