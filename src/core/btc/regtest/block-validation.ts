/**
 * Connects a block to the coins before it: what needs more than the block itself. Source: BLK-10 to
 * BLK-14, RN-2, RN-3.
 */
import type { Txid } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import type { Block } from '../block.ts'
import { subsidy } from '../block.ts'
import type { Network } from '../network.ts'
import type { Transaction } from '../transaction.ts'
import { isCoinbase, outpointKey } from '../transaction.ts'
import type { CoinChanges, CoinView } from './coins.ts'
import { CoinOverlay } from './coins.ts'
import type { ScriptVerifier } from './script-verifier.ts'
import { BLOCK_SIGOPS_COST_MAX, sigopCost } from './sigops.ts'
import type { SpendContext } from './spending.ts'
import { checkInputs, isFinal, sequenceLocksHold } from './spending.ts'

export type ConnectContext = SpendContext & {
  readonly network: Network
  readonly coins: CoinView
  readonly txids: readonly Txid[]
  readonly scripts: Pick<ScriptVerifier, 'consensusFault'>
}

export type Connected =
  | { readonly type: 'connected'; readonly changes: CoinChanges }
  | { readonly type: 'refused'; readonly reason: string }

/** The block passed `checkBlock`. Nothing is written: the changes are the caller's to apply. */
export function connectBlock(block: Block, context: ConnectContext): Connected {
  const { transactions } = block
  if (!transactions.every((tx) => isFinal(tx, context))) return refused('bad-txns-nonfinal')
  if (overwrites(transactions, context)) return refused('bad-txns-BIP30') // BLK-13
  const overlay = new CoinOverlay(context.coins)
  let fees = 0n
  let sigops = 0
  for (const [i, tx] of transactions.entries()) {
    const id = present(context.txids[i], 'every transaction has its txid')
    const joined = joinTransaction(tx, overlay, context)
    if (joined.type === 'refused') return joined
    fees += joined.fee
    sigops += joined.sigops
    if (sigops > BLOCK_SIGOPS_COST_MAX) return refused('bad-blk-sigops')
    overlay.apply(tx, { id, height: context.height })
  }
  const reward = (transactions[0]?.outputs ?? []).reduce((sum, { value }) => sum + value, 0n)
  if (reward > subsidy(context.height, context.network) + fees) return refused('bad-cb-amount')
  return { type: 'connected', changes: overlay.changes() }
}

const refused = (reason: string) => ({ type: 'refused', reason }) as const

/** A txid twice in one block never gets so far: its inputs are spent once. */
const overwrites = (
  transactions: readonly Transaction[],
  { txids, coins }: Pick<ConnectContext, 'txids' | 'coins'>,
): boolean =>
  transactions.some((tx, i) => {
    const id = txids[i]
    return (
      id !== undefined &&
      tx.outputs.some((_, vout) => coins.get(outpointKey({ txid: id, vout })) !== undefined)
    )
  })

type Joined =
  | { readonly type: 'joined'; readonly fee: bigint; readonly sigops: number }
  | { readonly type: 'refused'; readonly reason: string }

function joinTransaction(tx: Transaction, coins: CoinView, context: ConnectContext): Joined {
  if (isCoinbase(tx)) return { type: 'joined', fee: 0n, sigops: sigopCost(tx, []) }
  const spent = checkInputs(tx, coins, context.height)
  if (spent.type === 'refused') return spent
  if (!sequenceLocksHold(tx, spent.coins, context)) return refused('bad-txns-nonfinal')
  const fault = context.scripts.consensusFault(tx, spent.coins)
  if (fault !== undefined) return refused(fault)
  return { type: 'joined', fee: spent.fee, sigops: sigopCost(tx, spent.coins) }
}
