/**
 * The ledger canister: its methods, and what its minting account sees of it. Source: ledger §§2, 6;
 * minter §§5, 7.
 */
import type { TimestampNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { candidText } from '../ic/candid-text.ts'
import { httpInterface } from '../ic/http-request.ts'
import type { Principal } from '../ic/principal.ts'
import { listAllowances } from '../ledger/accounts/listing.ts'
import type { Archive } from '../ledger/archive/archive.ts'
import type { WholeLog } from '../ledger/archive/whole-log.ts'
import { certifiedTip, encodeTipTree } from '../ledger/blocks/certification.ts'
import type { LegacyArchived } from '../ledger/blocks/log-queries.ts'
import {
  archiveRanges,
  getBlocks,
  getLegacyBlocks,
  getTransactions,
} from '../ledger/blocks/log-queries.ts'
import { findBlock } from '../ledger/blocks/lookup.ts'
import { hasExtension } from '../ledger/config.ts'
import { consent } from '../ledger/interface/consent.ts'
import { feeCollectorInterface } from '../ledger/interface/fee-collector-interface.ts'
import { flattened } from '../ledger/interface/flat-transaction.ts'
import type { LedgerArg } from '../ledger/interface/init-interface.ts'
import { ledgerExtension, settingsOf, shownSettings } from '../ledger/interface/init-interface.ts'
import { ledgerInterface } from '../ledger/interface/ledger-interface.ts'
import { legacyInterface, legacyValue } from '../ledger/interface/legacy-interface.ts'
import { blockTypesOf, metadata, standardsOf } from '../ledger/interface/metadata.ts'
import { ledgerPage } from '../ledger/interface/pages.ts'
import { apply } from '../ledger/machine.ts'
import { allowance, balanceOf, totalSupply } from '../ledger/queries.ts'
import type { UpgradeReply } from '../ledger/settings.ts'
import { decideUpgrade } from '../ledger/settings.ts'
import type { Decision, State } from '../ledger/state.ts'
import { ledgerTime } from '../ledger/state.ts'
import { decideApprove } from '../ledger/transactions/approve.ts'
import { decideSetFeeCollector } from '../ledger/transactions/fee-collector-setting.ts'
import { decideTransfer, decideTransferFrom } from '../ledger/transactions/transfer.ts'
import type {
  ApproveArgs,
  ApproveError,
  Reply,
  TransferArg,
  TransferError,
  TransferFromArgs,
  TransferFromError,
  Trap,
} from '../ledger/types.ts'
import type {
  BlockSought,
  BurnFromResult,
  BurnResult,
  FindResult,
  Ledger,
  LedgerFailure,
  MintResult,
  UnknownOutcome,
} from '../minter/ports.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import { notReady } from './readiness.ts'

export class LedgerCanister implements Canister {
  readonly name = 'ledger'
  readonly service: string
  readonly id: Principal
  readonly #state: State
  readonly #archives: readonly Archive[]
  readonly #operator: Principal | undefined

  /**
   * `archives`: those of the ledger in the order of their creation, more of them as time goes on.
   * `operator`: who may upgrade it; nobody unless told.
   */
  constructor(
    id: Principal,
    state: State,
    archives: readonly Archive[] = [],
    operator?: Principal,
  ) {
    this.id = id
    this.#state = state
    this.#archives = archives
    this.#operator = operator
    this.service = candidText({
      ...ledgerInterface,
      ...ledgerExtension,
      ...(hasExtension(state.config, 'ICRC-107') ? feeCollectorInterface : {}),
    })
  }

  get state(): View<State> {
    return this.#state
  }

  /** Every block, wherever it is. */
  get log(): WholeLog {
    return { ledger: this.#state, archives: this.#archives }
  }

  #perform<E>({ events, reply }: Decision<E>): Reply<E> {
    for (const event of events) apply(this.#state, event)
    return reply
  }

  #transfer(caller: Principal, arg: TransferArg, now: TimestampNs): Reply<TransferError> {
    return this.#perform(decideTransfer(this.#state, caller, arg, now))
  }

  #transferFrom(
    caller: Principal,
    arg: TransferFromArgs,
    now: TimestampNs,
  ): Reply<TransferFromError> {
    return this.#perform(decideTransferFrom(this.#state, caller, arg, now))
  }

  #approve(caller: Principal, arg: ApproveArgs, now: TimestampNs): Reply<ApproveError> {
    return this.#perform(decideApprove(this.#state, caller, arg, now))
  }

  /** The whole of it or nothing (§14). */
  upgrade(arg: LedgerArg | undefined): UpgradeReply {
    const settings = settingsOf(arg)
    if ('type' in settings) return settings
    const { events, reply } = decideUpgrade(this.#state, settings)
    for (const event of events) apply(this.#state, event)
    return reply
  }

  certifiedData(): Uint8Array {
    return certifiedTip(this.#state)
  }

  handlers(context: CallContext): Handlers {
    const handlers = this.#handlers(context)
    return context.isRecovering ? notReady(handlers) : handlers
  }

  #handlers({ caller, now, dataCertificate }: CallContext): Handlers {
    const methods = ledgerInterface
    const state = this.#state
    const { config } = state
    return {
      ...legacyHandlers(state, dataCertificate),
      ...this.#extension(caller),
      ...(hasExtension(config, 'ICRC-107') ? this.#feeCollector(caller, now) : {}),
      http_request: getter(httpInterface.http_request, (asked) => ledgerPage(state, now, asked)),
      icrc1_transfer: handler(methods.icrc1_transfer, (arg) =>
        outcome(this.#transfer(caller, arg, now)),
      ),
      icrc2_approve: handler(methods.icrc2_approve, (arg) =>
        outcome(this.#approve(caller, arg, now)),
      ),
      icrc2_transfer_from: handler(methods.icrc2_transfer_from, (arg) =>
        outcome(this.#transferFrom(caller, arg, now)),
      ),
      icrc1_name: getter(methods.icrc1_name, () => config.tokenName),
      icrc1_symbol: getter(methods.icrc1_symbol, () => config.tokenSymbol),
      icrc1_decimals: getter(methods.icrc1_decimals, () => config.decimals),
      icrc1_fee: getter(methods.icrc1_fee, () => config.transferFee),
      icrc1_metadata: getter(methods.icrc1_metadata, () => metadata(config)),
      icrc1_minting_account: getter(methods.icrc1_minting_account, () => config.mintingAccount),
      icrc1_supported_standards: getter(methods.icrc1_supported_standards, () =>
        standardsOf(config),
      ),
      icrc1_total_supply: getter(methods.icrc1_total_supply, () => totalSupply(state)),
      icrc1_balance_of: getter(methods.icrc1_balance_of, (account) => balanceOf(state, account)),
      icrc2_allowance: getter(methods.icrc2_allowance, ({ account, spender }) =>
        allowance(state, { account, spender }, ledgerTime(state, now)),
      ),
      icrc3_get_blocks: handler(methods.icrc3_get_blocks, (ranges) => {
        const answer = getBlocks(state, ranges)
        if (answer.type === 'trap') return answer
        const { logLength, blocks, archived } = answer
        const archivedBlocks = archived.map(({ canisterId, ranges: args }) => {
          return { args, callback: { canisterId, methodName: 'icrc3_get_blocks' } }
        })
        return { type: 'result', value: { logLength, blocks, archivedBlocks } }
      }),
      icrc3_get_archives: getter(methods.icrc3_get_archives, ({ from }) =>
        archiveRanges(state, from),
      ),
      icrc3_get_tip_certificate: getter(methods.icrc3_get_tip_certificate, () => {
        const certificate = dataCertificate()
        return certificate && { certificate, hashTree: encodeTipTree(state) }
      }),
      icrc10_supported_standards: getter(methods.icrc10_supported_standards, () =>
        standardsOf(config),
      ),
      icrc21_canister_call_consent_message: getter(
        methods.icrc21_canister_call_consent_message,
        (request) => consent(config, caller, request),
      ),
      icrc103_get_allowances: getter(methods.icrc103_get_allowances, (args) => {
        const allowances = listAllowances(state, { caller, args }, ledgerTime(state, now))
        return { type: 'ok', allowances } as const
      }),
      icrc106_get_index_principal: getter(methods.icrc106_get_index_principal, () =>
        config.indexPrincipal === undefined
          ? ({ type: 'err', error: { type: 'indexPrincipalNotSet' } } as const)
          : ({ type: 'ok', principal: config.indexPrincipal } as const),
      ),
      is_ledger_ready: getter(methods.is_ledger_ready, () => true),
      icrc3_supported_block_types: getter(methods.icrc3_supported_block_types, () =>
        blockTypesOf(config),
      ),
    }
  }

  #extension(caller: Principal): Handlers {
    const operator = this.#operator
    return {
      x_upgrade: handler(ledgerExtension.x_upgrade, (arg) =>
        operatorOnly(caller, operator, () => {
          const reply = this.upgrade(arg)
          return reply.type === 'ok' ? reply : ({ type: 'err', reason: reply.message } as const)
        }),
      ),
      x_settings: getter(ledgerExtension.x_settings, () => shownSettings(this.#state.config)),
    }
  }

  /** ICRC-107 (§17). */
  #feeCollector(caller: Principal, now: TimestampNs): Handlers {
    const methods = feeCollectorInterface
    const callers = { caller, controller: this.#operator }
    return {
      icrc107_set_fee_collector: handler(methods.icrc107_set_fee_collector, (args) =>
        outcome(this.#perform(decideSetFeeCollector(this.#state, callers, args, now))),
      ),
      icrc107_get_fee_collector: getter(methods.icrc107_get_fee_collector, () => {
        return { type: 'ok', collector: this.#state.config.feeCollector } as const
      }),
    }
  }

  #find(minter: Principal, sought: BlockSought, now: TimestampNs): FindResult {
    const { operation, account, byAllowance, amount, memo, createdAtTime } = sought
    const given = { amount, memo, createdAtTime }
    const spender = byAllowance ? { owner: minter } : undefined
    const blockIndex = findBlock(
      this.#state,
      this.#archives,
      operation === 'mint'
        ? { type: 'mint', to: account, ...given }
        : { type: 'burn', from: account, spender, ...given },
    )
    return blockIndex === undefined
      ? { type: 'absent', ledgerTime: ledgerTime(this.#state, now) }
      : { type: 'found', blockIndex }
  }

  /**
   * The ledger as `minter`, owner of the minting account, calls it inside the slot of time `now`.
   */
  port(minter: Principal, now: TimestampNs): Ledger {
    const minting = { owner: minter }
    return {
      mint: ({ to, amount, memo, createdAtTime }) =>
        mintResult(this.#transfer(minter, { to, amount, memo, createdAtTime }, now)),
      burn: ({ subaccount: fromSubaccount, amount, memo, createdAtTime }) =>
        burnResult(
          this.#transfer(minter, { fromSubaccount, to: minting, amount, memo, createdAtTime }, now),
        ),
      burnFrom: ({ from, amount, memo, createdAtTime }) =>
        burnFromResult(
          this.#transferFrom(minter, { from, to: minting, amount, memo, createdAtTime }, now),
        ),
      balanceOf: (account) => ({ type: 'balance', balance: balanceOf(this.#state, account) }),
      totalSupply: () => totalSupply(this.#state),
      answersInStep: true, // One slot holds the call and what the minter makes of its answer.
      find: (sought) => this.#find(minter, sought, now),
    }
  }
}

/** The log as it was read before ICRC-3. */
function legacyHandlers(
  state: View<State>,
  dataCertificate: CallContext['dataCertificate'],
): Handlers {
  const methods = legacyInterface
  return {
    get_transactions: handler(methods.get_transactions, (range) => {
      const answer = getTransactions(state, range)
      if (answer.type === 'trap') return answer
      const transactions = answer.transactions.map(flattened)
      const { logLength, firstIndex } = answer
      const archivedTransactions = callbacks(answer.archived, 'get_transactions')
      const value = { logLength, firstIndex, transactions, archivedTransactions }
      return { type: 'result', value }
    }),
    get_blocks: handler(methods.get_blocks, (range) => {
      const answer = getLegacyBlocks(state, range)
      if (answer.type === 'trap') return answer
      const blocks = answer.blocks.map(legacyValue)
      const { chainLength, firstIndex } = answer
      const certificate = dataCertificate()
      const archivedBlocks = callbacks(answer.archived, 'get_blocks')
      const value = { chainLength, firstIndex, blocks, certificate, archivedBlocks }
      return { type: 'result', value }
    }),
    get_data_certificate: getter(methods.get_data_certificate, () => ({
      certificate: dataCertificate(),
      hashTree: encodeTipTree(state),
    })),
    archives: getter(methods.archives, () =>
      archiveRanges(state).map(({ canisterId, start, end }) => {
        return { canisterId, blockRangeStart: start, blockRangeEnd: end }
      }),
    ),
  }
}

const callbacks = (parts: readonly LegacyArchived[], methodName: string) =>
  parts.map(({ start, length, canisterId }) => {
    return { start, length, callback: { canisterId, methodName } }
  })

type LedgerReply = Reply<TransferFromError>

/** A refusal is a result of its own kind; only a trap is none. */
const outcome = <E>(reply: Reply<E>): Outcome<Exclude<Reply<E>, Trap>> =>
  reply.type === 'trap' ? reply : { type: 'result', value: reply }

function mintResult(reply: LedgerReply): MintResult {
  return reply.type === 'ok' ? reply : failure(reply)
}

function burnResult(reply: LedgerReply): BurnResult {
  return reply.type === 'err' && reply.error.type === 'insufficientFunds'
    ? { type: 'insufficientFunds', balance: reply.error.balance }
    : mintResult(reply)
}

function burnFromResult(reply: LedgerReply): BurnFromResult {
  return reply.type === 'err' && reply.error.type === 'insufficientAllowance'
    ? { type: 'insufficientAllowance', allowance: reply.error.allowance }
    : burnResult(reply)
}

/**
 * What every call may meet; whatever else the ledger says cannot be, and traps the minter's caller.
 */
function failure(reply: Exclude<LedgerReply, { type: 'ok' }>): LedgerFailure | UnknownOutcome {
  if (reply.type === 'trap') return { type: 'impossible', message: reply.message }
  const { error } = reply
  if (error.type === 'temporarilyUnavailable')
    return { type: 'temporarilyUnavailable', message: 'the ledger is busy' }
  // No two calls of the minter are the same: this one was written, and its answer lost.
  if (error.type === 'duplicate') return { type: 'unknown' }
  if (error.type === 'genericError')
    return { type: 'genericError', code: error.errorCode, message: error.message }
  return { type: 'impossible', message: `the ledger answers ${error.type}` }
}
