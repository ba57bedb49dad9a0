import { expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { decodeFindings, encodeFindings } from '../../../src/core/btc/filter-memory.ts'
import type { FilterFindings } from '../../../src/core/btc/filter-port.ts'
import { hashOf } from './builders.ts'
import { expectStrict, expectTotal } from './strict-decoder.ts'

const coin = {
  outpoint: { txid: hashOf('coin') as never, vout: 3 },
  value: sat(2_100_000_000_000_000n),
  script: Uint8Array.of(0x51),
  height: 800_000,
  coinbase: true,
  spent: undefined,
}
const findings: FilterFindings = {
  filterHeaders: [hashOf('1'), hashOf('2')],
  groups: [
    { birth: 1, at: 0, scripts: [] },
    { birth: 784_000, at: 900_000, scripts: [Uint8Array.of(0x51), new Uint8Array(0)] },
  ],
  coins: [
    coin,
    { ...coin, coinbase: false, spent: { height: 800_001, by: hashOf('by') as never } },
  ],
}

test('findings are read as they were written, and strictly', () => {
  const codec = {
    bytes: encodeFindings(findings),
    decode: decodeFindings,
    encode: encodeFindings,
  }
  expect(decodeFindings(codec.bytes)).toEqual(findings)
  expectStrict(codec)
  expectTotal(codec)
})

test('the format is the one of version 1', () => {
  expect(toHex(sha256(encodeFindings(findings)))).toBe(
    'b956d06eb2da5095f4eb9b95c6f2d631da2e9d49062e15d1971a4de83e500d95',
  )
})

test('findings of another version, or of nothing, are refused', () => {
  expect(() => decodeFindings(new Uint8Array(0))).toThrow(BadEncoding)
  const empty = encodeFindings({ filterHeaders: [], groups: [], coins: [] })
  expect(decodeFindings(empty)).toEqual({ filterHeaders: [], groups: [], coins: [] })
})
