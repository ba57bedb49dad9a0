/** Blocks as stored: CBOR with a fixed order of keys. Implements `docs/spec/ledger.md` §9.1. */
import { equalBytes } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import type { Cbor } from '../../ic/cbor.ts'
import { decodeCbor, encodeCbor, SELF_DESCRIBED } from '../../ic/cbor.ts'
import { CborWriter } from '../../ic/cbor-writer.ts'
import type { Block, FeeCollectorSetting, Movement } from './block.ts'
import { operationOf } from './block.ts'
import { blockOfValue, FEE_COLLECTOR_BLOCK } from './block-value.ts'
import type { Entry, Value } from './value.ts'

const AMOUNT_BYTES_MAX = 32

/** Every text of a block, keys and operations, as it is stored. */
const TEXTS = {
  ...texts('phash', 'tx', 'fee', 'ts', 'fee_col', 'fee_col_block', 'memo', 'op', 'from', 'to'),
  ...texts('spender', 'amt', 'expected_allowance', 'expires_at'),
  ...texts('btype', 'fee_collector', 'caller', 'mthd'),
  ...texts('mint', 'burn', 'xfer', 'approve', FEE_COLLECTOR_BLOCK),
}

type Key = keyof typeof TEXTS

function texts<const N extends string>(...names: readonly N[]): Readonly<Record<N, Uint8Array>> {
  return Object.fromEntries(names.map((name) => [name, encodeCbor(name)])) as Record<N, Uint8Array>
}

/** Used anew for each block. */
const writer = new CborWriter()

/** Straight from the typed data: every block of a ledger passes here. */
export function encodeBlock(block: Block): Uint8Array {
  const { parentHash, timestamp, transaction, fee, feeCollector, feeCollectorBlock } = block
  writer.clear()
  writer.encoded(SELF_DESCRIBED)
  const isSetting = transaction.type === 'feeCollector'
  const collectors = given(feeCollector) + given(feeCollectorBlock)
  writer.map(2 + given(parentHash) + given(fee) + collectors + (isSetting ? 1 : 0))
  writeBlob('phash', parentHash)
  writer.encoded(TEXTS.tx)
  if (isSetting) writeSetting(transaction)
  else writeMovement(transaction)
  writeNat('fee', fee)
  writeNat('ts', timestamp)
  writeAccount('fee_col', feeCollector)
  writeNat('fee_col_block', feeCollectorBlock)
  if (isSetting) writeText('btype', TEXTS[FEE_COLLECTOR_BLOCK])
  return writer.bytes()
}

function writeMovement(transaction: Movement): void {
  const { type, amount, memo, createdAtTime } = transaction
  const from = type === 'mint' ? undefined : transaction.from
  const to = type === 'mint' || type === 'transfer' ? transaction.to : undefined
  const spender = type === 'mint' ? undefined : transaction.spender
  const fee = type === 'mint' || type === 'burn' ? undefined : transaction.fee
  const expected = type === 'approve' ? transaction.expectedAllowance : undefined
  const expiresAt = type === 'approve' ? transaction.expiresAt : undefined
  const accounts = given(from) + given(to) + given(spender)
  const others = given(createdAtTime) + given(memo) + given(fee) + given(expected)
  writer.map(2 + accounts + others + given(expiresAt))
  writeNat('ts', createdAtTime)
  writeBlob('memo', memo)
  writeText('op', TEXTS[operationOf(transaction)])
  writeAccount('from', from)
  writeAccount('to', to)
  writeAccount('spender', spender)
  writeNat('amt', amount)
  writeNat('fee', fee)
  writeNat('expected_allowance', expected)
  writeNat('expires_at', expiresAt)
}

/** ICRC-107. */
function writeSetting({ createdAtTime, feeCollector, caller, method }: FeeCollectorSetting): void {
  writer.map(given(createdAtTime) + given(feeCollector) + given(caller) + given(method))
  writeNat('ts', createdAtTime)
  writeAccount('fee_collector', feeCollector)
  writeBlob('caller', caller)
  if (method !== undefined) writeText('mthd', encodeCbor(method))
}

const given = (value: unknown): number => (value === undefined ? 0 : 1)

function writeNat(key: Key, value: bigint | undefined): void {
  if (value === undefined) return
  writer.encoded(TEXTS[key])
  writer.nat(value)
}

/** `text`: as it is stored. */
function writeText(key: Key, text: Uint8Array): void {
  writer.encoded(TEXTS[key])
  writer.encoded(text)
}

function writeBlob(key: Key, value: Uint8Array | undefined): void {
  if (value === undefined) return
  writer.encoded(TEXTS[key])
  writer.blob(value)
}

function writeAccount(key: Key, account: Account | undefined): void {
  if (account === undefined) return
  const { owner, subaccount } = account
  writer.encoded(TEXTS[key])
  writer.array(1 + given(subaccount))
  writer.blob(owner)
  if (subaccount !== undefined) writer.blob(subaccount)
}

/** A stored block of any kind as the value that is hashed; `BadEncoding` for what is no CBOR. */
export const decodeBlockValue = (bytes: Uint8Array): Value =>
  valueOfCbor(decodeCbor(bytes, { integerBytesMax: AMOUNT_BYTES_MAX }))

/** Reads what `encodeBlock` wrote, and nothing else: another order of keys is `BadEncoding`. */
export function decodeBlock(bytes: Uint8Array): Block {
  const block = blockOfValue(decodeBlockValue(bytes))
  if (!equalBytes(encodeBlock(block), bytes)) throw new BadEncoding('a block out of its order')
  return block
}

/**
 * Tells encoded blocks whose transaction was created at that time from all others that
 * `encodeBlock` writes, and decodes none: `tx.ts` stands first in `tx`, which is behind `phash`.
 * The block begins at `start`.
 */
export function createdAt(
  createdAtTime: TimestampNs,
): (bytes: Uint8Array, start: number) => boolean {
  const created = encodeCbor(new Map([['ts', createdAtTime]])).subarray(1)
  return (bytes, start) => {
    const keys = start + KEYS_START
    const from = keys + (bytes[keys] === PHASH_HEAD ? PHASH_BYTES : 0) + TX_HEAD_BYTES
    let i = created.length - 1
    while (i >= 0 && bytes[from + i] === created[i]) i-- // Most differ in their last bytes.
    return i < 0
  }
}

/** Behind the tag of three bytes and the head of the map. */
const KEYS_START = 4
/** A text of five bytes; `tx` is one of two. */
const PHASH_HEAD = 0x65
const PHASH_BYTES = 6 + 2 + 32
/** The key `tx`, and the head of its map. */
const TX_HEAD_BYTES = 3 + 1

function valueOfCbor(cbor: Cbor): Value {
  if (typeof cbor === 'bigint') return { type: 'nat', nat: cbor }
  if (typeof cbor === 'string') return { type: 'text', text: cbor }
  if (cbor instanceof Uint8Array) return { type: 'blob', blob: cbor }
  if (cbor === null || typeof cbor === 'boolean')
    throw new BadEncoding(`a block holds no ${typeof cbor}`)
  if ('length' in cbor) return { type: 'array', array: cbor.map(valueOfCbor) }
  const map = [...cbor].map(([key, element]): Entry => [key, valueOfCbor(element)])
  return { type: 'map', map: map.sort(([a], [b]) => (a < b ? -1 : 1)) } // As answers show it.
}
