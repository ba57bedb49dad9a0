/**
 * Public key derivation: threshold specification Annex A.5, A.6, A.7, §13. The words of a path
 * are ASCII elements.
 */
import { p256 } from '@noble/curves/nist.js'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, u32be, utf8 } from '../../../src/core/base/bytes.ts'
import type { DerivationGroup, ExtendedKey } from '../../../src/core/base/derivation.ts'
import {
  deriveEd25519Key,
  deriveInGroup,
  derivePublicKey,
  masterKey,
} from '../../../src/core/base/derivation.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { decodePoint, encodePoint, mod } from '../../../src/core/base/group.ts'
import { hash160 } from '../../../src/core/base/hash.ts'
import { ed25519Group } from '../../../src/core/base/noble-ed25519.ts'
import { secp256k1 } from '../../../src/core/base/noble-secp256k1.ts'
import { addressOfScript } from '../../../src/core/btc/address.ts'
import { mainnet } from '../../../src/core/btc/network.ts'
import { p2wpkhScript } from '../../../src/core/btc/script.ts'
import { principalOfText } from '../../../src/core/ic/principal.ts'

const words = (text: string): Uint8Array[] => text.split(', ').map(utf8)
const from = (publicKey: string, chainCode = '00'.repeat(32)): ExtendedKey => ({
  publicKey: fromHex(publicKey),
  chainCode: fromHex(chainCode),
})

const ecdsaKey1 = '02121bc3a5c38f38ca76487c72007ebbfd34bc6c4cb80a671655aa94585bbd0a02'
const ecdsaTestKey1 = '02f9ac345f6be6db51e1c5612cddb59e72c3d0d493c994d12035cf13257e3b1fa7'
const bip340Key1 = '02246e29785f06d37a8a50c49f6152a34df74738f8c13a44f59fef4cbe90eb13ac'
const bip340TestKey1 = '037a651a2e5ef3d1ef63e84c4c4caa029fa4a43a347a91e4d84a8e846853d51be1'
const pocketIc = {
  key_1: '036ad6e838b46811ad79c37b2f4b854b7a05f406715b2935edc5d3251e7666977b',
  test_key_1: '03cc365e15cb552589c7175717b2ac63d1050b9bb2e5aed35432b1b1be55d3abcf',
  dfx_test_key: '03e6f78b1a90e361c5cc9903f73bb8acbe3bc17ad01e82554d25cf0ecd70c67484',
}
const canister = fromHex('0000000001b0655c0101')
const pocketCanister = principalOfText('uzt4z-lp777-77774-qaabq-cai')
const pocketPath = (scheme: string, name: string): Uint8Array[] => [
  pocketCanister,
  ...words(`Test, Derivation, For, PocketIC, ${scheme}, ${name}`),
]

type Row = {
  readonly name: string
  readonly start: ExtendedKey
  readonly path: readonly Uint8Array[]
  readonly publicKey: string
  readonly chainCode?: string
}

const samples = from(
  '0291f38cada7f498d467a18527dc6706b6343b124062776a9996077820d2c76be2',
  '9cfbcc11fbc2d401c3719785c31840a2bad151baf28c3795bc63f5fbc9cb26d7',
)
const icStart = from('034313d67f176fcb486756322e2cca9cd0aa4504e7c8128222a7b54bf02f1742c1')

