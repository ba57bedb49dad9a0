/** Blocks and headers: codec, context-free checks, subsidy. Source: `bitcoin.md` §4, §5.1, §5.3. */
import type { BlockHash, Hash32, Txid } from '../base/bytes.ts'
import { concat, equalBytes, hash32 } from '../base/bytes.ts'
import { sha256d } from '../base/hash.ts'
import type { Sat } from '../base/units.ts'
import { sat } from '../base/units.ts'
import { merkleRoot } from './merkle.ts'
import type { Network } from './network.ts'
import { heightPush } from './script.ts'
import type { Transaction, TransactionReject } from './transaction.ts'
import {
  checkTransaction,
  hasWitness,
  isCoinbase,
  readTransaction,
  strippedSize,
  totalSize,
  txid,
  WEIGHT_MAX,
  WITNESS_SCALE,
  writeTransaction,
  wtxid,
} from './transaction.ts'
import type { ByteCursor } from './wire.ts'
import { ByteSink, decodeExactly, lengthSize } from './wire.ts'

export type BlockHeader = {
  /** Signed. */
  readonly version: number
  readonly previous: BlockHash
  readonly merkleRoot: Hash32
  /** Unix seconds. */
  readonly time: number
  readonly bits: number
  readonly nonce: number
}

export type Block = { readonly header: BlockHeader; readonly transactions: readonly Transaction[] }

export const HEADER_SIZE = 80
/** Start of an output script that carries a witness commitment (BIP141). */
const COMMITMENT_PREFIX = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed] as const
const COMMITMENT_SIZE = 38
const TRANSACTION_SIZE_MIN = 10
/** Size of an inner node of the merkle tree before it is hashed. */
const INNER_NODE_SIZE = 64
const SUBSIDY_START = 5_000_000_000n

export function writeHeader(sink: ByteSink, header: BlockHeader): void {
  sink.u32(header.version).raw(header.previous).raw(header.merkleRoot)
  sink.u32(header.time).u32(header.bits).u32(header.nonce)
}

export function encodeHeader(header: BlockHeader): Uint8Array {
  const sink = new ByteSink(HEADER_SIZE)
  writeHeader(sink, header)
  return sink.done()
}

export function readHeader(cursor: ByteCursor): BlockHeader {
  return {
    version: cursor.i32(),
    previous: hash32(cursor.raw(32)),
    merkleRoot: hash32(cursor.raw(32)),
    time: cursor.u32(),
    bits: cursor.u32(),
    nonce: cursor.u32(),
  }
}

export const decodeHeader = (bytes: Uint8Array): BlockHeader => decodeExactly(bytes, readHeader)

export const headerHash = (header: BlockHeader): BlockHash => sha256d(encodeHeader(header))

export function readBlock(cursor: ByteCursor): Block {
  return {
    header: readHeader(cursor),
    transactions: cursor.list(TRANSACTION_SIZE_MIN, readTransaction),
  }
}

/** Exactly one block, nothing after it. */
export const decodeBlock = (bytes: Uint8Array): Block => decodeExactly(bytes, readBlock)

export function encodeBlock(block: Block): Uint8Array {
  const sink = new ByteSink(blockSize(block).total)
  writeHeader(sink, block.header)
  sink.list(block.transactions, (to, tx) => writeTransaction(to, tx, { witness: true }))
  return sink.done()
}

export function blockSize({ transactions }: Block): {
  readonly stripped: number
  readonly total: number
} {
  let stripped = HEADER_SIZE + lengthSize(transactions.length)
  let total = stripped
  for (const tx of transactions) {
    stripped += strippedSize(tx)
    total += totalSize(tx)
  }
  return { stripped, total }
}

/** 3 × stripped size + total size. */
export function blockWeight(block: Block): number {
  const { stripped, total } = blockSize(block)
  return (WITNESS_SCALE - 1) * stripped + total
}

export const txidsOf = (block: Block): readonly Txid[] => block.transactions.map(txid)

/**
 * Merkle root of wtxids, the coinbase counted as zeros.
 *
 * `txids`, if they are at hand, save hashing the transactions that have no witness.
 */
export function witnessRoot(
  transactions: readonly Transaction[],
  txids: readonly Txid[] = [],
): Hash32 {
  const leaves = transactions.map((tx, i) => {
    if (i === 0) return ZERO_HASH
    return (hasWitness(tx) ? undefined : txids[i]) ?? wtxid(tx)
  })
  return merkleRoot(leaves).root
}

const ZERO_HASH = hash32(new Uint8Array(32))

/** What the coinbase must commit to: dsha(witness root ‖ reserved). */
export function witnessCommitment(
  transactions: readonly Transaction[],
  reserved: Uint8Array,
  txids: readonly Txid[] = [],
): Hash32 {
  return sha256d(concat(witnessRoot(transactions, txids), reserved))
}

/** Output script that carries a witness commitment. */
export const commitmentScript = (commitment: Hash32): Uint8Array =>
  concat(Uint8Array.from(COMMITMENT_PREFIX), commitment)

