/**
 * Calls canisters in the name of a user, through the agent of the Internet Computer, with every
 * certificate and every node's signature verified. Source: IC interface §§8, 9, 15, 21.
 */
import type { HttpAgentOptions } from '@icp-sdk/core/agent'
import {
  HttpAgent,
  RejectError,
  SignIdentity,
  TransportError,
  TrustError,
} from '@icp-sdk/core/agent'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import { CanisterRefused, Problem } from '../core/base/errors.ts'
import { verifyBls } from '../core/base/verification.ts'
import type { Codec, Method, ValueOf } from '../core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../core/ic/candid.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { User } from './identity.ts'

/** How long a call may wait before it must not be executed any more. */
const EXPIRY_MINUTES = 4
/** Waits between two looks at a call that is not finished: the first, the factor, the longest. */
const POLL_MS = { first: 200, factor: 1.5, max: 2_000 } as const
/** Looks end this long after the call can no longer be executed. */
const POLL_MS_MAX = (EXPIRY_MINUTES + 1) * 60_000

export type AgentOptions = {
  readonly url: string
  /** DER; never fetched. */
  readonly rootKey: Uint8Array
  /** For a subnet in this process. */
  readonly fetch?: typeof fetch | undefined
  /** Repetitions of a request that did not get through. */
  readonly retries?: number | undefined
  readonly nodeKeys?: HttpAgentOptions['subnetNodeKeyExpirableStore'] | undefined
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

/** The user as the agent's library knows one. The secret stays where it is. */
class SdkIdentity extends SignIdentity {
  readonly #user: User

  constructor(user: User) {
    super()
    this.#user = user
  }

  override getPublicKey() {
    const der = this.#user.publicKeyDer
    return { toDer: () => der, rawKey: der, derKey: der }
  }

  override async sign(message: Uint8Array) {
    // The library brands signatures; a brand is not a value that can be made.
    return this.#user.sign(message) as Awaited<ReturnType<SignIdentity['sign']>>
  }
}

export class Agent {
  readonly #user: User
  readonly #http: HttpAgent

  constructor(user: User, { url, rootKey, fetch, retries = 0, nodeKeys }: AgentOptions) {
    this.#user = user
    this.#http = HttpAgent.createSync({
      host: url,
      identity: new SdkIdentity(user),
      rootKey,
      retryTimes: retries,
      ingressExpiryInMinutes: EXPIRY_MINUTES,
      verifyQuerySignatures: true,
      ...(fetch === undefined ? {} : { fetch }),
      ...(nodeKeys === undefined ? {} : { subnetNodeKeyExpirableStore: nodeKeys }),
    })
  }

  get principal(): Principal {
    return this.#user.principal
  }

  /** For clients of the same network that the library brings. */
  get http(): HttpAgent {
    return this.#http
  }

  /**
   * A call that the subnet orders and executes; its certificate is verified. Throws
   * `CanisterRefused`; `NETWORK_UNREACHABLE` when nothing was sent; `OPERATION_UNKNOWN` when no
   * answer came back.
   */
  async update<const A extends Codecs, R extends Codec<unknown>>(
    target: Target<A, R>,
    args: Arguments<A>,
  ): Promise<ValueOf<R>> {
    const canisterId = SdkPrincipal.fromUint8Array(target.canisterId)
    const { methodName, method } = target
    const arg = encodeArgs(method.args, args)
    try {
      const { reply } = await this.#http.update(
        canisterId,
        { methodName, arg, effectiveCanisterId: canisterId },
        { strategy: patience(), blsVerify: verifyCertificateSignature },
      )
      return decodeResult(target, reply)
    } catch (error) {
      throw failureOf(error, target, 'update')
    }
  }

  /** A question to the state as one node has it; its signature is verified. */
  async query<const A extends Codecs, R extends Codec<unknown>>(
    target: Target<A, R>,
    args: Arguments<A>,
  ): Promise<ValueOf<R>> {
    const { canisterId, methodName, method } = target
    const arg = encodeArgs(method.args, args)
    const id = SdkPrincipal.fromUint8Array(canisterId)
    try {
      const answer = await this.#http.query(id, { methodName, arg })
      if (answer.status === 'rejected')
        throw refusal(target, answer.reject_message, answer.reject_code)
      return decodeResult(target, answer.reply.arg)
    } catch (error) {
      throw failureOf(error, target, 'query')
    }
  }
}

/** Called by the library for every certificate. */
const verifyCertificateSignature = async (
  publicKey: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> => verifyBls(publicKey, message, signature)

/** §21.5: short waits first, and an end after the call has expired. */
function patience(): () => Promise<void> {
  const started = performance.now()
  let wait: number = POLL_MS.first
  return async () => {
    if (performance.now() - started > POLL_MS_MAX)
      throw new Problem('OPERATION_UNKNOWN', 'the call was sent, and no answer came back', {
        fix: 'look before you repeat it: it may have been executed',
        command: 'ckbtc status',
      })
    await new Promise((resolve) => setTimeout(resolve, wait))
    wait = Math.min(POLL_MS.max, wait * POLL_MS.factor)
  }
}

type Named = {
  readonly canister: 'ledger' | 'minter'
  readonly methodName: string
}

const refusal = (
  { canister, methodName }: Named,
  reason: string,
  rejectCode: number,
): CanisterRefused => new CanisterRefused(canister, { methodName, reason, rejectCode })

/** What the library throws, in our words. */
function failureOf(error: unknown, target: Named, kind: 'update' | 'query'): unknown {
  if (error instanceof RejectError) {
    const { code } = error
    const message: unknown = Reflect.get(code, 'rejectMessage')
    return refusal(target, String(message), Number(Reflect.get(code, 'rejectCode')))
  }
  if (error instanceof TrustError)
    return new Problem('NETWORK_BAD_CERTIFICATE', `the answer does not verify: ${error.message}`, {
      fix: 'do not believe this network; if it is yours, it may have been reset meanwhile',
      command: 'ckbtc doctor',
      cause: error,
    })
  if (error instanceof TransportError || isConnectionError(error))
    return kind === 'query' || neverConnected(error)
      ? new Problem('NETWORK_UNREACHABLE', `${target.methodName}: the network does not answer`, {
          fix: 'nothing was sent; check the connection and run the command again',
          command: 'ckbtc doctor',
          cause: error,
        })
      : new Problem('OPERATION_UNKNOWN', `${target.methodName} was sent, and no answer came back`, {
          fix: 'look before you repeat it: it may have been executed',
          command: 'ckbtc status',
          cause: error,
        })
  return error
}

/** `fetch` wraps the system's error, the library wraps that: codes are looked for all the way. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Object; depth++) {
    const code: unknown = Reflect.get(at, 'code')
    if (typeof code === 'string') codes.push(code)
    const inner: unknown =
      Reflect.get(at, 'cause') ?? (code instanceof Object ? Reflect.get(code, 'error') : undefined)
    at = inner
  }
  return codes
}

const neverConnected = (error: unknown): boolean =>
  codesOf(error).some((code) => ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(code))

const isConnectionError = (error: unknown): boolean =>
  error instanceof TypeError || codesOf(error).some((code) => code.startsWith('E'))

function decodeResult<A extends Codecs, R extends Codec<unknown>>(
  { method }: Target<A, R>,
  reply: Uint8Array,
): ValueOf<R> {
  const [result] = decodeArgs([method.result], reply)
  return result as ValueOf<R>
}
