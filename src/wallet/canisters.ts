/**
 * Ledger and minter as a story calls them, on the client of every network: what is refused is
 * thrown, and nothing is kept for later. Source: ledger §2, minter §§2, 7, 21.
 */
import { equalBytes } from '../core/base/bytes.ts'
import { CanisterRefused, present } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../core/base/units.ts'
import type { OutPoint } from '../core/btc/transaction.ts'
import type { Account } from '../core/ic/account.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { Block } from '../core/ledger/blocks/block.ts'
import type { Event } from '../core/minter/events/events.ts'
import { decodeMintMemo } from '../core/minter/memo.ts'
import type { MinterInfo, RetrieveBtcStatusV2 } from '../core/minter/types.ts'
import { Client } from './client.ts'
import { derivations } from './deposit-address.ts'
import type { User } from './identity.ts'
import { DEFAULT_NETWORK } from './network.ts'

/** A subnet on this machine, as its starter knows it. */
export type Deployment = {
  readonly url: string
  /** DER. */
  readonly rootKey: Uint8Array
  readonly ledgerId: Principal
  readonly minterId: Principal
  /** SEC1 compressed key that the subnet's nodes share; the minter's keys are derived from it. */
  readonly masterPublicKey: Uint8Array
}

/** A client of that subnet. `fetch`: for one in this process. */
export const clientOf = (
  { url, rootKey, ledgerId: ledger, minterId: minter, masterPublicKey }: Deployment,
  {
    signer,
    fetch,
    signal,
  }: {
    readonly signer: User
    readonly fetch?: typeof globalThis.fetch | undefined
    /** Ends every wait for an answer. */
    readonly signal?: AbortSignal | undefined
  },
): Client =>
  new Client({
    network: {
      name: DEFAULT_NETWORK,
      kind: 'local',
      url,
      bitcoin: 'regtest',
      ids: { ledger, minter },
      rootKey,
      rootKeyOrigin: 'descriptor',
      nodeKeys: undefined,
      masterKeys: [masterPublicKey],
    },
    signer,
    fetch,
    signal,
  })

/** An approval for a redemption ends by itself after ten minutes. */
const APPROVAL_NS = 600n * NS_PER_SECOND

export class Canisters {
  readonly client: Client
  readonly #owner: Principal

  constructor(client: Client, { principal }: Pick<User, 'principal'>) {
    this.client = client
    this.#owner = principal
  }

  /**
   * The address the minter gives for an account, and the one that follows from the subnet's key.
   */
  async depositAddress(
    account: Account,
  ): Promise<{ readonly address: string; readonly derived: string }> {
    const [derived] = derivations(this.client.network, account)
    const address = await this.client.minter.address(account)
    return { address, derived: present(derived, 'a local subnet has one key').address }
  }

  balanceOf(account: Account): Promise<bigint> {
    return this.client.ledger.balanceOf(account)
  }

  transferFee(): Promise<bigint> {
    return this.client.ledger.fee()
  }

  minterInfo(): Promise<MinterInfo> {
    return this.client.minter.info()
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
    const result = await this.client.ledger.transfer(transfer)
    if (result.type === 'err') throw refused('ledger', 'icrc1_transfer', result.error)
    return result.blockIndex
  }

  /**
   * Lets the minter take exactly `amount` for ten minutes, then has it burned for bitcoin; the burn
   * block's index.
   *
   * `now` is the time of the approval. A refused burn leaves an allowance that ends by itself; the
   * next redemption replaces it. Throws `CanisterRefused`.
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
    const burned = await this.client.minter.retrieve({ address, amount })
    if (burned.type === 'err') throw refused('minter', 'retrieve_btc_with_approval', burned.error)
    return burned.value.blockIndex
  }

  async #approveMinter(amount: bigint, now: TimestampNs): Promise<void> {
    const { ledger, network } = this.client
    const spender = { owner: network.ids.minter }
    // What is there is named, so that a race with another approval fails instead of adding up.
    const { allowance } = await ledger.allowance({ owner: { owner: this.#owner }, spender })
    const approved = await ledger.approve({
      spender,
      amount,
      expectedAllowance: allowance,
      expiresAt: addNs(now, APPROVAL_NS),
      createdAtTime: now,
    })
    if (approved.type === 'err') throw refused('ledger', 'icrc2_approve', approved.error)
  }

  redemptionStatus(blockIndex: bigint): Promise<RetrieveBtcStatusV2> {
    return this.client.minter.redemptionStatus(blockIndex)
  }

  /** The whole log of the ledger. Throws `BadEncoding` for a block that is none. */
  blocks(): Promise<readonly Block[]> {
    return this.client.blocks.all()
  }

  /** The whole event log of the minter. */
  events(): Promise<readonly Event[]> {
    return this.client.events()
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

/** The canisters of a subnet on this machine. */
export const canistersAt = (
  deployment: Deployment,
  options: Parameters<typeof clientOf>[1],
): Canisters => new Canisters(clientOf(deployment, options), options.signer)

const refused = (
  canister: 'ledger' | 'minter',
  methodName: string,
  { type: reason }: { readonly type: string },
): CanisterRefused => new CanisterRefused(canister, { methodName, reason })
