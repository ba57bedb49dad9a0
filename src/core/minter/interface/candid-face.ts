/**
 * The minter behind Candid bytes: all that a driver outside needs to install, upgrade and call it.
 * Implements `docs/spec/minter.md` §§2, 18.4.
 *
 * `installCandid` gives a `Minter`, `upgradeCandid` the next one. `callCandid` answers one method:
 * argument bytes in, reply bytes or a trap out. A `World` is the time and three ports: ledger,
 * Bitcoin, checker. The rest is in `machine.ts`: `notify` tells the root key (at first and after an
 * upgrade), blocks, and signatures, which `outstanding` lists while they are wanted; `tick` runs
 * what is due while `nextTimer` is not after slot time. Calls that arrive at once have
 * `callsOverlap` in their world, and `endSlot` behind them.
 */
import { attempt, BadEncoding } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { Method as CandidMethod, Codec } from '../../ic/candid.ts'
import { decodeArgs, encodeArgs, opt } from '../../ic/candid.ts'
import { httpInterface } from '../../ic/http-request.ts'
import type { Principal } from '../../ic/principal.ts'
import type { Method, Methods } from '../calls.ts'
import type { World } from '../context.ts'
import type { Ruled } from '../dialect.ts'
import type { Installed, Minter } from '../machine.ts'
import { handle, install, upgrade } from '../machine.ts'
import { consent, SUPPORTED_STANDARDS, standardsInterface } from './consent.ts'
import { httpRequest } from './http-request.ts'
import { minterArgCodec, minterInterface } from './interface.ts'

/** A call as it reached the canister. */
export type CandidCall = {
  readonly caller: Principal
  /** Candid message with the arguments. */
  readonly arg: Uint8Array
}

export type CandidAnswer =
  /** `value`: Candid message with the reply. */
  { readonly type: 'result'; readonly value: Uint8Array } | Trap

/** A rejected call of code 5. Arguments that do not decode are one too. */
type Trap = { readonly type: 'trap'; readonly message: string }

/** One method, its arguments and reply encoded. */
export type Face = {
  /** False: only an update may call it. */
  readonly isQuery: boolean
  readonly answer: (minter: Minter, world: World, call: CandidCall) => CandidAnswer
}

function face<M extends Method>(
  method: M,
  codecs: CandidMethod<readonly Codec<Methods[M]['args']>[], Codec<Methods[M]['reply']>>,
): Face {
  return {
    isQuery: codecs.mode === 'query',
    answer(minter, world, { caller, arg }) {
      const decoded = attempt(() => decodeArgs(codecs.args, arg))
      if (decoded instanceof BadEncoding) return { type: 'trap', message: decoded.message }
      const args = decoded[0] as Methods[M]['args'] // A method has one argument or none.
      const answer = handle<M>(minter, world, { method, caller, args })
      return answer.type === 'trap'
        ? answer
        : { type: 'result', value: encodeArgs([codecs.result], [answer.value]) }
    },
  }
}

const api = minterInterface

/** Every method that state and world of the minter answer. */
export const minterFaces: Readonly<Record<Method, Face>> = {
  get_btc_address: face('get_btc_address', api.get_btc_address),
  get_known_utxos: face('get_known_utxos', api.get_known_utxos),
  update_balance: face('update_balance', api.update_balance),
  estimate_withdrawal_fee: face('estimate_withdrawal_fee', api.estimate_withdrawal_fee),
  get_deposit_fee: face('get_deposit_fee', api.get_deposit_fee),
  get_withdrawal_account: face('get_withdrawal_account', api.get_withdrawal_account),
  retrieve_btc: face('retrieve_btc', api.retrieve_btc),
  retrieve_btc_with_approval: face('retrieve_btc_with_approval', api.retrieve_btc_with_approval),
  retrieve_btc_status: face('retrieve_btc_status', api.retrieve_btc_status),
  retrieve_btc_status_v2: face('retrieve_btc_status_v2', api.retrieve_btc_status_v2),
  retrieve_btc_status_v2_by_account: face(
    'retrieve_btc_status_v2_by_account',
    api.retrieve_btc_status_v2_by_account,
  ),
  get_minter_info: face('get_minter_info', api.get_minter_info),
  get_events: face('get_events', api.get_events),
  decode_ledger_memo: face('decode_ledger_memo', api.decode_ledger_memo),
}

