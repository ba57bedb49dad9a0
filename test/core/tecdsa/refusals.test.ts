/**
 * Goal: each case of the table of refusals about dealings and support: built, refused by name,
 * blamed as stated, and nothing else changed by it.
 * Method: threshold specification §21. Four signers stall with one transcript open, because nobody
 * hears the dealings for it. Signer 0, started again for each case, is then given what the case
 * says in the name of node 3; after it, the dealing of node 2 must count as ever.
 */
import { describe, expect, test } from 'vitest'
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { mod } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import { createDealing, verifyDealing } from '../../../src/core/tecdsa/dealing.ts'
import { encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing } from '../../../src/core/tecdsa/evidence.ts'
import {
  decodeSignedDealing,
  decodeSupportedDealing,
  encodeSignedDealing,
  lanePrefix,
  supportContent,
} from '../../../src/core/tecdsa/evidence.ts'
import { createMembership } from '../../../src/core/tecdsa/membership.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import type { SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import type { Stalled } from '../../support/stalled-signers.ts'
import {
  blamesOf,
  LIAR,
  PRODUCT,
  RANDOM,
  RESHARE,
  stalledAt,
  vouchedIn,
} from '../../support/stalled-signers.ts'
import {
  bytes32,
  dealAll,
  makeNodes,
  makeRun,
  order,
  parametersOf,
  suite,
} from '../../support/threshold.ts'

const HONEST = 2

const next = (value: bigint): bigint => mod(value + 1n, order)
const plusG = (point = group.zero): typeof group.zero => group.add(point, group.g.point)
const flipLast = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))

/** The case is refused, blamed as said, and that is all: the next good dealing counts. */
function expectRefused(stalled: Stalled, bad: SignedDealing, blame: readonly string[]): void {
  stalled.startAgain()
  const before = new Map(stalled.net.records[0])
  const outputs = stalled.offer(bad)
  expect(blamesOf(outputs)).toEqual(blame)
  expect(outputs.filter(({ type }) => type !== 'fault')).toEqual([])
  expect(stalled.net.records[0]).toEqual(before)
}

function expectGoesOn(stalled: Stalled, id: bigint, dealer = HONEST): void {
  const good = stalled.signed(id, dealer)
  const outputs = stalled.offer(good)
  expect(vouchedIn(outputs)).toEqual([good.hash])
  expect(blamesOf(outputs)).toEqual([])
}

/** The dealing of node 3 for the transcript, changed. */
type Change = (own: Dealing, stalled: Stalled) => Dealing | Uint8Array
type Case = readonly [label: string, id: bigint, refusal: string, change: Change]

const edited =
  (find: RegExp, to: (found: string) => string): Change =>
  (own) => {
    const hex = toHex(encodeDealing(suite, own))
    const found = find.exec(hex)?.[0] ?? ''
    expect(found).not.toBe('')
    return fromHex(hex.replace(found, to(found)))
  }
const aPoint = /58220102[0-9a-f]{64}|58220103[0-9a-f]{64}/
const aScalar = /582101[0-9a-f]{64}/
const { x, y } = group.g.point.toAffine()

const encoding = (
  [
    ['§21 encoding: scalar ≥ q', edited(aScalar, () => `582101${toHex(bytes32(order))}`)],
    ['§21 encoding: wrong length', edited(aPoint, (found) => `5821${found.slice(4, -2)}`)],
    ['§21 encoding: point off curve', edited(aPoint, () => `58220102${'00'.repeat(32)}`)],
    [
      '§21 encoding: uncompressed',
      edited(aPoint, () => `58420104${toHex(concat(bytes32(x), bytes32(y)))}`),
    ],
    ['§21 encoding: trailing bytes', (own) => concat(encodeDealing(suite, own), Uint8Array.of(0))],
    [
      '§21 encoding: wrong tag byte, so anything of another group',
      edited(aPoint, (found) => `582202${found.slice(6)}`),
    ],
    ['§21 identity: ephemeral key', edited(aPoint, () => `582201${'00'.repeat(33)}`)],
  ] satisfies [string, Change][]
).map(([label, change]): Case => [label, RANDOM, 'BadEncoding', change])

const recommitted = ({ commitment, ...own }: Dealing, points: Dealing['commitment']['points']) => ({
  ...own,
  commitment: { ...commitment, points },
})
const recrypted = (own: Dealing, change: Partial<Dealing['ciphertext']>): Dealing => ({
  ...own,
  ciphertext: { ...own.ciphertext, ...change },
})

