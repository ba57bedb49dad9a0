/**
 * Switches that make the node a bad peer, for tests of those who follow it. Source: RN-18. All are
 * off until somebody turns them on.
 */
import type { Block, BlockHeader } from '../block.ts'
import { headerHash } from '../block.ts'
import { hashMeetsTarget } from '../header.ts'
import { regtest } from '../network.ts'

/**
 * `block`: a transaction that the merkle root does not hold. `witness`: one that the commitment does
 * not hold. `header`: a hash without work.
 */
export type Corruption = 'block' | 'header' | 'witness'

export class PeerSwitches {
  /** Reads what peers say, and says nothing any more. */
  isStalled = false
  /** Announces blocks, and is silent when it is asked for them. */
  withholdsBlocks = false
  /** Every message leaves so much later. */
  lagMs = 0
  #next: Corruption | undefined

  /** The next one of this kind that leaves is not as it was; those after it are. */
  corruptNext(what: Corruption): void {
    this.#next = what
  }

  /** What is served in the place of a block that is asked for. */
  block(block: Block): Block | undefined {
    if (this.withholdsBlocks) return undefined
    if (this.#take('block'))
      return withCoinbase(block, (tx) => ({ ...tx, lockTime: tx.lockTime ^ 1 }))
    if (!this.#take('witness')) return block
    return withCoinbase(block, (tx) => ({
      ...tx,
      inputs: tx.inputs.map((input) => ({
        ...input,
        witness: input.witness.map((item) => item.map((byte) => byte ^ 1)),
      })),
    }))
  }

  /** What is announced in the place of a header. */
  header(header: BlockHeader): BlockHeader {
    if (!this.#take('header')) return header
    let { nonce } = header
    while (hashMeetsTarget(headerHash({ ...header, nonce }), regtest.powLimit))
      nonce = (nonce + 1) % 2 ** 32
    return { ...header, nonce }
  }

  #take(what: Corruption): boolean {
    if (this.#next !== what) return false
    this.#next = undefined
    return true
  }
}

type Coinbase = Block['transactions'][number]

const withCoinbase = (block: Block, change: (coinbase: Coinbase) => Coinbase): Block => ({
  ...block,
  transactions: block.transactions.map((tx, i) => (i === 0 ? change(tx) : tx)),
})
