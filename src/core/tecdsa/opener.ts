/**
 * The opener's part of a signer: judges complaints of others, and opens its own share of a dealing
 * that was bad for somebody. Source: threshold §§10.2, 10.3, 17.8 rule 4, 18.4.
 */
import { equalBytes } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Disputed } from './complaint.ts'
import { decodeComplaint, verifyComplaint } from './complaint.ts'
import type { SignedComplaint, SignedOpening } from './dispute.ts'
import { complainerSigned, encodeSignedOpening, openingContent } from './dispute.ts'
import type { Early } from './early-store.ts'
import { EarlyStore } from './early-store.ts'
import { placeOf } from './evidence.ts'
import { encodeOpening } from './object-codec.ts'
import { createOpening } from './opening.ts'
import { dealerIndexOf } from './parameters.ts'
import type { Run } from './run.ts'
import type { LaneContext, SignerOutput, SignerOutputs } from './signer-context.ts'
import { askAgain, fault } from './signer-context.ts'

/**
 * Complaints of one node that were refused, after which no other is judged: an honest node makes
 * none, and each of a liar's costs some milliseconds. Threshold §10.2.
 */
const REFUSED_MAX = 16

/** What was answered to one complaint; nothing while it waits, when refused, or to its own maker. */
type Answer = { readonly to: NodeIndex; opening: SignedOpening | undefined }

export class Opener<P> {
  readonly #context: LaneContext<P>
  /** Complaints about transcripts that are not final here. */
  readonly #early: EarlyStore<P, SignedComplaint>
  /** Their transcripts are final. */
  #due: Early<SignedComplaint>[] = []
  /** One for each (transcript, complainer, dealer), as long as the transcript is there. */
  readonly #answers = new Map<bigint, Map<string, Answer>>()
  /** How many complaints of a node were refused in this life. */
  readonly #refused = new Map<NodeIndex, number>()

  constructor(context: LaneContext<P>) {
    this.#context = context
    this.#early = new EarlyStore(context.runs, ({ dealer }) => `${dealer}`)
  }

  /** A complaint came in. The first about a dealing counts; who repeats it is answered again. */
  receive(from: NodeIndex, signed: SignedComplaint): SignerOutputs {
    const { transcriptId, dealer } = signed
    const answer = this.#answers.get(transcriptId)?.get(`${from}/${dealer}`)
    if (answer !== undefined) return this.#send(answer)
    if (this.#isLiar(from)) return []
    if (dealer >= this.#context.members.length)
      return this.#refuse(from, 'InvalidComplaint: nobody dealt this')
    this.#early.keep(from, signed)
    return []
  }

  #isLiar(node: NodeIndex): boolean {
    return (this.#refused.get(node) ?? 0) >= REFUSED_MAX
  }

  #refuse(from: NodeIndex, reason: string): SignerOutputs {
    this.#refused.set(from, (this.#refused.get(from) ?? 0) + 1)
    return [fault(from, reason)]
  }

  #send({ to, opening }: Answer): SignerOutputs {
    const { lane } = this.#context
    return opening === undefined
      ? []
      : [{ type: 'send', to, message: { type: 'opening', lane, signed: opening } }]
  }

  /** Judges one complaint about a final transcript; undefined when there is none. */
  work(): SignerOutputs | undefined {
    for (const id of this.#early.ids())
      if (this.#context.runs.run(id)?.transcript !== undefined)
        this.#due.push(...this.#early.take(id))
    const next = this.#due.shift()
    if (next === undefined) return askAgain(this.#early.missed())
    const run = this.#context.runs.run(next.message.transcriptId)
    return run === undefined || this.#isLiar(next.from) ? [] : this.#judge(run, next)
  }

  #judge(run: Run<P>, { from, message: signed }: Early<SignedComplaint>): SignerOutputs {
    const { suite } = this.#context
    const { transcriptId, dealer } = signed
    const answer: Answer = { to: from, opening: undefined }
    const answers = this.#answers.get(transcriptId) ?? new Map<string, Answer>()
    this.#answers.set(transcriptId, answers.set(`${from}/${dealer}`, answer))
    const refuse = (reason: string): SignerOutputs => this.#refuse(from, reason)
    if (!complainerSigned(this.#context, from, signed)) return refuse('BadSignature: complaint')
    const disputed = this.#disputed(run, dealer)
    if (disputed === undefined)
      return refuse('InvalidComplaint: the dealing is not in the transcript')
    const receiverIndex = placeOf(this.#context, run.parameters, from)
    if (receiverIndex === undefined) return refuse('InvalidComplaint: not by a receiver')
    const complaint = attempt(() => decodeComplaint(suite, signed.complaint))
    if (complaint instanceof BadEncoding) return refuse(`BadEncoding: ${complaint.message}`)
    const refusal = verifyComplaint(suite, disputed, receiverIndex, complaint)
    if (refusal !== undefined) return refuse(`${refusal.refusal}: ${refusal.detail}`)
    return [
      fault(dealer, `BadShare: proven by node ${from}`),
      ...this.#open(disputed, answer, signed),
    ]
  }

  #disputed(run: Run<P>, dealer: NodeIndex): Disputed<P> | undefined {
    const id = this.#context.members[dealer]?.id
    const dealerIndex = id && dealerIndexOf(run.parameters, id)
    const taken = dealerIndex === undefined ? undefined : run.taken.get(dealerIndex)
    if (dealerIndex === undefined || taken === undefined) return undefined
    return { parameters: run.parameters, dealerIndex, dealing: taken.dealing }
  }

  /** One opening for each (transcript, dealer, complainer), on record before it leaves (§18.4). */
  #open(
    disputed: Disputed<P>,
    answer: Answer,
    { transcriptId, dealer }: SignedComplaint,
  ): SignerOutputs {
    const { suite, me, keys, prefix, records, recordPrefix } = this.#context
    const complainer = answer.to
    const recipient = keys.recipientIn(disputed.parameters)
    if (complainer === me || recipient === undefined) return []
    const opening = createOpening(suite, disputed, recipient)
    if (opening === undefined) return [] // Bad for this node, too.
    const statement = {
      transcriptId,
      dealer,
      complainer,
      opening: encodeOpening(suite, opening),
    }
    const signature = keys.sign('opening', openingContent(prefix, statement))
    const signed = { ...statement, signature }
    const key = `${recordPrefix}opening/${transcriptId}/${dealer}/${complainer}`
    const value = sha256(encodeSignedOpening(signed))
    const before = records.get(key)
    if (before !== undefined && !equalBytes(before, value)) return []
    answer.opening = signed
    return [{ type: 'record', key, value }, ...this.#send(answer)]
  }

  /** Openings given to a node that starts again, as long as the transcript is there. */
  resend(to: NodeIndex): SignerOutputs {
    return [...this.#answers.values()].flatMap((answers) =>
      [...answers.values()].flatMap((answer): readonly SignerOutput[] =>
        answer.to === to ? this.#send(answer) : [],
      ),
    )
  }

  /** Lets go of what belongs to transcripts that are gone. */
  forget(): void {
    const { runs } = this.#context
    this.#early.forget()
    for (const id of this.#answers.keys()) if (runs.run(id) === undefined) this.#answers.delete(id)
    this.#due = this.#due.filter(({ message }) => runs.run(message.transcriptId) !== undefined)
  }
}
