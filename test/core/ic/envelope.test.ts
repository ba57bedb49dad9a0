/**
 * Envelopes: the signed call of ic-interface §27.2, envelopes that the SDK's agent makes, refused
 * structures.
 */
import { HttpAgent } from '@icp-sdk/core/agent'
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity'
import { Principal as Peer } from '@icp-sdk/core/principal'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding, Bug } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import { admit } from '../../../src/core/ic/admission.ts'
import { type Cbor, decodeCbor, encodeTaggedCbor } from '../../../src/core/ic/cbor.ts'
import {
  type CallContent,
  decodeEnvelope,
  delegationMessage,
  type Envelope,
  encodeEnvelope,
  METHOD_NAME_BYTES_MAX,
  requestId,
  signCall,
} from '../../../src/core/ic/envelope.ts'
import { anonymous, principal, selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'

const seed = new Uint8Array(32).fill(0x42)
const publicKeyDer = encodePublicKey({ type: 'ed25519', key: nobleEd25519.publicKey(seed) })
const identity = { publicKeyDer, sign: (bytes: Uint8Array) => nobleEd25519.sign(seed, bytes) }

const call: CallContent = {
  type: 'call',
  sender: selfAuthenticating(publicKeyDer),
  ingressExpiry: timestampNs(1_685_570_400_000_000_000n),
  canisterId: principal(fromHex('00000000000004d2')),
  methodName: 'hello',
  arg: fromHex('4449444c00fd2a'),
  nonce: fromHex('010203'),
}

const published =
  'd9d9f7a367636f6e74656e74a76c726571756573745f747970656463616c6c6673656e646572581de3213e1571fadab1' +
  'f6079a1d86756b9191a0a9760611ea17b366b627026e696e67726573735f6578706972791b1764595927e9c0006b6361' +
  '6e69737465725f69644800000000000004d26b6d6574686f645f6e616d656568656c6c6f63617267474449444c00fd2a' +
  '656e6f6e6365430102036d73656e6465725f7075626b6579582c302a300506032b65700321002152f8d19b791d244532' +
  '42e15f2eab6cb7cffa7b6a5ed30097960e069881db126a73656e6465725f7369675840e59fede44d62357dce88679996' +
  '261eba1bb5fcce58c2a065811f9e87ccd92ac4c4e128880a479b74692cdfb1069223a27e336a7f7093e883dfe7bf8f52' +
  '47f107'

const readState: Envelope = {
  content: {
    type: 'readState',
    sender: anonymous,
    ingressExpiry: call.ingressExpiry,
    paths: [[utf8('time')], [utf8('request_status'), new Uint8Array(32)]],
  },
}

const delegated: Envelope = {
  content: { ...call, type: 'query', nonce: undefined },
  senderPubkey: publicKeyDer,
  senderSig: new Uint8Array(64),
  senderDelegation: [
    {
      delegation: {
        pubkey: publicKeyDer,
        expiration: call.ingressExpiry,
        targets: [call.canisterId],
        permissions: 'all',
      },
      signature: new Uint8Array(64),
    },
    { delegation: { pubkey: utf8('k'), expiration: timestampNs(0n) }, signature: new Uint8Array() },
  ],
}

describe('envelopes', () => {
  it('the signed call of the specification is written to the byte', () => {
    expect(toHex(requestId(call))).toBe(
      '98b1a722ecb11ff3d4927dd185589fa11370a0402be40817647d87dafb8379ac',
    )
    expect(toHex(encodeEnvelope(signCall(call, identity)))).toBe(published)
  })

  it('the delegation of the specification has its hash and signature', () => {
    const message = delegationMessage({
      pubkey: fromHex(
        '302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
      ),
      expiration: timestampNs(1_685_574_000_000_000_000n),
      targets: [call.canisterId],
    })
    const hash = '16526d0bd0e0910b462f66d99a59aa04f870a7bae591eeb7fc46d8cb5be892ea'
    expect(toHex(message)).toBe(`1a${toHex(utf8('ic-request-auth-delegation'))}${hash}`)
    expect(toHex(identity.sign(message))).toBe(
      'ec5a9daf71ada62498c79cfc5b756f71f98f1a5c278be3ea7f022e33512259673038891f550e229a40f3897628a5d043cb00b7a68f13f0400ab74860984cf60f',
    )
  })

  it.each([
    ['call', signCall(call, identity)],
    ['read_state', readState],
    ['query with delegations', delegated],
    ['anonymous call', { content: { ...call, sender: anonymous } }],
  ])('a %s envelope reads back with the same id', (_, envelope) => {
    const read = decodeEnvelope(encodeEnvelope(envelope))
    expect(read).toEqual(envelope)
    expect(requestId(read.content)).toEqual(requestId(envelope.content))
  })

  it('an identity signs for itself only', () => {
    expect(() => signCall({ ...call, sender: anonymous }, identity)).toThrow(Bug)
  })

  it('every prefix, and a trailing byte, is refused', () => {
    const bytes = fromHex(published)
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeEnvelope(bytes.slice(0, end))).toThrow(BadEncoding)
    expect(() => decodeEnvelope(concat(bytes, Uint8Array.of(0)))).toThrow(BadEncoding)
  })
})

