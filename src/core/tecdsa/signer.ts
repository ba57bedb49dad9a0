/**
 * One node's signer: dealer, receiver and signing over one schedule. Source: threshold §§7 to 9,
 * 11.1, 12, 14, 16.2, 18.
 *
 * It has two sides. The log's side (`takeDealing`, `judge`, `enqueue`, `holdKey`, `endSlot`) is
 * called while a slot is executed and is equal at every node. The peers' side (`step`) is this
 * node's own work; heavy steps wait for `work`, one at a time, so that a driver can do other things
 * in between.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import { encodePoint } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { BlsShares, Combined } from './bls-lane.ts'
import { BlsLane } from './bls-lane.ts'
import type { CoinContent } from './coin.ts'
import { Coin } from './coin.ts'
import { constantTerm } from './commitment.ts'
import type { Completion } from './completion.ts'
import { decodeCompletion } from './completion.ts'
import { runPrefix } from './evidence.ts'
import { Expiry, REQUEST_ALARM_MS } from './expiry.ts'
import { encodeFinalKeys } from './key-record.ts'
import type { Lane, SignerMessage } from './message.ts'
import { decodeSignerMessage } from './message.ts'
import { Participant } from './participant.ts'
import { Schedule } from './schedule.ts'
import type { SignerConfig } from './signer-config.ts'
import { keptKeys, laneContexts, runFrame, suites } from './signer-config.ts'
import type { SignerOutputs } from './signer-context.ts'
import { fault } from './signer-context.ts'
import { Signing } from './signing.ts'
import type { SigningRequest } from './stock.ts'
import { Tape } from './tape.ts'

export type SignerInput =
  | { readonly type: 'start' }
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  /** The node's clock has come to `nextExpiry`. */
  | { readonly type: 'clock'; readonly now: TimestampNs }

export class Signer {
  readonly #me: NodeIndex
  readonly #mainKey: string
  readonly #schedule: Schedule
  readonly #ecdsa: Participant<Secp256k1Point>
  readonly #bls: BlsLane
  readonly #coin: Coin
  readonly #tape: Tape
  readonly #signing: Signing
  readonly #expiry: Expiry

