/**
 * One node's signer: dealer, receiver and signing over one schedule. Source: threshold §§7 to 9,
 * 11.1, 12, 14, 18.
 *
 * It has two sides. The log's side (`takeDealing`, `judge`, `enqueue`, `endSlot`) is called while a
 * slot is executed and is equal at every node. The peers' side (`step`) is this node's own work;
 * heavy steps wait for `work`, one at a time, so that a driver can do other things in between.
 */
import { Reader, Writer } from '../base/codec.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import { encodePoint } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Ed25519 } from '../base/verification.ts'
import { CertificationLane } from './certification-lane.ts'
import { constantTerm } from './commitment.ts'
import { Dealer } from './dealer.ts'
import { decodeDealing } from './dealing-codec.ts'
import { decodeSupportedDealing, runPrefix, supportSuffices } from './evidence.ts'
import type { RunFrame } from './key-record.ts'
import { decodeKeyRun, encodeKeyRun } from './key-record.ts'
import type { Genesis } from './membership.ts'
import { subnetIdOf } from './membership.ts'
import type { Lane, SignerMessage } from './message.ts'
import { decodeSignerMessage } from './message.ts'
import type { NodeKeys } from './node-keys.ts'
import { dealerIndexOf, member } from './parameters.ts'
import { Receiver } from './receiver.ts'
import { takesDealer } from './run.ts'
import type { SigningRequest } from './schedule.ts'
import { Schedule } from './schedule.ts'
import type { SignerContext, SignerOutputs } from './signer-context.ts'
import { fault } from './signer-context.ts'
import type { Completion } from './signing.ts'
import { decodeCompletion, Signing } from './signing.ts'
import { ecdsaSecp256k1 } from './suite.ts'

export type SignerConfig = {
  readonly genesis: Genesis
  readonly keys: NodeKeys
  readonly me: NodeIndex
  readonly ed25519: Ed25519
  /** What earlier lives of this node recorded. */
  readonly records: ReadonlyMap<string, Uint8Array>
  /** Presignatures kept complete and unpaired, and those in the making at one time. */
  readonly stockTarget: number
  readonly creationMax: number
  /**
   * What `finalKeys` gave in an earlier time line: the whole subnet starts again under a new
   * incarnation, and nothing but the keys remains (§18.4).
   */
  readonly restored?: Uint8Array | undefined
}

export type SignerInput =
  | { readonly type: 'start' }
  | { readonly type: 'message'; readonly from: NodeIndex; readonly bytes: Uint8Array }
  | { readonly type: 'tape'; readonly slot: bigint; readonly value: Uint8Array }

export class Signer {
  readonly #context: SignerContext
  readonly #schedule: Schedule
  readonly #receiver: Receiver<Secp256k1Point>
  readonly #dealer: Dealer<Secp256k1Point>
  readonly #certification: CertificationLane
  readonly #signing: Signing

