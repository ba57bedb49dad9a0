/**
 * Headers on their way into the log: signed by the node that saw them, proposed once in its life.
 * Source: architecture §5, threshold §17.1.
 */
import { toHex } from '../base/bytes.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { verifyEvidence } from '../tecdsa/node-keys.ts'
import type { SignerConfig } from '../tecdsa/signer-config.ts'
import type { HeadersItem } from './items.ts'
import { HEADERS_MAX, headersContent } from './items.ts'

/** Headers remembered as proposed and not yet accepted. */
const PROPOSED_MAX = 10_000
/**
 * Headers proposed at most before the last of them is accepted: every node keeps room for twice as
 * many of each, and what finds no room is never heard of again.
 */
const OPEN_MAX = HEADERS_MAX
/** After so long it is not waited for any more: it may lie on a branch that nobody else has seen. */
const OPEN_NS = 60n * NS_PER_SECOND

export class HeaderProposals {
  readonly #config: Pick<SignerConfig, 'genesis' | 'keys' | 'me' | 'ed25519'>
  /** What signatures over items start with. */
  readonly #prefix: Uint8Array
  readonly #proposed = new Set<string>()
  /** What is to be proposed still, from `#next` on. */
  #backlog: Uint8Array[] = []
  #next = 0
  /** Proposed since all that was proposed before is known to be accepted. */
  #open = 0
  #last: { readonly header: Uint8Array; readonly since: TimestampNs } | undefined

  constructor(config: Pick<SignerConfig, 'genesis' | 'keys' | 'me' | 'ed25519'>) {
    this.#config = config
    this.#prefix = runPrefix(config.genesis)
  }

  /**
   * The item for headers (80 bytes each, parents first) that were not proposed before; undefined for
   * none, or for more than can be proposed now: `goOn` proposes these. `knows`: what was accepted.
   */
  propose(
    headers: readonly Uint8Array[],
    knows: (header: Uint8Array) => boolean,
    now: TimestampNs,
  ): HeadersItem | undefined {
    for (const header of headers) this.#backlog.push(header)
    return this.goOn(knows, now)
  }

  /** After a slot: the next headers of a long chain. */
  goOn(knows: (header: Uint8Array) => boolean, now: TimestampNs): HeadersItem | undefined {
    if (this.#next === this.#backlog.length) return undefined
    if (this.#last !== undefined && (knows(this.#last.header) || now - this.#last.since > OPEN_NS))
      this.#open = 0
    const part = this.#take(OPEN_MAX - this.#open, knows)
    const header = part.at(-1)
    if (header === undefined) return undefined
    this.#open += part.length
    this.#last = { header, since: now }
    const { me: node, keys } = this.#config
    const content = headersContent(this.#prefix, { node, headers: part })
    return { type: 'headers', node, headers: part, signature: keys.sign('item', content) }
  }

  #take(countMax: number, knows: (header: Uint8Array) => boolean): readonly Uint8Array[] {
    const part: Uint8Array[] = []
    if (this.#proposed.size > PROPOSED_MAX) this.#proposed.clear() // Proposing twice does no harm.
    for (; part.length < countMax; this.#next++) {
      const header = this.#backlog[this.#next]
      if (header === undefined) {
        this.#backlog = []
        this.#next = 0
        break
      }
      const key = toHex(header)
      if (this.#proposed.has(key) || knows(header)) continue
      this.#proposed.add(key)
      part.push(header)
    }
    return part
  }

  /** Whether the node that an item names has signed it. */
  isSigned(item: HeadersItem): boolean {
    const { genesis, ed25519 } = this.#config
    const signer = genesis.membership.members[item.node]
    if (signer === undefined) return false
    const content = headersContent(this.#prefix, item)
    return verifyEvidence(ed25519, { signer, kind: 'item', content, signature: item.signature })
  }
}
