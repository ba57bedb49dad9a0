/** Blocks as ICRC-3 values and back. Implements `docs/spec/ledger.md` §§9.1, 17 (ICRC-107). */
import { hash32 } from '../../base/bytes.ts'
import { BadEncoding } from '../../base/errors.ts'
import type { TimestampNs, Tokens } from '../../base/units.ts'
import { TIMESTAMP_MAX, timestampNs, tokens } from '../../base/units.ts'
import type { Account } from '../../ic/account.ts'
import { SUBACCOUNT_BYTES } from '../../ic/account.ts'
import { principal } from '../../ic/principal.ts'
import type { Block, FeeCollectorSetting, Movement, Operation, Transaction } from './block.ts'
import { operationOf } from './block.ts'
import type { Entry, Value } from './value.ts'

/** Keys in bytewise order, as every answer shows them. */
export function valueOfBlock(block: Block): Value {
  return mapOf([
    ['btype', blockTypeOf(block.transaction)],
    ['fee', optional(block.fee, natOf)],
    ['fee_col', optional(block.feeCollector, accountOf)],
    ['fee_col_block', optional(block.feeCollectorBlock, natOf)],
    ['phash', optional(block.parentHash, blobOf)],
    ['ts', natOf(block.timestamp)],
    ['tx', valueOfTransaction(block.transaction)],
  ])
}

/** Blocks of the first five kinds are known by their operation. */
const blockTypeOf = ({ type }: Transaction): Value | undefined =>
  type === 'feeCollector' ? { type: 'text', text: FEE_COLLECTOR_BLOCK } : undefined

export function valueOfTransaction(transaction: Transaction): Value {
  const { type } = transaction
  if (type === 'feeCollector') return valueOfSetting(transaction)
  const approval = type === 'approve' ? transaction : undefined
  return mapOf([
    ['amt', natOf(transaction.amount)],
    ['expected_allowance', optional(approval?.expectedAllowance, natOf)],
    ['expires_at', optional(approval?.expiresAt, natOf)],
    ['fee', type === 'mint' || type === 'burn' ? undefined : optional(transaction.fee, natOf)],
    ['from', type === 'mint' ? undefined : accountOf(transaction.from)],
    ['memo', optional(transaction.memo, blobOf)],
    ['op', { type: 'text', text: operationOf(transaction) }],
    ['spender', type === 'mint' ? undefined : optional(transaction.spender, accountOf)],
    ['to', type === 'mint' || type === 'transfer' ? accountOf(transaction.to) : undefined],
    ['ts', optional(transaction.createdAtTime, natOf)],
  ])
}

/** ICRC-107. */
const valueOfSetting = (setting: FeeCollectorSetting): Value =>
  mapOf([
    ['caller', optional(setting.caller, blobOf)],
    ['fee_collector', optional(setting.feeCollector, accountOf)],
    ['mthd', optional(setting.method, (method) => ({ type: 'text', text: method }))],
    ['ts', optional(setting.createdAtTime, natOf)],
  ])

type Optional = readonly [key: string, value: Value | undefined]

const mapOf = (entries: readonly Optional[]): Value => ({
  type: 'map',
  map: entries.flatMap(([key, value]): readonly Entry[] =>
    value === undefined ? [] : [[key, value]],
  ),
})
const natOf = (nat: bigint): Value => ({ type: 'nat', nat })
const blobOf = (blob: Uint8Array): Value => ({ type: 'blob', blob })
const accountOf = ({ owner, subaccount }: Account): Value => ({
  type: 'array',
  array: subaccount === undefined ? [blobOf(owner)] : [blobOf(owner), blobOf(subaccount)],
})

/**
 * Reads a block of a known type, with `btype`, `op` or both; others are `BadEncoding`.
 *
 * The hash of a foreign block is that of its value: keys unknown here count there.
 */
export function blockOfValue(value: Value): Block {
  const block = fieldsOf(value)
  return {
    parentHash: optional(block.get('phash'), (phash) => hash32(blob(phash))),
    timestamp: timestamp(required(block, 'ts')),
    transaction: transactionOf(fieldsOf(required(block, 'tx')), block.get('btype')),
    fee: optional(block.get('fee'), amount),
    feeCollector: optional(block.get('fee_col'), account),
    feeCollectorBlock: optional(block.get('fee_col_block'), nat),
  }
}

/** Block type of ICRC-107. */
export const FEE_COLLECTOR_BLOCK = '107feecol'

const OPERATION_OF_TYPE: ReadonlyMap<string, Operation> = new Map([
  ['1mint', 'mint'],
  ['1burn', 'burn'],
  ['1xfer', 'xfer'],
  ['2xfer', 'xfer'],
  ['2approve', 'approve'],
])

