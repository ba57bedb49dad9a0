/**
 * Transactions of version 3: restricted in their family until they are confirmed, and replaceable
 * for it. Source: BIP431, as in Core 28.
 */
import { toDisplayHex } from '../../base/bytes.ts'
import type { MempoolEntry, Pool } from './pool.ts'

export const TRUC_VERSION = 3
export const TRUC_VSIZE_MAX = 10_000
export const TRUC_CHILD_VSIZE_MAX = 1_000
/** A parent and a child. */
const FAMILY_MAX = 2

/** `sibling`: the one child whose place the new one may take, by the rules of replacement. */
export type TrucFault = { readonly detail: string; readonly sibling?: MempoolEntry }

type Candidate = {
  readonly entry: MempoolEntry
  readonly ancestors: ReadonlySet<MempoolEntry>
  readonly conflicts: readonly MempoolEntry[]
}

export function trucFault(pool: Pool, candidate: Candidate): TrucFault | undefined {
  const { entry, ancestors } = candidate
  const isTruc = versionOf(entry) === TRUC_VERSION
  for (const ancestor of ancestors) {
    if (isTruc === (versionOf(ancestor) === TRUC_VERSION)) continue
    const [own, other] = isTruc ? ['version=3', 'non-version=3'] : ['non-version=3', 'version=3']
    return { detail: `${own} ${nameOf(entry)} cannot spend from ${other} ${nameOf(ancestor)}` }
  }
  if (!isTruc) return undefined
  if (entry.vsize > TRUC_VSIZE_MAX) return tooBig('', entry, TRUC_VSIZE_MAX)
  if (ancestors.size + 1 > FAMILY_MAX)
    return { detail: `${nameOf(entry)} would have too many ancestors` }
  const [parent] = ancestors
  if (parent === undefined) return undefined
  if (entry.vsize > TRUC_CHILD_VSIZE_MAX) return tooBig('child ', entry, TRUC_CHILD_VSIZE_MAX)
  return siblingFault(pool, parent, candidate)
}

/** An only child; a reorganisation may have left more of them than one. */
function siblingFault(
  pool: Pool,
  parent: MempoolEntry,
  { conflicts }: Candidate,
): TrucFault | undefined {
  const siblings = pool.children(parent)
  const { count } = pool.family(parent).descendants
  if (count + 1 <= FAMILY_MAX || siblings.some((sibling) => conflicts.includes(sibling)))
    return undefined
  const detail = `${nameOf(parent)} would exceed descendant count limit`
  const [sibling] = siblings
  const isAlone =
    sibling !== undefined && count === FAMILY_MAX && pool.family(sibling).ancestors.count === 2
  return isAlone ? { detail, sibling } : { detail }
}

const versionOf = ({ transaction }: MempoolEntry): number => transaction.version

const nameOf = ({ txid, wtxid }: MempoolEntry): string =>
  `tx ${toDisplayHex(txid)} (wtxid=${toDisplayHex(wtxid)})`

const tooBig = (what: string, entry: MempoolEntry, max: number): TrucFault => ({
  detail: `version=3 ${what}${nameOf(entry)} is too big: ${entry.vsize} > ${max} virtual bytes`,
})
