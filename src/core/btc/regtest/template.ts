/**
 * Which transactions the next block holds: packages of ancestors by descending fee rate. Source:
 * RN-9; the order is that of Bitcoin Core's addPackageTxs, but of equals the older comes first.
 */
import type { Transaction } from '../transaction.ts'
import { WEIGHT_MAX, weight } from '../transaction.ts'
import { paysMore } from './fee-rate.ts'
import type { Family, MempoolEntry, Pool } from './pool.ts'
import { BLOCK_SIGOPS_COST_MAX } from './sigops.ts'

/** Kept free for the header and the coinbase. */
export const WEIGHT_RESERVED = 4_000
const SIGOPS_RESERVED = 400

export type Template = {
  /** Parents before children. */
  readonly transactions: readonly Transaction[]
  readonly fees: bigint
}

export type TemplateLimits = {
  /** Of the whole block, what is kept free included; by default what consensus allows. */
  readonly weightMax?: number
  readonly sigopsMax?: number
}

export function selectTransactions(
  pool: Pool,
  { weightMax = WEIGHT_MAX, sigopsMax = BLOCK_SIGOPS_COST_MAX }: TemplateLimits = {},
): Template {
  const queue = new PackageQueue(pool)
  const chosen = new Set<MempoolEntry>()
  let weightLeft = weightMax - WEIGHT_RESERVED
  let sigopsLeft = sigopsMax - SIGOPS_RESERVED
  for (let entry = queue.next(); entry !== undefined; entry = queue.next()) {
    const family = [...pool.ancestors(entry.transaction), entry]
    const members = family.filter((member) => !chosen.has(member))
    const weightNeeded = members.reduce((sum, { transaction }) => sum + weight(transaction), 0)
    const sigopsNeeded = members.reduce((sum, { sigopsCost }) => sum + sigopsCost, 0)
    if (weightNeeded > weightLeft || sigopsNeeded > sigopsLeft) continue
    weightLeft -= weightNeeded
    sigopsLeft -= sigopsNeeded
    members.sort((a, b) => pool.family(a).place - pool.family(b).place)
    for (const member of members) {
      chosen.add(member)
      queue.settle(member)
    }
  }
  const entries = [...chosen]
  return {
    transactions: entries.map(({ transaction }) => transaction),
    fees: entries.reduce((sum, { fee }) => sum + fee, 0n),
  }
}

/** An entry with those of its ancestors that the block does not hold yet. */
type Package = {
  readonly entry: MempoolEntry
  readonly place: number
  readonly fee: bigint
  readonly vsize: number
}

/** Every entry once, the best package first. */
class PackageQueue {
  readonly #pool: Pool
  readonly #sorted: readonly Package[]
  #position = 0
  /** Packages that have lost members since they were sorted. */
  readonly #changed = new Map<MempoolEntry, Package>()
  /** Given out, or in the block with another. */
  readonly #done = new Set<MempoolEntry>()

  constructor(pool: Pool) {
    this.#pool = pool
    this.#sorted = [...pool.members()].map(packageOf).sort(order)
  }

  next(): MempoolEntry | undefined {
    const candidates = [...this.#changed.values()]
    const first = this.#firstUnchanged()
    if (first !== undefined) candidates.push(first)
    const [best] = candidates.length > 1 ? candidates.sort(order) : candidates
    if (best === undefined) return undefined
    this.#changed.delete(best.entry)
    this.#done.add(best.entry)
    return best.entry
  }

  /** The block holds the entry: what builds on it no longer has to pay for it. */
  settle(entry: MempoolEntry): void {
    this.#done.add(entry)
    this.#changed.delete(entry)
    for (const descendant of this.#pool.withDescendants([entry])) {
      if (this.#done.has(descendant)) continue
      const before =
        this.#changed.get(descendant) ??
        packageOf({ entry: descendant, ...this.#pool.family(descendant) })
      const fee = before.fee - entry.fee
      this.#changed.set(descendant, { ...before, fee, vsize: before.vsize - entry.vsize })
    }
  }

  #firstUnchanged(): Package | undefined {
    for (; this.#position < this.#sorted.length; this.#position++) {
      const found = this.#sorted[this.#position]
      if (found === undefined) return undefined
      if (!this.#done.has(found.entry) && !this.#changed.has(found.entry)) return found
    }
    return undefined
  }
}

const packageOf = ({ entry, place, ancestors }: Family & Pick<Package, 'entry'>): Package => ({
  entry,
  place,
  fee: ancestors.fee,
  vsize: ancestors.vsize,
})

/** The better rate first, where a package is worth no more than its last entry alone. */
function order(a: Package, b: Package): number {
  const [left, right] = [scoreOf(a), scoreOf(b)]
  return paysMore(left, right) ? -1 : paysMore(right, left) ? 1 : a.place - b.place
}

const scoreOf = (own: Package): Paid => (paysMore(own, own.entry) ? own.entry : own)

type Paid = Parameters<typeof paysMore>[0]
