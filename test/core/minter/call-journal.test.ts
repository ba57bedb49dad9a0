/**
 * Ledger calls whose answer is lost. Goal: never a second mint, never a lost burn. Method: a ledger
 * that acts and keeps silent, one that never hears, and a minter that stops between act and answer;
 * then the same calls again, with an upgrade or without. Source: minter §§5.3, 7.2, 15, 18.6.
 */
import { describe, expect, it } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import { callsInTransit } from '../../../src/core/minter/call-journal.ts'
import type { Event } from '../../../src/core/minter/events/events.ts'
import { isExtension } from '../../../src/core/minter/events/events.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import { Crash, MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const bob = { owner: user(2) }
const ROUND = 5n * NS_PER_SECOND
const DAY = 86_400n * NS_PER_SECOND
/** One minter whose ledger is elsewhere: a record stands before every call. */
const remote = (world: TestMinter): TestMinter => {
  world.ledger.answersInStep = false
  return world
}

const update = (world: TestMinter, account = alice) =>
  world.call('update_balance', account.owner, account)
const mints = (world: TestMinter) => world.ledger.blocks.filter(({ type }) => type === 'mint')
const burns = (world: TestMinter) => world.ledger.blocks.filter(({ type }) => type === 'burn')

/** Every satoshi is where the equation says, whatever is still unknown. */
function requireBalance(world: TestMinter): void {
  const inTransit = callsInTransit({ state: world.state, ports: world.world.ports })
  const equation = reserveEquation(world.state, world.ledger.supply, inTransit)
  expect(equation).toMatchObject({ balanced: true, covered: true, ledgerFees: 0n })
}

/** The log alone, and the published part of it alone, lead to the same books. */
function requireReplay(world: TestMinter): void {
  const books = ({ tokensMinted, tokensBurned, reimbursedTotal }: ReturnType<typeof replay>) => ({
    tokensMinted,
    tokensBurned,
    reimbursedTotal,
  })
  const published = (events: readonly Event[]) =>
    events.filter(({ payload }) => !isExtension(payload.type))
  const events = world.events()
  expect(replay(events, MINTER).calls).toEqual(world.state.calls)
  expect(books(replay(events, MINTER))).toEqual(books(world.state))
  expect(replay(published(events), MINTER).checkedUtxos).toEqual(world.state.checkedUtxos)
}

