/**
 * When the embedded chain gets its next block. Implements `docs/spec/cli.md` §5.16, bitcoin RN-10.
 */
import { fromBigEndian } from '../../core/base/bytes.ts'
import { CkbtcError } from '../../core/base/errors.ts'
import { isCoinbase } from '../../core/btc/transaction.ts'
import type { EmbeddedBitcoin } from '../bitcoin/embedded-node.ts'
import { entropy } from '../entropy.ts'
import type { MiningMode } from '../mining-mode.ts'

/** Between two blocks that confirm the same transactions further. */
const STEP_MS = 1_000
/** Longest time of a timer. */
const TIMER_MS_MAX = 2 ** 31 - 1

export type MiningOptions = {
  readonly bitcoin: Pick<EmbeddedBitcoin, 'height' | 'waiting' | 'blockAt' | 'subscribe'>
  readonly mine: () => void
  /** A block could not be kept; it is tried again. */
  readonly onError: (error: CkbtcError) => void
  readonly mode: MiningMode
  /** Confirmations after which the minter counts a transaction. */
  readonly confirmations: number
  /** From 0 to below 1: chance for random times. */
  readonly random?: () => number
}

/** Mines until it is ended; with nothing to confirm it runs no timer. Returns how to end it. */
export function startMining(options: MiningOptions): () => void {
  switch (options.mode.type) {
    case 'manual':
      return () => undefined
    case 'interval':
      return options.mode.isRandom === true
        ? startRandom(options, options.mode.everySeconds)
        : startFixed(options, options.mode.everySeconds)
    case 'onTransaction':
      return startOnTransaction(options, options.mode.delaySeconds)
    case 'auto':
      return startAutomatic(options)
  }
}

/** Whether it did. */
function mineOne({ mine, onError }: MiningOptions): boolean {
  try {
    mine()
    return true
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    onError(error)
    return false
  }
}

function startFixed(options: MiningOptions, everySeconds: number): () => void {
  const timer = setInterval(() => mineOne(options), 1_000 * everySeconds)
  return () => clearInterval(timer)
}

/** In [0, 1). */
const fraction = (): number => Number(fromBigEndian(entropy(4))) / 2 ** 32

function startRandom(options: MiningOptions, meanSeconds: number): () => void {
  const { random = fraction } = options
  let timer: NodeJS.Timeout
  const wait = (): void => {
    timer = setTimeout(
      () => {
        mineOne(options)
        wait()
      },
      waitMs(meanSeconds, random()),
    )
  }
  wait()
  return () => clearTimeout(timer)
}

/** Time to the next event of a Poisson process, for a number from 0 to below 1. */
export const waitMs = (meanSeconds: number, chance: number): number =>
  Math.min(-1_000 * meanSeconds * Math.log(1 - chance), TIMER_MS_MAX)

/** A block that could not be kept is tried again with the next transaction. */
function startOnTransaction(options: MiningOptions, delaySeconds: number): () => void {
  const { bitcoin } = options
  const timers = new Set<NodeJS.Timeout>()
  const unsubscribe = bitcoin.subscribe((event) => {
    if (event.type !== 'newTransaction') return
    const timer = setTimeout(() => {
      timers.delete(timer)
      // Another block may have taken it meanwhile.
      if (bitcoin.waiting.length > 0) mineOne(options)
    }, 1_000 * delaySeconds)
    timers.add(timer)
  })
  return () => {
    unsubscribe()
    for (const timer of timers) clearTimeout(timer)
  }
}

function startAutomatic(options: MiningOptions): () => void {
  const { bitcoin, confirmations } = options
  let timer: NodeJS.Timeout | undefined
  let minedMs = Number.NEGATIVE_INFINITY
  const consider = (): void => {
    if (timer !== undefined || !blockIsDue(bitcoin, confirmations)) return
    const waitMs = Math.max(0, minedMs + STEP_MS - performance.now())
    timer = setTimeout(() => {
      timer = undefined
      minedMs = performance.now()
      // The news of a block brings the next look.
      if (blockIsDue(bitcoin, confirmations) && !mineOne(options)) consider()
    }, waitMs)
  }
  const unsubscribe = bitcoin.subscribe(consider)
  consider()
  return () => {
    unsubscribe()
    clearTimeout(timer)
  }
}

/**
 * Whether a transaction waits, or one in the chain has fewer confirmations than the minter asks
 * for. Found in the chain itself, so that it holds after a restart as well.
 */
export function blockIsDue(
  bitcoin: Pick<EmbeddedBitcoin, 'height' | 'waiting' | 'blockAt'>,
  confirmations: number,
): boolean {
  if (bitcoin.waiting.length > 0) return true
  const { height } = bitcoin
  for (let depth = 1; depth < confirmations && depth <= height; depth++) {
    const transactions = bitcoin.blockAt(height - depth + 1)?.transactions ?? []
    if (transactions.some((transaction) => !isCoinbase(transaction))) return true
  }
  return false
}
