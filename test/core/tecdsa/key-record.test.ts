/**
 * Goal: keys that a node kept come back only as they were made: by these nodes, in the time line
 * that they name, signed and proven.
 * Method: threshold specification §§9.2, 18.4, 21. Keys of a subnet of four, changed in one place.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding, present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { KEY_SCHEMES } from '../../../src/core/base/key-scheme.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import type { SignedDealing } from '../../../src/core/tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  lanePrefix,
} from '../../../src/core/tecdsa/evidence.ts'
import type { KeptKeys, KeyCheck } from '../../../src/core/tecdsa/key-record.ts'
import { decodeFinalKeys, encodeFinalKeys } from '../../../src/core/tecdsa/key-record.ts'
import type { Genesis } from '../../../src/core/tecdsa/membership.ts'
import type { Transcript } from '../../../src/core/tecdsa/parameters.ts'
import type { Run } from '../../../src/core/tecdsa/run.ts'
import { Signer } from '../../../src/core/tecdsa/signer.ts'
import { suites } from '../../../src/core/tecdsa/signer-config.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { MAIN_KEY, SignerNet } from '../../support/signer-net.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const net = new SignerNet({ nodes: 4, stockTarget: 0 })
for (const node of [0, 1, 2, 3]) {
  net.signer(node).holdKey({ scheme: 'ecdsa', name: 'test_key_1' })
  net.signer(node).holdKey({ scheme: 'bip340', name: 'key_1' })
  net.signer(node).holdKey({ scheme: 'ed25519', name: 'test_key_1' })
}
net.settle()

const configOf = (genesis: Genesis, restored?: Uint8Array) => ({
  genesis,
  keys: net.keysOf(0),
  me: 0,
  ed25519: nativeEd25519,
  records: new Map<string, Uint8Array>(),
  mainKey: MAIN_KEY,
  stockTarget: 0,
  creationMax: 1,
  restored,
})
const checkIn = (genesis: Genesis): KeyCheck => ({
  suites,
  genesis,
  ed25519: nativeEd25519,
})
const { genesis } = net
const decode = (bytes: Uint8Array): KeptKeys => decodeFinalKeys(checkIn(genesis), bytes)
const encode = (keys: KeptKeys): Uint8Array => encodeFinalKeys(suites, keys)
const bytes = present(net.signer(0).finalKeys, 'all keys are final')
const kept = decode(bytes)
const main = present(kept.ecdsa.get(MAIN_KEY), 'the main key')
const other = present(kept.ecdsa.get('test_key_1'), 'the other key')

describe('the record of keys', () => {
  test('of a version without the tape key is refused', () => {
    expect(() => decode(Uint8Array.of(1, ...bytes.slice(1)))).toThrow('version 1')
  })

  test('is the same at all nodes, and read as it was written, whole or not at all', () => {
    for (const node of [1, 2, 3]) expect(net.signer(node).finalKeys).toEqual(bytes)
    const format = { bytes, decode, encode }
    expectStrict(format)
    expectTotal({ ...format, runs: 60 })
  })

  test('is pinned', () => {
    expect(toHex(sha256(bytes))).toBe(
      'c03c5e7a486c827d9e988e26cdafb6abc9484b443a9424f1686c80e78e2cb200',
    )
  })

  test('holds the keys', () => {
    expect([...kept.ecdsa.keys()]).toEqual([MAIN_KEY, 'test_key_1'])
    expect([...kept.bip340.keys()]).toEqual(['key_1'])
    expect([...kept.ed25519.keys()]).toEqual(['test_key_1'])
    const signer = new Signer(configOf({ ...genesis, incarnation: 9n }, bytes))
    for (const scheme of KEY_SCHEMES)
      for (const name of kept[scheme].keys()) {
        const key = { scheme, name }
        expect(signer.publicKeyOf(key)).toEqual(net.signer(0).publicKeyOf(key))
      }
    expect(signer.certificationKey).toEqual(net.signer(0).certificationKey)
    expect(signer.tapeKeySlot).toBe(0n)
    expect([signer.finalKeyCount, signer.finalKeys]).toEqual([6, bytes])
  })

  test('without the main key is none', () => {
    const without = encode({ ...kept, ecdsa: new Map([['test_key_1', other]]) })
    expect(decode(without).ecdsa.size).toBe(1)
    expect(() => new Signer(configOf(genesis, without))).toThrow(BadEncoding)
  })
})

describe('a kept key', () => {
  const input = (({ parameters: { operation } }: Run): Transcript => {
    if (operation.type !== 'reshareOfMasked') throw new Error('a key is a resharing')
    return operation.input
  })(main)
  const changed = (change: Partial<Run['parameters']>, run = main): Run => ({
    ...run,
    parameters: { ...run.parameters, ...change },
  })
  const onInput = (change: Partial<Transcript>): Run =>
    changed({ operation: { type: 'reshareOfMasked', input: { ...input, ...change } } })
  const dealings = [...main.taken.values()].map(({ signed }) => signed)
  const [first, second] = [present(dealings[0], 'one'), present(dealings[1], 'two')]
  const dealt = (...all: readonly SignedDealing[]): Run => ({
    ...main,
    taken: new Map(
      all.map((signed, i) => [
        i,
        { ...present(main.taken.values().next().value, 'a dealing'), signed },
      ]),
    ),
  })
  /** Signed by its dealer as it is said to have been. */
  function signedAgain(change: Partial<SignedDealing>, line = genesis): SignedDealing {
    const statement = { ...first, ...change }
    const prefix = lanePrefix(line, 'ThresholdEcdsaSecp256k1')
    const content = dealingContent(prefix, statement)
    const signature = net.keysOf(statement.dealer).sign('dealing', content)
    return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
  }
  const flip = (value: Uint8Array): Uint8Array =>
    value.map((byte, i) => (i === 9 ? byte ^ 1 : byte))
  const points = input.commitment.points.map((point) => secp256k1.add(point, secp256k1.g.point))

  test.each<[string, Run]>([
    ['of another time line', { ...main, incarnation: 8n }],
    ['under another id', changed({ id: 77n })],
    ['of another slot', changed({ sourceHeight: main.parameters.sourceHeight + 1n })],
    ['of another sharing', onInput({ commitment: { type: 'pedersen', points } })],
    [
      'of a sharing in the open',
      onInput({ kind: { type: 'unmasked', origin: { type: 'random' } } }),
    ],
    [
      'of a product',
      onInput({ kind: { type: 'masked', origin: { type: 'product', left: 1n, right: 2n } } }),
    ],
    ['of a sharing among fewer', onInput({ receivers: input.receivers.slice(1) })],
    ['of a sharing in another order', onInput({ receivers: input.receivers.toReversed() })],
    ['with the dealings of another', { ...main, taken: other.taken }],
    ['with a dealing less', dealt(first)],
    ['with a dealing more', dealt(first, second, signedAgain({ dealer: 3 - second.dealer }))],
    ['with a dealing twice', dealt(first, first)],
    ['with a dealing nobody signed', dealt({ ...first, signature: flip(first.signature) }, second)],
    ['with a dealing of a node that is none', dealt({ ...first, dealer: 9 }, second)],
    ['with a dealing for another transcript', dealt(signedAgain({ transcriptId: 3n }), second)],
    [
      'with a dealing of the next life',
      dealt(signedAgain({}, { ...genesis, incarnation: 8n }), second),
    ],
    ['with a dealing that is none', dealt(signedAgain({ dealing: Uint8Array.of(1) }), second)],
    ['with a false dealing', dealt(signedAgain({ dealing: second.dealing }), second)],
  ])('%s is refused', (_, run) => {
    const wrong = encode({ ...kept, ecdsa: new Map([[MAIN_KEY, run]]) })
    expect(attempt(() => decode(wrong))).toBeInstanceOf(BadEncoding)
  })

  test('in the order of its dealings, whichever it is, is the same key', () => {
    const turned = dealt(second, first)
    const again = decode(encode({ ...kept, ecdsa: new Map([[MAIN_KEY, turned]]) }))
    const [one, two] = [again.ecdsa.get(MAIN_KEY)?.transcript, main.transcript].map((transcript) =>
      secp256k1.encode(present(transcript, 'final').commitment.points).map(toHex),
    )
    expect(one).toEqual(two)
  })

  test.each<[string, Genesis]>([
    ['another subnet of the same nodes', { ...genesis, entropy: flip(genesis.entropy) }],
    [
      'another version of the membership',
      { ...genesis, membership: { ...genesis.membership, version: 2n } },
    ],
    [
      'fewer nodes',
      {
        ...genesis,
        membership: { ...genesis.membership, members: genesis.membership.members.slice(1) },
      },
    ],
  ])('is refused by %s', (_, elsewhere) => {
    expect(() => decodeFinalKeys(checkIn(elsewhere), bytes)).toThrow(BadEncoding)
  })

  test('may not be there under two names', () => {
    const twice = new Map([...kept.ecdsa, ['dfx_test_key', main] as const])
    expect(() => decode(encode({ ...kept, ecdsa: twice }))).toThrow('one transcript')
  })

  test('may not be both tape and certification key', () => {
    const { tape } = kept.bls
    const one = encode({ ...kept, bls: { tape, certification: tape } })
    expect(() => decode(one)).toThrow('one transcript')
  })
})
