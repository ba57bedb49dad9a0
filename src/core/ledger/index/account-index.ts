/**
 * The index: which blocks concern an account, and what it holds, from the log alone. Implements
 * `docs/spec/ledger.md` §13.
 *
 * It shares no state with the ledger that it follows. A block that it cannot apply stops it: what
 * was asked before is answered as before, and nothing is passed over.
 */
import type { Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import type { Block, Movement, Transaction } from '../blocks/block.ts'
import { tokensMax } from '../config.ts'
import { costOf } from '../transactions/effect.ts'
import type { AccountTable } from './account-table.ts'
import {
  balanceAt,
  emptyAccountTable,
  findAccount,
  historyOf,
  noteAccount,
  setBalance,
  setNewest,
  setOldest,
} from './account-table.ts'
import type { Collectors } from './collector-ranges.ts'
import { collectorNamedBy, emptyCollectors, noteNamed } from './collector-ranges.ts'
import type { Histories } from './histories.ts'
import { addEntry, blockOf, blocksBelow, emptyHistories } from './histories.ts'
import { hasRoom } from './rows.ts'

/** Plain data: a snapshot keeps it, and it is asked at once after a start. */
export type IndexState = {
  readonly tokenWidth: 64 | 256
  /** Blocks taken so far; the index of the next one. */
  synced: number
  /** Sum of all balances. */
  supply: bigint
  /** Fee of the newest transfer or approval: the oldest approvals bear none (§9.1). */
  lastFee: Tokens | undefined
  readonly table: AccountTable
  readonly histories: Histories
  readonly collectors: Collectors
  /** Why block `synced` cannot be taken; for ever. */
  stopped: string | undefined
}

/** Entries of one answer. */
export const INDEX_RESULTS_MAX = 2_000
/** Blocks have numbers of 32 bits here. The log of ckBTC grows by a few millions a year. */
const BLOCKS_MAX = 2 ** 32
const REASON_LENGTH_MAX = 200
/** Accounts that one block names at most: two parties and a collector. */
const ACCOUNTS_PER_BLOCK = 3

export function emptyIndex(tokenWidth: 64 | 256): IndexState {
  return {
    tokenWidth,
    synced: 0,
    supply: 0n,
    lastFee: undefined,
    table: emptyAccountTable(tokenWidth),
    histories: emptyHistories(),
    collectors: emptyCollectors(),
    stopped: undefined,
  }
}

/** Takes block `synced`, or stops before it; nothing of a block that does not fit is kept. */
export function takeBlock(index: IndexState, block: View<Block>): void {
  if (index.stopped !== undefined) return
  const named = collectorNamedBy(index.collectors, block)
  const { transaction } = block
  const reason = isFull(index)
    ? 'the index has no room for more blocks'
    : named.type === 'problem'
      ? named.reason
      : problemOf(index, block)
  if (reason !== undefined) {
    stop(index, reason)
    return
  }
  noteNamed(index.collectors, block, { id: index.synced, named })
  if (transaction.type !== 'feeCollector') {
    const fee = feeOf(index, block) ?? NONE
    move(index, transaction, fee)
    if (named.type === 'collector' && paysCollector(index, transaction))
      credit(index, named.collector, fee)
    if (costsFee(transaction)) index.lastFee = fee
  }
  index.synced += 1
}

/** The index goes no further; the first reason counts. */
export function stop(index: IndexState, reason: string): void {
  index.stopped ??= reason.slice(0, REASON_LENGTH_MAX) // It may quote what a source says.
}

const isFull = ({ synced, table, histories }: View<IndexState>): boolean =>
  synced >= BLOCKS_MAX ||
  !hasRoom(histories, ACCOUNTS_PER_BLOCK) ||
  !hasRoom(table.accounts, ACCOUNTS_PER_BLOCK)

const NONE = tokens(0n)

const costsFee = ({ type }: Transaction): boolean => type === 'transfer' || type === 'approve'

/** Before ICRC-107 sets anything, a collector receives the fees of transfers alone (§7). */
const paysCollector = ({ collectors }: View<IndexState>, { type }: Movement): boolean =>
  type === 'transfer' || (type === 'approve' && collectors.set !== undefined)

/** What a block costs beside its amount; undefined where nothing says it. */
const feeOf = (index: View<IndexState>, { transaction, fee }: View<Block>): Tokens | undefined =>
  costsFee(transaction)
    ? (('fee' in transaction ? transaction.fee : undefined) ?? fee ?? index.lastFee)
    : NONE

/** Why a block does not follow. A supply within its bounds keeps every balance within them. */
function problemOf(index: View<IndexState>, block: View<Block>): string | undefined {
  const { transaction } = block
  if (transaction.type === 'feeCollector') return undefined
  if (!costsFee(transaction) && block.fee !== undefined)
    return `a ${transaction.type} that costs a fee`
  if (transaction.type === 'mint')
    return index.supply + transaction.amount > tokensMax(index)
      ? 'the balances exceed the largest amount'
      : undefined
  const fee = feeOf(index, block)
  if (fee === undefined) return 'it states no fee, and no block before it does'
  const cost = costOf(transaction, fee)
  const balance = balanceIn(index, transaction.from)
  return balance < cost ? `it takes ${cost} from a balance of ${balance}` : undefined
}

function move(index: IndexState, movement: Movement, fee: Tokens): void {
  const { table } = index
  if (movement.type !== 'mint') {
    const from = noteAccount(table, movement.from)
    const cost = costOf(movement, fee)
    setBalance(table, from, balanceAt(table, from) - cost)
    index.supply -= cost
    list(index, from)
  }
  if (movement.type === 'mint' || movement.type === 'transfer')
    list(index, credit(index, movement.to, movement.amount))
  if (movement.type === 'approve') noteAccount(table, movement.spender)
}

/** Number of the account. */
function credit(index: IndexState, to: Account, amount: bigint): number {
  const account = noteAccount(index.table, to)
  setBalance(index.table, account, balanceAt(index.table, account) + amount)
  index.supply += amount
  return account
}

/** Puts the block that is being taken into the history of an account, once. */
function list({ table, histories, synced }: IndexState, account: number): void {
  const history = historyOf(table, account)
  if (history !== undefined && blockOf(histories, history.newest) === synced) return
  setNewest(table, account, addEntry(histories, synced, history?.newest))
  if (history === undefined) setOldest(table, account, synced)
}

export type AccountPage = {
  /** Newest first. */
  readonly ids: readonly number[]
  /** Of the whole account; undefined when no block concerns it. */
  readonly oldest: number | undefined
  readonly balance: Tokens
}

/** Blocks of an account below `before`, or the newest. */
export function accountPage(
  { table, histories }: View<IndexState>,
  account: Account,
  { before = BigInt(BLOCKS_MAX), countMax }: PageAsked,
): AccountPage {
  const number = findAccount(table, account)
  if (number === undefined) return { ids: [], oldest: undefined, balance: NONE }
  const balance = balanceAt(table, number)
  const history = historyOf(table, number)
  if (history === undefined) return { ids: [], oldest: undefined, balance }
  const count = countMax < BigInt(INDEX_RESULTS_MAX) ? Number(countMax) : INDEX_RESULTS_MAX
  const ids = blocksBelow(histories, history.newest, { before, countMax: count })
  return { ids, oldest: history.oldest, balance }
}
type PageAsked = { readonly before?: bigint | undefined; readonly countMax: bigint }

/** What the blocks so far leave to an account. */
export function balanceIn({ table }: View<IndexState>, account: Account): Tokens {
  const number = findAccount(table, account)
  return number === undefined ? NONE : balanceAt(table, number)
}
