/**
 * The signing part of a signer: gives its share of each paired request, combines what comes in.
 * Source: threshold §§14, 18.
 */
import { concat, equalBytes, toHex } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { assert, attempt, BadEncoding } from '../base/errors.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../base/random-oracle.ts'
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

/** Shares kept for requests that this node has not paired yet, per sender; threshold §23. */
const EARLY_SHARES_MAX = 64

/** The result of a request as an item of the log: whoever holds ω of the slot can judge it. */
export type Completion = {
  readonly requestId: Uint8Array
  readonly signature: Uint8Array
  /** ω of the pairing slot, 32 bytes. */
  readonly tape: Uint8Array
}

type Open = {
  readonly pairing: Pairing
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
  done: boolean
}

export class Signing {
  readonly #context: SignerContext
  readonly #receiver: Receiver<Secp256k1Point>
  readonly #open = new Map<string, Open>()
  /** Shares of requests not open here, by sender, oldest first. */
  readonly #early = new Map<NodeIndex, ShareMessage[]>()

  constructor(context: SignerContext, receiver: Receiver<Secp256k1Point>) {
    this.#context = context
    this.#receiver = receiver
  }

  /** ω of a slot is known: the requests paired in it can be signed. */
  tape(slot: bigint, value: Uint8Array): SignerOutputs {
    const { schedule } = this.#context
    const due = schedule.pairings().filter((pairing) => pairing.slot === slot)
    for (const pairing of due) this.#begin(pairing, value)
    return []
  }

  #begin(pairing: Pairing, tape: Uint8Array): void {
    const name = toHex(pairing.request.id)
    if (this.#open.has(name)) return
    this.#open.set(name, {
      pairing,
      tape,
      inputs: this.#inputs(pairing, tape),
      shares: new Map(),
      blamed: new Set(),
      ownShare: undefined,
      owesShare: true,
      untried: false,
      done: false,
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
        tape: bytesInput(tape),
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
    if (open.done || open.shares.has(from) || open.blamed.has(from)) return []
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
    for (const open of this.#open.values()) {
      const given = open.owesShare ? this.#give(open) : undefined
      if (given !== undefined) return given
      const t = reconstructionThreshold(this.#context.members.length)
      if (open.untried && !open.done && open.shares.size >= t) return this.#combine(open)
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
    const value = concat(pairing.request.id, tape)
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
    open.done = true
    const requestId = open.pairing.request.id
    const t = reconstructionThreshold(this.#context.members.length)
    const by = [...open.shares.keys()].slice(0, t)
    const completion = { requestId, signature: result.signature, tape: open.tape }
    return [
      ...faults,
      { type: 'signed', requestId, by },
      { type: 'submit', item: { type: 'completion', bytes: encodeCompletion(completion) } },
    ]
  }

  /**
   * Whether an item of the log completes a paired request: from the log alone, so the same at every
   * node.
   */
  judge({ requestId, signature, tape }: Completion): boolean {
    const pairing = this.#context.schedule.pairing(requestId)
    if (pairing === undefined) return false
    const open = this.#open.get(toHex(requestId))
    const inputs =
      open !== undefined && equalBytes(open.tape, tape) ? open.inputs : this.#inputs(pairing, tape)
    return verifySignature(this.#context.suite, inputs, signature) === undefined
  }

  /** Own shares of requests that are still open, for a node that starts again. */
  resend(to: NodeIndex): SignerOutputs {
    return [...this.#open.values()].flatMap(
      ({ ownShare }): SignerOutputs =>
        ownShare === undefined ? [] : [{ type: 'send', to, message: ownShare }],
    )
  }

  /** Drops requests that the log has completed. */
  forget(): void {
    for (const [name, { pairing }] of this.#open)
      if (this.#context.schedule.pairing(pairing.request.id) === undefined) this.#open.delete(name)
  }
}

export function encodeCompletion({ requestId, signature, tape }: Completion): Uint8Array {
  return new Writer().raw(requestId).raw(signature).raw(tape).done()
}

export function decodeCompletion(bytes: Uint8Array): Completion {
  const reader = new Reader(bytes)
  return reader.end({
    requestId: reader.raw(32),
    signature: reader.raw(64),
    tape: reader.raw(32),
  })
}
