/**
 * Which peers are asked for headers while there are many to come: one at a time, held against a
 * second one now and then, until it stands still or its time is over. Source:
 * `docs/spec/bitcoin.md` §3.5 HD-7.
 */
import type { View } from '../base/view.ts'
import type { HeaderTree } from './header-tree.ts'
import { bestHeader } from './header-tree.ts'
import { HEADERS_MAX } from './message.ts'

/** Headers of one peer after which a second one is asked whether it has the same. */
export const COMPARE_HEADERS = 10 * HEADERS_MAX
/** A peer that brings nothing new for so long gives way to another. */
export const STALLED_MS = 90_000
/** However fast it runs, after so long it is another's turn: headers of little work never end. */
export const TURN_MS = 15 * 60_000
/** A tip older than this means that many headers are missing. */
const OLD_TIP_S = 86_400
/** One, and one that has shown another chain. */
const RUNNERS_MAX = 2

/** Work is missing, or a day: a new chain without a minimum has nothing to catch up with. */
export function isCatchingUp(tree: View<HeaderTree>, nowMs: number): boolean {
  const { minimumWork } = tree.network
  if (minimumWork === 0n) return false
  const { work, header } = bestHeader(tree)
  return work < minimumWork || header.time < nowMs / 1000 - OLD_TIP_S
}

type Runner = { progress: number; movedMs: number; comparedAt: number; readonly startedMs: number }

/** When it is another's turn, if anybody waits. */
const dueMs = ({ movedMs, startedMs }: Runner): number =>
  Math.min(movedMs + STALLED_MS, startedMs + TURN_MS)

export class HeaderRace {
  readonly #runners = new Map<number, Runner>()
  /** Peers that wait for their turn, in the order of it. */
  readonly #waiting = new Set<number>()

  /** Whether this peer may be asked now; if not, `next` will name it. */
  mayAsk(peer: number, nowMs: number, isFar: boolean): boolean {
    if (!isFar || this.#runners.has(peer)) return true
    if (this.#runners.size > 0) {
      this.#waiting.add(peer)
      return false
    }
    this.#start(peer, nowMs)
    return true
  }

  #start(peer: number, nowMs: number): void {
    this.#waiting.delete(peer)
    this.#runners.set(peer, { progress: 0, movedMs: nowMs, comparedAt: 0, startedMs: nowMs })
  }

  /**
   * A peer has shown so many headers of use, since it was connected. The answer names the peer that
   * should be asked whether it has the same chain.
   */
  advanced(peer: number, progress: number, nowMs: number): number | undefined {
    const runner = this.#runners.get(peer)
    if (runner === undefined || progress <= runner.progress) return undefined
    runner.progress = progress
    runner.movedMs = nowMs
    const [other] = this.#waiting
    if (other === undefined || progress - runner.comparedAt < COMPARE_HEADERS) return undefined
    runner.comparedAt = progress
    this.#waitLonger(other)
    return other
  }

  /** The peer has another chain than the one that runs: it shows it beside that. */
  differs(peer: number, nowMs: number): void {
    if (this.#runners.size < RUNNERS_MAX) this.#start(peer, nowMs)
  }

  /** The peer has no more to show, or its connection is gone. */
  leave(peer: number): void {
    this.#runners.delete(peer)
    this.#waiting.delete(peer)
  }

  /** Peers whose turn it is. */
  next(nowMs: number, isFar: boolean): readonly number[] {
    if (!isFar) {
      const all = [...this.#waiting]
      this.#waiting.clear()
      this.#runners.clear()
      return all
    }
    const [first] = this.#waiting
    if (first === undefined || this.#runners.size > 0) return []
    this.#start(first, nowMs)
    return [first]
  }

  /** Whoever stands still, or has run for long, goes to the end of the queue. */
  expire(nowMs: number): void {
    if (this.#waiting.size === 0) return
    for (const [peer, runner] of this.#runners) {
      if (nowMs < dueMs(runner)) continue
      this.#runners.delete(peer)
      this.#waitLonger(peer)
    }
  }

  #waitLonger(peer: number): void {
    this.#waiting.delete(peer)
    this.#waiting.add(peer)
  }

  get deadlineMs(): number {
    if (this.#waiting.size === 0) return Number.POSITIVE_INFINITY
    return Math.min(...[...this.#runners.values()].map(dueMs))
  }
}
