/**
 * The signing part of a signer: gives its share of each paired request, combines what comes in.
 * Source: threshold §§14, 18.
 */
import { concat, equalBytes, toHex } from '../base/bytes.ts'
import { assert, attempt, BadEncoding } from '../base/errors.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
import type { Completion } from './completion.ts'
import { encodeCompletion, submitsFirst } from './completion.ts'
import type { ShareMessage } from './message.ts'
import { shareContent } from './message.ts'
import { decodeSignatureShare, encodeSignatureShare } from './object-codec.ts'
import type { PresignatureShares } from './presignature.ts'
import type { Receiver } from './receiver.ts'
import type { SignatureShare, SigningInputs } from './signature.ts'
import { combine, createShare, publicInputs, verifySignature } from './signature.ts'
import type { SignerContext, SignerOutput, SignerOutputs } from './signer-context.ts'
import { fault } from './signer-context.ts'
import type { Pairing } from './stock.ts'
import type { Tape } from './tape.ts'
import { tapeValue } from './tape.ts'

/** Shares kept for requests that this node has not paired yet, per sender; threshold §23. */
const EARLY_SHARES_MAX = 64

type Open = {
  readonly pairing: Pairing
  /** σ of the pairing slot. */
  readonly tape: Uint8Array
  readonly inputs: SigningInputs
  /** Shares that are not known to be false, in the order of arrival. */
  readonly shares: Map<NodeIndex, SignatureShare>
  readonly blamed: Set<NodeIndex>
  ownShare: ShareMessage | undefined
  /** Own share is due: as soon as those that it needs are there, which may have to be recovered. */
  owesShare: boolean
  /** Shares have come since combining was tried last. */
  untried: boolean
  /** The item, once combined here. */
  completion: Uint8Array | undefined
  /** It is left to others to submit it, until the slot in work is over. */
  waits: boolean
}

export class Signing {
  readonly #context: SignerContext
  readonly #receiver: Receiver<Secp256k1Point>
  readonly #tape: Tape
  readonly #open = new Map<string, Open>()
  /** Shares of requests not open here, by sender, oldest first. */
  readonly #early = new Map<NodeIndex, ShareMessage[]>()

  constructor(context: SignerContext, receiver: Receiver<Secp256k1Point>, tape: Tape) {
    this.#context = context
    this.#receiver = receiver
    this.#tape = tape
  }

