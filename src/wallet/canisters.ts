/** The ledger and the minter as a user calls them. Source: ledger §2, minter §§2, 7, 21. */

import { equalBytes } from '../core/base/bytes.ts'
import type { ExtendedKey } from '../core/base/derivation.ts'
import { derivePublicKey, masterKey } from '../core/base/derivation.ts'
import { BadEncoding, CanisterRefused } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../core/base/units.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import type { Account } from '../core/ic/account.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { Block } from '../core/ledger/block.ts'
import { blockOfValue } from '../core/ledger/block-value.ts'
import { ledgerInterface } from '../core/ledger/interface.ts'
import { addressText, scriptOf } from '../core/minter/addresses.ts'
import { decodeEvent } from '../core/minter/event-log.ts'
import type { Event } from '../core/minter/events.ts'
import { minterExtension } from '../core/minter/extension.ts'
import { minterInterface } from '../core/minter/interface.ts'
import { decodeMintMemo } from '../core/minter/memo.ts'
import type { MinterInfo, RetrieveBtcStatusV2 } from '../core/minter/types.ts'
import type { Agent } from './agent.ts'

/** The canisters of one ckBTC deployment. */
export type Deployment = {
  readonly ledgerId: Principal
  readonly minterId: Principal
  /** SEC1 compressed key that the subnet's nodes share; the minter's keys are derived from it. */
  readonly masterPublicKey: Uint8Array
}

/** Blocks or events asked for at once; the canisters cut at their own limits. */
const PAGE = 2_000n
/** More than mainnet has made in years: who serves more is not to be believed. */
const ENTRIES_MAX = 50_000_000
/** An approval for a redemption ends by itself after ten minutes. */
const APPROVAL_NS = 600n * NS_PER_SECOND

type LedgerMethod = keyof typeof ledgerInterface
type MinterMethod = keyof typeof minterInterface

export class Canisters {
  readonly #agent: Agent
  readonly deployment: Deployment

  constructor(agent: Agent, deployment: Deployment) {
    this.#agent = agent
    this.deployment = deployment
  }

