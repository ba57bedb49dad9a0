/**
 * Greedy selection and the count optimisation, against the words of §9 taken literally. Source:
 * minter §9.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigEndian } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { sat } from '../../../src/core/base/units.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import type { Spendable } from '../../../src/core/minter/state/coin-set.ts'
import {
  addCoin,
  ascending,
  coinSetFlaws,
  compareUtxos,
  countOf,
  descending,
  fundsOf,
  newCoinSet,
  PIECE_MAX,
  takeCoin,
  worthAtLeast,
} from '../../../src/core/minter/state/coin-set.ts'
import { sumOf } from '../../../src/core/minter/state/state.ts'
import {
  selectCoins,
  selectGreedily,
} from '../../../src/core/minter/transactions/coin-selection.ts'
import type { Utxo } from '../../../src/core/minter/types.ts'
import { someTxid, TestMinter } from '../../support/minter-world.ts'

const coin = (value: bigint, number: number): Utxo => ({
  outpoint: { txid: sha256(bigEndian(BigInt(number), 4)), vout: number },
  value: sat(value),
  height: 1,
})
const coins = (values: readonly bigint[]): readonly Utxo[] => values.map(coin)
const values = (utxos: readonly { readonly value: bigint }[] | undefined) =>
  utxos?.map(({ value }) => value)
const keyOf = ({ outpoint }: Utxo) => outpointKey(outpoint)

function spendable(utxos: readonly Utxo[], without: readonly Utxo[] = []): Spendable {
  const set = newCoinSet()
  for (const utxo of utxos) addCoin(set, utxo)
  return { coins: set, without: new Map(without.map((utxo) => [keyOf(utxo), utxo])) }
}

/** §9.1, word for word. */
function greedy(utxos: readonly Utxo[], target: bigint): readonly Utxo[] | undefined {
  const rest = [...utxos].sort(compareUtxos)
  const chosen: Utxo[] = []
  for (let goal = target; goal > 0n; ) {
    const reaching = rest.find(({ value }) => value >= goal) ?? rest.at(-1)
    if (reaching === undefined) return undefined
    rest.splice(rest.indexOf(reaching), 1)
    chosen.push(reaching)
    goal -= reaching.value
  }
  return chosen
}

