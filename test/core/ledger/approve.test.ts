/** Approvals and transfers by allowance: checklist 49 to 75 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import {
  alice,
  allowanceChanged,
  badFee,
  bob,
  carol,
  collector,
  err,
  FEE,
  insufficientAllowance,
  insufficientFunds,
  LedgerUnderTest,
  MAX,
  of,
  ok,
  START,
  spender,
  sub,
  trap,
  ZEROS,
} from './ledger-under-test.ts'

const FUNDS = 1_000_000n
const at = (time: bigint): TimestampNs => timestampNs(time)
const expired = (ledgerTime: TimestampNs) => err({ type: 'expired', ledgerTime })

function funded(amount = FUNDS): LedgerUnderTest {
  const ledger = new LedgerUnderTest()
  ledger.fund(alice, amount)
  return ledger
}

/** Alice has approved 150 000 to the spender. */
function approved(): LedgerUnderTest {
  const ledger = funded()
  expect(ledger.approve(alice, spender, 150_000n)).toEqual(ok(1))
  return ledger
}

const left = (ledger: LedgerUnderTest): bigint => ledger.allowance(alice, spender).allowance

describe('approving', () => {
  test('ledger §20.49: costs the fee, and is for the account named', () => {
    const ledger = approved()
    expect(ledger.allowance(alice, spender)).toEqual({ allowance: 150_000n })
    expect(ledger.allowance(alice, of(spender, ZEROS))).toEqual({ allowance: 150_000n })
    expect(ledger.allowance(alice, of(spender, sub(1)))).toEqual({ allowance: 0n })
    expect(ledger.balance(alice)).toBe(FUNDS - FEE)
    expect(ledger.supply()).toBe(FUNDS - FEE)
  })

  test('ledger §20.50: replaces what was approved before', () => {
    const ledger = approved()
    expect(ledger.approve(alice, spender, 40_000n)).toEqual(ok(2))
    expect(left(ledger)).toBe(40_000n)
  })

  test('ledger §20.51: for a subaccount leaves the default account alone', () => {
    const ledger = funded()
    ledger.fund(of(alice, sub(1)), FEE)
    expect(ledger.approve(alice, spender, 7n, { fromSubaccount: sub(1) })).toEqual(ok(2))
    expect(left(ledger)).toBe(0n)
    expect(ledger.allowance(of(alice, sub(1)), spender)).toEqual({ allowance: 7n })
    expect(ledger.balance(alice)).toBe(FUNDS)
  })

  test('ledger §20.52: oneself is impossible, whatever the subaccounts', () => {
    const ledger = funded()
    const refusal = trap('self approval is not allowed')
    expect(ledger.approve(alice, alice, 1n)).toEqual(refusal)
    expect(ledger.approve(alice, of(alice, sub(1)), 1n)).toEqual(refusal)
    expect(ledger.approve(alice, alice, 1n, { fromSubaccount: sub(1) })).toEqual(refusal)
    expect(ledger.balance(alice)).toBe(FUNDS)
  })

  test('ledger §20.53: without the fee says so, before expiry and expectation', () => {
    const ledger = funded(FEE - 1n)
    const refusal = insufficientFunds(FEE - 1n)
    expect(ledger.approve(alice, spender, 1n)).toEqual(refusal)
    expect(ledger.approve(alice, spender, 1n, { expiresAt: at(1n) })).toEqual(refusal)
    expect(ledger.approve(alice, spender, 1n, { expectedAllowance: 3n })).toEqual(refusal)
  })

  test('an empty account cannot approve even where there is no fee', () => {
    const ledger = new LedgerUnderTest({ transferFee: 0n })
    expect(ledger.approve(alice, spender, 5n)).toEqual(insufficientFunds(0n))
  })

  test('ledger §20.54: needs no more than the fee', () => {
    const ledger = funded(FEE)
    expect(ledger.approve(alice, spender, 1_000_000_000n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(0n)
    expect(left(ledger)).toBe(1_000_000_000n)
  })

  test('ledger §20.63: more than there can be approves everything', () => {
    const ledger = funded()
    expect(ledger.approve(alice, spender, 2n * MAX)).toEqual(ok(1))
    expect(left(ledger)).toBe(MAX)
    expect(ledger.lastBlock().transaction.amount).toBe(MAX)
  })

  test('ledger §20.64: burns the fee even where a collector is set', () => {
    const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
    ledger.fund(alice, FUNDS)
    expect(ledger.approve(alice, spender, 1n)).toEqual(ok(1))
    expect(ledger.balance(collector)).toBe(0n)
    expect(ledger.supply()).toBe(FUNDS - FEE)
    expect(ledger.lastBlock().feeCollectorBlock).toBe(0n)
  })

  test('keeps fee, expectation and expiry only where they were given', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n)
    expect(ledger.lastBlock().fee).toBe(FEE)
    const given = { fee: FEE, expectedAllowance: 5n, expiresAt: at(MAX) }
    expect(ledger.approve(alice, spender, 6n, given)).toEqual(ok(2))
    expect(ledger.lastBlock()).toMatchObject({ fee: undefined, transaction: given })
  })

  test('with a wrong fee is refused', () => {
    const ledger = funded()
    for (const fee of [0n, FEE + 1n, MAX + 1n])
      expect(ledger.approve(alice, spender, 1n, { fee })).toEqual(badFee(FEE))
  })
})

