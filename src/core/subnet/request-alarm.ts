/**
 * Wakes a node when a request for a signature has taken too long. Source: threshold §18.5.
 */
import type { TimestampNs } from '../base/units.ts'
import type { Signer } from '../tecdsa/signer.ts'
import type { SignerOutputs } from '../tecdsa/signer-context.ts'
import { alarmAt } from './alarms.ts'
import type { NodeOutput } from './node-io.ts'

export class RequestAlarm {
  readonly #signer: Pick<Signer, 'nextExpiry' | 'step'>
  #due: TimestampNs | undefined

  constructor(signer: Pick<Signer, 'nextExpiry' | 'step'>) {
    this.#signer = signer
  }

  /** A slot of this time was executed. */
  arm(now: TimestampNs): readonly NodeOutput[] {
    this.#due = this.#signer.nextExpiry
    return alarmAt('expiry', this.#due, now)
  }

  /** It is no earlier than what the alarm was set to. */
  ring(): { readonly aborts: SignerOutputs; readonly next: readonly NodeOutput[] } {
    const now = this.#due
    if (now === undefined) return { aborts: [], next: [] }
    const aborts = this.#signer.step({ type: 'clock', now })
    return { aborts, next: this.arm(now) }
  }
}
