/**
 * Goal: a transaction of too many inputs is taken back by one of few of them, and whichever of the two
 * confirms, everybody has what is theirs once. Source: minter §14.3, checklist 89, 90 [H 9].
 *
 * Method: 1,799 inputs are never signed: the transaction is put into the log as the deployed minter
 * would have. Where signatures matter, the limit is lowered by an upgrade.
 */
import { describe, expect, it } from 'vitest'
import { decodeTransaction, outpointKey } from '../../../src/core/btc/transaction.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { appendEvent, emptyLog, eventsOf } from '../../../src/core/minter/events/event-log.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import type { SubmittedTransaction } from '../../../src/core/minter/state/state.ts'
import { requestsOf } from '../../../src/core/minter/state/state.ts'
import { MINTER, someTxid, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND
const alice = { owner: user(1) }
const bob = { owner: user(2) }

const first = <T>(values: Iterable<T>): T => {
  for (const value of values) return value
  return expect.unreachable('there is one')
}
const newest = ({ state }: TestMinter): SubmittedTransaction => first(state.submitted.values())
const transactionOf = ({ signedTransaction }: SubmittedTransaction) =>
  decodeTransaction(signedTransaction ?? expect.unreachable('the bytes are kept'))
const equation = (world: TestMinter) => reserveEquation(world.state, world.ledger.supply)

const INPUTS = 1_799
const COIN = 100_000n
/** Two withdrawals that need all coins. */
const AMOUNTS = [89_000_000n, 90_000_000n] as const
const OLD = someTxid(77)
const OLD_FEE = { bitcoinFee: 600_000n, minterFee: 146n * BigInt(INPUTS) + 4n * 3n + 26n }
const CHANGE = BigInt(INPUTS) * COIN - AMOUNTS[0] - AMOUNTS[1] + OLD_FEE.minterFee

/** From before the limit: 1,799 coins pay two withdrawals, and nobody has the transaction. */
function large(): TestMinter {
  const world = new TestMinter({ settings: { depositsPerCallMax: 1_000 } })
  const script = world.scriptOf(alice)
  for (let i = 0; i < INPUTS; i++) world.chain.pay(script, COIN)
  for (let i = 0; i < 2; i++) world.call('update_balance', alice.owner, alice)
  world.ledger.move(alice, bob, AMOUNTS[0])
  world.withdraw(bob, ADDRESS, AMOUNTS[0])
  world.withdraw(alice, ADDRESS, AMOUNTS[1])
  contextOf(world.minter, world.world).record({
    type: 'sentTransaction',
    requests: world.state.queue.map(({ blockIndex }) => blockIndex),
    txid: OLD,
    utxos: [...world.state.availableUtxos.values()],
    changeOutput: { vout: 2, value: CHANGE },
    submittedAt: world.now,
    fee: 5_000n,
    withdrawalFee: OLD_FEE,
  })
  world.check()
  return world
}

/** A day later its cancellation is signed and sent. Made once: each test takes a copy. */
const original = (() => {
  const world = large()
  world.wait(DAY + SECOND)
  world.sign()
  return world
})()

function cancelled() {
  const world = original.copy()
  const burns = requestsOf(newest(world).purpose).map(({ blockIndex }) => blockIndex)
  const [one = 0n, other = 0n] = burns
  return { world, burns: [one, other] as const, cancellation: newest(world) }
}

/** What alice and bob have to get back together, by the statuses. */
const amountsBack = (world: TestMinter, burns: readonly bigint[]): readonly bigint[] =>
  burns.map((burn) => {
    const status = world.status(burn)
    if (status.type === 'willReimburse') return status.request.amount
    return status.type === 'reimbursed' ? status.deposit.amount : 0n
  })

describe('a transaction of 1,799 inputs', () => {
  it('minter §23.89: is cancelled by one input, and its withdrawals come back', () => {
    const { world, burns, cancellation } = cancelled()
    const { purpose, utxos, withdrawalFee } = cancellation
    expect(purpose).toMatchObject({
      type: 'toCancel',
      error: { type: 'tooManyInputs', inputs: 1_799n, inputsMax: 1_000n },
    })
    expect(utxos.length).toBe(1)
    const main = world.scriptOf({ owner: MINTER })
    expect(transactionOf(cancellation).outputs.map(({ script }) => script)).toEqual([main, main])
    const fees = (withdrawalFee?.bitcoinFee ?? 0n) + (withdrawalFee?.minterFee ?? 0n)
    expect(fees).toBe(705n + 300n)
    const owed = [AMOUNTS[0] - 503n, AMOUNTS[1] - 502n]
    expect(amountsBack(world, burns)).toEqual(owed) // [H 9], before it is final.
    expect(world.status(burns[0]).type).toBe('willReimburse')
    world.mine(6)
    expect(burns.map((burn) => world.status(burn).type)).toEqual(['reimbursed', 'reimbursed'])
    expect(amountsBack(world, burns)).toEqual(owed)
    expect(world.ledger.balance(bob)).toBe(owed[0])
    expect(world.state.availableUtxos.size).toBe(INPUTS - 1 + 2)
    expect([world.state.submitted, world.state.stuck].map(({ size }) => size)).toEqual([0, 0])
    expect(equation(world)).toMatchObject({ balanced: true, covered: true, pending: 0n })
    const kinds = world.events().map(({ payload }) => payload.type)
    expect(kinds.slice(-6)).toEqual([
      'receivedUtxos',
      'confirmedTransaction',
      'scheduleWithdrawalReimbursement',
      'scheduleWithdrawalReimbursement',
      'reimbursedWithdrawal',
      'reimbursedWithdrawal',
    ])
    const replayed = replay([...eventsOf(world.minter.log)], MINTER)
    expect({ ...replayed, volatile: 0 }).toEqual({ ...world.state, volatile: 0 })
  })

  it('minter §23.89: that confirms after all is final, and nothing comes back', () => {
    const { world, burns } = cancelled()
    const balances = [world.ledger.balance(alice), world.ledger.balance(bob)]
    world.chain.mempool.splice(0)
    for (const { outpoint } of first(world.state.stuck.values()).utxos)
      world.chain.utxosByKey.delete(outpointKey(outpoint))
    const outpoint = { txid: OLD, vout: 2 }
    const change = world.chain.pay(world.scriptOf({ owner: MINTER }), CHANGE, 6)
    world.chain.utxosByKey.delete(outpointKey(change.outpoint))
    world.chain.utxosByKey.set(outpointKey(outpoint), { ...change, outpoint })
    world.mine()
    const paid = { type: 'confirmed', txid: OLD }
    expect(burns.map((burn) => world.status(burn))).toEqual([paid, paid])
    world.wait(2n * DAY)
    expect(world.events('scheduleWithdrawalReimbursement')).toEqual([])
    expect([world.ledger.balance(alice), world.ledger.balance(bob)]).toEqual(balances)
    expect(world.state.availableUtxos.size).toBe(1)
    expect(equation(world)).toMatchObject({ balanced: true, covered: true, pending: 0n })
  })
})

/** Three coins pay one withdrawal; then a transaction may have two inputs. */
function lowered(options: { readonly before?: bigint } = {}) {
  const world = new TestMinter()
  for (let i = 0; i < 3; i++) world.deposit(alice, 100_000n)
  world.withdraw(alice, ADDRESS, 250_000n)
  if (options.before !== undefined) setRate(world, options.before)
  world.wait(11n * SECOND)
  world.sign()
  const old = newest(world)
  world.upgrade({ type: 'upgrade', args: { inputsMax: 2n } })
  return { world, old, burn: 3n }
}

function setRate(world: TestMinter, rate: bigint): void {
  world.chain.rates = Array.from({ length: 101 }, () => rate)
  world.chain.isSet = true
}

/** The next blocks take this transaction and no other. */
function confirm(world: TestMinter, transaction: SubmittedTransaction, blocks = 6): void {
  world.chain.mempool.splice(0)
  world.chain.mempool.push(transactionOf(transaction))
  world.mine(blocks)
}

describe('where the limit was lowered', () => {
  it('minter §23.90: a cancellation that is stuck is replaced as any other', () => {
    const { world, burn } = lowered()
    world.wait(DAY)
    world.sign()
    const before = newest(world)
    world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 90_000n } })
    world.wait(DAY + SECOND)
    world.sign()
    const after = newest(world)
    expect(after.purpose).toEqual(before.purpose)
    expect(after.utxos).toEqual(before.utxos)
    expect(after.feeRate).toBeGreaterThan((before.feeRate ?? 0n) + 900n)
    const [one, other] = [transactionOf(before), transactionOf(after)]
    expect(other.outputs[1]).toEqual(one.outputs[1]) // The amount of then.
    confirm(world, after)
    const fees = (after.withdrawalFee?.bitcoinFee ?? 0n) + 300n
    expect(world.status(burn)).toMatchObject({
      type: 'reimbursed',
      deposit: { account: alice, amount: 250_000n - fees },
    })
    expect(world.state.availableUtxos.size).toBe(4)
    expect(equation(world)).toMatchObject({ balanced: true, covered: true })
  })

  it.each([
    ['the first one', 0, 'confirmed'],
    ['the cancellation that was replaced', 1, 'reimbursed'],
    ['its replacement', 2, 'reimbursed'],
  ])('%s may confirm', (_, member, end) => {
    const { world, old, burn } = lowered()
    const chain = [old]
    for (let i = 0; i < 2; i++) {
      world.wait(DAY + SECOND)
      world.sign()
      chain.push(newest(world))
    }
    const before = world.ledger.balance(alice)
    confirm(world, chain[member] ?? old)
    expect(world.status(burn).type).toBe(end)
    const back = world.ledger.balance(alice) - before
    expect(back > 0n).toBe(end === 'reimbursed')
    expect(world.state.availableUtxos.size).toBe(member === 0 ? 1 : 4)
    expect([world.state.submitted.size, world.state.stuck.size]).toEqual([0, 0])
    expect(equation(world)).toMatchObject({ balanced: true, covered: true, pending: 0n })
  })

  it('nodes that have the old one take the cancellation in its place', () => {
    const { world, old } = lowered({ before: 20_000n })
    setRate(world, 1_000n)
    expect(world.chain.mempool.length).toBe(1)
    world.wait(DAY + SECOND)
    world.sign()
    const { feeRate = 0n, withdrawalFee, txid } = newest(world)
    expect(feeRate).toBeGreaterThan(old.feeRate ?? 0n)
    expect(withdrawalFee?.bitcoinFee).toBeGreaterThan(old.withdrawalFee?.bitcoinFee ?? 0n)
    world.mine(6)
    expect(world.status(3n).type).toBe('reimbursed')
    expect(world.events('confirmedTransaction').at(-1)?.payload).toMatchObject({ txid })
  })

  it('a fee that the output could not bear leaves the present rate', () => {
    const { world } = lowered({ before: 250_000n })
    setRate(world, 1_000n)
    world.wait(DAY + SECOND)
    world.sign()
    expect(newest(world).withdrawalFee?.bitcoinFee).toBe(141n)
  })

  it('a cancellation that would have too many inputs waits, and is not cancelled itself', () => {
    const { world, old } = lowered()
    world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 250_000n } })
    world.wait(DAY + SECOND)
    expect(newest(world)).toEqual(old)
    expect([...world.state.volatile.delayed.values()].map(({ reason }) => reason)).toEqual([
      'tooManyInputs',
    ])
    world.upgrade({ type: 'upgrade', args: { retrieveMinAmount: 150_000n } })
    world.wait(DAY)
    world.sign()
    expect(newest(world).utxos.length).toBe(2)
    world.upgrade({ type: 'upgrade', args: { inputsMax: 1n, retrieveMinAmount: 50_000n } })
    world.wait(DAY + SECOND)
    expect(world.state.signing.size).toBe(0)
    expect(newest(world).purpose.type).toBe('toCancel')
  })

  it('a limit that is raised again in time makes it a replacement like any other', () => {
    const { world, burn } = lowered()
    world.upgrade({ type: 'upgrade', args: { inputsMax: 1_000n } })
    world.wait(DAY + SECOND)
    world.sign()
    expect(newest(world).purpose.type).toBe('toConfirm')
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
  })

  it('the old one confirms while the cancellation is signed: paid, and never returned', () => {
    const { world, old, burn } = lowered()
    world.wait(DAY + SECOND)
    expect(world.state.signing.size).toBe(1)
    expect(world.status(burn).type).toBe('submitted')
    confirm(world, old)
    expect(world.state.signing.size).toBe(0)
    expect(world.outstanding()).toEqual([])
    expect(world.status(burn).type).toBe('confirmed')
    expect(world.events('scheduleWithdrawalReimbursement')).toEqual([])
  })

  it('a log that ends between its last events leads to the same ones', () => {
    const { world } = lowered()
    world.wait(DAY + SECOND)
    world.sign()
    world.mine(6)
    const whole = [...eventsOf(world.minter.log)].map(({ payload }) => payload)
    const kinds = whole.slice(-4).map(({ type }) => type)
    expect(kinds).toEqual([
      'receivedUtxos',
      'confirmedTransaction',
      'scheduleWithdrawalReimbursement',
      'reimbursedWithdrawal',
    ])
    for (const cut of [2, 3]) {
      const log = emptyLog()
      for (const payload of whole.slice(0, -cut)) appendEvent(log, { payload })
      const { chain } = world
      const again = new TestMinter()
      again.minter = { ...world.minter, log, state: replay(eventsOf(log), MINTER) }
      again.now = world.now
      again.check()
      again.chain.tipHeight = chain.tipHeight
      for (const [key, utxo] of chain.utxosByKey) again.chain.utxosByKey.set(key, utxo)
      if (cut === 2) expect(again.status(3n).type).toBe('willReimburse')
      again.upgrade()
      const ended = [...eventsOf(again.minter.log)].slice(-cut).map(({ payload }) => payload.type)
      expect(ended).toEqual(kinds.slice(-cut))
      expect(again.status(3n).type).toBe('reimbursed')
    }
  })
})
