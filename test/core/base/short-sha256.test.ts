/** Goal: a short message has its SHA-256. Method: a published vector, and the library at every length. */
import { sha256 as library } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { SHORT_MAX, shortSha256 } from '../../../src/core/base/short-sha256.ts'

it('FIPS 180-2, appendix B.1', () => {
  expect(toHex(shortSha256(utf8('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

it('every length has the hash of the library, whatever was hashed before', () => {
  const bytes = fc.uint8Array({ minLength: SHORT_MAX, maxLength: SHORT_MAX })
  fc.assert(
    fc.property(bytes, (data) => {
      for (const size of [...Array(SHORT_MAX + 1).keys()].reverse()) {
        const part = data.subarray(0, size)
        expect(toHex(shortSha256(part))).toBe(toHex(library(part)))
      }
    }),
    { numRuns: 20 },
  )
})

it('the answer is in memory of its own', () => {
  const first = shortSha256(utf8('abc'))
  const before = toHex(first)
  shortSha256(utf8('abd'))
  expect(toHex(first)).toBe(before)
  expect(first.buffer.byteLength).toBe(32)
})
