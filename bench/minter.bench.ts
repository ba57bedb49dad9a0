/**
 * Benchmarks G3: a minter with a long history, many coins and a full queue. Source: performance
 * specification §7.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { u64be } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { encodeArgs } from '../src/core/ic/candid.ts'
import type { Event } from '../src/core/minter/events/events.ts'
import { replay } from '../src/core/minter/events/replay.ts'
import type { CandidAnswer } from '../src/core/minter/interface/candid-face.ts'
import { callCandid } from '../src/core/minter/interface/candid-face.ts'
import { minterInterface } from '../src/core/minter/interface/interface.ts'
import type { Minter } from '../src/core/minter/machine.ts'
import * as machine from '../src/core/minter/machine.ts'
import { addCoin, compareUtxos, newCoinSet } from '../src/core/minter/state/coin-set.ts'
import { applyChecked } from '../src/core/minter/state/event-check.ts'
import { selectCoins } from '../src/core/minter/transactions/coin-selection.ts'
import type { Utxo } from '../src/core/minter/types.ts'
import { history, MINTER } from '../test/support/minter-history.ts'
import {
  accept,
  coinOf,
  FreeWorld,
  richMinter,
  USERS,
  userOf,
} from './support/minter-among-others.ts'
import type { ReplayReport } from './support/minter-replay.ts'
import type { Benchmark, Prepared } from './support/task.ts'
import { peer, task } from './support/task.ts'

const COINS = 100_000
const ACCOUNTS = 50_000
const QUEUED = 5_000
const DEPOSITS = 500
const PAGE = 2_000n
/** No step keeps the node longer; a gate fails at twice the time. */
const STEPS_PER_S = 20
/** A million events in a minute. */
const EVENTS_PER_S = 16_667
const REPLAY_BYTES_MAX = 2 ** 30
const HEAP_MB = 720
/** Of the child that replays: it looks at everything once in so many events, of so many. */
const FULL_CHECK_EVERY = 1_000
const NAIVE_EVENTS = 50_000

const bench = (name: string, prepare: () => Prepared): Benchmark => ({
  id: 'G3',
  name,
  group: null,
  n: null,
  prepare,
})

const stepGate = [{ of: 'rate', relation: '>=', bound: STEPS_PER_S / 2 }] as const

/** Made once for all rows: most of the time of a run goes into it. */
let made: { readonly world: FreeWorld; readonly minter: Minter } | undefined

function rich(): { readonly world: FreeWorld; readonly minter: Minter } {
  if (made !== undefined) return made
  const world = new FreeWorld()
  made = { world, minter: richMinter(world, { coins: COINS, accounts: ACCOUNTS }) }
  return made
}

/** Time and memory of a process that makes a history and replays it. */
function replayed(events: number): ReplayReport {
  const script = fileURLToPath(new URL('./support/minter-replay.js', import.meta.url))
  // Beside the heap lies the log, as bytes: both together stay within the budget.
  const heap = `--max-old-space-size=${HEAP_MB}`
  const { status, stdout } = spawnSync(process.execPath, [heap, script, `${events}`], {
    encoding: 'utf8',
  })
  assert(status === 0, 'a valid history is replayed')
  return JSON.parse(stdout)
}

/** One event on, with its invariants; what a whole history takes is measured beside it. */
const replayBench = (events: number): Benchmark =>
  bench(`minter-replay-${events}`, () => {
    const { seconds, peakBytes, logBytes, naiveRatio } = replayed(events)
    assert(seconds <= (2 * events) / EVENTS_PER_S, `a replay took ${seconds} s`)
    assert(peakBytes <= 2 * REPLAY_BYTES_MAX, `a replay took ${peakBytes} bytes of memory`)
    const following = history({ accounts: ACCOUNTS, coins: 1_000 })
    const next = (): Event => present(following.next().value, 'a history without end')
    const state = replay([next()], MINTER)
    let event: Event
    return {
      own: {
        before: () => {
          event = next()
        },
        call: () => applyChecked(state, event),
        result: () => u64be(BigInt(state.mintedOutpoints.size)),
      },
      rate: { perCall: 1, unit: '/s' },
      gates: [{ of: 'rate', relation: '>=', bound: EVENTS_PER_S / 2 }],
      note:
        `${events} events from bytes with invariants in ${seconds.toFixed(1)} s of CPU, ` +
        `${(peakBytes / 1e6).toFixed(0)} MB at most, ${(logBytes / 1e6).toFixed(0)} MB of log; ` +
        `a check of everything once in ${FULL_CHECK_EVERY} events takes ${naiveRatio.toFixed(1)} x ` +
        `as long on ${NAIVE_EVENTS} events, and more on more`,
    }
  })

