/**
 * Ledger accounts and their text form. Implements ICRC-1 as written down in `docs/spec/ledger.md`
 * §3.
 */
import { compareBytes, concat, fromHex, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { crc32, foldCase, toBase32 } from './base32.ts'
import type { Principal } from './principal.ts'
import { comparePrincipals, principalOfText, textOfPrincipal } from './principal.ts'

/** `subaccount`, when given, is 32 bytes; absent and 32 zeros name the same account. */
export type Account = {
  readonly owner: Principal
  readonly subaccount?: Uint8Array | undefined
}

export const SUBACCOUNT_BYTES = 32
const HEX_LENGTH = 2 * SUBACCOUNT_BYTES
const CHECKSUM_LENGTH = 7
/** Principal, dash, checksum, dot, digits; longer texts are cut in messages. */
const TEXT_LENGTH_MAX = 63 + 1 + CHECKSUM_LENGTH + 1 + HEX_LENGTH
const DEFAULT_SUBACCOUNT = '0'.repeat(HEX_LENGTH)

/** The given 32 bytes, or 32 zeros. Every call gives bytes of its own or the caller's. */
export function effectiveSubaccount(account: Account): Uint8Array {
  return account.subaccount ?? new Uint8Array(SUBACCOUNT_BYTES)
}

/** Key for maps: equal for two accounts exactly when they are the same account. */
export function accountKey(account: Account): string {
  return `${toHex(account.owner)}.${toHex(effectiveSubaccount(account))}`
}

export function sameAccount(a: Account, b: Account): boolean {
  return compareAccounts(a, b) === 0
}

/** Owner first (shorter first), then effective subaccount. */
export function compareAccounts(a: Account, b: Account): number {
  return (
    comparePrincipals(a.owner, b.owner) ||
    compareBytes(effectiveSubaccount(a), effectiveSubaccount(b))
  )
}

/** The subaccount that stands for a principal: its length, its bytes, zeros. */
export function subaccountOfPrincipal(value: Principal): Uint8Array {
  const subaccount = new Uint8Array(SUBACCOUNT_BYTES)
  subaccount[0] = value.length
  subaccount.set(value, 1)
  return subaccount
}

const checksumText = (owner: Principal, subaccount: Uint8Array): string =>
  toBase32(crc32(concat(owner, subaccount)))

export function textOfAccount(account: Account): string {
  const owner = textOfPrincipal(account.owner)
  const subaccount = effectiveSubaccount(account)
  const digits = toHex(subaccount).replace(/^0+/, '')
  if (digits === '') return owner
  return `${owner}-${checksumText(account.owner, subaccount)}.${digits}`
}

/**
 * Reads the text form; upper case is folded first. `BadEncoding` names the first rule that fails.
 */
export function accountOfText(text: string): Account {
  const folded = foldCase(text)
  const dot = folded.indexOf('.')
  if (dot < 0) return { owner: ownerOfText(folded) } // ledger §3.1 step 1
  const left = folded.slice(0, dot)
  const digits = folded.slice(dot + 1)
  const dash = left.lastIndexOf('-')
  const checksum = left.slice(dash + 1)
  if (dash < 0 || checksum.length !== CHECKSUM_LENGTH) throw refusal(text, 'missing checksum')
  if (digits.startsWith('0')) throw refusal(text, 'leading zeros in the subaccount')
  const owner = ownerOfText(left.slice(0, dash))
  const subaccount = subaccountOfDigits(digits)
  const expected = checksumText(owner, subaccount)
  if (checksum !== expected)
    throw refusal(text, `invalid checksum "${checksum}", expected "${expected}"`)
  return { owner, subaccount }
}

/** ledger §3.1 steps 1 and 5. */
function ownerOfText(text: string): Principal {
  const owner = attempt(() => principalOfText(text))
  if (owner instanceof BadEncoding)
    throw new BadEncoding(`invalid principal: ${owner.message}`, { cause: owner })
  return owner
}

/** ledger §3.1 steps 6 and 7. */
function subaccountOfDigits(digits: string): Uint8Array {
  if (digits.length > HEX_LENGTH || !/^[0-9a-f]*$/.test(digits))
    throw new BadEncoding(`invalid subaccount "${digits.slice(0, HEX_LENGTH + 1)}"`)
  const padded = digits.padStart(HEX_LENGTH, '0')
  if (padded === DEFAULT_SUBACCOUNT) throw new BadEncoding('the default subaccount must be omitted')
  return fromHex(padded)
}

const refusal = (text: string, reason: string): BadEncoding =>
  new BadEncoding(`"${text.slice(0, TEXT_LENGTH_MAX)}" is not an account: ${reason}`)
