/**
 * The list of our transactions that the network should have, and when one leaves it. Source:
 * `docs/spec/bitcoin.md` §10.5.
 */
import type { Txid } from '../base/bytes.ts'
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { CheckedBlock } from './block-tree.ts'
import type { Transaction } from './transaction.ts'
import {
  checkTransaction,
  decodeTransaction,
  isCoinbase,
  outpointKey,
  txid,
  wtxid,
} from './transaction.ts'

/** RB-4. */
export const OUTGOING_COUNT_MAX = 1_000
export const OUTGOING_BYTES_MAX = 50_000_000
/** Confirmations, its own or those of a conflict, after which a transaction is settled (RB-1). */
export const SETTLED_CONFIRMATIONS = 6
const EXPIRY_NS = 14n * 86_400n * NS_PER_SECOND

export type Outgoing = {
  /** Of the witness form, in hexadecimal: a better witness is another entry. */
  readonly key: string
  readonly txid: Txid
  readonly wtxid: Txid
  readonly transaction: Transaction
  readonly bytes: Uint8Array
  /** The minter's: never expires, and displaces what does. */
  readonly keep: boolean
  readonly since: TimestampNs
}

/** Reads what a canister wants sent: one sane transaction, nothing after it (PRE-1, D8). */
export function readOutgoing(
  bytes: Uint8Array,
  { keep, since }: Pick<Outgoing, 'keep' | 'since'>,
): Outgoing | undefined {
  const transaction = attempt(() => decodeTransaction(bytes))
  if (transaction instanceof BadEncoding) return undefined
  if (isCoinbase(transaction) || checkTransaction(transaction) !== undefined) return undefined
  const id = wtxid(transaction)
  return { key: toHex(id), txid: txid(transaction), wtxid: id, transaction, bytes, keep, since }
}

type List = ReadonlyMap<string, View<Outgoing>>

/**
 * Keys that must leave to make room for `next`, oldest first; undefined if the list stays full
 * (RB-4).
 */
export function roomFor(list: List, next: Outgoing): readonly string[] | undefined {
  let count = list.size + 1
  let bytes = next.bytes.length
  for (const { bytes: kept } of list.values()) bytes += kept.length
  const fits = (): boolean => count <= OUTGOING_COUNT_MAX && bytes <= OUTGOING_BYTES_MAX
  if (fits()) return []
  if (!next.keep) return undefined
  const displaced: string[] = []
  for (const { key, bytes: freed } of mayLeave(list, next)) {
    if (fits()) break
    displaced.push(key)
    count--
    bytes -= freed.length
  }
  return fits() ? displaced : undefined
}

/** What expires; then, of the minter's own, what a newer one spends the inputs of. */
function* mayLeave(list: List, next: Outgoing): Iterable<View<Outgoing>> {
  for (const own of list.values()) if (!own.keep) yield own
  const newestOf = new Map<string, string>()
  for (const { key, transaction } of [...list.values(), next])
    for (const { outpoint } of transaction.inputs) newestOf.set(outpointKey(outpoint), key)
  for (const own of list.values()) {
    const { inputs } = own.transaction
    const isReplaced = inputs.some(
      ({ outpoint }) => newestOf.get(outpointKey(outpoint)) !== own.key,
    )
    if (own.keep && isReplaced) yield own
  }
}

/**
 * Whether one of `blocks`, all deep enough, holds the transaction or a conflict: both spend its
 * inputs.
 */
export function isSettled(
  { transaction }: View<Outgoing>,
  blocks: readonly View<CheckedBlock>[],
): boolean {
  const inputs = transaction.inputs.map(({ outpoint }) => outpointKey(outpoint))
  return blocks.some(({ changes: { spent, passing } }) =>
    inputs.some((key) => spent.has(key) || passing.has(key)),
  )
}

export const isExpired = ({ keep, since }: View<Outgoing>, now: TimestampNs): boolean =>
  !keep && now - since >= EXPIRY_NS
