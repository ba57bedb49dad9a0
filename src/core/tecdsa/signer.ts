/**
 * One node's signer: a lane for each algorithm, the subnet's own keys, and the tape. Source:
 * threshold §§7 to 19.
 *
 * It has two sides. The log's side (`takeDealing`, `judge`, `enqueue`, `holdKey`, `endSlot`) is
 * called while a slot is executed and is equal at every node. The peers' side (`step`) is this
 * node's own work; heavy steps wait for `work`, one at a time, so that a driver can do other things
 * in between.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { BlsShares, Combined } from './bls-lane.ts'
import { BlsLane } from './bls-lane.ts'
import type { CoinContent } from './coin.ts'
import { Coin } from './coin.ts'
import type { Completion } from './completion.ts'
import { decodeCompletion } from './completion.ts'
import { Epochs } from './epochs.ts'
import { runPrefix } from './evidence.ts'
import { Expiry, REQUEST_ALARM_MS } from './expiry.ts'
import type { AnyKeyLane, KeyLanes } from './key-lanes.ts'
import { makeKeyLanes, requestsOf } from './key-lanes.ts'
import { encodeFinalKeys } from './key-record.ts'
import type { Lane, SignerMessage } from './message.ts'
import { decodeSignerMessage } from './message.ts'
import type { RefreshStage } from './refresh.ts'
import { Refresh } from './refresh.ts'
import type { KeyId, SigningRequest } from './request.ts'
import type { Roster } from './roster.ts'
import type { Run } from './run.ts'
import type { SignerConfig } from './signer-config.ts'
import { blsContext, keptKeys, runFrame, suites } from './signer-config.ts'
import type { SignerOutputs } from './signer-context.ts'
import { fault } from './signer-context.ts'
import { firstStanding } from './standing.ts'
import { Tape } from './tape.ts'

export type SignerInput =
  | { readonly type: 'start' }
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  /** The node's clock has come to `nextExpiry`. */
  | { readonly type: 'clock'; readonly now: TimestampNs }
  /** This node is to wish a refresh; it takes f + 1 of them. */
  | { readonly type: 'wish' }

export type KeyEpoch = {
  /** Of the membership. */
  readonly version: bigint
  readonly stage: RefreshStage
  /** Numbers of the members, in canonical order. */
  readonly members: readonly NodeIndex[]
}

export class Signer {
  readonly #me: NodeIndex
  readonly #mainKey: KeyId
  readonly #keys: KeyLanes
  readonly #bls: BlsLane
  readonly #coin: Coin
  readonly #tape: Tape
  readonly #expiry: Expiry
  readonly #refresh: Refresh
  readonly #roster: Roster