/** The parts of an envelope as a map that can be changed before it is written. */
type Parts = Map<string, Cbor>
const partsOf = (envelope: Envelope): Parts => {
  const parts = decodeCbor(encodeEnvelope(envelope))
  if (!(parts instanceof Map)) throw new Error('an envelope is a map')
  return new Map(parts)
}
const inner = (parts: Parts, ...path: readonly (string | number)[]): Parts => {
  let value: unknown = parts
  for (const step of path) value = value instanceof Map ? value.get(step) : Object(value)[step]
  if (!(value instanceof Map)) throw new Error('no map there')
  return value
}

type Change = readonly [what: string, change: (parts: Parts) => unknown]
const content = (key: string, value: Cbor): ((parts: Parts) => unknown) => {
  return (parts) => inner(parts, 'content').set(key, value)
}
const delegation = (key: string, value: Cbor): ((parts: Parts) => unknown) => {
  return (parts) => inner(parts, 'sender_delegation', 0, 'delegation').set(key, value)
}

const refused: readonly Change[] = [
  ['no content', (parts) => parts.delete('content')],
  ['a content that is no map', (parts) => parts.set('content', [])],
  ['an unknown request type', content('request_type', 'install')],
  ['a request type that is no text', content('request_type', 1n)],
  ['a sender of 30 bytes', content('sender', new Uint8Array(30))],
  ['a sender as text', content('sender', '2vxsx-fae')],
  ['an expiry as text', content('ingress_expiry', '1')],
  ['an unknown field in the content', content('effective', 1n)],
  ['sender info, which only canister signatures have', content('sender_info', new Map())],
  ['paths in a query', content('paths', [])],
  ['a nonce that is no blob', content('nonce', 'x')],
  ['an arg that is no blob', content('arg', [])],
  ['a method name that is no text', content('method_name', Uint8Array.of(97))],
  [
    'a method name above the limit',
    content('method_name', 'é'.repeat(METHOD_NAME_BYTES_MAX / 2 + 1)),
  ],
  ['a read_state with a canister id', content('request_type', 'read_state')],
  ['a signature that is no blob', (parts) => parts.set('sender_sig', 'x')],
  ['a key that is no blob', (parts) => parts.set('sender_pubkey', 1n)],
  ['a chain that is no array', (parts) => parts.set('sender_delegation', new Map())],
  ['a chain of other things', (parts) => parts.set('sender_delegation', [1n])],
  ['an unknown field in a delegation', delegation('senders', [])],
  ['a delegation key that is no blob', delegation('pubkey', 'x')],
  ['an expiration that is no number', delegation('expiration', 'x')],
  ['targets that are no array', delegation('targets', 1n)],
  ['a target of 30 bytes', delegation('targets', [new Uint8Array(30)])],
  ['permissions that are no text', delegation('permissions', 1n)],
  ...['request_type', 'sender', 'ingress_expiry', 'canister_id', 'method_name', 'arg'].map(
    (key): Change => [`a content without ${key}`, (parts) => inner(parts, 'content').delete(key)],
  ),
  ...['pubkey', 'expiration'].map(
    (key): Change => [
      `a delegation without ${key}`,
      (parts) => inner(parts, 'sender_delegation', 0, 'delegation').delete(key),
    ],
  ),
  ...['delegation', 'signature'].map(
    (key): Change => [
      `a chain element without ${key}`,
      (parts) => inner(parts, 'sender_delegation', 0).delete(key),
    ],
  ),
]

