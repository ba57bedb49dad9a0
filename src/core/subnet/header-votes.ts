/**
 * Counts who has proposed a header: it enters the chain view once f + 1 nodes have. Source:
 * architecture §5.
 */
import { toHex } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import type { BlockHeader } from '../btc/block.ts'
import { headerHash } from '../btc/block.ts'

/** Headers of one node that wait for other voices. On regtest work costs a liar nothing. */
export const WAITING_HEADERS_MAX = 4_000

export type HeaderCandidate = { readonly header: BlockHeader; readonly voices: Set<NodeIndex> }

/** By hash in hexadecimal, in the order of the first voice: parents come before children. */
export type HeaderCandidates = Map<string, HeaderCandidate>

export class HeaderVotes {
  readonly #nodes: number
  readonly #candidates: HeaderCandidates
  /** How many of the candidates each node has named. */
  readonly #waiting = new Map<NodeIndex, number>()

  /** `candidates`: what is counted so far; it grows and shrinks with what comes. */
  constructor(nodes: number, candidates: HeaderCandidates = new Map()) {
    this.#nodes = nodes
    this.#candidates = candidates
    for (const { voices } of candidates.values()) for (const node of voices) this.#count(node, 1)
  }

  /** One node has seen this header. Voices beyond the node's room are dropped. */
  add(node: NodeIndex, header: BlockHeader): void {
    const key = toHex(headerHash(header))
    const candidate = this.#candidates.get(key)
    if (candidate?.voices.has(node)) return
    if (candidate !== undefined) candidate.voices.add(node)
    else if ((this.#waiting.get(node) ?? 0) < WAITING_HEADERS_MAX)
      this.#candidates.set(key, { header, voices: new Set([node]) })
    else return
    this.#count(node, 1)
  }

  #count(node: NodeIndex, change: number): void {
    this.#waiting.set(node, (this.#waiting.get(node) ?? 0) + change)
  }

  /** Headers with f + 1 voices, in the order they came. They stay until `drop`. */
  agreed(): readonly BlockHeader[] {
    const enough = reconstructionThreshold(this.#nodes)
    return [...this.#candidates.values()]
      .filter(({ voices }) => voices.size >= enough)
      .map(({ header }) => header)
  }

  /** The header is judged. */
  drop(header: BlockHeader): void {
    const key = toHex(headerHash(header))
    for (const node of this.#candidates.get(key)?.voices ?? []) this.#count(node, -1)
    this.#candidates.delete(key)
  }
}
