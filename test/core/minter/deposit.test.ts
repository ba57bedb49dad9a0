/**
 * `update_balance` case by case. Source: minter §5, §6, checklist 24–47 as far as calls end in
 * their slot.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { decodeMintMemo } from '../../../src/core/minter/memo.ts'
import type { CheckTransactionResult } from '../../../src/core/minter/ports.ts'
import { acceptAll } from '../../../src/core/minter/ports.ts'
import { compareAsListed } from '../../../src/core/minter/state/coin-set.ts'
import type { UpdateBalanceResult } from '../../../src/core/minter/types.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const HOUR = 3_600_000_000_000n
const DAY = 24n * HOUR
const alice = { owner: user(1) }
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

const update = (world: TestMinter, account = alice): UpdateBalanceResult =>
  world.call('update_balance', account.owner, account)

const types = (result: UpdateBalanceResult): readonly string[] =>
  result.type === 'ok' ? result.value.map(({ type }) => type) : [result.error.type]

const error = (result: UpdateBalanceResult) =>
  result.type === 'err' ? result.error : expect.unreachable('served')

/** A checker that gives these answers in turn, then passes all. */
function checkerOf(world: TestMinter, ...answers: CheckTransactionResult[]) {
  const calls: string[] = []
  world.checker = {
    checkAddress: () => ({ type: 'passed' }),
    checkTransaction(txid) {
      calls.push(toHex(txid))
      return answers.shift() ?? { type: 'passed' }
    },
  }
  return calls
}
const tainted: CheckTransactionResult = { type: 'failed', addresses: ['x'] }

describe('confirmations', () => {
  it('minter §23.24: that do not suffice are counted', () => {
    const world = new TestMinter({ init: { minConfirmations: 12 } })
    const { outpoint, value } = world.pay(alice, 50_000n, 2)
    expect(error(update(world))).toEqual({
      type: 'noNewUtxos',
      currentConfirmations: 2,
      requiredConfirmations: 12,
      pendingUtxos: [{ outpoint, value, confirmations: 2 }],
      suspendedUtxos: [],
    })
  })

  it('minter §23.25: that suffice mint once', () => {
    const world = new TestMinter({ init: { minConfirmations: 3 } })
    const { outpoint, value, height } = world.pay(alice, 50_000n, 3)
    const utxo = { outpoint, value, height }
    expect(update(world)).toEqual({
      type: 'ok',
      value: [{ type: 'minted', blockIndex: 0n, mintedAmount: 49_900n, utxo }],
    })
    expect(error(update(world))).toEqual({
      type: 'noNewUtxos',
      currentConfirmations: undefined,
      requiredConfirmations: 3,
      pendingUtxos: [],
      suspendedUtxos: [],
    })
    expect(world.ledger.balance(alice)).toBe(49_900n)
  })

  it('are asked of the Bitcoin side, which may be away', () => {
    const world = new TestMinter()
    world.chain.isDown = true
    expect(error(update(world)).type).toBe('temporarilyUnavailable')
  })
})

describe('who may ask', () => {
  it.each([
    ['the anonymous caller', anonymous, {}],
    ['anybody for the minter', user(1), { owner: MINTER }],
    ['anybody for the anonymous owner', user(1), { owner: anonymous }],
    ['the minter for itself', MINTER, {}],
  ])('minter §23.26: is not %s', (_, caller, args) => {
    const world = new TestMinter()
    world.pay({ owner: MINTER }, 50_000n)
    world.pay({ owner: anonymous }, 50_000n)
    expect(world.answer('update_balance', caller, args).type).toBe('trap')
    expect(world.ledger.blocks).toEqual([])
  })

  it('must wait for the key', () => {
    const world = new TestMinter()
    world.state.volatile.root = undefined
    expect(error(update(world)).type).toBe('temporarilyUnavailable')
  })
})

it('minter §23.27: a credited deposit is known, and its memo names the coin', () => {
  const world = new TestMinter()
  const { outpoint, value, height } = world.pay(alice, 50_000n)
  update(world)
  const [block] = world.ledger.blocks
  const memo = { type: 'convert', txid: outpoint.txid, vout: 0, fee: 100n }
  expect(block && decodeMintMemo(block.memo)).toEqual(memo)
  const known = world.call('get_known_utxos', anonymous, alice)
  expect(known).toEqual([{ outpoint, value, height }])
  expect(world.ledger.balance(alice)).toBe(49_900n)
  expect(world.events().map(({ payload }) => payload.type)).toEqual([
    'init',
    'checkedUtxoV2',
    'receivedUtxos',
  ])
})

