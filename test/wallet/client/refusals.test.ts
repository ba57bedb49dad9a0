/**
 * Goal: every way in which ledger and minter can say no has one code, and says what to do.
 * Method: the error types are read from the published interface files. cli §6, mapping rule.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errorCatalogue } from '../../../src/core/base/errors.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Asked, LedgerError, MinterError } from '../../../src/wallet/client/refusals.ts'
import {
  ledgerCodes,
  ledgerRefusal,
  minterCodes,
  minterRefusal,
  suspensionCodes,
  uncalledCodes,
} from '../../../src/wallet/client/refusals.ts'
import { ic } from '../../../src/wallet/network.ts'
import { tokenOf } from '../../../src/wallet/token.ts'

const token = tokenOf(ic)
const declarations = new URL(
  '../../../node_modules/@icp-sdk/canisters/declarations/',
  import.meta.url,
)

/** Variants of every type of a Candid file whose name ends like `suffix`, in camel case. */
function variantsOf(path: string, suffix: RegExp): readonly string[] {
  const text = readFileSync(new URL(path, declarations), 'utf8').replace(/\/\/.*$/gm, '')
  const types = [...text.matchAll(/type (\w+) = variant \{((?:[^{}]|\{[^{}]*\})*)\}/g)]
  return types
    .filter(([, name = '']) => suffix.test(name))
    .flatMap(([, , body = '']) =>
      [...body.replace(/\{[^{}]*\}/g, '').matchAll(/(?:^|;)\s*(\w+)/g)].map(
        ([, variant = '']) => variant.slice(0, 1).toLowerCase() + variant.slice(1),
      ),
    )
}

describe('the interface files', () => {
  const ledger = variantsOf('ledger-icrc/icrc_ledger.did', /error$/i)
  const minter = variantsOf('ckbtc/minter.did', /Error$/)
  const suspended = variantsOf('ckbtc/minter.did', /^SuspendedReason$/)

  test('are read as they are', () => {
    expect(ledger).toContain('badBurn')
    expect(ledger.length).toBeGreaterThan(30)
    expect(minter).toContain('noNewUtxos')
    expect(minter.length).toBeGreaterThan(15)
  })

  test.each([...new Set(ledger)])('ledger: %s has a code', (variant) => {
    const codes: Readonly<Record<string, string>> = { ...ledgerCodes, ...uncalledCodes.ledger }
    expect(Object.keys(errorCatalogue)).toContain(codes[variant])
  })

  test.each([...new Set(minter)])('minter: %s has a code', (variant) => {
    const codes: Readonly<Record<string, string>> = { ...minterCodes, ...uncalledCodes.minter }
    expect(Object.keys(errorCatalogue)).toContain(codes[variant])
  })

  test('reasons for which a coin waits have codes', () => {
    expect(suspended.toSorted()).toEqual(Object.keys(suspensionCodes).toSorted())
    expect(suspensionCodes).toEqual({
      quarantined: 'MINTER_COIN_FLAGGED',
      valueTooSmall: 'MINTER_COIN_TOO_SMALL',
    })
  })
})

const asked: Asked = { what: 'transfer', token, amount: 900_000_000n, fee: 10n }
const redemption: Asked = { what: 'redemption', token, amount: 20_000n, fee: 0n }
const ledgerTime = timestampNs(1n)

test.each<[LedgerError, string, RegExp]>([
  [
    { type: 'insufficientFunds', balance: 150_000n },
    'LEDGER_INSUFFICIENT_FUNDS',
    /^balance is 0\.00150000 ckBTC, the transfer needs 9\.00000010 ckBTC$/,
  ],
  [{ type: 'insufficientFunds', balance: 0n }, 'LEDGER_INSUFFICIENT_FUNDS', /^balance is 0/],
  [{ type: 'allowanceChanged', currentAllowance: 5n }, 'LEDGER_ALLOWANCE_CHANGED', /0\.00000005/],
  [{ type: 'insufficientAllowance', allowance: 5n }, 'LEDGER_ALLOWANCE_CHANGED', /0\.00000005/],
  [{ type: 'tooOld' }, 'HOST_CLOCK', /clock .* behind/],
  [{ type: 'createdInFuture', ledgerTime }, 'HOST_CLOCK', /clock .* ahead/],
  [{ type: 'badFee', expectedFee: 11n }, 'LEDGER_REFUSED', /11 sat/],
  [{ type: 'badBurn', minBurnAmount: 11n }, 'LEDGER_REFUSED', /11 sat/],
  [{ type: 'duplicate', duplicateOf: 7n }, 'LEDGER_REFUSED', /block 7/],
  [{ type: 'expired', ledgerTime }, 'LEDGER_REFUSED', /ended/],
  [{ type: 'temporarilyUnavailable' }, 'LEDGER_REFUSED', /busy/],
  [{ type: 'genericError', errorCode: 3n, message: 'odd' }, 'LEDGER_REFUSED', /odd/],
])('refusal %# of the ledger has its code and its words', (error, code, message) => {
  const refusal = ledgerRefusal(error, asked)
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) })
  expect(refusal.fix).not.toBe('')
})

test('the hint names the most that can be moved', () => {
  const refusal = ledgerRefusal({ type: 'insufficientFunds', balance: 150_000n }, asked)
  expect(refusal.fix).toContain('0.00149990 ckBTC')
  expect(refusal.details).toMatchObject({ neededSat: 900_000_010n, missingSat: 899_850_010n })
})

test.each<[MinterError, Asked, string, RegExp]>([
  [{ type: 'amountTooLow', min: 50_000n }, redemption, 'MINTER_BELOW_MINIMUM', /0\.00050000/],
  [{ type: 'alreadyProcessing' }, redemption, 'MINTER_ALREADY_PROCESSING', /account/],
  [
    { type: 'temporarilyUnavailable', message: 'too many concurrent requests' },
    redemption,
    'MINTER_BUSY',
    /too many/,
  ],
  ...[
    'the minter is in read-only mode',
    'access to the minter is temporarily restricted',
    'BTC deposits are temporarily restricted',
    'BTC withdrawals are temporarily restricted',
  ].map((message): [MinterError, Asked, string, RegExp] => [
    { type: 'temporarilyUnavailable', message },
    redemption,
    'MINTER_RESTRICTED',
    /not available/,
  ]),
  [{ type: 'malformedAddress', message: 'odd' }, redemption, 'BTC_BAD_ADDRESS', /odd/],
  [{ type: 'insufficientFunds', balance: 3n }, redemption, 'LEDGER_INSUFFICIENT_FUNDS', /0003 ck/],
  [{ type: 'insufficientAllowance', allowance: 3n }, redemption, 'LEDGER_ALLOWANCE_CHANGED', /3/],
  [
    { type: 'genericError', code: 1n, message: 'Destination address is tainted' },
    redemption,
    'MINTER_DEST_FLAGGED',
    /flagged/,
  ],
  [{ type: 'genericError', code: 2n, message: 'checker' }, redemption, 'MINTER_REFUSED', /checker/],
  [
    { type: 'genericError', code: 1n, message: 'config' },
    { ...redemption, what: 'deposit' },
    'MINTER_REFUSED',
    /config/,
  ],
  [
    { type: 'noNewUtxos', requiredConfirmations: 6, pendingUtxos: [], suspendedUtxos: [] },
    { ...redemption, what: 'deposit' },
    'MINTER_REFUSED',
    /no coin/,
  ],
])('refusal %# of the minter has its code and its words', (error, what, code, message) => {
  const refusal = minterRefusal(error, what)
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) })
  expect(refusal.fix).not.toBe('')
})
