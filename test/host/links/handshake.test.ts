/**
 * Goal: two nodes agree on keys only with whom they mean, and nobody else brings them to it
 * (threshold §2.1). Method: both sides without sockets; each field of each message changed in turn.
 */
import { describe, expect, it } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import type { HandshakeStep, LinkIdentity } from '../../../src/host/links/handshake.ts'
import { Handshake } from '../../../src/host/links/handshake.ts'
import { identities } from '../../support/link-identities.ts'

const [a, b, c] = identities(4)
const [dialer, listener, third] = [present(a, 'a'), present(b, 'b'), present(c, 'c')]

const bodyOf = (step: HandshakeStep): Uint8Array => {
  if (step.type === 'send') return step.body
  if (step.type === 'done') return present(step.send, 'the dialer proves itself last')
  throw new RangeError(step.reason)
}
const reasonOf = (step: HandshakeStep): string =>
  step.type === 'refused' ? step.reason : step.type

type Change = (body: Uint8Array) => Uint8Array

/** Plays it, with one message changed on its way; gives how each side ended. */
function play(
  { from = dialer, to = listener } = {},
  changes: { readonly hello?: Change; readonly answer?: Change; readonly proof?: Change } = {},
): { readonly dialer: HandshakeStep; readonly listener: HandshakeStep } {
  const same: Change = (body) => body
  const { hello = same, answer = same, proof = same } = changes
  const [calling, called] = [new Handshake(from, to.me), new Handshake(to, undefined)]
  const first = called.receive(hello(calling.begin(to.me)))
  if (first.type !== 'send') return { dialer: first, listener: first }
  const second = calling.receive(answer(bodyOf(first)))
  if (second.type !== 'done') return { dialer: second, listener: first }
  return { dialer: second, listener: called.receive(proof(bodyOf(second))) }
}

const flip =
  (at: number, bits = 1): Change =>
  (body) =>
    body.map((byte, i) => (i === at ? byte ^ bits : byte))

describe('a handshake', () => {
  it('gives both sides the same keys, one a direction, and the name of the other', () => {
    const { dialer: one, listener: other } = play()
    if (one.type !== 'done' || other.type !== 'done') throw new RangeError('it was refused')
    expect([one.peer, other.peer]).toEqual([listener.me, dialer.me])
    expect(one.keys.send).toEqual(other.keys.receive)
    expect(one.keys.receive).toEqual(other.keys.send)
    expect(one.keys.send).not.toEqual(one.keys.receive)
  })

  it('gives other keys every time', () => {
    const keysOf = (): string => {
      const { dialer: one } = play()
      return one.type === 'done' ? String(one.keys.send) : ''
    }
    expect(keysOf()).not.toBe(keysOf())
  })
})

/** Offsets: magic 12, subnet id 32, incarnation 8, from 2, to 2, key 32, nonce 32; signature 64. */
describe('a changed message of a handshake', () => {
  it.each([
    ['the magic', 11, 'other-version'],
    ['the subnet id', 12, 'other-subnet'],
    ['the incarnation', 51, 'other-subnet'],
    ['the caller, to a stranger', 52, 'unknown-node'],
    ['the called one', 55, 'other-node'],
  ])('hello with %s is refused at once', (_, at, reason) => {
    expect(reasonOf(play({}, { hello: flip(at) }).listener)).toBe(reason)
  })

  it.each([
    ['the caller', 53],
    ['the key', 56],
    ['the nonce', 119],
  ])('hello with %s is found out by the proof', (_, at) => {
    const ends = play({ to: third }, { hello: flip(at) })
    expect(['bad-signature', 'other-node']).toContain(reasonOf(ends.dialer))
  })

  it.each([
    ['the magic', 0, 'other-version'],
    ['the subnet id', 12, 'other-subnet'],
    ['the incarnation', 51, 'other-subnet'],
    ['its sender', 53, 'unknown-node'],
    ['the one it is for', 55, 'other-node'],
    ['the key', 56, 'bad-signature'],
    ['the nonce', 119, 'bad-signature'],
    ['the signature', 120, 'bad-signature'],
  ])('answer with another form of %s is refused', (_, at, reason) => {
    expect(reasonOf(play({}, { answer: flip(at) }).dialer)).toBe(reason)
  })

  it('proof with another signature is refused', () => {
    expect(reasonOf(play({}, { proof: flip(0) }).listener)).toBe('bad-signature')
  })

  it('every prefix, and one byte more, is refused', () => {
    for (const name of ['hello', 'answer', 'proof'] as const) {
      const size = { hello: 120, answer: 184, proof: 64 }[name]
      const cut = (length: number): Change =>
        function cutBody(body) {
          const cutOff = new Uint8Array(length)
          cutOff.set(body.subarray(0, length))
          return cutOff
        }
      for (const length of [...Array(size).keys(), size + 1]) {
        const { dialer: one, listener: other } = play({}, { [name]: cut(length) })
        expect([reasonOf(one), reasonOf(other)]).toContain('bad-frame')
      }
    }
  })
})

