/**
 * Goal: a dealing is accepted exactly if it deals what its operation says, to whom it says, in the
 * name of its dealer. Method: threshold specification §§7, 8, 21. Each operation is dealt among
 * four nodes; every field is changed in turn and must be refused under its own name.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { evaluateAt } from '../../../src/core/tecdsa/commitment.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import {
  createDealing,
  openDealing,
  openDealings,
  verifyDealing,
} from '../../../src/core/tecdsa/dealing.ts'
import { encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import type { DealerShares } from '../../../src/core/tecdsa/dealing-draw.ts'
import type { Operation } from '../../../src/core/tecdsa/parameters.ts'
import { unseal } from '../../../src/core/tecdsa/secret.ts'
import type { RunOf } from '../../support/threshold.ts'
import {
  bytesOf,
  dealAll,
  makeNodes,
  makeRun,
  order,
  parametersOf,
  suite,
} from '../../support/threshold.ts'

const nodes = makeNodes(4)
const among = { dealers: nodes, receivers: nodes }
const masked = makeRun({ operation: { type: 'random' }, ...among, id: 1n })
const unmasked = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 2n })
const operations: RunOf<Operation['type']>[] = [
  { type: 'random' },
  { type: 'randomUnmasked' },
  { type: 'reshareOfMasked', input: masked },
  { type: 'reshareOfUnmasked', input: unmasked },
  { type: 'unmaskedTimesMasked', left: unmasked, right: masked },
]
const cases = operations.map((operation, i) => ({
  name: operation.type,
  wanted: { operation, ...among, id: BigInt(10 + i) },
}))
const next = (value: bigint): bigint => mod(value + 1n, order)
const plusG = (point: typeof group.zero): typeof group.zero => group.add(point, group.g.point)
const dealt = new Map(cases.map(({ name, wanted }) => [name, dealAll(wanted)]))
const dealingOf = (name: Operation['type'], dealer: number): Dealing =>
  present(dealt.get(name)?.get(dealer), 'a dealing')

const isMasked = (name: Operation['type']): boolean =>
  name === 'random' || name === 'unmaskedTimesMasked'
const provesSomething = (name: Operation['type']): boolean =>
  name === 'reshareOfMasked' || name === 'unmaskedTimesMasked'

/** Each case of §21 that applies to every operation. */
function corruptions(name: Operation['type']): [string, string, (dealing: Dealing) => Dealing][] {
  const other = isMasked(name) ? dealingOf('randomUnmasked', 1) : dealingOf('random', 1)
  const points = (
    dealing: Dealing,
    change: (points: readonly (typeof group.zero)[]) => (typeof group.zero)[],
  ) => ({
    ...dealing,
    commitment: { ...dealing.commitment, points: change(dealing.commitment.points) },
  })
  const proofOf =
    name === 'unmaskedTimesMasked'
      ? dealingOf('reshareOfMasked', 1).proof
      : dealingOf('unmaskedTimesMasked', 1).proof
  return [
    ['t − 1 points', 'InvalidCommitment', (dealing) => points(dealing, (all) => all.slice(1))],
    [
      't + 1 points',
      'InvalidCommitment',
      (dealing) => points(dealing, (all) => [...all, group.zero]),
    ],
    ['no points', 'InvalidCommitment', (dealing) => points(dealing, () => [])],
    [
      'a commitment of the other kind',
      'InvalidCommitment',
      (dealing) => ({ ...dealing, commitment: { ...other.commitment } }),
    ],
    [
      'a ciphertext too few',
      'InvalidRecipients',
      (dealing) => ({
        ...dealing,
        ciphertext: { ...dealing.ciphertext, ctexts: dealing.ciphertext.ctexts.slice(1) },
      }),
    ],
    [
      'ciphertexts of the other kind',
      'InconsistentCiphertext',
      (dealing) => ({ ...dealing, ciphertext: other.ciphertext }),
    ],
    [
      'the ciphertext of another dealer',
      'InvalidProof',
      (dealing) => ({ ...dealing, ciphertext: dealingOf(name, 2).ciphertext }),
    ],
    [
      'the ciphertext of another transcript',
      'InvalidProof',
      (dealing) => ({
        ...dealing,
        ciphertext: present(
          (isMasked(name) ? masked : unmasked).dealings.get(1),
          'dealer 1 is in it',
        ).ciphertext,
      }),
    ],
    ['a proof of another type', 'InvalidProof', (dealing) => ({ ...dealing, proof: proofOf })],
    ...(provesSomething(name)
      ? ([
          ['no proof', 'InvalidProof', (dealing) => ({ ...dealing, proof: undefined })],
          [
            'the proof of another dealer',
            'InvalidProof',
            (dealing) => ({ ...dealing, proof: dealingOf(name, 2).proof }),
          ],
          [
            'another challenge',
            'InvalidProof',
            ({ proof, ...rest }) => ({
              ...rest,
              proof: proof && { ...proof, challenge: next(proof.challenge) },
            }),
          ],
          [
            'another C_0',
            'InvalidProof',
            (dealing) =>
              points(dealing, ([first, ...rest]) => [plusG(first ?? group.zero), ...rest]),
          ],
        ] satisfies [string, string, (dealing: Dealing) => Dealing][])
      : []),
  ]
}

