/**
 * Goal: what does not confirm is replaced by what nodes take in its place, never twice at a time, and
 * whichever of them confirms ends the matter. Source: minter §§12 to 14 [H 2, H 10, H 14].
 */
import { describe, expect, it } from 'vitest'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import { decodeTransaction, vsize } from '../../../src/core/btc/transaction.ts'
import { reserveEquation } from '../../../src/core/minter/reserve.ts'
import type { SubmittedTransaction } from '../../../src/core/minter/state.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const OTHER = 'bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6'
const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND
const alice = { owner: user(1) }

function setRate(world: TestMinter, rate: bigint): void {
  world.chain.rates = Array.from({ length: 101 }, () => rate)
  world.chain.isSet = true
}

/** Coins of alice's, of which a withdrawal is on its way that no block takes. */
function sent(inputs = 1, options: WorldOptions = {}): TestMinter {
  const world = new TestMinter(options)
  for (let i = 0; i < inputs; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 1_000_000n * BigInt(inputs) - 200_000n)
  world.wait(11n * SECOND)
  world.sign()
  expect(world.state.submitted.size).toBe(1)
  return world
}

const first = <T>(values: Iterable<T>): T => {
  for (const value of values) return value
  return expect.unreachable('there is one')
}
const newest = ({ state }: TestMinter): SubmittedTransaction => first(state.submitted.values())
const bytesOf = ({ signedTransaction }: SubmittedTransaction): Uint8Array =>
  signedTransaction ?? expect.unreachable('the bytes are kept')
const transactionOf = (sent: SubmittedTransaction): Transaction => decodeTransaction(bytesOf(sent))

/** A day without a block: the newest is replaced by the next one. */
function bump(world: TestMinter): SubmittedTransaction {
  const { txid } = newest(world)
  world.wait(DAY)
  world.sign()
  const next = newest(world)
  expect(next.txid).not.toEqual(txid)
  return next
}

/** The next blocks take this transaction and no other of its chain. */
function confirm(world: TestMinter, transaction: SubmittedTransaction, blocks = 6): void {
  world.chain.mempool.splice(0)
  world.chain.mempool.push(transactionOf(transaction))
  world.mine(blocks)
}

function expectNothingLeft({ state }: TestMinter): void {
  const { submitted, stuck, replacedBy, replaces, signing, volatile } = state
  const { unsent, lastSent, delayed, open, resting } = volatile
  const sizes = [submitted, stuck, replacedBy, replaces, signing, unsent, lastSent, delayed]
  expect([...sizes, open, resting].map(({ size }) => size)).toEqual(Array(10).fill(0))
}

const totalOut = ({ outputs }: Transaction): bigint =>
  outputs.reduce((sum, { value }) => sum + value, 0n)

