/**
 * What the log decides for one key that signs requests: how it is made, which presignatures it has,
 * which request takes which. Source: threshold §§11.1, 12, 18.1.
 */
import { equalBytes } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import { KeyRuns } from './key-runs.ts'
import type { InCreation, Recipe, Runs } from './recipe.ts'
import type { SigningRequest } from './request.ts'
import type { Run } from './run.ts'
import type { RunLedger } from './run-ledger.ts'

/** Requests that wait for a presignature, per key; threshold specification §23. */
export const QUEUE_MAX = 20

/** A request and the presignature that is its own for ever (§18.3). `slot` gives the nonce. */
export type Pairing<P, W extends Runs<P>> = {
  readonly request: SigningRequest
  /** Final. */
  readonly key: Run<P>
  readonly presignatureId: bigint
  readonly presignature: W
  readonly slot: bigint
}

export type StockLimits = {
  /** Presignatures kept complete and unpaired; §12.3. */
  readonly stockTarget: number
  /** Presignatures in creation at one time; §12.3. */
  readonly creationMax: number
}

export type KeyStockConfig<P, W extends Runs<P>> = {
  readonly ledger: RunLedger<P>
  readonly recipe: Recipe<P, W>
  readonly limits: StockLimits
  /** From the counter of all keys: an id never comes back. */
  readonly nextId: () => bigint
  readonly kept: Run<P> | undefined
}

export class KeyStock<P, W extends Runs<P>> {
  readonly #ledger: RunLedger<P>
  readonly #recipe: Recipe<P, W>
  readonly #limits: StockLimits
  readonly #nextId: () => bigint
  readonly #key: KeyRuns<P>
  /** Complete or in creation, in ascending order of id; a paired one is its pairing's. */
  readonly #unpaired = new Map<bigint, InCreation<P, W>>()
  readonly #queue: SigningRequest[] = []

  constructor({ ledger, recipe, limits, nextId, kept }: KeyStockConfig<P, W>) {
    this.#ledger = ledger
    this.#recipe = recipe
    this.#limits = limits
    this.#nextId = nextId
    this.#key = new KeyRuns(ledger, kept)
  }

  /** The run of the key, once its transcript is final. */
  get run(): Run<P> | undefined {
    return this.#key.run
  }

  /** Presignatures that are complete and not paired. */
  get stock(): number {
    return [...this.#unpaired.values()].filter(({ whole }) => whole !== undefined).length
  }

  /** Requests without a presignature, oldest first. */
  get queued(): readonly SigningRequest[] {
    return this.#queue
  }

  /** Queues a request; false when the queue is full. */
  enqueue(request: SigningRequest): boolean {
    if (this.#queue.length >= QUEUE_MAX) return false
    this.#queue.push(request)
    return true
  }

  /** Takes a request out of the queue, if it is there. */
  cancel(requestId: Uint8Array): void {
    const place = this.#queue.findIndex(({ id }) => equalBytes(id, requestId))
    if (place >= 0) this.#queue.splice(place, 1)
  }

  /** A transcript is final: opens those that waited for it. */
  advance(final: Run<P>): void {
    this.#key.advance(final)
    const key = this.#key.transcript
    if (key === undefined) return
    for (const presignature of this.#unpaired.values()) presignature.advance(key)
  }

  /**
   * The head of the queue takes the complete presignature of smallest id, while both exist. §18.1
   */
  pair(slot: bigint): readonly Pairing<P, W>[] {
    const pairings: Pairing<P, W>[] = []
    for (const [presignatureId, { whole: presignature }] of this.#unpaired) {
      const [request] = this.#queue
      if (request === undefined) break
      if (presignature === undefined) continue
      this.#queue.shift()
      this.#unpaired.delete(presignatureId)
      const key = present(this.#key.run, 'a key comes before its presignatures')
      pairings.push({ request, key, presignatureId, presignature, slot })
    }
    return pairings
  }

  /** The ledger has begun a refresh. */
  beginRefresh(): void {
    this.#key.beginRefresh()
  }

  /** Whether nothing of this key holds up the switch. */
  get isReshared(): boolean {
    return this.#key.isReshared
  }

  /**
   * The ledger has entered the next epoch. Presignatures that are not paired are of the old key:
   * they are dropped (§11.2 rule 2). The run that was the key, until nothing refers to it.
   */
  switch(): Run<P> | undefined {
    for (const { opened } of this.#unpaired.values())
      for (const { parameters } of opened) this.#ledger.drop(parameters.id)
    this.#unpaired.clear()
    return this.#key.switch()
  }

  /** Starts presignatures until the stock, and what the queue asks for, will be full. */
  replenish(): void {
    if (this.#key.transcript === undefined) return
    const { stockTarget, creationMax } = this.#limits
    const wanted = stockTarget + this.#queue.length
    let creating = this.#unpaired.size - this.stock
    while (creating < creationMax && this.#unpaired.size < wanted) {
      this.#unpaired.set(this.#nextId(), this.#recipe(this.#ledger))
      creating += 1
    }
  }
}
