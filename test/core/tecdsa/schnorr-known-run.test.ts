/**
 * Goal: the two Schnorr runs that the Internet Computer publishes come out bit for bit. Method:
 * threshold specification Annex A.4, n = 5, t = 2: rounds Random, ReshareOfMasked, RandomUnmasked,
 * then one signature each. All published hash prefixes and every printed value are compared.
 */
import { schnorr as nobleBip340 } from '@noble/curves/secp256k1.js'
import { describe, expect, test } from 'vitest'
import { toHex, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { ed25519Group } from '../../../src/core/base/noble-ed25519.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import type { Generator } from '../../../src/core/base/seed.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { nobleEd25519, verifyBip340 } from '../../../src/core/base/verification.ts'
import { constantTerm } from '../../../src/core/tecdsa/commitment.ts'
import type { Dealing } from '../../../src/core/tecdsa/dealing.ts'
import { createDealing, openDealing, verifyDealing } from '../../../src/core/tecdsa/dealing.ts'
import { decodeDealing, encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import type { DealerShares } from '../../../src/core/tecdsa/dealing-draw.ts'
import { generateMegaKey } from '../../../src/core/tecdsa/mega.ts'
import {
  decodeSchnorrShare,
  encodeCommitment,
  encodeSchnorrShare,
} from '../../../src/core/tecdsa/object-codec.ts'
import type {
  Operation,
  Transcript,
  TranscriptParameters,
} from '../../../src/core/tecdsa/parameters.ts'
import { checkBlinder } from '../../../src/core/tecdsa/presignature.ts'
import type { SchnorrInputs, SchnorrShares } from '../../../src/core/tecdsa/schnorr.ts'
import {
  combineSchnorr,
  createSchnorrShare,
  schnorrInputs,
  verifySchnorrShare,
} from '../../../src/core/tecdsa/schnorr.ts'
import type { SchnorrScheme } from '../../../src/core/tecdsa/schnorr-scheme.ts'
import { bip340, ed25519 } from '../../../src/core/tecdsa/schnorr-scheme.ts'
import type { SecretShare } from '../../../src/core/tecdsa/secret.ts'
import { schnorrBip340, thresholdEd25519 } from '../../../src/core/tecdsa/suite.ts'
import { combineOpened, createTranscript } from '../../../src/core/tecdsa/transcript.ts'
import { encodeCombination } from '../../../src/core/tecdsa/transcript-codec.ts'

const NODES = 5
const prefix = (bytes: Uint8Array): string => toHex(sha256(bytes)).slice(0, 16)
const lowBytes = (generator: Generator): Uint8Array =>
  Uint8Array.from(generator.words(32), (word) => word & 0xff)

type Round<P> = {
  readonly dealings: ReadonlyMap<NodeIndex, Dealing<P>>
  readonly transcript: Transcript<P>
  readonly shares: readonly SecretShare[]
}

/** The three rounds of one run, with message and nonce. */
function makeRun<P>(scheme: SchnorrScheme<P>, seed: string) {
  const { suite } = scheme
  const root = Seed.fromBytes(utf8(seed))
  const setup = root.derive('setup').generator()
  const associatedData = lowBytes(setup)
  const keys = Array.from({ length: NODES }, () => generateMegaKey(suite, setup))
  const protocol = Seed.fromGenerator(setup)
  const members = keys.map(({ publicKey }, i) => ({
    id: Uint8Array.of(i),
    megaKey: suite.encryptionGroup.fixedBase(publicKey),
  }))

  function round(
    number: number,
    operation: Operation<P>,
    shares: (dealer: number) => DealerShares,
  ): Round<P> {
    const parameters: TranscriptParameters<P> = {
      id: BigInt(number),
      algorithm: suite.algorithm,
      dealers: members,
      receivers: members,
      operation,
      membershipVersion: 0n,
      subnetId: new Uint8Array(),
      sourceHeight: 0n,
    }
    const seeds = protocol.derive(`ic-crypto-tecdsa-round-${number}`).generator()
    const dealings = new Map<NodeIndex, Dealing<P>>()
    const opened = members.map(() => new Map<NodeIndex, SecretShare>())
    for (let dealerIndex = 0; dealerIndex < NODES; dealerIndex++) {
      const context = { parameters, dealerIndex, associatedData }
      const own = { shares: shares(dealerIndex), seed: Seed.fromGenerator(seeds) }
      const dealing = decodeDealing(suite, encodeDealing(suite, createDealing(suite, context, own)))
      expect(verifyDealing(suite, context, dealing)).toBeUndefined()
      for (const [receiverIndex, key] of keys.entries()) {
        const share = openDealing(suite, context, dealing, { receiverIndex, key })
        opened[receiverIndex]?.set(dealerIndex, present(share, 'every dealing opens'))
      }
      dealings.set(dealerIndex, dealing)
    }
    const transcript = createTranscript(suite, parameters, dealings)
    if ('refusal' in transcript) throw new Error(transcript.detail)
    const loaded = opened.map((own, receiverIndex) =>
      combineOpened(suite, { transcript, receiverIndex, opened: own }),
    )
    return { dealings, transcript, shares: loaded }
  }

  const none = (): DealerShares => ({ type: 'none' })
  const masked = round(0, { type: 'random' }, none)
  const key = round(1, { type: 'reshareOfMasked', input: masked.transcript }, (node) => ({
    type: 'reshare',
    share: present(masked.shares[node], 'a share'),
  }))
  const blinder = round(2, { type: 'randomUnmasked' }, none)
  const message = lowBytes(root.derive('message').generator())
  const nonce = lowBytes(root.derive('beacon').generator())
  return { scheme, key, blinder, message, nonce }
}

type WholeRun<P> = ReturnType<typeof makeRun<P>>

function signed<P>({ scheme, key, blinder, message, nonce }: WholeRun<P>, root?: Uint8Array) {
  const inputs = schnorrInputs(scheme, {
    key: key.transcript,
    blinder: blinder.transcript,
    path: [u32be(1), u32be(2), u32be(3)],
    message,
    taprootRoot: root,
    nonce,
  })
  if ('refusal' in inputs) throw new Error(inputs.detail)
  const shares: SchnorrShares = new Map(
    key.shares.map((share, node) => [
      node,
      createSchnorrShare(scheme, inputs, {
        key: share,
        blinder: present(blinder.shares[node], 'a share'),
      }),
    ]),
  )
  const { result, blamed } = combineSchnorr(scheme, inputs, shares)
  if (!('signature' in result)) throw new Error(result.detail)
  expect(blamed).toEqual([])
  return { inputs, shares, signature: result.signature }
}

type Published = {
  readonly x: string
  readonly k: string
  readonly message: string
  readonly nonce: string
  readonly derived: string
  readonly delta: bigint
  readonly share0: string
  readonly signature: string
  readonly prefixes: {
    readonly key: readonly string[]
    readonly blinder: readonly string[]
    readonly shares: readonly string[]
    readonly signature: string
  }
}

/** Commitment, transcript, then the five dealings. */
const prefixesOf = <P>({ scheme: { suite } }: WholeRun<P>, round: Round<P>): string[] => [
  prefix(encodeCommitment(suite, round.transcript.commitment)),
  prefix(encodeCombination(suite, round.transcript)),
  ...[...round.dealings.values()].map((dealing) => prefix(encodeDealing(suite, dealing))),
]

function describeRun<P>(
  name: string,
  run: WholeRun<P>,
  due: Published,
  {
    wireShare,
    verify,
  }: {
    readonly wireShare: (s: bigint) => Uint8Array
    readonly verify: (
      inputs: SchnorrInputs<P>,
      message: Uint8Array,
      signature: Uint8Array,
    ) => boolean
  },
): void {
  const { scheme, key, blinder } = run
  const { group } = scheme.suite
  const { inputs, shares, signature } = signed(run)
  const constantOf = ({ transcript }: Round<P>): string =>
    toHex(encodePoint(group, constantTerm(transcript.commitment)))

  describe(name, () => {
    test('key, blinder, message and nonce follow from the seed', () => {
      expect(constantOf(key)).toBe(due.x)
      expect(constantOf(blinder)).toBe(due.k)
      expect(toHex(run.message)).toBe(due.message)
      expect(toHex(run.nonce)).toBe(due.nonce)
      expect(checkBlinder(key.transcript, blinder.transcript)).toBeUndefined()
    })

    test('every published hash of commitments, transcripts and dealings', () => {
      expect(prefixesOf(run, key)).toEqual(due.prefixes.key)
      expect(prefixesOf(run, blinder)).toEqual(due.prefixes.blinder)
    })

    test('derived key and δ', () => {
      expect(toHex(inputs.publicKey)).toBe(due.derived)
      expect(inputs.delta).toBe(due.delta)
    })

    test('the share of node 0, the published hash of each share, and each verifies', () => {
      expect(toHex(group.encodeScalar(shares.get(0)?.s ?? 0n))).toBe(due.share0)
      const wire = [...shares.values()].map(({ s }) => prefix(wireShare(s)))
      expect(wire).toEqual(due.prefixes.shares)
      for (const [node, share] of shares)
        expect(verifySchnorrShare(scheme, inputs, node, share)).toBeUndefined()
    })

    test('§22.5 ed25519: the signature, accepted by a library that knows nothing of thresholds', () => {
      expect(toHex(signature)).toBe(due.signature)
      expect(prefix(signature)).toBe(due.prefixes.signature)
      expect(verify(inputs, run.message, signature)).toBe(true)
    })
  })
}

const bip340Run = makeRun(
  bip340(schnorrBip340(secp256k1)),
  'ic-crypto-fixed-seed-for-bip340-with-k256-mega',
)
const ed25519Run = makeRun(
  ed25519(thresholdEd25519(ed25519Group, secp256k1)),
  'ic-crypto-fixed-seed-for-ed25519-with-k256-mega',
)

describeRun(
  'BIP340',
  bip340Run,
  {
    x: '0232ea53c31ae20d6b87c99de173352e82277e1d5360bd22b84d6b157c70074437',
    k: '0325622607df68c2c4986eac43e05b4eb166f25634ee72beee12666f73c6adcf89',
    message: 'dd9cfef7eaff2cc1d3971e747e331abbe810e3187f8df86238ce012b4ad8da6b',
    nonce: '0ab6a04132088bd3be91f198d390c4b8e6ee8f4279bac533a66601cab82d8370',
    derived: '0318bf80f5b69aeb80940bab16e22791e775b7ba84206ae54f078a187ccce289e9',
    delta: 0x5da814e77122b7f4b6840ab2858c0d418a335feaaa86e1919b508697a4ea2a88n,
    share0: '508fa2cd801201c18ef4b7b9d80c2579c48f2dd3502389c03bf07739db9df04f',
    signature:
      '13807c0fc2eb34ddf16f85e117729412d70c1ba68b3c325b7da33aad1cc4f33c' +
      '17ffda68bb4b4e9dbcb0084e2e3814fe1a8dbb7576c8cc82254da0f354e63269',
    prefixes: {
      key: [
        '1c9c1ae081f01333',
        'a5a39ea1368a7eaf',
        '381968318ce1a972',
        'a64b36f75ab54e21',
        '8130efaa7a966d2b',
        '7c0fda52e3638cbb',
        '09c86538386a2373',
      ],
      blinder: [
        '2ee7c97f0c3aa2d0',
        '708015ca0764b96b',
        'e1bda72a2363c83e',
        '033a4b7d3c6d7b35',
        '0d883aca685b888d',
        'babed7a860f38993',
        'c541088384582f9e',
      ],
      shares: [
        '12e004e15a48699b',
        '5233d7a0f522d41a',
        'd3c478beef7fcf69',
        '7b43000b5fb724d2',
        '69b109d0bc023c50',
      ],
      signature: '49a5195e5ac54a6d',
    },
  },
  {
    wireShare: (s) => encodeSchnorrShare(bip340Run.scheme.suite, { s }),
    verify: ({ publicKey }, message, signature) =>
      nobleBip340.verify(signature, message, publicKey.slice(1)),
  },
)

describeRun(
  'Ed25519',
  ed25519Run,
  {
    x: '584d5b6167486f382ce2add203fc541d13b0785e30933099941083bd051c6395',
    k: 'f833ce53a42f7b55cf9f492d9d188510794ef8ab1c49dfde85f0c93117d0458e',
    message: '15b9928ecd409e3697a3725a9445985335d36f85a4b94f6289f7458a5ebca6c6',
    nonce: '51d02b38d97260a9d5476982bccae79242e00eca7be6e0a6c4f045be555112da',
    derived: '5469bb5093b5f4942c77ccfe0d3b05973e6ef86079f31bc21bdbf6f10dc04f1d',
    delta: 0x0b3ec76fb3be7f8dde5256df0aa54f7c7f14f123fa3114da7bb0faa1158d1269n,
    share0: '5506917ce2277f6a6ba8b9ef7d92da9d72ce9bca8dce39d1fa582924dd79df01',
    signature:
      '77c1e725e1911ac7bc719658a94cceeb0608402061b97ff2ff1021826c1fed3a' +
      'ed50bd8f28f53d30f369fecc3b88f87fd4eabf746a236b8af7572bd0e6160508',
    prefixes: {
      key: [
        'de28aec1408afb48',
        '7797fa45df1fcd13',
        'f36040a6b41e3908',
        '3eb6ac994d151800',
        '4af0cad4ad64e34b',
        'a625f366fb63867d',
        'a2ef0bbf4c6d2f6c',
      ],
      blinder: [
        'effd5d953be5452f',
        'c1d97f34370ed3c9',
        'a58e4c739e56920c',
        '601805cd26f7c1e2',
        '0416173015da91be',
        'af45434844419435',
        '037b1e9b2409060d',
      ],
      shares: [
        'fff354b51e340f21',
        '1bdc843038096cbd',
        '92df60247f781e56',
        '2a4cbf5672d728d5',
        'eea7a9410ea5e773',
      ],
      signature: '9fae525b533ec83a',
    },
  },
  {
    wireShare: (s) => encodeSchnorrShare(ed25519Run.scheme.suite, { s }),
    verify: ({ publicKey }, message, signature) =>
      nobleEd25519.verify(publicKey, message, signature),
  },
)

describe('BIP340 with a taproot root', () => {
  test.each([
    {
      name: 'empty',
      root: new Uint8Array(),
      key: 'da014aac4aba346712b0dce0b781abc05f27998caf0a7d8adc8e46c767a5d385',
      signature:
        '41b62125e8ec70f13d762b283c4a4b6447e712e43d0f1472e357b5b10a9c47df' +
        '59ead22291bdfe7c55e07f13c52ce65f336dc62a211a2ab87ca0ff440a62ea28',
    },
    {
      name: 'of 32 bytes',
      root: new Uint8Array(32).fill(0x11),
      key: '5a4eec074c6b824fac2a9725fd99406ab58e8d6519a35d0333169b832db65410',
      signature:
        '4971533fb7dddbc44878ba8628f37c970e6e6f298ec75a69cf8864a1f5b7df57' +
        '55b2d7a600a2c16393b5f97a3e4a73d57c26a4da382180338aa8b776c83d3646',
    },
  ])('$name gives the key and signature of the annex', ({ root, key, signature }) => {
    const made = signed(bip340Run, root)
    expect(toHex(made.inputs.verificationKey)).toBe(key)
    expect(toHex(made.signature)).toBe(signature)
    expect(verifyBip340(made.inputs.verificationKey, bip340Run.message, made.signature)).toBe(true)
    expect(made.inputs.publicKey).toEqual(signed(bip340Run).inputs.publicKey)
  })
})

test('a share in its published form decodes again', () => {
  const { suite } = bip340Run.scheme
  const { shares } = signed(bip340Run)
  for (const share of shares.values())
    expect(decodeSchnorrShare(suite, encodeSchnorrShare(suite, share))).toEqual(share)
})
