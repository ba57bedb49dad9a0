/**
 * Goal: keys of every algorithm are made on demand and sign, each with its own transcripts, stock
 * and queue; nothing said about one counts for another. Method: threshold specification §§2.1, 11.1,
 * 12.2, 18.1, 18.3, 19, through whole signers joined by the sequencer.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { equalBytes, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { KeyScheme } from '../../../src/core/base/key-scheme.ts'
import { KEY_SCHEMES, publicKeySize } from '../../../src/core/base/key-scheme.ts'
import type { ShareMessage } from '../../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import type { SigningRequest } from '../../../src/core/tecdsa/request.ts'
import { KEY_NAMES } from '../../../src/core/tecdsa/request.ts'
import { QUEUE_MAX } from '../../../src/core/tecdsa/stock.ts'
import { MAIN_KEY, SignerNet } from '../../support/signer-net.ts'
import { expectValid, request } from '../../support/signer-story.ts'

const SCHNORR = ['bip340', 'ed25519'] as const
const TEST_KEY = 'test_key_1'

/** A net that has the keys that it makes by itself, and no stock. */
function settled(options: Partial<ConstructorParameters<typeof SignerNet>[0]> = {}): SignerNet {
  const net = new SignerNet({ nodes: 4, stockTarget: 0, ...options })
  net.settle()
  return net
}

const keyOf = (net: SignerNet, scheme: KeyScheme, name = TEST_KEY, node = 0) =>
  net.signer(node).publicKeyOf({ scheme, name })

describe.each(SCHNORR)('a key of %s', (scheme) => {
  const net = settled()
  const asked = request(`first of ${scheme}`, TEST_KEY, scheme)

  const shares = new Map<number, ShareMessage>()

  beforeAll(() => {
    net.watch = (message) => {
      if (message.type === 'share') shares.set(message.from, message)
    }
    net.ask(asked)
    net.settle()
  })

  test('is made for the first request, and signs it', () => {
    expectValid(net, asked)
    expect(keyOf(net, scheme)).toHaveLength(publicKeySize(scheme))
    for (const node of [1, 2, 3])
      expect(keyOf(net, scheme, TEST_KEY, node)).toEqual(keyOf(net, scheme))
    expect(net.faults).toEqual([])
  })

  test('is not that of another algorithm or name', () => {
    const others = KEY_SCHEMES.flatMap((other) => KEY_NAMES.map((name) => [other, name] as const))
    const known = others.flatMap(([other, name]) => {
      const key = keyOf(net, other, name)
      return key === undefined ? [] : [`${other} ${name} ${toHex(key)}`]
    })
    expect(known).toHaveLength(2)
    expect(known[0]).toMatch(`ecdsa ${MAIN_KEY}`)
    expect(known[1]).toMatch(`${scheme} ${TEST_KEY}`)
  })

  test('has no stock', () => {
    expect([net.signer(0).stock, net.signer(0).openRequests]).toEqual([0, 0])
  })

  test('has its pairings recorded under a name of its own', () => {
    const recorded = [...present(net.records[0], 'node 0').keys()]
    const pairings = recorded.filter((key) => key.includes('pairing/'))
    expect(pairings).toEqual([`7/${scheme}/pairing/0`])
  })

  test('says nothing with its shares about requests of other algorithms', () => {
    const share = present(shares.get(2), 'node 2 gave its share')
    for (const lane of KEY_SCHEMES) {
      const bytes = encodeSignerMessage({ ...share, lane })
      expect(net.signer(0).step({ type: 'message', from: 2, bytes })).toEqual([])
    }
    expect(net.signer(0).work()).toBeUndefined()
  })

  test('signs messages of any length', () => {
    const messages = [new Uint8Array(), utf8('a'), new Uint8Array(100_000).fill(1)]
    const more = messages.map((message, i) => ({
      ...request(`length ${i} of ${scheme}`, TEST_KEY, scheme),
      message,
    }))
    for (const each of more) net.ask(each)
    net.settle()
    for (const each of more) expectValid(net, each)
  })

  test('gives another signature to the same message asked for again', () => {
    const again = { ...asked, id: sha256(utf8(`again ${scheme}`)) }
    net.ask(again)
    net.settle()
    expectValid(net, again)
    const [one, two] = [asked, again].map(({ id }) =>
      net.completed.find(({ requestId }) => equalBytes(requestId, id)),
    )
    expect(toHex(present(one, 'signed').signature)).not.toBe(
      toHex(present(two, 'signed').signature),
    )
  })

  test('is signed with by a node that starts again, and by those that go on without one', () => {
    net.stop(3)
    const without = request(`without 3, ${scheme}`, TEST_KEY, scheme)
    net.ask(without)
    net.settle()
    expectValid(net, without)
    net.start(3)
    net.settle()
    net.stop(1)
    const after = request(`with 3 again, ${scheme}`, TEST_KEY, scheme)
    net.ask(after)
    net.settle()
    expectValid(net, after, 3)
    net.start(1)
    net.settle()
    expect(net.faults).toEqual([])
  })

  test('is kept with the others for a later start', () => {
    const restored = present(net.signer(0).finalKeys, 'keys are final')
    const again = settled({ restored, incarnation: 8n })
    expect(keyOf(again, scheme)).toEqual(keyOf(net, scheme))
    const more = request(`kept, ${scheme}`, TEST_KEY, scheme)
    again.ask(more)
    again.settle()
    expectValid(again, more)
  })
})

