/**
 * Goal: calls of one slot meet each other in the minter, and the chain as it is in the middle of the
 * slot. Method: minter §§5, 7, 17, H 15, through Candid bytes of a replica.
 */
import { describe, expect, it } from 'vitest'
import { embeddedMinter } from '../../../src/core/subnet/settings.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'
import { comeback, ReplicaWorld, rival } from '../../support/replica-world.ts'

const { address } = regtestWallet('recipient')
const noAutoMint = {
  ...embeddedMinter,
  settings: { ...embeddedMinter.settings, autoMint: false, concurrentMax: 2 },
}
const err = (type: string) => ({ type: 'err', error: expect.objectContaining({ type }) })

/** A world in which the deposit can be credited. */
function funded(): ReplicaWorld {
  const world = new ReplicaWorld({ minter: noAutoMint })
  world.bringChain()
  world.endSlot()
  return world
}

describe('through bytes, in one slot', () => {
  it('minter §23.39: the second deposit call of an account is already processing', () => {
    const world = funded()
    const answers = world.sameSlot(() => [world.balanceUpdate(), world.balanceUpdate()])
    expect(answers).toEqual([expect.objectContaining({ type: 'ok' }), err('alreadyProcessing')])
    expect(world.balanceUpdate()).toEqual(err('noNewUtxos'))
  })

  it('minter §23.40: one account more than are let in is told to come again', () => {
    const world = funded()
    const users = [1, 2, 3].map(devUser)
    const answers = world.sameSlot(() => users.map((user) => world.balanceUpdate(user)))
    const expected = ['noNewUtxos', 'noNewUtxos', 'temporarilyUnavailable']
    expect(answers).toEqual(expected.map(err))
  })

  it('minter §23.57: the second withdrawal of an account is already processing', () => {
    const world = funded()
    world.balanceUpdate()
    const redeem = () => world.redeem(10_000_000n, address)
    const answers = world.sameSlot(() => [redeem(), redeem()])
    expect(answers).toEqual([expect.objectContaining({ type: 'ok' }), err('alreadyProcessing')])
    expect(redeem()).toMatchObject({ type: 'ok' })
  })
})

describe('in the slot of a block that reorganises, after the block', () => {
  it('minter §23.48: nothing is minted while a credited coin is lost, and all is well when it is back', () => {
    const world = funded()
    world.balanceUpdate()
    const inSlot = world.sameSlot(() => {
      world.bringChain(rival)
      return world.balanceUpdate(devUser(1))
    })
    expect(inSlot).toEqual(err('temporarilyUnavailable'))
    expect(world.minter.state.volatile.lost.size).toBe(1)
    world.bringChain(comeback)
    world.endSlot()
    expect(world.minter.state.volatile.lost.size).toBe(0)
    expect(world.balanceUpdate(devUser(1))).toEqual(err('noNewUtxos'))
  })

  it('a withdrawal finds the lost coin lost, and is not accepted', () => {
    const world = funded()
    world.balanceUpdate()
    const answer = world.sameSlot(() => {
      world.bringChain(rival)
      return world.redeem(10_000_000n, address)
    })
    expect(answer).toEqual(err('temporarilyUnavailable'))
    expect(world.minter.state.queue).toEqual([])
  })

  it('a chain that comes back between two calls is looked at again', () => {
    const world = funded()
    world.balanceUpdate()
    const answers = world.sameSlot(() => {
      world.bringChain(rival)
      const away = world.balanceUpdate(devUser(1))
      world.bringChain(comeback)
      return [away, world.balanceUpdate(devUser(2))]
    })
    expect(answers).toEqual([err('temporarilyUnavailable'), err('noNewUtxos')])
    expect(world.replica.violations()).toEqual([])
  })
})
