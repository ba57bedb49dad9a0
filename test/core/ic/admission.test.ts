/**
 * Admission: good requests of every scheme and chain pass; each field changed in turn is refused in
 * its own words.
 *
 * Method: one good request as a base, a table of changes. A change is signed again where the table
 * says so, so that the rule under test refuses it and not the signature check.
 */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { describe, expect, it } from 'vitest'
import { fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { nobleEd25519 } from '../../../src/core/base/verification.ts'
import {
  admit,
  CALL_BYTES_MAX,
  DELEGATIONS_MAX,
  INGRESS_WINDOW_NS,
  LABELS_MAX,
  NONCE_BYTES_MAX,
  PATHS_MAX,
  TARGETS_MAX,
} from '../../../src/core/ic/admission.ts'
import {
  type CallContent,
  type Content,
  type Delegation,
  delegationMessage,
  type Envelope,
  type Identity,
  requestId,
  type SignedDelegation,
  signCall,
} from '../../../src/core/ic/envelope.ts'
import {
  anonymous,
  managementCanister,
  principal,
  selfAuthenticating,
  textOfPrincipal,
} from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'

const now = timestampNs(1_685_570_400_000_000_000n)
const after = (ns: bigint) => timestampNs(now + ns)

function ed25519(seed: number): Identity {
  const secret = new Uint8Array(32).fill(seed)
  const key = nobleEd25519.publicKey(secret)
  return {
    publicKeyDer: encodePublicKey({ type: 'ed25519', key }),
    sign: (message) => nobleEd25519.sign(secret, message),
  }
}
const secret = new Uint8Array(32).fill(9)
const schemes: readonly (readonly [string, Identity])[] = [
  ['Ed25519', ed25519(1)],
  [
    'secp256k1',
    {
      publicKeyDer: encodePublicKey({
        type: 'secp256k1',
        key: secp256k1.getPublicKey(secret, false),
      }),
      sign: (message) => secp256k1.sign(message, secret),
    },
  ],
  [
    'P-256',
    {
      publicKeyDer: encodePublicKey({ type: 'p256', key: p256.getPublicKey(secret, false) }),
      sign: (message) => p256.sign(message, secret),
    },
  ],
]

const user = ed25519(1)
const session = ed25519(2)
const other = ed25519(3)
const canisterId = principal(fromHex('ffffffffcb7c00000101'))

const call: CallContent = {
  type: 'call',
  sender: selfAuthenticating(user.publicKeyDer),
  ingressExpiry: after(240_000_000_000n),
  canisterId,
  methodName: 'icrc1_transfer',
  arg: utf8('DIDL\0\0'),
  nonce: new Uint8Array(NONCE_BYTES_MAX),
}
const readState: Content = {
  type: 'readState',
  sender: call.sender,
  ingressExpiry: call.ingressExpiry,
  paths: [[utf8('time')]],
}

const judge = (envelope: Envelope, sizeBytes = 1_000) =>
  admit(envelope, { now, ed25519: nobleEd25519, sizeBytes })

/** The first words of a refusal, or `admitted`. */
function verdict(envelope: Envelope, sizeBytes?: number): string {
  const answer = judge(envelope, sizeBytes)
  return answer.type === 'admitted' ? answer.type : answer.reason
}

const delegate = (
  from: Identity,
  to: Identity,
  fields: Partial<Delegation> = {},
): SignedDelegation => {
  const delegation = { pubkey: to.publicKeyDer, expiration: after(1n), ...fields }
  return { delegation, signature: from.sign(delegationMessage(delegation)) }
}

/** `content`, signed by the last key of a chain that starts at `user`. */
function chained(
  content: Content,
  last: Identity,
  delegations: readonly [SignedDelegation, ...SignedDelegation[]],
): Envelope {
  return signCall(content, { ...last, chain: { rootKeyDer: user.publicKeyDer, delegations } })
}

describe('admission', () => {
  it.each(schemes)('a good call signed with %s is admitted under its request id', (_, identity) => {
    const content = { ...call, sender: selfAuthenticating(identity.publicKeyDer) }
    expect(judge(signCall(content, identity))).toEqual({
      type: 'admitted',
      requestId: requestId(content),
      content,
      targets: undefined,
    })
  })

  it('an anonymous request needs no signature', () => {
    expect(verdict({ content: { ...call, sender: anonymous } })).toBe('admitted')
  })

  it('a call at the edges of its window is admitted, one nanosecond outside is not', () => {
    const at = (ns: bigint) => verdict(signCall({ ...call, ingressExpiry: after(ns) }, user))
    expect(at(0n)).toBe('admitted')
    expect(at(INGRESS_WINDOW_NS)).toBe('admitted')
    expect(at(-1n)).toMatch(/^Invalid request expiry: /)
    expect(at(INGRESS_WINDOW_NS + 1n)).toMatch(/^Invalid request expiry: /)
    expect(INGRESS_WINDOW_NS).toBe(330_000_000_000n)
  })

  it('the expiry of anonymous queries and reads does not count, that of anonymous calls does', () => {
    const expired = { sender: anonymous, ingressExpiry: timestampNs(0n) }
    expect(verdict({ content: { ...call, ...expired, type: 'query' } })).toBe('admitted')
    expect(verdict({ content: { ...readState, ...expired } })).toBe('admitted')
    expect(verdict({ content: { ...call, ...expired } })).toMatch(/^Invalid request expiry: /)
    expect(verdict(signCall({ ...readState, ingressExpiry: timestampNs(0n) }, user))).toMatch(
      /^Invalid request expiry: /,
    )
  })

  it('the size of an envelope bounds calls only', () => {
    const signed = signCall(call, user)
    expect(verdict(signed, CALL_BYTES_MAX)).toBe('admitted')
    expect(judge(signed, CALL_BYTES_MAX + 1)).toMatchObject({ type: 'refused', status: 413 })
    expect(verdict(signCall({ ...call, type: 'query' }, user), CALL_BYTES_MAX + 1)).toBe('admitted')
  })

  it('1000 paths of 127 labels are read, one more of either is refused', () => {
    const paths = (count: number, labels: number) =>
      verdict(
        signCall(
          {
            ...readState,
            paths: Array.from({ length: count }, () => Array(labels).fill(new Uint8Array())),
          },
          user,
        ),
      )
    expect(paths(PATHS_MAX, 1)).toBe('admitted')
    expect(paths(1, LABELS_MAX)).toBe('admitted')
    expect(paths(PATHS_MAX + 1, 1)).toMatch(/^Too many paths/)
    expect(paths(1, LABELS_MAX + 1)).toMatch(/^A path of 128 labels/)
  })

  it('a nonce of 33 bytes is refused', () => {
    const content = { ...call, nonce: new Uint8Array(NONCE_BYTES_MAX + 1) }
    expect(verdict(signCall(content, user))).toMatch(/^Invalid nonce/)
  })
})

const signed = signCall(call, user)
const flipped = (bytes: Uint8Array | undefined = new Uint8Array()) =>
  bytes.with(10, (bytes[10] ?? 0) ^ 1)
const anonymousCall = { ...call, sender: anonymous }
const userText = textOfPrincipal(call.sender)

/** What is changed after signing, the envelope, the words of the refusal. */
const corruptions: readonly (readonly [string, Envelope, string])[] = [
  ...(
    [
      ['the expiry', { ingressExpiry: after(240_000_000_001n) }],
      ['the canister', { canisterId: principal(fromHex('ffffffffcb7c00010101')) }],
      ['the method', { methodName: 'icrc2_approve' }],
      ['the argument', { arg: utf8('DIDL\0\x01') }],
      ['the nonce', { nonce: new Uint8Array(16) }],
      ['the nonce, taken away', { nonce: undefined }],
      ['the type', { type: 'query' }],
    ] satisfies readonly (readonly [
      string,
      Partial<Omit<CallContent, 'type'>> & { type?: string },
    ])[]
  ).map(([what, change]): readonly [string, Envelope, string] => [
    what,
    { ...signed, content: { ...call, ...change } as Content },
    'Invalid signature: ',
  ]),
  ['the sender', { ...signed, content: { ...call, sender: canisterId } }, 'The user id 23xb3-'],
  ['the key', { ...signed, senderPubkey: other.publicKeyDer }, `The user id ${userText}`],
  ['the signature', { ...signed, senderSig: flipped(signed.senderSig) }, 'Invalid signature: '],
  ['the signature, emptied', { ...signed, senderSig: new Uint8Array() }, 'Invalid signature: '],
  [
    'the signature, by another key',
    { ...signed, senderSig: other.sign(utf8('x')) },
    'Invalid signature: ',
  ],
  [
    'the signature, taken away',
    { content: call, senderPubkey: user.publicKeyDer },
    'Missing signature',
  ],
  ['the key, taken away', { content: call, senderSig: signed.senderSig }, 'Missing public key'],
  ['all of it, taken away', { content: call }, 'Missing signature'],
  ['the sender, made anonymous', { ...signed, content: anonymousCall }, 'An anonymous request'],
  [
    'anonymous, with a key',
    { content: anonymousCall, senderPubkey: user.publicKeyDer },
    'An anonymous request',
  ],
  [
    'anonymous, with a signature',
    { content: anonymousCall, senderSig: new Uint8Array(64) },
    'An anonymous request',
  ],
  [
    'anonymous, with a delegation',
    { content: anonymousCall, senderDelegation: [delegate(user, session)] },
    'An anonymous request',
  ],
  [
    'the scheme, to one that is not supported',
    {
      ...signed,
      senderPubkey: utf8('key'),
      content: { ...call, sender: selfAuthenticating(utf8('key')) },
    },
    'Invalid signature: unsupported public key type',
  ],
]

describe('corrupted requests', () => {
  it.each(corruptions)('%s: refused', (_, envelope, words) => {
    const answer = judge(envelope)
    expect(answer).toMatchObject({ type: 'refused', status: 400 })
    expect(verdict(envelope).slice(0, words.length)).toBe(words)
  })
})

describe('delegations', () => {
  it('a chain of twenty keys is followed to the key that signed', () => {
    const keys = Array.from({ length: DELEGATIONS_MAX }, (_, i) => ed25519(10 + i))
    const links = keys.map((key, i) => delegate(keys[i - 1] ?? user, key))
    const last = keys.at(-1) ?? user
    const [first = delegate(user, last), ...rest] = links
    expect(verdict(chained(call, last, [first, ...rest]))).toBe('admitted')
    const more = ed25519(99)
    const long = chained(call, more, [first, ...rest, delegate(last, more)])
    expect(verdict(long)).toMatch(/^Too many delegations: 21/)
  })

  it('a session key may be of another scheme than the user key', () => {
    for (const [, identity] of schemes.slice(1))
      expect(verdict(chained(call, identity, [delegate(user, identity)]))).toBe('admitted')
  })

  it('the allowed canisters are the intersection over the chain', () => {
    const [a, b, c] = ['aa', 'bb', 'cc'].map((hex) => principal(fromHex(hex)))
    if (a === undefined || b === undefined || c === undefined) throw new Error('three canisters')
    const chain = (content: Content) =>
      judge(
        chained(content, other, [
          delegate(user, session, { targets: [a, b] }),
          delegate(session, other, { targets: [b, c] }),
        ]),
      )
    expect(chain({ ...call, canisterId: b })).toMatchObject({ type: 'admitted', targets: [b] })
    expect(chain(readState)).toMatchObject({ type: 'admitted', targets: [b] })
    for (const canister of [a, c, managementCanister])
      expect(chain({ ...call, canisterId: canister })).toMatchObject({
        reason: `Canister '${textOfPrincipal(canister)}' is not one of the delegation targets.`,
      })
  })

  it('a delegation without targets after one with targets takes nothing back', () => {
    const chain = (targets: readonly Uint8Array[]) =>
      verdict(
        chained(call, other, [
          delegate(user, session, { targets: targets.map(principal) }),
          delegate(session, other),
        ]),
      )
    expect(chain([canisterId])).toBe('admitted')
    expect(chain([])).toMatch(/is not one of the delegation targets/)
  })

  it('permissions: all are as absent, queries refuse calls only, others refuse everything', () => {
    const chain = (content: Content, permissions: string) =>
      verdict(chained(content, session, [delegate(user, session, { permissions })]))
    expect(chain(call, 'all')).toBe('admitted')
    expect(chain(call, 'queries')).toMatch(/permits queries only/)
    expect(chain({ ...call, type: 'query' }, 'queries')).toBe('admitted')
    expect(chain(readState, 'queries')).toBe('admitted')
    expect(chain({ ...call, type: 'query' }, 'calls')).toMatch(/unknown permissions/)
  })

  it('a delegation is good in the nanosecond in which it expires, and not after', () => {
    const chain = (expiration: bigint) =>
      verdict(
        chained(call, session, [delegate(user, session, { expiration: timestampNs(expiration) })]),
      )
    expect(chain(now)).toBe('admitted')
    expect(chain(now - 1n)).toMatch(/^Invalid delegation expiry: /)
  })

  it('1000 targets are allowed, 1001 are not', () => {
    const chain = (count: number) =>
      verdict(
        chained(call, session, [
          delegate(user, session, { targets: Array(count).fill(canisterId) }),
        ]),
      )
    expect(chain(TARGETS_MAX)).toBe('admitted')
    expect(chain(TARGETS_MAX + 1)).toMatch(/1001 targets/)
  })

  const link = delegate(user, session, { targets: [canisterId], permissions: 'all' })
  const second = delegate(session, other)
  const changed = (fields: Partial<Delegation>): SignedDelegation => ({
    ...link,
    delegation: { ...link.delegation, ...fields },
  })
  const refusedChains: readonly (readonly [string, Envelope, string])[] = [
    [
      'expiration changed',
      chained(call, session, [changed({ expiration: after(2n) })]),
      'Invalid signature',
    ],
    [
      'targets changed',
      chained(call, session, [changed({ targets: [canisterId, canisterId] })]),
      'Invalid signature',
    ],
    [
      'targets taken away',
      chained(call, session, [changed({ targets: undefined })]),
      'Invalid signature',
    ],
    [
      'permissions taken away',
      chained(call, session, [changed({ permissions: undefined })]),
      'Invalid signature',
    ],
    [
      'key changed',
      chained(call, other, [changed({ pubkey: other.publicKeyDer })]),
      'Invalid signature',
    ],
    [
      'signature changed',
      chained(call, session, [{ ...link, signature: flipped(link.signature) }]),
      'Invalid signature',
    ],
    [
      'signed by another key',
      chained(call, session, [delegate(other, session)]),
      'Invalid signature',
    ],
    ['links in the wrong order', chained(call, other, [second, link]), 'Invalid signature'],
    ['a link left out', chained(call, other, [second]), 'Invalid signature'],
    ['request signed by the user key', chained(call, user, [link]), 'Invalid signature'],
    [
      'request signed by a key in the middle',
      chained(call, session, [link, second]),
      'Invalid signature',
    ],
    [
      'a key that is not supported in the middle',
      chained(call, session, [delegate(user, { ...session, publicKeyDer: utf8('key') })]),
      'Invalid signature: unsupported public key type',
    ],
    ['the same link twice', chained(call, session, [link, link]), 'Invalid delegation: the key'],
    [
      'a way back to the user key',
      chained(call, user, [link, delegate(session, user)]),
      'Invalid delegation: the key',
    ],
    [
      'an expired link behind a forged one: expiry is judged before signatures',
      chained(call, other, [
        { ...link, signature: new Uint8Array(64) },
        delegate(session, other, { expiration: timestampNs(1n) }),
      ]),
      'Invalid delegation expiry: ',
    ],
  ]

  it('the chain that the table below corrupts is good', () => {
    expect(verdict(chained(call, session, [link]))).toBe('admitted')
    expect(verdict(chained(call, other, [link, second]))).toBe('admitted')
  })

  it.each(refusedChains)('%s: refused', (_, envelope, words) => {
    expect(verdict(envelope).slice(0, words.length)).toBe(words)
  })
})
