/**
 * Goal: the index lists the blocks of an account, and only those, in pages that meet.
 * Method: ledger §13; its interface against the published one.
 */
import { describe, expect, test } from 'vitest'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Block, Transaction } from '../../../src/core/ledger/blocks/block.ts'
import { AccountIndex } from '../../../src/core/ledger/index/account-index.ts'
import { indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import { describeInterface } from '../../support/interface-tests.ts'

await describeInterface('the index interface', indexInterface, 'ledger-icrc/icrc_index.idl.js')

const { ledger, minter, index } = ownCanisterIds
const sub = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [a, b, spender] = [{ owner: ledger }, { owner: minter, subaccount: sub(1) }, { owner: index }]
const block = (transaction: Transaction, rest: Partial<Block> = {}): Block => ({
  timestamp: timestampNs(1n),
  transaction,
  ...rest,
})
const amount = tokens(5n)

function indexOf(blocks: readonly Block[]): AccountIndex {
  const made = new AccountIndex()
  for (const one of blocks) made.add(one)
  return made
}

const log = [
  block({ type: 'mint', to: a, amount }, { feeCollector: b }),
  block({ type: 'transfer', from: a, to: b, amount }, { feeCollectorBlock: 0n }),
  block({ type: 'transfer', from: a, to: a, amount }),
  block({ type: 'approve', from: b, spender, amount }, { feeCollectorBlock: 0n }),
  block({ type: 'burn', from: a, amount }),
]

describe('an index', () => {
  const made = indexOf(log)
  const all = { before: undefined, countMax: 100n }

  test('lists each block once for every account of §13', () => {
    expect(made.page(a, all)).toEqual({ ids: [4n, 2n, 1n, 0n], oldest: 0n })
    expect(made.page(b, all)).toEqual({ ids: [3n, 1n], oldest: 1n })
    expect(made.page(spender, all)).toEqual({ ids: [], oldest: undefined })
    expect(made.synced).toBe(5n)
  })

  test('takes 32 zeros for no subaccount', () => {
    expect(made.page({ ...a, subaccount: sub(0) }, all).ids).toHaveLength(4)
  })

  test.each([
    [undefined, 2n, [4n, 2n]],
    [2n, 2n, [1n, 0n]],
    [3n, 1n, [2n]],
    [0n, 5n, []],
    [undefined, 0n, []],
    [2n ** 64n - 1n, 2n ** 64n - 1n, [4n, 2n, 1n, 0n]],
  ])('gives the page before %s of at most %s', (before, countMax, ids) => {
    expect(made.page(a, { before, countMax }).ids).toEqual(ids)
  })

  test('lists subaccounts that changed or spend, ascending, after a start', () => {
    expect(made.subaccountsOf(ledger, undefined)).toEqual([sub(0)])
    expect(made.subaccountsOf(minter, sub(0))).toEqual([sub(1)])
    expect(made.subaccountsOf(minter, sub(1))).toEqual([])
    expect(made.subaccountsOf(index, undefined)).toEqual([sub(0)])
  })

  test('merges neighbours that name the same collector', () => {
    expect(made.collectors.map(({ from, to }) => [from, to])).toEqual([
      [0n, 2n],
      [3n, 4n],
    ])
  })
})
