/**
 * What canisters ask the management canister about threshold keys: checked in the order of the
 * table, handed to the signer, answered when the log has the answer. Source: threshold §§17.1, 19.
 *
 * Nothing here outlives a time line: a canister finds the calls that have no answer in its own
 * state, and makes them again.
 */
import { concat, toHex, u64be } from '../base/bytes.ts'
import { masterKey } from '../base/derivation.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import { deriveKey } from '../base/key-scheme.ts'
import { encodeArgs } from '../ic/candid.ts'
import type { Principal } from '../ic/principal.ts'
import { textOfPrincipal } from '../ic/principal.ts'
import type { KeyId, SigningRequest } from '../tecdsa/request.ts'
import { textOfKey } from '../tecdsa/request.ts'
import { subnetPrincipal } from './certified-state.ts'
import type { KeyMethod, KeyQuestion } from './key-interface.ts'
import { isKeyMethod, keyInterface, readQuestion } from './key-interface.ts'

/** A call of a canister to the management canister. */
export type KeyCall = {
  readonly caller: Principal
  readonly methodName: string
  readonly arg: Uint8Array
  /** Attached to the call. */
  readonly cycles: bigint
  /** Names the call for ever among all that its caller makes. */
  readonly effect: Uint8Array
}

/** 4: the management canister says no; 5: it took the request and has no answer. */
export type KeyAnswer =
  | { readonly type: 'replied'; readonly arg: Uint8Array }
  | { readonly type: 'rejected'; readonly code: 4 | 5; readonly message: string }

export type KeyReply = {
  readonly caller: Principal
  readonly effect: Uint8Array
  readonly answer: KeyAnswer
  /** What comes back of the cycles attached. */
  readonly refund: bigint
}

/** The signer as calls reach it; all of it follows from the log. */
export type KeyPort = {
  readonly certificationKey: Uint8Array | undefined
  /** Whether the subnet has a key of this id or makes one when asked. */
  offersKey(key: KeyId): boolean
  /** Makes the key if it is not there. */
  holdKey(key: KeyId): boolean
  publicKeyOf(key: KeyId): Uint8Array | undefined
  /** False when the queue of the key is full. */
  enqueue(request: SigningRequest): boolean
}

/** What the subnet asks for a signature, and which keys give none. */
export type KeySettings = {
  /** Cycles for one signature; 0 where none are named. */
  readonly fees: ReadonlyMap<string, bigint>
  /** `textOfKey` of the keys that are disabled for signing. */
  readonly disabled: ReadonlySet<string>
}

export const FREE_KEYS: KeySettings = { fees: new Map(), disabled: new Set() }

type Open = {
  readonly call: KeyCall
  readonly fee: bigint
  /** Undefined: it waits for a signature, under the id that it is kept by. */
  readonly question: (KeyQuestion & { readonly type: 'publicKey' }) | undefined
}

/** Equal at all nodes, and never the same for two effects. Source: threshold §17.1. */
export const effectRequestId = (
  caller: Principal,
  incarnation: bigint,
  effect: Uint8Array,
): Uint8Array => sha256(concat(caller, u64be(incarnation), effect))

export class KeyCalls {
  readonly #settings: KeySettings
  /** Taken and not answered, by request id in hexadecimal, oldest first. */
  readonly #open = new Map<string, Open>()

  constructor(settings: KeySettings = FREE_KEYS) {
    this.#settings = settings
  }

  /** Calls that have no answer yet. */
  get open(): number {
    return this.#open.size
  }

  /** Takes a call, once. The answer, when it is known at once; else it comes in its own time. */
  take(call: KeyCall, incarnation: bigint, port: KeyPort): KeyReply | undefined {
    const id = effectRequestId(call.caller, incarnation, call.effect)
    if (this.#open.has(toHex(id))) return undefined
    const { methodName: method, arg } = call
    if (!isKeyMethod(method)) return refused(call, `Management canister has no method '${method}'`)
    if (arg.length === 0) return refused(call, 'An empty message cannot be signed')
    const question = readQuestion(method, arg)
    if (question instanceof BadEncoding)
      return refused(
        call,
        `Error decoding candid of the argument of ${method}: ${question.message}`,
      )
    if (!port.offersKey(question.key)) return notHeld(call, question.key, port)
    return question.type === 'publicKey'
      ? this.#takeKey(id, { call, fee: 0n, question }, port)
      : this.#takeSign(id, { call, method, question }, port)
  }

  #takeKey(id: Uint8Array, open: Open, port: KeyPort): KeyReply | undefined {
    const answer = publicKeyAnswer(open, port)
    if (answer !== undefined) return answer
    if (open.question !== undefined) port.holdKey(open.question.key)
    this.#open.set(toHex(id), open)
    return undefined
  }