  constructor(config: SignerConfig) {
    const { genesis, keys, me, ed25519, records } = config
    const suite = ecdsaSecp256k1(secp256k1)
    const { members, version } = genesis.membership
    const frame: RunFrame = {
      members: members.map(({ id, encryptionKey }) => member(suite, id, encryptionKey)),
      membershipVersion: version,
      subnetId: subnetIdOf(genesis),
    }
    const restored = config.restored && decodeFinalKeys(config.restored)
    this.#schedule = new Schedule({
      ...frame,
      suite,
      restored: restored && decodeKeyRun(suite, restored.ecdsa, frame),
      incarnation: genesis.incarnation,
      stockTarget: config.stockTarget,
      creationMax: config.creationMax,
    })
    this.#context = {
      genesis,
      lane: 'ecdsa',
      suite,
      schedule: this.#schedule,
      keys,
      me,
      recipient: { receiverIndex: me, key: keys.encryptionKey },
      records,
      recordPrefix: `${genesis.incarnation}/`,
      prefix: runPrefix(genesis),
      members,
      ed25519,
    }
    this.#receiver = new Receiver(this.#context)
    this.#dealer = new Dealer(this.#context, this.#receiver)
    this.#signing = new Signing(this.#context, this.#receiver)
    this.#certification = new CertificationLane(this.#context, frame, restored?.certification)
  }

  /** Public key of the subnet, SEC1 compressed, once the log has made it final. */
  get publicKey(): Uint8Array | undefined {
    const { key } = this.#schedule
    return key === undefined ? undefined : encodePoint(secp256k1, constantTerm(key.commitment))
  }

  /** Public key of certificates, 96 bytes, once the log has made it final. */
  get certificationKey(): Uint8Array | undefined {
    return this.#certification.publicKey
  }

  /** Own share of a certificate's signature; undefined while it cannot be made. */
  certificationShare(message: Uint8Array): Uint8Array | undefined {
    return this.#certification.share(message)
  }

  /** The signature of a certificate; without it, whose shares are to blame. */
  combineCertification(
    message: Uint8Array,
    shares: ReadonlyMap<NodeIndex, Uint8Array>,
  ): ReturnType<CertificationLane['combine']> {
    return this.#certification.combine(message, shares)
  }

  /** Both keys for a later start of the whole subnet; undefined until both are final. */
  get finalKeys(): Uint8Array | undefined {
    const [run, certification] = [this.#schedule.keyRun, this.#certification.kept]
    if (run?.transcript === undefined || certification === undefined) return undefined
    const ecdsa = encodeKeyRun(this.#context.suite, run)
    return new Writer().bytes(ecdsa).bytes(certification).done()
  }

  /** Presignatures that are complete and not paired. */
  get stock(): number {
    return this.#schedule.stock
  }

  /** Requests that wait for a presignature or a signature. */
  get openRequests(): number {
    return this.#schedule.waiting + this.#schedule.pairings().length
  }

  /** Total: nothing a peer sends makes it throw. */
  step(input: SignerInput): SignerOutputs {
    switch (input.type) {
      case 'start':
        return [{ type: 'send', to: 'all', message: { type: 'resend' } }]
      case 'message':
        return this.#receive(input.from, input.bytes)
      case 'tape':
        return this.#signing.tape(input.slot, input.value)
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
        if (message.lane === 'bls') return this.#certification.receive(from, message)
        return message.type === 'dealing'
          ? this.#receiver.accept(message.signed)
          : this.#dealer.support({ ...message.support, signer: from })
      case 'share':
        return this.#signing.share(from, message)
      case 'resend':
        if (from === this.#context.me) return []
        return [
          ...this.#dealer.resend(from),
          ...this.#receiver.resend(from),
          ...this.#signing.resend(from),
          ...this.#certification.resend(from),
        ]
    }
  }

  /**
   * One piece of heavy work; undefined when nothing is owed. Signatures before checks, checks
   * before dealings.
   */
  work(): SignerOutputs | undefined {
    return (
      this.#signing.work() ??
      this.#certification.work() ??
      this.#receiver.work() ??
      this.#dealer.work()
    )
  }

  /** An item of the log. False when it does not count. */
  takeDealing(lane: Lane, bytes: Uint8Array): boolean {
    if (lane === 'bls') return this.#certification.takeDealing(bytes)
    const supported = attempt(() => decodeSupportedDealing(bytes))
    if (supported instanceof BadEncoding) return false
    const { signed } = supported
    const run = this.#schedule.run(signed.transcriptId)
    const id = this.#context.members[signed.dealer]?.id
    const dealerIndex = run && id && dealerIndexOf(run.parameters, id)
    // What comes too late to count is not worth checking, and all nodes see alike what that is.
    if (run === undefined || dealerIndex === undefined || !takesDealer(run, dealerIndex))
      return false
    if (!supportSuffices(this.#context, supported)) return false
    const dealing = attempt(() => decodeDealing(this.#context.suite, signed.dealing))
    if (dealing instanceof BadEncoding) return false
    return this.#schedule.take(dealerIndex, { signed, dealing })
  }

  /** An item of the log: the signature it completes a request with, once. */
  judge(bytes: Uint8Array): Completion | undefined {
    const completion = attempt(() => decodeCompletion(bytes))
    if (completion instanceof BadEncoding || !this.#signing.judge(completion)) return undefined
    this.#schedule.complete(completion.requestId)
    return completion
  }

  /** A canister asks for a signature. False when the queue is full. */
  enqueue(request: SigningRequest): boolean {
    return this.#schedule.enqueue(request)
  }

  /**
   * The items of the slot are executed: pairs, replenishes, and says whether ω of the slot is
   * needed.
   */
  endSlot(slot: bigint): SignerOutputs {
    const paired = this.#schedule.endSlot(slot)
    this.#receiver.forget()
    this.#dealer.forget()
    this.#signing.forget()
    this.#certification.endSlot(slot)
    return paired.length === 0 ? [] : [{ type: 'tape', slot: present(paired[0], 'not empty').slot }]
  }
}

/** Anything but what `finalKeys` gives is `BadEncoding`. */
function decodeFinalKeys(bytes: Uint8Array): {
  readonly ecdsa: Uint8Array
  readonly certification: Uint8Array
} {
  const reader = new Reader(bytes)
  return reader.end({ ecdsa: reader.bytes(), certification: reader.bytes() })
}