describe('expiry', () => {
  test('ledger §20.55: in the past or now is refused without a fee; a nanosecond ahead is accepted', () => {
    const ledger = funded()
    for (const expiresAt of [at(0n), at(START - 1n), START])
      expect(ledger.approve(alice, spender, 5n, { expiresAt })).toEqual(expired(START))
    expect(ledger.balance(alice)).toBe(FUNDS)
    expect(ledger.approve(alice, spender, 5n, { expiresAt: at(START + 1n) })).toEqual(ok(1))
  })

  test('ledger §20.56: an allowance is whole until the nanosecond before, and nothing from then on', () => {
    const ledger = funded()
    const expiresAt = at(START + 10n)
    ledger.approve(alice, spender, 5n, { expiresAt })
    ledger.pass(9n)
    expect(ledger.allowance(alice, spender)).toEqual({ allowance: 5n, expiresAt })
    ledger.pass(1n)
    expect(ledger.allowance(alice, spender)).toEqual({ allowance: 0n })
  })

  test('ledger §20.57: the last approval decides, earlier, later or without end', () => {
    const ledger = funded()
    for (const time of [START + 100n, START + 50n, START + 200n]) {
      ledger.approve(alice, spender, 5n, { expiresAt: at(time) })
      expect(ledger.allowance(alice, spender)).toEqual({ allowance: 5n, expiresAt: time })
    }
    ledger.approve(alice, spender, 5n)
    expect(ledger.allowance(alice, spender)).toEqual({ allowance: 5n })
    expect(ledger.state.allowances.expiry).toEqual([])
  })

  test('ledger §20.58: the last timestamp is returned as given', () => {
    const ledger = funded()
    for (const time of [MAX, MAX - 1n]) {
      expect(ledger.approve(alice, spender, 5n, { expiresAt: at(time) }).type).toBe('ok')
      expect(ledger.allowance(alice, spender)).toEqual({ allowance: 5n, expiresAt: time })
    }
  })

  test('ledger §20.65: one call removes at most 100 expired allowances, earliest first', () => {
    const ledger = funded(100_000_000n)
    const someone = (n: number): Principal => principal(Uint8Array.of(n >> 8, n & 255, 7))
    for (let n = 0; n < 300; n++)
      ledger.quietly(alice, {
        type: 'icrc2_approve',
        arg: { spender: of(someone(n)), amount: 5n, expiresAt: at(START + 301n - BigInt(n)) },
      })
    ledger.pass(301n)
    expect(ledger.state.allowances.entries.size).toBe(300)
    const readable = () =>
      Array.from({ length: 300 }, (_, n) => ledger.allowance(alice, someone(n)).allowance)
    expect(readable()).toEqual(Array(300).fill(0n))
    expect(ledger.transfer(alice, bob, 1n).type).toBe('ok')
    expect(ledger.state.allowances.entries.size).toBe(200)
    expect(ledger.hasAllowanceEntry(alice, someone(199))).toBe(true)
    expect(ledger.hasAllowanceEntry(alice, someone(200))).toBe(false)
    expect(readable()).toEqual(Array(300).fill(0n))
  })

  test('a call that errs later still removes what expired', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n, { expiresAt: at(START + 1n) })
    ledger.pass(1n)
    expect(ledger.transfer(bob, alice, 1n)).toEqual(insufficientFunds(0n))
    expect(ledger.hasAllowanceEntry(alice, spender)).toBe(false)
  })

  test('ledger §20.66: a later expiry outlives the earlier one it replaced', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n, { expiresAt: at(START + 10n) })
    ledger.approve(alice, spender, 5n, { expiresAt: at(START + 99n) })
    ledger.pass(50n)
    ledger.transfer(alice, bob, 1n)
    expect(left(ledger)).toBe(5n)
  })

  test('ledger §20.75: an allowance that expired gives nothing', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 500_000n, { expiresAt: at(START + 10n) })
    ledger.pass(10n)
    expect(ledger.transferFrom(spender, [alice, bob], 5n)).toEqual(insufficientAllowance(0n))
  })
})

