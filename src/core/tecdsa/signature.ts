/**
 * ECDSA signing: public inputs, shares, combination, verification. Source: threshold specification
 * §14.
 */
import { concat, fromBigEndian } from '../base/bytes.ts'
import { derivePublicKey, masterKey } from '../base/derivation.ts'
import { assert } from '../base/errors.ts'
import { decodeNonZero, encodePoint, invert, mod } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { bytesInput, oracleScalar, pointInput, scalarInput } from '../base/random-oracle.ts'
import { commitToPublicOpening, constantTerm, evaluateAt } from './commitment.ts'
import { lagrangeScalars } from './lagrange.ts'
import type { Combined } from './optimistic.ts'
import { combineOptimistically } from './optimistic.ts'
import type { Transcript } from './parameters.ts'
import type { Presignature, PresignatureShares } from './presignature.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { Opening, SecretOpening } from './secret.ts'
import { unseal } from './secret.ts'
import type { Suite } from './suite.ts'

export const DIGEST_SIZE = 32
export const NONCE_SIZE = 32
export const SIGNATURE_SIZE = 64

/** All of it comes from the log; nothing is chosen by a node. */
export type SigningRequest<P = Secp256k1Point> = {
  readonly key: Transcript<P>
  readonly presignature: Presignature<P>
  /** From the caller's principal on. */
  readonly path: readonly Uint8Array[]
  /** The message hash, 32 bytes. */
  readonly digest: Uint8Array
  /** ω, 32 bytes, unknown before the pairing. */
  readonly nonce: Uint8Array
}

/** What everybody computes of a request (§14.2). */
export type SigningInputs<P = Secp256k1Point> = {
  readonly presignature: Presignature<P>
  /** X' = X + tweak·g, as a point and in SEC1 compressed form. */
  readonly derivedKey: P
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
  readonly tweak: bigint
  readonly delta: bigint
  /** R = K + δ·g, and ρ = x(R) mod q, the r of the signature. */
  readonly r: P
  readonly rho: bigint
  /** The digest as a scalar. */
  readonly e: bigint
  /** θ = e + ρ·tweak. */
  readonly theta: bigint
}

/** ν_j and μ_j, value and mask each. Public. */
export type SignatureShare = { readonly nu: Opening; readonly mu: Opening }

/** A refusal means that this pairing gives no signature: the request takes another presignature. */
export function publicInputs<P>(
  suite: Suite<P>,
  { key, presignature, path, digest, nonce }: SigningRequest<P>,
): SigningInputs<P> | Refusal {
  assert(digest.length === DIGEST_SIZE, 'a message hash has 32 bytes')
  assert(nonce.length === NONCE_SIZE, 'a signing nonce has 32 bytes')
  const { group } = suite
  const master = encodePoint(group, constantTerm(key.commitment))
  const { publicKey, chainCode, tweak } = derivePublicKey(masterKey(master), path)
  const k = constantTerm(presignature.kappa.commitment)
  const delta = oracleScalar(group, suite.domains.rerandomize, {
    randomness: bytesInput(nonce),
    hashed_message: bytesInput(digest),
    pre_sig: pointInput(group, k),
    key_tweak: scalarInput(group, tweak),
  })
  const r = group.add(k, group.g.multiplyPublic(delta))
  if (group.isZero(r)) return unusable
  const rho = mod(xOf(encodePoint(group, r)), group.order)
  if (rho === 0n) return unusable
  const e = mod(fromBigEndian(digest), group.order)
  return {
    presignature,
    derivedKey: decodeNonZero(group, publicKey),
    publicKey,
    chainCode,
    tweak,
    delta,
    r,
    rho,
    e,
    theta: mod(e + rho * tweak, group.order),
  }
}

const unusable: Refusal = { refusal: 'InvalidPresignature', detail: 'R has no usable x' }

/** x coordinate of a SEC1 compressed point. */
const xOf = (encoded: Uint8Array): bigint => fromBigEndian(encoded.subarray(1))