  /** Where σ of the slot is known, the requests paired in it can be signed. */
  #beginKnown(): void {
    for (const pairing of this.#context.schedule.pairings()) {
      const name = toHex(pairing.request.id)
      const tape = this.#open.has(name) ? undefined : this.#tape.signature(pairing.slot)
      if (tape !== undefined) this.#begin(name, pairing, tape)
    }
  }

  #begin(name: string, pairing: Pairing, tape: Uint8Array): void {
    this.#open.set(name, {
      pairing,
      tape,
      inputs: this.#inputs(pairing, tape),
      shares: new Map(),
      blamed: new Set(),
      ownShare: undefined,
      owesShare: true,
      untried: false,
      completion: undefined,
      waits: false,
    })
    for (const [from, messages] of this.#early) {
      const own = messages.filter(({ requestId }) => equalBytes(requestId, pairing.request.id))
      for (const message of own) this.share(from, message)
      this.#early.set(
        from,
        messages.filter((message) => !own.includes(message)),
      )
    }
  }

  #inputs(pairing: Pairing, tape: Uint8Array): SigningInputs {
    const { request, key, presignatureId, presignature } = pairing
    const { suite } = this.#context
    const nonce = oracleBytes(
      'ckbtc-signing-nonce',
      {
        tape: bytesInput(tapeValue(tape)),
        request: bytesInput(request.id),
        presignature: integerInput(presignatureId),
      },
      32,
    )
    const { path, digest } = request
    const inputs = publicInputs(suite, { key, presignature, path, digest, nonce })
    // R = 0 or x(R) = 0 has a probability of 2^-256.
    assert(!('refusal' in inputs), 'a nonce gives a usable R')
    return inputs
  }

  /** A share came in; it counts because the channel names its sender (performance R18). */
  share(from: NodeIndex, message: ShareMessage): SignerOutputs {
    const open = this.#open.get(toHex(message.requestId))
    if (open === undefined) {
      const early = this.#early.get(from) ?? []
      this.#early.set(from, [...early, message].slice(-EARLY_SHARES_MAX))
      return []
    }
    if (open.completion || open.shares.has(from) || open.blamed.has(from)) return []
    const share = attempt(() => decodeSignatureShare(this.#context.suite, message.share))
    if (share instanceof BadEncoding) {
      open.blamed.add(from)
      return [fault(from, `BadEncoding: ${share.message}`)]
    }
    open.shares.set(from, share)
    open.untried = true
    return []
  }

  /** Gives one share, or tries to combine one signature. Undefined when there is nothing to do. */
  work(): SignerOutputs | undefined {
    this.#beginKnown()
    for (const open of this.#open.values()) {
      const given = open.owesShare ? this.#give(open) : undefined
      if (given !== undefined) return given
      const t = reconstructionThreshold(this.#context.members.length)
      if (open.untried && !open.completion && open.shares.size >= t) return this.#combine(open)
    }
    return undefined
  }

  #give(open: Open): SignerOutputs | undefined {
    const shares = this.#ownShares(open.pairing)
    if (shares === undefined) return undefined
    open.owesShare = false
    const { suite, keys, prefix } = this.#context
    const record = this.#singleUse(open)
    const requestId = open.pairing.request.id
    const share = encodeSignatureShare(suite, createShare(suite, open.inputs, shares))
    const signature = keys.sign('signature-share', shareContent(prefix, { requestId, share }))
    open.ownShare = { type: 'share', requestId, share, signature }
    return [record, { type: 'send', to: 'all', message: open.ownShare }]
  }

  #ownShares({
    runs: [lambdaRun, kappaLambdaRun, keyLambdaRun],
  }: Pairing): PresignatureShares | undefined {
    const lambda = this.#receiver.shareOf(lambdaRun)
    const kappaLambda = this.#receiver.shareOf(kappaLambdaRun)
    const keyLambda = this.#receiver.shareOf(keyLambdaRun)
    if (lambda === undefined || kappaLambda === undefined || keyLambda === undefined)
      return undefined
    return { lambda, kappaLambda, keyLambda }
  }

  /**
   * §18.3 rule 2: one presignature, one request, one ω, for ever. Whatever else an earlier life
   * signed stops us.
   */
  #singleUse({ pairing, tape }: Open): SignerOutput {
    const key = `${this.#context.recordPrefix}pairing/${pairing.presignatureId}`
    const value = concat(pairing.request.id, tapeValue(tape))
    const before = this.#context.records.get(key)
    assert(
      before === undefined || equalBytes(before, value),
      'a presignature serves one request under one nonce',
    )
    return { type: 'record', key, value }
  }

  #combine(open: Open): SignerOutputs {
    open.untried = false
    const { result, blamed } = combine(this.#context.suite, open.inputs, open.shares)
    const faults = blamed.map((node) => {
      open.shares.delete(node)
      open.blamed.add(node)
      return fault(node, 'InvalidSignatureShare')
    })
    if ('refusal' in result) return faults
    const { members, me } = this.#context
    const requestId = open.pairing.request.id
    const t = reconstructionThreshold(members.length)
    const by = [...open.shares.keys()].slice(0, t)
    open.completion = encodeCompletion({ requestId, signature: result.signature, tape: open.tape })
    open.waits = !submitsFirst(me, members.length, open.pairing.slot)
    return [
      ...faults,
      { type: 'signed', requestId, by },
      ...(open.waits ? [] : [submission(open.completion)]),
    ]
  }

  /**
   * Whether an item of the log completes a paired request: from the log alone, so the same at every
   * node.
   */
  judge({ requestId, signature, tape }: Completion): boolean {
    const pairing = this.#context.schedule.pairing(requestId)
    if (pairing === undefined || !this.#tape.isSignature(pairing.slot, tape)) return false
    const open = this.#open.get(toHex(requestId))
    const inputs = open?.inputs ?? this.#inputs(pairing, tape)
    return verifySignature(this.#context.suite, inputs, signature) === undefined
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
      if (this.#context.schedule.pairing(pairing.request.id) === undefined) this.#open.delete(name)
      else if (completion !== undefined && waits) late.push(submission(completion))
      open.waits = false
    }
    return late
  }
}

const submission = (bytes: Uint8Array): SignerOutput => ({
  type: 'submit',
  item: { type: 'completion', bytes },
})