describe('greedy selection', () => {
  it('minter §23.63: of coins worth 1 to 9 it takes 9 and 6 for 15', () => {
    const utxos = coins([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n])
    expect(values(selectGreedily(spendable(utxos), 15n))).toEqual([9n, 6n])
  })

  it('takes the smallest coin that reaches the goal', () => {
    expect(values(selectGreedily(spendable(coins([5n, 100n, 7n, 50n])), 7n))).toEqual([7n])
  })

  it('minter §23.64: finds coins exactly when there are enough, and changes nothing', () => {
    const amounts = fc.array(fc.bigInt(1n, 60n), { maxLength: 30 })
    fc.assert(
      fc.property(amounts, fc.bigInt(1n, 1_000n), fc.nat({ max: 30 }), (list, target, lost) => {
        const all = coins(list)
        const [without, utxos] = [all.slice(0, lost), all.slice(lost)]
        const from = spendable(all, without)
        const chosen = selectGreedily(from, target)
        expect(chosen).toEqual(greedy(utxos, target))
        expect(chosen !== undefined).toBe(sumOf(utxos) >= target)
        expect([...ascending(from.coins)]).toEqual([...all].sort(compareUtxos))
        if (chosen === undefined) return
        expect(chosen.length).toBeGreaterThan(0)
        expect(sumOf(chosen)).toBeGreaterThanOrEqual(target)
        expect(new Set(chosen).size).toBe(chosen.length)
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
      spendable(Array.from({ length: count }, (_, i) => coin(1_000_000n + BigInt(i), i))),
      { ...wanted, inputsMax, countThreshold: 1_000 },
    )

  it('minter §23.66: one withdrawal takes the smallest coin along', () => {
    expect(values(select(1_002, { target: 900_000n, recipients: 1 }))).toEqual([
      1_000_000n,
      1_000_001n,
    ])
  })

  it('minter §23.65: two withdrawals make three inputs, the smallest remaining last', () => {
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

  it('too many are counted for one withdrawal, and for several only until they are too many', () => {
    const dear = { target: 300_000_000n, inputsMax: 100n }
    expect(select(1_500, { ...dear, recipients: 1 })?.length).toBe(300)
    expect(select(1_500, { ...dear, recipients: 3 })?.length).toBe(101)
  })

  it('exactly 1,000 left are not very many', () => {
    expect(select(1_001, { target: 900_000n, recipients: 1 })?.length).toBe(1)
  })

  it('more inputs than outputs already need no more', () => {
    expect(select(1_010, { target: 3_500_000n, recipients: 1 })?.length).toBe(4)
  })

  it('those that the chain does not have are neither counted nor taken along', () => {
    const all = Array.from({ length: 1_003 }, (_, i) => coin(1_000_000n + BigInt(i), i))
    const wanted = { target: 900_000n, recipients: 1, countThreshold: 1_000, inputsMax: 1_000n }
    const along = selectCoins(spendable(all, all.slice(0, 1)), wanted)
    expect(values(along)).toEqual([1_000_001n, 1_000_002n])
    expect(selectCoins(spendable(all, all.slice(0, 2)), wanted)?.length).toBe(1)
  })
})

describe('a set of coins', () => {
  it('holds what came and did not leave, in its order, whatever came and left', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 40 }), fc.boolean()), { maxLength: 120 })
    fc.assert(
      fc.property(steps, fc.bigInt(0n, 12n), (list, value) => {
        const set = newCoinSet()
        const model = new Map<string, Utxo>()
        for (const [number, comes] of list) {
          const utxo = coin(BigInt(number % 11), number)
          const key = keyOf(utxo)
          if (comes) {
            addCoin(set, utxo)
            if (!model.has(key)) model.set(key, utxo)
          } else {
            expect(takeCoin(set, key)).toBe(model.get(key))
            model.delete(key)
          }
        }
        const sorted = [...model.values()].sort(compareUtxos)
        expect([...ascending(set)]).toEqual(sorted)
        expect([...descending(set)]).toEqual(sorted.toReversed())
        expect([...worthAtLeast(set, value)]).toEqual(sorted.filter((u) => u.value >= value))
        expect(coinSetFlaws(set)).toEqual([])
        expect(set.total).toBe(sumOf(sorted))
      }),
    )
  })

  it('parts its order into pieces and drops the empty ones', () => {
    const set = newCoinSet()
    const all = Array.from({ length: 3 * PIECE_MAX }, (_, i) => coin(BigInt((i * 7) % 1_000), i))
    for (const utxo of all) addCoin(set, utxo)
    expect(set.pieces.length).toBeGreaterThan(2)
    expect(set.pieces.every(({ length }) => length <= PIECE_MAX)).toBe(true)
    expect([...ascending(set)]).toEqual([...all].sort(compareUtxos))
    for (const utxo of all) takeCoin(set, keyOf(utxo))
    expect(set).toEqual(newCoinSet())
  })

  it('counts its funds without those that the chain does not have', () => {
    const all = coins([5n, 6n, 7n])
    const elsewhere = coin(9n, 99)
    const some = spendable(all, [...all.slice(0, 1), elsewhere])
    expect([fundsOf(some), countOf(some)]).toEqual([13n, 2])
  })

  it.each<[string, (set: ReturnType<typeof newCoinSet>) => unknown]>([
    ['coins out of order', ({ pieces }) => pieces[0]?.reverse()],
    ['the order has other coins than the set', ({ pieces }) => pieces[0]?.pop()],
    ['the order has other coins than the set', ({ byKey }) => byKey.clear()],
    ['coins out of order', ({ pieces }) => pieces.push([])],
    [
      'the coins are worth another total',
      (set) => {
        set.total += 1n
      },
    ],
  ])('notices %s', (flaw, damage) => {
    const set = newCoinSet()
    for (const utxo of coins([1n, 2n, 3n])) addCoin(set, utxo)
    damage(set)
    expect(coinSetFlaws(set)).toContain(flaw)
  })
})

it('a state that was copied for a snapshot has one set of coins, as before', () => {
  const { state } = new TestMinter()
  for (const utxo of coins([3n, 1n, 2n])) addCoin(state.coins, utxo)
  const copy = structuredClone(state)
  expect(copy).toEqual(state)
  addCoin(copy.coins, coin(4n, 77))
  expect(copy.availableUtxos.size).toBe(4)
  expect(state.availableUtxos.size).toBe(3)
})
