/**
 * Goal: only what the protocol allows counts when a slot is executed, and a refused item spoils
 * nothing for the right one.
 * Method: threshold specification §§8.3, 9.1, 17.1, 18.5, 21. One signer alone, so f = 0; its
 * items are kept back and put into slots by the test.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { bigEndian, concat, fromBigEndian, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Completion } from '../../../src/core/tecdsa/completion.ts'
import { decodeCompletion, encodeCompletion } from '../../../src/core/tecdsa/completion.ts'
import {
  dealingContent,
  decodeSignedDealing,
  decodeSupportedDealing,
  encodeSignedDealing,
  encodeSupportedDealing,
  lanePrefix,
  supportContent,
} from '../../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import type { EvidenceKind } from '../../../src/core/tecdsa/node-keys.ts'
import { Signer } from '../../../src/core/tecdsa/signer.ts'
import type { SignerItem, SignerOutput } from '../../../src/core/tecdsa/signer-context.ts'
import { tapeValue } from '../../../src/core/tecdsa/tape.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { foundSubnet } from '../../support/founded.ts'
import { order } from '../../support/threshold.ts'

const { genesis, keys } = foundSubnet(1)
const own = present(keys[0], 'one node')
const prefix = lanePrefix(genesis, 'ThresholdEcdsaSecp256k1')
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

/** One signer; what it wants in the log waits in `items`, what must be on disk in `records`. */
class Alone {
  readonly signer = new Signer({
    genesis,
    mainKey: 'key_1',
    keys: own,
    me: 0,
    ed25519: nativeEd25519,
    records: new Map(),
    stockTarget: 1,
    creationMax: 1,
  })
  readonly records = new Map<string, Uint8Array>()
  readonly faults: string[] = []
  items: SignerItem[] = []
  slot = 0n

  take(outputs: readonly SignerOutput[]): void {
    for (const output of outputs) {
      if (output.type === 'submit') this.items.push(output.item)
      if (output.type === 'record') this.records.set(output.key, output.value)
      if (output.type === 'fault') this.faults.push(output.reason)
      if (output.type !== 'send' || !this.hears(output.message)) continue
      const bytes = encodeSignerMessage(output.message)
      this.take(this.signer.step({ type: 'message', from: 0, bytes }))
    }
  }

  /** Which of its own messages reach it. */
  hears = (_: SignerMessage): boolean => true

  /** Works until nothing is left to do; what it wants in the log. */
  work(): readonly SignerItem[] {
    for (let outputs = this.signer.work(); outputs !== undefined; outputs = this.signer.work())
      this.take(outputs)
    const { items } = this
    this.items = []
    return items
  }

  endSlot(): void {
    this.take(this.signer.endSlot(this.slot, timestampNs(this.slot++)))
  }
}

/** The item that is due next. */
const itemOf = (alone: Alone): Uint8Array =>
  present(
    alone.work().find((item) => item.type !== 'dealing' || item.lane === 'ecdsa'),
    'an item',
  ).bytes

describe('a dealing in the log', () => {
  const alone = new Alone()
  const good = itemOf(alone)
  const { signed, supports } = decodeSupportedDealing(good)
  const support = present(supports[0], 'its support')

  const sign = (kind: EvidenceKind, content: Uint8Array): Uint8Array => own.sign(kind, content)
  /** The dealing changed, signed and supported again as its dealer would. */
  function dealtAgain(change: Partial<typeof signed>): Uint8Array {
    const statement = { ...signed, ...change }
    const signature = sign('dealing', dealingContent(prefix, statement))
    const dealt = decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
    const hashes = [dealt.hash]
    const vouched = {
      signer: 0,
      hashes,
      signature: sign('support', supportContent(prefix, hashes)),
    }
    return encodeSupportedDealing({ signed: dealt, supports: [vouched] })
  }

  test.each<[string, Uint8Array]>([
    ['no encoding', Uint8Array.of(1, 2, 3)],
    ['a byte too many', concat(good, Uint8Array.of(0))],
    ['no support', encodeSupportedDealing({ signed, supports: [] })],
    [
      'a support nobody signed',
      encodeSupportedDealing({
        signed,
        supports: [{ ...support, signature: flip(support.signature, 5) }],
      }),
    ],
    [
      'a support of another node',
      encodeSupportedDealing({ signed, supports: [{ ...support, signer: 1 }] }),
    ],
    ['a transcript that is not open', dealtAgain({ transcriptId: 1n })],
    ['a dealer that is no member', dealtAgain({ dealer: 1 })],
    ['a dealing that is none', dealtAgain({ dealing: utf8('nothing') })],
  ])('with %s does not count', (_, bytes) => {
    expect(alone.signer.takeDealing('ecdsa', bytes)).toBe(false)
  })

  test('does not count for the other algorithm', () => {
    expect(alone.signer.takeDealing('bls', good)).toBe(false)
  })

  test('counts once, however many were refused before it', () => {
    expect(alone.signer.takeDealing('ecdsa', good)).toBe(true)
    expect(alone.signer.takeDealing('ecdsa', good)).toBe(false)
    expect(alone.signer.takeDealing('ecdsa', dealtAgain({}))).toBe(false)
  })
})