const contents: readonly Case[] = [
  [
    '§21 commitment: t−1',
    RANDOM,
    'InvalidCommitment',
    (own) => recommitted(own, own.commitment.points.slice(1)),
  ],
  [
    '§21 commitment: t+1 points',
    RANDOM,
    'InvalidCommitment',
    (own) => recommitted(own, [...own.commitment.points, group.zero]),
  ],
  [
    '§21 commitment: Pedersen where simple is due',
    RESHARE,
    'InvalidCommitment',
    (own) => ({ ...own, commitment: { ...own.commitment, type: 'pedersen' } }),
  ],
  [
    '§21 recipients: n−1',
    RANDOM,
    'InvalidRecipients',
    (own) => recrypted(own, { ctexts: own.ciphertext.ctexts.slice(1) }),
  ],
  [
    '§21 recipients: n+1 ctexts',
    RANDOM,
    'InvalidRecipients',
    (own) => recrypted(own, { ctexts: [...own.ciphertext.ctexts, [1n, 2n]] }),
  ],
  [
    '§21 recipients: single where pair is due',
    RANDOM,
    'InconsistentCiphertext',
    (own) =>
      recrypted(own, {
        type: 'single',
        ctexts: own.ciphertext.ctexts.map((pair) => pair.slice(1)),
      }),
  ],
  [
    '§21 pop: another dealer',
    RANDOM,
    'InvalidProof',
    (own, all) => ({ ...own, ciphertext: all.dealing(RANDOM, HONEST).ciphertext }),
  ],
  [
    '§21 pop: another ad',
    PRODUCT,
    'InvalidProof',
    (own, all) => ({ ...own, ciphertext: all.dealing(RANDOM, LIAR).ciphertext }),
  ],
  [
    '§21 pop: another v',
    RANDOM,
    'InvalidProof',
    (own) => recrypted(own, { ephemeralKey: plusG(own.ciphertext.ephemeralKey) }),
  ],
  ...(['challenge', 'response'] as const).map(
    (field): Case => [
      `§21 pop: c or z changed, here the ${field}`,
      RANDOM,
      'InvalidProof',
      (own) => {
        const { popProof } = own.ciphertext
        return recrypted(own, { popProof: { ...popProof, [field]: next(popProof[field]) } })
      },
    ],
  ),
]

const proofs: readonly Case[] = [
  ...[RESHARE, PRODUCT].flatMap((id): readonly Case[] => [
    ['§21 proof: missing', id, 'InvalidProof', (own) => ({ ...own, proof: undefined })],
    [
      '§21 proof: of other type',
      id,
      'InvalidProof',
      (own) => ({
        ...own,
        proof:
          own.proof?.type === 'product'
            ? { type: 'maskedResharing', challenge: 1n, response: 1n }
            : { type: 'product', challenge: 1n, response1: 1n, response2: 1n },
      }),
    ],
    [
      '§21 proof: over other C_0',
      id,
      'InvalidProof',
      (own) => {
        const [first, ...rest] = own.commitment.points
        return recommitted(own, [plusG(first), ...rest])
      },
    ],
    [
      "§21 proof: over another dealer's share",
      id,
      'InvalidProof',
      (own, all) => {
        const { commitment, proof } = all.dealing(id, HONEST)
        return { ...own, commitment, proof }
      },
    ],
  ]),
  [
    '§21 proof: superfluous',
    RANDOM,
    'InvalidProof',
    (own) => ({ ...own, proof: { type: 'maskedResharing', challenge: 1n, response: 1n } }),
  ],
]

describe('a dealing', () => {
  test.each([...encoding, ...contents, ...proofs])(
    '%s, in transcript %i: %s of the dealer',
    (_, id, refusal, change) => {
      const stalled = stalledAt(id)
      const changed = change(stalled.dealing(id, LIAR), stalled)
      const dealing = changed instanceof Uint8Array ? changed : encodeDealing(suite, changed)
      const bad = stalled.deal({ transcriptId: id, dealer: LIAR, dealing })
      expectRefused(stalled, bad, [`${LIAR} ${refusal}`])
      expectGoesOn(stalled, id)
    },
  )

  const honest = () => stalledAt(RESHARE).signed(RESHARE, LIAR)
  const ignored: [string, (stalled: Stalled) => SignedDealing][] = [
    ['§21 dealing: by a non-dealer', (stalled) => stalled.deal({ ...honest(), dealer: 9 }, LIAR)],
    ['§21 dealing: for an unknown', (stalled) => stalled.deal({ ...honest(), transcriptId: 900n })],
    ['§21 dealing: finished transcript', (stalled) => stalled.signed(RANDOM, LIAR)],
    [
      '§21 dealing: signature wrong',
      () => {
        const signature = flipLast(honest().signature)
        return decodeSignedDealing(encodeSignedDealing({ ...honest(), signature }))
      },
    ],
    [
      '§21 dealing: signature wrong, that of another node',
      (stalled) => stalled.deal(honest(), HONEST),
    ],
  ]
  test.each(ignored)('%s: ignored, and its dealer may still deal', (_, make) => {
    const stalled = stalledAt(RESHARE)
    expectRefused(stalled, make(stalled), [])
    expectGoesOn(stalled, RESHARE, LIAR)
  })

  test('§21 dealing: by a non-dealer, a receiver that does not deal: InvalidDealer', () => {
    const nodes = makeNodes(5)
    const wanted = {
      operation: { type: 'random' },
      dealers: nodes.slice(0, 4),
      receivers: nodes,
      id: 1n,
    } as const
    const dealing = present(dealAll(wanted).get(0), 'a dealing')
    const context = { parameters: parametersOf(wanted), dealerIndex: 4 }
    expect(verifyDealing(suite, context, dealing)?.refusal).toBe('InvalidDealer')
  })

  test('§21 equivocation: second different dealing of one dealer', () => {
    const stalled = stalledAt(RESHARE)
    stalled.startAgain()
    const signed = stalled.signed(RESHARE, LIAR)
    expect(vouchedIn(stalled.offer(signed))).toEqual([signed.hash])
    const rival = stalled.deal({ ...signed, dealing: utf8('rival') })
    const outputs = stalled.offer(rival)
    expect(blamesOf(outputs)).toEqual([`${LIAR} Equivocation`])
    expect(outputs).toHaveLength(1)
    // Both copies bear the signature of the dealer, and only the first is kept.
    expect(blamesOf(stalled.offer(signed))).toEqual([])
    expect(blamesOf(stalled.offer(rival))).toEqual([`${LIAR} Equivocation`])
    expectGoesOn(stalled, RESHARE)
  })

  test('§21 reshare: ReshareOfUnmasked with C_0 ≠ C_in(d)', () => {
    const nodes = makeNodes(4)
    const among = { dealers: nodes, receivers: nodes }
    const input = makeRun({ operation: { type: 'randomUnmasked' }, ...among, id: 1n })
    const operation = { type: 'reshareOfUnmasked', input } as const
    const parameters = parametersOf({ operation, ...among, id: 2n })
    const context = { parameters, dealerIndex: LIAR }
    const refusalOf = (share: number): string | undefined => {
      const shares = { type: 'reshare', share: present(input.shares[share], 'a share') } as const
      const dealing = createDealing(suite, context, { shares, seed: Seed.fromBytes(utf8('any')) })
      return verifyDealing(suite, context, dealing)?.refusal
    }
    expect(refusalOf(HONEST)).toBe('InvalidCommitment')
    expect(refusalOf(LIAR)).toBeUndefined()
  })
})

