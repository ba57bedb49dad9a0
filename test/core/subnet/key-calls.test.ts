/**
 * Goal: canisters get keys and signatures of every algorithm from the management canister, are
 * refused in the order and the words of the table, and get their cycles back; users get nothing.
 * Method: threshold specification §19: the published Candid interface; a port that says what a
 * signer would; then a canister in a replica over a whole signer.
 */

import { IDL } from '@icp-sdk/core/candid'
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { beforeEach, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { masterKey } from '../../../src/core/base/derivation.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { KeyScheme } from '../../../src/core/base/key-scheme.ts'
import { deriveKey, taprootOutputKey } from '../../../src/core/base/key-scheme.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { subnetPrincipal } from '../../../src/core/subnet/certified-state.ts'
import type { KeyPort, KeySettings } from '../../../src/core/subnet/key-calls.ts'
import { effectRequestId, KeyCalls } from '../../../src/core/subnet/key-calls.ts'
import type { KeyMethod } from '../../../src/core/subnet/key-interface.ts'
import { keyInterface } from '../../../src/core/subnet/key-interface.ts'
import { refusedMethod } from '../../../src/core/subnet/management.ts'
import { Replica } from '../../../src/core/subnet/replica.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import type { KeyId, SigningRequest } from '../../../src/core/tecdsa/request.ts'
import { KEY_NAMES, MESSAGE_SIZE_MAX, textOfKey } from '../../../src/core/tecdsa/request.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { argOf, CallingCanister, keyIn, signatureIn } from '../../support/calling-canister.ts'
import { NOW } from '../../support/chain-builder.ts'
import { describeInterface } from '../../support/interface-tests.ts'
import { SignerNet } from '../../support/signer-net.ts'

await describeInterface(
  'the interface of threshold keys',
  keyInterface,
  'ic-management/ic-management.idl.js',
)

const METHODS = Object.keys(keyInterface) as KeyMethod[]
const canisterId = canisterOfNumber(77n)
const ecdsaKey = { curve: 'secp256k1', name: 'key_1' } as const
const bip340Key = { algorithm: 'bip340secp256k1', name: 'key_1' } as const
const ed25519Key = { algorithm: 'ed25519', name: 'key_1' } as const
const hash = sha256(utf8('message'))
const path = [utf8('a'), new Uint8Array()]

const signEcdsa = (change: object = {}): Uint8Array =>
  argOf('sign_with_ecdsa', {
    messageHash: hash,
    derivationPath: path,
    keyId: ecdsaKey,
    ...change,
  })
const signSchnorr = (change: object = {}): Uint8Array =>
  argOf('sign_with_schnorr', {
    message: utf8('message'),
    derivationPath: path,
    keyId: bip340Key,
    ...change,
  })
const keyArg = {
  ecdsa: argOf('ecdsa_public_key', { derivationPath: path, keyId: ecdsaKey }),
  bip340: argOf('schnorr_public_key', { derivationPath: path, keyId: bip340Key }),
  ed25519: argOf('schnorr_public_key', { derivationPath: path, keyId: ed25519Key }),
}
const rootOf = (size: number) => ({
  aux: { type: 'bip341', merkleRootHash: new Uint8Array(size).fill(4) },
})

const certificationKey = new Uint8Array(96).fill(3)
const point = secp256k1.Point.BASE.toBytes(true)
const edPoint = ed25519.Point.BASE.toBytes()

/** A signer as the port shows it, which records what it is asked for. */
class Port implements KeyPort {
  readonly certificationKey = certificationKey
  readonly enqueued: SigningRequest[] = []
  readonly held: string[] = []
  readonly made = new Set<string>()
  isFull = false

  offersKey({ name }: KeyId): boolean {
    return KEY_NAMES.includes(name)
  }
  holdKey(key: KeyId): boolean {
    return this.held.push(textOfKey(key)) > 0
  }
  publicKeyOf(key: KeyId): Uint8Array | undefined {
    if (!this.made.has(textOfKey(key))) return undefined
    return key.scheme === 'ed25519' ? edPoint : point
  }
  enqueue(request: SigningRequest): boolean {
    return !this.isFull && this.enqueued.push(request) > 0
  }
}

let port = new Port()
let calls = new KeyCalls()
beforeEach(() => {
  port = new Port()
  calls = new KeyCalls()
})

type Made = { readonly effect?: string; readonly cycles?: bigint; readonly of?: KeyCalls }

function call(methodName: string, arg: Uint8Array, { effect = 'e', cycles = 0n, of }: Made = {}) {
  const made = { caller: canisterId, methodName, arg, cycles, effect: utf8(effect) }
  return (of ?? calls).take(made, 5n, port)
}

const refusal = (message: string | RegExp, cycles = 0n) => ({
  caller: canisterId,
  effect: utf8('e'),
  refund: cycles,
  answer: { type: 'rejected', code: 4, message: expect.stringMatching(message) },
})

describe('a call for a signature', () => {
  test.each([
    ['ecdsa', 'sign_with_ecdsa', signEcdsa(), hash, undefined],
    ['bip340', 'sign_with_schnorr', signSchnorr(), utf8('message'), undefined],
    ['bip340', 'sign_with_schnorr', signSchnorr(rootOf(0)), utf8('message'), 0],
    ['bip340', 'sign_with_schnorr', signSchnorr(rootOf(32)), utf8('message'), 32],
    [
      'ed25519',
      'sign_with_schnorr',
      signSchnorr({ keyId: ed25519Key }),
      utf8('message'),
      undefined,
    ],
    [
      'ed25519',
      'sign_with_schnorr',
      signSchnorr({ keyId: ed25519Key, message: new Uint8Array() }),
      new Uint8Array(),
      undefined,
    ],
  ] as const)(
    'under %s by %s reaches the signer below the caller',
    (scheme, method, arg, message, root) => {
      expect(call(method, arg)).toBeUndefined()
      const taprootRoot = root === undefined ? undefined : new Uint8Array(root).fill(4)
      const id = effectRequestId(canisterId, 5n, utf8('e'))
      const key = { scheme, name: 'key_1' }
      expect(port.enqueued).toEqual([
        { id, key, path: [canisterId, ...path], message, taprootRoot },
      ])
    },
  )

  test('is made once, however often it is found outstanding', () => {
    for (let times = 0; times < 3; times++)
      expect(call('sign_with_ecdsa', signEcdsa())).toBeUndefined()
    expect(port.enqueued).toHaveLength(1)
    expect(call('sign_with_ecdsa', signEcdsa(), { effect: 'f' })).toBeUndefined()
    expect(new Set(port.enqueued.map(({ id }) => toHex(id))).size).toBe(2)
  })

  test('is answered with its signature, once', () => {
    call('sign_with_ecdsa', signEcdsa())
    const { id } = present(port.enqueued[0], 'asked')
    const signature = new Uint8Array(64).fill(7)
    const reply = present(calls.signed(id, signature), 'answered')
    if (reply.answer.type !== 'replied') throw new Error('a reply')
    expect(signatureIn(reply.answer.arg)).toEqual(signature)
    expect([calls.signed(id, signature), calls.expired(id)]).toEqual([undefined, undefined])
    expect(calls.signed(sha256(utf8('another')), signature)).toBeUndefined()
  })

  test('that expires is rejected with 5 and the words that clients match', () => {
    call('sign_with_schnorr', signSchnorr())
    const { id } = present(port.enqueued[0], 'asked')
    expect(calls.expired(id)?.answer).toEqual({
      type: 'rejected',
      code: 5,
      message: 'Signature request expired',
    })
    expect(calls.open).toBe(0)
  })
})

describe('§19 refuses', () => {
  const text = 'ecdsa:Secp256k1:key_1'
  const long = Array.from({ length: 256 }, () => new Uint8Array())
  const refusals: [string, KeyMethod, Uint8Array, RegExp][] = [
    [
      'an empty payload',
      'sign_with_ecdsa',
      new Uint8Array(),
      /^An empty message cannot be signed$/,
    ],
    [
      'what is no Candid',
      'sign_with_ecdsa',
      utf8('DIDL'),
      /^Error decoding candid .* sign_with_ecdsa: /,
    ],
    ['the argument of another method', 'sign_with_ecdsa', signSchnorr(), /^Error decoding candid/],
    [
      'a hash of 31 bytes',
      'sign_with_ecdsa',
      signEcdsa({ messageHash: hash.slice(1) }),
      /31 bytes, 32 due/,
    ],
    [
      'a hash of 33 bytes',
      'sign_with_ecdsa',
      signEcdsa({ messageHash: new Uint8Array(33) }),
      /33 bytes, 32 due/,
    ],
    [
      'a path of 256 elements',
      'sign_with_ecdsa',
      signEcdsa({ derivationPath: long }),
      /256 elements, at most 255/,
    ],
    [
      'a path of more than 64 KiB',
      'sign_with_schnorr',
      signSchnorr({ derivationPath: [new Uint8Array(65537)] }),
      /65537 bytes, at most 65536/,
    ],
    [
      'a message of more than 2 MiB',
      'sign_with_schnorr',
      signSchnorr({ message: new Uint8Array(MESSAGE_SIZE_MAX + 1) }),
      /2097153 bytes, at most 2097152/,
    ],
    [
      'a root of 31 bytes',
      'sign_with_schnorr',
      signSchnorr(rootOf(31)),
      /root of 31 bytes, 0 or 32 due/,
    ],
    [
      'a root of 33 bytes',
      'sign_with_schnorr',
      signSchnorr(rootOf(33)),
      /root of 33 bytes, 0 or 32 due/,
    ],
    [
      'a root for Ed25519',
      'sign_with_schnorr',
      signSchnorr({ ...rootOf(32), keyId: ed25519Key }),
      /only bip340secp256k1 takes one/,
    ],
    [
      'an empty root for Ed25519',
      'sign_with_schnorr',
      signSchnorr({ ...rootOf(0), keyId: ed25519Key }),
      /only bip340secp256k1 takes one/,
    ],
    [
      'a path of 256 elements for a key',
      'ecdsa_public_key',
      argOf('ecdsa_public_key', { derivationPath: long, keyId: ecdsaKey }),
      /256 elements/,
    ],
  ]
  test.each(refusals)('%s', (_, method, arg, message) => {
    expect(call(method, arg, { cycles: 9n })).toEqual(refusal(message, 9n))
    expect([port.enqueued, port.held, calls.open]).toEqual([[], [], 0])
  })

  test('a variant that it does not know', () => {
    const type = IDL.Record({
      key_id: IDL.Record({ algorithm: IDL.Variant({ ed448: IDL.Null }), name: IDL.Text }),
      derivation_path: IDL.Vec(IDL.Vec(IDL.Nat8)),
      message: IDL.Vec(IDL.Nat8),
    })
    const value = {
      key_id: { algorithm: { ed448: null }, name: 'key_1' },
      derivation_path: [],
      message: [1],
    }
    const arg = IDL.encode([type], [value])
    expect(call('sign_with_schnorr', arg)).toEqual(refusal(/^Error decoding candid/))
  })

  test.each([
    [
      'sign_with_ecdsa',
      signEcdsa({ keyId: { ...ecdsaKey, name: 'key_2' } }),
      'ecdsa:Secp256k1:key_2',
    ],
    [
      'sign_with_schnorr',
      signSchnorr({ keyId: { ...bip340Key, name: '' } }),
      'schnorr:Bip340Secp256k1:',
    ],
    [
      'schnorr_public_key',
      argOf('schnorr_public_key', { derivationPath: [], keyId: { ...ed25519Key, name: 'KEY_1' } }),
      'schnorr:Ed25519:KEY_1',
    ],
  ] as const)('%s of a key that is not held, naming subnet and key', (method, arg, name) => {
    const subnet = textOfPrincipal(subnetPrincipal(certificationKey))
    expect(call(method, arg, { cycles: 3n })).toEqual(
      refusal(`${method}: subnet ${subnet} does not hold key ${name}$`, 3n),
    )
  })

  test('a method that the management canister has not', () => {
    expect(call('vetkd_public_key', signEcdsa())).toEqual(refusal(/no method 'vetkd_public_key'/))
  })

  const settings: KeySettings = {
    fees: new Map([['key_1', 26_153_846_153n]]),
    disabled: new Set([text]),
  }

  test('too few cycles, naming method, given and needed', () => {
    const of = new KeyCalls({ ...settings, disabled: new Set() })
    const cycles = 26_153_846_152n
    expect(call('sign_with_ecdsa', signEcdsa(), { cycles, of })).toEqual(
      refusal(
        /^sign_with_ecdsa request sent with 26153846152 cycles, but 26153846153 cycles are required\.$/,
        cycles,
      ),
    )
    expect(call('sign_with_ecdsa', signEcdsa(), { cycles: cycles + 11n, of })).toBeUndefined()
    const { id } = present(port.enqueued[0], 'asked')
    expect(of.signed(id, new Uint8Array(64))?.refund).toBe(10n)
  })

  test('a key that is disabled for signing, and still gives its public key', () => {
    const of = new KeyCalls({ fees: new Map(), disabled: settings.disabled })
    expect(call('sign_with_ecdsa', signEcdsa(), { of })).toEqual(
      refusal(
        /^sign_with_ecdsa request failed: unknown or disabled threshold key ecdsa:Secp256k1:key_1\.$/,
      ),
    )
    expect(call('sign_with_schnorr', signSchnorr(), { of, effect: 'f' })).toBeUndefined()
    port.made.add(text)
    const arg = argOf('ecdsa_public_key', { derivationPath: [], keyId: ecdsaKey })
    expect(call('ecdsa_public_key', arg, { of, effect: 'g' })?.answer.type).toBe('replied')
  })

  test('a request when the queue of the key is full', () => {
    port.isFull = true
    expect(call('sign_with_schnorr', signSchnorr(), { cycles: 1n })).toEqual(
      refusal(
        /^sign_with_schnorr request failed: request queue for key schnorr:Bip340Secp256k1:key_1 is full\.$/,
        1n,
      ),
    )
    expect(calls.open).toBe(0)
  })

  test('in this order: decode, key held, fee, enabled, queue', () => {
    const of = new KeyCalls(settings)
    port.isFull = true
    const unknown = { ...ecdsaKey, name: 'key_2' }
    const told = [
      call('sign_with_ecdsa', signEcdsa({ keyId: unknown, messageHash: new Uint8Array() }), { of }),
      call('sign_with_ecdsa', signEcdsa({ keyId: unknown }), { of }),
      call('sign_with_ecdsa', signEcdsa(), { of }),
      call('sign_with_ecdsa', signEcdsa(), { of, cycles: 26_153_846_153n }),
      call('sign_with_schnorr', signSchnorr(), { of, cycles: 26_153_846_153n }),
    ].map((reply) => (reply?.answer.type === 'rejected' ? reply.answer.message : 'taken'))
    const words = ['Error decoding', 'does not hold', 'cycles are required', 'disabled', 'is full']
    for (const [i, word] of words.entries()) expect(told[i]).toContain(word)
  })

  test.each(METHODS)('%s to users, in the words of the interface', (method) => {
    expect(refusedMethod(method)).toEqual({
      type: 'rejected',
      code: 4,
      errorCode: 'IC0406',
      message: `Only canisters can call ic00 method ${method}`,
    })
  })
})

describe('a call for a public key', () => {
  test.each([
    ['ecdsa', keyArg.ecdsa, 'ecdsa_public_key', 33],
    ['bip340', keyArg.bip340, 'schnorr_public_key', 33],
    ['ed25519', keyArg.ed25519, 'schnorr_public_key', 32],
  ] as const)(
    'of %s waits until it is made, and is one below the caller',
    (scheme, arg, method, size) => {
      expect(call(method, arg, { cycles: 4n })).toBeUndefined()
      const name = textOfKey({ scheme, name: 'key_1' })
      expect([port.held, calls.settle(port), calls.open]).toEqual([[name], [], 1])
      port.made.add(name)
      const [reply] = calls.settle(port)
      if (reply?.answer.type !== 'replied') throw new Error('a reply')
      const due = deriveKey(scheme, masterKey(scheme === 'ed25519' ? edPoint : point), [
        canisterId,
        ...path,
      ])
      expect(keyIn(reply.answer.arg)).toEqual({
        publicKey: due.publicKey,
        chainCode: due.chainCode,
      })
      expect([due.publicKey.length, due.chainCode.length, reply.refund]).toEqual([size, 32, 4n])
      expect(calls.settle(port)).toEqual([])
      expect(call(method, arg)?.answer).toEqual(reply.answer)
    },
  )

  test('of another canister is that canister’s', () => {
    port.made.add('ecdsa:Secp256k1:key_1')
    const other = ownCanisterIds.ledger
    const arg = argOf('ecdsa_public_key', {
      derivationPath: path,
      keyId: ecdsaKey,
      canisterId: other,
    })
    const reply = call('ecdsa_public_key', arg)
    if (reply?.answer.type !== 'replied') throw new Error('a reply')
    const due = deriveKey('ecdsa', masterKey(point), [other, ...path])
    expect(keyIn(reply.answer.arg).publicKey).toEqual(due.publicKey)
  })
})

describe('a canister in the replica', () => {
  const net = new SignerNet({ nodes: 1, stockTarget: 0 })
  net.settle()
  const canister = new CallingCanister(canisterId)
  const replica = new Replica({
    nodes: [],
    operator: devUser(4).principal,
    incarnation: 7n,
    ed25519: nativeEd25519,
    minter: embeddedMinter,
    guests: [canister],
    createdAt: NOW,
  })
  let answered = 0

  /** One slot of the replica, and as many of the signer as it takes to answer. */
  function slot(): void {
    const signer = net.signer(0)
    replica.passKeyCalls(
      {
        certificationKey: signer.certificationKey,
        offersKey: (key) => signer.offersKey(key),
        holdKey: (key) => signer.holdKey(key),
        publicKeyOf: (key) => signer.publicKeyOf(key),
        enqueue: (request) => {
          net.ask(request)
          return true
        },
      },
      NOW,
    )
    net.settle()
    for (const completion of net.completed.slice(answered)) replica.signatureReady(completion, NOW)
    answered = net.completed.length
  }

  function answerTo(effect: string): Uint8Array {
    const found = present(canister.answerTo(effect), 'answered').answer
    if (found.type !== 'replied') throw new Error(found.message)
    return found.arg
  }

  const methodOf = {
    ecdsa: 'ecdsa_public_key',
    bip340: 'schnorr_public_key',
    ed25519: 'schnorr_public_key',
  } as const

  function publicKey(scheme: KeyScheme): Uint8Array {
    const effect = `key ${scheme} ${answered}`
    canister.call(effect, methodOf[scheme], keyArg[scheme])
    slot()
    slot()
    return keyIn(answerTo(effect)).publicKey
  }

  test('signs with every algorithm, and an independent library accepts it under its own key', () => {
    const message = utf8('message')
    canister.call('ecdsa', 'sign_with_ecdsa', signEcdsa())
    canister.call('plain', 'sign_with_schnorr', signSchnorr())
    canister.call('rooted', 'sign_with_schnorr', signSchnorr(rootOf(32)))
    canister.call('ed', 'sign_with_schnorr', signSchnorr({ keyId: ed25519Key }))
    slot()
    const signature = (effect: string): Uint8Array => signatureIn(answerTo(effect))
    const [ecdsa, bip340, ed] = [publicKey('ecdsa'), publicKey('bip340'), publicKey('ed25519')]
    expect(secp256k1.verify(signature('ecdsa'), hash, ecdsa, { prehash: false })).toBe(true)
    expect(schnorr.verify(signature('plain'), message, bip340.slice(1))).toBe(true)
    const output = taprootOutputKey(bip340, new Uint8Array(32).fill(4))
    expect(schnorr.verify(signature('rooted'), message, output)).toBe(true)
    expect(ed25519.verify(signature('ed'), message, ed)).toBe(true)
  })

  test('is refused as the table says, and asks no more', () => {
    canister.call('wrong', 'sign_with_ecdsa', signEcdsa({ messageHash: new Uint8Array(3) }), 8n)
    slot()
    expect(canister.answerTo('wrong')).toMatchObject({
      refund: 8n,
      answer: { type: 'rejected', code: 4 },
    })
    expect(canister.keyCaller.outstanding()).toEqual([])
  })

  test('is told that its request expired', () => {
    canister.call('late', 'sign_with_schnorr', signSchnorr())
    const asked: SigningRequest[] = []
    replica.passKeyCalls(
      Object.assign(new Port(), { enqueue: (r: SigningRequest) => asked.push(r) > 0 }),
      NOW,
    )
    replica.signatureFailed(present(asked[0], 'asked').id, NOW)
    expect(canister.answerTo('late')?.answer).toEqual({
      type: 'rejected',
      code: 5,
      message: 'Signature request expired',
    })
  })

  test('has ids of requests that no other time line has', () => {
    const ids = [5n, 6n].map((incarnation) =>
      toHex(effectRequestId(canisterId, incarnation, utf8('e'))),
    )
    expect(new Set(ids).size).toBe(2)
  })
})
