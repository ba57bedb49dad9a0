/**
 * Goal: a signer believes its peers only what they signed, blames who is to blame, and keeps a
 * bounded part of the rest.
 * Method: threshold specification §§8, 17.8 rule 4, 21, 23. One signer of four; its peers are the
 * test.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { decodeDealing, encodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing } from '../../../src/core/tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  decodeSupportedDealing,
  encodeSignedDealing,
  lanePrefix,
  supportContent,
} from '../../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import { Signer } from '../../../src/core/tecdsa/signer.ts'
import type { SignerOutput, SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { suite } from '../../support/threshold.ts'

const { genesis, keys } = foundSubnet(4)
const prefix = lanePrefix(genesis, 'ThresholdEcdsaSecp256k1')
const keysOf = (node: number) => present(keys[node], 'a node')

const makeSigner = (records = new Map<string, Uint8Array>(), me = 0): Signer =>
  new Signer({
    genesis,
    mainKey: 'key_1',
    keys: keysOf(me),
    me,
    ed25519: nativeEd25519,
    records,
    stockTarget: 1,
    creationMax: 1,
  })

const receive = (signer: Signer, from: number, message: SignerMessage): SignerOutputs =>
  signer.step({ type: 'message', from, bytes: encodeSignerMessage(message) })

function work(signer: Signer): SignerOutputs {
  const all: SignerOutput[] = []
  for (let some = signer.work(); some !== undefined; some = signer.work()) all.push(...some)
  return all
}

const faultsOf = (outputs: SignerOutputs): readonly string[] =>
  outputs.flatMap((output) =>
    output.type === 'fault' ? [`${output.culprit} ${output.reason.split(':')[0]}`] : [],
  )
const dealingsOf = (outputs: SignerOutputs): readonly SignedDealing[] =>
  outputs.flatMap((output) =>
    output.type === 'send' && output.message.type === 'dealing' && output.message.lane === 'ecdsa'
      ? [output.message.signed]
      : [],
  )
const supportsOf = (outputs: SignerOutputs) =>
  outputs.flatMap((output) =>
    output.type === 'send' && output.message.type === 'support' ? [output.message.support] : [],
  )

/** What a node deals first, for transcript 0. */
const dealtBy = (node: number): SignedDealing =>
  present(dealingsOf(work(makeSigner(new Map(), node)))[0], 'a dealing')

function dealt(statement: { transcriptId: bigint; dealer: number; dealing: Uint8Array }) {
  const content = dealingContent(prefix, statement)
  const signature = present(keys[statement.dealer], 'a node').sign('dealing', content)
  return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
}

const vouch = (signer: number, hashes: readonly Hash32[], by = signer): SignerMessage => ({
  type: 'support',
  lane: 'ecdsa',
  support: { hashes, signature: keysOf(by).sign('support', supportContent(prefix, hashes)) },
})

const flipLast = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))

const honest = dealtBy(1)