describe('a key', () => {
  const identity = new Uint8Array(33)

  test('§21 identity: MEGa key', () => {
    const { genesis } = stalledAt(RANDOM).net
    const { members, version } = genesis.membership
    const changed = members.map((member, i) =>
      i === LIAR ? { ...member, encryptionKey: identity } : member,
    )
    expect(() => createMembership(changed, version)).toThrow(BadEncoding)
    expect(createMembership(members, version)).toEqual(genesis.membership)
  })

  test('§21 identity: derived key', () => {
    for (const path of [[], [utf8('caller')]])
      expect(() => derivePublicKey(masterKey(identity), path)).toThrow(BadEncoding)
  })
})

describe('support', () => {
  /** Signer 0 has dealt; how it takes the support of others, and what it puts into the log. */
  function dealer() {
    const stalled = stalledAt(RESHARE)
    stalled.startAgain()
    const { net } = stalled
    const { hash } = stalled.signed(RESHARE, 0)
    const prefix = lanePrefix(net.genesis, suite.algorithm)
    const give = (from: number, hashes: readonly Hash32[], by = from): SignerOutputs => {
      const signature = net.keysOf(by).sign('support', supportContent(prefix, hashes))
      const support = { hashes, signature }
      const bytes = encodeSignerMessage({ type: 'support', lane: 'ecdsa', support })
      return net.signer(0).step({ type: 'message', from, bytes })
    }
    /** Two more make v = 3 with one that was counted before, and only then. */
    const expectCounted = (counted: readonly number[], more: readonly number[]): void => {
      const all = more.flatMap((node) => give(node, [hash]))
      const [item] = all.flatMap((output) => (output.type === 'submit' ? [output.item] : []))
      const { supports } = decodeSupportedDealing(present(item, 'an item').bytes)
      const signers = supports.map(({ signer }) => signer).toSorted()
      expect(signers).toEqual([...counted, ...more].toSorted())
    }
    return { hash, give, expectCounted }
  }

  test('§21 support: by a non-receiver', () => {
    const { hash, give, expectCounted } = dealer()
    const outputs = give(7, [hash], LIAR)
    expect(outputs.filter(({ type }) => type !== 'fault')).toEqual([])
    expect(blamesOf(outputs).every((blame) => blame.startsWith('7 '))).toBe(true)
    expectCounted([], [1, 2, 3])
  })

  test('§21 support: twice', () => {
    const { hash, give, expectCounted } = dealer()
    for (const node of [1, 1, 1, 2, 2, 1]) expect(give(node, [hash])).toEqual([])
    expectCounted([1, 2], [3])
  })

  test('§21 support: wrong signature', () => {
    const { hash, give, expectCounted } = dealer()
    const outputs = give(LIAR, [hash], HONEST)
    expect(outputs).toHaveLength(1)
    expect(blamesOf(outputs)).toEqual([`${LIAR} BadSignature`])
    expectCounted([], [1, 2, 3])
  })

  test('§21 support: other hash', () => {
    const { give, expectCounted } = dealer()
    for (const node of [1, 2, 3]) expect(give(node, [sha256(utf8('rival'))])).toEqual([])
    expectCounted([], [1, 2, 3])
  })
})
