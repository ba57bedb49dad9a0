/**
 * What a minter's history answers it with: the real ledger behind calls that get lost or come late,
 * a view of Bitcoin that lags, a checker with moods. For tests only.
 */
import type { Txid } from '../../../src/core/base/bytes.ts'
import { toHex } from '../../../src/core/base/bytes.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { decodeTransaction, outpointKey } from '../../../src/core/btc/transaction.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { ckbtcConfig } from '../../../src/core/ledger/config.ts'
import { initial } from '../../../src/core/ledger/machine.ts'
import type { State as LedgerState } from '../../../src/core/ledger/state.ts'
import type {
  Bitcoin,
  BitcoinUtxo,
  CheckAddressResult,
  Checker,
  CheckTransactionResult,
  Ledger,
} from '../../../src/core/minter/ports.ts'
import { LedgerCanister } from '../../../src/core/subnet/ledger-canister.ts'
import { user } from '../minter-world.ts'
import type { HistoryChain, Known, Tip } from './chain.ts'
import { ancestor, known } from './chain.ts'

/** The minter's process is gone. */
export class Crash extends Error {}

/** What becomes of one call: the last two only where the ledger is elsewhere. */
export const LEDGER_MOODS = [
  'works',
  'busy',
  'losesCall',
  'losesAnswer',
  'holds',
  'crashesBefore',
  'crashesAfter',
] as const
export type LedgerMood = (typeof LEDGER_MOODS)[number]

const busy = { type: 'temporarilyUnavailable', message: 'busy' } as const
const unknown = { type: 'unknown' } as const

export class HistoryLedger {
  readonly state: LedgerState
  readonly canister: LedgerCanister
  readonly minter: Principal
  readonly answersInStep: boolean
  /** Of the next calls, one each. */
  moods: LedgerMood[] = []
  /** Lookups fail. */
  isBlind = false
  /** Calls that are on their way for long. */
  held: ((now: TimestampNs) => void)[] = []
  /** Runs before each mint, and after each call. */
  watch: { readonly mint: () => void; readonly written: () => void } = {
    mint: () => undefined,
    written: () => undefined,
  }

  constructor(
    { id, minter }: { readonly id: Principal; readonly minter: Principal },
    { now, answersInStep }: { readonly now: TimestampNs; readonly answersInStep: boolean },
  ) {
    this.state = initial(ckbtcConfig({ minter, archiveController: user(999) }), now)
    this.canister = new LedgerCanister(id, this.state)
    this.minter = minter
    this.answersInStep = answersInStep
  }

  port(now: TimestampNs): Ledger {
    const real = this.canister.port(this.minter, now)
    const { answersInStep } = this
    return {
      ...real,
      answersInStep,
      mint: (call) => {
        this.watch.mint()
        return this.#call(now, (port) => port.mint(call))
      },
      burn: (call) => this.#call(now, (port) => port.burn(call)),
      burnFrom: (call) => this.#call(now, (port) => port.burnFrom(call)),
      find: (sought) => (this.isBlind ? busy : real.find(sought)),
      balanceOf: (account) => (this.isBlind ? busy : real.balanceOf(account)),
    }
  }

  #call<R>(now: TimestampNs, run: (port: Ledger) => R): R | typeof busy | typeof unknown {
    const mood = this.moods.shift() ?? 'works'
    if (mood === 'busy') return busy
    if (mood === 'losesCall') return unknown
    if (mood === 'crashesBefore') throw new Crash()
    if (mood === 'holds') {
      this.held.push((later) => {
        run(this.canister.port(this.minter, later))
        this.watch.written()
      })
      return unknown
    }
    const result = run(this.canister.port(this.minter, now))
    this.watch.written()
    if (mood === 'crashesAfter') throw new Crash()
    return mood === 'losesAnswer' ? unknown : result
  }

  /** The next call that was held up arrives. */
  land(now: TimestampNs): void {
    this.held.shift()?.(now)
  }
}