/** The commitment of a coinbase: of the last output that has the form. */
export function findCommitment(coinbase: Transaction): Uint8Array | undefined {
  const output = coinbase.outputs.findLast(
    ({ script }) =>
      script.length >= COMMITMENT_SIZE && COMMITMENT_PREFIX.every((byte, i) => script[i] === byte),
  )
  return output?.script.subarray(COMMITMENT_PREFIX.length, COMMITMENT_SIZE)
}

export type BlockReject =
  | TransactionReject
  | 'bad-txnmrklroot'
  | 'bad-txns-duplicate'
  | 'bad-blk-length'
  | 'bad-cb-missing'
  | 'bad-cb-multiple'
  | 'bad-cb-height'
  | 'bad-witness-nonce-size'
  | 'bad-witness-merkle-match'
  | 'unexpected-witness'
  | 'bad-blk-weight'

/** `mutated` says nothing about the header; `invalid` condemns it and all its descendants. */
export type BlockFlaw = { readonly kind: 'mutated' | 'invalid'; readonly reason: BlockReject }

const mutated = (reason: BlockReject): BlockFlaw => ({ kind: 'mutated', reason })
const invalid = (reason: BlockReject): BlockFlaw => ({ kind: 'invalid', reason })

export type BlockContext = {
  readonly network: Network
  readonly height: number
  /** Ids of the block's transactions, if they are at hand; else computed. */
  readonly txids?: readonly Txid[]
}

/**
 * BLK-2 to BLK-9, in Bitcoin Core's words. The header's own rules are `checkHeader`'s.
 *
 * The merkle root comes first: only a body that belongs to the header may condemn it.
 */
export function checkBlock(block: Block, context: BlockContext): BlockFlaw | undefined {
  const txids = context.txids ?? txidsOf(block)
  const { root, mutated: ambiguous } = merkleRoot(txids)
  if (!equalBytes(root, block.header.merkleRoot)) return mutated('bad-txnmrklroot') // BLK-4
  if (ambiguous) return mutated('bad-txns-duplicate') // BLK-5
  return (
    checkCoinbasePlace(block) ??
    checkSize(block) ??
    checkTransactions(block) ??
    checkHeight(block, context) ??
    checkWitness(block, { ...context, txids }) ??
    (blockWeight(block) > WEIGHT_MAX ? invalid('bad-blk-weight') : undefined) // BLK-7
  )
}

/** BLK-3. Without a coinbase, "transactions" may be inner nodes of the true block's tree. */
function checkCoinbasePlace({ transactions }: Block): BlockFlaw | undefined {
  const [first, ...others] = transactions
  if (first === undefined) return invalid('bad-blk-length')
  if (!isCoinbase(first))
    return transactions.some((tx) => strippedSize(tx) === INNER_NODE_SIZE)
      ? mutated('bad-cb-missing')
      : invalid('bad-cb-missing')
  return others.some(isCoinbase) ? invalid('bad-cb-multiple') : undefined
}

/** BLK-2. */
function checkSize(block: Block): BlockFlaw | undefined {
  const tooMany = block.transactions.length * WITNESS_SCALE > WEIGHT_MAX
  const tooLong = blockSize(block).stripped * WITNESS_SCALE > WEIGHT_MAX
  return tooMany || tooLong ? invalid('bad-blk-length') : undefined
}

/** BLK-9. */
function checkTransactions({ transactions }: Block): BlockFlaw | undefined {
  for (const tx of transactions) {
    const reason = checkTransaction(tx)
    if (reason !== undefined) return invalid(reason)
  }
  return undefined
}

/** BLK-8: BIP34. */
function checkHeight(
  { transactions }: Block,
  { network, height }: BlockContext,
): BlockFlaw | undefined {
  if (height < network.forks.bip34) return undefined
  const script = transactions[0]?.inputs[0]?.scriptSig ?? new Uint8Array(0)
  const push = heightPush(height)
  return equalBytes(script.subarray(0, push.length), push) ? undefined : invalid('bad-cb-height')
}

/** BLK-6: BIP141. */
function checkWitness(
  { transactions }: Block,
  { network, height, txids }: BlockContext,
): BlockFlaw | undefined {
  const [coinbase] = transactions
  const committed =
    coinbase !== undefined && height >= network.forks.segwit ? findCommitment(coinbase) : undefined
  if (committed === undefined)
    return transactions.some(hasWitness) ? mutated('unexpected-witness') : undefined
  const [reserved, ...rest] = coinbase?.inputs[0]?.witness ?? []
  if (reserved === undefined || reserved.length !== 32 || rest.length > 0)
    return mutated('bad-witness-nonce-size')
  return equalBytes(committed, witnessCommitment(transactions, reserved, txids))
    ? undefined
    : mutated('bad-witness-merkle-match')
}

/** Satoshis a block may create: 50 BTC, halved every interval (§5.3). */
export function subsidy(height: number, network: Network): Sat {
  const halvings = Math.floor(height / network.halvingInterval)
  return sat(SUBSIDY_START >> BigInt(halvings)) // Zero by itself after 33 halvings.
}
