/**
 * Goal: packed accounts are equal, and in order, as the accounts are; the ordered set of keys holds
 * what a plain set holds. Method: random accounts against `compareAccounts`, random steps against a
 * sorted list.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareAccounts, effectiveSubaccount } from '../../../src/core/ic/account.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { Pair } from '../../../src/core/ledger/accounts/account-key.ts'
import {
  packAccount,
  packForm,
  packOwner,
  packPair,
  unpackPair,
} from '../../../src/core/ledger/accounts/account-key.ts'
import type { SortedKeys } from '../../../src/core/ledger/accounts/sorted-keys.ts'
import { addKey, keysFrom, removeKey } from '../../../src/core/ledger/accounts/sorted-keys.ts'

/** Few values, many of them beginnings of others, so that equal and nearly equal ones occur. */
const byte = fc.constantFrom(0, 1, 2, 255)
const account = fc.record({
  owner: fc
    .oneof(fc.array(byte, { maxLength: 3 }), fc.array(byte, { minLength: 28, maxLength: 29 }))
    .map((bytes) => principal(Uint8Array.from(bytes))),
  subaccount: fc.option(
    fc.record({ at: fc.constantFrom(0, 1, 31), byte }).map(({ at, byte }) => {
      const subaccount = new Uint8Array(32)
      subaccount[at] = byte
      return subaccount
    }),
    { nil: undefined },
  ),
})
const pair = fc.record({ from: account, spender: account })
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const comparePairs = (a: Pair, b: Pair): number =>
  compareAccounts(a.from, b.from) || compareAccounts(a.spender, b.spender)

test('keys of accounts and of pairs are in the order of the accounts', () => {
  fc.assert(
    fc.property(pair, pair, (a, b) => {
      expect(order(packAccount(a.from), packAccount(b.from))).toBe(
        Math.sign(compareAccounts(a.from, b.from)),
      )
      expect(order(packPair(a), packPair(b))).toBe(Math.sign(comparePairs(a, b)))
    }),
    { numRuns: 2_000 },
  )
})

test('a key holds its accounts; zeros and no subaccount are the same account in two forms', () => {
  fc.assert(
    fc.property(pair, account, (given, other) => {
      const again = unpackPair(packPair(given))
      expect(comparePairs(again, given)).toBe(0)
      expect(packPair(again)).toBe(packPair(given))
      expect(packPair(given).startsWith(packAccount(given.from))).toBe(true)
      const owns = other.owner.join() === given.from.owner.join()
      expect(packPair(given).startsWith(packOwner(other.owner))).toBe(owns)
      const { from } = given
      const zeros = { owner: from.owner, subaccount: effectiveSubaccount(from) }
      expect(packAccount(zeros)).toBe(packAccount(from))
      expect(packForm(zeros) === packForm(from)).toBe(from.subaccount !== undefined)
    }),
    { numRuns: 500 },
  )
})

test('keys stand once and in order, whatever came and went', () => {
  const key = fc.nat(1_500).map((n) => String.fromCharCode(n >> 8, n & 255))
  const step = fc.record({ adds: fc.nat(3).map((n) => n > 0), key })
  fc.assert(
    fc.property(fc.array(step, { minLength: 3_000, maxLength: 4_000 }), key, (steps, start) => {
      const keys: SortedKeys = []
      const set = new Set<string>()
      for (const { adds, key } of steps) {
        if (adds) addKey(keys, key)
        else removeKey(keys, key)
        if (adds) set.add(key)
        else set.delete(key)
      }
      const expected = [...set].sort(order)
      expect([...keysFrom(keys, '')]).toEqual(expected)
      expect([...keysFrom(keys, start)]).toEqual(expected.filter((key) => key >= start))
      expect(keys.length).toBeGreaterThan(1)
      expect(keys.every((piece) => piece.length > 0)).toBe(true)
      for (const key of expected) removeKey(keys, key)
      expect(keys).toEqual([])
    }),
    { numRuns: 10 },
  )
})