type Weighted<T> = { readonly weight: bigint; readonly opening: T }

/** Σ weight·opening, values and masks apart. */
function combineOpenings(
  terms: readonly Weighted<Opening | SecretOpening>[],
  order: bigint,
): Opening {
  let [value, mask] = [0n, 0n]
  for (const { weight, opening } of terms) {
    assert(opening.type === 'pedersen', 'shares of a presignature are pairs')
    value = mod(value + weight * opening.value, order)
    mask = mod(mask + weight * opening.mask, order)
  }
  return { type: 'pedersen', value, mask }
}

/**
 * ν_j = θ·[λ]_j + ρ·[xλ]_j and μ_j = δ·[λ]_j + [κλ]_j. The pairing is on disk before this leaves
 * the node; a second share of another request from the same presignature gives the key away.
 */
export function createShare<P>(
  { group: { order } }: Suite<P>,
  { theta, rho, delta }: SigningInputs<P>,
  shares: PresignatureShares,
): SignatureShare {
  const [lambda, kappaLambda, keyLambda] = [
    unseal(shares.lambda),
    unseal(shares.kappaLambda),
    unseal(shares.keyLambda),
  ]
  const nu = [
    { weight: theta, opening: lambda },
    { weight: rho, opening: keyLambda },
  ]
  const mu = [
    { weight: delta, opening: lambda },
    { weight: 1n, opening: kappaLambda },
  ]
  return { nu: combineOpenings(nu, order), mu: combineOpenings(mu, order) }
}

/** Whether a share is the one that node `index` owes; undefined when it is (§14.4). */
export function verifyShare<P>(
  { group }: Suite<P>,
  { presignature, theta, rho, delta }: SigningInputs<P>,
  index: NodeIndex,
  { nu, mu }: SignatureShare,
): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidSignatureShare', detail)
  const malformed =
    refuse(isReceiver(presignature, index), 'of a node without share') ??
    refuse(nu.type === 'pedersen' && mu.type === 'pedersen', 'a share without masks')
  if (malformed !== undefined) return malformed
  const at = (transcript: Transcript<P>): P => evaluateAt(group, transcript.commitment, index)
  const lambda = at(presignature.lambda)
  const nuDue = group.pair(lambda, theta, at(presignature.keyLambda), rho)
  const muDue = group.add(group.multiplyPublic(lambda, delta), at(presignature.kappaLambda))
  return (
    refuse(group.equals(commitToPublicOpening(group, nu), nuDue), 'ν does not open') ??
    refuse(group.equals(commitToPublicOpening(group, mu), muDue), 'μ does not open')
  )
}

/** Shares by node. */
export type SignatureShares = ReadonlyMap<NodeIndex, SignatureShare>

/** ν and μ at zero, of these shares. */
export function atZero<P>(
  { group: { order } }: Suite<P>,
  shares: SignatureShares,
): { readonly nu: bigint; readonly mu: bigint } {
  const weights = lagrangeScalars([...shares.keys()], order)
  const sum = (part: (share: SignatureShare) => Opening): bigint =>
    [...shares.values()].reduce((s, share, i) => s + (weights[i] ?? 0n) * part(share).value, 0n)
  return {
    nu: mod(
      sum(({ nu }) => nu),
      order,
    ),
    mu: mod(
      sum(({ mu }) => mu),
      order,
    ),
  }
}

/** s = ν/μ at zero, made low. False shares give a false signature or none: the caller verifies. */
export function combineShares<P>(
  suite: Suite<P>,
  { rho, presignature }: SigningInputs<P>,
  shares: SignatureShares,
): Uint8Array | Refusal {
  const { group } = suite
  const { order } = group
  const t = thresholdOf(presignature)
  if (shares.size < t) return insufficient(shares.size, t)
  const { nu, mu } = atZero(suite, new Map([...shares].slice(0, t)))
  if (mu === 0n) return { refusal: 'InvalidSignature', detail: 'μ is zero' }
  const s = mod(nu * invert(mu, order), order)
  const lowS = s > order / 2n ? order - s : s
  return concat(group.encodeScalar(rho), group.encodeScalar(lowS))
}

