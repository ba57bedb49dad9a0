/** The block that regtest starts from; its one transaction is the newspaper line of 2009. Source: `docs/spec/bitcoin.md` §2.1. */
import { equalBytes, fromHex, hash32 } from '../../base/bytes.ts'
import { assert } from '../../base/errors.ts'
import { sat } from '../../base/units.ts'
import type { Block, BlockHeader } from '../block.ts'
import { p2pkScript } from '../script.ts'
import type { Transaction } from '../transaction.ts'
import { NULL_VOUT, SEQUENCE_FINAL, transactionFromParts, txid } from '../transaction.ts'

const NEWSPAPER =
  '04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272' +
  '696e6b206f66207365636f6e64206261696c6f757420666f722062616e6b73'
const KEY =
  '04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec1' +
  '12de5c384df7ba0b8d578a4c702b6bf11d5f'

const coinbase: Transaction = transactionFromParts({
  version: 1,
  inputs: [
    {
      outpoint: { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT },
      scriptSig: fromHex(NEWSPAPER),
      sequence: SEQUENCE_FINAL,
    },
  ],
  outputs: [{ value: sat(5_000_000_000n), script: p2pkScript(fromHex(KEY)) }],
})

export function genesisBlock(header: BlockHeader): Block {
  assert(
    equalBytes(txid(coinbase), header.merkleRoot),
    'the genesis header commits to its coinbase',
  )
  return { header, transactions: [coinbase] }
}