describe.each(cases)('$name', ({ name, wanted }) => {
  const parameters = parametersOf(wanted)
  const dealing = dealingOf(name, 1)
  const context = { parameters, dealerIndex: 1 }

  test('every dealing verifies, and opens for every receiver', () => {
    for (const [dealerIndex, each] of dealt.get(name) ?? []) {
      const from = { parameters, dealerIndex }
      expect(verifyDealing(suite, from, each)).toBeUndefined()
      for (const [receiverIndex, { key }] of nodes.entries())
        expect(openDealing(suite, from, each, { receiverIndex, key })).toBeDefined()
    }
  })

  test.each(corruptions(name))('%s: %s', (_, refusal, corrupt) => {
    expect(verifyDealing(suite, context, corrupt(dealing))?.refusal).toBe(refusal)
  })

  test('the dealing of one dealer is not that of another', () => {
    for (const dealerIndex of [0, 2, 3]) {
      const refused = verifyDealing(suite, { parameters, dealerIndex }, dealing)
      expect(refused?.refusal).toBe('InvalidProof')
    }
    for (const dealerIndex of [-1, 4, 1.5, Number.NaN]) {
      const refused = verifyDealing(suite, { parameters, dealerIndex }, dealing)
      expect(refused?.refusal).toBe('InvalidDealer')
    }
  })

  test('the dealing of one transcript is not that of another', () => {
    const others = [
      { ...parameters, id: parameters.id + 1n },
      { ...parameters, sourceHeight: parameters.sourceHeight + 1n },
      { ...parameters, membershipVersion: parameters.membershipVersion + 1n },
      { ...parameters, subnetId: bytesOf('another subnet') },
    ]
    for (const other of others) {
      const refused = verifyDealing(suite, { parameters: other, dealerIndex: 1 }, dealing)
      expect(refused?.refusal).toBe('InvalidProof')
    }
  })

  test('a wrong ciphertext passes in public and opens for nobody but the others', () => {
    const { ctexts } = dealing.ciphertext
    const wrong: Dealing = {
      ...dealing,
      ciphertext: {
        ...dealing.ciphertext,
        ctexts: ctexts.with(2, (ctexts[2] ?? []).map(next)),
      },
    }
    expect(verifyDealing(suite, context, wrong)).toBeUndefined()
    const opened = nodes.map(({ key }, receiverIndex) =>
      openDealing(suite, context, wrong, { receiverIndex, key }),
    )
    expect(opened.map((share) => share !== undefined)).toEqual([true, true, false, true])
  })

  test('a wrong key or index opens nothing', () => {
    const [first, second] = nodes
    if (first === undefined || second === undefined) throw new Error('no node')
    expect(
      openDealing(suite, context, dealing, { receiverIndex: 0, key: second.key }),
    ).toBeUndefined()
    expect(
      openDealing(suite, context, dealing, { receiverIndex: 1, key: first.key }),
    ).toBeUndefined()
  })

  test('a seed makes one dealing, another seed another', () => {
    const dealer = present(nodes[1], 'a node')
    const shares: DealerShares =
      wanted.operation.type === 'unmaskedTimesMasked'
        ? {
            type: 'product',
            left: present(unmasked.shares[1], 'a share'),
            right: present(masked.shares[1], 'a share'),
          }
        : wanted.operation.type === 'reshareOfMasked'
          ? { type: 'reshare', share: present(masked.shares[1], 'a share') }
          : wanted.operation.type === 'reshareOfUnmasked'
            ? { type: 'reshare', share: present(unmasked.shares[1], 'a share') }
            : { type: 'none' }
    const seed = Seed.fromBytes(dealer.id).derive(`dealing ${wanted.id}`)
    const again = createDealing(suite, context, { shares, seed })
    expect(encodeDealing(suite, again)).toEqual(encodeDealing(suite, dealing))
    const other = createDealing(suite, context, { shares, seed: seed.derive('x') })
    expect(encodeDealing(suite, other)).not.toEqual(encodeDealing(suite, dealing))
  })
})