const isReceiver = ({ lambda }: Presignature<unknown>, index: NodeIndex): boolean =>
  Number.isInteger(index) && index >= 0 && index < lambda.receivers.length

const thresholdOf = ({ lambda }: Presignature<unknown>): number => lambda.commitment.points.length

const insufficient = (found: number, needed: number): Refusal => ({
  refusal: 'InsufficientShares',
  detail: `${found} shares, ${needed} needed`,
})

/**
 * Why a signature is not the one of this request; undefined when it is. Always asked before release
 * (§14.5).
 */
export function verifySignature<P>(
  suite: Suite<P>,
  inputs: SigningInputs<P>,
  signature: Uint8Array,
): Refusal | undefined {
  const { group } = suite
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidSignature', detail)
  if (signature.length !== SIGNATURE_SIZE) return refuse(false, `${signature.length} bytes`)
  const [r, s] = [fromBigEndian(signature.subarray(0, 32)), fromBigEndian(signature.subarray(32))]
  const malformed =
    refuse(r > 0n && r < group.order, 'r is out of range') ??
    refuse(s > 0n && s < group.order, 's is out of range') ??
    refuse(s <= group.order / 2n, 's is high') ??
    refuse(r === inputs.rho, 'r is not that of this request')
  if (malformed !== undefined) return malformed
  const recomputed = recomputedPoint(suite, inputs, s)
  const same = group.equals(recomputed, inputs.r) || group.isZero(group.add(recomputed, inputs.r))
  return refuse(same, 'the equation does not hold')
}

/** (e/s)·g + (ρ/s)·X', which is R, or −R when s was negated. */
function recomputedPoint<P>({ group }: Suite<P>, inputs: SigningInputs<P>, s: bigint): P {
  const inverse = invert(s, group.order)
  return group.add(
    group.g.multiplyPublic(mod(inputs.e * inverse, group.order)),
    group.multiplyPublic(inputs.derivedKey, mod(inputs.rho * inverse, group.order)),
  )
}

/** v of a verified signature: bit 0 parity of y, bit 1 whether x ≥ q. */
export function recoveryId<P>(
  suite: Suite<P>,
  inputs: SigningInputs<P>,
  signature: Uint8Array,
): number {
  const point = recomputedPoint(suite, inputs, fromBigEndian(signature.subarray(32)))
  const encoded = encodePoint(suite.group, point)
  return ((encoded[0] ?? 0) & 1) + (xOf(encoded) >= suite.group.order ? 2 : 0)
}

/**
 * The optimistic order (performance R6): the first t shares as they are; only if their signature
 * fails are shares checked one by one until t good ones are found. Any t good shares give the same
 * bytes.
 */
export function combine<P>(
  suite: Suite<P>,
  inputs: SigningInputs<P>,
  shares: SignatureShares,
): Combined {
  const { presignature } = inputs
  const blamed = [...shares.keys()].filter((index) => !isReceiver(presignature, index))
  const own = new Map([...shares].filter(([index]) => isReceiver(presignature, index)))
  const combined = combineOptimistically(own, {
    t: thresholdOf(presignature),
    combine: (some) => combineAndVerify(suite, inputs, some),
    isGood: (index, share) => verifyShare(suite, inputs, index, share) === undefined,
  })
  return { ...combined, blamed: [...blamed, ...combined.blamed] }
}

function combineAndVerify<P>(
  suite: Suite<P>,
  inputs: SigningInputs<P>,
  shares: SignatureShares,
): Combined['result'] {
  const signature = combineShares(suite, inputs, shares)
  if ('refusal' in signature) return signature
  return verifySignature(suite, inputs, signature) ?? { type: 'signature', signature }
}
