/**
 * Threshold BLS: shares of a signature and their combination. Source: threshold §16.1.
 */
import { concat, u64be, utf8 } from '../base/bytes.ts'
import { assert } from '../base/errors.ts'
import { encodePoint } from '../base/group.ts'
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import { BLS_ORDER, blsG2, blsMessagePoint, blsMultiply, blsSum } from '../base/noble-bls12381.ts'
import type { NodeIndex } from '../base/party.ts'
import { verifyBls } from '../base/verification.ts'
import type { Commitment } from './commitment.ts'
import { constantTerm, evaluateAt } from './commitment.ts'
import { lagrangeScalars } from './lagrange.ts'
import type { SecretShare } from './secret.ts'
import { unseal } from './secret.ts'

/** Of a share, and of a signature. */
export const BLS_SHARE_SIZE = 48

/** What a share is over: the domain, with its length in front, then numbers as u64 (§16.3). */
export function blsContent(domain: string, ...numbers: readonly bigint[]): Uint8Array {
  const name = utf8(domain)
  return concat(Uint8Array.of(name.length), name, ...numbers.map(u64be))
}

/** [z]_j · H(m), 48 bytes. */
export function blsShare(share: SecretShare, message: Uint8Array): Uint8Array {
  const opening = unseal(share)
  assert(opening.type === 'simple', 'a BLS key is an unmasked sharing')
  return blsMultiply(blsMessagePoint(message), opening.value)
}

/** 96 bytes, compressed. */
export const blsPublicKey = (commitment: Commitment<BlsG2Point>): Uint8Array =>
  encodePoint(blsG2, constantTerm(commitment))

/** Whether a share is that of a node: e(σ_j, g2) = e(H(m), C(j)). */
export const isBlsShare = (
  commitment: Commitment<BlsG2Point>,
  node: NodeIndex,
  message: Uint8Array,
  share: Uint8Array,
): boolean => verifyBls(encodePoint(blsG2, evaluateAt(blsG2, commitment, node)), message, share)

/**
 * The signature of the first t shares, if it verifies; if it does not, shares are checked one by
 * one and false ones are blamed. Undefined while fewer than t are good.
 */
export function combineBls(
  commitment: Commitment<BlsG2Point>,
  message: Uint8Array,
  shares: ReadonlyMap<NodeIndex, Uint8Array>,
): { readonly signature: Uint8Array | undefined; readonly blamed: readonly NodeIndex[] } {
  const t = commitment.points.length
  const publicKey = blsPublicKey(commitment)
  const attempt = (nodes: readonly NodeIndex[]): Uint8Array | undefined => {
    if (nodes.length < t) return undefined
    const chosen = nodes.slice(0, t)
    const signature = interpolate(chosen, shares)
    return signature !== undefined && verifyBls(publicKey, message, signature)
      ? signature
      : undefined
  }
  const all = [...shares.keys()].toSorted((a, b) => a - b)
  const signature = attempt(all)
  if (signature !== undefined || all.length < t) return { signature, blamed: [] }
  const good = all.filter((node) => {
    const share = shares.get(node)
    return share !== undefined && isBlsShare(commitment, node, message, share)
  })
  const blamed = all.filter((node) => !good.includes(node))
  return { signature: attempt(good), blamed }
}

function interpolate(
  nodes: readonly NodeIndex[],
  shares: ReadonlyMap<NodeIndex, Uint8Array>,
): Uint8Array | undefined {
  const coefficients = lagrangeScalars(nodes, BLS_ORDER)
  return blsSum(
    nodes.map((node, place) => ({
      point: shares.get(node) ?? new Uint8Array(),
      scalar: coefficients[place] ?? 0n,
    })),
  )
}
