/**
 * Benchmarks A: the group port against what it is made of and against OpenSSL. Source: performance
 * specification §7.
 */
import { createECDH, ECDH } from 'node:crypto'
import { mulAddUnsafe, pippenger } from '@noble/curves/abstract/curve.js'
import { secp256k1 as noble, secp256k1_hasher as nobleHasher } from '@noble/curves/secp256k1.js'
import { concatAll, utf8 } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { asSecret, encodePoint } from '../src/core/base/group.ts'
import type { Secp256k1Point } from '../src/core/base/noble-secp256k1.ts'
import { secp256k1 } from '../src/core/base/noble-secp256k1.ts'
import { encodedPoints, messages, otherScalars, points, scalars } from './support/inputs.ts'
import type { Benchmark, Prepared, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

const DST = utf8('ckbtc-bench-with-secp256k1_XMD:SHA-256_SSWU_RO_')
const { Point } = noble
const { g } = secp256k1

const bytesOf = (point: Secp256k1Point): Uint8Array => encodePoint(secp256k1, point)
const pointTask = (run: (index: number) => Secp256k1Point): Task => task(run, bytesOf)
const scalarBytes = (index: number): Uint8Array => secp256k1.encodeScalar(scalars(index))

const bench = (id: string, name: string, prepare: () => Prepared): Benchmark => ({
  id,
  name,
  group: 'secp256k1',
  n: null,
  prepare,
})

/** OpenSSL behind node:crypto; it makes a key object for each call, as any user of it must. */
function opensslKey(index: number): ECDH {
  const ecdh = createECDH('secp256k1')
  ecdh.setPrivateKey(scalarBytes(index))
  return ecdh
}

const multiplications: readonly Benchmark[] = [
  bench('A1', 'base-secret', () => ({
    own: pointTask((i) => g.multiplySecret(asSecret(scalars(i)))),
    peers: {
      raw: peer.same(pointTask((i) => Point.BASE.multiply(scalars(i)))),
      openssl: peer.same(
        task(
          (i) => opensslKey(i).getPublicKey(null, 'compressed'),
          (key) => new Uint8Array(key),
        ),
      ),
    },
  })),
  bench('A2', 'base-public', () => ({
    own: pointTask((i) => g.multiplyPublic(scalars(i))),
    peers: { raw: peer.same(pointTask((i) => Point.BASE.multiplyUnsafe(scalars(i)))) },
  })),
  bench('A3', 'point-secret', () => ({
    own: task(
      (i) => secp256k1.multiplySecret(points(i), asSecret(scalars(i))),
      (point) => bytesOf(point).subarray(1), // OpenSSL gives x alone.
    ),
    peers: {
      raw: peer.same(
        task(
          (i) => points(i).multiply(scalars(i)),
          (point) => bytesOf(point).subarray(1),
        ),
      ),
      openssl: peer.same(
        task(
          (i) => opensslKey(i).computeSecret(encodedPoints(i)),
          (x) => new Uint8Array(x),
        ),
      ),
    },
  })),
  bench('A4', 'point-public', () => ({
    own: pointTask((i) => secp256k1.multiplyPublic(points(i), scalars(i))),
    peers: { raw: peer.same(pointTask((i) => points(i).multiplyUnsafe(scalars(i)))) },
  })),
  bench('A5', 'pair', () => ({
    own: pointTask((i) => secp256k1.pair(points(i), scalars(i), points(i + 1), otherScalars(i))),
    peers: {
      raw: peer.same(
        pointTask((i) => points(i).mulAddUnsafe(scalars(i), points(i + 1), otherScalars(i))),
      ),
    },
  })),
]

/** A6: the port's sum against both calls of the library. */
function sumOf(terms: number): Benchmark {
  const indices = Array.from({ length: terms }, (_, k) => k)
  const some = (i: number): Secp256k1Point[] => indices.map((k) => points(i + k))
  const weights = (i: number): bigint[] => indices.map((k) => scalars(i + k))
  return bench('A6', `sum-${terms}`, () => ({
    own: pointTask((i) =>
      secp256k1.sum(indices.map((k) => ({ point: points(i + k), scalar: scalars(i + k) }))),
    ),
    peers: {
      straus: peer.same(pointTask((i) => mulAddUnsafe(Point, some(i), weights(i), true))),
      pippenger: peer.same(pointTask((i) => pippenger(Point, some(i), weights(i)))),
    },
    gates: [
      { of: 'straus', relation: '>=', bound: 0.95 },
      { of: 'pippenger', relation: '>=', bound: 0.95 },
    ],
  }))
}

const encodings: readonly Benchmark[] = [
  bench('A8', 'decode', () => ({
    own: pointTask((i) => present(secp256k1.decode(encodedPoints(i)), 'the point decodes')),
    peers: {
      raw: peer.same(pointTask((i) => Point.fromBytes(encodedPoints(i)))),
      openssl: peer.same(
        task(
          (i) =>
            ECDH.convertKey(encodedPoints(i), 'secp256k1', undefined, undefined, 'uncompressed'),
          (key) => compressed(key),
        ),
      ),
    },
  })),
  bench('A8', 'encode-100', () => {
    const hundred = (i: number): Secp256k1Point[] =>
      Array.from({ length: 100 }, (_, k) => secp256k1.add(points(i + k), g.point))
    const sets = Array.from({ length: 8 }, (_, k) => hundred(100 * k))
    const set = (i: number): Secp256k1Point[] => present(sets[i % sets.length], 'eight sets')
    return {
      own: task((i) => secp256k1.encode(set(i)), concatAll),
      peers: { single: peer.same(task((i) => set(i).map((point) => point.toBytes()), concatAll)) },
      gates: [{ of: 'single', relation: '>=', bound: 4 }],
    }
  }),
  bench('A9', 'hash-to-point', () => ({
    own: pointTask((i) => secp256k1.hashToPoint(messages(i), DST)),
    peers: { raw: peer.same(pointTask((i) => nobleHasher.hashToCurve(messages(i), { DST }))) },
  })),
]

function compressed(key: string | Buffer): Uint8Array {
  assert(typeof key !== 'string', 'without an encoding OpenSSL gives bytes')
  return Uint8Array.of(2 + ((key.at(-1) ?? 0) & 1), ...key.subarray(1, 33))
}

/** A10: Horner with a small integer against powers mod the order. */
function evaluation(terms: number, x: number): Benchmark {
  const commitment = (i: number): Secp256k1Point[] =>
    Array.from({ length: terms }, (_, k) => points(i + k))
  const powers = (i: number): Secp256k1Point =>
    commitment(i)
      .map((point, k) => point.multiplyUnsafe(BigInt(x) ** BigInt(k) % secp256k1.order))
      .reduce((sum, point) => sum.add(point))
  return bench('A10', `evaluate-${terms}`, () => ({
    own: pointTask((i) => secp256k1.evaluate(commitment(i), x)),
    peers: { powers: peer.same(pointTask(powers)) },
  }))
}

export const groupBenchmarks: readonly Benchmark[] = [
  ...multiplications,
  ...[5, 10, 50, 200].map(sumOf),
  ...encodings,
  evaluation(2, 4),
  evaluation(5, 13),
]
