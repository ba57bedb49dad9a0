/**
 * The transcripts of one algorithm in one time line: which id each got, which are open, which are
 * final. Source: threshold §§3.7, 9.1, 18.4.
 */
import { present } from '../base/errors.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Member, Operation } from './parameters.ts'
import type { Run, RunBook, TakenDealing } from './run.ts'
import { openRun, takeDealing, takesDealer } from './run.ts'
import type { Suite } from './suite.ts'

/** Who holds the transcripts that are opened, and by which encryption keys. */
export type Epoch = {
  readonly members: readonly Member[]
  readonly membershipVersion: bigint
}

/** What the transcripts of a subnet share until the membership changes. */
export type RunFrame = Epoch & { readonly subnetId: Uint8Array }

export type RunLedgerConfig<P = Secp256k1Point> = RunFrame & {
  readonly suite: Suite<P>
  readonly incarnation: bigint
  /** Final runs of earlier time lines, of different ids. */
  readonly kept: readonly Run<P>[]
}

/** Low half of the incarnation, then the slot, §3.7. */
export const sourceHeight = (incarnation: bigint, slot: bigint): bigint =>
  (BigInt.asUintN(32, incarnation) << 32n) | BigInt.asUintN(32, slot)

export class RunLedger<P = Secp256k1Point> implements RunBook<P> {
  readonly #config: RunLedgerConfig<P>
  readonly #runs = new Map<bigint, Run<P>>()
  /** Above every id that this time line or one that it goes back to has given out and kept. */
  #next = 0n
  #slot = 0n
  #epoch: Epoch
  /** Of the refresh that runs. */
  #nextEpoch: Epoch | undefined

  constructor(config: RunLedgerConfig<P>) {
    this.#config = config
    this.#epoch = config
    for (const run of config.kept) {
      const { id } = run.parameters
      this.#runs.set(id, run)
      if (id >= this.#next) this.#next = id + 1n
    }
  }

  get suite(): Suite<P> {
    return this.#config.suite
  }

  run(id: bigint): Run<P> | undefined {
    return this.#runs.get(id)
  }

  wasOpened(id: bigint): boolean {
    return id < this.#next
  }

  openRuns(): readonly Run<P>[] {
    return [...this.#runs.values()].filter((run) => run.transcript === undefined)
  }

  finalRuns(): readonly Run<P>[] {
    return [...this.#runs.values()].filter((run) => run.transcript !== undefined)
  }

  /** Transcripts that are not dropped, oldest first. */
  runs(): readonly Run<P>[] {
    return [...this.#runs.values()]
  }

  /** A transcript of the members, dealt by them. */
  open(operation: Operation<P>): Run<P> {
    return this.#open(operation, this.#epoch, this.#epoch.members)
  }

  /** A refresh begins: keys are dealt on to this membership. §11.2 */
  beginRefresh(next: Epoch): void {
    this.#nextEpoch = next
  }

  /** The same key for the next membership; undefined while no refresh runs. */
  reshare({ parameters, transcript: input }: Run<P>): Run<P> | undefined {
    if (this.#nextEpoch === undefined || input === undefined) return undefined
    return this.#open({ type: 'reshareOfUnmasked', input }, this.#nextEpoch, parameters.receivers)
  }

  /** The switch: what is opened from now on is of the next membership. */
  enterEpoch(): void {
    this.#epoch = present(this.#nextEpoch, 'a switch ends a refresh')
    this.#nextEpoch = undefined
  }

  #open(operation: Operation<P>, receiving: Epoch, dealers: readonly Member[]): Run<P> {
    const { suite, subnetId, incarnation } = this.#config
    const run = openRun<P>(incarnation, {
      id: this.#next,
      algorithm: suite.algorithm,
      dealers,
      receivers: receiving.members,
      operation,
      membershipVersion: receiving.membershipVersion,
      subnetId,
      sourceHeight: sourceHeight(incarnation, this.#slot),
    })
    this.#runs.set(this.#next, run)
    this.#next += 1n
    return run
  }

  /**
   * Takes a dealing whose evidence has been checked. The run that took it, which may be final now;
   * undefined when the dealing does not count (any more).
   */
  take(dealerIndex: NodeIndex, dealing: TakenDealing<P>): Run<P> | undefined {
    const run = this.#runs.get(dealing.signed.transcriptId)
    if (run === undefined || !takesDealer(run, dealerIndex)) return undefined
    takeDealing(this.suite, run, { dealerIndex, ...dealing })
    return run
  }

  /** Nodes erase their shares of it. Its id never comes back. */
  drop(id: bigint): void {
    this.#runs.delete(id)
  }

  /** What is opened from now on is opened in this slot. */
  enter(slot: bigint): void {
    this.#slot = slot
  }
}
