/** Vectors of the ledger specification §19.1: published with ICRC-3 or recomputed. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { leb128, sleb128 } from '../../../src/core/ic/cursor.ts'
import type { Entry, Value } from '../../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../../src/core/ledger/blocks/value.ts'
import { arbitraryValue } from './arbitraries.ts'

const blob = (hex: string): Value => ({ type: 'blob', blob: fromHex(hex) })
const text = (value: string): Value => ({ type: 'text', text: value })
const nat = (value: bigint): Value => ({ type: 'nat', nat: value })
const int = (value: bigint): Value => ({ type: 'int', int: value })
const array = (...values: readonly Value[]): Value => ({ type: 'array', array: values })
const map = (entries: Readonly<Record<string, Value>>): Value => ({
  type: 'map',
  map: Object.entries(entries),
})

const ZERO = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
const N127 = '620bfdaa346b088fb49998d92f19a7eaf6bfc2fb0aee015753966da1028cb731'
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const AB = '3f7904d1e68700cbc3126da1b22c23b9ca625a3fdff4493e50feaad69162be74'

const VECTORS: readonly (readonly [name: string, value: Value, hash: string])[] = [
  ['Nat 42', nat(42n), '684888c0ebb17f374298b65ee2807526c066094c701bcc7ebbe1c1095f494fc1'],
  ['Int -42', int(-42n), 'de5a6f78116eca62d7fc5ce159d23ae6b889b365a1739ad2cf36f925a140d0cc'],
  [
    'Text Hello, World!',
    text('Hello, World!'),
    'dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f',
  ],
  [
    'Blob 01020304',
    blob('01020304'),
    '9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a',
  ],
  [
    'Array of three',
    array(nat(3n), text('foo'), blob('0506')),
    '514a04011caa503990d446b7dec5d79e19c221ae607fb08b2848c67734d468d6',
  ],
  [
    'Map of a transfer',
    map({
      from: blob('00abcdef0012340056789a00bcdef000012345678900abcdef01'),
      to: blob('00ab0def0012340056789a00bcdef000012345678900abcdef01'),
      amount: nat(42n),
      created_at: nat(1699218263n),
      memo: nat(0n),
    }),
    'c56ece650e1de4269c5bdeff7875949e3e2033f85b2d193c2ff4f7f78bdcfc75',
  ],
  [
    'Map of a request',
    map({
      request_type: text('call'),
      canister_id: blob('00000000000004d2'),
      method_name: text('hello'),
      arg: blob('4449444c00fd2a'),
    }),
    '8781291c347db32a9d8c10eb62b710fce5a93be676474c42babc74c51858f94b',
  ],
  ['Nat 0', nat(0n), ZERO],
  ['Int 0', int(0n), ZERO],
  ['Nat 1', nat(1n), '4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a'],
  ['Nat 10', nat(10n), '01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b'],
  ['Nat 127', nat(127n), N127],
  ['Int -1', int(-1n), N127],
  ['Nat 128', nat(128n), '4f2e968b543c835e6648ddcc49faeb6987b4c293d8cd50a2db5d109741007579'],
  [
    'Nat 2^64-1',
    nat(2n ** 64n - 1n),
    '51672ea45f3539654bf9193f4ff763d90022eee7df5f5b76353d6f11a9eaccec',
  ],
  ['Nat 2^64', nat(2n ** 64n), '44ab025a31ea1fb75b3de5f3c0196c43a860b7b2c4762700a612232b5cd3b944'],
  [
    'Nat 2^256-1',
    nat(2n ** 256n - 1n),
    'e0a0e280d480b257cb25f96d5c1bb1b88a9a2c37f5a601f730e46a04b55e4016',
  ],
  ['Int 64', int(64n), 'e9aff84fdb699ca706c0a1fed47bb095cb25e3c95aa5d1c5d216ff2cfbcd4998'],
  ['Int -64', int(-64n), 'c3641f8544d7c02f3580b07c0f9887f0c6a27ff5ab1d4a3e29caf197cfc299ae'],
  ['Int -65', int(-65n), '6771eabe2def4d7c1a0d718afa73826f4224573f57d546518a5a6e6baa5806f5'],
  ['empty Blob', blob(''), EMPTY],
  ['empty Text', text(''), EMPTY],
  ['empty Array', array(), EMPTY],
  ['empty Map', map({}), EMPTY],
  [
    'Array of an empty Array',
    array(array()),
    '5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456',
  ],
  ['Text xfer', text('xfer'), '127880a76de95de38af7504cc35e53b0dc53d9c4b233c51cf9d213b403b91a3c'],
  ['Text é', text('é'), '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c'],
  ['Map a, b', map({ a: nat(1n), b: nat(2n) }), AB],
  ['Map b, a', map({ b: nat(2n), a: nat(1n) }), AB],
]

describe('the representation-independent hash', () => {
  test.each(VECTORS)('ledger §20.82: of %s is the published one', (_name, value, hash) => {
    expect(toHex(hashValue(value))).toBe(hash)
  })

  test.each([
    [leb128(0n), '00'],
    [leb128(624_485n), 'e58e26'],
    [leb128(1_677_770_607_672_807_382n), 'd69fb7e7a7efa8a417'],
    [sleb128(-123_456n), 'c0bb78'],
  ])('ledger §20.82: numbers are the printed bytes, %s is %s', (bytes, hex) => {
    expect(toHex(bytes)).toBe(hex)
  })

  test('does not depend on the order of a map', () => {
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([key]) => key }), (entries) => {
        const there = hashValue({ type: 'map', map: entries })
        const back = hashValue({ type: 'map', map: [...entries].reverse() })
        expect(toHex(there)).toBe(toHex(back))
      }),
    )
  })

  test('tells a natural number from its neighbours and from the text of it', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 2n ** 256n), (n) => {
        const hashes = [nat(n), nat(n - 1n), nat(n + 1n), text(String(n))].map(hashValue).map(toHex)
        expect(new Set(hashes).size).toBe(4)
      }),
    )
  })
})

const entry: fc.Arbitrary<Entry> = fc.tuple(fc.string(), arbitraryValue)
