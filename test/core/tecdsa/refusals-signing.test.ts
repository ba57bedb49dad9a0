/**
 * Goal: each case of the table of refusals about transcripts, presignatures and signatures: built,
 * refused by name, blamed as stated, and nothing else changed by it.
 * Method: threshold specification §21; the pure functions for what has no sender, signers for what
 * has one.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { describe, expect, test } from 'vitest'
import { bigEndian, concat, equalBytes, fromBigEndian, utf8 } from '../../../src/core/base/bytes.ts'
import { Bug, present } from '../../../src/core/base/errors.ts'
import { mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import type { SupportedDealing } from '../../../src/core/tecdsa/evidence.ts'
import {
  encodeSupportedDealing,
  lanePrefix,
  supportContent,
} from '../../../src/core/tecdsa/evidence.ts'
import type { ShareMessage } from '../../../src/core/tecdsa/message.ts'
import { encodeSignerMessage, shareContent } from '../../../src/core/tecdsa/message.ts'
import {
  decodeSignatureShare,
  encodeSignatureShare,
} from '../../../src/core/tecdsa/object-codec.ts'
import type { Presignature } from '../../../src/core/tecdsa/presignature.ts'
import { checkPresignature } from '../../../src/core/tecdsa/presignature.ts'
import type { SignatureShare } from '../../../src/core/tecdsa/signature.ts'
import {
  combine,
  combineShares,
  verifyShare,
  verifySignature,
} from '../../../src/core/tecdsa/signature.ts'
import type { SignerOutput, SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import { createTranscript, verifyTranscript } from '../../../src/core/tecdsa/transcript.ts'
import { inputsOf, makeWorld, sharesOf, signatureOf } from '../../support/presigned.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { isDone, request, settled } from '../../support/signer-story.ts'
import { blamesOf, RESHARE, stalledAt } from '../../support/stalled-signers.ts'
import {
  bytes32,
  bytesOf,
  dealAll,
  makeNodes,
  order,
  parametersOf,
  suite,
} from '../../support/threshold.ts'

const next = (value: bigint): bigint => mod(value + 1n, order)
const world = makeWorld(4)
const inputs = inputsOf(world)
const shares = sharesOf(world, inputs)
const signature = signatureOf(world, inputs)
const shareAt = (node: number): SignatureShare => present(shares.get(node), 'a share')

describe('a transcript', () => {
  const nodes = makeNodes(4)
  const operation = { type: 'random' } as const
  const wanted = { operation, dealers: nodes, receivers: nodes, id: 40n }
  const parameters = parametersOf(wanted)
  const all = [...dealAll(wanted)]
  const dealings = new Map(all.slice(0, 2))
  const transcript = createTranscript(suite, parameters, dealings)
  if ('refusal' in transcript) throw new Error(transcript.detail)
  const refusalOf = (some: typeof dealings, stated = transcript): string | undefined =>
    verifyTranscript(suite, parameters, { dealings: some, transcript: stated })?.refusal
  const created = (some: typeof dealings): string => {
    const made = createTranscript(suite, parameters, some)
    return 'refusal' in made ? made.refusal : 'created'
  }

  test('as it is due is one', () => {
    expect([refusalOf(dealings), created(dealings)]).toEqual([undefined, 'created'])
  })

  test('§21 transcript: with c−1 dealings', () => {
    const few = new Map(all.slice(0, 1))
    expect([refusalOf(few), created(few)]).toEqual(['InvalidTranscript', 'InvalidTranscript'])
  })

  test('§21 transcript: with a duplicated dealer', () => {
    const [first] = all
    const twice = new Map([present(first, 'a dealing'), present(first, 'the same')])
    expect([refusalOf(twice), created(twice)]).toEqual(['InvalidTranscript', 'InvalidTranscript'])
  })

  test('§21 transcript: with altered combination', () => {
    const { commitment } = transcript
    for (const [k, point] of commitment.points.entries()) {
      const points = commitment.points.with(k, group.add(point, group.g.point))
      const altered = { ...transcript, commitment: { ...commitment, points } }
      expect(refusalOf(dealings, altered)).toBe('InvalidTranscript')
    }
    expect(refusalOf(new Map(all.slice(1, 3)))).toBe('InvalidTranscript')
  })

  /** The dealing of node 1 for the open transcript, with the support of some nodes. */
  function supportedBy(dealer: number, ...signers: readonly number[]): Uint8Array {
    const { net } = stalledAt(RESHARE)
    const signed = stalledAt(RESHARE).signed(RESHARE, dealer)
    const content = supportContent(lanePrefix(net.genesis, suite.algorithm), [signed.hash])
    const supports = signers.map((signer) => ({
      signer,
      hashes: [signed.hash],
      signature: net.keysOf(signer).sign('support', content),
    }))
    const supported: SupportedDealing = { signed, supports }
    return encodeSupportedDealing(supported)
  }

  test('§21 transcript: with v−1 supports, as an item of the log', () => {
    const stalled = stalledAt(RESHARE)
    stalled.startAgain()
    const signer = stalled.net.signer(0)
    const take = (...by: readonly number[]): boolean =>
      signer.takeDealing('ecdsa', supportedBy(1, ...by))
    for (const by of [[], [1], [1, 2], [1, 2, 2]]) expect(take(...by)).toBe(false)
    expect(take(1, 2, 3)).toBe(true)
  })

  test('§21 transcript: with a duplicated dealer, as items of the log', () => {
    const stalled = stalledAt(RESHARE)
    stalled.startAgain()
    const signer = stalled.net.signer(0)
    const take = (dealer: number): boolean =>
      signer.takeDealing('ecdsa', supportedBy(dealer, 1, 2, 3))
    expect([take(1), take(1), signer.publicKey]).toEqual([true, false, undefined])
    expect([take(2), signer.publicKey === undefined]).toEqual([true, false])
  })
})