/** Type of a block: `btype` if there is one, else by `tx.op`; undefined where neither tells. */
export function typeOfBlock(value: Value): string | undefined {
  const block = fieldsOf(value)
  const given = block.get('btype')
  if (given !== undefined) return text(given)
  const tx = block.get('tx')
  if (tx?.type !== 'map') return undefined
  const fields = fieldsOf(tx)
  const op = fields.get('op')
  if (op?.type !== 'text') return undefined
  if (op.text === 'xfer') return fields.has('spender') ? '2xfer' : '1xfer'
  return [...OPERATION_OF_TYPE].find(([, operation]) => operation === op.text)?.[0]
}

type Fields = ReadonlyMap<string, Value>

function transactionOf(tx: Fields, blockType: Value | undefined): Transaction {
  if (blockType?.type === 'text' && blockType.text === FEE_COLLECTOR_BLOCK) return settingOf(tx)
  return movementOf(tx, blockType)
}

/** Texts of ICRC-107 differ on whether the method is `mthd` or `op`. */
const settingOf = (tx: Fields): FeeCollectorSetting => ({
  type: 'feeCollector',
  feeCollector: optional(tx.get('fee_collector'), account),
  caller: optional(tx.get('caller'), (caller) => principal(blob(caller))),
  createdAtTime: optional(tx.get('ts'), timestamp),
  method: optional(tx.get('mthd') ?? tx.get('op'), text),
})

function movementOf(tx: Fields, blockType: Value | undefined): Movement {
  const operation = operationNamed(tx, blockType)
  const common = {
    amount: amount(required(tx, 'amt')),
    memo: optional(tx.get('memo'), blob),
    createdAtTime: optional(tx.get('ts'), timestamp),
  }
  const from = (): Account => account(required(tx, 'from'))
  const to = (): Account => account(required(tx, 'to'))
  const spender = optional(tx.get('spender'), account)
  const fee = optional(tx.get('fee'), amount)
  switch (operation) {
    case 'mint':
      return { type: 'mint', ...common, to: to() }
    case 'burn':
      return { type: 'burn', ...common, from: from(), spender }
    case 'xfer':
      return { type: 'transfer', ...common, from: from(), to: to(), spender, fee }
    case 'approve':
      return {
        type: 'approve',
        ...common,
        from: from(),
        spender: account(required(tx, 'spender')),
        fee,
        expectedAllowance: optional(tx.get('expected_allowance'), amount),
        expiresAt: optional(tx.get('expires_at'), timestamp),
      }
  }
}

function operationNamed(tx: Fields, blockType: Value | undefined): Operation {
  const name = text(blockType ?? required(tx, 'op'))
  const operation =
    blockType === undefined
      ? [...OPERATION_OF_TYPE.values()].find((known) => known === name)
      : OPERATION_OF_TYPE.get(name)
  if (operation === undefined) throw new BadEncoding(`a block of the unknown type "${name}"`)
  return operation
}

function fieldsOf(value: Value): Fields {
  if (value.type !== 'map') throw unexpected('map', value)
  const fields = new Map(value.map)
  if (fields.size !== value.map.length) throw new BadEncoding('a key stands twice in a map')
  return fields
}

function required(fields: Fields, key: string): Value {
  const value = fields.get(key)
  if (value === undefined) throw new BadEncoding(`a block without "${key}"`)
  return value
}

function optional<T, R>(value: T | undefined, convert: (value: T) => R): R | undefined {
  return value === undefined ? undefined : convert(value)
}

function blob(value: Value): Uint8Array {
  if (value.type !== 'blob') throw unexpected('blob', value)
  return value.blob
}

function text(value: Value): string {
  if (value.type !== 'text') throw unexpected('text', value)
  return value.text
}

function nat(value: Value): bigint {
  if (value.type !== 'nat') throw unexpected('nat', value)
  return value.nat
}

const amount = (value: Value): Tokens => tokens(nat(value))

function timestamp(value: Value): TimestampNs {
  const time = nat(value)
  if (time > TIMESTAMP_MAX) throw new BadEncoding(`${time} ns is beyond the last timestamp`)
  return timestampNs(time)
}

function account(value: Value): Account {
  if (value.type !== 'array') throw unexpected('account', value)
  const [owner, subaccount, ...more] = value.array
  if (owner === undefined || more.length > 0)
    throw new BadEncoding(`an account of ${value.array.length} parts`)
  if (subaccount === undefined) return { owner: principal(blob(owner)) }
  const bytes = blob(subaccount)
  if (bytes.length !== SUBACCOUNT_BYTES)
    throw new BadEncoding(`a subaccount of ${bytes.length} bytes`)
  return { owner: principal(blob(owner)), subaccount: bytes }
}

const unexpected = (expected: string, found: Value): BadEncoding =>
  new BadEncoding(`${expected} expected, found ${found.type}`)
