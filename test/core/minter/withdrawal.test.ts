/**
 * Accepting withdrawals: every refusal before the burn. Source: minter §7, checklist 22, 23, 49–59.
 */
import { describe, expect, it } from 'vitest'
import { accountKey } from '../../../src/core/ic/account.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import {
  addressText,
  feeCollectorSubaccount,
  withdrawalAccount,
} from '../../../src/core/minter/addresses.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/minter/constants.ts'
import { decodeBurnMemo } from '../../../src/core/minter/memo.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const subaccount = new Uint8Array(32).fill(9)

function funded(options?: ConstructorParameters<typeof TestMinter>[0]): TestMinter {
  const world = new TestMinter(options)
  world.deposit(alice, 10_000_000n)
  return world
}

/** Deposit first: moves ckBTC to the withdrawal account, then asks. */
function retrieve(world: TestMinter, amount: bigint, { address = ADDRESS, moved = amount } = {}) {
  world.ledger.move(alice, withdrawalAccount(MINTER, alice.owner), moved)
  return world.call('retrieve_btc', alice.owner, { address, amount })
}

const nothingBurned = (world: TestMinter): void => {
  expect(world.ledger.blocks.filter(({ type }) => type === 'burn')).toEqual([])
  expect(world.events('acceptedRetrieveBtcRequest')).toEqual([])
  expect(world.state.queue).toEqual([])
}

describe('an accepted withdrawal', () => {
  it('minter §23.54: burns from the withdrawal account, deposit first', () => {
    const world = funded()
    const { receivedAt } = { receivedAt: world.now }
    expect(retrieve(world, 100_000n)).toEqual({ type: 'ok', value: { blockIndex: 1n } })
    const burn = world.ledger.blocks[1]
    expect(burn).toMatchObject({
      amount: 100_000n,
      account: withdrawalAccount(MINTER, alice.owner),
    })
    const memo = { type: 'convert', address: ADDRESS, fee: undefined, status: 'accepted' }
    expect(burn && decodeBurnMemo(burn.memo)).toEqual(memo)
    expect(world.state.queue).toMatchObject([
      { amount: 100_000n, blockIndex: 1n, receivedAt, reimbursementAccount: alice },
    ])
    expect(world.status(1n)).toEqual({ type: 'pending' })
    const byAccount = world.call('retrieve_btc_status_v2_by_account', alice.owner, undefined)
    expect(byAccount).toEqual([{ blockIndex: 1n, status: { type: 'pending' } }])
  })

  it('minter §23.54: approved, is found by its subaccount, and its memo has the address alone', () => {
    const world = funded()
    const from = { ...alice, subaccount }
    world.ledger.move(alice, from, 500_000n)
    const before = world.ledger.balance(alice)
    expect(world.withdraw(from, ADDRESS, 100_000n).type).toBe('ok')
    expect(world.ledger.balance(from)).toBe(400_000n)
    expect(world.ledger.balance(alice)).toBe(before)
    const memo = { type: 'convert', address: ADDRESS, fee: undefined, status: undefined }
    const burn = world.ledger.blocks[1]
    expect(burn && decodeBurnMemo(burn.memo)).toEqual(memo)
    expect(world.state.queue[0]?.reimbursementAccount).toEqual(from)
    const of = (account: typeof from | undefined) =>
      world.call('retrieve_btc_status_v2_by_account', alice.owner, account)
    expect(of(from)).toEqual([{ blockIndex: 1n, status: { type: 'pending' } }])
    expect(of(undefined)).toEqual([])
  })

  it('minter §23.55: burns from the approved subaccount, where a reimbursement would go', () => {
    const world = funded()
    const from = { ...alice, subaccount }
    world.ledger.move(alice, from, 500_000n)
    expect(world.withdraw(from, ADDRESS, 100_000n).type).toBe('ok')
    expect(world.ledger.blocks[1]).toMatchObject({ type: 'burn', account: from, amount: 100_000n })
    expect(world.state.queue[0]?.reimbursementAccount).toEqual(from)
  })

  it('keeps the address as the caller wrote it', () => {
    const world = funded()
    world.withdraw(alice, ADDRESS.toUpperCase(), 100_000n)
    const burn = world.ledger.blocks[1]
    expect(burn && decodeBurnMemo(burn.memo)).toMatchObject({ address: ADDRESS.toUpperCase() })
  })

  it('minter §23.23: may pay a deposit address of a user: it comes back as a deposit', () => {
    const world = funded()
    const address = world.call('get_btc_address', user(2), {})
    expect(world.withdraw(alice, address, 100_000n).type).toBe('ok')
    world.wait(11_000_000_000n)
    world.sign()
    world.mine(6)
    expect(world.call('update_balance', user(2), {}).type).toBe('ok')
    expect(world.ledger.balance({ owner: user(2) })).toBe(100_000n - 705n - 300n - 100n)
  })

  it('takes a time of its own for each burn of a slot', () => {
    const world = funded()
    for (let i = 0; i < 3; i++) world.withdraw(alice, ADDRESS, 100_000n)
    const times = world.ledger.blocks.slice(1).map(({ createdAtTime }) => createdAtTime)
    expect(times).toEqual([world.now + 1n, world.now + 2n, world.now + 3n])
  })
})