describe('a presignature', () => {
  const { presignature } = world
  const key = world.key.transcript
  const other = makeWorld(5)
  const rows: [string, Partial<Presignature>, Partial<typeof key>?][] = [
    ['§21 presignature: foreign key transcript', {}, { id: 99n }],
    [
      '§21 presignature: swapped κλ and xλ',
      { kappaLambda: presignature.keyLambda, keyLambda: presignature.kappaLambda },
    ],
    ...(['kappa', 'lambda', 'kappaLambda', 'keyLambda'] as const).flatMap(
      (name): [string, Partial<Presignature>][] => [
        [
          '§21 presignature: other receivers',
          { [name]: { ...presignature[name], receivers: other.key.transcript.receivers } },
        ],
        [
          '§21 presignature: other algorithm',
          { [name]: { ...presignature[name], algorithm: 'ThresholdBls' } },
        ],
      ],
    ),
  ]
  test.each(rows)('%s: InvalidPresignature', (_, change, keyChange = {}) => {
    const refused = checkPresignature({ ...key, ...keyChange }, { ...presignature, ...change })
    expect(refused?.refusal).toBe('InvalidPresignature')
    expect(checkPresignature(key, presignature)).toBeUndefined()
  })
})

describe('a signature share', () => {
  const fields = (['nu', 'mu'] as const).flatMap((part) =>
    (['value', 'mask'] as const).map((field) => [`${part} ${field}`, part, field] as const),
  )
  const altered = (
    share: SignatureShare,
    part: 'nu' | 'mu',
    field: 'value' | 'mask',
  ): SignatureShare => {
    const opening = share[part]
    if (opening.type !== 'pedersen') throw new Error('a pair is due')
    return { ...share, [part]: { ...opening, [field]: next(opening[field]) } }
  }

  test.each(fields)('§21 share: altered in any of 4 scalars, %s', (_, part, field) => {
    const bad = altered(shareAt(1), part, field)
    expect(verifyShare(suite, inputs, 1, bad)?.refusal).toBe('InvalidSignatureShare')
    const combined = combine(suite, inputs, new Map([[1, bad], ...shares]).set(1, bad))
    // Masks are not used to combine: a false one is found by verification alone.
    const blamed = field === 'value' ? [1] : []
    expect(combined).toEqual({ result: { type: 'signature', signature }, blamed })
  })

  test('§21 share: of another request', () => {
    const asked = [{ digest: bytesOf('other') }, { nonce: bytesOf('other') }, { path: [] }]
    for (const others of asked.map((each) => sharesOf(world, inputsOf(world, each)))) {
      const bad = present(others.get(1), 'a share')
      expect(verifyShare(suite, inputs, 1, bad)?.refusal).toBe('InvalidSignatureShare')
      const some = new Map([[1, bad], ...[...shares].filter(([node]) => node !== 1)])
      expect(combine(suite, inputs, some)).toEqual({
        result: { type: 'signature', signature },
        blamed: [1],
      })
    }
  })

  test('§21 share: from a non-receiver', () => {
    for (const node of [4, -1, 0.5]) {
      expect(verifyShare(suite, inputs, node, shareAt(1))?.refusal).toBe('InvalidSignatureShare')
      expect(combine(suite, inputs, new Map([[node, shareAt(1)], ...shares]))).toEqual({
        result: { type: 'signature', signature },
        blamed: [node],
      })
    }
  })

  /** Shares of requests by node; signers hear none of them but those of the test. */
  const given = new Map<string, ShareMessage>()
  let deaf: SignerNet | undefined

  /** A request that is paired, and how signer 0 takes shares of it. */
  function hearing(name: string) {
    const asked = request(name)
    deaf ??= settled({
      nodes: 4,
      tamper: (from, _, message) => {
        if (message.type !== 'share') return message
        given.set(`${from}/${message.requestId}`, message)
        return undefined
      },
    })
    const net = deaf
    net.ask(asked)
    net.settle()
    const signer = net.signer(0)
    const shareOf = (node: number): ShareMessage =>
      present(given.get(`${node}/${asked.id}`), 'its share')
    const falseOf = (node: number): ShareMessage => {
      const { requestId, share } = shareOf(node)
      const bad = altered(decodeSignatureShare(suite, share), 'nu', 'value')
      const content = { requestId, share: encodeSignatureShare(suite, bad) }
      const prefix = lanePrefix(net.genesis, suite.algorithm)
      const signed = net.keysOf(node).sign('signature-share', shareContent(prefix, content))
      return { type: 'share', lane: 'ecdsa', ...content, signature: signed }
    }
    const tell = (from: number, message: ShareMessage): SignerOutputs => {
      const bytes = encodeSignerMessage(message)
      const outputs: SignerOutput[] = [...signer.step({ type: 'message', from, bytes })]
      for (let some = signer.work(); some !== undefined; some = signer.work()) outputs.push(...some)
      return outputs
    }
    return { shareOf, falseOf, tell }
  }
  const completes = (outputs: SignerOutputs): boolean =>
    outputs.some(({ type }) => type === 'signed')

  test('§21 share: second one, of a sender whose first was good', () => {
    const { shareOf, falseOf, tell } = hearing('good then false')
    expect(tell(1, shareOf(1))).toEqual([])
    expect(tell(1, falseOf(1))).toEqual([])
    expect(tell(1, shareOf(1))).toEqual([])
    const outputs = tell(2, shareOf(2))
    expect([completes(outputs), blamesOf(outputs)]).toEqual([true, []])
  })

  test('§21 share: second one, of a sender whose first was false', () => {
    const { shareOf, falseOf, tell } = hearing('false then good')
    expect(tell(1, falseOf(1))).toEqual([])
    const outputs = tell(2, shareOf(2))
    expect([completes(outputs), blamesOf(outputs)]).toEqual([false, ['1 InvalidSignatureShare']])
    expect(tell(1, shareOf(1))).toEqual([])
    expect(completes(tell(3, shareOf(3)))).toBe(true)
  })

  test('§21 combining: t−1 shares', () => {
    for (const count of [0, 1]) {
      const few = new Map([...shares].slice(0, count))
      const result = { refusal: 'InsufficientShares' }
      expect(combineShares(suite, inputs, few)).toMatchObject(result)
      expect(combine(suite, inputs, few)).toMatchObject({ result, blamed: [] })
    }
  })

  test('§21 combining: duplicate signer', () => {
    const twice = new Map([
      [1, shareAt(1)],
      [1, shareAt(1)],
    ])
    expect(combineShares(suite, inputs, twice)).toMatchObject({ refusal: 'InsufficientShares' })
    const { shareOf, tell } = hearing('one alone')
    for (let times = 0; times < 3; times++) expect(tell(1, shareOf(1))).toEqual([])
    expect(completes(tell(3, shareOf(3)))).toBe(true)
  })
})

