/**
 * What canisters ask the management canister about Bitcoin goes to the Bitcoin canister, with the
 * cycles that came along. Source: `docs/spec/bitcoin.md` §9; IC interface §18.
 */
import { assert } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import type { BitcoinCanister } from './bitcoin-canister.ts'
import type { Cycles } from './canister.ts'
import { dispatch } from './dispatch.ts'
import type { KeyCall, KeyReply } from './key-calls.ts'

class Purse implements Cycles {
  #available: bigint

  constructor(available: bigint) {
    this.#available = available
  }

  get available(): bigint {
    return this.#available
  }

  accept(amount: bigint): void {
    assert(amount <= this.#available, 'a canister accepts what is there')
    this.#available -= amount
  }
}

/** The answer, in the slot of the call: nothing here waits for anybody. */
export function passBitcoinCall(
  bitcoin: Pick<BitcoinCanister, 'id' | 'handlers' | 'internalHandlers'>,
  { caller, effect, methodName, arg, cycles: attached }: KeyCall,
  now: TimestampNs,
): KeyReply {
  const cycles = new Purse(attached)
  const context = { caller, now, kind: 'update', cycles, dataCertificate: () => undefined } as const
  const call = { canisterId: bitcoin.id, methodName, arg }
  const handlers = { ...bitcoin.handlers(context), ...bitcoin.internalHandlers(context) }
  const reply = dispatch(handlers, call, 'update')
  const answer =
    reply.type === 'replied'
      ? reply
      : ({
          type: 'rejected',
          code: reply.errorCode === 'IC0406' ? 4 : 5,
          message: reply.message,
        } as const)
  return { caller, effect, answer, refund: cycles.available }
}
