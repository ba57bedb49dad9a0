/**
 * What differs between BIP340 and Ed25519: keys, tweaks, challenges, signs. Source: threshold
 * specification §§13, 15; BIP340, BIP341, RFC 8032.
 */
import { concat, fromBigEndian, fromLittleEndian } from '../base/bytes.ts'
import type { DerivedKey, ExtendedKey } from '../base/derivation.ts'
import { deriveEd25519Key, derivePublicKey } from '../base/derivation.ts'
import type { Group } from '../base/group.ts'
import { encodePoint, mod } from '../base/group.ts'
import { sha512, taggedHash } from '../base/hash.ts'
import { isTaprootRoot, taprootTweak } from '../base/key-scheme.ts'
import type { Ed25519Point } from '../base/noble-ed25519.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import { nobleEd25519, verifyBip340 } from '../base/verification.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { Suite } from './suite.ts'

/** X' = X + tweak·g. */
export type TweakedKey<P> = { readonly key: P; readonly tweak: bigint }

/**
 * A signature of this request is r ‖ s with s = keyFactor·(x + tweak) + blinderFactor·(κ + δ); the
 * factors carry the challenge and the signs. All of it is public.
 */
export type Equation = {
  /** First half of the signature. */
  readonly r: Uint8Array
  /** What a verifier is given: x-only for BIP340. 32 bytes. */
  readonly verificationKey: Uint8Array
  /** e, before any sign. */
  readonly challenge: bigint
  readonly keyFactor: bigint
  readonly blinderFactor: bigint
}

export type SchnorrScheme<P> = {
  readonly suite: Suite<P>
  readonly derive: (from: ExtendedKey, path: readonly Uint8Array[]) => DerivedKey
  /** Applies a taproot root, where the scheme has one and one is given. */
  readonly applyRoot: (key: TweakedKey<P>, root: Uint8Array | undefined) => TweakedKey<P> | Refusal
  /** Of the tweaked key and R0 = K + δ·g, neither of them the identity. */
  readonly equation: (key: P, r0: P, message: Uint8Array) => Equation
  /** Plain verification, which knows nothing of thresholds. Total. */
  readonly verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
}

const hasEvenY = (encoded: Uint8Array): boolean => encoded[0] === 2

/** §15.2. */
export const bip340 = (suite: Suite): SchnorrScheme<Secp256k1Point> => ({
  suite,
  derive: derivePublicKey,
  applyRoot: (key, root) => (root === undefined ? key : applyTaprootRoot(suite.group, key, root)),
  equation: (key, r0, message) => bip340Equation(suite.group, { key, r0, message }),
  verify: verifyBip340,
})

/** Step 1. BIP341 tweaks the even point ±X'; here X' keeps its sign and the tweak takes it. */
function applyTaprootRoot(
  group: Group<Secp256k1Point>,
  { key, tweak }: TweakedKey<Secp256k1Point>,
  root: Uint8Array,
): TweakedKey<Secp256k1Point> | Refusal {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidParameters', detail)
  const encoded = encodePoint(group, key)
  const tau = taprootTweak(encoded.subarray(1), root)
  const signed = mod(hasEvenY(encoded) ? tau : -tau, group.order)
  const tweaked = group.add(key, group.g.multiplyPublic(signed))
  return (
    refuse(isTaprootRoot(root), `a root of ${root.length} bytes`) ??
    refuse(tau < group.order, 'a taproot tweak beyond the order') ??
    refuse(!group.isZero(tweaked), 'a taproot key that is the identity') ?? {
      key: tweaked,
      tweak: mod(tweak + signed, group.order),
    }
  )
}

/** Steps 2 and 3. */
function bip340Equation(
  group: Group<Secp256k1Point>,
  of: { readonly key: Secp256k1Point; readonly r0: Secp256k1Point; readonly message: Uint8Array },
): Equation {
  const [key, r0] = [encodePoint(group, of.key), encodePoint(group, of.r0)]
  const [verificationKey, r] = [key.slice(1), r0.slice(1)]
  const e = fromBigEndian(taggedHash('BIP0340/challenge', concat(r, verificationKey, of.message)))
  return {
    r,
    verificationKey,
    challenge: mod(e, group.order),
    keyFactor: mod(hasEvenY(key) ? e : -e, group.order),
    blinderFactor: hasEvenY(r0) ? 1n : group.order - 1n,
  }
}

/** §15.3. */
export const ed25519 = (suite: Suite<Ed25519Point>): SchnorrScheme<Ed25519Point> => ({
  suite,
  derive: deriveEd25519Key,
  applyRoot: (key, root) =>
    refuseUnless(root === undefined, 'InvalidParameters', 'a taproot root for Ed25519') ?? key,
  equation: (key, r0, message) => {
    const { group } = suite
    const [verificationKey, r] = [encodePoint(group, key), encodePoint(group, r0)]
    const e = mod(fromLittleEndian(sha512(concat(r, verificationKey, message))), group.order)
    return { r, verificationKey, challenge: e, keyFactor: e, blinderFactor: 1n }
  },
  verify: nobleEd25519.verify,
})
