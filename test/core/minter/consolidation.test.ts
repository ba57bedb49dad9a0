/**
 * Many small coins become two. Goal: never twice a day, never unpaid, nothing lost when it fails, and
 * no failure that keeps the next one away. Method: a minter with a low threshold, a collector that is
 * rich, poor or deaf, and a signer that answers, refuses or stops. Source: minter §16, checklist
 * 100–103.
 */
import { describe, expect, it } from 'vitest'
import { Bug } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND, sat, timestampNs, tokens } from '../../../src/core/base/units.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { feeCollectorOf } from '../../../src/core/minter/addresses.ts'
import { callsInTransit } from '../../../src/core/minter/call-journal.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { isExtension } from '../../../src/core/minter/events/events.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { decodeBurnMemo } from '../../../src/core/minter/memo.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import { keyOfTxid } from '../../../src/core/minter/state/state.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { Crash, MINTER, someTxid, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const COLLECTOR = feeCollectorOf({ self: MINTER })
const HOUR = 3_600n * NS_PER_SECOND
const DAY = 24n * HOUR
const DOWN = { type: 'temporarilyUnavailable', message: 'down' } as const
/** Of twenty inputs and two outputs at 5 sat/vB. */
const FEE = 7_190n

/** Forty coins are a reason to consolidate twenty. */
function crowded(count: number, options: WorldOptions = {}): TestMinter {
  const init = { inputsMax: 20n, consolidationThreshold: 40n, ...options.init }
  const world = new TestMinter({ ...options, init })
  const script = world.scriptOf(alice)
  for (let i = 0; i < count; i++) world.chain.pay(script, 10_000n + BigInt(i))
  world.call('update_balance', alice.owner, {})
  return world
}

const fund = (world: TestMinter, amount: bigint): void =>
  world.ledger.move(alice, COLLECTOR, amount)
const burns = (world: TestMinter) => world.ledger.blocks.filter(({ type }) => type === 'burn')
const created = (world: TestMinter) => world.events('createdConsolidateUtxosRequest')

function requireBalance(world: TestMinter): void {
  const inTransit = callsInTransit({ state: world.state, ports: world.world.ports })
  const equation = reserveEquation(world.state, world.ledger.supply, inTransit)
  expect(equation).toMatchObject({ balanced: true, covered: true, ledgerFees: 0n })
}

/** The log alone leads here; what is published of it can be replayed too. */
function requireReplay(world: TestMinter): void {
  const events = world.events()
  const state = replay(events, MINTER)
  const books = ({ consolidation, consolidationFees, nextAttempt }: typeof state) => ({
    consolidation,
    consolidationFees,
    nextAttempt,
  })
  expect(books(state)).toEqual(books(world.state))
  expect(state.coins.byKey).toEqual(world.state.coins.byKey)
  const published = events.filter(({ payload }) => !isExtension(payload.type))
  expect(replay(published, MINTER).consolidation).toEqual(world.state.consolidation)
}

describe('a consolidation', () => {
  it('leaves a coin for withdrawals, however low its threshold was set at the start', () => {
    const world = crowded(20, { init: { consolidationThreshold: 2n } })
    fund(world, 10_000n)
    world.wait(HOUR)
    expect(created(world)).toEqual([])
    world.deposit(alice, 30_000n)
    world.wait(HOUR)
    expect(created(world)).toHaveLength(1)
    expect(world.state.coins.byKey.size).toBe(1)
  })

  it('leaves a coin also after an upgrade that lets a transaction take more', () => {
    const world = crowded(30)
    fund(world, 100_000n)
    world.upgrade({ type: 'upgrade', args: { inputsMax: 60n } })
    for (let i = 0; i < 20; i++) world.deposit(alice, 30_000n)
    world.wait(HOUR)
    expect(created(world)).toEqual([])
  })

  it('minter §23.100: 9,999 coins are no reason, 10,000 are: the smallest thousand', () => {
    const world = new TestMinter()
    const coin = (i: number) => ({
      outpoint: { txid: someTxid(1), vout: i },
      value: sat(20_000n - BigInt(i)),
      height: 1,
    })
    const credit = (from: number, to: number): void =>
      contextOf(world.minter, world.world).record({
        type: 'receivedUtxos',
        mintTxid: 0n,
        toAccount: alice,
        utxos: Array.from({ length: to - from }, (_, i) => coin(from + i)),
      })
    credit(0, 9_999)
    world.ledger.mint({
      to: COLLECTOR,
      amount: tokens(1_000_000n),
      memo: new Uint8Array(),
      createdAtTime: timestampNs(1n),
    })
    world.wait(HOUR)
    expect(created(world)).toEqual([])
    credit(9_999, 10_000)
    world.wait(HOUR)
    const [signing] = world.state.signing.values()
    const inputs = signing?.utxos ?? []
    expect(inputs).toHaveLength(1_000)
    expect(inputs.map(({ outpoint }) => outpoint.vout).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1_000 }, (_, i) => 9_000 + i),
    )
    const total = inputs.reduce((sum, { value }) => sum + value, 0n)
    const { bitcoinFee = 0n, minterFee = 0n } = signing?.withdrawalFee ?? {}
    const main = world.scriptOf({ owner: MINTER })
    expect(signing?.transaction.outputs).toEqual([
      { value: total / 2n - bitcoinFee - minterFee, script: main },
      { value: total - total / 2n + minterFee, script: main },
    ])
    const [burn] = burns(world)
    expect(burn).toMatchObject({ account: COLLECTOR, amount: bitcoinFee })
    expect(burn && decodeBurnMemo(burn.memo)).toEqual({
      type: 'consolidate',
      value: total,
      inputs: 1_000n,
    })
    expect(created(world)).toMatchObject([{ payload: { amount: total, blockIndex: 1n } }])
  })

  it('minter §23.100: becomes two coins of ours, and the books agree all the way', () => {
    const world = crowded(40)
    fund(world, 10_000n)
    world.wait(HOUR)
    requireBalance(world)
    requireReplay(world)
    expect(burns(world)).toMatchObject([{ account: COLLECTOR, amount: FEE }])
    expect(world.status(40n)).toEqual({ type: 'signing' })
    world.sign()
    expect(world.status(40n)).toMatchObject({ type: 'submitted' })
    requireBalance(world)
    world.mine(6)
    expect(world.status(40n)).toMatchObject({ type: 'confirmed' })
    expect(world.state.coins.byKey.size).toBe(22)
    expect(world.state.consolidation).toBeUndefined()
    requireBalance(world)
    requireReplay(world)
    const equation = reserveEquation(world.state, world.ledger.supply)
    expect(equation).toMatchObject({ minterFees: 0n, consolidationFees: 0n, surplus: 4_000n })
  })

  it('minter §23.101: one of 23 hours ago keeps the next away, one of 24 does not', () => {
    const world = crowded(100)
    fund(world, 100_000n)
    world.wait(HOUR)
    world.sign()
    world.mine(6)
    world.wait(23n * HOUR)
    expect(created(world)).toHaveLength(1)
    world.wait(HOUR)
    expect(created(world)).toHaveLength(2)
    requireBalance(world)
  })

  it('minter §23.101: an unfinished one keeps the next away', () => {
    const world = crowded(100)
    fund(world, 100_000n)
    world.wait(HOUR)
    world.sign()
    world.wait(3n * DAY)
    expect(created(world)).toHaveLength(1)
    requireBalance(world)
  })

  it.each(['empty', 'down'])('minter §23.101: none while the collector is %s', (how) => {
    const world = crowded(40)
    if (how === 'down') {
      fund(world, 10_000n)
      world.ledger.failure = DOWN
    }
    world.wait(DAY)
    expect(created(world)).toEqual([])
    expect(world.state.coins.byKey.size).toBe(40)
    if (how === 'empty') fund(world, FEE)
    world.ledger.failure = undefined
    world.wait(HOUR)
    expect(created(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
  })

  it('minter §23.102: that is stuck is sent again, the same bytes and no new txid', () => {
    const world = crowded(40)
    fund(world, 10_000n)
    world.wait(HOUR)
    world.sign()
    const [first] = world.chain.sent
    world.chain.mempool.length = 0 // Nodes have dropped it.
    world.wait(3n * DAY)
    expect(world.events('replacedTransaction')).toEqual([])
    expect(new Set(world.chain.sent.map((bytes) => bytes.join())).size).toBe(1)
    expect(world.chain.sent.length).toBeGreaterThan(1)
    expect(first).toBeDefined()
    world.mine(6)
    expect(world.status(40n).type).toBe('confirmed')
  })

  it('minter §23.103: without an estimate of fees takes nothing', () => {
    const world = crowded(40, { init: { network: 'testnet' } })
    fund(world, 10_000n)
    world.wait(DAY)
    expect(world.state.coins.byKey.size).toBe(40)
    expect(burns(world)).toEqual([])
    // Percentile 25 of a ramp: 2,500 msat/vB, half of regtest's rate.
    world.chain.rates = Array.from({ length: 101 }, (_, i) => BigInt(i * 100))
    world.wait(HOUR)
    expect(burns(world)).toMatchObject([{ amount: FEE / 2n }])
  })

  it('pays no less than the floor of its network, whatever the percentiles say', () => {
    const world = crowded(40, { init: { network: 'testnet' } })
    fund(world, 10_000n)
    world.chain.rates = Array.from({ length: 101 }, () => 142n)
    world.wait(HOUR)
    expect(burns(world)).toMatchObject([{ amount: FEE / 5n }])
  })

  it('that would pay more than its coins are worth takes nothing and burns nothing', () => {
    const world = crowded(40)
    fund(world, 200_000n)
    world.chain.isSet = true
    world.chain.rates = Array.from({ length: 101 }, () => 100_000n)
    world.wait(DAY)
    expect(world.state.coins.byKey.size).toBe(40)
    expect(burns(world)).toEqual([])
  })
})

describe('a consolidation that cannot be signed', () => {
  /** Of twenty inputs ten are asked for, and all of these fail. */
  const refuseAll = (world: TestMinter): void => {
    for (const request of world.outstanding()) world.fail(request)
  }

  it('minter §23.103: is given up after a day, and its burn pays for the next', () => {
    const world = crowded(40)
    fund(world, 2n * FEE)
    world.wait(HOUR)
    const [first] = world.outstanding()
    world.wait(DAY - 1n)
    expect(world.events('xAbortedConsolidation')).toEqual([])
    world.wait(HOUR)
    expect(world.events('xAbortedConsolidation')).toMatchObject([{ payload: { blockIndex: 40n } }])
    expect(created(world)).toMatchObject([
      { payload: { blockIndex: 40n } },
      { payload: { blockIndex: 40n } },
    ])
    expect(burns(world)).toHaveLength(1)
    requireBalance(world)
    requireReplay(world)
    // The same coins at the same rate are the same transaction: no request bears an old name.
    expect(world.outstanding()[0]?.key).toEqual({ ...first?.key, attempt: 1 })
    world.sign()
    world.mine(6)
    expect(world.status(40n).type).toBe('confirmed')
    requireBalance(world)
    requireReplay(world)
  })

  it('takes along what was burned when the next one costs more, and burns the rest', () => {
    const world = crowded(40)
    fund(world, 3n * FEE)
    world.wait(HOUR)
    world.chain.isSet = true
    world.chain.rates = Array.from({ length: 101 }, () => 10_000n)
    world.wait(DAY + HOUR)
    expect(burns(world).map(({ amount }) => amount)).toEqual([FEE, FEE])
    expect(created(world)).toMatchObject([
      { payload: { blockIndex: 40n } },
      { payload: { blockIndex: 41n } },
    ])
    requireBalance(world)
    world.sign()
    world.mine(6)
    expect(world.state.consolidationFees).toMatchObject({ burned: 2n * FEE, spent: 2n * FEE })
    expect(world.status(41n).type).toBe('confirmed')
    expect(world.status(40n)).toEqual(world.status(41n)) // It paid for the same one.
    requireBalance(world)
    requireReplay(world)
  })

  it('leaves what it did not need to the next, which burns at least what the ledger takes', () => {
    const world = crowded(80)
    fund(world, 3n * FEE)
    world.wait(HOUR)
    world.chain.isSet = true
    world.chain.rates = Array.from({ length: 101 }, () => 2_500n)
    world.wait(DAY + HOUR)
    world.sign()
    world.mine(6)
    expect(world.state.consolidationFees).toMatchObject({ burned: FEE, spent: FEE / 2n })
    world.wait(DAY + HOUR)
    expect(burns(world).map(({ amount }) => amount)).toEqual([FEE, 10n])
    requireBalance(world)
    requireReplay(world)
  })

  it('is given up at once when a coin of it is missing', () => {
    const world = crowded(40)
    fund(world, FEE)
    const gone = [...world.chain.utxosByKey.values()][15]
    if (gone === undefined) throw new Error('forty coins were paid')
    world.wait(HOUR)
    world.chain.utxosByKey.delete(outpointKey(gone.outpoint))
    world.mine(1, true)
    world.wait(HOUR)
    expect(world.events('xAbortedConsolidation')).toHaveLength(1)
    expect(world.state.coins.byKey.size).toBe(40)
    world.wait(2n * DAY) // 39 that are there are no reason.
    expect(created(world)).toHaveLength(1)
  })

  it('is not given up once every signature has been asked for [H 2]', () => {
    const world = crowded(40)
    fund(world, FEE)
    world.wait(HOUR)
    for (const request of world.outstanding()) world.fail(request)
    expect(world.outstanding()).toHaveLength(10) // The other ten.
    world.wait(3n * DAY)
    expect(world.events('xAbortedConsolidation')).toEqual([])
    const abort = { type: 'xAbortedConsolidation', blockIndex: 40n } as const
    expect(() => contextOf(world.minter, world.world).record(abort)).toThrow(Bug)
    world.sign()
    expect(world.status(40n).type).toBe('submitted')
  })

  it('knows after an upgrade what has been asked for', () => {
    const world = crowded(40)
    fund(world, FEE)
    world.wait(HOUR)
    refuseAll(world)
    world.upgrade()
    expect(world.outstanding()).toHaveLength(10)
    world.wait(3n * DAY)
    expect(world.events('xAbortedConsolidation')).toEqual([])
    world.sign()
    expect(world.status(40n).type).toBe('submitted')
  })

  it('lets withdrawals go first', () => {
    const world = crowded(60)
    fund(world, FEE)
    world.wait(HOUR)
    const result = world.withdraw(alice, ADDRESS, 60_000n)
    expect(result.type).toBe('ok')
    world.wait(11n * NS_PER_SECOND)
    const [request] = world.outstanding()
    if (request === undefined) throw new Error('ten are asked for')
    world.fail(request) // One place is free.
    const [, withdrawal] = world.state.signing.keys()
    const asked = world.outstanding().map(({ key }) => keyOfTxid(key.txid))
    expect(asked).toContain(withdrawal)
  })
})

describe('a burn for a consolidation whose answer is lost', () => {
  it('is found, pays for the next one, and is not made twice', () => {
    const world = crowded(40)
    fund(world, 2n * FEE)
    world.ledger.loses = 'answer'
    world.ledger.find = () => DOWN
    world.wait(5n * HOUR)
    expect(burns(world)).toHaveLength(1)
    expect(created(world)).toEqual([])
    expect(world.state.coins.byKey.size).toBe(40)
    Reflect.deleteProperty(world.ledger, 'find')
    requireBalance(world)
    world.ledger.loses = undefined
    world.wait(2n * HOUR)
    expect(burns(world)).toHaveLength(1)
    expect(created(world)).toMatchObject([{ payload: { blockIndex: 40n } }])
    requireBalance(world)
    requireReplay(world)
  })

  it('after a stop past the burn, too', () => {
    const world = crowded(40)
    fund(world, 2n * FEE)
    world.ledger.answersInStep = false
    world.ledger.crashes = true
    expect(() => world.wait(HOUR)).toThrow(Crash)
    world.ledger.crashes = false
    world.upgrade()
    world.wait(HOUR)
    expect(burns(world)).toHaveLength(1)
    expect(created(world)).toMatchObject([{ payload: { blockIndex: 40n } }])
    requireBalance(world)
    requireReplay(world)
  })

  it('and that never came, is made again when the ledger cannot take the first any more', () => {
    const world = crowded(40)
    fund(world, 2n * FEE)
    world.ledger.loses = 'call'
    world.wait(HOUR)
    world.ledger.loses = undefined
    world.wait(DAY - HOUR)
    expect(burns(world)).toEqual([])
    world.wait(2n * HOUR)
    expect(burns(world)).toHaveLength(1)
    requireBalance(world)
  })
})
