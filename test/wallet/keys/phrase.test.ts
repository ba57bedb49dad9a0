/**
 * Goal: a phrase gives the principal that other programs give it, and a wrong phrase gives an error
 * that tells the place and not the phrase.
 * Method: published phrases and the principals beside them (IC interface §§26, 27.6), the vectors of
 * SLIP-10, the library of BIP-32.
 */
import { inspect } from 'node:util'
import { HDKey } from '@scure/bip32'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { Problem } from '../../../src/core/base/errors.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import type { KeyCurve } from '../../../src/wallet/identity.ts'
import { Phrase } from '../../../src/wallet/keys/phrase.ts'
import { deriveKey, HARDENED } from '../../../src/wallet/keys/slip10.ts'
import { publishedKeyName } from '../../../src/wallet/keys/test-keys.ts'

const icpCli = 'equip will roof matter pink blind book anxiety banner elbow sun young'
const icpJsCore =
  'early cinnamon crucial teach mobile just toast real rebel around card priority spike ' +
  'aerobic result account marble hero action intact inside elbow wrestle oval'

const refusal = (text: string): Problem => {
  try {
    Phrase.parse(text)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  expect.unreachable('the phrase was accepted')
}

describe('a phrase', () => {
  test.each<[string, KeyCurve, string]>([
    [icpCli, 'secp256k1', '5upke-tazvi-6ufqc-i3v6r-j4gpu-dpwti-obhal-yb5xj-ue32x-ktkql-rqe'],
    [icpCli, 'ed25519', 'z2yk5-gbsi4-5eudl-y5q6u-qaqmf-37gjy-r66iy-oiqvb-d5nbr-5odxa-4qe'],
    [icpCli, 'p256', 'gu6g3-gzs4p-fyjio-reppd-qk7ef-lhput-eg36s-ofyim-gi6y4-ce3qs-zqe'],
    [icpJsCore, 'secp256k1', 'bh66w-ffyze-maien-ejjje-wzhqi-crrjo-rcgs7-twjrh-kf2km-hbtia-eae'],
  ])('109: of another program gives its principal (%#)', (text, curve, principal) => {
    const key = Phrase.parse(text).key(curve)
    expect(textOfPrincipal(key.principal)).toBe(principal)
    expect(publishedKeyName(key.principal)).toBeDefined()
  })

  test('may be typed in any case, with any spaces', () => {
    const text = `\n  ${icpCli.toUpperCase().replaceAll(' ', ' \t ')}\n`
    expect(Phrase.parse(text).reveal().words).toEqual(icpCli.split(' '))
  })

  test('is made of its entropy, and gives it back', () => {
    const entropy = Uint8Array.from({ length: 32 }, (_, i) => i)
    const { words } = Phrase.ofEntropy(entropy).reveal()
    expect(words).toHaveLength(24)
    expect(Phrase.parse(words.join(' ')).reveal().entropy).toEqual(entropy)
    expect([16, 32].map((size) => Phrase.ofEntropy(new Uint8Array(size)).wordCount)).toEqual([
      12, 24,
    ])
    expect(() => Phrase.ofEntropy(new Uint8Array(20))).toThrow(RangeError)
  })

  test('prints as a secret, and so does its key', () => {
    const phrase = Phrase.parse(icpCli)
    const key = phrase.key('secp256k1')
    for (const value of [phrase, key]) {
      const printed = [String(value), JSON.stringify(value), inspect(value, { showHidden: true })]
      expect(printed).toEqual(['[secret]', '"[secret]"', '[secret]'])
    }
  })
})

describe('a wrong phrase', () => {
  const changed = (place: number, word: string): string =>
    icpCli
      .split(' ')
      .map((old, index) => (index === place - 1 ? word : old))
      .join(' ')

  test('112: with a misspelt word is told the place and the words near it', () => {
    const error = refusal(changed(6, 'blnid'))
    expect(error.code).toBe('KEY_BAD_PHRASE')
    expect(error.message).toMatch(/^word 6 is not in the list of BIP-39; near it: .*\bblind\b/)
    expect(error.details).toMatchObject({ words: [6] })
  })

  test('with several such words is told all places, and near words of the first only', () => {
    const { message } = refusal(icpCli.replace('equip', 'eqip').replace('young', 'yung'))
    expect(message).toMatch(/^word 1 is not .*; near it: equip\b.*; neither are words 12$/)
    expect(message).not.toContain('young')
  })

  test.each([
    ['of 11 words', icpCli.replace(' young', '')],
    ['of 13 words', `${icpCli} young`],
    ['of 18 words', Array.from({ length: 18 }, () => 'abandon').join(' ')],
    ['without words', ' \n'],
  ])('%s is refused by its length', (_, text) => {
    expect(refusal(text).message).toMatch(/^a phrase has 12 or 24 words, this one has \d+$/)
  })

  test('112: of words that do not belong together is refused, and no word is told', () => {
    const { code, message, details, cause } = refusal(changed(12, 'zoo'))
    const told = `${message} ${JSON.stringify(details)}`
    expect([code, cause]).toEqual(['KEY_BAD_PHRASE', undefined])
    expect(
      changed(12, 'zoo')
        .split(' ')
        .filter((word) => told.includes(word)),
    ).toEqual([])
  })

  test('too long for any word is not compared with the list', () => {
    expect(refusal(changed(1, 'x'.repeat(10_000))).details).toMatchObject({ nearest: [] })
  })
})

describe('keys along a path', () => {
  const seed = fromHex('000102030405060708090a0b0c0d0e0f')
  const printed = (curve: KeyCurve, path: readonly number[], from = seed): readonly string[] => {
    const { secret, chainCode } = deriveKey(curve, from, path)
    return [toHex(chainCode), toHex(secret)]
  }

  test('of P-256 are those of SLIP-10', () => {
    expect(printed('p256', [])).toEqual([
      'beeb672fe4621673f722f38529c07392fecaa61015c80c34f29ce8b41b3cb6ea',
      '612091aaa12e22dd2abef664f8a01a82cae99ad7441b7ef8110424915c268bc2',
    ])
    expect(printed('p256', [HARDENED])[1]).toBe(
      '6939694369114c67917a182c59ddb8cafc3004e63ca5d3b84403ba8613debc0c',
    )
    expect(printed('p256', [HARDENED, 1, HARDENED + 2, 2, 1_000_000_000])[1]).toBe(
      '21c4f269ef0a5fd1badf47eeacebeeaa3de22eb8e5b0adcd0f27dd99d34d0119',
    )
  })

  test('of P-256 try again where a hash is no scalar', () => {
    expect(printed('p256', [HARDENED + 28_578, 33_941])).toEqual([
      '9e87fe95031f14736774cd82f25fd885065cb7c358c1edf813c72af535e83071',
      '092154eed4af83e078ff9b84322015aefe5769e31270f62c3f66c33888335f3a',
    ])
    const retried = fromHex('a7305bc8df8d0951f0cb224c0e95d7707cbdf2c6ce7e8d481fec69c7ff5e9446')
    expect(printed('p256', [], retried)).toEqual([
      '7762f9729fed06121fd13f326884c82f59aa95c57ac492ce8c9654e60efd130c',
      '3b8c18469a4634517d6d0b65448f8e6c62091b45540a1743c5846be55d47d88f',
    ])
  })

  test('of Ed25519 are those of SLIP-10', () => {
    expect(printed('ed25519', [HARDENED])[1]).toBe(
      '68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3',
    )
    expect(printed('ed25519', [HARDENED, HARDENED + 1])[1]).toBe(
      'b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2',
    )
    expect(() => deriveKey('ed25519', seed, [0])).toThrow('hardened')
  })

  test('of secp256k1 are those of BIP-32', () => {
    const node = HDKey.fromMasterSeed(seed).derive("m/44'/223'/0'/0/0")
    expect(printed('secp256k1', [44 + HARDENED, 223 + HARDENED, HARDENED, 0, 0])[1]).toBe(
      toHex(node.privateKey ?? new Uint8Array()),
    )
  })
})
