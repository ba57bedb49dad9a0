import { address as peerAddress, networks as peerNetworks } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { hash160, sha256 } from '../../../src/core/base/hash.ts'
import { addressOfScript, parseAddress } from '../../../src/core/btc/address.ts'
import {
  BASE58_TEXT_MAX,
  decodeBase58,
  decodeBase58Check,
  encodeBase58,
  encodeBase58Check,
} from '../../../src/core/btc/base58.ts'
import type { Network } from '../../../src/core/btc/network.ts'
import { mainnet, networks, regtest, testnet3, testnet4 } from '../../../src/core/btc/network.ts'
import {
  opReturnScript,
  p2pkhScript,
  p2pkScript,
  p2shScript,
  p2trScript,
  p2wpkhScript,
  p2wshScript,
  witnessScript,
} from '../../../src/core/btc/script.ts'
import { invalidAddresses, validAddresses } from '../../support/published-addresses.ts'
import { vectorJson } from '../../support/vectors.ts'

/** Script of an address, as hexadecimal; the refusal where there is none. */
function scriptOf(text: string, network: Network): string {
  const parsed = parseAddress(text, network)
  return parsed.type === 'address' ? toHex(parsed.script) : `${parsed.reason}: ${parsed.detail}`
}

/** Network whose witness prefix the text has. */
const networkOf = (text: string): Network =>
  Object.values(networks).find((network) =>
    text.toLowerCase().startsWith(`${network.bech32Prefix}1`),
  ) ?? mainnet

describe('witness addresses (BIP173, BIP350)', () => {
  test.each(validAddresses)('%s is an address', (text, script) => {
    expect(scriptOf(text, networkOf(text))).toBe(script)
    const shown = parseAddress(text, networkOf(text))
    expect(shown).toMatchObject({ text: text.toLowerCase() })
    expect(addressOfScript(fromHex(script), networkOf(text))).toBe(text.toLowerCase())
  })

  test.each(invalidAddresses)('%s is none: %s', (text, detail) => {
    for (const network of Object.values(networks)) {
      expect(parseAddress(text, network)).toMatchObject({ reason: 'malformed' })
      expect(scriptOf(text, network)).toContain(detail)
    }
  })

  test('ninety characters are the most', () => {
    const text = `bc1${'q'.repeat(88)}`
    expect(scriptOf(text, mainnet)).toContain('at most 90')
  })
})

describe('one key on all networks (§14.1)', () => {
  const key = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
  const outputKey = fromHex('da4710964f7852695de2da025290e24af6d8c281de5a0b902b7135fd9fd74d21')
  const scripts = {
    p2pkh: p2pkhScript(hash160(key)),
    nested: p2shScript(hash160(p2wpkhScript(hash160(key)))),
    p2wpkh: p2wpkhScript(hash160(key)),
    p2wsh: p2wshScript(sha256(p2pkScript(key))),
    p2tr: p2trScript(outputKey),
  }
  test.each([
    [
      mainnet,
      {
        p2pkh: '1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH',
        nested: '3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN',
        p2wpkh: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
        p2wsh: 'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
        p2tr: 'bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9',
      },
    ],
    [
      testnet4,
      {
        p2pkh: 'mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r',
        nested: '2NAUYAHhujozruyzpsFRP63mbrdaU5wnEpN',
        p2wpkh: 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx',
        p2wsh: 'tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7',
        p2tr: 'tb1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5ssk79hv2',
      },
    ],
    [
      regtest,
      {
        p2pkh: 'mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r',
        nested: '2NAUYAHhujozruyzpsFRP63mbrdaU5wnEpN',
        p2wpkh: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
        p2wsh: 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry',
        p2tr: 'bcrt1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5ssm803es',
      },
    ],
  ])('$name', (network, expected) => {
    const shown = Object.fromEntries(
      Object.entries(scripts).map(([name, script]) => [name, addressOfScript(script, network)]),
    )
    expect(shown).toEqual(expected)
    for (const [name, script] of Object.entries(scripts))
      expect(scriptOf(shown[name] ?? '', network)).toBe(toHex(script))
  })
})

