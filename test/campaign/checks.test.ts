/** Goal: the campaign sees what a kill must not do. Method: a table of corruptions. */
import { describe, expect, it } from 'vitest'
import { equalBytes, hash32 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { timestampNs, tokens } from '../../src/core/base/units.ts'
import type { TxIn } from '../../src/core/btc/transaction.ts'
import { principal } from '../../src/core/ic/principal.ts'
import type { Block } from '../../src/core/ledger/blocks/block.ts'
import { valueOfBlock } from '../../src/core/ledger/blocks/block-value.ts'
import { hashValue } from '../../src/core/ledger/blocks/value.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { compareBalances, feeCollectorOf } from './ledger-books.ts'
import { Nonces } from './nonces.ts'
import { ShownBlocks } from './shown-blocks.ts'

const [from, to] = [{ owner: devUser(0).principal }, { owner: devUser(1).principal }]
const transfer = (amount: bigint): Block => ({
  timestamp: timestampNs(1n),
  transaction: { type: 'transfer', from, to, amount: tokens(amount) },
})
const asked = (change: object) => ({
  ...({ type: 'transfer', from, to, amount: tokens(2n) } as const),
  ...change,
})
const blocks = [transfer(1n), transfer(2n)]
const answer = { type: 'transfer', blockIndex: 1n, amount: 2n } as const

it('finds nothing wrong with a log that only grew', () => {
  const shown = new ShownBlocks()
  expect(shown.compare(blocks, [answer])).toEqual([])
  expect(shown.compare([...blocks, transfer(3n)], [answer])).toEqual([])
  expect(shown.compare([...blocks, transfer(3n)], [{ ...answer, transaction: asked({}) }])).toEqual(
    [],
  )
})

it.each([
  ['a block less', [transfer(1n)], 'block 1 was shown, and is gone or changed'],
  ['another block', [transfer(1n), transfer(3n)], 'block 1 was shown, and is gone or changed'],
])('finds %s than was shown', (_, later, words) => {
  const shown = new ShownBlocks()
  shown.compare(blocks, [])
  expect(shown.compare(later, [])).toEqual([words])
})

it.each([
  ['index', { ...answer, blockIndex: 2n }],
  ['amount', { ...answer, amount: 3n }],
  ['kind', { ...answer, type: 'burn' as const }],
  ['time of the call', { ...answer, transaction: asked({ createdAtTime: timestampNs(5n) }) }],
  ['receiver', { ...answer, transaction: asked({ to: from }) }],
])('finds an answer whose %s is not in the log', (_, wrong) => {
  expect(new ShownBlocks().compare(blocks, [wrong])).toHaveLength(1)
})

const bare: TxIn = {
  outpoint: { txid: hash32(new Uint8Array(32)), vout: 0 },
  scriptSig: new Uint8Array(),
  sequence: 0,
  witness: [],
}

/** An input signed with these r and s, a byte each. */
function input(r: number, s: number): TxIn {
  const signature = Uint8Array.of(0x30, 6, 2, 1, r, 2, 1, s, 1)
  return { ...bare, witness: [signature] }
}

it('finds no fault with different presignatures, and none with one seen twice', () => {
  const nonces = new Nonces()
  expect(nonces.take('a', { inputs: [input(1, 1), input(2, 1)] })).toEqual([])
  expect(nonces.take('a', { inputs: [input(1, 1), input(2, 1)] })).toEqual([])
  expect(nonces.size).toBe(2)
})

it.each([
  ['in another transaction', 'b', [input(1, 9)]],
  ['at another input', 'b', [input(3, 1), input(3, 2)]],
  ['in the same place with another s', 'a', [input(1, 9)]],
])('finds a presignature that signs again %s', (_, txid, inputs) => {
  const nonces = new Nonces()
  nonces.take('a', { inputs: [input(1, 1)] })
  expect(nonces.take(txid, { inputs })).toHaveLength(1)
})

it('finds an input without a signature', () => {
  expect(new Nonces().take('a', { inputs: [bare] })).toEqual(['a:0 bears no signature'])
})

describe('the books of the ledger', () => {
  const minterId = principal(Uint8Array.of(7))
  const first: Block = {
    timestamp: timestampNs(1n),
    transaction: { type: 'mint', to: from, amount: tokens(500n) },
    feeCollector: present(feeCollectorOf(minterId), 'a profile with one'),
  }
  const second: Block = {
    parentHash: hash32(hashValue(valueOfBlock(first))),
    timestamp: timestampNs(2n),
    transaction: { type: 'transfer', from, to, amount: tokens(100n) },
    fee: tokens(10n),
    feeCollectorBlock: 0n,
  }
  const books = (chain: readonly Block[], balances: readonly bigint[]) =>
    compareBalances({
      blocks: async () => chain,
      balanceOf: async ({ owner }) => balances[equalBytes(owner, from.owner) ? 0 : 1] ?? 0n,
      client: { network: { ids: { minter: minterId } } },
    })

  it('finds nothing wrong where balances are those of the blocks', async () => {
    expect(await books([first, second], [390n, 100n])).toEqual([])
  })

  it.each<[string, readonly Block[], readonly bigint[], RegExp]>([
    ['a balance that no blocks led to', [first, second], [391n, 100n], /balance .* not 390/],
    ['a transfer of which half is there', [first, second], [390n, 0n], /balance .* not 100/],
    ['a block that does not follow', [second], [0n, 0n], /block 0/],
    ['a block twice', [first, second, second], [280n, 200n], /block 2/],
  ])('finds %s', async (_, chain, balances, words) => {
    expect(await books(chain, balances)).toEqual([expect.stringMatching(words)])
  })
})
