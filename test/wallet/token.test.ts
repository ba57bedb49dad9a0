/**
 * Goal: amounts of a further token are read and written exactly, and what the journal says of a token
 * leads to that ledger or to none.
 * Method: cli §§3.1, 3.11; properties over every number of decimals a ledger may have.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseUnits } from '../../src/core/base/amounts.ts'
import { Bug, Problem } from '../../src/core/base/errors.ts'
import { formatBtc, formatDecimal } from '../../src/core/base/units.ts'
import { furtherToken, ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { toWire } from '../../src/terminal/json.ts'
import { ic, type Network } from '../../src/wallet/network.ts'
import type { Operation } from '../../src/wallet/operations/operation.ts'
import {
  amountFact,
  amountFacts,
  assertItsLedger,
  tokenFacts,
  tokenOfOperation,
} from '../../src/wallet/operations/operation-token.ts'
import {
  inToken,
  inUnits,
  tokenDocument,
  tokenNamed,
  tokenOf,
  tokensOf,
  withFurtherTokens,
} from '../../src/wallet/token.ts'

const symbols = ['XYZ', 'ckETH', '1INCH', 'x.y', 'sat2', 'ÄÖ']
const network: Network = withFurtherTokens({ ...ic, kind: 'local', ids: ownCanisterIds }, [
  { symbol: 'XYZ', decimals: 6, ...furtherToken(0) },
  { symbol: 'Big', decimals: 0, ...furtherToken(1) },
])
const [own, xyz, big] = tokensOf(network) as [Token, Token, Token]
type Token = ReturnType<typeof tokenOf>

describe('an amount of a further token', () => {
  test('that was printed can be pasted back, whatever the decimals', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 256n - 1n),
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(...symbols),
        (amount, decimals, symbol) => {
          const text = `${formatDecimal(amount, decimals)} ${symbol}`
          expect(parseUnits(text, { symbol, decimals })).toBe(amount)
          expect(parseUnits(text.toLowerCase(), { symbol, decimals })).toBe(amount)
        },
      ),
    )
  })

  test('of eight decimals is printed as bitcoin is', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (amount) => {
        expect(formatDecimal(amount, 8)).toBe(formatBtc(amount))
      }),
    )
  })

  test.each([
    ['1.5xyz', 'XYZ', 6, 1_500_000n],
    ['1_000.25 XYZ', 'XYZ', 6, 1_000_250_000n],
    ['007xyz', 'XYZ', 6, 7_000_000n],
    ['0.0000010xyz', 'XYZ', 6, 1n],
    ['5 1inch', '1INCH', 0, 5n],
    ['12', '2', 0, undefined],
    ['51inch', '1INCH', 0, undefined],
    ['xyz', 'XYZ', 6, undefined],
    ['1xyzxyz', 'XYZ', 6, undefined],
    ['1.xyz', 'XYZ', 6, undefined],
    ['.5xyz', 'XYZ', 6, undefined],
    ['1__0xyz', 'XYZ', 6, undefined],
    ['1.5big', 'Big', 0, undefined],
    [`${'1'.repeat(500)}xyz`, 'XYZ', 6, undefined],
    ['0x10xyz', 'XYZ', 6, undefined],
    ['١xyz', 'XYZ', 6, undefined],
    ['1xyz\n2xyz', 'XYZ', 6, undefined],
  ])('%j in %s with %i decimals', (text, symbol, decimals, amount) => {
    const read = () => parseUnits(text, { symbol, decimals })
    if (amount === undefined) expect(read).toThrow(Problem)
    else expect(read()).toBe(amount)
  })
})

describe('a network with further tokens', () => {
  test('is opened for one of them, and for its own again', () => {
    const opened = inToken(network, xyz)
    expect(opened.ids).toMatchObject({
      ledger: xyz.ledger,
      index: xyz.index,
      minter: network.ids.minter,
    })
    expect(tokenOf(opened)).toBe(xyz)
    expect(tokensOf(opened)).toEqual([own, xyz, big])
    expect(inToken(opened, own).ids.ledger).toEqual(network.ids.ledger)
  })

  test('finds them in letters of either size, and no others', () => {
    expect(tokenNamed(network, 'xyz')).toBe(xyz)
    expect(tokenNamed(network, 'CKBTC').isFurther).toBe(false)
    expect(() => tokenNamed(ic, 'xyz')).toThrow('ic has no token "xyz"')
  })

  test('has documents in units: names end so, and numbers are texts', () => {
    const data = { balanceSat: 5n, rows: [{ feeSat: null, memo: Uint8Array.of(1), satSat: 2n }] }
    expect(tokenDocument(own, data)).toBe(data)
    expect(toWire(tokenDocument(xyz, { balanceSat: 2n ** 100n, rows: [{ feeSat: 1n }] }))).toEqual({
      token: { symbol: 'XYZ', decimals: 6 },
      balance_units: String(2n ** 100n),
      rows: [{ fee_units: '1' }],
    })
    expect(Object.keys(inUnits(xyz, data))).toEqual(['balanceUnits', 'rows'])
  })
})

const operationOf = (facts: Operation['facts']): Operation => ({
  id: 'op_1',
  kind: 'transfer',
  network: 'local',
  key: null,
  account: 'aaaaa-aa',
  startedAt: '',
  updatedAt: '',
  state: 'unknown',
  facts,
})

describe('an operation', () => {
  const factsOf = (token: Token) => ({
    ...amountFacts(token, { amountSat: '7' }),
    ...tokenFacts(token),
  })

  test.each([
    ['ckBTC', own],
    ['XYZ', xyz],
    ['Big', big],
  ])('of %s leads to its ledger, whatever is open', (_, token) => {
    const operation = operationOf(factsOf(token))
    expect(amountFact(operation, 'amount')).toBe(7n)
    for (const opened of [network, inToken(network, xyz), inToken(network, big)]) {
      expect(tokenOfOperation(opened, operation)).toEqual(token)
      const isIts = tokenOf(opened).symbol === token.symbol
      const check = () => assertItsLedger({ network: opened }, operation)
      if (isIts) expect(check).not.toThrow()
      else expect(check).toThrow(Bug)
    }
  })

  test('of ckBTC says nothing of a token, as it always has', () => {
    expect(factsOf(own)).toEqual({ amountSat: '7' })
  })

  test('of a further token has no amount for who does not know tokens', () => {
    expect(factsOf(xyz)).not.toHaveProperty('amountSat')
  })

  test.each([
    ['on a network without it', ic, {}],
    ['whose ledger is another', network, { tokenLedger: 'aaaaa-aa' }],
    ['whose ledger is none', network, { tokenLedger: '?' }],
    ['whose decimals are others', network, { tokenDecimals: 7 }],
    ['whose decimals are none', network, { tokenDecimals: null }],
    ['whose symbol is another', network, { token: 'Big' }],
  ])('%s goes nowhere', (_, where, change) => {
    const operation = operationOf({ ...factsOf(xyz), ...change })
    expect(() => tokenOfOperation(where, operation)).toThrow(Problem)
  })
})
