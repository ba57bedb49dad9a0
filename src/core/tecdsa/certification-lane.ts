/**
 * One node's part in the certification key: made by the dealing machinery in G2, then lent out for
 * shares of signatures. Source: threshold §16.2.
 */
import { concat } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import { blsG2 } from '../base/noble-bls12381.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { blsPublicKey, blsShare, combineBls } from './bls.ts'
import { Dealer } from './dealer.ts'
import { decodeDealing } from './dealing-codec.ts'
import { decodeSupportedDealing, supportSuffices } from './evidence.ts'
import type { RunFrame } from './key-record.ts'
import { decodeKeyRun, encodeKeyRun } from './key-record.ts'
import { KeyRuns } from './key-runs.ts'
import type { SignerMessage } from './message.ts'
import { dealerIndexOf } from './parameters.ts'
import { Receiver } from './receiver.ts'
import { takesDealer } from './run.ts'
import type { LaneContext, SignerContext, SignerOutputs } from './signer-context.ts'
import { algorithmIds, thresholdBls } from './suite.ts'

/** The algorithm over our engines. */
const suite = thresholdBls(blsG2, secp256k1)

export class CertificationLane {
  readonly #context: LaneContext<BlsG2Point>
  readonly #runs: KeyRuns<BlsG2Point>
  readonly #receiver: Receiver<BlsG2Point>
  readonly #dealer: Dealer<BlsG2Point>

  /** `restored`: the key as `kept` gave it. Throws `BadEncoding` for one that is none. */
  constructor(
    {
      genesis,
      keys,
      me,
      recipient,
      records,
      recordPrefix,
      prefix,
      members,
      ed25519,
    }: SignerContext,
    frame: RunFrame,
    restored: Uint8Array | undefined,
  ) {
    this.#runs = new KeyRuns({
      ...frame,
      suite,
      incarnation: genesis.incarnation,
      restored: restored === undefined ? undefined : decodeKeyRun(suite, restored, frame),
    })
    this.#context = {
      genesis,
      lane: 'bls',
      suite,
      schedule: this.#runs,
      keys,
      me,
      recipient,
      records,
      recordPrefix: `${recordPrefix}bls/`,
      // Ids of transcripts count anew here: no signature may serve in both lanes.
      prefix: concat(prefix, Uint8Array.of(algorithmIds.ThresholdBls)),
      members,
      ed25519,
    }
    this.#receiver = new Receiver(this.#context)
    this.#dealer = new Dealer(this.#context, this.#receiver)
  }

  /** 96 bytes, once the log has made the key final. */
  get publicKey(): Uint8Array | undefined {
    const transcript = this.#runs.key?.transcript
    return transcript && blsPublicKey(transcript.commitment)
  }

  /** The key for a later start; undefined while it is in the making. */
  get kept(): Uint8Array | undefined {
    const { key } = this.#runs
    return key && encodeKeyRun(suite, key)
  }

  /** 48 bytes; undefined while the own share cannot be loaded. */
  share(message: Uint8Array): Uint8Array | undefined {
    const { key } = this.#runs
    const share = key && this.#receiver.shareOf(key)
    return share && blsShare(share, message)
  }

  combine(
    message: Uint8Array,
    shares: ReadonlyMap<NodeIndex, Uint8Array>,
  ): { readonly signature: Uint8Array | undefined; readonly blamed: readonly NodeIndex[] } {
    const transcript = this.#runs.key?.transcript
    if (transcript === undefined) return { signature: undefined, blamed: [] }
    return combineBls(transcript.commitment, message, shares)
  }

  receive(
    from: NodeIndex,
    message: Extract<SignerMessage, { readonly type: 'dealing' | 'support' }>,
  ): SignerOutputs {
    return message.type === 'dealing'
      ? this.#receiver.accept(message.signed)
      : this.#dealer.support({ ...message.support, signer: from })
  }

  /** One piece of heavy work; undefined when nothing is owed. */
  work(): SignerOutputs | undefined {
    return this.#receiver.work() ?? this.#dealer.work()
  }

  resend(to: NodeIndex): SignerOutputs {
    return [...this.#dealer.resend(to), ...this.#receiver.resend(to)]
  }

  /** An item of the log. False when it does not count. */
  takeDealing(bytes: Uint8Array): boolean {
    const supported = attempt(() => decodeSupportedDealing(bytes))
    if (supported instanceof BadEncoding) return false
    const { signed } = supported
    const run = this.#runs.run(signed.transcriptId)
    const id = this.#context.members[signed.dealer]?.id
    const dealerIndex = run && id && dealerIndexOf(run.parameters, id)
    if (run === undefined || dealerIndex === undefined || !takesDealer(run, dealerIndex))
      return false
    if (!supportSuffices(this.#context, supported)) return false
    const dealing = attempt(() => decodeDealing(suite, signed.dealing))
    if (dealing instanceof BadEncoding) return false
    return this.#runs.take(dealerIndex, { signed, dealing })
  }

  endSlot(slot: bigint): void {
    this.#runs.endSlot(slot)
    this.#receiver.forget()
    this.#dealer.forget()
  }
}