/** What the minter sees of Bitcoin: the chain as of some tip, and answers that are not the best. */
export class HistoryView implements Bitcoin {
  readonly #chain: HistoryChain
  /** The tip that the minter was told of. */
  seen: Tip
  isDown = false
  refusesToSend = false
  /** Answers about coins are as old as so many blocks. */
  blocksOld = 0
  /** Every so manieth coin is missing in answers; 0: none. */
  leavesOut = 0
  repeats = false
  rates: readonly bigint[] = []
  isSet = false
  /** What nodes announce, by txid. */
  readonly outbox = new Map<string, Known>()
  /** Whatever was handed over. */
  readonly sent = new Map<string, Known>()

  constructor(chain: HistoryChain) {
    this.#chain = chain
    this.seen = chain.tip
  }

  utxos({ script, minConfirmations }: { script: Uint8Array; minConfirmations: number }) {
    if (this.isDown) return { type: 'temporarilyUnavailable', message: 'not synced' } as const
    const tip = ancestor(this.seen, this.blocksOld)
    const utxos = coinsAt(ancestor(tip, Math.max(minConfirmations - 1, 0)), toHex(script))
    const told = utxos.filter((_, i) => this.leavesOut === 0 || i % this.leavesOut > 0)
    const all = this.repeats ? [...told, ...told] : told
    return { type: 'utxos', utxos: all, tipHeight: tip.height } as const
  }

  feePercentiles() {
    const { rates, isSet, isDown } = this
    return isDown
      ? ({ type: 'temporarilyUnavailable', message: 'not synced' } as const)
      : ({ type: 'percentiles', rates, isSet } as const)
  }

  missing(outpoints: readonly BitcoinUtxo['outpoint'][]) {
    return this.isDown
      ? undefined
      : outpoints.filter((outpoint) => !this.seen.coins.has(outpointKey(outpoint)))
  }

  confirmations(txid: Txid): number {
    const height = this.seen.confirmed.get(toHex(txid))
    return height === undefined ? 0 : this.seen.height - height + 1
  }

  send(bytes: Uint8Array) {
    const each = known(decodeTransaction(bytes))
    this.sent.set(each.id, each)
    if (this.refusesToSend) return { type: 'temporarilyUnavailable', message: 'full' } as const
    this.outbox.set(each.id, each)
    return { type: 'ok' } as const
  }

  /** Nodes announce what is listed; what can never confirm any more leaves the list. */
  relay(finality: number): void {
    const deep = ancestor(this.#chain.tip, finality)
    for (const [id, each] of this.outbox) {
      const isOver = each.spends.some((key) => !deep.coins.has(key) && isSpentIn(deep, each, key))
      if (deep.confirmed.has(id) || isOver) this.outbox.delete(id)
      else this.#chain.offer(each)
    }
  }
}

/** Made in the chain and not there any more. */
function isSpentIn(tip: Tip, { spends }: Known, key: string): boolean {
  const [txid = ''] = key.split(':')
  return spends.includes(key) && tip.confirmed.has(txid) && !tip.coins.has(key)
}

function coinsAt(tip: Tip, script: string): BitcoinUtxo[] {
  const found: BitcoinUtxo[] = []
  for (const coin of tip.coins.values())
    if (coin.script === script)
      found.push({ outpoint: coin.outpoint, value: coin.value, height: coin.height })
  return found.sort((a, b) => b.height - a.height)
}

/** Answers for transactions and addresses, one mood for all. */
export class HistoryChecker implements Checker {
  mood: CheckTransactionResult['type'] = 'passed'
  flagged = new Set<string>()

  checkTransaction(txid: Uint8Array): CheckTransactionResult {
    if (this.flagged.has(toHex(txid))) return { type: 'failed', addresses: [] }
    const message = 'in a mood'
    switch (this.mood) {
      case 'passed':
      case 'notEnoughCycles':
        return { type: this.mood }
      case 'failed':
        return { type: 'failed', addresses: [] }
      case 'retriable':
      case 'error':
      case 'callFailed':
        return { type: this.mood, message }
    }
  }

  checkAddress(): CheckAddressResult {
    if (this.mood === 'failed') return { type: 'failed' }
    if (this.mood === 'callFailed') return { type: 'callFailed', message: 'in a mood' }
    return { type: 'passed' }
  }
}
