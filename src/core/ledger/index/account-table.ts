/**
 * Every account that the log names, in order, with its balance and its newest block. Implements
 * `docs/spec/ledger.md` §§3, 13.
 *
 * A crit-bit tree over the account's bytes finds one: no choice of accounts makes it deeper than
 * they have bits, it never has to be built anew, and it lists the subaccounts of an owner without
 * sorting.
 */
import type { Tokens } from '../../base/units.ts'
import { tokens } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { SUBACCOUNT_BYTES } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import type { Rows } from './rows.ts'
import { addRow, emptyRows, setWord, wordAt } from './rows.ts'

export type AccountTable = {
  /** Row: key, newest posting + 1 or 0, oldest block, words of the balance (high first). */
  readonly accounts: Rows
  /** Row: bit at which the accounts below part, reference for 0, reference for 1. */
  readonly branches: Rows
  root: number
}

/** A reference is twice a branch, or twice an account and one. */
const ACCOUNT_MARK = 1
/** Length of the owner, the owner filled up with zeros, subaccount, two zeros: the order of §3. */
const KEY_WORDS = 16
const OWNER_BYTES_MAX = 29
const NEWEST = KEY_WORDS
const OLDEST = KEY_WORDS + 1
const BALANCE = KEY_WORDS + 2
const WORD_BITS = 32n
const [BIT, ZERO_SIDE] = [0, 1]

export const emptyAccountTable = (tokenWidth: 64 | 256): AccountTable => ({
  accounts: emptyRows(BALANCE + tokenWidth / 32),
  branches: emptyRows(3),
  root: 0,
})

type Key = Uint32Array

function keyOf({ owner, subaccount }: Account): Key {
  const key = new Uint32Array(KEY_WORDS)
  putByte(key, 0, owner.length)
  for (let i = 0; i < owner.length; i++) putByte(key, 1 + i, owner[i])
  if (subaccount === undefined) return key // As 32 zeros.
  for (let i = 0; i < SUBACCOUNT_BYTES; i++) putByte(key, 1 + OWNER_BYTES_MAX + i, subaccount[i])
  return key
}

/** Words are big-endian, so that they order as their bytes do. */
function putByte(key: Key, place: number, byte = 0): void {
  const word = place >>> 2
  key[word] = (key[word] ?? 0) | (byte << (24 - 8 * (place & 3)))
}

const bitOf = (key: Key, bit: number): 0 | 1 =>
  (((key[bit >>> 5] ?? 0) >>> (31 - (bit & 31))) & 1) === 0 ? 0 : 1

/** Number of an account in the table. */
export function findAccount(table: View<AccountTable>, account: Account): number | undefined {
  const key = keyOf(account)
  const nearest = nearestAccount(table, key)
  return nearest !== undefined && partingBit(table, nearest, key) === undefined
    ? nearest
    : undefined
}

/** Number of an account, which the table holds from now on. */
export function noteAccount(table: AccountTable, account: Account): number {
  const key = keyOf(account)
  const nearest = nearestAccount(table, key)
  const bit = nearest === undefined ? undefined : partingBit(table, nearest, key)
  if (nearest !== undefined && bit === undefined) return nearest
  const added = addRow(table.accounts, key)
  const reference = 2 * added + ACCOUNT_MARK
  if (bit === undefined) table.root = reference
  else insert(table, { key, bit, reference })
  return added
}

/** The account that a walk by the bits of the key ends at; if the key is there, it is that one. */
function nearestAccount(
  { accounts, branches, root }: View<AccountTable>,
  key: Key,
): number | undefined {
  if (accounts.count === 0) return undefined
  let reference = root
  while (!isAccount(reference)) {
    const branch = reference >>> 1
    reference = wordAt(branches, branch, ZERO_SIDE + bitOf(key, wordAt(branches, branch, BIT)))
  }
  return reference >>> 1
}

const isAccount = (reference: number): boolean => (reference & 1) === ACCOUNT_MARK

/** The first bit in which an account and a key differ. */
function partingBit(
  { accounts }: View<AccountTable>,
  account: number,
  key: Key,
): number | undefined {
  for (let word = 0; word < KEY_WORDS; word++) {
    const difference = wordAt(accounts, account, word) ^ (key[word] ?? 0)
    if (difference !== 0) return 32 * word + Math.clz32(difference)
  }
  return undefined
}

type Insertion = { readonly key: Key; readonly bit: number; readonly reference: number }

