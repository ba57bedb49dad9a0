/**
 * A process that replays a long history with its invariants, and prints how long that took and how
 * much memory. Source: performance specification §7 G3.
 */
import { assert, present } from '../../src/core/base/errors.ts'
import { installSha256 } from '../../src/core/base/hash.ts'
import { apply } from '../../src/core/minter/apply/apply.ts'
import { configOfInit } from '../../src/core/minter/config.ts'
import type { EventLog } from '../../src/core/minter/events/event-log.ts'
import { appendEvent, emptyLog, eventsOf } from '../../src/core/minter/events/event-log.ts'
import { replay } from '../../src/core/minter/events/replay.ts'
import { freshState } from '../../src/core/minter/state/fresh-state.ts'
import type { State } from '../../src/core/minter/state/state.ts'
import { invariantViolations } from '../../src/core/minter/state/violations.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { history, MINTER } from '../../test/support/minter-history.ts'

export type ReplayReport = {
  /** Of CPU time. */
  readonly seconds: number
  /** Of the whole process, making the history included. */
  readonly peakBytes: number
  readonly logBytes: number
  /** How many times as long the checks take that look everywhere, once in so many events. */
  readonly naiveRatio: number
}

const BYTES_PER_KB = 1_024
const FULL_CHECK_EVERY = 1_000
const NAIVE_EVENTS = 50_000
const COINS_MAX = 100_000

const cpuSeconds = (act: () => void): number => {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

function logOf(count: number): EventLog {
  const log = emptyLog()
  for (const event of history({ accounts: 50_000, coins: Math.min(COINS_MAX, count / 10) })) {
    appendEvent(log, event)
    if (log.count === count) break
  }
  return log
}

/** Nothing but the events, and a look at everything from time to time. */
function replayNaively(log: EventLog): void {
  let state: State | undefined
  let count = 0
  for (const event of eventsOf(log)) {
    if (event.payload.type === 'init') state = freshState(MINTER, configOfInit(event.payload.args))
    const current = present(state, 'a log begins with init')
    apply(current, event)
    if (++count % FULL_CHECK_EVERY === 0)
      assert(invariantViolations(current).length === 0, 'a valid history breaks no invariant')
  }
}

function report(events: number): ReplayReport {
  const log = logOf(events)
  const seconds = cpuSeconds(() => {
    const { volatile } = replay(eventsOf(log), MINTER)
    assert(volatile.broken.length === 0, 'a valid history breaks no invariant')
  })
  const peakBytes = process.resourceUsage().maxRSS * BYTES_PER_KB
  const short = logOf(NAIVE_EVENTS)
  const own = cpuSeconds(() => replay(eventsOf(short), MINTER))
  return {
    seconds,
    peakBytes,
    logBytes: log.pieces.reduce((sum, { bytes }) => sum + bytes.length, 0),
    naiveRatio: cpuSeconds(() => replayNaively(short)) / own,
  }
}

installSha256(nativeSha256)
process.stdout.write(JSON.stringify(report(Number(process.argv[2]))))