describe('a dealing that comes in', () => {
  const offer = (signed: SignedDealing, signer = makeSigner(), from = signed.dealer) => [
    ...receive(signer, from, { type: 'dealing', lane: 'ecdsa', signed }),
    ...work(signer),
  ]

  test('is checked, put on record, and vouched for by name', () => {
    const outputs = offer(honest)
    const record = outputs.findIndex(({ type }) => type === 'record')
    const support = outputs.findIndex(
      (output) => output.type === 'send' && output.message.type === 'support',
    )
    expect(outputs[record]).toEqual({ type: 'record', key: '7/support/0/1', value: honest.hash })
    expect(record).toBeLessThan(support)
    expect(supportsOf(outputs)[0]?.hashes).toEqual([honest.hash])
    expect(faultsOf(outputs)).toEqual([])
  })

  test('may be brought by any node, since its dealer signed it', () => {
    expect(supportsOf(offer(honest, makeSigner(), 3))).toHaveLength(1)
  })

  test.each<[string, SignedDealing, readonly string[]]>([
    ['that does not decode', dealt({ ...honest, dealing: utf8('nothing') }), ['1 BadEncoding']],
    ['made by another dealer', dealt({ ...honest, dealer: 2 }), ['2 InvalidProof']],
    ['signed by nobody', { ...honest, signature: flipLast(honest.signature) }, []],
    ['of a node that is no member', { ...honest, dealer: 9 }, []],
  ])('%s is not vouched for', (_, signed, faults) => {
    const outputs = offer(signed)
    expect(faultsOf(outputs)).toEqual(faults)
    expect(supportsOf(outputs)).toEqual([])
  })

  test('that is bad for this node alone is not vouched for, and nobody is blamed yet', () => {
    const dealing = decodeDealing(suite, honest.dealing)
    const { ciphertext } = dealing
    const spoilt = (receiver: number): Uint8Array => {
      const ctext = present(ciphertext.ctexts[receiver], 'a ciphertext')
      const ctexts = ciphertext.ctexts.with(receiver, [ctext[1] ?? 0n, ctext[0] ?? 0n])
      return encodeDealing(suite, { ...dealing, ciphertext: { ...ciphertext, ctexts } })
    }
    const own = offer(dealt({ ...honest, dealing: spoilt(0) }))
    expect([supportsOf(own), faultsOf(own)]).toEqual([[], []])
    expect(own.filter(({ type }) => type === 'record')).toEqual([])
    expect(supportsOf(offer(dealt({ ...honest, dealing: spoilt(2) })))).toHaveLength(1)
  })

  test('counts for the algorithm alone that it was signed for', () => {
    const signer = makeSigner()
    const misplaced: SignerMessage = { type: 'dealing', lane: 'bls', signed: honest }
    expect(receive(signer, 1, misplaced)).toEqual([])
    const made = work(signer).flatMap((output) =>
      output.type === 'send' && output.message.type === 'dealing' ? [output.message] : [],
    )
    const bls = present(made.find(({ lane }) => lane === 'bls')?.signed, 'own dealing in G2')
    const turned: SignerMessage = { type: 'dealing', lane: 'ecdsa', signed: bls }
    expect(receive(makeSigner(new Map(), 1), 0, turned)).toEqual([])
  })

  test('second and different is equivocation, and changes nothing', () => {
    const signer = makeSigner()
    offer(honest, signer)
    const rival = dealt({ ...honest, dealing: utf8('rival') })
    expect(faultsOf(offer(rival, signer))).toEqual(['1 Equivocation'])
    expect(faultsOf(offer(honest, signer))).toEqual([])
  })

  test('is not vouched for when an earlier life vouched for a rival', () => {
    const records = new Map([['7/support/0/1', sha256(utf8('rival'))]])
    const outputs = offer(honest, makeSigner(records))
    expect([supportsOf(outputs), faultsOf(outputs)]).toEqual([[], []])
    const same = new Map([['7/support/0/1', honest.hash]])
    expect(supportsOf(offer(honest, makeSigner(same)))).toHaveLength(1)
  })

  test('too early is kept, 64 of each dealer', () => {
    const signer = makeSigner()
    const early = (id: number, text: string, dealer = 1) =>
      faultsOf(
        receive(signer, dealer, {
          type: 'dealing',
          lane: 'ecdsa',
          signed: dealt({ transcriptId: BigInt(id), dealer, dealing: utf8(text) }),
        }),
      )
    for (let id = 100; id < 165; id++) expect(early(id, 'first')).toEqual([])
    // Equivocation is seen where the first dealing was kept.
    expect([early(100, 'second'), early(163, 'second')]).toEqual(Array(2).fill(['1 Equivocation']))
    expect(early(164, 'second')).toEqual([])
    expect([early(164, 'first', 2), early(164, 'second', 2)]).toEqual([[], ['2 Equivocation']])
  })
})

