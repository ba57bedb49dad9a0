/** The minter canister: its methods over the minter machine. Source: minter §2. */
import type { TimestampNs } from '../base/units.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import type { Methods } from '../minter/calls.ts'
import type { World } from '../minter/context.ts'
import { encodeEvent } from '../minter/event-log.ts'
import { minterExtension } from '../minter/extension.ts'
import { minterInterface } from '../minter/interface.ts'
import type { Minter } from '../minter/machine.ts'
import { handle } from '../minter/machine.ts'
import { page } from '../minter/queries.ts'
import { sumOf } from '../minter/state.ts'
import type { Answer } from '../minter/types.ts'
import type { CallContext, Canister } from './canister.ts'
import type { Handlers, Outcome } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import { statusOf } from './management.ts'

const outcome = <T>(answer: Answer<T>): Outcome<T> =>
  answer.type === 'trap' ? answer : { type: 'result', value: answer.value }

const served = { ...minterInterface, ...minterExtension }

/** What the minter sees of the subnet around it. */
export type Surroundings = {
  readonly controller: Principal
  /** The other canisters in the slot of that time. */
  readonly world: (now: TimestampNs) => World
}

export class MinterCanister implements Canister {
  readonly name = 'minter'
  readonly service = candidText(served)
  readonly id: Principal
  readonly #minter: Minter
  readonly #surroundings: Surroundings

  constructor(id: Principal, minter: Minter, surroundings: Surroundings) {
    this.id = id
    this.#minter = minter
    this.#surroundings = surroundings
  }

  certifiedData(): Uint8Array | undefined {
    return undefined
  }

  handlers({ caller, now }: CallContext): Handlers {
    const { controller, world } = this.#surroundings
    return {
      ...minterHandlers(this.#minter, caller, world(now)),
      get_canister_status: getter(minterInterface.get_canister_status, () =>
        statusOf(this, controller),
      ),
    }
  }
}

/** Every method but `get_canister_status`, which no state of the minter answers; our extension. */
function minterHandlers(minter: Minter, caller: Principal, world: World): Handlers {
  const methods = minterInterface
  const ask = <M extends keyof Methods>(
    method: M,
    args: Methods[M]['args'],
  ): Outcome<Methods[M]['reply']> => outcome(handle<M>(minter, world, { method, caller, args }))
  return {
    get_btc_address: handler(methods.get_btc_address, (args) => ask('get_btc_address', args)),
    get_known_utxos: handler(methods.get_known_utxos, (args) => ask('get_known_utxos', args)),
    update_balance: handler(methods.update_balance, (args) => ask('update_balance', args)),
    estimate_withdrawal_fee: handler(methods.estimate_withdrawal_fee, (args) =>
      ask('estimate_withdrawal_fee', args),
    ),
    get_deposit_fee: handler(methods.get_deposit_fee, () => ask('get_deposit_fee', undefined)),
    get_withdrawal_account: handler(methods.get_withdrawal_account, () =>
      ask('get_withdrawal_account', undefined),
    ),
    retrieve_btc: handler(methods.retrieve_btc, (args) => ask('retrieve_btc', args)),
    retrieve_btc_with_approval: handler(methods.retrieve_btc_with_approval, (args) =>
      ask('retrieve_btc_with_approval', args),
    ),
    retrieve_btc_status: handler(methods.retrieve_btc_status, (args) =>
      ask('retrieve_btc_status', args),
    ),
    retrieve_btc_status_v2: handler(methods.retrieve_btc_status_v2, (args) =>
      ask('retrieve_btc_status_v2', args),
    ),
    retrieve_btc_status_v2_by_account: handler(
      methods.retrieve_btc_status_v2_by_account,
      (account) => ask('retrieve_btc_status_v2_by_account', account),
    ),
    get_minter_info: handler(methods.get_minter_info, () => ask('get_minter_info', undefined)),
    get_events: handler(methods.get_events, (args) => ask('get_events', args)),
    x_get_events: getter(minterExtension.x_get_events, ({ start, length }) =>
      page(minter.log.events, start, length).map(encodeEvent),
    ),
    x_lost_coins: getter(minterExtension.x_lost_coins, () => {
      const lost = [...minter.state.volatile.lost.values()]
      return { amount: sumOf(lost), outpoints: lost.map(({ outpoint }) => outpoint) }
    }),
    decode_ledger_memo: handler(methods.decode_ledger_memo, (args) =>
      ask('decode_ledger_memo', args),
    ),
  }
}
