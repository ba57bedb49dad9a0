/**
 * Principals: published texts, round trips, corruptions, and `@icp-sdk/core` as independent peer.
 */
import { Principal as Peer } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import {
  anonymous,
  comparePrincipals,
  managementCanister,
  principal,
  principalOfText,
  selfAuthenticating,
  textOfPrincipal,
} from '../../../src/core/ic/principal.ts'

/** ic-interface §27.1. */
const published: readonly (readonly [string, string])[] = [
  ['', 'aaaaa-aa'],
  ['04', '2vxsx-fae'],
  ['abcd01', 'em77e-bvlzu-aq'],
  ['00000000023000060101', 'mxzaz-hqaaa-aaaar-qaada-cai'],
  ['00000000023000070101', 'mqygn-kiaaa-aaaar-qaadq-cai'],
  ['00000000000000000101', 'rwlgt-iiaaa-aaaaa-aaaaa-cai'],
  ['ffffffffffffffff0101', '37pka-5h777-77777-7777q-cai'],
]

const principals = fc.uint8Array({ maxLength: 29 }).map(principal)

describe('principals', () => {
  it.each(published)('%s is written %s and read back', (hex, text) => {
    expect(textOfPrincipal(principal(fromHex(hex)))).toBe(text)
    expect(toHex(principalOfText(text))).toBe(hex)
    expect(toHex(principalOfText(text.toUpperCase()))).toBe(hex)
  })

  it('the anonymous principal and the management canister have their well-known texts', () => {
    expect(textOfPrincipal(anonymous)).toBe('2vxsx-fae')
    expect(textOfPrincipal(managementCanister)).toBe('aaaaa-aa')
  })

  it('a self-authenticating principal follows from the key of the published signed call', () => {
    const der = fromHex(
      '302a300506032b65700321002152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12',
    )
    expect(textOfPrincipal(selfAuthenticating(der))).toBe(
      '3w6rk-z7dee-7bk4p-23ky7-mb42d-wdhk2-4rsgq-ks5qg-chvbp-m3gwy-tqe',
    )
  })

  it('text agrees with the SDK for any principal, and reads back to the same bytes', () => {
    fc.assert(
      fc.property(principals, (value) => {
        const text = textOfPrincipal(value)
        expect(text).toBe(Peer.fromUint8Array(value).toText())
        expect(principalOfText(text)).toEqual(value)
      }),
    )
  })

  it('every single-character corruption of a text is refused', () => {
    const text = 'mxzaz-hqaaa-aaaar-qaada-cai'
    for (let at = 0; at < text.length; at++)
      for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789-. é') {
        if (text[at] === character) continue
        const corrupted = text.slice(0, at) + character + text.slice(at + 1)
        expect(() => principalOfText(corrupted), corrupted).toThrow(BadEncoding)
      }
  })

  it('every prefix, every longer text and every other grouping is refused', () => {
    const text = 'mxzaz-hqaaa-aaaar-qaada-cai'
    for (let end = 0; end < text.length; end++)
      expect(() => principalOfText(text.slice(0, end))).toThrow(BadEncoding)
    const longer = [`${text}-`, `${text}a`, `-${text}`, ` ${text}`, `${text}\n`, 'a'.repeat(64)]
    for (const other of [...longer, text.replaceAll('-', ''), text.replace('-', '--')])
      expect(() => principalOfText(other), other).toThrow(BadEncoding)
  })

  it('letters outside ASCII are not folded into it', () => {
    expect(() => principalOfText('37p\u212aa-5h777-77777-7777q-cai')).toThrow(BadEncoding)
  })

  it('more than 29 bytes are no principal, in bytes or in text', () => {
    expect(() => principal(new Uint8Array(30))).toThrow(BadEncoding)
    const text = Peer.fromUint8Array(new Uint8Array(30)).toText()
    expect(() => principalOfText(text)).toThrow(BadEncoding)
  })

  it('a shorter principal sorts first, whatever its bytes', () => {
    const order = ['', 'ff', '00ff', 'ff00', '000000'].map((hex) => principal(fromHex(hex)))
    expect(order.toReversed().sort(comparePrincipals)).toEqual(order)
  })
})
