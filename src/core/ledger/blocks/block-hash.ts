/** Hashes of blocks straight from typed data. Implements `docs/spec/ledger.md` §9.2. */
import type { Hash32 } from '../../base/bytes.ts'
import { compareBytes, concat, utf8 } from '../../base/bytes.ts'
import { present } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import type { Account } from '../../ic/account.ts'
import { leb128 } from '../../ic/cursor.ts'
import { packForm } from '../accounts/account-key.ts'
import type { Block, Transaction } from './block.ts'
import { operationOf } from './block.ts'
import { valueOfBlock, valueOfTransaction } from './block-value.ts'
import { hashValue } from './value.ts'

/** One possible key of a map; `place` is that of its value in the arguments of `hashMap`. */
type Key = { readonly hash: Hash32; readonly place: number }

/** Entries are hashed in the order of their 64 bytes, and the key's hash decides that order. */
const keys = (...names: readonly string[]): readonly Key[] =>
  names
    .map((name, place) => ({ hash: sha256(utf8(name)), place }))
    .sort((a, b) => compareBytes(a.hash, b.hash))

/** Hash of the key, hash of the value. */
const ENTRY_BYTES = 64

const BLOCK_KEYS = keys('phash', 'ts', 'tx', 'fee', 'fee_col', 'fee_col_block')
const TRANSACTION_KEYS = keys(
  ...['op', 'amt', 'from', 'to', 'spender', 'fee', 'expected_allowance', 'expires_at'],
  ...['memo', 'ts'],
)

const OPERATION_HASHES = {
  mint: sha256(utf8('mint')),
  burn: sha256(utf8('burn')),
  xfer: sha256(utf8('xfer')),
  approve: sha256(utf8('approve')),
}

/** Hash of the whole block; `transactionHash` must be that of its transaction. */
export function hashBlock(block: Block, transactionHash: Hash32): Hash32 {
  if (block.transaction.type === 'feeCollector') return hashValue(valueOfBlock(block))
  return hashMap(BLOCK_KEYS, [
    optional(block.parentHash, sha256),
    hashNat(block.timestamp),
    transactionHash,
    optional(block.fee, hashRecurring),
    optional(block.feeCollector, hashAccount),
    optional(block.feeCollectorBlock, hashRecurring),
  ])
}

/** Hash of the `tx` map alone: the name of a transaction for deduplication (§5). */
export function hashTransaction(transaction: Transaction): Hash32 {
  const { type } = transaction
  if (type === 'feeCollector') return hashValue(valueOfTransaction(transaction))
  return hashMap(TRANSACTION_KEYS, [
    OPERATION_HASHES[operationOf(transaction)],
    hashNat(transaction.amount),
    type === 'mint' ? undefined : hashAccount(transaction.from),
    type === 'mint' || type === 'transfer' ? hashAccount(transaction.to) : undefined,
    type === 'mint' ? undefined : optional(transaction.spender, hashAccount),
    type === 'transfer' || type === 'approve'
      ? optional(transaction.fee, hashRecurring)
      : undefined,
    type === 'approve' ? optional(transaction.expectedAllowance, hashNat) : undefined,
    type === 'approve' ? optional(transaction.expiresAt, hashNat) : undefined,
    optional(transaction.memo, sha256),
    optional(transaction.createdAtTime, hashNat),
  ])
}

const hashNat = (value: bigint): Hash32 => sha256(leb128(value))

/** Hashes of what recurs from block to block; forgotten when there are too many. */
class Memo<K> {
  readonly #hashes = new Map<K, Hash32>()

  get(key: K, compute: () => Hash32): Hash32 {
    const known = this.#hashes.get(key)
    if (known !== undefined) return known
    if (this.#hashes.size >= MEMO_SIZE_MAX) this.#hashes.clear()
    const hash = compute()
    this.#hashes.set(key, hash)
    return hash
  }
}

const MEMO_SIZE_MAX = 16_384
const accounts = new Memo<string>()
const recurring = new Memo<bigint>()

/** Of fees and of the index of the block that named the collector. */
const hashRecurring = (value: bigint): Hash32 => recurring.get(value, () => hashNat(value))

/** By the form given: 32 zeros are another value than no subaccount. */
const hashAccount = (account: Account): Hash32 =>
  accounts.get(packForm(account), () => {
    const { owner, subaccount } = account
    return subaccount === undefined
      ? sha256(sha256(owner))
      : sha256(concat(sha256(owner), sha256(subaccount)))
  })

const optional = <T>(value: T | undefined, hash: (value: T) => Hash32): Hash32 | undefined =>
  value === undefined ? undefined : hash(value)

/** Where the entries of a map are put together; nothing is kept in it. */
const ENTRIES = new Uint8Array(ENTRY_BYTES * TRANSACTION_KEYS.length)
/** Its beginnings, by the number of entries. */
const BEGINNINGS = Array.from({ length: TRANSACTION_KEYS.length + 1 }, (_, count) =>
  ENTRIES.subarray(0, ENTRY_BYTES * count),
)

function hashMap(sorted: readonly Key[], values: readonly (Hash32 | undefined)[]): Hash32 {
  let count = 0
  for (const { hash, place } of sorted) {
    const value = values[place]
    if (value === undefined) continue
    ENTRIES.set(hash, ENTRY_BYTES * count)
    ENTRIES.set(value, ENTRY_BYTES * count + 32)
    count++
  }
  return sha256(present(BEGINNINGS[count], 'a map has no more entries than keys'))
}
