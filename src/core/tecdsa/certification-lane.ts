/**
 * One node's part in the certification key: made by the dealing machinery in G2, then lent out for
 * shares of signatures. Source: threshold §16.2.
 */
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import type { NodeIndex } from '../base/party.ts'
import { blsPublicKey, blsShare, combineBls } from './bls.ts'
import { KeyRuns } from './key-runs.ts'
import type { LaneMessage } from './participant.ts'
import { Participant } from './participant.ts'
import type { Run } from './run.ts'
import type { RunLedgerConfig } from './run-ledger.ts'
import { RunLedger } from './run-ledger.ts'
import type { LaneContext, SignerOutputs } from './signer-context.ts'

export class CertificationLane {
  readonly #ledger: RunLedger<BlsG2Point>
  readonly #key: KeyRuns<BlsG2Point>
  readonly #part: Participant<BlsG2Point>

  /** `kept`: the final run of an earlier time line; without it a key is made. */
  constructor(
    context: Omit<LaneContext<BlsG2Point>, 'runs'>,
    frame: Omit<RunLedgerConfig<BlsG2Point>, 'kept'>,
    kept: Run<BlsG2Point> | undefined,
  ) {
    this.#ledger = new RunLedger({ ...frame, kept: kept === undefined ? [] : [kept] })
    this.#key = new KeyRuns(this.#ledger, kept)
    this.#part = new Participant({ ...context, runs: this.#ledger })
  }

  /** The run of the key, once the log has made it final. */
  get run(): Run<BlsG2Point> | undefined {
    return this.#key.run
  }

  /** 96 bytes, once the log has made the key final. */
  get publicKey(): Uint8Array | undefined {
    const { transcript } = this.#key
    return transcript && blsPublicKey(transcript.commitment)
  }

  /** 48 bytes; undefined while the own share cannot be loaded. */
  share(message: Uint8Array): Uint8Array | undefined {
    const { run } = this
    const share = run && this.#part.shareOf(run)
    return share && blsShare(share, message)
  }

  combine(
    message: Uint8Array,
    shares: ReadonlyMap<NodeIndex, Uint8Array>,
  ): { readonly signature: Uint8Array | undefined; readonly blamed: readonly NodeIndex[] } {
    const { transcript } = this.#key
    if (transcript === undefined) return { signature: undefined, blamed: [] }
    return combineBls(transcript.commitment, message, shares)
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
    if (run?.transcript !== undefined) this.#key.advance(run)
    return run !== undefined
  }

  endSlot(slot: bigint): void {
    this.#ledger.enter(slot + 1n)
    this.#part.forget()
  }
}