describe('whoever is not who it says', () => {
  const claiming = (identity: LinkIdentity, me: number): LinkIdentity => ({ ...identity, me })

  it('cannot call in the name of another', () => {
    const { listener: end } = play({ from: claiming(third, dialer.me) })
    expect(reasonOf(end)).toBe('bad-signature')
  })

  it('cannot answer in the name of another', () => {
    const { dialer: end } = play({ to: claiming(third, listener.me) })
    expect(reasonOf(end)).toBe('bad-signature')
  })

  it('cannot answer a call that was for another in its own name', () => {
    const answer = new Handshake(third, undefined)
    const calling = new Handshake(dialer, listener.me)
    const hello = calling.begin(listener.me)
    hello[55] = third.me
    expect(reasonOf(calling.receive(bodyOf(answer.receive(hello))))).toBe('other-node')
  })

  it('cannot show what another call was answered with', () => {
    const [first, second] = [new Handshake(dialer, 1), new Handshake(dialer, 1)]
    const answered = new Handshake(listener, undefined).receive(first.begin(listener.me))
    second.begin(listener.me)
    expect(reasonOf(second.receive(bodyOf(answered)))).toBe('bad-signature')
  })

  it('cannot show a proof that was made for another answer', () => {
    const proofs = [0, 1].map(() => {
      const [calling, called] = [new Handshake(dialer, 1), new Handshake(listener, undefined)]
      const answered = called.receive(calling.begin(listener.me))
      return { called, proof: bodyOf(calling.receive(bodyOf(answered))) }
    })
    const [one, other] = proofs
    expect(reasonOf(present(one, 'one').called.receive(present(other, 'two').proof))).toBe(
      'bad-signature',
    )
  })

  it('cannot send back what it was told', () => {
    const calling = new Handshake(dialer, listener.me)
    expect(reasonOf(calling.receive(calling.begin(listener.me)))).toBe('bad-frame')
    expect(reasonOf(new Handshake(dialer, undefined).receive(calling.begin(1)))).toBe(
      'unknown-node',
    )
  })

  it('of another subnet or time line is refused', () => {
    for (const other of [identities(4, { subnet: 'x' }), identities(4, { incarnation: 2n })])
      expect(reasonOf(play({ from: present(other[0], 'a node') }).listener)).toBe('other-subnet')
  })

  it('and calls a node of a lower index is refused', () => {
    expect(reasonOf(play({ from: third, to: listener }).listener)).toBe('wrong-way')
  })

  it('and offers a key that leads to no secret is refused', () => {
    const asked = new Handshake({ ...listener, verify: () => true }, undefined)
    const hello = new Handshake(dialer, listener.me).begin(listener.me)
    asked.receive(hello.fill(0, 56, 88))
    expect(reasonOf(asked.receive(new Uint8Array(64)))).toBe('bad-key')
  })
})
