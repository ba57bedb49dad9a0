/**
 * Goal: the demo wallet pays with transactions that a validating node takes, at the fee that was
 * asked.
 */
import { expect, test } from 'vitest'
import { fromHex } from '../../src/core/base/bytes.ts'
import type { Sat } from '../../src/core/base/units.ts'
import { sat } from '../../src/core/base/units.ts'
import { parseAddress } from '../../src/core/btc/address.ts'
import { mainnet, regtest } from '../../src/core/btc/network.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import { decodeTransaction, txid, vsize } from '../../src/core/btc/transaction.ts'
import { createBitcoinWallet } from '../../src/wallet/bitcoin-wallet.ts'

const NOW = 1_700_000_000
const ONE = new Uint8Array(32)
ONE[31] = 1
/** Addresses of the generator point (specification §14.1), and a P2TR one to pay to. */
const OWN_REGTEST = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const OWN_MAINNET = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
const TO = 'bcrt1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5ssm803es'

const wallet = createBitcoinWallet(ONE, regtest)

function fundedNode(coins: number) {
  const node = new RegtestNode()
  node.mine(coins, wallet.script, NOW)
  node.mine(100, fromHex('51'), NOW)
  const utxos = Array.from({ length: coins }, (_, i) => {
    const coinbase = node.blockAt(i + 1)?.transactions[0]
    if (coinbase === undefined) throw new RangeError(`no block ${i + 1}`)
    return {
      outpoint: { txid: txid(coinbase), vout: 0 },
      value: coinbase.outputs[0]?.value ?? sat(0n),
    }
  })
  return { node, utxos }
}

test('one key has the addresses of the specification', () => {
  expect(wallet.address).toBe(OWN_REGTEST)
  expect(createBitcoinWallet(ONE, mainnet).address).toBe(OWN_MAINNET)
})

test.each([1n, 5n, 200n])(
  'a payment at %s sat/vB is taken, pays the amount and returns the rest',
  (rate) => {
    const { node, utxos } = fundedNode(3)
    const amount = sat(7_000_000_000n)
    const paid = wallet.pay({ utxos, to: TO, amount, feeRateSatPerVb: rate })
    if (paid.type !== 'signed') throw new RangeError(paid.type)
    expect(node.submit(paid.bytes, NOW)).toEqual({ type: 'accepted', txid: paid.txid })
    const tx = decodeTransaction(paid.bytes)
    const target = parseAddress(TO, regtest)
    expect(tx.inputs.length).toBe(2)
    expect(tx.outputs[0]).toEqual({
      value: amount,
      script: target.type === 'address' && target.script,
    })
    expect(tx.outputs[1]).toEqual({
      value: 10_000_000_000n - amount - paid.fee,
      script: wallet.script,
    })
    const size = BigInt(vsize(tx))
    expect(paid.fee).toBeGreaterThanOrEqual(size * rate)
    expect(paid.fee).toBeLessThanOrEqual((size + 2n) * rate)
  },
)

test('change that would be dust goes to the fee', () => {
  const { node, utxos } = fundedNode(1)
  const amount = sat(5_000_000_000n - 500n)
  const paid = wallet.pay({ utxos, to: TO, amount, feeRateSatPerVb: 2n })
  if (paid.type !== 'signed') throw new RangeError(paid.type)
  expect(decodeTransaction(paid.bytes).outputs.length).toBe(1)
  expect(paid.fee).toBe(500n)
  expect(node.submit(paid.bytes, NOW).type).toBe('accepted')
})

test('what cannot be paid is refused with what is missing', () => {
  const { utxos } = fundedNode(1)
  const pay = (to: string, amount: Sat) => wallet.pay({ utxos, to, amount, feeRateSatPerVb: 1n })
  expect(pay(TO, sat(5_000_000_000n))).toMatchObject({
    type: 'tooLow',
    available: 5_000_000_000n,
    needed: 5_000_000_122n,
  })
  expect(pay(TO, sat(329n))).toEqual({ type: 'dust', amountMin: 330n })
  expect(pay(OWN_MAINNET, sat(1_000n)).type).toBe('badAddress')
  expect(pay('nonsense', sat(1_000n)).type).toBe('badAddress')
  expect(wallet.pay({ utxos: [], to: TO, amount: sat(1_000n), feeRateSatPerVb: 1n })).toMatchObject(
    {
      type: 'tooLow',
      available: 0n,
    },
  )
})

test('the key shows nowhere in the wallet', () => {
  const shown = JSON.stringify(wallet, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  expect(Object.keys(wallet)).toEqual(['address', 'script', 'pay'])
  expect(shown).not.toContain('0,0,0,1')
})
