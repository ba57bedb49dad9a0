/**
 * Estimates, their sanity, and the minimum that follows. Source: minter §10.1, §10.4, checklist
 * 75–78.
 */
import { describe, expect, it } from 'vitest'
import { withdrawalMinAt } from '../../../src/core/minter/transactions/fees.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const HOUR = 3_600_000_000_000n
const alice = { owner: user(1) }
const MAINNET_ADDRESS = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
const REGTEST_ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

const all = (rate: bigint): readonly bigint[] => Array.from({ length: 101 }, () => rate)

function onMainnet(rates: readonly bigint[], retrieveMinAmount = 100_000n): TestMinter {
  const init = { network: 'mainnet', retrieveMinAmount, checkFee: 2_000n } as const
  const world = new TestMinter({ init })
  setRates(world, rates)
  return world
}

/** A new level, and as many hourly refreshes as a jump needs to be believed. */
function setRates(world: TestMinter, rates: readonly bigint[]): void {
  world.chain.rates = rates
  world.wait(2n * HOUR)
}

const minimum = (world: TestMinter): bigint =>
  world.call('get_minter_info', user(1), undefined).retrieveMinAmount

describe('the minimum withdrawal', () => {
  it.each([
    [100_000n, [100_000n, 150_000n, 150_000n, 200_000n, 100_000n]],
    [12_345n, [12_345n, 62_345n, 62_345n, 112_345n, 12_345n]],
  ])(
    'minter §23.76: over a configured %i follows the median and comes back',
    (configured, expected) => {
      const world = onMainnet(all(0n), configured)
      const seen = [0n, 116_000n, 342_000n, 343_000n, 0n].map((rate) => {
        setRates(world, all(rate))
        return minimum(world)
      })
      expect(seen).toEqual(expected)
    },
  )

  it('at 5.1 sat/vB is the configured one', () => {
    expect(minimum(onMainnet(all(5_100n)))).toBe(100_000n)
  })

  it('on regtest is always the configured one', () => {
    const world = new TestMinter()
    expect(withdrawalMinAt(world.state.config, 10n ** 9n)).toBe(50_000n)
  })

  it('set by an upgrade shows at once, before the fees are asked again', () => {
    const world = onMainnet(all(343_000n))
    expect(minimum(world)).toBe(200_000n)
    world.chain.rates = []
    world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 70_000n } })
    expect(minimum(world)).toBe(70_000n)
  })
})

describe('the rate', () => {
  const median = (world: TestMinter): bigint => world.state.volatile.fees.median

  it('minter §23.77: is percentile 50, not below the floor', () => {
    const ramp = Array.from({ length: 100 }, (_, i) => 100n * BigInt(i + 1))
    expect(median(onMainnet(ramp))).toBe(5_100n)
    expect(median(onMainnet(all(142n)))).toBe(1_500n)
  })

  it('minter §23.78: is not known from fewer than 100 percentiles, and then nothing is accepted', () => {
    const world = onMainnet(all(2_000n).slice(0, 99))
    expect(world.state.volatile.fees.known).toBe(false)
    world.deposit(alice, 10_000_000n)
    expect(world.withdraw(alice, MAINNET_ADDRESS, 500_000n)).toMatchObject({
      error: { type: 'temporarilyUnavailable' },
    })
    expect(world.answer('estimate_withdrawal_fee', user(1), {}).type).toBe('trap')
  })

  it('on regtest is 5,000 whatever the percentiles say, unless the operator sets a level', () => {
    const world = new TestMinter()
    world.chain.rates = all(9_000n)
    world.wait(2n * HOUR)
    expect(median(world)).toBe(5_000n)
    world.chain.isSet = true
    world.wait(HOUR)
    expect(median(world)).toBe(9_000n)
    world.chain.rates = all(900_000n)
    world.wait(HOUR) // H 13 does not apply to what the operator says.
    expect(median(world)).toBe(900_000n)
  })

  it.each([
    [0n, 1_000n],
    [999n, 1_000n],
    [1_001n, 1_001n],
  ])('set by the operator to %i is %i: below 1,000 nobody relays', (level, expected) => {
    const world = new TestMinter()
    world.chain.isSet = true
    setRates(world, all(level))
    expect(median(world)).toBe(expected)
  })

  it.each([
    ['above four times', 8_001n],
    ['below a quarter', 1_999n],
  ])('that jumps %s is used after two refreshes that agree', (_, jump) => {
    const world = onMainnet(all(jump > 8_000n ? 2_000n : 8_000n))
    const before = median(world)
    world.chain.rates = all(jump)
    world.wait(HOUR)
    expect(median(world)).toBe(before)
    world.wait(HOUR)
    expect(median(world)).toBe(jump)
  })

  it('that jumps twice to different levels is not used', () => {
    const world = onMainnet(all(2_000n))
    for (const rate of [10_000n, 100_000n, 10_000n, 100_000n]) {
      world.chain.rates = all(rate)
      world.wait(HOUR)
      expect(median(world)).toBe(2_000n)
    }
  })

  it('may move by a factor of four at once', () => {
    const world = onMainnet(all(2_000n))
    world.chain.rates = all(8_000n)
    world.wait(HOUR)
    expect(median(world)).toBe(8_000n)
    world.chain.rates = all(2_000n)
    world.wait(HOUR)
    expect(median(world)).toBe(2_000n)
  })

  it('that jumps is not believed by a batch either', () => {
    const world = onMainnet(all(2_000n))
    world.deposit(alice, 10_000_000n)
    world.chain.rates = all(100_000n)
    world.withdraw(alice, MAINNET_ADDRESS, 500_000n)
    world.withdraw(alice, MAINNET_ADDRESS, 500_000n)
    expect(median(world)).toBe(2_000n)
  })
})

describe('an estimate for users', () => {
  it('minter §23.75: is what a withdrawal then costs', () => {
    const world = new TestMinter()
    world.deposit(alice, 100_000_000n)
    const fee = world.call('estimate_withdrawal_fee', user(1), { amount: 50_000_000n })
    expect(fee).toEqual({ bitcoinFee: 705n, minterFee: 300n })
    world.withdraw(alice, REGTEST_ADDRESS, 50_000_000n)
    world.wait(11_000_000_000n)
    const [transaction] = world.state.signing.values()
    expect(transaction?.transaction.outputs[0]?.value).toBe(50_000_000n - 705n - 300n)
  })

  it('asks for the minimum where no amount is given', () => {
    const world = new TestMinter()
    world.deposit(alice, 100_000n)
    expect(world.call('estimate_withdrawal_fee', user(1), {})).toEqual({
      bitcoinFee: 705n,
      minterFee: 300n,
    })
  })

  it('traps for what cannot be paid, and changes nothing', () => {
    const world = new TestMinter({ init: { inputsMax: 2n } })
    for (let i = 0; i < 3; i++) world.deposit(alice, 100_000n)
    const before = new Map(world.state.availableUtxos)
    for (const amount of [1n, 1_500n, 10n ** 9n, 250_000n])
      expect(world.answer('estimate_withdrawal_fee', user(1), { amount }).type).toBe('trap')
    expect(world.state.availableUtxos).toEqual(before)
  })

  it('of a deposit is the check fee', () => {
    expect(new TestMinter().call('get_deposit_fee', user(1), undefined)).toBe(100n)
  })
})
