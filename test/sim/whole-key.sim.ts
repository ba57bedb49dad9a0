/**
 * The whole key is never in the process, not even with all nodes in it.
 *
 * A subnet makes its key and a signature. Then the memory of the process is copied to a file, and
 * only after that the test computes the key, from the dealings that it saw and the nodes'
 * decryption keys. The copy holds the shares of the nodes, which shows that the search finds what
 * is there; it must not hold the key.
 */
import { expect, it } from 'vitest'
import { bigEndian } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { asSecret, encodePoint, mod } from '../../src/core/base/group.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import { openDealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing } from '../../src/core/tecdsa/evidence.ts'
import { lagrangeScalars } from '../../src/core/tecdsa/lagrange.ts'
import { subnetIdOf } from '../../src/core/tecdsa/membership.ts'
import { member } from '../../src/core/tecdsa/parameters.ts'
import { unseal } from '../../src/core/tecdsa/secret.ts'
import { ecdsaSecp256k1 } from '../../src/core/tecdsa/suite.ts'
import { canReadMemory, MemoryCopy } from '../support/memory.ts'
import { SignerNet } from '../support/signer-net.ts'
import { request } from '../support/signer-story.ts'

const suite = ecdsaSecp256k1(secp256k1)
/**
 * Transcript 1 reshares the random sharing of transcript 0: its dealings share out the shares of
 * the key.
 */
const KEY_TRANSCRIPT = 1n
const SLOTS_TRIED = 40n
const THRESHOLD = 2

/** A scalar as V8 keeps a bigint: 64-bit digits, lowest first, each little-endian. */
const inMemory = (scalar: bigint): Uint8Array => bigEndian(scalar, 32).reverse()

type Opened = { readonly dealer: number; readonly shares: ReadonlyMap<number, bigint> }

/**
 * Every receiver's share of one dealing, by the nodes' own keys: what no program but a test may do.
 */
function openAll(net: SignerNet, signed: SignedDealing): Opened {
  const members = net.genesis.membership.members.map(({ id, encryptionKey }) =>
    member(suite, id, encryptionKey),
  )
  const dealing = decodeDealing(suite, signed.dealing)
  for (let slot = 0n; slot < SLOTS_TRIED; slot++) {
    const parameters = {
      id: KEY_TRANSCRIPT,
      algorithm: suite.algorithm,
      dealers: members,
      receivers: members,
      operation: { type: 'randomUnmasked' },
      membershipVersion: 1n,
      subnetId: subnetIdOf(net.genesis),
      sourceHeight: (net.genesis.incarnation << 32n) | slot,
    } as const
    const context = { parameters, dealerIndex: signed.dealer }
    const shares = members.map((_, receiverIndex) =>
      openDealing(suite, context, dealing, {
        receiverIndex,
        key: net.keysOf(receiverIndex).encryptionKey,
      }),
    )
    if (shares.every((share) => share === undefined)) continue
    const values = shares.map((share) => unseal(present(share, 'honest dealings open')).value)
    return { dealer: signed.dealer, shares: new Map(values.entries()) }
  }
  throw new Error('the slot that opened the transcript was not found')
}

const interpolate = (points: ReadonlyMap<number, bigint>): bigint =>
  interpolateAll([...points].slice(0, THRESHOLD))

function interpolateAll(used: readonly (readonly [number, bigint])[]): bigint {
  const weights = lagrangeScalars(
    used.map(([index]) => index),
    secp256k1.order,
  )
  const sum = used.reduce((total, [, value], i) => total + (weights[i] ?? 0n) * value, 0n)
  return mod(sum, secp256k1.order)
}

/** What the nodes' shares of the key can be: of every set of dealings that is large enough. */
function nodeShares(opened: readonly Opened[]): readonly bigint[] {
  const sets = Array.from({ length: 1 << opened.length }, (_, bits) =>
    opened.filter((__, place) => (bits >> place) & 1),
  ).filter(({ length }) => length >= THRESHOLD)
  const receivers = [...(opened[0]?.shares.keys() ?? [])]
  return sets.flatMap((set) =>
    receivers.map((receiver) =>
      interpolateAll(
        set.map(({ dealer, shares }) => [
          dealer,
          present(shares.get(receiver), 'a share for each receiver'),
        ]),
      ),
    ),
  )
}

it.skipIf(!canReadMemory)('the memory of all nodes together holds shares but no key', () => {
  const net = new SignerNet({ nodes: 4 })
  const dealings: SignedDealing[] = []
  net.watch = (message) => {
    if (message.type !== 'dealing' || message.lane !== 'ecdsa') return
    if (message.signed.transcriptId === KEY_TRANSCRIPT) dealings.push(message.signed)
  }
  net.settle()
  net.ask({ ...request('whole'), path: [] })
  net.settle()
  expect(net.completed).toHaveLength(1)

  const copy = new MemoryCopy()
  try {
    const opened = [
      ...new Map(dealings.map((signed) => [signed.dealer, openAll(net, signed)])).values(),
    ]
    const keyShares = opened.map(({ dealer, shares }) => [dealer, interpolate(shares)] as const)
    const key = interpolate(new Map(keyShares))
    expect(encodePoint(secp256k1, secp256k1.g.multiplySecret(asSecret(key)))).toEqual(
      net.signer(0).publicKey,
    )
    expect(nodeShares(opened).some((share) => copy.holds(inMemory(share)))).toBe(true)
    expect(copy.holds(inMemory(key))).toBe(false)
    expect(copy.holds(bigEndian(key, 32))).toBe(false)
  } finally {
    copy.remove()
  }
})
