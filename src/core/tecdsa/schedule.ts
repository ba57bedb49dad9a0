/**
 * What the log decides for the signer: which transcripts run, which presignatures exist, which
 * request takes which. Source: threshold §§11.1, 12, 17.1, 18.1. A function of the log alone, so
 * equal at every honest node.
 */
import { toHex } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Member, Operation, Transcript, TranscriptParameters } from './parameters.ts'
import type { Presignature } from './presignature.ts'
import type { Run, RunBook, TakenDealing } from './run.ts'
import { openRun, takeDealing, takesDealer } from './run.ts'
import type { Suite } from './suite.ts'

/** Requests that wait for a presignature, per key; threshold specification §23. */
export const QUEUE_MAX = 20

/** A signature that an executed canister asked for. */
export type SigningRequest = {
  /** 32 bytes, equal at all nodes; never used twice. */
  readonly id: Uint8Array
  /** The caller's principal first, then the rest of the derivation path. */
  readonly path: readonly Uint8Array[]
  /** Message hash, 32 bytes. */
  readonly digest: Uint8Array
}

/**
 * The four transcripts of one presignature; a missing id means that its inputs are not final yet.
 */
type PresignatureRuns = {
  readonly kappa: bigint
  readonly lambda: bigint
  kappaLambda: bigint | undefined
  keyLambda: bigint | undefined
}

/** A request and the presignature that is its own for ever (§18.3). `slot` gives the nonce. */
export type Pairing = {
  readonly request: SigningRequest
  readonly presignatureId: bigint
  readonly presignature: Presignature
  readonly runs: readonly [lambda: Run, kappaLambda: Run, keyLambda: Run]
  readonly slot: bigint
}

export type ScheduleConfig = {
  readonly suite: Suite
  readonly members: readonly Member[]
  readonly membershipVersion: bigint
  readonly subnetId: Uint8Array
  readonly incarnation: bigint
  /** Presignatures kept complete and unpaired; §12.3. */
  readonly stockTarget: number
  /** Presignatures in creation at one time; §12.3. */
  readonly creationMax: number
  /** The key of an earlier time line, final; without it one is made. */
  readonly restored?: Run | undefined
}

export class Schedule implements RunBook {
  readonly #config: ScheduleConfig
  readonly #runs = new Map<bigint, Run>()
  readonly #presignatures = new Map<bigint, PresignatureRuns>()
  readonly #queue: SigningRequest[] = []
  readonly #pairings = new Map<string, Pairing>()
  readonly #keyRun: bigint | undefined
  #sharedKeyRun: bigint | undefined
  #nextTranscript = 0n
  #nextPresignature = 0n
  #slot = 0n

  /** Key generation is under way from the start: step 1 of §11.1 needs nothing from the log. */
  constructor(config: ScheduleConfig) {
    this.#config = config
    const { restored } = config
    if (restored === undefined) this.#keyRun = this.#open({ type: 'random' })
    else {
      const { id } = restored.parameters
      this.#runs.set(id, restored)
      this.#sharedKeyRun = id
      this.#nextTranscript = id + 1n
    }
  }

  /** The key transcript, once final. */
  get key(): Transcript | undefined {
    return this.#sharedKeyRun === undefined ? undefined : this.run(this.#sharedKeyRun)?.transcript
  }

  get keyRun(): Run | undefined {
    return this.#sharedKeyRun === undefined ? undefined : this.run(this.#sharedKeyRun)
  }

  run(id: bigint): Run | undefined {
    return this.#runs.get(id)
  }

  /** Whether the transcript was opened at some time; an id below the counter never comes back. */
  wasOpened(id: bigint): boolean {
    return id < this.#nextTranscript
  }

