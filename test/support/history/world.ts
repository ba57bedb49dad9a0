/**
 * One minter with its world: the real ledger, a chain, a signer, a checker, and books that are kept
 * without it. Every step is checked. Source: minter §§17, 18. For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { assert } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { apply as applyToLedger } from '../../../src/core/ledger/machine.ts'
import type { Decision } from '../../../src/core/ledger/state.ts'
import { decideApprove } from '../../../src/core/ledger/transactions/approve.ts'
import { decideTransfer } from '../../../src/core/ledger/transactions/transfer.ts'
import { scriptOf } from '../../../src/core/minter/addresses.ts'
import type { Call, Method, Methods, Notice, Reply } from '../../../src/core/minter/calls.ts'
import type { Settings } from '../../../src/core/minter/constants.ts'
import { DEFAULT_SETTINGS, EMBEDDED_INIT } from '../../../src/core/minter/constants.ts'
import type { World } from '../../../src/core/minter/context.ts'
import { eventsOf } from '../../../src/core/minter/events/event-log.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import type { Minter } from '../../../src/core/minter/machine.ts'
import * as machine from '../../../src/core/minter/machine.ts'
import type { SettingsChange } from '../../../src/core/minter/settings-change.ts'
import type { InitArgs, MinterArg } from '../../../src/core/minter/types.ts'
import { CHECKER, LEDGER, MINTER, ROOT, user } from '../minter-world.ts'
import { Books } from './books.ts'
import type { Known } from './chain.ts'
import { HistoryChain, isBelow } from './chain.ts'
import { chainProblems, missingCoins, paymentProblems } from './coins.ts'
import { LedgerBooks } from './ledger-books.ts'
import { Payments } from './payments.ts'
import { Crash, HistoryChecker, HistoryLedger, HistoryView } from './ports.ts'
import { difference } from './same-state.ts'
import { HistorySigner } from './signer.ts'

const START = timestampNs(1_719_792_000n * NS_PER_SECOND)
/** Rounds of one slot: more would never end. */
const TICKS_IN_SLOT_MAX = 40
const USERS = 5
const WALLET_COINS = Array.from({ length: 60 }, (_, i) => 2_000_000n + 777_777n * BigInt(i))

/** What went wrong, and in which step. */
export class HistoryFailure extends Error {}

export type Outset = {
  readonly init: Partial<InitArgs>
  readonly settings: Partial<Settings>
  readonly answersInStep: boolean
  readonly rates: readonly bigint[]
}

export class History {
  now: TimestampNs = START
  minter: Minter
  readonly network: InitArgs['network']
  readonly chain = new HistoryChain(WALLET_COINS)
  readonly view = new HistoryView(this.chain)
  readonly checker = new HistoryChecker()
  readonly signer = new HistorySigner()
  readonly ledger: HistoryLedger
  readonly books: Books
  readonly users: readonly Principal[] = Array.from({ length: USERS }, (_, i) => user(i + 1))
  /** With a subaccount each second user. */
  readonly accounts: readonly Account[]
  readonly mainScript: Uint8Array
  readonly #scripts = new Map<Account, Uint8Array>()
  /** Input and tick are two steps: something may come between them. */
  isLazy = false
  /** Ticks so far. */
  ticks = 0
  /** Deposits whose coins were spent otherwise by a reorganisation. */
  readonly thefts: {
    readonly victim: Known
    readonly theft: Known
    /** Of the block that both branches have. */
    readonly height: number
  }[] = []
  /** What the steps were, the newest last. */
  readonly story: string[] = []

  constructor({ init, settings, answersInStep, rates }: Outset) {
    const args = { ...EMBEDDED_INIT, ledgerId: LEDGER, checkerId: CHECKER, ...init }
    const all = { ...DEFAULT_SETTINGS, ...settings }
    const installed = machine.install(
      { type: 'init', args },
      { self: MINTER, now: START, settings: all },
    )
    if (installed.type === 'refused') throw new HistoryFailure(installed.reason)
    this.minter = installed.minter
    this.network = args.network
    this.view.rates = rates
    this.ledger = new HistoryLedger({ id: LEDGER, minter: MINTER }, { now: START, answersInStep })
    this.mainScript = scriptOf(ROOT, { owner: MINTER })
    const ledgerBooks = new LedgerBooks(this.ledger.state, this.network)
    for (const owner of this.users) ledgerBooks.addUser(owner, MINTER)
    this.books = new Books(ledgerBooks, new Payments(ledgerBooks, toHex(this.mainScript)))
    this.ledger.watch = {
      written: () => this.books.note(this.minter),
      mint: () => this.#checkHalt(),
    }
    this.chain.isBarred = (each) => this.books.payments.isBarred(each)
    this.accounts = this.users.flatMap((owner, i) =>
      i % 2 === 0 ? [{ owner }] : [{ owner }, { owner, subaccount: new Uint8Array(32).fill(i) }],
    )
    this.#step('the root key', () => this.#giveRootKey())
  }

  get world(): World {
    const { ledger, view, checker, now } = this
    return { now, ports: { ledger: ledger.port(now), bitcoin: view, checker } }
  }

  get state() {
    return this.minter.state
  }

  scriptOf(account: Account): Uint8Array {
    const script = this.#scripts.get(account) ?? scriptOf(ROOT, account)
    this.#scripts.set(account, script)
    return script
  }

