/**
 * Goal: a cached answer serves for as long as it is told to, and credits nothing that is not there.
 * Method: minter §5.4; a minter whose cache is on, and a count of what the Bitcoin side was asked.
 */
import { describe, expect, it } from 'vitest'
import { accountKey } from '../../../src/core/ic/account.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { feeCollectorOf } from '../../../src/core/minter/addresses.ts'
import { emptyCache, keep, lookUp } from '../../../src/core/minter/deposits/utxo-cache.ts'
import type { UpdateBalanceResult } from '../../../src/core/minter/types.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const MS = 1_000_000n
const SECOND = 1_000n * MS
const alice = { owner: user(1) }
const on = { utxosCacheExpirationSeconds: 3_600n }

const update = (world: TestMinter): UpdateBalanceResult =>
  world.call('update_balance', alice.owner, alice)
const typeOf = (result: UpdateBalanceResult): string =>
  result.type === 'ok' ? 'ok' : result.error.type
const mints = ({ ledger }: TestMinter): number =>
  ledger.blocks.filter(({ type }) => type === 'mint').length

/** What the Bitcoin side is asked about outputs. */
function asked(world: TestMinter): () => number {
  let count = 0
  const { chain } = world
  const answer = chain.utxos.bind(chain)
  chain.utxos = (request) => {
    count += 1
    return answer(request)
  }
  return () => count
}

it('minter §23.42: an answer serves for 2.5 s after it was given', () => {
  const cache = emptyCache()
  const answer = { type: 'utxos', utxos: [], tipHeight: 1 } as const
  const hits = [0n, 100n, 599n, 1_099n, 3_349n].map((ms) => {
    const question = { account: alice, minConfirmations: 6, now: ms * MS }
    const found = lookUp(cache, question, 2_500n * MS)
    if (found === undefined) keep(cache, question, answer)
    return found !== undefined
  })
  expect(hits).toEqual([false, true, true, true, false])
})

describe('the cache', () => {
  it('is off unless the arguments say how long an answer serves', () => {
    for (const utxosCacheExpirationSeconds of [undefined, 0n]) {
      const world = new TestMinter({ init: { utxosCacheExpirationSeconds } })
      const count = asked(world)
      update(world)
      update(world)
      expect(count()).toBe(4)
      expect(world.state.volatile.utxoCache).toEqual(emptyCache())
    }
  })

  it('answers the same question only, until it is older than the limit', () => {
    const world = new TestMinter({ init: { utxosCacheExpirationSeconds: 3n } })
    const count = asked(world)
    expect([typeOf(update(world)), typeOf(update(world))]).toEqual(['noNewUtxos', 'noNewUtxos'])
    expect(count()).toBe(2) // With the confirmations that are wanted, and with none.
    world.call('update_balance', user(2), {})
    expect(count()).toBe(4)
    world.pay(alice, 50_000n)
    world.wait(3n * SECOND)
    expect(typeOf(update(world))).toBe('noNewUtxos')
    world.wait(1n)
    expect(typeOf(update(world))).toBe('ok')
    expect(world.state.volatile.observed).toMatchObject({ cacheHits: 4, cacheMisses: 5 })
  })

  it('keeps no failed answer', () => {
    const world = new TestMinter({ init: on })
    world.chain.isDown = true
    expect(typeOf(update(world))).toBe('temporarilyUnavailable')
    world.chain.isDown = false
    expect(typeOf(update(world))).toBe('noNewUtxos')
  })

  it('keeps a thousand accounts, those asked about last', () => {
    const cache = emptyCache()
    const answer = { type: 'utxos', utxos: [], tipHeight: 1 } as const
    for (let number = 0; number <= 1_000; number++)
      keep(cache, { account: { owner: user(number) }, minConfirmations: 6, now: 0n }, answer)
    expect(cache.answers.size).toBe(1_000)
    expect(cache.answers.has(accountKey({ owner: user(0) }))).toBe(false)
  })

  it('is not asked by automatic minting: a block shows its own coins', () => {
    const world = new TestMinter({ init: on, settings: { autoMint: true } })
    world.call('get_btc_address', alice.owner, {})
    expect(typeOf(update(world))).toBe('noNewUtxos')
    world.pay(alice, 50_000n, 5)
    world.mine()
    expect(world.ledger.balance(alice)).toBe(49_900n)
  })

  it('forgets all when blocks leave the chain, in the middle of a slot as well', () => {
    for (const isReorganised of [true, false]) {
      const world = new TestMinter({ init: on })
      update(world)
      world.mine(1, isReorganised)
      expect(world.state.volatile.utxoCache.answers.size).toBe(isReorganised ? 0 : 1)
    }
  })
})

