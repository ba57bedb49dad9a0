/** JSON as Bitcoin Core writes it, and its errors. Source: `docs/spec/bitcoin.md` RN-21. */
import { formatBtc } from '../../../base/units.ts'

/** Codes of `rpc/protocol.h`. */
export const rpcCode = {
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  parseError: -32_700,
  misc: -1,
  type: -3,
  invalidAddressOrKey: -5,
  invalidParameter: -8,
  deserialization: -22,
  nodeAlreadyAdded: -23,
  nodeNotAdded: -24,
  verify: -25,
  verifyRejected: -26,
  verifyAlreadyInChain: -27,
} as const

export class RpcFailure extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export function fail(code: number, message: string): never {
  throw new RpcFailure(code, message)
}

/** Satoshi; written as bitcoin with eight decimals. */
export class Amount {
  readonly sats: bigint

  constructor(sats: bigint) {
    this.sats = sats
  }
}

export type Json =
  | null
  | boolean
  | number
  | string
  | Amount
  | readonly Json[]
  /** What is undefined is left out. */
  | { readonly [name: string]: Json | undefined }

export function writeJson(value: Json): string {
  if (value instanceof Amount) return formatBtc(value.sats)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(writeJson).join(',')}]`
  const fields = Object.entries(value).flatMap(([name, field]) =>
    field === undefined ? [] : `${JSON.stringify(name)}:${writeJson(field)}`,
  )
  return `{${fields.join(',')}}`
}

/** `Array.isArray` does not narrow a list that is read-only. */
const isList = (value: object): value is readonly Json[] => Array.isArray(value)
