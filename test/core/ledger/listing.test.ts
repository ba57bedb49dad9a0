/**
 * Goal: the allowances of one owner, each once, in order, in pages. Method: ledger §16, checklist
 * 127 to 131.
 */
import { expect, test } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { ListingArgs } from '../../../src/core/ledger/accounts/listing.ts'
import { listAllowances } from '../../../src/core/ledger/accounts/listing.ts'
import { alice, bob, carol, LedgerUnderTest, minter, of, sub, ZEROS } from './ledger-under-test.ts'

/** What a test names: subaccount of the owner, spender, amount. */
const list = (ledger: LedgerUnderTest, args: ListingArgs = {}, caller: Principal = alice) =>
  listAllowances(ledger.state, { caller, args }, ledger.now).map(
    ({ fromAccount, toSpender, allowance }) => [
      fromAccount.subaccount?.at(-1) ?? 0,
      toSpender.owner,
      allowance,
    ],
  )

function withAllowances(): LedgerUnderTest {
  const ledger = new LedgerUnderTest()
  for (const owner of [of(alice), of(alice, sub(1)), of(bob)]) ledger.fund(owner, 10_000_000n)
  const fromSubaccount = sub(1)
  ledger.approve(alice, carol, 5n, { fromSubaccount })
  ledger.approve(alice, bob, 4n, { fromSubaccount })
  ledger.approve(alice, carol, 3n)
  ledger.approve(bob, carol, 6n)
  ledger.approve(alice, minter, 1n)
  ledger.approve(alice, bob, 2n)
  return ledger
}
const all = [
  [0, minter, 1n], // 10 bytes before 29.
  [0, bob, 2n],
  [0, carol, 3n],
  [1, bob, 4n],
  [1, carol, 5n],
]

test('ledger §20.127: the caller sees those of all of his accounts, in order, and no others', () => {
  const ledger = withAllowances()
  expect(list(ledger)).toEqual(all)
  expect(list(ledger, { fromAccount: of(alice) })).toEqual(all)
  expect(list(ledger, { fromAccount: of(alice, ZEROS) })).toEqual(all)
  expect(list(ledger, {}, bob)).toEqual([[0, carol, 6n]])
  expect(list(ledger, {}, carol)).toEqual([])
})

test('ledger §20.130: a spender of 10 bytes comes before those of 29', () => {
  const ledger = withAllowances()
  const spenders = listAllowances(ledger.state, { caller: alice, args: {} }, ledger.now)
  expect(minter[0]).toBeLessThan(bob[0] ?? 0)
  const high = principal(new Uint8Array(10).fill(0xff))
  ledger.approve(alice, high, 7n)
  expect(list(ledger)).toEqual([[0, minter, 1n], [0, high, 7n], ...all.slice(1)])
  expect(spenders.map(({ toSpender }) => toSpender.owner.length)).toEqual([10, 29, 29, 29, 29])
})

test('ledger §20.131: anybody may ask about anybody', () => {
  const ledger = withAllowances()
  expect(list(ledger, { fromAccount: of(alice) }, carol)).toEqual(all)
})

test('a list begins with the account that is asked for', () => {
  const ledger = withAllowances()
  expect(list(ledger, { fromAccount: of(alice, sub(1)) })).toEqual(all.slice(3))
  expect(list(ledger, { fromAccount: of(alice, sub(2)) })).toEqual([])
})

test('ledger §20.128: each page goes on behind the one before, to the end', () => {
  const ledger = withAllowances()
  const seen: unknown[] = []
  let args: ListingArgs = { take: 2n }
  for (let pages = 0; pages <= all.length; pages++) {
    const page = listAllowances(ledger.state, { caller: alice, args }, ledger.now)
    const last = page.at(-1)
    if (last === undefined) break
    seen.push(...list(ledger, args))
    args = { take: 2n, fromAccount: last.fromAccount, prevSpender: last.toSpender }
  }
  expect(seen).toEqual(all)
})

test('ledger §20.128: a previous spender without an allowance is a place like any other', () => {
  const ledger = withAllowances()
  const between = of(bob, sub(1))
  expect(list(ledger, { prevSpender: between })).toEqual(all.slice(2))
  expect(list(ledger, { prevSpender: between }, bob)).toEqual([[0, carol, 6n]])
})

test.each([
  [undefined, 3],
  [0n, 0],
  [1n, 1],
  [3n, 3],
  [4n, 3],
  [2n ** 70n, 3],
])('ledger §20.129: of %s asked for come at most as many as one page holds', (take, count) => {
  const ledger = withAllowances()
  const { config } = ledger.state
  const limits = { ...config.limits, takeAllowancesMax: 3 }
  const state = { ...ledger.state, config: { ...config, limits } }
  expect(listAllowances(state, { caller: alice, args: { take } }, ledger.now)).toHaveLength(count)
})

test('ledger §20.129: what has expired is skipped, and takes no place on the page', () => {
  const ledger = withAllowances()
  const expiresAt = timestampNs(ledger.now + 1n)
  ledger.approve(alice, minter, 9n, { expiresAt })
  expect(list(ledger, { take: 1n })).toEqual([[0, minter, 9n]])
  const [first] = listAllowances(ledger.state, { caller: alice, args: {} }, ledger.now)
  expect(first?.expiresAt).toBe(expiresAt)
  ledger.pass(1n)
  expect(list(ledger, { take: 1n })).toEqual([[0, bob, 2n]])
})
