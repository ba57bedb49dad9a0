/**
 * Presignatures: four transcripts that belong together for ECDSA, one for Schnorr. Source:
 * threshold specification §§12.1, 12.2.
 */
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { Transcript } from './parameters.ts'
import { sameNodes } from './parameters.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { SecretShare } from './secret.ts'

/** κ, λ, κλ and xλ, each final. */
export type Presignature<P = Secp256k1Point> = {
  readonly kappa: Transcript<P>
  readonly lambda: Transcript<P>
  readonly kappaLambda: Transcript<P>
  readonly keyLambda: Transcript<P>
}

/** What a node needs to sign: its shares of λ, κλ and xλ. */
export type PresignatureShares = {
  readonly lambda: SecretShare
  readonly kappaLambda: SecretShare
  readonly keyLambda: SecretShare
}

const isProduct = (
  { kind }: Transcript<unknown>,
  left: Transcript<unknown>,
  right: Transcript<unknown>,
): boolean =>
  kind.type === 'masked' &&
  kind.origin.type === 'product' &&
  kind.origin.left === left.id &&
  kind.origin.right === right.id

/**
 * Whether the four transcripts make a presignature of this key transcript; undefined when they do.
 */
export function checkPresignature<P>(
  key: Transcript<P>,
  { kappa, lambda, kappaLambda, keyLambda }: Presignature<P>,
): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidPresignature', detail)
  const all = [kappa, lambda, kappaLambda, keyLambda]
  return (
    refuse(key.kind.type === 'unmasked', 'a masked sharing is not a key') ??
    refuse(
      all.every(({ algorithm }) => algorithm === key.algorithm),
      'of another algorithm than the key',
    ) ??
    refuse(
      all.every(({ receivers }) => sameNodes(receivers, key.receivers)),
      'held by other nodes than the key',
    ) ??
    refuse(
      kappa.kind.type === 'unmasked' && kappa.kind.origin.type !== 'reshareUnmasked',
      'κ is not a fresh unmasked sharing',
    ) ??
    refuse(
      lambda.kind.type === 'masked' && lambda.kind.origin.type === 'random',
      'λ is not a fresh masked sharing',
    ) ??
    refuse(isProduct(kappaLambda, kappa, lambda), 'κλ is not the product of κ and λ') ??
    refuse(isProduct(keyLambda, key, lambda), 'xλ is not the product of this key and λ')
  )
}

/** Whether a transcript can blind one Schnorr signature of this key; undefined when it can. */
export function checkBlinder<P>(key: Transcript<P>, blinder: Transcript<P>): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidPresignature', detail)
  const { kind } = blinder
  return (
    refuse(key.kind.type === 'unmasked', 'a masked sharing is not a key') ??
    refuse(blinder.algorithm === key.algorithm, 'of another algorithm than the key') ??
    refuse(sameNodes(blinder.receivers, key.receivers), 'held by other nodes than the key') ??
    refuse(
      kind.type === 'unmasked' && kind.origin.type === 'random',
      'κ is not a fresh unmasked sharing',
    )
  )
}
