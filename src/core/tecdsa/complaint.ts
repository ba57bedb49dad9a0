/**
 * Complaints: one receiver's proof that a dealer sent it a bad share. Source: threshold
 * specification §§7, 10.1, 10.2.
 */
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes, pointInputs } from '../base/random-oracle.ts'
import type { Seed } from '../base/seed.ts'
import { cborMap, readKey, readMapHead } from './cbor.ts'
import { openingOpens } from './commitment.ts'
import type { Dealing, Recipient } from './dealing.ts'
import { cborProofOfLog, readProofOfLog } from './dealing-codec.ts'
import { decryptWith, sharedSecretOf } from './mega.ts'
import { cborPoints, decodeWhole, readPoint } from './object-codec.ts'
import type { DealerContext } from './parameters.ts'
import { boundTo, receiverAt } from './parameters.ts'
import type { ProofContext, ProofOfLog } from './proofs.ts'
import { proveEqualLogs, verifyEqualLogs } from './proofs.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import { unseal } from './secret.ts'
import type { Suite } from './suite.ts'

/** sk_j·v of one dealing, and the proof that it is. It opens the one ciphertext for j. */
export type Complaint = {
  readonly proof: ProofOfLog
  readonly sharedSecret: Secp256k1Point
}

/** A dealing that is in a finished transcript, so that it passed the public check. */
export type Disputed<P = Secp256k1Point> = DealerContext<P> & { readonly dealing: Dealing<P> }

/** The associated data of the proof name complainer and dealer, and the transcript by its own. */
function proofContext<P>(
  suite: Suite<P>,
  disputed: Disputed<P>,
  receiver: { readonly index: NodeIndex; readonly publicKey: Secp256k1Point },
): ProofContext {
  const associatedData = oracleBytes(
    suite.domains.complaint,
    {
      associated_data: bytesInput(boundTo(disputed)),
      receiver_index: integerInput(BigInt(receiver.index)),
      dealer_index: integerInput(BigInt(disputed.dealerIndex)),
      ...pointInputs(suite.encryptionGroup, { receiver_public_key: receiver.publicKey }),
    },
    32,
  )
  return { domain: suite.domains.dlogEq, associatedData }
}

/**
 * Made only about a dealing that did not open for the recipient: of a good one it would give away
 * the share. `seed` names the statement; the nonce has its own label (§3.8).
 */
export function createComplaint<P>(
  suite: Suite<P>,
  disputed: Disputed<P>,
  { receiverIndex, key }: Recipient,
  seed: Seed,
): Complaint {
  const { ciphertext } = disputed.dealing
  const sharedSecret = sharedSecretOf(suite, key, ciphertext)
  const { publicKey } = key
  const proof = proveEqualLogs(
    suite.encryptionGroup,
    proofContext(suite, disputed, { index: receiverIndex, publicKey }),
    { base: ciphertext.ephemeralKey, a: publicKey, b: sharedSecret },
    {
      witness: unseal(key.secret),
      nonces: seed.derive(suite.labels.complaint(disputed.dealerIndex)).generator(),
    },
  )
  return { proof, sharedSecret }
}

/**
 * Undefined when valid: the dealer sent the receiver at `complainer` a bad share. Signature and
 * state of the transcript are the caller's to check.
 */
export function verifyComplaint<P>(
  suite: Suite<P>,
  disputed: Disputed<P>,
  complainer: NodeIndex,
  { proof, sharedSecret }: Complaint,
): Refusal | undefined {
  const publicKey = receiverAt(disputed.parameters, complainer)?.megaKey.point
  if (publicKey === undefined)
    return { refusal: 'InvalidComplaint', detail: `index ${complainer} receives nothing` }
  const { dealerIndex, dealing } = disputed
  const { ciphertext, commitment } = dealing
  const proven = verifyEqualLogs(
    suite.encryptionGroup,
    proofContext(suite, disputed, { index: complainer, publicKey }),
    { base: ciphertext.ephemeralKey, a: publicKey, b: sharedSecret },
    proof,
  )
  if (!proven) return { refusal: 'InvalidProof', detail: 'the shared secret is not proven' }
  const context = { dealerIndex, associatedData: boundTo(disputed) }
  const secret = { receiverIndex: complainer, publicKey, sharedSecret }
  const share = decryptWith(suite, context, ciphertext, secret)
  const opens = openingOpens(suite.group, commitment, complainer, share)
  return refuseUnless(!opens, 'InvalidComplaint', 'the share is good')
}

export function encodeComplaint<P>(
  { encryptionGroup }: Suite<P>,
  { proof, sharedSecret }: Complaint,
): Uint8Array {
  const [point = new Uint8Array()] = cborPoints(encryptionGroup, [sharedSecret])
  return cborMap({ proof: cborProofOfLog(encryptionGroup, proof), shared_secret: point })
}

/** Strict; throws `BadEncoding`. */
export const decodeComplaint = <P>({ encryptionGroup }: Suite<P>, bytes: Uint8Array): Complaint =>
  decodeWhole(bytes, (reader) => {
    readMapHead(reader, 2)
    readKey(reader, 'proof')
    const proof = readProofOfLog(encryptionGroup, reader)
    readKey(reader, 'shared_secret')
    return { proof, sharedSecret: readPoint(encryptionGroup, reader) }
  })
