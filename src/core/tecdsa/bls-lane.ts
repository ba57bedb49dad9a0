/**
 * One node's part in the two BLS keys, made by the dealing machinery in G2 and then lent out for
 * shares of signatures. Source: threshold §16.2.
 *
 * They are two, so that a share given for one never serves the other; they share one counter of
 * transcript ids, because ids are counted by algorithm.
 */
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import type { NodeIndex } from '../base/party.ts'
import { verifyBls } from '../base/verification.ts'
import { blsPublicKey, blsShare, combineBls } from './bls.ts'
import { placeOf } from './evidence.ts'
import { KeyRuns } from './key-runs.ts'
import type { Transcript } from './parameters.ts'
import type { LaneMessage } from './participant.ts'
import { Participant } from './participant.ts'
import type { Run } from './run.ts'
import type { Epoch, RunLedgerConfig } from './run-ledger.ts'
import { RunLedger } from './run-ledger.ts'
import type { LaneContext, SignerOutputs } from './signer-context.ts'

/** `tape`: tape and coin. `certification`: state roots. */
export type BlsKeys<T> = { readonly tape: T; readonly certification: T }

export type BlsShares = ReadonlyMap<NodeIndex, Uint8Array>

export type Combined = {
  readonly signature: Uint8Array | undefined
  readonly blamed: readonly NodeIndex[]
}

type Members = Pick<LaneContext, 'members'>

/** One of the keys: this node's share of it, and what all know. */
export class BlsKey {
  readonly #context: Members
  readonly #runs: KeyRuns<BlsG2Point>
  readonly #part: Participant<BlsG2Point>
  #finalFrom: bigint | undefined
  /** Its transcript in the epoch before: what was signed under it may still be combined. */
  #former: Transcript<BlsG2Point> | undefined

  /** A key that was final in an earlier time line is in every slot of this one. */
  constructor(context: Members, runs: KeyRuns<BlsG2Point>, part: Participant<BlsG2Point>) {
    this.#context = context
    this.#runs = runs
    this.#part = part
    this.endSlot(-1n)
  }

  /** The run of the key, once the log has made it final. */
  get run(): Run<BlsG2Point> | undefined {
    return this.#runs.run
  }

  /** Id of its transcript: shares of the key are combined only with shares of the same one. */
  get transcriptId(): bigint | undefined {
    return this.run?.parameters.id
  }

  /** Number of the first slot before which it is final. A function of the log. */
  get finalFrom(): bigint | undefined {
    return this.#finalFrom
  }

  /** 96 bytes, once the log has made the key final. */
  get publicKey(): Uint8Array | undefined {
    const { transcript } = this.#runs
    return transcript && blsPublicKey(transcript.commitment)
  }

  /** 48 bytes; undefined while the own share cannot be loaded. */
  share(message: Uint8Array): Uint8Array | undefined {
    const { run } = this
    const share = run && this.#part.shareOf(run)
    return share && blsShare(share, message)
  }

  /**
   * Shares by number of the node; those of nodes that hold none do not count. `id`: the transcript
   * that all of them are of, that of now or the one before it.
   */
  combine(message: Uint8Array, shares: BlsShares, id = this.transcriptId): Combined {
    const transcripts = [this.#runs.transcript, this.#former]
    const transcript = transcripts.find((known) => known !== undefined && known.id === id)
    if (transcript === undefined) return { signature: undefined, blamed: [] }
    const parameters = { receivers: transcript.receivers.map((one) => ({ id: one })) }
    const nodes = new Map<NodeIndex, NodeIndex>()
    const placed = new Map<NodeIndex, Uint8Array>()
    for (const [node, share] of shares) {
      const place = placeOf(this.#context, parameters, node)
      if (place === undefined) continue
      nodes.set(place, node)
      placed.set(place, share)
    }
    const { signature, blamed } = combineBls(transcript.commitment, message, placed)
    return { signature, blamed: blamed.flatMap((place) => nodes.get(place) ?? []) }
  }

  /** The switch of a refresh. The run that was the key. */
  switch(): Run<BlsG2Point> | undefined {
    this.#former = this.#runs.transcript
    return this.#runs.switch()
  }

  /** Whether it is the signature. False for everything while the key is not final. */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    const { publicKey } = this
    return publicKey !== undefined && verifyBls(publicKey, message, signature)
  }

  endSlot(slot: bigint): void {
    if (this.run !== undefined) this.#finalFrom ??= slot + 1n
  }
}

export class BlsLane implements BlsKeys<BlsKey> {
  readonly #ledger: RunLedger<BlsG2Point>
  readonly #runs: BlsKeys<KeyRuns<BlsG2Point>>
  readonly #part: Participant<BlsG2Point>
  readonly tape: BlsKey
  readonly certification: BlsKey

  /** `kept`: the final runs of an earlier time line; without them keys are made. */
  constructor(
    context: Omit<LaneContext<BlsG2Point>, 'runs'>,
    frame: Omit<RunLedgerConfig<BlsG2Point>, 'kept'>,
    kept: BlsKeys<Run<BlsG2Point>> | undefined,
  ) {
    const runs = kept === undefined ? [] : [kept.tape, kept.certification]
    this.#ledger = new RunLedger({ ...frame, kept: runs })
    this.#part = new Participant({ ...context, runs: this.#ledger })
    // The tape key comes first: with it, the log has a coin that nobody knows in advance (§17.5).
    const tape = new KeyRuns(this.#ledger, kept?.tape)
    const certification = new KeyRuns(this.#ledger, kept?.certification)
    this.#runs = { tape, certification }
    this.tape = new BlsKey(context, tape, this.#part)
    this.certification = new BlsKey(context, certification, this.#part)
  }

  receive(from: NodeIndex, message: LaneMessage): SignerOutputs {
    return this.#part.receive(from, message)
  }

  work(): SignerOutputs | undefined {
    return this.#part.work()
  }

  resend(to: NodeIndex): SignerOutputs {
    return this.#part.resend(to)
  }

  /** An item of the log. False when it does not count. */
  takeDealing(bytes: Uint8Array): boolean {
    const judged = this.#part.judge(bytes)
    const run = judged && this.#ledger.take(judged.dealerIndex, judged.taken)
    if (run?.transcript !== undefined) for (const key of Object.values(this.#runs)) key.advance(run)
    return run !== undefined
  }

  /** Both keys are dealt on to the next membership from now on. §11.2 */
  beginRefresh(next: Epoch): void {
    this.#ledger.beginRefresh(next)
    for (const key of Object.values(this.#runs)) key.beginRefresh()
  }

  /** Whether nothing of these keys holds up the switch. */
  get isReshared(): boolean {
    return Object.values(this.#runs).every((key) => key.isReshared)
  }

  /** The switch. Nothing is answered with shares of the old transcripts any more (§16.2). */
  switch(): void {
    this.#ledger.enterEpoch()
    for (const key of [this.tape, this.certification]) {
      const old = key.switch()
      if (old !== undefined) this.#ledger.drop(old.parameters.id)
    }
  }

  /** Transcripts that are not dropped, oldest first. */
  runs(): readonly Run<BlsG2Point>[] {
    return this.#ledger.runs()
  }

  endSlot(slot: bigint): void {
    this.tape.endSlot(slot)
    this.certification.endSlot(slot)
    this.#ledger.enter(slot + 1n)
    this.#part.forget()
  }
}
