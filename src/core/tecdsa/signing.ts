/**
 * The signing part of a signer: gives its share of each paired request, combines what comes in.
 * Source: threshold §§14, 15, 18.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
import type { Completion } from './completion.ts'
import { decodeCompletion, encodeCompletion, submitsFirst, submittersOf } from './completion.ts'
import { nodeAt, placeOf } from './evidence.ts'
import type { ShareMessage } from './message.ts'
import { shareContent } from './message.ts'
import { receiverThreshold } from './parameters.ts'
import type { Receiver } from './receiver.ts'
import type { Runs } from './recipe.ts'
import type { Method, Session } from './session.ts'
import type { SignerContext, SignerOutput, SignerOutputs } from './signer-context.ts'
import { fault } from './signer-context.ts'
import type { LaneReport, ReportedShare } from './signing-report.ts'
import { reportedBytes } from './signing-report.ts'
import { SingleUse } from './single-use.ts'
import type { Pairing } from './stock.ts'
import type { Tape } from './tape.ts'
import { tapeValue } from './tape.ts'

/** Shares kept for requests that this node has not paired yet, per sender; threshold §23. */
const EARLY_SHARES_MAX = 64

type Open<P, W extends Runs<P>> = {
  readonly pairing: Pairing<P, W>
  /** σ of the pairing slot. */
  readonly tape: Uint8Array
  readonly session: Session<P>
  /** Who is blamed, and with what. */
  readonly blamed: Map<NodeIndex, string>
  /** What came in before the signature was combined, by sender, oldest first. */
  readonly heard: Map<NodeIndex, Uint8Array>
  ownShare: ShareMessage | undefined
  /** Own share is due: as soon as those that it needs are there, which may have to be recovered. */
  owesShare: boolean
  /** Shares have come since combining was tried last. */
  untried: boolean
  /** Whose shares were combined here, by their places among the receivers. */
  used: readonly NodeIndex[]
  /** The item, once combined here. */
  completion: Uint8Array | undefined
  /** What is public of it is told, or nobody asked. */
  told: boolean
  /** It is left to others to submit it, until the slot in work is over. */
  waits: boolean
}

export class Signing<P, W extends Runs<P>> {
  readonly #context: SignerContext<P, W>
  readonly #receiver: Receiver<P>
  readonly #method: Method<P, W>
  readonly #tape: Tape
  readonly #singleUse: SingleUse
  readonly #open = new Map<string, Open<P, W>>()
  /** Shares of requests not open here, by sender, oldest first. */
  readonly #early = new Map<NodeIndex, ShareMessage[]>()

  constructor(
    context: SignerContext<P, W>,
    {
      receiver,
      method,
      tape,
    }: { readonly receiver: Receiver<P>; readonly method: Method<P, W>; readonly tape: Tape },
  ) {
    this.#context = context
    this.#receiver = receiver
    this.#method = method
    this.#tape = tape
    this.#singleUse = new SingleUse(context)
  }