describe('a suspended coin', () => {
  it.each([
    ['minter §23.28: as large as the check fee', 1_000n, 1_000n, 0n],
    ['minter §23.45: below the deposit minimum and above the fee', 5_000n, 100n, 5_001n],
  ])('%s, waits a day, and the same outcome again is no event', (_, value, checkFee, min) => {
    const world = new TestMinter({ init: { checkFee, depositMinAmount: min } })
    const { outpoint, height } = world.pay(alice, value)
    const utxo = { outpoint, value, height }
    const checkedAt = world.now
    expect(update(world)).toEqual({ type: 'ok', value: [{ type: 'valueTooSmall', utxo }] })
    world.wait(DAY - 1n)
    const suspended = { utxo, reason: 'valueTooSmall', earliestRetry: checkedAt + DAY }
    expect(error(update(world))).toMatchObject({ suspendedUtxos: [suspended], pendingUtxos: [] })
    world.wait(1n)
    expect(types(update(world))).toEqual(['valueTooSmall'])
    expect(error(update(world))).toMatchObject({
      suspendedUtxos: [{ ...suspended, earliestRetry: checkedAt + 2n * DAY }],
    })
    expect(world.events('suspendedUtxo').length).toBe(1)
    expect(world.ledger.blocks).toEqual([])
  })

  it('minter §23.32: that is quarantined is minted when it passes after a day', () => {
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    checkerOf(world, tainted)
    expect(types(update(world))).toEqual(['tainted'])
    world.wait(DAY - 1n)
    expect(types(update(world))).toEqual(['noNewUtxos'])
    world.wait(1n)
    expect(types(update(world))).toEqual(['minted'])
    expect(world.state.suspendedUtxos.size).toBe(0)
  })

  it('minter §23.33: is looked at again at once after an upgrade', () => {
    const world = new TestMinter()
    world.pay(alice, 100n)
    world.pay(alice, 50_000n)
    checkerOf(world, tainted)
    expect([...types(update(world))].sort()).toEqual(['tainted', 'valueTooSmall'])
    expect(types(update(world))).toEqual(['noNewUtxos'])
    world.upgrade()
    expect(types(update(world))).toEqual(['valueTooSmall', 'minted'])
  })

  it('minter §23.29: that is tainted waits a day, and the same outcome again is no event', () => {
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    const calls = checkerOf(world, tainted, tainted)
    expect(types(update(world))).toEqual(['tainted'])
    expect(types(update(world))).toEqual(['noNewUtxos'])
    world.wait(DAY)
    expect(types(update(world))).toEqual(['tainted'])
    expect(world.events('suspendedUtxo').length).toBe(1)
    expect(calls.length).toBe(2)
    world.wait(DAY)
    expect(types(update(world))).toEqual(['minted'])
    expect(world.state.suspendedUtxos.size).toBe(0)
  })

  it('minter §23.30: that was too small can turn out tainted, which is another event', () => {
    const world = new TestMinter({ init: { checkFee: 1_000n } })
    world.pay(alice, 1_000n)
    update(world)
    world.upgrade({ type: 'upgrade', args: { checkFee: 100n } })
    world.wait(DAY)
    checkerOf(world, tainted)
    expect(types(update(world))).toEqual(['tainted'])
    const reasons = world.events('suspendedUtxo').map(({ payload }) => payload)
    expect(reasons).toMatchObject([{ reason: 'valueTooSmall' }, { reason: 'quarantined' }])
  })

  it('minter §23.31: that was too small is minted when the fee is lower and it passes', () => {
    const world = new TestMinter({ init: { checkFee: 1_000n } })
    world.pay(alice, 1_000n)
    update(world)
    world.upgrade({ type: 'upgrade', args: { checkFee: 100n } })
    expect(types(update(world))).toEqual(['minted'])
    expect(world.ledger.balance(alice)).toBe(900n)
    expect(world.state.suspendedUtxos.size).toBe(0)
    const kinds = world.events('checkedUtxoV2', 'receivedUtxos').map(({ payload }) => payload.type)
    expect(kinds).toEqual(['checkedUtxoV2', 'receivedUtxos'])
  })

  it('comes after new ones: new, once too small, once quarantined, each group as listed', () => {
    const world = new TestMinter()
    world.pay(alice, 90_000n)
    world.pay(alice, 100n)
    world.checker = {
      ...world.checker,
      checkTransaction: () => ({ type: 'failed', addresses: [] }),
    }
    update(world)
    world.checker = acceptAll
    world.wait(DAY)
    const fresh = [world.pay(alice, 70_000n), world.pay(alice, 60_000n), world.pay(alice, 65_000n)]
    const result = update(world)
    const outcomes = result.type === 'ok' ? result.value.map((s) => [s.type, s.utxo.value]) : []
    expect(outcomes).toEqual([
      ...fresh.sort(compareAsListed).map(({ value }) => ['minted', value]),
      ['valueTooSmall', 100n],
      ['minted', 90_000n],
    ])
  })
})

