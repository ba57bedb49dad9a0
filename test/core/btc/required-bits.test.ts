import { describe, expect, test } from 'vitest'
import {
  fromDisplayHex,
  fromHex,
  hash32,
  toDisplayHex,
  toHex,
} from '../../../src/core/base/bytes.ts'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { decodeHeader, headerHash } from '../../../src/core/btc/block.ts'
import type { Ancestor } from '../../../src/core/btc/header.ts'
import {
  bitsOfTarget,
  checkHeader,
  hashMeetsTarget,
  requiredBits,
  retargetBits,
  targetOfBits,
  workOfBits,
} from '../../../src/core/btc/header.ts'
import { mainnet, regtest, signet, testnet3, testnet4 } from '../../../src/core/btc/network.ts'
import { vectorText } from '../../support/vectors.ts'
import { headerAt } from './builders.ts'

// Specification §14.4. Height, first time, last time, old bits, new bits, hash at the new height.
const retargets = [
  [
    2016,
    1231006505,
    1233061996,
    0x1d00ffff,
    0x1d00ffff,
    '00000000a141216a896c54f211301c436e557a8d55900637bbdce14c6c7bddef',
  ],
  [
    32256,
    1261130161,
    1262152739,
    0x1d00ffff,
    0x1d00d86a,
    '000000004f2886a170adb7204cb0c7a824217dd24d11a74423d564c4e0904967',
  ],
  [
    68544,
    1279008237,
    1279297671,
    0x1c05a3f4,
    0x1c0168fd,
    '0000000000519051eb5f3c5943cdbc176a0eff4e1fbc3e08287bdb76299b8e5c',
  ],
  [
    209664,
    1352743186,
    1353928117,
    0x1a04faeb,
    0x1a04e0ea,
    '00000000000001643623e3cf2456a2983c1915228a17f651a30c2eda4e300eda',
  ],
  [
    481824,
    1502282210,
    1503539571,
    0x180130e0,
    0x18013ce9,
    '0000000000000000001c8018d9cb3b742ef25114f27563e3fc4a1902167f9893',
  ],
  [
    497952,
    1511553196,
    1512577362,
    0x1800d0f6,
    0x1800b0ed,
    '000000000000000000139d2fc37814f5efdc637a6c8e1b202f9ee12365b01403',
  ],
  [
    556416,
    1545175965,
    1546275302,
    0x17371ef4,
    0x173218a5,
    '0000000000000000002a531985d49cdb5adcd1db0578845a233a3a2cfdefdf8f',
  ],
  [
    588672,
    1563880937,
    1564972845,
    0x171f3a08,
    0x171c3039,
    '0000000000000000001c2a0a3aa902828a10be3588871b01699232c58de04d70',
  ],
  [
    689472,
    1623614836,
    1625293501,
    0x170e1ef9,
    0x171398ce,
    '000000000000000000124347f70edac39e58d972c79086d860929baf07e455aa',
  ],
  [
    709632,
    1635710370,
    1636865834,
    0x170cfecf,
    0x170c69ea,
    '0000000000000000000687bca986194dc2c1f949318629b44bb54ec0a94d8244',
  ],
  [
    832608,
    1708008110,
    1709253900,
    0x170371b1,
    0x17038c12,
    '00000000000000000001e529aa1b6b7433794e9b33723be85daeab7fdaabf1c0',
  ],
] as const

/** Meets every target. */
const lowestHash = hash32(new Uint8Array(32))

/** A period that ends below `height`: its first header, its last, nothing asked of the rest. */
const periodBefore =
  (height: number, first: BlockHeader, last: BlockHeader): Ancestor =>
  (at) =>
    at === height - 2016 ? first : last

