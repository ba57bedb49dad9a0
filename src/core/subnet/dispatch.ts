/**
 * From a method's name and Candid bytes to the canister and back. Source: IC interface §8, ledger
 * §2, minter §2.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { CallReply } from '../ic/call-reply.ts'
import { rejected } from '../ic/call-reply.ts'
import type { Codec, Method, ValueOf } from '../ic/candid.ts'
import { decodeArgs, encodeArgs } from '../ic/candid.ts'
import type { Principal } from '../ic/principal.ts'

/** Reject codes of §12. */
export const REJECT_DESTINATION_INVALID = 3
export const REJECT_CANISTER_ERROR = 5

/** A call as it reached the subnet. */
export type CanisterCall = {
  readonly caller: Principal
  readonly canisterId: Principal
  readonly methodName: string
  readonly arg: Uint8Array
}

/** What a method gives back: its result, or a trap. */
export type Outcome<T> =
  | { readonly type: 'result'; readonly value: T }
  | { readonly type: 'trap'; readonly message: string }

type Codecs = readonly Codec<unknown>[]

/** Answers one method, arguments still encoded. */
export type Handler = { readonly isQuery: boolean; readonly answer: (arg: Uint8Array) => CallReply }
export type Handlers = Readonly<Record<string, Handler>>

const trapped = (message: string): CallReply => rejected(REJECT_CANISTER_ERROR, message)

/** Binds a method of an interface to what it does. An argument that does not decode is a trap. */
export function handler<const A extends Codecs, R extends Codec<unknown>>(
  method: Method<A, R>,
  run: (...args: { readonly [K in keyof A]: ValueOf<A[K]> }) => Outcome<ValueOf<R>>,
): Handler {
  return {
    isQuery: method.mode === 'query',
    answer: (bytes) => {
      const args = attempt(() => decodeArgs(method.args, bytes))
      if (args instanceof BadEncoding) return trapped(args.message)
      const outcome = run(...args)
      return outcome.type === 'trap'
        ? trapped(outcome.message)
        : { type: 'replied', arg: encodeArgs([method.result], [outcome.value]) }
    },
  }
}

/** The same for a method that cannot fail. */
export const getter = <const A extends Codecs, R extends Codec<unknown>>(
  method: Method<A, R>,
  run: (...args: { readonly [K in keyof A]: ValueOf<A[K]> }) => ValueOf<R>,
): Handler => handler(method, (...args) => ({ type: 'result', value: run(...args) }))

/** Finds the method. `kind`: whether the caller only asks, or the log has ordered the call. */
export function dispatch(
  handlers: Handlers,
  { methodName, arg }: Pick<CanisterCall, 'methodName' | 'arg'>,
  kind: 'query' | 'update',
): CallReply {
  const found = Object.hasOwn(handlers, methodName) ? handlers[methodName] : undefined
  if (found === undefined) return trapped(`the canister has no method '${methodName}'`)
  if (kind === 'query' && !found.isQuery)
    return trapped(`'${methodName}' changes state and is called as an update`)
  return found.answer(arg)
}
