/**
 * Goal: a complaint proves that a dealer sent a bad share and says nothing else; openings give the
 * victim its share back, and only true ones.
 * Method: threshold specification §§10, 21. Every field of a complaint and of an opening is changed
 * in turn. The two serialised objects are those of dfinity/ic `canister_threshold_sig/tests/data`.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { mod } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { Complaint, Disputed } from '../../../src/core/tecdsa/complaint.ts'
import {
  createComplaint,
  decodeComplaint,
  encodeComplaint,
  verifyComplaint,
} from '../../../src/core/tecdsa/complaint.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import { openDealing } from '../../../src/core/tecdsa/dealing.ts'
import { sharedSecretOf } from '../../../src/core/tecdsa/mega.ts'
import { decodeOpening, encodeOpening } from '../../../src/core/tecdsa/object-codec.ts'
import { createOpening, verifyOpening } from '../../../src/core/tecdsa/opening.ts'
import { recoverShare } from '../../../src/core/tecdsa/recovery.ts'
import type { Opening, SecretShare } from '../../../src/core/tecdsa/secret.ts'
import { unseal } from '../../../src/core/tecdsa/secret.ts'
import type { RunOf } from '../../support/threshold.ts'
import {
  bytesOf,
  dealAll,
  makeNodes,
  makeRun,
  order,
  parametersOf,
  subsets,
  suite,
} from '../../support/threshold.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const nodes = makeNodes(4)
const [n, t] = [nodes.length, 2]
const among = { dealers: nodes, receivers: nodes }
const [dealer, victim, helper] = [0, 2, 1]
const recipientOf = (receiverIndex: NodeIndex) => ({
  receiverIndex,
  key: present(nodes[receiverIndex], 'a node').key,
})
const seed = Seed.fromBytes(bytesOf('complaint'))

/** The plaintext for one receiver is one more than what the dealer committed to. */
const spoil = (dealing: Dealing, receiver: NodeIndex): Dealing => ({
  ...dealing,
  ciphertext: {
    ...dealing.ciphertext,
    ctexts: dealing.ciphertext.ctexts.map((ctext, j) =>
      j === receiver ? ctext.map((scalar) => mod(scalar + 1n, order)) : ctext,
    ),
  },
})

const key = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 10n })
const masked = makeRun({ operation: { type: 'random' }, ...among, id: 11n })

function disputedOf(
  operation: RunOf<'random' | 'randomUnmasked' | 'unmaskedTimesMasked'>,
  id = 1n,
) {
  const wanted = { operation, ...among, id }
  const dealing = present(dealAll(wanted).get(dealer), 'the dealer deals')
  const good: Disputed = { parameters: parametersOf(wanted), dealerIndex: dealer, dealing }
  const bad: Disputed = { ...good, dealing: spoil(dealing, victim) }
  return { good, bad }
}

const { good, bad } = disputedOf({ type: 'random' })
const complain = (about: Disputed, by = victim): Complaint =>
  createComplaint(suite, about, recipientOf(by), seed)
const complaint = complain(bad)
const judge = (about: Disputed, given: Complaint, by = victim) =>
  verifyComplaint(suite, about, by, given)?.refusal

const openings = (about: Disputed, by: readonly NodeIndex[]): ReadonlyMap<NodeIndex, Opening> =>
  new Map(
    by.map(
      (i) => [i, present(createOpening(suite, about, recipientOf(i)), 'a good share')] as const,
    ),
  )
const shareOf = (about: Disputed): Opening =>
  unseal(present(openDealing(suite, about, about.dealing, recipientOf(victim)), 'a good share'))

const kinds = [
  ['random', disputedOf({ type: 'random' })],
  ['random unmasked', disputedOf({ type: 'randomUnmasked' })],
  ['product', disputedOf({ type: 'unmaskedTimesMasked', left: key, right: masked })],
] as const

