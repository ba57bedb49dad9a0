/**
 * The canisters of one node, executed slot by slot. Source: architecture §§3, 4. Deterministic:
 * same slots, same state.
 */
import type { Hash32 } from '../base/bytes.ts'
import { concat, fromHex, toHex, u64be } from '../base/bytes.ts'
import { derivePublicKey, masterKey } from '../base/derivation.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs } from '../base/units.ts'
import type { View } from '../base/view.ts'
import { decodeHeader } from '../btc/block.ts'
import { admit } from '../ic/admission.ts'
import type { CallReply } from '../ic/call-reply.ts'
import type { CanisterIds } from '../ic/canister-ids.ts'
import { canisterIdsOf, ckbtcTokenIds } from '../ic/canister-ids.ts'
import { decodeEnvelope } from '../ic/envelope.ts'
import type { Principal } from '../ic/principal.ts'
import type { Branch } from '../ic/state-tree.ts'
import { branch } from '../ic/state-tree.ts'
import type { Notice, SignatureKey } from '../minter/calls.ts'
import type { World } from '../minter/context.ts'
import * as minter from '../minter/machine.ts'
import type { SigningRequest } from '../tecdsa/request.ts'
import type { AdapterWork } from './bitcoin-canister.ts'
import { BitcoinCanister } from './bitcoin-canister.ts'
import { isBitcoinCall } from './bitcoin-interface.ts'
import type { Canister } from './canister.ts'
import { moduleHash } from './canister.ts'
import { passBitcoinCall } from './canister-calls.ts'
import { requestTree, stateTree } from './certified-state.ts'
import { CheckerCanister } from './checker-canister.ts'
import type { CanisterCall } from './dispatch.ts'
import { dispatch } from './dispatch.ts'
import type { KeyPort, KeyReply } from './key-calls.ts'
import { KeyCalls } from './key-calls.ts'
import { isManagement, manage } from './management.ts'
import { MinterCanister } from './minter-canister.ts'
import { tooLate, unknownCanister } from './rejections.ts'
import type { ReplicaConfig } from './replica-config.ts'
import type { ReplicaState } from './replica-state.ts'
import { installCanisters } from './replica-state.ts'
import type { KnownRequest } from './request-history.ts'
import { KEEP_NS, RequestHistory } from './request-history.ts'
import { TipWatch } from './tip-watch.ts'
import { furtherTokens, TokenCanisters } from './token-canisters.ts'
import { earliest, Tokens } from './tokens.ts'

/**
 * Runs of the minter's tasks, and answers to calls that lead to other calls, in one slot: each reschedules itself for later, so a few are plenty.
 */
const TICKS_MAX = 8

export class Replica {
  readonly ids: CanisterIds
  /** Whether the node still catches up with its log; told to those who ask, and nothing else. */
  isRecovering = false
  readonly #config: ReplicaConfig
  readonly #bitcoin: BitcoinCanister
  readonly #checker: CheckerCanister
  readonly #ckbtc: TokenCanisters
  readonly #tokens: Tokens
  /** Those of no token, by id in hexadecimal. */
  readonly #others: ReadonlyMap<string, Canister>
  readonly #requests: RequestHistory
  readonly #keyCalls: KeyCalls
  readonly #state: ReplicaState
  /** The requests as they stand in the state tree. */
  #requestTree: Branch
  readonly #tipWatch: TipWatch

