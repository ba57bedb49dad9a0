/** The first block of each network, from its parameters. Source: `docs/spec/bitcoin.md` §2.1. */
import { concat, fromHex, hash32, utf8 } from '../base/bytes.ts'
import { sat } from '../base/units.ts'
import type { Block } from './block.ts'
import type { Network } from './network.ts'
import { p2pkScript, pushData } from './script.ts'
import type { Transaction } from './transaction.ts'
import { NULL_VOUT, SEQUENCE_FINAL } from './transaction.ts'

const NEWSPAPER_LINE = 'The Times 03/Jan/2009 Chancellor on brink of second bailout for banks'
const TESTNET4_LINE = '03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e'
const WELL_KNOWN_KEY = fromHex(
  '04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6' +
    '49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f',
)
const TESTNET4_KEY = new Uint8Array(33)
const SUBSIDY = 5_000_000_000n

export function genesisBlock({ name, genesis }: Network): Block {
  const line = name === 'testnet4' ? TESTNET4_LINE : NEWSPAPER_LINE
  const key = name === 'testnet4' ? TESTNET4_KEY : WELL_KNOWN_KEY
  return {
    header: {
      version: 1,
      previous: hash32(new Uint8Array(32)),
      merkleRoot: genesis.merkleRoot,
      time: genesis.time,
      bits: genesis.bits,
      nonce: genesis.nonce,
    },
    transactions: [genesisCoinbase(line, key)],
  }
}

function genesisCoinbase(line: string, key: Uint8Array): Transaction {
  // The numbers 0x1d00ffff and 4, pushed as bytes: how the first miner wrote bits and extra nonce.
  const scriptSig = concat(fromHex('04ffff001d0104'), pushData(utf8(line)))
  return {
    version: 1,
    inputs: [
      {
        outpoint: { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT },
        scriptSig,
        sequence: SEQUENCE_FINAL,
        witness: [],
      },
    ],
    outputs: [{ value: sat(SUBSIDY), script: p2pkScript(key) }],
    lockTime: 0,
  }
}
