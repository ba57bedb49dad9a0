/** Time, duplicates and throttling: checklist 19 to 37 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { decide } from '../../../src/core/ledger/machine.ts'
import { replay } from '../../../src/core/ledger/replay.ts'
import { entriesOf } from '../../../src/core/ledger/transactions/remembered.ts'
import {
  alice,
  badFee,
  bob,
  DRIFT,
  duplicate,
  err,
  FEE,
  insufficientFunds,
  LedgerUnderTest,
  MAX,
  minter,
  of,
  ok,
  START,
  spender,
  TOO_OLD,
  trap,
  WINDOW,
  ZEROS,
} from './ledger-under-test.ts'

const funded = (limits = DEFAULT_LIMITS): LedgerUnderTest => {
  const ledger = new LedgerUnderTest({ limits })
  ledger.fund(alice, 10_000_000n)
  return ledger
}
const at = (time: bigint): TimestampNs => timestampNs(time)
const inFuture = (ledgerTime: TimestampNs) => err({ type: 'createdInFuture', ledgerTime })
const UNAVAILABLE = err({ type: 'temporarilyUnavailable' })

describe('duplicates', () => {
  test('ledger §20.19: without a creation time every transfer is executed', () => {
    const ledger = funded()
    expect(ledger.transfer(alice, bob, 5n)).toEqual(ok(1))
    expect(ledger.transfer(alice, bob, 5n)).toEqual(ok(2))
    expect(ledger.balance(bob)).toBe(10n)
  })

  test('ledger §20.20: with a creation time the second is a duplicate of the first', () => {
    const ledger = funded()
    const createdAtTime = ledger.now
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(ok(1))
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(duplicate(1))
    expect(ledger.balance(bob)).toBe(5n)
  })

  const createdAtTime = START
  test.each([
    ['ledger §20.21: a fee that is given', { fee: FEE }],
    ['ledger §20.22: a memo', { memo: Uint8Array.of(1, 2, 3) }],
    ['ledger §20.23: a receiver with zeros', { to: of(bob, ZEROS) }],
    ['ledger §20.24: a sender with zeros', { fromSubaccount: ZEROS }],
    ['an empty memo', { memo: new Uint8Array() }],
    ['another amount', { amount: 6n }],
    ['another creation time', { createdAtTime: at(START - 1n) }],
  ])('%s makes another transaction, of which the next is a duplicate', (_name, change) => {
    const ledger = funded()
    const arg = { to: of(bob), amount: 5n, createdAtTime }
    const transfer = (changes: object) =>
      ledger.call(alice, { type: 'icrc1_transfer', arg: { ...arg, ...changes } })
    expect(transfer({})).toEqual(ok(1))
    expect(transfer(change)).toEqual(ok(2))
    expect(transfer(change)).toEqual(duplicate(2))
    expect(transfer({})).toEqual(duplicate(1))
  })

  test.each([
    ['ledger §20.24: an owner with zeros', { fromSubaccount: ZEROS }],
    ['a spender with zeros', { spender: of(spender, ZEROS) }],
    ['a fee that is given', { fee: FEE }],
    ['an expectation', { expectedAllowance: 5n }],
    ['an expiry', { expiresAt: at(MAX) }],
    ['an empty memo', { memo: new Uint8Array() }],
  ])('%s makes another approval', (_name, change) => {
    const ledger = funded()
    const arg = { spender: of(spender), amount: 5n, createdAtTime }
    const approve = (changes: object) =>
      ledger.call(alice, { type: 'icrc2_approve', arg: { ...arg, ...changes } })
    expect(approve({})).toEqual(ok(1))
    expect(approve(change)).toEqual(ok(2))
    expect(approve(change)).toEqual(duplicate(2))
    expect(approve({})).toEqual(duplicate(1))
  })

  test('ledger §20.24: another form of the spender or of the owner is another transfer-from', () => {
    const ledger = funded()
    ledger.approve(alice, spender, 500_000n)
    const transfer = (from = of(alice), spenderSubaccount?: Uint8Array) =>
      ledger.transferFrom(spender, [from, bob], 5n, { createdAtTime, spenderSubaccount })
    expect(transfer()).toEqual(ok(2))
    expect(transfer(of(alice, ZEROS))).toEqual(ok(3))
    expect(transfer(of(alice), ZEROS)).toEqual(ok(4))
    expect(transfer(of(alice), ZEROS)).toEqual(duplicate(4))
    expect(transfer()).toEqual(duplicate(2))
  })

  test('ledger §20.29: a duplicate that could not be paid is a duplicate', () => {
    const ledger = funded()
    const amount = 10_000_000n - FEE
    expect(ledger.transfer(alice, bob, amount, { createdAtTime })).toEqual(ok(1))
    expect(ledger.transfer(alice, bob, amount, { createdAtTime })).toEqual(duplicate(1))
  })

  test('ledger §20.31: what failed is not remembered', () => {
    const ledger = funded()
    expect(ledger.transfer(bob, alice, 5n, { createdAtTime })).toEqual(insufficientFunds(0n))
    ledger.fund(bob, 50_000n)
    expect(ledger.transfer(bob, alice, 5n, { createdAtTime })).toEqual(ok(2))
  })

  test('ledger §20.32: a mint or burn with fee zero is the same as without a fee', () => {
    const ledger = funded()
    expect(ledger.transfer(minter, bob, 5n, { createdAtTime })).toEqual(ok(1))
    expect(ledger.transfer(minter, bob, 5n, { createdAtTime, fee: 0n })).toEqual(duplicate(1))
    const rest = { createdAtTime, fee: 0n }
    expect(ledger.transfer(alice, minter, FEE, rest)).toEqual(ok(2))
    expect(ledger.transfer(alice, of(minter, ZEROS), FEE, { createdAtTime })).toEqual(duplicate(2))
  })

  test('ledger §20.33: a transfer and a transfer-from by the owner differ in their spender', () => {
    const ledger = funded()
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(ok(1))
    expect(ledger.transferFrom(alice, [alice, bob], 5n, { createdAtTime })).toEqual(ok(2))
    expect(ledger.transferFrom(alice, [alice, bob], 5n, { createdAtTime })).toEqual(duplicate(2))
  })

  test('duplicates are known again after the blocks are replayed', () => {
    const ledger = funded()
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(ok(1))
    const again = replay(ledger.state.config, ledger.state.chain.blocks)
    if (again.type === 'broken') throw new Error(again.reason)
    const arg = { to: of(bob), amount: 5n, createdAtTime }
    const call = { type: 'icrc1_transfer', arg } as const
    expect(decide(again.state, { caller: alice, call }, START).reply).toEqual(duplicate(1))
  })
})

describe('the window', () => {
  test.each([
    ['ledger §20.25: a window ago is accepted', START - WINDOW, ok(1)],
    ['ledger §20.25: one nanosecond more is too old', START - WINDOW - 1n, TOO_OLD],
    ['ledger §20.25: the drift does not lengthen the window', START - WINDOW - DRIFT, TOO_OLD],
    ['ledger §20.26: the drift ahead is accepted', START + DRIFT, ok(1)],
    ['ledger §20.26: one nanosecond more is the future', START + DRIFT + 1n, inFuture(START)],
    ['ledger §20.26: the last timestamp does not overflow', MAX, inFuture(START)],
    ['ledger §20.26: zero is too old', 0n, TOO_OLD],
  ])('%s', (_name, time, reply) => {
    expect(funded().transfer(alice, bob, 5n, { createdAtTime: at(time) })).toEqual(reply)
    expect(funded().approve(alice, bob, 5n, { createdAtTime: at(time) })).toEqual(reply)
    expect(funded().transferFrom(alice, [alice, bob], 5n, { createdAtTime: at(time) })).toEqual(
      reply,
    )
    expect(funded().transfer(minter, bob, 5n, { createdAtTime: at(time) })).toEqual(reply)
    expect(funded().transfer(alice, minter, FEE, { createdAtTime: at(time) })).toEqual(reply)
  })

  test('ledger §20.27: what was created ahead is a duplicate as long as it is not too old', () => {
    const ledger = funded()
    const createdAtTime = at(START + DRIFT)
    const transfer = () => ledger.transfer(alice, bob, 5n, { createdAtTime })
    expect(transfer()).toEqual(ok(1))
    ledger.pass(WINDOW)
    expect(transfer()).toEqual(duplicate(1))
    ledger.pass(DRIFT)
    // Twice: what the first one purges would not be known to the second.
    expect(transfer()).toEqual(duplicate(1))
    expect(transfer()).toEqual(duplicate(1))
    ledger.pass(1n)
    expect(transfer()).toEqual(TOO_OLD)
    expect(ledger.balance(bob)).toBe(5n)
  })

  test('ledger §20.28: five minutes after the window everything is too old', () => {
    const ledger = funded()
    const createdAtTime = START
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(ok(1))
    ledger.pass(WINDOW + 300n * NS_PER_SECOND)
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime })).toEqual(TOO_OLD)
  })

  test('ledger §20.30: the fee is judged before the time', () => {
    const ledger = funded()
    const rest = { createdAtTime: at(0n), fee: 1n }
    expect(ledger.transfer(alice, bob, 5n, rest)).toEqual(badFee(FEE))
    expect(ledger.approve(alice, bob, 5n, rest)).toEqual(badFee(FEE))
  })

  test('ledger §20.37: a clock that is set back does not set the ledger back', () => {
    const ledger = funded()
    ledger.transfer(alice, bob, 5n)
    ledger.pass(-NS_PER_SECOND)
    expect(ledger.transfer(alice, bob, 5n)).toEqual(ok(2))
    expect(ledger.lastBlock().timestamp).toBe(START)
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime: at(START + DRIFT) })).toEqual(ok(3))
    expect(ledger.approve(alice, spender, 50_000n, { expiresAt: START })).toEqual(
      err({ type: 'expired', ledgerTime: START }),
    )
    expect(ledger.approve(alice, spender, 50_000n)).toEqual(ok(4))
    expect(ledger.transferFrom(spender, [alice, bob], 5n)).toEqual(ok(5))
    expect(ledger.state.chain.blocks.map(({ timestamp }) => timestamp)).toEqual(
      Array(6).fill(START),
    )
  })
})

describe('purging', () => {
  const remembered = (ledger: LedgerUnderTest): number => ledger.state.deduplication.count

  test('entries are kept for window and drift, and dropped a nanosecond later', () => {
    const ledger = funded()
    ledger.transfer(alice, bob, 5n, { createdAtTime: START })
    ledger.pass(WINDOW + DRIFT)
    ledger.transfer(alice, bob, 5n)
    expect(remembered(ledger)).toBe(1)
    ledger.pass(1n)
    ledger.transfer(alice, bob, 5n)
    expect(remembered(ledger)).toBe(0)
  })

  test('a call that errs later still purges, a call refused before does not', () => {
    const ledger = funded()
    ledger.transfer(alice, bob, 5n, { createdAtTime: START })
    ledger.pass(WINDOW + DRIFT + 1n)
    expect(ledger.transfer(alice, bob, 5n, { fee: 1n })).toEqual(badFee(FEE))
    expect(remembered(ledger)).toBe(1)
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime: START })).toEqual(TOO_OLD)
    expect(remembered(ledger)).toBe(0)
  })

  test('one call drops no more than its limit, oldest first', () => {
    const ledger = funded({ ...DEFAULT_LIMITS, transactionsToPurgeMax: 3 })
    for (let i = 0n; i < 5n; i++) ledger.transfer(alice, bob, i, { createdAtTime: START })
    ledger.pass(WINDOW + DRIFT + 1n)
    ledger.transfer(alice, bob, 5n)
    expect(entriesOf(ledger.state.deduplication).map(({ index }) => index)).toEqual([4n, 5n])
    ledger.transfer(alice, bob, 5n)
    expect(remembered(ledger)).toBe(0)
  })

  test('ledger §20.40: a call that traps does not even purge', () => {
    const ledger = funded()
    ledger.transfer(alice, bob, 5n, { createdAtTime: START })
    ledger.pass(WINDOW + DRIFT + 1n)
    expect(ledger.transfer(minter, bob, MAX)).toEqual(trap('supply'))
    expect(remembered(ledger)).toBe(1)
  })

  test('a queue that was long gives its memory back, and keeps what is not dropped', () => {
    const ledger = funded({ ...DEFAULT_LIMITS, transactionsToPurgeMax: 1_100 })
    const { deduplication } = ledger.state
    const mint = (amount: bigint, createdAtTime?: TimestampNs) =>
      ledger.quietly(minter, {
        type: 'icrc1_transfer',
        arg: { to: of(bob), amount, createdAtTime },
      })
    for (let i = 0n; i < 1_300n; i++) mint(i, START)
    ledger.pass(WINDOW + DRIFT + 1n)
    mint(5n)
    expect(deduplication.count).toBe(200)
    expect(deduplication.times.length).toBeLessThan(8 * 200)
    expect(entriesOf(deduplication).map(({ index }) => index)).toEqual(
      Array.from({ length: 200 }, (_, i) => 1_101n + BigInt(i)),
    )
  })
})

describe('throttling', () => {
  const small = { ...DEFAULT_LIMITS, transactionsInWindowMax: 10 }

  test('ledger §20.35: half a full window within a second is too much; a second later it is not', () => {
    const ledger = funded(small)
    for (let i = 0n; i < 5n; i++)
      expect(ledger.transfer(alice, bob, i, { createdAtTime: START }).type).toBe('ok')
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime: START })).toEqual(UNAVAILABLE)
    expect(ledger.transfer(alice, bob, 5n)).toEqual(UNAVAILABLE)
    expect(ledger.approve(alice, bob, 5n, { createdAtTime: at(0n) })).toEqual(UNAVAILABLE)
    ledger.pass(NS_PER_SECOND - 1n)
    expect(ledger.transfer(alice, bob, 5n)).toEqual(UNAVAILABLE)
    ledger.pass(1n)
    expect(ledger.transfer(alice, bob, 5n, { createdAtTime: START })).toEqual(ok(6))
    expect(ledger.transfer(alice, bob, 6n, { createdAtTime: START })).toEqual(UNAVAILABLE)
  })

  test('ledger §20.36: a call that purges is not throttled', () => {
    const ledger = funded(small)
    ledger.transfer(alice, bob, 1n, { createdAtTime: START })
    ledger.pass(WINDOW + DRIFT)
    const createdAtTime = ledger.now
    for (let i = 0n; i < 4n; i++) ledger.transfer(alice, bob, i, { createdAtTime })
    expect(ledger.transfer(alice, bob, 9n)).toEqual(UNAVAILABLE)
    ledger.pass(1n)
    expect(ledger.transfer(alice, bob, 9n, { createdAtTime })).toEqual(ok(6))
    expect(ledger.transfer(alice, bob, 9n)).toEqual(UNAVAILABLE)
  })

  test('what came unthrottled below half a window may come at once', () => {
    const ledger = funded({ ...DEFAULT_LIMITS, transactionsInWindowMax: 400_000 })
    for (let i = 0n; i < 50n; i++)
      expect(ledger.transfer(alice, bob, i, { createdAtTime: START }).type).toBe('ok')
  })

  test('the real limits look at the entry 18 places from the end', () => {
    const { transactionWindowNs, transactionsInWindowMax } = DEFAULT_LIMITS
    const seconds = Number(transactionWindowNs / NS_PER_SECOND)
    expect(Math.ceil((0.5 * transactionsInWindowMax) / seconds)).toBe(18)
  })
})