describe('the checker', () => {
  it('minter §23.35: is asked again while it wants cycles, ten times in all', () => {
    const more: CheckTransactionResult = { type: 'notEnoughCycles' }
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    expect(checkerOf(world, more, more) && types(update(world))).toEqual(['minted'])
    world.pay(alice, 60_000n)
    const calls = checkerOf(world, ...Array.from({ length: 11 }, () => more))
    expect(error(update(world))).toMatchObject({ type: 'genericError', code: 2n })
    expect(calls.length).toBe(10)
  })

  it.each<readonly [CheckTransactionResult, object]>([
    [
      { type: 'retriable', message: 'm' },
      { type: 'temporarilyUnavailable', message: 'm' },
    ],
    [
      { type: 'callFailed', message: 'm' },
      { type: 'temporarilyUnavailable', message: 'm' },
    ],
    [
      { type: 'error', message: 'm' },
      { type: 'genericError', code: 2n, message: 'm' },
    ],
  ])('minter §23.36: %o ends the call', (answer, expected) => {
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    checkerOf(world, answer)
    expect(error(update(world))).toEqual(expected)
    expect(types(update(world))).toEqual(['minted'])
  })

  it('that stops at the second coin leaves the first minted, and the second for later', () => {
    const world = new TestMinter()
    const coins = [world.pay(alice, 50_000n), world.pay(alice, 60_000n)].sort(compareAsListed)
    const [first = 0n, second = 0n] = coins.map(({ value }) => value - 100n)
    checkerOf(world, { type: 'passed' }, { type: 'error', message: 'm' })
    expect(types(update(world))).toEqual(['genericError'])
    expect(world.ledger.balance(alice)).toBe(first)
    expect(types(update(world))).toEqual(['minted'])
    expect(world.ledger.balance(alice)).toBe(first + second)
  })
})

it('minter §23.37: a coin that the ledger did not take is minted later without another check', () => {
  const world = new TestMinter()
  world.pay(alice, 50_000n)
  const calls = checkerOf(world)
  world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
  expect(types(update(world))).toEqual(['checked'])
  world.ledger.failure = undefined
  expect(types(update(world))).toEqual(['minted'])
  expect(calls.length).toBe(1)
})

describe('one call at a time', () => {
  /** What a second call answers while the first is inside the ledger. */
  function during(second: (world: TestMinter) => UpdateBalanceResult, concurrentMax = 100) {
    const world = new TestMinter({ settings: { concurrentMax } })
    world.pay(alice, 50_000n)
    let answer: UpdateBalanceResult | undefined
    world.ledger.duringMint = () => {
      world.ledger.duringMint = () => undefined
      answer = second(world)
    }
    expect(types(update(world))).toEqual(['minted'])
    expect(types(update(world))).toEqual(['noNewUtxos']) // The first one's guard is gone.
    return { answer: answer === undefined ? [] : types(answer), world }
  }

  it('for an account, whichever way its subaccount is written', () => {
    const zeros = { ...alice, subaccount: new Uint8Array(32) }
    expect(during(update).answer).toEqual(['alreadyProcessing'])
    expect(during((world) => update(world, zeros)).answer).toEqual(['alreadyProcessing'])
  })

  it('while another subaccount of the same owner is served', () => {
    const other = { ...alice, subaccount: new Uint8Array(32).fill(1) }
    expect(during((world) => update(world, other)).answer).toEqual(['noNewUtxos'])
  })

  it('and at most a hundred accounts at once', () => {
    const bob = { owner: user(2) }
    expect(during((world) => update(world, bob), 1).answer).toEqual(['temporarilyUnavailable'])
    expect(during((world) => update(world, bob), 2).answer).toEqual(['noNewUtxos'])
  })
})

