/** The fee collector and its marks: checklist 76 to 80 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import type { Account } from '../../../src/core/ic/account.ts'
import { replay } from '../../../src/core/ledger/replay.ts'
import { configProblem } from '../../../src/core/ledger/settings.ts'
import {
  alice,
  bob,
  carol,
  collector,
  FEE,
  LedgerUnderTest,
  M,
  minter,
  of,
  ok,
  spender,
  sub,
  testConfig,
  trap,
  ZEROS,
} from './ledger-under-test.ts'

const withCollector = (): LedgerUnderTest => {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
  ledger.fund(alice, 10_000_000n)
  return ledger
}

const marks = (ledger: LedgerUnderTest): readonly (Account | bigint | undefined)[] =>
  ledger.state.chain.blocks.map((block) => block.feeCollector ?? block.feeCollectorBlock)

const setTo = (account: Account) => ({ feeCollector: { type: 'setTo', account } }) as const
const UNSET = { feeCollector: { type: 'unset' } } as const

describe('the fee collector', () => {
  test('ledger §20.76: is named by the first block and pointed to by the others', () => {
    const ledger = withCollector()
    ledger.transfer(alice, bob, 5n)
    ledger.transfer(alice, minter, FEE)
    expect(marks(ledger)).toEqual([of(collector), 0n, 0n])
    expect(
      ledger.state.chain.blocks.every(
        (block) => !('feeCollector' in block && 'feeCollectorBlock' in block),
      ),
    ).toBe(true)
  })

  test('ledger §20.76: is named by the first initial balance', () => {
    const ledger = new LedgerUnderTest({
      feeCollector: of(collector),
      initialBalances: [
        { account: of(alice), amount: 5n },
        { account: of(bob), amount: 5n },
      ],
    })
    expect(marks(ledger)).toEqual([of(collector), 0n])
  })

  test('ledger §20.77: is named again by the block after a change, be it to the same account', () => {
    const ledger = withCollector()
    expect(ledger.upgrade(setTo(of(carol, sub(2))))).toEqual({ type: 'ok' })
    expect(ledger.approve(alice, spender, 500_000n)).toEqual(ok(1))
    expect(ledger.transferFrom(spender, [alice, bob], 5n)).toEqual(ok(2))
    ledger.upgrade(setTo(of(carol, sub(2))))
    ledger.transfer(minter, bob, 5n)
    ledger.transfer(alice, bob, 5n)
    expect(marks(ledger)).toEqual([of(collector), of(carol, sub(2)), 1n, of(carol, sub(2)), 3n])
    expect(ledger.balance(of(carol, sub(2)))).toBe(2n * FEE)
    expect(ledger.balance(collector)).toBe(0n)
  })

  test('ledger §20.78: receives the fee of a transfer; without one it is burnt', () => {
    const ledger = withCollector()
    ledger.transfer(alice, bob, 5n)
    expect(ledger.supply()).toBe(10_000_000n)
    expect(ledger.balance(collector)).toBe(FEE)
    ledger.upgrade(UNSET)
    ledger.transfer(alice, bob, 5n)
    expect(ledger.supply()).toBe(10_000_000n - FEE)
    expect(ledger.balance(collector)).toBe(FEE)
    expect(marks(ledger)[2]).toBeUndefined()
    ledger.approve(alice, bob, 5n)
    ledger.transfer(alice, minter, FEE)
    expect(marks(ledger).slice(2)).toEqual([undefined, undefined, undefined])
  })

  test('ledger §20.79: cannot be the minting account, at install or by upgrade', () => {
    for (const account of [M, of(minter, ZEROS)]) {
      expect(configProblem(testConfig({ feeCollector: account }))).toContain('minting account')
      const ledger = withCollector()
      expect(ledger.upgrade(setTo(account))).toEqual(trap('minting account'))
      ledger.transfer(alice, bob, 5n)
      expect(ledger.balance(collector)).toBe(FEE)
    }
    expect(configProblem(testConfig({ feeCollector: of(minter, sub(0xfe)) }))).toBeUndefined()
  })

  test('ledger §20.80: pays the fee of its own transfers to itself', () => {
    const ledger = withCollector()
    ledger.fund(collector, 100_000n)
    expect(ledger.transfer(collector, bob, 40_000n)).toEqual(ok(2))
    expect(ledger.balance(collector)).toBe(60_000n)
    expect(ledger.transfer(collector, bob, 60_000n).type).toBe('err')
  })

  test('receives a transfer and its fee at once', () => {
    const ledger = withCollector()
    ledger.transfer(alice, collector, 70n)
    expect(ledger.balance(collector)).toBe(FEE + 70n)
  })

  test('of a block that points to one which names none makes a log broken', () => {
    const ledger = withCollector()
    ledger.transfer(alice, bob, 5n)
    const [first, second] = ledger.state.chain.blocks
    if (first === undefined || second === undefined) throw new Error('two blocks expected')
    const astray = { ...second, feeCollectorBlock: 1n }
    expect(replay(ledger.state.config, [first, astray])).toMatchObject({
      type: 'broken',
      blockIndex: 1n,
      reason: 'block 1 names no fee collector',
    })
  })
})
