/**
 * Which blocks name which fee collector. Implements `docs/spec/ledger.md` §§7, 13, 17 (ICRC-107).
 */
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { packAccount } from '../accounts/account-key.ts'
import type { Block } from '../blocks/block.ts'

/** Half open. */
type BlockRange = { readonly from: number; to: number }

export type CollectorRanges = { readonly collector: Account; readonly ranges: BlockRange[] }

export type Collectors = {
  /** By `packAccount`, in the order in which they were named first. */
  readonly known: Map<string, CollectorRanges>
  /** Key of the collector that a block names in the older way, for later ones that point to it. */
  readonly namedIn: Map<number, string>
  /** Key of the collector that ICRC-107 has set; undefined before the first such block. */
  set: { readonly collector: string | undefined } | undefined
}

export const emptyCollectors = (): Collectors => ({
  known: new Map(),
  namedIn: new Map(),
  set: undefined,
})

export type Named =
  | { readonly type: 'nobody' }
  | { readonly type: 'collector'; readonly collector: Account; readonly key: string }
  | { readonly type: 'problem'; readonly reason: string }

/** Whom a block names; once ICRC-107 has set anything, the older keys say nothing. */
export function collectorNamedBy(collectors: View<Collectors>, block: View<Block>): Named {
  const { transaction, feeCollector, feeCollectorBlock } = block
  if (transaction.type === 'feeCollector') return named(transaction.feeCollector)
  const { set, namedIn } = collectors
  if (set !== undefined) return knownBy(collectors, set.collector)
  if (feeCollectorBlock === undefined) return named(feeCollector)
  const key = namedIn.get(Number(feeCollectorBlock))
  const reason = `it points to block ${feeCollectorBlock}, which names no fee collector`
  return key === undefined ? { type: 'problem', reason } : knownBy(collectors, key)
}

const named = (collector: Account | undefined): Named =>
  collector === undefined
    ? { type: 'nobody' }
    : { type: 'collector', collector, key: packAccount(collector) }

function knownBy({ known }: View<Collectors>, key: string | undefined): Named {
  const entry = key === undefined ? undefined : known.get(key)
  return entry === undefined || key === undefined
    ? { type: 'nobody' }
    : { type: 'collector', collector: entry.collector, key }
}

/** Keeps whom block `id` names. */
export function noteNamed(
  collectors: Collectors,
  block: View<Block>,
  { id, named: whom }: { readonly id: number; readonly named: Named },
): void {
  const key = whom.type === 'collector' ? whom.key : undefined
  if (block.transaction.type === 'feeCollector') collectors.set = { collector: key }
  if (whom.type !== 'collector' || key === undefined) return
  if (collectors.set === undefined && block.feeCollector !== undefined)
    collectors.namedIn.set(id, key)
  const entry = collectors.known.get(key) ?? { collector: whom.collector, ranges: [] }
  const last = entry.ranges.at(-1)
  if (last?.to === id) last.to = id + 1
  else entry.ranges.push({ from: id, to: id + 1 })
  collectors.known.set(key, entry)
}