describe('a completion in the log', () => {
  const alone = new Alone()
  const { signer } = alone
  const asked = {
    id: sha256(utf8('request')),
    key: { scheme: 'ecdsa', name: 'key_1' } as const,
    path: [utf8('caller')],
    message: sha256(utf8('message')),
    taprootRoot: undefined,
  }
  let completion: Completion

  beforeAll(() => {
    while (signer.stock === 0) {
      for (const item of alone.work())
        expect(item.type === 'dealing' && signer.takeDealing(item.lane, item.bytes)).toBe(true)
      alone.endSlot()
    }
    signer.enqueue(asked)
    alone.endSlot()
    completion = decodeCompletion(itemOf(alone))
  })

  test('comes of a request whose pairing is on record', () => {
    expect(completion.requestId).toEqual(asked.id)
    expect(alone.records.get('7/pairing/0')).toEqual(concat(asked.id, tapeValue(completion.tape)))
    expect(alone.faults).toEqual([])
  })

  const negated = (point: Uint8Array): Uint8Array =>
    point.map((byte, i) => (i === 0 ? byte ^ 0x20 : byte))
  const highS = (signature: Uint8Array): Uint8Array =>
    concat(signature.slice(0, 32), bigEndian(order - fromBigEndian(signature.slice(32)), 32))

  test.each<[string, (right: Completion) => Completion]>([
    ['r changed', (right) => ({ ...right, signature: flip(right.signature, 31) })],
    ['s changed', (right) => ({ ...right, signature: flip(right.signature, 63) })],
    ['the other s', (right) => ({ ...right, signature: highS(right.signature) })],
    ['a signature of zeros', (right) => ({ ...right, signature: new Uint8Array(64) })],
    ['another σ', (right) => ({ ...right, tape: flip(right.tape, 40) })],
    ['the other point of σ', (right) => ({ ...right, tape: negated(right.tape) })],
    ['no σ', (right) => ({ ...right, tape: new Uint8Array(48) })],
    ['another request', (right) => ({ ...right, requestId: flip(right.requestId, 0) })],
  ])('with %s does not count', (_, change) => {
    expect(signer.judge(encodeCompletion(change(completion)))).toBeUndefined()
    expect(signer.openRequests).toBe(1)
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['nothing in it', () => new Uint8Array()],
    ['a byte too few', (bytes) => bytes.slice(0, -1)],
    ['a byte too many', (bytes) => concat(bytes, Uint8Array.of(0))],
  ])('with %s does not count', (_, change) => {
    expect(signer.judge(change(encodeCompletion(completion)))).toBeUndefined()
  })

  test('§21 item: completion of a finished request, after one that counted', () => {
    expect(signer.judge(encodeCompletion(completion))).toEqual(completion)
    expect(signer.openRequests).toBe(0)
    expect(signer.judge(encodeCompletion(completion))).toBeUndefined()
  })

  test('is the same for a signer that was not asked for a share', () => {
    // What a slot decides must not depend on what a node has worked on: here σ has not come yet.
    const other = new Alone()
    other.hears = ({ type }) => type !== 'tape-share'
    while (other.signer.stock === 0) {
      for (const item of other.work())
        if (item.type === 'dealing') other.signer.takeDealing(item.lane, item.bytes)
      other.endSlot()
    }
    other.signer.enqueue(asked)
    other.endSlot()
    const wrong = { ...completion, signature: flip(completion.signature, 63) }
    expect(other.signer.judge(encodeCompletion(wrong))).toBeUndefined()
    const foreign = { ...completion, tape: flip(completion.tape, 40) }
    expect(other.signer.judge(encodeCompletion(foreign))).toBeUndefined()
    expect(other.signer.judge(encodeCompletion(completion))).toEqual(completion)
  })
})
