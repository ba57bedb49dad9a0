/**
 * Benchmarks A12 and A13: signatures and hashes of the host, plain verification. Source:
 * performance specification §7.
 */
import { createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { sha256 } from '../src/core/base/hash.ts'
import { nobleEd25519, verifyEcdsa } from '../src/core/base/verification.ts'
import { nativeEd25519 } from '../src/native/ed25519.ts'
import { digests, messages } from './support/inputs.ts'
import type { Benchmark, Prepared, Task } from './support/task.ts'
import { peer, task } from './support/task.ts'

const secretKey = new Uint8Array(32).fill(7)

const bytesTask = (run: (index: number) => Uint8Array): Task => task(run, (bytes) => bytes)
const verdict = (run: (index: number) => boolean): Task =>
  task(run, (good) => Uint8Array.of(good ? 1 : 0))

const bench = (id: string, name: string, prepare: () => Prepared): Benchmark => ({
  id,
  name,
  group: null,
  n: null,
  prepare,
})

const ed25519: readonly Benchmark[] = [
  bench('A12', 'ed25519-sign', () => ({
    own: bytesTask((i) => nativeEd25519.sign(secretKey, messages(i))),
    peers: { noble: peer.same(bytesTask((i) => nobleEd25519.sign(secretKey, messages(i)))) },
  })),
  bench('A12', 'ed25519-verify', () => {
    const publicKey = nativeEd25519.publicKey(secretKey)
    const signatures = Array.from({ length: 64 }, (_, i) =>
      nativeEd25519.sign(secretKey, messages(i)),
    )
    // Every second signature is one of another message, so both answers are timed and compared.
    const signature = (i: number): Uint8Array => signatures[(i - (i % 2)) % 64] ?? secretKey
    const message = (i: number): Uint8Array => messages(i % 64)
    return {
      own: verdict((i) => nativeEd25519.verify(publicKey, message(i), signature(i))),
      peers: {
        noble: peer.same(verdict((i) => nobleEd25519.verify(publicKey, message(i), signature(i)))),
      },
      gates: [{ of: 'noble', relation: '>=', bound: 5 }],
    }
  }),
]

const hashes: readonly Benchmark[] = [64, 200, 10_000].map((size) =>
  bench('A12', `sha256-${size}`, () => {
    const inputs = Array.from({ length: 64 }, (_, i) => {
      const data = new Uint8Array(size)
      for (let at = 0; at < size; at += 200) data.set(messages(i + at).subarray(0, size - at), at)
      return data
    })
    const input = (i: number): Uint8Array => inputs[i % inputs.length] ?? secretKey
    return {
      own: bytesTask((i) => sha256(input(i))),
      peers: {
        noble: peer.same(bytesTask((i) => nobleSha256(input(i)))),
        openssl: peer.same(bytesTask((i) => hash('sha256', input(i), 'buffer'))),
      },
    }
  }),
)

/** A secp256k1 key (32 bytes) as OpenSSL wants it. */
export function opensslKey(secret: Uint8Array): ReturnType<typeof createPrivateKey> {
  const point = noble.getPublicKey(secret, false)
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  const [x, y] = [text(point.subarray(1, 33)), text(point.subarray(33))]
  const jwk = { kty: 'EC', crv: 'secp256k1', d: text(secret), x, y }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

const ecdsa: readonly Benchmark[] = [
  bench('A13', 'ecdsa-verify', () => {
    const publicObject = createPublicKey(opensslKey(secretKey))
    const publicKey = noble.getPublicKey(secretKey)
    const signatures = Array.from({ length: 64 }, (_, i) =>
      noble.sign(nobleSha256(messages(i)), secretKey, { prehash: false }),
    )
    const signature = (i: number): Uint8Array => signatures[(i - (i % 2)) % 64] ?? secretKey
    const digest = Array.from({ length: 64 }, (_, i) => nobleSha256(messages(i)))
    const digestOf = (i: number): Uint8Array => digest[i % 64] ?? secretKey
    const key = { key: publicObject, dsaEncoding: 'ieee-p1363' } as const
    return {
      own: verdict((i) =>
        verifyEcdsa({ publicKey, digest: digestOf(i), signature: signature(i) }, { lowS: true }),
      ),
      peers: {
        raw: peer.same(
          verdict((i) => noble.verify(signature(i), digestOf(i), publicKey, { prehash: false })),
        ),
        // OpenSSL hashes the message itself: half a microsecond more.
        openssl: peer.same(verdict((i) => verify('sha256', messages(i % 64), key, signature(i)))),
      },
    }
  }),
  bench('A13', 'ecdsa-sign', () => {
    const key = { key: opensslKey(secretKey), dsaEncoding: 'ieee-p1363' } as const
    return {
      own: bytesTask((i) => noble.sign(digests(i), secretKey, { prehash: false })),
      // Another nonce, so another signature.
      peers: { openssl: peer.yardstick(bytesTask((i) => sign('sha256', digests(i), key))) },
      note: 'one signature of one key by the library: the yardstick for D3',
    }
  }),
]

export const hostBenchmarks: readonly Benchmark[] = [...ed25519, ...hashes, ...ecdsa]
