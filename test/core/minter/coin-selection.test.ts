/** Greedy selection and the count optimisation. Source: minter §9. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigEndian } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import {
  compareUtxos,
  selectCoins,
  selectGreedily,
} from '../../../src/core/minter/coin-selection.ts'
import { sumOf } from '../../../src/core/minter/state.ts'
import type { Utxo } from '../../../src/core/minter/types.ts'
import { someTxid } from '../../support/minter-world.ts'

const coin = (value: bigint, number: number): Utxo => ({
  outpoint: { txid: sha256(bigEndian(BigInt(number), 4)), vout: number },
  value: sat(value),
  height: 1,
})
const coins = (values: readonly bigint[]): readonly Utxo[] => values.map(coin)
const values = (utxos: readonly Utxo[] | undefined) => utxos?.map(({ value }) => value)

describe('greedy selection', () => {
  it('takes 9 and 6 of 1 to 9 for 15', () => {
    const selection = selectGreedily(coins([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n]), 15n)
    expect(values(selection?.chosen)).toEqual([9n, 6n])
    expect(values(selection?.rest)).toEqual([1n, 2n, 3n, 4n, 5n, 7n, 8n])
  })

  it('takes the smallest coin that reaches the goal', () => {
    expect(values(selectGreedily(coins([5n, 100n, 7n, 50n]), 7n)?.chosen)).toEqual([7n])
  })

  it('finds coins exactly when there are enough, and parts them without loss', () => {
    const amounts = fc.array(fc.bigInt(1n, 1_000n), { maxLength: 30 })
    fc.assert(
      fc.property(amounts, fc.bigInt(1n, 10_000n), (list, target) => {
        const utxos = coins(list)
        const before = [...utxos]
        const selection = selectGreedily(utxos, target)
        expect(utxos).toEqual(before)
        expect(selection !== undefined).toBe(sumOf(utxos) >= target)
        if (selection === undefined) return
        expect(selection.chosen.length).toBeGreaterThan(0)
        expect(sumOf(selection.chosen)).toBeGreaterThanOrEqual(target)
        const together = [...selection.chosen, ...selection.rest].sort(compareUtxos)
        expect(together).toEqual(before.sort(compareUtxos))
      }),
    )
  })

  it('orders coins by value, then txid, then index', () => {
    const at = (value: bigint, byte: number, vout: number): Utxo => ({
      outpoint: { txid: someTxid(byte), vout },
      value: sat(value),
      height: 1,
    })
    const sorted = [at(1n, 1, 0), at(1n, 1, 2), at(1n, 2, 1), at(2n, 0, 0), at(10n, 0, 0)]
    expect(sorted.toReversed().sort(compareUtxos)).toEqual(sorted)
  })
})

describe('with very many coins', () => {
  type Wanted = { target: bigint; recipients: number; inputsMax?: bigint }
  const select = (count: number, { inputsMax = 1_000n, ...wanted }: Wanted) =>
    selectCoins(
      Array.from({ length: count }, (_, i) => coin(1_000_000n + BigInt(i), i)),
      { ...wanted, inputsMax, countThreshold: 1_000 },
    )

  it('one withdrawal takes the smallest coin along', () => {
    expect(values(select(1_002, { target: 900_000n, recipients: 1 }))).toEqual([
      1_000_000n,
      1_000_001n,
    ])
  })

  it('two withdrawals make three inputs, the smallest remaining last', () => {
    const chosen = values(select(1_003, { target: 2_000_000n, recipients: 2 }))
    expect(chosen).toEqual([1_001_002n, 1_000_000n, 1_000_001n])
  })

  it.each([
    [1n, 2],
    [2n, 2],
    [3n, 3],
    [11n, 11],
    [12n, 11],
  ])('at most %i inputs are never passed by those taken along', (inputsMax, count) => {
    const chosen = select(1_050, { target: 2_000_000n, recipients: 10, inputsMax })
    expect(chosen?.length).toBe(count)
  })

  it('exactly 1,000 left are not very many', () => {
    expect(select(1_001, { target: 900_000n, recipients: 1 })?.length).toBe(1)
  })

  it('more inputs than outputs already need no more', () => {
    expect(select(1_010, { target: 3_500_000n, recipients: 1 })?.length).toBe(4)
  })
})