describe('the expected allowance', () => {
  test('ledger §20.59: must be the current one, else nothing happens', () => {
    const ledger = approved()
    const balance = ledger.balance(alice)
    expect(ledger.approve(alice, spender, 1n, { expectedAllowance: 149_999n })).toEqual(
      allowanceChanged(150_000n),
    )
    expect(ledger.balance(alice)).toBe(balance)
    expect(ledger.approve(alice, spender, 1n, { expectedAllowance: 150_000n })).toEqual(ok(2))
  })

  test('ledger §20.60: beyond the width differs from every allowance, before the fee is judged', () => {
    const ledger = approved()
    for (const expectedAllowance of [MAX + 1n, 2n ** 128n - 1n])
      expect(ledger.approve(alice, spender, 1n, { expectedAllowance, fee: 3n })).toEqual(
        allowanceChanged(150_000n),
      )
  })

  test('ledger §20.61: is zero after expiry', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n, { expiresAt: at(START + 1n) })
    ledger.pass(1n)
    expect(ledger.approve(alice, spender, 9n, { expectedAllowance: 5n })).toEqual(
      allowanceChanged(0n),
    )
    expect(ledger.approve(alice, spender, 9n, { expectedAllowance: 0n })).toEqual(ok(2))
  })

  test('ledger §20.62: approving nothing where nothing is makes a block and stores nothing', () => {
    const ledger = funded()
    expect(ledger.approve(alice, spender, 0n, { expectedAllowance: 4n })).toEqual(
      allowanceChanged(0n),
    )
    expect(ledger.approve(alice, spender, 0n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(FUNDS - FEE)
    expect(ledger.state.allowances.entries.size).toBe(0)
  })

  test('expiry is judged before the expectation', () => {
    const ledger = approved()
    const rest = { expectedAllowance: 7n, expiresAt: START }
    expect(ledger.approve(alice, spender, 1n, rest)).toEqual(expired(START))
  })
})

describe('removing an allowance', () => {
  test('approving nothing removes the entry and its place in the queue', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n, { expiresAt: at(START + 10n) })
    expect(ledger.approve(alice, spender, 0n)).toEqual(ok(2))
    expect(ledger.state.allowances).toMatchObject({ entries: new Map(), expiry: [] })
  })

  test('ledger §20.67: using it up removes the entry and its place in the queue', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 5n + FEE, { expiresAt: at(START + 10n) })
    expect(ledger.transferFrom(spender, [alice, bob], 5n)).toEqual(ok(2))
    expect(ledger.state.allowances).toMatchObject({ entries: new Map(), expiry: [] })
  })
})