const rows: readonly Row[] = [
  {
    name: 'ECDSA test_key_1',
    start: from(ecdsaTestKey1),
    path: [canister, ...words('Hello, Threshold, Signatures')],
    publicKey: '0315ae8bb8c6e9f78eec2167f5ac773067f37a39da1a1efbc585f9e90658d1c620',
    chainCode: '366057592ee6212c33dd76f5b4de2ac44a20e861078347fc77d252cbc9d70a5c',
  },
  {
    name: 'BIP340 test_key_1',
    start: from(bip340TestKey1),
    path: [canister, ...words('Hello, Threshold, Signatures')],
    publicKey: '0237ca6a41c1db8ab40410445250a5d46fbec7f3e449c8f40f86d8622a4106cebd',
  },
  {
    name: 'ECDSA key_1',
    start: from(ecdsaKey1),
    path: [canister, fromHex('abcdef'), fromHex('012345')],
    publicKey: '02735ca28b5c3e380016d7f28bf4703b540a8bbe8e24beffdc021455ca2ab93fe3',
    chainCode: 'a58900ab4a5afcdd8c32b879cadcce857f22814f38761cbe6ca951fa359906bb',
  },
  {
    name: 'BIP340 key_1',
    start: from(bip340Key1),
    path: [canister, fromHex('abcdef'), fromHex('012345')],
    publicKey: '03e5e92c2399985f82521b110ac3dbf697a6b9522002c0d31d0b7cd5352c343457',
  },
  {
    name: 'PocketIC ECDSA key_1',
    start: from(pocketIc.key_1),
    path: pocketPath('ECDSA, secp256k1', 'key_1'),
    publicKey: '03bca84b5629dc70a37cadb5b3cda0bfc35abc5658f1d9bf8335b10199785a3836',
  },
  {
    name: 'PocketIC ECDSA test_key_1',
    start: from(pocketIc.test_key_1),
    path: pocketPath('ECDSA, secp256k1', 'test_key_1'),
    publicKey: '022ff35c84bd4cf899707789cfe5db76ce4a650563e678c53e8b128cb4bf4c3763',
  },
  {
    name: 'PocketIC ECDSA dfx_test_key',
    start: from(pocketIc.dfx_test_key),
    path: pocketPath('ECDSA, secp256k1', 'dfx_test_key'),
    publicKey: '03f005cf69911ae75f622ce0a621ccddba1a30ea1f6c3d67dd56acbbddb88a9374',
  },
  {
    name: 'samples.json, three words of digits',
    start: from(
      '02b84ff3f88329a887657d0309bd1a1af9e37601e5d1a535d6fe7d42e37f79f40a',
      '212891bc032f28d369bacf39dc369feb516eced9a3d83498246aead1546f8cd1',
    ),
    path: words('2, 444, 66666'),
    publicKey: '024bf78e40bb51d2c6c14c11aa8f3af1549741de5acdf925e6dc230dfc5daa22d9',
    chainCode: 'bc35b8515f03aa1543081e2af4e878f28b27f3ce00c035f4068702d33ee88586',
  },
  {
    name: 'samples.json, two empty elements',
    start: samples,
    path: [new Uint8Array(), new Uint8Array()],
    publicKey: '03e204c5244fc5a7a98be3d643fca87b3f0b73db55cdd23abb197c191c89e4bfc6',
    chainCode: 'f28e1c6f888684f2a46ab564e648e08a45e27b2d5b7b799ffd6adbd424dc643f',
  },
  {
    name: 'samples.json, a word',
    start: samples,
    path: words('bungee'),
    publicKey: '02cc48da88c3b372cb5d5ac2665c92da65714de07ad148a5a838bb5e95fbddb591',
    chainCode: '2dfe858431260fefb8b8093cfbf69bd1428c08757eee9131b901f9010238703b',
  },
  {
    name: 'dfinity/ic, five bytes',
    start: icStart,
    path: [fromHex('0102030405')],
    publicKey: '02cf5b8b78e5663d2de5f34b15fae61096335674bae520a0989a1cb19f47a0b1c7',
    chainCode: '701de4dca971413c3388039fe838ae9ec000cedcebda8c0b31388d10d959d31a',
  },
  {
    name: 'dfinity/ic, six bytes',
    start: icStart,
    path: [fromHex('080002080002')],
    publicKey: '03a8299cdbc7fc2e61e56d5dd11c5c933fb32ffbefbf4d451f601f60d0a9f6a1d4',
    chainCode: '96420bd99dea768cc5d7bb85ec85753ff1c39e47e24ffb43cfab236832e017e3',
  },
  {
    name: 'dfinity/ic, both',
    start: icStart,
    path: [fromHex('0102030405'), fromHex('080002080002')],
    publicKey: '0292879f7c52e7389600602b32f47aa9a694c31370b8d8131f91342952bf6667e9',
    chainCode: '545054338b6149de7b098112c41277b7c8db56802c27a6cef51bc0fe0ac589df',
  },
  ...(['key_1', 'test_key_1', 'dfx_test_key'] as const).map((name, i) => ({
    name: `PocketIC BIP340 ${name}`,
    start: from(pocketIc[name]),
    path: pocketPath('Bip340secp256k1', name),
    publicKey:
      [
        '024f77f16549f46e56ef2d33223487dddce3ca4fab7368e2b2cb5c03286d59756a',
        '029b3356b7f6070eb611f88a9a0ea1071131269ed4a6765ce8809796d048aafb33',
        '02cf1cf363bf09db82d48a8e18a58abbc7d95a9c9e85167a6cc5dea5d81cac2904',
      ][i] ?? '',
  })),
]