  /** `state`: where to go on from; the canisters are installed anew without it. */
  constructor(
    config: ReplicaConfig,
    state: ReplicaState = installCanisters(canisterIdsOf[config.ids ?? 'own'], config),
  ) {
    this.ids = canisterIdsOf[config.ids ?? 'own']
    const { checker, minter: minterId, bitcoin } = this.ids
    const { operator } = config
    this.#config = config
    this.#state = state
    this.#requests = new RequestHistory(state.requests)
    this.#keyCalls = new KeyCalls(config.keys)
    this.#requestTree = branch(
      [...state.requests].map(([id, request]) => [fromHex(id), requestTree(request)]),
    )
    this.#bitcoin = new BitcoinCanister(bitcoin, state, { operator, nodes: config.nodes.length })
    this.#tipWatch = new TipWatch(this.#bitcoin, state)
    const chain = (): BitcoinCanister['state'] => state.chain
    this.#checker = new CheckerCanister(checker, state.checker, { operator, chain })
    this.#ckbtc = new TokenCanisters(ckbtcTokenIds(this.ids), state.ckbtc, operator)
    this.#tokens = new Tokens([this.#ckbtc, ...furtherTokens(state.tokens, operator)])
    const canisters: readonly Canister[] = [
      new MinterCanister(minterId, state, {
        controller: operator,
        world: (now) => this.#world(now),
      }),
      this.#checker,
      this.#bitcoin,
      ...(config.guests ?? []),
    ]
    this.#others = new Map(canisters.map((canister) => [toHex(canister.id), canister]))
  }

  /** All that is remembered, for a snapshot: whoever takes it copies it at once. */
  get state(): View<ReplicaState> {
    return this.#state
  }

  /**
   * The whole subnet starts again in another time line: what was being signed is not signed any
   * more, and the minter asks again (threshold §18.4).
   */
  startAgain(incarnation: bigint, now: TimestampNs): void {
    for (const id of [...this.#state.asked.keys()]) this.signatureFailed(fromHex(id), now)
    this.#state.incarnation = incarnation
  }

  get bitcoinHeight(): number {
    return this.#bitcoin.tipHeight
  }

  #world(now: TimestampNs): World {
    return {
      now,
      callsOverlap: true,
      ports: {
        ledger: this.#ckbtc.ledger.port(this.ids.minter, now),
        bitcoin: this.#bitcoin.port(now),
        checker: this.#checker,
      },
    }
  }

  /**
   * Executes an ingress item. Undefined when it leaves no trace: it does not decode, is not
   * admitted at slot time, or is known already. One that has merely expired on its way is rejected.
   */
  ingress(
    bytes: Uint8Array,
    now: TimestampNs,
  ): { readonly requestId: Hash32; readonly reply: CallReply } | undefined {
    const envelope = attempt(() => decodeEnvelope(bytes))
    if (envelope instanceof BadEncoding || envelope.content.type !== 'call') return undefined
    const { ingressExpiry: expiry } = envelope.content
    // While ids of its age are remembered, so that nothing executed is ever called expired.
    const late = expiry < now && now <= addNs(expiry, KEEP_NS)
    const { ed25519 } = this.#config
    const context = { now: late ? expiry : now, ed25519, sizeBytes: bytes.length }
    const admitted = admit(envelope, context)
    if (admitted.type === 'refused' || admitted.content.type !== 'call') return undefined
    const { requestId, content } = admitted
    if (this.#requests.find(requestId) !== undefined || this.#requests.isFull) return undefined
    const { sender, canisterId } = content
    this.#tellMinter(this.#tipWatch.beforeCall(), now)
    const reply = late ? tooLate(requestId) : this.#call({ caller: sender, ...content }, now)
    const request = { sender, canisterId, expiry, reply }
    this.#requests.add(requestId, request)
    this.#requestTree = this.#requestTree.with(requestId, requestTree(request))
    this.#state.updatesTotal += 1n
    return { requestId, reply }
  }

  /** A request that the log has ordered, while it is remembered. */
  findRequest(requestId: Uint8Array): KnownRequest | undefined {
    return this.#requests.find(requestId)
  }

  /** Whether so many requests are known that no other one is executed. */
  get isFull(): boolean {
    return this.#requests.isFull
  }

  /** Calls executed so far. */
  get updatesTotal(): bigint {
    return this.#state.updatesTotal
  }

  /** The state as certificates under this key (96 bytes) show it. */
  stateTree(certificationKey: Uint8Array): Branch {
    return stateTree({
      time: this.#state.time,
      certificationKey,
      nodes: this.#config.nodes,
      canisters: [...this.#tokens.canisters, ...this.#others.values()].map((canister) => ({
        id: canister.id,
        certifiedData: canister.certifiedData(),
        controllers: [this.#config.operator],
        moduleHash: moduleHash(canister.name),
        metadata: new Map([['candid:service', canister.service]]),
      })),
      requests: this.#requestTree,
      updatesTotal: this.#state.updatesTotal,
    })
  }

  #canister(id: Principal): Canister | undefined {
    return this.#tokens.find(id) ?? this.#others.get(toHex(id))
  }

  #manage(call: CanisterCall): CallReply {
    return manage(call, { controller: this.#config.operator, find: (id) => this.#canister(id) })
  }

  #call(call: CanisterCall, now: TimestampNs): CallReply {
    if (isManagement(call.canisterId)) return this.#manage(call)
    const canister = this.#canister(call.canisterId)
    if (canister === undefined) return unknownCanister(call)
    const kind = 'update'
    const context = { caller: call.caller, now, kind, dataCertificate: () => undefined } as const
    return dispatch(canister.handlers(context), call, kind)
  }

  /** A question to the state after the last slot; nothing is written. */
  query(call: CanisterCall, dataCertificate: DataCertificate = () => undefined): CallReply {
    if (isManagement(call.canisterId)) return this.#manage(call)
    const canister = this.#canister(call.canisterId)
    if (canister === undefined) return unknownCanister(call)
    const kind = 'query'
    const context = {
      caller: call.caller,
      now: this.#state.time,
      kind,
      isRecovering: this.isRecovering,
      dataCertificate: () => dataCertificate(canister.id),
    } as const
    return dispatch(canister.handlers(context), call, kind)
  }

  proposeHeaders(node: NodeIndex, headers: readonly Uint8Array[], now: TimestampNs): void {
    this.#bitcoin.propose(node, headers, now)
  }

  /** Whether the chain view holds a header (80 bytes) already. */
  knowsHeader(bytes: Uint8Array): boolean {
    const header = attempt(() => decodeHeader(bytes))
    return !(header instanceof BadEncoding) && this.#bitcoin.knows(header)
  }

  /** Whether a block's header has been accepted and its body is missing. */
  wantsBlock(bytes: Uint8Array): boolean {
    return this.#bitcoin.wants(bytes)
  }

  block(bytes: Uint8Array, now: TimestampNs): void {
    this.#bitcoin.block(bytes, now)
  }

  /** The subnet's public key is final: canisters derive theirs from it. */
  masterKey(publicKey: Uint8Array, now: TimestampNs): void {
    if (this.#state.hasMasterKey) return
    this.#state.hasMasterKey = true
    const { publicKey: key, chainCode } = derivePublicKey(masterKey(publicKey), [this.ids.minter])
    const notice = { type: 'rootKey', key: { publicKey: key, chainCode } } as const
    minter.notify(this.#state.minter, this.#world(now), notice)
  }

  signatureReady(
    { requestId, signature }: { readonly requestId: Uint8Array; readonly signature: Uint8Array },
    now: TimestampNs,
  ): void {
    const reply = this.#keyCalls.signed(requestId, signature)
    if (reply !== undefined) this.#answer(reply, now)
    const key = this.#take(requestId)
    if (key !== undefined)
      minter.notify(this.#state.minter, this.#world(now), {
        type: 'signatureReady',
        key,
        signature,
      })
  }

  /**
   * The request was refused, expired or dropped: the minter asks again as another attempt, other
   * canisters are told.
   */
  signatureFailed(requestId: Uint8Array, now: TimestampNs): void {
    const reply = this.#keyCalls.expired(requestId)
    if (reply !== undefined) this.#answer(reply, now)
    const key = this.#take(requestId)
    if (key !== undefined)
      minter.notify(this.#state.minter, this.#world(now), { type: 'signatureFailed', key })
  }

  /** What canisters ask about threshold keys goes to the signer, what it has goes to them. */
  passKeyCalls(port: KeyPort, now: TimestampNs): void {
    for (let round = 0; round < TICKS_MAX; round++) {
      const replies = [...this.#takeCalls(port, now), ...this.#keyCalls.settle(port)]
      if (replies.length === 0) return
      for (const reply of replies) this.#answer(reply, now)
    }
  }

  #takeCalls(port: KeyPort, now: TimestampNs): readonly KeyReply[] {
    const { incarnation } = this.#state
    return [...this.#others.values()].flatMap(({ id: caller, keyCaller }) =>
      (keyCaller?.outstanding() ?? []).flatMap((unnamed) => {
        const call = { ...unnamed, caller }
        if (isBitcoinCall(call.methodName)) return passBitcoinCall(this.#bitcoin, call, now)
        return this.#keyCalls.take(call, incarnation, port) ?? []
      }),
    )
  }

  #answer({ caller, ...reply }: KeyReply, now: TimestampNs): void {
    this.#canister(caller)?.keyCaller?.answered(reply, now)
  }

  #take(requestId: Uint8Array): SignatureKey | undefined {
    const name = toHex(requestId)
    const key = this.#state.asked.get(name)
    this.#state.asked.delete(name)
    return key
  }

  /**
   * The items of the slot are executed: timers fire, and what the canisters want signed comes out.
   */
  endSlot(now: TimestampNs): readonly SigningRequest[] {
    this.#state.time = now
    minter.endSlot(this.#state.minter)
    for (const id of this.#requests.forget(now)) this.#requestTree = this.#requestTree.without(id)
    this.#tellMinter(this.#tipWatch.atSlotEnd(), now)
    this.#runTimers(now)
    this.#tokens.endSlot(now)
    return minter.outstanding(this.#state.minter).flatMap((request) => {
      const id = this.#requestId(request.key)
      if (this.#state.asked.has(toHex(id))) return []
      this.#state.asked.set(toHex(id), request.key)
      const path = [this.ids.minter, ...request.path]
      const key = { scheme: 'ecdsa', name: this.#config.minter.init.ecdsaKeyName } as const
      return [{ id, key, path, message: request.digest, taprootRoot: undefined }]
    })
  }

  #tellMinter(notice: Notice | undefined, now: TimestampNs): void {
    if (notice !== undefined) minter.notify(this.#state.minter, this.#world(now), notice)
  }

  #runTimers(now: TimestampNs): void {
    for (let ticks = 0; ticks < TICKS_MAX; ticks++) {
      const due = minter.nextTimer(this.#state.minter)
      if (due === undefined || due > now) return
      minter.tick(this.#state.minter, this.#world(now))
    }
  }

  /** Equal at all nodes, and never the same for two effects. Source: threshold §17.1. */
  #requestId({ txid, input, attempt: count }: SignatureKey): Uint8Array {
    const effect = concat(txid, u64be(BigInt(input)), u64be(BigInt(count)))
    return sha256(concat(this.ids.minter, u64be(this.#state.incarnation), effect))
  }

  /** Earliest slot time at which a timer is due. */
  nextTimer(): TimestampNs | undefined {
    return earliest([minter.nextTimer(this.#state.minter), this.#tokens.nextTimer()])
  }

  adapterWork(): AdapterWork {
    return this.#bitcoin.adapterWork()
  }

  /** Invariants of the canisters that do not hold: none, in every reachable state. */
  violations(): readonly string[] {
    return [...this.#bitcoin.violations(), ...minter.violations(this.#state.minter)]
  }
}

/** Certificate of a canister's certified data in the state that is asked. */
export type DataCertificate = (canisterId: Principal) => Uint8Array | undefined
