/**
 * Goal: the chain that the canisters see is what f + 1 nodes have seen, and shows the minter
 * nothing that cannot be spent.
 * Method: architecture §5, bitcoin specification BLK-11; a real regtest chain, four nodes.
 */
import { describe, expect, test } from 'vitest'
import { concat, fromHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../../src/core/base/units.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader, HEADER_SIZE } from '../../../src/core/btc/block.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { BitcoinCanister } from '../../../src/core/subnet/bitcoin-canister.ts'
import { ChainBuilder, coinbaseOutput, NOW, scriptOf } from '../../support/chain-builder.ts'

const owner = scriptOf(7)
const builder = new ChainBuilder()
const paid = builder.mine({ payTo: owner })
const chain = [paid, ...builder.mineMany(99, { parent: paid })]
const last = present(chain[99], 'a hundred blocks')
const raw = (blocks: readonly Block[]): readonly Uint8Array[] =>
  blocks.map(({ header }) => encodeHeader(header))
const headersOf = raw(chain)

const fresh = (nodes: number): BitcoinCanister =>
  new BitcoinCanister(
    ownCanisterIds.bitcoin,
    { ...BitcoinCanister.initialState(), headers: new Map() },
    { operator: ownCanisterIds.minter, nodes },
  )

/** A canister of four nodes, two of which have named the headers. */
function informed(count: number): BitcoinCanister {
  const canister = fresh(4)
  for (const node of [0, 1]) canister.propose(node, headersOf.slice(0, count), NOW)
  return canister
}

describe('headers', () => {
  test('enter when f + 1 nodes have named them', () => {
    const canister = fresh(4)
    canister.propose(2, headersOf.slice(0, 3), NOW)
    expect(canister.knows(paid.header)).toBe(false)
    canister.propose(2, headersOf.slice(0, 3), NOW)
    expect(canister.knows(paid.header)).toBe(false)
    canister.propose(0, headersOf.slice(0, 2), NOW)
    expect(canister.adapterWork().wanted).toHaveLength(2)
  })

  test('that one node names never enter, even when they build on what all know', () => {
    const canister = informed(1)
    const fork = new ChainBuilder([paid])
    const secret = fork.mineMany(5, { parent: paid, payTo: scriptOf(9) })
    canister.propose(3, raw(secret), NOW)
    for (const { header } of secret) expect(canister.knows(header)).toBe(false)
  })

  test('that are malformed are passed over, and those beside them count', () => {
    const canister = fresh(4)
    const one = present(headersOf[0], 'a header')
    for (const node of [0, 1])
      canister.propose(node, [new Uint8Array(79), new Uint8Array(), one, new Uint8Array(81)], NOW)
    expect(canister.knows(paid.header)).toBe(true)
  })

  test('that break a rule do not enter with all voices', () => {
    const canister = fresh(4)
    const header = { ...paid.header, bits: 0x1d00ffff }
    for (const node of [0, 1, 2, 3]) canister.propose(node, [encodeHeader(header)], NOW)
    expect(canister.knows(header)).toBe(false)
  })

  test('wait for their parents, in whatever order they come', () => {
    const canister = fresh(4)
    for (const node of [0, 1]) canister.propose(node, headersOf.slice(1), NOW)
    expect(canister.knows(last.header)).toBe(false)
    for (const node of [2, 3]) canister.propose(node, headersOf.slice(0, 1), NOW)
    expect(canister.knows(last.header)).toBe(true)
    const reversed = fresh(4)
    for (const node of [0, 1]) reversed.propose(node, headersOf.toReversed(), NOW)
    expect(reversed.knows(last.header)).toBe(true)
  })

  test('that come too early are judged again later', () => {
    const ahead = { ...paid.header, time: paid.header.time + 10_000_000 }
    const future = new ChainBuilder().solved(ahead)
    const canister = fresh(4)
    for (const node of [0, 1]) canister.propose(node, [encodeHeader(future)], NOW)
    expect(canister.knows(future)).toBe(false)
    canister.propose(2, [], addNs(NOW, 10_000_000n * NS_PER_SECOND))
    expect(canister.knows(future)).toBe(true)
  })

  test('named by liars in reverse are judged without starting over for each parent', () => {
    const many = new ChainBuilder().mineMany(3_500)
    const canister = fresh(4)
    canister.propose(3, raw(many).toReversed(), NOW)
    // Judging again from the start after each parent would outlast the limit of the test run.
    canister.propose(0, raw(many), NOW)
    expect(canister.knows(present(many.at(-1), 'the last').header)).toBe(true)
  })
})

describe('the minter', () => {
  const utxosOf = (canister: BitcoinCanister) =>
    canister.port(NOW).utxos({ script: owner, minConfirmations: 6 })

  test('sees nothing while bodies are missing', () => {
    const canister = informed(100)
    expect(utxosOf(canister).type).toBe('temporarilyUnavailable')
  })

  test('bitcoin §13.28: sees a coinbase with its hundredth block, not before', () => {
    const canister = informed(100)
    const immature = informed(99)
    for (const block of chain) canister.block(encodeBlock(block), NOW)
    for (const block of chain.slice(0, 99)) immature.block(encodeBlock(block), NOW)
    expect(utxosOf(immature)).toEqual({ type: 'utxos', utxos: [], tipHeight: 99 })
    const found = utxosOf(canister)
    expect(found).toMatchObject({
      tipHeight: 100,
      utxos: [{ outpoint: coinbaseOutput(paid), height: 1 }],
    })
    expect(canister.violations()).toEqual([])
  })

  test('sees nothing of a chain that is shorter than the depth it asks for', () => {
    const canister = informed(2)
    for (const block of chain.slice(0, 2)) canister.block(encodeBlock(block), NOW)
    expect(utxosOf(canister)).toEqual({ type: 'utxos', utxos: [], tipHeight: 2 })
  })

  test('is told when a transaction is none', () => {
    expect(informed(1).port(NOW).send(new Uint8Array(3))).toMatchObject({
      type: 'temporarilyUnavailable',
    })
  })
})

test('blocks without a header, malformed or twice change nothing', () => {
  const canister = informed(1)
  const bodies = [encodeBlock(last), new Uint8Array(), encodeBlock(paid).slice(0, -1)]
  for (const bytes of bodies) canister.block(bytes, NOW)
  expect(canister.tipHeight).toBe(0)
  for (const _ of [1, 2]) canister.block(encodeBlock(paid), NOW)
  expect(canister.tipHeight).toBe(1)
})

test('bitcoin §13.31: a count longer than needed refuses the body, and says nothing of the header', () => {
  const canister = informed(1)
  const bytes = encodeBlock(paid)
  const long = concat(bytes.slice(0, HEADER_SIZE), fromHex('fd0100'), bytes.slice(HEADER_SIZE + 1))
  expect(bytes[HEADER_SIZE]).toBe(1)
  canister.block(long, NOW)
  expect([canister.tipHeight, canister.wants(bytes)]).toEqual([0, true])
  canister.block(bytes, NOW)
  expect(canister.tipHeight).toBe(1)
})
