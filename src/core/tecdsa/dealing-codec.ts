/** CBOR of dealings, bit for bit that of the IC. Source: threshold specification §7. */
import type { Reader } from '../base/codec.ts'
import { BadEncoding, present } from '../base/errors.ts'
import type { Group } from '../base/group.ts'
import {
  cborArray,
  cborMap,
  cborNull,
  readArray,
  readKey,
  readMapHead,
  readOptionalVariant,
  readVariant,
} from './cbor.ts'
import type { Dealing } from './dealing.ts'
import type { DealingProof } from './dealing-draw.ts'
import type { Ciphertext, Ctext } from './mega.ts'
import { scalarsOf } from './mega.ts'
import {
  cborCommitment,
  cborPoints,
  cborScalar,
  decodeWhole,
  RECEIVERS_MAX,
  readCommitment,
  readPoint,
  readScalar,
  readScalars,
} from './object-codec.ts'
import type { ProofOfLog } from './proofs.ts'
import type { CiphertextType, Suite } from './suite.ts'

const ciphertextNames = { single: 'Single', pairs: 'Pairs' } as const

export function encodeDealing<P>(suite: Suite<P>, dealing: Dealing<P>): Uint8Array {
  const { ciphertext, commitment, proof } = dealing
  const { group, encryptionGroup } = suite
  const keys = cborPoints(encryptionGroup, [ciphertext.ephemeralKey, ciphertext.popPublicKey])
  return cborMap({
    ciphertext: cborCiphertext(suite, ciphertext, keys),
    commitment: cborCommitment(commitment, cborPoints(group, commitment.points)),
    proof: proof === undefined ? cborNull() : cborProof(group, proof),
  })
}

function cborCiphertext<P>(
  { group, encryptionGroup }: Suite<P>,
  { type, popProof, ctexts }: Ciphertext,
  [ephemeralKey, popPublicKey]: readonly Uint8Array[],
): Uint8Array {
  const scalars = (ctext: Ctext): Uint8Array[] => ctext.map((scalar) => cborScalar(group, scalar))
  const body = cborMap({
    ephemeral_key: present(ephemeralKey, 'two keys are encoded'),
    pop_public_key: present(popPublicKey, 'two keys are encoded'),
    pop_proof: cborProofOfLog(encryptionGroup, popProof),
    ctexts: cborArray(
      type === 'single'
        ? ctexts.flatMap(scalars)
        : ctexts.map((ctext) => cborArray(scalars(ctext))),
    ),
  })
  return cborMap({ [ciphertextNames[type]]: body })
}

export const cborProofOfLog = <P>(
  group: Group<P>,
  { challenge, response }: ProofOfLog,
): Uint8Array =>
  cborMap({ challenge: cborScalar(group, challenge), response: cborScalar(group, response) })

function cborProof<P>(group: Group<P>, proof: DealingProof): Uint8Array {
  switch (proof.type) {
    case 'maskedResharing':
      return cborMap({ ProofOfMaskedResharing: cborProofOfLog(group, proof) })
    case 'product':
      return cborMap({
        ProofOfProduct: cborMap({
          challenge: cborScalar(group, proof.challenge),
          response1: cborScalar(group, proof.response1),
          response2: cborScalar(group, proof.response2),
        }),
      })
  }
}

/**
 * Strict; throws `BadEncoding`. Kinds that do not fit an operation decode, and are refused by
 * `verifyDealing`.
 */
export const decodeDealing = <P>(suite: Suite<P>, bytes: Uint8Array): Dealing<P> =>
  decodeWhole(bytes, (reader) => {
    readMapHead(reader, 3)
    readKey(reader, 'ciphertext')
    const ciphertext = readCiphertext(suite, reader)
    readKey(reader, 'commitment')
    const commitment = readCommitment(suite.group, reader)
    readKey(reader, 'proof')
    return { ciphertext, commitment, proof: readProof(suite.group, reader) }
  })

function readCiphertext<P>({ group, encryptionGroup }: Suite<P>, reader: Reader): Ciphertext {
  const type = readVariant(reader, ['Single', 'Pairs']) === 'Single' ? 'single' : 'pairs'
  readMapHead(reader, 4)
  readKey(reader, 'ephemeral_key')
  const ephemeralKey = readPoint(encryptionGroup, reader)
  if (encryptionGroup.isZero(ephemeralKey))
    throw new BadEncoding('the identity where an ephemeral key is due')
  readKey(reader, 'pop_public_key')
  const popPublicKey = readPoint(encryptionGroup, reader)
  readKey(reader, 'pop_proof')
  const popProof = readProofOfLog(encryptionGroup, reader)
  readKey(reader, 'ctexts')
  const ctexts = readArray(reader, () => readCtext(group, reader, type), RECEIVERS_MAX)
  return { type, ephemeralKey, popPublicKey, popProof, ctexts }
}

const readCtext = <P>(group: Group<P>, reader: Reader, type: CiphertextType): Ctext =>
  type === 'single' ? [readScalar(group, reader)] : readScalars(group, reader, scalarsOf.pairs)

export function readProofOfLog<P>(group: Group<P>, reader: Reader): ProofOfLog {
  readMapHead(reader, 2)
  readKey(reader, 'challenge')
  const challenge = readScalar(group, reader)
  readKey(reader, 'response')
  return { challenge, response: readScalar(group, reader) }
}

function readProof<P>(group: Group<P>, reader: Reader): DealingProof | undefined {
  const name = readOptionalVariant(reader, ['ProofOfMaskedResharing', 'ProofOfProduct'])
  if (name === undefined) return undefined
  if (name === 'ProofOfMaskedResharing')
    return { type: 'maskedResharing', ...readProofOfLog(group, reader) }
  readMapHead(reader, 3)
  readKey(reader, 'challenge')
  const challenge = readScalar(group, reader)
  readKey(reader, 'response1')
  const response1 = readScalar(group, reader)
  readKey(reader, 'response2')
  return { type: 'product', challenge, response1, response2: readScalar(group, reader) }
}
