/**
 * Whole signers over the sequencer while nodes stop, return and lie.
 *
 * Every message is encoded and decoded. A liar is a function over what one node sends; the test
 * states both that the others come to their signature and who is blamed for what.
 */
import { describe, expect, it } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import { KEY_SCHEMES } from '../../src/core/base/key-scheme.ts'
import { decodeDealing, encodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  lanePrefix,
} from '../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { Suite } from '../../src/core/tecdsa/suite.ts'
import type { Tamper } from '../support/signer-net.ts'
import { MAIN_KEY, SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, isDone, request, settled } from '../support/signer-story.ts'

type DealingMessage = Extract<SignerMessage, { readonly type: 'dealing' }>

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

describe('with one of four nodes stopped', () => {
  it.each([0, 1, 2, 3])(
    'node %i before the request, the others sign, and it follows on return',
    (node) => {
      const net = settled()
      net.stop(node)
      const asked = request('without one')
      net.ask(asked)
      net.settle()
      const other = node === 0 ? 1 : 0
      expectValid(net, asked, other)
      net.start(node)
      net.settle()
      expect(String(net.signer(node).publicKey)).toBe(String(net.signer(other).publicKey))
      const next = request('with all')
      net.ask(next)
      net.settle()
      expectValid(net, next, node)
    },
  )

  it('during key generation, the key is made without it', () => {
    const net = new SignerNet({ nodes: 4 })
    net.run(() => net.wire.length > 20)
    net.stop(3)
    net.settle()
    const asked = request('early')
    net.ask(asked)
    net.settle()
    expectValid(net, asked)
  })
})

describe('with one node down and another that starts again', () => {
  /** Messages sent between the stop of the one and the restart of the other. */
  const moments = [40, 68, 82, 89]

  it.each(moments)('%i messages later, presignatures are still made', (moment) => {
    const net = new SignerNet({ nodes: 4 })
    net.run(() => net.wire.length > 40)
    net.stop(3)
    const from = net.wire.length
    net.run(() => net.wire.length >= from + moment)
    net.stop(2)
    net.start(2)
    net.settle()
    expect(net.signer(0).stock).toBe(1)
  })
})

describe('with two of four nodes stopped', () => {
  it('a request waits, and completes when one returns', () => {
    const net = settled()
    net.stop(1)
    net.stop(2)
    const asked = request('waits')
    net.ask(asked)
    net.settle()
    expect(isDone(net, asked)).toBe(false)
    net.start(1)
    net.settle()
    expectValid(net, asked)
  })
})

describe('a lying node', () => {
  const liar = 0
  const lies =
    (change: (message: SignerMessage, net: () => SignerNet) => SignerMessage | undefined) =>
    (net: () => SignerNet): Tamper =>
    (from, to, message) =>
      from === liar && to !== liar ? change(message, net) : message

  /** The liar's dealing, changed in one point and signed anew. */
  const redealt = (message: SignerMessage, net: SignerNet): SignerMessage => {
    if (message.type !== 'dealing') return message
    switch (message.lane) {
      case 'ecdsa':
      case 'bip340':
        return changed(suites[message.lane], message, net)
      case 'ed25519':
        return changed(suites.ed25519, message, net)
      case 'bls':
        return changed(suites.bls, message, net)
    }
  }
  function changed<P>(suite: Suite<P>, message: DealingMessage, net: SignerNet): SignerMessage {
    const dealing = decodeDealing(suite, message.signed.dealing)
    const [first, ...rest] = dealing.commitment.points
    const point = suite.group.add(present(first, 'a commitment'), suite.group.g.point)
    const commitment = { ...dealing.commitment, points: [point, ...rest] }
    const statement = {
      ...message.signed,
      dealing: encodeDealing(suite, { ...dealing, commitment }),
    }
    const content = dealingContent(lanePrefix(net.genesis, suite.algorithm), statement)
    const signature = net.keysOf(liar).sign('dealing', content)
    const bytes = encodeSignedDealing({ ...statement, signature })
    return { ...message, signed: decodeSignedDealing(bytes) }
  }

  const table: readonly (readonly [string, ReturnType<typeof lies>, RegExp | undefined])[] = [
    [
      'that flips one bit of its signature shares is blamed',
      lies((message) =>
        message.type === 'share'
          ? { ...message, share: flip(message.share, 8 * message.share.length - 20) }
          : message,
      ),
      /InvalidSignatureShare|BadEncoding/,
    ],
    [
      'whose shares do not decode is blamed',
      lies((message) =>
        message.type === 'share' ? { ...message, share: message.share.slice(1) } : message,
      ),
      /BadEncoding/,
    ],
    [
      'that deals false shares or proofs is blamed where a proof shows it',
      lies((message, net) => redealt(message, net())),
      /InvalidProof|InvalidCommitment/,
    ],
    [
      'that signs its support wrongly is blamed',
      lies((message) =>
        message.type === 'support'
          ? { ...message, support: { ...message.support, signature: new Uint8Array(64) } }
          : message,
      ),
      /BadSignature/,
    ],
    [
      'whose dealings lose their signature is not heard',
      lies((message) => {
        if (message.type !== 'dealing') return message
        const signed = { ...message.signed, signature: new Uint8Array(64) }
        return { ...message, signed: decodeSignedDealing(encodeSignedDealing(signed)) }
      }),
      undefined,
    ],
    ['that says nothing at all is not missed', lies(() => undefined), undefined],
  ]

  it.each(table)('%s, and the others sign', (_, makeLies, blame) => {
    const held: { net?: SignerNet } = {}
    const net = new SignerNet({
      nodes: 4,
      tamper: makeLies(() => present(held.net, 'the net is built')),
      build: (built) => {
        held.net = built
      },
    })
    net.settle()
    const all = KEY_SCHEMES.map((scheme) =>
      request(`despite the liar, ${scheme}`, MAIN_KEY, scheme),
    )
    for (const asked of all) net.ask(asked)
    net.settle()
    for (const asked of all) expectValid(net, asked, 1)
    expectCertifies(net, [1, 2, 3])
    const blamed = net.faults.filter(({ seenBy }) => seenBy !== liar)
    expect(blamed.every(({ culprit }) => culprit === liar)).toBe(true)
    if (blame !== undefined) expect(blamed.map(({ reason }) => reason).join()).toMatch(blame)
  })
})

describe('a signature whose first submitters keep it for themselves', () => {
  it('is submitted by the others once a slot has passed without it', () => {
    const submitted: number[] = []
    const net = settled({
      nodes: 4,
      admits: (from, item) => {
        if (item.type === 'completion') submitted.push(from)
        // Those of f + 1 nodes, which is more than there may be liars.
        return item.type !== 'completion' || submitted.length > 2
      },
    })
    const asked = request('kept back')
    net.ask(asked)
    net.settle()
    expectValid(net, asked)
    expect(new Set(submitted).size).toBe(4)
  })
})