test('BIP340 signs under the output key of a root that is given, and of an empty one', () => {
  const net = settled({ nodes: 1 })
  const asked = [undefined, new Uint8Array(), new Uint8Array(32).fill(5)].map(
    (taprootRoot, i): SigningRequest => ({ ...request(`${i}`, TEST_KEY, 'bip340'), taprootRoot }),
  )
  for (const each of asked) net.ask(each)
  net.settle()
  for (const each of asked) expectValid(net, each)
})

test('each key of each algorithm has its own queue', () => {
  const { signer } = (() => {
    const net = new SignerNet({ nodes: 1, stockTarget: 0 })
    return { signer: net.signer(0) }
  })()
  const full = (scheme: KeyScheme, name: string): boolean =>
    !signer.enqueue(request(`${scheme} ${name} more`, name, scheme))
  for (const scheme of KEY_SCHEMES)
    for (const name of KEY_NAMES) {
      for (let i = 0; i < QUEUE_MAX; i++) {
        const asked = request(`${scheme} ${name} ${i}`, name, scheme)
        expect(signer.enqueue(asked)).toBe(true)
      }
      expect(full(scheme, name)).toBe(true)
    }
  expect(signer.openRequests).toBe(9 * QUEUE_MAX)
})

test('names that are not offered are no keys, whatever the algorithm', () => {
  const signer = new SignerNet({ nodes: 1, stockTarget: 0 }).signer(0)
  for (const scheme of KEY_SCHEMES) {
    for (const name of KEY_NAMES) expect(signer.offersKey({ scheme, name })).toBe(true)
    for (const name of ['', 'key_2', 'KEY_1', '__proto__']) {
      expect(signer.offersKey({ scheme, name })).toBe(false)
      expect(signer.holdKey({ scheme, name })).toBe(false)
      expect(signer.enqueue(request('a', name, scheme))).toBe(false)
    }
  }
})

describe('a share', () => {
  test.each(SCHNORR)(
    'of %s that is false is blamed, and the request signed all the same',
    (scheme) => {
      const changed = (share: Uint8Array): Uint8Array =>
        share.map((byte, i) =>
          i === share.length - (scheme === 'bip340' ? 1 : 5) ? byte ^ 1 : byte,
        )
      const net = settled({
        tamper: (from, _, message) =>
          message.type === 'share' && from === 0
            ? { ...message, share: changed(message.share) }
            : message,
      })
      const asked = request('a liar', TEST_KEY, scheme)
      net.ask(asked)
      net.settle()
      expectValid(net, asked, 1)
      const honest = net.faults.filter(({ seenBy }) => seenBy !== 0)
      expect(new Set(honest.map(({ culprit, reason }) => `${culprit} ${reason}`))).toEqual(
        new Set(['0 InvalidSignatureShare']),
      )
    },
  )
})
