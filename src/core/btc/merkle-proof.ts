/**
 * Proofs that a block holds a transaction, without the block. Source: bitcoin.md §5.1 BLK-17;
 * CVE-2012-2459, CVE-2017-12842.
 */
import type { Hash32, Txid } from '../base/bytes.ts'
import { equalBytes } from '../base/bytes.ts'
import type { BlockHeader } from './block.ts'
import { hashPair } from './merkle.ts'
import type { Transaction } from './transaction.ts'
import { isCoinbase, strippedSize, txid } from './transaction.ts'

/** A path from a leaf to the root: the neighbours from the bottom up. */
export type MerkleBranch = {
  /** Place of the leaf in the block. */
  readonly position: number
  readonly siblings: readonly Hash32[]
}

export type InclusionProof = {
  readonly transaction: Transaction
  readonly branch: MerkleBranch
  /** The coinbase of the same block, which shows how deep its tree is. */
  readonly coinbase: { readonly transaction: Transaction; readonly branch: MerkleBranch }
  /** How many transactions the block is said to hold. */
  readonly transactionCount: number
}

export type ProofReject =
  | 'transaction-of-64-bytes'
  | 'not-a-coinbase'
  | 'misplaced-coinbase'
  | 'bad-position'
  | 'bad-depth'
  | 'other-depth-than-coinbase'
  | 'duplicated-branch'
  | 'bad-merkle-root'

/** Size of an inner node before it is hashed: a "transaction" of that size may be one. */
const INNER_NODE_SIZE = 64
/** A block of 4,000,000 weight has fewer transactions. */
const DEPTH_MAX = 17

/** Levels above the leaves of a tree. */
export function merkleDepth(leafCount: number): number {
  let depth = 0
  for (let width = leafCount; width > 1; width = Math.ceil(width / 2)) depth++
  return depth
}

/** Why the proof does not show that a block of this header holds the transaction. */
export function checkInclusion(
  { transaction, branch, coinbase, transactionCount }: InclusionProof,
  { merkleRoot }: Pick<BlockHeader, 'merkleRoot'>,
): ProofReject | undefined {
  if ([transaction, coinbase.transaction].some((tx) => strippedSize(tx) === INNER_NODE_SIZE))
    return 'transaction-of-64-bytes'
  if (!isCoinbase(coinbase.transaction)) return 'not-a-coinbase'
  // Only the first transaction is a coinbase, and nothing else is first.
  if (coinbase.branch.position !== 0) return 'misplaced-coinbase'
  if (isCoinbase(transaction) !== (branch.position === 0)) return 'misplaced-coinbase'
  if (branch.siblings.length !== coinbase.branch.siblings.length) return 'other-depth-than-coinbase'
  return (
    checkBranch(txid(coinbase.transaction), coinbase.branch, { transactionCount, merkleRoot }) ??
    checkBranch(txid(transaction), branch, { transactionCount, merkleRoot })
  )
}

type Tree = { readonly transactionCount: number; readonly merkleRoot: Hash32 }

function checkBranch(
  leaf: Txid,
  { position, siblings }: MerkleBranch,
  { transactionCount, merkleRoot }: Tree,
): ProofReject | undefined {
  if (!Number.isSafeInteger(position) || position < 0 || position >= transactionCount)
    return 'bad-position'
  if (siblings.length > DEPTH_MAX || siblings.length !== merkleDepth(transactionCount))
    return 'bad-depth'
  let hash: Hash32 = leaf
  let at = position
  let width = transactionCount
  for (const sibling of siblings) {
    // The last of an odd level is paired with itself, and nothing else is (CVE-2012-2459).
    const isAlone = (at ^ 1) >= width
    if (equalBytes(sibling, hash) !== isAlone) return 'duplicated-branch'
    hash = at % 2 === 0 ? hashPair(hash, sibling) : hashPair(sibling, hash)
    at >>= 1
    width = Math.ceil(width / 2)
  }
  return equalBytes(hash, merkleRoot) ? undefined : 'bad-merkle-root'
}

/** The path of one of the transactions of a block. */
export function merkleBranch(txids: readonly Hash32[], position: number): MerkleBranch {
  const siblings: Hash32[] = []
  let level = txids
  for (let at = position; level.length > 1; at >>= 1) {
    const own = level[at]
    const sibling = level[at ^ 1] ?? own
    if (sibling !== undefined) siblings.push(sibling)
    level = pairs(level)
  }
  return { position, siblings }
}

function pairs(level: readonly Hash32[]): readonly Hash32[] {
  return level.flatMap((left, i) => (i % 2 === 0 ? hashPair(left, level[i + 1] ?? left) : []))
}