  /** Throws `BadEncoding` when what is to be restored is not the keys of this subnet. */
  constructor(config: SignerConfig) {
    const { me, genesis, mainKey, keys, records } = config
    const { incarnation } = genesis
    const kept = keptKeys(config)
    const standing = kept?.standing ?? firstStanding(genesis)
    const { roster } = standing
    const frame = runFrame(config, standing)
    const lanes = { ...config, roster }
    this.#me = me
    this.#mainKey = { scheme: 'ecdsa', name: mainKey }
    const blsFrame = { ...frame, suite: suites.bls, incarnation }
    this.#bls = new BlsLane(blsContext(lanes), blsFrame, kept?.bls)
    const { tape } = this.#bls
    this.#coin = new Coin(tape, incarnation)
    this.#tape = new Tape({ key: tape, incarnation })
    this.#keys = makeKeyLanes(lanes, { frame, kept, tape: this.#tape })
    const parts = [this.#bls, ...this.#lanes]
    const prefix = runPrefix(genesis)
    const runs = (): readonly Run<unknown>[] =>
      parts.flatMap((part): readonly Run<unknown>[] => part.runs())
    this.#refresh = new Refresh({
      ...config,
      ...standing,
      prefix,
      epochs: new Epochs({ keys, incarnation, records, runs }),
      parts,
      isReady: () => this.#isWhole,
      intervalMs: config.refreshIntervalMs,
    })
    this.#roster = roster
    this.#expiry = new Expiry({
      ...blsContext(lanes),
      requests: requestsOf(this.#lanes),
      membership: this.#refresh,
      prefix,
      alarmMs: config.requestAlarmMs ?? REQUEST_ALARM_MS,
    })
  }

  get #lanes(): readonly AnyKeyLane[] {
    return Object.values(this.#keys)
  }

  /** Public key of the subnet: that of the main key. */
  get publicKey(): Uint8Array | undefined {
    return this.publicKeyOf(this.#mainKey)
  }

  /** SEC1 compressed, or RFC 8032, once the log has made the key final. */
  publicKeyOf({ scheme, name }: KeyId): Uint8Array | undefined {
    return this.#keys[scheme].publicKeyOf(name)
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
  combineCertification(message: Uint8Array, shares: BlsShares, id?: bigint): Combined {
    return this.#bls.certification.combine(message, shares, id)
  }

  /** Id of the transcript that shares of certificates are of. */
  get certificationTranscript(): bigint | undefined {
    return this.#bls.certification.transcriptId
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
    const named = this.#lanes.map(({ schedule }) => schedule.finalKeys().size)
    return named.reduce((sum, size) => sum + size, own.length)
  }

  /**
   * All final keys for a later start of the whole subnet, equal at all nodes after the same slot;
   * undefined until the main key and the subnet's own are among them. Nothing in it is secret.
   */
  get finalKeys(): Uint8Array | undefined {
    const { ecdsa, bip340, ed25519 } = this.#keys
    const [tape, certification] = [this.#bls.tape.run, this.#bls.certification.run]
    if (tape === undefined || certification === undefined || !this.#isWhole) return undefined
    const { membership, former } = this.#refresh
    return encodeFinalKeys(suites, {
      ecdsa: ecdsa.schedule.finalKeys(),
      bip340: bip340.schedule.finalKeys(),
      ed25519: ed25519.schedule.finalKeys(),
      bls: { tape, certification },
      standing: { roster: this.#roster, membership, former },
    })
  }

  /** The subnet has the keys without which it is none. */
  get #isWhole(): boolean {
    const { tape, certification } = this.#bls
    return [tape.run, certification.run, this.publicKey].every((key) => key !== undefined)
  }

  /** Where the keys are in their life: version of the membership, and what a refresh waits for. */
  get epoch(): KeyEpoch {
    const { membership, stage } = this.#refresh
    return {
      version: membership.version,
      stage,
      members: membership.members.map(({ node }) => node),
    }
  }

  /** Public key of the tape, 96 bytes, once the log has made it final. */
  get tapeKey(): Uint8Array | undefined {
    return this.#bls.tape.publicKey
  }

  /** Presignatures of the main key that are complete and not paired. */
  get stock(): number {
    return this.#keys.ecdsa.schedule.stockOf(this.#mainKey.name)
  }

  /** Requests that wait for a presignature or a signature. */
  get openRequests(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.openRequests, 0)
  }

  /** Total: nothing a peer sends makes it throw. */
  step(input: SignerInput): SignerOutputs {
    switch (input.type) {
      case 'start':
        return [{ type: 'send', to: 'all', message: { type: 'resend' } }]
      case 'message':
        return this.#receive(input.from, input.bytes)
      case 'clock':
        this.#refresh.clock(input.now)
        return [...this.#expiry.abort(input.now), ...(this.#refresh.work() ?? [])]
      case 'wish':
        this.#refresh.wish()
        return this.#refresh.work() ?? []
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
        return message.lane === 'bls'
          ? this.#bls.receive(from, message)
          : this.#keys[message.lane].receive(from, message)
      case 'share':
        return this.#keys[message.lane].receive(from, message)
      case 'tape-share':
      case 'tape':
        return this.#tape.receive(from, message)
      case 'resend':
        if (from === this.#me) return []
        return [
          ...this.#lanes.flatMap((lane) => lane.resend(from)),
          ...this.#tape.resend(from),
          ...this.#bls.resend(from),
        ]
    }
  }

  /** One piece of heavy work; undefined when nothing is owed. Signatures come first. */
  work(): SignerOutputs | undefined {
    return (
      this.#first((lane) => lane.sign()) ??
      this.#tape.work() ??
      this.#bls.work() ??
      this.#refresh.work() ??
      this.#first((lane) => lane.work())
    )
  }

  #first(work: (lane: AnyKeyLane) => SignerOutputs | undefined): SignerOutputs | undefined {
    for (const lane of this.#lanes) {
      const done = work(lane)
      if (done !== undefined) return done
    }
    return undefined
  }

  /** An item of the log. False when it does not count. */
  takeDealing(lane: Lane, bytes: Uint8Array): boolean {
    return (lane === 'bls' ? this.#bls : this.#keys[lane]).takeDealing(bytes)
  }

  /** An item of the log: the signature it completes a request with, once. */
  judge(bytes: Uint8Array): Completion | undefined {
    const completion = attempt(() => decodeCompletion(bytes))
    if (completion instanceof BadEncoding) return undefined
    return this.#lanes.some((lane) => lane.complete(completion)) ? completion : undefined
  }

  /**
   * A signature is asked for, under a key that is made now if it is not there. False when the queue
   * of the key is full, or the subnet offers no key of this name.
   */
  enqueue(request: SigningRequest): boolean {
    return this.#keys[request.key.scheme].schedule.enqueue(request)
  }

  /** Whether there is such a key, or it is made when somebody asks for it. */
  offersKey({ scheme, name }: KeyId): boolean {
    return this.#keys[scheme].schedule.offersKey(name)
  }

  /** A public key is asked for: it is made if it is not there. False for a name not offered. */
  holdKey({ scheme, name }: KeyId): boolean {
    return this.#keys[scheme].schedule.holdKey(name)
  }

  /** An item of the log: a node says that a request takes too long. False when it does not count. */
  takeAbort(bytes: Uint8Array): boolean {
    return this.#expiry.take(bytes)
  }

  /** The items of the slot are executed: ids of requests that have expired in it. */
  expire(): readonly Uint8Array[] {
    return this.#expiry.expire()
  }

  /** An item of the log: the word of a node in a refresh. False when it does not count. */
  takeRefresh(bytes: Uint8Array): boolean {
    return this.#refresh.take(bytes)
  }

  /** The operator asks for a refresh. False when it does not count: one runs, or no key is final. */
  startRefresh(): boolean {
    return this.#refresh.start()
  }

  /** The operator changes the membership, with a refresh. False when it does not count. */
  changeMembership(bytes: Uint8Array): boolean {
    return this.#refresh.change(bytes)
  }

  /** When this node's clock has to be told to it next; undefined when nothing waits for it. */
  get nextExpiry(): TimestampNs | undefined {
    const dues = [this.#expiry.due, this.#refresh.due].filter((due) => due !== undefined)
    return dues.toSorted((a, b) => (a < b ? -1 : 1))[0]
  }

  /**
   * What the slot made of its items is done: pairs, replenishes, and says what is due now that the slot
   * is decided.
   */
  endSlot(slot: bigint, time: TimestampNs): SignerOutputs {
    if (this.#refresh.endSlot(time)) this.#tape.switch()
    for (const lane of this.#lanes) lane.endSlot(slot)
    this.#expiry.endSlot(time)
    this.#bls.endSlot(slot)
    const pairings = this.#lanes.flatMap(({ schedule }) =>
      schedule.pairings().map((pairing) => pairing.slot),
    )
    return [
      ...this.#tape.endSlot(slot, new Set(pairings)),
      ...this.#lanes.flatMap((lane) => lane.afterSlot()),
    ]
  }
}
