/**
 * What the log decides for one key that signs requests: how it is made, which presignatures it has,
 * which request takes which. Source: threshold §§11.1, 12, 18.1.
 */
import { equalBytes } from '../base/bytes.ts'
import { present } from '../base/errors.ts'
import { KeyRuns } from './key-runs.ts'
import type { Transcript } from './parameters.ts'
import type { Presignature } from './presignature.ts'
import type { Run } from './run.ts'
import type { RunLedger } from './run-ledger.ts'

/** Requests that wait for a presignature, per key; threshold specification §23. */
export const QUEUE_MAX = 20

/** A signature that an executed canister, or the operator, asked for. */
export type SigningRequest = {
  /** 32 bytes, equal at all nodes; never used twice. */
  readonly id: Uint8Array
  /** Of the key that signs. */
  readonly keyName: string
  /** The caller's principal first, then the rest of the derivation path. */
  readonly path: readonly Uint8Array[]
  /** Message hash, 32 bytes. */
  readonly digest: Uint8Array
}

/** A request and the presignature that is its own for ever (§18.3). `slot` gives the nonce. */
export type Pairing = {
  readonly request: SigningRequest
  readonly key: Transcript
  readonly presignatureId: bigint
  readonly presignature: Presignature
  readonly runs: readonly [lambda: Run, kappaLambda: Run, keyLambda: Run]
  readonly slot: bigint
}

export type StockLimits = {
  /** Presignatures kept complete and unpaired; §12.3. */
  readonly stockTarget: number
  /** Presignatures in creation at one time; §12.3. */
  readonly creationMax: number
}

/**
 * The four transcripts of one presignature; a missing one means that its inputs are not final yet.
 */
type PresignatureRuns = {
  readonly kappa: Run
  readonly lambda: Run
  kappaLambda: Run | undefined
  keyLambda: Run | undefined
}

export class KeyStock {
  readonly #ledger: RunLedger
  readonly #limits: StockLimits
  /** From the counter of all keys: an id never comes back. */
  readonly #nextId: () => bigint
  readonly #key: KeyRuns
  /** Complete or in creation, in ascending order of id; a paired one is its pairing's. */
  readonly #unpaired = new Map<bigint, PresignatureRuns>()
  readonly #queue: SigningRequest[] = []

  constructor({
    ledger,
    limits,
    nextId,
    kept,
  }: {
    readonly ledger: RunLedger
    readonly limits: StockLimits
    readonly nextId: () => bigint
    readonly kept: Run | undefined
  }) {
    this.#ledger = ledger
    this.#limits = limits
    this.#nextId = nextId
    this.#key = new KeyRuns(ledger, kept)
  }

  /** The run of the key, once its transcript is final. */
  get run(): Run | undefined {
    return this.#key.run
  }

  /** Presignatures that are complete and not paired. */
  get stock(): number {
    return [...this.#unpaired.values()].filter((runs) => complete(runs) !== undefined).length
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
  advance(final: Run): void {
    this.#key.advance(final)
    for (const runs of this.#unpaired.values()) this.#openProducts(runs)
  }

  #openProducts(runs: PresignatureRuns): void {
    const key = this.#key.transcript
    const [left, right] = [runs.kappa.transcript, runs.lambda.transcript]
    if (right === undefined || key === undefined) return
    runs.keyLambda ??= this.#ledger.open({ type: 'unmaskedTimesMasked', left: key, right })
    if (left === undefined) return
    runs.kappaLambda ??= this.#ledger.open({ type: 'unmaskedTimesMasked', left, right })
  }

  /**
   * The head of the queue takes the complete presignature of smallest id, while both exist. §18.1
   */
  pair(slot: bigint): readonly Pairing[] {
    const pairings: Pairing[] = []
    for (const [presignatureId, runs] of this.#unpaired) {
      const [request] = this.#queue
      if (request === undefined) break
      const whole = complete(runs)
      if (whole === undefined) continue
      this.#queue.shift()
      this.#unpaired.delete(presignatureId)
      const key = present(this.#key.transcript, 'a key comes before its presignatures')
      pairings.push({ request, key, presignatureId, slot, ...whole })
    }
    return pairings
  }

  /** Starts presignatures until the stock, and what the queue asks for, will be full. */
  replenish(): void {
    if (this.#key.transcript === undefined) return
    const { stockTarget, creationMax } = this.#limits
    const wanted = stockTarget + this.#queue.length
    let creating = this.#unpaired.size - this.stock
    while (creating < creationMax && this.#unpaired.size < wanted) {
      this.#unpaired.set(this.#nextId(), {
        kappa: this.#ledger.open({ type: 'randomUnmasked' }),
        lambda: this.#ledger.open({ type: 'random' }),
        kappaLambda: undefined,
        keyLambda: undefined,
      })
      creating += 1
    }
  }
}

function complete({
  kappa,
  lambda,
  kappaLambda,
  keyLambda,
}: PresignatureRuns): Pick<Pairing, 'presignature' | 'runs'> | undefined {
  if (kappaLambda?.transcript === undefined || keyLambda?.transcript === undefined) return undefined
  if (kappa.transcript === undefined || lambda.transcript === undefined) return undefined
  return {
    presignature: {
      kappa: kappa.transcript,
      lambda: lambda.transcript,
      kappaLambda: kappaLambda.transcript,
      keyLambda: keyLambda.transcript,
    },
    runs: [lambda, kappaLambda, keyLambda],
  }
}