const ed25519Keys = {
  key_1: '476374d9df3a8af28d3164dc2422cff894482eadd1295290b6d9ad92b2eeaa5c',
  test_key_1: '6c0824beb37621bcca6eecc237ed1bc4e64c9c59dcb85344aa7f9cc8278ee31f',
  pocketIc: {
    key_1: 'db415b8eb85bd5127b0984723e0448054042cf40e7a9c262ed0cc87ecea98349',
    test_key_1: '6ed9121ecf701b9e301fce17d8a65214888984e8211225691b089d6b219ec144',
    dfx_test_key: '7124afcb1be5927cac0397a7447b9c3cda2a4099af62d9bc0a2c2fe42d33efe1',
  },
}

const ed25519Rows: readonly Row[] = [
  {
    name: 'test_key_1',
    start: from(ed25519Keys.test_key_1),
    path: [canister, ...words('Hello, Threshold, Signatures')],
    publicKey: 'd9a2ce6a3cd33fe16dce37e045609e51ff516e93bb51013823d6d7a915e3cfb9',
  },
  {
    name: 'key_1',
    start: from(ed25519Keys.key_1),
    path: [canister, fromHex('abcdef'), fromHex('012345')],
    publicKey: '43f0008b26564b6da51f585ad47669dfeb1db6d94d7dd216bd304fc1f5f5e997',
  },
  ...(['key_1', 'test_key_1', 'dfx_test_key'] as const).map((name, i) => ({
    name: `PocketIC ${name}`,
    start: from(ed25519Keys.pocketIc[name]),
    path: pocketPath('Ed25519', name),
    publicKey:
      [
        '41a958daab5eded78e32e06be097ff85563a0d71230114bf52cfb7d633110393',
        '6a0d9ea275f24797b451a42b824bda2a8576d35c73de08417092cbe0128849dc',
        '3e9346f7c29d9c3a651309edbf92afbe1ac2eb6c02f2d384f6c105a5b6e8c75f',
      ][i] ?? '',
  })),
]

const addressOf = (publicKey: Uint8Array): string | undefined =>
  addressOfScript(p2wpkhScript(hash160(publicKey)), mainnet)

describe('known answers', () => {
  test.each(rows)('$name', ({ start, path, publicKey, chainCode }) => {
    const derived = derivePublicKey(start, path)
    expect(toHex(derived.publicKey)).toBe(publicKey)
    if (chainCode !== undefined) expect(toHex(derived.chainCode)).toBe(chainCode)
    const tweaked = secp256k1.add(
      decodePoint(secp256k1, start.publicKey),
      secp256k1.g.multiplyPublic(derived.tweak),
    )
    expect(toHex(encodePoint(secp256k1, tweaked))).toBe(publicKey)
  })

  test.each(ed25519Rows)('Ed25519 $name', ({ start, path, publicKey }) => {
    const derived = deriveEd25519Key(start, path)
    expect(toHex(derived.publicKey)).toBe(publicKey)
    expect(derived.chainCode).toHaveLength(32)
    const tweaked = ed25519Group.add(
      decodePoint(ed25519Group, start.publicKey),
      ed25519Group.g.multiplyPublic(derived.tweak),
    )
    expect(toHex(encodePoint(ed25519Group, tweaked))).toBe(publicKey)
  })

  test('the published tweak', () => {
    const start = from(
      '02b84ff3f88329a887657d0309bd1a1af9e37601e5d1a535d6fe7d42e37f79f40a',
      '212891bc032f28d369bacf39dc369feb516eced9a3d83498246aead1546f8cd1',
    )
    expect(derivePublicKey(start, words('2, 444, 66666')).tweak).toBe(
      0x5846fde4ab7e56e02a9631b460221746a74e236a8a5dee9681b1b1c646d6b661n,
    )
  })

  test('the address of the Chain Fusion Signer', () => {
    const start = from(
      '0259761672ec7ee3bdc5eca95ba5f6a493d1133b86a76163b68af30c06fe3b75c0',
      'f666a98c7f70fe281ca8142f14eb4d1e0934a439237da83869e2cfd924b270c0',
    )
    const caller = principalOfText(
      'nggqm-p5ozz-i5hfv-bejmq-2gtow-4dtqw-vjatn-4b4yw-s5mzs-i46su-6ae',
    )
    const { publicKey } = derivePublicKey(start, [Uint8Array.of(0), caller])
    expect(addressOf(publicKey)).toBe('bc1qwug6tj9z7tgvsp4u8sfzvjzatzs9rmwwck6qky')
  })
})

