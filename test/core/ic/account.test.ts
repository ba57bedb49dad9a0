/**
 * Accounts: the vectors of ledger specification §19.2, round trips, a table of refused texts, and what
 * the npm library reads that is none.
 */
import * as library from '@icp-sdk/canisters/ledger/icrc'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  accountKey,
  accountOfText,
  compareAccounts,
  effectiveSubaccount,
  sameAccount,
  subaccountOfPrincipal,
  textOfAccount,
} from '../../../src/core/ic/account.ts'
import { principal, principalOfText } from '../../../src/core/ic/principal.ts'

const K = 'k2t6j-2nvnp-4zjm3-25dtz-6xhaa-c7boj-5gayf-oj3xs-i43lp-teztq-6ae'
const MINTER = 'mqygn-kiaaa-aaaar-qaadq-cai'
const COUNTING = '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20'

const vectors: readonly (readonly [string, string, string])[] = [
  [K, `${'00'.repeat(31)}01`, `${K}-6cc627i.1`],
  [K, COUNTING, `${K}-dfxgiyy.${COUNTING.slice(1)}`],
  [MINTER, `${'00'.repeat(30)}0fee`, `${MINTER}-knme65y.fee`],
  [MINTER, 'ff'.repeat(32), `${MINTER}-oukgeyi.${'f'.repeat(64)}`],
  [MINTER, `10${'00'.repeat(31)}`, `${MINTER}-ryv7elq.1${'0'.repeat(63)}`],
  ['2vxsx-fae', `${'00'.repeat(31)}01`, '2vxsx-fae-22yutvy.1'],
  ['aaaaa-aa', `${'00'.repeat(31)}01`, 'aaaaa-aa-nygwkoy.1'],
]

/** ledger §3.1: text, and the words of the first rule it breaks. */
const refused: readonly (readonly [string, string])[] = [
  [`${K}-q6bn32y.`, 'default subaccount must be omitted'],
  [`${K}-q6bn32y.${'0'.repeat(64)}`, 'leading zeros'],
  ['k2t6j2nvnp4zjm3-25dtz6xhaac7boj5gayfoj3xs-i43lp-teztq-6ae', 'invalid principal'],
  [`${K}-6cc627i.01`, 'leading zeros'],
  [`${K}.1`, 'missing checksum'],
  ['6cc627i.1', 'missing checksum'],
  ['.1', 'missing checksum'],
  [`${K}-6cc627ia.1`, 'missing checksum'],
  [`${K}-aaaaaaa.1`, 'expected "6cc627i"'],
  [`${K}-aaaaaaa.${COUNTING.slice(1)}00000`, 'invalid subaccount'],
  [`${K}-6cc627i.1g`, 'invalid subaccount'],
  [`${K}-6cc627i.1.1`, 'invalid subaccount'],
  [`${K}-6cc627i.1 `, 'invalid subaccount'],
  [`${K.replace('k', 'j')}-6cc627i.1`, 'invalid principal'],
  ['-6cc627i.1', 'invalid principal'],
  ['', 'invalid principal'],
]

const principals = fc.uint8Array({ maxLength: 29 }).map(principal)
type SdkAccount = {
  readonly owner: SdkPrincipal
  readonly subaccount?: Uint8Array | undefined
}
/** The library's declarations name files without endings, so its types stand here. */
type AccountTexts = {
  readonly decodeIcrcAccount: (text: string) => SdkAccount
  readonly encodeIcrcAccount: (account: SdkAccount) => string
}
const { decodeIcrcAccount, encodeIcrcAccount } = library as object as AccountTexts

/** Few digits, many, or the default subaccount in its two forms. */
const accounts = fc.record({
  owner: principals,
  subaccount: fc.option(
    fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat(300).map((n) => Uint8Array.of(...new Uint8Array(30), n >> 8, n & 255)),
    ),
    { nil: undefined },
  ),
})
const CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-. é'

