/**
 * Goal: only the operator makes the signer work outside the canisters, and never with a key that
 * coins are under. Method: a signer that records what it is asked for; every field changed in turn.
 */
import { describe, expect, it } from 'vitest'
import { equalBytes, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { KEY_SCHEMES } from '../../../src/core/base/key-scheme.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { selfAuthenticating } from '../../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../../src/core/ic/public-key.ts'
import { subnetPrincipal } from '../../../src/core/subnet/certified-state.ts'
import type {
  OperatorRefresh,
  OperatorRequest,
} from '../../../src/core/subnet/operator-requests.ts'
import {
  decodeOperatorRequest,
  encodeOperatorRefresh,
  encodeOperatorRequest,
  OPERATOR_KEY,
  OperatorRequests,
  operatorContent,
  operatorRefreshContent,
  operatorRequestId,
} from '../../../src/core/subnet/operator-requests.ts'
import type { Genesis } from '../../../src/core/tecdsa/membership.ts'
import { createMembership } from '../../../src/core/tecdsa/membership.ts'
import type { SigningRequest } from '../../../src/core/tecdsa/request.ts'
import { MESSAGE_SIZE_MAX, textOfKey } from '../../../src/core/tecdsa/request.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { nodeKeys } from '../../support/node-keys.ts'

const filled = (size: number, byte: number): Uint8Array => new Uint8Array(size).fill(byte)
const keys = nodeKeys(Seed.fromBytes(filled(32, 1)))
const genesis: Genesis = {
  membership: createMembership([keys.record], 1n),
  entropy: filled(32, 2),
  incarnation: 5n,
  createdAt: timestampNs(1n),
}
const secret = filled(32, 9)
const publicKey = nativeEd25519.publicKey(secret)
const operator = selfAuthenticating(encodePublicKey({ type: 'ed25519', key: publicKey }))
const certificationKey = filled(96, 3)
const caller = subnetPrincipal(certificationKey)

const request: OperatorRequest = {
  nonce: filled(16, 4),
  scheme: 'ecdsa',
  message: filled(32, 5),
  taprootRoot: undefined,
  path: [filled(1, 1), filled(29, 6), filled(32, 7)],
  only: [],
}

function encoded(change: Partial<OperatorRequest> = {}, by = secret, of = genesis): Uint8Array {
  const signed = { ...request, ...change }
  return encodeOperatorRequest({
    request: signed,
    publicKey: nativeEd25519.publicKey(by),
    signature: nativeEd25519.sign(by, operatorContent(of, signed)),
  })
}

/** What a signer is asked for when these items are executed in order. */
function asked(items: readonly Uint8Array[], ready = true) {
  const requests = new OperatorRequests({ genesis, operator, ed25519: nativeEd25519 })
  const held: string[] = []
  const enqueued: SigningRequest[] = []
  const refreshes: string[] = []
  for (const item of items)
    requests.serve(
      item,
      {
        certificationKey: ready ? certificationKey : undefined,
        holdKey: (key) => held.push(textOfKey(key)) > 0,
        enqueue: (signing) => enqueued.push(signing) > 0,
        epoch: { version: 1n, stage: 'none', members: [0] },
        startRefresh: () => refreshes.push('same nodes') > 0,
        changeMembership: (bytes) => refreshes.push(toHex(bytes)) > 0,
      },
      7n,
    )
  return { held, enqueued, refreshes, requests }
}

const nothing = { held: [], enqueued: [], refreshes: [] }

describe('a request of the operator', () => {
  it('asks for a signature in the name of the subnet, under the test key', () => {
    const { enqueued, held, requests } = asked([encoded()])
    const id = operatorRequestId(genesis, request)
    expect(held).toEqual([])
    expect(enqueued).toEqual([
      {
        id,
        key: { scheme: 'ecdsa', name: OPERATOR_KEY },
        path: [caller, ...request.path],
        message: request.message,
        taprootRoot: undefined,
        isReported: true,
      },
    ])
    expect(OPERATOR_KEY).toBe('test_key_1')
    expect(requests.askedIn(id)).toBe(7n)
    expect(requests.askedIn(filled(32, 0))).toBeUndefined()
  })

  it('without a hash asks for the key alone', () => {
    for (const scheme of KEY_SCHEMES)
      expect(asked([encoded({ scheme, message: undefined })])).toMatchObject({
        held: [textOfKey({ scheme, name: OPERATOR_KEY })],
        enqueued: [],
      })
  })

  it('counts once, however often it is in the log', () => {
    expect(asked([encoded(), encoded(), encoded()]).enqueued).toHaveLength(1)
  })

  it('made twice counts twice', () => {
    expect(asked([encoded(), encoded({ nonce: filled(16, 8) })]).enqueued).toHaveLength(2)
  })

  it('counts for nothing before the subnet has its key', () => {
    expect(asked([encoded()], false)).toMatchObject(nothing)
  })

  it('counts for nothing when somebody else has signed it', () => {
    expect(asked([encoded({}, filled(32, 8))])).toMatchObject(nothing)
  })

  it.each([
    ['incarnation', { incarnation: 6n }],
    ['entropy', { entropy: filled(32, 1) }],
  ])('counts for nothing when it was signed for another %s', (_, change) => {
    expect(asked([encoded({}, secret, { ...genesis, ...change })])).toMatchObject(nothing)
  })

  it('counts for nothing with any byte changed', () => {
    const bytes = encoded()
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.slice()
      changed[place] = (changed[place] ?? 0) ^ 1
      expect(asked([changed]), `byte ${place}`).toMatchObject(nothing)
    }
  })

  it('is read as it was written, and neither cut off nor with more behind it', () => {
    const bytes = encoded()
    expect(decodeOperatorRequest(bytes)).toMatchObject({ request, publicKey })
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeOperatorRequest(bytes.slice(0, length))).toThrow(BadEncoding)
    expect(() => decodeOperatorRequest(Uint8Array.of(...bytes, 0))).toThrow(BadEncoding)
    expect(asked([Uint8Array.of(...bytes, 0)])).toMatchObject(nothing)
  })

  it.each([
    ['a message of any length under bip340', { scheme: 'bip340', message: filled(0, 0) }],
    [
      'a message as long as may be under ed25519',
      { scheme: 'ed25519', message: filled(MESSAGE_SIZE_MAX, 1) },
    ],
    ['an empty root', { scheme: 'bip340', taprootRoot: filled(0, 0) }],
    ['a root of 32 bytes', { scheme: 'bip340', taprootRoot: filled(32, 1) }],
  ] as const)('may have %s', (_, change) => {
    const { enqueued } = asked([encoded(change)])
    const { scheme, message, taprootRoot } = { ...request, ...change }
    expect(enqueued).toMatchObject([{ key: { scheme, name: OPERATOR_KEY }, taprootRoot }])
    // The slow comparison of the test library would take half a minute for the longest.
    expect(equalBytes(enqueued[0]?.message ?? filled(1, 0), message ?? filled(0, 0))).toBe(true)
  })

  it.each([
    ['a hash that is not 32 bytes', { message: filled(33, 5) }],
    ['no hash but an empty one', { message: filled(0, 5) }],
    [
      'a message longer than may be',
      { scheme: 'ed25519', message: filled(MESSAGE_SIZE_MAX + 1, 1) },
    ],
    ['a root of 31 bytes', { scheme: 'bip340', taprootRoot: filled(31, 1) }],
    ['a root of 33 bytes', { scheme: 'bip340', taprootRoot: filled(33, 1) }],
    ['a root under ecdsa', { taprootRoot: filled(32, 1) }],
    ['a root under ed25519', { scheme: 'ed25519', taprootRoot: filled(0, 1) }],
    ['a root and no message', { scheme: 'bip340', message: undefined, taprootRoot: filled(0, 1) }],
  ] as const)('with %s is none', (_, change) => {
    expect(() => decodeOperatorRequest(encoded(change))).toThrow(BadEncoding)
    expect(asked([encoded(change)])).toMatchObject(nothing)
  })

  it('may say whose shares are combined: enough nodes of the subnet, in order', () => {
    expect(asked([encoded({ only: [0] })]).enqueued).toMatchObject([{ only: [0] }])
    for (const only of [[1], [0, 1], [40]])
      expect(asked([encoded({ only })]), `${only}`).toMatchObject(nothing)
    for (const only of [
      [0, 0],
      [1, 0],
    ])
      expect(() => decodeOperatorRequest(encoded({ only }))).toThrow(BadEncoding)
  })

  it('with a path that is too long or too wide is none', () => {
    const long = encoded({ path: Array.from({ length: 255 }, () => filled(1, 0)) })
    expect(() => decodeOperatorRequest(long)).toThrow(BadEncoding)
    expect(() => decodeOperatorRequest(encoded({ path: [filled(65, 0)] }))).toThrow(BadEncoding)
  })
})

