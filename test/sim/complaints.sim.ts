/**
 * Goal: who was dealt bad shares recovers and takes part; who complains for nothing gets nothing.
 * Method: threshold specification §§10, 22.3. Whole signers over the sequencer. A lying dealer
 * deals bad shares to up to f receivers, so that its dealing still finds support; where it deals no
 * products, no presignature is ever made unless every victim recovers and deals.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../src/core/base/group.ts'
import { KEY_SCHEMES } from '../../src/core/base/key-scheme.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { decodeComplaint } from '../../src/core/tecdsa/complaint.ts'
import { openingContent } from '../../src/core/tecdsa/dispute.ts'
import { lanePrefix } from '../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeOpening, encodeOpening } from '../../src/core/tecdsa/object-codec.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import { inLane } from '../support/lanes.ts'
import { LyingDealer, lateNet } from '../support/lying-dealer.ts'
import type { Tamper } from '../support/signer-net.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, isDone, request } from '../support/signer-story.ts'

type OpeningMessage = Extract<SignerMessage, { readonly type: 'opening' }>
type Sent = SignerMessage & { readonly from: NodeIndex }

type ComplaintSent = Extract<Sent, { readonly type: 'complaint' }>

/** Each goes to all, and again to who asks. */
const distinctComplaints = (sent: readonly Sent[]): readonly ComplaintSent[] => [
  ...new Map(
    sent.flatMap((message) =>
      message.type === 'complaint' ? [[toHex(message.signed.complaint), message] as const] : [],
    ),
  ).values(),
]

/** K1 of each proof. */
const noncesOf = (net: SignerNet, complaints: readonly ComplaintSent[]): readonly string[] =>
  complaints.map(({ from, signed }) => {
    const { encryptionGroup: group } = suites.ecdsa
    const { challenge, response } = decodeComplaint(suites.ecdsa, signed.complaint).proof
    const { publicKey } = net.keysOf(from).encryptionKey
    const known = group.multiplyPublic(publicKey, challenge)
    return toHex(encodePoint(group, group.subtract(group.g.multiplyPublic(response), known)))
  })

type Lies = { readonly nodes: number; readonly victims: ReadonlyMap<NodeIndex, NodeIndex[]> }

/** A net with its lying dealers, and what its nodes say; it has not run yet. */
function netOfLiars({ nodes, victims }: Lies, also: Tamper = (_, __, message) => message) {
  const { net: held, build } = lateNet()
  const liars = [...victims].map(
    ([liar, receivers]) =>
      new LyingDealer({ net: held, liar, victims: receivers, dealsProducts: false }),
  )
  const sent: Sent[] = []
  const net = new SignerNet({
    nodes,
    tamper: (from, to, message) => {
      const [tampered] = liars.reduce<readonly (SignerMessage | undefined)[]>(
        ([current], { tamper }) => [current && tamper(from, to, current)],
        [message],
      )
      return tampered && also(from, to, tampered)
    },
    build: (built) => {
      build(built)
      built.watch = (message) => sent.push(message)
    },
  })
  const of = (type: Sent['type'], from: NodeIndex): readonly Sent[] =>
    sent.filter((message) => message.type === type && message.from === from)
  const dealt = (): number => liars.reduce((sum, { dealt: made }) => sum + made.length, 0)
  return { net, of, dealt, sent }
}

const complaintsIn = (lane: string, sent: readonly Sent[]): number =>
  sent.filter((message) => message.type === 'complaint' && message.lane === lane).length

const cases: readonly (readonly [string, Lies])[] = [
  ['four nodes, one lying dealer', { nodes: 4, victims: new Map([[0, [2]]]) }],
  [
    'seven nodes, two lying dealers with two victims each',
    {
      nodes: 7,
      victims: new Map([
        [0, [2, 3]],
        [1, [4, 5]],
      ]),
    },
  ],
]

describe('with f corrupt dealers dealing wrong shares to up to f receivers', () => {
  it.each(cases)('§22.3 victims: they complain, recover, deal, and sign: %s', (_, lies) => {
    const { net, of, dealt } = netOfLiars(lies)
    const victims = [...lies.victims.values()].flat()
    const honest = net.genesis.membership.members.flatMap((__, i) =>
      lies.victims.has(i) ? [] : [i],
    )
    net.settle()
    expect(dealt()).toBeGreaterThan(4)
    expect(net.signer(victims[0] ?? 0).stock).toBe(1)
    const asked = request('despite bad dealings')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, victims[0])
    expectCertifies(net, honest)
    for (const victim of victims) {
      for (const lane of ['ecdsa', 'bls'])
        expect(complaintsIn(lane, of('complaint', victim))).toBeGreaterThan(0)
      const made = distinctComplaints(of('complaint', victim))
      expect(new Set(noncesOf(net, made)).size).toBe(made.length)
      expect(of('share', victim)).not.toEqual([])
      expect(net.signer(victim).coinShare({ slot: 1n, instance: 0, round: 0 })).toBeDefined()
    }
    const blamed = net.faults.filter(({ seenBy }) => honest.includes(seenBy))
    expect(blamed.every(({ culprit }) => lies.victims.has(culprit))).toBe(true)
    for (const seenBy of honest)
      for (const culprit of lies.victims.keys())
        expect(net.faults).toContainEqual(
          expect.objectContaining({ seenBy, culprit, reason: expect.stringMatching(/^BadShare/) }),
        )
  })
})

