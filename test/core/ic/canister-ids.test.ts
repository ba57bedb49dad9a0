/** Canister ids: the table of ic-interface §3.1, texts and bytes. */
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import {
  furtherArchive,
  furtherToken,
  mainnetCanisterIds,
  mayHold,
  ownCanisterIds,
} from '../../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principal, principalOfText, textOfPrincipal } from '../../../src/core/ic/principal.ts'

const table = [
  ['ledger', '23xb3-ep777-777s3-4aaaa-cai', 'ffffffffcb7c00000101'],
  ['minter', '24whp-jx777-777s3-4aaaq-cai', 'ffffffffcb7c00010101'],
  ['index', '2vvmt-77777-777s3-4aaba-cai', 'ffffffffcb7c00020101'],
  ['checker', '2sukh-sh777-777s3-4aabq-cai', 'ffffffffcb7c00030101'],
  ['firstArchive', '2ht3k-tp777-777s3-4aaca-cai', 'ffffffffcb7c00040101'],
  ['bitcoin', '2as56-6x777-777s3-4aacq-cai', 'ffffffffcb7c00050101'],
] as const

describe('canister ids', () => {
  it.each(table)('the own %s is %s', (name, text, hex) => {
    expect(textOfPrincipal(ownCanisterIds[name])).toBe(text)
    expect(toHex(ownCanisterIds[name])).toBe(hex)
  })

  it('the mainnet ledger, index and first archive have the bytes of ledger §19.2', () => {
    expect(toHex(mainnetCanisterIds.ledger)).toBe('00000000023000060101')
    expect(toHex(mainnetCanisterIds.minter)).toBe('00000000023000070101')
    expect(toHex(mainnetCanisterIds.index)).toBe('00000000023000080101')
    expect(toHex(mainnetCanisterIds.firstArchive)).toBe('000000000230000c0101')
  })

  it.each([
    ['mc6ru-gyaaa-aaaar-qaaaq-cai', '00000000023000010101'],
    ['ml52i-qqaaa-aaaar-qaaba-cai', '00000000023000020101'],
    ['mm444-5iaaa-aaaar-qaabq-cai', '00000000023000030101'],
    ['m62lf-ryaaa-aaaar-qaacq-cai', '00000000023000050101'],
  ])('%s of ckTESTBTC has the bytes of ledger §19.2', (text, hex) => {
    expect(toHex(principalOfText(text))).toBe(hex)
  })

  it('further archives and tokens take the numbers the table gives them', () => {
    expect(toHex(furtherArchive(2))).toBe('ffffffffcb7c01020101')
    expect(toHex(furtherToken(0).ledger)).toBe('ffffffffcb7c10000101')
    expect(toHex(furtherToken(3).index)).toBe('ffffffffcb7c13020101')
    expect(toHex(furtherToken(3).archive(5))).toBe('ffffffffcb7c13090101')
  })

  it.each<readonly [string, boolean, boolean]>([
    ['ffffffffcb7c00000101', true, true], // ckBTC's own, and its archives
    ['ffffffffcb7c00040101', true, true],
    ['ffffffffcb7c00060101', false, false],
    ['ffffffffcb7c00ff0101', false, false],
    ['ffffffffcb7c01000101', true, true],
    ['ffffffffcb7c0fff0101', true, true],
    ['ffffffffcb7c10000101', false, true], // the only further token's, and its archives
    ['ffffffffcb7c10010101', false, false],
    ['ffffffffcb7c10020101', false, true],
    ['ffffffffcb7c10030101', false, false],
    ['ffffffffcb7c10040101', false, true],
    ['ffffffffcb7c10ff0101', false, true],
    ['ffffffffcb7c11000101', false, false],
    ['ffffffffcb7c10000102', false, false],
    ['ffffffffcb7c1000', false, false],
    ['', false, false],
    ['ffffffffcb7c1000010100', false, false],
  ])('%s may be a canister without a further token: %s, with one: %s', (hex, without, withOne) => {
    const id = principal(fromHex(hex))
    expect([0, 1].map((tokens) => mayHold(ownCanisterIds, tokens, id))).toEqual([without, withOne])
  })

  it('of mainnet ids those of its own numbers are archives and tokens alone', () => {
    const may = (id: Principal) => mayHold(mainnetCanisterIds, 1, id)
    expect([mainnetCanisterIds.ledger, furtherToken(0).ledger, furtherArchive(0)].map(may)).toEqual(
      [true, true, true],
    )
    expect(may(ownCanisterIds.ledger)).toBe(false)
  })

  it('no id is given twice, and an index out of range is refused', () => {
    expect(() => furtherArchive(0xf00)).toThrow(RangeError)
    expect(() => furtherToken(240)).toThrow(RangeError)
    expect(() => furtherToken(0).archive(252)).toThrow(RangeError)
    expect(toHex(furtherArchive(0xeff))).toBe('ffffffffcb7c0fff0101')
    expect(toHex(furtherToken(239).archive(251))).toBe('ffffffffcb7cffff0101')
  })
})