/** Puts a branch where the walk first meets a later bit than the one that the new account parts at. */
function insert(table: AccountTable, { key, bit, reference }: Insertion): void {
  const { branches } = table
  let above: { readonly branch: number; readonly side: 0 | 1 } | undefined
  let below = table.root
  while (!isAccount(below) && wordAt(branches, below >>> 1, BIT) < bit) {
    const branch = below >>> 1
    const side = bitOf(key, wordAt(branches, branch, BIT))
    above = { branch, side }
    below = wordAt(branches, branch, ZERO_SIDE + side)
  }
  const sides = bitOf(key, bit) === 0 ? [reference, below] : [below, reference]
  const added = 2 * addRow(branches, [bit, ...sides])
  if (above === undefined) table.root = added
  else setWord(branches, above.branch, { word: ZERO_SIDE + above.side, value: added })
}

/**
 * Effective subaccounts of an owner after `start`, or from the first on, ascending, at most
 * `countMax`. Costs what it gives, however many there are.
 */
export function subaccountsAfter(
  table: View<AccountTable>,
  { owner, start }: { readonly owner: Principal; readonly start: Uint8Array | undefined },
  countMax: number,
): readonly Uint8Array[] {
  const found: Uint8Array[] = []
  const pending = startingAt(table, keyOf({ owner, subaccount: start }), start === undefined)
  while (found.length < countMax) {
    const account = nextAccount(table, pending)
    if (account === undefined) break
    const bytes = keyBytes(table, account)
    if (!isOwnedBy(bytes, owner)) break
    found.push(bytes.slice(1 + OWNER_BYTES_MAX, 1 + OWNER_BYTES_MAX + SUBACCOUNT_BYTES))
  }
  return found
}

/** What follows a key, in order from the last to the first; with the key itself if `inclusive`. */
function startingAt(table: View<AccountTable>, key: Key, inclusive: boolean): number[] {
  const { branches, root } = table
  const nearest = nearestAccount(table, key)
  if (nearest === undefined) return []
  const bit = partingBit(table, nearest, key)
  const pending: number[] = []
  let reference = root
  while (!isAccount(reference)) {
    const branch = reference >>> 1
    const own = wordAt(branches, branch, BIT)
    if (bit !== undefined && own > bit) break
    const side = bitOf(key, own)
    if (side === 0) pending.push(wordAt(branches, branch, ZERO_SIDE + 1))
    reference = wordAt(branches, branch, ZERO_SIDE + side)
  }
  // All that is left here agrees with the key up to the bit at which the nearest account does not.
  const follows = bit === undefined ? inclusive : bitOf(key, bit) === 0
  if (follows) pending.push(reference)
  return pending
}

function nextAccount({ branches }: View<AccountTable>, pending: number[]): number | undefined {
  let reference = pending.pop()
  if (reference === undefined) return undefined
  while (!isAccount(reference)) {
    const branch: number = reference >>> 1
    pending.push(wordAt(branches, branch, ZERO_SIDE + 1))
    reference = wordAt(branches, branch, ZERO_SIDE)
  }
  return reference >>> 1
}

function keyBytes({ accounts }: View<AccountTable>, account: number): Uint8Array {
  const bytes = new Uint8Array(4 * KEY_WORDS)
  const view = new DataView(bytes.buffer)
  for (let word = 0; word < KEY_WORDS; word++)
    view.setUint32(4 * word, wordAt(accounts, account, word))
  return bytes
}

const isOwnedBy = (bytes: Uint8Array, owner: Principal): boolean =>
  bytes[0] === owner.length && owner.every((byte, place) => bytes[1 + place] === byte)

export function balanceAt({ accounts }: View<AccountTable>, account: number): Tokens {
  let balance = 0n
  for (let word = BALANCE; word < accounts.width; word++)
    balance = (balance << WORD_BITS) | BigInt(wordAt(accounts, account, word))
  return tokens(balance)
}

export function setBalance({ accounts }: AccountTable, account: number, balance: bigint): void {
  let rest = balance
  for (let word = accounts.width - 1; word >= BALANCE; word--) {
    setWord(accounts, account, { word, value: Number(BigInt.asUintN(32, rest)) })
    rest >>= WORD_BITS
  }
}

/** The newest entry of the account's history, and its oldest block. */
export function historyOf(
  { accounts }: View<AccountTable>,
  account: number,
): { readonly newest: number; readonly oldest: number } | undefined {
  const newest = wordAt(accounts, account, NEWEST)
  return newest === 0
    ? undefined
    : { newest: newest - 1, oldest: wordAt(accounts, account, OLDEST) }
}

export function setNewest({ accounts }: AccountTable, account: number, newest: number): void {
  setWord(accounts, account, { word: NEWEST, value: newest + 1 })
}

export function setOldest({ accounts }: AccountTable, account: number, block: number): void {
  setWord(accounts, account, { word: OLDEST, value: block })
}
