import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, hash32 } from '../../../src/core/base/bytes.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { decodeHeader, encodeHeader, headerHash, txidsOf } from '../../../src/core/btc/block.ts'
import { genesisBlock } from '../../../src/core/btc/genesis.ts'
import type { Ancestor, HeaderReject } from '../../../src/core/btc/header.ts'
import {
  bitsOfTarget,
  checkHeader,
  difficulty,
  hashMeetsTarget,
  medianTimePast,
  parentMedianTime,
  requiredBits,
  targetOfBits,
  workOfBits,
} from '../../../src/core/btc/header.ts'
import { merkleRoot } from '../../../src/core/btc/merkle.ts'
import type { Network } from '../../../src/core/btc/network.ts'
import { mainnet, networks, regtest, signet, testnet4 } from '../../../src/core/btc/network.ts'
import { blankHeader, headerAt } from './builders.ts'
import { expectStrict, expectTotal } from './strict-decoder.ts'

describe('genesis blocks', () => {
  test.each(Object.values(networks))('$name: hash, merkle root, work and bits', (network) => {
    const { header, transactions } = genesisBlock(network)
    expect(headerHash(header)).toEqual(network.genesis.hash)
    expect(merkleRoot(txidsOf({ header, transactions })).root).toEqual(network.genesis.merkleRoot)
    const target = targetOfBits(header.bits, network) ?? 0n
    expect(hashMeetsTarget(network.genesis.hash, target)).toBe(true)
    expect(bitsOfTarget(network.powLimit)).toBe(network.powLimitBits)
  })
})

// Specification §14.4: consecutive mainnet headers from height 705600, then testnet3 from 2132555.
const mainnetHeaders = [
  '0400a0205849eed80b320273a73d39933c0360e127d15036a69d020000000000000000006cc2504814505bb6863d960599c1d1f76a4768090ac15b0ad5172f5a5cd918a155d86d6108040e175daab79e',
  '04e0002099be406e55cfc87242a9e4db93c822bdc7e17fefdf370d000000000000000000eba036bca22654014f363f3019d0f08b3cdf6b2747ab57eff2e6dc1da266bc0392d96d6108040e176c6624cd',
  '0400202075ab0008e3295faa81a07225ff4cd079a901217f616705000000000000000000c027a2615b11b4c75afc9e42d1db135d7124338c1f556f6a14d1257a3bd103a5f4dd6d6108040e1745d26934',
]
const testnetHeaders = [
  '004000200e1ff99438666c67c649def743fb82117537c2017bcc6ad617000000000000007fa40cf82bf224909e3174281a57af2eb3a4a2a961d33f50ec0772c1221c9e61ddfdc061ffff001a64526636',
  '00000020974f55e77dff100bc252a01aa7b00d16736c6e04a091b03be200000000000000c44f2d69fc200c4a2211885000b6b67512f42c1bec550f3754e103b6c4046e05a202c161ffff001d09ec1bc4',
]

describe('codec', () => {
  test.each([...mainnetHeaders, ...testnetHeaders])('header %#', (hex) => {
    const codec = { bytes: fromHex(hex), decode: decodeHeader, encode: encodeHeader }
    expectStrict(codec)
    expectTotal({ ...codec, runs: 50 })
  })

  test.each([mainnetHeaders, testnetHeaders])(
    'real headers link by hash and meet their target',
    (...list) => {
      const headers = list.map((hex) => decodeHeader(fromHex(hex)))
      for (const [i, header] of headers.entries()) {
        const target = targetOfBits(header.bits, mainnet) ?? 0n
        expect(hashMeetsTarget(headerHash(header), target)).toBe(true)
        const next = headers[i + 1]
        if (next !== undefined) expect(next.previous).toEqual(headerHash(header))
      }
    },
  )

  test('the version is signed', () => {
    expect(decodeHeader(encodeHeader({ ...blankHeader, version: -2 })).version).toBe(-2)
  })
})

describe('targets (HDR-1 to HDR-5)', () => {
  test.each([
    [0x1d00ffff, mainnet, 0xffffn << 208n],
    [0x1b0404cb, mainnet, 0x404cbn << 192n],
    [0x207fffff, regtest, 0x7fffffn << 232n],
    [0x03123456, mainnet, 0x123456n],
    [0x02123456, mainnet, 0x1234n],
    [0x01123456, mainnet, 0x12n],
    [0x01003456, mainnet, undefined], // Shifted to zero.
    [0x00123456, mainnet, undefined],
    [0x1d000000, mainnet, undefined],
    [0x1b8404cb, mainnet, undefined], // Sign bit.
    [0x1d010000, mainnet, undefined], // Just above the limit.
    [0x207fffff, mainnet, undefined],
    [0x21010000, regtest, undefined], // 2^256.
    [0x2100ffff, regtest, undefined], // 256 bits, above the limit of regtest.
    [0x220100ff, regtest, undefined],
    [0xff7fffff, regtest, undefined],
    [0xffffffff, regtest, undefined],
  ])('%s', (bits, network, target) => {
    expect(targetOfBits(bits, network)).toBe(target)
  })

  // Overflow of 256 bits: e > 34, e = 34 with m > 0xff, e = 33 with m > 0xffff.
  test.each([
    [0x2100ffff, true],
    [0x21010000, false],
    [0x220000ff, true],
    [0x22000100, false],
    [0x23000001, false],
  ])('bits %s have work only if their target fits 256 bits', (bits, fits) => {
    expect(workOfBits(bits) > 0n).toBe(fits)
  })

  test.each([
    [0x1d00ffffn, 0x041d00ff],
    [0x80n, 0x02008000],
    [0x7fn, 0x017f0000],
    [0x1234n, 0x02123400],
    [0x123456n, 0x03123456],
    [0x800000n, 0x04008000],
    [0x12345678n, 0x04123456],
    [0x92340000n, 0x05009234],
  ])('target %s is written as the smallest exponent that fits', (target, bits) => {
    expect(bitsOfTarget(target)).toBe(bits)
  })

  test('bits of a target truncate downward and are stable', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, regtest.powLimit), (target) => {
        const bits = bitsOfTarget(target)
        const read = targetOfBits(bits, regtest) ?? 0n
        expect(read <= target && target - read < (target >> 15n) + 1n).toBe(true)
        expect(bitsOfTarget(read)).toBe(bits)
      }),
    )
  })

  test('a hash is compared as a little-endian number, equality included', () => {
    const last = new Uint8Array(32)
    last[31] = 1
    expect(hashMeetsTarget(hash32(last), 1n << 248n)).toBe(true)
    expect(hashMeetsTarget(hash32(last), (1n << 248n) - 1n)).toBe(false)
  })

  test('difficulty counts in units of the network’s easiest block', () => {
    expect(difficulty(0x1d00ffff, mainnet)).toBe(1n)
    expect(difficulty(0x1b0404cb, mainnet)).toBe(16307n)
    expect(difficulty(0x1d00d86a, mainnet)).toBe(1n)
    expect(difficulty(0x1e0377ae, signet)).toBe(1n)
    expect(difficulty(0x1d00ffff, signet)).toBe(887n)
    expect(difficulty(0x207fffff, regtest)).toBe(1n)
  })
})

