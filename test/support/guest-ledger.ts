/** Ledgers beside the subnet's own: of other tokens, and wrong ones. */
import { NS_PER_MS, timestampNs } from '../../src/core/base/units.ts'
import type { ValueOf } from '../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../src/core/ic/candid.ts'
import { furtherToken } from '../../src/core/ic/canister-ids.ts'
import type { Config } from '../../src/core/ledger/config.ts'
import { ckbtcConfig } from '../../src/core/ledger/config.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { initial } from '../../src/core/ledger/machine.ts'
import type { CallContext, Canister } from '../../src/core/subnet/canister.ts'
import type { Handlers } from '../../src/core/subnet/dispatch.ts'
import type { LedgerCanister } from '../../src/core/subnet/ledger-canister.ts'
import { newToken, TokenCanisters } from '../../src/core/subnet/token-canisters.ts'
import { devUser } from '../../src/wallet/identity.ts'

/** The ids of further tokens are their users'. */
const FIRST_GUEST = 100
const FUNDS = 2n ** 60n

/** What dev4 mints and dev0 holds: its canisters, the ledger first. `number`: of the guest, from 0. */
export function guestToken(number: number, changes: Partial<Config> = {}): TokenCanisters {
  const minter = devUser(4).principal
  const config: Config = {
    ...ckbtcConfig({ minter, archiveController: minter }),
    tokenName: 'Guest',
    tokenSymbol: 'GST',
    feeCollector: undefined,
    initialBalances: [{ account: { owner: devUser(0).principal }, amount: FUNDS }],
    ...changes,
  }
  const now = timestampNs(BigInt(Date.now()) * NS_PER_MS)
  return new TokenCanisters(furtherToken(FIRST_GUEST + number), newToken(initial(config, now)))
}

export const guestLedger = (number: number, changes: Partial<Config> = {}): LedgerCanister =>
  guestToken(number, changes).ledger

export type Change = (
  handlers: Handlers,
  again: (context: Partial<CallContext>) => Handlers,
) => Handlers

/** The canister with other methods in place of its own. */
export const changed = (canister: Canister, change: Change): Canister => ({
  id: canister.id,
  name: canister.name,
  service: canister.service,
  certifiedData: () => canister.certifiedData(),
  handlers: (context) =>
    change(canister.handlers(context), (other) => canister.handlers({ ...context, ...other })),
})

type Methods = typeof ledgerInterface
type Name = keyof Methods
type ArgOf<N extends Name> = ValueOf<Methods[N]['args'][number]>
type ResultOf<N extends Name> = ValueOf<Methods[N]['result']>

function answering<N extends Name>(
  handlers: Handlers,
  name: N,
  answer: (arg: ArgOf<N>, honest: (arg: ArgOf<N>) => ResultOf<N>) => ResultOf<N>,
): Handlers {
  const { args, result } = ledgerInterface[name]
  const handler = handlers[name]
  if (handler === undefined) throw new RangeError(`the ledger has ${name}`)
  function honest(arg: ArgOf<N>): ResultOf<N> {
    const outcome = handler?.answer(encodeArgs(args, args.map(() => arg) as never))
    if (outcome?.type !== 'result') throw new RangeError(`${name}: ${outcome?.message}`)
    return decodeArgs([result], outcome.value)[0] as ResultOf<N>
  }
  return {
    ...handlers,
    [name]: {
      isQuery: handler.isQuery,
      answer: (bytes) => {
        const [arg] = decodeArgs(args, bytes) as readonly ArgOf<N>[]
        const value = answer(arg as ArgOf<N>, honest)
        return { type: 'result', value: encodeArgs([result], [value as never]) }
      },
    },
  }
}

/** A ledger that hears another argument than the caller gave. */
export const hearing =
  <N extends Name>(name: N, hear: (arg: ArgOf<N>) => ArgOf<N>): Change =>
  (handlers) =>
    answering(handlers, name, (arg, honest) => honest(hear(arg)))

/** A ledger that says another thing than is so. */
export const saying =
  <N extends Name>(name: N, say: (value: ResultOf<N>, arg: ArgOf<N>) => ResultOf<N>): Change =>
  (handlers) =>
    answering(handlers, name, (arg, honest) => say(honest(arg), arg))

/** A ledger that takes the caller for somebody else. */
export const mistaking =
  <N extends Name>(name: N, caller: (arg: ArgOf<N>) => CallContext['caller']): Change =>
  (handlers, again) =>
    answering(handlers, name, (arg) => {
      let value: ResultOf<N> | undefined
      answering(again({ caller: caller(arg) }), name, (same, honest) => {
        value = honest(same)
        return value
      })[name]?.answer(encodeArgs(ledgerInterface[name].args, [arg] as never))
      return value as ResultOf<N>
    })
