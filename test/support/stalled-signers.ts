/**
 * Signers that stall with one transcript open, because nobody hears the dealings for it: what a peer
 * then says to signer 0 is all that happens.
 */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { Dealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { SignedDealing } from '../../src/core/tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  lanePrefix,
} from '../../src/core/tecdsa/evidence.ts'
import { encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import type { SignerOutput, SignerOutputs } from '../../src/core/tecdsa/signer-context.ts'
import { SignerNet } from './signer-net.ts'
import { suite } from './threshold.ts'

/** Who brings what a case says. */
export const LIAR = 3
/** What the first transcripts are for, as the log opens them. */
export const RANDOM = 0n
export const RESHARE = 1n
export const PRODUCT = 4n

/** Four signers that get as far as transcript `id`. */
export class Stalled {
  readonly net: SignerNet
  readonly #dealt = new Map<string, SignedDealing>()

  constructor(id: bigint) {
    this.net = new SignerNet({
      nodes: 4,
      tamper: (_, __, message) => {
        if (message.type !== 'dealing' || message.lane !== 'ecdsa') return message
        const { transcriptId, dealer } = message.signed
        this.#dealt.set(`${transcriptId}/${dealer}`, message.signed)
        return transcriptId === id ? undefined : message
      },
    })
    this.net.settle()
  }

  signed(id: bigint, dealer: number): SignedDealing {
    return present(this.#dealt.get(`${id}/${dealer}`), 'it was dealt')
  }

  dealing(id: bigint, dealer: number): Dealing {
    return decodeDealing(suite, this.signed(id, dealer).dealing)
  }

  /** A dealing in the name of a node, signed by it or by another. */
  deal(statement: Omit<SignedDealing, 'signature' | 'hash'>, by = statement.dealer): SignedDealing {
    const prefix = lanePrefix(this.net.genesis, suite.algorithm)
    const signature = this.net.keysOf(by).sign('dealing', dealingContent(prefix, statement))
    return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
  }

  /** Signer 0 from its records and the log: it has heard no dealing for the open transcript. */
  startAgain(): void {
    this.net.stop(0)
    this.net.start(0)
    this.net.settle()
  }

  /** Everything that signer 0 does about a dealing that node 3 brings. */
  offer(signed: SignedDealing): SignerOutputs {
    const signer = this.net.signer(0)
    const bytes = encodeSignerMessage({ type: 'dealing', lane: 'ecdsa', signed })
    const outputs: SignerOutput[] = [...signer.step({ type: 'message', from: LIAR, bytes })]
    for (let some = signer.work(); some !== undefined; some = signer.work()) outputs.push(...some)
    return outputs
  }
}

const stalls = new Map<bigint, Stalled>()
/** The same signers for the same transcript. */
export function stalledAt(id: bigint): Stalled {
  const stalled = stalls.get(id) ?? new Stalled(id)
  stalls.set(id, stalled)
  return stalled
}

/** Culprit and name of each fault. */
export const blamesOf = (outputs: SignerOutputs): readonly string[] =>
  outputs.flatMap((output) =>
    output.type === 'fault' ? [`${output.culprit} ${output.reason.split(':')[0]}`] : [],
  )
/** Dealings that are vouched for. */
export const vouchedIn = (outputs: SignerOutputs): readonly Hash32[] =>
  outputs.flatMap((output) =>
    output.type === 'send' && output.message.type === 'support'
      ? output.message.support.hashes
      : [],
  )
