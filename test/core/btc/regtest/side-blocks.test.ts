/**
 * Goal: blocks off the best chain take no more memory than they may, whoever sends them, and the
 * chain with most work is followed all the same (specification RN-6).
 */
import { beforeEach, expect, it } from 'vitest'
import type { Block } from '../../../../src/core/btc/block.ts'
import { blockSize, headerHash } from '../../../../src/core/btc/block.ts'
import { genesisBlock } from '../../../../src/core/btc/genesis.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { Chain } from '../../../../src/core/btc/regtest/chain.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { ScriptVerifier } from '../../../../src/core/btc/regtest/script-verifier.ts'
import { blockOn, NOW, verdict } from './chains.ts'

const maker = new RegtestNode()
const start = { header: genesisBlock(regtest).header, height: 0 }

/** Empty blocks of one size, each on the one before; `shift` of their times makes them others. */
function branch(shift: number, length: number): readonly Block[] {
  const blocks: Block[] = []
  let parent = start
  for (let i = 0; i < length; i++) {
    const block = blockOn(maker, { parent, header: (h) => ({ ...h, time: h.time + shift }) })
    blocks.push(block)
    parent = { header: block.header, height: parent.height + 1 }
  }
  return blocks
}

const best = branch(1, 5)
const [first, second, long] = [branch(2, 3), branch(3, 4), branch(4, 6)]
const size = Math.max(...[...best, ...long].map((block) => blockSize(block).total))

let chain: Chain
/** There is room for three blocks off the best chain. */
beforeEach(() => {
  chain = new Chain(regtest, new ScriptVerifier(), 3.5 * size)
  expect(offer(best)).toEqual(best.map(() => 'accepted'))
})

const offer = (blocks: readonly Block[]): readonly string[] =>
  blocks.map((block) => verdict(chain.add(block, NOW)))
const has = (block: Block | undefined): boolean =>
  block !== undefined && chain.block(headerHash(block.header)) !== undefined

it('a branch gives way to one that grows when there is no room for both', () => {
  expect(offer(first)).toEqual(['accepted', 'accepted', 'accepted'])
  expect(offer(second.slice(0, 2))).toEqual(['accepted', 'accepted'])
  expect([...first, ...second].filter(has)).toEqual(second.slice(0, 2))
  // Its headers are forgotten with the bodies, so that it may come again.
  expect(offer(first.slice(1, 2))).toEqual(['prev-blk-not-found'])
  expect(offer(first)).toEqual(['accepted', 'accepted', 'accepted'])
})

it('a branch that is larger than the room is refused, and the best chain grows on', () => {
  const refused = 'too-many-side-blocks'
  expect(offer(second)).toEqual(['accepted', 'accepted', 'accepted', refused])
  expect(second.filter(has)).toEqual(second.slice(0, 3))
  const next = blockOn(maker, { parent: { header: chain.tip.header, height: chain.tip.height } })
  expect(offer([next])).toEqual(['accepted'])
})

it('a branch that overtakes in time is followed, and what it replaces takes the room', () => {
  chain = new Chain(regtest, new ScriptVerifier(), 5.5 * size)
  offer(best)
  expect(offer(long)).toEqual(long.map(() => 'accepted'))
  expect(chain.tip.height).toBe(6)
  expect(best.filter(has)).toEqual(best)
  expect(offer(first.slice(0, 1))).toEqual(['accepted'])
  expect(best.filter(has)).toEqual([])
  expect(long.filter(has)).toEqual(long)
})

it('blocks that are refused for themselves take no room', () => {
  const parent = { header: chain.tip.header, height: chain.tip.height }
  for (let i = 0; i < 9; i++) {
    const greedy = blockOn(maker, {
      parent,
      reward: 2n ** 33n,
      header: (h) => ({ ...h, time: h.time + i }),
    })
    expect(offer([greedy])).toEqual(['bad-cb-amount'])
  }
  expect(offer(first)).toEqual(['accepted', 'accepted', 'accepted'])
})
