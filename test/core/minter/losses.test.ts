/**
 * A depositor who spends a credited coin twice, after a reorganisation deeper than the confirmations.
 * Goal: the minter goes on, nothing that was promised is without a coin, nobody is paid twice. Method:
 * coins that never come back, wherever they are on their way; and some that do. Source: minter §18.8.
 */
import { describe, expect, it } from 'vitest'
import { Bug } from '../../../src/core/base/errors.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import type { OutPoint } from '../../../src/core/btc/transaction.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import { feeCollectorOf } from '../../../src/core/minter/addresses.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { adoptCoins, writeOffLost } from '../../../src/core/minter/losses/losses.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import { keyOfUtxo } from '../../../src/core/minter/state/state.ts'
import type { WorldOptions } from '../../support/minter-world.ts'
import { MINTER, someTxid, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const bob = { owner: user(2) }
const main = { owner: MINTER }
const NOWHERE: OutPoint = { txid: someTxid(7), vout: 0 }
const SECOND = NS_PER_SECOND
const HOUR = 3_600n * SECOND

const contextIn = (world: TestMinter) => contextOf(world.minter, world.world)
const writeOff = (world: TestMinter, ...outpoints: readonly OutPoint[]) => {
  const outcome = writeOffLost(contextIn(world), outpoints)
  world.check()
  return outcome
}
const adopt = (world: TestMinter, ...outpoints: readonly OutPoint[]) => {
  const outcome = adoptCoins(contextIn(world), outpoints)
  world.check()
  return outcome
}

/** Coins of alice by their values, credited; and what takes one off the chain for good. */
function credited(values: readonly bigint[], options?: WorldOptions) {
  const world = new TestMinter(options)
  const coins = values.map((value) => world.pay(alice, value))
  world.call('update_balance', alice.owner, {})
  const lose = (...lost: readonly (typeof coins)[number][]): void => {
    for (const { outpoint } of lost) world.chain.utxosByKey.delete(outpointKey(outpoint))
    world.mine(1, true)
  }
  return { world, coins, lose }
}

/** Somebody pays the main address, deep enough. */
const pay = (world: TestMinter, value: bigint): OutPoint =>
  world.chain.pay(world.scriptOf(main), value).outpoint

/** The operator makes good a loss of that much. */
function recapitalise(world: TestMinter, value: bigint): void {
  expect(adopt(world, pay(world, value))).toEqual({ type: 'ok' })
}

function requireBooks(world: TestMinter, terms: object = {}): void {
  const equation = reserveEquation(world.state, world.ledger.supply)
  expect(equation).toMatchObject({ balanced: true, covered: true, ledgerFees: 0n, ...terms })
  const again = replay(world.events(), MINTER)
  expect(again.coins.byKey).toEqual(world.state.coins.byKey)
  expect(again.queue).toEqual(world.state.queue)
  expect(again.writtenOff).toEqual(world.state.writtenOff)
  expect(again.earnings).toEqual(world.state.earnings)
}

const withdraw = (world: TestMinter, amount: bigint): bigint => {
  const result = world.withdraw(alice, ADDRESS, amount)
  if (result.type === 'err') throw new Error(result.error.type)
  return result.value.blockIndex
}

const spentBySigning = (world: TestMinter): readonly (readonly string[])[] =>
  [...world.state.signing.values()].map(({ utxos }) => utxos.map(keyOfUtxo))

describe('a coin that never comes back', () => {
  it('is written off once what is missing was paid in, and minting goes on', () => {
    const { world, coins, lose } = credited([200_000n, 1_000_000n])
    const [coin] = coins
    if (coin === undefined) throw new Error('two coins were paid')
    lose(coin)
    expect(writeOff(world, coin.outpoint)).toMatchObject({
      type: 'err',
      reason: expect.stringContaining('199800 more than the surplus'),
    })
    recapitalise(world, 199_799n)
    expect(writeOff(world, coin.outpoint)).toMatchObject({ type: 'err' })
    expect(world.state.volatile.lost.size).toBe(1)
    recapitalise(world, 1n)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    requireBooks(world, { adopted: 199_800n, writtenOff: 200_000n, surplus: 0n })
    world.pay(bob, 100_000n)
    const minted = world.call('update_balance', bob.owner, {})
    expect(minted).toMatchObject({ type: 'ok', value: [{ type: 'minted' }] })
    requireBooks(world)
    const burn = withdraw(world, 1_100_000n) // More than the other coin: the donation pays along.
    world.wait(11n * SECOND)
    world.sign()
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
    requireBooks(world)
  })

  it('is not credited again when it is there again, but taken in by the operator', () => {
    const { world, coins, lose } = credited([200_000n, 1_000_000n])
    const [coin] = coins
    if (coin === undefined) throw new Error('two coins were paid')
    lose(coin)
    recapitalise(world, 200_000n)
    writeOff(world, coin.outpoint)
    expect(adopt(world, coin.outpoint)).toMatchObject({ type: 'err' })
    world.chain.utxosByKey.set(outpointKey(coin.outpoint), coin)
    world.mine()
    const again = world.call('update_balance', alice.owner, {})
    expect(again).toMatchObject({ type: 'err', error: { type: 'noNewUtxos' } })
    expect(adopt(world, coin.outpoint)).toEqual({ type: 'ok' })
    expect(adopt(world, coin.outpoint)).toMatchObject({ type: 'err' })
    requireBooks(world, { adopted: 400_000n, writtenOff: 200_000n })
    expect(world.state.writtenOff.size).toBe(0)
  })

  it.each<readonly [string, (world: TestMinter, coin: OutPoint) => OutPoint]>([
    ['that is there', (world) => [...world.chain.utxosByKey.values()][1]?.outpoint ?? NOWHERE],
    ['that nobody knows', () => NOWHERE],
  ])('one %s is not written off, nor another beside it', (_, other) => {
    const { world, coins, lose } = credited([200_000n, 1_000_000n, 1_000_000n])
    const [coin] = coins
    if (coin === undefined) throw new Error('coins were paid')
    lose(coin)
    recapitalise(world, 2_000_000n)
    const outcome = writeOff(world, coin.outpoint, other(world, coin.outpoint))
    expect(outcome).toMatchObject({ reason: expect.stringContaining('is not missing') })
    expect(world.events('xWrittenOff')).toEqual([])
  })

  it('is not written off while the view is behind, or the ledger does not tell its supply', () => {
    const { world, coins, lose } = credited([200_000n, 1_000_000n])
    const [coin] = coins
    if (coin === undefined) throw new Error('two coins were paid')
    lose(coin)
    recapitalise(world, 200_000n)
    world.state.volatile.mustLook = true
    expect(writeOff(world, coin.outpoint)).toMatchObject({ type: 'err' })
    world.state.volatile.mustLook = false
    Reflect.set(world.ledger, 'totalSupply', () => undefined)
    expect(writeOff(world, coin.outpoint)).toMatchObject({ type: 'err' })
  })
})

describe('a withdrawal that would have been paid out of it', () => {
  it('goes back to its place in the queue while it is not signed, and is paid otherwise', () => {
    const { world, coins, lose } = credited([600_000n, 900_000n])
    const [coin] = coins
    if (coin === undefined) throw new Error('two coins were paid')
    const burn = withdraw(world, 500_000n)
    world.wait(11n * SECOND)
    expect(spentBySigning(world)).toEqual([[keyOfUtxo(coin)]])
    lose(coin)
    recapitalise(world, 600_000n)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    expect(world.status(burn)).toEqual({ type: 'pending' })
    requireBooks(world)
    world.wait(6n * SECOND)
    world.sign()
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
    requireBooks(world)
  })

  it('is paid anew out of what else its transaction spends, so that both cannot confirm', () => {
    const { world, coins, lose } = credited([600_000n, 600_000n, 800_000n])
    const burn = withdraw(world, 1_300_000n)
    world.wait(11n * SECOND)
    world.sign()
    expect(world.status(burn).type).toBe('submitted')
    const [sent] = world.state.submitted.values()
    const spent = sent?.utxos.map(keyOfUtxo) ?? []
    expect(spent).toHaveLength(2)
    const [gone, kept] = spent
    const coin = coins.find((each) => keyOfUtxo(each) === gone)
    if (coin === undefined || kept === undefined) throw new Error('it spends two of them')
    world.chain.mempool.length = 0
    lose(coin)
    recapitalise(world, coin.value)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    expect(world.state.submitted.size).toBe(0)
    expect(world.status(burn)).toEqual({ type: 'signing' })
    const [inputs] = spentBySigning(world)
    expect(inputs).toContain(kept)
    expect(inputs).not.toContain(gone)
    requireBooks(world)
    world.sign()
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
    requireBooks(world)
  })

  it('is not paid a third time where the first transaction confirmed after all', () => {
    const { world, coins, lose } = credited([600_000n, 600_000n, 800_000n])
    const burn = withdraw(world, 1_300_000n)
    world.wait(11n * SECOND)
    world.sign()
    const [sent] = world.state.submitted.values()
    const [gone, kept] = sent?.utxos.map(({ outpoint }) => outpoint) ?? []
    const coin = coins.find(({ outpoint }) => gone && outpointKey(outpoint) === outpointKey(gone))
    if (coin === undefined || kept === undefined) throw new Error('it spends two coins')
    const first = world.chain.mempool.splice(0)
    lose(coin)
    recapitalise(world, 3_000_000n)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    world.sign()
    world.chain.utxosByKey.set(outpointKey(coin.outpoint), coin) // The chain has it again, and
    world.chain.mempool.splice(0, world.chain.mempool.length, ...first) // what spends it.
    world.mine(1, true)
    expect([...world.state.volatile.lost.keys()]).toContain(outpointKey(kept))
    expect(writeOff(world, kept)).toMatchObject({
      type: 'err',
      reason: expect.stringContaining('confirmed after all'),
    })
    expect(world.status(burn)).toMatchObject({ type: 'submitted' })
    expect(world.state.signing.size).toBe(0)
    requireBooks(world)
  })

  it('is not given back by a cancellation of what pays in the place of another', () => {
    const { world, coins, lose } = credited([600_000n, 600_000n, 800_000n])
    const burn = withdraw(world, 1_300_000n)
    world.wait(11n * SECOND)
    world.sign()
    const [sent] = world.state.submitted.values()
    const gone = sent?.utxos.map(keyOfUtxo)[0]
    const coin = coins.find((each) => keyOfUtxo(each) === gone)
    if (coin === undefined) throw new Error('it spends a coin')
    world.chain.mempool.length = 0
    lose(coin)
    recapitalise(world, coin.value)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    world.sign()
    world.upgrade({ type: 'upgrade', args: { inputsMax: 1n } })
    world.wait(25n * HOUR)
    expect(world.state.signing.size).toBe(0) // The cancellation need not bar the first one.
    expect([...world.state.volatile.delayed.values()]).toMatchObject([{ reason: 'tooManyInputs' }])
    world.upgrade({ type: 'upgrade', args: { inputsMax: 2n } })
    world.wait(2n * HOUR)
    expect(world.state.signing.size).toBe(1)
    world.sign()
    world.mine(6)
    expect(world.status(burn).type).toBe('confirmed')
    requireBooks(world)
  })

  it('is paid out of the same coins also when another one is lost before that is signed', () => {
    const { world, lose } = credited([...Array<bigint>(13).fill(100_000n), 900_000n])
    const burn = withdraw(world, 2_150_000n)
    world.wait(11n * SECOND)
    world.sign() // Somebody may keep these bytes for ever.
    world.chain.mempool.length = 0
    const loseOneOf = (utxos: readonly { readonly outpoint: OutPoint }[] | undefined): string => {
      const utxo = utxos?.at(-1)
      const coin = utxo && world.chain.utxosByKey.get(outpointKey(utxo.outpoint))
      if (coin === undefined) throw new Error('it spends coins')
      lose(coin)
      recapitalise(world, coin.value)
      expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
      return outpointKey(coin.outpoint)
    }
    const [sent] = world.state.submitted.values()
    const first = (sent?.utxos ?? []).map(keyOfUtxo)
    const gone = [loseOneOf(sent?.utxos)]
    gone.push(loseOneOf([...world.state.signing.values()][0]?.utxos))
    expect(world.status(burn)).toEqual({ type: 'signing' })
    const kept = first.filter((key) => !gone.includes(key))
    expect(kept.length).toBeGreaterThan(10)
    expect(spentBySigning(world)[0]).toEqual(expect.arrayContaining(kept))
    requireBooks(world)
  })

  it('keeps the coin from being written off while nothing else can pay it', () => {
    const { world, coins, lose } = credited([600_000n, 600_000n, 800_000n])
    const burn = withdraw(world, 1_300_000n)
    world.wait(11n * SECOND)
    world.sign()
    const [sent] = world.state.submitted.values()
    const coin = coins.find((each) => keyOfUtxo(each) === sent?.utxos.map(keyOfUtxo)[0])
    if (coin === undefined) throw new Error('it spends a coin')
    world.chain.mempool.length = 0
    lose(coin)
    recapitalise(world, coin.value)
    world.chain.isSet = true
    world.chain.rates = Array.from({ length: 101 }, () => 10_000_000n)
    const refusal = { reason: expect.stringContaining('cannot be paid out of other coins') }
    expect(writeOff(world, coin.outpoint)).toMatchObject(refusal)
    expect(world.status(burn).type).toBe('submitted')
    expect(world.state.volatile.lost.size).toBe(1)
    world.chain.isSet = false
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    expect(world.status(burn).type).toBe('signing')
    requireBooks(world)
  })

  it('of a consolidation: its other coins are free, and its burn pays for the next', () => {
    const init = { inputsMax: 20n, consolidationThreshold: 40n }
    const values = Array.from({ length: 40 }, (_, i) => 10_000n + BigInt(i))
    const { world, coins, lose } = credited(values, { init })
    world.ledger.move(alice, feeCollectorOf({ self: MINTER }), 10_000n)
    world.wait(HOUR)
    world.sign()
    const [coin] = coins
    if (coin === undefined) throw new Error('forty coins were paid')
    world.chain.mempool.length = 0
    lose(coin)
    recapitalise(world, 20_000n)
    expect(writeOff(world, coin.outpoint)).toEqual({ type: 'ok' })
    expect(world.state.consolidation).toBeUndefined()
    expect(world.state.coins.byKey.size).toBe(40) // One is gone, one came.
    requireBooks(world)
    world.wait(25n * HOUR)
    expect(world.events('createdConsolidateUtxosRequest')).toHaveLength(2)
    expect(world.ledger.blocks.filter(({ type }) => type === 'burn')).toHaveLength(1)
    requireBooks(world)
  })
})

describe('a coin that is taken in', () => {
  it('is a donation with its confirmations, never the change of a transaction of ours', () => {
    const { world } = credited([900_000n])
    const shallow = world.chain.pay(world.scriptOf(main), 5_000n, 5).outpoint
    expect(adopt(world, shallow)).toMatchObject({ type: 'err' })
    expect(adopt(world, { txid: someTxid(3), vout: 0 })).toMatchObject({ type: 'err' })
    withdraw(world, 500_000n)
    world.wait(11n * SECOND)
    world.sign()
    const [sent] = world.state.submitted.values()
    if (sent?.changeOutput === undefined) throw new Error('it was sent')
    const change = { txid: sent.txid, vout: sent.changeOutput.vout }
    world.chain.mine(6) // The minter has not been told yet.
    expect(adopt(world, change)).toMatchObject({ type: 'err' })
    world.mine()
    expect(adopt(world, change)).toMatchObject({ type: 'err' })
    expect(world.events('xAdoptedCoin')).toEqual([])
    requireBooks(world)
  })

  it('is taken in once, whatever the log says', () => {
    const { world } = credited([900_000n])
    const outpoint = pay(world, 5_000n)
    expect(adopt(world, outpoint, outpoint)).toEqual({ type: 'ok' })
    expect(world.events('xAdoptedCoin')).toHaveLength(1)
    const [adopted] = world.events('xAdoptedCoin')
    if (adopted === undefined) throw new Error('one was taken in')
    expect(() => contextIn(world).record(adopted.payload)).toThrow(Bug)
    requireBooks(world, { adopted: 5_000n })
  })
})
