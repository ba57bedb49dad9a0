/**
 * Goal: what is well signed is executed once, and what is not is refused and leaves nothing.
 * Method: IC interface §26, items 1 to 23: requests over the gateway of a real subnet in this
 * process, each changed in one place; the count of executed calls tells what was stored.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  bigEndian,
  concat,
  fromBigEndian,
  fromUtf8,
  toHex,
  utf8,
} from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodeCbor } from '../../../src/core/ic/cbor.ts'
import type { CallContent, Envelope } from '../../../src/core/ic/envelope.ts'
import { encodeEnvelope, requestId, signCall } from '../../../src/core/ic/envelope.ts'
import { anonymous, selfAuthenticating, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import {
  callContent,
  certified,
  delegate,
  ed25519Signer,
  p256Signer,
  post,
  secp256k1Signer,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const rootKey = present(net.backend.rootKey, 'a root is certified')
const executed = (): bigint => net.node(0).replica.updatesTotal
let before = executed()
beforeEach(() => {
  before = executed()
})

const user = ed25519Signer(1)
const call = (fields: Partial<Omit<CallContent, 'type'>> = {}): CallContent =>
  callContent(user.principal, net.now, fields)

/** The bytes were answered with a certificate of their reply, and executed as often as `times`. */
async function expectExecuted(envelope: Envelope, body: Uint8Array | Envelope, times = 1n) {
  const answer = await post(net, body)
  expect(answer).toMatchObject({ status: 200, text: '' })
  const say = certified(answer, { envelope, rootKey, now: net.now })
  expect(fromUtf8(say('status') ?? new Uint8Array())).toBe('replied')
  expect(executed() - before).toBe(times)
}

/** Refused in words that start so, and nothing was executed. */
async function expectRefused(body: Uint8Array | Envelope, words: RegExp, status = 400) {
  const answer = await post(net, body)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(answer.text).toMatch(words)
  expect(executed()).toBe(before)
}

