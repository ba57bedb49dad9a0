/**
 * The victim's part of a signer: complains about the dealings of final transcripts that were bad
 * for this node, and recovers its shares of them. Source: threshold §§9.3, 10.1, 10.4, 17.8 rule 4.
 */
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
import type { Disputed } from './complaint.ts'
import { createComplaint, encodeComplaint } from './complaint.ts'
import type { Recipient } from './dealing.ts'
import type { SignedComplaint, SignedOpening } from './dispute.ts'
import { complaintContent, openerSigned } from './dispute.ts'
import type { Early } from './early-store.ts'
import { EarlyStore } from './early-store.ts'
import { placeOf } from './evidence.ts'
import { decodeOpening } from './object-codec.ts'
import { verifyOpening } from './opening.ts'
import { associatedData, receiverThreshold } from './parameters.ts'
import { recoverShare } from './recovery.ts'
import type { Run } from './run.ts'
import type { Opening, SecretShare } from './secret.ts'
import type { LaneContext, SignerOutput, SignerOutputs } from './signer-context.ts'
import { askAgain, fault } from './signer-context.ts'

/** One bad dealing of a final transcript. */
type Dispute<P> = {
  readonly disputed: Disputed<P>
  /** Number of the dealer. */
  readonly dealer: NodeIndex
  /** SHA-256 of the signed dealing, which fixes the statement of the complaint. */
  readonly dealingHash: Uint8Array
  complaint: SignedComplaint | undefined
  /** Whose opening came, good or bad: one of each node counts. */
  readonly heard: Set<NodeIndex>
  unchecked: Early<SignedOpening>[]
  /** Verified, by receiver index. */
  readonly openings: Map<NodeIndex, Opening>
  share: SecretShare | undefined
}

export class Complainer<P> {
  readonly #context: LaneContext<P>
  /** By transcript, then by dealer index. */
  readonly #disputes = new Map<bigint, Map<NodeIndex, Dispute<P>>>()
  /** Openings for this node that came before it has complained. */
  readonly #early: EarlyStore<P, SignedOpening>

  constructor(context: LaneContext<P>) {
    this.#context = context
    this.#early = new EarlyStore(context.runs, ({ dealer }) => `${dealer}`)
  }

