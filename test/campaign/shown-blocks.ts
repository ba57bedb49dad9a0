/** Blocks that were shown or answered stay as they are. Source: threshold specification §18.4. */
import { equalBytes, toHex } from '../../src/core/base/bytes.ts'
import type { Block, Movement } from '../../src/core/ledger/blocks/block.ts'
import { hashTransaction } from '../../src/core/ledger/blocks/block-hash.ts'
import { valueOfBlock } from '../../src/core/ledger/blocks/block-value.ts'
import { hashValue } from '../../src/core/ledger/blocks/value.ts'

export type AnsweredBlock = {
  readonly type: 'transfer' | 'burn'
  readonly blockIndex: bigint
  readonly amount: bigint
  /** What its user asked for, where the block is to be just that. */
  readonly transaction?: Movement
}

export class ShownBlocks {
  /** Hashes of all blocks that were ever seen, in order. */
  #hashes: readonly string[] = []

  /** What was shown before or answered since, and is not so in `blocks`. */
  compare(blocks: readonly Block[], answered: readonly AnsweredBlock[]): readonly string[] {
    const hashes = blocks.map((block) => toHex(hashValue(valueOfBlock(block))))
    const changed = this.#hashes.flatMap((hash, index) =>
      hashes[index] === hash ? [] : [`block ${index} was shown, and is gone or changed`],
    )
    const lost = answered.flatMap(({ type, blockIndex, amount, transaction: asked }) => {
      const transaction = blocks[Number(blockIndex)]?.transaction
      const isIt = transaction?.type === type && transaction.amount === amount
      const isThere = isIt && (asked === undefined || isSame(asked, transaction))
      return isThere ? [] : [`${type} block ${blockIndex} was answered, and is not there`]
    })
    this.#hashes = hashes
    return [...changed, ...lost]
  }
}

/** Byte for byte: the hash is of the bytes. */
const isSame = (asked: Movement, found: Movement): boolean =>
  equalBytes(hashTransaction(asked), hashTransaction(found))