describe('what is dealt', () => {
  const value = (run: typeof masked, node: number): bigint =>
    unseal(present(run.shares[node], 'a share')).value
  const constant = (name: Operation['type'], dealer: number): typeof group.zero =>
    present(dealingOf(name, dealer).commitment.points[0], 'a constant term')

  test('a reshare deals the share of the dealer', () => {
    for (const dealer of [0, 1, 2, 3]) {
      const ofMasked = group.g.multiplyPublic(value(masked, dealer))
      expect(group.equals(constant('reshareOfMasked', dealer), ofMasked)).toBe(true)
      const ofUnmasked = evaluateAt(group, unmasked.transcript.commitment, dealer)
      expect(group.equals(constant('reshareOfUnmasked', dealer), ofUnmasked)).toBe(true)
    }
  })

  test('a reshare of another value is refused', () => {
    const wanted = cases[3]?.wanted
    if (wanted === undefined) throw new Error('no case')
    const parameters = parametersOf(wanted)
    const shares: DealerShares = {
      type: 'reshare',
      share: present(unmasked.shares[2], 'the share of another node'),
    }
    const seed = Seed.fromBytes(bytesOf('liar'))
    const dealing = createDealing(suite, { parameters, dealerIndex: 1 }, { shares, seed })
    const refused = verifyDealing(suite, { parameters, dealerIndex: 1 }, dealing)
    expect(refused?.refusal).toBe('InvalidCommitment')
  })

  test.each([
    [2, { type: 'reshare', share: present(masked.shares[2], 'of another node') }],
    [
      4,
      {
        type: 'product',
        left: present(unmasked.shares[2], 'of another node'),
        right: present(masked.shares[1], 'own'),
      },
    ],
    [
      4,
      {
        type: 'product',
        left: present(unmasked.shares[1], 'own'),
        right: present(masked.shares[2], 'of another node'),
      },
    ],
  ] satisfies [number, DealerShares][])(
    'shares of another node find no proof (operation %i)',
    (i, shares) => {
      const wanted = present(cases[i], 'a case').wanted
      const parameters = parametersOf(wanted)
      const seed = Seed.fromBytes(bytesOf('liar'))
      const dealing = createDealing(suite, { parameters, dealerIndex: 1 }, { shares, seed })
      const refused = verifyDealing(suite, { parameters, dealerIndex: 1 }, dealing)
      expect(refused?.refusal).toBe('InvalidProof')
    },
  )

  test('shares that do not fit the operation are a bug', () => {
    const seed = Seed.fromBytes(bytesOf('x'))
    const none: DealerShares = { type: 'none' }
    for (const { wanted } of cases.slice(2)) {
      const parameters = parametersOf(wanted)
      expect(() =>
        createDealing(suite, { parameters, dealerIndex: 0 }, { shares: none, seed }),
      ).toThrow()
    }
    const simple: DealerShares = { type: 'reshare', share: present(unmasked.shares[0], 'a share') }
    const parameters = parametersOf({
      operation: { type: 'reshareOfMasked', input: masked },
      ...among,
      id: 30n,
    })
    expect(() =>
      createDealing(suite, { parameters, dealerIndex: 0 }, { shares: simple, seed }),
    ).toThrow('pairs')
  })
})

describe('opening many', () => {
  const node = present(nodes[3], 'a node')
  const recipient = { receiverIndex: 3, key: node.key }
  const many = cases.flatMap(({ name, wanted }) =>
    [0, 1].map((dealerIndex) => ({
      parameters: parametersOf(wanted),
      dealerIndex,
      dealing: dealingOf(name, dealerIndex),
      recipient,
    })),
  )
  const weights = Seed.fromBytes(bytesOf('weights')).generator()
  const drawWeight = (): bigint => weights.scalar(group) >> 128n

  test('gives the same shares as opening one by one', () => {
    const together = openDealings(suite, many, drawWeight)
    const alone = many.map((one) => openDealing(suite, one, one.dealing, recipient))
    const values = (shares: typeof together) =>
      shares.map((share) => unseal(present(share, 'good')))
    expect(values(together)).toEqual(values(alone))
  })

  test('finds the bad ones among the good', () => {
    const bad = new Set([1, 6])
    const some = many.map((one, i) => {
      if (!bad.has(i)) return one
      const { ciphertext } = one.dealing
      const ctexts = ciphertext.ctexts.with(3, (ciphertext.ctexts[3] ?? []).map(next))
      return { ...one, dealing: { ...one.dealing, ciphertext: { ...ciphertext, ctexts } } }
    })
    const opened = openDealings(suite, some, drawWeight)
    expect(opened.map((share) => share === undefined)).toEqual(many.map((_, i) => bad.has(i)))
  })
})
