/** The minter's events, read in pages. Source: minter §§18.2, 20.1. */
import { BadEncoding, CanisterRefused } from '../../core/base/errors.ts'
import { decodeEvent } from '../../core/minter/events/event-log.ts'
import type { Event } from '../../core/minter/events/events.ts'
import { minterExtension } from '../../core/minter/interface/extension.ts'
import { minterInterface } from '../../core/minter/interface/interface.ts'
import type { InitArgs } from '../../core/minter/types.ts'
import type { OnProgress } from './logs.ts'
import { believable, ENTRIES_MAX, PAGE } from './logs.ts'
import { rawQuery } from './raw.ts'
import type { Wire } from './wire.ts'

type Range = { readonly start: bigint; readonly length: bigint }

/**
 * Ours also gives the events that a replay needs and the published interface has no variant for; a
 * number is the place in whichever of the two logs is read.
 */
export class EventReader {
  readonly #wire: Wire
  /** Whether the minter was found to have only what is published. */
  #isPublished: boolean

  constructor(wire: Wire) {
    this.#wire = wire
    this.#isPublished = wire.network.kind === 'built-in'
  }

  /** The whole log. */
  all(onProgress?: OnProgress): Promise<readonly Event[]> {
    return this.range(0n, ENTRIES_MAX, onProgress)
  }

  /** Events `start` to `end` (exclusive, cut to the log), in order. */
  range(start: bigint, end: bigint, onProgress?: OnProgress): Promise<readonly Event[]> {
    return believable(async () => {
      const events: Event[] = []
      for (;;) {
        const from = start + BigInt(events.length)
        if (from >= ENTRIES_MAX) throw new BadEncoding('an event log without end')
        const left = end - from
        const length = left < PAGE ? left : PAGE
        const next = length <= 0n ? [] : await this.#page({ start: from, length })
        if (BigInt(next.length) > length) throw new BadEncoding('more events than were asked for')
        events.push(...next)
        if (next.length === 0) return events
        onProgress?.(events.length, undefined)
      }
    })
  }

  /** Events there are. The interface does not tell: the first that is missing is looked for. */
  async length(): Promise<bigint> {
    const isThere = async (at: bigint): Promise<boolean> =>
      (await this.range(at, at + 1n)).length > 0
    let step = 1n
    while (step < ENTRIES_MAX && (await isThere(step - 1n))) step *= 2n
    // Every event below `there` is there, the one at `missing` is not.
    let [there, missing] = [step / 2n, step - 1n]
    while (there < missing) {
      const middle = (there + missing) / 2n
      if (await isThere(middle)) there = middle + 1n
      else missing = middle
    }
    return there
  }

  /** The arguments that the minter was installed with: the first event of its log. */
  async init(): Promise<InitArgs> {
    const [first] = await this.#published({ start: 0n, length: 1n })
    if (first?.payload.type !== 'init') throw new BadEncoding('the minter’s log has no beginning')
    return first.payload.args
  }

  async #page(range: Range): Promise<readonly Event[]> {
    if (this.#isPublished) return this.#published(range)
    try {
      const { minter: canisterId } = this.#wire.network.ids
      const methodName = 'x_get_events'
      const method = minterExtension[methodName]
      const target = { canister: 'minter', canisterId, methodName, method } as const
      return (await rawQuery(this.#wire, target, [range])).map(decodeEvent)
    } catch (error) {
      if (!isUnknownMethod(error)) throw error
      this.#isPublished = true
      return this.#published(range)
    }
  }

  #published(range: Range): Promise<readonly Event[]> {
    const { minter: canisterId } = this.#wire.network.ids
    const methodName = 'get_events'
    const method = minterInterface[methodName]
    const target = { canister: 'minter', canisterId, methodName, method } as const
    return rawQuery(this.#wire, target, [range])
  }
}

/** Of the IC interface: no such method. */
const CANISTER_ERROR = 5

export function isUnknownMethod(error: unknown): boolean {
  if (!(error instanceof CanisterRefused)) return false
  const { rejectCode } = error.details
  return rejectCode === CANISTER_ERROR
}
