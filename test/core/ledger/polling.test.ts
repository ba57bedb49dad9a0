/** An index that asks a ledger elsewhere: how it is installed, how often it asks. Ledger §13. */
import { describe, expect, test } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { IndexArg, Polling } from '../../../src/core/ledger/index/polling.ts'
import {
  indexArg,
  installPolling,
  nextWaitNs,
  upgradePolling,
} from '../../../src/core/ledger/index/polling.ts'
import { trap } from './ledger-under-test.ts'

const { ledger: ledgerId, index: other } = ownCanisterIds
type Intervals = { readonly fixed?: bigint; readonly min?: bigint; readonly max?: bigint }
const fieldsOf = ({ fixed, min, max }: Intervals) => ({
  retrieveBlocksFromLedgerIntervalSeconds: fixed,
  minRetrieveBlocksFromLedgerIntervalSeconds: min,
  maxRetrieveBlocksFromLedgerIntervalSeconds: max,
})
const init = (intervals: Intervals): IndexArg => ({
  type: 'init',
  init: { ledgerId, ...fieldsOf(intervals) },
})
const upgrade = (intervals: Intervals): IndexArg => ({
  type: 'upgrade',
  upgrade: fieldsOf(intervals),
})
const polling = (min: bigint, max: bigint): Polling => ({
  type: 'polling',
  ledgerId,
  waitMinNs: min * NS_PER_SECOND,
  waitMaxNs: max * NS_PER_SECOND,
})

describe('an index is installed', () => {
  test.each<[string, Intervals, Polling]>([
    ['with nothing said', {}, polling(1n, 64n)],
    ['with a shortest wait', { min: 5n }, polling(5n, 64n)],
    ['with a longest wait', { max: 2n }, polling(1n, 2n)],
    ['with both', { min: 7n, max: 7n }, polling(7n, 7n)],
    ['with the older parameter, which fixes both', { fixed: 90n }, polling(90n, 90n)],
  ])('%s', (_name, intervals, expected) => {
    expect(installPolling(init(intervals))).toEqual(expected)
    expect(upgradePolling(polling(1n, 64n), upgrade(intervals))).toEqual(expected)
  })
})

describe('an index is neither installed nor upgraded', () => {
  test.each<[string, Intervals]>([
    ['with the older parameter and a shortest wait', { fixed: 5n, min: 1n }],
    ['with the older parameter and a longest wait', { fixed: 5n, max: 10n }],
    ['with no wait at all', { min: 0n }],
    ['with a fixed wait of nothing', { fixed: 0n }],
    ['with a shortest wait above the longest', { min: 65n }],
    ['with a longest wait below the shortest', { min: 3n, max: 2n }],
  ])('%s', (_name, intervals) => {
    expect(installPolling(init(intervals))).toEqual(trap('interval'))
    expect(upgradePolling(polling(1n, 64n), upgrade(intervals))).toEqual(trap('interval'))
  })

  test('with the argument of the other, or to be installed with none', () => {
    expect(installPolling(undefined)).toEqual(trap('Init'))
    expect(installPolling(upgrade({}))).toEqual(trap('Init'))
    expect(upgradePolling(polling(1n, 2n), init({}))).toEqual(trap('Upgrade'))
  })
})

test('an upgrade changes what it names', () => {
  const before = polling(2n, 30n)
  expect(upgradePolling(before, undefined)).toEqual(before)
  expect(upgradePolling(before, upgrade({ max: 3n }))).toEqual(polling(2n, 3n))
  const arg: IndexArg = { type: 'upgrade', upgrade: { ledgerId: other } }
  expect(upgradePolling(before, arg)).toEqual({ ...before, ledgerId: other })
})

test('the argument is read as it is written', () => {
  for (const arg of [undefined, init({ max: 9n }), upgrade({ fixed: 2n })])
    expect(decodeArgs([indexArg], encodeArgs([indexArg], [arg]))).toEqual([arg])
})

test('the wait doubles while nothing is found, and halves while something is', () => {
  const limits = polling(1n, 64n)
  const seconds: number[] = []
  let waitNs = limits.waitMinNs
  for (const found of [0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 9, 9, 9, 9, 9, 9]) {
    waitNs = nextWaitNs(limits, { waitNs, found })
    seconds.push(Number(waitNs) / Number(NS_PER_SECOND))
  }
  expect(seconds).toEqual([2, 4, 8, 16, 32, 64, 64, 64, 32, 16, 32, 16, 8, 4, 2, 1, 1])
})

test('the wait halves to the fraction, and stays within its limits', () => {
  const limits = polling(1n, 10n)
  expect(nextWaitNs(limits, { waitNs: 5_000_000_000n, found: 1 })).toBe(2_500_000_000n)
  expect(nextWaitNs(limits, { waitNs: 9_000_000_000n, found: 0 })).toBe(10_000_000_000n)
  for (const found of [0, 1])
    expect(nextWaitNs(polling(90n, 90n), { waitNs: 90n * NS_PER_SECOND, found })).toBe(
      90n * NS_PER_SECOND,
    )
})
