/**
 * Users of a simulated subnet: they hand each call to f + 1 nodes, and again until it is answered;
 * they read what honest nodes say.
 */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { bigEndian, toHex } from '../../src/core/base/bytes.ts'
import type { KeyScheme } from '../../src/core/base/key-scheme.ts'
import { reconstructionThreshold } from '../../src/core/base/party.ts'
import type { CallReply } from '../../src/core/ic/call-reply.ts'
import type { Codec, Method, ValueOf } from '../../src/core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { decodeEnvelope, requestId } from '../../src/core/ic/envelope.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import { ledgerInterface } from '../../src/core/ledger/interface/ledger-interface.ts'
import { minterInterface } from '../../src/core/minter/interface/interface.ts'
import type { SubnetNode } from '../../src/core/subnet/node.ts'
import type { NodeInput } from '../../src/core/subnet/node-io.ts'
import type { OperatorRequest } from '../../src/core/subnet/operator-requests.ts'
import {
  encodeOperatorRefresh,
  encodeOperatorRequest,
  operatorContent,
  operatorRefreshContent,
  operatorRequestId,
} from '../../src/core/subnet/operator-requests.ts'
import type { User } from '../../src/wallet/identity.ts'
import { ingress } from './ingress.ts'
import { Wrong } from './log-checker.ts'
import type { NodeNet } from './node-net.ts'
import { operator } from './node-world.ts'

type Codecs = readonly Codec<unknown>[]

const REPEAT_MS = 5_000

export const ledger = { id: ownCanisterIds.ledger, methods: ledgerInterface }
export const minter = { id: ownCanisterIds.minter, methods: minterInterface }

export class NodeClients {
  readonly #net: NodeNet
  #count = 0n
  /** All calls made, by request id in hexadecimal. */
  readonly calls = new Map<string, Hash32>()
  /** Those that were answered: nodes forget their answers in time. */
  readonly #answered = new Set<string>()

  constructor(net: NodeNet) {
    this.#net = net
  }

  #nonce(): Uint8Array {
    this.#count += 1n
    return bigEndian(this.#count, 16)
  }

  /** An honest node that is up, if one is, that knows most. */
  get #best(): SubnetNode | undefined {
    return this.#net.subnets.toSorted((a, b) => Number(b.slot - a.slot))[0]
  }

  /** Hands an input to f + 1 nodes, now and again until it is served. */
  #hand(input: NodeInput, isServed: () => boolean): void {
    if (isServed()) return
    const { nodes } = this.#net.world
    const all = Array.from({ length: nodes }, (_, i) => i)
    const chosen = this.#net.random.shuffle(all).slice(0, reconstructionThreshold(nodes))
    for (const node of chosen) this.#net.inputLater(this.#net.random.below(200), node, input)
    this.#net.later(REPEAT_MS, () => this.#hand(input, isServed))
  }

  /** A call of a user; its id. */
  call<const A extends Codecs, R extends Codec<unknown>>(
    user: User,
    to: {
      readonly canisterId: Principal
      readonly methodName: string
      readonly method: Method<A, R>
    },
    args: { readonly [K in keyof A]: ValueOf<A[K]> },
  ): Hash32 {
    const { now } = this.#net
    const envelope = ingress(user, { ...to, now, nonce: this.#nonce() }, args)
    const id = requestId(decodeEnvelope(envelope).content)
    this.calls.set(toHex(id), id)
    const input = { type: 'ingress', requestId: id, envelope } as const
    this.#hand(input, () => this.isAnswered(id))
    return id
  }

  /** What an honest node answers; nodes that answer differently are wrong. */
  replyTo(id: Hash32): CallReply | undefined {
    const replies = this.#net.subnets.flatMap(({ replica }) => replica.findRequest(id)?.reply ?? [])
    const [first] = replies
    if (first === undefined) return undefined
    const text = textOf(first)
    if (replies.some((reply) => textOf(reply) !== text))
      throw new Wrong(`two answers to ${toHex(id)}`)
    this.#answered.add(toHex(id))
    return first
  }

  isAnswered(id: Hash32): boolean {
    return this.replyTo(id) !== undefined
  }

  /** Calls that no honest node has answered. */
  get unanswered(): number {
    return [...this.calls].filter(([key, id]) => !this.#answered.has(key) && !this.isAnswered(id))
      .length
  }

  /** What the node that knows most answers to a query. */
  query<const A extends Codecs, R>(
    canisterId: Principal,
    methodName: string,
    method: Method<A, Codec<R>>,
    args: { readonly [K in keyof A]: ValueOf<A[K]> },
  ): R | undefined {
    const arg = encodeArgs(method.args, args)
    const caller = canisterId
    const reply = this.#best?.replica.query({ caller, canisterId, methodName, arg })
    return reply?.type === 'replied' ? decodeArgs([method.result], reply.arg)[0] : undefined
  }

  /** A request of the operator to the signer; its id. */
  operatorAsks({
    scheme,
    message,
  }: {
    readonly scheme: KeyScheme
    readonly message: Uint8Array | undefined
  }): Hash32 {
    const { genesis } = this.#net.world
    const nonce = this.#nonce()
    const request: OperatorRequest = {
      nonce,
      scheme,
      message,
      taprootRoot: undefined,
      path: [],
      only: [],
    }
    const { publicKey } = operator
    const signature = operator.sign(operatorContent(genesis, request))
    const id = operatorRequestId(genesis, request)
    const bytes = encodeOperatorRequest({ request, publicKey, signature })
    const { operatorSignatures } = this.#net.checker
    const end = this.#net.nowMs + 60_000
    this.#hand(
      { type: 'operator', request: bytes },
      () =>
        operatorSignatures.has(toHex(id)) || (message === undefined && this.#net.nowMs >= end / 2),
    )
    return id
  }

  /** The operator has all keys shared out anew, to the membership of this version. */
  operatorRefreshes(version: bigint, isDone: () => boolean): void {
    const { genesis } = this.#net.world
    const refresh = { version, change: undefined }
    const { publicKey } = operator
    const signature = operator.sign(operatorRefreshContent(genesis, refresh))
    const request = encodeOperatorRefresh({ refresh, publicKey, signature })
    this.#hand({ type: 'operator', request }, isDone)
  }
}

const textOf = (reply: CallReply): string =>
  reply.type === 'replied' ? toHex(reply.arg) : `${reply.code} ${reply.message}`
