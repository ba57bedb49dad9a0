/** The best chain of the embedded Bitcoin node in a store: blocks by height. Source: RN-6, RN-23. */
import { concat, fromBigEndian, u32be, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { Block } from '../../core/btc/block.ts'
import { decodeBlock, encodeBlock } from '../../core/btc/block.ts'
import { regtest } from '../../core/btc/network.ts'
import { CHAIN_FORMAT, chainHead, headFlaw } from '../../core/btc/regtest/chain-snapshot.ts'
import type { ChainChange, RegtestOptions } from '../../core/btc/regtest/node.ts'
import { RegtestNode } from '../../core/btc/regtest/node.ts'
import { storeDamaged, storeOtherFormat, storeOtherNetwork } from '../store/problem.ts'
import type { Store } from '../store/store.ts'

const BLOCKS = utf8('block/')
/** What the chain is of; a store that an earlier version has written lacks it. */
const HEAD = utf8('chain')
/** Blocks read at one time. */
const PAGE_MAX = 256

const blockKey = (height: number): Uint8Array => concat(BLOCKS, u32be(height))

/**
 * The node whose chain lies in the store, and goes on there. Throws the problem of a damaged store.
 */
export function durableRegtestNode(
  store: Store,
  options: Pick<RegtestOptions, 'mempool'> = {},
): RegtestNode {
  checkHead(store)
  const blocks = readBlocks(store)
  const node = attempt(
    () => new RegtestNode({ ...options, blocks, keep: (change) => keep(store, change) }),
  )
  if (node instanceof BadEncoding) throw storeDamaged(store.name, node.message, node)
  return node
}

function checkHead(store: Store): void {
  const head = store.get(HEAD)
  if (head === undefined) {
    store.transaction((writer) => writer.put(HEAD, chainHead()))
    return
  }
  const flaw = attempt(() => headFlaw(head))
  if (flaw instanceof BadEncoding) throw storeDamaged(store.name, flaw.message, flaw)
  if (flaw?.type === 'otherFormat')
    throw storeOtherFormat(store.name, { found: flaw.found, known: CHAIN_FORMAT })
  if (flaw?.type === 'otherNetwork')
    throw storeOtherNetwork(store.name, { found: flaw.found, wanted: regtest.name })
}

function readBlocks(store: Store): readonly Block[] {
  const blocks: Block[] = []
  for (;;) {
    const from = blockKey(blocks.length + 1)
    const page = store.range({ prefix: BLOCKS, from, limit: PAGE_MAX })
    if (page.length === 0) return blocks
    for (const { key, value } of page) {
      const height = blocks.length + 1
      if (fromBigEndian(key.subarray(BLOCKS.length)) !== BigInt(height))
        throw storeDamaged(store.name, `block ${height} is missing`)
      const block = attempt(() => decodeBlock(value))
      if (block instanceof BadEncoding)
        throw storeDamaged(store.name, `block ${height} is unreadable`, block)
      blocks.push(block)
    }
  }
}

function keep(store: Store, { height, blocks }: ChainChange): void {
  store.transaction((writer) => {
    for (const [i, block] of blocks.entries()) writer.put(blockKey(height + i), encodeBlock(block))
    const from = blockKey(height + blocks.length)
    for (const { key } of writer.range({ prefix: BLOCKS, from })) writer.remove(key)
  })
}
