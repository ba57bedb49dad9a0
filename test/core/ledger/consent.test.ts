/**
 * Goal: a person reads exactly what he is about to sign, and is told nothing about what cannot be
 * explained. Method: ledger §15, checklist 132 to 135; the arguments are encoded by the codecs of
 * the interface, and every rule is broken in turn.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { textOfAccount } from '../../../src/core/ic/account.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import type { ConsentRequest } from '../../../src/core/ic/consent-interface.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { consent } from '../../../src/core/ledger/interface/consent.ts'
import { amountText, dateText } from '../../../src/core/ledger/interface/consent-text.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type { ApproveArgs, TransferArg, TransferFromArgs } from '../../../src/core/ledger/types.ts'
import { alice, bob, carol, of, sub, testConfig } from './ledger-under-test.ts'

const config = testConfig({ tokenName: 'ckBTC', tokenSymbol: 'ckBTC' })
const EXPIRY = timestampNs(1_620_328_630_000_000_000n)
const methods = ledgerInterface

const transfer = (change: Partial<TransferArg> = {}) =>
  ({
    method: 'icrc1_transfer',
    arg: encodeArgs(methods.icrc1_transfer.args, [{ to: of(bob, sub(1)), amount: 1n, ...change }]),
  }) as const
const approve = (change: Partial<ApproveArgs> = {}) =>
  ({
    method: 'icrc2_approve',
    arg: encodeArgs(methods.icrc2_approve.args, [
      { spender: of(bob), amount: 150_000n, expectedAllowance: 40_000n, ...change },
    ]),
  }) as const
const transferFrom = (change: Partial<TransferFromArgs> = {}) =>
  ({
    method: 'icrc2_transfer_from',
    arg: encodeArgs(methods.icrc2_transfer_from.args, [
      { from: of(bob), to: of(carol), amount: 250_000_000n, ...change },
    ]),
  }) as const

type Asked = Pick<ConsentRequest, 'method' | 'arg'>
type Display = {
  readonly language?: string
  readonly utcOffsetMinutes?: number
  readonly deviceSpec?: 'genericDisplay' | 'fieldsDisplay'
}
const ask = (call: Asked, display: Display = {}, caller: Principal = alice) => {
  const { deviceSpec, language = 'en', utcOffsetMinutes } = display
  return consent(config, caller, {
    ...call,
    userPreferences: { metadata: { language, utcOffsetMinutes }, deviceSpec },
  })
}

function generic(call: Asked, display: Display = {}, caller: Principal = alice): string {
  const result = ask(call, display, caller)
  if (result.type !== 'ok' || result.consentMessage.type !== 'genericDisplayMessage')
    throw new Error('a generic message')
  return result.consentMessage.markdown
}

function fields(call: Asked, caller: Principal = alice) {
  const result = ask(call, { deviceSpec: 'fieldsDisplay' }, caller)
  if (result.type !== 'ok' || result.consentMessage.type !== 'fieldsDisplayMessage')
    throw new Error('a message of fields')
  return result.consentMessage
}

const text = (content: string) => ({ type: 'text', content })
const tokenAmount = (amount: bigint) => ({
  type: 'tokenAmount',
  decimals: 8,
  amount,
  symbol: 'ckBTC',
})
const labels = (markdown: string): readonly (string | undefined)[] =>
  [...markdown.matchAll(/^\*\*(.*):\*\*/gm)].map(([, label]) => label)

