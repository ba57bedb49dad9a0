/** Transfers, mints and burns: checklist 1 to 18 and 38 to 48 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { anonymous, managementCanister } from '../../../src/core/ic/principal.ts'
import { valueOfBlock } from '../../../src/core/ledger/blocks/block-value.ts'
import { tipTree } from '../../../src/core/ledger/blocks/certification.ts'
import { tip } from '../../../src/core/ledger/queries.ts'
import { configProblem } from '../../../src/core/ledger/settings.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  badBurn,
  badFee,
  bob,
  FEE,
  insufficientAllowance,
  insufficientFunds,
  LedgerUnderTest,
  M,
  MAX,
  minter,
  of,
  ok,
  START,
  spender,
  sub,
  testConfig,
  trap,
  ZEROS,
} from './ledger-under-test.ts'

const funded = (amount: bigint): LedgerUnderTest => {
  const ledger = new LedgerUnderTest()
  ledger.fund(alice, amount)
  return ledger
}

/** Keys of the newest block, and of the transaction in it, as a reader finds them. */
function keysOf(ledger: LedgerUnderTest): readonly string[] {
  const block = valueOfBlock(ledger.lastBlock())
  if (block.type !== 'map') throw new RangeError('a block is a map')
  return block.map.flatMap(([key, value]) =>
    value.type === 'map' ? [key, ...value.map.map(([inner]) => `${key}.${inner}`)] : [key],
  )
}

describe('installing', () => {
  test('ledger §20.1: a fresh ledger holds nothing', () => {
    const ledger = new LedgerUnderTest()
    expect(ledger.balance(alice)).toBe(0n)
    expect(ledger.supply()).toBe(0n)
    expect(tip(ledger.state)).toBeUndefined()
    expect(tipTree(ledger.state)).toEqual({ type: 'empty' })
    const canisters = new CanistersUnderTest(ledger)
    expect(canisters.ask(['ledger', 'icrc3_get_archives'], [{}])).toEqual([])
  })

  const balances = [
    { account: of(alice), amount: 10_000_000n },
    { account: of(bob, sub(1)), amount: 5_000_000n },
  ]

  test('ledger §20.2: initial balances are the first blocks, mints created at their block time', () => {
    const ledger = new LedgerUnderTest({ initialBalances: balances })
    expect(ledger.supply()).toBe(15_000_000n)
    expect(ledger.state.chain.blocks.map(({ transaction }) => transaction)).toEqual(
      balances.map(({ account: to, amount }) => ({
        type: 'mint',
        to,
        amount,
        createdAtTime: START,
      })),
    )
    expect(ledger.state.chain.blocks.map(({ timestamp }) => timestamp)).toEqual([START, START])
    expect(tip(ledger.state)?.index).toBe(1n)
  })

  const twice = { account: of(alice), amount: 5n }
  test.each([
    ['ledger §20.3: two identical initial balances', [twice, twice], 'identical'],
    ['an initial balance for the minting account', [{ account: M, amount: 5n }], 'minting account'],
    ['a supply beyond the largest', [twice, { account: of(bob), amount: MAX }], 'do not fit'],
    ['a negative balance', [{ account: of(bob), amount: -1n }], 'do not fit'],
  ])('%s cannot be installed', (_name, initialBalances, reason) => {
    expect(configProblem(testConfig({ initialBalances }))).toContain(reason)
    expect(() => new LedgerUnderTest({ initialBalances })).toThrow(reason)
  })

  test('the same account in two forms, or with two amounts, is no repetition', () => {
    const initialBalances = [
      twice,
      { ...twice, amount: 6n },
      { ...twice, account: of(alice, ZEROS) },
    ]
    expect(new LedgerUnderTest({ initialBalances }).balance(alice)).toBe(16n)
  })
})

