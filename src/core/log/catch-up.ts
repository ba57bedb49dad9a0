/**
 * How a node that is behind comes to the slots that others have: what f + 1 nodes say of a slot is
 * so, and the chain of hashes vouches for everything below it. Source: threshold §17.7.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import type { Slot } from './log.ts'
import { SLOTS_SHOWN_MAX } from './message.ts'
import { decodeSlot, slotHash } from './slot-codec.ts'

export type CopiedSlot = { readonly slot: Slot; readonly hash: Hash32 }

export class CatchUp {
  readonly #nodes: number
  readonly #incarnation: bigint
  /** What each node said of the slots from the next one on. */
  readonly #said = new Map<NodeIndex, ReadonlyMap<bigint, Hash32>>()
  #copies: readonly CopiedSlot[] = []
  /** Slot from which on copies were asked for, and of whom, since the last alarm. */
  #asked: { readonly first: bigint; readonly node: NodeIndex } | undefined
  /** Who was asked, and has not answered with slots of the log. */
  readonly #tried = new Set<NodeIndex>()
  #isUsed = false

  constructor(nodes: number, incarnation: bigint) {
    this.#nodes = nodes
    this.#incarnation = incarnation
  }

  /** The newest word of a node replaces what it said before. */
  heard(from: NodeIndex, first: bigint, hashes: readonly Hash32[]): void {
    const shown = hashes.slice(0, SLOTS_SHOWN_MAX)
    this.#said.set(from, new Map(shown.map((hash, i) => [first + BigInt(i), hash])))
  }

  /** The hash of a slot, once f + 1 nodes agree on it. */
  agreed(slot: bigint): Hash32 | undefined {
    const counts = new Map<string, number>()
    for (const hashes of this.#said.values()) {
      const hash = hashes.get(slot)
      if (hash === undefined) continue
      const count = (counts.get(toHex(hash)) ?? 0) + 1
      counts.set(toHex(hash), count)
      if (count >= reconstructionThreshold(this.#nodes)) return hash
    }
    return undefined
  }

  /** Whether a slot is known to be decided. */
  knows(slot: bigint): boolean {
    const isCopied = this.#copies.some((copy) => copy.slot.number === slot)
    return isCopied || this.agreed(slot) !== undefined
  }

  get hasCopies(): boolean {
    return this.#copies.length > 0
  }

  /** The next copied slot, once. */
  next(): CopiedSlot | undefined {
    const [copy, ...rest] = this.#copies
    this.#copies = rest
    this.#isUsed ||= copy !== undefined
    return copy
  }

  /** Whether copies led to where the node is, so that others may be further; says so once. */
  takeUsed(): boolean {
    const isUsed = this.#isUsed
    this.#isUsed = false
    return isUsed
  }

  /** A node that holds the agreed slot `first`; one at a time, another one after `askAgain`. */
  holderToAsk(first: bigint, me: NodeIndex): NodeIndex | undefined {
    if (this.#asked?.first === first) return undefined
    const holders = this.#holders(first).filter((node) => node !== me)
    const node = holders.find((holder) => !this.#tried.has(holder)) ?? holders[0]
    if (node === undefined) return undefined
    if (this.#tried.has(node)) this.#tried.clear() // All were asked: in turn again.
    this.#asked = { first, node }
    this.#tried.add(node)
    return node
  }

  askAgain(): void {
    this.#asked = undefined
  }

  #holders(slot: bigint): readonly NodeIndex[] {
    const hash = this.agreed(slot)
    if (hash === undefined) return []
    const isHolder = ([, hashes]: readonly [NodeIndex, ReadonlyMap<bigint, Hash32>]): boolean => {
      const said = hashes.get(slot)
      return said !== undefined && equalBytes(said, hash)
    }
    return [...this.#said].filter(isHolder).map(([node]) => node)
  }

  /**
   * Keeps the slots among these contents that are the log's, from `next` on; `previous` is the hash
   * of the slot before. False when they contradict what f + 1 nodes agree on.
   */
  take(
    from: NodeIndex,
    contents: readonly Uint8Array[],
    { next, previous }: { readonly next: bigint; readonly previous: Hash32 },
  ): boolean {
    const chain: CopiedSlot[] = []
    let [last, agreedCount, isTrue] = [previous, 0, true]
    for (const content of contents) {
      const logged = attempt(() => decodeSlot(content))
      isTrue &&= !(logged instanceof BadEncoding)
      if (logged instanceof BadEncoding || logged.incarnation !== this.#incarnation) break
      const number = next + BigInt(chain.length)
      if (logged.slot.number < number) continue // An answer that came late.
      if (logged.slot.number !== number) break
      last = slotHash(last, content)
      chain.push({ slot: logged.slot, hash: last })
      const agreed = this.agreed(number)
      if (agreed === undefined) continue
      if (equalBytes(agreed, last)) agreedCount = chain.length
      else isTrue = false
    }
    this.#copies = chain.slice(0, agreedCount)
    if (agreedCount > 0) this.#tried.delete(from)
    else if (!isTrue && this.#asked?.node === from) this.askAgain()
    return isTrue
  }
}
