/**
 * What must hold after every event of a history, from the ledger's blocks, the chain and the event
 * log; the minter's own word counts for nothing. Source: minter §§18.2, 18.5, 18.7. For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { accountKey } from '../../../src/core/ic/account.ts'
import { apply } from '../../../src/core/minter/apply/apply.ts'
import { configOfInit } from '../../../src/core/minter/config.ts'
import { eventAt } from '../../../src/core/minter/events/event-log.ts'
import type { Event, Payload } from '../../../src/core/minter/events/events.ts'
import { EVENT_NAMES, isExtension } from '../../../src/core/minter/events/events.ts'
import type { Minter } from '../../../src/core/minter/machine.ts'
import { freshState } from '../../../src/core/minter/state/fresh-state.ts'
import type { InTransit } from '../../../src/core/minter/state/reserve.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import type { State } from '../../../src/core/minter/state/state.ts'
import { invariantViolations } from '../../../src/core/minter/state/violations.ts'
import type { Tip } from './chain.ts'
import type { LedgerBooks } from './ledger-books.ts'
import type { Payments } from './payments.ts'

/** After so many events the ledger had so many blocks. */
type Note = { readonly events: number; readonly blocks: number }

export class Books {
  readonly ledger: LedgerBooks
  readonly payments: Payments
  /** All events, and the published ones alone (§18.2). */
  #shadow: State | undefined
  #published: State | undefined
  #events = 0
  #notes: Note[] = []
  readonly #own = { checkFees: 0n, minterFees: 0n }
  /** Kinds of events so far, for tests that want to know what was reached. */
  readonly kinds = new Map<string, number>()
  problems: string[] = []

  constructor(ledger: LedgerBooks, payments: Payments) {
    this.ledger = ledger
    this.payments = payments
  }

  get shadow(): State | undefined {
    return this.#shadow
  }

  get published(): State | undefined {
    return this.#published
  }

  /** The ledger has written. */
  note(minter: Minter): void {
    this.ledger.read()
    this.#notes.push({ events: minter.log.count, blocks: this.ledger.count })
  }

  /** Takes in the events since the last look, one by one. */
  look(minter: Minter, seen: Tip): readonly string[] {
    this.ledger.read()
    for (; this.#events < minter.log.count; this.#events++) {
      const event = eventAt(minter.log, this.#events)
      if (event !== undefined) this.#take(event, seen, minter.state.self)
    }
    this.#checkReserve(this.ledger.count, 'at the end of a step')
    const [last] = this.#notes.slice(-1)
    this.#notes = last === undefined ? [] : [last]
    return [
      ...this.problems.splice(0),
      ...this.ledger.problems.splice(0),
      ...this.payments.problems.splice(0),
    ]
  }

  #take(event: Event, seen: Tip, self: State['self']): void {
    const { payload } = event
    const name = EVENT_NAMES[payload.type]
    this.kinds.set(name, (this.kinds.get(name) ?? 0) + 1)
    if (payload.type === 'init') {
      const config = configOfInit(payload.args)
      this.#shadow ??= freshState(self, config)
      this.#published ??= freshState(self, config)
    }
    this.#follow(this.#shadow, event, 'all')
    if (!isExtension(payload.type)) this.#follow(this.#published, event, 'published')
    this.#judge(payload, seen)
    const blocks = this.#notes.findLast(({ events }) => events <= this.#events)?.blocks ?? 0
    this.#checkReserve(blocks, `after ${name} (event ${this.#events})`)
  }

  #follow(state: State | undefined, event: Event, which: string): void {
    if (state === undefined) return
    const problem = attempt(() => apply(state, event))
    if (problem instanceof BadEncoding)
      this.problems.push(`${which} events do not replay: ${problem.message}`)
    if (which === 'all') this.problems.push(...invariantViolations(state))
  }

  /** 11, with the supply and the calls of that moment. */
  #checkReserve(blocks: number, when: string): void {
    const state = this.#shadow
    if (state === undefined || isBetweenChangeAndEnd(state)) return
    const supply = this.ledger.supplies[blocks] ?? 0n
    const equation = reserveEquation(state, supply, this.#inTransit(state, blocks))
    if (!equation.balanced || !equation.covered)
      this.problems.push(`11: the reserve is not balanced ${when}: ${shown(equation)}`)
    const { checkFees, minterFees } = state.earnings
    if (checkFees !== this.#own.checkFees)
      this.problems.push(`11: ${checkFees} of check fees, ${this.#own.checkFees} were kept`)
    if (minterFees !== this.#own.minterFees)
      this.problems.push(`11: ${minterFees} of minter fees, ${this.#own.minterFees} were paid`)
  }

  #inTransit(state: State, blocks: number): InTransit {
    const amounts = { minted: 0n, burned: 0n }
    for (const { createdAtTime, amount, purpose } of state.calls.values()) {
      const isMint = purpose.type === 'deposit' || purpose.type === 'reimbursement'
      if (this.ledger.has(isMint ? 'mint' : 'burn', createdAtTime, blocks))
        amounts[isMint ? 'minted' : 'burned'] += amount
    }
    return amounts
  }

  #judge(payload: Payload, seen: Tip): void {
    switch (payload.type) {
      case 'receivedUtxos':
        if (payload.mintTxid !== undefined) this.#credit(payload, seen)
        return
      case 'xSigningStarted':
        this.payments.start(payload)
        return
      case 'confirmedTransaction':
        this.#confirm(toHex(payload.txid), seen)
        return
      case 'scheduleWithdrawalReimbursement':
      case 'xScheduleReimbursement':
        this.payments.giveBack(payload.burnBlockIndex, payload.amount)
        return
      default:
        return
    }
  }

  #credit({ utxos, toAccount }: Payload<'receivedUtxos'>, seen: Tip): void {
    for (const { outpoint, value } of utxos) {
      const key = outpointKey(outpoint)
      const credit = this.ledger.credits.get(key)
      if (credit === undefined || credit.account !== accountKey(toAccount))
        this.problems.push(`${key} is credited and was not minted for`)
      else if (credit.amount + credit.fee !== value)
        this.problems.push(`${key} of ${value} is credited as ${credit.amount}`)
      const coin = seen.coins.get(key)
      if (coin !== undefined && coin.value !== value)
        this.problems.push(`${key} is worth ${coin.value} and taken for ${value}`)
      this.#own.checkFees += value - (credit?.amount ?? 0n)
    }
  }

  #confirm(id: string, seen: Tip): void {
    const payment = this.payments.all.get(id)
    if (payment === undefined) this.problems.push(`${id} is final and was never signed`)
    else if (payment.burns.length + payment.cancels.length > 0)
      this.#own.minterFees += payment.minterFee
    const height = seen.confirmed.get(id)
    const { minConfirmations = 1 } = this.#shadow?.config ?? {}
    if (height === undefined || seen.height - height + 1 < minConfirmations)
      this.problems.push(`${id} is taken for final and is not`)
    this.payments.final.add(id)
  }
}

/** The change of a transaction is there, which in the same round will be final: both would count. */
const isBetweenChangeAndEnd = ({ submitted, stuck, availableUtxos }: State): boolean =>
  [...submitted.values(), ...stuck.values()].some(
    ({ txid, changeOutput }) =>
      changeOutput !== undefined &&
      availableUtxos.has(outpointKey({ txid, vout: changeOutput.vout })),
  )

const shown = (equation: object): string =>
  Object.entries(equation)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
