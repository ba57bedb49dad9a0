/**
 * Keys from a seed along a path. Implements SLIP-10 for Ed25519 and P-256; secp256k1 is BIP-32, by
 * the audited library.
 */
import { p256 } from '@noble/curves/nist.js'
import { HDKey } from '@scure/bip32'
import { bigEndian, concat, fromBigEndian, u32be, utf8 } from '../../core/base/bytes.ts'
import { assert, present } from '../../core/base/errors.ts'
import { hmacSha512 } from '../../core/base/hash.ts'
import type { KeyCurve } from '../identity.ts'

/** A child of this index or above is made from the secret of its parent, never from its key. */
export const HARDENED = 0x8000_0000

export type ExtendedKey = { readonly secret: Uint8Array; readonly chainCode: Uint8Array }
export type Path = readonly number[]

/** The secret at `path` (indices, hardened ones from 2^31) under a seed. */
export function deriveKey(curve: KeyCurve, seed: Uint8Array, path: Path): ExtendedKey {
  switch (curve) {
    case 'secp256k1':
      return deriveBip32(seed, path)
    case 'ed25519':
      return path.reduce(ed25519Child, split(hmacSha512(utf8('ed25519 seed'), seed)))
    case 'p256':
      return path.reduce(p256Child, p256Master(seed))
  }
}

function deriveBip32(seed: Uint8Array, path: Path): ExtendedKey {
  const { privateKey, chainCode } = path.reduce(
    (parent, index) => parent.deriveChild(index),
    HDKey.fromMasterSeed(seed),
  )
  return {
    secret: present(privateKey ?? undefined, 'a private node has a private key'),
    chainCode: present(chainCode ?? undefined, 'a private node has a chain code'),
  }
}

const split = (digest: Uint8Array): ExtendedKey => ({
  secret: digest.slice(0, 32),
  chainCode: digest.slice(32),
})

/** What a child is made of when the parent's secret goes into it. */
const hardenedInput = ({ secret }: ExtendedKey, index: number): Uint8Array =>
  concat(Uint8Array.of(0), secret, u32be(index))

function ed25519Child(parent: ExtendedKey, index: number): ExtendedKey {
  assert(index >= HARDENED, 'Ed25519 has hardened children only')
  return split(hmacSha512(parent.chainCode, hardenedInput(parent, index)))
}

const order = p256.Point.Fn.ORDER

function p256Master(seed: Uint8Array): ExtendedKey {
  for (let input = seed; ; ) {
    input = hmacSha512(utf8('Nist256p1 seed'), input)
    const node = split(input)
    if (p256.utils.isValidSecretKey(node.secret)) return node
  }
}

function p256Child(parent: ExtendedKey, index: number): ExtendedKey {
  let input =
    index >= HARDENED
      ? hardenedInput(parent, index)
      : concat(p256.getPublicKey(parent.secret, true), u32be(index))
  for (;;) {
    const { secret: left, chainCode } = split(hmacSha512(parent.chainCode, input))
    const tweak = fromBigEndian(left)
    const secret = (tweak + fromBigEndian(parent.secret)) % order
    if (tweak < order && secret !== 0n) return { secret: bigEndian(secret, 32), chainCode }
    input = concat(Uint8Array.of(1), chainCode, u32be(index)) // SLIP-10: try again with I_R.
  }
}
