/**
 * The life that each node's votes must name in each slot: a function of the log. A table begins empty
 * with its time line, whose slots every start executes again. Source: threshold §18.4, "Return of a
 * node".
 */
import type { NodeIndex } from '../base/party.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { verifyEvidence } from '../tecdsa/node-keys.ts'
import type { SignerConfig } from '../tecdsa/signer-config.ts'
import type { ReturnItem } from './items.ts'
import { returnContent } from './items.ts'

/** A node returns at most once in so many slots. */
export const RETURN_SLOTS = 100n

const FIRST_LIFE = 0n

type Return = { readonly slot: bigint; readonly life: bigint }

export class Lives {
  readonly #config: Pick<SignerConfig, 'genesis' | 'ed25519'>
  /** Oldest first. */
  readonly #returns = new Map<NodeIndex, readonly Return[]>()

  constructor(config: Pick<SignerConfig, 'genesis' | 'ed25519'>) {
    this.#config = config
  }

  /** Executes the item in a slot. Whether it counted. */
  take(item: ReturnItem, slot: bigint): boolean {
    const { node, life } = item
    // A life that was over would bring the votes of then back.
    if (!this.mayReturn(node, slot) || this.knows(node, life) || !this.#isSigned(item)) return false
    this.#returns.set(node, [...this.#of(node), { slot, life }])
    return true
  }

  /** Up to the slot that holds a return the old life's votes count, after it only the new one's. */
  lifeOf(node: NodeIndex, slot: bigint): bigint {
    return this.#of(node).findLast((one) => one.slot < slot)?.life ?? FIRST_LIFE
  }

  /** Whether the log has ever given this life to the node. */
  knows(node: NodeIndex, life: bigint): boolean {
    return life === FIRST_LIFE || this.#of(node).some((one) => one.life === life)
  }

  mayReturn(node: NodeIndex, slot: bigint): boolean {
    const last = this.#of(node).at(-1)
    return last === undefined || slot - last.slot >= RETURN_SLOTS
  }

  #of(node: NodeIndex): readonly Return[] {
    return this.#returns.get(node) ?? []
  }

  #isSigned(item: ReturnItem): boolean {
    const { genesis, ed25519 } = this.#config
    const signer = genesis.membership.members[item.node]
    if (signer === undefined) return false
    const content = returnContent(runPrefix(genesis), item)
    return verifyEvidence(ed25519, { signer, kind: 'return', content, signature: item.signature })
  }
}
