/** A row of a history: what a transaction was to one account. Implements cli §5.7. */
import { toDisplayHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { sameAccount } from '../../core/ic/account.ts'
import { decodeBurnMemo, decodeMintMemo } from '../../core/minter/memo.ts'
import type { IndexedTransaction } from '../client/account-index.ts'
import type { Network } from '../network.ts'
import { tokenOf } from '../token.ts'

export const historyTypes = [
  'deposit',
  'redeem',
  'transfer',
  'approve',
  'mint',
  'burn',
  /** A kind of block that is not known here. */
  'other',
] as const
export type HistoryType = (typeof historyTypes)[number]

export type HistoryEntry = {
  /** Undefined where a block of another kind has none. */
  readonly time: TimestampNs | undefined
  readonly type: HistoryType
  /** The ledger's name of another kind. */
  readonly blockType: string | undefined
  /** What the account gained, in smallest units; negative when it paid. An approval moves nothing. */
  readonly amount: bigint
  /** Paid by this account; of a deposit, the check fee. */
  readonly fee: bigint
  readonly counterparty: Account | undefined
  /** In the order that explorers show. */
  readonly txid: string | undefined
  readonly vout: number | undefined
  readonly bitcoinAddress: string | undefined
  readonly blockIndex: bigint
  readonly memo: Uint8Array | undefined
  readonly createdAtTime: TimestampNs | undefined
  /** `done`, or how far a redemption is. */
  readonly status: string
}

const nothing = {
  blockType: undefined,
  amount: 0n,
  fee: 0n,
  counterparty: undefined,
  txid: undefined,
  vout: undefined,
  bitcoinAddress: undefined,
  memo: undefined,
  createdAtTime: undefined,
  status: 'done',
} as const

export function entryOf(
  { id: blockIndex, transaction }: IndexedTransaction,
  account: Account,
  network: Network,
): HistoryEntry {
  if (transaction.type === 'other') {
    const { type, blockType, timestamp: time } = transaction
    return { ...nothing, time, type, blockType, blockIndex }
  }
  const { timestamp: time, amount, memo, createdAtTime, fee = 0n } = transaction
  const common = { ...nothing, time, blockIndex, memo, createdAtTime }
  // What a memo says of Bitcoin, it says where our minter has written it.
  const facts = tokenOf(network).isFurther ? undefined : memo
  switch (transaction.type) {
    case 'mint':
      return { ...common, type: 'mint', amount, ...depositFacts(facts) }
    case 'burn':
      return { ...common, type: 'burn', amount: -amount, ...redeemFacts(facts) }
    case 'approve':
      return { ...common, type: 'approve', fee, counterparty: transaction.spender }
    case 'transfer': {
      const { from, to } = transaction
      const [pays, gets] = [sameAccount(from, account), sameAccount(to, account)]
      const moved = pays === gets ? 0n : pays ? -amount : amount
      const paid = { amount: moved, fee: pays ? fee : 0n, counterparty: pays ? to : from }
      return { ...common, type: 'transfer', ...paid }
    }
  }
}

/** A mint for a coin names it; others are reimbursements. */
function depositFacts(memo: Uint8Array | undefined): Partial<HistoryEntry> {
  const read = memo === undefined ? undefined : attempt(() => decodeMintMemo(memo))
  if (read === undefined || read instanceof BadEncoding) return {}
  if (read.type !== 'convert' || read.txid === undefined) return {}
  const { txid, vout, fee = 0n } = read
  return { type: 'deposit', txid: toDisplayHex(txid), vout, fee }
}

function redeemFacts(memo: Uint8Array | undefined): Partial<HistoryEntry> {
  const read = memo === undefined ? undefined : attempt(() => decodeBurnMemo(memo))
  if (read === undefined || read instanceof BadEncoding || read.type !== 'convert') return {}
  return { type: 'redeem', bitcoinAddress: read.address }
}