describe('accounts', () => {
  it.each(vectors)(
    'ledger §20.136: owner %s, subaccount %s is written %s, and read back',
    (ownerText, hex, text) => {
      const account = { owner: principalOfText(ownerText), subaccount: fromHex(hex) }
      expect(textOfAccount(account)).toBe(text)
      expect(accountOfText(text)).toEqual(account)
      expect(accountOfText(text.toUpperCase())).toEqual(account)
    },
  )

  it('ledger §20.136: an absent subaccount and 32 zeros are one account with one text', () => {
    const absent = { owner: principalOfText(K) }
    const zeros = { owner: principalOfText(K), subaccount: new Uint8Array(32) }
    expect(textOfAccount(absent)).toBe(K)
    expect(textOfAccount(zeros)).toBe(K)
    expect(sameAccount(absent, zeros)).toBe(true)
    expect(accountKey(absent)).toBe(accountKey(zeros))
    expect(accountOfText(K)).toEqual(absent)
  })

  it.each(refused)('ledger §20.136: %s is refused: %s', (text, words) => {
    expect(() => accountOfText(text)).toThrow(BadEncoding)
    expect(() => accountOfText(text)).toThrow(words)
  })

  it('ledger §20.137: any text reads back to the effective account it was written from', () => {
    fc.assert(
      fc.property(accounts, (account) => {
        expect(sameAccount(accountOfText(textOfAccount(account)), account)).toBe(true)
      }),
    )
  })

  it('ledger §20.137: a text of which any one character is another is refused', () => {
    fc.assert(
      fc.property(accounts, fc.nat(), fc.constantFrom(...CHARACTERS), (account, place, other) => {
        const text = textOfAccount(account)
        const at = place % text.length
        fc.pre(text[at] !== other)
        const corrupted = text.slice(0, at) + other + text.slice(at + 1)
        expect(() => accountOfText(corrupted), corrupted).toThrow(BadEncoding)
      }),
      { numRuns: 2_000 },
    )
  })

  it('texts are those of the npm library', () => {
    fc.assert(
      fc.property(accounts, ({ owner, subaccount }) => {
        const theirs = { owner: SdkPrincipal.fromUint8Array(owner), subaccount }
        expect(textOfAccount({ owner, subaccount })).toBe(encodeIcrcAccount(theirs))
      }),
    )
  })

  it.each([
    ['no digit', `${K}-q6bn32y.`, 'default subaccount must be omitted'],
    ['a zero for the default subaccount', `${K}-q6bn32y.0`, 'leading zeros'],
    ['a leading zero', `${K}-6cc627i.01`, 'leading zeros'],
    ['all leading zeros', `${K}-6cc627i.${'0'.repeat(63)}1`, 'leading zeros'],
    ['a digit and something else', `${K}-6cc627i.1g`, 'invalid subaccount'],
    ['no hexadecimal at all', `${K}-q6bn32y.zz`, 'invalid subaccount'],
  ])('the npm library reads %s, and we do not', (_, text, words) => {
    expect(decodeIcrcAccount(text).owner.toText()).toBe(K)
    expect(() => accountOfText(text)).toThrow(words)
  })

  it('every single-character corruption of a text with subaccount is refused', () => {
    const text = `${MINTER}-knme65y.fee`
    for (let at = 0; at < text.length; at++)
      for (const character of CHARACTERS) {
        if (text[at] === character) continue
        const corrupted = text.slice(0, at) + character + text.slice(at + 1)
        expect(() => accountOfText(corrupted), corrupted).toThrow(BadEncoding)
      }
  })

  it('a refusal of a huge text does not repeat it', () => {
    const huge = `${'a'.repeat(1_000_000)}.1`
    expect(() => accountOfText(huge)).toThrow(/^.{1,300}$/)
  })

  it('order and map key follow owner, then effective subaccount', () => {
    const one = Uint8Array.of(...new Uint8Array(31), 1)
    const order = [
      { owner: principal(fromHex('ff')) },
      { owner: principal(fromHex('ff')), subaccount: one },
      { owner: principal(fromHex('0000')), subaccount: new Uint8Array(32) },
    ]
    expect(order.toReversed().sort(compareAccounts)).toEqual(order)
    expect(new Set(order.map(accountKey)).size).toBe(order.length)
    expect(effectiveSubaccount(order[0] ?? { owner: principal(one) })).toEqual(new Uint8Array(32))
  })

  it('the subaccount of a principal is its length, its bytes, and zeros', () => {
    const minter = principalOfText(MINTER)
    expect(subaccountOfPrincipal(minter)).toEqual(
      fromHex(`0a00000000023000070101${'00'.repeat(21)}`),
    )
  })
})
