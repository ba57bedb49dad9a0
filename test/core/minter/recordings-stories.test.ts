/**
 * Goal: with the formulas of 2024 our minter makes the transactions of 2024, to the txid.
 *
 * Method: the days of a deployed minter written down by hand, then played as a recording.
 */
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { tokens } from '../../../src/core/base/units.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'
import { compareEvents } from '../../support/recordings/ending.ts'
import type { Fields, Step } from '../../support/recordings/format.ts'
import * as story from '../../support/recordings/story.ts'
import {
  BOB,
  CAROL,
  deposit,
  eventsOfFirst,
  first,
  firstTxid,
  PROVIDER,
  playing,
  replacement,
  second,
  sentAndConfirmed,
  status,
  unexplained,
  withdraw,
} from '../../support/recordings/withdrawal-story.ts'

describe('a recorded withdrawal', () => {
  it('is played to the txid, and to its end', () => {
    expect(unexplained(sentAndConfirmed)).toEqual([])
  })

  it('goes out in the order of arrival, and waits its time after a quiet one too', () => {
    const steps = [
      ...sentAndConfirmed,
      withdraw(CAROL, 200_000n, 3),
      withdraw(BOB, 100_000n, 4),
      story.wait(7_700),
      status(3, { type: 'pending' }),
      story.wait(7_900, [second.sent]),
      status(4, { type: 'submitted', txid: fromHex(second.txid) }),
    ]
    expect(unexplained(steps)).toEqual([])
  })

  it.each([
    ['the first', 0],
    ['the replacement', 1],
  ])('that is stuck is replaced a day later, and %s may confirm', (_, at) => {
    const confirmed = [first, replacement][at] ?? first
    const steps: readonly Step[] = [
      ...deposit,
      withdraw(BOB, 100_000n, 2),
      story.wait(700, [first.sent]),
      story.wait(86_900),
      status(2, { type: 'submitted', txid: firstTxid }),
      story.wait(87_100, [replacement.sent]),
      status(2, { type: 'submitted', txid: fromHex(replacement.txid) }),
      { op: 'world', what: 'mine', txid: confirmed.txid },
      { op: 'world', what: 'tip', tip: 850_006 },
      story.wait(94_000),
      status(2, { type: 'confirmed', txid: fromHex(confirmed.txid) }),
    ]
    expect(unexplained(steps)).toEqual([])
  })

  it('that cannot be sent is pending there, and submitted here, for a reason', () => {
    const steps: readonly Step[] = [
      ...deposit,
      withdraw(BOB, 100_000n, 2),
      { op: 'world', what: 'bitcoin_send_transaction', answer: 'reject, code 4' },
      story.wait(700, [story.failed(first.sent), story.failed(first.sent)]),
      status(2, { type: 'pending' }),
      { op: 'world', what: 'bitcoin_send_transaction', answer: 'normal' },
      story.wait(720, [first.sent]),
      status(2, { type: 'submitted', txid: firstTxid }),
    ]
    expect(unexplained(steps)).toEqual([])
    const different = playing(story.recordingOf(steps)).verdicts.filter(
      ({ kind }) => kind === 'different',
    )
    expect(new Set(different.map(({ reason }) => reason))).toContain(
      'what could not be sent stays submitted today [H 2]',
    )
  })

  it('has the recorded events, each in its place', () => {
    const events = [...eventsOfFirst]
    const compared = (list: readonly Fields[]) => {
      const recording = { ...story.recordingOf(sentAndConfirmed), events: list }
      return compareEvents(playing(recording).player, recording).map(({ kind }) => kind)
    }
    expect(compared(events)).toEqual(events.map(() => 'equal'))
    expect(compared(events.slice(1)).at(-1)).toBe('unexplained')
    expect(compared(events.slice(0, -1)).at(-1)).toBe('unexplained')
    expect(compared(events.toReversed()).at(-1)).toBe('unexplained')
  })
})

