/**
 * A signer for histories of the minter: signs with a real key whatever it was asked for, but late, in
 * any order, twice, wrongly, or after it said that it failed. For tests only.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import type { SignatureKey, SignatureRequest } from '../../../src/core/minter/calls.ts'
import { signatureFor } from '../minter-world.ts'

const inputOf = ({ txid, input }: SignatureKey): string => `${toHex(txid)}:${input}`
const nameOf = (key: SignatureKey): string => `${inputOf(key)}:${key.attempt}`

export class HistorySigner {
  /** Not answered yet, in the order asked. */
  readonly open = new Map<string, SignatureRequest>()
  /** Answered: may be answered again. */
  readonly done: SignatureRequest[] = []
  /** Inputs that were ever asked for: a signature of them may exist. */
  readonly asked = new Set<string>()
  readonly #requests = new Map<string, SignatureRequest>()
  readonly #digests = new Map<string, string>()
  readonly #signatures = new Map<string, Uint8Array>()

  /** New requests among those outstanding. A key is served once, however often it is seen. */
  ask(requests: readonly SignatureRequest[]): string[] {
    const problems: string[] = []
    for (const request of requests) {
      const input = inputOf(request.key)
      const digest = toHex(request.digest)
      const before = this.#digests.get(input)
      if (before !== undefined && before !== digest)
        problems.push(`${input} is to be signed for another digest`)
      this.#digests.set(input, digest)
      this.#requests.set(input, request)
      const isKnown = this.asked.has(nameOf(request.key))
      this.asked.add(input)
      this.asked.add(nameOf(request.key))
      if (!isKnown) this.open.set(nameOf(request.key), request)
    }
    return problems
  }

  /** By txid and index of an input, if it was ever asked for. */
  requestFor(input: string): SignatureRequest | undefined {
    return this.#requests.get(input)
  }

  /** Takes one out, by any number. */
  take(number: number): SignatureRequest | undefined {
    const requests = [...this.open]
    const [name, request] = requests[number % requests.length] ?? []
    if (name === undefined || request === undefined) return undefined
    this.open.delete(name)
    this.done.push(request)
    return request
  }

  /** Takes out all for one transaction. */
  takeFor(txid: string): readonly SignatureRequest[] {
    const taken = [...this.open].filter(([name]) => name.startsWith(`${txid}:`))
    for (const [name, request] of taken) {
      this.open.delete(name)
      this.done.push(request)
    }
    return taken.map(([, request]) => request)
  }

  sign(request: SignatureRequest): Uint8Array {
    const digest = toHex(request.digest)
    const signature = this.#signatures.get(digest) ?? signatureFor(request)
    this.#signatures.set(digest, signature)
    return signature
  }
}
