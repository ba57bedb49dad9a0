/** Memo bytes against the known ones of Source: minter §5.2, and any bytes through the decoder. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { encodeCbor } from '../../../src/core/ic/cbor.ts'
import { MEMO_BYTES_MAX } from '../../../src/core/minter/constants.ts'
import {
  decodeBurnMemo,
  decodeMemo,
  decodeMintMemo,
  encodeBurnMemo,
  encodeMintMemo,
} from '../../../src/core/minter/memo.ts'
import type { BurnMemo, MintMemo } from '../../../src/core/minter/types.ts'

const txid = fromHex('123456789abcdef0'.repeat(4))
const address = 'bc1q34aq5drpuwy3wgl9lhup9892qp6svr8ldzyy7c'

const nat64 = fc.bigInt(0n, 2n ** 64n - 1n)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const statuses = maybe(
  fc.constantFrom('accepted' as const, 'rejected' as const, 'callFailed' as const),
)

const mintMemos: fc.Arbitrary<MintMemo> = fc.oneof(
  fc.record({
    type: fc.constant('convert' as const),
    txid: maybe(fc.uint8Array({ minLength: 32, maxLength: 32 })),
    vout: maybe(fc.nat()),
    fee: maybe(nat64),
  }),
  fc.constant<MintMemo>({ type: 'kyt' }),
  fc.record({
    type: fc.constant('kytFail' as const),
    fee: maybe(nat64),
    status: statuses,
    burnIndex: maybe(nat64),
  }),
  fc.record({ type: fc.constant('reimburseWithdrawal' as const), withdrawalId: nat64 }),
)

const burnMemos: fc.Arbitrary<BurnMemo> = fc.oneof(
  fc.record({
    type: fc.constant('convert' as const),
    address: maybe(fc.string({ maxLength: 62, unit: 'binary-ascii' })),
    fee: maybe(nat64),
    status: statuses,
  }),
  fc.record({ type: fc.constant('consolidate' as const), value: nat64, inputs: nat64 }),
)

describe('memo bytes', () => {
  it('of ledger §19.5 mean what is printed beside them', () => {
    const deposit =
      '82008358201819ccd228ad2e83c6c86399a0d7d02ee975969586f34785f6af99001e088ba0021907d0'
    expect(decodeMintMemo(fromHex(deposit))).toEqual({
      type: 'convert',
      txid: fromHex('1819ccd228ad2e83c6c86399a0d7d02ee975969586f34785f6af99001e088ba0'),
      vout: 2,
      fee: 2000n,
    })
    expect(decodeMintMemo(fromHex('820180'))).toEqual({ type: 'kyt' })
    const withdrawal =
      '8200837822334b374267334c556b69585a356861745054316239683358784a38394459535532651907d000'
    expect(decodeBurnMemo(fromHex(withdrawal))).toEqual({
      type: 'convert',
      address: '3K7Bg3LUkiXZ5hatPT1b9h3XxJ89DYSU2e',
      fee: 2000n,
      status: 'accepted',
    })
    expect(u64be(63_942n)).toEqual(fromHex('000000000000f9c6'))
  })

  it.each<readonly [string, Uint8Array, Uint8Array]>([
    [
      'a deposit',
      encodeMintMemo({ type: 'convert', txid, vout: 0, fee: 1000n }),
      concat(fromHex('8200835820'), txid, fromHex('001903e8')),
    ],
    [
      'a reimbursement',
      encodeMintMemo({ type: 'reimburseWithdrawal', withdrawalId: 1234n }),
      fromHex('8203811904d2'),
    ],
    [
      'a withdrawal with a fee',
      encodeBurnMemo({ type: 'convert', address, fee: 2000n, status: 'accepted' }),
      concat(fromHex('820083782a'), utf8(address), fromHex('1907d000')),
    ],
    [
      'a withdrawal, deposit first',
      encodeBurnMemo({ type: 'convert', address, status: 'accepted' }),
      concat(fromHex('820083782a'), utf8(address), fromHex('f600')),
    ],
    [
      'a withdrawal, approve first',
      encodeBurnMemo({ type: 'convert', address }),
      concat(fromHex('820081782a'), utf8(address)),
    ],
    ['the KYT fee of old', encodeMintMemo({ type: 'kyt' }), fromHex('820180')],
    [
      'a consolidation',
      encodeBurnMemo({ type: 'consolidate', value: 1000n, inputs: 3n }),
      fromHex('8201821903e803'),
    ],
  ])('minter §23.111: of %s are the known ones', (_, written, expected) => {
    expect(toHex(written)).toBe(toHex(expected))
  })

  it('minter §23.111: fit the ledger and are read back, whatever the fields', () => {
    fc.assert(
      fc.property(mintMemos, burnMemos, (mint, burn) => {
        expect(encodeMintMemo(mint).length).toBeLessThanOrEqual(51)
        expect(encodeBurnMemo(burn).length).toBeLessThanOrEqual(MEMO_BYTES_MAX)
        expect(decodeMintMemo(encodeMintMemo(mint))).toEqual(mint)
        expect(decodeBurnMemo(encodeBurnMemo(burn))).toEqual(burn)
      }),
    )
  })
})

describe('decode_ledger_memo', () => {
  const convert = encodeMintMemo({ type: 'convert', txid, vout: 0, fee: 1000n })

  it('minter §23.112: reads a memo by the given type', () => {
    const memo = { type: 'convert', txid, vout: 0, fee: 1000n }
    const value = { type: 'mint', memo }
    expect(decodeMemo({ memoType: 'mint', memo: convert })).toEqual({ type: 'ok', value })
    expect(decodeMemo({ memoType: 'burn', memo: convert }).type).toBe('err')
  })

  it('refuses every prefix and a trailing byte', () => {
    for (let size = 0; size < convert.length; size++)
      expect(() => decodeMintMemo(convert.slice(0, size))).toThrow(BadEncoding)
    expect(() => decodeMintMemo(concat(convert, Uint8Array.of(0)))).toThrow(BadEncoding)
  })

  it.each([
    ['an integer that is not the shortest', fromHex('8203811a000004d2')],
    ['an unknown mint', encodeCbor([4n, []])],
    ['a missing required field', encodeCbor([3n, []])],
    ['one field too many', encodeCbor([3n, [1n, 2n]])],
    ['an unknown status', encodeCbor([2n, [1n, 3n]])],
    ['three elements', encodeCbor([1n, [], []])],
    ['no list', encodeCbor('memo')],
    ['a vout above 32 bits', encodeCbor([0n, [txid, 2n ** 32n]])],
  ])('minter §23.112: refuses %s', (_, memo) => {
    const error = decodeMemo({ memoType: 'mint', memo })
    expect(error).toMatchObject({ type: 'err', error: { type: 'invalidMemo' } })
  })

  it('minter §23.112: never traps, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 90 }), fc.boolean(), (memo, isMint) => {
        const { type } = decodeMemo({ memoType: isMint ? 'mint' : 'burn', memo })
        expect(['ok', 'err']).toContain(type)
      }),
    )
  })
})