describe('a mint whose answer is lost', () => {
  it('minter §23.34: of one mint-unknown and one new coin only the new one is minted', () => {
    const world = new TestMinter()
    world.ledger.loses = 'call'
    const first = world.pay(alice, 100_000n)
    expect(update(world)).toMatchObject({ type: 'ok', value: [{ type: 'checked' }] })
    world.ledger.loses = undefined
    const second = world.pay(alice, 200_000n)
    const result = update(world)
    expect(result).toMatchObject({
      type: 'ok',
      value: [{ type: 'minted', utxo: { outpoint: second.outpoint } }],
    })
    expect(result.type === 'ok' && result.value).toHaveLength(1)
    expect([...world.state.checkedUtxos.values()]).toMatchObject([
      { utxo: { outpoint: first.outpoint }, status: 'cleanButMintUnknown' },
    ])
    expect(mints(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('minter §23.38: after a trap past the mint nothing is minted again, the block is found', () => {
    const world = new TestMinter()
    world.ledger.loses = 'answer'
    world.pay(alice, 100_000n)
    expect(update(world)).toMatchObject({ type: 'ok', value: [{ type: 'checked' }] })
    expect(world.events('checkedUtxoMintUnknown')).toHaveLength(1)
    requireBalance(world)
    expect(update(world)).toMatchObject({ type: 'err', error: { type: 'noNewUtxos' } })
    expect(mints(world)).toHaveLength(1)
    expect(world.events('receivedUtxos')).toMatchObject([
      { payload: { mintTxid: 0n, toAccount: alice } },
    ])
    expect(world.state.calls.size).toBe(0)
    world.wait(DAY)
    update(world)
    expect(mints(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('minter §23.38: a process that stops after the mint finds the block when it starts', () => {
    const world = remote(new TestMinter())
    world.ledger.crashes = true
    world.pay(alice, 100_000n)
    expect(() => update(world)).toThrow(Crash)
    world.ledger.crashes = false
    world.upgrade() // As a start: what is volatile is gone.
    expect(world.events('receivedUtxos')).toMatchObject([{ payload: { mintTxid: 0n } }])
    update(world)
    expect(mints(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('is not made again by a call that comes before the first round after a start', () => {
    const world = remote(new TestMinter())
    world.ledger.crashes = true
    world.pay(alice, 100_000n)
    expect(() => update(world)).toThrow(Crash)
    world.ledger.crashes = false
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'down' }
    world.upgrade()
    world.ledger.failure = undefined
    world.ledger.find = () => ({ type: 'temporarilyUnavailable', message: 'no blocks' })
    expect(update(world)).toEqual({ type: 'ok', value: [] })
    expect(mints(world)).toHaveLength(1)
  })

  it('is made again once the ledger cannot take the first call any more, not a moment before', () => {
    const world = new TestMinter()
    world.ledger.loses = 'call'
    world.pay(alice, 100_000n)
    const calledAt = world.now
    update(world)
    world.ledger.loses = undefined
    world.wait(DAY - ROUND) // A call that was held up could still come.
    expect(update(world)).toEqual({ type: 'ok', value: [] })
    expect(mints(world)).toHaveLength(0)
    world.wait(calledAt + DAY - world.now)
    expect(update(world)).toEqual({ type: 'ok', value: [] })
    world.wait(ROUND)
    expect(update(world)).toMatchObject({ type: 'ok', value: [{ type: 'minted' }] })
    expect(mints(world)).toHaveLength(1)
    expect(world.state.calls.size).toBe(0)
    requireBalance(world)
    requireReplay(world)
  })

  it('is found after its coin left the chain: the coin counts as lost', () => {
    const world = remote(new TestMinter())
    const { outpoint } = world.pay(alice, 100_000n)
    world.ledger.loses = 'answer'
    update(world)
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'no lookups now' }
    world.chain.utxosByKey.delete(outpointKey(outpoint))
    world.mine(1, true)
    world.ledger.loses = undefined
    world.ledger.failure = undefined
    world.pay(bob, 200_000n)
    expect(update(world)).toMatchObject({ error: { type: 'temporarilyUnavailable' } })
    expect(update(world, bob)).toMatchObject({ error: { type: 'temporarilyUnavailable' } })
    expect([...world.state.volatile.lost.keys()]).toEqual([outpointKey(outpoint)])
    expect(mints(world)).toHaveLength(1)
  })

  it('keeps the check fee of its time', () => {
    const world = new TestMinter()
    world.ledger.loses = 'answer'
    world.pay(alice, 100_000n)
    update(world)
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'down' }
    world.upgrade({ type: 'upgrade', args: { checkFee: 7n } })
    world.ledger.failure = undefined
    world.wait(ROUND)
    expect(world.state.earnings.checkFees).toBe(100n)
    requireBalance(world)
  })

  it('minter §23.46: two deposits, the check of the second fails: the first is minted', () => {
    const world = new TestMinter()
    world.pay(alice, 100_000n)
    world.pay(alice, 200_000n)
    let calls = 0
    world.checker = {
      checkAddress: () => ({ type: 'passed' }),
      checkTransaction: () =>
        ++calls === 2 ? { type: 'error', message: 'no such one' } : { type: 'passed' },
    }
    const error = { type: 'genericError', code: 2n }
    expect(update(world)).toMatchObject({ type: 'err', error })
    expect(mints(world)).toHaveLength(1)
    const rest = update(world)
    expect(rest).toMatchObject({ type: 'ok', value: [{ type: 'minted' }] })
    expect(rest.type === 'ok' && rest.value).toHaveLength(1)
    const amounts = mints(world).map(({ amount }) => amount)
    expect(amounts.sort()).toEqual([199_900n, 99_900n])
  })
})

describe('a burn whose answer is lost', () => {
  it('minter §23.58: is found, and the request accepted with its index', () => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    world.ledger.loses = 'answer'
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject({
      type: 'err',
      error: { type: 'temporarilyUnavailable' },
    })
    world.ledger.loses = undefined
    requireBalance(world)
    world.wait(ROUND)
    expect(world.status(1n)).toEqual({ type: 'pending' })
    expect(world.events('acceptedRetrieveBtcRequest')).toMatchObject([
      { payload: { blockIndex: 1n, amount: 100_000n, reimbursementAccount: alice } },
    ])
    expect(burns(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it.each([
    ['deposit first', true],
    ['by approval', false],
  ])('minter §23.58: a process that stops after the burn, %s, pays it', (_, isDepositFirst) => {
    const world = remote(new TestMinter())
    world.deposit(alice, 10_000_000n)
    world.ledger.crashes = true
    const ask = (): unknown => {
      if (!isDepositFirst) return world.withdraw(alice, ADDRESS, 100_000n)
      world.ledger.move(alice, withdrawalAccount(MINTER, alice.owner), 100_000n)
      return world.call('retrieve_btc', alice.owner, { address: ADDRESS, amount: 100_000n })
    }
    expect(ask).toThrow(Crash)
    world.ledger.crashes = false
    world.upgrade()
    expect(world.state.calls.size).toBe(0)
    expect(world.events('acceptedRetrieveBtcRequest')).toMatchObject([
      { payload: { blockIndex: 1n, amount: 100_000n, reimbursementAccount: alice } },
    ])
    requireBalance(world)
    requireReplay(world)
  })

  it('keeps a second burn of its account waiting, and nobody else', () => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    world.deposit(bob, 10_000_000n)
    world.ledger.loses = 'call'
    world.withdraw(alice, ADDRESS, 100_000n)
    world.ledger.loses = undefined
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject({
      type: 'err',
      error: { type: 'temporarilyUnavailable' },
    })
    expect(world.withdraw(bob, ADDRESS, 100_000n).type).toBe('ok')
    expect(burns(world)).toHaveLength(1)
    world.wait(DAY + ROUND)
    expect(world.state.calls.size).toBe(0)
    expect(world.withdraw(alice, ADDRESS, 100_000n).type).toBe('ok')
    expect(burns(world)).toHaveLength(2)
    requireBalance(world)
    requireReplay(world)
  })
})

describe('the record of a call', () => {
  it('costs nothing where the answer falls into the step, and no slot while none is open', () => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    world.withdraw(alice, ADDRESS, 100_000n)
    expect(world.events('xLedgerCall')).toHaveLength(0)
    expect(world.ledger.finds).toBe(0)
  })

  it('is erased by the event of the outcome, and by a refusal', () => {
    const world = remote(new TestMinter())
    world.deposit(alice, 10_000_000n)
    world.withdraw(alice, ADDRESS, 100_000n)
    world.ledger.failure = { type: 'genericError', code: 1n, message: 'no' }
    world.withdraw(alice, ADDRESS, 100_000n)
    world.pay(alice, 50_000n)
    update(world)
    expect(world.events('xLedgerCall')).toHaveLength(4)
    expect(world.events('xLedgerCallEnded')).toHaveLength(2)
    expect(world.state.calls.size).toBe(0)
    requireReplay(world)
  })

  it('is looked up each round while the ledger is down, and none is given up', () => {
    const world = new TestMinter()
    world.ledger.loses = 'answer'
    world.pay(alice, 100_000n)
    update(world)
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'down' }
    world.wait(3n * DAY)
    expect(world.state.calls.size).toBe(1)
    world.ledger.failure = undefined
    world.wait(3_600n * NS_PER_SECOND)
    expect(world.events('receivedUtxos')).toHaveLength(1)
    expect(mints(world)).toHaveLength(1)
  })
})
