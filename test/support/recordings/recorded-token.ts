/** Ledger and archives of a recording: our canisters, in the ways of the release that was recorded. */
import { fromHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { tokens } from '../../../src/core/base/units.ts'
import { decodeArgs, opt } from '../../../src/core/ic/candid.ts'
import { furtherArchive } from '../../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { collectorKeys } from '../../../src/core/ledger/accounts/fee-collector.ts'
import type { WholeLog } from '../../../src/core/ledger/archive/whole-log.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import { hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import type { LedgerArg } from '../../../src/core/ledger/interface/init-interface.ts'
import {
  configOf,
  ledgerArgCodec,
  settingsOf,
} from '../../../src/core/ledger/interface/init-interface.ts'
import { apply, initial } from '../../../src/core/ledger/machine.ts'
import { configProblem, decideUpgrade } from '../../../src/core/ledger/settings.ts'
import type { State } from '../../../src/core/ledger/state.ts'
import { emptyState, logLength } from '../../../src/core/ledger/state.ts'
import type { Canister } from '../../../src/core/subnet/canister.ts'
import { newToken, TokenCanisters } from '../../../src/core/subnet/token-canisters.ts'
import type { Readable, Step } from './format.ts'
import { field } from './format.ts'
import type { Outcome } from './outcome.ts'
import { TRAPPED } from './outcome.ts'
import type { Trimming } from './trimming.ts'
import { trim } from './trimming.ts'

const TRIMMED = 'accounts are not trimmed today'
const INSTALLED = 'what is refused today was installed then'
/** How many accounts there could be where nothing was said of it. */
const UNLIMITED: Trimming = { accountsMax: 28_000_000, quantity: 100_000 }

/** Refusals that the release of 2024 did not know (RECORDINGS.md). */
const REFUSED_TODAY = /metadata key|cannot be the minting account|can hold no tokens/

const isRefusedToday = (step: Step, message: string): boolean =>
  step.x === undefined && REFUSED_TODAY.test(message)

export class RecordedToken {
  readonly canisters: TokenCanisters
  readonly state: State
  readonly log: WholeLog
  #trimming: Trimming = UNLIMITED
  /** Why it differs from what was recorded. */
  #apart: string | undefined

  private constructor(
    { id, archive }: { readonly id: Principal; readonly archive: (number: number) => Principal },
    state: State,
    apart: string | undefined,
  ) {
    const token = newToken(state)
    const ids = { ledger: id, index: id, archive, archivesMax: 1_000 }
    this.canisters = new TokenCanisters(ids, token)
    this.state = state
    this.log = { ledger: state, archives: token.archives }
    this.#apart = apart
  }

  get apart(): string | undefined {
    return this.#apart
  }

  /** What cannot be installed today is, where it was, so that the story goes on. */
  static install(
    ids: { readonly id: Principal; readonly archive: (number: number) => Principal },
    step: Step,
    now: TimestampNs,
  ): { readonly token: RecordedToken | undefined; readonly outcome: Outcome } {
    const arg = argumentOf(step)
    if (arg instanceof BadEncoding || arg === undefined)
      return { token: undefined, outcome: { code: TRAPPED, message: 'no argument' } }
    const config = configOf(arg, { tokenWidth: 64 })
    if ('type' in config)
      return { token: undefined, outcome: { code: TRAPPED, message: config.message } }
    const problem = configProblem(config)
    const outcome: Outcome =
      problem === undefined ? { reply: 'answered' } : { code: TRAPPED, message: problem }
    if (problem !== undefined && !isRefusedToday(step, problem))
      return { token: undefined, outcome }
    const trimming = limitsOf(field(step.in, 'Init'), UNLIMITED)
    const then = installedThen(config, trimming, now)
    const isAsThen = problem !== undefined || then.isTrimmed
    const apart = problem === undefined ? TRIMMED : INSTALLED
    const token = new RecordedToken(
      ids,
      isAsThen ? then.state : initial(config, now),
      isAsThen ? apart : undefined,
    )
    token.#trimming = trimming
    return { token, outcome }
  }

  upgrade(step: Step): Outcome {
    const arg = argumentOf(step)
    if (arg instanceof BadEncoding) return { code: TRAPPED, message: arg.message }
    const settings = settingsOf(arg)
    if ('type' in settings) return { code: TRAPPED, message: settings.message }
    const { reply } = decideUpgrade(this.state, settings)
    const isCarriedOut = reply.type === 'trap' && isRefusedToday(step, reply.message)
    if (reply.type === 'ok' || isCarriedOut) apply(this.state, { type: 'upgraded', settings })
    if (isCarriedOut) this.#apart ??= INSTALLED
    this.#trimming = limitsOf(field(step.in, 'Upgrade'), this.#trimming)
    return reply.type === 'trap' ? { code: TRAPPED, message: reply.message } : { reply: 'answered' }
  }

  find(id: Principal): Canister | undefined {
    return this.canisters.holderOf(id)
  }

  /** Runs a call; what followed a transaction in one step then follows it here. */
  during<T>(run: () => T, now: TimestampNs, canArchive: boolean): T {
    const length = logLength(this.state)
    const result = run()
    if (logLength(this.state) === length) return result
    if (trim(this.state, this.#trimming, now)) this.#apart = TRIMMED
    if (canArchive) this.#archive(now)
    return result
  }

  /** One round, with all of its messages. */
  #archive(now: TimestampNs): void {
    const { archiving, chain } = this.state
    for (;;) {
      const first = chain.firstLocalIndex
      this.canisters.endSlot(now)
      if (archiving.waiting === 0 || chain.firstLocalIndex === first) return
    }
  }
}

/** Undefined where there is none. */
function argumentOf({ a }: Step): LedgerArg | undefined | BadEncoding {
  if (a === undefined || a === '') return undefined
  return attempt(() => decodeArgs([opt(ledgerArgCodec)], fromHex(a))[0])
}

function limitsOf(args: Readable | undefined, others: Trimming): Trimming {
  const number = (name: string, other: number): number => Number(field(args, name) ?? other)
  return {
    accountsMax: number('maximum_number_of_accounts', others.accountsMax),
    quantity: number('accounts_overflow_trim_quantity', others.quantity),
  }
}

/** As `initial`, with what is refused today and what was done then. */
function installedThen(
  config: Config,
  trimming: Trimming,
  now: TimestampNs,
): { readonly state: State; readonly isTrimmed: boolean } {
  const state = emptyState(config)
  state.time = now
  let isTrimmed = false
  for (const { account, amount } of config.initialBalances) {
    const block: Block = {
      parentHash: state.chain.tipHash,
      timestamp: now,
      transaction: { type: 'mint', to: account, amount: tokens(amount), createdAtTime: now },
      ...collectorKeys(state.feeCollection, config.feeCollector),
    }
    const transactionHash = hashTransaction(block.transaction)
    apply(state, { type: 'appendedBlock', block, transactionHash })
    if (trim(state, trimming, now)) isTrimmed = true
  }
  return { state, isTrimmed }
}

/** Archives in the order of their creation, of one ledger after the other. */
export class ArchiveIds {
  readonly #known: readonly Principal[]
  #used = 0

  constructor(known: readonly Principal[]) {
    this.#known = known
  }

  /** Of a ledger that is installed now. */
  forNext(): (number: number) => Principal {
    const base = this.#used
    return (number) => {
      this.#used = Math.max(this.#used, base + number + 1)
      return this.#known[base + number] ?? furtherArchive(base + number)
    }
  }
}
