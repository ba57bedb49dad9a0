/** Blocks that no node of Bitcoin may take, each for one reason. Source: RN-1, RN-26. */
import { hash32 } from '../../src/core/base/bytes.ts'
import type { Block } from '../../src/core/btc/block.ts'
import type { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../src/core/btc/transaction.ts'
import type { BlockParts } from '../core/btc/regtest/chains.ts'
import { blockOn, coinbaseCoin, unsolved } from '../core/btc/regtest/chains.ts'
import { p2wpkhWallet, pay, signedSpend } from '../core/btc/regtest/wallets.ts'

const owner = p2wpkhWallet(1)
const elsewhere = p2wpkhWallet(2)

/** A chain whose coinbases are those of `p2wpkhWallet(1)`, from height 1 on. */
type Story = { readonly node: RegtestNode; readonly spend: () => Transaction }

/** Blocks that no node may take. */
const INVALID: readonly (readonly [string, (story: Story) => BlockParts])[] = [
  ['a reward that is too high', () => ({ reward: 10n ** 10n })],
  [
    'another merkle root',
    () => ({ header: (header) => ({ ...header, merkleRoot: hash32(new Uint8Array(32)) }) }),
  ],
  ['another difficulty', () => ({ header: (header) => ({ ...header, bits: 0x207f_fffe }) })],
  ['a time before its past', () => ({ header: (header) => ({ ...header, time: 1_300_000_000 }) })],
  [
    'a witness it does not commit to',
    ({ spend }) => ({ transactions: [spend()], commitment: false }),
  ],
  [
    'a spend of a young coinbase',
    ({ node }) => ({
      transactions: [
        signedSpend([coinbaseCoin(node, node.tip().height, owner)], [pay(elsewhere, 1_000n)]),
      ],
    }),
  ],
  [
    'a signature of somebody else',
    ({ node }) => ({
      transactions: [
        signedSpend(
          [{ ...coinbaseCoin(node, 300, owner), owner: elsewhere }],
          [pay(elsewhere, 1_000n)],
        ),
      ],
    }),
  ],
  [
    'the same coin spent twice',
    ({ spend }) => {
      const one = spend()
      return { transactions: [one, { ...one, lockTime: 1 }] }
    },
  ],
]

/** The rule of BIP34, which holds from the first block on since Core 23. */
const HEIGHTLESS: BlockParts = {
  coinbase: (tx) => ({
    ...tx,
    inputs: tx.inputs.map((input) => ({ ...input, scriptSig: Uint8Array.of(1, 7, 1, 7) })),
  }),
}

/** On the tip of the node; the node is not told of them. */
export function invalidBlocks(
  node: RegtestNode,
  { spend, hasHeights }: { readonly spend: () => Transaction; readonly hasHeights: boolean },
): readonly (readonly [string, Block])[] {
  const good = blockOn(node)
  return [
    ...INVALID.map(([what, parts]) => [what, blockOn(node, parts({ node, spend }))] as const),
    ['too little work', { ...good, header: unsolved(good.header) }],
    ...(hasHeights ? [['no height in its coinbase', blockOn(node, HEIGHTLESS)] as const] : []),
  ]
}
