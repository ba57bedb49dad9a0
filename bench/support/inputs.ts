/**
 * Inputs from one seeded generator: the same in every run, fresh for every call. Source:
 * performance specification §6.
 */
import { present } from '../../src/core/base/errors.ts'
import { encodePoint } from '../../src/core/base/group.ts'
import type { Secp256k1Point } from '../../src/core/base/noble-secp256k1.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import { Seed } from '../../src/core/base/seed.ts'

export const POOL_SIZE = 1_024

export const benchSeed = (label: string): Seed =>
  Seed.fromBytes(new TextEncoder().encode('ckbtc-bench')).derive(label)

/** Prepared values, taken in turn. */
export type Pool<T> = (index: number) => T

/** Built when first asked. */
export function pool<T>(size: number, make: (index: number) => T): Pool<T> {
  const made: T[] = []
  return (index) => {
    while (made.length < size) made.push(make(made.length))
    return present(made[index % size], 'a pool is not empty')
  }
}

function poolOfBytes(label: string, size: number): Pool<Uint8Array> {
  const generator = benchSeed(label).generator()
  return pool(POOL_SIZE, () => generator.bytes(size))
}

function poolOfScalars(label: string): Pool<bigint> {
  const generator = benchSeed(label).generator()
  return pool(POOL_SIZE, () => generator.scalar(secp256k1))
}

export const scalars = poolOfScalars('scalars')
export const otherScalars = poolOfScalars('other scalars')
export const digests = poolOfBytes('digests', 32)
export const messages = poolOfBytes('messages', 200)

const logarithms = benchSeed('points').generator()

/** As they come from the wire: decoded, so in affine form. */
export const encodedPoints = pool(POOL_SIZE, () =>
  encodePoint(secp256k1, secp256k1.g.multiplySecret(logarithms.scalar(secp256k1))),
)
export const points = pool(POOL_SIZE, (i) => decoded(encodedPoints(i)))

function decoded(bytes: Uint8Array): Secp256k1Point {
  return present(secp256k1.decode(bytes), 'an encoded point decodes')
}
