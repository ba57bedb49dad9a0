/** What a group of the suite demands of an answer, and the words in which it is told what it got. */
import { Principal } from '@icp-sdk/core/principal'
import { toHex } from '../../src/core/base/bytes.ts'
import type { Account, Opt, Party, Result } from './ledger.ts'

/** The ledger does not do what the standard says. */
export class Unmet extends Error {
  override readonly name = 'Unmet'
}

/** A value of Candid on one line. */
export function words(value: unknown): string {
  if (value instanceof Principal) return value.toText()
  if (value instanceof Uint8Array) return `0x${toHex(value)}`
  if (Array.isArray(value)) return `[${value.map(words).join(', ')}]`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${words(field)}`)
  return `{ ${fields.join(', ')} }`
}

export function expectEqual(what: string, actual: unknown, expected: unknown): void {
  if (words(actual) !== words(expected))
    throw new Unmet(`${what}: expected ${words(expected)}, got ${words(actual)}`)
}

/** The index of the block; any refusal is `Unmet`. */
export async function accepted(what: string, asking: Promise<Result>): Promise<bigint> {
  const result = await asking
  if ('Ok' in result) return result.Ok
  throw new Unmet(`${what}: expected Ok, got ${words(result)}`)
}

/** The fields of the error of this name; anything else is `Unmet`. */
export async function refused(
  what: string,
  error: string,
  asking: Promise<Result>,
): Promise<Readonly<Record<string, unknown>>> {
  const result = await asking
  if ('Err' in result && Object.hasOwn(result.Err, error)) return Object(result.Err[error])
  throw new Unmet(`${what}: expected ${error}, got ${words(result)}`)
}

/** A call answers with the error, and with these values in it. */
export async function expectError(
  what: string,
  [error, fields]: readonly [name: string, fields: Readonly<Record<string, unknown>>],
  asking: Promise<Result>,
): Promise<void> {
  const found = await refused(what, error, asking)
  for (const [name, value] of Object.entries(fields))
    expectEqual(`${what}: ${name} of ${error}`, found[name], value)
}

export async function expectBalance(
  reader: Party,
  account: Account,
  expected: bigint,
  whose: string,
): Promise<void> {
  const balance = await reader.reads.icrc1_balance_of(account)
  expectEqual(`balance of ${whose}`, balance, expected)
}

export async function expectAllowance(
  owner: Party,
  spender: Account,
  { allowance, expiresAt = [] }: { readonly allowance: bigint; readonly expiresAt?: Opt<bigint> },
): Promise<void> {
  const found = await owner.reads.icrc2_allowance({ account: owner.account, spender })
  expectEqual('allowance', found, { allowance, expires_at: expiresAt })
}