describe('transfers', () => {
  test('ledger §20.4: the sender pays amount and fee, and the fee is burnt', () => {
    const ledger = funded(10_000_000n)
    expect(ledger.transfer(alice, bob, 1_000_000n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(8_990_000n)
    expect(ledger.balance(bob)).toBe(1_000_000n)
    expect(ledger.supply()).toBe(10_000_000n - FEE)
  })

  test('ledger §20.5: zeros and no subaccount are one account', () => {
    const ledger = funded(10_000_000n)
    ledger.transfer(alice, of(bob, ZEROS), 5n)
    expect(ledger.balance(bob)).toBe(5n)
    ledger.transfer(alice, bob, 5n)
    expect(ledger.balance(of(bob, ZEROS))).toBe(10n)
    expect(ledger.balance(of(bob, sub(1)))).toBe(0n)
  })

  test.each([
    ['ledger §20.6: the anonymous principal', anonymous],
    ['the management canister', managementCanister],
  ])('%s is an owner like any other', (_name, owner) => {
    const ledger = funded(10_000_000n)
    expect(ledger.transfer(alice, owner, 1_000_000n)).toEqual(ok(1))
    expect(ledger.transfer(owner, bob, 100n)).toEqual(ok(2))
    expect(ledger.approve(owner, bob, 200_000n)).toEqual(ok(3))
    expect(ledger.approve(alice, owner, 50_000n)).toEqual(ok(4))
    expect(ledger.transferFrom(owner, [alice, owner], 40_000n)).toEqual(ok(5))
    expect(ledger.balance(owner)).toBe(1_000_000n - 100n - FEE - FEE + 40_000n)
  })

  test('ledger §20.7: an emptied account has no entry', () => {
    const ledger = funded(70_000n)
    expect(ledger.transfer(alice, bob, 60_000n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(0n)
    expect(ledger.state.balances.amounts.size).toBe(1)
  })

  test('ledger §20.8: one unit less than amount and fee is too little, and changes nothing', () => {
    const ledger = funded(69_999n)
    expect(ledger.transfer(alice, bob, 60_000n)).toEqual(insufficientFunds(69_999n))
    expect(ledger.balance(alice)).toBe(69_999n)
  })

  test('ledger §20.9: a transfer of nothing costs the fee, which an empty account cannot pay', () => {
    const ledger = funded(FEE)
    expect(ledger.transfer(alice, bob, 0n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(0n)
    expect(ledger.transfer(alice, bob, 0n)).toEqual(insufficientFunds(0n))
  })

  test('an empty account cannot even send nothing where there is no fee', () => {
    const ledger = new LedgerUnderTest({ transferFee: 0n })
    expect(ledger.transfer(alice, bob, 0n)).toEqual(insufficientFunds(0n))
    ledger.fund(alice, 1n)
    expect(ledger.transfer(alice, bob, 0n)).toEqual(ok(1))
  })

  test('ledger §20.10: a transfer to oneself costs the fee, and the index lists it once', () => {
    const ledger = funded(70_000n)
    expect(ledger.transfer(alice, alice, 60_000n)).toEqual(ok(1))
    expect(ledger.balance(alice)).toBe(60_000n)
    const asked = { account: of(alice), maxResults: 10n }
    const answer = new CanistersUnderTest(ledger).ask(
      ['index', 'get_account_transactions'],
      [asked],
    )
    expect(answer).toMatchObject({ page: { transactions: [{ id: 1n }, { id: 0n }] } })
  })

  test('ledger §20.11: an amount of 65 bits is refused before its wrong fee', () => {
    const ledger = funded(70_000n)
    expect(ledger.transfer(alice, bob, MAX + 1n, { fee: 1n })).toEqual(insufficientFunds(70_000n))
  })

  test('ledger §20.12: an amount that overflows with its fee is too much, no trap', () => {
    const ledger = funded(70_000n)
    for (const amount of [MAX, MAX - FEE, MAX - FEE + 1n])
      expect(ledger.transfer(alice, bob, amount)).toEqual(insufficientFunds(70_000n))
  })

  test('ledger §20.13: a fee that is given must be right, and then stands in the transaction', () => {
    const ledger = funded(700_000n)
    for (const fee of [0n, FEE - 1n, FEE + 1n, MAX + 1n])
      expect(ledger.transfer(alice, bob, 1n, { fee })).toEqual(badFee(FEE))
    expect(ledger.transfer(alice, bob, 1n, { fee: FEE })).toEqual(ok(1))
    expect(ledger.lastBlock()).toMatchObject({ fee: undefined, transaction: { fee: FEE } })
    expect(keysOf(ledger)).toEqual([
      'phash',
      'ts',
      'tx',
      'tx.amt',
      'tx.fee',
      'tx.from',
      'tx.op',
      'tx.to',
    ])
  })

  test('ledger §20.14: a fee that is not given stands beside the transaction', () => {
    const ledger = funded(700_000n)
    expect(ledger.transfer(alice, bob, 1n)).toEqual(ok(1))
    expect(ledger.lastBlock()).toMatchObject({ fee: FEE, transaction: { fee: undefined } })
    expect(keysOf(ledger)).toEqual([
      'fee',
      'phash',
      'ts',
      'tx',
      'tx.amt',
      'tx.from',
      'tx.op',
      'tx.to',
    ])
  })

  test('ledger §20.16: a memo of the largest size is kept, a larger one traps in every call', () => {
    const ledger = funded(700_000n)
    const [fits, tooLong] = [new Uint8Array(32), new Uint8Array(33)]
    ledger.approve(alice, spender, 500_000n)
    expect(ledger.transfer(alice, bob, 1n, { memo: fits })).toEqual(ok(2))
    expect(ledger.lastBlock().transaction.memo).toEqual(fits)
    expect(ledger.approve(alice, spender, 500_000n, { memo: fits })).toEqual(ok(3))
    expect(ledger.transferFrom(spender, [alice, bob], 1n, { memo: fits })).toEqual(ok(4))
    const refusal = trap('a memo of 33 bytes, at most 32')
    expect(ledger.transfer(alice, bob, 1n, { memo: tooLong })).toEqual(refusal)
    expect(ledger.approve(alice, spender, 1n, { memo: tooLong })).toEqual(refusal)
    expect(ledger.transferFrom(spender, [alice, bob], 1n, { memo: tooLong })).toEqual(refusal)
    expect(ledger.transfer(alice, bob, MAX + 1n, { memo: tooLong, fee: 1n })).toEqual(refusal)
  })

  test('ledger §20.17: an upgrade may raise the memo limit and never lower it', () => {
    const ledger = funded(700_000n)
    expect(ledger.upgrade({ memoLengthMax: 64 })).toEqual({ type: 'ok' })
    expect(ledger.transfer(alice, bob, 1n, { memo: new Uint8Array(64) })).toEqual(ok(1))
    for (const size of [65, 65_536])
      expect(ledger.transfer(alice, bob, 1n, { memo: new Uint8Array(size) })).toEqual(trap('memo'))
    const { config } = ledger.state
    const lower = { memoLengthMax: 63, tokenName: 'another' }
    expect(ledger.upgrade(lower)).toEqual(trap('cannot be lowered'))
    expect(ledger.state.config).toBe(config)
    expect(ledger.transfer(alice, bob, 1n, { memo: new Uint8Array(64) })).toEqual(ok(2))
  })

  test('ledger §20.18: an empty memo is kept, and is not the same as none', () => {
    const ledger = funded(700_000n)
    const createdAtTime = ledger.now
    expect(ledger.transfer(alice, bob, 1n, { createdAtTime, memo: fromHex('') })).toEqual(ok(1))
    expect(ledger.lastBlock().transaction.memo).toEqual(new Uint8Array())
    expect(ledger.transfer(alice, bob, 1n, { createdAtTime })).toEqual(ok(2))
    expect(ledger.lastBlock().transaction.memo).toBeUndefined()
  })
})

describe('mints and burns', () => {
  test('ledger §20.38: the minting account mints by sending, without a fee and without a balance', () => {
    const ledger = new LedgerUnderTest()
    expect(ledger.transfer(minter, alice, 10_000_000n)).toEqual(ok(0))
    expect(ledger.supply()).toBe(10_000_000n)
    expect(ledger.balance(alice)).toBe(10_000_000n)
    expect(ledger.balance(minter)).toBe(0n)
    expect(ledger.lastBlock().transaction).toEqual({
      type: 'mint',
      to: of(alice),
      amount: 10_000_000n,
    })
    expect(keysOf(ledger)).toEqual(['ts', 'tx', 'tx.amt', 'tx.op', 'tx.to'])
  })

  test('ledger §20.39: the only fee a mint may name is zero', () => {
    const ledger = new LedgerUnderTest()
    for (const fee of [1n, FEE])
      expect(ledger.transfer(minter, alice, 1n, { fee })).toEqual(badFee(0n))
    expect(ledger.transfer(minter, alice, 1n, { fee: 0n })).toEqual(ok(0))
  })

  test('ledger §20.40: a mint of nothing makes a block; one beyond the largest supply traps', () => {
    const ledger = new LedgerUnderTest()
    expect(ledger.transfer(minter, alice, 0n)).toEqual(ok(0))
    expect(ledger.lastBlock().transaction.amount).toBe(0n)
    expect(ledger.state.balances.amounts.size).toBe(0)
    expect(ledger.transfer(minter, alice, MAX - 5n)).toEqual(ok(1))
    expect(ledger.transfer(minter, bob, 6n)).toEqual(trap('supply'))
    expect(ledger.supply()).toBe(MAX - 5n)
    expect(ledger.balance(bob)).toBe(0n)
    expect(ledger.transfer(minter, bob, 5n)).toEqual(ok(2))
    expect(ledger.supply()).toBe(MAX)
  })

  test('another subaccount of the minter is an ordinary account', () => {
    const ledger = new LedgerUnderTest()
    const fromSubaccount = sub(9)
    expect(ledger.transfer(minter, alice, 1n, { fromSubaccount })).toEqual(insufficientFunds(0n))
    expect(ledger.transfer(minter, of(minter, sub(9)), 5_000n + FEE)).toEqual(ok(0))
    expect(ledger.transfer(minter, alice, 5_000n, { fromSubaccount })).toEqual(ok(1))
    expect(ledger.transfer(minter, alice, 7n, { fromSubaccount: ZEROS })).toEqual(ok(2))
  })

  test('ledger §20.41: the smallest burn is the fee, or all there is', () => {
    const ledger = funded(50_000n)
    ledger.fund(bob, FEE / 2n)
    expect(ledger.transfer(alice, minter, FEE / 2n)).toEqual(badBurn(FEE))
    expect(ledger.transfer(alice, minter, FEE)).toEqual(ok(2))
    expect(ledger.transfer(bob, minter, FEE / 4n)).toEqual(badBurn(FEE / 2n))
    expect(ledger.transfer(bob, minter, FEE / 2n + 1n)).toEqual(insufficientFunds(FEE / 2n))
    expect(ledger.transfer(bob, of(minter, ZEROS), FEE / 2n)).toEqual(ok(3))
    expect(ledger.balance(bob)).toBe(0n)
    expect(ledger.balance(alice)).toBe(40_000n)
    expect(ledger.supply()).toBe(40_000n)
  })

  test('ledger §20.42: nobody can burn nothing', () => {
    const ledger = funded(50_000n)
    expect(ledger.transfer(alice, minter, 0n)).toEqual(badBurn(FEE))
    expect(ledger.transfer(bob, minter, 0n)).toEqual(badBurn(FEE))
  })

  test('ledger §20.43: the only fee a burn may name is zero, and its block keeps none', () => {
    const ledger = funded(50_000n)
    expect(ledger.transfer(alice, minter, FEE, { fee: FEE })).toEqual(badFee(0n))
    expect(ledger.transfer(alice, minter, 1n, { fee: FEE })).toEqual(badFee(0n))
    expect(ledger.transfer(alice, minter, FEE, { fee: 0n })).toEqual(ok(1))
    expect(ledger.lastBlock()).not.toHaveProperty('transaction.fee')
  })

  test('ledger §20.44: what the minting account sends to itself is a burn of what it does not have', () => {
    const ledger = funded(50_000n)
    expect(ledger.transfer(minter, minter, 0n)).toEqual(badBurn(FEE))
    expect(ledger.transfer(minter, minter, 5n * FEE)).toEqual(insufficientFunds(0n))
  })

  test('ledger §20.45: a burn by a spender needs an allowance', () => {
    const ledger = funded(50_000n)
    expect(ledger.transferFrom(spender, [alice, minter], FEE)).toEqual(insufficientAllowance(0n))
  })

  test('ledger §20.46: a burn by a spender takes the amount alone, from balance and allowance', () => {
    const ledger = funded(500_000n)
    ledger.approve(alice, spender, 150_000n)
    expect(ledger.transferFrom(spender, [alice, minter], 30_000n)).toEqual(ok(2))
    expect(ledger.balance(alice)).toBe(500_000n - FEE - 30_000n)
    expect(ledger.allowance(alice, spender).allowance).toBe(120_000n)
    expect(ledger.lastBlock().transaction).toMatchObject({ type: 'burn', spender: of(spender) })
    expect(keysOf(ledger)).toEqual([
      'phash',
      'ts',
      'tx',
      'tx.amt',
      'tx.from',
      'tx.op',
      'tx.spender',
    ])
  })

  test('the minting account may be the spender and burns what was approved to it', () => {
    const ledger = funded(500_000n)
    ledger.approve(alice, minter, 150_000n)
    expect(ledger.transferFrom(minter, [alice, minter], 150_001n)).toEqual(
      insufficientAllowance(150_000n),
    )
    expect(ledger.transferFrom(minter, [alice, minter], 150_000n)).toEqual(ok(2))
    expect(ledger.hasAllowanceEntry(alice, minter)).toBe(false)
  })

  test('ledger §20.47: nobody mints by transfer-from, the minting account included', () => {
    const ledger = funded(500_000n)
    const refusal = trap('the minter account cannot delegate mints')
    expect(ledger.transferFrom(spender, [minter, alice], 1n)).toEqual(refusal)
    expect(ledger.transferFrom(minter, [minter, alice], 1n)).toEqual(refusal)
    expect(ledger.transferFrom(minter, [minter, alice], 1n, { fee: 3n })).toEqual(refusal)
  })

  test('ledger §20.48: the minting account cannot approve; its other subaccounts can', () => {
    const ledger = funded(500_000n)
    const refusal = trap('the minting account cannot delegate mints')
    expect(ledger.approve(minter, spender, 1n)).toEqual(refusal)
    expect(ledger.approve(minter, spender, 1n, { fromSubaccount: ZEROS })).toEqual(refusal)
    ledger.fund(of(minter, sub(9)), FEE)
    expect(ledger.approve(minter, spender, 1n, { fromSubaccount: sub(9) })).toEqual(ok(2))
  })
})

test('a ledger of 256 bits mints and moves amounts beyond 64 bits', () => {
  const ledger = new LedgerUnderTest({ tokenWidth: 256 })
  const max = 2n ** 256n - 1n
  expect(ledger.transfer(minter, alice, max)).toEqual(ok(0))
  expect(ledger.transfer(alice, bob, max - FEE)).toEqual(ok(1))
  expect(ledger.transfer(bob, alice, max + 1n)).toEqual(insufficientFunds(max - FEE))
  expect(ledger.transfer(minter, bob, FEE + 1n)).toEqual(trap('supply'))
  expect(ledger.transfer(minter, bob, FEE)).toEqual(ok(2))
})
