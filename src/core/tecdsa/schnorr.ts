/**
 * Schnorr signing: public inputs, shares, combination, verification. Source: threshold
 * specification §15.
 */
import { concat, equalBytes } from '../base/bytes.ts'
import { masterKey } from '../base/derivation.ts'
import { assert } from '../base/errors.ts'
import { decodeNonZero, encodePoint, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import type { OracleInputs } from '../base/random-oracle.ts'
import { bytesInput, oracleScalar, pointInput, scalarInput } from '../base/random-oracle.ts'
import { constantTerm, evaluateAt } from './commitment.ts'
import { lagrangeScalars } from './lagrange.ts'
import type { Combined } from './optimistic.ts'
import { combineOptimistically } from './optimistic.ts'
import type { Transcript } from './parameters.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { Equation, SchnorrScheme } from './schnorr-scheme.ts'
import type { SecretShare } from './secret.ts'
import { unseal } from './secret.ts'
import { NONCE_SIZE, SIGNATURE_SIZE } from './signature.ts'

/** All of it comes from the log; nothing is chosen by a node. */
export type SchnorrRequest<P> = {
  readonly key: Transcript<P>
  /** κ, the presignature. */
  readonly blinder: Transcript<P>
  /** From the caller's principal on. */
  readonly path: readonly Uint8Array[]
  /** Any length, 0 included. */
  readonly message: Uint8Array
  /** For BIP340 alone: absent, empty, or 32 bytes; absent and empty are two requests. */
  readonly taprootRoot: Uint8Array | undefined
  /** ω, 32 bytes, unknown before the pairing. */
  readonly nonce: Uint8Array
}

/** What everybody computes of a request. */
export type SchnorrInputs<P> = Equation & {
  readonly key: Transcript<P>
  readonly blinder: Transcript<P>
  readonly message: Uint8Array
  /** The derived key as the interface gives it out, before any taproot tweak. */
  readonly publicKey: Uint8Array
  readonly chainCode: Uint8Array
  /** The whole tweak: the key signed under is X + tweak·g. */
  readonly tweak: bigint
  /** The part of it that the path makes. */
  readonly pathTweak: bigint
  /** R0 = K + δ·g. */
  readonly r0: P
  readonly delta: bigint
}

/** A refusal means that this pairing gives no signature. */
export function schnorrInputs<P>(
  scheme: SchnorrScheme<P>,
  request: SchnorrRequest<P>,
): SchnorrInputs<P> | Refusal {
  assert(request.nonce.length === NONCE_SIZE, 'a signing nonce has 32 bytes')
  const { group } = scheme.suite
  const { key, blinder, path, message, taprootRoot } = request
  const master = encodePoint(group, constantTerm(key.commitment))
  const { publicKey, chainCode, tweak } = scheme.derive(masterKey(master), path)
  const delta = rerandomize(scheme, request, tweak)
  const derived = { key: decodeNonZero(group, publicKey), tweak }
  const tweaked = scheme.applyRoot(derived, taprootRoot)
  if ('refusal' in tweaked) return tweaked
  const r0 = group.add(constantTerm(blinder.commitment), group.g.multiplyPublic(delta))
  if (group.isZero(r0)) return { refusal: 'InvalidPresignature', detail: 'R is the identity' }
  return {
    key,
    blinder,
    message,
    publicKey,
    chainCode,
    tweak: tweaked.tweak,
    pathTweak: tweak,
    delta,
    r0,
    ...scheme.equation(tweaked.key, r0, message),
  }
}

/** δ of §15.1, over the tweak before any taproot change. */
function rerandomize<P>(
  { suite: { group, domains } }: SchnorrScheme<P>,
  { key, blinder, message, taprootRoot, nonce }: SchnorrRequest<P>,
  tweak: bigint,
): bigint {
  const root: OracleInputs =
    taprootRoot === undefined ? {} : { taproot_tree_root: bytesInput(taprootRoot) }
  return oracleScalar(group, domains.rerandomize, {
    randomness: bytesInput(nonce),
    message: bytesInput(message),
    pre_sig: pointInput(group, constantTerm(blinder.commitment)),
    key_transcript: pointInput(group, constantTerm(key.commitment)),
    key_tweak: scalarInput(group, tweak),
    ...root,
  })
}

/** s_j. Public. */
export type SchnorrShare = { readonly s: bigint }

/** Shares by node. */
export type SchnorrShares = ReadonlyMap<NodeIndex, SchnorrShare>

/** A node's shares of x and κ. */
export type SchnorrSecrets = { readonly key: SecretShare; readonly blinder: SecretShare }

/** The part of s that everybody knows. */
const publicPart = ({
  keyFactor,
  tweak,
  blinderFactor,
  delta,
}: Pick<SchnorrInputs<unknown>, 'keyFactor' | 'tweak' | 'blinderFactor' | 'delta'>): bigint =>
  keyFactor * tweak + blinderFactor * delta

/**
 * s_j = a·e·([x]_j + tweak) + b·([κ]_j + δ). The pairing is on disk before this leaves the node; a
 * second share of another request from the same κ gives the key away.
 */
export function createSchnorrShare<P>(
  { suite: { group } }: SchnorrScheme<P>,
  inputs: SchnorrInputs<P>,
  secrets: SchnorrSecrets,
): SchnorrShare {
  const [key, blinder] = [unseal(secrets.key), unseal(secrets.blinder)]
  assert(key.type === 'simple' && blinder.type === 'simple', 'key and blinder are unmasked')
  const secretPart = inputs.keyFactor * key.value + inputs.blinderFactor * blinder.value
  return { s: mod(secretPart + publicPart(inputs), group.order) }
}

/** Whether a share is the one that node `index` owes; undefined when it is. */
export function verifySchnorrShare<P>(
  { suite: { group } }: SchnorrScheme<P>,
  inputs: SchnorrInputs<P>,
  index: NodeIndex,
  { s }: SchnorrShare,
): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidSignatureShare', detail)
  const stranger = refuse(isReceiver(inputs, index), 'of a node without share')
  if (stranger !== undefined) return stranger
  const at = (transcript: Transcript<P>): P => evaluateAt(group, transcript.commitment, index)
  const due = group.pair(at(inputs.key), inputs.keyFactor, at(inputs.blinder), inputs.blinderFactor)
  const found = group.g.multiplyPublic(mod(s - publicPart(inputs), group.order))
  return refuse(group.equals(found, due), 's does not open')
}