// Specification §14.4: testnet3 headers 2132555 and 2132556.
const testnetHeaders = [
  '004000200e1ff99438666c67c649def743fb82117537c2017bcc6ad617000000000000007fa40cf82bf224909e3174281a57af2eb3a4a2a961d33f50ec0772c1221c9e61ddfdc061ffff001a64526636',
  '00000020974f55e77dff100bc252a01aa7b00d16736c6e04a091b03be200000000000000c44f2d69fc200c4a2211885000b6b67512f42c1bec550f3754e103b6c4046e05a202c161ffff001d09ec1bc4',
]

describe('required bits (HDR-6 to HDR-8)', () => {
  test.each(retargets)('mainnet retargets at %d', (height, first, last, old, bits, hash) => {
    const ancestor = periodBefore(height, headerAt(first, old), headerAt(last, old))
    const context = { network: mainnet, height, ancestor, time: last + 600 }
    expect(requiredBits(context)).toBe(bits)
    expect(hashMeetsTarget(fromDisplayHex(hash), targetOfBits(bits, mainnet) ?? 0n)).toBe(true)
  })

  test('a period of more than eight weeks counts as eight', () => {
    const first = headerAt(1263163443, 0x1c387f6f)
    expect(retargetBits({ network: mainnet, first, last: headerAt(1269211443, 0x1c387f6f) })).toBe(
      0x1d00e1fd,
    )
  })

  test('the limit bounds a retarget', () => {
    const [first, last] = [headerAt(0, 0x1d00ffff), headerAt(4_000_000, 0x1d00ffff)]
    expect(retargetBits({ network: mainnet, first, last })).toBe(0x1d00ffff)
    expect(
      retargetBits({
        network: signet,
        first: headerAt(0, 0x1e0377ae),
        last: headerAt(4_000_000, 0x1e0377ae),
      }),
    ).toBe(0x1e0377ae)
  })

  test('a chain whose times run backwards has a negative span, which clamps like a short one', () => {
    const start = testnet3.genesis.time
    const ancestor: Ancestor = (height) => headerAt(start - height, 0x1d00ffff)
    const context = { network: testnet3, height: 2016, ancestor, time: start }
    expect(requiredBits(context)).toBe(473_956_288)
  })

  // In the block storm of November 2024 block 3,229,631 of testnet3 was older than block 3,227,616,
  // which begins its period. Computed unsigned, the span is 136 years, and clamps to the other end.
  // Times and bits here are made up.
  test('bitcoin §13.16: the negative span of the period that ends with testnet3 3229631 clamps to a quarter', () => {
    const [first, last] = [headerAt(1_730_700_000, 0x1a01aa3d), headerAt(1_730_600_000, 0x1a01aa3d)]
    const ancestor = periodBefore(3_229_632, first, last)
    const context = { network: testnet3, height: 3_229_632, ancestor, time: last.time + 600 }
    const target = targetOfBits(0x1a01aa3d, testnet3) ?? 0n
    expect(requiredBits(context)).toBe(bitsOfTarget(target / 4n))
    expect(requiredBits(context)).not.toBe(bitsOfTarget(target * 4n))
  })

  // Block 30,239 of testnet4 came more than twenty minutes after its parent, at the lowest
  // difficulty; block 30,240 begins a period, and must not start from there. Bits here are made up.
  test('bitcoin §13.15: testnet4 30240 scales the first block of its period, not the easy block 30239', () => {
    const [real, easy] = [0x1c00ffff, 0x1d00ffff]
    const ancestor = periodBefore(30_240, headerAt(0, real), headerAt(1_209_600, easy))
    const context = { height: 30_240, ancestor, time: 1_210_000 }
    expect(requiredBits({ network: testnet4, ...context })).toBe(real)
    expect(requiredBits({ network: testnet3, ...context })).toBe(easy)
    expect(requiredBits({ network: mainnet, ...context })).toBe(easy)
  })

  test('bitcoin §13.18: a retarget is exact where the compact form cuts digits off', () => {
    // 0x7fffff·2^192 × 302,401 / 1,209,600 is 0x200006af…: rounded it would end in 7.
    const base = 0x1b7fffff
    const [first, last] = [headerAt(0, base), headerAt(302_401, base)]
    expect(retargetBits({ network: mainnet, first, last })).toBe(0x1b200006)
    const ancestor = periodBefore(2016, first, last)
    const verdictOn = (bits: number) =>
      checkHeader(
        { ...last, time: last.time + 600, bits, version: 4 },
        { network: mainnet, height: 2016, ancestor, nowSeconds: last.time, hash: lowestHash },
      )
    expect([5, 6, 7].map((digit) => verdictOn(0x1b200000 + digit))).toEqual([
      'bad-diffbits',
      undefined,
      'bad-diffbits',
    ])
  })

  test('regtest never retargets', () => {
    const ancestor = periodBefore(2016, headerAt(0, 0x207fffff), headerAt(1, 0x207fffff))
    const context = { network: regtest, height: 2016, ancestor, time: 2 }
    expect(requiredBits(context)).toBe(0x207fffff)
    const harder = periodBefore(2016, headerAt(0, 0x1f7fffff), headerAt(1, 0x1f7fffff))
    expect(requiredBits({ ...context, ancestor: harder })).toBe(0x1f7fffff)
  })

  test('inside a period the bits stay, whatever the time, without the 20-minute rule', () => {
    const ancestor: Ancestor = () => headerAt(1_000, 0x1b0404cb)
    for (const network of [mainnet, signet])
      expect(requiredBits({ network, height: 5, ancestor, time: 9_999_999 })).toBe(0x1b0404cb)
  })

  test.each([testnet3, testnet4])('20-minute rule of $name', (network) => {
    const ancestor: Ancestor = () => headerAt(1_000, 0x1b0404cb)
    const at = (time: number) => requiredBits({ network, height: 5, ancestor, time })
    expect(at(2_200)).toBe(0x1b0404cb)
    expect(at(2_201)).toBe(0x1d00ffff)
  })

  test('after minimum-difficulty blocks the last real bits return', () => {
    const bitsAt =
      (bits: readonly number[]): Ancestor =>
      (height) =>
        headerAt(1_000, bits[height] ?? 0)
    const next = (bits: readonly number[]) =>
      requiredBits({ network: testnet3, height: bits.length, ancestor: bitsAt(bits), time: 1_001 })
    const easy = 0x1d00ffff
    expect(next([easy, 0x1c0fffff, easy, easy])).toBe(0x1c0fffff)
    expect(next([easy, easy, easy])).toBe(easy)
    // The walk stops at the start of a period, whose bits count even if they are the easiest.
    const period = [...new Array<number>(2016).fill(0x1b0404cb), easy, easy]
    expect(next(period)).toBe(easy)
  })

  test('the testnet3 pair of the specification uses the 20-minute rule', () => {
    const [parent, child] = testnetHeaders.map((hex) => decodeHeader(fromHex(hex)))
    if (parent === undefined || child === undefined) throw new Error('two headers are listed')
    const context = { network: testnet3, height: 2_132_556, ancestor: () => parent }
    expect(requiredBits({ ...context, time: child.time })).toBe(child.bits)
    expect(requiredBits({ ...context, time: parent.time + 1_200 })).toBe(parent.bits)
  })
})