  /** Where σ of the slot is known, the requests paired in it can be signed. */
  #beginKnown(): void {
    for (const pairing of this.#context.schedule.pairings()) {
      const name = toHex(pairing.request.id)
      const tape = this.#open.has(name) ? undefined : this.#tape.signature(pairing.slot)
      if (tape !== undefined) this.#begin(name, pairing, tape)
    }
  }

  /** `tape`: σ of the slot, verified. */
  #begin(name: string, pairing: Pairing<P, W>, tape: Uint8Array): Open<P, W> {
    const open: Open<P, W> = {
      pairing,
      tape,
      session: this.#session(pairing, tape),
      blamed: new Map(),
      heard: new Map(),
      ownShare: undefined,
      owesShare: true,
      untried: false,
      used: [],
      completion: undefined,
      told: pairing.request.isReported !== true,
      waits: false,
    }
    this.#open.set(name, open)
    for (const [from, messages] of this.#early) {
      const own = messages.filter(({ requestId }) => equalBytes(requestId, pairing.request.id))
      for (const message of own) this.share(from, message)
      this.#early.set(
        from,
        messages.filter((message) => !own.includes(message)),
      )
    }
    return open
  }

  #session(pairing: Pairing<P, W>, tape: Uint8Array): Session<P> {
    const { request, key } = pairing
    const places = request.only?.flatMap(
      (node) => placeOf(this.#context, key.parameters, node) ?? [],
    )
    return this.#method(
      { ...pairing, request: { ...request, only: places } },
      nonceOf(pairing, tape),
    )
  }

  /** A share came in; it counts because the channel names its sender (performance R18). */
  share(from: NodeIndex, message: ShareMessage): SignerOutputs {
    const open = this.#open.get(toHex(message.requestId))
    if (open === undefined) {
      const early = this.#early.get(from) ?? []
      this.#early.set(from, [...early, message].slice(-EARLY_SHARES_MAX))
      return []
    }
    const place = placeOf(this.#context, open.pairing.key.parameters, from)
    if (place === undefined || open.completion || open.blamed.has(from)) return []
    if (open.session.has(place)) return []
    open.heard.set(from, message.share)
    const problem = attempt(() => open.session.add(place, message.share))
    if (problem instanceof BadEncoding) {
      open.blamed.set(from, 'BadEncoding')
      return [fault(from, `BadEncoding: ${problem.message}`)]
    }
    open.untried = true
    return []
  }

  /** Gives one share, or tries to combine one signature. Undefined when there is nothing to do. */
  work(): SignerOutputs | undefined {
    this.#beginKnown()
    for (const open of this.#open.values()) {
      const given = open.owesShare ? this.#give(open) : undefined
      if (given !== undefined) return given
      const t = receiverThreshold(open.pairing.key.parameters)
      if (open.untried && !open.completion && open.session.nodes.length >= t)
        return this.#combine(open)
      const told = open.told ? undefined : this.#tell(open)
      if (told !== undefined) return told
    }
    return undefined
  }

  #give(open: Open<P, W>): SignerOutputs | undefined {
    const share = open.session.ownShare((run) => this.#receiver.shareOf(run))
    if (share === undefined) return undefined
    open.owesShare = false
    const { lane, keys, prefix } = this.#context
    const { presignatureId, request } = open.pairing
    const requestId = request.id
    const omega = tapeValue(open.tape)
    const record = this.#singleUse.use(presignatureId, { requestId, omega })
    const signature = keys.sign('signature-share', shareContent(prefix, { requestId, share }))
    open.ownShare = { type: 'share', lane, requestId, share, signature }
    return [record, { type: 'send', to: 'all', message: open.ownShare }]
  }

  #combine(open: Open<P, W>): SignerOutputs {
    open.untried = false
    const { result, blamed } = open.session.combine()
    const { key, request, slot } = open.pairing
    const faults = blamed.map((place) => {
      const node = nodeAt(this.#context, key.parameters, place)
      open.blamed.set(node, 'InvalidSignatureShare')
      return fault(node, 'InvalidSignatureShare')
    })
    if ('refusal' in result) return faults
    const { me } = this.#context
    const { parameters } = key
    const requestId = request.id
    open.used = open.session.nodes.slice(0, receiverThreshold(parameters))
    const by = open.used.map((place) => nodeAt(this.#context, parameters, place))
    open.completion = encodeCompletion({ requestId, signature: result.signature, tape: open.tape })
    const place = placeOf(this.#context, parameters, me)
    open.waits = place === undefined || !submitsFirst(place, parameters.receivers.length, slot)
    return [
      ...faults,
      { type: 'signed', requestId, by },
      ...(open.waits ? [] : [submission(open.completion)]),
    ]
  }

  /**
   * Whether an item of the log completes a paired request: from the log alone, so the same at every
   * node. A request has one signature, so who has combined it compares; what belongs to the request
   * alone is computed once, however many items say that they complete it.
   */
  judge(completion: Completion): boolean {
    const { requestId, signature, tape } = completion
    const pairing = this.#context.schedule.pairing(requestId)
    if (pairing === undefined || !this.#tape.isSignature(pairing.slot, tape)) return false
    const name = toHex(requestId)
    const open = this.#open.get(name) ?? this.#begin(name, pairing, tape)
    if (open.completion !== undefined)
      return equalBytes(open.completion, encodeCompletion(completion))
    return open.session.refusalOf(signature) === undefined
  }

  /** What is public of a signature that was combined here; undefined before that. */
  #tell(open: Open<P, W>): SignerOutputs | undefined {
    const { pairing, session, tape, used, completion } = open
    if (completion === undefined) return undefined
    open.told = true
    const { me } = this.#context
    const { id: requestId } = pairing.request
    const { receivers } = pairing.key.parameters
    const report: LaneReport = {
      ...session.report(),
      requestId: toHex(requestId),
      members: receivers.map(({ id }) => toHex(id)),
      presignatureId: pairing.presignatureId.toString(),
      pairingSlot: pairing.slot.toString(),
      tape: { signature: toHex(tape), value: toHex(tapeValue(tape)) },
      nonce: toHex(nonceOf(pairing, tape)),
      shares: [...open.heard].map(([node, bytes]) => this.#reportShare(open, node, bytes)),
      combination: session.reportCombination(used),
      signature: toHex(decodeCompletion(completion).signature),
      combinedBy: me,
      submitters: submittersOf(receivers.length, pairing.slot),
    }
    return [{ type: 'report', requestId, report }]
  }

  #reportShare(open: Open<P, W>, from: NodeIndex, bytes: Uint8Array): ReportedShare {
    const { pairing, session, blamed, used } = open
    const place = present(
      placeOf(this.#context, pairing.key.parameters, from),
      'only receivers are heard',
    )
    const read = attempt(() => session.reportShare(place, bytes))
    const isShare = !(read instanceof BadEncoding)
    return {
      node: place,
      good: isShare && read.good,
      combined: used.includes(place),
      blame: blamed.get(from),
      bytes: reportedBytes(bytes),
      values: isShare ? read.values : undefined,
    }
  }

  /** Own shares of requests that are still open, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    return [...this.#open.values()].flatMap(
      ({ ownShare }): SignerOutputs =>
        ownShare === undefined ? [] : [{ type: 'send', to, message: ownShare }],
    )
  }

  /** Drops requests that are over; submits what others have not brought into the log. */
  endSlot(): SignerOutputs {
    const late: SignerOutput[] = []
    for (const [name, open] of this.#open) {
      const { pairing, completion, waits } = open
      if (this.#context.schedule.pairing(pairing.request.id) === undefined) {
        if (!open.told) late.push(...(this.#tell(open) ?? []))
        this.#open.delete(name)
      } else if (completion !== undefined && waits) late.push(submission(completion))
      open.waits = false
    }
    return late
  }
}

/** ω of a request, from σ of its slot (§18.2). */
const nonceOf = (
  { request, presignatureId }: Pick<Pairing<unknown, never>, 'request' | 'presignatureId'>,
  tape: Uint8Array,
): Uint8Array =>
  oracleBytes(
    'ckbtc-signing-nonce',
    {
      tape: bytesInput(tapeValue(tape)),
      request: bytesInput(request.id),
      presignature: integerInput(presignatureId),
    },
    32,
  )

const submission = (bytes: Uint8Array): SignerOutput => ({
  type: 'submit',
  item: { type: 'completion', bytes },
})
