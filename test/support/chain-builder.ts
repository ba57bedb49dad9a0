/** Regtest chains for tests: real blocks with real proof of work, built on any parent. */
import type { BlockHash } from '../../src/core/base/bytes.ts'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { sat, timestampNs } from '../../src/core/base/units.ts'
import type { Block, BlockHeader } from '../../src/core/btc/block.ts'
import { headerHash, subsidy } from '../../src/core/btc/block.ts'
import type { HeaderNode, HeaderTree } from '../../src/core/btc/header-tree.ts'
import {
  addHeader,
  bestHeader,
  judgeHeader,
  newHeaderTree,
} from '../../src/core/btc/header-tree.ts'
import type { Network } from '../../src/core/btc/network.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { mineBlock } from '../../src/core/btc/regtest/miner.ts'
import { p2wpkhScript } from '../../src/core/btc/script.ts'
import type { OutPoint, Transaction } from '../../src/core/btc/transaction.ts'
import { encodeTransaction, transactionFromParts, txid } from '../../src/core/btc/transaction.ts'

/** Two months after the genesis of regtest: late enough for any chain a test mines. */
export const NOW_S = regtest.genesis.time + 5_000_000
export const NOW: TimestampNs = timestampNs(BigInt(NOW_S) * 1_000_000_000n)

/** A script with an address, one for each number. */
export const scriptOf = (owner: number): Uint8Array => p2wpkhScript(new Uint8Array(20).fill(owner))
/** Who gets coinbases unless told. */
export const MINER = scriptOf(0xff)

export type BlockPlan = {
  readonly parent?: Block | undefined
  readonly transactions?: readonly Transaction[]
  readonly fees?: bigint
  readonly payTo?: Uint8Array
}

/** Remembers every header it made, so that a block can be put on any of them. */
export class ChainBuilder {
  readonly tree: HeaderTree
  #mined = 0n

  /** Goes on where `blocks`, mined by another builder, end. */
  constructor(blocks: readonly Block[] = [], network: Network = regtest) {
    this.tree = newHeaderTree(network)
    for (const { header } of blocks) this.know(header)
    this.#mined = BigInt(blocks.length)
  }

  node(block: Block | undefined): HeaderNode {
    if (block === undefined) return bestHeader(this.tree)
    return present(this.tree.nodes.get(toHex(headerHash(block.header))), 'a block of this builder')
  }

  /** On `parent`, or on the best header. Nothing but the header is checked. */
  mine({ parent, transactions = [], fees = 0n, payTo = MINER }: BlockPlan = {}): Block {
    const node = this.node(parent)
    const block = mineBlock({
      tree: this.tree,
      parent: node,
      transactions,
      fees,
      payToScript: payTo,
      extraNonce: this.#mined++,
      nowSeconds: regtest.genesis.time + 600 * (node.height + 1),
    })
    this.know(block.header)
    return block
  }

  /** `count` empty blocks in a row on `parent`. */
  mineMany(count: number, plan: BlockPlan = {}): readonly Block[] {
    const blocks: Block[] = []
    for (let i = 0; i < count; i++)
      blocks.push(this.mine({ ...plan, parent: blocks.at(-1) ?? plan.parent }))
    return blocks
  }

  know(header: BlockHeader): void {
    const verdict = judgeHeader(this.tree, header, NOW_S)
    if (verdict.type === 'valid') addHeader(this.tree, verdict.node)
  }

  /** The header with the next nonce that meets its target. */
  solved(header: BlockHeader): BlockHeader {
    for (let nonce = 0; ; nonce++) {
      const tried = { ...header, nonce }
      const known = judgeHeader(this.tree, tried, NOW_S)
      if (known.type !== 'invalid' || known.reason !== 'high-hash') {
        this.know(tried)
        return tried
      }
    }
  }
}

/** The first output of a block's coinbase. */
export const coinbaseOutput = (block: Block): OutPoint => ({
  txid: txid(present(block.transactions[0], 'a block has a coinbase')),
  vout: 0,
})

export const hashOfBlock = (block: Block): BlockHash => headerHash(block.header)

/** A transaction without signatures: the chain view runs no scripts. */
export function spend(
  inputs: readonly OutPoint[],
  outputs: readonly { readonly to: Uint8Array; readonly value: bigint }[],
  more: { readonly lockTime?: number; readonly sequence?: number; readonly version?: number } = {},
): Transaction {
  return transactionFromParts({
    version: more.version ?? 2,
    lockTime: more.lockTime ?? 0,
    inputs: inputs.map((outpoint) => ({
      outpoint,
      ...(more.sequence === undefined ? {} : { sequence: more.sequence }),
    })),
    outputs: outputs.map(({ to, value }) => ({ script: to, value: sat(value) })),
  })
}

export const outputOf = (tx: Transaction, vout = 0): OutPoint => ({ txid: txid(tx), vout })

export const bytesOf = (tx: Transaction): Uint8Array => encodeTransaction(tx)

export const subsidyAt = (height: number): bigint => subsidy(height, regtest)