describe('a complaint about a bad share', () => {
  test.each(kinds)('is valid, of a %s dealing', (_, { bad: about }) => {
    expect(judge(about, complain(about))).toBeUndefined()
  })

  test('reveals the secret of one ciphertext alone', () => {
    expect(complaint.sharedSecret).toEqual(
      sharedSecretOf(suite, recipientOf(victim).key, bad.dealing.ciphertext),
    )
  })

  test('is the same again from the same seed, and the nonce is under a label of the dealer', () => {
    expect(complain(bad)).toEqual(complaint)
    const nonce = seed.derive('ic-crypto-idkg-ecdsa-secp256k1-seed-for-complaint-dealer-0')
    const { challenge, response } = complaint.proof
    const secret = unseal(recipientOf(victim).key.secret)
    expect(mod(response - challenge * secret, order)).toBe(nonce.generator().scalar(secp256k1))
  })

  const one = secp256k1.g.point
  const otherDealing = kinds[1][1].bad.dealing
  test.each<[string, Disputed, Complaint, number]>([
    [
      '§21 complaint: with altered ss, c, z, here ss',
      bad,
      { ...complaint, sharedSecret: secp256k1.add(complaint.sharedSecret, one) },
      2,
    ],
    [
      '§21 complaint: with altered ss, c, z, here no ss',
      bad,
      { ...complaint, sharedSecret: secp256k1.zero },
      2,
    ],
    ['§21 complaint: with altered ss, c, z, here c', bad, altered('challenge'), 2],
    ['§21 complaint: with altered ss, c, z, here z', bad, altered('response'), 2],
    ['of another receiver', bad, complain(bad, 3), 2],
    ['§21 complaint: for another dealer', { ...bad, dealerIndex: 1 }, complaint, 2],
    ['by another receiver', bad, complaint, 3],
    ['about another dealing', { ...bad, dealing: otherDealing }, complaint, 2],
    [
      '§21 complaint: replayed for another transcript',
      { ...bad, parameters: { ...bad.parameters, id: 2n } },
      complaint,
      2,
    ],
    [
      'replayed in another time line',
      { ...bad, parameters: { ...bad.parameters, sourceHeight: 8n } },
      complaint,
      2,
    ],
  ])('%s: InvalidProof', (_, about, given, by) => {
    expect(judge(about, given, by)).toBe('InvalidProof')
  })

  function altered(field: 'challenge' | 'response'): Complaint {
    const proof = { ...complaint.proof, [field]: mod(complaint.proof[field] + 1n, order) }
    return { ...complaint, proof }
  }
})

test.each(kinds)(
  '§21 unfounded: complaint against a good share, InvalidComplaint (%s)',
  (_, { good: about }) => {
    expect(judge(about, complain(about))).toBe('InvalidComplaint')
  },
)

test('§21 misplaced: by a non-receiver, InvalidComplaint', () => {
  expect(judge(bad, complaint, n)).toBe('InvalidComplaint')
})

describe('an opening', () => {
  const [opening] = openings(bad, [helper]).values()
  const given = present(opening, 'an opening')
  const verify = (changed: Opening, between = { opener: helper, complainer: victim }) =>
    verifyOpening(suite, bad, between, changed)?.refusal

  test.each(kinds)('of a helper is good, of a %s dealing', (_, { bad: about }) => {
    const [own] = openings(about, [helper]).values()
    const between = { opener: helper, complainer: victim }
    expect(verifyOpening(suite, about, between, present(own, 'one'))).toBeUndefined()
  })

  test('is not given by a node whose own share is bad', () => {
    expect(createOpening(suite, bad, recipientOf(victim))).toBeUndefined()
  })

  const mask = given.type === 'pedersen' ? given.mask : 0n
  test.each<[string, Opening, { opener: number; complainer: number }?]>([
    [
      '§21 opening: that does not open, of another value',
      { type: 'pedersen', value: mod(given.value + 1n, order), mask },
    ],
    [
      '§21 opening: that does not open, of another mask',
      { type: 'pedersen', value: given.value, mask: mod(mask + 1n, order) },
    ],
    ['§21 opening: that does not open, without its mask', { type: 'simple', value: given.value }],
    ['§21 opening: that does not open, of another node', given, { opener: 3, complainer: victim }],
    ['§21 opening: by the complainer', given, { opener: helper, complainer: helper }],
    ['by a non-receiver', given, { opener: n, complainer: victim }],
  ])('%s: InvalidOpening', (_, changed, between) => {
    expect(verify(changed, between)).toBe('InvalidOpening')
  })
})

