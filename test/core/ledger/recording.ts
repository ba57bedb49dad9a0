/** Plays recorded calls against our ledger: Candid in, replies compared as values. */
import { fromHex, toHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Codec, Method, ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs } from '../../../src/core/ic/candid.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { decideApprove } from '../../../src/core/ledger/approve.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface.ts'
import type { TimedTransaction } from '../../../src/core/ledger/log-queries.ts'
import {
  getBlocks,
  getLegacyBlocks,
  getTransactions,
} from '../../../src/core/ledger/log-queries.ts'
import { apply, decide, initial } from '../../../src/core/ledger/machine.ts'
import {
  metadata,
  SUPPORTED_BLOCK_TYPES,
  SUPPORTED_STANDARDS,
} from '../../../src/core/ledger/metadata.ts'
import { allowance, balanceOf, totalSupply } from '../../../src/core/ledger/queries.ts'
import { decideUpgrade } from '../../../src/core/ledger/settings.ts'
import type { Event, State } from '../../../src/core/ledger/state.ts'
import { decideTransfer, decideTransferFrom } from '../../../src/core/ledger/transfer.ts'
import type { Trap } from '../../../src/core/ledger/types.ts'
import type { Readable } from '../../support/recordings/format.ts'
import { fieldsOf } from '../../support/recordings/format.ts'
import { configOf, legacyForm, settingsOf } from '../../support/recordings/ledger-arguments.ts'

export type Step = {
  readonly op: 'install' | 'upgrade' | 'u' | 'q'
  readonly t?: string
  readonly as?: string
  readonly m?: string
  readonly n?: string
  readonly a?: string
  readonly in?: Readable
  readonly r?: string
  readonly out?: Readable
  readonly x?: { readonly code: number; readonly message: string }
}

export type Recording = {
  readonly start: string
  readonly people: Readonly<Record<string, { readonly id: string }>>
  readonly steps: readonly Step[]
  readonly blocks: readonly { readonly i: number; readonly h: string; readonly b: Readable }[]
}

/** What came of a step, ours or recorded: a reject is known by its code. */
export type Outcome = { readonly reply: unknown } | { readonly code: number }

const TRAPPED = { code: 5 }

export class Player {
  readonly #people: Recording['people']
  #now: TimestampNs
  #state: State | undefined

  constructor({ people, start }: Recording) {
    this.#people = people
    this.#now = timestampNs(BigInt(start))
  }

  get state(): State {
    if (this.#state === undefined) throw new Error('the ledger is not installed')
    return this.#state
  }

  /** Plays one step: our outcome and the recorded one; undefined for a method not answered here. */
  play(step: Step): { readonly ours: Outcome; readonly recorded: Outcome } | undefined {
    if (step.t !== undefined) this.#now = timestampNs(BigInt(step.t))
    if (step.op === 'install') return this.#install(step)
    if (step.op === 'upgrade') return this.#upgrade(step)
    return this.#methods()[step.m ?? '']?.(step)
  }

  #install(step: Step) {
    const { Init } = fieldsOf(step.in)
    this.#state = initial(configOf(Init), this.#now)
    return { ours: { reply: undefined }, recorded: recordedOutcome(step, undefined) }
  }

