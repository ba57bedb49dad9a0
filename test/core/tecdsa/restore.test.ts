/**
 * Goal: a subnet that starts again goes on under the same keys, and nothing else of its earlier life
 * serves: no presignature, nonce, message or item.
 * Method: threshold specification §§18.3, 18.4, 22.7. To make it hard, both lives have the same tape
 * key and are asked the same request.
 */
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { encodePoint } from '../../../src/core/base/group.ts'
import { verifyBls } from '../../../src/core/base/verification.ts'
import { decodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import type { SignerMessage } from '../../../src/core/tecdsa/message.ts'
import { decodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import { suites } from '../../../src/core/tecdsa/signer-config.ts'
import type { SignerItem } from '../../../src/core/tecdsa/signer-context.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { expectValid, isDone, request, settled } from '../../support/signer-story.ts'

const keptBy = (net: SignerNet, node = 0): Uint8Array =>
  present(net.signer(node).finalKeys, 'keys are final')

function sign(net: SignerNet, asked = request('the same')): string {
  net.ask(asked)
  net.run(() => isDone(net, asked))
  expectValid(net, asked)
  return toHex(present(net.completed.at(-1), 'done').signature.slice(0, 32))
}

describe('a subnet that starts again', () => {
  const first = settled({ nodes: 4 })
  const kept = keptBy(first)
  const again = new SignerNet({ nodes: 4, restored: kept, incarnation: 8n })

  test('has its keys at once, and no presignature', () => {
    expect(again.signer(0).stock).toBe(0)
    expect(again.signer(1).publicKey).toEqual(first.signer(1).publicKey)
    expect(again.signer(2).certificationKey).toEqual(first.signer(2).certificationKey)
    expect(again.signer(3).openRequests).toBe(0)
    again.settle()
    expect(again.signer(0).stock).toBe(1)
  })

  test('signs the same request again with another nonce point', () => {
    expect(sign(first)).not.toBe(sign(again))
    expect([first.faults, again.faults]).toEqual([[], []])
  })

  test('certifies with the old shares', () => {
    const message = utf8('after the restart')
    const shares = new Map(
      [1, 3].map((i) => [i, present(again.signer(i).certificationShare(message), 'a share')]),
    )
    const { signature } = again.signer(0).combineCertification(message, shares)
    const key = present(first.signer(0).certificationKey, 'the old key')
    expect(verifyBls(key, message, present(signature, 'combined'))).toBe(true)
  })

  test('keeps the same again, and a third life does as well', () => {
    expect(keptBy(again, 3)).toEqual(kept)
    const third = settled({ nodes: 4, restored: keptBy(again, 3), incarnation: 9n })
    sign(third)
    expect(third.signer(0).publicKey).toEqual(first.signer(0).publicKey)
  })

  test.each([
    ['a byte short', kept.slice(0, -1)],
    ['empty', new Uint8Array()],
    ['a byte long', Uint8Array.of(...kept, 0)],
  ])('from keys that are %s refuses to', (_, restored) => {
    expect(() => new SignerNet({ nodes: 4, restored, incarnation: 9n })).toThrow(BadEncoding)
  })
})

describe('an earlier life', () => {
  const items: SignerItem[] = []
  const first = new SignerNet({ nodes: 4, incarnation: 7n })
  first.watchItems = (item) => items.push(item)
  first.settle()
  const asked = request('the same')
  sign(first)
  const kept = keptBy(first)
  /** Transcripts and presignatures of the same ids are open as at that time in the life before. */
  const startAgain = (incarnation: bigint): SignerNet =>
    new SignerNet({ nodes: 4, restored: kept, incarnation })

  test('sends messages that change nothing in the next', () => {
    const again = startAgain(8n)
    const old = first.wire.filter((bytes) => decodeSignerMessage(bytes).type !== 'resend')
    expect(old.length).toBeGreaterThan(100)
    for (const node of [0, 1, 2, 3])
      for (const bytes of old)
        for (const from of [1, 2])
          expect(again.signer(node).step({ type: 'message', from, bytes })).toEqual([])
    again.settle()
    expect([again.signer(0).stock, again.faults]).toEqual([1, []])
    sign(again, request('new'))
    expect(again.faults).toEqual([])
  })

  test('gives items that do not count in the next', () => {
    expect(new Set(items.map(({ type }) => type))).toEqual(new Set(['dealing', 'completion']))
    const [fresh, busy] = [startAgain(8n), startAgain(9n)]
    busy.settle()
    busy.ask(asked)
    busy.run(() => busy.signer(0).openRequests > 0)
    for (const signer of [fresh.signer(0), busy.signer(0)])
      for (const item of items)
        if (item.type === 'dealing') expect(signer.takeDealing(item.lane, item.bytes)).toBe(false)
        else expect(signer.judge(item.bytes)).toBeUndefined()
    busy.run(() => isDone(busy, asked))
    expectValid(busy, asked)
  })
})

/** What must never come twice: commitments of fresh secrets, nonce points, names of pairings. */
function lifeOf(options: ConstructorParameters<typeof SignerNet>[0]): {
  readonly net: SignerNet
  readonly seen: readonly string[]
} {
  const net = new SignerNet(options)
  const seen: string[] = []
  net.watch = (message: SignerMessage) => {
    if (message.type !== 'dealing' || message.lane !== 'ecdsa') return
    const { commitment } = decodeDealing(suites.ecdsa, message.signed.dealing)
    for (const point of commitment.points) seen.push(toHex(encodePoint(suites.ecdsa.group, point)))
  }
  net.settle()
  for (const name of ['one', 'two']) seen.push(sign(net, request(name)))
  net.settle()
  seen.push(...[...(net.records[0] ?? [])].map(([key]) => key))
  return { net, seen }
}

test('§22.7 restored: over many lives no secret, nonce point or pairing comes again', () => {
  const all: string[] = []
  const keys = new Set<string>()
  let restored: Uint8Array | undefined
  for (let incarnation = 1n; incarnation <= 6n; incarnation++) {
    const { net, seen } = lifeOf({ nodes: 1, incarnation, ...(restored && { restored }) })
    all.push(...seen)
    keys.add(toHex(present(net.signer(0).publicKey, 'the key')))
    restored = keptBy(net)
  }
  expect(keys.size).toBe(1)
  expect(all.length).toBeGreaterThan(100)
  expect(new Set(all).size).toBe(all.length)
})

test('§22.7 older-subnet: one copy started twice, and a life that ended early, share no K with each other', () => {
  const first = settled({ nodes: 1 })
  const restored = keptBy(first)
  const lives = [8n, 0x1_0000_0008n, 9n].map((incarnation) =>
    lifeOf({ nodes: 1, restored, incarnation }),
  )
  const all = lives.flatMap(({ seen }) => seen)
  expect(new Set(all).size).toBe(all.length)
})

describe('keys on demand', () => {
  const TEST_KEY = 'test_key_1'
  const first = settled({ nodes: 4 })
  const asked = request('on demand', TEST_KEY)
  first.ask(asked)
  first.settle()

  test('are made for the first request, and sign it', () => {
    expectValid(first, asked)
    expect(first.signer(0).publicKeyOf({ scheme: 'ecdsa', name: TEST_KEY })).not.toEqual(
      first.signer(0).publicKey,
    )
    expect([first.signer(0).finalKeyCount, first.signer(0).stock]).toEqual([4, 1])
    expect(first.faults).toEqual([])
  })

  test('are kept with the others', () => {
    const again = settled({ nodes: 4, restored: keptBy(first), incarnation: 8n })
    const more = request('more', TEST_KEY)
    again.ask(more)
    again.settle()
    expectValid(again, more)
    expect(again.signer(3).publicKeyOf({ scheme: 'ecdsa', name: TEST_KEY })).toEqual(
      first.signer(3).publicKeyOf({ scheme: 'ecdsa', name: TEST_KEY }),
    )
  })

  test('that were in the making are not there, and are made anew', () => {
    const early = settled({ nodes: 1 })
    early.signer(0).holdKey({ scheme: 'ecdsa', name: TEST_KEY })
    const again = settled({ nodes: 1, restored: keptBy(early), incarnation: 8n })
    expect([
      again.signer(0).finalKeyCount,
      again.signer(0).publicKeyOf({ scheme: 'ecdsa', name: TEST_KEY }),
    ]).toEqual([3, undefined])
    again.ask(asked)
    again.settle()
    expectValid(again, asked)
  })
})

test('a subnet that has its keys, its stock and no request has no work', () => {
  const net = settled({ nodes: 4 })
  const sent = net.wire.length
  for (const node of [0, 1, 2, 3]) expect(net.signer(node).work()).toBeUndefined()
  net.settle()
  expect(net.wire.length).toBe(sent)
})