describe('ckBTC on mainnet', () => {
  const minter = fromHex('00000000023000070101')
  const minterKey = derivePublicKey(masterKey(fromHex(ecdsaKey1)), [minter])
  const accountKey = (owner: Uint8Array, subaccountEnd = ''): Uint8Array => {
    const end = fromHex(subaccountEnd)
    const subaccount = concat(new Uint8Array(32 - end.length), end)
    return derivePublicKey(minterKey, [Uint8Array.of(1), owner, subaccount]).publicKey
  }

  test('the key of the minter, and the one below it', () => {
    expect(toHex(minterKey.publicKey)).toBe(
      '0222047a81d4f8a067031c89273d241b79a5a007c04dfaf36d07963db0b99097eb',
    )
    expect(toHex(minterKey.chainCode)).toBe(
      '821aebb643bd97d319d2fd0b2e483d4e7de2ea9039ff67568b693e6abc14a03b',
    )
    const below = derivePublicKey(minterKey, [Uint8Array.of(1)])
    expect(toHex(below.publicKey)).toBe(
      '02f45b92cccc52dc86cd3a2671e27bd14fa8b9d660e68ab216037f81d4d58d2a84',
    )
    expect(toHex(below.chainCode)).toBe(
      '5430576376210b602392abd6306081e5966da1df134e558f3e3c52cc431c52e8',
    )
  })

  test('the main address', () => {
    const key = accountKey(minter)
    expect(toHex(key)).toBe('02d631cd2a1f63dbb42614c70a08313715fd86343c53d87195dc5bd8cd17cc186e')
    expect(addressOf(key)).toBe('bc1q0jrxz4jh59t5qsu7l0y59kpfdmgjcq60wlee3h')
    expect(toHex(principalOfText('mqygn-kiaaa-aaaar-qaadq-cai'))).toBe(toHex(minter))
  })

  test.each([
    ['3gvau-pyaaa-aaaao-qa7kq-cai', '0104', 'bc1q9q0kg90px3w9dadxku2x5pme77plcqxtn535rt'],
    [
      '3gvau-pyaaa-aaaao-qa7kq-cai',
      '1d975cfc3cd470db2317d4c9ef429710242188de07e3f9da0ebc1da43b02',
      'bc1qvxx6fzd8hzzw070zsd5m0k0eh00593negrvtrj',
    ],
    ['farwr-jqaaa-aaaao-qj4ya-cai', '0104', 'bc1q7grqgee386r6qf74srt4h0s69cvkav7kgup4l7'],
    [
      'farwr-jqaaa-aaaao-qj4ya-cai',
      '1d0cda41b8d0546386e9b5054ca5967feb42ce040658d53f4c9acf3fd202',
      'bc1qpamdxt8rx5lr256dq7u4dnua02tlrdwyeerzwx',
    ],
    [
      'farwr-jqaaa-aaaao-qj4ya-cai',
      '1d055b3d1dc0df6a07d5c7c27e245b1ee88309299a50088c0ed5b9995902',
      'bc1qxzlu00s4k83ts763s57xz89n3tnwfm3q6z3pt8',
    ],
  ])('the deposit address of %s, subaccount …%s', (owner, subaccount, address) => {
    expect(addressOf(accountKey(principalOfText(owner), subaccount))).toBe(address)
  })
})