describe('recovery', () => {
  test.each(kinds)('from any t openings gives the share that was due (%s)', (_, each) => {
    const others = [0, 1, 3]
    for (const chosen of subsets(others.length, t)) {
      const by = chosen.map((i) => present(others[i], 'a node'))
      const share = recoverShare(suite, each.bad, victim, openings(each.bad, by))
      expect(unseal(share as SecretShare)).toEqual(shareOf(each.good))
    }
  })

  test('takes no more openings than it needs', () => {
    const share = recoverShare(suite, bad, victim, openings(bad, [3, 0, 1]))
    expect(unseal(share as SecretShare)).toEqual(shareOf(good))
  })

  test('§21 recovery: recovery from t−1 openings, InsufficientOpenings', () => {
    for (const by of [[], [helper]])
      expect(recoverShare(suite, bad, victim, openings(bad, by))).toMatchObject({
        refusal: 'InsufficientOpenings',
      })
  })

  test('from an opening that nobody verified stops: it is a bug', () => {
    const false0 = { type: 'pedersen', value: 1n, mask: 2n } as const
    const mixed = new Map([...openings(bad, [helper]), [0, false0] as const])
    expect(() => recoverShare(suite, bad, victim, mixed)).toThrow('polynomial')
  })
})

describe('the encoding', () => {
  const published = fromHex(
    'a26570726f6f66a2696368616c6c656e6765582101abbbb1c6c68cf646aa3cb27cebbcd735fc8bf7ae040378f0bb7b' +
      'fd38c75bdd9768726573706f6e7365582101c5fedaefe3bd8442a1b6272cb3f5e5f9e7e657487b10cf4705d241a8' +
      'a7214e076d7368617265645f736563726574582201032d3c8e27962bccdca0efbf30ee91a56c8b1100c3a0d749a4' +
      'a2273e8349f5e00f',
  )
  const publishedOpening = fromHex(
    'a168506564657273656e8258210107acdca36e57f1ca06b27afaaaf9646879f6b44aa44d45236a92682a85110f2f58' +
      '2101c8e89319897b16bcce9da089c52adc24f6d9f3df854e966e7bac14601f0d0948',
  )
  const codecOf = (bytes: Uint8Array) => ({
    bytes,
    decode: (given: Uint8Array) => decodeComplaint(suite, given),
    encode: (value: Complaint) => encodeComplaint(suite, value),
  })

  test.each([
    ['own', encodeComplaint(suite, complaint)],
    ['published', published],
  ])('of a complaint is read as it was written, whole or not at all: %s', (_, bytes) => {
    expectStrict(codecOf(bytes))
    expectTotal(codecOf(bytes))
  })

  test('of a published opening is read as it was written', () => {
    const encode = (opening: Opening) => encodeOpening(suite, opening)
    expectStrict({ bytes: publishedOpening, decode: (b) => decodeOpening(suite, b), encode })
    expect(decodeOpening(suite, publishedOpening).type).toBe('pedersen')
  })

  test('of a complaint keeps its format', () => {
    expect(toHex(sha256(encodeComplaint(suite, complaint)))).toBe(
      'e56368ad105b057e4ea19ac292b81c30dcbe84c280e6e28dda84f468c9a65c67',
    )
  })
})
