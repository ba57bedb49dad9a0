/**
 * Goal: a double spend wins wherever the first spend stands, fee pressure keeps low fees waiting,
 * and a seed makes all of it happen again in the same way (RN-16, RN-17, RN-19).
 */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { Seed } from '../../../../src/core/base/seed.ts'
import type { CongestionOptions, Funds } from '../../../../src/core/btc/regtest/congestion.ts'
import type { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { Scenarios } from '../../../../src/core/btc/regtest/scenarios.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { isCoinbase, txid, vsize } from '../../../../src/core/btc/transaction.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY, verdict } from './chains.ts'
import { coinOf, p2pkhWallet, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const other = p2pkhWallet(2)

/** The coinbases of the first blocks. */
const fundsOf = (node: RegtestNode): Funds => ({
  script: owner.script,
  coins: () =>
    [1, 2, 3]
      .map((height) => coinbaseCoin(node, height, owner))
      .filter(({ outpoint }) => node.utxo(outpoint).type === 'unspent')
      .map(({ outpoint, output }) => ({ outpoint, value: output.value })),
  sign: (tx, spent) => ({
    ...tx,
    inputs: tx.inputs.map((input, i) => ({ ...input, ...owner.sign(tx, i, spent) })),
  }),
})

function story(label = 'one') {
  const node = nodeWithCoins(owner, 3)
  const seed = Seed.fromBytes(utf8(label))
  const scenarios = new Scenarios({ node, funds: fundsOf(node), seed, now: () => NOW })
  const spend = (height: number, fee = 1_000n): Transaction => {
    const tx = signedSpend([coinbaseCoin(node, height, owner)], [pay(other, SUBSIDY - fee)])
    expect(verdict(node.submit(tx, NOW))).toBe('accepted')
    return tx
  }
  const confirmations = (tx: Transaction) => node.transaction(txid(tx))?.confirmations
  return { node, scenarios, spend, confirmations }
}

describe('a double spend', () => {
  it('takes the place of a payment that waits, with all that was built on it', () => {
    const { node, scenarios, spend, confirmations } = story()
    const deposit = spend(1, 50_000n)
    const coin = coinOf(deposit, { id: txid(deposit), vout: 0, owner: other })
    const child = signedSpend([coin], [pay(other, SUBSIDY - 90_000n)])
    expect(verdict(node.submit(child, NOW))).toBe('accepted')
    const reply = scenarios.doubleSpend(txid(deposit))
    expect(reply).toMatchObject({ type: 'doubleSpent', depth: 0 })
    expect([confirmations(deposit), confirmations(child)]).toEqual([undefined, undefined])
    const [rival] = node.mempool()
    expect(rival?.transaction.outputs.map(({ script }) => toHex(script))).toEqual([
      toHex(owner.script),
    ])
    expect(rival?.fee).toBeGreaterThan(90_000n)
  })

  it('is confirmed in a chain that replaces the one with the payment', () => {
    const { node, scenarios, spend, confirmations } = story()
    const deposit = spend(1)
    const bystander = spend(2)
    node.mine(3, owner.script, NOW)
    const { height } = node.tip()
    const reply = scenarios.doubleSpend(txid(deposit), { to: other.script, rateSatPerVb: 7n })
    expect(reply).toMatchObject({ type: 'doubleSpent', depth: 3 })
    expect(node.tip().height).toBe(height + 2)
    expect(confirmations(deposit)).toBeUndefined()
    expect(confirmations(bystander)).toBe(5)
    const rival = reply.type === 'doubleSpent' ? node.transaction(reply.txid) : undefined
    expect(rival?.confirmations).toBe(1)
    expect(
      toHex(present(rival, 'it is there').transaction.outputs[0]?.script ?? other.script),
    ).toBe(toHex(other.script))
  })

  it('needs a transaction that is known and spends coins of ours alone', () => {
    const { node, scenarios, spend } = story()
    const deposit = spend(1)
    const coin = coinOf(deposit, { id: txid(deposit), vout: 0, owner: other })
    const foreign = signedSpend([coin], [pay(owner, SUBSIDY - 9_000n)])
    expect(scenarios.doubleSpend(txid(foreign)).type).toBe('refused')
    node.submit(foreign, NOW)
    expect(scenarios.doubleSpend(txid(foreign))).toMatchObject({
      reason: 'the transaction spends coins of others',
    })
  })
})

describe('fee pressure', () => {
  const options: CongestionOptions = { rates: [10, 30], blocks: 6, blockWeightMax: 14_000 }

  /** Rates that the transactions of a block paid, in satoshi per virtual byte. */
  const ratesAt = (node: RegtestNode, height: number): readonly number[] =>
    (node.blockAt(height)?.transactions ?? [])
      .filter((tx) => !isCoinbase(tx))
      .map((tx) => {
        const spent = tx.inputs.map(({ outpoint }) => {
          const source = node.transaction(outpoint.txid)?.transaction
          return source?.outputs[outpoint.vout]?.value ?? 0n
        })
        const fee =
          spent.reduce((sum: bigint, value) => sum + value, 0n) -
          tx.outputs.reduce((sum, { value }) => sum + value, 0n)
        return Number(fee) / vsize(tx)
      })

  it('keeps low fees waiting and blocks full, and ends by itself', () => {
    const { node, scenarios, spend, confirmations } = story()
    expect(scenarios.congest(options)).toBeUndefined()
    const low = spend(2, 500n)
    const first = node.tip().height + 1
    scenarios.mine(5)
    expect(confirmations(low)).toBe(0)
    for (let height = first; height < first + 5; height++) {
      const rates = ratesAt(node, height)
      expect(rates.length).toBe(16)
      expect(Math.min(...rates)).toBeGreaterThanOrEqual(10)
      expect(Math.max(...rates)).toBeLessThanOrEqual(30)
      // Of those that wait the better half is taken.
      expect(Math.min(...rates)).toBeGreaterThan(11)
    }
    scenarios.mine(1) // The last one ends it, and takes what the fillers leave.
    scenarios.mine(1)
    expect(confirmations(low)).toBeGreaterThan(0)
    expect(node.mempool()).toEqual([])
  })

  it('leaves room at a quarter of the fill, and is lifted when that is asked for', () => {
    const { node, scenarios, spend, confirmations } = story()
    scenarios.congest({ ...options, fill: 0.25 })
    const low = spend(2, 500n)
    expect(node.mempool().length).toBe(1 + 8)
    scenarios.mine(1)
    expect(confirmations(low)).toBe(1)
    expect(node.mempool().length).toBe(8)
    scenarios.uncongest()
    expect(node.mempool()).toEqual([])
  })

  it('is refused where it makes no sense, or costs more than there is', () => {
    const { scenarios } = story()
    for (const change of [
      { rates: [0, 5] as const },
      { rates: [9, 8] as const },
      { blocks: 0 },
      { fill: 0 },
      { rates: [1, 9_000_000] as const },
    ])
      expect(scenarios.congest({ ...options, ...change })?.type).toBe('refused')
  })
})

it('the same seed makes the same chain, another one another', () => {
  const run = (label: string): string => {
    const { node, scenarios, spend } = story(label)
    scenarios.congest({ rates: [2, 9], blocks: 3, blockWeightMax: 8_000 })
    scenarios.doubleSpend(txid(spend(2)))
    scenarios.mine(3)
    node.reorganise(2, { dropTransactions: false, payToScript: owner.script, nowSeconds: NOW })
    return toHex(node.tip().hash)
  }
  expect(run('one')).toBe(run('one'))
  expect(run('two')).not.toBe(run('one'))
})