/** Bits of the periods of mainnet from the 17th on; those before it have the limit. */
const mainnetBits = `
  1d00d86a 1d00c428 1d00be71 1d008cc3 1c654657 1c43b3e5 1c387f6f 1c381375 1c2a1115
  1c20bca7 1c16546f 1c13ec53 1c159c24 1c0f675c 1c0eba64 1c0d3142 1c0ae493 1c05a3f4
  1c0168fd 1c010c5a 1c00ba18 1c00800e 1b692098 1b5bede6 1b4766ed 1b31b2a3 1b2f8e9d
  1b1e7eca 1b153263 1b0e7256 1b098b2a 1b081cd2 1b055953 1b04864c 1b0404cb 1b038dee
  1b02fa29 1b028552 1b01cc26 1b012dcd 1b00dc31 1b00f339 1b00cbbd 1b00b5ac 1b0098fa
  1a6a93b3 1a44b9f2 1a269421 1a1d932f 1a132185 1a0c2a12 1a0abbcf 1a09ec04 1a08e1e5
  1a094a86 1a096fe3 1a098ea5 1a09ee5d 1a0b6d4b 1a0df0ca 1a0e119a 1a0f61b1 1a0e8668
  1a0e76ba 1a0d69d7 1a0cd43f 1a0c290b 1a0c309c 1a0b350c 1a0b3287 1a0a507e 1a0aa1e3
  1a0b1ef7 1a09ae02 1a0a8b5f 1a0a98d6 1a09b78a 1a099431 1a08fd2e 1a083cc9 1a07a85e
  1a06dfbe 1a063a38 1a05db8b 1a057e08 1a0575ef 1a0513c5 1a04faeb
`