describe('an outpoint is credited at most once, ever', () => {
  it('minter §23.41: nor is any of three pages, and their latency is that of three pages', () => {
    const world = new TestMinter({ settings: { depositsPerCallMax: 3_000 } })
    const script = world.scriptOf(alice)
    for (let i = 0; i < 2_100; i++) world.chain.pay(script, i % 700 === 0 ? 50_000n : 100n)
    const statuses = types(update(world))
    expect([statuses.length, statuses.filter((type) => type === 'minted').length]).toEqual([
      2_100, 3,
    ])
    expect(world.ledger.balance(alice)).toBe(3n * 49_900n)
    expect([...world.state.volatile.observed.utxosLatency.client.keys()]).toEqual([3])
  })

  /** Deposits, redeems nearly all of it, and lets the payment become final. */
  function spent() {
    const world = new TestMinter()
    const utxo = world.pay(alice, 1_000_000n)
    update(world)
    world.withdraw(alice, ADDRESS, 900_000n)
    world.wait(11_000_000_000n)
    world.sign()
    world.mine(6)
    expect(world.status(1n).type).toBe('confirmed')
    expect(world.call('get_known_utxos', user(1), alice)).toEqual([])
    return { world, utxo }
  }

  it('when a stale view still lists it after it was spent and forgotten', () => {
    const { world, utxo } = spent()
    world.chain.stale = [utxo]
    expect(types(update(world))).toEqual(['noNewUtxos'])
    expect(world.ledger.blocks.filter(({ type }) => type === 'mint').length).toBe(1)
  })

  it('also after an upgrade', () => {
    const { world, utxo } = spent()
    world.upgrade(undefined)
    world.chain.stale = [utxo]
    expect(types(update(world))).toEqual(['noNewUtxos'])
  })

  it('when the Bitcoin side lists it twice in one answer', () => {
    const world = new TestMinter()
    world.chain.stale = [world.pay(alice, 50_000n)]
    expect(types(update(world))).toEqual(['minted'])
    expect(world.ledger.blocks.length).toBe(1)
  })

  it('when others credited it between its check and its mint', () => {
    const world = new TestMinter()
    const { outpoint } = world.pay(alice, 50_000n)
    world.checker = {
      checkAddress: () => ({ type: 'passed' }),
      checkTransaction() {
        world.state.mintedOutpoints.add(outpointKey(outpoint))
        return { type: 'passed' }
      },
    }
    expect(update(world)).toEqual({ type: 'ok', value: [] })
    expect(world.ledger.blocks).toEqual([])
  })
})

it('one call works off a limited number of deposits, the next ones the rest', () => {
  const world = new TestMinter({ settings: { depositsPerCallMax: 3 } })
  world.pay(alice, 100n)
  for (let i = 0; i < 6; i++) world.pay(alice, 50_000n)
  const calls = [update(world), update(world), update(world), update(world)].map(types)
  expect(calls.map((statuses) => statuses.length)).toEqual([3, 3, 1, 1])
  expect(calls.flat().filter((type) => type === 'minted').length).toBe(6)
  expect(calls[3]).toEqual(['noNewUtxos'])
})

describe('what is not processed', () => {
  it('minter §23.47: is a coin of value zero, and no state is kept for it', () => {
    const world = new TestMinter()
    world.pay(alice, 0n)
    expect(types(update(world))).toEqual(['noNewUtxos'])
    expect(world.events().length).toBe(1)
    expect(world.state.volatile.lastChecked.size).toBe(0)
  })

  it('minter §23.47: is a coin of value zero beside one that is minted', () => {
    const world = new TestMinter({ init: { depositMinAmount: 0n, checkFee: 0n } })
    world.pay(alice, 0n)
    world.pay(alice, 50_000n)
    expect(types(update(world))).toEqual(['minted'])
    expect(world.events('suspendedUtxo', 'checkedUtxoV2').length).toBe(1)
    expect(world.state.volatile.lastChecked.size).toBe(0)
    expect(error(update(world))).toMatchObject({ type: 'noNewUtxos', suspendedUtxos: [] })
  })

  it('is a coin whose mint has an unknown outcome, while others are minted', () => {
    const world = new TestMinter()
    const unknown = world.pay(alice, 50_000n)
    const { outpoint, value, height } = unknown
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    update(world)
    const checked = world.state.checkedUtxos
    for (const [key, entry] of checked)
      checked.set(key, { ...entry, status: 'cleanButMintUnknown' })
    world.ledger.failure = undefined
    world.pay(alice, 60_000n)
    const result = update(world)
    expect(types(result)).toEqual(['minted'])
    expect(result).not.toMatchObject({ value: [{ utxo: { outpoint, value, height } }] })
    expect(world.ledger.balance(alice)).toBe(59_900n)
  })

  it('is an account without coins: nothing of it stays', () => {
    const world = new TestMinter()
    for (let number = 1; number < 50; number++) update(world, { owner: user(number) })
    expect(world.state.accountUtxos.size).toBe(0)
    expect(world.state.volatile.watched.size).toBe(0)
    expect(world.events().length).toBe(1)
  })
})