  #giveRootKey(): void {
    machine.notify(this.minter, this.world, { type: 'rootKey', key: ROOT })
  }

  fail(problem: string): never {
    throw new HistoryFailure(`${problem}\n${this.story.slice(-12).join('\n')}`)
  }

  /** [H 15] Nothing is minted while a coin is missing that the minter was told of. */
  #checkHalt(): void {
    const state = this.minter.state
    const missing = missingCoins({ ...this.books, state, tip: this.view.seen })
    if (missing.length > 0) this.fail(`H 15: a mint while ${missing[0]} is missing`)
  }

  #step(name: string, run: () => void): void {
    if (name !== 'tick') this.story.push(name)
    this.now = timestampNs(this.now + 1n)
    try {
      run()
      if (!this.isLazy) this.#tickAll()
    } catch (error) {
      if (error instanceof HistoryFailure) throw error
      if (!(error instanceof Crash))
        this.fail(`H 14: ${error instanceof Error ? error.stack : error}`)
      this.story.push('  crash')
      this.#startAgain(true)
    }
    this.check()
  }

  #tickAll(): void {
    for (let count = 0; ; count++) {
      const next = machine.nextTimer(this.minter)
      if (next === undefined || next > this.now) return
      if (count > TICKS_IN_SLOT_MAX) this.fail('17: the rounds of a slot do not end')
      this.ticks += 1
      machine.tick(this.minter, this.world)
    }
  }

  check(): void {
    const { view, minter, books } = this
    const problems = [
      ...this.signer.ask(machine.outstanding(minter)),
      ...books.look(minter, view.seen),
      ...machine.violations(minter),
    ]
    const { lost, mustLook, updating, retrieving } = minter.state.volatile
    if (updating.size + retrieving.size > 0) problems.push('(c): an account is locked')
    const told = { ...books, state: minter.state, tip: view.seen }
    if (lost.size === 0 && !mustLook) problems.push(...chainProblems(told, toHex(this.mainScript)))
    problems.push(...paymentProblems({ ...books, tip: this.chain.tip }))
    if (problems.length > 0) this.fail(problems.join('\n'))
  }

  /** A call, to its end. Traps are answers that only some calls may have. */
  call<M extends Method>(
    method: M,
    caller: Principal,
    args: Methods[M]['args'],
  ): Reply<M> | undefined {
    let answer: Reply<M> | undefined
    this.#step(method, () => {
      answer = machine.handle(this.minter, this.world, { method, caller, args } as Call<M>)
    })
    if (answer?.type === 'trap' && !answer.message.startsWith('illegal retrieve_btc target'))
      this.fail(`${method} traps: ${answer.message}`)
    this.story.push(`  ${answer === undefined ? 'no answer' : shown(answer)}`)
    return answer
  }

  notify(notice: Notice): void {
    this.#step(notice.type, () => machine.notify(this.minter, this.world, notice))
  }

  /** The minter learns of the tip. */
  sync(): void {
    const { tip } = this.chain
    if (tip === this.view.seen) return
    const isReorganised = !isBelow(this.view.seen, tip)
    this.view.seen = tip
    this.notify({ type: 'bitcoinChanged', isReorganised })
  }

  /** A user's call of the ledger; one that it refuses changes nothing. */
  transfer(owner: Principal, to: Account, amount: bigint, fromSubaccount?: Uint8Array): void {
    const arg = { fromSubaccount, to, amount }
    this.#perform(decideTransfer(this.ledger.state, owner, arg, this.now))
  }

  approve({ owner, subaccount }: Account, amount: bigint): void {
    const args = { fromSubaccount: subaccount, spender: { owner: MINTER }, amount }
    this.#perform(decideApprove(this.ledger.state, owner, args, this.now))
  }

  #perform<E>({ events }: Decision<E>): void {
    for (const event of events) applyToLedger(this.ledger.state, event)
    this.books.note(this.minter)
  }

  landHeldCall(): void {
    this.#step('a call that was held up arrives', () => this.ledger.land(this.now))
  }

  /** Time passes; what falls due runs at its time. */
  wait(duration: bigint): void {
    this.story.push(`wait ${duration / NS_PER_SECOND} s`)
    const until = timestampNs(this.now + duration)
    for (;;) {
      const next = machine.nextTimer(this.minter)
      if (next === undefined || next > until) break
      if (next > this.now) this.now = timestampNs(next - 1n)
      const before = this.now
      this.#step('tick', () => this.#tickAll())
      assert(this.now > before, 'time goes on')
    }
    if (until > this.now) this.now = until
  }

  upgrade(arg?: MinterArg, change: SettingsChange = {}): void {
    this.#step(`upgrade ${shown(arg ?? {})} ${shown(change)}`, () => {
      this.#compareWithReplay()
      const upgraded = machine.upgrade(this.minter, arg, { now: this.now, change })
      if (upgraded.type === 'refused') this.story.push(`  ${upgraded.reason}`)
      else {
        this.minter = upgraded.minter
        this.#giveRootKey()
      }
    })
  }

  /** Starts from the log: `forgets`: without anything that no event tells. */
  restart(forgets: boolean): void {
    this.#step(forgets ? 'restart from the log' : 'restart', () => this.#startAgain(forgets))
  }

  #startAgain(forgets: boolean): void {
    this.#compareWithReplay()
    this.ledger.moods = []
    const { log, settings, state: live } = this.minter
    const state = forgets ? replay(eventsOf(log), live.self) : live
    const started = machine.upgrade({ state, log, settings }, undefined, { now: this.now })
    if (started.type === 'refused') this.fail(`10: a restart is refused: ${started.reason}`)
    this.minter = started.minter
    this.#giveRootKey()
    this.#tickAll()
  }

  /** 10. */
  #compareWithReplay(): void {
    const { log, state } = this.minter
    const differs = difference(state, replay(eventsOf(log), state.self))
    if (differs !== undefined) this.fail(`10: the replay differs: ${differs}`)
  }
}

export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `${each}` : each instanceof Uint8Array ? toHex(each) : each,
  )
