/**
 * One node's part in the keys of one algorithm: their transcripts, their queues, their signatures.
 * Source: threshold §§7 to 15, 18.
 */
import { encodePoint } from '../base/group.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import type { NodeIndex } from '../base/party.ts'
import { constantTerm } from './commitment.ts'
import type { Completion } from './completion.ts'
import type { ShareMessage } from './message.ts'
import type { LaneMessage } from './participant.ts'
import { Participant } from './participant.ts'
import type { Recipe, Runs } from './recipe.ts'
import type { Run } from './run.ts'
import type { Epoch } from './run-ledger.ts'
import type { ScheduleConfig } from './schedule.ts'
import { Schedule } from './schedule.ts'
import type { Method } from './session.ts'
import type { LaneContext, SignerOutputs } from './signer-context.ts'
import { Signing } from './signing.ts'
import type { Tape } from './tape.ts'

export type KeyLaneConfig<P, W extends Runs<P>> = {
  readonly context: Omit<LaneContext<P>, 'runs'> & { readonly lane: KeyScheme }
  readonly schedule: Omit<ScheduleConfig<P, W>, 'suite' | 'recipe' | 'kept'>
  readonly recipe: Recipe<P, W>
  readonly method: Method<P, W>
  readonly tape: Tape
  readonly kept: ReadonlyMap<string, Run<P>> | undefined
}

export class KeyLane<P, W extends Runs<P>> {
  readonly schedule: Schedule<P, W>
  readonly #context: Omit<LaneContext<P>, 'runs'>
  readonly #part: Participant<P>
  readonly #signing: Signing<P, W>

  constructor({ context, schedule, recipe, method, tape, kept }: KeyLaneConfig<P, W>) {
    this.#context = context
    const { suite } = context
    this.schedule = new Schedule({ ...schedule, suite, recipe, kept: kept ?? new Map() })
    const whole = { ...context, runs: this.schedule, schedule: this.schedule }
    this.#part = new Participant(whole)
    this.#signing = new Signing(whole, { receiver: this.#part.receiver, method, tape })
  }

  /** As `publicKeySize` says, once the log has made the key final. */
  publicKeyOf(name: string): Uint8Array | undefined {
    const key = this.schedule.keyOf(name)
    return key && encodePoint(this.#context.suite.group, constantTerm(key.commitment))
  }

  receive(from: NodeIndex, message: LaneMessage | ShareMessage): SignerOutputs {
    return message.type === 'share'
      ? this.#signing.share(from, message)
      : this.#part.receive(from, message)
  }

  resend(to: NodeIndex): SignerOutputs {
    return [...this.#part.resend(to), ...this.#signing.resend(to)]
  }

  /** One piece of heavy work for a signature; undefined when nothing is owed. */
  sign(): SignerOutputs | undefined {
    return this.#signing.work()
  }

  /** The same for a transcript. */
  work(): SignerOutputs | undefined {
    return this.#part.work()
  }

  /** An item of the log. False when it does not count. */
  takeDealing(bytes: Uint8Array): boolean {
    const judged = this.#part.judge(bytes)
    return judged !== undefined && this.schedule.take(judged.dealerIndex, judged.taken)
  }

  /** An item of the log. True when it completes a request of this algorithm. */
  complete(completion: Completion): boolean {
    if (!this.#signing.judge(completion)) return false
    this.schedule.complete(completion.requestId)
    return true
  }

  /** Requests that wait for a presignature or a signature. */
  get openRequests(): number {
    return this.schedule.queued().length + this.schedule.pairings().length
  }

  /** Keys are dealt on to the next membership from now on. §11.2 */
  beginRefresh(next: Epoch): void {
    this.schedule.beginRefresh(next)
  }

  /** Whether nothing of this algorithm holds up the switch. */
  get isReshared(): boolean {
    return this.schedule.isReshared
  }

  switch(): void {
    this.schedule.switch()
  }

  /** Transcripts that are not dropped. */
  runs(): readonly Run<P>[] {
    return this.schedule.runs()
  }

  /** Pairs and replenishes. */
  endSlot(slot: bigint): void {
    this.schedule.endSlot(slot)
    this.#part.forget()
  }

  /** What is due of open signatures now that the slot is over. */
  afterSlot(): SignerOutputs {
    return this.#signing.endSlot()
  }
}
