/**
 * Goal: σ of a slot is one signature, which f + 1 nodes make once they have executed the slot, and
 * of which false shares keep nobody.
 * Method: threshold §§16.3, 16.4, 17.8 rule 4, 21, 23. The tape of one node of four; the others, and
 * what the key gives this node, are the test.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import {
  blsG2,
  blsMessagePoint,
  blsMultiply,
  blsSum,
} from '../../../src/core/base/noble-bls12381.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import { blsPublicKey, combineBls } from '../../../src/core/tecdsa/bls.ts'
import type { TapeMessage, TapeShareMessage } from '../../../src/core/tecdsa/message.ts'
import type { SignerOutputs } from '../../../src/core/tecdsa/signer-context.ts'
import { Tape, tapeMessage, tapeValue } from '../../../src/core/tecdsa/tape.ts'

const INCARNATION = 7n
const TRANSCRIPT = 2n
const SLOT = 5n
const [SECRET, SLOPE] = [0x1234_5678n, 0x9abc_def0n]
const commitment = {
  type: 'simple',
  points: [blsG2.g.multiplyPublic(SECRET), blsG2.g.multiplyPublic(SLOPE)],
} as const
const publicKey = blsPublicKey(commitment)
const sign = (message: Uint8Array, node: number): Uint8Array =>
  blsMultiply(blsMessagePoint(message), asSecret(SECRET + SLOPE * BigInt(node + 1)))
const rightOf = (slot: bigint): Uint8Array =>
  blsMultiply(blsMessagePoint(tapeMessage(INCARNATION, slot)), asSecret(SECRET))
const right = rightOf(SLOT)

const shareOf = (node: number, change: Partial<TapeShareMessage> = {}): TapeShareMessage => ({
  type: 'tape-share',
  incarnation: INCARNATION,
  slot: SLOT,
  transcriptId: TRANSCRIPT,
  share: sign(tapeMessage(INCARNATION, change.slot ?? SLOT), node),
  ...change,
})
const whole = (change: Partial<TapeMessage> = {}): TapeMessage => ({
  type: 'tape',
  incarnation: INCARNATION,
  slot: SLOT,
  signature: right,
  ...change,
})

/** The tape of node 0. */
function node() {
  const key = { isFinal: true, isLoaded: true, id: TRANSCRIPT }
  const tape = new Tape({
    incarnation: INCARNATION,
    key: {
      get transcriptId() {
        return key.isFinal ? key.id : undefined
      },
      share: (message) => (key.isFinal && key.isLoaded ? sign(message, 0) : undefined),
      combine: (message, shares) => combineBls(commitment, message, shares),
      verify: (message, signature) => key.isFinal && verifyBls(publicKey, message, signature),
    },
  })
  const outputs: SignerOutputs[number][] = []
  const take = (some: SignerOutputs): void => {
    outputs.push(...some)
  }
  return {
    tape,
    key,
    outputs,
    execute: (slot = SLOT, needed = [slot]) => take(tape.endSlot(slot, new Set(needed))),
    hear: (from: number, message: TapeShareMessage | TapeMessage) =>
      take(tape.receive(from, message)),
    work: () => {
      for (let some = tape.work(); some !== undefined; some = tape.work()) take(some)
    },
    sent: () => outputs.filter(({ type }) => type === 'send'),
    faults: () =>
      outputs.flatMap((output) =>
        output.type === 'fault' ? [`${output.culprit} ${output.reason}`] : [],
      ),
  }
}

test('the bytes that are signed are the domain with its length, then incarnation and slot', () => {
  expect(toHex(tapeMessage(0x0102n, 3n))).toBe(
    `1a${toHex(utf8('random_tape_content_domain'))}00000000000001020000000000000003`,
  )
  expect(tapeValue(right)).toEqual(sha256(right))
})

