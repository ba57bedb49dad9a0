/** A ledger with a clock for tests: every event is followed by a check of every invariant. */
import { expect } from 'vitest'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import { packPair } from '../../../src/core/ledger/accounts/account-key.ts'
import type { Block, Movement } from '../../../src/core/ledger/blocks/block.ts'
import type { Config, Settings } from '../../../src/core/ledger/config.ts'
import { ckbtcConfig } from '../../../src/core/ledger/config.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { apply, decide, initial } from '../../../src/core/ledger/machine.ts'
import { allowance, balanceOf, totalSupply } from '../../../src/core/ledger/queries.ts'
import type { UpgradeReply } from '../../../src/core/ledger/settings.ts'
import { decideUpgrade } from '../../../src/core/ledger/settings.ts'
import type { Event, State } from '../../../src/core/ledger/state.ts'
import type {
  ApproveArgs,
  Call,
  Reply,
  TransferArg,
  TransferFromArgs,
} from '../../../src/core/ledger/types.ts'

/** The fee F of the checklist. */
export const FEE = 10_000n
export const MAX = 2n ** 64n - 1n
export const WINDOW = 86_400n * NS_PER_SECOND
export const DRIFT = 60n * NS_PER_SECOND
export const START = timestampNs(1_719_792_000_000_000_000n)

const user = (name: string): Principal =>
  principal(new Uint8Array(29).fill(name.charCodeAt(0)).fill(2, 28))

export const minter = principal(Uint8Array.of(0, 0, 0, 0, 2, 0x30, 0, 7, 1, 1))
export const alice = user('a')
export const bob = user('b')
export const carol = user('c')
export const spender = user('s')
export const collector = user('f')

export const of = (owner: Principal, subaccount?: Uint8Array): Account => ({ owner, subaccount })
export const sub = (last: number): Uint8Array => new Uint8Array(32).fill(last, 31)
export const ZEROS = sub(0)
export const M = of(minter)

/** Configuration of the checklist: fee 10 000, memos of 32 bytes, no collector. */
export function testConfig(changes: Partial<Config> = {}): Config {
  const config = ckbtcConfig({ minter, archiveController: minter })
  return {
    ...config,
    transferFee: FEE,
    memoLengthMax: 32,
    feeCollector: undefined,
    ...changes,
  }
}

type To = Account | Principal
const account = (to: To): Account => (to instanceof Uint8Array ? of(to) : to)

export class LedgerUnderTest {
  now: TimestampNs = START
  state: State
  readonly #installed: Config
  readonly #events: Event[] = []

  constructor(changes: Partial<Config> = {}) {
    this.#installed = testConfig(changes)
    this.state = initial(this.#installed, START)
    expect(violations(this.state)).toEqual([])
  }

  /** Decides and applies; a call that traps must leave no event. */
  call(caller: Principal, call: Call): Reply {
    const before = this.state.chain.blocks.length
    const { events, reply } = decide(this.state, { caller, call }, this.now)
    if (reply.type === 'trap') expect(events).toEqual([])
    this.#applyAll(events)
    expect(this.state.chain.blocks.length).toBe(before + (reply.type === 'ok' ? 1 : 0))
    return reply
  }

  transfer(caller: Principal, to: To, amount: bigint, rest: Partial<TransferArg> = {}): Reply {
    return this.call(caller, { type: 'icrc1_transfer', arg: { to: account(to), amount, ...rest } })
  }

  approve(caller: Principal, to: To, amount: bigint, rest: Partial<ApproveArgs> = {}): Reply {
    return this.call(caller, {
      type: 'icrc2_approve',
      arg: { spender: account(to), amount, ...rest },
    })
  }

  transferFrom(
    caller: Principal,
    [from, to]: readonly [To, To],
    amount: bigint,
    rest: Partial<TransferFromArgs> = {},
  ): Reply {
    return this.call(caller, {
      type: 'icrc2_transfer_from',
      arg: { from: account(from), to: account(to), amount, ...rest },
    })
  }

  upgrade(settings: Settings): UpgradeReply {
    const { events, reply } = decideUpgrade(this.state, settings)
    this.#applyAll(events)
    return reply
  }

  /** Gives tokens without a fee. */
  fund(to: To, amount: bigint): void {
    expect(this.transfer(minter, to, amount).type).toBe('ok')
  }

  pass(durationNs: bigint): void {
    this.now = timestampNs(this.now + durationNs)
  }

  balance(of: To): bigint {
    return balanceOf(this.state, account(of))
  }

  allowance(from: To, spender: To): { readonly allowance: bigint; readonly expiresAt?: unknown } {
    return allowance(this.state, { account: account(from), spender: account(spender) }, this.now)
  }

  hasAllowanceEntry(from: To, spender: To): boolean {
    return this.state.allowances.entries.has(
      packPair({ from: account(from), spender: account(spender) }),
    )
  }

  supply(): bigint {
    return totalSupply(this.state)
  }

  /** The newest block, which moves tokens or allows it. */
  lastBlock(): Block & { readonly transaction: Movement } {
    const block = this.state.chain.blocks.at(-1)
    if (block === undefined) throw new Error('no block yet')
    const { transaction } = block
    if (transaction.type === 'feeCollector') throw new Error('a setting moves nothing')
    return { ...block, transaction }
  }

  /** For many calls: without a look at the invariants, which replay the whole log. */
  quietly(caller: Principal, call: Call): void {
    const { events, reply } = decide(this.state, { caller, call }, this.now)
    expect(reply.type).toBe('ok')
    for (const event of events) this.#apply(event)
  }

  /** The state that its events lead to from the beginning. */
  replayed(): State {
    const state = initial(this.#installed, START)
    for (const event of this.#events) apply(state, event)
    return state
  }

  #apply(event: Event): void {
    this.#events.push(event)
    apply(this.state, event)
  }

  #applyAll(events: readonly Event[]): void {
    for (const event of events) {
      this.#apply(event)
      expect(violations(this.state)).toEqual([])
    }
  }
}

export const ok = (blockIndex: number): Reply => ({ type: 'ok', blockIndex: BigInt(blockIndex) })

type Error = Extract<Reply, { readonly type: 'err' }>['error']
export const err = (error: Error): Reply => ({ type: 'err', error })

export const insufficientFunds = (balance: bigint): Reply =>
  err({ type: 'insufficientFunds', balance })
export const insufficientAllowance = (allowance: bigint): Reply =>
  err({ type: 'insufficientAllowance', allowance })
export const badFee = (expectedFee: bigint): Reply => err({ type: 'badFee', expectedFee })
export const badBurn = (minBurnAmount: bigint): Reply => err({ type: 'badBurn', minBurnAmount })
export const duplicate = (of: number): Reply => err({ type: 'duplicate', duplicateOf: BigInt(of) })
export const allowanceChanged = (currentAllowance: bigint): Reply =>
  err({ type: 'allowanceChanged', currentAllowance })
export const TOO_OLD = err({ type: 'tooOld' })
export const trap = (message: string): object => ({
  type: 'trap',
  message: expect.stringContaining(message),
})