describe('a signature', () => {
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)]
  const zero = new Uint8Array(32)
  const otherR = signatureOf(world, inputsOf(world, { nonce: bytesOf('other') }))
  test.each<[string, Uint8Array]>([
    ['§21 signature: high s', concat(r, bytes32(order - fromBigEndian(s)))],
    ['§21 signature: r = 0', concat(zero, s)],
    ['§21 signature: s = 0', concat(r, zero)],
    ['§21 signature: other R', otherR],
    ['§21 signature: other R, the rest as it was', concat(otherR.subarray(0, 32), s)],
  ])('%s: InvalidSignature', (_, bytes) => {
    expect(verifySignature(suite, inputs, bytes)?.refusal).toBe('InvalidSignature')
    expect(verifySignature(suite, inputs, signature)).toBeUndefined()
  })
})

describe('a presignature that is on record', () => {
  const asked = request('once')
  const isPairing = (key: string): boolean => key.includes('/pairing/')

  /** The only node of a subnet starts again, with one record more, and the request is asked. */
  function startedWith(...record: readonly (readonly [string, Uint8Array])[]): SignerNet {
    const net = settled({ nodes: 1 })
    for (const [key, value] of record) net.records[0]?.set(key, value)
    net.stop(0)
    net.start(0)
    net.ask(asked)
    return net
  }

  /** What it records when all is well: the request, then its ω. */
  const honest = startedWith()
  honest.settle()
  const records = [...present(honest.records[0], 'records')]
  const [key, value] = present(
    records.find(([name]) => isPairing(name)),
    'a pairing',
  )
  const flip = (at: number): Uint8Array => value.map((byte, i) => (i === at ? byte ^ 1 : byte))

  test.each<[string, Uint8Array]>([
    ['§21 reuse: second request on a presignature', flip(0)],
    ['§21 reuse: same request with other ω', flip(value.length - 1)],
  ])('%s: the node stops, and its share does not leave', (_, recorded) => {
    const net = startedWith([key, recorded])
    let shares = 0
    net.watch = ({ type }) => {
      if (type === 'share') shares += 1
    }
    expect(() => net.settle()).toThrow(Bug)
    expect(shares).toBe(0)
    expect(net.records[0]?.get(key)).toEqual(recorded)
  })

  test('for this request and this ω is used again after a restart', () => {
    const net = startedWith([key, value])
    net.settle()
    expect([isDone(honest, asked), isDone(net, asked)]).toEqual([true, true])
  })
})