const isReceiver = ({ key }: SchnorrInputs<unknown>, index: NodeIndex): boolean =>
  Number.isInteger(index) && index >= 0 && index < key.receivers.length

const thresholdOf = ({ key }: SchnorrInputs<unknown>): number => key.commitment.points.length

/** Σ λ_j·s_j of these shares. */
export function schnorrAtZero<P>(
  { suite: { group } }: SchnorrScheme<P>,
  shares: SchnorrShares,
): bigint {
  const weights = lagrangeScalars([...shares.keys()], group.order)
  const s = [...shares.values()].reduce((sum, share, i) => sum + (weights[i] ?? 0n) * share.s, 0n)
  return mod(s, group.order)
}

/** r ‖ s at zero. False shares give a false signature: the caller verifies. */
export function combineSchnorrShares<P>(
  scheme: SchnorrScheme<P>,
  inputs: SchnorrInputs<P>,
  shares: SchnorrShares,
): Uint8Array | Refusal {
  const t = thresholdOf(inputs)
  if (shares.size < t)
    return { refusal: 'InsufficientShares', detail: `${shares.size} shares, ${t} needed` }
  const s = schnorrAtZero(scheme, new Map([...shares].slice(0, t)))
  return concat(inputs.r, scheme.suite.group.encodeScalar(s))
}

/** Why a signature is not the one of this request; undefined when it is. Asked before release. */
export function verifySchnorrSignature<P>(
  scheme: SchnorrScheme<P>,
  { r, verificationKey, message }: SchnorrInputs<P>,
  signature: Uint8Array,
): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidSignature', detail)
  return (
    refuse(signature.length === SIGNATURE_SIZE, `${signature.length} bytes`) ??
    refuse(equalBytes(signature.subarray(0, 32), r), 'R is not that of this request') ??
    refuse(scheme.verify(verificationKey, message, signature), 'the equation does not hold')
  )
}

/**
 * The optimistic order (performance R6): the first t shares as they are; only if their signature
 * fails are shares checked one by one until t good ones are found. Any t good shares give the same
 * bytes.
 */
export function combineSchnorr<P>(
  scheme: SchnorrScheme<P>,
  inputs: SchnorrInputs<P>,
  shares: SchnorrShares,
): Combined {
  const blamed = [...shares.keys()].filter((index) => !isReceiver(inputs, index))
  const own = new Map([...shares].filter(([index]) => isReceiver(inputs, index)))
  const combined = combineOptimistically(own, {
    t: thresholdOf(inputs),
    combine: (some) => combineAndVerify(scheme, inputs, some),
    isGood: (index, share) => verifySchnorrShare(scheme, inputs, index, share) === undefined,
  })
  return { ...combined, blamed: [...blamed, ...combined.blamed] }
}

function combineAndVerify<P>(
  scheme: SchnorrScheme<P>,
  inputs: SchnorrInputs<P>,
  shares: SchnorrShares,
): Combined['result'] {
  const signature = combineSchnorrShares(scheme, inputs, shares)
  if ('refusal' in signature) return signature
  return verifySchnorrSignature(scheme, inputs, signature) ?? { type: 'signature', signature }
}
