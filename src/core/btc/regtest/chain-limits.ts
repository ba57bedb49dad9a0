/**
 * How long chains of unconfirmed transactions may be, with the carve-out for a second party. Source:
 * RN-7, `docs/spec/bitcoin.md` §10.6 (Core ≤ 30).
 */
import { toDisplayHex, toHex } from '../../base/bytes.ts'
import type { MempoolEntry, Pool } from './pool.ts'
import { TRUC_VERSION } from './truc.ts'

/** The new one included. */
export const CHAIN_COUNT_MAX = 25
export const CHAIN_VSIZE_MAX = 101_000
/** What the carve-out lets in beyond the descendants of its only ancestor. */
export const CARVE_OUT_VSIZE_MAX = 10_000

type Limits = {
  readonly ancestorCount: number
  readonly descendantCount: number
  readonly descendantVsize: number
}

export type Ancestors =
  | { readonly type: 'within'; readonly ancestors: ReadonlySet<MempoolEntry> }
  | { readonly type: 'exceeded'; readonly detail: string }

/** The ancestors of an entry that is not in the pool yet; `conflicts` would leave for it. */
export function ancestorsWithinLimits(
  pool: Pool,
  entry: MempoolEntry,
  conflicts: readonly MempoolEntry[],
): Ancestors {
  // One that takes the place of exactly one other, and of what builds on that, grows no family.
  const [only] = conflicts.length === 1 ? conflicts : []
  const room = only === undefined ? 0 : pool.family(only).descendants.vsize
  const limits = {
    ancestorCount: CHAIN_COUNT_MAX,
    descendantCount: CHAIN_COUNT_MAX + (only === undefined ? 0 : 1),
    descendantVsize: CHAIN_VSIZE_MAX + room,
  }
  const found = ancestorsWithin(pool, entry, limits)
  const isCarved = entry.vsize <= CARVE_OUT_VSIZE_MAX && entry.transaction.version !== TRUC_VERSION
  if (found.type === 'within' || !isCarved) return found
  const carved = ancestorsWithin(pool, entry, {
    ancestorCount: 2,
    descendantCount: limits.descendantCount + 1,
    descendantVsize: limits.descendantVsize + CARVE_OUT_VSIZE_MAX,
  })
  return carved.type === 'within' ? carved : found
}

const exceeded = (detail: string): Ancestors => ({ type: 'exceeded', detail })

/** Goes through the ancestors in the order of their txids, for the first limit that is met. */
function ancestorsWithin(pool: Pool, entry: MempoolEntry, limits: Limits): Ancestors {
  const staged = new Map(pool.parents(entry.transaction).map((p) => [toHex(p.txid), p]))
  if (staged.size + 1 > limits.ancestorCount)
    return exceeded(`too many unconfirmed parents [limit: ${limits.ancestorCount}]`)
  const ancestors = new Set<MempoolEntry>()
  let { vsize } = entry
  for (let key = smallest(staged); key !== undefined; key = smallest(staged)) {
    const stage = staged.get(key)
    if (stage === undefined) break
    staged.delete(key)
    ancestors.add(stage)
    vsize += stage.vsize
    const { descendants } = pool.family(stage)
    const name = toDisplayHex(stage.txid)
    if (descendants.vsize + entry.vsize > limits.descendantVsize)
      return exceeded(
        `exceeds descendant size limit for tx ${name} [limit: ${limits.descendantVsize}]`,
      )
    if (descendants.count + 1 > limits.descendantCount)
      return exceeded(`too many descendants for tx ${name} [limit: ${limits.descendantCount}]`)
    if (vsize > CHAIN_VSIZE_MAX)
      return exceeded(`exceeds ancestor size limit [limit: ${CHAIN_VSIZE_MAX}]`)
    for (const parent of pool.parents(stage.transaction)) {
      if (!ancestors.has(parent)) staged.set(toHex(parent.txid), parent)
      if (staged.size + ancestors.size + 1 > limits.ancestorCount)
        return exceeded(`too many unconfirmed ancestors [limit: ${limits.ancestorCount}]`)
    }
  }
  return { type: 'within', ancestors }
}

const smallest = (staged: ReadonlyMap<string, unknown>): string | undefined =>
  [...staged.keys()].reduce<string | undefined>(
    (low, key) => (low === undefined || key < low ? key : low),
    undefined,
  )
