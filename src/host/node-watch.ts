/** What is seen of each node from outside: signatures it had a part in, faults it was blamed for. */
import { toHex } from '../core/base/bytes.ts'
import type { NodeIndex } from '../core/base/party.ts'
import type { SubnetEvent } from './subnet-events.ts'

/** Signatures of which it is remembered who made them, newest last. */
const SIGNATURES_MAX = 100
const COUNT_MAX = Number.MAX_SAFE_INTEGER

export type Blame = { readonly count: number; readonly lastReason: string }

export class NodeWatch {
  /** By request id. */
  readonly #signatures = new Map<string, readonly NodeIndex[]>()
  readonly #blame = new Map<NodeIndex, Blame>()

  hear(event: SubnetEvent): void {
    if (event.type === 'fault') {
      const count = (this.#blame.get(event.culprit)?.count ?? 0) + 1
      const lastReason = event.reason
      this.#blame.set(event.culprit, { count: Math.min(count, COUNT_MAX), lastReason })
    }
    if (event.type === 'observed' && event.event.type === 'signed') {
      const { requestId, by } = event.event
      const name = toHex(requestId)
      if (!this.#signatures.has(name)) this.#signatures.set(name, by)
      const [oldest] = this.#signatures.keys()
      if (this.#signatures.size > SIGNATURES_MAX && oldest !== undefined)
        this.#signatures.delete(oldest)
    }
  }

  /** The last signatures. */
  get signatures(): number {
    return this.#signatures.size
  }

  /** How many of the last signatures have a share of the node in them. */
  signaturesOf(node: NodeIndex): number {
    return [...this.#signatures.values()].filter((by) => by.includes(node)).length
  }

  /** What other nodes found it to have done wrong; undefined: nothing. */
  blameOf(node: NodeIndex): Blame | undefined {
    return this.#blame.get(node)
  }
}
