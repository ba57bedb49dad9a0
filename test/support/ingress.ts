/** Signed calls of a user to the canisters of a local subnet, as they come in. */
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../../src/core/base/units.ts'
import type { Codec, Method, ValueOf } from '../../src/core/ic/candid.ts'
import { encodeArgs } from '../../src/core/ic/candid.ts'
import { encodeEnvelope, signCall } from '../../src/core/ic/envelope.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import type { User } from '../../src/wallet/identity.ts'

type Codecs = readonly Codec<unknown>[]

/** `nonce` tells calls apart that are equal otherwise. */
export function ingress<const A extends Codecs, R extends Codec<unknown>>(
  user: User,
  call: {
    readonly canisterId: Principal
    readonly methodName: string
    readonly method: Method<A, R>
    readonly now: TimestampNs
    readonly nonce?: Uint8Array
  },
  args: { readonly [K in keyof A]: ValueOf<A[K]> },
): Uint8Array {
  const { canisterId, methodName, method, now, nonce = new Uint8Array(16) } = call
  const arg = encodeArgs(method.args, args)
  const ingressExpiry = addNs(now, 200n * NS_PER_SECOND)
  const content = { sender: user.principal, ingressExpiry, nonce, canisterId, methodName, arg }
  return encodeEnvelope(signCall({ type: 'call', ...content }, user))
}