describe('with one lying dealer', () => {
  const lies: Lies = { nodes: 4, victims: new Map([[0, [2]]]) }
  const [liar, victim, honest] = [0, 2, [1, 2, 3]]
  const asked = request('late')

  /** The victim takes part in everything. */
  function expectRecovered({ net, of }: ReturnType<typeof netOfLiars>): void {
    const before = of('share', victim).length
    net.ask(asked)
    net.settle()
    expectValid(net, asked, victim)
    expectCertifies(net, honest)
    expect(of('share', victim).length).toBeGreaterThan(before)
  }

  it.each(KEY_SCHEMES)('a victim recovers its shares of a key of %s and signs', (scheme) => {
    // Without the victim, node 3 is alone.
    const { net, of } = netOfLiars(lies, (from, _, message) =>
      message.type === 'share' && (from === liar || from === 1) ? undefined : message,
    )
    const signed = request('of a new key', 'test_key_1', scheme)
    net.ask(signed)
    net.settle()
    expectValid(net, signed, victim)
    expect(complaintsIn(scheme, of('complaint', victim))).toBeGreaterThan(0)
    const blamed = net.faults.filter(({ seenBy }) => seenBy !== liar)
    expect(blamed.every(({ culprit }) => culprit === liar)).toBe(true)
  })

  it('a victim that starts again after its complaint recovers', () => {
    const liars = netOfLiars(lies)
    const { net, of } = liars
    net.run(() => of('complaint', victim).length > 0)
    net.stop(victim)
    net.start(victim)
    net.settle()
    expectRecovered(liars)
  })

  it.each([1, 3])('a victim recovers though helper %i starts again before it answers', (helper) => {
    const liars = netOfLiars(lies)
    const { net, of } = liars
    net.run(() => of('complaint', victim).length > 0)
    net.stop(helper)
    net.start(helper)
    net.settle()
    expectRecovered(liars)
  })

  it('a request that is paired before the victim recovers still gets its share', () => {
    const lost = { openings: true }
    const { net: held, build } = lateNet()
    const { tamper } = new LyingDealer({ net: held, liar, victims: [victim] })
    const net = new SignerNet({
      nodes: 4,
      build,
      tamper: (from, to, message) => {
        if (message.type === 'opening' && lost.openings) return undefined
        // Without the victim, node 3 is alone.
        if (message.type === 'share' && (from === liar || from === 1)) return undefined
        return tamper(from, to, message)
      },
    })
    net.settle()
    expect(net.signer(1).stock).toBe(1)
    net.ask(asked)
    net.settle()
    expect(isDone(net, asked)).toBe(false)
    lost.openings = false
    for (const helper of [1, 3]) {
      net.start(helper)
      net.settle()
    }
    expectValid(net, asked, victim)
  })

  it('a node that was down when the transcripts were made finds the bad dealings in the log', () => {
    const { net: held, build } = lateNet()
    const { tamper } = new LyingDealer({ net: held, liar, victims: [victim] })
    const sent: Sent[] = []
    const net = new SignerNet({
      nodes: 4,
      tamper,
      build: (built) => {
        build(built)
        built.watch = (message) => sent.push(message)
      },
    })
    net.run(() => net.wire.length > 8)
    net.stop(victim)
    net.settle()
    expect(net.signer(1).stock).toBe(1)
    expect(sent.some(({ type }) => type === 'complaint')).toBe(false)
    net.start(victim)
    net.settle()
    for (const lane of ['ecdsa', 'bls']) expect(complaintsIn(lane, sent)).toBeGreaterThan(0)
    net.ask(asked)
    net.settle()
    expectValid(net, asked, victim)
    expectCertifies(net, honest)
    expect(sent.some(({ type, from }) => type === 'share' && from === victim)).toBe(true)
  })

  it('after a restore, the victim recovers its shares of the keys that are kept', () => {
    const { net: before } = netOfLiars(lies)
    before.settle()
    const restored = present(before.signer(honest[0] ?? 1).finalKeys, 'the keys are final')
    const sent: Sent[] = []
    const net = new SignerNet({
      nodes: 4,
      restored,
      incarnation: 8n,
      build: (built) => {
        built.watch = (message) => sent.push(message)
      },
    })
    net.settle()
    const from = new Set(
      sent.flatMap((message) => (message.type === 'complaint' ? [message.from] : [])),
    )
    expect([...from]).toEqual([victim])
    net.ask(asked)
    net.settle()
    expectValid(net, asked, victim)
    expectCertifies(net, [victim, liar])
    expect(sent.some(({ type, from: node }) => type === 'share' && node === victim)).toBe(true)
  })

  it('wrong openings by a helper are refused and blamed, and recovery goes on', () => {
    const held: { liars?: ReturnType<typeof netOfLiars> } = {}
    const liars = netOfLiars(lies, (from, _, message) => {
      if (from !== liar || message.type !== 'opening') return message
      const { net } = present(held.liars, 'the net is built')
      return inLane(message.lane, (suite) => falsified(net, suite, message))
    })
    held.liars = liars
    liars.net.settle()
    expectRecovered(liars)
    const reasons = liars.net.faults
      .filter(({ seenBy, culprit }) => seenBy === victim && culprit === liar)
      .map(({ reason }) => reason.split(':')[0])
    expect(reasons).toContain('InvalidOpening')
    expect(
      liars.net.faults.every(({ culprit, seenBy }) => culprit === liar || seenBy === liar),
    ).toBe(true)
  })

  function falsified<P>(net: SignerNet, suite: Suite<P>, message: OpeningMessage): SignerMessage {
    const opening = decodeOpening(suite, message.signed.opening)
    const value = mod(opening.value + 1n, suite.group.order)
    const statement = { ...message.signed, opening: encodeOpening(suite, { ...opening, value }) }
    const content = openingContent(lanePrefix(net.genesis, suite.algorithm), statement)
    const signature = net.keysOf(liar).sign('opening', content)
    return { ...message, signed: { ...statement, signature } }
  }
})
