/**
 * What the log decides for the keys of one algorithm: which there are, which transcripts run, which request is
 * paired with what. Source: threshold §§11.1, 12, 17.1, 18.1, 19. A function of the log alone, so
 * equal at every honest node.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Transcript } from './parameters.ts'
import type { Recipe, Runs } from './recipe.ts'
import type { SigningRequest } from './request.ts'
import { KEY_NAMES } from './request.ts'
import type { Run, RunBook, TakenDealing } from './run.ts'
import type { Epoch, RunFrame } from './run-ledger.ts'
import { RunLedger } from './run-ledger.ts'
import type { Pairing, StockLimits } from './stock.ts'
import { KeyStock } from './stock.ts'
import type { Suite } from './suite.ts'

export type ScheduleConfig<P, W extends Runs<P>> = RunFrame &
  StockLimits & {
    readonly suite: Suite<P>
    readonly recipe: Recipe<P, W>
    readonly incarnation: bigint
    /** The key that is made at the start and has a stock, if any; others sign on demand. */
    readonly mainKey: string | undefined
    /** Final keys of an earlier time line, by name; what is missing is made. */
    readonly kept: ReadonlyMap<string, Run<P>>
  }

export class Schedule<P, W extends Runs<P>> implements RunBook<P> {
  readonly #config: ScheduleConfig<P, W>
  readonly #ledger: RunLedger<P>
  readonly #keys = new Map<string, KeyStock<P, W>>()
  readonly #pairings = new Map<string, Pairing<P, W>>()
  /** Keys of earlier epochs under which paired requests finish. */
  #retired: readonly Run<P>[] = []
  #nextPresignature = 0n

  /**
   * Key generation, or with a kept key its stock, is under way from the start: neither needs
   * anything from the log.
   */
  constructor(config: ScheduleConfig<P, W>) {
    const { kept, mainKey } = config
    this.#config = config
    this.#ledger = new RunLedger({ ...config, kept: [...kept.values()] })
    for (const [name, run] of kept) this.#add(name, run)
    if (mainKey !== undefined) this.holdKey(mainKey)
    for (const key of this.#keys.values()) key.replenish()
  }

  #add(name: string, kept: Run<P> | undefined): KeyStock<P, W> {
    const { recipe, stockTarget, creationMax, mainKey } = this.#config
    const stock = new KeyStock({
      ledger: this.#ledger,
      recipe,
      limits: { stockTarget: name === mainKey ? stockTarget : 0, creationMax },
      nextId: () => this.#nextPresignature++,
      kept,
    })
    this.#keys.set(name, stock)
    return stock
  }

  /** The key of this name is there or in the making from now on. False for a name not offered. */
  holdKey(name: string): boolean {
    return this.#hold(name) !== undefined
  }

  /** Whether there is a key of this name, or it is made when somebody asks for it. */
  offersKey(name: string): boolean {
    return this.#keys.has(name) || name === this.#config.mainKey || KEY_NAMES.includes(name)
  }