describe('the tape of a slot', () => {
  let me: ReturnType<typeof node>
  beforeEach(() => {
    me = node()
  })

  test('is what any f + 1 shares make', () => {
    for (const [a, b] of [
      [0, 1],
      [1, 3],
      [2, 3],
    ] as const) {
      const one = node()
      one.execute()
      for (const from of [a, b]) one.hear(from, shareOf(from))
      one.work()
      expect(toHex(present(one.tape.signature(SLOT), 'combined'))).toBe(toHex(right))
      expect(one.faults()).toEqual([])
    }
  })

  test('is unknown from f shares, however often they come', () => {
    me.execute()
    for (const _ of [1, 2, 3]) me.hear(2, shareOf(2))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([undefined, []])
  })

  test('is not spoken of before this node has executed it, and shares that came early count', () => {
    for (const from of [1, 2]) me.hear(from, shareOf(from))
    me.execute(SLOT - 1n, [])
    me.work()
    expect([me.outputs, me.tape.signature(SLOT)]).toEqual([[], undefined])
    me.execute()
    me.work()
    expect(me.sent()).toEqual([{ type: 'send', to: 'all', message: shareOf(0) }])
    expect(me.tape.signature(SLOT)).toEqual(right)
  })

  test('that nothing needs is not made', () => {
    me.execute(SLOT, [])
    for (const from of [1, 2]) me.hear(from, shareOf(from))
    me.work()
    expect([me.outputs, me.tape.signature(SLOT)]).toEqual([[], undefined])
  })

  test('is given up when nothing needs it any more', () => {
    me.execute()
    me.work()
    me.execute(SLOT + 1n, [])
    for (const from of [1, 2]) me.hear(from, shareOf(from))
    me.work()
    expect([me.tape.signature(SLOT), me.tape.resend(1)]).toEqual([undefined, []])
  })

  const doubled = present(blsSum([{ point: sign(tapeMessage(7n, SLOT), 1), scalar: 2n }]), '')
  test.each<[string, Uint8Array]>([
    ['§21 bls: invalid', doubled],
    ['§21 bls: invalid, no point', new Uint8Array(48)],
    ['§21 bls: not in subgroup', Uint8Array.of(0x80, ...new Uint8Array(46), 4)],
    ['§21 bls: of another content', sign(utf8('something else'), 1)],
    ['§21 bls: of another content, of another slot', sign(tapeMessage(INCARNATION, SLOT + 1n), 1)],
    ['§21 bls: incarnation, under the name of this one', sign(tapeMessage(8n, SLOT), 1)],
    ['§21 bls: invalid, of another node', sign(tapeMessage(INCARNATION, SLOT), 2)],
  ])('%s: InvalidShare, and it comes from the others', (_, share) => {
    me.execute()
    me.hear(1, shareOf(1, { share }))
    me.hear(3, shareOf(3))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([undefined, ['1 InvalidShare']])
    me.hear(1, shareOf(1)) // Nothing more of the liar counts.
    me.work()
    expect(me.tape.signature(SLOT)).toBeUndefined()
    me.hear(2, shareOf(2))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([right, ['1 InvalidShare']])
  })

  test.each<[string, TapeShareMessage]>([
    ['§21 bls: transcript', shareOf(1, { transcriptId: 3n })],
    ['§21 bls: incarnation', shareOf(1, { incarnation: 8n })],
    ['a share of a slot that is over', shareOf(1, { slot: SLOT - 1n })],
  ])('%s: not counted, and nobody is blamed', (_, message) => {
    me.execute()
    me.hear(1, message)
    me.hear(3, shareOf(3))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([undefined, []])
  })

  test('is given whole by who knows it, and a false one is blamed', () => {
    me.execute()
    me.hear(1, whole({ signature: rightOf(SLOT + 1n) }))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([undefined, ['1 InvalidShare']])
    me.hear(2, shareOf(2))
    me.hear(2, whole({ incarnation: 8n }))
    me.work()
    expect(me.tape.signature(SLOT)).toBeUndefined()
    me.hear(2, whole())
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([right, ['1 InvalidShare']])
  })

  test('in an item is judged alike by who knows it and who does not', () => {
    const other = node()
    for (const one of [me, other]) one.execute()
    me.hear(1, whole())
    me.work()
    for (const { tape } of [me, other]) {
      expect(tape.isSignature(SLOT, rightOf(SLOT + 1n))).toBe(false)
      expect(tape.isSignature(SLOT, right)).toBe(true)
      expect(tape.isSignature(SLOT, new Uint8Array(48))).toBe(false)
    }
    expect(other.tape.signature(SLOT)).toEqual(right)
  })
})

