/**
 * Goal: a signer judges complaints and openings of its peers as the rules say, opens once for whom
 * it should, and keeps a bounded part of the rest.
 * Method: threshold specification §§10, 17.8 rule 4, 18.4, 21, 23. A net of four whose node 0 has
 * dealt bad shares to node 2; the messages between complainer and helpers are the test's.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { mod } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { decodeComplaint, encodeComplaint } from '../../../src/core/tecdsa/complaint.ts'
import type { SignedComplaint, SignedOpening } from '../../../src/core/tecdsa/dispute.ts'
import {
  complaintContent,
  encodeSignedOpening,
  openingContent,
} from '../../../src/core/tecdsa/dispute.ts'
import { lanePrefix } from '../../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import { decodeOpening, encodeOpening } from '../../../src/core/tecdsa/object-codec.ts'
import { suites } from '../../../src/core/tecdsa/signer-config.ts'
import type { SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import { LyingDealer, lateNet } from '../../support/lying-dealer.ts'
import { SignerNet } from '../../support/signer-net.ts'

const [liar, victim, helper, judge] = [0, 2, 1, 3]
const suite = suites.ecdsa

type Opened = { readonly from: NodeIndex; readonly signed: SignedOpening }

/** A net that has settled as far as it can while some messages of the ECDSA lane are lost. */
class Losing {
  readonly net: SignerNet
  readonly lies: LyingDealer
  readonly complaints: SignedComplaint[] = []
  readonly openings: Opened[] = []

  constructor(lost: 'complaint' | 'opening') {
    const { net: held, build } = lateNet()
    this.lies = new LyingDealer({ net: held, liar, victims: [victim] })
    this.net = new SignerNet({
      nodes: 4,
      build,
      tamper: (from, to, message) => {
        if (message.type === 'opening' && message.lane === 'ecdsa')
          this.openings.push({ from, signed: message.signed })
        if (message.type === 'complaint' && message.lane === 'ecdsa' && to === helper)
          this.complaints.push(message.signed)
        return message.type === lost ? undefined : this.lies.tamper(from, to, message)
      },
    })
    this.net.settle()
  }

  /** The newest complaint of the victim: its transcript is in the stock. */
  get complaint(): SignedComplaint {
    return present(this.complaints.at(-1), 'the victim complains')
  }

