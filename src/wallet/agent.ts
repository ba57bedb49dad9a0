/**
 * Calls canisters in the name of a user: encodes, signs, sends, decodes. Source: IC interface §§5,
 * 8, 9.
 */
import { CanisterRefused } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../core/base/units.ts'
import type { CallReply } from '../core/ic/call-reply.ts'
import type { Codec, Method, ValueOf } from '../core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../core/ic/candid.ts'
import { encodeEnvelope, signCall } from '../core/ic/envelope.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { User } from './identity.ts'

/** How long a call may wait before it must not be executed any more. */
const EXPIRY_NS = 240n * NS_PER_SECOND
const NONCE_SIZE = 16

/** The way to a subnet. What stands behind an answer is the transport's to say. */
export interface Transport {
  /** Hands in a signed call and waits for its answer. */
  call(envelope: Uint8Array): Promise<CallReply>
  query(query: {
    readonly caller: Uint8Array
    readonly canisterId: Uint8Array
    readonly methodName: string
    readonly arg: Uint8Array
  }): Promise<CallReply>
}

export type AgentPorts = {
  readonly transport: Transport
  readonly now: () => TimestampNs
  readonly entropy: (size: number) => Uint8Array
}

type Codecs = readonly Codec<unknown>[]
type Arguments<A extends Codecs> = { readonly [K in keyof A]: ValueOf<A[K]> }

/** One method of one canister. */
export type Target<A extends Codecs, R extends Codec<unknown>> = {
  /** Whose words a refusal is. */
  readonly canister: 'ledger' | 'minter'
  readonly canisterId: Principal
  readonly methodName: string
  readonly method: Method<A, R>
}

export class Agent {
  readonly #user: User
  readonly #ports: AgentPorts

  constructor(user: User, ports: AgentPorts) {
    this.#user = user
    this.#ports = ports
  }

  get principal(): Principal {
    return this.#user.principal
  }

  /** A call that the subnet orders and executes. Throws `CanisterRefused`. */
  async update<const A extends Codecs, R extends Codec<unknown>>(
    target: Target<A, R>,
    args: Arguments<A>,
  ): Promise<ValueOf<R>> {
    const { transport, now, entropy } = this.#ports
    const { canisterId, methodName, method } = target
    const content = {
      type: 'call',
      sender: this.#user.principal,
      ingressExpiry: addNs(now(), EXPIRY_NS),
      nonce: entropy(NONCE_SIZE),
      canisterId,
      methodName,
      arg: encodeArgs(method.args, args),
    } as const
    const reply = await transport.call(encodeEnvelope(signCall(content, this.#user)))
    return decodeResult(target, reply)
  }

  /** A question to the state as it is. Throws `CanisterRefused`. */
  async query<const A extends Codecs, R extends Codec<unknown>>(
    target: Target<A, R>,
    args: Arguments<A>,
  ): Promise<ValueOf<R>> {
    const { canisterId, methodName, method } = target
    const arg = encodeArgs(method.args, args)
    const caller = this.#user.principal
    const reply = await this.#ports.transport.query({ caller, canisterId, methodName, arg })
    return decodeResult(target, reply)
  }
}

function decodeResult<A extends Codecs, R extends Codec<unknown>>(
  { canister, methodName, method }: Target<A, R>,
  reply: CallReply,
): ValueOf<R> {
  if (reply.type === 'rejected')
    throw new CanisterRefused(canister, {
      methodName,
      reason: reply.message,
      rejectCode: reply.code,
    })
  const [result] = decodeArgs([method.result], reply.arg)
  return result as ValueOf<R>
}
