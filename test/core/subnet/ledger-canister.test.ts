/**
 * Goal: the log reads the same in every form that the ledger has published. Method: ledger §§9.2,
 * 9.3, 11.2, 11.3; blocks of every kind, asked for through the handlers as Candid.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import type { Method, ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { encodeTipTree } from '../../../src/core/ledger/blocks/certification.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { legacyValue } from '../../../src/core/ledger/interface/legacy-interface.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import {
  alice,
  bob,
  FEE,
  LedgerUnderTest,
  MAX,
  minter,
  START,
  spender,
} from '../ledger/ledger-under-test.ts'

const methods = ledgerInterface
const certificate = utf8('a certificate')

/** A mint, an approval, a transfer, one by the spender, and a burn. */
const ledger = new LedgerUnderTest()
ledger.fund(alice, 10_000_000n)
ledger.approve(alice, spender, 900_000n, { createdAtTime: START })
ledger.transfer(alice, bob, 5n, { memo: utf8('hi') })
ledger.transferFrom(spender, [alice, bob], 6n, { fee: FEE })
ledger.pass(NS_PER_SECOND)
ledger.transfer(alice, minter, 20_000n)
const canister = new LedgerCanister(ownCanisterIds.ledger, ledger.state)

function ask<A extends readonly unknown[], M extends Method>(
  methodName: keyof typeof methods,
  method: M,
  { args, kind = 'query' }: { readonly args: A; readonly kind?: 'query' | 'update' },
): ValueOf<M['result']> {
  const handlers = canister.handlers({
    caller: anonymous,
    now: ledger.now,
    kind,
    dataCertificate: () => (kind === 'query' ? certificate : undefined),
  })
  const call = { canisterId: canister.id, methodName, arg: encodeArgs(method.args, [...args]) }
  const reply = dispatch(handlers, call, kind)
  if (reply.type !== 'replied') throw new RangeError(reply.message)
  const [value] = decodeArgs([method.result], reply.arg)
  return value as ValueOf<M['result']>
}
const all = { start: 0n, length: MAX }
const blocksOf = (kind: 'query' | 'update' = 'query', range = all) =>
  ask('get_blocks', methods.get_blocks, { args: [range], kind })
const transactionsOf = (range = all) =>
  ask('get_transactions', methods.get_transactions, { args: [range] })

describe('get_blocks', () => {
  test('gives the blocks of icrc3_get_blocks, numbers of 64 bits as such', () => {
    const newest = ask('icrc3_get_blocks', methods.icrc3_get_blocks, { args: [[all]] })
    const { blocks, firstIndex, chainLength, archivedBlocks } = blocksOf()
    expect(blocks).toEqual(newest.blocks.map(({ block }) => legacyValue(block)))
    expect([firstIndex, chainLength, archivedBlocks]).toEqual([0n, 5n, []])
  })

  test('serves the range that is asked for', () => {
    const { blocks, firstIndex } = blocksOf('query', { start: 3n, length: 1n })
    expect([firstIndex, blocks]).toEqual([3n, blocksOf().blocks.slice(3, 4)])
  })

  test('carries a certificate as a query only', () => {
    expect(blocksOf().certificate).toEqual(certificate)
    expect(blocksOf('update').certificate).toBeUndefined()
  })

  test.each(['get_blocks', 'get_transactions'] as const)('%s traps at 2^64', (name) => {
    for (const range of [
      { start: MAX + 1n, length: 1n },
      { start: 0n, length: MAX + 1n },
    ])
      expect(() => ask(name, methods[name], { args: [range] })).toThrow('ic0.trap')
  })
})

const small = { type: 'nat', nat: 0n } as const
const smallThen = { type: 'nat64', nat64: 0n } as const
test.each([
  ['a number of 64 bits', { type: 'nat', nat: MAX }, { type: 'nat64', nat64: MAX }],
  ['a larger number', { type: 'nat', nat: MAX + 1n }, { type: 'nat', nat: MAX + 1n }],
  ['an integer', { type: 'int', int: 1n }, { type: 'int', int: 1n }],
  ['a list', { type: 'array', array: [small] }, { type: 'array', array: [smallThen] }],
  ['a map', { type: 'map', map: [['a', small]] }, { type: 'map', map: [['a', smallThen]] }],
] as const)('the older form of %s', (_, value, expected) => {
  expect(legacyValue(value)).toEqual(expected)
})

test('get_transactions gives each kind in its own record', () => {
  const { transactions, firstIndex, logLength, archivedTransactions } = transactionsOf()
  expect([firstIndex, logLength, archivedTransactions]).toEqual([0n, 5n, []])
  const [mint, approve, transfer, spent, burn] = transactions
  expect(mint).toEqual({
    kind: 'mint',
    timestamp: START,
    mint: { to: { owner: alice }, amount: 10_000_000n },
  })
  expect(approve).toMatchObject({
    kind: 'approve',
    approve: {
      from: { owner: alice },
      spender: { owner: spender },
      fee: FEE,
      createdAtTime: START,
    },
  })
  expect(transfer).toMatchObject({
    kind: 'transfer',
    transfer: {
      from: { owner: alice },
      to: { owner: bob },
      amount: 5n,
      fee: FEE,
      memo: fromHex('6869'),
    },
  })
  expect(spent).toMatchObject({
    kind: 'transfer',
    transfer: { spender: { owner: spender }, fee: FEE },
  })
  expect(burn).toMatchObject({ kind: 'burn', burn: { from: { owner: alice }, amount: 20_000n } })
  expect(transactionsOf({ start: 1n, length: 2n }).transactions).toEqual([approve, transfer])
})

test('get_data_certificate shows the tip, certified as a query only', () => {
  const read = (kind: 'query' | 'update') =>
    ask('get_data_certificate', methods.get_data_certificate, { args: [], kind })
  const hashTree = encodeTipTree(ledger.state)
  expect(read('query')).toEqual({ certificate, hashTree })
  expect(read('update')).toEqual({ hashTree })
})

test('there are no archives', () => {
  expect(ask('archives', methods.archives, { args: [] })).toEqual([])
})
