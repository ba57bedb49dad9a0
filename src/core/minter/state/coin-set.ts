/**
 * The coins that can be spent, by outpoint and in the order of value, txid and index. Source: minter
 * §9.
 *
 * Plain data, so that a snapshot holds it as it is. The order is a list of short sorted pieces: a
 * coin is found by two binary searches, and entering or leaving moves one piece at most.
 */
import { compareBytes } from '../../base/bytes.ts'
import { assert, present } from '../../base/errors.ts'
import type { View } from '../../base/view.ts'
import { outpointKey } from '../../btc/transaction.ts'
import type { Utxo } from '../types.ts'

export type CoinSet = {
  readonly byKey: Map<string, Utxo>
  /** Ascending; none is empty. */
  readonly pieces: Utxo[][]
  /** Worth of all. */
  total: bigint
}

type Coin = View<Utxo>
type Coins = View<CoinSet>

/** A piece that grows beyond is cut in two. */
export const PIECE_MAX = 512

export const newCoinSet = (): CoinSet => ({ byKey: new Map(), pieces: [], total: 0n })

const compareOutpoints = (a: Coin, b: Coin): number =>
  compareBytes(a.outpoint.txid, b.outpoint.txid) || a.outpoint.vout - b.outpoint.vout

/**
 * The order in which the Bitcoin side lists them: newest block first, then outpoint (`bitcoin.md`
 * UT-4).
 */
export const compareAsListed = (a: Coin, b: Coin): number =>
  b.height - a.height || compareOutpoints(a, b)

/** By value, then outpoint. */
export function compareUtxos(a: Coin, b: Coin): number {
  if (a.value !== b.value) return a.value < b.value ? -1 : 1
  return compareOutpoints(a, b)
}

/** Position of the first element of an ascending list that is not before the place looked for. */
function firstNotBefore<T>(sorted: readonly T[], isBefore: (element: T) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const element = sorted[middle]
    if (element !== undefined && isBefore(element)) low = middle + 1
    else high = middle
  }
  return low
}

type Place = { readonly piece: number; readonly position: number }

/** Where the first coin stands that is not before; behind all where every coin is. */
function placeOf({ pieces }: Coins, isBefore: (coin: Coin) => boolean): Place {
  const piece = firstNotBefore(pieces, (coins) => isBefore(present(coins.at(-1), 'no empty piece')))
  return { piece, position: firstNotBefore(pieces[piece] ?? [], isBefore) }
}

/** A coin that is there already stays as it is. */
export function addCoin(set: CoinSet, utxo: Utxo, key = outpointKey(utxo.outpoint)): void {
  if (set.byKey.has(key)) return
  set.byKey.set(key, utxo)
  set.total += utxo.value
  const found = placeOf(set, (coin) => compareUtxos(coin, utxo) < 0)
  const number = Math.min(found.piece, set.pieces.length - 1) // Behind all: at the end of the last.
  const piece = set.pieces[number]
  if (piece === undefined) set.pieces.push([utxo])
  else {
    piece.splice(number < found.piece ? piece.length : found.position, 0, utxo)
    if (piece.length > PIECE_MAX) set.pieces.splice(number + 1, 0, piece.splice(PIECE_MAX >> 1))
  }
}

/** Takes a coin out; undefined where it is not there. */
export function takeCoin(set: CoinSet, key: string): Utxo | undefined {
  const utxo = set.byKey.get(key)
  if (utxo === undefined) return undefined
  set.byKey.delete(key)
  set.total -= utxo.value
  const { piece, position } = placeOf(set, (coin) => compareUtxos(coin, utxo) < 0)
  const [taken] = set.pieces[piece]?.splice(position, 1) ?? []
  assert(taken === utxo, 'a coin stands where its order puts it')
  if (set.pieces[piece]?.length === 0) set.pieces.splice(piece, 1)
  return utxo
}

/** Whether a coin of the set stands where its order puts it. */
export function isInOrder(set: Coins, utxo: Coin): boolean {
  const { piece, position } = placeOf(set, (coin) => compareUtxos(coin, utxo) < 0)
  return set.pieces[piece]?.[position] === utxo
}

/** From the smallest on; only as far as it is read. */
export function* ascending({ pieces }: Coins): Generator<Coin> {
  for (const piece of pieces) yield* piece
}

/** Coins `from` to before `to` of the ascending order, without walking there. */
export function coinsBetween({ pieces }: Coins, from: number, to: number): readonly Coin[] {
  const found: Coin[] = []
  let before = 0
  for (const piece of pieces) {
    if (before >= to) break
    if (before + piece.length > from)
      found.push(...piece.slice(Math.max(0, from - before), to - before))
    before += piece.length
  }
  return found
}

/** From the largest on. */
export function* descending({ pieces }: Coins): Generator<Coin> {
  for (let piece = pieces.length - 1; piece >= 0; piece--)
    for (let position = (pieces[piece]?.length ?? 0) - 1; position >= 0; position--) {
      const coin = pieces[piece]?.[position]
      if (coin !== undefined) yield coin
    }
}

/** Coins worth `value` or more, from the smallest of them on. */
export function* worthAtLeast(set: Coins, value: bigint): Generator<Coin> {
  const { piece, position } = placeOf(set, (coin) => coin.value < value)
  yield* set.pieces[piece]?.slice(position) ?? []
  for (let next = piece + 1; next < set.pieces.length; next++) yield* set.pieces[next] ?? []
}

/** Coins to choose from: those of a set, without some. */
export type Spendable = {
  readonly coins: Coins
  /** By outpoint: whoever they belong to. */
  readonly without: ReadonlyMap<string, Coin>
}

/** Those of `without` that the set holds. */
const missingOf = ({ coins, without }: Spendable): readonly Coin[] =>
  [...without].flatMap(([key, coin]) => (coins.byKey.has(key) ? [coin] : []))

/** Worth of all that can be spent. */
export function fundsOf(spendable: Spendable): bigint {
  return missingOf(spendable).reduce((sum, { value }) => sum - value, spendable.coins.total)
}

export const countOf = (spendable: Spendable): number =>
  spendable.coins.byKey.size - missingOf(spendable).length

export const canBeSpent = ({ without }: Spendable, { outpoint }: Coin): boolean =>
  without.size === 0 || !without.has(outpointKey(outpoint))

/** What does not hold of the set itself: the order has every coin, once, in its place. */
export function coinSetFlaws(set: Coins): readonly string[] {
  const sorted = [...ascending(set)]
  const isSorted = sorted.every((coin, i) => {
    const before = sorted[i - 1]
    return before === undefined || compareUtxos(before, coin) < 0
  })
  const isWhole =
    sorted.length === set.byKey.size &&
    sorted.every((coin) => set.byKey.get(outpointKey(coin.outpoint)) === coin)
  return [
    ...(isSorted && set.pieces.every(({ length }) => length > 0) ? [] : ['coins out of order']),
    ...(isWhole ? [] : ['the order has other coins than the set']),
    ...(sorted.reduce((sum, { value }) => sum + value, 0n) === set.total
      ? []
      : ['the coins are worth another total']),
  ]
}
