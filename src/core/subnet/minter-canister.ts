/** The minter canister: its methods over the minter machine. Source: minter §2. */
import { fromHex } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import { candidText } from '../ic/candid-text.ts'
import type { Principal } from '../ic/principal.ts'
import type { World } from '../minter/context.ts'
import { contextOf } from '../minter/context.ts'
import { minterFaces, pagesFace, standardsFaces } from '../minter/interface/candid-face.ts'
import { standardsInterface } from '../minter/interface/consent.ts'
import { minterExtension } from '../minter/interface/extension.ts'
import { minterInterface } from '../minter/interface/interface.ts'
import { encodedPage } from '../minter/interface/queries.ts'
import { adoptCoins, writeOffLost } from '../minter/losses/losses.ts'
import type { Minter } from '../minter/machine.ts'
import * as machine from '../minter/machine.ts'
import type { SettingsChange } from '../minter/settings-change.ts'
import { sumOf } from '../minter/state/state.ts'
import type { MinterArg } from '../minter/types.ts'
import { viewsOf } from '../minter/views.ts'
import type { CallContext, Canister } from './canister.ts'
import { operatorOnly } from './canister.ts'
import type { Handler, Handlers } from './dispatch.ts'
import { getter, handler } from './dispatch.ts'
import { statusOf } from './management.ts'

const served = { ...minterInterface, ...standardsInterface, ...minterExtension }

/** What the minter sees of the subnet around it. */
export type Surroundings = {
  readonly controller: Principal
  /** The other canisters in the slot of that time. */
  readonly world: (now: TimestampNs) => World
}

/** Where the minter is kept: an upgrade puts another one there. */
export type MinterPlace = { minter: Minter }

export class MinterCanister implements Canister {
  readonly name = 'minter'
  readonly service = candidText(served)
  readonly id: Principal
  readonly #place: MinterPlace
  readonly #surroundings: Surroundings

  constructor(id: Principal, place: MinterPlace, surroundings: Surroundings) {
    this.id = id
    this.#place = place
    this.#surroundings = surroundings
  }

  certifiedData(): Uint8Array | undefined {
    return undefined
  }

  handlers({ caller, now, kind }: CallContext): Handlers {
    const { controller, world } = this.#surroundings
    const { minter } = this.#place
    const { isQuery, answer } = pagesFace(kind)
    return {
      ...minterHandlers(minter, caller, world(now)),
      http_request: { isQuery, answer: (arg) => answer(minter, world(now), { caller, arg }) },
      get_canister_status: getter(minterInterface.get_canister_status, () =>
        statusOf(this, controller),
      ),
      x_write_off: handler(minterExtension.x_write_off, (outpoints) =>
        operatorOnly(caller, controller, () =>
          writeOffLost(contextOf(this.#place.minter, world(now)), outpoints),
        ),
      ),
      x_adopt_coins: handler(minterExtension.x_adopt_coins, (outpoints) =>
        operatorOnly(caller, controller, () =>
          adoptCoins(contextOf(this.#place.minter, world(now)), outpoints),
        ),
      ),
      x_upgrade: handler(minterExtension.x_upgrade, (arg, change) =>
        operatorOnly(caller, controller, () => this.#upgrade(arg, change, world(now))),
      ),
    }
  }

  /** The whole of it or nothing; the key is the same after as before (§18.4). */
  #upgrade(
    arg: MinterArg | undefined,
    change: SettingsChange,
    world: World,
  ): { readonly type: 'ok' } | { readonly type: 'err'; readonly reason: string } {
    const { minter } = this.#place
    const upgraded = machine.upgrade(minter, arg, { now: world.now, change })
    if (upgraded.type === 'refused') return { type: 'err', reason: upgraded.reason }
    const root = minter.state.volatile.root
    if (root !== undefined)
      machine.notify(upgraded.minter, world, { type: 'rootKey', key: root.key })
    this.#place.minter = upgraded.minter
    return { type: 'ok' }
  }
}

/** Every method but `get_canister_status`, which no state of the minter answers; our extension. */
function minterHandlers(minter: Minter, caller: Principal, world: World): Handlers {
  const published = Object.entries({ ...minterFaces, ...standardsFaces }).map(
    ([name, face]): [string, Handler] => {
      const answer: Handler['answer'] = (arg) => face.answer(minter, world, { caller, arg })
      return [name, { isQuery: face.isQuery, answer }]
    },
  )
  const views = viewsOf(minter, world, caller)
  return {
    ...Object.fromEntries(published),
    x_withdrawals: getter(minterExtension.x_withdrawals, views.withdrawals),
    x_withdrawal: getter(minterExtension.x_withdrawal, views.withdrawal),
    x_deposits: getter(minterExtension.x_deposits, views.deposits),
    x_utxos: getter(minterExtension.x_utxos, views.utxos),
    x_info: getter(minterExtension.x_info, views.info),
    x_fees: getter(minterExtension.x_fees, views.fees),
    x_get_events: getter(minterExtension.x_get_events, (page) => encodedPage(minter.log, page)),
    x_written_off: getter(minterExtension.x_written_off, () =>
      [...minter.state.writtenOff.values()].map(({ utxo }) => utxo),
    ),
    x_lost_coins: getter(minterExtension.x_lost_coins, () => {
      const lost = [...minter.state.volatile.lost.values()]
      return { amount: sumOf(lost), outpoints: lost.map(({ outpoint }) => outpoint) }
    }),
    x_delayed_replacements: getter(minterExtension.x_delayed_replacements, () =>
      [...minter.state.volatile.delayed].map(([key, { reason, rate }]) => ({
        txid: fromHex(key),
        reason,
        rateMsatPerVb: rate,
      })),
    ),
  }
}
