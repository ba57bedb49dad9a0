/**
 * Taproot outputs and spends built with `@noble/curves` and the text of BIP341 and BIP342 alone: no
 * line is shared with what verifies them.
 */
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, fromHex, hash32, toHex } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import type { Transaction, TxOut } from '../../../../src/core/btc/transaction.ts'

const { taggedHash, lift_x: liftX } = schnorr.utils
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)
const ORDER = secp256k1.Point.CURVE().n

const littleEndian = (value: number | bigint, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn))

function sized(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length < 0xfd) return concat(littleEndian(length, 1), bytes)
  return length <= 0xffff
    ? concat(Uint8Array.of(0xfd), littleEndian(length, 2), bytes)
    : concat(Uint8Array.of(0xfe), littleEndian(length, 4), bytes)
}

const outputBytes = ({ value, script }: TxOut): Uint8Array =>
  concat(littleEndian(value, 8), sized(script))

export type Leaf = { readonly script: Uint8Array; readonly version?: number }

export const leafHash = ({ script, version = 0xc0 }: Leaf): Uint8Array =>
  taggedHash('TapLeaf', Uint8Array.of(version), sized(script))

const branchHash = (a: Uint8Array, b: Uint8Array): Uint8Array =>
  taggedHash('TapBranch', ...(toHex(a) < toHex(b) ? [a, b] : [b, a]))

export const secretOf = (n: number): Uint8Array => sha256(Uint8Array.of(0x74, n))
/** x-only. */
export const keyOf = (n: number): Uint8Array => schnorr.getPublicKey(secretOf(n))

export type TaprootOutput = {
  readonly script: Uint8Array
  /** Signs for the key path. */
  readonly secret: Uint8Array
  readonly control: Uint8Array
}

/**
 * An output of internal key `n` with `leaf` at a depth of `siblings.length`; the siblings are the
 * hashes beside its path, from the leaf upward. Without a leaf it has a key path only.
 */
export function taprootOutput(
  n: number,
  leaf?: Leaf,
  siblings: readonly Uint8Array[] = [],
): TaprootOutput {
  const internal = keyOf(n)
  const root = leaf === undefined ? [] : [siblings.reduce(branchHash, leafHash(leaf))]
  const tweak = numberOf(taggedHash('TapTweak', internal, ...root))
  const point = liftX(numberOf(internal)).add(secp256k1.Point.BASE.multiply(tweak)).toBytes()
  const parity = (point[0] ?? 0) & 1
  const odd = secp256k1.getPublicKey(secretOf(n))[0] === 3
  const even = odd ? ORDER - numberOf(secretOf(n)) : numberOf(secretOf(n))
  return {
    script: concat(Uint8Array.of(0x51, 0x20), point.subarray(1)),
    secret: fromHex(((even + tweak) % ORDER).toString(16).padStart(64, '0')),
    control: concat(Uint8Array.of((leaf?.version ?? 0xc0) + parity), internal, ...siblings),
  }
}

export type Signing = {
  readonly tx: Transaction
  readonly index: number
  readonly spent: readonly TxOut[]
  readonly secret: Uint8Array
  /** 0 is left out of the signature. */
  readonly hashType?: number
  readonly annex?: Uint8Array | undefined
  readonly leaf?: Leaf | undefined
  /** Position of the last OP_CODESEPARATOR that ran. */
  readonly codeSeparator?: number | undefined
}

/** BIP341, "Common signature message", with the extension of BIP342 where there is a leaf. */
function message(signing: Signing): Uint8Array {
  const { tx, index, spent, hashType = 0, annex, leaf, codeSeparator = 0xffff_ffff } = signing
  const own = present(tx.inputs[index], 'the input is there')
  const outpoints = tx.inputs.map(({ outpoint: { txid, vout } }) =>
    concat(txid, littleEndian(vout, 4)),
  )
  const all = (parts: readonly Uint8Array[]): Uint8Array => sha256(concat(...parts))
  const anyone = hashType >= 0x80
  const outputs = hashType & 3
  const ownOutput = tx.outputs[index]
  return concat(
    Uint8Array.of(0, hashType),
    littleEndian(tx.version, 4),
    littleEndian(tx.lockTime, 4),
    ...(anyone
      ? []
      : [
          all(outpoints),
          all(spent.map(({ value }) => littleEndian(value, 8))),
          all(spent.map(({ script }) => sized(script))),
          all(tx.inputs.map(({ sequence }) => littleEndian(sequence, 4))),
        ]),
    ...(outputs < 2 ? [all(tx.outputs.map(outputBytes))] : []),
    Uint8Array.of((leaf === undefined ? 0 : 2) + (annex === undefined ? 0 : 1)),
    ...(anyone
      ? [
          present(outpoints[index], 'the input is there'),
          outputBytes(present(spent[index], 'every output is known')),
          littleEndian(own.sequence, 4),
        ]
      : [littleEndian(index, 4)]),
    ...(annex === undefined ? [] : [sha256(sized(annex))]),
    ...(outputs === 3 && ownOutput !== undefined ? [sha256(outputBytes(ownOutput))] : []),
    ...(leaf === undefined
      ? []
      : [leafHash(leaf), Uint8Array.of(0), littleEndian(codeSeparator, 4)]),
  )
}

export const signatureHash = (signing: Signing): Uint8Array =>
  hash32(taggedHash('TapSighash', message(signing)))

/** BIP340, with fixed auxiliary bytes: the same spend has the same bytes in every run. */
export function schnorrSignature(signing: Signing): Uint8Array {
  const { secret, hashType = 0 } = signing
  const signature = schnorr.sign(signatureHash(signing), secret, new Uint8Array(32))
  return hashType === 0 ? signature : concat(signature, Uint8Array.of(hashType))
}
