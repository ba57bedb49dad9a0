/** What a procedure of the minter runs in: one call of one slot. Source: minter §§17, 18.1. */
import { assert, attempt, BadEncoding, present } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs, TIMESTAMP_MAX, timestampNs, tokens } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { dropSpent } from './deposits/spent-answers.ts'
import type { Ruled } from './dialect.ts'
import type { EventLog } from './events/event-log.ts'
import { appendEvent } from './events/event-log.ts'
import type { Payload } from './events/events.ts'
import { notedOf } from './events/noted-events.ts'
import { note } from './observed.ts'
import type { LedgerCall, Ports } from './ports.ts'
import { applyChecked } from './state/event-check.ts'
import type { Root, State, Task, Volatile } from './state/state.ts'
import type { Answer, Result, TemporarilyUnavailable } from './types.ts'

/** What is outside the minter, in the slot that runs now. */
export type World = {
  readonly now: TimestampNs
  readonly ports: Ports
  /** Calls count as in flight together until `endSlot`; without it each ends before the next. */
  readonly callsOverlap?: boolean | undefined
}

export type Context = World & {
  /** Durable state: changes only by `record`. */
  readonly state: View<Omit<State, 'volatile'>>
  readonly volatile: Volatile
  readonly settings: Ruled
  readonly log: EventLog
  /** Appends the event and applies it, in one step. */
  record(payload: Payload): void
}

export function contextOf(
  {
    state,
    log,
    settings,
  }: { readonly state: State; readonly log: EventLog; readonly settings: Ruled },
  world: World,
): Context {
  return {
    ...world,
    state,
    volatile: state.volatile,
    settings,
    log,
    record(payload) {
      const event = { timestamp: world.now, payload }
      dropSpent(state, payload) // While it is known whose the coins are.
      const { broken } = state.volatile
      const brokenBefore = broken.length
      const problem = attempt(() => applyChecked(state, event))
      assert(!(problem instanceof BadEncoding), `${payload.type}: ${problem}`)
      appendEvent(log, event)
      const { file, message, priority } = notedOf(payload)
      const noting = { volatile: state.volatile, now: world.now }
      note(noting, file, message, priority)
      for (const each of broken.slice(brokenBefore)) note(noting, 'state/event-check.ts', each)
    },
  }
}

/**
 * A time for a ledger call, never the same twice: equal calls of one slot are no duplicates
 * (§18.6).
 */
export function ledgerCall(context: Context, amount: bigint, memo: Uint8Array): LedgerCall {
  const { volatile, now } = context
  const last = timestampNs(volatile.lastCreatedAt)
  const createdAtTime = now > last ? now : addNs(last, 1n)
  volatile.lastCreatedAt = createdAtTime
  return { amount: tokens(amount), memo, createdAtTime }
}

/**
 * Puts a task at `at`, or leaves it where it is if that is earlier (§17). After the end of time:
 * never.
 */
export function schedule({ volatile }: Pick<Context, 'volatile'>, task: Task, at: bigint): void {
  if (at > TIMESTAMP_MAX) return
  const planned = volatile.tasks.get(task)
  if (planned === undefined || at < planned) volatile.tasks.set(task, at)
}

/** The root, for steps that run only once it is known. */
export const rootOf = ({ volatile }: Pick<Context, 'volatile'>): Root =>
  present(volatile.root, 'the root key is known before coins are')

export const reply = <T>(value: T): Answer<T> => ({ type: 'reply', value })
export const trap = (message: string): { readonly type: 'trap'; readonly message: string } => ({
  type: 'trap',
  message,
})
export const ok = <T>(value: T): Result<T, never> => ({ type: 'ok', value })
export const err = <E>(error: E): Result<never, E> => ({ type: 'err', error })

export const unavailable = (message: string): TemporarilyUnavailable => ({
  type: 'temporarilyUnavailable',
  message,
})