  get #prefix(): Uint8Array {
    return lanePrefix(this.net.genesis, suite.algorithm)
  }

  /** Gives a message to a node and lets it work. */
  give(to: NodeIndex, from: NodeIndex, message: SignerMessage): SignerOutputs {
    const signer = this.net.signer(to)
    const outputs = [...signer.step({ type: 'message', from, bytes: encodeSignerMessage(message) })]
    for (let more = signer.work(); more !== undefined; more = signer.work()) outputs.push(...more)
    return outputs
  }

  /** The newest complaint, changed and signed by `by`. */
  complained(by: NodeIndex, change: Partial<SignedComplaint> = {}): SignerMessage {
    const statement = { ...this.complaint, ...change }
    const content = complaintContent(this.#prefix, statement)
    const signature = this.net.keysOf(by).sign('complaint', content)
    return { type: 'complaint', lane: 'ecdsa', signed: { ...statement, signature } }
  }

  /** An opening, changed and signed by `by`. */
  opened(by: NodeIndex, signed: SignedOpening, change: Partial<SignedOpening> = {}): SignerMessage {
    const statement = { ...signed, ...change }
    const content = openingContent(this.#prefix, statement)
    const signature = this.net.keysOf(by).sign('opening', content)
    return { type: 'opening', lane: 'ecdsa', signed: { ...statement, signature } }
  }

  /** What the node sends to one that asks. */
  told(node: NodeIndex, to: NodeIndex): readonly SignerMessage[] {
    const outputs = this.give(node, to, { type: 'resend' })
    return outputs.flatMap((output) => (output.type === 'send' ? [output.message] : []))
  }
}

const faultsOf = (outputs: SignerOutputs): readonly string[] =>
  outputs.flatMap((output) =>
    output.type === 'fault' ? [`${output.culprit} ${output.reason.split(':')[0]}`] : [],
  )
const openedIn = (outputs: SignerOutputs): readonly SignedOpening[] =>
  outputs.flatMap((output) =>
    output.type === 'send' && output.message.type === 'opening' ? [output.message.signed] : [],
  )

describe('a complaint that comes in', () => {
  const held: { losing?: Losing } = {}
  const losing = () => present(held.losing, 'the net has settled')
  beforeAll(() => {
    held.losing = new Losing('complaint')
  })

  const altered = (change: 'challenge' | 'response'): Partial<SignedComplaint> => {
    const complaint = decodeComplaint(suite, losing().complaint.complaint)
    const changed = mod(complaint.proof[change] + 1n, suite.encryptionGroup.order)
    const proof = { ...complaint.proof, [change]: changed }
    return { complaint: encodeComplaint(suite, { ...complaint, proof }) }
  }
  const another = (): bigint =>
    present(losing().complaints.at(-2), 'it complains about more than one').transcriptId

  type Row = readonly [string, NodeIndex, () => SignerMessage, string]
  const rows: readonly Row[] = [
    [
      '§21 complaint: with altered ss, c, z, here c',
      0,
      () => losing().complained(0, altered('challenge')),
      'InvalidProof',
    ],
    [
      '§21 complaint: with altered ss, c, z, here z',
      1,
      () => losing().complained(1, altered('response')),
      'InvalidProof',
    ],
    [
      '§21 complaint: replayed for another transcript',
      2,
      () => losing().complained(2, { transcriptId: another() }),
      'InvalidProof',
    ],
    [
      '§21 complaint: for another dealer',
      2,
      () => losing().complained(2, { dealer: 1 }),
      'InvalidProof',
    ],
    ['not signed by its sender', 1, () => losing().complained(2, { dealer: 1 }), 'BadSignature'],
    [
      'that does not decode',
      0,
      () => losing().complained(0, { dealer: 1, complaint: Uint8Array.of(1) }),
      'BadEncoding',
    ],
    [
      '§21 misplaced: about a dealing outside a finished transcript',
      2,
      () => losing().complained(2, { dealer: 2 }),
      'InvalidComplaint',
    ],
    [
      'about a dealing of no member',
      2,
      () => losing().complained(2, { dealer: 4 }),
      'InvalidComplaint',
    ],
  ]

  test.each(rows)('%s is refused, its sender blamed, nothing opened', (_, from, make, reason) => {
    const outputs = losing().give(judge, from, make())
    expect([faultsOf(outputs), outputs.length]).toEqual([[`${from} ${reason}`], 1])
    expect(openedIn(losing().give(judge, from, make()))).toEqual([])
  })

  test('of a node that was refused 16 times is judged no more', () => {
    const fresh = new Losing('complaint')
    const refused = fresh.complained(1, { dealer: 4 })
    for (let i = 0; i < 15; i++)
      expect(faultsOf(fresh.give(judge, 1, refused))).toEqual(['1 InvalidComplaint'])
    const judged = fresh.complained(1, altered('challenge'))
    expect(faultsOf(fresh.give(judge, 1, judged))).toEqual(['1 InvalidProof'])
    const another = fresh.complained(1, { dealer: 1, complaint: Uint8Array.of(1) })
    expect([fresh.give(judge, 1, refused), fresh.give(judge, 1, another)]).toEqual([[], []])
    expect(openedIn(fresh.give(judge, victim, fresh.complained(victim)))).toHaveLength(1)
  })

  test('of a transcript that is gone is nobody’s fault', () => {
    expect(losing().give(judge, victim, losing().complained(2, { transcriptId: 0n }))).toEqual([])
  })

  test('that is true blames the dealer, and is answered with one opening, on record before', () => {
    const { net } = losing()
    const outputs = losing().give(judge, victim, losing().complained(victim))
    expect(outputs.map(({ type }) => type)).toEqual(['fault', 'record', 'send'])
    expect(faultsOf(outputs)).toEqual([`${liar} BadShare`])
    const [opening] = openedIn(outputs)
    const { transcriptId } = losing().complaint
    expect(outputs[1]).toEqual({
      type: 'record',
      key: `7/opening/${transcriptId}/${liar}/${victim}`,
      value: sha256(encodeSignedOpening(present(opening, 'an opening'))),
    })
    expect(outputs[2]).toMatchObject({ to: victim })
    net.take(judge, outputs)
    const again = losing().give(judge, victim, losing().complained(victim))
    expect(again).toEqual(outputs.slice(2))
    const told = losing().told(judge, victim)
    expect(told.filter(({ type }) => type === 'opening')).toEqual([
      { type: 'opening', lane: 'ecdsa', signed: opening },
    ])
    expect(
      losing()
        .told(judge, liar)
        .map(({ type }) => type),
    ).not.toContain('opening')
  })

  test('of this node itself blames the dealer, and opens nothing', () => {
    const outputs = losing().give(victim, victim, losing().complained(victim))
    expect([faultsOf(outputs), outputs.length]).toEqual([[`${liar} BadShare`], 1])
  })

  test('before the transcript waits, and gets the same opening from a helper that starts again', () => {
    const { net, openings } = losing()
    const [before] = openings.slice(-1)
    net.start(judge)
    const early = losing().complained(victim)
    expect(
      losing()
        .give(judge, victim, early)
        .filter(({ type }) => type !== 'send'),
    ).toEqual([])
    net.settle()
    expect(openings.at(-1)).toEqual(before)
    expect(openings.length).toBeGreaterThan(1)
  })

  test('is not answered with another opening than that on record', () => {
    const { net } = losing()
    const { transcriptId } = losing().complaint
    net.records[judge]?.set(`7/opening/${transcriptId}/${liar}/${victim}`, new Uint8Array(32))
    net.start(judge)
    net.settle()
    const outputs = losing().give(judge, victim, losing().complained(victim))
    expect([faultsOf(outputs), outputs.length]).toEqual([[`${liar} BadShare`], 1])
  })
})

describe('an opening that comes in', () => {
  const held: { losing?: Losing } = {}
  const losing = () => present(held.losing, 'the net has settled')
  /** Openings of transcripts that are still there. */
  const given: Opened[] = []
  /** Of complaints: whether the victim still has them to send. */
  const complains = (): readonly bigint[] =>
    losing()
      .told(victim, helper)
      .flatMap((told) =>
        told.type === 'complaint' && told.lane === 'ecdsa' ? [told.signed.transcriptId] : [],
      )
  beforeAll(() => {
    held.losing = new Losing('opening')
    const open = complains()
    given.push(...losing().openings.filter(({ signed }) => open.includes(signed.transcriptId)))
  })
  /** One that was not used yet, of this helper. */
  const next = (from: NodeIndex): SignedOpening => {
    const at = given.findIndex((opening) => opening.from === from)
    const [found] = given.splice(at, 1)
    return present(found, 'enough complaints').signed
  }
  const plusOne = (bytes: Uint8Array): Uint8Array => {
    const opening = decodeOpening(suite, bytes)
    const value = mod(opening.value + 1n, suite.group.order)
    return encodeOpening(suite, { ...opening, value })
  }
  const hear = (from: NodeIndex, message: SignerMessage): SignerOutputs =>
    losing().give(victim, from, message)

  type Row = readonly [string, NodeIndex, (signed: SignedOpening) => SignerMessage, string]
  const rows: readonly Row[] = [
    [
      '§21 opening: that does not open',
      1,
      (signed) => losing().opened(1, signed, { opening: plusOne(signed.opening) }),
      'InvalidOpening',
    ],
    [
      '§21 opening: that does not open, being of another helper',
      0,
      () => losing().opened(0, next(1)),
      'InvalidOpening',
    ],
    ['not signed by its sender', 3, (signed) => losing().opened(1, signed), 'BadSignature'],
    [
      'that does not decode',
      3,
      (signed) => losing().opened(3, signed, { opening: Uint8Array.of(1) }),
      'BadEncoding',
    ],
  ]

  test.each(rows)('%s is refused, its sender blamed, and it is not heard again', (...row) => {
    const [, from, make, reason] = row
    const signed = next(from)
    const outputs = hear(from, make(signed))
    expect([faultsOf(outputs), outputs.length]).toEqual([[`${from} ${reason}`], 1])
    expect(hear(from, losing().opened(from, signed))).toEqual([])
  })

  test('§21 opening: by the complainer, which is refused', () => {
    const [any] = losing().openings.slice(-1)
    const message = losing().opened(victim, present(any, 'an opening').signed)
    expect(faultsOf(hear(victim, message))).toEqual([`${victim} InvalidOpening`])
  })

  test('for another complainer, or about another dealer, is not counted', () => {
    const signed = present(given[0], 'an opening').signed
    for (const change of [{ complainer: 1 }, { dealer: 3 }])
      expect(hear(1, losing().opened(1, { ...signed, ...change }))).toEqual([])
  })

  test('§21 opening: without a complaint, which waits, whatever it is', () => {
    const signed = present(given[0], 'an opening').signed
    const early = { ...signed, transcriptId: 10_000n, opening: Uint8Array.of(1) }
    expect(hear(1, losing().opened(1, early))).toEqual([])
  })

  test('§21 opening: twice, which counts once; t of them end the complaint', () => {
    const { transcriptId } = losing().complaint
    const of = (from: NodeIndex): SignerMessage => {
      const all = losing().openings.filter(({ signed }) => signed.transcriptId === transcriptId)
      const one = present(
        all.find((opening) => opening.from === from),
        'an opening',
      )
      return { type: 'opening', lane: 'ecdsa', signed: one.signed }
    }
    expect(complains()).toContain(transcriptId)
    for (let i = 0; i < 3; i++) expect(hear(3, of(3))).toEqual([])
    expect(complains()).toContain(transcriptId)
    hear(0, of(0))
    hear(1, of(1))
    expect(complains()).not.toContain(transcriptId)
  })
})
