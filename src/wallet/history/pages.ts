/**
 * The transactions of an account, newest first and page by page: from the index of accounts, from the
 * ledger's blocks where the index has none yet, or from the blocks alone. Implements cli §5.7.
 */
import type { Hash32 } from '../../core/base/bytes.ts'
import { equalBytes, hash32 } from '../../core/base/bytes.ts'
import { BadEncoding, CanisterRefused, Problem } from '../../core/base/errors.ts'
import type { Account } from '../../core/ic/account.ts'
import type { Value } from '../../core/ledger/blocks/value.ts'
import { hashValue } from '../../core/ledger/blocks/value.ts'
import type { IndexClient, IndexedTransaction } from '../client/account-index.ts'
import type { LedgerClient } from '../client/ledger.ts'
import type { BlockReader } from '../client/logs.ts'
import { believable } from '../client/logs.ts'
import { untrue } from '../client/request-status.ts'
import type { Client } from '../client.ts'
import { verifyTip } from '../reserve-supply.ts'
import { recordOf } from './records.ts'

/** What a history is read from. */
export type LogClient = Pick<Client, 'network' | 'clockFor'> & {
  readonly blocks: Pick<BlockReader, 'length' | 'values'>
  readonly index: IndexPort | undefined
  readonly ledger: Pick<LedgerClient, 'tipCertificate'>
}

type IndexPort = Pick<IndexClient, 'ledgerId' | 'synced' | 'page'>

export type Reading = {
  readonly account: Account
  /** Only blocks with smaller indices. */
  readonly before: bigint | undefined
  /** No index: every block, hashed back to the one that the network certifies. */
  readonly certified: boolean
  /** What is not as one would expect; the history is complete all the same. */
  readonly warn: (warning: { readonly code: string; readonly message: string }) => void
  /** Is told the index of the oldest block that has been read. */
  readonly onPage?: ((reached: bigint) => void) | undefined
}

export type Pages = AsyncGenerator<readonly IndexedTransaction[]>

/** Transactions asked of an index at once. */
const INDEX_PAGE = 200
/** Blocks of a ledger in memory at once. */
const BLOCKS_PAGE = 1_000n

/** Throws `NETWORK_BAD_CERTIFICATE` for answers that cannot be true. */
export function pagesOf(client: LogClient, reading: Reading): Pages {
  return reading.certified ? provenPages(client, reading) : usualPages(client, reading)
}

async function* usualPages(client: LogClient, reading: Reading): Pages {
  const length = await client.blocks.length()
  const { before = length } = reading
  const end = before < length ? before : length
  const synced = await syncedOf(client, reading)
  const indexed = synced < end ? synced : end
  yield* scannedPages(client, reading, { start: indexed, end, isTop: end === length })
  if (client.index !== undefined) yield* indexedPages(client.index, reading, indexed)
}

/** Blocks that the index knows; 0 where it cannot be used. */
async function syncedOf({ index, blocks, network }: LogClient, { warn }: Reading): Promise<bigint> {
  if (index === undefined) {
    warn({ code: 'INDEX_NONE', message: 'this network has no index: every block is read' })
    return 0n
  }
  let synced: bigint
  try {
    if (!equalBytes(await index.ledgerId(), network.ids.ledger))
      throw untrue('the index is that of another ledger')
    synced = await index.synced()
  } catch (error) {
    if (!(error instanceof CanisterRefused)) throw error
    warn({ code: 'INDEX_NONE', message: 'the index does not answer: every block is read' })
    return 0n
  }
  const length = await blocks.length()
  const behind = length - synced
  if (behind > 0n)
    warn({
      code: 'INDEX_BEHIND',
      message: `the index is ${behind} of ${length} blocks behind the ledger; those were read there`,
    })
  return synced
}

type Scan = {
  readonly start: bigint
  readonly end: bigint
  /** It begins at the end of the log, of which one node may know less than another. */
  readonly isTop: boolean
}

async function* scannedPages(client: LogClient, reading: Reading, scan: Scan): Pages {
  const { account, onPage } = reading
  for await (const { start, values } of blockPages(client, scan)) {
    yield await believable(async () => recordsOf(start, values, account))
    onPage?.(start)
  }
}

type BlockPage = { readonly start: bigint; readonly values: readonly Value[] }

