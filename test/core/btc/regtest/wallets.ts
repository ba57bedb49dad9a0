/**
 * Keys of every standard output type, with spends signed by bitcoinjs-lib: a peer that shares no
 * code with the node.
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { script as bitcoinScript, Transaction as PeerTransaction, payments } from 'bitcoinjs-lib'
import { bigEndian, concat, fromBigEndian } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { hash160, sha256, taggedHash } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import {
  p2pkhScript,
  p2pkScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  pushData,
} from '../../../../src/core/btc/script.ts'
import type { OutPoint, Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  encodeTransaction,
  transactionFromParts,
} from '../../../../src/core/btc/transaction.ts'

/** What proves the right to spend: goes into the input. */
export type Proof = { readonly scriptSig?: Uint8Array; readonly witness?: readonly Uint8Array[] }

export type TestWallet = {
  readonly name: string
  readonly script: Uint8Array
  /** Signs input `index` of `tx`; `spent` are the outputs of all inputs. */
  readonly sign: (tx: Transaction, index: number, spent: readonly TxOut[]) => Proof
}

const ALL = PeerTransaction.SIGHASH_ALL

const peerOf = (tx: Transaction): PeerTransaction =>
  PeerTransaction.fromBuffer(encodeTransaction(tx))

const ecdsa = (secretKey: Uint8Array, digest: Uint8Array): Uint8Array =>
  bitcoinScript.signature.encode(secp256k1.sign(digest, secretKey, { prehash: false }), ALL)

const spentAt = (spent: readonly TxOut[], index: number): TxOut =>
  present(spent[index], 'every input has its output')

function segwitSignature(
  secretKey: Uint8Array,
  {
    tx,
    index,
    spent,
    code,
  }: {
    readonly tx: Transaction
    readonly index: number
    readonly spent: readonly TxOut[]
    readonly code: Uint8Array
  },
): Uint8Array {
  const digest = peerOf(tx).hashForWitnessV0(index, code, spentAt(spent, index).value, ALL)
  return ecdsa(secretKey, digest)
}

const keyOf = (n: number): Uint8Array => sha256(Uint8Array.of(n))
const publicOf = (secretKey: Uint8Array): Uint8Array => secp256k1.getPublicKey(secretKey, true)

export function p2wpkhWallet(n: number): TestWallet {
  const key = keyOf(n)
  const publicKey = publicOf(key)
  const code = p2pkhScript(hash160(publicKey))
  return {
    name: 'P2WPKH',
    script: p2wpkhScript(hash160(publicKey)),
    sign: (tx, index, spent) => ({
      witness: [segwitSignature(key, { tx, index, spent, code }), publicKey],
    }),
  }
}

export function p2shP2wpkhWallet(n: number): TestWallet {
  const inner = p2wpkhWallet(n)
  return {
    name: 'P2SH-P2WPKH',
    script: p2shScript(hash160(inner.script)),
    sign: (tx, index, spent) => ({
      ...inner.sign(tx, index, spent),
      scriptSig: pushData(inner.script),
    }),
  }
}

export function p2pkhWallet(n: number): TestWallet {
  const key = keyOf(n)
  const publicKey = publicOf(key)
  const script = p2pkhScript(hash160(publicKey))
  return {
    name: 'P2PKH',
    script,
    sign: (tx, index) => {
      const signature = ecdsa(key, peerOf(tx).hashForSignature(index, script, ALL))
      return { scriptSig: concat(pushData(signature), pushData(publicKey)) }
    },
  }
}

export function p2pkWallet(n: number): TestWallet {
  const key = keyOf(n)
  const script = p2pkScript(publicOf(key))
  return {
    name: 'P2PK',
    script,
    sign: (tx, index) => ({
      scriptSig: pushData(ecdsa(key, peerOf(tx).hashForSignature(index, script, ALL))),
    }),
  }
}

/** Two of three keys, as bitcoinjs-lib writes it. */
export function p2wshMultisigWallet(n: number): TestWallet {
  const keys = [n, n + 1, n + 2].map(keyOf)
  const pubkeys = keys.map(publicOf)
  const code = present(payments.p2ms({ m: 2, pubkeys }).output, 'p2ms has a script')
  return {
    name: 'P2WSH 2-of-3',
    script: p2wshScript(sha256(code)),
    sign: (tx, index, spent) => {
      const signatures = keys
        .slice(1)
        .map((key) => segwitSignature(key, { tx, index, spent, code }))
      return { witness: [new Uint8Array(0), ...signatures, code] }
    },
  }
}

const ORDER = secp256k1.Point.CURVE().n

/** BIP86: the output key is the internal key tweaked by itself; only the key path exists. */
export function p2trWallet(n: number): TestWallet {
  const internal = publicOf(keyOf(n))
  const secret = fromBigEndian(keyOf(n))
  const even = internal[0] === 2 ? secret : ORDER - secret
  const tweak = fromBigEndian(taggedHash('TapTweak', internal.subarray(1)))
  const key = bigEndian((even + tweak) % ORDER, 32)
  return {
    name: 'P2TR key path',
    script: p2trScript(schnorr.getPublicKey(key)),
    sign: (tx, index, spent) => {
      const scripts = spent.map(({ script }) => script)
      const values = spent.map(({ value }) => value)
      const digest = peerOf(tx).hashForWitnessV1(index, scripts, values, 0)
      return { witness: [schnorr.sign(digest, key)] }
    },
  }
}

export const EVERY_WALLET: readonly TestWallet[] = [
  p2pkWallet(1),
  p2pkhWallet(2),
  p2shP2wpkhWallet(3),
  p2wpkhWallet(4),
  p2wshMultisigWallet(5),
  p2trWallet(8),
]

export type TestCoin = {
  readonly outpoint: OutPoint
  readonly output: TxOut
  readonly owner: TestWallet
}

/** A signed transaction that spends `coins` into `outputs`. */
export function signedSpend(
  coins: readonly TestCoin[],
  outputs: readonly TxOut[],
  { sequence = 0xffff_fffd, lockTime = 0, version = 2 } = {},
): Transaction {
  const inputs = coins.map(({ outpoint }) => ({ outpoint, sequence }))
  const draft = transactionFromParts({ version, inputs, outputs, lockTime })
  const spent = coins.map(({ output }) => output)
  const signed = coins.map(({ owner, outpoint }, i) => ({
    outpoint,
    sequence,
    ...owner.sign(draft, i, spent),
  }))
  // Through the codec, so that tests offer what a peer could send.
  return decodeTransaction(
    encodeTransaction(transactionFromParts({ version, inputs: signed, outputs, lockTime })),
  )
}

/** The coin that output `vout` of a transaction of `owner` is. */
export function coinOf(
  tx: Transaction,
  {
    id,
    vout,
    owner,
  }: { readonly id: OutPoint['txid']; readonly vout: number; readonly owner: TestWallet },
): TestCoin {
  return { outpoint: { txid: id, vout }, output: present(tx.outputs[vout], 'it exists'), owner }
}

export const pay = (to: TestWallet | Uint8Array, value: bigint): TxOut => ({
  value: sat(value),
  script: to instanceof Uint8Array ? to : to.script,
})
