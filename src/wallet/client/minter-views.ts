/** What only our minter tells of itself; every other one answers nothing. Source: minter §20.6. */
import type { Account } from '../../core/ic/account.ts'
import { minterExtension } from '../../core/minter/interface/extension.ts'
import type { Coin, CoinKind } from '../../core/minter/views/coins.ts'
import type { Deposit } from '../../core/minter/views/deposits.ts'
import type { Info } from '../../core/minter/views/info.ts'
import { ROWS_MAX } from '../../core/minter/views/pages.ts'
import type { Withdrawal } from '../../core/minter/views/withdrawals.ts'
import { isUnknownMethod } from './event-reader.ts'
import { rawQuery } from './raw.ts'
import type { Wire } from './wire.ts'

type View = 'x_withdrawals' | 'x_withdrawal' | 'x_deposits' | 'x_utxos' | 'x_info'

const LENGTH = BigInt(ROWS_MAX)

export class MinterViews {
  readonly #wire: Wire
  /** False once it was found that the minter has none of them. */
  #areThere: boolean

  constructor(wire: Wire) {
    this.#wire = wire
    this.#areThere = wire.network.kind !== 'built-in'
  }

  #target<M extends View>(methodName: M) {
    const { minter: canisterId } = this.#wire.network.ids
    const method = minterExtension[methodName]
    return { canister: 'minter', canisterId, methodName, method } as const
  }

  /** Undefined where the minter has no such view. */
  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.#areThere) return undefined
    try {
      return await question()
    } catch (error) {
      if (!isUnknownMethod(error)) throw error
      this.#areThere = false
      return undefined
    }
  }

  /** What is in force, what there is, what needs attention. */
  info(): Promise<Info | undefined> {
    return this.#ask(() => rawQuery(this.#wire, this.#target('x_info'), []))
  }

  /** Where one withdrawal is and why it waits; also undefined for a burn that is none. */
  withdrawal(blockIndex: bigint): Promise<Withdrawal | undefined> {
    return this.#ask(() => rawQuery(this.#wire, this.#target('x_withdrawal'), [{ blockIndex }]))
  }

  /** The newest deposits of an account, what is not minted yet first. */
  async deposits(account: Account): Promise<readonly Deposit[] | undefined> {
    const args = { ...account, start: 0n, length: LENGTH }
    const page = await this.#ask(() => rawQuery(this.#wire, this.#target('x_deposits'), [args]))
    return page?.deposits
  }

  /** Coins of a kind that there are few of; at most a page. */
  async coins(kind: CoinKind): Promise<readonly Coin[] | undefined> {
    const args = { kind, start: 0n, length: LENGTH }
    const page = await this.#ask(() => rawQuery(this.#wire, this.#target('x_utxos'), [args]))
    return page?.coins
  }
}