describe('signatures', () => {
  test.each([
    ['1: an Ed25519', ed25519Signer(2)],
    ['2: a secp256k1', secp256k1Signer(2)],
    ['2: a P-256', p256Signer(2)],
  ])('%s call is executed and certified', async (_, signer) => {
    const envelope = signCall(callContent(signer.principal, net.now), signer)
    await expectExecuted(envelope, envelope)
  })

  test.each([
    ['secp256k1', secp256k1Signer(3), secp256k1.Point.Fn.ORDER],
    ['P-256', p256Signer(3), 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n],
  ])('3: both values of s sign one request: %s', async (_, signer, order) => {
    const envelope = signCall(callContent(signer.principal, net.now), signer)
    const signature = present(envelope.senderSig, 'it is signed')
    const s = order - fromBigEndian(signature.slice(32))
    const twin = { ...envelope, senderSig: concat(signature.slice(0, 32), bigEndian(s, 32)) }
    await expectExecuted(envelope, envelope)
    await expectExecuted(envelope, twin)
  })

  test('4: an ECDSA signature in DER is refused', async () => {
    const secret = new Uint8Array(32).fill(4)
    const signer = secp256k1Signer(4)
    const sign = (message: Uint8Array) => secp256k1.sign(message, secret, { format: 'der' })
    const envelope = signCall(callContent(signer.principal, net.now), { ...signer, sign })
    await expectRefused(envelope, /^Invalid signature: /)
  })

  test('5: a compressed point as a key is refused', async () => {
    const secret = new Uint8Array(32).fill(4)
    const compressed = concat(
      Uint8Array.from([0x30, 0x36, 0x30, 0x10, 6, 7, 42, 134, 72, 206, 61, 2, 1]),
      Uint8Array.from([6, 5, 43, 129, 4, 0, 10, 3, 34, 0]),
      secp256k1.getPublicKey(secret, true),
    )
    const content = callContent(selfAuthenticating(compressed), net.now)
    const signer = { ...secp256k1Signer(4), publicKeyDer: compressed }
    await expectRefused(signCall(content, signer), /^Invalid signature: unsupported public key/)
  })

  test('6: one bit of the signature flipped is refused', async () => {
    const envelope = signCall(call(), user)
    const signature = present(envelope.senderSig, 'it is signed')
    for (const bit of [0, 100, 511]) {
      const senderSig = signature.with(bit >> 3, (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
      await expectRefused({ ...envelope, senderSig }, /^Invalid signature: /)
    }
  })

  test("7: a key that is not the sender's is refused, and the sender named", async () => {
    const envelope = { ...signCall(call(), user), senderPubkey: ed25519Signer(5).publicKeyDer }
    await expectRefused(envelope, new RegExp(textOfPrincipal(user.principal)))
  })

  test('8: a sender without signature is refused', async () => {
    await expectRefused({ content: call() }, /^Missing signature/)
  })

  test('9: an anonymous sender with signature, key or delegation is refused', async () => {
    const content = call({ sender: anonymous })
    const { senderPubkey, senderSig } = signCall(call(), user)
    const link = delegate(user, ed25519Signer(6), { expiration: content.ingressExpiry })
    for (const extra of [{ senderPubkey }, { senderSig }, { senderDelegation: [link] }])
      await expectRefused({ content, ...extra }, /^An anonymous request carries no/)
  })

  test('10: an anonymous call is executed as the anonymous principal', async () => {
    const envelope = { content: call({ sender: anonymous }) }
    await expectExecuted(envelope, envelope)
    const known = net.node(0).replica.findRequest(requestId(envelope.content))
    expect(known?.sender).toEqual(anonymous)
  })
})

/** CBOR written by hand, value by value. */
const key = (name: string): Uint8Array => encodeCbor(name)
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const rawMap = (pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array =>
  concat(Uint8Array.of(0xa0 + pairs.length), ...pairs.flat())
type Pair = readonly [Uint8Array, Uint8Array]

/** The fields of an anonymous call, encoded one by one. */
const contentPairs = (content: CallContent): Pair[] => [
  [key('request_type'), encodeCbor('call')],
  [key('sender'), encodeCbor(content.sender)],
  [key('ingress_expiry'), encodeCbor(content.ingressExpiry)],
  [key('nonce'), encodeCbor(content.nonce ?? null)],
  [key('canister_id'), encodeCbor(content.canisterId)],
  [key('method_name'), encodeCbor(content.methodName)],
  [key('arg'), encodeCbor(content.arg)],
]
const anonymousCall = (fields = {}): CallContent => call({ sender: anonymous, ...fields })

/** An envelope whose content has these pairs too, or instead of those of the same key. */
function tampered(content: CallContent, ...extra: readonly Pair[]): Uint8Array {
  const names = new Set(extra.map(([name]) => toHex(name)))
  const kept = contentPairs(content).filter(([name]) => !names.has(toHex(name)))
  return rawMap([[key('content'), rawMap([...kept, ...extra])]])
}

describe('encodings', () => {
  test('11: null fields of an anonymous sender count as absent', async () => {
    const content = anonymousCall()
    const nulls = ['sender_pubkey', 'sender_sig', 'sender_delegation'].map(
      (name): Pair => [key(name), encodeCbor(null)],
    )
    const body = rawMap([[key('content'), rawMap(contentPairs(content))], ...nulls])
    await expectExecuted({ content }, body)
  })

  test('12: the self-describing tag may be left out', async () => {
    const envelope = signCall(call(), user)
    const tagged = encodeEnvelope(envelope)
    expect(toHex(tagged.slice(0, 3))).toBe('d9d9f7')
    await expectExecuted(envelope, tagged.slice(3))
  })

  test.each([undefined, 'text/plain', 'application/json', 'application/cborx'])(
    '13: content type %s is refused',
    async (contentType) => {
      const answer = await post(net, signCall(call(), user), { contentType })
      expect(answer).toMatchObject({
        status: 400,
        text: 'The content type must be application/cbor.',
      })
      expect(executed()).toBe(before)
    },
  )

  test.each(['Application/CBOR', 'application/cbor; charset=binary'])(
    '13: content type %s is taken',
    async (contentType) => {
      expect((await post(net, signCall(call(), user), { contentType })).status).toBe(200)
    },
  )

  test('14: every prefix, a trailing byte, text and nothing are refused', async () => {
    const whole = encodeEnvelope(signCall(call(), user))
    for (let length = 0; length < whole.length; length++)
      expect((await post(net, whole.slice(0, length))).status).toBe(400)
    await expectRefused(concat(whole, Uint8Array.of(0)), /^Malformed request: /)
    await expectRefused(utf8('hello'), /^Malformed request: /)
    await expectRefused(new Uint8Array(), /^Malformed request: /)
    expect((await post(net, whole)).status).toBe(200)
  })

  const malformed: readonly (readonly [string, () => Uint8Array])[] = [
    [
      '15: a key that stands twice in content',
      () => {
        const pairs = contentPairs(anonymousCall())
        return rawMap([[key('content'), rawMap([...pairs, ...pairs.slice(-1)])]])
      },
    ],
    [
      '16: a float',
      () => tampered(anonymousCall(), [key('ingress_expiry'), bytes('fb43d7000000000000')]),
    ],
    [
      '16: a negative number',
      () => tampered(anonymousCall(), [key('ingress_expiry'), bytes('20')]),
    ],
    ['16: tag 1', () => tampered(anonymousCall(), [key('ingress_expiry'), bytes('c11a5f5e1000')])],
    ['16: an integer key', () => tampered(anonymousCall(), [bytes('01'), bytes('01')])],
    ['17: 100,000 nested arrays', () => new Uint8Array(100_000).fill(0x81)],
    [
      '17: 100,000 nested arrays as a field',
      () => tampered(anonymousCall(), [key('arg'), new Uint8Array(100_000).fill(0x81)]),
    ],
    ['18: an array of 2^60 elements', () => bytes('9b1000000000000000')],
    ['18: a text of 2^60 bytes', () => bytes('a17b1000000000000000')],
    ['20: an unknown key in content', () => tampered(anonymousCall(), [key('extra'), bytes('01')])],
    [
      '23: a nonce of 33 bytes',
      () => encodeEnvelope(signCall(call({ nonce: new Uint8Array(33) }), user)),
    ],
    [
      'a method name of 257 bytes',
      () => encodeEnvelope(signCall(call({ methodName: 'x'.repeat(257) }), user)),
    ],
  ]
  test.each(malformed)('%s is refused', async (_, make) => {
    await expectRefused(make(), /^(Malformed request|Invalid nonce): /)
  })

  test('19: maps and strings of indefinite length name the same request', async () => {
    const content = anonymousCall()
    const pieces = (blob: Uint8Array): Uint8Array =>
      concat(bytes('5f'), encodeCbor(blob.slice(0, 2)), encodeCbor(blob.slice(2)), bytes('ff'))
    const pairs = contentPairs(content).map(
      ([name, value]): Pair =>
        toHex(name) === toHex(key('arg')) ? [name, pieces(content.arg)] : [name, value],
    )
    const inner = concat(bytes('bf'), ...pairs.flat(), bytes('ff'))
    const body = concat(bytes('bf'), key('content'), inner, bytes('ff'))
    await expectExecuted({ content }, body)
    await expectExecuted({ content }, { content })
  })

  test('21: an unknown key beside content is ignored', async () => {
    const content = anonymousCall()
    const body = rawMap([
      [key('content'), rawMap(contentPairs(content))],
      [key('extra'), bytes('01')],
    ])
    await expectExecuted({ content }, body)
  })

  test('22: a request of another type than the path is refused', async () => {
    const query = { ...call(), type: 'query' } as const
    await expectRefused(signCall(query, user), /^A request of type query does not belong/)
    const asQuery = await post(net, signCall(call(), user), { action: 'query' })
    expect(asQuery.status).toBe(400)
    const asRead = await post(net, signCall(call(), user), { action: 'read_state' })
    expect(asRead.status).toBe(400)
    expect(executed()).toBe(before)
  })

  test('a method name of 256 bytes is taken', async () => {
    const envelope = signCall(call({ methodName: 'x'.repeat(256) }), user)
    const answer = await post(net, envelope)
    const say = certified(answer, { envelope, rootKey, now: net.now })
    expect(fromUtf8(say('error_code') ?? new Uint8Array())).toBe('IC0536')
  })

  test('23: a nonce of 32 bytes is taken', async () => {
    const envelope = signCall(call({ nonce: new Uint8Array(32).fill(7) }), user)
    await expectExecuted(envelope, envelope)
  })
})
