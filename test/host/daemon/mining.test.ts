/** When the embedded chain gets its blocks: at times, at random ones, or for transactions (RN-10). */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MiningOptions } from '../../../src/host/daemon/automatic-mining.ts'
import { startMining, waitMs } from '../../../src/host/daemon/automatic-mining.ts'
import type { MiningMode } from '../../../src/host/mining-mode.ts'

type Listener = Parameters<MiningOptions['bitcoin']['subscribe']>[0]
type Event = Parameters<Listener>[0]

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A chain that only counts: what waits, and the times at which blocks were made. */
function countingChain(mode: MiningMode, random?: () => number) {
  const listeners = new Set<Listener>()
  const waiting: MiningOptions['bitcoin']['waiting'][number][] = []
  const minedMs: number[] = []
  const begin = Date.now()
  const end = startMining({
    bitcoin: {
      height: 0,
      waiting,
      blockAt: () => undefined,
      subscribe: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    mine: () => {
      waiting.length = 0
      minedMs.push(Date.now() - begin)
    },
    onError: () => undefined,
    mode,
    confirmations: 6,
    ...(random === undefined ? {} : { random }),
  })
  const transaction = (entry: Extract<Event, { type: 'newTransaction' }>['entry']): void => {
    waiting.push(entry)
    for (const listener of listeners) listener({ type: 'newTransaction', entry })
  }
  return { minedMs, end, transaction, listeners }
}

const entry = {} as Extract<Event, { type: 'newTransaction' }>['entry']

describe('mining', () => {
  it('at fixed times makes a block at each of them, until it is ended', () => {
    const { minedMs, end } = countingChain({ type: 'interval', everySeconds: 10 })
    vi.advanceTimersByTime(35_000)
    expect(minedMs).toEqual([10_000, 20_000, 30_000])
    end()
    vi.advanceTimersByTime(35_000)
    expect(minedMs).toHaveLength(3)
  })

  it('at random times waits as long as chance says, and no longer than a timer can', () => {
    const draws = [0, 1 - Math.exp(-1), 1 - Math.exp(-2)]
    const random = () => draws.shift() ?? 0.999
    const mode = { type: 'interval', everySeconds: 10, isRandom: true } as const
    const { minedMs, end } = countingChain(mode, random)
    vi.advanceTimersByTime(30_001)
    expect(minedMs.map((ms) => Math.round(ms / 1_000))).toEqual([0, 10, 30])
    end()
    expect(vi.getTimerCount()).toBe(0)
    expect(waitMs(604_800, 1 - 2 ** -52)).toBe(2 ** 31 - 1)
  })

  it('at random times has the mean that was asked for', () => {
    const count = 10_000
    const waits = Array.from({ length: count }, (_, i) => waitMs(60, (i + 0.5) / count))
    const mean = waits.reduce((sum, ms) => sum + ms, 0) / count
    expect(Math.abs(mean - 60_000)).toBeLessThan(100)
  })

  it('on transactions makes one block for what waits, at once or after the delay', () => {
    const now = countingChain({ type: 'onTransaction', delaySeconds: 0 })
    now.transaction(entry)
    now.transaction(entry)
    expect(now.minedMs).toEqual([])
    vi.advanceTimersByTime(1)
    expect(now.minedMs).toHaveLength(1)
    now.end()
    const later = countingChain({ type: 'onTransaction', delaySeconds: 5 })
    later.transaction(entry)
    vi.advanceTimersByTime(4_999)
    expect(later.minedMs).toEqual([])
    vi.advanceTimersByTime(60_000)
    expect(later.minedMs).toEqual([5_000])
    later.transaction(entry)
    later.end()
    vi.advanceTimersByTime(60_000)
    expect([later.minedMs.length, later.listeners.size]).toEqual([1, 0])
  })

  it('by hand makes none', () => {
    const { minedMs, transaction } = countingChain({ type: 'manual' })
    transaction(entry)
    vi.advanceTimersByTime(600_000)
    expect(minedMs).toEqual([])
  })
})
