/**
 * Headers on their way into the log: signed by the node that saw them, proposed once in its life.
 * Source: architecture §5, threshold §17.1.
 */
import { toHex } from '../base/bytes.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { verifyEvidence } from '../tecdsa/node-keys.ts'
import type { SignerConfig } from '../tecdsa/signer-config.ts'
import type { HeadersItem } from './items.ts'
import { HEADERS_MAX, headersContent } from './items.ts'

/** Headers remembered as proposed and not yet accepted. */
const PROPOSED_MAX = 10_000

export class HeaderProposals {
  readonly #config: Pick<SignerConfig, 'genesis' | 'keys' | 'me' | 'ed25519'>
  /** What signatures over items start with. */
  readonly #prefix: Uint8Array
  readonly #proposed = new Set<string>()

  constructor(config: Pick<SignerConfig, 'genesis' | 'keys' | 'me' | 'ed25519'>) {
    this.#config = config
    this.#prefix = runPrefix(config.genesis)
  }

  /** Items for the headers (80 bytes each) that were not proposed before. */
  propose(headers: readonly Uint8Array[]): readonly HeadersItem[] {
    const fresh = headers.filter((header) => !this.#proposed.has(toHex(header)))
    if (this.#proposed.size > PROPOSED_MAX) this.#proposed.clear() // Proposing twice does no harm.
    for (const header of fresh) this.#proposed.add(toHex(header))
    const { me: node, keys } = this.#config
    const items: HeadersItem[] = []
    for (let start = 0; start < fresh.length; start += HEADERS_MAX) {
      const part = fresh.slice(start, start + HEADERS_MAX)
      const content = headersContent(this.#prefix, { node, headers: part })
      const signature = keys.sign('item', content)
      items.push({ type: 'headers', node, headers: part, signature })
    }
    return items
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
