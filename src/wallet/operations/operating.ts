/** What every operation needs, and what all of them do alike. Implements cli §§3.10, 3.11. */
import { toHex } from '../../core/base/bytes.ts'
import { CkbtcError, Problem } from '../../core/base/errors.ts'
import { NS_PER_MS } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import type { Block } from '../../core/ledger/blocks/block.ts'
import type { SubmittedRequest } from '../client/deliveries.ts'
import { pause } from '../client/deliveries.ts'
import { untrue } from '../client/request-status.ts'
import type { Client } from '../client.ts'
import type { Journal, NewOperation } from './journal.ts'
import type { Facts, Operation } from './operation.ts'
import { bigintFact, textFact } from './operation.ts'
import { isSameToken } from './operation-token.ts'

export type Operating = {
  readonly client: Client
  readonly journal: Journal
  /** Name of the key that signs; null where none does. */
  readonly key: string | null
  readonly account: Account
  readonly signal: AbortSignal
}

/** Blocks read at once on the way back through a ledger. */
const PAGE = 1_000n
/** A same operation within this time is taken for a repetition (§3.11). */
const REPEAT_MS = 600_000

/** Puts the id of a call into the journal before the call leaves. */
export const noting =
  ({ journal }: Operating, { id }: Operation, prefix = '', more: Facts = {}) =>
  ({ requestId, expiresAt }: SubmittedRequest): void => {
    const facts: Facts = {
      ...more,
      [`${prefix}requestId`]: toHex(requestId),
      [`${prefix}requestExpiresAtNs`]: String(expiresAt),
    }
    journal.update(id, { state: 'submitting', facts })
  }

/** Whether this call had been sent before: then only the ledger can say that it never happened. */
const wasSent = (operation: Operation, prefix: string): boolean =>
  textFact(operation, `${prefix}requestId`) !== undefined

/**
 * A failure on the way: what it means for the operation is written down, and it is passed on.
 * `operation`: as it was before the call.
 */
export function failed(
  { journal }: Operating,
  operation: Operation,
  { error, prefix = '' }: { readonly error: unknown; readonly prefix?: string },
): unknown {
  const { id } = operation
  const unknown = error instanceof CkbtcError && error.code === 'OPERATION_UNKNOWN'
  if (unknown) {
    whereThereIsRoom(() => journal.update(id, { state: 'unknown' }))
    return new Problem('OPERATION_UNKNOWN', error.message, {
      fix: error.fix,
      command: `ckbtc status ${id}`,
      details: { ...error.details, op: id },
      cause: error,
    })
  }
  const code = error instanceof CkbtcError ? error.code : 'BUG'
  // An interruption leaves the operation where it is: something may have been sent.
  if (code === 'INTERRUPTED') return error
  // An approval that stands is no end: the burn can be made later.
  const unsent = textFact(operation, 'stage') === 'approved' ? 'planned' : 'cancelled'
  const state = wasSent(operation, prefix) ? 'unknown' : unsent
  whereThereIsRoom(() => journal.update(id, { state, facts: { error: code } }))
  return error
}

/** Without room on the disk the journal says less, and `status` asks the network for the rest. */
function whereThereIsRoom(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!isDisk(error)) throw error
  }
}

const isDisk = (error: unknown): error is CkbtcError =>
  error instanceof CkbtcError && error.code === 'HOST_DISK'

/** Writes down what a call has done: where that fails, it must not look as if nothing was sent. */
export function written(
  { journal }: Operating,
  { id }: Operation,
  change: Parameters<Journal['update']>[1],
): Operation {
  try {
    return journal.update(id, change)
  } catch (error) {
    if (!isDisk(error)) throw error
    throw new Problem('OPERATION_UNKNOWN', `it was sent, and not written down: ${error.message}`, {
      fix: 'do not repeat it: make room, then see what became of it',
      command: `ckbtc status ${id}`,
      details: { op: id },
      cause: error,
    })
  }
}

/** The network said no: of this call nothing moved; of one before it nobody knows. */
export function refused(
  { journal }: Operating,
  operation: Operation,
  { problem, prefix = '' }: { readonly problem: Problem; readonly prefix?: string },
): Problem {
  const state = wasSent(operation, prefix) ? 'unknown' : 'refused'
  whereThereIsRoom(() => journal.update(operation.id, { state, facts: { error: problem.code } }))
  return problem
}

export type Found = { readonly index: bigint; readonly block: Block }

/** A block as the whole network has it. Throws `NETWORK_BAD_CERTIFICATE` where it has none. */
export async function provenBlock({ blocks }: Client, index: bigint): Promise<Block> {
  const [block] = await blocks.range(index, index + 1n, { certified: true })
  if (block !== undefined) return block
  throw untrue(`one node shows a block ${index}, and the ledger has fewer`)
}

export type Search = {
  /** Older blocks are not looked at. */
  readonly since: bigint
  /** Asked of the whole network: then not to find it is a proof. One node may be late, or lie. */
  readonly certified: boolean
}