  /** Throws `BadEncoding` when what is to be restored is not the keys of this subnet. */
  constructor(config: SignerConfig) {
    const { me, genesis, mainKey, stockTarget, creationMax } = config
    const { incarnation } = genesis
    const frame = runFrame(config)
    const kept = keptKeys(config, frame)
    const { ecdsa, bls } = laneContexts(config)
    this.#me = me
    this.#mainKey = mainKey
    this.#schedule = new Schedule({
      ...frame,
      suite: suites.ecdsa,
      incarnation,
      stockTarget,
      creationMax,
      mainKey,
      kept: kept?.ecdsa ?? new Map(),
    })
    const context = { ...ecdsa, runs: this.#schedule, schedule: this.#schedule }
    this.#ecdsa = new Participant(context)
    const blsFrame = { ...frame, suite: suites.bls, incarnation }
    this.#bls = new BlsLane(bls, blsFrame, kept?.bls)
    const { tape } = this.#bls
    this.#coin = new Coin(tape, incarnation)
    const threshold = reconstructionThreshold(genesis.membership.members.length)
    this.#tape = new Tape({ key: tape, incarnation, threshold })
    this.#signing = new Signing(context, this.#ecdsa.receiver, this.#tape)
    this.#expiry = new Expiry({
      ...context,
      prefix: runPrefix(genesis),
      alarmMs: config.requestAlarmMs ?? REQUEST_ALARM_MS,
    })
  }

  /** Public key of the subnet: that of the main key. */
  get publicKey(): Uint8Array | undefined {
    return this.publicKeyOf(this.#mainKey)
  }

  /** SEC1 compressed, once the log has made the key final. */
  publicKeyOf(name: string): Uint8Array | undefined {
    const key = this.#schedule.keyOf(name)
    return key && encodePoint(suites.ecdsa.group, constantTerm(key.commitment))
  }

  /** Public key of certificates, 96 bytes, once the log has made it final. */
  get certificationKey(): Uint8Array | undefined {
    return this.#bls.certification.publicKey
  }

  /** Own share of a certificate's signature; undefined while it cannot be made. */
  certificationShare(message: Uint8Array): Uint8Array | undefined {
    return this.#bls.certification.share(message)
  }

  /** The signature of a certificate; without it, whose shares are to blame. */
  combineCertification(message: Uint8Array, shares: BlsShares): Combined {
    return this.#bls.certification.combine(message, shares)
  }

  /** Number of the first slot whose coins are of the tape key: see `Coin.finalFrom`. */
  get tapeKeySlot(): bigint | undefined {
    return this.#coin.finalFrom
  }

  /** Own share of a coin of the log, `COIN_SHARE_SIZE` bytes; undefined while it cannot be made. */
  coinShare(content: CoinContent): Uint8Array | undefined {
    return this.#coin.share(content)
  }

  /** A coin of the log; without it, whose shares are to blame. */
  combineCoin(content: CoinContent, shares: BlsShares): ReturnType<Coin['combine']> {
    return this.#coin.combine(content, shares)
  }

  /** Keys that are final, the subnet's own included: `finalKeys` changes when it grows. */
  get finalKeyCount(): number {
    const own = [this.#bls.tape, this.#bls.certification].filter(({ run }) => run !== undefined)
    return this.#schedule.finalKeys().size + own.length
  }

  /**
   * All final keys for a later start of the whole subnet, equal at all nodes after the same slot;
   * undefined until the main key and the subnet's own are among them. Nothing in it is secret.
   */
  get finalKeys(): Uint8Array | undefined {
    const ecdsa = this.#schedule.finalKeys()
    const [tape, certification] = [this.#bls.tape.run, this.#bls.certification.run]
    if (tape === undefined || certification === undefined || !ecdsa.has(this.#mainKey))
      return undefined
    return encodeFinalKeys(suites, { ecdsa, bls: { tape, certification } })
  }

  /** Presignatures of the main key that are complete and not paired. */
  get stock(): number {
    return this.#schedule.stockOf(this.#mainKey)
  }

  /** Requests that wait for a presignature or a signature. */
  get openRequests(): number {
    return this.#schedule.queued().length + this.#schedule.pairings().length
  }

  /** Total: nothing a peer sends makes it throw. */
  step(input: SignerInput): SignerOutputs {
    switch (input.type) {
      case 'start':
        return [{ type: 'send', to: 'all', message: { type: 'resend' } }]
      case 'message':
        return this.#receive(input.from, input.bytes)
      case 'clock':
        return this.#expiry.abort(input.now)
    }
  }

  #receive(from: NodeIndex, bytes: Uint8Array): SignerOutputs {
    const message = attempt(() => decodeSignerMessage(bytes))
    if (message instanceof BadEncoding) return [fault(from, `BadEncoding: ${message.message}`)]
    return this.#dispatch(from, message)
  }

  #dispatch(from: NodeIndex, message: SignerMessage): SignerOutputs {
    switch (message.type) {
      case 'dealing':
      case 'support':
      case 'complaint':
      case 'opening':
        return this.#part(message.lane).receive(from, message)
      case 'share':
        return this.#signing.share(from, message)
      case 'tape-share':
      case 'tape':
        return this.#tape.receive(from, message)
      case 'resend':
        if (from === this.#me) return []
        return [
          ...this.#ecdsa.resend(from),
          ...this.#tape.resend(from),
          ...this.#signing.resend(from),
          ...this.#bls.resend(from),
        ]
    }
  }

  #part(lane: Lane): Participant<Secp256k1Point> | BlsLane {
    return lane === 'ecdsa' ? this.#ecdsa : this.#bls
  }

  /** One piece of heavy work; undefined when nothing is owed. Signatures come first. */
  work(): SignerOutputs | undefined {
    return this.#signing.work() ?? this.#tape.work() ?? this.#bls.work() ?? this.#ecdsa.work()
  }

  /** An item of the log. False when it does not count. */
  takeDealing(lane: Lane, bytes: Uint8Array): boolean {
    if (lane === 'bls') return this.#bls.takeDealing(bytes)
    const judged = this.#ecdsa.judge(bytes)
    return judged !== undefined && this.#schedule.take(judged.dealerIndex, judged.taken)
  }

  /** An item of the log: the signature it completes a request with, once. */
  judge(bytes: Uint8Array): Completion | undefined {
    const completion = attempt(() => decodeCompletion(bytes))
    if (completion instanceof BadEncoding || !this.#signing.judge(completion)) return undefined
    this.#schedule.complete(completion.requestId)
    return completion
  }

  /**
   * A signature is asked for, under a key that is made now if it is not there. False when the queue
   * of the key is full, or the subnet offers no key of this name.
   */
  enqueue(request: SigningRequest): boolean {
    return this.#schedule.enqueue(request)
  }

  /** A public key is asked for: it is made if it is not there. False for a name not offered. */
  holdKey(name: string): boolean {
    return this.#schedule.holdKey(name)
  }

  /** An item of the log: a node says that a request takes too long. False when it does not count. */
  takeAbort(bytes: Uint8Array): boolean {
    return this.#expiry.take(bytes)
  }

  /** The items of the slot are executed: ids of requests that have expired in it. */
  expire(): readonly Uint8Array[] {
    return this.#expiry.expire()
  }

  /** When this node's clock has to be told to it next; undefined when nothing waits for it. */
  get nextExpiry(): TimestampNs | undefined {
    return this.#expiry.due
  }

  /**
   * What the slot made of its items is done: pairs, replenishes, and says what is due now that the slot
   * is decided.
   */
  endSlot(slot: bigint, time: TimestampNs): SignerOutputs {
    this.#schedule.endSlot(slot)
    this.#expiry.endSlot(time)
    this.#ecdsa.forget()
    this.#bls.endSlot(slot)
    const needed = new Set(this.#schedule.pairings().map((pairing) => pairing.slot))
    return [...this.#tape.endSlot(slot, needed), ...this.#signing.endSlot()]
  }
}