describe('a node without its share of the key', () => {
  test('gives none until it has it, and still learns the tape', () => {
    const me = node()
    me.key.isLoaded = false
    me.execute()
    me.work()
    expect(me.sent()).toEqual([])
    me.key.isLoaded = true
    me.work()
    expect(me.sent()).toHaveLength(1)
  })

  test('keeps what it hears until the key is final', () => {
    const me = node()
    me.key.isFinal = false
    me.execute()
    for (const from of [1, 2]) me.hear(from, shareOf(from))
    me.work()
    expect(me.tape.isSignature(SLOT, right)).toBe(false)
    expect([me.outputs, me.tape.signature(SLOT)]).toEqual([[], undefined])
    me.key.isFinal = true
    me.work()
    expect([me.sent().length, me.tape.signature(SLOT)]).toEqual([1, right])
  })
})

describe('the switch of a refresh', () => {
  const later = 9n

  test('lets a node answer for open slots with shares of the new transcript alone', () => {
    const me = node()
    me.execute()
    me.work()
    me.hear(2, shareOf(2))
    me.key.id = later
    me.tape.switch()
    me.work()
    const messages = me.sent().map((output) => output.type === 'send' && output.message)
    expect(messages).toEqual([shareOf(0), shareOf(0, { transcriptId: later })])
    me.hear(0, shareOf(0, { transcriptId: later }))
    me.work()
    expect(me.tape.signature(SLOT)).toBeUndefined()
    me.hear(2, shareOf(2, { transcriptId: later }))
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([right, []])
  })
})

describe('a node that starts again', () => {
  test('is sent the share, and σ instead once that is known', () => {
    const me = node()
    me.execute()
    expect(me.tape.resend(3)).toEqual([])
    me.work()
    expect(me.tape.resend(3)).toEqual([{ type: 'send', to: 3, message: shareOf(0) }])
    for (const from of [0, 2]) me.hear(from, shareOf(from))
    me.work()
    expect(me.tape.resend(3)).toEqual([{ type: 'send', to: 3, message: whole() }])
  })

  test('learns the tape from σ that came before it had executed the slot', () => {
    const me = node()
    me.hear(2, whole())
    me.execute()
    me.work()
    expect(me.tape.signature(SLOT)).toEqual(right)
  })
})

describe('what comes early', () => {
  test('gives way to what its sender says later of the slot, but not to the same again', () => {
    const me = node()
    for (const message of [shareOf(2, { transcriptId: 1n }), shareOf(2), whole()])
      me.hear(2, message)
    me.hear(2, shareOf(2, { share: new Uint8Array(48) }))
    me.execute()
    me.work()
    expect([me.tape.signature(SLOT), me.faults()]).toEqual([right, []])
  })

  test('is kept, 64 slots of each sender, and asked for again when more was dropped', () => {
    const me = node()
    for (let slot = SLOT; slot < SLOT + 65n; slot++) me.hear(1, shareOf(1, { slot }))
    me.hear(2, shareOf(2))
    me.execute()
    expect(me.outputs).toEqual([{ type: 'send', to: 1, message: { type: 'resend' } }])
    me.work()
    expect(me.tape.signature(SLOT)).toBeUndefined()
    me.hear(1, shareOf(1))
    me.work()
    expect(me.tape.signature(SLOT)).toEqual(right)
    me.execute(SLOT + 1n)
    me.hear(0, shareOf(0, { slot: SLOT + 1n }))
    me.work()
    expect(me.tape.signature(SLOT + 1n)).toEqual(rightOf(SLOT + 1n))
    expect(me.faults()).toEqual([])
  })
})