describe('networks (ADR-3)', () => {
  test.each([
    ['1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH', regtest, ['mainnet']],
    ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', testnet3, ['mainnet']],
    ['mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r', mainnet, ['testnet3', 'testnet4', 'signet', 'regtest']],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', regtest, ['testnet3', 'testnet4', 'signet']],
    ['bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', testnet4, ['regtest']],
  ])('%s names the networks it is good for', (text, network, belongsTo) => {
    expect(parseAddress(text, network)).toMatchObject({ reason: 'wrong-network', belongsTo })
  })

  test('scripts without an address have none', () => {
    for (const script of [opReturnScript(Uint8Array.of(1)), Uint8Array.of(0x51), new Uint8Array(0)])
      expect(addressOfScript(script, mainnet)).toBeUndefined()
    expect(addressOfScript(p2pkScript(new Uint8Array(33).fill(2)), mainnet)).toBeUndefined()
  })
})

describe('errors are located, never corrected (ADR-6)', () => {
  const good = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
  const wrongAt = (...positions: readonly number[]) =>
    Array.from(good, (character, i) =>
      positions.includes(i + 1) ? (character === 'p' ? 'z' : 'p') : character,
    ).join('')

  test.each([[[4]], [[10]], [[42]], [[4, 42]], [[8, 9]], [[20, 33]]])(
    'wrong characters at %j',
    (positions) => {
      expect(parseAddress(wrongAt(...positions), mainnet)).toEqual({
        type: 'refused',
        reason: 'malformed',
        detail: 'wrong checksum',
        positions,
      })
    },
  )

  test('three wrong characters have no known place', () => {
    expect(parseAddress(wrongAt(5, 12, 30), mainnet)).toMatchObject({ positions: [] })
  })

  test('where bech32 and bech32m would both correct two characters, neither is named', () => {
    const text = 'bc1pqqqqaqqqqqqqqqqqqqqqqqqqqqqqqqqq9e75rs'
    expect(parseAddress(text, mainnet)).toMatchObject({ detail: 'wrong checksum', positions: [] })
  })

  test('up to two wrong characters are always found, in either code', () => {
    const text = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const places = fc.uniqueArray(fc.nat(57), { minLength: 1, maxLength: 2 })
    const charset = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
    fc.assert(
      fc.property(
        text,
        fc.constantFrom(0, 1),
        places,
        fc.integer({ min: 1, max: 31 }),
        (program, version, wrong, step) => {
          const address = addressOfScript(witnessScript(version, program), regtest) ?? ''
          const typo = Array.from(address, (character, i) => {
            if (!wrong.includes(i - 5)) return character
            return charset.charAt((charset.indexOf(character) + step) % 32)
          }).join('')
          expect(parseAddress(typo, regtest)).toMatchObject({
            positions: wrong.map((place) => place + 6).sort((a, b) => a - b),
          })
        },
      ),
      { numRuns: 40 },
    )
  })
})

test('any text is an address or refused, and what is accepted is canonical', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 100 }),
    fc.stringMatching(/^(bc|tb|bcrt)1[ac-hj-np-z02-9]{6,40}$/),
    fc.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{20,40}$/),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  fc.assert(
    fc.property(text, fc.constantFrom(...Object.values(networks)), (candidate, network) => {
      const parsed = parseAddress(candidate, network)
      if (parsed.type === 'address')
        expect(addressOfScript(parsed.script, network)).toBe(parsed.text)
    }),
    { numRuns: 200 },
  )
})

test('bitcoinjs-lib derives the same addresses and scripts', () => {
  const peers = [
    [mainnet, peerNetworks.bitcoin],
    [testnet3, peerNetworks.testnet],
    [regtest, peerNetworks.regtest],
  ] as const
  const script = fc.oneof(
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map(p2pkhScript),
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map(p2shScript),
    fc.uint8Array({ minLength: 20, maxLength: 20 }).map(p2wpkhScript),
    fc.uint8Array({ minLength: 32, maxLength: 32 }).map(p2wshScript),
  )
  fc.assert(
    fc.property(script, fc.constantFrom(...peers), (bytes, [network, peer]) => {
      const text = addressOfScript(bytes, network)
      expect(text).toBe(peerAddress.fromOutputScript(bytes, peer))
      expect(toHex(peerAddress.toOutputScript(text ?? '', peer))).toBe(toHex(bytes))
    }),
  )
})

