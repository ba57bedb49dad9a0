/**
 * Goal: what does not confirm is replaced by what nodes take in its place, never twice at a time, and
 * whichever of them confirms ends the matter. Source: minter §§12 to 14 [H 2, H 10, H 14].
 */
import { describe, expect, it } from 'vitest'
import { divCeil } from '../../../src/core/base/units.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import { decodeTransaction, outpointKey, txid, vsize } from '../../../src/core/btc/transaction.ts'
import { decodeArgs, encodeArgs, resultsOf } from '../../../src/core/ic/candid.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { appendEvent, emptyLog, eventsOf } from '../../../src/core/minter/events/event-log.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { minterExtension } from '../../../src/core/minter/interface/extension.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import type { SubmittedTransaction } from '../../../src/core/minter/state/state.ts'
import { worstCaseVsize } from '../../../src/core/minter/transactions/build-transaction.ts'
import { bumpedRate } from '../../../src/core/minter/transactions/resubmission.ts'
import { MinterCanister } from '../../../src/core/subnet/minter-canister.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { MINTER, signatureFor, someTxid, TestMinter, user } from '../../support/minter-world.ts'

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

/** Eleven transactions of one input each, sent at once. Made once: each test takes a copy. */
const eleven = (() => {
  const world = new TestMinter({ settings: { requestsPerBatchMax: 1 } })
  for (let i = 0; i < 11; i++) world.deposit(alice, 1_000_000n)
  for (let i = 0; i < 11; i++) world.withdraw(alice, ADDRESS, 900_000n)
  while (world.state.submitted.size < 11) {
    world.wait(11n * SECOND)
    world.sign()
  }
  return world
})()

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
    const size = worstCaseVsize(10, [22, 22])
    expect(withdrawalFee?.bitcoinFee).toBe(divCeil(size * (feeRate + 1_000n), 1_000n))
    const event = world.events('xSigningStarted').at(-1)?.payload
    expect(event).toMatchObject({ withdrawalFee, requests: [] })
    setRate(world, 90_000n)
    expect(bump(world).feeRate).toBeGreaterThanOrEqual(90_000n) // The estimate, where it is higher.
  })

  it('pays more than the fee of the old one where a log tells nothing but that', () => {
    const old = { feeRate: undefined, withdrawalFee: { bitcoinFee: 7_051n, minterFee: 300n } }
    const rate = bumpedRate(old, { estimate: 5_000n, vsize: 1_410n })
    expect(rate).toBe(6_001n) // ⌈7,051,000 / 1,410⌉ and a step.
    expect(bumpedRate(old, { estimate: 6_002n, vsize: 1_410n })).toBe(6_002n)
    const unknown = { feeRate: undefined, withdrawalFee: undefined }
    expect(bumpedRate(unknown, { estimate: 5_000n, vsize: 1_410n })).toBe(5_000n)
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

describe('while a replacement is signed', () => {
  /** Of two inputs one is signed. */
  function halfSigned() {
    const world = sent(2)
    const old = newest(world)
    world.wait(DAY)
    const [one, two] = world.outstanding()
    if (one === undefined || two === undefined) return expect.unreachable('two are asked')
    world.deliver(one, signatureFor(one))
    return { world, old, one, two }
  }

  it('the old one stays submitted, and nothing else replaces it', () => {
    const { world, old } = halfSigned()
    expect(world.status(2n)).toEqual({ type: 'submitted', txid: old.txid })
    world.wait(5n * DAY)
    expect(world.events('xSigningStarted').length).toBe(2)
    expect(world.state.signing.size).toBe(1)
    expect(world.state.stuck.size).toBe(0)
  })

  it('the old one may become final: what is half signed goes, and never comes back', () => {
    const { world, old, two } = halfSigned()
    confirm(world, old)
    expect(world.status(2n)).toEqual({ type: 'confirmed', txid: old.txid })
    expectNothingLeft(world)
    const count = world.minter.log.count
    world.deliver(two, signatureFor(two))
    world.fail(two)
    world.wait(2n * DAY)
    expect(world.minter.log.count).toBe(count)
  })

  it('a confirmation of the old one makes the complete replacement wait until it is gone', () => {
    const { world, old, two } = halfSigned()
    const spent = [...world.chain.utxosByKey]
    confirm(world, old, 1)
    world.deliver(two, signatureFor(two))
    expect(newest(world)).toEqual(old)
    expect(world.outstanding()).toEqual([])
    world.wait(DAY)
    expect(world.events('replacedTransaction')).toEqual([])
    world.chain.utxosByKey.clear() // The block is taken back.
    for (const [key, utxo] of spent) world.chain.utxosByKey.set(key, utxo)
    world.mine(1, true)
    expect(world.events('replacedTransaction').length).toBe(1)
    world.mine(6)
    expect(world.status(2n)).toEqual({ type: 'confirmed', txid: lastReplacement(world) })
  })

  it('a crash changes nothing: what is left is asked again, as the next attempt', () => {
    const { world, two } = halfSigned()
    world.fail(two)
    world.upgrade()
    expect(world.outstanding().map(({ key }) => [key.input, key.attempt])).toEqual([
      [two.key.input, 1],
    ])
    world.sign()
    expect(world.events('replacedTransaction').length).toBe(1)
    world.mine(6)
    expect(world.status(2n).type).toBe('confirmed')
  })

  it('a log that ends before it was submitted is taken up again', () => {
    const { world, two } = halfSigned()
    world.deliver(two, signatureFor(two))
    const whole = [...eventsOf(world.minter.log)]
    expect(whole.at(-1)?.payload.type).toBe('replacedTransaction')
    const log = emptyLog()
    for (const event of whole.slice(0, -1)) appendEvent(log, event)
    world.minter = { ...world.minter, log, state: replay(eventsOf(log), MINTER) }
    expect(world.state.signing.size).toBe(1)
    world.upgrade()
    expect(world.state.signing.size).toBe(0)
    expect([...eventsOf(world.minter.log)].map(({ payload }) => payload)).toEqual(
      whole.map(({ payload }) => payload),
    )
  })

  it('its coins serve no batch, and its withdrawals are counted once', () => {
    const { world } = halfSigned()
    expect(reserveEquation(world.state, world.ledger.supply)).toMatchObject({
      balanced: true,
      covered: true,
      pending: 1_800_000n,
      coins: 2_000_000n,
    })
    world.deposit(alice, 500_000n)
    world.withdraw(alice, ADDRESS, 400_000n)
    world.wait(11n * SECOND)
    world.sign()
    expect(world.state.submitted.size).toBe(2)
    world.mine(6)
    expect(world.state.submitted.size).toBe(0)
  })
})

/** Of the last event of that kind. */
function lastReplacement(world: TestMinter): Uint8Array {
  const payload = world.events('replacedTransaction').at(-1)?.payload
  return payload?.type === 'replacedTransaction' ? payload.newTxid : new Uint8Array()
}

describe('a replacement', () => {
  it('is on record before it is sent, and keeps its bytes', () => {
    const world = sent()
    const old = newest(world)
    let recordedAtSend = 0
    const send = world.chain.send.bind(world.chain)
    world.wait(DAY)
    world.chain.send = (bytes) => {
      recordedAtSend = world.events('replacedTransaction').length
      return send(bytes)
    }
    world.sign()
    expect(recordedAtSend).toBe(1)
    const next = newest(world)
    expect(world.chain.sent.at(-1)).toEqual(next.signedTransaction)
    expect(txid(transactionOf(next))).toEqual(next.txid)
    expect(world.events('replacedTransaction').at(-1)?.payload).toEqual({
      type: 'replacedTransaction',
      oldTxid: old.txid,
      newTxid: next.txid,
      changeOutput: old.changeOutput,
      submittedAt: world.now,
      fee: next.feeRate,
      withdrawalFee: next.withdrawalFee,
      reason: { type: 'toRetry' },
    })
    world.upgrade()
    expect(newest(world)).toEqual(next)
  })

  it('that the Bitcoin side does not take is sent again as it is', () => {
    const world = sent()
    world.wait(DAY)
    world.chain.refusesToSend = true
    world.sign()
    const { txid: id } = newest(world)
    expect(world.status(1n)).toEqual({ type: 'sending', txid: id })
    world.chain.refusesToSend = false
    world.wait(5n * SECOND)
    expect(world.status(1n)).toEqual({ type: 'submitted', txid: id })
    world.mine(6)
    expect(world.status(1n)).toEqual({ type: 'confirmed', txid: id })
  })

  it('never pays more than the operator allows, and says so', () => {
    const world = sent(1, { settings: { resubmissionRateMax: 7_500n } })
    const rates = [newest(world).feeRate ?? 0n]
    for (let day = 0; day < 6; day++) {
      world.wait(DAY + SECOND)
      world.sign()
      rates.push(newest(world).feeRate ?? 0n)
    }
    expect(world.state.stuck.size).toBe(2)
    expect(rates.every((rate) => rate <= 7_700n)).toBe(true)
    const [delay] = world.state.volatile.delayed.values()
    expect(delay?.reason).toBe('rateAboveMax')
    expect(delay?.rate).toBeGreaterThan(7_500n)
    const canister = new MinterCanister(MINTER, world, {
      controller: alice.owner,
      world: () => world.world,
    })
    const { x_delayed_replacements: ask } = canister.handlers({
      caller: alice.owner,
      now: world.now,
      kind: 'query',
      dataCertificate: () => undefined,
    })
    const method = minterExtension.x_delayed_replacements
    const answer = ask?.answer(encodeArgs(method.args, []))
    expect(answer?.type === 'result' && decodeArgs(resultsOf(method), answer.value)[0]).toEqual([
      { txid: newest(world).txid, reason: 'rateAboveMax', rateMsatPerVb: delay?.rate },
    ])
    setRate(world, 7_501n) // So is a high estimate.
    world.chain.mempool.splice(0)
    world.mine()
    expect(world.state.volatile.delayed.size).toBe(1)
  })

  it.each([
    ['mainnet', 1],
    ['testnet', 1],
    ['regtest', 0],
  ] as const)('on %s has a limit of the network: %i waits', (network, waits) => {
    const world = new TestMinter()
    world.deposit(alice, 200_000_000n)
    world.withdraw(alice, ADDRESS, 190_000_000n)
    world.wait(11n * SECOND)
    world.sign()
    world.minter.state.config = { ...world.state.config, network }
    setRate(world, 1_000_001n)
    world.wait(DAY)
    expect(world.state.volatile.delayed.size).toBe(waits)
    expect(world.state.signing.size).toBe(1 - waits)
  })

  it('waits for an estimate', () => {
    const world = sent()
    world.minter.state.config = { ...world.state.config, network: 'testnet' }
    world.wait(DAY)
    const [delay] = world.state.volatile.delayed.values()
    expect(delay?.reason).toBe('noEstimate')
    world.chain.rates = Array.from({ length: 100 }, () => 9_000n)
    world.wait(3_600n * SECOND)
    expect(world.state.signing.size).toBe(1)
  })

  it('is not made where the chain cannot be seen', () => {
    const world = sent()
    world.chain.isDown = true
    world.wait(2n * DAY)
    expect(world.state.signing.size).toBe(0)
    world.chain.isDown = false
    world.chain.mempool.splice(0)
    world.mine()
    expect(world.state.signing.size).toBe(1)
  })

  it('ten are signed at once, the others follow at the rate of their time', () => {
    const world = eleven.copy()
    world.wait(DAY)
    expect(world.state.signing.size).toBe(10)
    setRate(world, 80_000n)
    world.wait(0n)
    while (world.outstanding().length > 0) {
      world.sign()
      world.wait(0n)
    }
    expect(world.state.stuck.size).toBe(11)
    const rates = [...world.state.submitted.values()].map(({ feeRate = 0n }) => feeRate)
    expect(rates.filter((rate) => rate >= 80_000n).length).toBe(1)
  })
})

describe('between replacements', () => {
  it('the same bytes are sent every hour, as long as no block has them', () => {
    const world = sent()
    const bytes = bytesOf(newest(world))
    expect(world.chain.sent).toEqual([bytes])
    world.wait(3_599n * SECOND)
    expect(world.chain.sent.length).toBe(1)
    world.wait(2n * SECOND)
    expect(world.chain.sent).toEqual([bytes, bytes])
    world.wait(5n * 3_600n * SECOND)
    expect(world.chain.sent.length).toBe(7)
    world.mine()
    world.wait(5n * 3_600n * SECOND)
    expect(world.chain.sent.length).toBe(7)
  })

  it('the minter asks for a time only when something falls due', () => {
    const world = sent(1, {
      settings: { resendPeriodNs: 10n * DAY, refreshFeesPeriodNs: 90n * DAY },
    })
    const { submittedAt } = newest(world)
    world.tick()
    expect(world.state.volatile.tasks.get('process')).toBe(submittedAt + DAY)
    world.wait(DAY)
    expect(world.state.signing.size).toBe(1)
    expect(world.state.volatile.tasks.get('process')).toBe(submittedAt + 10n * DAY)
    world.sign()
    world.mine(6)
    world.wait(SECOND)
    expect(world.state.volatile.tasks.has('process')).toBe(false)
  })

  it('of very many a round sends twenty', () => {
    const world = sent()
    const { signedTransaction } = newest(world)
    const context = contextOf(world.minter, world.world)
    const address = { type: 'p2wpkhV0', bytes: new Uint8Array(20) } as const
    for (let i = 0; i < 24; i++) {
      const { outpoint, value, height } = world.pay(alice, 1_000n)
      const utxos = [{ outpoint, value, height }]
      const request = { amount: 900n, address, blockIndex: BigInt(100 + i) }
      context.record({ type: 'receivedUtxos', toAccount: alice, mintTxid: BigInt(200 + i), utxos })
      context.record({ type: 'acceptedRetrieveBtcRequest', ...request, receivedAt: world.now })
      context.record({
        type: 'sentTransaction',
        requests: [request.blockIndex],
        txid: someTxid(100 + i),
        utxos,
        submittedAt: world.now,
        signedTransaction,
      })
    }
    const before = world.chain.sent.length
    world.wait(3_600n * SECOND)
    expect(world.chain.sent.length - before).toBe(20)
    world.wait(5n * SECOND)
    expect(world.chain.sent.length - before).toBe(25)
  })
})

describe('a coin that a reorganisation took back', () => {
  it('keeps its transaction from being replaced, and no other', () => {
    const world = new TestMinter()
    for (let i = 0; i < 2; i++) {
      world.deposit(alice, 1_000_000n)
      world.withdraw(alice, ADDRESS, 900_000n)
      world.wait(11n * SECOND)
      world.sign()
    }
    world.chain.mempool.splice(0)
    const [key, coin] = first(world.chain.utxosByKey)
    world.chain.utxosByKey.delete(key)
    world.mine(1, true)
    expect([...world.state.volatile.lost.keys()]).toEqual([key])
    world.wait(DAY)
    expect(world.state.signing.size).toBe(1)
    expect([...world.state.volatile.delayed.values()].map(({ reason }) => reason)).toEqual([
      'lostCoins',
    ])
    world.chain.utxosByKey.set(key, coin)
    world.mine()
    expect(world.state.signing.size).toBe(2)
  })

  it('replacements that wait for theirs hold up nobody else', () => {
    const world = eleven.copy()
    world.wait(DAY)
    expect(world.state.signing.size).toBe(10)
    const coins = [...world.state.signing.values()].flatMap(({ utxos }) => utxos)
    for (const { outpoint } of coins) world.chain.utxosByKey.delete(outpointKey(outpoint))
    world.chain.mempool.splice(0)
    world.mine(1, true)
    expect(world.state.volatile.lost.size).toBe(10)
    expect(world.state.signing.size).toBe(11)
    world.sign()
    expect(world.state.stuck.size).toBe(1)
  })

  it('is not missed where a replaced one has spent it, or one that is being signed wants it', () => {
    const world = sent()
    const old = newest(world)
    bump(world)
    world.wait(DAY)
    expect(world.state.signing.size).toBe(1)
    confirm(world, old, 1)
    world.mine(1, true)
    expect(world.state.volatile.lost.size).toBe(0)
  })

  it('was made by a replacement that was final: that is sent again', () => {
    const world = sent()
    const next = bump(world)
    const before = [...world.chain.utxosByKey]
    world.mine(6)
    expect(world.status(1n).type).toBe('confirmed')
    world.chain.utxosByKey.clear()
    for (const [key, utxo] of before) world.chain.utxosByKey.set(key, utxo)
    const count = world.chain.sent.length
    world.mine(1, true)
    expect(world.state.volatile.lost.size).toBe(1)
    expect(world.chain.sent.slice(count)).toEqual([bytesOf(next)])
    world.mine(1)
    expect(world.state.volatile.lost.size).toBe(0)
  })
})
