/**
 * What happened on an account, newest first: from the index of accounts, or from the ledger's blocks
 * where there is none. Implements cli §5.7.
 */
import { toDisplayHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import type { Account } from '../core/ic/account.ts'
import { sameAccount } from '../core/ic/account.ts'
import type { TimedMovement } from '../core/ledger/blocks/log-queries.ts'
import { timedMovement } from '../core/ledger/blocks/log-queries.ts'
import { decodeBurnMemo, decodeMintMemo } from '../core/minter/memo.ts'
import type { RetrieveBtcStatusV2 } from '../core/minter/types.ts'
import type { IndexedTransaction } from './client/account-index.ts'
import type { Client } from './client.ts'

export type HistoryType = 'deposit' | 'redeem' | 'transfer' | 'approve' | 'mint' | 'burn'

export type HistoryEntry = {
  readonly time: TimestampNs
  readonly type: HistoryType
  /** What the account gained; negative when it paid. An approval moves nothing. */
  readonly amountSat: bigint
  /** Paid by this account; of a deposit, the check fee. */
  readonly feeSat: bigint
  readonly counterparty: Account | undefined
  /** In the order that explorers show. */
  readonly txid: string | undefined
  readonly vout: number | undefined
  readonly bitcoinAddress: string | undefined
  readonly blockIndex: bigint
  readonly memo: Uint8Array | undefined
  /** `done`, or how far a redemption is. */
  readonly status: string
}

export type HistoryFilter = {
  readonly types: readonly HistoryType[] | undefined
  readonly since: TimestampNs | undefined
  readonly until: TimestampNs | undefined
  /** Only blocks with smaller indices. */
  readonly before: bigint | undefined
  readonly limit: number
}

export type History = {
  /** Newest first. */
  readonly entries: readonly HistoryEntry[]
  /** Where the rest begins: a block index for `before`; undefined when there is none. */
  readonly nextCursor: bigint | undefined
}

/** Transactions looked at in one request. */
const PAGE = 200

export async function readHistory(
  client: Client,
  account: Account,
  filter: HistoryFilter,
): Promise<History> {
  const found: HistoryEntry[] = []
  let before = filter.before
  for (;;) {
    const page = await pageBefore(client, account, before)
    for (const indexed of page.transactions) {
      const entry = entryOf(indexed, account, client)
      if (filter.since !== undefined && entry.time < filter.since) return finished(client, found)
      if (!passes(entry, filter)) continue
      if (found.length === filter.limit)
        return { ...(await finished(client, found)), nextCursor: present(found).blockIndex }
      found.push(entry)
    }
    if (page.next === undefined) return finished(client, found)
    before = page.next
  }
}

const present = (found: readonly HistoryEntry[]): { readonly blockIndex: bigint } =>
  found.at(-1) ?? { blockIndex: 0n }

type Page = {
  readonly transactions: readonly IndexedTransaction[]
  readonly next: bigint | undefined
}

async function pageBefore(
  client: Client,
  account: Account,
  before: bigint | undefined,
): Promise<Page> {
  if (client.index === undefined) return scanBefore(client, account, before)
  const { transactions, oldest } = await client.index.page(account, { before, countMax: PAGE })
  const last = transactions.at(-1)?.id
  const more = last !== undefined && oldest !== undefined && last > oldest
  return { transactions, next: more ? last : undefined }
}

/** The ledger itself, block by block from the end. */
async function scanBefore(
  { blocks }: Client,
  account: Account,
  before: bigint | undefined,
): Promise<Page> {
  const end = before ?? (await blocks.length())
  const start = end > BigInt(PAGE) ? end - BigInt(PAGE) : 0n
  const read = await blocks.range(start, end)
  const transactions = read
    .flatMap((block, place) => {
      const transaction = timedMovement(block)
      if (transaction === undefined || !concerns(transaction, account)) return []
      return [{ id: start + BigInt(place), transaction }]
    })
    .reverse()
  return { transactions, next: start > 0n ? start : undefined }
}

function concerns(transaction: TimedMovement, account: Account): boolean {
  const parties =
    transaction.type === 'mint'
      ? [transaction.to]
      : transaction.type === 'transfer'
        ? [transaction.from, transaction.to]
        : [transaction.from]
  return parties.some((party) => sameAccount(party, account))
}

const passes = ({ type, time }: HistoryEntry, { types, until }: HistoryFilter): boolean =>
  (types === undefined || types.includes(type)) && (until === undefined || time <= until)

const nothing = {
  counterparty: undefined,
  txid: undefined,
  vout: undefined,
  bitcoinAddress: undefined,
  status: 'done',
} as const

function entryOf(
  { id: blockIndex, transaction }: IndexedTransaction,
  account: Account,
  { network }: Client,
): HistoryEntry {
  const { timestamp: time, amount, memo, fee = 0n } = transaction
  const common = { ...nothing, time, blockIndex, memo, feeSat: 0n }
  switch (transaction.type) {
    case 'mint':
      return { ...common, type: 'mint', amountSat: amount, ...depositFacts(memo) }
    case 'burn':
      return { ...common, type: 'burn', amountSat: -amount, ...redeemFacts(memo) }
    case 'approve':
      return {
        ...common,
        type: 'approve',
        amountSat: 0n,
        feeSat: fee,
        counterparty: transaction.spender,
      }
    case 'transfer': {
      const { from, to } = transaction
      const [pays, gets] = [sameAccount(from, account), sameAccount(to, account)]
      const moved = pays === gets ? 0n : pays ? -amount : amount
      const toMinter = sameAccount(to, { owner: network.ids.minter })
      return {
        ...common,
        type: toMinter ? 'burn' : 'transfer',
        amountSat: moved,
        feeSat: pays ? fee : 0n,
        counterparty: pays ? to : from,
      }
    }
  }
}

/** A mint for a coin names it; others are reimbursements. */
function depositFacts(memo: Uint8Array | undefined): Partial<HistoryEntry> {
  const read = memo === undefined ? undefined : attempt(() => decodeMintMemo(memo))
  if (read === undefined || read instanceof BadEncoding) return {}
  if (read.type !== 'convert' || read.txid === undefined) return {}
  const { txid, vout, fee = 0n } = read
  return { type: 'deposit', txid: toDisplayHex(txid), vout, feeSat: fee }
}

function redeemFacts(memo: Uint8Array | undefined): Partial<HistoryEntry> {
  const read = memo === undefined ? undefined : attempt(() => decodeBurnMemo(memo))
  if (read === undefined || read instanceof BadEncoding || read.type !== 'convert') return {}
  return { type: 'redeem', bitcoinAddress: read.address }
}

/** Adds how far redemptions are; only the minter knows. */
async function finished(client: Client, entries: readonly HistoryEntry[]): Promise<History> {
  const withStatus = entries.map(async (entry) => {
    if (entry.type !== 'redeem') return entry
    const status = await client.minter.redemptionStatus(entry.blockIndex)
    return { ...entry, ...progressOf(status) }
  })
  return { entries: await Promise.all(withStatus), nextCursor: undefined }
}

function progressOf(status: RetrieveBtcStatusV2): Pick<HistoryEntry, 'status' | 'txid'> {
  switch (status.type) {
    case 'confirmed':
      return { status: 'done', txid: toDisplayHex(status.txid) }
    case 'sending':
    case 'submitted':
      return { status: status.type, txid: toDisplayHex(status.txid) }
    case 'unknown': // The deployed minter forgets what is long done (minter §1.1).
      return { status: 'done', txid: undefined }
    case 'pending':
    case 'signing':
      return { status: status.type, txid: undefined }
    case 'amountTooLow':
      return { status: 'amount-too-low', txid: undefined }
    case 'reimbursed':
      return { status: 'returned', txid: undefined }
    case 'willReimburse':
      return { status: 'returning', txid: undefined }
  }
}
