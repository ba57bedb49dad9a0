/**
 * When a batch goes, who is in it, and holds. Source: minter §8, §15 [H 6, H 8], checklist 60–62,
 * 95–96.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMintMemo } from '../../../src/core/minter/memo.ts'
import { forgetCoin } from '../../../src/core/minter/state/spent-coins.ts'
import type { WithdrawalRequest } from '../../../src/core/minter/state/state.ts'
import { burnsOf, keyOfUtxo, requestsOf } from '../../../src/core/minter/state/state.ts'
import { compareRequests } from '../../../src/core/minter/withdrawals/batch.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const SECOND = 1_000_000_000n
const HOUR = 3_600n * SECOND
const QUEUE_TIME = 10n * SECOND
const alice = { owner: user(1) }

function funded(value: bigint, options?: WorldOptions): TestMinter {
  const world = new TestMinter(options)
  world.deposit(alice, value)
  return world
}

function accepted(world: TestMinter, amount: bigint): bigint {
  const result = world.withdraw(alice, ADDRESS, amount)
  if (result.type === 'err') throw new Error(result.error.type)
  return result.value.blockIndex
}

function setRate(world: TestMinter, rate: bigint): void {
  world.chain.rates = Array.from({ length: 101 }, () => rate)
  world.chain.isSet = true
  world.mine()
}

const burnsInFlight = (world: TestMinter): readonly (readonly bigint[])[] =>
  [...world.state.signing.values()].map(({ purpose }) =>
    requestsOf(purpose).map((r) => r.blockIndex),
  )

/** The large coin is in flight, and of three requests for the small one the middle does not fit. */
function crowded(options?: WorldOptions) {
  const world = funded(10_000_000n, options)
  world.deposit({ owner: user(2) }, 1_000_000n)
  accepted(world, 5_000_000n)
  world.wait(QUEUE_TIME + 1n)
  accepted(world, 600_000n)
  const large = accepted(world, 700_000n)
  accepted(world, 300_000n)
  world.wait(QUEUE_TIME + 1n)
  return { world, large }
}

