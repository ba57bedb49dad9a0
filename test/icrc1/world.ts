/** What a group of the suite has at hand: a funded account, others, and the ledger's fee. */
import { accepted, expectBalance } from './checks.ts'
import type { LedgerUnderSuite, Party } from './ledger.ts'

export type Outcome =
  | { readonly type: 'passed' }
  /** The standard leaves it open, and this ledger does without. */
  | { readonly type: 'skipped'; readonly reason: string }

export const passed: Outcome = { type: 'passed' }

const NS_PER_MS = 1_000_000n

export class World {
  readonly #ledger: LedgerUnderSuite
  readonly funded: Party
  /** Of a transfer, and of an approval. */
  readonly fee: bigint

  private constructor(ledger: LedgerUnderSuite, funded: Party, fee: bigint) {
    this.#ledger = ledger
    this.funded = funded
    this.fee = fee
  }

  static async of(ledger: LedgerUnderSuite): Promise<World> {
    const funded = await ledger.funded()
    return new World(ledger, funded, await funded.reads.icrc1_fee())
  }

  /** An amount in proportion to the token, where the suite is free to choose one. */
  get unit(): bigint {
    return this.fee === 0n ? 10_000n : this.fee
  }

  fresh(): Promise<Party> {
    return this.#ledger.fresh()
  }

  /** A fresh principal that holds `amount` and nothing else. */
  async holding(amount: bigint): Promise<Party> {
    const party = await this.fresh()
    const { account } = party
    await expectBalance(party, account, 0n, 'an account that nobody knows')
    const what = `paying ${amount} and the fee from the funded account to a fresh one`
    await accepted(what, this.funded.transfer({ to: account, amount }))
    await expectBalance(party, account, amount, 'a fresh account that was paid')
    return party
  }

  /** As a caller's clock shows it. */
  get now(): bigint {
    return BigInt(Date.now()) * NS_PER_MS
  }
}