const plainFace = <A, R>(
  codecs: CandidMethod<readonly Codec<A>[], Codec<R>>,
  answer: (minter: Minter, args: A, world: World) => R,
): Face => ({
  isQuery: codecs.mode === 'query',
  answer(minter, world, { arg }) {
    const decoded = attempt(() => decodeArgs(codecs.args, arg))
    if (decoded instanceof BadEncoding) return { type: 'trap', message: decoded.message }
    const value = answer(minter, decoded[0] as A, world) // One argument or none, as above.
    return { type: 'result', value: encodeArgs([codecs.result], [value]) }
  },
})

/** Of ICRC-10 and ICRC-21: not in the published interface, and answered all the same. */
export const standardsFaces: Readonly<Record<keyof typeof standardsInterface, Face>> = {
  icrc10_supported_standards: plainFace(
    standardsInterface.icrc10_supported_standards,
    () => SUPPORTED_STANDARDS,
  ),
  icrc21_canister_call_consent_message: plainFace(
    standardsInterface.icrc21_canister_call_consent_message,
    ({ state }, request) => consent(state.config.network, request),
  ),
}

const pages = plainFace(httpInterface.http_request, (minter, request, world) =>
  httpRequest(minter, world, request),
)

/** Hidden: a gateway asks for it, and no interface names it. Only a query may (§20.2). */
export const pagesFace = (kind: 'query' | 'update'): Face =>
  kind === 'query'
    ? pages
    : { ...pages, answer: () => ({ type: 'trap', message: 'update call rejected' }) }

const isStandard = (name: string): name is keyof typeof standardsFaces =>
  Object.hasOwn(standardsFaces, name)

const isMethod = (name: string): name is Method => Object.hasOwn(minterFaces, name)

function faceOf(method: string, kind: 'query' | 'update'): Face | undefined {
  if (isMethod(method)) return minterFaces[method]
  if (isStandard(method)) return standardsFaces[method]
  return method === 'http_request' ? pagesFace(kind) : undefined
}

/** Answers `method`; undefined where the minter has none of that name for a call of that kind. */
export function callCandid(
  minter: Minter,
  world: World,
  {
    method,
    kind,
    ...call
  }: CandidCall & { readonly method: string; readonly kind: 'query' | 'update' },
): CandidAnswer | undefined {
  const found = faceOf(method, kind)
  if (found === undefined) return undefined
  const { isQuery, answer } = found
  return kind === 'query' && !isQuery ? undefined : answer(minter, world, call)
}

const refused = ({ message }: BadEncoding): Installed => ({ type: 'refused', reason: message })

/** A new minter of the encoded `MinterArg`; see `install`. */
export function installCandid(
  arg: Uint8Array,
  options: {
    readonly self: Principal
    readonly now: TimestampNs
    readonly settings?: Ruled
  },
): Installed {
  const decoded = attempt(() => decodeArgs([minterArgCodec], arg))
  return decoded instanceof BadEncoding ? refused(decoded) : install(decoded[0], options)
}

/** The minter after an upgrade; a Candid message without arguments is one too. See `upgrade`. */
export function upgradeCandid(minter: Minter, arg: Uint8Array, now: TimestampNs): Installed {
  const decoded = attempt(() => decodeArgs([opt(minterArgCodec)], arg))
  return decoded instanceof BadEncoding ? refused(decoded) : upgrade(minter, decoded[0], { now })
}