  #upgrade(step: Step) {
    const { Upgrade } = fieldsOf(step.in)
    const { events, reply } = decideUpgrade(this.state, settingsOf(fieldsOf(Upgrade)))
    this.#applyAll(events)
    return {
      ours: reply.type === 'trap' ? TRAPPED : { reply: undefined },
      recorded: recordedOutcome(step, undefined),
    }
  }

  #applyAll(events: readonly Event[]): void {
    for (const event of events) apply(this.state, event)
  }

  #caller({ as }: Step): Principal {
    return principalOfText(this.#people[as ?? '']?.id ?? as ?? '')
  }

  #methods(): Readonly<Record<string, (step: Step) => { ours: Outcome; recorded: Outcome }>> {
    const api = ledgerInterface
    const { state } = this
    const { config } = state
    const now = this.#now
    const decided = <R extends { readonly type: string }>(decision: {
      readonly events: readonly Event[]
      readonly reply: R
    }): R => {
      this.#applyAll(decision.events)
      return decision.reply
    }
    return {
      icrc1_name: answer(api.icrc1_name, () => config.tokenName),
      icrc1_symbol: answer(api.icrc1_symbol, () => config.tokenSymbol),
      icrc1_decimals: answer(api.icrc1_decimals, () => config.decimals),
      icrc1_fee: answer(api.icrc1_fee, () => config.transferFee),
      icrc1_metadata: answer(api.icrc1_metadata, () => metadata(config)),
      icrc1_minting_account: answer(api.icrc1_minting_account, () => config.mintingAccount),
      icrc1_total_supply: answer(api.icrc1_total_supply, () => totalSupply(state)),
      icrc1_supported_standards: answer(api.icrc1_supported_standards, () => SUPPORTED_STANDARDS),
      icrc3_supported_block_types: answer(
        api.icrc3_supported_block_types,
        () => SUPPORTED_BLOCK_TYPES,
      ),
      icrc1_balance_of: answer(api.icrc1_balance_of, (_, [account]) => balanceOf(state, account)),
      icrc2_allowance: answer(api.icrc2_allowance, (_, [args]) => allowance(state, args, now)),
      icrc1_transfer: answer(api.icrc1_transfer, (step, [arg]) =>
        decided(decideTransfer(state, this.#caller(step), arg, now)),
      ),
      icrc2_approve: answer(api.icrc2_approve, (step, [args]) =>
        decided(decideApprove(state, this.#caller(step), args, now)),
      ),
      icrc2_transfer_from: answer(api.icrc2_transfer_from, (step, [args]) =>
        decided(decideTransferFrom(state, this.#caller(step), args, now)),
      ),
      icrc3_get_blocks: answer(api.icrc3_get_blocks, (_, [ranges]) => {
        const blocks = getBlocks(state, ranges)
        if (blocks.type === 'trap') return blocks
        return { logLength: blocks.logLength, blocks: blocks.blocks, archivedBlocks: [] }
      }),
      get_blocks: (step) => this.#getLegacyBlocks(step),
      get_transactions: (step) => this.#getTransactions(step),
    }
  }

  #getLegacyBlocks(step: Step): { ours: Outcome; recorded: Outcome } {
    const answer = getLegacyBlocks(this.state, rangeOf(step))
    const { certificate: _, ...recorded } = fieldsOf(step.out)
    if (answer.type === 'trap') return { ours: TRAPPED, recorded: recordedOutcome(step, recorded) }
    const reply = {
      first_index: String(answer.firstIndex),
      chain_length: String(answer.chainLength),
      blocks: answer.blocks.map(legacyForm),
      archived_blocks: [],
    }
    return { ours: { reply }, recorded: recordedOutcome(step, recorded) }
  }

  #getTransactions(step: Step): { ours: Outcome; recorded: Outcome } {
    const answer = getTransactions(this.state, rangeOf(step))
    const recorded = recordedOutcome(step, step.out)
    if (answer.type === 'trap') return { ours: TRAPPED, recorded }
    const reply = {
      first_index: String(answer.firstIndex),
      log_length: String(answer.logLength),
      transactions: answer.transactions.map(transactionForm),
      archived_transactions: [],
    }
    return { ours: { reply }, recorded }
  }

  /** Carries out a call that the recorded ledger accepted and ours must not. */
  instead(caller: string, to: Account, amount: bigint): void {
    const call = { type: 'icrc1_transfer', arg: { to, amount } } as const
    const request = { caller: this.#caller({ op: 'u', as: caller }), call }
    this.#applyAll(decide(this.state, request, this.#now).events)
  }
}

const recordedOutcome = ({ x }: Step, reply: unknown): Outcome =>
  x === undefined ? { reply } : { code: x.code }

type Args<A extends readonly Codec<unknown>[]> = { readonly [K in keyof A]: ValueOf<A[K]> }

/** Arguments that do not decode reject the call like a trap. */
function answer<const A extends readonly Codec<unknown>[], R extends Codec<unknown>>(
  method: Method<A, R>,
  run: (step: Step, args: Args<A>) => ValueOf<R> | Trap,
): (step: Step) => { ours: Outcome; recorded: Outcome } {
  return (step) => {
    const recorded = recordedOutcome(
      step,
      step.r === undefined ? undefined : decodeArgs([method.result], fromHex(step.r))[0],
    )
    const args = attempt(() => decodeArgs(method.args, fromHex(step.a ?? '')))
    if (args instanceof BadEncoding) return { ours: TRAPPED, recorded }
    const reply = run(step, args)
    return { ours: isTrap(reply) ? TRAPPED : { reply }, recorded }
  }
}

const isTrap = (reply: unknown): boolean =>
  typeof reply === 'object' && reply !== null && 'type' in reply && reply.type === 'trap'

function rangeOf(step: Step): { start: bigint; length: bigint } {
  const { start, length } = fieldsOf(step.in)
  return { start: BigInt(String(start)), length: BigInt(String(length)) }
}

/** §9.3: `kind`, the field of that name, and the time. */
function transactionForm({ type, timestamp, ...fields }: TimedTransaction): Readable {
  return { kind: type, [type]: readable(fields), timestamp: String(timestamp) }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)

function readable(value: unknown): Readable {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return toHex(value)
  return Object.fromEntries(
    Object.entries(value as object)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [
        snake(name),
        name === 'owner' ? textOfPrincipal(field) : readable(field),
      ]),
  )
}