/** A credited deposit that a withdrawal of nearly all of it spends; the answer is as it was before. */
function spent() {
  const world = new TestMinter({ init: on })
  const utxo = world.pay(alice, 1_000_000n)
  expect(typeOf(update(world))).toBe('ok')
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11n * SECOND)
  const cached = () => world.state.volatile.utxoCache.answers.has(accountKey(alice))
  return { world, utxo, cached }
}

describe('an answer that names a spent coin', () => {
  it('minter §23.43: is dropped when the payment is submitted, and again when it is final', () => {
    const { world, utxo, cached } = spent()
    expect(cached()).toBe(true)
    world.sign()
    expect(cached()).toBe(false)
    update(world)
    expect(cached()).toBe(true)
    world.mine(6)
    expect(world.status(1n).type).toBe('confirmed')
    expect(cached()).toBe(false)
    expect(world.call('get_known_utxos', anonymous, alice)).toEqual([])
    world.chain.stale = [utxo]
    expect(typeOf(update(world))).toBe('noNewUtxos')
    expect(mints(world)).toBe(1)
  })

  it('minter §23.43: credits nothing where a stale view puts it back into the cache', () => {
    const { world, utxo } = spent()
    world.sign()
    world.chain.stale = [utxo]
    update(world)
    world.mine(6)
    for (let i = 0; i < 2; i++) expect(typeOf(update(world))).toBe('noNewUtxos')
    expect(mints(world)).toBe(1)
    expect(world.state.doubleCredits.size).toBe(0)
  })

  it('minter §23.44: credits nothing after an upgrade, which empties the cache', () => {
    const { world, utxo } = spent()
    world.sign()
    world.mine(6)
    world.upgrade()
    expect(world.state.volatile.utxoCache).toEqual(emptyCache())
    world.chain.stale = [utxo]
    expect(typeOf(update(world))).toBe('noNewUtxos')
    expect(mints(world)).toBe(1)
  })

  it('minter §23.44: credits nothing when the coin was spent while the call was in flight', () => {
    const { world } = spent()
    const before = world.sameSlot(() => {
      const first = typeOf(update(world))
      world.sign()
      world.mine(6)
      return [first, typeOf(update(world))]
    })
    expect(before).toEqual(['noNewUtxos', 'alreadyProcessing'])
    expect(typeOf(update(world))).toBe('noNewUtxos')
    expect(mints(world)).toBe(1)
  })

  it('minter §23.44: credits nothing when a consolidation spent the coins, before and when final', () => {
    const init = { ...on, inputsMax: 20n, consolidationThreshold: 40n }
    const world = new TestMinter({ init })
    const script = world.scriptOf(alice)
    const coins = Array.from({ length: 40 }, (_, i) => world.chain.pay(script, 10_000n + BigInt(i)))
    expect(typeOf(update(world))).toBe('ok')
    world.ledger.move(alice, feeCollectorOf({ self: MINTER }), 100_000n)
    const cached = () => world.state.volatile.utxoCache.answers.has(accountKey(alice))
    expect(cached()).toBe(true)
    world.wait(3_600n * SECOND)
    world.sign()
    expect(world.state.submitted.size).toBe(1)
    expect(cached()).toBe(false)
    world.chain.stale = coins
    expect(typeOf(update(world))).toBe('noNewUtxos')
    world.mine(6)
    expect(world.state.submitted.size).toBe(0)
    expect(cached()).toBe(false)
    for (let i = 0; i < 2; i++) expect(typeOf(update(world))).toBe('noNewUtxos')
    expect([mints(world), world.state.doubleCredits.size]).toEqual([40, 0])
  })
})

it('serves nobody while it is not known whether coins have left the chain', () => {
  const world = new TestMinter({ init: on, settings: { depositsPerCallMax: 1 } })
  for (let i = 0; i < 2; i++) world.pay(alice, 1_000_000n)
  expect(typeOf(update(world))).toBe('ok')
  world.state.volatile.mustLook = true // As after a mint whose outcome was unknown.
  world.chain.isDown = true
  expect(typeOf(update(world))).toBe('temporarilyUnavailable')
  expect(mints(world)).toBe(1)
  world.chain.isDown = false
  expect(typeOf(update(world))).toBe('ok')
  expect(mints(world)).toBe(2)
})
