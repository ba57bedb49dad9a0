/**
 * The life of one key as the log decides it: a masked sharing, then its resharing in the open.
 * Source: threshold §11.1.
 */
import type { NodeIndex } from '../base/party.ts'
import type { RunFrame } from './key-record.ts'
import type { Operation } from './parameters.ts'
import type { Run, RunBook, TakenDealing } from './run.ts'
import { openRun, takeDealing, takesDealer } from './run.ts'
import type { Suite } from './suite.ts'

export type KeyRunsConfig<P> = RunFrame & {
  readonly suite: Suite<P>
  readonly incarnation: bigint
  /** The key of an earlier time line, final; without it one is made. */
  readonly restored: Run<P> | undefined
}

export class KeyRuns<P> implements RunBook<P> {
  readonly #config: KeyRunsConfig<P>
  readonly #runs = new Map<bigint, Run<P>>()
  /** The resharing, whose transcript is the key. */
  #keyRun: Run<P> | undefined
  #next = 0n
  #slot = 0n

  constructor(config: KeyRunsConfig<P>) {
    this.#config = config
    const { restored } = config
    if (restored === undefined) {
      this.#open({ type: 'random' })
      return
    }
    this.#keyRun = restored
    this.#runs.set(restored.parameters.id, restored)
    this.#next = restored.parameters.id + 1n
  }

  /** The run of the key, once its transcript is final. */
  get key(): Run<P> | undefined {
    return this.#keyRun?.transcript === undefined ? undefined : this.#keyRun
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

  /** Takes a dealing whose evidence has been checked. False when it does not count (any more). */
  take(dealerIndex: NodeIndex, dealing: TakenDealing<P>): boolean {
    const run = this.#runs.get(dealing.signed.transcriptId)
    if (run === undefined || !takesDealer(run, dealerIndex)) return false
    if (!takeDealing(this.#config.suite, run, { dealerIndex, ...dealing })) return true
    if (run === this.#keyRun) {
      const { operation } = run.parameters
      // The masked sharing has served: nodes erase their shares of it.
      if (operation.type === 'reshareOfMasked') this.#runs.delete(operation.input.id)
    } else if (run.transcript !== undefined)
      this.#keyRun = this.#open({ type: 'reshareOfMasked', input: run.transcript })
    return true
  }

  endSlot(slot: bigint): void {
    this.#slot = slot + 1n
  }

  #open(operation: Operation<P>): Run<P> {
    const { suite, members, membershipVersion, subnetId, incarnation } = this.#config
    const run = openRun<P>({
      id: this.#next,
      algorithm: suite.algorithm,
      dealers: members,
      receivers: members,
      operation,
      membershipVersion,
      subnetId,
      sourceHeight: (BigInt.asUintN(32, incarnation) << 32n) | BigInt.asUintN(32, this.#slot),
    })
    this.#runs.set(this.#next, run)
    this.#next += 1n
    return run
  }
}
