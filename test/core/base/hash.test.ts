/** SHA-256 is the same whoever computes it, and nobody installs a wrong one. */
import { sha256 as library } from '@noble/hashes/sha2.js'
import { afterEach, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { Bug } from '../../../src/core/base/errors.ts'
import { installSha256, sha256, sha256d } from '../../../src/core/base/hash.ts'
import { SHORT_MAX } from '../../../src/core/base/short-sha256.ts'
import { nativeSha256 } from '../../../src/native/sha256.ts'

/** FIPS 180-2, appendix B.1. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

afterEach(() => installSha256(library))

it('the library and the host hash alike, whatever the length', () => {
  expect(toHex(sha256(utf8('abc')))).toBe(ABC)
  installSha256(nativeSha256)
  expect(toHex(sha256(utf8('abc')))).toBe(ABC)
  for (let size = 0; size <= 300; size++) {
    const data = new Uint8Array(size).fill(size & 0xff)
    expect(toHex(sha256(data))).toBe(toHex(library(data)))
  }
})

it('the host hashes a part of a larger buffer, and answers in memory of its own', () => {
  const whole = Uint8Array.from({ length: 100 }, (_, i) => i)
  const digest = nativeSha256(whole.subarray(10, 40))
  expect(toHex(digest)).toBe(toHex(library(whole.slice(10, 40))))
  expect(digest.buffer.byteLength).toBe(32)
  expect(Object.getPrototypeOf(digest)).toBe(Uint8Array.prototype)
})

it('the engine that was installed is used, for all that is longer than a block', () => {
  let calls = 0
  installSha256((data) => {
    calls++
    return library(data)
  })
  const installing = calls
  sha256d(new Uint8Array(SHORT_MAX + 1))
  expect(calls).toBe(installing + 1)
})

it.each([0, 1, 55, 56, 63, 64, 65, 1_000])(
  'an engine that is wrong for %i bytes is refused, and the one before stays',
  (size) => {
    const wrong = (data: Uint8Array): Uint8Array =>
      data.length === size ? library(data).reverse() : library(data)
    expect(() => installSha256(wrong)).toThrow(Bug)
    expect(toHex(sha256(new Uint8Array(size)))).toBe(toHex(library(new Uint8Array(size))))
  },
)