describe('a refresh that the operator orders', () => {
  const refresh = { version: 2n, change: undefined }
  const ordered = (
    change: Partial<OperatorRefresh> = {},
    by = secret,
    of = genesis,
  ): Uint8Array => {
    const signed = { ...refresh, ...change }
    return encodeOperatorRefresh({
      refresh: signed,
      publicKey: nativeEd25519.publicKey(by),
      signature: nativeEd25519.sign(by, operatorRefreshContent(of, signed)),
    })
  }

  it('is one of the same nodes, or changes the membership', () => {
    expect(asked([ordered()]).refreshes).toEqual(['same nodes'])
    expect(asked([ordered({ change: filled(3, 7) })]).refreshes).toEqual(['070707'])
  })

  it.each<[string, Uint8Array]>([
    ['for the version in force', ordered({ version: 1n })],
    ['for a later version', ordered({ version: 3n })],
    ['that somebody else has signed', ordered({}, filled(32, 8))],
    ['of another incarnation', ordered({}, secret, { ...genesis, incarnation: 6n })],
    ['of another subnet', ordered({}, secret, { ...genesis, entropy: filled(32, 1) })],
    ['with a byte behind it', Uint8Array.of(...ordered(), 0)],
    ['that is cut off', ordered().slice(0, -1)],
  ])('%s counts for nothing', (_, item) => {
    expect(asked([item])).toMatchObject(nothing)
  })

  it('counts for nothing with any byte changed', () => {
    const bytes = ordered({ change: filled(3, 7) })
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.slice()
      changed[place] = (changed[place] ?? 0) ^ 1
      expect(asked([changed]), `byte ${place}`).toMatchObject(nothing)
    }
  })
})