describe('a refused withdrawal burns nothing:', () => {
  it('an anonymous caller', () => {
    const world = funded()
    const args = { address: ADDRESS, amount: 100_000n }
    expect(world.answer('retrieve_btc', anonymous, args).type).toBe('trap')
    expect(world.answer('retrieve_btc_with_approval', anonymous, args).type).toBe('trap')
    nothingBurned(world)
  })

  it.each([
    ['the main address', { owner: MINTER }],
    ['the fee collector', { owner: MINTER, subaccount: feeCollectorSubaccount() }],
    ["the caller's own withdrawal account", withdrawalAccount(MINTER, alice.owner)],
  ])('minter §23.22: to %s, in whichever case it is written', (_, own) => {
    const world = funded()
    const text = addressText(world.scriptOf(own), 'regtest')
    for (const address of [text, text.toUpperCase()])
      for (const method of ['retrieve_btc', 'retrieve_btc_with_approval'] as const)
        expect(world.answer(method, alice.owner, { address, amount: 100_000n }).type).toBe('trap')
    nothingBurned(world)
  })

  it('minter §23.49: an amount below the minimum', () => {
    const world = funded()
    const expected = { type: 'err', error: { type: 'amountTooLow', min: 50_000n } }
    expect(retrieve(world, 49_999n)).toEqual(expected)
    expect(world.withdraw(alice, 'no address', 49_999n)).toEqual(expected)
    nothingBurned(world)
  })

  it('a malformed address', () => {
    const world = funded()
    const malformed = { error: { type: 'malformedAddress' } }
    expect(retrieve(world, 100_000n, { address: `${ADDRESS}q` })).toMatchObject(malformed)
    expect(world.withdraw(alice, '', 100_000n)).toMatchObject(malformed)
    nothingBurned(world)
  })

  it('minter §23.50: a withdrawal account that is too poor', () => {
    const world = funded()
    expect(retrieve(world, 100_000n, { moved: 99_999n })).toEqual({
      type: 'err',
      error: { type: 'insufficientFunds', balance: 99_999n },
    })
    nothingBurned(world)
  })

  it('minter §23.51: an approval that is too small, or of an account that is too poor', () => {
    const world = funded()
    world.ledger.allowances.set(accountKey(alice), 99_999n)
    const args = { address: ADDRESS, amount: 100_000n }
    expect(world.call('retrieve_btc_with_approval', alice.owner, args)).toEqual({
      type: 'err',
      error: { type: 'insufficientAllowance', allowance: 99_999n },
    })
    const bob = { owner: user(2) }
    expect(world.withdraw(bob, ADDRESS, 100_000n)).toEqual({
      type: 'err',
      error: { type: 'insufficientFunds', balance: 0n },
    })
    nothingBurned(world)
  })

  it.each([
    [{ type: 'temporarilyUnavailable', message: 'stopped' } as const],
    [{ type: 'genericError', code: 5n, message: 'odd' } as const],
  ])('minter §23.52: a ledger that says %o', (failure) => {
    const world = funded()
    world.ledger.failure = failure
    const expected = { error: { type: 'temporarilyUnavailable' } }
    expect(retrieve(world, 100_000n)).toMatchObject(expected)
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject(expected)
    nothingBurned(world)
  })

  it('a ledger that says what cannot be', () => {
    const world = funded()
    world.ledger.failure = { type: 'impossible', message: 'duplicate' }
    const args = { address: ADDRESS, amount: 100_000n }
    expect(world.answer('retrieve_btc_with_approval', alice.owner, args).type).toBe('trap')
    nothingBurned(world)
    expect(world.state.volatile.retrieving.size).toBe(0)
  })

  it('minter §23.53: a destination that the checker refuses, or cannot judge', () => {
    const world = funded()
    const { checker } = world
    world.checker = { ...checker, checkAddress: () => ({ type: 'failed' }) }
    const tainted = { error: { type: 'genericError', code: 1n } }
    expect(retrieve(world, 100_000n)).toMatchObject(tainted)
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject(tainted)
    world.checker = { ...checker, checkAddress: () => ({ type: 'callFailed', message: 'm' }) }
    expect(retrieve(world, 100_000n)).toMatchObject({ error: { type: 'temporarilyUnavailable' } })
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject({
      error: { type: 'genericError', code: 2n },
    })
    nothingBurned(world)
    expect(world.status(1n)).toEqual({ type: 'unknown' })
  })

  it('minter §23.56: one more than 5,000 that are incomplete, or than was set', () => {
    expect(DEFAULT_SETTINGS.pendingRequestsMax).toBe(5_000)
    const world = funded({ settings: { pendingRequestsMax: 2 } })
    expect(world.withdraw(alice, ADDRESS, 100_000n).type).toBe('ok')
    world.wait(11_000_000_000n)
    expect(world.state.signing.size).toBe(1)
    world.deposit(alice, 10_000_000n)
    expect(world.withdraw(alice, ADDRESS, 100_000n).type).toBe('ok')
    const refused = { error: { type: 'temporarilyUnavailable' } }
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject(refused)
    world.sign()
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject(refused)
    world.mine(6)
    expect(world.withdraw(alice, ADDRESS, 100_000n).type).toBe('ok')
  })

  it('while the key is not made', () => {
    const world = funded()
    world.state.volatile.root = undefined
    const refused = { error: { type: 'temporarilyUnavailable' } }
    expect(world.withdraw(alice, ADDRESS, 100_000n)).toMatchObject(refused)
    nothingBurned(world)
  })

  it('what could not be paid now: too many coins, too few, or eaten by fees', () => {
    const fragmented = new TestMinter({ init: { checkFee: 100n, inputsMax: 60n } })
    for (let i = 0; i < 70; i++) fragmented.deposit(alice, 1_000n)
    const refused = { error: { type: 'temporarilyUnavailable' } }
    expect(fragmented.withdraw(alice, ADDRESS, 61_000n)).toMatchObject(refused)
    expect(fragmented.withdraw(alice, ADDRESS, 80_000n)).toMatchObject(refused)
    nothingBurned(fragmented)
  })

  it('minter §23.59: exactly the minimum, when coins are small and fees high', () => {
    const world = new TestMinter()
    for (let i = 0; i < 120; i++) world.deposit(alice, 1_000n)
    world.chain.rates = Array.from({ length: 101 }, () => 20_000n)
    world.chain.isSet = true
    const result = world.withdraw(alice, ADDRESS, 50_000n)
    const error = result.type === 'err' ? result.error : undefined
    expect(error?.type).toMatch(/amountTooLow|temporarilyUnavailable/)
    nothingBurned(world)
    world.deposit(alice, 10_000_000n)
    const again = world.withdraw(alice, ADDRESS, 50_000n)
    expect(again.type).toBe('ok') // One large coin pays it at once.
  })

  it('eaten by fees names an amount that is then accepted', () => {
    const world = funded()
    world.chain.rates = Array.from({ length: 101 }, () => 500_000n)
    world.chain.isSet = true
    const result = world.withdraw(alice, ADDRESS, 60_000n)
    expect(result).toEqual({
      type: 'err',
      error: { type: 'amountTooLow', min: 141n * 500n + 300n + 547n },
    })
    nothingBurned(world)
    expect(world.withdraw(alice, ADDRESS, 141n * 500n + 300n + 546n).type).toBe('err')
    expect(world.withdraw(alice, ADDRESS, 141n * 500n + 300n + 547n).type).toBe('ok')
  })
})

it('minter §23.57: two calls of one account at once are not served, of two subaccounts they are', () => {
  const world = funded()
  const answers: string[] = []
  const { checker } = world
  world.checker = {
    ...checker,
    checkAddress() {
      world.checker = checker
      for (const account of [alice, { ...alice, subaccount }]) {
        world.ledger.move(alice, { ...alice, subaccount }, 100_000n)
        const result = world.withdraw(account, ADDRESS, 100_000n)
        answers.push(result.type === 'err' ? result.error.type : 'ok')
      }
      return { type: 'passed' }
    },
  }
  expect(world.withdraw(alice, ADDRESS, 100_000n).type).toBe('ok')
  expect(answers).toEqual(['alreadyProcessing', 'ok'])
  expect(world.state.queue.length).toBe(2)
})
