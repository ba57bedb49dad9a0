/**
 * Giving back what was burned and cannot be paid. Goal: once, and for certain. Method: withdrawals
 * that need too many coins, over a ledger that is down, forgets its answers, or contradicts itself.
 * Source: minter §15, checklist 95–99.
 */
import { describe, expect, it } from 'vitest'
import { Bug } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { callsInTransit } from '../../../src/core/minter/call-journal.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { isExtension } from '../../../src/core/minter/events/events.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { nextTimer } from '../../../src/core/minter/machine.ts'
import { decodeMintMemo } from '../../../src/core/minter/memo.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import { Crash, MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const QUEUE_TIME = 10n * NS_PER_SECOND
const ROUND = 5n * NS_PER_SECOND
const HOUR = 3_600n * NS_PER_SECOND
const DAY = 24n * HOUR
const DOWN = { type: 'temporarilyUnavailable', message: 'down' } as const

/** A withdrawal that no transaction of ten inputs can pay; the next round gives it back. */
function unpayable(): { readonly world: TestMinter; readonly burn: bigint } {
  const world = new TestMinter({ init: { inputsMax: 60n } })
  for (let i = 0; i < 50; i++) world.deposit(alice, 2_000n)
  const result = world.withdraw(alice, ADDRESS, 55_000n)
  if (result.type === 'err') throw new Error(result.error.type)
  world.upgrade({ type: 'upgrade', args: { inputsMax: 10n } })
  return { world, burn: result.value.blockIndex }
}

const givenBack = (world: TestMinter) =>
  world.ledger.blocks.filter(
    ({ type, memo }) => type === 'mint' && decodeMintMemo(memo).type === 'reimburseWithdrawal',
  )

function requireBalance(world: TestMinter): void {
  const inTransit = callsInTransit({ state: world.state, ports: world.world.ports })
  const equation = reserveEquation(world.state, world.ledger.supply, inTransit)
  expect(equation).toMatchObject({ balanced: true, covered: true, ledgerFees: 0n })
}

/** The whole log, and what `get_events` shows of it, lead to the same end. */
function requireReplay(world: TestMinter): void {
  const events = world.events()
  const published = events.filter(({ payload }) => !isExtension(payload.type))
  expect(replay(events, MINTER).reimbursed).toEqual(world.state.reimbursed)
  expect([...replay(published, MINTER).reimbursed.keys()]).toEqual([
    ...world.state.reimbursed.keys(),
  ])
}

describe('a withdrawal that needs too many coins', () => {
  it('minter §23.95: of 1,800 coins, is given back less ten, and no transaction is made', () => {
    const settings = { depositsPerCallMax: 1_000 }
    const world = new TestMinter({ init: { inputsMax: 2_000n }, settings })
    const script = world.scriptOf(alice)
    for (let i = 0; i < 2_000; i++) world.chain.pay(script, 100_000n)
    for (let i = 0; i < 2; i++) world.call('update_balance', alice.owner, {})
    const result = world.withdraw(alice, ADDRESS, 180_000_000n)
    const burn = result.type === 'ok' ? result.value.blockIndex : -1n
    world.upgrade({ type: 'upgrade', args: { inputsMax: 1_000n } })
    world.wait(QUEUE_TIME + 1n)
    expect(world.events('xSigningStarted', 'sentTransaction')).toEqual([])
    const own = world.events('scheduleWithdrawalReimbursement', 'reimbursedWithdrawal')
    expect(own.map(({ payload }) => payload)).toMatchObject([
      {
        account: alice,
        amount: 179_999_990n,
        burnBlockIndex: burn,
        error: { inputs: 1_800n, inputsMax: 1_000n },
      },
      { burnBlockIndex: burn, mintBlockIndex: burn + 1n },
    ])
    expect(world.status(burn)).toMatchObject({
      type: 'reimbursed',
      deposit: { amount: 179_999_990n, mintBlockIndex: burn + 1n },
    })
    const [minted] = givenBack(world)
    expect(minted && decodeMintMemo(minted.memo)).toEqual({
      type: 'reimburseWithdrawal',
      withdrawalId: burn,
    })
    requireBalance(world)
    requireReplay(world)
  })

  it('without an account to give it back to stays in the queue, and nothing is minted', () => {
    const { world } = unpayable()
    const [request] = world.state.queue
    if (request === undefined) throw new Error('a request waits')
    // As an old log has it.
    const old = { ...request, reimbursementAccount: undefined }
    world.state.queue[0] = old
    world.state.burnPlaces.set(old.blockIndex, { type: 'queued', request: old })
    world.wait(HOUR)
    expect(givenBack(world)).toEqual([])
    expect(world.state.queue).toHaveLength(1)
    expect(world.events('scheduleWithdrawalReimbursement')).toEqual([])
  })
})