test('work accumulates as on mainnet through heights 2015 and 209,663', () => {
  const easiest = new Array<number>(16).fill(0x1d00ffff)
  const harder = mainnetBits
    .trim()
    .split(/\s+/)
    .map((bits) => Number.parseInt(bits, 16))
  const works = [...easiest, ...harder].map((bits) => 2016n * workOfBits(bits))
  expect(works[0]).toBe(0x7e007e007e0n)
  expect(works.length).toBe(209_664 / 2016)
  expect(works.reduce((sum, work) => sum + work)).toBe(0x21d38c3de21fde2be0n)
})

describe('2,633 mainnet headers', () => {
  const FIRST_HEIGHT = 586_657

  function read(csv: string): readonly BlockHeader[] {
    const rows = csv.trim().split('\n').slice(1)
    return rows.map((row) => {
      const [version = '', previous = '', root = '', time = '', bits = '', nonce = ''] =
        row.split(',')
      return {
        version: Number.parseInt(version, 16) | 0,
        previous: fromDisplayHex(previous),
        merkleRoot: fromDisplayHex(root),
        time: Number.parseInt(time, 16),
        bits: Number.parseInt(bits, 16),
        nonce: Number.parseInt(nonce, 16),
      }
    })
  }

  test('each follows its ancestors, the retarget at 588,672 included', (context) => {
    const headers = read(vectorText(context, 'bitcoin-canister/headers.csv'))
    expect(headers.length).toBe(2_633)
    // The period begins one header before the file: its time and bits stand in §14.4.
    const periodStart = headerAt(1_563_880_937, 0x171f3a08)
    // What lies before is as old as that: the median of the first ones is then a lower one.
    const ancestor: Ancestor = (height) => {
      const header = height < FIRST_HEIGHT ? periodStart : headers[height - FIRST_HEIGHT]
      if (header === undefined) throw new Error(`no header at ${height}`)
      return header
    }
    let checked = 0
    for (const [i, header] of headers.entries()) {
      const height = FIRST_HEIGHT + i
      const before = headers[i - 1]
      if (before !== undefined) expect(toHex(header.previous)).toBe(toHex(headerHash(before)))
      const rules = { network: mainnet, height, ancestor, nowSeconds: header.time }
      expect(checkHeader(header, rules), `height ${height}`).toBeUndefined()
      checked++
    }
    expect(checked).toBe(2_633)
    const at = ancestor(588_672)
    expect(toDisplayHex(headerHash(at))).toBe(
      '0000000000000000001c2a0a3aa902828a10be3588871b01699232c58de04d70',
    )
    expect(at.bits).toBe(0x171c3039)
    expect(
      checkHeader(
        { ...at, bits: 0x171f3a08 },
        {
          network: mainnet,
          height: 588_672,
          ancestor,
          nowSeconds: at.time,
          hash: lowestHash,
        },
      ),
    ).toBe('bad-diffbits')
  })
})
