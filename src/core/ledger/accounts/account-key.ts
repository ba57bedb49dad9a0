/**
 * Accounts as short texts of one character a byte: keys of the ledger's maps. Texts order as the
 * accounts do, and pairs of accounts too. Implements `docs/spec/ledger.md` §3.
 */
import { present } from '../../base/errors.ts'
import type { Account } from '../../ic/account.ts'
import { SUBACCOUNT_BYTES } from '../../ic/account.ts'
import { principal } from '../../ic/principal.ts'

/** Who may spend whose tokens. */
export type Pair = { readonly from: Account; readonly spender: Account }

/** In place of a subaccount: the least of all, so it takes one byte. */
const DEFAULT = 0
/** In front of the bytes of any other. */
const GIVEN = 1

/** Equal for two accounts exactly when they are the same account. */
export function packAccount(account: Account): string {
  const codes: number[] = []
  write(codes, account.owner, effective(account.subaccount))
  return String.fromCharCode.apply(null, codes)
}

/** Equal for two accounts exactly when they are given in the same form (§3: stored and hashed). */
export function packForm({ owner, subaccount }: Account): string {
  const codes: number[] = []
  write(codes, owner, subaccount)
  return String.fromCharCode.apply(null, codes)
}

/** The key of an allowance; those of one owner stand together in the order of all keys. */
export function packPair({ from, spender }: Pair): string {
  const codes: number[] = []
  write(codes, from.owner, effective(from.subaccount))
  write(codes, spender.owner, effective(spender.subaccount))
  return String.fromCharCode.apply(null, codes) // In one piece, where `+` would keep three.
}

/** The beginning of all keys of an owner's accounts, and of no others. */
export function packOwner(owner: Uint8Array): string {
  return String.fromCharCode(owner.length, ...owner)
}

/** The accounts of a `packPair`; the default subaccount is absent from them. */
export function unpackPair(key: string): Pair {
  const bytes = Uint8Array.from(key, (character) => character.charCodeAt(0))
  const from = read(bytes, 0)
  return { from: from.account, spender: read(bytes, from.end).account }
}

/** The length first: shorter owners come before longer ones. */
function write(codes: number[], owner: Uint8Array, subaccount: Uint8Array | undefined): void {
  codes.push(owner.length)
  for (let i = 0; i < owner.length; i++) codes.push(owner[i] ?? 0)
  if (subaccount === undefined) {
    codes.push(DEFAULT)
    return
  }
  codes.push(GIVEN)
  for (let i = 0; i < SUBACCOUNT_BYTES; i++) codes.push(subaccount[i] ?? 0)
}

function read(bytes: Uint8Array, at: number): { readonly account: Account; readonly end: number } {
  const ownerEnd = at + 1 + present(bytes[at], 'a key holds whole accounts')
  const owner = principal(bytes.slice(at + 1, ownerEnd))
  if (bytes[ownerEnd] === DEFAULT) return { account: { owner }, end: ownerEnd + 1 }
  const end = ownerEnd + 1 + SUBACCOUNT_BYTES
  return { account: { owner, subaccount: bytes.slice(ownerEnd + 1, end) }, end }
}

/** Undefined for 32 zeros. */
function effective(subaccount: Uint8Array | undefined): Uint8Array | undefined {
  if (subaccount === undefined) return undefined
  for (const byte of subaccount) if (byte !== 0) return subaccount
  return undefined
}
