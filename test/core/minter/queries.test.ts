/** Answers that change nothing. Source: minter §10.4, §20.1. */
import { describe, expect, it } from 'vitest'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { QUERY_METHODS } from '../../../src/core/minter/calls.ts'
import { appendEvent } from '../../../src/core/minter/events/event-log.ts'
import type { Event } from '../../../src/core/minter/events/events.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

describe('get_minter_info', () => {
  it.each([
    [300n, 100n, 300n],
    [300n, 300n, 301n],
    [300n, 299n, 300n],
    [undefined, 100n, 101n],
  ])(
    'with a deposit minimum of %s and a check fee of %s names the effective %s',
    (min, fee, effective) => {
      const world = new TestMinter({ init: { depositMinAmount: min, checkFee: fee } })
      expect(world.call('get_minter_info', anonymous, undefined)).toEqual({
        minConfirmations: 6,
        retrieveMinAmount: 50_000n,
        checkFee: fee,
        depositMinAmount: effective,
      })
      world.pay({ owner: user(1) }, effective)
      world.pay({ owner: user(2) }, effective - 1n)
      const credited = [1, 2].map((n) => world.call('update_balance', user(n), {}))
      expect(credited).toMatchObject([
        { value: [{ type: 'minted' }] },
        { value: [{ type: 'valueTooSmall' }] },
      ])
    },
  )
})

it('known coins are those of the account, also while a transaction spends them', () => {
  const world = new TestMinter()
  const alice = { owner: user(1) }
  world.deposit(alice, 1_000_000n)
  world.deposit({ owner: user(2) }, 50_000n)
  const known = () => world.call('get_known_utxos', anonymous, alice).map(({ value }) => value)
  expect(known()).toEqual([1_000_000n])
  expect(world.call('get_known_utxos', user(2), {}).length).toBe(1)
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11_000_000_000n)
  world.sign()
  expect(known()).toEqual([1_000_000n])
  world.mine(6)
  expect(known()).toEqual([])
})

it('minter §23.109: events beyond the end are none, and no answer has more than 2,000', () => {
  const world = new TestMinter()
  const { log } = world.minter
  const removed = (blockIndex: bigint): Event => ({
    payload: { type: 'removedRetrieveBtcRequest', blockIndex },
  })
  for (let i = log.count; i < 2_100; i++) appendEvent(log, removed(BigInt(i)))
  const page = (start: bigint, length: bigint) =>
    world.call('get_events', anonymous, { start, length })
  expect(page(0n, 10_000n).length).toBe(2_000)
  expect(page(2_000n, 10_000n).length).toBe(100)
  expect(page(2_099n, 1n)).toEqual([removed(2_099n)])
  for (const start of [2_100n, 2_101n, 2n ** 64n - 1n]) expect(page(start, 10n)).toEqual([])
  expect(page(0n, 0n)).toEqual([])
})

it('the methods that a query may ask are those of the interface', () => {
  const queries = Object.entries(minterInterface).filter(([, { mode }]) => mode === 'query')
  expect([...QUERY_METHODS].sort()).toEqual(queries.map(([name]) => name).sort())
})

it('a query leaves the state as it was', () => {
  const world = new TestMinter({ settings: { autoMint: true } })
  world.deposit({ owner: user(1) }, 1_000_000n)
  const before = structuredClone(world.state)
  const account = { owner: user(1) }
  world.call('get_known_utxos', user(1), account)
  world.call('estimate_withdrawal_fee', user(1), { amount: 100_000n })
  world.call('get_deposit_fee', user(1), undefined)
  world.call('retrieve_btc_status', user(1), { blockIndex: 1n })
  world.call('retrieve_btc_status_v2', user(1), { blockIndex: 1n })
  world.call('retrieve_btc_status_v2_by_account', user(1), account)
  world.call('get_minter_info', user(1), undefined)
  world.call('get_events', user(1), { start: 0n, length: 10n })
  world.call('decode_ledger_memo', user(1), { memoType: 'mint', memo: new Uint8Array() })
  expect(world.state).toEqual(before)
})
