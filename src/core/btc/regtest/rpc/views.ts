/** Headers, blocks and transactions as Bitcoin Core 28 shows them. Source: RN-21. */
import { equalBytes, toDisplayHex, toHex } from '../../../base/bytes.ts'
import { present } from '../../../base/errors.ts'
import type { Block } from '../../block.ts'
import { blockSize, blockWeight, headerHash, txidsOf } from '../../block.ts'
import { targetOfBits } from '../../header.ts'
import type { HeaderNode } from '../../header-tree.ts'
import { regtest } from '../../network.ts'
import type { OutPoint, Transaction, TxIn } from '../../transaction.ts'
import {
  encodeTransaction,
  isCoinbase,
  outpointKey,
  totalSize,
  txid,
  vsize,
  weight,
  wtxid,
} from '../../transaction.ts'
import type { Coin } from '../coins.ts'
import type { RegtestNode } from '../node.ts'
import type { Json } from './json.ts'
import { Amount } from './json.ts'
import { assembly, scriptView } from './scripts.ts'

type Fields = { readonly [name: string]: Json | undefined }

const word = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

/** A number of no unit, relative to the target of the first block of the main chain. */
export function difficultyOf(bits: number): number {
  const exponent = bits >>> 24
  const mantissa = bits & 0x00ff_ffff
  const difficulty = (0xffff / mantissa) * 256 ** (29 - exponent)
  return Number(difficulty.toPrecision(16)) // As Core prints numbers.
}

export const workText = (work: bigint): string => work.toString(16).padStart(64, '0')

export const targetText = (bits: number): string =>
  (targetOfBits(bits, regtest) ?? 0n).toString(16).padStart(64, '0')

/** Of a block of any branch; `-1` confirmations off the best chain. */
export function headerView(
  node: RegtestNode,
  at: HeaderNode & { readonly medianTime: number },
): Fields {
  const { header, height, hash } = at
  const active = node.blockAt(height)
  const isActive = active !== undefined && equalBytes(headerHash(active.header), hash)
  const next = isActive ? node.blockAt(height + 1) : undefined
  return {
    hash: toDisplayHex(hash),
    confirmations: isActive ? node.tip().height - height + 1 : -1,
    height,
    version: header.version,
    versionHex: word(header.version),
    merkleroot: toDisplayHex(header.merkleRoot),
    time: header.time,
    mediantime: at.medianTime,
    nonce: header.nonce,
    bits: word(header.bits),
    difficulty: difficultyOf(header.bits),
    chainwork: workText(at.work),
    nTx: node.blockByHash(hash)?.transactions.length ?? 0,
    previousblockhash: height === 0 ? undefined : toDisplayHex(header.previous),
    nextblockhash: next && toDisplayHex(headerHash(next.header)),
  }
}

/** `verbosity` 1 to 3: ids, transactions with their fees, and with what they spend. */
export function blockView(
  node: RegtestNode,
  block: Block,
  {
    at,
    verbosity,
  }: { readonly at: HeaderNode & { readonly medianTime: number }; readonly verbosity: number },
): Json {
  const { stripped, total } = blockSize(block)
  const spent = verbosity < 2 ? undefined : spentBy(node, block, at)
  const transactions: readonly Json[] =
    verbosity < 2
      ? txidsOf(block).map(toDisplayHex)
      : block.transactions.map((tx) =>
          transactionView(tx, { spent, hasPrevouts: verbosity > 2, hasHex: true }),
        )
  return {
    ...headerView(node, at),
    strippedsize: stripped,
    size: total,
    weight: blockWeight(block),
    tx: transactions,
  }
}

type Spent = (outpoint: OutPoint) => Coin | undefined

/** What a block of the best chain spends; for others it is not known. */
export function spentBy(
  node: RegtestNode,
  block: Block,
  { height, hash }: HeaderNode,
): Spent | undefined {
  const active = node.blockAt(height)
  if (active === undefined || !equalBytes(headerHash(active.header), hash)) return undefined
  const before = node.facts.spentAt(height)
  const own = new Map<string, Coin>()
  for (const tx of block.transactions) {
    const id = txid(tx)
    for (const [vout, output] of tx.outputs.entries())
      own.set(outpointKey({ txid: id, vout }), { ...output, height, coinbase: isCoinbase(tx) })
  }
  return (outpoint) => {
    const key = outpointKey(outpoint)
    return before.get(key) ?? own.get(key)
  }
}

export function transactionView(
  tx: Transaction,
  {
    spent,
    hasPrevouts = false,
    hasHex = false,
  }: {
    readonly spent?: Spent | undefined
    readonly hasPrevouts?: boolean
    readonly hasHex?: boolean
  } = {},
): Fields {
  const coins = isCoinbase(tx) ? [] : tx.inputs.map(({ outpoint }) => spent?.(outpoint))
  const known = coins.flatMap((coin) => coin ?? [])
  const paid = tx.outputs.reduce((sum, { value }) => sum + value, 0n)
  const hasFee = known.length > 0 && known.length === tx.inputs.length
  return {
    txid: toDisplayHex(txid(tx)),
    hash: toDisplayHex(wtxid(tx)),
    version: tx.version >>> 0,
    size: totalSize(tx),
    vsize: vsize(tx),
    weight: weight(tx),
    locktime: tx.lockTime,
    vin: tx.inputs.map((input, i) =>
      inputView(input, { isCoinbase: isCoinbase(tx), coin: hasPrevouts ? coins[i] : undefined }),
    ),
    vout: tx.outputs.map(({ value, script }, n) => ({
      value: new Amount(value),
      n,
      scriptPubKey: scriptView(script),
    })),
    fee: hasFee ? new Amount(known.reduce((sum, { value }) => sum + value, -paid)) : undefined,
    hex: hasHex ? toHex(encodeTransaction(tx)) : undefined,
  }
}

function inputView(
  { outpoint, scriptSig, sequence, witness }: TxIn,
  { isCoinbase: isFirst, coin }: { readonly isCoinbase: boolean; readonly coin: Coin | undefined },
): Json {
  const origin: Fields = isFirst
    ? { coinbase: toHex(scriptSig) }
    : {
        txid: toDisplayHex(outpoint.txid),
        vout: outpoint.vout,
        scriptSig: { asm: assembly(scriptSig, { isSignature: true }), hex: toHex(scriptSig) },
      }
  return {
    ...origin,
    txinwitness: witness.length > 0 ? witness.map((item) => toHex(item)) : undefined,
    prevout: coin && {
      generated: coin.coinbase,
      height: coin.height,
      value: new Amount(coin.value),
      scriptPubKey: scriptView(coin.script),
    },
    sequence,
  }
}

/** Of a block that is known to be there. */
export const requireBlock = (node: RegtestNode, { hash }: HeaderNode): Block =>
  present(node.blockByHash(hash), 'a header of the node has its body')
