/** The canisters of a ledger under test as clients meet them: Candid in, Candid out. */
import { present } from '../../../src/core/base/errors.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import type { Codec, ValueOf } from '../../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type { CallContext, CanisterName } from '../../../src/core/subnet/canister.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import { newToken, TokenCanisters } from '../../../src/core/subnet/token-canisters.ts'
import type { LedgerUnderTest } from './ledger-under-test.ts'

const interfaces = { ledger: ledgerInterface, index: indexInterface }
type Interfaces = typeof interfaces
type Name = keyof Interfaces
type Values<C> = { readonly [K in keyof C]: C[K] extends Codec<infer T> ? T : never }
type ArgsOf<M> = (M extends { readonly args: infer C } ? Values<C> : never) & readonly unknown[]
type ResultOf<M> = M extends { readonly result: infer R } ? ValueOf<R> : never

/** As an anonymous query unless told. */
export type Asking = Partial<Omit<CallContext, 'now'>>

export class CanistersUnderTest {
  readonly #ledger: LedgerUnderTest
  readonly token: TokenCanisters

  constructor(ledger: LedgerUnderTest) {
    this.#ledger = ledger
    this.token = new TokenCanisters(ckbtcTokenIds(ownCanisterIds), newToken(ledger.state))
  }

  /** What is due at the end of a slot: the index follows, blocks leave for archives. */
  endSlot(): void {
    this.token.endSlot(this.#ledger.now)
  }

  /** Every method of every canister that there is. */
  get methods(): readonly (readonly [CanisterName, string])[] {
    const context = { caller: anonymous, now: this.#ledger.now, kind: 'query' } as const
    const dataCertificate = (): undefined => undefined
    return this.token.canisters.flatMap((canister) => {
      const handlers = canister.handlers({ ...context, dataCertificate })
      return Object.keys(handlers).map((name) => [canister.name, name] as const)
    })
  }

  /** Any bytes to any method. */
  call(name: CanisterName, methodName: string, arg: Uint8Array, asking: Asking = {}): CallReply {
    const canister = present(
      this.token.canisters.find((one) => one.name === name),
      'a canister of a token',
    )
    const { kind = 'query', caller = anonymous } = asking
    const dataCertificate = (): undefined => undefined
    const context = { dataCertificate, ...asking, kind, caller, now: this.#ledger.now }
    const handlers = canister.handlers(context)
    return dispatch(handlers, { canisterId: canister.id, methodName, arg }, kind)
  }

  /** What a method answers; a reject is thrown. */
  ask<N extends Name, M extends keyof Interfaces[N] & string>(
    [name, methodName]: readonly [N, M],
    args: ArgsOf<Interfaces[N][M]>,
    asking: Asking = {},
  ): ResultOf<Interfaces[N][M]> {
    const reply = this.tell([name, methodName], args, asking)
    if (reply.type === 'rejected') throw new RangeError(reply.message)
    const { result } = methodOf(name, methodName)
    const [value] = decodeArgs([result], reply.arg)
    return value as ResultOf<Interfaces[N][M]>
  }

  /** The bare reply. */
  tell<N extends Name, M extends keyof Interfaces[N] & string>(
    [name, methodName]: readonly [N, M],
    args: ArgsOf<Interfaces[N][M]>,
    asking: Asking = {},
  ): CallReply {
    const { args: codecs } = methodOf(name, methodName)
    const arg = encodeArgs(codecs, args)
    return this.call(name, methodName, arg, asking)
  }
}

type AnyMethod = { readonly args: readonly Codec<unknown>[]; readonly result: Codec<unknown> }

const methodOf = (name: Name, methodName: string): AnyMethod =>
  present(
    Object.entries<AnyMethod>(interfaces[name]).find(([one]) => one === methodName)?.[1],
    'a method of the interface',
  )
