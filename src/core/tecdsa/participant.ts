/**
 * One node's part in the transcripts of one algorithm: it deals, checks, vouches, complains, helps,
 * and judges what the log brings. Source: threshold §§7 to 10, 17.1.
 */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { Complainer } from './complainer.ts'
import { Dealer } from './dealer.ts'
import { decodeDealing } from './dealing-codec.ts'
import { decodeSupportedDealing, supportSuffices } from './evidence.ts'
import type { SignerMessage } from './message.ts'
import { Opener } from './opener.ts'
import { dealerIndexOf } from './parameters.ts'
import { Receiver } from './receiver.ts'
import type { Run, TakenDealing } from './run.ts'
import { takesDealer } from './run.ts'
import type { SecretShare } from './secret.ts'
import type { LaneContext, SignerOutputs } from './signer-context.ts'

/** Messages about transcripts. */
export type LaneMessage = Extract<
  SignerMessage,
  { readonly type: 'dealing' | 'support' | 'complaint' | 'opening' }
>

export class Participant<P> {
  readonly #context: LaneContext<P>
  readonly receiver: Receiver<P>
  readonly #dealer: Dealer<P>
  readonly #complainer: Complainer<P>
  readonly #opener: Opener<P>

  constructor(context: LaneContext<P>) {
    this.#context = context
    this.#complainer = new Complainer(context)
    this.#opener = new Opener(context)
    this.receiver = new Receiver(context, this.#complainer)
    this.#dealer = new Dealer(context, this.receiver)
  }

  /** Own share of a final transcript; undefined while it cannot be had. */
  shareOf(run: Run<P>): SecretShare | undefined {
    return this.receiver.shareOf(run)
  }

  receive(from: NodeIndex, message: LaneMessage): SignerOutputs {
    switch (message.type) {
      case 'dealing':
        return this.receiver.accept(message.signed)
      case 'support':
        return this.#dealer.support({ ...message.support, signer: from })
      case 'complaint':
        return this.#opener.receive(from, message.signed)
      case 'opening':
        return this.#complainer.receive(from, message.signed)
    }
  }

  /**
   * One piece of heavy work; undefined when nothing is owed. Who cannot take part is helped first,
   * checks come before dealings.
   */
  work(): SignerOutputs | undefined {
    return (
      this.#opener.work() ?? this.#complainer.work() ?? this.receiver.work() ?? this.#dealer.work()
    )
  }

  /** What a node that starts again has missed. */
  resend(to: NodeIndex): SignerOutputs {
    return [
      ...this.#dealer.resend(to),
      ...this.receiver.resend(to),
      ...this.#complainer.resend(to),
      ...this.#opener.resend(to),
    ]
  }

  /** An item of the log. Undefined when it does not count, at every honest node alike. */
  judge(
    bytes: Uint8Array,
  ): { readonly dealerIndex: NodeIndex; readonly taken: TakenDealing<P> } | undefined {
    const supported = attempt(() => decodeSupportedDealing(bytes))
    if (supported instanceof BadEncoding) return undefined
    const { signed } = supported
    const { runs, members, suite } = this.#context
    const run = runs.run(signed.transcriptId)
    const id = members[signed.dealer]?.id
    const dealerIndex = run && id && dealerIndexOf(run.parameters, id)
    // What comes too late to count is not worth checking, and all nodes see alike what that is.
    if (run === undefined || dealerIndex === undefined) return undefined
    if (
      !takesDealer(run, dealerIndex) ||
      !supportSuffices(this.#context, run.parameters, supported)
    )
      return undefined
    const dealing = attempt(() => decodeDealing(suite, signed.dealing))
    return dealing instanceof BadEncoding ? undefined : { dealerIndex, taken: { signed, dealing } }
  }

  /** Lets go of what belongs to transcripts that are gone or final. */
  forget(): void {
    this.receiver.forget()
    this.#complainer.forget()
    this.#opener.forget()
    this.#dealer.forget()
  }
}
