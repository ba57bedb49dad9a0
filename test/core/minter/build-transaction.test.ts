/**
 * Sizes, fees and outputs by the tables and worked examples of Source: minter §10.2, §10.3, §11.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigEndian } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { vsize } from '../../../src/core/btc/transaction.ts'
import { scriptOfAddress } from '../../../src/core/minter/addresses.ts'
import { DUST_LIMIT } from '../../../src/core/minter/constants.ts'
import { PRESENT } from '../../../src/core/minter/dialect.ts'
import { addCoin, newCoinSet } from '../../../src/core/minter/state/coin-set.ts'
import { sumOf } from '../../../src/core/minter/state/state.ts'
import type {
  BuildRequest,
  Recipient,
} from '../../../src/core/minter/transactions/build-transaction.ts'
import {
  buildTransaction,
  distribute,
  planTransaction,
  worstCaseVsize,
} from '../../../src/core/minter/transactions/build-transaction.ts'
import type { Utxo } from '../../../src/core/minter/types.ts'

const P2WPKH = 22
const P2WSH = 34
const P2PKH = 25
const P2SH = 23
const mainScript = scriptOfAddress({ type: 'p2wpkhV0', bytes: new Uint8Array(20).fill(1) })

const coin = (value: bigint, number = 0): Utxo => ({
  outpoint: { txid: sha256(bigEndian(BigInt(number), 4)), vout: 0 },
  value: sat(value),
  height: 1,
})
const to = (amount: bigint): Recipient => ({
  address: { type: 'p2wpkhV0', bytes: new Uint8Array(20).fill(2) },
  amount,
})

function build(
  coins: readonly bigint[],
  amounts: readonly bigint[],
  { rate = 5_000n, inputsMax = 1_000n }: Partial<BuildRequest> = {},
) {
  const utxos = coins.map(coin)
  return buildTransaction({ utxos, recipients: amounts.map(to), mainScript, rate, inputsMax })
}

function built(...[coins, amounts, options]: Parameters<typeof build>) {
  const outcome = build(coins, amounts, options)
  if (outcome.type !== 'built') throw new Error(outcome.type)
  return { ...outcome, values: outcome.transaction.outputs.map(({ value }) => value) }
}

describe('the worst-case size', () => {
  it.each([
    [1, [P2WPKH], 141n],
    [1, [P2PKH], 144n],
    [1, [P2SH], 142n],
    [1, [P2WSH], 153n],
    [2, [P2WPKH], 209n],
    [2, [P2PKH], 212n],
    [1_000, [P2WPKH], 68_325n],
    [1_000, Array.from({ length: 100 }, () => P2WSH), 72_594n],
  ])('of %i inputs to scripts of %j bytes and change', (inputs, scripts, expected) => {
    expect(worstCaseVsize(inputs, [...scripts, P2WPKH])).toBe(expected)
  })

  it('is that of the transaction with the longest witnesses, and never below a real one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 71, max: 73 }),
        (n, signature) => {
          const coins = Array.from({ length: n }, () => 1_000_000n)
          const { transaction } = built(coins, [500_000n])
          const witness = [new Uint8Array(signature), new Uint8Array(33)]
          const signed = {
            ...transaction,
            inputs: transaction.inputs.map((i) => ({ ...i, witness })),
          }
          const worst = worstCaseVsize(n, [P2WPKH, P2WPKH])
          if (signature === 73) expect(BigInt(vsize(signed))).toBe(worst)
          expect(BigInt(vsize(signed))).toBeLessThanOrEqual(worst)
        },
      ),
    )
  })
})

describe('the minter fee', () => {
  it.each([
    [1, 2, 300n],
    [2, 2, 326n],
    [3, 4, 480n],
  ])('of %i inputs and %i outputs', (inputs, outputs, expected) => {
    expect(PRESENT.minterFee(inputs, outputs)).toBe(expected)
  })
})

describe('fees are shared', () => {
  it('minter §23.71: as 2, 2, 1 for 5 among 3', () => {
    expect(distribute(5n, 3)).toEqual([2n, 2n, 1n])
  })

  it('minter §23.71: without loss and evenly, whatever they are', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 9n), fc.integer({ min: 1, max: 100 }), (amount, count) => {
        const parts = distribute(amount, count)
        expect(parts.length).toBe(count)
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(amount)
        expect((parts[0] ?? 0n) - (parts.at(-1) ?? 0n)).toBeLessThanOrEqual(1n)
        expect(parts).toEqual([...parts].sort((a, b) => (a < b ? 1 : -1)))
      }),
    )
  })
})

describe('a transaction', () => {
  it('of one withdrawal is the worked example', () => {
    const { values, changeOutput, withdrawalFee } = built([100_000_000n], [50_000_000n])
    expect(withdrawalFee).toEqual({ bitcoinFee: 705n, minterFee: 300n })
    expect(values).toEqual([49_998_995n, 50_000_300n])
    expect(changeOutput).toEqual({ vout: 1, value: 50_000_300n })
  })

  it('pays a satoshi that is begun whole', () => {
    const fee = (rate: bigint) => built([100_000n], [50_000n], { rate }).withdrawalFee.bitcoinFee
    expect([5_000n, 5_001n, 5_007n, 5_008n].map(fee)).toEqual([705n, 706n, 706n, 707n])
  })

  it('of two withdrawals is the worked example', () => {
    const { values, withdrawalFee } = built([60_000n], [20_000n, 30_000n])
    expect(withdrawalFee).toEqual({ bitcoinFee: 860n, minterFee: 300n })
    expect(values).toEqual([19_420n, 29_420n, 10_300n])
  })

  it('minter §23.67: lets the first recipients carry the remainder, and keeps the minter fee as change', () => {
    const amounts = [100_000n, 99_999n]
    const { values, withdrawalFee } = built([100_000n, 100_000n], amounts, { rate: 10_000n })
    const fees = withdrawalFee.bitcoinFee + withdrawalFee.minterFee
    const [first = 0n, second = 0n, change] = values
    expect([100_000n - first, 99_999n - second]).toEqual([fees - fees / 2n, fees / 2n])
    expect(change).toBe(1n + withdrawalFee.minterFee)
  })

  it('signals replacement, and has version 2 and no lock time', () => {
    const { transaction } = built([100_000n], [50_000n])
    expect(transaction).toMatchObject({ version: 2, lockTime: 0 })
    expect(transaction.inputs).toEqual([
      {
        outpoint: coin(100_000n).outpoint,
        scriptSig: new Uint8Array(),
        sequence: 0xfffffffd,
        witness: [],
      },
    ])
  })

  it('minter §23.70: pays each recipient its amount less its share, and the rest back, whatever is asked', () => {
    const amounts = fc.array(fc.bigInt(1_000n, 10n ** 8n), { minLength: 1, maxLength: 10 })
    const coinValues = fc.array(fc.bigInt(1_000n, 10n ** 9n), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(coinValues, amounts, fc.bigInt(0n, 50_000n), (coins, recipients, rate) => {
        const outcome = build(coins, recipients, { rate })
        if (outcome.type !== 'built') return
        const { outputs } = outcome.transaction
        const { bitcoinFee, minterFee } = outcome.withdrawalFee
        const shares = distribute(bitcoinFee + minterFee, recipients.length)
        recipients.forEach((amount, i) => {
          expect(outputs[i]?.value).toBe(amount - (shares[i] ?? 0n))
          expect(outputs[i]?.value).toBeGreaterThan(DUST_LIMIT)
        })
        expect(outputs.at(-1)?.script).toEqual(mainScript)
        expect(outputs.at(-1)?.value).toBeGreaterThanOrEqual(minterFee)
        expect(outputs.length).toBe(recipients.length + 1)
        expect(sumOf(outcome.utxos)).toBe(bitcoinFee + sumOf(outputs))
      }),
    )
  })
})

describe('what cannot be built', () => {
  it('minter §23.68: for a dust output names the recipient', () => {
    expect(build([100_000n], [99_900n, 100n], { rate: 1_000n })).toMatchObject({
      type: 'dustOutput',
      recipient: { amount: 100n },
    })
    expect(build([100_000n], [99_000n, 1_000n], { rate: 4_000n })).toMatchObject({
      type: 'dustOutput',
      recipient: { amount: 1_000n },
    })
  })

  it('keeps exactly one satoshi above dust', () => {
    const share = 705n + 300n
    expect(build([100_000n], [share + 547n]).type).toBe('built')
    expect(build([100_000n], [share + 546n]).type).toBe('dustOutput')
  })

  it('minter §23.69: for an amount below the fees is too low as a whole', () => {
    expect(build([100_000n], [1n])).toEqual({ type: 'amountTooLow', fees: 1_005n })
    expect(build([100_000n], [1_004n]).type).toBe('amountTooLow')
    expect(build([100_000n], [1_005n]).type).toBe('dustOutput')
  })

  it('minter §23.69: without enough coins says so', () => {
    expect(build([], [1_000n])).toEqual({ type: 'notEnoughFunds' })
    expect(build([10_000n], [20_000n])).toEqual({ type: 'notEnoughFunds' })
  })

  it('minter §23.72: with more inputs than allowed says how many', () => {
    const coins = Array.from({ length: 1_001 }, () => 100_000n)
    const expected = { type: 'tooManyInputs', inputs: 1_001n, inputsMax: 1_000n }
    expect(build(coins, [90_000_000n])).toEqual(expected)
    expect(build(coins.slice(1), [90_000_000n]).type).toBe('built')
  })

  it('minter §23.68: leaves the coins as they were', () => {
    const coins = newCoinSet()
    for (const c of [coin(10_000n, 1), coin(20_000n, 2)]) addCoin(coins, c)
    const before = structuredClone(coins)
    const rest = { mainScript, rate: 5_000n, inputsMax: 1_000n, countThreshold: 1_000 }
    const available = { coins, without: new Map() }
    for (const amount of [1n, 60_000n, 1_500n, 25_000n])
      planTransaction({ available, recipients: [to(amount)], ...rest })
    expect(coins).toEqual(before)
  })
})
