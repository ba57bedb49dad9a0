/**
 * The checker canister: a list of flagged coins and addresses, and what it shall answer. Source:
 * minter §6, IC interface §18.
 *
 * It charges nothing: a call without cycles, as users make it, is answered like any other.
 */

import type { Txid } from '../base/bytes.ts'
import { fromDisplayHex, hash32, toDisplayHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import { addressOfScript, parseAddress } from '../btc/address.ts'
import { transactionOf } from '../btc/chain-queries.ts'
import type { State as ChainState } from '../btc/chain-state.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import type { CheckAddressResult, Checker, CheckTransactionResult } from '../minter/ports.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { CheckMode, CheckStatus } from './checker-interface.ts'
import { checkerInterface } from './checker-interface.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { handler } from './dispatch.ts'

/** Entries of the list: the operator of a local subnet flags a few. */
const FLAGGED_MAX = 10_000
/** Said by every check while the canister is unavailable. */
const UNAVAILABLE = 'the checker is stopped'

/** `<txid>:<vout>` of 64 digits and a number below 2^32, in its one form. */
const OUTPOINT = /^[0-9a-f]{64}:(0|[1-9]\d{0,9})$/
const VOUT_MAX = 0xffff_ffff
const isOutpoint = (text: string): boolean => Number(OUTPOINT.exec(text)?.[1]) <= VOUT_MAX

export type CheckerState = {
  /** Coins, and addresses in the one form that `addressOfScript` gives. */
  readonly flagged: Set<string>
  mode: CheckMode
  /** Checks of the minter until the mode is normal again; undefined: it stays. */
  checksLeft: number | undefined
}

export const newChecker = (): CheckerState => ({
  flagged: new Set(),
  mode: { type: 'normal' },
  checksLeft: undefined,
})

type Verdict =
  | { readonly type: 'passed' }
  | { readonly type: 'failed'; readonly addresses: readonly string[] }
  | { readonly type: 'unknown'; readonly status: CheckStatus }
  | { readonly type: 'unavailable' }

const PASSED: Verdict = { type: 'passed' }

const invalidId = (message: string): Verdict => ({
  type: 'unknown',
  status: { type: 'error', kind: { type: 'invalidTransactionId', message } },
})

export class CheckerCanister implements Canister, Checker {
  readonly name = 'checker'
  readonly service = candidText(checkerInterface)
  readonly id: Principal
  readonly #state: CheckerState
  readonly #operator: Principal
  readonly #chain: () => View<ChainState>

  constructor(
    id: Principal,
    state: CheckerState,
    { operator, chain }: { readonly operator: Principal; readonly chain: () => View<ChainState> },
  ) {
    this.id = id
    this.#state = state
    this.#operator = operator
    this.#chain = chain
  }

  get state(): View<CheckerState> {
    return this.#state
  }

  certifiedData(): undefined {
    return undefined
  }

  checkAddress(address: string): CheckAddressResult {
    const result = this.#judgeAddress(address)
    this.#count()
    return result
  }

  checkTransaction(txid: Uint8Array): CheckTransactionResult {
    const result = portResult(this.#judge(attempt(() => hash32(txid))))
    this.#count()
    return result
  }

  /** One check of the minter is done. */
  #count(): void {
    if (this.#state.checksLeft === undefined || --this.#state.checksLeft > 0) return
    this.#state.mode = { type: 'normal' }
    this.#state.checksLeft = undefined
  }

  #judgeAddress(text: string): CheckAddressResult {
    const { mode, flagged } = this.#state
    if (mode.type === 'unavailable') return { type: 'callFailed', message: UNAVAILABLE }
    const address = this.#addressOf(text)
    if (typeof address !== 'string') return { type: 'callFailed', message: address.problem }
    const isRefused =
      mode.type === 'rejectAll' || (mode.type !== 'acceptAll' && flagged.has(address))
    return { type: isRefused ? 'failed' : 'passed' }
  }

  /** The address in its one form: capitals, where they are allowed, make it no other. */
  #addressOf(text: string): string | { readonly problem: string } {
    const { network } = this.#chain().config
    const parsed = parseAddress(text, network)
    return parsed.type === 'refused'
      ? { problem: parsed.detail }
      : (addressOfScript(parsed.script, network) ?? text)
  }

  #judge(txid: Txid | BadEncoding): Verdict {
    const { mode } = this.#state
    if (mode.type === 'unavailable') return { type: 'unavailable' }
    if (txid instanceof BadEncoding) return invalidId(txid.message)
    switch (mode.type) {
      case 'acceptAll':
        return PASSED
      case 'rejectAll':
        return { type: 'failed', addresses: [] }
      case 'unknown':
        return mode
      case 'normal':
        return this.#look(txid)
    }
  }

  #look(txid: Txid): Verdict {
    const { flagged } = this.#state
    const coin = [...flagged].find((name) => name.startsWith(`${toDisplayHex(txid)}:`))
    const addresses = this.#spentAddresses(txid).filter((name) => flagged.has(name))
    if (coin === undefined && addresses.length === 0) return PASSED
    return { type: 'failed', addresses: coin === undefined ? addresses : [coin, ...addresses] }
  }

  /** Addresses that a transaction spends from, as far as their blocks are still held. */
  #spentAddresses(txid: Txid): readonly string[] {
    const chain = this.#chain()
    const { network } = chain.config
    return (transactionOf(chain, txid)?.inputs ?? []).flatMap(({ outpoint }) => {
      const spent = transactionOf(chain, outpoint.txid)?.outputs[outpoint.vout]
      const address = spent && addressOfScript(spent.script, network)
      return address === undefined ? [] : [address]
    })
  }

  handlers({ caller }: CallContext): Handlers {
    const methods = checkerInterface
    return {
      check_address: handler(methods.check_address, ({ address }) => {
        const result = this.#judgeAddress(address)
        return result.type === 'callFailed'
          ? { type: 'trap', message: result.message }
          : { type: 'result', value: result }
      }),
      check_transaction: handler(methods.check_transaction, ({ txid }) =>
        answered(this.#judge(attempt(() => hash32(txid)))),
      ),
      check_transaction_str: handler(methods.check_transaction_str, ({ txid }) =>
        answered(this.#judge(attempt(() => fromDisplayHex(txid)))),
      ),
      check_transaction_query: handler(methods.check_transaction_query, ({ type, txid }) => {
        const read = attempt(() => (type === 'txIdStr' ? fromDisplayHex(txid) : hash32(txid)))
        // Where the others answer it with a status, this one has no word for it.
        if (read instanceof BadEncoding) return { type: 'trap', message: read.message }
        return answered(this.#judge(read))
      }),
      x_flag: handler(methods.x_flag, (args) =>
        operatorOnly(caller, this.#operator, () => this.#flag(args)),
      ),
      x_set_mode: handler(methods.x_set_mode, ({ mode, times }) =>
        operatorOnly(caller, this.#operator, () => this.#setMode(mode, times)),
      ),
    }
  }

  /** False for what is neither an address of this network nor a coin, and beyond the limit. */
  #flag({ target, flagged }: { readonly target: string; readonly flagged: boolean }): boolean {
    const name = isOutpoint(target) ? target : this.#addressOf(target)
    if (typeof name !== 'string') return false
    if (flagged && this.#state.flagged.size >= FLAGGED_MAX) return false
    if (flagged) this.#state.flagged.add(name)
    else this.#state.flagged.delete(name)
    return true
  }

  #setMode(mode: CheckMode, times: number | undefined): boolean {
    if (times === 0) return false
    this.#state.mode = mode
    this.#state.checksLeft = times
    return true
  }
}

function answered(verdict: Verdict): Outcome<Exclude<Verdict, { readonly type: 'unavailable' }>> {
  return verdict.type === 'unavailable'
    ? { type: 'reject', message: UNAVAILABLE }
    : { type: 'result', value: verdict }
}

/** As the minter's code tells the answers apart (§6). */
function portResult(verdict: Verdict): CheckTransactionResult {
  switch (verdict.type) {
    case 'passed':
    case 'failed':
      return verdict
    case 'unavailable':
      return { type: 'callFailed', message: UNAVAILABLE }
    case 'unknown':
      return portStatus(verdict.status)
  }
}

function portStatus(status: CheckStatus): CheckTransactionResult {
  switch (status.type) {
    case 'notEnoughCycles':
      return { type: 'notEnoughCycles' }
    case 'retriable':
      return { type: 'retriable', message: wordsOf(status.kind) }
    case 'error':
      return { type: 'error', message: wordsOf(status.kind) }
  }
}

type Kind = Exclude<CheckStatus, { readonly type: 'notEnoughCycles' }>['kind']

function wordsOf(kind: Kind): string {
  switch (kind.type) {
    case 'pending':
      return 'the check is under way'
    case 'highLoad':
      return 'the checker has too much to do'
    case 'responseTooLarge':
      return `the transaction ${toDisplayHex(kind.txid)} is too large to be fetched`
    case 'transientInternalError':
    case 'invalidTransactionId':
    case 'invalidTransaction':
      return kind.message
  }
}
