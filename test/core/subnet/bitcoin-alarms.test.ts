/**
 * Goal: people hear of what is wrong with Bitcoin, once each time it begins. Source: bitcoin TREE-7,
 * §13.2.
 */
import { expect, test } from 'vitest'
import { canisterIdsOf } from '../../../src/core/ic/canister-ids.ts'
import { bitcoinAlarms } from '../../../src/core/subnet/bitcoin-alarms.ts'
import { AlarmNews } from '../../../src/core/subnet/observed.ts'
import { installCanisters } from '../../../src/core/subnet/replica-state.ts'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { ChainBuilder, NOW } from '../../support/chain-builder.ts'
import { ChainViewHarness } from '../../support/chain-view-harness.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const installed = installCanisters(canisterIdsOf.own, {
  minter: embeddedMinter,
  bitcoinNetwork: 'regtest',
  createdAt: NOW,
  incarnation: 1n,
})
const alice = { owner: user(1) }

test('a fork below the anchor and a lost coin are alarms, each told when it begins', () => {
  const chain = new ChainBuilder()
  const start = chain.mine()
  const own = chain.mineMany(4, { parent: start })
  const view = new ChainViewHarness(1)
  view.follow(start, ...own)
  view.state.stable.clear()
  const world = new TestMinter()
  world.deposit(alice, 60_000n)
  const state = { ...installed, chain: view.state, minter: world.minter }
  const news = new AlarmNews()
  expect(bitcoinAlarms(state)).toEqual([])
  expect(news.take(state)).toEqual([])

  view.headers(...chain.mineMany(6, { parent: start }))
  const diverged =
    'a heavier chain forks below height 5, which is final here: Bitcoin is not answered'
  expect(bitcoinAlarms(state)).toEqual([diverged])
  expect(news.take(state)).toEqual([
    { type: 'observed', event: { type: 'alarmed', text: diverged } },
  ])
  expect(news.take(state)).toEqual([])

  const coins = new Map(world.chain.utxosByKey)
  world.chain.utxosByKey.clear()
  world.mine(1, true)
  const lost =
    'a reorganisation took back a coin of 60000 satoshis that were credited: ' +
    'nothing is minted until the chain has them again'
  expect(bitcoinAlarms(state)).toEqual([diverged, lost])
  expect(news.take(state)).toHaveLength(1)
  for (const [key, coin] of coins) world.chain.utxosByKey.set(key, coin)
  world.mine()
  expect(bitcoinAlarms(state)).toEqual([diverged])
  expect(news.take(state)).toEqual([])
  world.chain.utxosByKey.clear()
  world.mine(1, true)
  expect(news.take(state)).toHaveLength(1)
})