  #hold(name: string): KeyStock<P, W> | undefined {
    const held = this.#keys.get(name)
    if (held !== undefined) return held
    return this.offersKey(name) ? this.#add(name, undefined) : undefined
  }

  /** The key transcript, once final. */
  keyOf(name: string): Transcript<P> | undefined {
    return this.#keys.get(name)?.run?.transcript
  }

  /** The runs of all final keys, by name. */
  finalKeys(): ReadonlyMap<string, Run<P>> {
    const runs = [...this.#keys].flatMap(([name, { run }]) =>
      run === undefined ? [] : [[name, run] as const],
    )
    return new Map(runs)
  }

  run(id: bigint): Run<P> | undefined {
    return this.#ledger.run(id)
  }

  /** Whether the transcript was opened at some time; an id below the counter never comes back. */
  wasOpened(id: bigint): boolean {
    return this.#ledger.wasOpened(id)
  }

  /** Transcripts that still take dealings, oldest first. */
  openRuns(): readonly Run<P>[] {
    return this.#ledger.openRuns()
  }

  /** Transcripts that are final and not dropped, oldest first. */
  finalRuns(): readonly Run<P>[] {
    return this.#ledger.finalRuns()
  }

  /** Presignatures of a key that are complete and not paired. */
  stockOf(name: string): number {
    return this.#keys.get(name)?.stock ?? 0
  }

  /** Requests paired and not answered, oldest first. */
  pairings(): readonly Pairing<P, W>[] {
    return [...this.#pairings.values()]
  }

  pairing(requestId: Uint8Array): Pairing<P, W> | undefined {
    return this.#pairings.get(toHex(requestId))
  }

  /** Requests without a presignature, of all keys. */
  queued(): readonly SigningRequest[] {
    return [...this.#keys.values()].flatMap(({ queued }) => queued)
  }

  /** Whether a request waits for a presignature or a signature. */
  isOpen(requestId: Uint8Array): boolean {
    return (
      this.pairing(requestId) !== undefined ||
      this.queued().some(({ id }) => equalBytes(id, requestId))
    )
  }

  /** Takes a dealing whose evidence has been checked. False when it does not count (any more). */
  take(dealerIndex: NodeIndex, dealing: TakenDealing<P>): boolean {
    const run = this.#ledger.take(dealerIndex, dealing)
    if (run?.transcript !== undefined) for (const key of this.#keys.values()) key.advance(run)
    return run !== undefined
  }

  /** Queues a request; false when its key is not offered or has its queue full. */
  enqueue(request: SigningRequest): boolean {
    return this.#hold(request.key.name)?.enqueue(request) ?? false
  }

  /** A request has its signature: it and its presignature are gone. */
  complete(requestId: Uint8Array): void {
    this.#discard(present(this.pairing(requestId), 'only a paired request is completed'))
  }

  /** A request gets none: it is gone, and its presignature, used or not, with it (§18.3). */
  expire(requestId: Uint8Array): void {
    const pairing = this.pairing(requestId)
    if (pairing !== undefined) this.#discard(pairing)
    else for (const key of this.#keys.values()) key.cancel(requestId)
  }

  #discard({ request, presignature }: Pairing<P, W>): void {
    this.#pairings.delete(toHex(request.id))
    for (const { parameters } of Object.values(presignature)) this.#ledger.drop(parameters.id)
  }

  /** Keys are dealt on to the next membership from now on. §11.2 */
  beginRefresh(next: Epoch): void {
    this.#ledger.beginRefresh(next)
    for (const key of this.#keys.values()) key.beginRefresh()
  }

  /** Whether nothing of this algorithm holds up the switch. */
  get isReshared(): boolean {
    return [...this.#keys.values()].every((key) => key.isReshared)
  }

  /** The switch: every key is that of the next membership. */
  switch(): void {
    this.#ledger.enterEpoch()
    const old = [...this.#keys.values()].flatMap((key) => key.switch() ?? [])
    this.#retired = [...this.#retired, ...old]
  }

  /** Transcripts that are not dropped, oldest first. */
  runs(): readonly Run<P>[] {
    return this.#ledger.runs()
  }

  /** An old key goes when the last request that was paired under it is over. */
  #dropRetired(): void {
    const used = new Set(this.pairings().map(({ key }) => key))
    const over = this.#retired.filter((run) => !used.has(run))
    for (const { parameters } of over) this.#ledger.drop(parameters.id)
    this.#retired = this.#retired.filter((run) => used.has(run))
  }

  /** End of a slot: pairs what can be paired, then starts the presignatures that are wanted. */
  endSlot(slot: bigint): readonly Pairing<P, W>[] {
    this.#ledger.enter(slot)
    const paired = [...this.#keys.values()].flatMap((key) => key.pair(slot))
    for (const pairing of paired) {
      const name = toHex(pairing.request.id)
      assert(!this.#pairings.has(name), 'a request is paired once')
      this.#pairings.set(name, pairing)
    }
    for (const key of this.#keys.values()) key.replenish()
    this.#dropRetired()
    this.#ledger.enter(slot + 1n)
    return paired
  }
}