/** The newest block of the ledger not older than `since` for which `matches` holds. */
export async function findBlock(
  client: Client,
  { since, certified }: Search,
  matches: (found: Found) => boolean,
): Promise<Found | undefined> {
  let end = await client.blocks.length({ certified })
  while (end > 0n) {
    const start = end > PAGE ? end - PAGE : 0n
    const blocks = await client.blocks.range(start, end, { certified })
    for (let place = blocks.length - 1; place >= 0; place--) {
      const block = blocks[place]
      if (block === undefined) continue
      if (block.timestamp < since) return undefined
      const index = start + BigInt(place)
      if (!matches({ index, block })) continue
      const proven = certified ? block : await provenBlock(client, index)
      if (matches({ index, block: proven })) return { index, block: proven }
      throw untrue(`one node shows a block ${index} that the others do not have`)
    }
    end = start
  }
  return undefined
}

/**
 * Whether a call of an operation can still be executed: never once its expiry has passed by the
 * network's certified time, and a minute more. This computer's clock is not asked.
 */
export async function mayStillHappen(
  { client }: Operating,
  operation: Operation,
  prefix = '',
): Promise<boolean> {
  const expiresAt = bigintFact(operation, `${prefix}requestExpiresAtNs`)
  if (expiresAt === undefined) return false
  const end = expiresAt + 60_000n * NS_PER_MS
  return (await client.certifiedTime()) <= end
}

type Named = { readonly journal: Journal; readonly network: string }
type Sameness = Pick<Operation, 'kind' | 'facts'>

/**
 * The operation that an idempotency key names. Throws `USAGE_IDEMPOTENCY_MISMATCH` when it was about
 * something else.
 */
export function earlierWithKey(
  named: Named,
  idempotencyKey: string | undefined,
  same: Sameness,
): Operation | undefined {
  const earlier = withKey(named, idempotencyKey)
  if (earlier !== undefined) requireSame(earlier, same)
  return earlier
}

/** The first one that counts; where none does, the last one. */
function withKey({ journal, network }: Named, key: string | undefined): Operation | undefined {
  if (key === undefined) return undefined
  const named = journal
    .all()
    .filter(
      (operation) => operation.network === network && textFact(operation, 'idempotencyKey') === key,
    )
  return named.find(mayHaveMoved) ?? named.at(-1)
}

function requireSame(earlier: Operation, same: Sameness): void {
  if (isSame(earlier, same)) return
  const key = textFact(earlier, 'idempotencyKey') ?? ''
  throw new Problem(
    'USAGE_IDEMPOTENCY_MISMATCH',
    `the idempotency key "${key}" was used for a ${earlier.kind} with other arguments`,
    {
      fix: 'take another key, or repeat the original arguments',
      command: `ckbtc status ${earlier.id}`,
      details: { op: earlier.id, ...earlier.facts },
    },
  )
}

/** Whether value has moved, or still may; of one that was returned it came back. */
const mayHaveMoved = ({ state }: Operation): boolean =>
  !['refused', 'cancelled', 'returned'].includes(state)

/**
 * Writes a plan down, unless another process has done so with the same idempotency key meanwhile:
 * lines have one order, and the first one is the operation. Throws `USAGE_IDEMPOTENCY_MISMATCH`.
 */
export function beginOnce(
  { journal, client: { network } }: Operating,
  plan: NewOperation,
  { key, same }: { readonly key: string | undefined; readonly same: Facts },
): { readonly operation: Operation; readonly isNew: boolean } {
  const facts = { ...plan.facts, idempotencyKey: key ?? null }
  const begun = journal.begin({ ...plan, facts })
  const first = withKey({ journal, network: network.name }, key)
  if (first === undefined || first.id === begun.id) return { operation: begun, isNew: true }
  journal.update(begun.id, { state: 'cancelled', facts: { error: 'another one has its key' } })
  requireSame(first, { kind: plan.kind, facts: same })
  return { operation: first, isNew: false }
}

const isSame = (operation: Operation, same: Pick<Operation, 'kind' | 'facts'>): boolean =>
  operation.kind === same.kind &&
  isSameToken(operation, same) &&
  Object.entries(same.facts).every(([name, value]) => operation.facts[name] === value)

/**
 * An operation that this one would repeat: made minutes ago, or of unknown outcome. With the same
 * idempotency key it is no repetition but the operation itself.
 */
export function repeated(
  { journal, client, key }: Operating,
  same: Sameness,
  {
    nowMs,
    idempotencyKey,
  }: { readonly nowMs: number; readonly idempotencyKey?: string | undefined },
): Operation | undefined {
  return journal
    .all()
    .findLast(
      (operation) =>
        operation.network === client.network.name &&
        operation.key === key &&
        isSame(operation, same) &&
        mayHaveMoved(operation) &&
        (idempotencyKey === undefined ||
          textFact(operation, 'idempotencyKey') !== idempotencyKey) &&
        (operation.state === 'unknown' ||
          operation.state === 'submitting' ||
          nowMs - Date.parse(operation.startedAt) < REPEAT_MS),
    )
}

/** Between two looks: often on this machine, politely elsewhere. */
export const lookAgain = ({ client, signal }: Operating): Promise<void> =>
  pause(client.network.kind === 'local' ? 300 : 10_000, signal)