describe('a reimbursement', () => {
  it('minter §23.96: waits while the ledger is down, round after round', () => {
    const { world, burn } = unpayable()
    world.wait(QUEUE_TIME - ROUND)
    world.ledger.failure = DOWN
    world.wait(HOUR)
    const request = { account: alice, amount: 54_990n }
    expect(world.status(burn)).toMatchObject({ type: 'willReimburse', request })
    requireBalance(world)
    world.ledger.failure = undefined
    world.wait(ROUND)
    expect(world.status(burn)).toMatchObject({
      type: 'reimbursed',
      deposit: { ...request, mintBlockIndex: burn + 1n },
    })
    expect(givenBack(world)).toHaveLength(1)
    requireBalance(world)
  })

  it('minter §23.97: after a trap past the mint is quarantined, then found, and never repeated', () => {
    const { world, burn } = unpayable()
    world.ledger.loses = 'answer'
    world.ledger.find = () => DOWN
    world.wait(QUEUE_TIME + 1n)
    expect(world.events('quarantinedWithdrawalReimbursement')).toHaveLength(1)
    expect(world.status(burn)).toEqual({ type: 'unknown' })
    world.wait(DAY)
    expect(givenBack(world)).toHaveLength(1)
    Reflect.deleteProperty(world.ledger, 'find')
    requireBalance(world)
    world.wait(HOUR)
    expect(world.status(burn)).toMatchObject({
      type: 'reimbursed',
      deposit: { amount: 54_990n, mintBlockIndex: burn + 1n },
    })
    expect(world.events('xResolvedUnknown')).toMatchObject([
      { payload: { burnBlockIndex: burn, mintBlockIndex: burn + 1n } },
    ])
    expect(givenBack(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('minter §23.97: a process that stops past the mint finds it at its start', () => {
    const { world, burn } = unpayable()
    world.ledger.answersInStep = false
    world.ledger.crashes = true
    expect(() => world.wait(QUEUE_TIME + 1n)).toThrow(Crash)
    world.ledger.crashes = false
    world.upgrade()
    expect(world.status(burn)).toMatchObject({ deposit: { mintBlockIndex: burn + 1n } })
    expect(givenBack(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('whose mint never came is minted once the ledger cannot take the first call any more', () => {
    const { world, burn } = unpayable()
    world.ledger.loses = 'call'
    world.wait(QUEUE_TIME + 1n)
    world.ledger.loses = undefined
    world.wait(DAY - QUEUE_TIME)
    expect(world.status(burn)).toEqual({ type: 'unknown' })
    expect(givenBack(world)).toEqual([])
    requireBalance(world)
    world.wait(QUEUE_TIME + 1n)
    expect(world.status(burn)).toMatchObject({ type: 'reimbursed' })
    expect(givenBack(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('waits while a coin is missing, and asks for no slot meanwhile', () => {
    const { world, burn } = unpayable()
    const [coin] = world.chain.utxosByKey.values()
    if (coin === undefined) throw new Error('a coin was paid')
    world.wait(QUEUE_TIME - ROUND)
    world.ledger.failure = DOWN
    world.wait(ROUND + 1n)
    expect(world.status(burn).type).toBe('willReimburse')
    world.ledger.failure = undefined
    world.chain.utxosByKey.delete(outpointKey(coin.outpoint))
    world.mine(1, true)
    world.wait(DAY)
    expect(world.status(burn).type).toBe('willReimburse')
    expect(givenBack(world)).toEqual([])
    const next = nextTimer(world.minter)
    expect(next === undefined || next - world.now > 60n * NS_PER_SECOND).toBe(true)
    world.chain.utxosByKey.set(outpointKey(coin.outpoint), coin)
    world.mine()
    expect(world.status(burn).type).toBe('reimbursed')
  })

  it('of nothing is not minted', () => {
    const { world } = unpayable()
    world.state.reimbursements.set(999n, {
      account: alice,
      amount: 0n,
      reason: { type: 'feesTooHigh' },
    })
    world.wait(QUEUE_TIME + 1n)
    expect(givenBack(world)).toHaveLength(1)
    expect(world.state.reimbursements.has(999n)).toBe(true)
  })
})

describe('what contradicts itself is a bug', () => {
  const scheduled = (burnBlockIndex: bigint) => ({
    type: 'scheduleWithdrawalReimbursement' as const,
    account: alice,
    burnBlockIndex,
    amount: 1n,
    error: { type: 'tooManyInputs' as const, inputs: 2n, inputsMax: 1n },
  })
  const record = (
    world: TestMinter,
    payload: Parameters<ReturnType<typeof contextOf>['record']>[0],
  ) => contextOf(world.minter, world.world).record(payload)

  it('minter §23.98: a request in flight or submitted is not given back', () => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    const result = world.withdraw(alice, ADDRESS, 100_000n)
    const burn = result.type === 'ok' ? result.value.blockIndex : -1n
    world.wait(QUEUE_TIME + 1n)
    expect(world.status(burn).type).toBe('signing')
    expect(() => record(world, scheduled(burn))).toThrow(Bug)
    world.sign()
    expect(world.status(burn).type).toBe('submitted')
    expect(() => record(world, scheduled(burn))).toThrow(Bug)
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
    expect(() => record(world, scheduled(burn))).toThrow(Bug)
    expect(world.state.reimbursements.size).toBe(0)
  })

  it('minter §23.99: burn and mint in one block', () => {
    const { world, burn } = unpayable()
    world.ledger.mint = () => ({ type: 'ok', blockIndex: burn })
    expect(() => world.wait(QUEUE_TIME + 1n)).toThrow(Bug)
  })

  it('minter §23.99: a reimbursement that is done is not done again, nor scheduled', () => {
    const { world, burn } = unpayable()
    world.wait(QUEUE_TIME + 1n)
    const again = { burnBlockIndex: burn, mintBlockIndex: burn + 5n }
    expect(() => record(world, { type: 'reimbursedWithdrawal', ...again })).toThrow(Bug)
    expect(() => record(world, { type: 'xResolvedUnknown', ...again })).toThrow(Bug)
    expect(() => record(world, scheduled(burn))).toThrow(Bug)
  })

  it('minter §23.99: one in quarantine is not minted while its call is on record', () => {
    const { world, burn } = unpayable()
    world.ledger.loses = 'call'
    world.wait(QUEUE_TIME + 1n)
    const again = { burnBlockIndex: burn, mintBlockIndex: burn + 5n }
    expect(() => record(world, { type: 'reimbursedWithdrawal', ...again })).toThrow(Bug)
  })
})
