/**
 * Goal: a Bitcoin canister that asks for what follows its anchor gets each block once, in order,
 * within the limits. Method: bitcoin specification §9.9; regtest chains, asked as a canister would.
 */
import { describe, expect, test } from 'vitest'
import { concatAll, equalBytes, hash32, toHex } from '../../../src/core/base/bytes.ts'
import type { Block } from '../../../src/core/btc/block.ts'
import { encodeBlock, encodeHeader } from '../../../src/core/btc/block.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import type { Successors } from '../../../src/core/btc/successors.ts'
import {
  pageOfSuccessors,
  SUCCESSORS_BYTES_MAX,
  successorsOf,
} from '../../../src/core/btc/successors.ts'
import type { ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { BitcoinCanister } from '../../../src/core/subnet/bitcoin-canister.ts'
import { successorCalls } from '../../../src/core/subnet/bitcoin-interface.ts'
import { passBitcoinCall } from '../../../src/core/subnet/canister-calls.ts'
import {
  ChainBuilder,
  coinbaseOutput,
  hashOfBlock,
  NOW,
  scriptOf,
  spend,
  subsidyAt,
} from '../../support/chain-builder.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'

const genesis = regtest.genesis.hash
const chain = new ChainBuilder()
const main = chain.mineMany(5)
const side = chain.mineMany(2, { parent: main[0], payTo: scriptOf(3) })
const [a, b, c, d, e] = main as [Block, Block, Block, Block, Block]
const [x, y] = side as [Block, Block]

const hexOf = ({ blocks, next }: Successors) => ({
  blocks: blocks.map(toHex),
  next: next.map(toHex),
})
const expected = (blocks: readonly Block[], next: readonly Block[]) => ({
  blocks: blocks.map((block) => toHex(encodeBlock(block))),
  next: next.map(({ header }) => toHex(encodeHeader(header))),
})
const ask = (view: ChainViewHarness, anchor = genesis, processed: readonly Block[] = []) => {
  const found = successorsOf(view.state, { anchor, processed: processed.map(hashOfBlock) })
  return found && hexOf(found)
}

describe('successors', () => {
  test('come breadth-first from the anchor’s children', () => {
    const view = new ChainViewHarness()
    view.follow(a, b, c, x, y, d, e)
    expect(ask(view)).toEqual(expected([a, b, x, c, y, d, e], []))
    expect(ask(view, hashOfBlock(b))).toEqual(expected([c, d, e], []))
    expect(ask(view, genesis, [a, b])).toEqual(expected([x, c, y, d, e], []))
    expect(ask(view, hashOfBlock(e))).toEqual(expected([], []))
    expect(ask(view, hash32(new Uint8Array(32)))).toBeUndefined()
  })

  test('end at a block that is not here, whose headers are next', () => {
    const view = new ChainViewHarness()
    view.follow(a, b)
    view.headers(c, d, e, x, y)
    view.bodies(d) // An orphan: it is here, but hidden behind its parent.
    expect(ask(view)).toEqual(expected([a, b], [x, c, y, d, e]))
    expect(ask(view, genesis, [a])).toEqual(expected([b], [x, c, y, d, e]))
    expect(ask(view, hashOfBlock(c))).toEqual(expected([d], [e]))
  })

  test('are found below the anchor of the view, too', () => {
    const view = new ChainViewHarness(1)
    view.follow(...main)
    expect(ask(view)).toEqual(expected(main, []))
  })

  test('are a hundred blocks and a hundred headers at most', () => {
    const many = new ChainBuilder().mineMany(250)
    const view = new ChainViewHarness()
    view.follow(...many.slice(0, 130))
    view.headers(...many.slice(130))
    expect(ask(view)).toEqual(expected(many.slice(0, 100), many.slice(100, 200)))
  })

  test('of mainnet come one at a time from anchors above 750,000', () => {
    const view = new ChainViewHarness()
    view.follow(...main)
    const root = view.state.headers.best[1]
    if (root === undefined) throw new Error('a block')
    const { state } = view
    for (const [height, count] of [
      [750_000, 4],
      [750_001, 1],
    ] as const) {
      const nodes = new Map(state.headers.nodes).set(root.key, { ...root, height })
      const headers = { ...state.headers, nodes }
      const high = { ...state, headers, config: { ...state.config, network: mainnet } }
      const found = successorsOf(high, { anchor: root.hash, processed: [] })
      expect(found?.blocks.length).toBe(count)
      expect(found?.next.length).toBe(4 - count)
    }
  })
})

describe('blocks of more than two megabytes', () => {
  const base = new ChainBuilder().mineMany(101)
  const more = new ChainBuilder(base)
  const tx = spend([coinbaseOutput(base[0] as Block)], [{ to: scriptOf(1), value: subsidyAt(1) }])
  const witness = [new Uint8Array(3_600_000).fill(7)]
  const [input] = tx.inputs
  if (input === undefined) throw new Error('one input')
  const large = more.mine({ transactions: [{ ...tx, inputs: [{ ...input, witness }] }] })
  const small = more.mine({ parent: large })
  const bytes = encodeBlock(large)

  test('are cut, and no part is larger than a response', () => {
    const next = [new Uint8Array(80), new Uint8Array(80)]
    const page = pageOfSuccessors({ blocks: [bytes], next })
    if (page.type !== 'partial') throw new Error('a part')
    expect(page.partialBlock.length).toBe(SUCCESSORS_BYTES_MAX - 160)
    expect(equalBytes(concatAll([page.partialBlock, ...page.followUps]), bytes)).toBe(true)
    const exact = bytes.slice(0, SUCCESSORS_BYTES_MAX - 160)
    expect(pageOfSuccessors({ blocks: [exact], next }).type).toBe('complete')
  })

  test('reach a canister part by part', () => {
    const state = { ...BitcoinCanister.initialState(), headers: new Map() }
    const canister = new BitcoinCanister(ownCanisterIds.bitcoin, state, {
      operator: ownCanisterIds.minter,
      nodes: 1,
    })
    for (const block of [...base, large, small]) {
      canister.propose(0, [encodeHeader(block.header)], NOW)
      canister.block(encodeBlock(block), NOW)
    }
    const { bitcoin_get_successors: method } = successorCalls
    const call = (request: ValueOf<(typeof method.args)[0]>, caller = canisterOfNumber(9n)) => {
      const arg = encodeArgs(method.args, [request])
      const [methodName, effect] = ['bitcoin_get_successors', new Uint8Array(1)]
      const reply = passBitcoinCall(canister, { caller, effect, methodName, arg, cycles: 0n }, NOW)
      if (reply.answer.type === 'rejected') return reply.answer.message
      return decodeArgs([method.result], reply.answer.arg)[0]
    }
    const anchor = hashOfBlock(base[100] as Block)
    const initial = {
      type: 'initial',
      network: 'regtest',
      anchor,
      processedBlockHashes: [],
    } as const
    const first = call(initial)
    if (typeof first === 'string' || first.type !== 'partial') throw new Error('a part')
    expect(first.next.map(toHex)).toEqual(expected([], [small]).next)
    expect(first.remainingFollowUps).toBe(1)
    const rest = call({ type: 'followUp', page: 0 })
    if (typeof rest === 'string' || rest.type !== 'followUp') throw new Error('the rest')
    expect(equalBytes(concatAll([first.partialBlock, rest.bytes]), bytes)).toBe(true)
    expect(call({ type: 'followUp', page: 1 })).toBe('Page 1 not found.')
    expect(call({ type: 'followUp', page: 0 }, canisterOfNumber(8n))).toBe('Page 0 not found.')
    const after = call({ ...initial, processedBlockHashes: [hashOfBlock(large)] })
    expect(after).toMatchObject({ type: 'complete', next: [] })
    expect(call({ type: 'followUp', page: 0 })).toBe('Page 0 not found.')
    expect(call({ ...initial, network: 'mainnet' })).toBe('Network must be regtest. Found mainnet')
  })
})