describe('a BLS share', () => {
  const message = utf8('a state root')
  const shareIn = (net: SignerNet, node: number, of = message): Uint8Array =>
    present(net.signer(node).certificationShare(of), 'its share')
  const nets = new Map<string, SignerNet>()
  const netOf = (seed: string): SignerNet => {
    const net = nets.get(seed) ?? new SignerNet({ nodes: 4, seed, stockTarget: 0 })
    nets.set(seed, net)
    net.settle()
    return net
  }
  const here = (): SignerNet => netOf('this subnet')

  /** A point of the curve y² = x³ + 4 that is not in the group: few are. */
  function outsideSubgroup(): Uint8Array {
    const { Fp } = bls12_381.fields
    const x = [1n, 2n, 3n, 4n, 5n, 6n].find((each) => isSquare(Fp.add(Fp.pow(each, 3n), 4n)))
    const bytes = bigEndian(present(x, 'half of all x are on the curve'), 48)
    bytes[0] = (bytes[0] ?? 0) | 0x80
    expect(() => bls12_381.G1.Point.fromBytes(bytes)).toThrow('subgroup')
    return bytes
  }
  function isSquare(of: bigint): boolean {
    const { Fp } = bls12_381.fields
    return Fp.eql(Fp.pow(of, (Fp.ORDER - 1n) / 2n), Fp.ONE)
  }

  test.each<[string, () => Uint8Array]>([
    ['§21 bls: invalid', () => shareIn(here(), 2)],
    ['§21 bls: invalid, no point at all', () => new Uint8Array(48)],
    ['§21 bls: not in subgroup', outsideSubgroup],
    ['§21 bls: of another content', () => shareIn(here(), 1, utf8('another root'))],
    ['§21 bls: transcript', () => shareIn(netOf('another subnet'), 1)],
  ])('%s: its node is blamed, the others sign', (_, make) => {
    const given = new Map([
      [1, make()],
      [2, shareIn(here(), 2)],
      [3, shareIn(here(), 3)],
    ])
    const { signature: made, blamed } = here().signer(0).combineCertification(message, given)
    expect(blamed).toEqual([1])
    const key = present(here().signer(0).certificationKey, 'the key')
    expect(verifyBls(key, message, present(made, 'combined'))).toBe(true)
    const good = new Map(given).set(1, shareIn(here(), 1))
    const honest = here().signer(0).combineCertification(message, good)
    expect(honest.blamed).toEqual([])
    expect(equalBytes(present(honest.signature, 'made'), present(made, 'made'))).toBe(true)
  })
})
