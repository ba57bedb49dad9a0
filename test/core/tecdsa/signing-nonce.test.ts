/**
 * Goal: the nonce of a signature is what the log gives this request and this presignature, and no
 * other request has it, not even in the same slot.
 * Method: threshold specification §§14.2, 18.2. One node, so that every κ dealing shows a K; R of each
 * signature is computed again from public data alone.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes, fromBigEndian, toHex } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodePoint, mod } from '../../../src/core/base/group.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import {
  bytesInput,
  integerInput,
  oracleBytes,
  oracleScalar,
  pointInput,
  scalarInput,
} from '../../../src/core/base/random-oracle.ts'
import type { Completion } from '../../../src/core/tecdsa/completion.ts'
import { decodeCompletion } from '../../../src/core/tecdsa/completion.ts'
import { decodeDealing } from '../../../src/core/tecdsa/dealing-codec.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { expectValid, request } from '../../support/signer-story.ts'
import type { Point } from '../../support/threshold.ts'
import { order, suite } from '../../support/threshold.ts'

const { group } = suite
/** Points that the node showed in dealings without masks: K of each presignature is among them. */
const shown: Point[] = []
const completions: Completion[] = []
const asked = [request('first'), request('second')]
const net = new SignerNet({
  nodes: 1,
  stockTarget: 2,
  build: (built) => {
    built.watch = (message) => {
      if (message.type !== 'dealing' || message.lane !== 'ecdsa') return
      const { commitment } = decodeDealing(suite, message.signed.dealing)
      if (commitment.type === 'simple') shown.push(...commitment.points)
    }
    built.watchItems = (item) => {
      if (item.type === 'completion') completions.push(decodeCompletion(item.bytes))
    }
  },
})
net.settle()
for (const each of asked) net.ask(each)
net.settle()

/** Presignature that the node has on record for a request. */
function presignatureOf(requestId: Uint8Array): bigint {
  const records = [...present(net.records[0], 'records')]
  const [key] = present(
    records.find(
      ([name, value]) => name.includes('/pairing/') && equalBytes(value.slice(0, 32), requestId),
    ),
    'its pairing',
  )
  return BigInt(present(key.split('/').at(-1), 'an id'))
}

const omega = (tape: Uint8Array, requestId: Uint8Array, presignature: bigint): Uint8Array =>
  oracleBytes(
    'ckbtc-signing-nonce',
    {
      tape: bytesInput(tape),
      request: bytesInput(requestId),
      presignature: integerInput(presignature),
    },
    32,
  )

/** Every K with which the request got this r under this nonce. */
function fittingK(which: number, nonce: Uint8Array): readonly string[] {
  const { id, message, path } = present(asked[which], 'a request')
  const { signature } = present(
    completions.find(({ requestId }) => equalBytes(requestId, id)),
    'its completion',
  )
  const master = masterKey(present(net.signer(0).publicKey, 'the key'))
  const { tweak } = derivePublicKey(master, path)
  return shown.flatMap((k) => {
    const delta = oracleScalar(group, suite.domains.rerandomize, {
      randomness: bytesInput(nonce),
      hashed_message: bytesInput(message),
      pre_sig: pointInput(group, k),
      key_tweak: scalarInput(group, tweak),
    })
    const r = encodePoint(group, group.add(k, group.g.multiplyPublic(delta))).subarray(1)
    const fits = mod(fromBigEndian(r), order) === fromBigEndian(signature.slice(0, 32))
    return fits ? [toHex(encodePoint(group, k))] : []
  })
}

describe('two requests that are paired in one slot', () => {
  const [first, second] = asked.map(({ id }) => ({ id, presignature: presignatureOf(id) }))
  const tape = sha256(present(completions[0], 'completed').tape)

  test('have one σ, and each its own presignature, ω and K', () => {
    for (const each of asked) expectValid(net, each)
    expect(new Set(completions.map(({ tape: sigma }) => toHex(sigma))).size).toBe(1)
    expect(first?.presignature).not.toBe(second?.presignature)
    const found = [first, second].map((one, which) => {
      const { id, presignature } = present(one, 'paired')
      return fittingK(which, omega(tape, id, presignature))
    })
    expect(found.map(({ length }) => length)).toEqual([1, 1])
    expect(found[0]).not.toEqual(found[1])
  })

  test('are signed under no other nonce: of the other request, presignature or tape', () => {
    const [a, b] = [present(first, 'paired'), present(second, 'paired')]
    const others = [
      omega(tape, b.id, a.presignature),
      omega(tape, a.id, b.presignature),
      omega(sha256(tape), a.id, a.presignature),
      omega(tape, new Uint8Array(32), a.presignature),
    ]
    for (const nonce of others) expect(fittingK(0, nonce)).toEqual([])
  })
})
