/**
 * Goal: what is in flight together keeps others out, and nothing else does. Method: minter §§5, 7,
 * 17; calls of one slot, whose account stays inside until the slot ends.
 */
import { describe, expect, it } from 'vitest'
import { withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import type { UpdateBalanceResult } from '../../../src/core/minter/types.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const zeros = { ...alice, subaccount: new Uint8Array(32) }
const other = { ...alice, subaccount: new Uint8Array(32).fill(1) }

const typeOf = (
  result: UpdateBalanceResult | { type: 'ok' } | { type: 'err'; error: { type: string } },
) => (result.type === 'ok' ? 'ok' : result.error.type)

const update = (world: TestMinter, account: typeof zeros | typeof alice): string =>
  typeOf(world.call('update_balance', account.owner, account))

/** Three accounts with plenty. */
function rich(settings = {}): TestMinter {
  const world = new TestMinter({ settings })
  for (const account of [alice, other, { owner: user(2) }]) world.deposit(account, 10_000_000n)
  return world
}

describe('a second deposit call in the slot of the first', () => {
  it('minter §23.39: is already processing, for no subaccount and the zero one alike', () => {
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    world.pay(other, 60_000n)
    const answers = world.sameSlot(() => [alice, alice, zeros, other].map((a) => update(world, a)))
    expect(answers).toEqual(['ok', 'alreadyProcessing', 'alreadyProcessing', 'ok'])
    expect(world.ledger.blocks.length).toBe(2)
    expect(update(world, alice)).toBe('noNewUtxos')
  })

  it('is kept out also when the first one found nothing, or failed', () => {
    const world = new TestMinter()
    const twice = () => [update(world, alice), update(world, alice)]
    expect(world.sameSlot(twice)).toEqual(['noNewUtxos', 'alreadyProcessing'])
    world.chain.isDown = true
    expect(world.sameSlot(twice)).toEqual(['temporarilyUnavailable', 'alreadyProcessing'])
  })

  it('minter §23.40: of the 101st account is unavailable, and withdrawals are counted apart', () => {
    const world = rich()
    const answers = world.sameSlot(() => {
      const updates = Array.from({ length: 101 }, (_, i) => update(world, { owner: user(i + 1) }))
      return [...updates, typeOf(world.withdraw(alice, ADDRESS, 100_000n))]
    })
    expect(answers.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => 'noNewUtxos'))
    expect(answers.slice(100)).toEqual(['temporarilyUnavailable', 'ok'])
    expect(update(world, { owner: user(101) })).toBe('noNewUtxos')
  })

  it('does not keep automatic minting out, nor is it kept out by it', () => {
    const world = new TestMinter({ settings: { autoMint: true, concurrentMax: 1 } })
    world.call('get_btc_address', alice.owner, {})
    const answers = world.sameSlot(() => {
      const before = update(world, alice)
      world.pay(alice, 50_000n)
      world.mine()
      return [before, update(world, { owner: user(2) })]
    })
    expect(answers).toEqual(['noNewUtxos', 'temporarilyUnavailable'])
    expect(world.ledger.balance(alice)).toBe(49_900n)
  })
})

describe('a second withdrawal in the slot of the first', () => {
  it('minter §23.57: of one account is already processing, of another subaccount served', () => {
    const world = rich()
    const answers = world.sameSlot(() =>
      [alice, alice, zeros, other].map((from) => typeOf(world.withdraw(from, ADDRESS, 100_000n))),
    )
    expect(answers).toEqual(['ok', 'alreadyProcessing', 'alreadyProcessing', 'ok'])
    expect(world.state.queue.length).toBe(2)
    expect(typeOf(world.withdraw(alice, ADDRESS, 100_000n))).toBe('ok')
  })

  it('shares the account without subaccount with the way that deposits first', () => {
    const world = rich()
    world.ledger.move(alice, withdrawalAccount(MINTER, alice.owner), 100_000n)
    const args = { address: ADDRESS, amount: 100_000n }
    const answers = world.sameSlot(() => [
      typeOf(world.withdraw(alice, ADDRESS, 100_000n)),
      typeOf(world.call('retrieve_btc', alice.owner, args)),
    ])
    expect(answers).toEqual(['ok', 'alreadyProcessing'])
  })

  it.each([
    ['too little', ADDRESS, 49_999n, 'amountTooLow'],
    ['to no address', 'nowhere', 100_000n, 'malformedAddress'],
    ['of more than there are coins', ADDRESS, 90_000_000n, 'temporarilyUnavailable'],
  ])('is served when the first asked for nothing outside: %s', (_, address, amount, refusal) => {
    const world = rich()
    const answers = world.sameSlot(() => [
      typeOf(world.withdraw(alice, address, amount)),
      typeOf(world.withdraw(alice, ADDRESS, 100_000n)),
    ])
    expect(answers).toEqual([refusal, 'ok'])
  })

  it('is kept out when the first was refused by the checker, or trapped after the burn', () => {
    const world = rich()
    world.checker = { ...world.checker, checkAddress: () => ({ type: 'failed' }) }
    const twice = () => [alice, alice].map((a) => typeOf(world.withdraw(a, ADDRESS, 100_000n)))
    expect(world.sameSlot(twice)).toEqual(['genericError', 'alreadyProcessing'])
    world.checker = { ...world.checker, checkAddress: () => ({ type: 'passed' }) }
    world.ledger.failure = { type: 'impossible', message: 'too old' }
    const answers = world.sameSlot(() => {
      const args = { address: ADDRESS, amount: 100_000n }
      const answer = world.answer('retrieve_btc_with_approval', alice.owner, args)
      return [answer.type, typeOf(world.withdraw(alice, ADDRESS, 100_000n))]
    })
    expect(answers).toEqual(['trap', 'alreadyProcessing'])
  })

  it('finds no more than the settings say', () => {
    const world = rich({ concurrentMax: 1 })
    const answers = world.sameSlot(() =>
      [alice, other].map((from) => typeOf(world.withdraw(from, ADDRESS, 100_000n))),
    )
    expect(answers).toEqual(['ok', 'temporarilyUnavailable'])
  })
})

it('an upgrade lets everybody in, and so does a call outside slots', () => {
  const world = new TestMinter()
  const answers = world.sameSlot(() => {
    const first = [update(world, alice), update(world, alice)]
    world.upgrade()
    return [...first, update(world, alice)]
  })
  expect(answers).toEqual(['noNewUtxos', 'alreadyProcessing', 'noNewUtxos'])
  expect([update(world, alice), update(world, alice)]).toEqual(['noNewUtxos', 'noNewUtxos'])
})
