/** MEGa: one ephemeral key, one ciphertext a receiver. Source: threshold specification §6. */
import { assert, present } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { OracleInput } from '../base/random-oracle.ts'
import {
  bytesInput,
  integerInput,
  oraclePoint,
  oracleScalars,
  pointInputs,
} from '../base/random-oracle.ts'
import type { Generator, Seed } from '../base/seed.ts'
import type { Member } from './parameters.ts'
import type { ProofOfLog } from './proofs.ts'
import { proveEqualLogs, verifyEqualLogs } from './proofs.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { SecretOpening } from './secret.ts'
import { Sealed, unseal } from './secret.ts'
import type { CiphertextType, Suite } from './suite.ts'

/** One scalar for a receiver (single), or value and mask (pairs). */
export type Ctext = readonly bigint[]

export type Ciphertext = {
  readonly type: CiphertextType
  readonly ephemeralKey: Secp256k1Point
  readonly popPublicKey: Secp256k1Point
  readonly popProof: ProofOfLog
  /** In the order of the receivers. */
  readonly ctexts: readonly Ctext[]
}

/** The encryption key of a node with its public half. */
export type MegaSecretKey = {
  readonly secret: Sealed<Secret>
  readonly publicKey: Secp256k1Point
}

/** What a ciphertext is bound to. */
export type MegaContext = {
  readonly dealerIndex: NodeIndex
  readonly associatedData: Uint8Array
}

export const scalarsOf: Readonly<Record<CiphertextType, number>> = { single: 1, pairs: 2 }

/** A fresh key: a random scalar that is not zero. */
export function generateMegaKey<P>(suite: Suite<P>, generator: Generator): MegaSecretKey {
  const group = suite.encryptionGroup
  const secret = generator.scalar(group)
  if (secret === 0n) return generateMegaKey(suite, generator)
  return { secret: new Sealed(secret), publicKey: group.g.multiplySecret(secret) }
}

/** β·pk_j = sk_j·v for one receiver, and what the masks are bound to. */
type SharedSecret = {
  readonly receiverIndex: NodeIndex
  readonly publicKey: Secp256k1Point
  readonly sharedSecret: Secp256k1Point
}

type MaskContext = MegaContext & {
  readonly type: CiphertextType
  readonly ephemeralKey: Secp256k1Point
}

/** The masks of receivers; all points are encoded together. */
function masksOf<P>(
  suite: Suite<P>,
  { type, dealerIndex, associatedData, ephemeralKey }: MaskContext,
  secrets: readonly SharedSecret[],
): readonly bigint[][] {
  const points = secrets.flatMap(({ publicKey, sharedSecret }, i) => [
    [`public_key ${i}`, publicKey],
    [`shared_secret ${i}`, sharedSecret],
  ])
  const encoded: Readonly<Record<string, OracleInput>> = pointInputs(suite.encryptionGroup, {
    ephemeral_key: ephemeralKey,
    ...Object.fromEntries(points),
  })
  const input = (name: string): OracleInput => present(encoded[name], 'encoded above')
  return secrets.map(({ receiverIndex }, i) =>
    oracleScalars(
      suite.group,
      suite.domains.megaEncrypt[type],
      {
        dealer_index: integerInput(BigInt(dealerIndex)),
        recipient_index: integerInput(BigInt(receiverIndex)),
        associated_data: bytesInput(associatedData),
        public_key: input(`public_key ${i}`),
        ephemeral_key: input('ephemeral_key'),
        shared_secret: input(`shared_secret ${i}`),
      },
      scalarsOf[type],
    ),
  )
}

/**
 * The point u with which the dealer proves that it knows β; it differs by dealer, transcript and
 * key.
 */
function popBase<P>(
  suite: Suite<P>,
  { type, dealerIndex, associatedData, ephemeralKey }: MaskContext,
): Secp256k1Point {
  const group = suite.encryptionGroup
  return oraclePoint(group, suite.domains.megaPopBase[type], {
    associated_data: bytesInput(associatedData),
    dealer_index: integerInput(BigInt(dealerIndex)),
    ...pointInputs(group, { ephemeral_key: ephemeralKey }),
  })
}

const scalarsIn = (opening: SecretOpening): readonly Secret[] =>
  opening.type === 'simple' ? [opening.value] : [opening.value, opening.mask]

/**
 * Encrypts one opening a receiver, in index order. `seed` is that of the dealing (§3.8).
 *
 * β and the nonce of its proof come from it under their own labels.
 */
