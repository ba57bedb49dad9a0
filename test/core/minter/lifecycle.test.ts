/** Install, upgrade, modes. Source: minter §2.2, §18.4, checklist 1–13. */
import { describe, expect, it } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { EMBEDDED_INIT } from '../../../src/core/minter/constants.ts'
import { install } from '../../../src/core/minter/machine.ts'
import type { InitArgs, Mode } from '../../../src/core/minter/types.ts'
import { CHECKER, LEDGER, MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const good: InitArgs = { ...EMBEDDED_INIT, ledgerId: LEDGER, checkerId: CHECKER }
const options = { self: MINTER, now: timestampNs(1n) }

describe('an install', () => {
  it.each<readonly [string, Partial<InitArgs>]>([
    ['an empty key name', { ecdsaKeyName: '' }],
    ['no checker', { checkerId: undefined }],
    ['a check fee above the minimum withdrawal', { checkFee: 50_001n }],
    ['the default check fee above the minimum', { checkFee: undefined, retrieveMinAmount: 999n }],
  ])('with %s is refused', (_, change) => {
    const args = { ...good, ...change }
    expect(install({ type: 'init', args }, options).type).toBe('refused')
  })

  it('takes the checker under its older name, as it takes the fee', () => {
    const args = { ...good, checkerId: undefined, kytId: CHECKER }
    expect(install({ type: 'init', args }, options).type).toBe('installed')
  })

  it('with upgrade arguments is refused', () => {
    expect(install({ type: 'upgrade' }, options).type).toBe('refused')
  })

  it('takes the check fee over the older name, and the defaults where nothing is said', () => {
    const change = { checkFee: undefined, kytFee: 7n, minConfirmations: undefined }
    const { config } = new TestMinter({ init: change }).state
    expect(config).toMatchObject({
      checkFee: 7n,
      minConfirmations: 6,
      inputsMax: 1_000n,
      consolidationThreshold: 10_000n,
    })
    expect(new TestMinter({ init: { kytFee: 7n } }).state.config.checkFee).toBe(100n)
  })
})

describe('an upgrade', () => {
  const configAfter = (args: Parameters<TestMinter['upgrade']>[0]) => {
    const world = new TestMinter()
    expect(world.upgrade(args).type).toBe('installed')
    return world.state.config
  }

  it('without arguments is fine and keeps all', () => {
    const world = new TestMinter({ init: { mode: { type: 'readOnly' } } })
    const before = world.state.config
    expect(world.upgrade(undefined).type).toBe('installed')
    expect(world.upgrade({ type: 'upgrade' }).type).toBe('installed')
    expect(world.state.config).toEqual(before)
    expect(world.events().length).toBe(1)
  })

  it('with init arguments is refused', () => {
    expect(new TestMinter().upgrade({ type: 'init', args: good }).type).toBe('refused')
  })

  it('that makes the configuration invalid leaves the old state intact', () => {
    const world = new TestMinter({ init: { checkFee: 1_000n } })
    const before = world.minter
    const { state } = before
    const config = { ...state.config }
    expect(world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 100n } }).type).toBe(
      'refused',
    )
    expect(world.minter).toBe(before)
    expect(state.config).toEqual(config)
    expect(world.events().length).toBe(1)
  })

  it('moves the confirmations down only', () => {
    expect(configAfter({ type: 'upgrade', args: { minConfirmations: 12 } }).minConfirmations).toBe(
      6,
    )
    expect(configAfter({ type: 'upgrade', args: { minConfirmations: 3 } }).minConfirmations).toBe(3)
  })

  it('takes the check fee over the older name', () => {
    expect(configAfter({ type: 'upgrade', args: { checkFee: 5n, kytFee: 6n } }).checkFee).toBe(5n)
    expect(configAfter({ type: 'upgrade', args: { kytFee: 6n } }).checkFee).toBe(6n)
  })

  it('ignores a consolidation threshold not above the most inputs', () => {
    const threshold = (value: bigint) =>
      configAfter({ type: 'upgrade', args: { consolidationThreshold: value } })
        .consolidationThreshold
    expect([500n, 1_000n, 1_001n].map(threshold)).toEqual([10_000n, 10_000n, 1_001n])
  })

  it('drops what is volatile and asks for all tasks at once', () => {
    const world = new TestMinter()
    world.state.volatile.updating.add('someone')
    const { minter } = world
    world.upgrade(undefined)
    expect(world.minter).not.toBe(minter)
    expect(world.state.volatile.updating.size).toBe(0)
  })
})

describe('the mode', () => {
  const bob = user(2)
  const from = (mode: Mode) => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    world.deposit({ owner: bob }, 10_000_000n)
    world.upgrade({ type: 'upgrade', args: { mode } })
    const deposits = [alice.owner, bob].map((owner) => {
      world.pay({ owner }, 50_000n)
      const result = world.call('update_balance', owner, {})
      return result.type === 'err' ? result.error.type : 'served'
    })
    const withdrawals = [alice.owner, bob].map((owner) => {
      const result = world.withdraw({ owner }, ADDRESS, 100_000n)
      return result.type === 'err' ? result.error.type : 'served'
    })
    return { deposits, withdrawals }
  }
  const closed = 'temporarilyUnavailable'

  it.each<readonly [Mode, ReturnType<typeof from>]>([
    [{ type: 'readOnly' }, { deposits: [closed, closed], withdrawals: [closed, closed] }],
    [
      { type: 'restrictedTo', principals: [alice.owner] },
      { deposits: ['served', closed], withdrawals: ['served', closed] },
    ],
    [
      { type: 'depositsRestrictedTo', principals: [alice.owner] },
      { deposits: ['served', closed], withdrawals: ['served', 'served'] },
    ],
    [
      { type: 'generalAvailability' },
      { deposits: ['served', 'served'], withdrawals: ['served', 'served'] },
    ],
  ])('%o lets in whom it names', (mode, expected) => {
    expect(from(mode)).toEqual(expected)
  })

  it('looks at the caller: a listed one may credit any owner', () => {
    const mode: Mode = { type: 'restrictedTo', principals: [alice.owner] }
    const world = new TestMinter({ init: { mode } })
    world.pay({ owner: bob }, 50_000n)
    world.call('update_balance', alice.owner, { owner: bob })
    expect(world.ledger.balance({ owner: bob })).toBe(49_900n)
  })

  it('does not stop what was accepted before', () => {
    const world = new TestMinter()
    world.deposit(alice, 10_000_000n)
    world.withdraw(alice, ADDRESS, 100_000n)
    world.upgrade({ type: 'upgrade', args: { mode: { type: 'readOnly' } } })
    world.wait(11_000_000_000n)
    world.sign()
    world.mine(6)
    expect(world.status(2n).type).toBe('unknown')
    expect(world.status(1n).type).toBe('confirmed')
  })
})
