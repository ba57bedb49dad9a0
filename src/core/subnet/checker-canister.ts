/** The checker canister: a list of flagged coins and addresses. Source: minter §6, IC interface §18. */
import { fromDisplayHex, toDisplayHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { View } from '../base/view.ts'
import { addressOfScript, parseAddress } from '../btc/address.ts'
import { transactionOf } from '../btc/chain-queries.ts'
import type { State as ChainState } from '../btc/chain-state.ts'
import { blob, bool, query, text, unit, update, vec } from '../ic/candid.ts'
import { named, record, variant } from '../ic/candid-records.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import type { CheckAddressResult, Checker, CheckTransactionResult } from '../minter/ports.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { Handlers } from './dispatch.ts'
import { handler } from './dispatch.ts'

/** Entries of the list: the operator of a local subnet flags a few. */
const FLAGGED_MAX = 10_000

const unknown = variant({
  NotEnoughCycles: unit,
  Retriable: variant({
    Pending: unit,
    HighLoad: unit,
    TransientInternalError: named('message', text),
  }),
  Error: variant({
    InvalidTransaction: named('message', text),
    InvalidTransactionId: named('message', text),
  }),
})

export const checkerInterface = {
  check_address: query([record({ address: text })], variant({ Passed: unit, Failed: unit })),
  check_transaction: update(
    [record({ txid: blob })],
    variant({
      Passed: unit,
      Failed: named('addresses', vec(text)),
      Unknown: named('reason', unknown),
    }),
  ),
  /** Of the operator: flags, or no longer, an address or a coin (`<txid>:<vout>`). */
  x_flag: update([record({ target: text, flagged: bool })], bool),
}

/** `<txid>:<vout>` of 64 digits and a number below 2^32, in its one form. */
const OUTPOINT = /^[0-9a-f]{64}:(?:0|[1-9]\d{0,9})$/

export type CheckerState = { readonly flagged: Set<string> }

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
    const parsed = parseAddress(address, this.#chain().config.network)
    if (parsed.type === 'refused') return { type: 'callFailed', message: parsed.detail }
    return { type: this.#state.flagged.has(address) ? 'failed' : 'passed' }
  }

  checkTransaction(txid: Uint8Array): CheckTransactionResult {
    const id = attempt(() => fromDisplayHex(toDisplayHex(txid)))
    if (id instanceof BadEncoding) return { type: 'error', message: 'a txid has 32 bytes' }
    const coin = [...this.#state.flagged].find((name) => name.startsWith(`${toDisplayHex(id)}:`))
    const addresses = this.#spentAddresses(id).filter((name) => this.#state.flagged.has(name))
    if (coin === undefined && addresses.length === 0) return { type: 'passed' }
    return { type: 'failed', addresses: coin === undefined ? addresses : [coin, ...addresses] }
  }

  /** Addresses that a transaction spends from, as far as their blocks are still held. */
  #spentAddresses(txid: Parameters<typeof transactionOf>[1]): readonly string[] {
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
        const result = this.checkAddress(address)
        return result.type === 'callFailed'
          ? { type: 'trap', message: result.message }
          : { type: 'result', value: result }
      }),
      check_transaction: handler(methods.check_transaction, ({ txid }) => {
        const result = this.checkTransaction(txid)
        switch (result.type) {
          case 'passed':
          case 'failed':
            return { type: 'result', value: result }
          default:
            return { type: 'trap', message: 'a txid has 32 bytes' }
        }
      }),
      x_flag: handler(methods.x_flag, (args) =>
        operatorOnly(caller, this.#operator, () => this.#flag(args)),
      ),
    }
  }

  /** False for what is neither an address of this network nor a coin, and beyond the limit. */
  #flag({ target, flagged }: { readonly target: string; readonly flagged: boolean }): boolean {
    const { network } = this.#chain().config
    const isKnown = OUTPOINT.test(target) || parseAddress(target, network).type !== 'refused'
    if (!isKnown || (flagged && this.#state.flagged.size >= FLAGGED_MAX)) return false
    if (flagged) this.#state.flagged.add(target)
    else this.#state.flagged.delete(target)
    return true
  }
}