const KYT_FEE_TEXT = 'Destination address is tainted, KYT check fee deducted: 0.00002'
const TAINTED = {
  Ok: { alerts: [{ level: 'Severe' }], external_id: 'check-2', provider: PROVIDER },
}

describe('what a median does', () => {
  const info = (retrieveMinAmount: bigint): Step =>
    story.call(
      'minter',
      'get_minter_info',
      undefined,
      { minConfirmations: 6, retrieveMinAmount, checkFee: 2_000n },
      { op: 'q' },
    )
  const allAt = (rate: number): Step => ({
    op: 'world',
    what: 'fee_percentiles',
    list: new Array<number>(100).fill(rate),
  })

  it('raises the minimum with the next refresh, not before, and however far it jumps', () => {
    const steps = [
      ...deposit,
      info(100_000n),
      allAt(116_000),
      { ...story.wait(3_599), calls: [] },
      info(100_000n),
      story.wait(3_601),
      info(150_000n),
      allAt(0),
      story.wait(7_201),
      info(100_000n),
    ]
    expect(unexplained(steps)).toEqual([])
  })

  it('makes an estimate, with the fee for the check in it', () => {
    const estimate = (bitcoinFee: bigint, minterFee: bigint): Step =>
      story.call(
        'minter',
        'estimate_withdrawal_fee',
        { amount: 100_000n },
        { bitcoinFee, minterFee },
      )
    expect(unexplained([...deposit, estimate(846n, 2_312n)])).toEqual([])
    expect(unexplained([...deposit, estimate(847n, 2_312n)])).toHaveLength(1)
  })
})

describe('what that release did after the burn', () => {
  const taintedError = { type: 'genericError', code: 1n, message: KYT_FEE_TEXT } as const
  const burn = withdraw(BOB, 100_000n, 2)
  const returned = {
    to: 'ledger',
    m: 'icrc1_transfer',
    in: { to: { owner: story.ALICE }, memo: '8202831907d00102', amount: '98000' },
    out: { Ok: '3' },
  }
  const balance = (amount: bigint): Step =>
    story.call(
      'ledger',
      'icrc1_balance_of',
      { owner: principalOfText(story.ALICE) },
      tokens(amount),
    )

  it('keeps the ledgers in step: a tainted destination is burned for, then returned', () => {
    const steps: readonly Step[] = [
      ...deposit,
      story.call(
        'minter',
        'retrieve_btc_with_approval',
        { address: BOB, amount: 100_000n },
        { type: 'err', error: taintedError },
        {
          calls: (burn.calls ?? []).map((each) =>
            each.m === 'fetch_withdrawal_alerts' ? { ...each, out: TAINTED } : each,
          ),
        },
      ),
      balance(897_990n),
      story.wait(10, [returned]),
      balance(995_990n),
      withdraw(BOB, 100_000n, 4),
    ]
    expect(unexplained(steps)).toEqual([])
  })
})

describe('calls that arrive at once', () => {
  const address = { address: BOB, amount: 50_000n }
  const [asked, denied] = [
    story.call(
      'minter',
      'retrieve_btc',
      { ...address, amount: 100_000n },
      {
        type: 'err',
        error: { type: 'insufficientFunds', balance: 0n },
      },
    ),
    story.call(
      'minter',
      'retrieve_btc',
      { ...address, amount: 100_000n },
      {
        type: 'err',
        error: { type: 'alreadyProcessing' },
      },
    ),
  ]
  const low = story.call('minter', 'retrieve_btc', address, {
    type: 'err',
    error: { type: 'amountTooLow', min: 100_000n },
  })

  it('find inside who has come to a call of its own, and nobody who was refused before', () => {
    const together = (...parts: readonly Step[]): Step => ({ op: 'together', parts })
    expect(unexplained([...deposit, together(low, asked, denied, low)])).not.toEqual([])
    expect(unexplained([...deposit, together(low, low, asked, denied, denied)])).toEqual([])
    expect(unexplained([...deposit, together(asked, asked)])).toHaveLength(1)
  })
})
