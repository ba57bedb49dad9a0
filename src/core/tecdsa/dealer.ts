/**
 * The dealer's part of a signer: deals what it owes, gathers support, hands the result to the log.
 * Source: threshold §§7, 8.3.
 */
import { equalBytes, toHex, utf8 } from '../base/bytes.ts'
import { encodePoint } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import { verificationThreshold } from '../base/party.ts'
import type { OracleInputs } from '../base/random-oracle.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
import { createDealing } from './dealing.ts'
import { encodeDealing } from './dealing-codec.ts'
import type { DealerShares } from './dealing-draw.ts'
import type { EpochKey } from './epoch-key.ts'
import type { SignedDealing, Support } from './evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  encodeSupportedDealing,
  placeOf,
  supporterSigned,
} from './evidence.ts'
import type { Operation, TranscriptParameters } from './parameters.ts'
import { associatedData, dealerIndexOf, inputsOf } from './parameters.ts'
import type { Receiver } from './receiver.ts'
import type { Run } from './run.ts'
import { takesDealer } from './run.ts'
import type { LaneContext, SignerOutput, SignerOutputs } from './signer-context.ts'

/** A dealing of this node on its way into the log. */
type Own<P> = {
  readonly parameters: TranscriptParameters<P>
  readonly signed: SignedDealing
  readonly supports: Map<NodeIndex, Support>
  submitted: boolean
}

type Owed<P> = {
  readonly run: Run<P>
  readonly dealerIndex: NodeIndex
  readonly shares: DealerShares
  readonly epoch: EpochKey
}

export class Dealer<P> {
  readonly #context: LaneContext<P>
  readonly #receiver: Receiver<P>
  readonly #own = new Map<bigint, Own<P>>()

  constructor(context: LaneContext<P>, receiver: Receiver<P>) {
    this.#context = context
    this.#receiver = receiver
  }

  /**
   * Makes the dealing of the oldest transcript that waits for one of this node. Undefined when none
   * does.
   */
  work(): SignerOutputs | undefined {
    const owed = this.#nextOwed()
    if (owed === undefined) return undefined
    const { run, dealerIndex, shares, epoch } = owed
    const { suite, keys, prefix, me } = this.#context
    const { parameters } = run
    const seed = epoch.seedOf(this.#seedLabel(parameters))
    const dealing = createDealing(suite, { parameters, dealerIndex }, { shares, seed })
    const statement = {
      transcriptId: parameters.id,
      dealer: me,
      dealing: encodeDealing(suite, dealing),
    }
    const signature = keys.sign('dealing', dealingContent(prefix, statement))
    const signed = decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
    this.#own.set(parameters.id, { parameters, signed, supports: new Map(), submitted: false })
    const { lane } = this.#context
    return [{ type: 'send', to: 'all', message: { type: 'dealing', lane, signed } }]
  }

  #nextOwed(): Owed<P> | undefined {
    const { runs, keys } = this.#context
    const { id } = keys.record
    for (const run of runs.openRuns()) {
      if (this.#own.has(run.parameters.id)) continue
      const dealerIndex = dealerIndexOf(run.parameters, id)
      if (dealerIndex === undefined || !takesDealer(run, dealerIndex)) continue
      const own = run.parameters.dealers.find((dealer) => equalBytes(dealer.id, id))
      const epoch = own && keys.epochOf(own)
      const shares = epoch && this.#shares(run.parameters.operation)
      if (epoch !== undefined && shares !== undefined) return { run, dealerIndex, shares, epoch }
    }
    return undefined
  }

  /** Own shares of the inputs; undefined while one is missing: no substitute is ever dealt. */
  #shares(operation: Operation<P>): DealerShares | undefined {
    const shareOf = (id: bigint): ReturnType<Receiver<P>['shareOf']> => {
      const run = this.#context.runs.run(id)
      return run === undefined ? undefined : this.#receiver.shareOf(run)
    }
    switch (operation.type) {
      case 'random':
      case 'randomUnmasked':
        return { type: 'none' }
      case 'reshareOfMasked':
      case 'reshareOfUnmasked': {
        const share = shareOf(operation.input.id)
        return share === undefined ? undefined : { type: 'reshare', share }
      }
      case 'unmaskedTimesMasked': {
        const [left, right] = [shareOf(operation.left.id), shareOf(operation.right.id)]
        if (left === undefined || right === undefined) return undefined
        return { type: 'product', left, right }
      }
    }
  }

  /** Names the statement that the seed is for: never two dealings from one seed (§3.8). */
  #seedLabel(parameters: TranscriptParameters<P>): string {
    const { suite, incarnation } = this.#context
    const inputs: OracleInputs = {
      associated_data: bytesInput(associatedData(parameters)),
      incarnation: integerInput(incarnation),
      operation: bytesInput(utf8(parameters.operation.type)),
    }
    const commitments = inputsOf(parameters.operation).flatMap((input, i) =>
      input.commitment.points.map((point, k) => {
        const bytes = bytesInput(encodePoint(suite.group, point))
        return [`input_${i}_${k}`, bytes] as const
      }),
    )
    const all = { ...inputs, ...Object.fromEntries(commitments) }
    return `ckbtc-dealing-${toHex(oracleBytes('ckbtc-dealing-seed', all, 32))}`
  }

  /** A node vouches; counts for each own dealing it names, once, if the signature verifies. */
  support(support: Support): SignerOutputs {
    const named = [...this.#own.values()].filter(
      ({ parameters, signed, supports, submitted }) =>
        !submitted &&
        !supports.has(support.signer) &&
        placeOf(this.#context, parameters, support.signer) !== undefined &&
        support.hashes.some((hash) => equalBytes(hash, signed.hash)),
    )
    if (named.length === 0) return []
    if (!supporterSigned(this.#context, support))
      return [{ type: 'fault', culprit: support.signer, reason: 'BadSignature: support' }]
    return named.flatMap((own) => this.#count(own, support))
  }

  #count(own: Own<P>, support: Support): SignerOutputs {
    own.supports.set(support.signer, support)
    if (own.supports.size < verificationThreshold(own.parameters.receivers.length)) return []
    own.submitted = true
    const supported = { signed: own.signed, supports: [...own.supports.values()] }
    const { lane } = this.#context
    const bytes = encodeSupportedDealing(supported)
    return [{ type: 'submit', item: { type: 'dealing', lane, bytes } }]
  }

  /** Own dealings of transcripts that are still open, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    this.forget()
    const { lane } = this.#context
    return [...this.#own.values()].map(
      ({ signed }): SignerOutput => ({
        type: 'send',
        to,
        message: { type: 'dealing', lane, signed },
      }),
    )
  }

  forget(): void {
    for (const id of this.#own.keys()) {
      const run = this.#context.runs.run(id)
      if (run === undefined || run.transcript !== undefined) this.#own.delete(id)
    }
  }
}