describe('fields', () => {
  test('ledger §20.132: of a transfer', () => {
    expect(fields(transfer({ fromSubaccount: sub(7), memo: utf8('hi') }))).toEqual({
      type: 'fieldsDisplayMessage',
      intent: 'Send ckBTC',
      fields: [
        ['From', text(textOfAccount(of(alice, sub(7))))],
        ['Amount', tokenAmount(1n)],
        ['To', text(textOfAccount(of(bob, sub(1))))],
        ['Fees', tokenAmount(10_000n)],
        ['Memo', text('hi')],
      ],
    })
  })

  test('ledger §20.132: of an approval', () => {
    const call = approve({ fromSubaccount: sub(7), expiresAt: EXPIRY, memo: fromHex('ff00') })
    const own = text(textOfAccount(of(alice, sub(7))))
    expect(fields(call)).toEqual({
      type: 'fieldsDisplayMessage',
      intent: 'Approve spending',
      fields: [
        ['From', own],
        ['Approve to spender', text(textOfAccount(of(bob)))],
        ['Requested allowance', tokenAmount(150_000n)],
        ['Existing allowance', tokenAmount(40_000n)],
        ['Approval expiration', { type: 'timestampSeconds', amount: 1_620_328_630n }],
        ['Approval fees', tokenAmount(10_000n)],
        ['Fees paid by', own],
        ['Memo', text('ff00')],
      ],
    })
  })

  test('ledger §20.132: of a transfer of the tokens of somebody else', () => {
    expect(fields(transferFrom({ spenderSubaccount: sub(7) }))).toEqual({
      type: 'fieldsDisplayMessage',
      intent: 'Spend ckBTC',
      fields: [
        ['From', text(textOfAccount(of(bob)))],
        ['Amount', tokenAmount(250_000_000n)],
        ['Spender', text(textOfAccount(of(alice, sub(7))))],
        ['To', text(textOfAccount(of(carol)))],
        ['Fees', tokenAmount(10_000n)],
      ],
    })
  })

  test('an approval without end says so in words', () => {
    const [, , , expiration] = fields(approve({ expectedAllowance: undefined })).fields
    expect(expiration).toEqual(['Approval expiration', text('This approval does not expire.')])
  })

  test('one satoshi too many for 64 bits is refused with code 500', () => {
    const display = { deviceSpec: 'fieldsDisplay' } as const
    expect(ask(transfer({ amount: 2n ** 64n - 1n }), display).type).toBe('ok')
    for (const call of [
      transfer({ amount: 2n ** 64n }),
      approve({ amount: 2n ** 64n }),
      approve({ expectedAllowance: 2n ** 64n }),
      transferFrom({ amount: 2n ** 64n }),
    ])
      expect(ask(call, display)).toMatchObject({
        type: 'err',
        error: { type: 'genericError', errorCode: 500n },
      })
  })
})

describe('the generic message', () => {
  test('ledger §20.132: of a transfer, to the letter, a satoshi without an exponent', () => {
    expect(generic(transfer({ memo: utf8('hi') }))).toBe(
      [
        '# Send ckBTC',
        'You are about to transfer tokens from your account.',
        `**From:**\n\`${textOfAccount(of(alice))}\``,
        '**Amount:** `0.00000001 ckBTC`',
        `**To:**\n\`${textOfAccount(of(bob, sub(1)))}\``,
        '**Fees:** `0.0001 ckBTC`\nCharged for the transfer.',
        '**Memo:**\n`hi`',
      ].join('\n\n'),
    )
  })

  test.each([
    ['transfer', transfer({ memo: utf8('hi') })],
    ['approval', approve({ memo: utf8('hi') })],
    ['approval that ends', approve({ expiresAt: EXPIRY, expectedAllowance: undefined })],
    ['transfer of the tokens of somebody else', transferFrom()],
  ])('ledger §20.132: of a %s has the intent and the labels of the fields', (_, call) => {
    const markdown = generic(call)
    const { intent, fields: all } = fields(call)
    expect(markdown.split('\n')[0]).toBe(`# ${intent}`)
    expect(labels(markdown)).toEqual(all.map(([label]) => label))
  })

  test('is what who asks for no form of display gets', () => {
    expect(generic(transfer(), { deviceSpec: 'genericDisplay' })).toBe(generic(transfer()))
  })

  test('prints the end of an approval on the clock of the reader', () => {
    const call = approve({ expiresAt: EXPIRY })
    expect(generic(call)).toContain('Thu, 06 May 2021 19:17:10 +0000')
    expect(generic(call, { utcOffsetMinutes: 330 })).toContain('Fri, 07 May 2021 00:47:10 +0530')
    expect(generic(call, { utcOffsetMinutes: -90 })).toContain('Thu, 06 May 2021 17:47:10 -0130')
  })

  test.each([
    ['ff00', 'ff00'],
    ['6869', 'hi'],
    ['c3a9', 'é'],
    ['61600a62', '61600a62'], // A backtick and a new line: more than a memo.
    ['610a62', '610a62'],
    ['e280ae', 'e280ae'], // Turns the direction of writing.
    ['e280a8', 'e280a8'],
  ])('ledger §20.135: shows the memo %s as %s', (memo, shown) => {
    expect(generic(transfer({ memo: fromHex(memo) }))).toContain(`**Memo:**\n\`${shown}\``)
  })

  test('refuses an amount that no double holds', () => {
    expect(ask(transfer({ amount: 10n ** 320n }))).toMatchObject({
      error: { type: 'genericError', errorCode: 500n },
    })
  })
})

