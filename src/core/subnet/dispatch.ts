/**
 * From a method's name and Candid bytes to the canister and back. Source: IC interface §8, ledger
 * §2, minter §2.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { CallReply } from '../ic/call-reply.ts'
import { rejected } from '../ic/call-reply.ts'
import type { Codec, Method, ValueOf } from '../ic/candid.ts'
import { decodeArgs, encodeArgs, resultsOf } from '../ic/candid.ts'
import type { Principal } from '../ic/principal.ts'
import { textOfPrincipal } from '../ic/principal.ts'

/** Bytes of a reply at most; IC interface §25. */
export const REPLY_BYTES_MAX = { update: 2 * 1024 * 1024, query: 3 * 1024 * 1024 } as const

/** A call as it reached the subnet. */
export type CanisterCall = {
  readonly caller: Principal
  readonly canisterId: Principal
  readonly methodName: string
  readonly arg: Uint8Array
}

/** What a method gives back: its result, a trap, or a refusal in the canister's own words. */
export type Outcome<T> =
  | { readonly type: 'result'; readonly value: T }
  | { readonly type: 'trap'; readonly message: string }
  | { readonly type: 'reject'; readonly message: string }

type Codecs = readonly Codec<unknown>[]

/** Answers one method, arguments still encoded. */
export type Handler = {
  readonly isQuery: boolean
  readonly answer: (arg: Uint8Array) => Outcome<Uint8Array>
}
export type Handlers = Readonly<Record<string, Handler>>

/** Binds a method of an interface to what it does. An argument that does not decode is a trap. */
export function handler<const A extends Codecs, R extends Codec<unknown>>(
  method: Method<A, R>,
  run: (...args: { readonly [K in keyof A]: ValueOf<A[K]> }) => Outcome<ValueOf<R>>,
): Handler {
  return {
    isQuery: method.mode === 'query',
    answer: (bytes) => {
      const args = attempt(() => decodeArgs(method.args, bytes))
      if (args instanceof BadEncoding) return { type: 'trap', message: args.message }
      const outcome = run(...args)
      if (outcome.type !== 'result') return outcome
      const results = resultsOf(method)
      return {
        type: 'result',
        value: encodeArgs(
          results,
          results.map(() => outcome.value),
        ),
      }
    },
  }
}

/** The same for a method that cannot fail. */
export const getter = <const A extends Codecs, R extends Codec<unknown>>(
  method: Method<A, R>,
  run: (...args: { readonly [K in keyof A]: ValueOf<A[K]> }) => ValueOf<R>,
): Handler => handler(method, (...args) => ({ type: 'result', value: run(...args) }))

/**
 * Finds the method and puts its outcome into the words of §12. `kind`: whether the caller only
 * asks, or the log has ordered the call.
 */
export function dispatch(
  handlers: Handlers,
  { canisterId, methodName, arg }: Pick<CanisterCall, 'canisterId' | 'methodName' | 'arg'>,
  kind: 'query' | 'update',
): CallReply {
  const from = `Error from Canister ${textOfPrincipal(canisterId)}: `
  const found = Object.hasOwn(handlers, methodName) ? handlers[methodName] : undefined
  if (found === undefined || (kind === 'query' && !found.isQuery))
    return rejected('IC0536', `${from}Canister has no ${kind} method '${methodName}'.`)
  const trapped = (message: string): CallReply =>
    rejected('IC0503', `${from}Canister called \`ic0.trap\` with message: '${message}'`)
  const outcome = found.answer(arg)
  switch (outcome.type) {
    case 'result': {
      const { length } = outcome.value
      // Only methods that look answer at such length: nothing has been changed.
      return length <= REPLY_BYTES_MAX[kind]
        ? { type: 'replied', arg: outcome.value }
        : trapped(`a reply of ${length} bytes, at most ${REPLY_BYTES_MAX[kind]} are allowed`)
    }
    case 'trap':
      return trapped(outcome.message)
    case 'reject':
      return rejected('IC0406', outcome.message)
  }
}
