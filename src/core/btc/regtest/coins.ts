/**
 * Unspent outputs, and changes to them that can be tried, applied and undone. Source:
 * `docs/spec/bitcoin.md` §7.1, §7.2.
 */
import type { Txid } from '../../base/bytes.ts'
import type { Sat } from '../../base/units.ts'
import { isUnspendable } from '../script.ts'
import type { Transaction } from '../transaction.ts'
import { isCoinbase, outpointKey } from '../transaction.ts'

export type Coin = {
  readonly value: Sat
  readonly script: Uint8Array
  readonly height: number
  readonly coinbase: boolean
}

/** What is unspent at some moment, by `outpointKey`. */
export interface CoinView {
  get(key: string): Coin | undefined
}

/** New state of each changed key; undefined means spent. */
export type CoinChanges = ReadonlyMap<string, Coin | undefined>

/** Changes on top of a view that stays untouched. */
export class CoinOverlay implements CoinView {
  readonly #below: CoinView
  readonly #changes = new Map<string, Coin | undefined>()

  constructor(below: CoinView) {
    this.#below = below
  }
  get(key: string): Coin | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#below.get(key)
  }
  /** Inputs go before outputs come (UT-5); outputs that nobody can spend are left out (UT-2). */
  apply(transaction: Transaction, { id, height }: { readonly id: Txid; readonly height: number }) {
    const coinbase = isCoinbase(transaction)
    if (!coinbase)
      for (const { outpoint } of transaction.inputs)
        this.#changes.set(outpointKey(outpoint), undefined)
    for (const [vout, { value, script }] of transaction.outputs.entries())
      if (!isUnspendable(script))
        this.#changes.set(outpointKey({ txid: id, vout }), { value, script, height, coinbase })
  }
  changes(): CoinChanges {
    return this.#changes
  }
}

/** Writes the changes into the set and returns those that take them back. */
export function applyChanges(coins: Map<string, Coin>, changes: CoinChanges): CoinChanges {
  const undo = new Map<string, Coin | undefined>()
  for (const [key, after] of changes) {
    const before = coins.get(key)
    if (before === after) continue // Created and spent within the changes.
    undo.set(key, before)
    if (after === undefined) coins.delete(key)
    else coins.set(key, after)
  }
  return undo
}