/** Whole pages from the end on. */
async function* blockPages(
  { blocks }: LogClient,
  { start: from, end: to, isTop }: Scan,
): AsyncGenerator<BlockPage> {
  for (let end = to; end > from; ) {
    const start = end - from > BLOCKS_PAGE ? end - BLOCKS_PAGE : from
    const values = await blocks.values(start, end)
    const isShort = BigInt(values.length) < end - start
    if (isShort && !(isTop && end === to))
      throw untrue(`the ledger keeps block ${start + BigInt(values.length)} back`)
    yield { start, values }
    end = start
  }
}

const recordsOf = (
  start: bigint,
  values: readonly Value[],
  account: Account,
): readonly IndexedTransaction[] =>
  values.flatMap((value, place) => recordOf(start + BigInt(place), value, account)).reverse()

async function* indexedPages(index: IndexPort, { account, onPage }: Reading, end: bigint): Pages {
  for (let before = end; before > 0n; ) {
    const { transactions, oldest } = await index.page(account, { before, countMax: INDEX_PAGE })
    const next = descending(transactions, before)
    if (next === undefined && oldest !== undefined && oldest < before)
      throw untrue(`the index keeps transaction ${oldest} back`)
    // Otherwise it could end a history wherever it likes.
    if (next !== undefined && (oldest === undefined || next < oldest))
      throw untrue(`the index shows transaction ${next} below the oldest one`)
    yield transactions
    if (next === undefined || next === oldest) return
    onPage?.(next)
    before = next
  }
}

/** The smallest id of a page. Each is below the one before it, so that a liar comes to an end. */
function descending(
  transactions: readonly IndexedTransaction[],
  before: bigint,
): bigint | undefined {
  let last: bigint | undefined
  for (const { id } of transactions) {
    if (id >= (last ?? before)) throw untrue(`the index shows transaction ${id} out of order`)
    last = id
  }
  return last
}

/** Ledger §10 (client verification): what is shown hashes to what the network has signed. */
async function* provenPages(client: LogClient, reading: Reading): Pages {
  const { account, before, onPage } = reading
  const tip = await certifiedTip(client)
  if (tip.type === 'empty') return
  let expected: Hash32 | undefined = tip.hash
  const scan = { start: 0n, end: tip.index + 1n, isTop: false }
  for await (const { start, values } of blockPages(client, scan)) {
    const parent: Hash32 | undefined = await believable(async () =>
      hashedBack(values, start, expected),
    )
    const shown = before === undefined ? values : values.slice(0, sizeBelow(before, start))
    yield await believable(async () => recordsOf(start, shown, account))
    expected = parent
    onPage?.(start)
  }
}

const sizeBelow = (before: bigint, start: bigint): number =>
  before > start ? Number(before - start) : 0

/** Hash of the block before a page whose last block has the hash `expected`. */
function hashedBack(
  values: readonly Value[],
  start: bigint,
  expected: Hash32 | undefined,
): Hash32 | undefined {
  let hash = expected
  for (let place = values.length - 1; place >= 0; place--) {
    const value = values[place]
    const index = start + BigInt(place)
    if (value === undefined || hash === undefined || !equalBytes(hashValue(value), hash))
      throw new BadEncoding(`block ${index} does not lead to the last one that is certified`)
    hash = parentOf(value)
    if ((hash === undefined) !== (index === 0n))
      throw new BadEncoding(`block ${index} is not where the log begins`)
  }
  return hash
}

function parentOf(value: Value): Hash32 | undefined {
  const parent = value.type === 'map' ? new Map(value.map).get('phash') : undefined
  if (parent === undefined) return undefined
  if (parent.type !== 'blob') throw new BadEncoding('a block whose parent hash is none')
  return hash32(parent.blob)
}

async function certifiedTip(client: LogClient) {
  const { rootKey, ids } = client.network
  const shown = await client.ledger.tipCertificate()
  if (shown === undefined)
    throw new Problem('NETWORK_BAD_CERTIFICATE', 'the ledger certifies no block', {
      fix: 'leave --certified out, and believe its answers or not',
    })
  const now = await client.clockFor(shown.certificate)
  return verifyTip(shown, { rootKey, ledgerId: ids.ledger, now })
}