describe('a transaction that does not confirm', () => {
  it('minter §23.81: is replaced after a day, not a second before, at a higher fee', () => {
    const world = sent(3)
    const old = newest(world)
    world.wait(DAY - SECOND)
    expect(world.state.signing.size).toBe(0)
    world.wait(6n * SECOND)
    expect(world.state.signing.size).toBe(1)
    world.sign()
    const [before, after] = [transactionOf(old), transactionOf(newest(world))]
    expect(after.inputs.map(({ outpoint }) => outpoint)).toEqual(
      before.inputs.map(({ outpoint }) => outpoint),
    )
    expect(after.outputs.map(({ script }) => script)).toEqual(
      before.outputs.map(({ script }) => script),
    )
    expect(after.inputs.every(({ sequence }) => sequence === 0xfffffffd)).toBe(true)
    expect(totalOut(before) - totalOut(after)).toBeGreaterThanOrEqual(BigInt(vsize(after)))
    expect(after.outputs[1]?.value).toBe(before.outputs[1]?.value) // The change is the same.
    expect(world.events('replacedTransaction').length).toBe(1)
    expect(world.status(3n)).toEqual({ type: 'submitted', txid: newest(world).txid })
  })

  it('minter §23.81: however many recipients it has, nodes are paid for its relay', () => {
    const world = new TestMinter()
    world.deposit(alice, 90_000_000n)
    for (let i = 0; i < 60; i++) world.withdraw(alice, OTHER, 100_000n + BigInt(i))
    world.wait(11n * SECOND)
    for (let i = 0; i < 3; i++) {
      world.sign()
      const old = transactionOf(newest(world))
      setRate(world, 5_000n + BigInt(i))
      world.wait(DAY)
      world.sign()
      const next = transactionOf(newest(world))
      expect(totalOut(old) - totalOut(next)).toBeGreaterThanOrEqual(BigInt(vsize(next)))
    }
  })

  it('minter §23.86: pays a step more than it really paid, which is more than was estimated', () => {
    const world = sent(10)
    const { feeRate = 0n } = newest(world)
    expect(feeRate).toBeGreaterThan(5_000n) // Signatures are shorter than the longest.
    const { withdrawalFee } = bump(world)
    const size = 68n * 10n + 68n + 11n // About: ten inputs, two outputs.
    expect((withdrawalFee?.bitcoinFee ?? 0n) * 1_000n).toBeGreaterThan(size * (feeRate + 900n))
    const event = world.events('xSigningStarted').at(-1)?.payload
    expect(event).toMatchObject({ withdrawalFee, requests: [] })
    setRate(world, 90_000n)
    expect(bump(world).feeRate).toBeGreaterThanOrEqual(90_000n) // The estimate, where it is higher.
  })

  it('minter §23.87: waits where a recipient would get dust, until the fees are lower', () => {
    const world = sent()
    const { txid } = newest(world)
    const key = first(world.state.submitted.keys())
    const reason = () => world.state.volatile.delayed.get(key)?.reason
    setRate(world, 5_669_000n) // 799,629 of the 800,000.
    world.wait(DAY + SECOND)
    expect(reason()).toBe('dustOutput')
    setRate(world, 6_000_000n)
    world.wait(2n * DAY)
    expect(reason()).toBe('amountTooLow')
    expect(world.events('xSigningStarted').length).toBe(1)
    expect(world.status(1n)).toEqual({ type: 'submitted', txid })
    setRate(world, 50_000n)
    world.wait(3_601n * SECOND) // The next refresh of the fees wakes it.
    world.sign()
    expect(newest(world).feeRate).toBeGreaterThanOrEqual(50_000n)
    expect(world.state.volatile.delayed.size).toBe(0)
  })

  it('minter §23.88: that cannot be rebuilt does not stop the others', () => {
    const world = new TestMinter()
    const amounts = [60_000n, 900_000n, 61_000n, 800_000n]
    for (const amount of amounts) {
      world.deposit(alice, amount + 200n)
      world.withdraw(alice, ADDRESS, amount)
      world.wait(11n * SECOND)
      world.sign()
    }
    expect(world.state.submitted.size).toBe(4)
    world.chain.mempool.splice(0)
    setRate(world, 500_000n) // 70,500 for each.
    world.wait(DAY + 60n * SECOND)
    world.sign()
    expect(world.state.stuck.size).toBe(2)
    expect(world.state.volatile.delayed.size).toBe(2)
    const paid = [...world.state.stuck.values()].flatMap(({ purpose }) =>
      purpose.type === 'toConfirm' ? purpose.requests.map(({ amount }) => amount) : [],
    )
    expect(paid).toEqual([900_000n, 800_000n])
    setRate(world, 10_000n)
    world.chain.mempool.splice(0)
    world.mine()
    world.sign()
    expect(world.state.stuck.size).toBe(4)
    expect(world.state.volatile.delayed.size).toBe(0)
  })

  it('minter §23.94: and its replacement, both unknown to the nodes, has another one', () => {
    const world = sent()
    const old = newest(world)
    world.chain.mempool.splice(0)
    const second = bump(world)
    world.chain.mempool.splice(0)
    const third = bump(world)
    expect(world.state.replaces.size).toBe(2)
    expect([old, second].map(({ txid }) => txid)).not.toContainEqual(third.txid)
    world.mine(6)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid: third.txid })
    expectNothingLeft(world)
  })

  it('minter §23.85: with a confirmation, though not enough of them, is left alone', () => {
    const world = sent()
    const { txid } = newest(world)
    world.mine()
    world.wait(2n * DAY)
    expect(world.state.signing.size).toBe(0)
    expect(newest(world).txid).toEqual(txid)
    world.mine(5)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid })
  })

  it('minter §23.85: is left alone too while one that it replaced has a confirmation', () => {
    const world = sent()
    const old = newest(world)
    bump(world)
    confirm(world, old, 1)
    world.wait(2n * DAY)
    expect(world.state.signing.size).toBe(0)
    world.mine(5)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid: old.txid })
    expectNothingLeft(world)
  })
})

describe('of a chain of replacements', () => {
  it('minter §23.82: the first confirms after it was replaced: paid, and the chain is gone', () => {
    const world = sent()
    const old = newest(world)
    bump(world)
    confirm(world, old)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid: old.txid })
    expectNothingLeft(world)
    expect(world.state.availableUtxos.size).toBe(1)
  })

  it('minter §23.83: the middle one of three confirms: paid, and the chain is gone', () => {
    const world = sent()
    bump(world)
    const middle = newest(world)
    bump(world)
    confirm(world, middle)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid: middle.txid })
    expectNothingLeft(world)
    world.check()
    expect(reserveEquation(world.state, world.ledger.supply)).toMatchObject({
      balanced: true,
      covered: true,
      pending: 0n,
    })
  })
})
