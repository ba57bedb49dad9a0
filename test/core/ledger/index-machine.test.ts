/**
 * Goal: an index made from the blocks alone knows what the ledger knows of every account.
 *
 * Method: random logs of every kind of block, against the simplest index that can be: every
 * question filters the whole log. Ledger §13; checklist §20.110 to 115.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../../src/core/base/bytes.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { compareAccounts, effectiveSubaccount, sameAccount } from '../../../src/core/ic/account.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { Block, Transaction } from '../../../src/core/ledger/blocks/block.ts'
import type { IndexState } from '../../../src/core/ledger/index/account-index.ts'
import {
  accountPage,
  balanceIn,
  emptyIndex,
  INDEX_RESULTS_MAX,
  takeBlock,
} from '../../../src/core/ledger/index/account-index.ts'
import {
  findAccount,
  noteAccount,
  subaccountsAfter,
} from '../../../src/core/ledger/index/account-table.ts'
import { arbitraryAccount } from './arbitraries.ts'
import { alice, bob, carol, minter, of, spender, sub, ZEROS } from './ledger-under-test.ts'

const amount = tokens(100n)
const fee = tokens(10n)
const block = (transaction: Transaction, rest: Partial<Block> = {}): Block => ({
  timestamp: timestampNs(1n),
  transaction,
  fee: transaction.type === 'transfer' || transaction.type === 'approve' ? fee : undefined,
  ...rest,
})

function indexOf(blocks: readonly Block[]): IndexState {
  const index = emptyIndex(64)
  for (const one of blocks) takeBlock(index, one)
  return index
}

const ids = (index: IndexState, account: Account, before?: bigint, countMax = 5_000n) =>
  accountPage(index, account, { before, countMax }).ids

describe('the table of accounts', () => {
  const near = fc.record({
    owner: fc.uint8Array({ minLength: 0, maxLength: 3, max: 1 }).map(principal),
    subaccount: fc.uint8Array({ minLength: 32, maxLength: 32, max: 1 }),
  })

  test('finds every account that was noted, by the effective subaccount, and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(arbitraryAccount, near), { minLength: 1 }), (accounts) => {
        const { table } = emptyIndex(64)
        const [unknown, ...known] = accounts
        const numbers = known.map((account) => noteAccount(table, account))
        expect(known.map((account) => findAccount(table, account))).toEqual(numbers)
        for (const [place, account] of known.entries())
          for (const [other, against] of known.entries())
            expect(numbers[place] === numbers[other]).toBe(sameAccount(account, against))
        const isKnown = known.some((account) => unknown && sameAccount(account, unknown))
        expect(unknown && findAccount(table, unknown) !== undefined).toBe(isKnown)
      }),
    )
  })

  test('ledger §20.114: lists the subaccounts of an owner in order, after any start', () => {
    fc.assert(
      fc.property(fc.array(near, { maxLength: 40 }), near, fc.nat(6), (accounts, asked, limit) => {
        const { table } = emptyIndex(64)
        for (const account of accounts) noteAccount(table, account)
        const { owner, subaccount: start } = asked
        const own = accounts
          .filter((account) => sameAccount({ owner: account.owner }, { owner }))
          .sort(compareAccounts)
          .map(effectiveSubaccount)
        const distinct = own.filter((one, i) => i === 0 || compareBytes(one, own[i - 1] ?? one) > 0)
        expect(subaccountsAfter(table, { owner, start: undefined }, 100)).toEqual(distinct)
        expect(subaccountsAfter(table, { owner, start }, limit)).toEqual(
          distinct.filter((one) => compareBytes(one, start) > 0).slice(0, limit),
        )
      }),
    )
  })
})

describe('an index', () => {
  const log = [
    block({ type: 'mint', to: of(alice), amount: tokens(1_000n) }),
    block({ type: 'transfer', from: of(alice), to: of(bob, sub(1)), amount }),
    block({ type: 'transfer', from: of(alice), to: of(alice, ZEROS), amount }),
    block({ type: 'approve', from: of(bob, sub(1)), spender: of(spender, sub(9)), amount }),
    block({ type: 'burn', from: of(alice), amount }),
    block({
      type: 'transfer',
      ...{ from: of(alice), to: of(carol), spender: of(spender), amount },
    }),
  ]
  const index = indexOf(log)

  test('lists a block once for each account of §13, and 32 zeros are no subaccount', () => {
    expect(ids(index, of(alice))).toEqual([5, 4, 2, 1, 0])
    expect(ids(index, of(alice, ZEROS))).toEqual([5, 4, 2, 1, 0])
    expect(ids(index, of(bob, sub(1)))).toEqual([3, 1])
    expect(ids(index, of(bob))).toEqual([])
    expect(ids(index, of(carol))).toEqual([5])
  })

  test('ledger §20.113: an approval is listed for its owner alone, its spender has a subaccount', () => {
    expect(ids(index, of(spender, sub(9)))).toEqual([])
    expect(subaccountsAfter(index.table, { owner: spender, start: undefined }, 9)).toEqual([sub(9)])
    expect(accountPage(index, of(spender, sub(9)), { countMax: 9n }).oldest).toBeUndefined()
  })

  test('keeps balances by the rule of each kind', () => {
    const balances = [of(alice), of(bob, sub(1)), of(carol), of(spender)].map((account) =>
      balanceIn(index, account),
    )
    expect(balances).toEqual([1_000n - 110n - 10n - 100n - 110n, 90n, 100n, 0n])
    expect(index.supply).toBe(1_000n - 4n * 10n - 100n)
  })

  test('says nothing of an account that no block names', () => {
    const nothing = { ids: [], oldest: undefined, balance: 0n }
    expect(accountPage(index, of(minter), { countMax: 9n })).toEqual(nothing)
    expect(subaccountsAfter(index.table, { owner: minter, start: undefined }, 9)).toEqual([])
  })

  test.each([
    [undefined, 2n, [5, 4]],
    [4n, 2n, [2, 1]],
    [3n, 1n, [2]],
    [0n, 5n, []],
    [undefined, 0n, []],
    [2n ** 64n - 1n, 2n ** 64n - 1n, [5, 4, 2, 1, 0]],
  ])('ledger §20.111: gives the page before %s of at most %s', (before, countMax, page) => {
    expect(accountPage(index, of(alice), { before, countMax })).toMatchObject({
      ids: page,
      oldest: 0,
    })
  })

  const busy = indexOf([
    block({ type: 'mint', to: of(alice), amount: tokens(10n ** 9n) }),
    ...Array.from({ length: 3_000 }, () =>
      block({ type: 'transfer', from: of(alice), to: of(bob), amount: tokens(1n) }),
    ),
  ])

  test('ledger §20.112: gives nothing, or 2000 blocks at most', () => {
    expect(ids(busy, of(alice), undefined, 0n)).toEqual([])
    expect(ids(busy, of(alice), undefined, 10_000n)).toHaveLength(INDEX_RESULTS_MAX)
    expect(ids(busy, of(alice), 500n, 10_000n)).toHaveLength(500)
  })

  test('finds every page of a long history', () => {
    for (let before = 1n; before <= 3_001n; before++)
      expect(ids(busy, of(bob), before, 2n)).toEqual(
        [Number(before) - 1, Number(before) - 2].filter((id) => id >= 1),
      )
  })
})

describe('a block that does not fit stops the index', () => {
  const start = [block({ type: 'mint', to: of(alice), amount: tokens(100n) })]
  const transfer = { type: 'transfer', from: of(alice), to: of(bob), amount } as const
  const mint = { type: 'mint', to: of(carol), amount: tokens(2n ** 64n - 100n) } as const
  test.each<[string, Block, string]>([
    ['takes more than there is', block(transfer), 'it takes 110 from a balance of 100'],
    ['burns more', block({ ...mint, type: 'burn', from: of(alice) }), 'from a balance of 100'],
    ['makes more than there can be', block(mint), 'the balances exceed the largest amount'],
    ['states no fee', block(transfer, { fee: undefined }), 'states no fee'],
    ['mints at a fee', block({ ...mint, amount }, { fee }), 'a mint that costs a fee'],
    ['burns at a fee', block({ type: 'burn', from: of(alice), amount }, { fee }), 'a burn that'],
    [
      'points to no collector',
      block({ ...mint, amount }, { feeCollectorBlock: 0n }),
      'points to block 0, which names no fee collector',
    ],
  ])('one that %s', (_name, wrong, reason) => {
    const index = indexOf(start)
    const before = structuredClone(index)
    takeBlock(index, wrong)
    expect(index).toEqual({ ...before, stopped: expect.stringContaining(reason) })
    takeBlock(index, block({ ...mint, amount }))
    expect(index).toEqual({ ...before, stopped: expect.stringContaining(reason) })
  })

  test('and so does one for which there is no room', () => {
    const index = { ...emptyIndex(64), synced: 2 ** 32 }
    takeBlock(index, block({ ...mint, amount }))
    expect(index.stopped).toContain('no room')
    const full = emptyIndex(64)
    full.histories.count = 2 ** 31 - 2
    takeBlock(full, block({ ...mint, amount }))
    expect(full.stopped).toContain('no room')
  })
})

test('an approval of the oldest kind costs what the block before it did', () => {
  const approval = { type: 'approve', from: of(alice), spender: of(spender), amount } as const
  const index = indexOf([
    block({ type: 'mint', to: of(alice), amount: tokens(100n) }),
    block(
      { type: 'transfer', from: of(alice), to: of(bob), amount: tokens(1n) },
      { fee: tokens(7n) },
    ),
    block(approval, { fee: undefined }),
  ])
  expect(index.stopped).toBeUndefined()
  expect(balanceIn(index, of(alice))).toBe(100n - 8n - 7n)
})

test('balances have the width of the token', () => {
  const index = emptyIndex(256)
  const all = tokens(2n ** 256n - 1n)
  takeBlock(index, block({ type: 'mint', to: of(alice), amount: all }))
  takeBlock(index, block({ type: 'burn', from: of(alice), amount: tokens(2n ** 130n + 5n) }))
  expect(balanceIn(index, of(alice))).toBe(all - 2n ** 130n - 5n)
})
