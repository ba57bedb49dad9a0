/** Finality, change, donations. Source: minter §13 [H 9, H 10], checklist 79, 80, 93. */
import { describe, expect, it } from 'vitest'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const alice = { owner: user(1) }
const main = { owner: MINTER }

/** A withdrawal that was sent and waits for its block. */
function sent(address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'): TestMinter {
  const world = new TestMinter()
  world.deposit(alice, 1_000_000n)
  world.withdraw(alice, address, 300_000n)
  world.wait(11_000_000_000n)
  world.sign()
  return world
}

describe('a payment', () => {
  const isConfirmedInDepth = (world: TestMinter): void => {
    const status = world.status(1n)
    expect(status.type).toBe('submitted')
    world.mine(5)
    expect(world.status(1n)).toEqual(status)
    world.mine()
    expect(world.status(1n)).toEqual({ ...status, type: 'confirmed' })
    expect(world.call('get_known_utxos', user(1), alice)).toEqual([])
    const [change, ...none] = world.call('get_known_utxos', user(1), main)
    expect(none).toEqual([])
    expect(change?.value).toBe(700_300n)
    expect([...world.state.availableUtxos.values()]).toEqual([change])
  }

  it('minter §23.79: waits in the queue, and is confirmed when its change is deep enough', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    world.withdraw(alice, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 300_000n)
    world.wait(10_000_000_000n)
    expect(world.status(1n)).toEqual({ type: 'pending' })
    world.wait(1n)
    expect(world.status(1n)).toEqual({ type: 'signing' })
    world.sign()
    isConfirmedInDepth(world)
  })

  it('minter §23.80: to a taproot address is confirmed just so', () => {
    isConfirmedInDepth(sent('bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6'))
  })

  it('leaves the events in order, and change without a mint index', () => {
    const world = sent()
    world.mine(6)
    const kinds = world.events().map(({ payload }) => payload.type)
    expect(kinds.slice(-3)).toEqual(['sentTransaction', 'receivedUtxos', 'confirmedTransaction'])
    const [, change] = world.events('receivedUtxos')
    expect(change?.payload).toMatchObject({ toAccount: main })
    expect(change?.payload).not.toHaveProperty('mintTxid')
  })

  it('is looked for when the Bitcoin side answers again', () => {
    const world = sent()
    world.chain.isDown = true
    world.mine(6)
    expect(world.status(1n).type).toBe('submitted')
    world.chain.isDown = false
    world.mine()
    expect(world.status(1n).type).toBe('confirmed')
  })

  it('is confirmed once, however often an answer names its change', () => {
    const world = sent()
    world.chain.pay(world.scriptOf(main), 5_000n)
    world.chain.mine(5)
    world.chain.stale = [...world.chain.utxosByKey.values()]
    world.mine()
    expect(world.status(1n).type).toBe('confirmed')
    expect(world.events('receivedUtxos', 'xDonation')).toHaveLength(3)
  })

  it('is remembered for ever', () => {
    const world = sent()
    world.mine(6)
    world.upgrade(undefined)
    expect(world.status(1n).type).toBe('confirmed')
    const list = world.call('retrieve_btc_status_v2_by_account', user(1), undefined)
    expect(list).toEqual([{ blockIndex: 1n, status: world.status(1n) }])
  })

  it('lets an idle minter sleep', () => {
    const world = sent()
    const hour = 3_600_000_000_000n
    const next = world.now + hour
    world.wait(60_000_000_000n)
    expect(world.state.volatile.tasks.get('process')).toBe(next) // To send it again.
    world.mine(6)
    expect(world.state.volatile.tasks.has('process')).toBe(false)
  })
})

describe('coins that others send to the main address', () => {
  it('minter §23.93: are listed, and neither spent nor counted', () => {
    const world = sent()
    const { outpoint, value, height } = world.pay(main, 5_000_000n)
    const before = reserveEquation(world.state, world.ledger.supply)
    world.mine(6)
    const key = outpointKey(outpoint)
    expect([...world.state.donations]).toEqual([[key, { outpoint, value, height }]])
    expect(world.state.availableUtxos.has(key)).toBe(false)
    const after = reserveEquation(world.state, world.ledger.supply)
    expect(after).toMatchObject({ balanced: true, covered: true, supply: before.supply })
    expect(after.coins).toBe(before.coins - 300_000n + 300n)
    world.upgrade(undefined)
    expect([...world.state.donations.keys()]).toEqual([key])
  })

  it('are listed once', () => {
    const world = sent()
    world.pay(main, 5_000_000n)
    world.mine(6)
    world.deposit(alice, 1_000_000n)
    world.withdraw(alice, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 300_000n)
    world.wait(11_000_000_000n)
    world.sign()
    world.mine(6)
    expect(world.events('xDonation').length).toBe(1)
  })
})

describe('the reserve equation', () => {
  it('balances at every stage, term by term', () => {
    const world = new TestMinter()
    const equation = () => reserveEquation(world.state, world.ledger.supply)
    world.deposit(alice, 1_000_000n)
    expect(equation()).toMatchObject({ coins: 1_000_000n, supply: 999_900n, surplus: 100n })
    world.withdraw(alice, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 300_000n)
    expect(equation()).toMatchObject({ pending: 300_000n, surplus: 100n, balanced: true })
    world.wait(11_000_000_000n)
    expect(equation()).toMatchObject({ pending: 300_000n, surplus: 100n, balanced: true })
    world.sign()
    expect(equation()).toMatchObject({ pending: 300_000n, surplus: 100n, balanced: true })
    world.mine(6)
    expect(equation()).toEqual({
      coins: 700_300n,
      supply: 699_900n,
      pending: 0n,
      reimbursements: 0n,
      quarantined: 0n,
      mintsInTransit: 0n,
      burnsInTransit: 0n,
      surplus: 400n,
      checkFees: 100n,
      minterFees: 300n,
      reimbursementCharges: 0n,
      amountsTooLow: 0n,
      adopted: 0n,
      writtenOff: 0n,
      consolidationFees: 0n,
      ledgerFees: 0n,
      balanced: true,
      covered: true,
    })
  })

  it('shows what the ledger burned as fees', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    const equation = reserveEquation(world.state, world.ledger.supply - 10n)
    expect(equation).toMatchObject({ ledgerFees: 10n, surplus: 110n, balanced: true })
  })

  it('shows tokens that no coin covers', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    const equation = reserveEquation(world.state, world.ledger.supply + 101n)
    expect(equation).toMatchObject({ surplus: -1n, covered: false })
  })
})
