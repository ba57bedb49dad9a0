/**
 * Watched scripts, how far the chain has been searched for them, and the coins that were found.
 * Source: bitcoin.md §8.5 CF-3, CF-4.
 */
import type { BlockHash, Txid } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import type { Sat } from '../base/units.ts'
import type { Block } from './block.ts'
import type { CompactFilter } from './compact-filter.ts'
import { matchFilter } from './compact-filter.ts'
import { PackedStrings } from './siphash.ts'
import type { OutPoint } from './transaction.ts'
import { isCoinbase, outpointKey, txid } from './transaction.ts'

export type WatchedCoin = {
  readonly outpoint: OutPoint
  readonly value: Sat
  readonly script: Uint8Array
  readonly height: number
  readonly coinbase: boolean
  readonly spent: { readonly height: number; readonly by: Txid } | undefined
}

/** Scripts of one birth that have been searched for equally far. */
export type WatchGroup = {
  readonly scripts: readonly Uint8Array[]
  /** First height that may pay them. */
  readonly birth: number
  /** Searched up to here. */
  readonly at: number
}

/** An answer would be partial (CF-4). */
export type Rescanning = {
  readonly type: 'rescanning'
  readonly script: Uint8Array
  readonly from: number
  readonly to: number
  readonly at: number
}

type Group = WatchGroup & { readonly packed: PackedStrings; readonly keys: ReadonlySet<string> }

/** Scripts that one report may watch: whoever calls `watch` asks for no more. */
export const WATCHED_MAX = 200_000

export class FilterScan {
  #groups: readonly Group[] = []
  readonly #birthOf = new Map<string, number>()
  readonly #coins = new Map<string, WatchedCoin>()

  constructor(kept: {
    readonly groups: readonly WatchGroup[]
    readonly coins: readonly WatchedCoin[]
  }) {
    for (const group of kept.groups) this.#enter(group)
    for (const coin of kept.coins) this.#coins.set(outpointKey(coin.outpoint), coin)
  }

  get count(): number {
    return this.#birthOf.size
  }
  get groups(): readonly WatchGroup[] {
    return this.#groups.map(({ scripts, birth, at }) => ({ scripts, birth, at }))
  }
  get coins(): readonly WatchedCoin[] {
    return [...this.#coins.values()]
  }

  /** Scripts that are watched already from an earlier birth stay as they are. */
  watch(scripts: readonly Uint8Array[], birth: number): void {
    const fresh = new Map(
      scripts
        .map((script) => [toHex(script), script] as const)
        .filter(([key]) => (this.#birthOf.get(key) ?? Number.POSITIVE_INFINITY) > birth),
    )
    if (fresh.size === 0) return
    this.#groups = this.#groups
      .map((group) => without(group, fresh))
      .filter((group) => group.scripts.length > 0)
    this.#enter({ scripts: [...fresh.values()], birth, at: Math.max(0, birth - 1) })
  }

  #enter(group: WatchGroup): void {
    for (const script of group.scripts) this.#birthOf.set(toHex(script), group.birth)
    this.#groups = [...this.#groups, packed(group)]
    this.#join()
  }

  /** Groups that have come equally far go on as one. */
  #join(): void {
    const byHeight = new Map<string, Group>()
    for (const group of this.#groups) {
      const key = `${group.at} ${group.birth}`
      const other = byHeight.get(key)
      byHeight.set(
        key,
        other === undefined
          ? group
          : packed({ ...group, scripts: [...other.scripts, ...group.scripts] }),
      )
    }
    if (byHeight.size < this.#groups.length) this.#groups = [...byHeight.values()]
  }

  /** Heights to search next, at most `countMax` of them; undefined when all is searched to `end`. */
  next(end: number, countMax: number): { readonly from: number; readonly to: number } | undefined {
    const heights = this.#groups.map(({ at }) => at)
    const least = Math.min(...heights)
    if (this.#groups.length === 0 || least >= end) return undefined
    const others = heights.filter((at) => at > least)
    return { from: least + 1, to: Math.min(end, least + countMax, ...others) }
  }

  /** Whether the filter of a block at a height shows anything that is watched and searched next. */
  matches(filter: CompactFilter, block: BlockHash, from: number): boolean {
    return this.#due(from).some(
      ({ packed: scripts }) => matchFilter(filter, block, scripts).length > 0,
    )
  }

  #due(from: number): readonly Group[] {
    return this.#groups.filter(({ at }) => at === from - 1)
  }

  /** Takes in a block; those of one range come in the order of their heights. */
  apply(block: Block, height: number): void {
    for (const tx of block.transactions) {
      let id: Txid | undefined
      const coinbase = isCoinbase(tx)
      if (!coinbase)
        for (const { outpoint } of tx.inputs) {
          const key = outpointKey(outpoint)
          const coin = this.#coins.get(key)
          if (coin === undefined) continue
          id ??= txid(tx)
          this.#coins.set(key, { ...coin, spent: { height, by: id } })
        }
      for (const [vout, { value, script }] of tx.outputs.entries()) {
        const birth = this.#birthOf.get(toHex(script))
        if (birth === undefined || birth > height) continue
        id ??= txid(tx)
        const outpoint = { txid: id, vout }
        const key = outpointKey(outpoint)
        // A block that is searched again for other scripts knows what was spent since.
        if (this.#coins.get(key)?.height === height) continue
        this.#coins.set(key, { outpoint, value, script, height, coinbase, spent: undefined })
      }
    }
  }

  /** The groups that were due at `from` have been searched up to `to`. */
  searched(from: number, to: number): void {
    this.#groups = this.#groups.map((group) =>
      group.at === from - 1 ? { ...group, at: to } : group,
    )
    this.#join()
  }

  /** Blocks above the height are no longer what they were. */
  rewind(height: number): void {
    this.#groups = this.#groups.map((group) =>
      group.at > height
        ? { ...group, at: Math.max(height, Math.min(group.birth - 1, group.at)) }
        : group,
    )
    this.#join()
    for (const [key, coin] of this.#coins)
      if (coin.height > height) this.#coins.delete(key)
      else if (coin.spent !== undefined && coin.spent.height > height)
        this.#coins.set(key, { ...coin, spent: undefined })
  }

  coin(outpoint: OutPoint): WatchedCoin | undefined {
    return this.#coins.get(outpointKey(outpoint))
  }

  /** The first of these scripts that has not been searched for up to `to`. */
  rescanning(scripts: readonly Uint8Array[], to: number): Rescanning | undefined {
    for (const script of scripts) {
      const key = toHex(script)
      const group = this.#groups.find(({ keys }) => keys.has(key))
      if (group === undefined) return { type: 'rescanning', script, from: 0, to, at: 0 }
      if (group.at < to) return { type: 'rescanning', script, from: group.birth, to, at: group.at }
    }
    return undefined
  }
}

const packed = ({ scripts, birth, at }: WatchGroup): Group => ({
  scripts,
  birth,
  at,
  packed: new PackedStrings(scripts),
  keys: new Set(scripts.map(toHex)),
})

function without(group: Group, gone: ReadonlyMap<string, Uint8Array>): Group {
  const scripts = group.scripts.filter((script) => !gone.has(toHex(script)))
  return scripts.length === group.scripts.length ? group : packed({ ...group, scripts })
}

/** What a watched coin was when the chain ended at a height. */
export function coinAsOf(coin: WatchedCoin | undefined, height: number): WatchedCoin | undefined {
  if (coin === undefined || coin.height > height) return undefined
  const spent = coin.spent !== undefined && coin.spent.height <= height ? coin.spent : undefined
  return { ...present(coin, 'a coin'), spent }
}