describe('transfer-from', () => {
  test('ledger §20.68: the owner pays amount and fee, and both reduce the allowance', () => {
    const ledger = approved()
    expect(ledger.transferFrom(spender, [alice, bob], 30_000n)).toEqual(ok(2))
    expect(ledger.balance(alice)).toBe(FUNDS - FEE - 40_000n)
    expect(ledger.balance(bob)).toBe(30_000n)
    expect(left(ledger)).toBe(110_000n)
    expect(ledger.balance(spender)).toBe(0n)
    expect(ledger.lastBlock().transaction).toMatchObject({ spender: of(spender) })
  })

  test('a use keeps the expiry', () => {
    const ledger = funded()
    const expiresAt = at(START + 10n)
    ledger.approve(alice, spender, 50_000n, { expiresAt })
    ledger.transferFrom(spender, [alice, bob], 5n)
    expect(ledger.allowance(alice, spender)).toEqual({ allowance: 39_995n, expiresAt })
  })

  test('ledger §20.69: the allowance must cover the fee as well', () => {
    const ledger = approved()
    const amount = 150_000n - FEE
    expect(ledger.transferFrom(spender, [alice, bob], amount + 1n)).toEqual(
      insufficientAllowance(150_000n),
    )
    expect(ledger.transferFrom(spender, [alice, bob], amount)).toEqual(ok(2))
  })

  test('ledger §20.70: an allowance without funds is kept', () => {
    const ledger = funded(FEE + 5n)
    ledger.approve(alice, spender, 150_000n)
    expect(ledger.transferFrom(spender, [alice, bob], 100n)).toEqual(insufficientFunds(5n))
    expect(left(ledger)).toBe(150_000n)
  })

  test('ledger §20.71: the allowance is judged before the balance', () => {
    const ledger = funded(FEE + 5n)
    ledger.approve(alice, spender, 50n)
    expect(ledger.transferFrom(spender, [alice, bob], 100n)).toEqual(insufficientAllowance(50n))
  })

  test('ledger §20.72: the owner needs no allowance, another subaccount of the owner does', () => {
    const ledger = funded()
    expect(ledger.transferFrom(alice, [alice, bob], 5n)).toEqual(ok(1))
    expect(ledger.lastBlock().transaction).toMatchObject({ spender: of(alice) })
    expect(
      ledger.transferFrom(alice, [of(alice, ZEROS), bob], 5n, { spenderSubaccount: ZEROS }),
    ).toEqual(ok(2))
    expect(ledger.transferFrom(alice, [alice, bob], 5n, { spenderSubaccount: sub(3) })).toEqual(
      insufficientAllowance(0n),
    )
    expect(ledger.transferFrom(alice, [of(alice, sub(3)), bob], 5n)).toEqual(
      insufficientAllowance(0n),
    )
    expect(ledger.approve(alice, of(alice, sub(3)), 50_000n)).toEqual(trap('self approval'))
  })

  test('ledger §20.73: an amount near the largest is too much for the allowance, no trap', () => {
    const ledger = funded()
    ledger.approve(alice, spender, MAX)
    for (const amount of [MAX, MAX - FEE + 1n])
      expect(ledger.transferFrom(spender, [alice, bob], amount)).toEqual(insufficientAllowance(MAX))
    expect(ledger.transferFrom(spender, [alice, bob], MAX - FEE)).toEqual(
      insufficientFunds(FUNDS - FEE),
    )
    expect(ledger.transferFrom(spender, [alice, bob], MAX + 1n)).toEqual(
      insufficientFunds(FUNDS - FEE),
    )
  })

  test('ledger §20.74: a wrong fee is refused, a memo that is too long traps', () => {
    const ledger = approved()
    const memo = new Uint8Array(33)
    expect(ledger.transferFrom(spender, [alice, bob], 5n, { memo })).toEqual(trap('33 bytes'))
    expect(ledger.transferFrom(spender, [alice, bob], 5n, { memo, fee: 1n })).toEqual(trap('33'))
    expect(ledger.transferFrom(spender, [alice, bob], 5n, { fee: FEE - 1n })).toEqual(badFee(FEE))
    expect(ledger.transferFrom(spender, [alice, bob], 5n, { fee: FEE })).toEqual(ok(2))
  })

  test('an allowance for one subaccount of the spender is none for the others', () => {
    const ledger = funded()
    ledger.approve(alice, of(spender, sub(1)), 150_000n)
    expect(ledger.transferFrom(spender, [alice, carol], 5n)).toEqual(insufficientAllowance(0n))
    expect(ledger.transferFrom(spender, [alice, carol], 5n, { spenderSubaccount: sub(1) })).toEqual(
      ok(2),
    )
  })

  test('a transfer back to the owner costs the fee alone', () => {
    const ledger = approved()
    expect(ledger.transferFrom(spender, [alice, alice], 100n)).toEqual(ok(2))
    expect(ledger.balance(alice)).toBe(FUNDS - 2n * FEE)
    expect(left(ledger)).toBe(150_000n - FEE - 100n)
  })
})
