/** Memos of mints and burns in the ledger's blocks. Source: minter §5.2. */
import { attempt, BadEncoding } from '../base/errors.ts'
import type { Cbor } from '../ic/cbor.ts'
import { decodeCanonicalCbor, encodeCbor } from '../ic/cbor.ts'
import type { Codec } from './events/fields.ts'
import { blob, nat32, nat64, text } from './events/fields.ts'
import type { BurnMemo, DecodeMemoArgs, DecodeMemoResult, MemoStatus, MintMemo } from './types.ts'

const MINT_CONVERT = 0n
const MINT_KYT = 1n
const MINT_KYT_FAIL = 2n
const MINT_REIMBURSE = 3n
const BURN_CONVERT = 0n
const BURN_CONSOLIDATE = 1n

const STATUSES: readonly MemoStatus[] = ['accepted', 'rejected', 'callFailed']

const status: Codec<MemoStatus> = {
  encode: (value) => BigInt(STATUSES.indexOf(value)),
  decode(cbor) {
    const found = STATUSES.find((_, i) => BigInt(i) === cbor)
    if (found === undefined) throw new BadEncoding('an unknown status')
    return found
  },
  form: nat64.form,
}

const orNull = <T>({ encode }: Codec<T>, value: T | undefined): Cbor =>
  value === undefined ? null : encode(value)

/** Variant number and fields; absent fields at the end are left out. */
function encodeMemo(variant: bigint, fields: readonly Cbor[]): Uint8Array {
  const count = fields.findLastIndex((value) => value !== null) + 1
  return encodeCbor([variant, fields.slice(0, count)])
}

export function encodeMintMemo(memo: MintMemo): Uint8Array {
  switch (memo.type) {
    case 'convert':
      return encodeMemo(MINT_CONVERT, [
        orNull(blob, memo.txid),
        orNull(nat32, memo.vout),
        orNull(nat64, memo.fee),
      ])
    case 'kyt':
      return encodeMemo(MINT_KYT, [])
    case 'kytFail':
      return encodeMemo(MINT_KYT_FAIL, [
        orNull(nat64, memo.fee),
        orNull(status, memo.status),
        orNull(nat64, memo.burnIndex),
      ])
    case 'reimburseWithdrawal':
      return encodeMemo(MINT_REIMBURSE, [memo.withdrawalId])
  }
}

export function encodeBurnMemo(memo: BurnMemo): Uint8Array {
  switch (memo.type) {
    case 'convert':
      return encodeMemo(BURN_CONVERT, [
        orNull(text, memo.address),
        orNull(nat64, memo.fee),
        orNull(status, memo.status),
      ])
    case 'consolidate':
      return encodeMemo(BURN_CONSOLIDATE, [memo.value, memo.inputs])
  }
}

/** Fields of a memo, read one after the other; what is missing at the end is absent. */
class MemoFields {
  readonly #values: readonly Cbor[]
  #position = 0

  constructor(values: readonly Cbor[]) {
    this.#values = values
  }

  optional<T>({ decode }: Codec<T>): T | undefined {
    const value = this.#values[this.#position++] ?? null
    return value === null ? undefined : decode(value)
  }

  required<T>(codec: Codec<T>): T {
    const value = this.optional(codec)
    if (value === undefined) throw new BadEncoding('a field of the memo is missing')
    return value
  }

  end<T>(memo: T): T {
    if (this.#values.length > this.#position) throw new BadEncoding('more fields than the memo has')
    return memo
  }
}

const isList = (cbor: Cbor | undefined): cbor is readonly Cbor[] => Array.isArray(cbor)

function openMemo(bytes: Uint8Array): { readonly variant: Cbor; readonly fields: MemoFields } {
  const whole = decodeCanonicalCbor(bytes)
  if (!isList(whole) || whole.length !== 2) throw new BadEncoding('not a pair')
  const [variant = null, fields] = whole
  if (!isList(fields)) throw new BadEncoding('the fields are no list')
  return { variant, fields: new MemoFields(fields) }
}

/** `BadEncoding` for anything that is no mint memo. */
export function decodeMintMemo(bytes: Uint8Array): MintMemo {
  const { variant, fields } = openMemo(bytes)
  if (variant === MINT_CONVERT)
    return fields.end({
      type: 'convert',
      txid: fields.optional(blob),
      vout: fields.optional(nat32),
      fee: fields.optional(nat64),
    })
  if (variant === MINT_KYT) return fields.end({ type: 'kyt' })
  if (variant === MINT_KYT_FAIL)
    return fields.end({
      type: 'kytFail',
      fee: fields.optional(nat64),
      status: fields.optional(status),
      burnIndex: fields.optional(nat64),
    })
  if (variant === MINT_REIMBURSE)
    return fields.end({ type: 'reimburseWithdrawal', withdrawalId: fields.required(nat64) })
  throw new BadEncoding('an unknown kind of mint memo')
}

/** `BadEncoding` for anything that is no burn memo. */
export function decodeBurnMemo(bytes: Uint8Array): BurnMemo {
  const { variant, fields } = openMemo(bytes)
  if (variant === BURN_CONVERT)
    return fields.end({
      type: 'convert',
      address: fields.optional(text),
      fee: fields.optional(nat64),
      status: fields.optional(status),
    })
  if (variant === BURN_CONSOLIDATE)
    return fields.end({
      type: 'consolidate',
      value: fields.required(nat64),
      inputs: fields.required(nat64),
    })
  throw new BadEncoding('an unknown kind of burn memo')
}

/** `decode_ledger_memo`: any bytes, never a trap. */
export function decodeMemo({ memoType, memo }: DecodeMemoArgs): DecodeMemoResult {
  const decoded = attempt(() =>
    memoType === 'mint'
      ? { type: 'mint' as const, memo: decodeMintMemo(memo) }
      : { type: 'burn' as const, memo: decodeBurnMemo(memo) },
  )
  return decoded instanceof BadEncoding
    ? { type: 'err', error: { type: 'invalidMemo', message: decoded.message } }
    : { type: 'ok', value: decoded }
}