describe('structure of envelopes', () => {
  it.each(refused)('%s is refused', (_, change) => {
    const parts = partsOf(delegated)
    change(parts)
    expect(() => decodeEnvelope(encodeTaggedCbor(parts))).toThrow(BadEncoding)
  })

  it('unknown fields beside the content are ignored', () => {
    const parts = partsOf(delegated).set('extra', 1n)
    inner(parts, 'sender_delegation', 0).set('extra', 1n)
    expect(decodeEnvelope(encodeTaggedCbor(parts))).toEqual(delegated)
  })

  it('null fields are absent, and so is an empty chain', () => {
    const parts = partsOf(readState)
    for (const key of ['sender_pubkey', 'sender_sig', 'sender_delegation']) parts.set(key, null)
    inner(parts, 'content').set('nonce', null)
    expect(decodeEnvelope(encodeTaggedCbor(parts))).toEqual(readState)
    parts.set('sender_delegation', [])
    expect(decodeEnvelope(encodeTaggedCbor(parts))).toEqual(readState)
  })

  it('lengths left open give the same id', () => {
    const open = fromHex(published.replace('d9d9f7a3', 'd9d9f7bf').concat('ff'))
    expect(requestId(decodeEnvelope(open).content)).toEqual(requestId(call))
  })

  it('a value that is no map is refused', () => {
    for (const value of [1n, 'x', [], null])
      expect(() => decodeEnvelope(encodeTaggedCbor(value))).toThrow(BadEncoding)
  })
})

/** Bodies that the SDK's agent posts, caught by a fetch of ours. */
async function bodies(sender: Ed25519KeyIdentity | undefined): Promise<readonly Uint8Array[]> {
  const caught: Uint8Array[] = []
  const agent = HttpAgent.createSync({
    host: 'http://127.0.0.1:1',
    ...(sender === undefined ? {} : { identity: sender }),
    retryTimes: 0,
    fetch: async (_input: unknown, init?: RequestInit) => {
      if (init?.body instanceof Uint8Array) caught.push(new Uint8Array(init.body))
      return new Response('stop', { status: 400 })
    },
  })
  const canister = Peer.fromUint8Array(call.canisterId)
  const fields = { methodName: 'hello', arg: call.arg, effectiveCanisterId: canister }
  await agent.call(canister, fields).catch(() => undefined)
  await agent.query(canister, fields).catch(() => undefined)
  await agent.readState(canister, { paths: [[utf8('time')]] }).catch(() => undefined)
  return caught
}

describe('envelopes of the SDK agent', () => {
  it.each([
    ['an Ed25519 identity', Ed25519KeyIdentity.generate(seed)],
    ['no identity', undefined],
  ])('are read and admitted, made with %s', async (_, sender) => {
    const caught = await bodies(sender)
    const envelopes = caught.map(decodeEnvelope)
    expect(envelopes.map(({ content }) => content.type)).toEqual(
      expect.arrayContaining(['call', 'query', 'readState']),
    )
    for (const envelope of envelopes) {
      const now = timestampNs(envelope.content.ingressExpiry - 1n)
      const answer = admit(envelope, { now, ed25519: nobleEd25519, sizeBytes: 500 })
      expect(answer).toMatchObject({ type: 'admitted', content: envelope.content })
    }
  })
})