describe('rules', () => {
  const start = masterKey(fromHex(ecdsaKey1))

  test('the retry of SLIP-0010 on P-256', () => {
    const { Point } = p256
    const group: DerivationGroup<InstanceType<typeof Point>> = {
      name: 'secp256k1',
      order: Point.Fn.ORDER,
      g: {
        point: Point.BASE,
        multiplySecret: (scalar) => Point.BASE.multiply(scalar),
        multiplyPublic: (scalar) => Point.BASE.multiplyUnsafe(mod(scalar, Point.Fn.ORDER)),
      },
      decode: (bytes) => Point.fromBytes(bytes),
      encode: (points) => points.map((point) => point.toBytes(true)),
      isZero: (point) => point.is0(),
      add: (a, b) => a.add(b),
    }
    const before = from(
      '02519b5554a4872e8c9c1c847115363051ec43e93400e030ba3c36b52a3e70a5b7',
      'e94c8ebe30c2250a14713212f6449b20f3329105ea15b652ca5bdfc68f6c65c2',
    )
    const derived = deriveInGroup(group, before, [u32be(33941)])
    expect(toHex(derived.publicKey)).toBe(
      '0235bfee614c0d5b2cae260000bb1d0d84b270099ad790022c1ae0b2e782efe120',
    )
    expect(toHex(derived.chainCode)).toBe(
      '9e87fe95031f14736774cd82f25fd885065cb7c358c1edf813c72af535e83071',
    )
  })

  test('an empty path gives the key itself; element borders matter', () => {
    expect(derivePublicKey(start, [])).toEqual({ ...start, tweak: 0n })
    const keys = [['ab'], ['a', 'b'], ['', 'ab'], ['ab', '']].map((path) =>
      toHex(derivePublicKey(start, path.map(utf8)).publicKey),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('the rest of a path can be derived from what was returned', () => {
    const path = ['a', '', 'c'].map(utf8)
    const half = derivePublicKey(start, path.slice(0, 1))
    const rest = derivePublicKey(half, path.slice(1))
    const whole = derivePublicKey(start, path)
    expect(rest.publicKey).toEqual(whole.publicKey)
    expect(rest.chainCode).toEqual(whole.chainCode)
    expect(mod(half.tweak + rest.tweak, secp256k1.order)).toBe(whole.tweak)
  })

  test('a caller and 255 elements derive, one more is refused', () => {
    const elements = (count: number): Uint8Array[] =>
      Array.from({ length: count }, () => new Uint8Array())
    expect(derivePublicKey(start, elements(256)).publicKey).toHaveLength(33)
    expect(() => derivePublicKey(start, elements(257))).toThrow(BadEncoding)
  })

  test('an Ed25519 key derives in steps as at once; element borders matter', () => {
    const key = masterKey(fromHex(ed25519Keys.key_1))
    expect(deriveEd25519Key(key, [])).toEqual({ ...key, tweak: 0n })
    const path = ['a', '', 'c'].map(utf8)
    const half = deriveEd25519Key(key, path.slice(0, 1))
    const rest = deriveEd25519Key(half, path.slice(1))
    const whole = deriveEd25519Key(key, path)
    expect([rest.publicKey, rest.chainCode]).toEqual([whole.publicKey, whole.chainCode])
    expect(mod(half.tweak + rest.tweak, ed25519Group.order)).toBe(whole.tweak)
    const keys = [['ab'], ['a', 'b'], ['', 'ab'], ['ab', '']].map((elements) =>
      toHex(deriveEd25519Key(key, elements.map(utf8)).publicKey),
    )
    expect(new Set(keys).size).toBe(keys.length)
    const long = Array.from({ length: 257 }, () => new Uint8Array())
    expect(deriveEd25519Key(key, long.slice(1)).publicKey).toHaveLength(32)
    expect(() => deriveEd25519Key(key, long)).toThrow(BadEncoding)
  })

  test.each([
    ['the identity', `01${'00'.repeat(31)}`],
    ['33 bytes', `${ed25519Keys.key_1}00`],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ])('%s is no Ed25519 key to start from', (_, key) => {
    expect(() => deriveEd25519Key(masterKey(fromHex(key)), [])).toThrow(BadEncoding)
  })

  test.each([
    ['the identity', '00'.repeat(33)],
    ['32 bytes', ecdsaKey1.slice(2)],
    ['a point off the curve', `02${'00'.repeat(32)}`],
  ])('%s is no key to start from', (_, key) => {
    expect(() => derivePublicKey(masterKey(fromHex(key)), [])).toThrow(BadEncoding)
  })
})
