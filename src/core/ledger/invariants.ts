/** What must hold after every event. Implements `docs/spec/ledger.md` §4 (I1 to I8). */
import { equalBytes } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { Allowances } from './accounts/allowances.ts'
import { balanceOf } from './accounts/balances.ts'
import type { Archive } from './archive/archive.ts'
import { blocksFrom } from './archive/whole-log.ts'
import type { Block } from './blocks/block.ts'
import { tokensMax } from './config.ts'
import { replay } from './replay.ts'
import type { State } from './state.ts'
import { logLength } from './state.ts'
import type { Remembered, RememberedQueue } from './transactions/remembered.ts'
import { entriesOf, indexOf } from './transactions/remembered.ts'

/**
 * Names of the invariants that do not hold; empty in every reachable state.
 *
 * I3 and I8 need every block, those in `archives` (in the order of their creation) included; without
 * them they are judged as long as none has left the ledger.
 */
export function violations(
  state: View<State>,
  archives: readonly View<Archive>[] = [],
): readonly string[] {
  const isWhole = archives.length > 0 || state.chain.firstLocalIndex === 0n
  return [
    ...balanceViolations(state),
    ...deduplicationViolations(state),
    ...allowanceViolations(state.allowances),
    ...rangeViolations(state),
    ...(isWhole ? logViolations(state, [...blocksFrom({ ledger: state, archives }, 0n)]) : []),
  ]
}

const unless = (holds: boolean, name: string): readonly string[] => (holds ? [] : [name])

function balanceViolations({ balances, config }: View<State>): readonly string[] {
  const amounts = [...balances.amounts.values()]
  const supply = amounts.reduce<bigint>((sum, amount) => sum + amount, 0n)
  return [
    ...unless(supply + balances.pool === tokensMax(config), 'I1: balances and pool are everything'),
    ...unless(
      balanceOf(balances, config.mintingAccount) === 0n,
      'I2: the minting account is empty',
    ),
    ...unless(
      amounts.every((amount) => amount > 0n),
      'I2: no stored balance is zero',
    ),
  ]
}

function deduplicationViolations({ deduplication }: View<State>): readonly string[] {
  const entries = entriesOf(deduplication)
  return [
    ...unless(
      findableCount(deduplication) === entries.length,
      'I4: as many hashes can be found as are queued',
    ),
    ...unless(
      entries.every(({ hash, index }) => indexOf(deduplication, hash) === index),
      'I4: every queued hash is found',
    ),
  ]
}

/** Entries of all slots. */
function findableCount({ slots, nexts }: View<RememberedQueue>): number {
  let count = 0
  for (const first of slots)
    for (let entry = first; entry !== 0; entry = nexts[entry - 1] ?? 0) count++
  return count
}

function allowanceViolations({ entries, order, expiry }: View<Allowances>): readonly string[] {
  const queued = expiry.every(
    (member, place) => member.place === place && entries.get(member.key)?.expiring === member,
  )
  const expiring = [...entries.values()].filter((entry) => entry.expiring !== undefined)
  const keys = order.flat()
  return [
    ...unless(
      queued && expiring.length === expiry.length,
      'I5: one queue member for each expiring allowance',
    ),
    ...unless(
      [...entries.values()].every(({ amount }) => amount > 0n),
      'I5: no stored allowance is zero',
    ),
    ...unless(
      keys.length === entries.size &&
        keys.every((key, i) => entries.has(key) && (i === 0 || (keys[i - 1] ?? key) < key)),
      'every allowance stands once in the order of all',
    ),
  ]
}

function rangeViolations({ archiving, chain }: View<State>): readonly string[] {
  const { archives, waiting } = archiving
  const ends = [0n, ...archives.map(({ end }) => end)]
  return [
    ...unless(
      archives.every(({ start, end }, place) => start === ends[place] && start <= end),
      'I6: archived ranges are contiguous from 0',
    ),
    ...unless(
      ends.at(-1) === chain.firstLocalIndex,
      'I6: the first local block follows the archived ones',
    ),
    ...unless(waiting >= 0 && waiting <= chain.blocks.length, 'I6: a round moves local blocks'),
  ]
}

/** I3 and I8. A replay never purges nor prunes, so it may only know more of what is past. */
function logViolations(state: View<State>, blocks: readonly View<Block>[]): readonly string[] {
  const again = replay(state.config, blocks)
  if (again.type === 'broken') return [`I3, I8: block ${again.blockIndex}: ${again.reason}`]
  const { balances, allowances, chain, deduplication } = again.state
  const live = entriesOf(state.deduplication)
  const known = entriesOf(deduplication).slice(deduplication.count - live.length)
  const forgotten = [...allowances.entries].filter(([key]) => !state.allowances.entries.has(key))
  return [
    ...unless(BigInt(blocks.length) === logLength(state), 'I6: every block is in its archive'),
    ...unless(sameEntries(balances.amounts, state.balances.amounts), 'I8: balances replay'),
    ...unless(balances.pool === state.balances.pool, 'I8: the supply replays'),
    ...unless(
      live.every((entry, place) => isSameEntry(entry, known[place])),
      'I8: the deduplication window replays',
    ),
    ...unless(
      [...state.allowances.entries].every(([key, { amount, expiring }]) => {
        const entry = allowances.entries.get(key)
        return entry?.amount === amount && entry.expiring?.expiresAt === expiring?.expiresAt
      }) &&
        forgotten.every(([, { expiring }]) => (expiring?.expiresAt ?? state.time) <= state.time),
      'I8: allowances replay',
    ),
    ...unless(
      chain.tipHash === undefined
        ? state.chain.tipHash === undefined
        : state.chain.tipHash !== undefined && equalBytes(chain.tipHash, state.chain.tipHash),
      'I3: the tip is the hash of the last block',
    ),
  ]
}

const isSameEntry = ({ hash, at, index }: Remembered, other: Remembered | undefined): boolean =>
  other !== undefined && equalBytes(hash, other.hash) && at === other.at && index === other.index

const sameEntries = <T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
