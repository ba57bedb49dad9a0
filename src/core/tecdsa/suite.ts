/**
 * What differs between algorithms: group, id byte, domain strings, seed labels. Source: threshold
 * §§3.5, 3.6, 3.8.
 */
import type { Group } from '../base/group.ts'
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import type { Ed25519Point } from '../base/noble-ed25519.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'

export type SchnorrAlgorithm = 'ThresholdSchnorrBip340' | 'ThresholdEd25519'
export type Algorithm = 'ThresholdEcdsaSecp256k1' | SchnorrAlgorithm | 'ThresholdBls'

/** The identifier byte that enters the associated data. */
export const algorithmIds: Readonly<Record<Algorithm, number>> = {
  ThresholdEcdsaSecp256k1: 15,
  ThresholdSchnorrBip340: 18,
  ThresholdEd25519: 19,
  ThresholdBls: 128,
}

/** Ciphertexts of one scalar, or of two. */
export type CiphertextType = 'single' | 'pairs'

/** Every string under a hash of the protocol. The older forms belong to ECDSA on secp256k1. */
export type Domains = {
  readonly megaEncrypt: Readonly<Record<CiphertextType, string>>
  readonly megaPopBase: Readonly<Record<CiphertextType, string>>
  readonly dlogEq: string
  readonly equalOpenings: string
  readonly product: string
  readonly complaint: string
  readonly rerandomize: string
}

/** Labels of the seeds that grow from the seed of a dealing. One label, one use. */
export type SeedLabels = {
  readonly polynomials: string
  readonly megaParent: (dealerIndex: number, receiverCount: number) => string
  readonly megaEncryption: Readonly<Record<CiphertextType, string>>
  readonly megaPop: Readonly<Record<CiphertextType, string>>
  readonly equalOpenings: string
  readonly product: string
  readonly complaint: (dealerIndex: number) => string
}

/** One algorithm over one engine. Encryption keys are on secp256k1, whatever the algorithm. */
export type Suite<P = Secp256k1Point> = {
  readonly algorithm: Algorithm
  readonly group: Group<P>
  readonly encryptionGroup: Group<Secp256k1Point>
  readonly domains: Domains
  readonly labels: SeedLabels
}

function seedLabels(tag: string): SeedLabels {
  const label = (use: string): string => `ic-crypto-idkg-${tag}-seed-for-${use}`
  return {
    polynomials: label('dealing-polynomials'),
    megaParent: (dealerIndex, receiverCount) =>
      label(`mega-encrypting-from-dealer-${dealerIndex}-to-${receiverCount}`),
    megaEncryption: {
      single: label('mega-single-encryption-with-secp256k1'),
      pairs: label('mega-pairs-encryption-with-secp256k1'),
    },
    megaPop: {
      single: label('mega-single-pop-proof-with-secp256k1'),
      pairs: label('mega-pairs-pop-proof-with-secp256k1'),
    },
    equalOpenings: label('zk-proof-of-equal-openings'),
    product: label('zk-proof-of-product'),
    complaint: (dealerIndex) => label(`complaint-dealer-${dealerIndex}`),
  }
}

const legacyDomains: Domains = {
  megaEncrypt: {
    single: 'ic-crypto-tecdsa-mega-encryption-single-encrypt',
    pairs: 'ic-crypto-tecdsa-mega-encryption-pair-encrypt',
  },
  megaPopBase: {
    single: 'ic-crypto-tecdsa-mega-encryption-single-pop-base',
    pairs: 'ic-crypto-tecdsa-mega-encryption-pair-pop-base',
  },
  dlogEq: 'ic-crypto-tecdsa-zk-proof-of-dlog-eq',
  equalOpenings: 'ic-crypto-tecdsa-zk-proof-of-equal-openings',
  product: 'ic-crypto-tecdsa-zk-proof-of-product',
  complaint: 'ic-crypto-tecdsa-complaint-proof-assoc-data',
  rerandomize: 'ic-crypto-tecdsa-rerandomize-presig',
}

/** Threshold ECDSA on secp256k1 over the engine given. */
export const ecdsaSecp256k1 = (group: Group<Secp256k1Point>): Suite => ({
  algorithm: 'ThresholdEcdsaSecp256k1',
  group,
  encryptionGroup: group,
  domains: legacyDomains,
  labels: seedLabels('ecdsa-secp256k1'),
})

/** §3.5, for every algorithm but ECDSA on secp256k1. */
function domainsOf(tag: string): Domains {
  const idkg = (use: string): string => `ic-crypto-idkg-${tag}-${use}`
  return {
    megaEncrypt: {
      single: idkg('mega-single-encrypt-with-secp256k1'),
      pairs: idkg('mega-pairs-encrypt-with-secp256k1'),
    },
    megaPopBase: {
      single: idkg('mega-single-pop-base-with-secp256k1'),
      pairs: idkg('mega-pairs-pop-base-with-secp256k1'),
    },
    dlogEq: idkg('zk-proof-of-dlog-eq'),
    equalOpenings: idkg('zk-proof-of-equal-openings'),
    product: idkg('zk-proof-of-product'),
    complaint: idkg('complaint-proof-assoc-data'),
    rerandomize: `ic-crypto-${tag}-rerandomize-presig`,
  }
}

/** Threshold Schnorr of BIP340 over the engine given. */
export const schnorrBip340 = (group: Group<Secp256k1Point>): Suite => ({
  algorithm: 'ThresholdSchnorrBip340',
  group,
  encryptionGroup: group,
  domains: domainsOf('bip340'),
  labels: seedLabels('bip340'),
})

/** Threshold Ed25519; encryption keys are those of the nodes. */
export const thresholdEd25519 = (
  group: Group<Ed25519Point>,
  encryptionGroup: Group<Secp256k1Point>,
): Suite<Ed25519Point> => ({
  algorithm: 'ThresholdEd25519',
  group,
  encryptionGroup,
  domains: domainsOf('ed25519'),
  labels: seedLabels('ed25519'),
})

/** Threshold BLS with keys in G2; encryption keys are those of the nodes (§16.2). */
export const thresholdBls = (
  group: Group<BlsG2Point>,
  encryptionGroup: Group<Secp256k1Point>,
): Suite<BlsG2Point> => ({
  algorithm: 'ThresholdBls',
  group,
  encryptionGroup,
  domains: domainsOf('bls'),
  labels: seedLabels('bls'),
})
