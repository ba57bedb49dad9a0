/** Small transactions and blocks for the tests of this folder. */
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { concat, hash32, utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import type { Block, BlockHeader } from '../../../src/core/btc/block.ts'
import { commitmentScript, txidsOf, witnessCommitment } from '../../../src/core/btc/block.ts'
import { merkleRoot } from '../../../src/core/btc/merkle.ts'
import { heightPush, p2wpkhScript, pushData } from '../../../src/core/btc/script.ts'
import type { Transaction, TxOut } from '../../../src/core/btc/transaction.ts'
import { NULL_VOUT, transactionFromParts } from '../../../src/core/btc/transaction.ts'

/** 32 bytes that stand for `label`. */
export const hashOf = (label: string): Hash32 => sha256(utf8(label))

export const zeroHash = hash32(new Uint8Array(32))

export const output = (value: bigint, script = p2wpkhScript(new Uint8Array(20))): TxOut => ({
  value: sat(value),
  script,
})

/** One input, one output, a witness of two items. */
export const payment = (label: string, value = 1_000n): Transaction =>
  transactionFromParts({
    inputs: [
      {
        outpoint: { txid: hashOf(label), vout: 0 },
        witness: [new Uint8Array(71).fill(1), new Uint8Array(33).fill(2)],
      },
    ],
    outputs: [output(value)],
  })

export function coinbase(height: number, outputs: readonly TxOut[]): Transaction {
  return transactionFromParts({
    inputs: [
      {
        outpoint: { txid: zeroHash, vout: NULL_VOUT },
        scriptSig: concat(heightPush(height), pushData(utf8('ckbtc'))),
        witness: [zeroHash],
      },
    ],
    outputs,
  })
}

/** A block of `height` whose coinbase commits to the witnesses of `payments`. */
export function blockOf(height: number, payments: readonly Transaction[]): Block {
  const blank = coinbase(height, [output(5_000_000_000n)])
  const commitment = witnessCommitment([blank, ...payments], zeroHash)
  const first = coinbase(height, [output(5_000_000_000n), output(0n, commitmentScript(commitment))])
  return withRoot({ header: blankHeader, transactions: [first, ...payments] })
}

export const blankHeader: BlockHeader = {
  version: 4,
  previous: hashOf('parent'),
  merkleRoot: zeroHash,
  time: 1_700_000_000,
  bits: 0x207fffff,
  nonce: 0,
}

export const headerAt = (time: number, bits: number): BlockHeader => ({
  ...blankHeader,
  time,
  bits,
})

/** The block with the merkle root that its transactions have. */
export function withRoot(block: Block): Block {
  const { root } = merkleRoot(txidsOf(block))
  return { ...block, header: { ...block.header, merkleRoot: root } }
}
