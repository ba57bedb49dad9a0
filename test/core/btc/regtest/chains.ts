/** Chains to test on, and blocks made by hand: right in everything that a test does not break. */
import { concat, hash32, toDisplayHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { Block, BlockHeader } from '../../../../src/core/btc/block.ts'
import {
  commitmentScript,
  headerHash,
  subsidy,
  witnessCommitment,
} from '../../../../src/core/btc/block.ts'
import { hashMeetsTarget, targetOfBits } from '../../../../src/core/btc/header.ts'
import { merkleRoot } from '../../../../src/core/btc/merkle.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { heightPush } from '../../../../src/core/btc/script.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import { NULL_VOUT, transactionFromParts, txid } from '../../../../src/core/btc/transaction.ts'
import type { TestCoin, TestWallet } from './wallets.ts'
import { coinOf } from './wallets.ts'

export const NOW = 1_700_000_000
export const SUBSIDY = 5_000_000_000n
const ZERO = hash32(new Uint8Array(32))

/** A node with `mature` spendable coinbases of `owner`: those of heights 1 to `mature`. */
export function nodeWithCoins(owner: TestWallet, mature = 1): RegtestNode {
  const node = new RegtestNode()
  node.mine(mature, owner.script, NOW)
  node.mine(100, Uint8Array.of(0x51), NOW)
  return node
}

/** The coinbase of a height as a coin. */
export function coinbaseCoin(node: RegtestNode, height: number, owner: TestWallet): TestCoin {
  const tx = present(node.blockAt(height)?.transactions[0], 'a block has a coinbase')
  return coinOf(tx, { id: txid(tx), vout: 0, owner })
}

export type BlockParts = {
  readonly transactions?: readonly Transaction[]
  readonly coinbase?: (coinbase: Transaction) => Transaction
  readonly header?: (header: BlockHeader) => BlockHeader
  /** Value of the first output; subsidy by default. */
  readonly reward?: bigint
  readonly fees?: bigint
  /** What the block commits to instead of its own witnesses. */
  readonly commitment?: boolean
  readonly parent?: { readonly header: BlockHeader; readonly height: number }
}

/** A solved block on the tip, or on `parent`. */
export function blockOn(node: RegtestNode, parts: BlockParts = {}): Block {
  const parent = parts.parent ?? node.tip()
  const height = parent.height + 1
  const others = parts.transactions ?? []
  const draft = transactionFromParts({
    inputs: [
      {
        outpoint: { txid: ZERO, vout: NULL_VOUT },
        scriptSig: concat(heightPush(height), Uint8Array.of(1, 0x77)),
        sequence: 0xffff_ffff,
        witness: parts.commitment === false ? [] : [ZERO],
      },
    ],
    outputs: [],
  })
  const reward: TxOut = {
    value: sat(parts.reward ?? subsidy(height, regtest) + (parts.fees ?? 0n)),
    script: Uint8Array.of(0x51),
  }
  const commitment: TxOut = {
    value: sat(0n),
    script: commitmentScript(witnessCommitment([draft, ...others], ZERO)),
  }
  const plain = {
    ...draft,
    outputs: parts.commitment === false ? [reward] : [reward, commitment],
  }
  const transactions = [(parts.coinbase ?? ((tx) => tx))(plain), ...others]
  const header = {
    version: 0x2000_0000,
    previous: headerHash(parent.header),
    merkleRoot: merkleRoot(transactions.map(txid)).root,
    time: parent.header.time + 1,
    bits: 0x207f_ffff,
    nonce: 0,
  }
  return { header: solved((parts.header ?? ((h) => h))(header)), transactions }
}

/** Finds the nonce; bits beyond the limit are solved as those of regtest. */
export function solved(header: BlockHeader): BlockHeader {
  const target = targetOfBits(header.bits, regtest) ?? regtest.powLimit
  let nonce = 0
  while (!hashMeetsTarget(headerHash({ ...header, nonce }), target)) nonce++
  return { ...header, nonce }
}

/** The opposite: a nonce whose hash is above the target. */
export function unsolved(header: BlockHeader): BlockHeader {
  let nonce = 0
  while (hashMeetsTarget(headerHash({ ...header, nonce }), regtest.powLimit)) nonce++
  return { ...header, nonce }
}

/** Reason of a refusal, or the word `accepted`. */
export const verdict = (
  reply: { readonly type: 'accepted' } | { readonly type: 'refused'; readonly reason: string },
): string => (reply.type === 'refused' ? reply.reason : 'accepted')

export const show = (hash: Uint8Array): string => toDisplayHex(hash)