describe('times (HDR-9)', () => {
  test('the median is element ⌊n/2⌋ of the sorted times', () => {
    expect(medianTimePast([5])).toBe(5)
    expect(medianTimePast([1, 9])).toBe(9)
    expect(medianTimePast([11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6])).toBe(6)
  })

  test('the parent’s median reaches back eleven headers, or to genesis', () => {
    const ancestor: Ancestor = (height) => headerAt(height * 10, 0)
    expect(parentMedianTime({ height: 100, ancestor })).toBe(940)
    expect(parentMedianTime({ height: 3, ancestor })).toBe(10)
    expect(parentMedianTime({ height: 1, ancestor })).toBe(0)
  })
})

describe('checkHeader', () => {
  const start = 1_700_000_000
  const ancestors: Ancestor = (height) => ({ ...blankHeader, time: start + height })

  function mined(header: BlockHeader, network = regtest): BlockHeader {
    const target = targetOfBits(header.bits, network) ?? 0n
    for (let nonce = 0; ; nonce++) {
      const candidate = { ...header, nonce }
      if (hashMeetsTarget(headerHash(candidate), target)) return candidate
    }
  }

  const check = (
    header: BlockHeader,
    { network = regtest, height = 100, ancestor = ancestors, nowSeconds = start + 100 } = {},
  ) => checkHeader(header, { network, height, ancestor, nowSeconds })

  const good: BlockHeader = { ...blankHeader, time: start + 100 }

  test('a header that keeps every rule passes', () => {
    expect(check(mined(good))).toBeUndefined()
  })

  test.each<[HeaderReject, BlockHeader]>([
    ['high-hash', { ...mined(good), bits: 0x1d00ffff }],
    ['high-hash', { ...mined(good), bits: 0x20800000 }],
    ['bad-diffbits', mined({ ...good, bits: 0x207ffffe })],
    ['time-too-old', mined({ ...good, time: start + 94 })],
    ['bad-version', mined({ ...good, version: 3 })],
    ['bad-version', mined({ ...good, version: -1 })],
    ['time-too-new', mined({ ...good, time: start + 100 + 7_201 })],
  ])('%s: case %#', (reason, header) => {
    expect(check(header)).toBe(reason)
  })

  test('the bounds themselves pass', () => {
    expect(check(mined({ ...good, time: start + 95 }))).toBeUndefined()
    expect(check(mined({ ...good, time: start + 100 + 7_200 }))).toBeUndefined()
  })

  test('a header too new with another flaw is condemned for the other flaw', () => {
    expect(check(mined({ ...good, version: 3, time: start + 9_000 }))).toBe('bad-version')
  })

  test.each([
    [2, 227_930, 1, undefined],
    [2, 227_931, 1, 'bad-version'],
    [3, 363_725, 2, 'bad-version'],
    [4, 388_381, 3, 'bad-version'],
    [4, 388_380, 3, undefined],
  ])('version %d binds on mainnet by height %d', (_, height, version, reason) => {
    const easy: Network = { ...mainnet, powLimit: regtest.powLimit, powLimitBits: 0x207fffff }
    const header = mined({ ...good, version })
    const ancestor: Ancestor = () => headerAt(start, 0x207fffff)
    expect(check(header, { network: easy, height, ancestor })).toBe(reason)
  })

  test('BIP94: only the first block of a testnet4 period is bound to 600 s before its parent', () => {
    const easy: Network = { ...testnet4, powLimit: regtest.powLimit, powLimitBits: 0x207fffff }
    const late = start + 10_000
    const ancestor: Ancestor = (height) =>
      headerAt(height % 2016 === 2015 ? late : start, 0x207fffff)
    const at = (height: number, time: number, network = easy) => {
      const required = requiredBits({ network, height, ancestor, time })
      const header = mined({ ...good, time, bits: required }, network)
      return check(header, { network, height, ancestor, nowSeconds: late })
    }
    expect(at(2016, late - 601)).toBe('time-timewarp-attack')
    expect(at(2016, late - 600)).toBeUndefined()
    expect(at(2017, start + 1)).toBeUndefined()
    expect(at(2016, late - 601, { ...easy, timewarpLimit: false })).toBeUndefined()
  })
})
