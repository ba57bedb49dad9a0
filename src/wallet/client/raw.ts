/**
 * Calls with our own Candid codecs, for what the SDK's clients lack or shorten. The codecs are
 * total: an answer that is none is refused, however it is made.
 */
import { toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, CanisterRefused } from '../../core/base/errors.ts'
import type { Codec, Method, ValueOf } from '../../core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../core/ic/candid.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { Callee } from './failures.ts'
import { sdkPrincipal } from './sdk-identity.ts'
import type { CallOptions, Wire } from './wire.ts'

type Codecs = readonly Codec<unknown>[]
type Arguments<A extends Codecs> = { readonly [K in keyof A]: ValueOf<A[K]> }

/** One method of one canister. */
export type Target<A extends Codecs, R extends Codec<unknown>> = Callee & {
  readonly canisterId: Principal
  readonly method: Method<A, R>
}

export async function rawQuery<const A extends Codecs, R extends Codec<unknown>>(
  wire: Wire,
  target: Target<A, R>,
  args: Arguments<A>,
): Promise<ValueOf<R>> {
  const { canisterId, methodName, method } = target
  const arg = encodeArgs(method.args, args)
  const { reply } = await wire.query(sdkPrincipal(canisterId), { methodName, arg })
  return decoded(target, reply.arg)
}

export async function rawUpdate<const A extends Codecs, R extends Codec<unknown>>(
  wire: Wire,
  target: Target<A, R>,
  args: Arguments<A>,
  options: CallOptions,
): Promise<ValueOf<R>> {
  const { canisterId, methodName, method } = target
  const arg = encodeArgs(method.args, args)
  const { reply } = await wire.update(sdkPrincipal(canisterId), { methodName, arg }, options)
  return decoded(target, reply)
}

/** A newer interface may answer with a variant that is not known here: a refusal, kept verbatim. */
function decoded<A extends Codecs, R extends Codec<unknown>>(
  { canister, methodName, method }: Target<A, R>,
  reply: Uint8Array,
): ValueOf<R> {
  const values = attempt(() => decodeArgs([method.result], reply))
  if (values instanceof BadEncoding)
    throw new CanisterRefused(canister, {
      methodName,
      reason: `an answer that its interface does not know: ${toHex(reply.subarray(0, 200))}`,
    })
  const [value] = values
  return value as ValueOf<R>
}
