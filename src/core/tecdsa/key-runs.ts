/**
 * The life of one key: a masked sharing, its resharing in the open, then a resharing at each
 * refresh. Source: threshold §§11.1, 11.2.
 */
import { present } from '../base/errors.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import { constantTerm } from './commitment.ts'
import type { Transcript } from './parameters.ts'
import type { Run } from './run.ts'
import type { RunLedger } from './run-ledger.ts'

export class KeyRuns<P = Secp256k1Point> {
  readonly #ledger: RunLedger<P>
  #masked: Run<P> | undefined
  /** The resharing, whose transcript is the key. */
  #shared: Run<P> | undefined
  /** The same key for the next membership, in a refresh. */
  #next: Run<P> | undefined

  /** `kept`: the run of a key of an earlier time line, which the ledger holds. */
  constructor(ledger: RunLedger<P>, kept: Run<P> | undefined) {
    this.#ledger = ledger
    this.#shared = kept
    if (kept === undefined) this.#masked = ledger.open({ type: 'random' })
  }

  /** The run of the key, once its transcript is final. */
  get run(): Run<P> | undefined {
    return this.#shared?.transcript === undefined ? undefined : this.#shared
  }

  /** The key, once it is final. */
  get transcript(): Transcript<P> | undefined {
    return this.#shared?.transcript
  }

  /** A transcript is final: the next step, if it is the one of this key. */
  advance(final: Run<P>): void {
    const input = present(final.transcript, 'the run is final')
    if (final === this.#masked) {
      this.#shared = this.#ledger.open({ type: 'reshareOfMasked', input })
      return
    }
    if (final !== this.#shared || this.#masked === undefined) return
    // The masked sharing has served: nodes erase their shares of it.
    this.#ledger.drop(this.#masked.parameters.id)
    this.#masked = undefined
    if (this.#ledger.suite.group.isZero(constantTerm(input.commitment))) this.#startAgain()
    else this.#next = this.#ledger.reshare(final)
  }

  /** The identity is no public key, and the members of another epoch make none for this one. */
  #startAgain(): void {
    for (const run of [this.#masked, this.#shared])
      if (run !== undefined) this.#ledger.drop(run.parameters.id)
    this.#shared = undefined
    this.#masked = this.#ledger.open({ type: 'random' })
  }

  /** The ledger has begun a refresh. A key in the making follows when it is final. */
  beginRefresh(): void {
    const { run } = this
    if (run !== undefined) this.#next = this.#ledger.reshare(run)
  }

  /** Whether nothing of this key holds up the switch. */
  get isReshared(): boolean {
    return this.run === undefined || this.#next?.transcript !== undefined
  }

  /**
   * The ledger has entered the next epoch: the reshared key is the key. The run that is no longer,
   * which its owner drops when nothing refers to it; a key in the making starts again.
   */
  switch(): Run<P> | undefined {
    const old = this.run
    if (old === undefined) this.#startAgain()
    else {
      this.#shared = present(this.#next, 'every key is reshared before the switch')
      this.#next = undefined
    }
    return old
  }
}
