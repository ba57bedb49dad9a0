/** The canisters of one chain-key token: ledger and index. Source: ledger §§2, 13. */
import type { TokenCanisterIds } from '../ic/canister-ids.ts'
import type { State as LedgerState } from '../ledger/state.ts'
import type { Canister } from './canister.ts'
import { IndexCanister } from './index-canister.ts'
import { LedgerCanister } from './ledger-canister.ts'

/** What the canisters of a token remember, as plain data. */
export type TokenState = { readonly ledger: LedgerState }

export class TokenCanisters {
  readonly ledger: LedgerCanister
  readonly #index: IndexCanister

  constructor(ids: Pick<TokenCanisterIds, 'ledger' | 'index'>, state: TokenState) {
    this.ledger = new LedgerCanister(ids.ledger, state.ledger)
    this.#index = new IndexCanister(ids.index, this.ledger)
  }

  /** Those there are now. */
  get canisters(): readonly Canister[] {
    return [this.ledger, this.#index]
  }
}