describe('base58', () => {
  test('Bitcoin Core’s table', (context) => {
    const rows = vectorJson<[string, string][]>(context, 'bitcoin-core/base58_encode_decode.json')
    expect(rows.length).toBe(14)
    for (const [hex, text] of rows) {
      expect(encodeBase58(fromHex(hex))).toBe(text)
      expect(toHex(decodeBase58(text))).toBe(hex)
    }
  })

  test('a checksum covers every byte', () => {
    const payload = fromHex('00751e76e8199196d454941c45d1b3a323f1433bd6')
    const text = encodeBase58Check(payload)
    expect(decodeBase58Check(text)).toEqual(payload)
    const whole = decodeBase58(text)
    for (let i = 0; i < whole.length; i++) {
      const changed = whole.map((byte, at) => (at === i ? byte ^ 1 : byte))
      expect(() => decodeBase58Check(encodeBase58(changed))).toThrow(BadEncoding)
    }
  })

  test.each(['0', 'O', 'I', 'l', ' 1', '1\n', '1é'])('%j is refused', (text) => {
    expect(() => decodeBase58(text)).toThrow(BadEncoding)
  })

  test('too long, too short and wrongly sized texts are refused', () => {
    expect(() => decodeBase58('1'.repeat(BASE58_TEXT_MAX + 1))).toThrow(BadEncoding)
    expect(() => decodeBase58Check('111')).toThrow(BadEncoding)
    const short = encodeBase58Check(new Uint8Array(20))
    expect(scriptOf(short, mainnet)).toContain('20 bytes')
    expect(scriptOf(encodeBase58Check(new Uint8Array(21).fill(9)), mainnet)).toContain('no network')
    expect(attempt(() => decodeBase58(''))).toEqual(new Uint8Array(0))
  })
})

type KeyIoRow = readonly [
  string,
  string,
  { readonly chain: string; readonly isPrivkey: boolean; readonly tryCaseFlip?: boolean },
]

describe('Bitcoin Core’s addresses', () => {
  const byChain: Readonly<Record<string, Network>> = {
    main: mainnet,
    test: testnet3,
    testnet4,
    signet: networks.signet,
    regtest,
  }

  test('valid ones have the script given; private keys are no addresses', (context) => {
    const rows = vectorJson<KeyIoRow[]>(context, 'bitcoin-core/key_io_valid.json')
    expect(rows.length).toBe(70)
    for (const [text, payload, { chain, isPrivkey, tryCaseFlip }] of rows) {
      const network = byChain[chain]
      if (network === undefined) throw new Error(`unknown chain ${chain}`)
      if (isPrivkey) {
        expect(scriptOf(text, network)).toContain('bytes where 21 are due')
        const bytes = decodeBase58Check(text)
        expect(bytes[0]).toBe(network.base58.wif)
        expect(toHex(bytes.subarray(1, 33))).toBe(payload)
        continue
      }
      expect(scriptOf(text, network)).toBe(payload)
      expect(addressOfScript(fromHex(payload), network)).toBe(
        text.toLowerCase() === text || text.toUpperCase() !== text ? text : text.toLowerCase(),
      )
      if (tryCaseFlip === true) {
        const flipped = text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase()
        expect(scriptOf(flipped, network)).toBe(payload)
      }
    }
  })

  test('invalid ones are malformed on every network', (context) => {
    const rows = vectorJson<[string][]>(context, 'bitcoin-core/key_io_invalid.json')
    expect(rows.length).toBe(70)
    for (const [text] of rows)
      for (const network of Object.values(networks))
        expect(parseAddress(text, network), text).toMatchObject({ reason: 'malformed' })
  })
})
