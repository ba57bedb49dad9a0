/** Watched addresses are credited by themselves. Source: minter §22, 1. */
import { describe, expect, it } from 'vitest'
import type { WorldOptions } from '../../support/minter-world.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const alice = { owner: user(1) }

function watching(options: WorldOptions = {}): TestMinter {
  const settings = { autoMint: true, ...options.settings }
  const world = new TestMinter({ ...options, settings })
  world.call('get_btc_address', alice.owner, {})
  return world
}

describe('a watched deposit', () => {
  it('is minted in the slot that brings it to its depth, and once', () => {
    const world = watching()
    world.pay(alice, 50_000n, 1)
    world.mine(4)
    expect(world.ledger.balance(alice)).toBe(0n)
    world.mine()
    expect(world.ledger.balance(alice)).toBe(49_900n)
    world.mine(10)
    expect(world.ledger.blocks.length).toBe(1)
    const later = world.call('update_balance', alice.owner, {})
    expect(later).toMatchObject({ error: { type: 'noNewUtxos', pendingUtxos: [] } })
  })

  it('waits while very many coins are looked for, and no longer', () => {
    const world = watching({ settings: { coinsLookedMax: 2 } })
    for (let i = 0; i < 5; i++) world.deposit({ owner: user(2) }, 50_000n)
    world.pay(alice, 50_000n)
    world.mine(1, true)
    world.wait(1n)
    expect(world.state.volatile.looked.size).toBe(4)
    expect(world.ledger.balance(alice)).toBe(0n)
    world.wait(1n)
    expect(world.ledger.balance(alice)).toBe(49_900n)
  })

  it('of a subaccount goes there', () => {
    const world = watching()
    const account = { ...alice, subaccount: new Uint8Array(32).fill(3) }
    world.call('get_btc_address', user(2), account)
    world.pay(account, 50_000n)
    world.mine()
    expect(world.ledger.balance(account)).toBe(49_900n)
  })

  it('is refused by the mode as its owner would be', () => {
    const mode = { type: 'restrictedTo', principals: [user(7)] } as const
    const world = watching({ init: { mode } })
    world.pay(alice, 50_000n)
    world.mine()
    expect(world.ledger.blocks).toEqual([])
  })

  it('that is too small is looked at once a day', () => {
    const world = watching()
    world.pay(alice, 100n)
    world.mine()
    world.mine()
    expect(world.events('suspendedUtxo').length).toBe(1)
    expect(world.ledger.blocks).toEqual([])
  })

  it('waits when the ledger or the Bitcoin side is away', () => {
    const world = watching()
    world.pay(alice, 50_000n)
    world.chain.isDown = true
    world.mine()
    world.chain.isDown = false
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    world.mine()
    expect(world.ledger.blocks).toEqual([])
    world.ledger.failure = undefined
    world.mine()
    expect(world.ledger.balance(alice)).toBe(49_900n)
  })
})

describe('a slot with more deposits than its share', () => {
  const settings = { depositsPerCallMax: 3 }
  const minted = (world: TestMinter): number => world.events('receivedUtxos').length

  function crowd(): TestMinter {
    const world = watching({ settings })
    for (const number of [2, 3, 4]) world.call('get_btc_address', user(number), {})
    for (let i = 0; i < 7; i++) world.pay(alice, 50_000n)
    for (const number of [2, 3, 4]) world.pay({ owner: user(number) }, 50_000n)
    return world
  }

  it('leaves the rest to the next slots, each account in its turn', () => {
    const world = crowd()
    world.mine()
    const seen = [minted(world)]
    for (let slot = 0; slot < 4; slot++) {
      world.wait(1n)
      seen.push(minted(world))
    }
    expect(seen).toEqual([3, 6, 9, 10, 10])
    expect(world.state.volatile.tasks.has('mintWatched')).toBe(false)
  })

  it('asks for no slot while the ledger refuses', () => {
    const world = crowd()
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    world.mine()
    world.wait(10n)
    expect(world.state.volatile.tasks.has('mintWatched')).toBe(false)
    world.ledger.failure = undefined
    world.mine()
    world.wait(10n)
    expect(minted(world)).toBe(10)
  })
})

describe('the list of watched accounts', () => {
  it('is bounded: the one not asked for longest leaves first', () => {
    const world = watching({ settings: { watchedAccountsMax: 3 } })
    for (const number of [2, 3, 1, 4]) world.call('get_btc_address', user(number), {})
    for (const number of [1, 2, 3, 4]) world.pay({ owner: user(number) }, 50_000n)
    world.mine()
    const credited = [1, 2, 3, 4].filter((n) => world.ledger.balance({ owner: user(n) }) > 0n)
    expect(credited).toEqual([1, 3, 4])
  })

  it('has nobody who did not ask for an address, and not the minter', () => {
    const world = watching()
    world.call('get_btc_address', user(1), { owner: MINTER })
    world.pay({ owner: user(2) }, 50_000n)
    world.pay({ owner: MINTER }, 50_000n)
    world.mine()
    expect(world.ledger.blocks).toEqual([])
    expect(world.state.volatile.watched.size).toBe(1)
  })

  it('stays empty when automatic minting is off', () => {
    const world = new TestMinter()
    world.call('get_btc_address', alice.owner, {})
    expect(world.state.volatile.watched.size).toBe(0)
  })
})