test('ledger §20.134: nobody in particular has no account to name', () => {
  const shown = (call: Asked) => fields(call, anonymous).fields.map(([label]) => label)
  expect(shown(transfer())).toEqual(['Amount', 'To', 'Fees'])
  expect(shown(transferFrom())).toEqual(['From', 'Amount', 'To', 'Fees'])
  expect(shown(approve())).not.toContain('From')
  expect(shown(approve())).not.toContain('Fees paid by')
  expect(labels(generic(transfer(), {}, anonymous))).toEqual(['Amount', 'To', 'Fees'])
})

test('ledger §20.134: the answer is in English, the offset comes back', () => {
  expect(ask(transfer(), { language: 'fr', utcOffsetMinutes: -32_768 })).toMatchObject({
    metadata: { language: 'en', utcOffsetMinutes: -32_768 },
  })
  expect(ask(transfer(), { language: 'fr' })).toMatchObject({ metadata: { language: 'en' } })
})

const { arg } = transfer()
const refused: readonly (readonly [string, Asked, string])[] = [
  ['of 501 bytes', { method: 'nonsense', arg: new Uint8Array(501) }, 'argument has 501 bytes'],
  ['of 500 bytes', { method: 'icrc1_transfer', arg: new Uint8Array(500) }, 'does not decode'],
  ['to a method that is not explained', { method: 'icrc1_fee', arg }, 'are explained'],
  ['to a name of every object', { method: 'constructor', arg }, 'are explained'],
  ['with the arguments of another method', { ...approve(), method: 'icrc1_transfer' }, 'decode'],
  ['cut short', { method: 'icrc1_transfer', arg: arg.slice(0, -1) }, 'does not decode'],
  ['with a byte too many', { method: 'icrc1_transfer', arg: Uint8Array.of(...arg, 0) }, 'decode'],
  ['with too low a fee', transfer({ fee: 9_999n }), 'a fee of 9999, the ledger takes 10000'],
  ['with too high a fee', approve({ fee: 10_001n }), 'a fee of 10001'],
  ['with no fee at all', transferFrom({ fee: 0n }), 'a fee of 0'],
]

test.each(refused)('ledger §20.133: a call %s is not explained', (_, call, reason) => {
  for (const deviceSpec of ['genericDisplay', 'fieldsDisplay'] as const)
    expect(ask(call, { deviceSpec })).toEqual({
      type: 'err',
      error: { type: 'unsupportedCanisterCall', description: expect.stringContaining(reason) },
    })
})

test('a call that states the fee of the ledger is explained', () => {
  for (const call of [transfer, approve, transferFrom])
    expect(ask(call({ fee: 10_000n })).type).toBe('ok')
})

test.each([
  [0n, 8, '0'],
  [1n, 8, '0.00000001'],
  [123n, 8, '0.00000123'],
  [100_000_000n, 8, '1'],
  [2_100_000_000_000_001n, 8, '21000000.00000001'],
  [1n, 0, '1'],
  [15n, 19, '0.0000000000000000015'],
  [10n ** 24n, 0, '1000000000000000000000000'],
  [15n * 10n ** 21n, 0, '15000000000000000000000'],
  [10n ** 320n, 8, undefined],
])('%i smallest units at %i decimals are %s', (amount, decimals, shown) => {
  expect(amountText(amount, decimals)).toBe(shown)
})

test('dates are those of the calendar, whatever the offset', () => {
  const SECONDS_MAX = 18_446_744_073 // 2^64 nanoseconds.
  for (let second = 0; second <= SECONDS_MAX; second += 41_234_567)
    for (const offset of [0, 1_439, -1_439]) {
      const [day, date, month, year, time] = dateText(BigInt(second), offset).split(' ')
      const expected = new Date((second + offset * 60) * 1_000).toUTCString()
      expect([day, date, month, year, time, 'GMT'].join(' ')).toBe(expected)
    }
  expect(dateText(951_782_400n, 0)).toBe('Tue, 29 Feb 2000 00:00:00 +0000')
  expect(dateText(0n, -1)).toBe('Wed, 31 Dec 1969 23:59:00 -0001')
  expect(dateText(0n, 1_440)).toBe('Thu, 01 Jan 1970 00:00:00 +0000')
})