  #takeSign(
    id: Uint8Array,
    {
      call,
      method,
      question,
    }: {
      readonly call: KeyCall
      readonly method: KeyMethod
      readonly question: KeyQuestion & { readonly type: 'sign' }
    },
    port: KeyPort,
  ): KeyReply | undefined {
    const { key, path, message, taprootRoot } = question
    const fee = this.#settings.fees.get(key.name) ?? 0n
    const name = textOfKey(key)
    if (call.cycles < fee)
      return refused(
        call,
        `${method} request sent with ${call.cycles} cycles, but ${fee} cycles are required.`,
      )
    if (this.#settings.disabled.has(name))
      return refused(call, `${method} request failed: unknown or disabled threshold key ${name}.`)
    const request = { id, key, path: [call.caller, ...path], message, taprootRoot }
    if (!port.enqueue(request))
      return refused(call, `${method} request failed: request queue for key ${name} is full.`)
    this.#open.set(toHex(id), { call, fee, question: undefined })
    return undefined
  }

  /** Keys have become final: who asked for them is answered. */
  settle(port: KeyPort): readonly KeyReply[] {
    return [...this.#open].flatMap(([name, open]) => {
      const answer = open.question === undefined ? undefined : publicKeyAnswer(open, port)
      if (answer === undefined) return []
      this.#open.delete(name)
      return [answer]
    })
  }

  /** A request has its signature. Undefined when it was not one of these. */
  signed(requestId: Uint8Array, signature: Uint8Array): KeyReply | undefined {
    // Both methods that sign answer in one form.
    const arg = encodeArgs([keyInterface.sign_with_ecdsa.result], [{ signature }])
    return this.#end(requestId, { type: 'replied', arg })
  }

  /** A request has expired. A signature may exist all the same: see §19. */
  expired(requestId: Uint8Array): KeyReply | undefined {
    const message = 'Signature request expired'
    return this.#end(requestId, { type: 'rejected', code: 5, message })
  }

  #end(requestId: Uint8Array, answer: KeyAnswer): KeyReply | undefined {
    const open = this.#open.get(toHex(requestId))
    if (open === undefined || open.question !== undefined) return undefined
    this.#open.delete(toHex(requestId))
    const { caller, effect, cycles } = open.call
    return { caller, effect, answer, refund: cycles - open.fee }
  }
}

/** On refusal all cycles go back. */
const refused = ({ caller, effect, cycles }: KeyCall, message: string): KeyReply => ({
  caller,
  effect,
  answer: { type: 'rejected', code: 4, message },
  refund: cycles,
})

function notHeld(call: KeyCall, key: KeyId, { certificationKey }: KeyPort): KeyReply {
  const subnet = certificationKey && textOfPrincipal(subnetPrincipal(certificationKey))
  return refused(
    call,
    `Unable to route management canister request ${call.methodName}: ` +
      `subnet ${subnet ?? '(not founded yet)'} does not hold key ${textOfKey(key)}`,
  )
}

/** Undefined while the key is being made. */
function publicKeyAnswer({ call, question }: Open, port: KeyPort): KeyReply | undefined {
  const master = question && port.publicKeyOf(question.key)
  if (question === undefined || master === undefined) return undefined
  const { key, path, canisterId } = question
  const whose = canisterId ?? call.caller
  const { publicKey, chainCode } = deriveKey(key.scheme, masterKey(master), [whose, ...path])
  const arg = encodeArgs([keyInterface.ecdsa_public_key.result], [{ publicKey, chainCode }])
  const { caller, effect, cycles } = call
  return { caller, effect, answer: { type: 'replied', arg }, refund: cycles }
}