export function encrypt<P>(
  suite: Suite<P>,
  { dealerIndex, associatedData }: MegaContext,
  receivers: readonly Member[],
  { openings, seed }: { readonly openings: readonly SecretOpening[]; readonly seed: Seed },
): Ciphertext {
  assert(openings.length === receivers.length, 'one plaintext a receiver')
  const [group, order] = [suite.encryptionGroup, suite.group.order]
  const type: CiphertextType = openings[0]?.type === 'pedersen' ? 'pairs' : 'single'
  const parent = seed.derive(suite.labels.megaParent(dealerIndex, receivers.length))
  const beta = parent.derive(suite.labels.megaEncryption[type]).generator().scalar(group)
  const ephemeralKey = group.g.multiplySecret(beta)
  const context = { type, dealerIndex, associatedData, ephemeralKey }
  const base = popBase(suite, context)
  const popPublicKey = group.multiplySecret(base, beta)
  const popProof = proveEqualLogs(
    group,
    { domain: suite.domains.dlogEq, associatedData },
    { base, a: ephemeralKey, b: popPublicKey },
    { witness: beta, nonces: parent.derive(suite.labels.megaPop[type]).generator() },
  )
  const secrets = receivers.map(({ megaKey }, receiverIndex) => ({
    receiverIndex,
    publicKey: megaKey.point,
    sharedSecret: megaKey.multiplySecret(beta),
  }))
  const masks = masksOf(suite, context, secrets)
  const ctexts = openings.map((opening, j) =>
    scalarsIn(opening).map((scalar, i) => mod((masks[j]?.[i] ?? 0n) + scalar, order)),
  )
  return { type, ephemeralKey, popPublicKey, popProof, ctexts }
}

/** The public check of §6.3: what anybody can see of a ciphertext. */
export function verifyCiphertext<P>(
  suite: Suite<P>,
  { dealerIndex, associatedData }: MegaContext,
  expected: { readonly type: CiphertextType; readonly receiverCount: number },
  ciphertext: Ciphertext,
): Refusal | undefined {
  const { type, ephemeralKey, popPublicKey: b, popProof, ctexts } = ciphertext
  const group = suite.encryptionGroup
  const counted = `${ctexts.length} ciphertexts for ${expected.receiverCount} receivers`
  const malformed =
    refuseUnless(ctexts.length === expected.receiverCount, 'InvalidRecipients', counted) ??
    refuseUnless(
      type === expected.type && ctexts.every((ctext) => ctext.length === scalarsOf[type]),
      'InconsistentCiphertext',
      `${type} ciphertexts where ${expected.type} are due`,
    ) ??
    refuseUnless(!group.isZero(ephemeralKey), 'InvalidProof', 'the ephemeral key is the identity')
  if (malformed !== undefined) return malformed
  const base = popBase(suite, { type, dealerIndex, associatedData, ephemeralKey })
  const proven = verifyEqualLogs(
    group,
    { domain: suite.domains.dlogEq, associatedData },
    { base, a: ephemeralKey, b },
    popProof,
  )
  return refuseUnless(proven, 'InvalidProof', 'possession of the ephemeral key is not proven')
}

/**
 * sk_j·v. It decrypts the one ciphertext of this dealing that is meant for the owner of the key.
 */
export function sharedSecretOf<P>(
  suite: Suite<P>,
  key: MegaSecretKey,
  { ephemeralKey }: Ciphertext,
): Secp256k1Point {
  return suite.encryptionGroup.multiplySecret(ephemeralKey, unseal(key.secret))
}

/**
 * The plaintext at the receiver's index, given the shared secret. It never fails; a false plaintext
 * shows only against the commitment. The public check comes first.
 */
export function decryptWith<P>(
  suite: Suite<P>,
  context: MegaContext,
  ciphertext: Ciphertext,
  secret: SharedSecret,
): SecretOpening {
  const { type, ephemeralKey, ctexts } = ciphertext
  const ctext = present(ctexts[secret.receiverIndex], 'the receiver has a ciphertext')
  const [masks = []] = masksOf(suite, { ...context, type, ephemeralKey }, [secret])
  const [value = 0n, mask = 0n] = ctext.map((scalar, i) =>
    mod(scalar - (masks[i] ?? 0n), suite.group.order),
  )
  return type === 'single'
    ? { type: 'simple', value: asSecret(value) }
    : { type: 'pedersen', value: asSecret(value), mask: asSecret(mask) }
}

/** Decrypts for the owner of the key. */
export function decrypt<P>(
  suite: Suite<P>,
  context: MegaContext,
  ciphertext: Ciphertext,
  { receiverIndex, key }: { readonly receiverIndex: NodeIndex; readonly key: MegaSecretKey },
): SecretOpening {
  const sharedSecret = sharedSecretOf(suite, key, ciphertext)
  return decryptWith(suite, context, ciphertext, {
    receiverIndex,
    publicKey: key.publicKey,
    sharedSecret,
  })
}
