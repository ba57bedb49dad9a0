/** Whom a node asks for the proposals and items that it lacks. Source: threshold §17.2. */
import { toHex } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import type { LogMessage } from './message.ts'
import type { SlotRound } from './slot-round.ts'

export type Request = { readonly to: NodeIndex; readonly message: LogMessage }

/** Asks up to f + 1 holders, one of whom is honest, and anew after an alarm. */
export class Requests {
  readonly #nodes: number
  readonly #me: NodeIndex
  /** Who was asked for what since the last alarm. */
  readonly #asked = new Set<string>()

  constructor(nodes: number, me: NodeIndex) {
    this.#nodes = nodes
    this.#me = me
  }

  askAgain(): void {
    this.#asked.clear()
  }

  due(round: SlotRound): readonly Request[] {
    const requests: Request[] = []
    for (const { instance, hash, holders, items } of round.missing()) {
      const others = holders.filter((node) => node !== this.#me)
      for (const to of others.slice(0, reconstructionThreshold(this.#nodes))) {
        const name = `${toHex(hash)}/${instance}/${to}/${items === undefined ? 'proposal' : 'items'}`
        if (this.#asked.has(name)) continue
        this.#asked.add(name)
        const want = { slot: round.slot, instance, hash, items: items ?? [] }
        requests.push({ to, message: { type: 'want', ...want } })
      }
    }
    return requests
  }
}
