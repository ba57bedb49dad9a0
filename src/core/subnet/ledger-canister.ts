/** The ledger canister: the ledger machine, and what its minting account sees of it. Source: ledger §6; minter §§5, 7. */
import type { TimestampNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Principal } from '../ic/principal.ts'
import type { Config } from '../ledger/config.ts'
import { apply, decide, initial } from '../ledger/machine.ts'
import { balanceOf } from '../ledger/queries.ts'
import type { State } from '../ledger/state.ts'
import type { ApproveError, Reply, Request, TransferFromError } from '../ledger/types.ts'
import type {
  BurnFromResult,
  BurnResult,
  Ledger,
  LedgerFailure,
  MintResult,
} from '../minter/ports.ts'

type LedgerReply = Reply<TransferFromError | ApproveError>

export class LedgerCanister {
  readonly #state: State

  constructor(config: Config, now: TimestampNs) {
    this.#state = initial(config, now)
  }

  get state(): View<State> {
    return this.#state
  }

  /** Decides and applies in one step. */
  execute(request: Request, now: TimestampNs): LedgerReply {
    const { events, reply } = decide(this.#state, request, now)
    for (const event of events) apply(this.#state, event)
    return reply
  }

  /** The ledger as `minter`, owner of the minting account, calls it inside the slot of time `now`. */
  port(minter: Principal, now: TimestampNs): Ledger {
    const minting = { owner: minter }
    return {
      mint: ({ to, amount, memo, createdAtTime }) =>
        mintResult(
          this.execute(
            {
              caller: minter,
              call: { type: 'icrc1_transfer', arg: { to, amount, memo, createdAtTime } },
            },
            now,
          ),
        ),
      burn: ({ subaccount: fromSubaccount, amount, memo, createdAtTime }) => {
        const arg = { fromSubaccount, to: minting, amount, memo, createdAtTime }
        return burnResult(
          this.execute({ caller: minter, call: { type: 'icrc1_transfer', arg } }, now),
        )
      },
      burnFrom: ({ from, amount, memo, createdAtTime }) => {
        const arg = { from, to: minting, amount, memo, createdAtTime }
        const call = { type: 'icrc2_transfer_from', arg } as const
        return burnFromResult(this.execute({ caller: minter, call }, now))
      },
      balanceOf: (account) => ({ type: 'balance', balance: balanceOf(this.#state, account) }),
    }
  }
}

function mintResult(reply: LedgerReply): MintResult {
  return reply.type === 'ok' ? reply : failure(reply)
}

function burnResult(reply: LedgerReply): BurnResult {
  return reply.type === 'err' && reply.error.type === 'insufficientFunds'
    ? { type: 'insufficientFunds', balance: reply.error.balance }
    : mintResult(reply)
}

function burnFromResult(reply: LedgerReply): BurnFromResult {
  return reply.type === 'err' && reply.error.type === 'insufficientAllowance'
    ? { type: 'insufficientAllowance', allowance: reply.error.allowance }
    : burnResult(reply)
}

/** What every call may meet; whatever else the ledger says cannot be, and traps the minter's caller. */
function failure(reply: Exclude<LedgerReply, { type: 'ok' }>): LedgerFailure {
  if (reply.type === 'trap') return { type: 'impossible', message: reply.message }
  const { error } = reply
  if (error.type === 'temporarilyUnavailable')
    return { type: 'temporarilyUnavailable', message: 'the ledger is busy' }
  if (error.type === 'genericError')
    return { type: 'genericError', code: error.errorCode, message: error.message }
  return { type: 'impossible', message: `the ledger answers ${error.type}` }
}
