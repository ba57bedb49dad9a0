/** The tokens of a subnet together. Source: ledger §§2, 12. */
import { equalBytes } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import type { Principal } from '../ic/principal.ts'
import type { Canister } from './canister.ts'
import type { TokenCanisters } from './token-canisters.ts'

export class Tokens {
  readonly #tokens: readonly TokenCanisters[]

  constructor(tokens: readonly TokenCanisters[]) {
    this.#tokens = tokens
  }

  /** Those there are now: archives are created as time goes on. */
  get canisters(): readonly Canister[] {
    return this.#tokens.flatMap(({ canisters }) => canisters)
  }

  find(id: Principal): Canister | undefined {
    return this.canisters.find((canister) => equalBytes(canister.id, id))
  }

  /** Earliest slot time at which blocks are to be moved to an archive. */
  nextTimer(): TimestampNs | undefined {
    return earliest(this.#tokens.map((token) => token.nextTimer()))
  }

  /** The items of the slot are executed. */
  endSlot(now: TimestampNs): void {
    for (const token of this.#tokens) token.endSlot(now)
  }
}

/** Undefined when all are. */
export const earliest = (times: readonly (bigint | undefined)[]): TimestampNs | undefined =>
  times.reduce<bigint | undefined>(
    (first, time) => (first === undefined || (time !== undefined && time < first) ? time : first),
    undefined,
  ) as TimestampNs | undefined
