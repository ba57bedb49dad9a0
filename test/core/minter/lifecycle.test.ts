/** Install, upgrade, modes. Source: minter §2.2, §18.4, checklist 1–13. */
import { describe, expect, it } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { withdrawalAccount } from '../../../src/core/minter/addresses.ts'
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
    ['minter §23.1: an empty key name', { ecdsaKeyName: '' }],
    ['minter §23.2: no checker', { checkerId: undefined }],
    ['minter §23.3: a check fee above the minimum withdrawal', { checkFee: 50_001n }],
    ['a minimum above all money', { retrieveMinAmount: 2n ** 64n - 1n }],
    ['the default check fee above the minimum', { checkFee: undefined, retrieveMinAmount: 999n }],
  ])('%s is refused', (_, change) => {
    const args = { ...good, ...change }
    expect(install({ type: 'init', args }, options).type).toBe('refused')
  })

  it('takes the checker under its older name, as it takes the fee', () => {
    const args = { ...good, checkerId: undefined, kytId: CHECKER }
    expect(install({ type: 'init', args }, options).type).toBe('installed')
  })

  it('minter §23.5: with upgrade arguments is refused', () => {
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
  it('minter §23.13: of the minimum withdrawal shows at once, before the fees are known', () => {
    const world = new TestMinter()
    world.chain.rates = []
    world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 70_000n } })
    expect(world.call('get_minter_info', alice.owner, undefined).retrieveMinAmount).toBe(70_000n)
  })

  const configAfter = (args: Parameters<TestMinter['upgrade']>[0]) => {
    const world = new TestMinter()
    expect(world.upgrade(args).type).toBe('installed')
    return world.state.config
  }

  it('minter §23.5: without arguments is fine and keeps all', () => {
    const world = new TestMinter({ init: { mode: { type: 'readOnly' } } })
    const before = world.state.config
    expect(world.upgrade(undefined).type).toBe('installed')
    expect(world.upgrade({ type: 'upgrade' }).type).toBe('installed')
    expect(world.state.config).toEqual(before)
    expect(world.events().length).toBe(1)
  })

  it('minter §23.5: with init arguments is refused', () => {
    expect(new TestMinter().upgrade({ type: 'init', args: good }).type).toBe('refused')
  })

  it('minter §23.3: with a check fee above the minimum withdrawal is refused', () => {
    const world = new TestMinter()
    const raised = (checkFee: bigint) => world.upgrade({ type: 'upgrade', args: { checkFee } }).type
    expect([raised(50_001n), raised(50_000n)]).toEqual(['refused', 'installed'])
    expect(world.state.config.checkFee).toBe(50_000n)
  })

  it('minter §23.4: that makes the configuration invalid leaves the old state intact', () => {
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

  it('minter §23.10: moves the confirmations down only', () => {
    expect(configAfter({ type: 'upgrade', args: { minConfirmations: 12 } }).minConfirmations).toBe(
      6,
    )
    expect(configAfter({ type: 'upgrade', args: { minConfirmations: 3 } }).minConfirmations).toBe(3)
  })

  it('minter §23.11: takes the check fee over the older name', () => {
    expect(configAfter({ type: 'upgrade', args: { checkFee: 5n, kytFee: 6n } }).checkFee).toBe(5n)
    expect(configAfter({ type: 'upgrade', args: { kytFee: 6n } }).checkFee).toBe(6n)
  })

  it('minter §23.12: ignores a consolidation threshold not above the most inputs', () => {
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
    world.upgrade()
    const deposits = [alice.owner, bob].map((owner) => {
      world.pay({ owner }, 50_000n)
      const result = world.call('update_balance', owner, {})
      return result.type === 'err' ? result.error.type : 'served'
    })
    const withdrawals = [alice.owner, bob].map((owner) => {
      const approved = world.withdraw({ owner }, ADDRESS, 100_000n)
      world.ledger.move({ owner }, withdrawalAccount(MINTER, owner), 100_000n)
      const args = { address: ADDRESS, amount: 100_000n }
      const answers = [approved, world.call('retrieve_btc', owner, args)].map((result) =>
        result.type === 'err' ? result.error.type : 'served',
      )
      expect(answers[0]).toBe(answers[1])
      return answers[0]
    })
    return { deposits, withdrawals }
  }
  const closed = 'temporarilyUnavailable'

  it.each<readonly [string, Mode, ReturnType<typeof from>]>([
    [
      'minter §23.6: read-only, it lets nobody in',
      { type: 'readOnly' },
      { deposits: [closed, closed], withdrawals: [closed, closed] },
    ],
    [
      'minter §23.7: restricted to some, it lets those in, an upgrade later too',
      { type: 'restrictedTo', principals: [alice.owner] },
      { deposits: ['served', closed], withdrawals: ['served', closed] },
    ],
    [
      'minter §23.8: with deposits restricted, it lets everybody withdraw',
      { type: 'depositsRestrictedTo', principals: [alice.owner] },
      { deposits: ['served', closed], withdrawals: ['served', 'served'] },
    ],
    [
      'open, it lets everybody in',
      { type: 'generalAvailability' },
      { deposits: ['served', 'served'], withdrawals: ['served', 'served'] },
    ],
  ])('%s', (_, mode, expected) => {
    expect(from(mode)).toEqual(expected)
  })

  it('minter §23.9: looks at the caller: a listed one may credit any owner', () => {
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