  /** Transcripts that still take dealings, oldest first. */
  openRuns(): readonly Run[] {
    return [...this.#runs.values()].filter((run) => run.transcript === undefined)
  }

  /** Presignatures that are complete and not paired. */
  get stock(): number {
    const unpaired = [...this.#presignatures].filter(([id]) => !this.#isPaired(id))
    return unpaired.filter(([, runs]) => this.#complete(runs) !== undefined).length
  }

  /** Requests paired and not answered, oldest first. */
  pairings(): readonly Pairing[] {
    return [...this.#pairings.values()]
  }

  pairing(requestId: Uint8Array): Pairing | undefined {
    return this.#pairings.get(toHex(requestId))
  }

  /** Requests without a presignature. */
  get waiting(): number {
    return this.#queue.length
  }

  /** Takes a dealing whose evidence has been checked. False when it does not count (any more). */
  take(dealerIndex: NodeIndex, dealing: TakenDealing): boolean {
    const run = this.#runs.get(dealing.signed.transcriptId)
    if (run === undefined || !takesDealer(run, dealerIndex)) return false
    if (takeDealing(this.#config.suite, run, { dealerIndex, ...dealing })) this.#advance(run)
    return true
  }

  /** Queues a request; false when the queue is full. */
  enqueue(request: SigningRequest): boolean {
    if (this.#queue.length >= QUEUE_MAX) return false
    this.#queue.push(request)
    return true
  }

  /** A request has its signature: it and its presignature are gone. */
  complete(requestId: Uint8Array): void {
    const pairing = present(this.pairing(requestId), 'only a paired request is completed')
    this.#pairings.delete(toHex(requestId))
    this.#forget(pairing.presignatureId)
  }

  /**
   * End of a slot: pairs what can be paired, then starts presignatures until the stock will be
   * full.
   */
  endSlot(slot: bigint): readonly Pairing[] {
    this.#slot = slot
    const paired = this.#pair()
    this.#replenish()
    this.#slot = slot + 1n
    return paired
  }

  #open(operation: Operation): bigint {
    const { members, incarnation, suite, membershipVersion, subnetId } = this.#config
    const parameters: TranscriptParameters = {
      id: this.#nextTranscript,
      algorithm: suite.algorithm,
      dealers: members,
      receivers: members,
      operation,
      membershipVersion,
      subnetId,
      sourceHeight: (BigInt.asUintN(32, incarnation) << 32n) | BigInt.asUintN(32, this.#slot),
    }
    this.#nextTranscript += 1n
    this.#runs.set(parameters.id, openRun(parameters))
    return parameters.id
  }

  #final(id: bigint | undefined): Transcript | undefined {
    return id === undefined ? undefined : this.#runs.get(id)?.transcript
  }

  /** A transcript is final: opens those that waited for it. */
  #advance(run: Run): void {
    if (run.parameters.id === this.#keyRun) {
      const input = present(run.transcript, 'the run just became final')
      this.#sharedKeyRun = this.#open({ type: 'reshareOfMasked', input })
    }
    // The masked sharing has served: nodes erase their shares of it.
    if (run.parameters.id === this.#sharedKeyRun && this.#keyRun !== undefined)
      this.#runs.delete(this.#keyRun)
    for (const runs of this.#presignatures.values()) this.#openProducts(runs)
  }

  #openProducts(runs: PresignatureRuns): void {
    const [kappa, right, key] = [this.#final(runs.kappa), this.#final(runs.lambda), this.key]
    if (right === undefined || key === undefined) return
    runs.keyLambda ??= this.#open({ type: 'unmaskedTimesMasked', left: key, right })
    if (kappa === undefined) return
    runs.kappaLambda ??= this.#open({ type: 'unmaskedTimesMasked', left: kappa, right })
  }

  #complete(runs: PresignatureRuns): Presignature | undefined {
    const kappa = this.#final(runs.kappa)
    const lambda = this.#final(runs.lambda)
    const kappaLambda = this.#final(runs.kappaLambda)
    const keyLambda = this.#final(runs.keyLambda)
    if (kappa === undefined || lambda === undefined) return undefined
    if (kappaLambda === undefined || keyLambda === undefined) return undefined
    return { kappa, lambda, kappaLambda, keyLambda }
  }

  /**
   * The head of the queue takes the complete presignature of smallest id, while both exist. §18.1
   */
  #pair(): readonly Pairing[] {
    const paired: Pairing[] = []
    for (const [id, runs] of this.#presignatures) {
      const request = this.#queue[0]
      if (request === undefined) break
      const presignature = this.#complete(runs)
      if (presignature === undefined || this.#isPaired(id)) continue
      this.#queue.shift()
      paired.push(this.#record({ request, presignatureId: id, presignature }, runs))
    }
    return paired
  }

  #isPaired(presignatureId: bigint): boolean {
    return [...this.#pairings.values()].some((pairing) => pairing.presignatureId === presignatureId)
  }

  #record(
    pair: Pick<Pairing, 'request' | 'presignatureId' | 'presignature'>,
    runs: PresignatureRuns,
  ): Pairing {
    const runOf = (id: bigint | undefined): Run =>
      present(id === undefined ? undefined : this.#runs.get(id), 'a complete presignature has runs')
    const pairing: Pairing = {
      ...pair,
      runs: [runOf(runs.lambda), runOf(runs.kappaLambda), runOf(runs.keyLambda)],
      slot: this.#slot,
    }
    const name = toHex(pair.request.id)
    assert(!this.#pairings.has(name), 'a request is paired once')
    this.#pairings.set(name, pairing)
    return pairing
  }

  #replenish(): void {
    if (this.key === undefined) return
    const unpaired = [...this.#presignatures].filter(([id]) => !this.#isPaired(id))
    const complete = unpaired.filter(([, runs]) => this.#complete(runs) !== undefined).length
    let creating = unpaired.length - complete
    const wanted = this.#config.stockTarget + this.#queue.length
    while (creating < this.#config.creationMax && complete + creating < wanted) {
      this.#presignatures.set(this.#nextPresignature, {
        kappa: this.#open({ type: 'randomUnmasked' }),
        lambda: this.#open({ type: 'random' }),
        kappaLambda: undefined,
        keyLambda: undefined,
      })
      this.#nextPresignature += 1n
      creating += 1
    }
  }

  #forget(presignatureId: bigint): void {
    const runs = present(this.#presignatures.get(presignatureId), 'a paired presignature exists')
    this.#presignatures.delete(presignatureId)
    for (const id of [runs.kappa, runs.lambda, runs.kappaLambda, runs.keyLambda])
      if (id !== undefined) this.#runs.delete(id)
  }
}