describe('a batch', () => {
  it('minter §23.60: is not formed of nothing', () => {
    const world = new TestMinter()
    world.wait(HOUR)
    expect(world.state.signing.size).toBe(0)
  })

  it('minter §23.60: waits for the queue time of the oldest, and not a moment less', () => {
    const world = funded(10_000_000n)
    accepted(world, 100_000n)
    world.wait(QUEUE_TIME)
    world.mine() // A round at this very time.
    expect(world.state.signing.size).toBe(0)
    world.wait(1n)
    expect(world.state.signing.size).toBe(1)
    expect(world.state.queue).toEqual([])
  })

  it('minter §23.60: goes at once where one request is enough', () => {
    const world = funded(10_000_000n, { settings: { pendingRequestsMin: 1 } })
    accepted(world, 100_000n)
    world.wait(0n)
    expect(burnsInFlight(world).map((burns) => burns.length)).toEqual([1])
  })

  it('may be put off for ever by the settings', () => {
    const world = funded(10_000_000n, { init: { maxTimeInQueueNs: 2n ** 64n - 1n } })
    const burn = accepted(world, 100_000n)
    world.wait(1_000n * HOUR)
    expect(world.status(burn)).toEqual({ type: 'pending' })
  })

  it('minter §23.60: goes at once when the queue is long', () => {
    const world = funded(10_000_000n)
    for (let i = 0; i < 19; i++) accepted(world, 100_000n)
    world.wait(0n)
    expect(world.state.signing.size).toBe(0)
    accepted(world, 100_000n)
    world.wait(0n)
    expect(burnsInFlight(world).map((burns) => burns.length)).toEqual([20])
  })

  it('minter §23.60: goes at once after a quiet time, and waits soon after a submission', () => {
    const world = funded(10_000_000n)
    world.deposit(alice, 10_000_000n)
    world.deposit(alice, 10_000_000n)
    accepted(world, 100_000n)
    world.wait(QUEUE_TIME + 1n)
    world.sign()
    accepted(world, 100_000n)
    world.wait(0n)
    expect(world.state.signing.size).toBe(0)
    world.wait(QUEUE_TIME + 1n)
    world.sign()
    world.wait(QUEUE_TIME + 1n)
    accepted(world, 100_000n)
    world.wait(0n)
    expect(world.state.signing.size).toBe(1)
  })

  it('minter §23.61: of 25 requests and a limit of 20 takes what fits both the limit and the coins', () => {
    const amount = fc.bigInt(50_000n, 400_000n)
    const amounts = fc.array(amount, { minLength: 25, maxLength: 25 })
    fc.assert(
      fc.property(amounts, fc.bigInt(500_000n, 8_000_000n), (list, coins) => {
        const world = funded(coins, { settings: { requestsPerBatchMax: 20 } })
        world.deposit(alice, 10_000_000n) // Held back, so that the requests are accepted.
        for (const each of list) accepted(world, each)
        const [large] = [...world.state.availableUtxos.values()].sort((a, b) =>
          a.value < b.value ? 1 : -1,
        )
        if (large === undefined) return expect.unreachable()
        world.state.volatile.lost.set(keyOfUtxo(large), large)
        world.wait(0n)
        const [batch] = world.state.signing.values()
        const requests = batch === undefined ? [] : requestsOf(batch.purpose)
        expect(requests.length).toBeGreaterThan(0)
        expect(requests.length).toBeLessThanOrEqual(20)
        const sum = requests.reduce((total, request) => total + request.amount, 0n)
        expect(sum).toBeLessThanOrEqual(coins)
        const rest = world.state.queue.map((request) => request.amount)
        const isFull = requests.length === 20
        expect(isFull || rest.every((waiting) => waiting + sum > coins)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('holds at most a hundred', () => {
    const world = funded(1_000_000_000n)
    world.deposit(alice, 1_000_000_000n)
    for (let i = 0; i < 130; i++) accepted(world, 100_000n)
    world.wait(0n)
    expect(burnsInFlight(world).map((burns) => burns.length)).toEqual([100])
    expect(world.state.queue.length).toBe(30)
    world.wait(6n * SECOND)
    expect(burnsInFlight(world).map((burns) => burns.length)).toEqual([100, 30])
  })

  it('minter §23.62: takes a small request past a large one that cannot be paid now', () => {
    const { world, large } = crowded()
    const [first, ...small] = burnsInFlight(world)
    expect(first?.length).toBe(1)
    expect(small.map((burns) => burns.length)).toEqual([2])
    expect(world.status(large)).toEqual({ type: 'pending' })
    expect(world.state.availableUtxos.size).toBe(0)
  })

  it('goes as soon as a deposit brings what it waits for', () => {
    const { world, large } = crowded()
    world.deposit({ owner: user(3) }, 800_000n)
    world.wait(0n)
    expect(world.status(large)).toEqual({ type: 'signing' })
  })

  it('is ordered by amount, kind, address and burn', () => {
    const request = (
      amount: bigint,
      type: WithdrawalRequest['address']['type'],
      byte: number,
      blockIndex: bigint,
    ): WithdrawalRequest => ({
      amount,
      address: { type, bytes: new Uint8Array(20).fill(byte) },
      blockIndex,
      receivedAt: 0n,
      kytProvider: undefined,
      reimbursementAccount: undefined,
    })
    const sorted = [
      request(1n, 'p2sh', 9, 9n),
      request(2n, 'p2wpkhV0', 1, 8n),
      request(2n, 'p2wpkhV0', 2, 3n),
      request(2n, 'p2wpkhV0', 2, 4n),
      request(2n, 'p2wshV0', 0, 1n),
      request(2n, 'p2trV1', 0, 1n),
      request(2n, 'p2pkh', 0, 1n),
      request(2n, 'p2sh', 0, 1n),
    ]
    expect(sorted.toReversed().sort(compareRequests)).toEqual(sorted)
  })

  it('keeps its inputs from any other', () => {
    const world = funded(1_000_000n)
    accepted(world, 900_000n)
    world.wait(QUEUE_TIME + 1n)
    expect(world.state.availableUtxos.size).toBe(0)
    expect(world.withdraw(alice, ADDRESS, 50_000n)).toMatchObject({
      error: { type: 'temporarilyUnavailable' },
    })
  })
})

describe('a large request [H 8]', () => {
  const options = { settings: { passedOverNs: HOUR } }

  /** A coin that is too small for the large request, and a request that it can pay. */
  function small(world: TestMinter): bigint {
    world.deposit({ owner: user(3) }, 500_000n)
    return accepted(world, 400_000n)
  }

  it('minter §23.62: goes first and alone once the coins are there, and holds nobody up before', () => {
    const { world, large } = crowded(options)
    const early = small(world)
    world.wait(QUEUE_TIME + 1n)
    expect(world.status(early)).toEqual({ type: 'signing' })
    world.wait(HOUR)
    const late = small(world)
    world.wait(QUEUE_TIME + 1n)
    expect(world.status(late)).toEqual({ type: 'signing' })
    expect(world.status(large)).toEqual({ type: 'pending' })
    world.sign()
    world.mine(6) // The change of the others comes back, for the next round to spend.
    const last = accepted(world, 100_000n)
    world.wait(0n)
    expect(burnsInFlight(world)).toEqual([[large]])
    world.wait(QUEUE_TIME + 1n)
    expect(burnsInFlight(world)).toEqual([[large], [last]])
  })

  it('asks for no slot while it waits for coins, before its time is over and after', () => {
    const { world, large } = crowded(options)
    const { tasks } = world.state.volatile
    world.wait(6n * SECOND) // The round after the batch that passed it over.
    expect(tasks.get('process')).toBeGreaterThan(world.now + HOUR / 2n)
    world.wait(HOUR)
    small(world)
    world.wait(QUEUE_TIME + 1n)
    world.wait(6n * SECOND)
    expect(world.status(large)).toEqual({ type: 'pending' })
    expect(tasks.get('process')).toBeUndefined()
  })

  it('stops nobody when no coins are under way that could pay it', () => {
    const { world, large } = crowded(options)
    world.sign()
    world.chain.mempool.length = 0
    world.wait(HOUR)
    for (const { purpose, utxos } of world.state.submitted.values()) {
      for (const burn of burnsOf(purpose)) world.state.burnPlaces.delete(burn)
      for (const utxo of utxos) forgetCoin(world.state, utxo)
    }
    world.state.submitted.clear()
    const late = small(world)
    world.wait(QUEUE_TIME + 1n)
    expect(world.status(late)).toEqual({ type: 'signing' })
    expect(world.status(large)).toEqual({ type: 'pending' })
  })
})

describe('a request that fees would eat [H 6]', () => {
  /** Accepted at a low rate, due at a high one. */
  function expensive(amounts: readonly bigint[], options?: WorldOptions) {
    const world = funded(10_000_000n, options)
    const burns = amounts.map((amount) => accepted(world, amount))
    setRate(world, 2_000_000n)
    world.wait(QUEUE_TIME + 1n)
    return { world, burns }
  }

  it('stays in the queue and is paid when fees fall', () => {
    const { world, burns } = expensive([60_000n])
    const [burn = 0n] = burns
    expect(world.state.signing.size).toBe(0)
    expect([...world.state.held.keys()]).toEqual([burn])
    expect(world.events('xHeldRequest').length).toBe(1)
    expect(world.status(burn)).toEqual({ type: 'pending' })
    world.wait(HOUR)
    setRate(world, 5_000n)
    expect(burnsInFlight(world)).toEqual([[burn]])
    expect(world.state.held.size).toBe(0)
  })

  it('does not stop others in its batch', () => {
    const { world, burns } = expensive([60_000n, 5_000_000n])
    expect(burnsInFlight(world)).toEqual([[burns[1]]])
    expect([...world.state.held.keys()]).toEqual([burns[0]])
  })

  it('that only its neighbour makes too expensive goes in the next batch, and is not held', () => {
    const world = funded(6_000n, { init: { retrieveMinAmount: 5_000n } })
    for (let i = 0; i < 40; i++) world.deposit(alice, 8_000n)
    const [large, small] = [accepted(world, 200_000n), accepted(world, 5_000n)]
    world.wait(QUEUE_TIME + 1n)
    expect(burnsInFlight(world)).toEqual([[large]])
    expect(world.events('xHeldRequest')).toEqual([])
    world.wait(6n * SECOND)
    expect(burnsInFlight(world)).toEqual([[large], [small]])
  })

  it('wakes nobody while nothing changes', () => {
    const { world } = expensive([60_000n])
    const { tasks } = world.state.volatile
    expect(tasks.get('process')).toBeGreaterThan(world.now + HOUR)
  })

  it('goes back after three days, less ten', () => {
    const { world, burns } = expensive([60_000n])
    const [burn = 0n] = burns
    const before = world.ledger.balance(alice)
    world.wait(72n * HOUR)
    expect(world.ledger.balance(alice)).toBe(before + 59_990n)
    expect(world.status(burn)).toMatchObject({
      type: 'reimbursed',
      deposit: { account: alice, amount: 59_990n, mintBlockIndex: burn + 1n },
    })
    const mint = world.ledger.blocks.at(-1)
    expect(mint && decodeMintMemo(mint.memo)).toEqual({
      type: 'reimburseWithdrawal',
      withdrawalId: burn,
    })
    expect(world.state.queue).toEqual([])
    expect(world.call('retrieve_btc_status', user(1), { blockIndex: burn })).toEqual({
      type: 'unknown',
    })
  })

  it('goes back later when the ledger is away, and once only', () => {
    const { world, burns } = expensive([60_000n])
    const [burn = 0n] = burns
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    world.wait(72n * HOUR)
    expect(world.status(burn)).toMatchObject({
      type: 'willReimburse',
      request: { amount: 59_990n },
    })
    world.ledger.failure = undefined
    world.wait(HOUR)
    expect(world.status(burn).type).toBe('reimbursed')
    expect(world.ledger.blocks.filter(({ type }) => type === 'mint').length).toBe(2)
  })

  it('is not given up at the last moment when fees have fallen', () => {
    const { world, burns } = expensive([60_000n])
    world.wait(72n * HOUR - 3n * SECOND) // The hourly refresh is just over.
    world.chain.rates = Array.from({ length: 101 }, () => 5_000n)
    world.wait(3n * SECOND)
    expect(burnsInFlight(world)).toEqual([burns])
  })

  it('two that only together are too low do not block each other', () => {
    const world = new TestMinter()
    for (let i = 0; i < 40; i++) world.deposit(alice, 5_000n)
    const burns = [accepted(world, 80_000n), accepted(world, 80_000n)]
    setRate(world, 30_000n)
    world.wait(QUEUE_TIME + 1n)
    setRate(world, 5_000n)
    world.wait(HOUR)
    for (const burn of burns) expect(world.status(burn).type).toBe('signing')
  })
})

describe('a batch of too many inputs', () => {
  const crumbs = (count: number, init: WorldOptions['init']): TestMinter => {
    const world = new TestMinter({ init: { retrieveMinAmount: 5_000n, ...init } })
    for (let i = 0; i < count; i++) world.deposit(alice, 8_000n)
    return world
  }

  it('goes without its largest, who is in the next', () => {
    const world = crumbs(50, { inputsMax: 30n })
    const [large, small] = [accepted(world, 160_000n), accepted(world, 150_000n)]
    world.wait(QUEUE_TIME + 1n)
    expect(burnsInFlight(world)).toEqual([[small]])
    world.wait(6n * SECOND)
    expect(burnsInFlight(world)).toEqual([[small], [large]])
    expect(world.events('scheduleWithdrawalReimbursement', 'xHeldRequest')).toEqual([])
  })

  it('is tried a limited number of times: then the oldest goes alone', () => {
    const world = crumbs(60, { inputsMax: 1n })
    const burns = Array.from({ length: 60 }, (_, i) => accepted(world, 6_000n - BigInt(i)))
    world.wait(0n)
    expect(burnsInFlight(world)).toEqual([burns.slice(0, 1)])
    world.wait(600n * SECOND)
    expect(world.state.queue).toEqual([])
    expect(burnsInFlight(world).flat().sort()).toEqual(burns.sort())
  })
})

it('a request that alone needs too many inputs goes back at once, less ten', () => {
  const world = new TestMinter({ init: { inputsMax: 60n } })
  for (let i = 0; i < 50; i++) world.deposit(alice, 2_000n)
  const burns = [accepted(world, 55_000n)]
  world.upgrade({ type: 'upgrade', args: { inputsMax: 10n } })
  world.wait(QUEUE_TIME + 1n)
  expect(world.events('sentTransaction', 'xSigningStarted')).toEqual([])
  const [scheduled] = world.events('scheduleWithdrawalReimbursement')
  expect(scheduled?.payload).toMatchObject({
    amount: 54_990n,
    error: { type: 'tooManyInputs', inputs: 28n, inputsMax: 10n },
  })
  const [burn = 0n] = burns
  expect(world.status(burn)).toMatchObject({
    type: 'reimbursed',
    deposit: { amount: 54_990n, mintBlockIndex: burn + 1n },
  })
})