/** What §9 says word for word, on a list that is sorted anew. */
function sortedSelection(coins: readonly Utxo[], target: bigint): readonly Utxo[] {
  const rest = [...coins].sort(compareUtxos)
  const chosen: Utxo[] = []
  for (let goal = target; goal > 0n; ) {
    const reaching = rest.findIndex(({ value }) => value >= goal)
    const [coin] = rest.splice(reaching < 0 ? rest.length - 1 : reaching, 1)
    if (coin === undefined) break
    chosen.push(coin)
    goal -= coin.value
  }
  return [...chosen, ...rest.slice(0, Math.max(0, 2 - chosen.length))]
}

const selection = bench('minter-selection-100000', () => {
  const list = Array.from({ length: COINS }, (_, i) => coinOf(i))
  const set = newCoinSet()
  for (const coin of list) addCoin(set, coin)
  const wanted = { recipients: 1, countThreshold: 1_000, inputsMax: 1_000n }
  const target = (index: number): bigint => 1_000_000n + BigInt(index % 1_000) * 30_000n
  const bytes = (chosen: readonly { readonly value: bigint }[]): Uint8Array =>
    Uint8Array.from(chosen.flatMap(({ value }) => [...u64be(value)]))
  return {
    own: task(
      (i) =>
        selectCoins({ coins: set, without: new Map() }, { ...wanted, target: target(i) }) ?? [],
      bytes,
    ),
    peers: { 'sorted list': peer.same(task((i) => sortedSelection(list, target(i)), bytes)) },
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `${COINS} coins`,
  }
})

const round = bench('minter-round-5000', () => {
  const { world, minter } = rich()
  return {
    own: {
      before: () => accept(minter, world, QUEUED - minter.state.queue.length),
      call: () => machine.tick(minter, world.world),
      result: () => u64be(BigInt(minter.log.count)),
    },
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `${QUEUED} queued requests, a batch of 100 of them, ${COINS} coins`,
  }
})

const deposits = bench('minter-deposits-500', () => {
  const { world, minter } = rich()
  let next = 10 * COINS
  return {
    own: {
      before: () => {
        world.utxos = Array.from({ length: DEPOSITS }, () => coinOf(next++))
      },
      call: () => {
        const { owner } = userOf(next)
        machine.handle(minter, world.world, { method: 'update_balance', caller: owner, args: {} })
        world.utxos = []
      },
      result: () => u64be(BigInt(minter.log.count)),
    },
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `${DEPOSITS} new coins of one account, checked and credited`,
  }
})

/** A stretch of the look at every coin, which all slots after a reorganisation share. */
const reorganisation = bench('minter-reorganisation-100000', () => {
  const { world, minter } = rich()
  const notice = { type: 'bitcoinChanged', isReorganised: true } as const
  return {
    own: {
      call: () => machine.notify(minter, world.world, notice),
      result: () => u64be(BigInt(minter.state.volatile.looked.size)),
    },
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `the first ${minter.settings.coinsLookedMax} of ${COINS} coins; the chain answers at once`,
  }
})

/** Bytes in, bytes out, as a client asks. */
function query(minter: Minter, world: FreeWorld, call: { method: string; arg: Uint8Array }) {
  const { owner: caller } = userOf(0)
  return callCandid(minter, world.world, { ...call, caller, kind: 'query' })
}

const bytesOf = (answer: CandidAnswer | undefined): Uint8Array => {
  assert(answer?.type === 'result', 'a query is answered')
  return answer.value
}

const page = bench('minter-get-events-2000', () => {
  const { world, minter } = rich()
  const pageAt = (index: number): Uint8Array =>
    encodeArgs(minterInterface.get_events.args, [
      { start: BigInt(index % 90) * PAGE, length: PAGE },
    ])
  return {
    own: task((i) => query(minter, world, { method: 'get_events', arg: pageAt(i) }), bytesOf),
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `of ${minter.log.count} events, Candid included`,
  }
})

const statuses = bench('minter-status-by-account-1000', () => {
  const { world, minter } = rich()
  accept(minter, world, QUEUED - minter.state.queue.length)
  const { owner } = userOf(1)
  const arg = encodeArgs(minterInterface.retrieve_btc_status_v2_by_account.args, [{ owner }])
  const method = 'retrieve_btc_status_v2_by_account'
  return {
    own: task(() => query(minter, world, { method, arg }), bytesOf),
    rate: { perCall: 1, unit: '/s' },
    gates: stepGate,
    note: `${QUEUED / USERS} of ${QUEUED} queued and more that are under way, Candid included`,
  }
})

export const minterBenchmarks = (events: number): readonly Benchmark[] => [
  replayBench(events),
  selection,
  statuses,
  page,
  round,
  deposits,
  reorganisation,
]
