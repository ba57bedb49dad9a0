/**
 * What the minter notices of itself: latencies, counts, and its log for people. Source: minter §20.4.
 *
 * Volatile and bounded; time is that of the slots, so that every node has the same.
 */
import { NS_PER_SECOND } from '../base/units.ts'

const NS_PER_MS = NS_PER_SECOND / 1_000n

/** Upper bounds in milliseconds; the last bucket has none. */
export const LATENCY_MS = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000] as const
export const SIGNING_MS = [1_000, 2_000, 4_000, 6_000, 8_000, 12_000, 20_000] as const
/** Upper bounds of a count of outputs. */
export const OUTPUTS = [1, 4, 16, 64, 256, 1_024, 4_096] as const

/** How many values fell into each bucket: those up to its bound, and above that of the one before. */
export type Histogram = { readonly counts: number[]; sum: number }

export const emptyHistogram = (bounds: readonly number[]): Histogram => ({
  counts: Array.from({ length: bounds.length + 1 }, () => 0),
  sum: 0,
})

function observe(histogram: Histogram, bounds: readonly number[], value: number): void {
  const found = bounds.findIndex((bound) => value <= bound)
  const bucket = found < 0 ? bounds.length : found
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
  histogram.sum += value
}

/** Who asked for outputs: a caller of `update_balance`, or the minter for itself. */
export type Source = 'client' | 'minter'

export type Priority = 'Info' | 'Debug'

export type LogEntry = {
  readonly timestamp: bigint
  readonly priority: Priority
  /** The module that says it. */
  readonly file: string
  readonly message: string
  readonly counter: bigint
}

export type Observed = {
  /** By how many coins the call worked off. */
  readonly updateCalls: Map<number, Histogram>
  /** By pages of the answer, for each source. */
  readonly utxosLatency: Readonly<Record<Source, Map<number, Histogram>>>
  readonly utxosCount: Readonly<Record<Source, Histogram>>
  readonly utxosCalls: Record<Source, number>
  cacheHits: number
  cacheMisses: number
  readonly signing: Readonly<Record<'success' | 'failure', Histogram>>
  /** When the signature of an input was asked for, by `txid:input`. */
  readonly askedAt: Map<string, bigint>
  /** Oldest first; as many of each priority as are kept. */
  readonly log: Readonly<Record<Priority, LogEntry[]>>
  logCount: bigint
}

export const freshObserved = (): Observed => ({
  updateCalls: new Map(),
  utxosLatency: { client: new Map(), minter: new Map() },
  utxosCount: { client: emptyHistogram(OUTPUTS), minter: emptyHistogram(OUTPUTS) },
  utxosCalls: { client: 0, minter: 0 },
  cacheHits: 0,
  cacheMisses: 0,
  signing: { success: emptyHistogram(SIGNING_MS), failure: emptyHistogram(SIGNING_MS) },
  askedAt: new Map(),
  log: { Info: [], Debug: [] },
  logCount: 0n,
})

/** Labels are bounded: the last stands for all above. */
const LABEL_MAX = 100
/** Outputs of one page of the Bitcoin side. */
const OUTPUTS_OF_PAGE = 1_000
const ASKED_MAX = 1_000
export const LOG_ENTRIES_MAX = 1_000
export const MESSAGE_LENGTH_MAX = 500

type Observer = { readonly volatile: { readonly observed: Observed }; readonly now: bigint }

function histogramOf(histograms: Map<number, Histogram>, label: number): Histogram {
  const key = Math.min(label, LABEL_MAX)
  const known = histograms.get(key)
  if (known !== undefined) return known
  const fresh = emptyHistogram(LATENCY_MS)
  histograms.set(key, fresh)
  return fresh
}

/** An `update_balance` that got past its guards; ours are answered inside the slot. */
export function observeUpdateCall({ volatile: { observed } }: Observer, newUtxos: number): void {
  observe(histogramOf(observed.updateCalls, newUtxos), LATENCY_MS, 0)
}

/** The Bitcoin side was asked for outputs, and answered so many, inside the slot. */
export function observeUtxos(
  { volatile: { observed } }: Observer,
  source: Source,
  count: number,
): void {
  observed.utxosCalls[source] += 1
  const pages = Math.max(1, Math.ceil(count / OUTPUTS_OF_PAGE))
  observe(histogramOf(observed.utxosLatency[source], pages), LATENCY_MS, 0)
  observe(observed.utxosCount[source], OUTPUTS, count)
}

export function observeCache({ volatile: { observed } }: Observer, isHit: boolean): void {
  if (isHit) observed.cacheHits += 1
  else observed.cacheMisses += 1
}

export function observeAsked({ volatile: { observed }, now }: Observer, input: string): void {
  const { askedAt } = observed
  askedAt.set(input, now)
  for (const oldest of askedAt.keys()) {
    if (askedAt.size <= ASKED_MAX) return
    askedAt.delete(oldest)
  }
}

/** A request for a signature is over. One that was not seen to begin counts for nothing. */
export function observeSigned(
  { volatile: { observed }, now }: Observer,
  input: string,
  result: 'success' | 'failure',
): void {
  const askedAt = observed.askedAt.get(input)
  observed.askedAt.delete(input)
  if (askedAt === undefined) return
  observe(observed.signing[result], SIGNING_MS, Number((now - askedAt) / NS_PER_MS))
}

/** Writes into the log for people; the oldest of that priority makes room. */
export function note(
  { volatile: { observed }, now }: Observer,
  file: string,
  message: string,
  priority: Priority = 'Info',
): void {
  const entries = observed.log[priority]
  entries.push({
    timestamp: now,
    priority,
    file,
    message: message.slice(0, MESSAGE_LENGTH_MAX),
    counter: observed.logCount,
  })
  observed.logCount += 1n
  if (entries.length > LOG_ENTRIES_MAX) entries.shift()
}