  /** These dealings of a final transcript did not open for this node. */
  dispute(run: Run<P>, badDealers: readonly NodeIndex[]): void {
    const { id } = run.parameters
    const disputes = new Map(
      badDealers.map((dealerIndex): readonly [NodeIndex, Dispute<P>] => {
        const { signed, dealing } = present(run.taken.get(dealerIndex), 'it is in the transcript')
        return [
          dealerIndex,
          {
            disputed: { parameters: run.parameters, dealerIndex, dealing },
            dealer: signed.dealer,
            dealingHash: sha256(signed.dealing),
            complaint: undefined,
            heard: new Set(),
            unchecked: [],
            openings: new Map(),
            share: undefined,
          },
        ]
      }),
    )
    this.#disputes.set(id, disputes)
    for (const { from, message } of this.#early.take(id)) this.receive(from, message)
  }

  /** Whether a share of this transcript is still to be recovered. */
  isWaiting(id: bigint): boolean {
    return [...(this.#disputes.get(id)?.values() ?? [])].some(({ share }) => share === undefined)
  }

  /** The share recovered in place of that of a bad dealing. */
  recovered(id: bigint, dealerIndex: NodeIndex): SecretShare | undefined {
    return this.#disputes.get(id)?.get(dealerIndex)?.share
  }

  /** An opening came in. Without a complaint of this node it waits. */
  receive(from: NodeIndex, signed: SignedOpening): SignerOutputs {
    if (signed.complainer !== this.#context.me) return []
    const disputes = this.#disputes.get(signed.transcriptId)
    if (disputes === undefined) {
      this.#early.keep(from, signed)
      return []
    }
    const dispute = [...disputes.values()].find(({ dealer }) => dealer === signed.dealer)
    if (dispute === undefined || dispute.share !== undefined || dispute.heard.has(from)) return []
    dispute.heard.add(from)
    dispute.unchecked.push({ from, message: signed })
    return []
  }

  /** Makes one complaint or checks one opening; undefined when nothing is owed. */
  work(): SignerOutputs | undefined {
    return this.#next() ?? askAgain(this.#early.missed())
  }

  #next(): SignerOutputs | undefined {
    for (const disputes of this.#disputes.values())
      for (const dispute of disputes.values()) {
        if (dispute.share !== undefined) continue
        if (dispute.complaint === undefined) return this.#complain(dispute)
        const next = dispute.unchecked.shift()
        if (next !== undefined) return this.#check(dispute, next)
      }
    return undefined
  }

  #complain(dispute: Dispute<P>): SignerOutputs {
    const { suite, lane, keys, prefix } = this.#context
    const { disputed, dealer } = dispute
    const recipient = this.#recipient(disputed)
    const own = disputed.parameters.receivers[recipient.receiverIndex]
    const epoch = present(own && keys.epochOf(own), 'who can read a dealing has its epoch')
    const seed = epoch.seedOf(this.#seedLabel(dispute, recipient))
    const statement = {
      transcriptId: disputed.parameters.id,
      dealer,
      complaint: encodeComplaint(suite, createComplaint(suite, disputed, recipient, seed)),
    }
    const signature = keys.sign('complaint', complaintContent(prefix, statement))
    const signed = { ...statement, signature }
    dispute.complaint = signed
    return [{ type: 'send', to: 'all', message: { type: 'complaint', lane, signed } }]
  }

  /** A transcript is disputed by who could read its dealings, and its secrets stay as long as it. */
  #recipient({ parameters }: Disputed<P>): Recipient {
    return present(this.#context.keys.recipientIn(parameters), 'a victim is a receiver')
  }

  /** Names the statement of the proof: one nonce never serves two (§3.8). */
  #seedLabel({ disputed, dealingHash }: Dispute<P>, { receiverIndex }: Recipient): string {
    const inputs = {
      associated_data: bytesInput(associatedData(disputed.parameters)),
      dealer_index: integerInput(BigInt(disputed.dealerIndex)),
      receiver_index: integerInput(BigInt(receiverIndex)),
      dealing: bytesInput(dealingHash),
    }
    return `ckbtc-complaint-${toHex(oracleBytes('ckbtc-complaint-seed', inputs, 32))}`
  }

  #check(dispute: Dispute<P>, { from, message: signed }: Early<SignedOpening>): SignerOutputs {
    const { suite } = this.#context
    const { disputed, openings } = dispute
    const { parameters } = disputed
    const refuse = (reason: string): SignerOutputs => [fault(from, reason)]
    if (!openerSigned(this.#context, from, signed)) return refuse('BadSignature: opening')
    const opener = placeOf(this.#context, parameters, from)
    if (opener === undefined) return refuse('InvalidOpening: not by a receiver')
    const opening = attempt(() => decodeOpening(suite, signed.opening))
    if (opening instanceof BadEncoding) return refuse(`BadEncoding: ${opening.message}`)
    const complainer = this.#recipient(disputed).receiverIndex
    const refusal = verifyOpening(suite, disputed, { opener, complainer }, opening)
    if (refusal !== undefined) return refuse(`${refusal.refusal}: ${refusal.detail}`)
    openings.set(opener, opening)
    if (openings.size < receiverThreshold(parameters)) return []
    const share = recoverShare(suite, disputed, complainer, openings)
    if ('refusal' in share) return []
    dispute.share = share
    dispute.unchecked = []
    return []
  }

  /** Complaints that have not led to a share yet, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    const { lane } = this.#context
    return [...this.#disputes.values()].flatMap((disputes) =>
      [...disputes.values()].flatMap(({ complaint, share }): readonly SignerOutput[] =>
        complaint === undefined || share !== undefined
          ? []
          : [{ type: 'send', to, message: { type: 'complaint', lane, signed: complaint } }],
      ),
    )
  }

  /** Lets go of what belongs to transcripts that are gone; shares are erased on the way. */
  forget(): void {
    this.#early.forget()
    for (const [id, disputes] of this.#disputes) {
      if (this.#context.runs.run(id) !== undefined) continue
      for (const { share } of disputes.values()) share?.erase()
      this.#disputes.delete(id)
    }
  }
}
