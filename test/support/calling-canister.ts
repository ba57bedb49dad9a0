/** A canister for tests that asks the management canister for keys and signatures. */
import { utf8 } from '../../src/core/base/bytes.ts'
import { decodeArgs, encodeArgs } from '../../src/core/ic/candid.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import type { Canister, KeyCaller } from '../../src/core/subnet/canister.ts'
import type { KeyCall, KeyReply } from '../../src/core/subnet/key-calls.ts'
import type { KeyMethod } from '../../src/core/subnet/key-interface.ts'
import { keyInterface } from '../../src/core/subnet/key-interface.ts'

type Asked = Omit<KeyCall, 'caller'>
export type Answered = Omit<KeyReply, 'caller'>

export class CallingCanister implements Canister {
  readonly id: Principal
  readonly name = 'index'
  readonly service = 'service : {}'
  /** By effect; a call leaves it with its answer. */
  readonly #open = new Map<string, Asked>()
  readonly answers = new Map<string, Answered>()
  readonly keyCaller: KeyCaller

  constructor(id: Principal) {
    this.id = id
    this.keyCaller = {
      outstanding: () => [...this.#open.values()],
      answered: (reply) => {
        const name = String(reply.effect)
        if (!this.#open.delete(name)) throw new Error('a call is answered once')
        this.answers.set(name, reply)
      },
    }
  }

  handlers(): Readonly<Record<string, never>> {
    return {}
  }

  certifiedData(): undefined {
    return undefined
  }

  /** Makes a call, to be found in the state when the slot ends. */
  call(effect: string, methodName: string, arg: Uint8Array, cycles = 0n): void {
    const name = utf8(effect)
    this.#open.set(String(name), { effect: name, methodName, arg, cycles })
  }

  answerTo(effect: string): Answered | undefined {
    return this.answers.get(String(utf8(effect)))
  }
}

type ArgsOf<M extends KeyMethod> = Parameters<
  typeof encodeArgs<(typeof keyInterface)[M]['args']>
>[1][0]

export const argOf = <M extends KeyMethod>(method: M, args: ArgsOf<M>): Uint8Array =>
  encodeArgs<readonly [(typeof keyInterface)[M]['args'][0]]>([keyInterface[method].args[0]], [args])

export const signatureIn = (arg: Uint8Array): Uint8Array =>
  decodeArgs([keyInterface.sign_with_ecdsa.result], arg)[0].signature

export const keyIn = (
  arg: Uint8Array,
): { readonly publicKey: Uint8Array; readonly chainCode: Uint8Array } =>
  decodeArgs([keyInterface.ecdsa_public_key.result], arg)[0]
