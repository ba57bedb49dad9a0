/** Goal: what was kept is the same tree again, and what is damaged is cut off where the damage is. */
import { expect, it, test } from 'vitest'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { REJUDGED_HEADERS, restoreHeaders } from '../../../src/core/btc/header-restore.ts'
import type { HeaderTree } from '../../../src/core/btc/header-tree.ts'
import {
  addHeader,
  bestHeader,
  judgeHeader,
  newHeaderTree,
} from '../../../src/core/btc/header-tree.ts'
import { EasyChain, easyNetwork } from '../../support/easy-headers.ts'

const network = easyNetwork()
const OLD = 34
const chain = new EasyChain(network).grow(OLD + REJUDGED_HEADERS)
const kept = chain.after(0, chain.height)

function restored(headers: readonly BlockHeader[], nowSeconds = chain.time) {
  const tree = newHeaderTree(network)
  restoreHeaders(tree, headers, nowSeconds)
  return tree
}

it('gives the tree that the headers were kept from', () => {
  const tree = newHeaderTree(network)
  for (const header of kept) {
    const verdict = judgeHeader(tree, header, chain.time)
    if (verdict.type === 'valid') addHeader(tree, verdict.node)
  }
  const facts = ({ best, nodes, children }: HeaderTree) => [
    best.map(({ key, height, work, parent }) => [key, height, work, parent?.key]),
    [...nodes.keys()],
    [...children].map(([key, nodesAbove]) => [key, nodesAbove.map((node) => node.key)]),
  ]
  expect(facts(restored(kept))).toEqual(facts(tree))
})

const changed = (at: number, part: Partial<BlockHeader>): readonly BlockHeader[] =>
  kept.with(at, { ...(kept[at] as BlockHeader), ...part })

test.each<[string, readonly BlockHeader[], number]>([
  ['an old header with another time', changed(20, { time: 1 }), 20],
  ['an old header with easier bits', changed(20, { bits: 0x207fffff - 1 }), 20],
  ['the first header', changed(0, { nonce: 77_777 }), 0],
  ['the last of the old ones', changed(OLD - 1, { nonce: 77_777 }), OLD - 1],
  ['the first of the new ones', changed(OLD, { time: 1 }), OLD],
  [
    'the last header, whose bits are not the required ones',
    changed(kept.length - 1, { bits: 0x207ffffe }),
    kept.length - 1,
  ],
  [
    'the last header, which is older than the ones before',
    changed(kept.length - 1, { time: 1 }),
    kept.length - 1,
  ],
  ['a gap', kept.toSpliced(30, 1), 29],
  ['nothing', [], 0],
])('damage in %s ends the chain below it', (_, headers, height) => {
  expect(bestHeader(restored(headers)).height).toBe(height)
})

it('what is from the future by now is left out', () => {
  expect(bestHeader(restored(kept, chain.time - 7_201)).height).toBe(kept.length - 1)
})