  #ledger<M extends LedgerMethod>(methodName: M) {
    const { ledgerId: canisterId } = this.deployment
    const method = ledgerInterface[methodName]
    return { canister: 'ledger', canisterId, methodName, method } as const
  }

  #minter<M extends MinterMethod>(methodName: M) {
    const { minterId: canisterId } = this.deployment
    const method = minterInterface[methodName]
    return { canister: 'minter', canisterId, methodName, method } as const
  }

  /** The minter's root key, derived here from the subnet's key. */
  get minterKey(): ExtendedKey {
    const { masterPublicKey, minterId } = this.deployment
    return derivePublicKey(masterKey(masterPublicKey), [minterId])
  }

  /**
   * The address the minter gives for an account, and the one that follows from the subnet's key.
   */
  async depositAddress(
    account: Account,
  ): Promise<{ readonly address: string; readonly derived: string }> {
    const target = this.#minter('get_btc_address')
    const address = await this.#agent.update(target, [account])
    return { address, derived: addressText(scriptOf(this.minterKey, account), 'regtest') }
  }

  balanceOf(account: Account): Promise<bigint> {
    return this.#agent.query(this.#ledger('icrc1_balance_of'), [account])
  }

  transferFee(): Promise<bigint> {
    return this.#agent.query(this.#ledger('icrc1_fee'), [])
  }

  minterInfo(): Promise<MinterInfo> {
    return this.#agent.query(this.#minter('get_minter_info'), [])
  }

  /**
   * Sends ckBTC; the block's index. Throws `CanisterRefused`. `createdAtTime` makes a repetition
   * harmless.
   */
  async transfer(transfer: {
    readonly to: Account
    readonly amount: bigint
    readonly createdAtTime: TimestampNs
  }): Promise<bigint> {
    const target = this.#ledger('icrc1_transfer')
    const result = await this.#agent.update(target, [transfer])
    if (result.type === 'err') throw refused(target, result.error)
    return result.blockIndex
  }

  /**
   * Lets the minter take exactly `amount` for ten minutes, then has it burned for bitcoin; the burn
   * block's index.
   *
   * `now` is the time of the approval. A refused burn leaves an allowance that ends by itself; the next redemption
   * replaces it. Throws `CanisterRefused`.
   */
  async redeem({
    address,
    amount,
    now,
  }: {
    readonly address: string
    readonly amount: bigint
    readonly now: TimestampNs
  }): Promise<bigint> {
    await this.#approveMinter(amount, now)
    const burn = this.#minter('retrieve_btc_with_approval')
    const burned = await this.#agent.update(burn, [{ address, amount }])
    if (burned.type === 'err') throw refused(burn, burned.error)
    return burned.value.blockIndex
  }

  async #approveMinter(amount: bigint, now: TimestampNs): Promise<void> {
    const spender = { owner: this.deployment.minterId }
    const account = { owner: this.#agent.principal }
    const question = this.#ledger('icrc2_allowance')
    // What is there is named, so that a race with another approval fails instead of adding up.
    const { allowance } = await this.#agent.query(question, [{ account, spender }])
    const approval = this.#ledger('icrc2_approve')
    const approved = await this.#agent.update(approval, [
      {
        spender,
        amount,
        expectedAllowance: allowance,
        expiresAt: addNs(now, APPROVAL_NS),
        createdAtTime: now,
      },
    ])
    if (approved.type === 'err') throw refused(approval, approved.error)
  }

  redemptionStatus(blockIndex: bigint): Promise<RetrieveBtcStatusV2> {
    return this.#agent.query(this.#minter('retrieve_btc_status_v2'), [{ blockIndex }])
  }

  /**
   * The whole log of the ledger, as its blocks were given. Throws `BadEncoding` for one that is
   * none.
   */
  async blocks(): Promise<readonly Block[]> {
    const blocks: Block[] = []
    for (;;) {
      const start = BigInt(blocks.length)
      const target = this.#ledger('icrc3_get_blocks')
      const page = await this.#agent.query(target, [[{ start, length: PAGE }]])
      for (const { id, block } of page.blocks) {
        if (id !== BigInt(blocks.length)) throw new BadEncoding(`block ${id} out of order`)
        blocks.push(blockOfValue(block))
      }
      if (BigInt(blocks.length) >= page.logLength) return blocks
      if (blocks.length > ENTRIES_MAX) throw new BadEncoding('a ledger without end')
      if (page.blocks.length === 0) throw new BadEncoding('the ledger keeps blocks back')
    }
  }

  /**
   * The whole event log of the minter, with the events that a replay needs and `get_events` leaves
   * out.
   */
  async events(): Promise<readonly Event[]> {
    const methodName = 'x_get_events'
    const method = minterExtension[methodName]
    const { minterId: canisterId } = this.deployment
    const target = { canister: 'minter', canisterId, methodName, method } as const
    const events: Event[] = []
    for (;;) {
      const start = BigInt(events.length)
      const page = await this.#agent.query(target, [{ start, length: PAGE }])
      events.push(...page.map(decodeEvent))
      if (page.length === 0) return events
      if (events.length > ENTRIES_MAX) throw new BadEncoding('an event log without end')
    }
  }

  /** Index of the block that minted for a coin, and the amount; undefined while there is none. */
  async mintOf(
    coin: OutPoint,
  ): Promise<{ readonly blockIndex: bigint; readonly amount: bigint } | undefined> {
    for (const [index, { transaction }] of (await this.blocks()).entries()) {
      if (transaction.type !== 'mint' || transaction.memo === undefined) continue
      const memo = decodeMintMemo(transaction.memo)
      if (memo.type !== 'convert' || memo.txid === undefined || memo.vout !== coin.vout) continue
      if (equalBytes(memo.txid, coin.txid))
        return { blockIndex: BigInt(index), amount: transaction.amount }
    }
    return undefined
  }
}

const refused = (
  { canister, methodName }: { readonly canister: 'ledger' | 'minter'; readonly methodName: string },
  error: { readonly type: string },
): CanisterRefused => new CanisterRefused(canister, { methodName, reason: error.type })
