/**
 * Derivation, addresses and destinations against published values. Source: minter §3, threshold
 * annex A.7.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { derivePublicKey } from '../../../src/core/base/derivation.ts'
import { encodeBase58Check } from '../../../src/core/btc/base58.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { anonymous, principal, principalOfText } from '../../../src/core/ic/principal.ts'
import {
  addressText,
  feeCollectorSubaccount,
  parseDestination,
  pathOf,
  publicKeyOf,
  scriptOf,
  scriptOfAddress,
  scriptOfKey,
  withdrawalSubaccount,
} from '../../../src/core/minter/addresses.ts'
import type { BitcoinAddress, BitcoinNetwork } from '../../../src/core/minter/types.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'
import { invalidAddresses, validAddresses } from '../../support/published-addresses.ts'
import { vectorJson } from '../../support/vectors.ts'

const key = (publicKey: string, chainCode: string) => ({
  publicKey: fromHex(publicKey),
  chainCode: fromHex(chainCode),
})

const FIXTURE = key(
  '03947b51d0226390d60dc112595e1eb965bfa47cd0aeecbe0310e6c409fcbf6e7f',
  '4b2209cf82a9248a495027e1f99aa06f91c5c03594053e152fe868c3f920a0bd',
)
const CKBTC = key(
  '0222047a81d4f8a067031c89273d241b79a5a007c04dfaf36d07963db0b99097eb',
  '821aebb643bd97d319d2fd0b2e483d4e7de2ea9039ff67568b693e6abc14a03b',
)

const networkOf = (text: string): BitcoinNetwork => {
  const prefix = text.toLowerCase().split('1')[0]
  return prefix === 'bc' ? 'mainnet' : prefix === 'tb' ? 'testnet' : 'regtest'
}

const account = (owner: string, subaccount?: string): Account => ({
  owner: principalOfText(owner),
  ...(subaccount === undefined ? {} : { subaccount: fromHex(subaccount.padStart(64, '0')) }),
})

describe('deposit addresses', () => {
  it.each([
    [account('mqygn-kiaaa-aaaar-qaadq-cai'), 'bc1q9r8x2l89w2wfzz96scwtqzgh3fflpgyp6p2fzj'],
    [
      account('hkroy-sm7vs-yyjs7-ekppe-qqnwx-hm4zf-n7ybs-titsi-k6e3k-ucuiu-uqe', '2a'.repeat(32)),
      'bc1qpf2jkpe4tug7xamwxrve49dpxzw6cpc5c3mxf2',
    ],
  ])('of the fixture key are those of §3.3 (%#)', (owner, expected) => {
    expect(addressText(scriptOf(FIXTURE, owner), 'mainnet')).toBe(expected)
  })

  it.each([
    [account('mqygn-kiaaa-aaaar-qaadq-cai'), 'bc1q0jrxz4jh59t5qsu7l0y59kpfdmgjcq60wlee3h'],
    [account('3gvau-pyaaa-aaaao-qa7kq-cai', '0104'), 'bc1q9q0kg90px3w9dadxku2x5pme77plcqxtn535rt'],
    [
      account(
        '3gvau-pyaaa-aaaao-qa7kq-cai',
        '1d975cfc3cd470db2317d4c9ef429710242188de07e3f9da0ebc1da43b02',
      ),
      'bc1qvxx6fzd8hzzw070zsd5m0k0eh00593negrvtrj',
    ],
    [account('farwr-jqaaa-aaaao-qj4ya-cai', '0104'), 'bc1q7grqgee386r6qf74srt4h0s69cvkav7kgup4l7'],
    [
      account(
        'farwr-jqaaa-aaaao-qj4ya-cai',
        '1d0cda41b8d0546386e9b5054ca5967feb42ce040658d53f4c9acf3fd202',
      ),
      'bc1qpamdxt8rx5lr256dq7u4dnua02tlrdwyeerzwx',
    ],
    [
      account(
        'farwr-jqaaa-aaaao-qj4ya-cai',
        '1d055b3d1dc0df6a07d5c7c27e245b1ee88309299a50088c0ed5b9995902',
      ),
      'bc1qxzlu00s4k83ts763s57xz89n3tnwfm3q6z3pt8',
    ],
  ])('of ckBTC are those of the threshold annex (%#)', (owner, expected) => {
    expect(addressText(scriptOf(CKBTC, owner), 'mainnet')).toBe(expected)
  })

  it('come from the key of the main account that the annex names', () => {
    expect(toHex(publicKeyOf(CKBTC, { owner: MINTER }))).toBe(
      '02d631cd2a1f63dbb42614c70a08313715fd86343c53d87195dc5bd8cd17cc186e',
    )
  })

  it('come from the schema byte below the minter key', () => {
    const { publicKey, chainCode } = derivePublicKey(CKBTC, pathOf({ owner: MINTER }).slice(0, 1))
    expect(toHex(publicKey)).toBe(
      '02f45b92cccc52dc86cd3a2671e27bd14fa8b9d660e68ab216037f81d4d58d2a84',
    )
    expect(toHex(chainCode)).toBe(
      '5430576376210b602392abd6306081e5966da1df134e558f3e3c52cc431c52e8',
    )
  })

  it.each([
    ['mainnet', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
    ['testnet', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'],
    ['regtest', 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'],
  ] as const)('minter §23.16: of a known key on %s are those of BIP-173', (network, expected) => {
    const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
    expect(addressText(scriptOfKey(publicKey), network)).toBe(expected)
  })
})

describe('get_btc_address', () => {
  const world = new TestMinter()
  const zeros = new Uint8Array(32)

  it('minter §23.14: is the same for no subaccount and 32 zeros, and another for another', () => {
    const none = world.call('get_btc_address', user(1), {})
    expect(world.call('get_btc_address', user(1), { subaccount: zeros })).toBe(none)
    expect(world.call('get_btc_address', user(2), { owner: user(1) })).toBe(none)
    const other = world.call('get_btc_address', user(1), { subaccount: zeros.with(31, 1) })
    expect(other).not.toBe(none)
  })

  it('minter §23.15: serves the anonymous caller who names an owner, and traps for the anonymous owner', () => {
    const served = world.answer('get_btc_address', anonymous, { owner: user(1) })
    expect(served.type).toBe('reply')
    expect(world.answer('get_btc_address', anonymous, {}).type).toBe('trap')
    expect(world.answer('get_btc_address', user(1), { owner: anonymous }).type).toBe('trap')
  })

  it('of the minter is the main address, and no other', () => {
    const main = addressText(world.scriptOf({ owner: MINTER }), 'regtest')
    expect(world.call('get_btc_address', user(1), { owner: MINTER })).toBe(main)
    const asked = { owner: MINTER, subaccount: zeros }
    expect(world.call('get_btc_address', user(1), asked)).toBe(main)
    for (const subaccount of [feeCollectorSubaccount(), withdrawalSubaccount(user(1))]) {
      const own = world.answer('get_btc_address', user(1), { owner: MINTER, subaccount })
      expect(own.type).toBe('trap')
      expect(world.answer('get_btc_address', MINTER, { subaccount }).type).toBe('trap')
    }
  })

  it('traps while the key is not made', () => {
    const early = new TestMinter()
    early.state.volatile.root = undefined
    expect(early.answer('get_btc_address', user(1), {}).type).toBe('trap')
  })
})

describe('the withdrawal account', () => {
  it('minter §23.21: is the vector of §3.4', () => {
    const subaccount = withdrawalSubaccount(principalOfText('2chl6-4hpzw-vqaaa-aaaaa-c'))
    expect(toHex(subaccount)).toBe(
      'd3918f8aeef6118254d90399a3207b1fa062960f5e1b16643f2e8efb90add545',
    )
  })

  it('belongs to the minter, and the anonymous caller has none', () => {
    const world = new TestMinter()
    const answer = world.call('get_withdrawal_account', user(1), undefined)
    expect(answer).toEqual({ owner: MINTER, subaccount: withdrawalSubaccount(user(1)) })
    expect(world.answer('get_withdrawal_account', anonymous, undefined).type).toBe('trap')
  })

  it('is not the fee collector, whose subaccount ends in 0fee', () => {
    expect(toHex(feeCollectorSubaccount())).toBe(`${'00'.repeat(30)}0fee`)
  })
})

describe('a destination', () => {
  const lower = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'

  it('minter §23.17: is the same address in upper case, and none in both', () => {
    const mixed = lower.replace('w508', 'W508')
    for (const text of [mixed, `Bc1${lower.slice(3)}`, `bc1${lower.slice(3).toUpperCase()}`])
      expect(parseDestination(text, 'mainnet').type).toBe('malformed')
    const upper = parseDestination(lower.toUpperCase(), 'mainnet')
    expect(upper).toEqual(parseDestination(lower, 'mainnet'))
    expect(upper.type).toBe('destination')
  })

  it.each([
    ['no text', ''],
    ['mixed case', lower.replace('w508', 'W508')],
    ['a bad checksum', lower.replace('w508', 'w509')],
    ['witness version 2', 'bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs'],
    ['an empty program', 'bc1gmk9yu'],
    [
      'taproot with a bech32 checksum',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd',
    ],
    [
      'taproot of 40 bytes',
      'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y',
    ],
    ['version 0 of another length', 'bc1rw5uspcuh'],
    ['the prefix of another network', 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx'],
    ['a version byte of another network', 'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn'],
    ['base58 of 24 bytes', encodeBase58Check(new Uint8Array(20))],
    ['base58 of 26 bytes', encodeBase58Check(new Uint8Array(22))],
    ['base58 with a bad checksum', '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMJ'],
    [
      'a version byte that nobody has',
      encodeBase58Check(Uint8Array.from([48, ...new Uint8Array(20)])),
    ],
    ['a space before it', ` ${lower}`],
    ['a line end behind it', `${lower}\n`],
    ['a null', `${lower}\0`],
    ['very many characters', `bc1${'q'.repeat(100_000)}`],
    ['very many digits of base58', '1'.repeat(100_000)],
    ['another first character', 'xyz'],
    ['an anchor', 'bc1pfeessrawgf'],
  ])('minter §23.18: with %s is malformed', (_, text) => {
    expect(parseDestination(text, 'mainnet').type).toBe('malformed')
  })

  it('minter §23.20: of any kind and network is read back from its text', () => {
    const kinds = fc.constantFrom<readonly [BitcoinAddress['type'], number]>(
      ['p2wpkhV0', 20],
      ['p2wshV0', 32],
      ['p2trV1', 32],
      ['p2pkh', 20],
      ['p2sh', 20],
    )
    const networks = fc.constantFrom<BitcoinNetwork>('mainnet', 'testnet', 'regtest')
    const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(kinds, networks, bytes, ([type, size], network, seed) => {
        const address = { type, bytes: seed.slice(0, size) }
        const script = scriptOfAddress(address)
        const parsed = parseDestination(addressText(script, network), network)
        expect(parsed).toEqual({ type: 'destination', address, script })
      }),
    )
  })

  it.each(validAddresses)('minter §23.19: %s is taken if its kind is paid', (text, script) => {
    const network = networkOf(text)
    const parsed = parseDestination(text, network)
    const isPaid = /^(0014.{40}|0020.{64}|5120.{64})$/.test(script)
    expect(parsed.type === 'destination' ? toHex(parsed.script) : parsed.type).toBe(
      isPaid ? script : 'malformed',
    )
    for (const other of ['mainnet', 'testnet', 'regtest'] as const)
      if (other !== network) expect(parseDestination(text, other).type).toBe('malformed')
  })

  it.each(invalidAddresses)('minter §23.19: %s is malformed', (text) => {
    for (const network of ['mainnet', 'testnet', 'regtest'] as const)
      expect(parseDestination(text, network).type).toBe('malformed')
  })

  it('minter §23.19: every script of the wallet vectors of BIP-341 is paid', (context) => {
    type Vectors = { scriptPubKey: { expected: { scriptPubKey: string; bip350Address: string } }[] }
    const vectors = vectorJson<Vectors>(context, 'bitcoin-core/bip341_wallet_vectors.json')
    expect(vectors.scriptPubKey.length).toBeGreaterThan(5)
    for (const { expected } of vectors.scriptPubKey) {
      const parsed = parseDestination(expected.bip350Address, 'mainnet')
      expect(parsed.type === 'destination' && toHex(parsed.script)).toBe(expected.scriptPubKey)
    }
  })

  it('minter §23.19: is what Bitcoin Core reads, on each of its networks', (context) => {
    type Row = readonly [string, string, { chain: string; isPrivkey: boolean }]
    const rows = vectorJson<readonly Row[]>(context, 'bitcoin-core/key_io_valid.json')
    const networks = { main: 'mainnet', test: 'testnet', regtest: 'regtest' } as const
    let taken = 0
    for (const [text, script, { chain, isPrivkey }] of rows) {
      const network = chain === 'main' || chain === 'regtest' ? networks[chain] : networks.test
      const parsed = parseDestination(text, network)
      const isPaid = /^(0014|0020|5120|76a914|a914)/.test(script) && !isPrivkey
      taken += isPaid ? 1 : 0
      expect([text, parsed.type === 'destination' ? toHex(parsed.script) : parsed.type]).toEqual([
        text,
        isPaid ? script : 'malformed',
      ])
    }
    expect(taken).toBeGreaterThan(30)
    const none = vectorJson<readonly (readonly [string])[]>(
      context,
      'bitcoin-core/key_io_invalid.json',
    )
    for (const [text] of none)
      for (const network of Object.values(networks))
        expect(parseDestination(text, network).type).toBe('malformed')
  })

  it('differs for owners of any length, the empty one included', () => {
    const lengths = [0, 1, 10, 29].map((size) => principal(new Uint8Array(size).fill(7)))
    const scripts = lengths.map((owner) => toHex(scriptOf(CKBTC, { owner })))
    expect(new Set(scripts).size).toBe(lengths.length)
  })
})