describe('support that comes in', () => {
  /** A signer that has dealt, and the name of its dealing. */
  function dealer() {
    const signer = makeSigner()
    const own = present(dealingsOf(work(signer))[0], 'its dealing')
    const support = (message: SignerMessage, from: number) => receive(signer, from, message)
    return { hash: own.hash, support }
  }

  const itemsOf = (outputs: SignerOutputs) =>
    outputs.flatMap((output) => (output.type === 'submit' ? [output.item] : []))

  test('of 2f + 1 receivers brings the dealing into the log, once', () => {
    const { hash, support } = dealer()
    for (const node of [3, 1]) expect(support(vouch(node, [hash]), node)).toEqual([])
    const [item] = itemsOf(support(vouch(2, [hash]), 2))
    const { signed, supports } = decodeSupportedDealing(present(item, 'an item').bytes)
    expect(signed.hash).toEqual(hash)
    expect(supports.map(({ signer }) => signer).toSorted()).toEqual([1, 2, 3])
    expect(support(vouch(0, [hash]), 0)).toEqual([])
  })

  test('counts once for each receiver', () => {
    const { hash, support } = dealer()
    for (const node of [1, 1, 1, 2, 2]) expect(support(vouch(node, [hash]), node)).toEqual([])
  })

  test('that its sender did not sign is its fault, and it may still vouch', () => {
    const { hash, support } = dealer()
    expect(faultsOf(support(vouch(1, [hash], 2), 1))).toEqual(['1 BadSignature'])
    support(vouch(1, [hash]), 1)
    support(vouch(2, [hash]), 2)
    expect(itemsOf(support(vouch(3, [hash]), 3))).toHaveLength(1)
  })

  test('for another dealing does not count, and is nobody’s fault', () => {
    const { support } = dealer()
    const other = sha256(utf8('another dealing'))
    for (const node of [1, 2, 3]) expect(support(vouch(node, [other], 0), node)).toEqual([])
  })
})

describe('a node that starts again', () => {
  test('is told what is open, and nobody tells itself', () => {
    const signer = makeSigner()
    const [own] = dealingsOf(work(signer))
    receive(signer, 1, { type: 'dealing', lane: 'ecdsa', signed: honest })
    work(signer)
    const told = receive(signer, 3, { type: 'resend' })
    expect(dealingsOf(told).map(({ hash }) => toHex(hash))).toEqual([toHex(present(own, '').hash)])
    expect(supportsOf(told).map(({ hashes }) => hashes)).toEqual([[honest.hash]])
    expect(told.every((output) => output.type === 'send' && output.to === 3)).toBe(true)
    expect(receive(signer, 0, { type: 'resend' })).toEqual([])
  })

  test('deals the same again', () => {
    expect(toHex(dealtBy(2).hash)).toBe(toHex(dealtBy(2).hash))
  })
})

test('whatever a peer sends, nothing is thrown and nobody else is blamed', () => {
  const signer = makeSigner()
  const share: SignerMessage = {
    type: 'share',
    lane: 'ecdsa',
    requestId: new Uint8Array(32),
    share: Uint8Array.of(1),
    signature: new Uint8Array(64),
  }
  const valid = [share, vouch(1, [honest.hash]), { type: 'resend' } as const].map(
    encodeSignerMessage,
  )
  const mutated = fc
    .record({ base: fc.constantFrom(...valid), at: fc.nat(200), to: fc.nat(255) })
    .map(({ base, at, to }) => base.map((byte, i) => (i === at % base.length ? to : byte)))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 150 }), mutated)
  fc.assert(
    fc.property(fc.nat(3), bytes, (from, sent) => {
      const outputs = signer.step({ type: 'message', from, bytes: sent })
      for (const output of outputs) if (output.type === 'fault') expect(output.culprit).toBe(from)
    }),
    { numRuns: 300 },
  )
})
