/**
 * Goal: filters are those of BIP158 to the bit, none hides what its block holds, and no bytes of
 * others do harm.
 * Method: the vectors of Bitcoin Core; BIP158's printed values; SipHash's published table; the same
 * arithmetic once more in big integers; corruptions of whole filters.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fromDisplayHex,
  fromHex,
  hash32,
  toDisplayHex,
  toHex,
} from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { decodeBlock, headerHash } from '../../../src/core/btc/block.ts'
import {
  decodeFilter,
  encodeFilter,
  filterElements,
  filterHash,
  filterHeader,
  matchFilter,
  outputScripts,
} from '../../../src/core/btc/compact-filter.ts'
import { PackedStrings, sipHash } from '../../../src/core/btc/siphash.ts'
import { vectorJson } from '../../support/vectors.ts'
import { hashOf } from './builders.ts'

type Row = readonly [number, string, string, readonly string[], string, string, string, string]

/** `bitcoin.md` §14.6. */
const PRINTED: ReadonlyMap<number, string> = new Map([
  [0, '019dfca8'],
  [2, '0174a170'],
  [3, '016cf7a0'],
  [15_007, '013c3710'],
  [1_414_221, '00'],
])

const rowsOf = (context: Parameters<typeof vectorJson>[0]): readonly Row[] =>
  vectorJson<readonly unknown[]>(context, 'bitcoin-core/blockfilters.json').slice(1) as Row[]

const scriptsOf = (...labels: readonly string[]): readonly Uint8Array[] =>
  labels.map((label) => sha256(new TextEncoder().encode(label)))

describe('filters of real blocks', () => {
  test('equal those of Bitcoin Core, with their headers', (context) => {
    const rows = rowsOf(context)
    expect(rows.length).toBe(10)
    for (const [height, hash, hex, previousScripts, previous, filter, header] of rows) {
      const block = decodeBlock(fromHex(hex))
      const blockHash = headerHash(block.header)
      expect(toDisplayHex(blockHash)).toBe(hash)
      const elements = filterElements(block, previousScripts.map(fromHex))
      const bytes = encodeFilter(blockHash, elements)
      expect(toHex(bytes), `filter of height ${height}`).toBe(filter)
      if (PRINTED.has(height)) expect(filter).toBe(PRINTED.get(height))
      const found = filterHeader(filterHash(bytes), fromDisplayHex(previous))
      expect(toDisplayHex(found)).toBe(header)
      const decoded = decodeFilter(fromHex(filter))
      const all = matchFilter(decoded, blockHash, new PackedStrings(elements))
      expect(all).toEqual(elements.map((_, i) => i))
    }
  })

  test('cannot be cut short, extended or padded otherwise', (context) => {
    for (const [, , , , , filter] of rowsOf(context)) {
      const bytes = fromHex(filter)
      for (let size = 0; size < bytes.length; size += Math.max(1, Math.floor(bytes.length / 200)))
        expect(() => decodeFilter(bytes.subarray(0, size))).toThrow(BadEncoding)
      expect(() => decodeFilter(Uint8Array.of(...bytes, 0))).toThrow(BadEncoding)
    }
    expect(() => decodeFilter(fromHex('019dfca9'))).toThrow(/padded/)
  })
})

describe('a filter', () => {
  const block = hashOf('a block')

  test('holds every element, and of others about one in 784,931', () => {
    const own = scriptsOf(...Array.from({ length: 300 }, (_, i) => `own ${i}`))
    const filter = decodeFilter(encodeFilter(block, own))
    expect(matchFilter(filter, block, new PackedStrings(own)).length).toBe(300)
    const foreign = scriptsOf(...Array.from({ length: 20_000 }, (_, i) => `foreign ${i}`))
    expect(matchFilter(filter, block, new PackedStrings(foreign)).length).toBeLessThan(5)
  })

  test('is the same whatever the order of its elements', () => {
    const scripts = scriptsOf('a', 'b', 'c', 'd')
    expect(encodeFilter(block, scripts.toReversed())).toEqual(encodeFilter(block, scripts))
  })

  test('of nothing is one zero byte and matches nothing', () => {
    expect(encodeFilter(block, [])).toEqual(Uint8Array.of(0))
    const nothing = decodeFilter(Uint8Array.of(0))
    expect(matchFilter(nothing, block, new PackedStrings(scriptsOf('a')))).toEqual([])
  })

  test('leaves out OP_RETURN and empty scripts, and takes each once', () => {
    const output = (script: Uint8Array) => ({ value: 0n as never, script })
    const [a, b] = scriptsOf('a', 'b') as [Uint8Array, Uint8Array]
    const outputs = [a, Uint8Array.of(0x6a, 1), new Uint8Array(0), a].map(output)
    const transactions = [{ version: 1, inputs: [], lockTime: 0, outputs }]
    expect(outputScripts({ transactions })).toEqual([a, a])
    expect(filterElements({ transactions }, [b, a, new Uint8Array(0)])).toEqual([a, b])
  })

  test('has the values of the formula in big integers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 1, max: 40 }), (own, n) => {
        const others = scriptsOf(...Array.from({ length: n - 1 }, (_, i) => `other ${i}`))
        const filter = decodeFilter(encodeFilter(block, [own, ...others]))
        const hash = sipHash(block.subarray(0, 16), own)
        const value = (hash * BigInt(n) * 784_931n) >> 64n
        const values: bigint[] = []
        for (let bucket = 0; bucket < filter.count; bucket++)
          for (let at = filter.starts[bucket] ?? 0; at < (filter.starts[bucket + 1] ?? 0); at++)
            values.push(BigInt(bucket) * 784_931n + BigInt(filter.remainders[at] ?? 0))
        expect(values).toContain(value)
      }),
    )
  })

  test('of any bytes is a filter or a refusal, with no more room than its bytes give', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          const { count } = decodeFilter(bytes)
          expect(count * 20).toBeLessThanOrEqual(bytes.length * 8)
        } catch (error) {
          expect(error).toBeInstanceOf(BadEncoding)
        }
      }),
      { numRuns: 500 },
    )
    expect(() => decodeFilter(fromHex('feffffff01ff'))).toThrow(BadEncoding)
  })

  test('whose values lie beyond N times M is refused', () => {
    // One element: 2 ones of quotient, then all bits of the remainder: 2·2^19 + 524287 > 784931.
    expect(() => decodeFilter(fromHex('01dfffff'.slice(0, 8)))).toThrow(BadEncoding)
  })
})

describe('SipHash-2-4', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)
  // The first rows of the table in the reference implementation, read little-endian.
  test.each([
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [2, '5a4fa9d909806c0d'],
    [3, '2d7efbd796666785'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
    [63, '724506eb4c328a95'],
  ])('of %i bytes is that of the reference', (size, expected) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i)
    const hash = sipHash(key, bytes)
    expect(hash.toString(16).padStart(16, '0')).toBe(toHex(fromHex(expected).reverse()))
  })

  test('of strings packed together is that of each alone', () => {
    const strings = [0, 1, 7, 8, 9, 22, 34, 255, 256, 1_000].map((size) =>
      new Uint8Array(size).fill(7),
    )
    const packed = new PackedStrings(strings)
    expect(packed.count).toBe(strings.length)
    const filter = decodeFilter(encodeFilter(hash32(new Uint8Array(32)) as never, strings))
    expect(matchFilter(filter, hash32(new Uint8Array(32)) as never, packed).length).toBe(10)
  })
})
