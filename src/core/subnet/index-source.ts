/**
 * Blocks for an index, asked of the canisters that hold them as any other canister would. Source:
 * ledger §§11.1, 12, 13.
 */
import { present } from '../base/errors.ts'
import { decodeArgs, encodeArgs } from '../ic/candid.ts'
import type { Principal } from '../ic/principal.ts'
import { anonymous } from '../ic/principal.ts'
import type { Range } from '../ledger/blocks/log-queries.ts'
import type { Callback, IndexSource } from '../ledger/index/sync.ts'
import type { GetBlocksResult } from '../ledger/interface/ledger-interface.ts'
import { ledgerInterface } from '../ledger/interface/ledger-interface.ts'
import type { Canister } from './canister.ts'
import { dispatch } from './dispatch.ts'
import type { LedgerCanister } from './ledger-canister.ts'

/** A ledger with its archives. */
export interface IndexedToken {
  readonly ledger: LedgerCanister
  holderOf(id: Principal): Canister | undefined
}

const METHOD = 'icrc3_get_blocks'

export class CanisterSource implements IndexSource {
  readonly #token: IndexedToken

  constructor(token: IndexedToken) {
    this.#token = token
  }

  ledger(ranges: readonly Range[]): GetBlocksResult | undefined {
    const { id: canisterId } = this.#token.ledger
    return this.archive({ canisterId, methodName: METHOD }, ranges)
  }

  archive(
    { canisterId, methodName }: Callback,
    ranges: readonly Range[],
  ): GetBlocksResult | undefined {
    const canister = this.#token.holderOf(canisterId)
    if (canister === undefined) return undefined
    const { args, result } = ledgerInterface[METHOD]
    const now = this.#token.ledger.state.time
    const dataCertificate = (): undefined => undefined
    const context = { caller: anonymous, now, kind: 'query', dataCertificate } as const
    const call = { canisterId, methodName, arg: encodeArgs(args, [ranges]) }
    const reply = dispatch(canister.handlers(context), call, 'query')
    if (reply.type === 'rejected') return undefined
    const [answer] = decodeArgs([result], reply.arg)
    return present(answer, 'a reply holds its result')
  }
}
