/** The canisters of one chain-key token: ledger, index and archives. Source: ledger §§2, 12, 13. */
import { equalBytes } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import type { TokenCanisterIds } from '../ic/canister-ids.ts'
import { furtherToken } from '../ic/canister-ids.ts'
import type { Principal } from '../ic/principal.ts'
import type { Archive } from '../ledger/archive/archive.ts'
import { archiveStep, nextArchiving } from '../ledger/archive/archiving.ts'
import type { IndexState } from '../ledger/index/account-index.ts'
import { emptyIndex } from '../ledger/index/account-index.ts'
import { followLog } from '../ledger/index/sync.ts'
import { blockTypesOf } from '../ledger/interface/metadata.ts'
import { apply } from '../ledger/machine.ts'
import type { Event, State as LedgerState } from '../ledger/state.ts'
import { logLength } from '../ledger/state.ts'
import type { Canister } from './canister.ts'
import { IndexCanister } from './index-canister.ts'
import { LedgerCanister } from './ledger-canister.ts'
import { TokenArchives } from './token-archives.ts'

/** What the canisters of a token remember, as plain data. */
export type TokenState = {
  readonly ledger: LedgerState
  /** In the order of their creation. */
  readonly archives: Archive[]
  readonly index: IndexState
  /**
   * Length of the log at the end of the last slot. No member of a class: blocks may follow the end
   * of a slot, and a node that goes on from a snapshot moves as many as the others.
   */
  lengthAtSlotEnd: bigint
}

/** A token whose ledger was installed just now: its index knows the initial balances. */
export function newToken(ledger: LedgerState): TokenState {
  const index = emptyIndex(ledger.config.tokenWidth)
  followLog(index, ledger.chain, ledger.chain.blocks.length)
  return { ledger, archives: [], index, lengthAtSlotEnd: logLength(ledger) }
}

export class TokenCanisters {
  readonly ledger: LedgerCanister
  readonly #index: IndexCanister
  readonly #archives: TokenArchives
  readonly state: TokenState

  constructor(ids: TokenCanisterIds, state: TokenState, operator?: Principal) {
    this.ledger = new LedgerCanister(ids.ledger, state.ledger, state.archives, operator)
    this.#archives = new TokenArchives(ids, state.archives, blockTypesOf(state.ledger.config))
    this.#index = new IndexCanister(ids.index, state.index, this)
    this.state = state
  }

  /** Those there are now. */
  get canisters(): readonly Canister[] {
    return [this.ledger, this.#index, ...this.#archives.canisters]
  }

  /** The canister of an id, if it is one that holds blocks of the token. */
  holderOf(id: Principal): Canister | undefined {
    return [this.ledger, ...this.#archives.canisters].find((one) => equalBytes(one.id, id))
  }

  /** Earliest slot time at which blocks are to be moved. */
  nextTimer(): TimestampNs | undefined {
    return nextArchiving(this.state.ledger)
  }

  /**
   * Moves blocks that are due: one message, and more of them until as many blocks have left as the
   * slot brought, so that no load makes the ledger grow. The index takes them before they go.
   */
  endSlot(now: TimestampNs): void {
    this.#index.follow()
    const { ledger: state } = this.state
    const { chain } = state
    const record = (event: Event): void => apply(state, event)
    const goal = chain.firstLocalIndex + logLength(state) - this.state.lengthAtSlotEnd
    this.state.lengthAtSlotEnd = logLength(state)
    for (;;) {
      const first = chain.firstLocalIndex
      archiveStep({ state, record, port: this.#archives }, now)
      if (chain.firstLocalIndex === first || chain.firstLocalIndex >= goal) return
    }
  }
}

/** Those beside ckBTC, in the order of their ids. */
export const furtherTokens = (
  states: readonly TokenState[],
  operator: Principal,
): readonly TokenCanisters[] =>
  states.map((state, k) => new TokenCanisters(furtherToken(k), state, operator))
