/**
 * Goal: the mempool takes what a node of the network would take, says why not in its words, and
 * replaces by its rules.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { concat } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import { headerHash } from '../../../../src/core/btc/block.ts'
import type { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import {
  dustThreshold,
  opReturnScript,
  p2pkhScript,
  p2shScript,
  p2trScript,
  p2wshScript,
} from '../../../../src/core/btc/script.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { encodeTransaction, txid, vsize, wtxid } from '../../../../src/core/btc/transaction.ts'
import { blockOn, coinbaseCoin, NOW, nodeWithCoins, SUBSIDY, verdict } from './chains.ts'
import type { TestCoin } from './wallets.ts'
import { coinOf, p2pkhWallet, p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const legacy = p2pkhWallet(1)
const anyScript = Uint8Array.of(0x51)

let node: RegtestNode
beforeEach(() => {
  node = nodeWithCoins(owner, 3)
})

const coinbase = (height: number): TestCoin => coinbaseCoin(node, height, owner)
const spend = (coin: TestCoin, fee: bigint, change = {}): Transaction =>
  signedSpend([coin], [pay(owner, coin.output.value - fee)], change)
const outputOf = (tx: Transaction, vout = 0): TestCoin => coinOf(tx, { id: txid(tx), vout, owner })
const offer = (tx: Transaction): string => verdict(node.submit(tx, NOW))
const pooled = (tx: Transaction): boolean => node.pooled(txid(tx)) !== undefined

type Case = readonly [reason: string, make: () => Transaction]

const manyOutputs = (script: Uint8Array, count: number): Transaction => {
  const coin = coinbase(1)
  const outputs = Array.from({ length: count }, () => pay(script, 1_000n))
  return signedSpend([coin], outputs)
}

const CASES: readonly Case[] = [
  ['coinbase', () => blockOn(node).transactions[0] ?? spend(coinbase(1), 0n)],
  ['version', () => spend(coinbase(1), 1_000n, { version: 4 })],
  ['version', () => spend(coinbase(1), 1_000n, { version: 0 })],
  ['tx-size', () => manyOutputs(owner.script, 3_300)],
  ['tx-size-small', () => signedSpend([coinbase(1)], [pay(Uint8Array.of(0x6a), 0n)])],
  ['scriptpubkey', () => signedSpend([coinbase(1)], [pay(anyScript, 1_000n), pay(owner, 1_000n)])],
  ['scriptpubkey', () => signedSpend([coinbase(1)], [pay(opReturnScript(new Uint8Array(81)), 0n)])],
  ['multi-op-return', () => manyOutputs(opReturnScript(new Uint8Array(20)), 2)],
  ['non-final', () => spend(coinbase(1), 1_000n, { lockTime: 104 })],
  ['non-BIP68-final', () => spend(coinbase(1), 1_000n, { sequence: 104 })],
  // Core asks for relative locks before it looks at what the coins are worth, and how old they are.
  ['non-BIP68-final', () => spend(coinbase(5), -1n, { sequence: 104 })],
  ['bad-txns-in-belowout', () => spend(coinbase(1), -1n)],
  ['min relay fee not met, 109 < 110', () => spend(coinbase(1), 109n)],
  ['bad-txns-inputs-missingorspent', () => spend(outputOf(spend(coinbase(1), 1_000n)), 1_000n)],
  ['bad-txns-premature-spend-of-coinbase', () => spend(coinbase(5), 1_000n)],
  [
    'scriptsig-not-pushonly',
    () => withScriptSig(spend(coinbase(1), 1_000n), Uint8Array.of(0x51, 0x76)),
  ],
  ['scriptsig-size', () => withScriptSig(spend(coinbase(1), 1_000n), new Uint8Array(1_651))],
  [
    'mandatory-script-verify-flag-failed (Witness requires empty scriptSig)',
    () => withScriptSig(spend(coinbase(1), 1_000n), Uint8Array.of(0x51)),
  ],
]

const withScriptSig = (tx: Transaction, scriptSig: Uint8Array): Transaction => ({
  ...tx,
  inputs: tx.inputs.map((input) => ({ ...input, scriptSig })),
})

test.each(CASES)('a transaction is refused: %s', (reason, make) => {
  expect(offer(make())).toBe(reason)
  expect(node.mempool()).toEqual([])
})

test('a fee of one satoshi for each virtual byte is enough', () => {
  const tx = spend(coinbase(1), 110n)
  expect(vsize(tx)).toBe(110)
  expect(offer(tx)).toBe('accepted')
})

const DUST: readonly (readonly [name: string, script: Uint8Array, threshold: bigint])[] = [
  ['P2WPKH', owner.script, 294n],
  ['P2WSH', p2wshScript(new Uint8Array(32)), 330n],
  ['P2TR', p2trScript(new Uint8Array(32)), 330n],
  ['P2PKH', p2pkhScript(new Uint8Array(20)), 546n],
  ['P2SH', p2shScript(new Uint8Array(20)), 540n],
]

test.each(DUST)('an output of %s below its threshold is dust', (_, script, threshold) => {
  expect(dustThreshold(script)).toBe(threshold)
  const dust = signedSpend([coinbase(1)], [pay(script, threshold - 1n), pay(owner, 1_000n)])
  expect(offer(dust)).toBe('dust')
  const enough = signedSpend([coinbase(1)], [pay(script, threshold), pay(owner, 1_000n)])
  expect(offer(enough)).toBe('accepted')
})

test('bytes that are no transaction are refused, at every cut', () => {
  const bytes = encodeTransaction(spend(coinbase(1), 1_000n))
  for (let size = 0; size < bytes.length; size++)
    expect(verdict(node.submit(bytes.subarray(0, size), NOW))).toBe('TX decode failed')
  expect(verdict(node.submit(concat(bytes, Uint8Array.of(0)), NOW))).toBe('TX decode failed')
  expect(verdict(node.submit(bytes, NOW))).toBe('accepted')
})

test('a transaction is taken once, and its other witness is not a second one', () => {
  const tx = spend(coinbase(1), 1_000n)
  expect(offer(tx)).toBe('accepted')
  expect(offer(tx)).toBe('txn-already-in-mempool')
  const witness = [new Uint8Array(70).fill(1)]
  const other = { ...tx, inputs: tx.inputs.map((input) => ({ ...input, witness })) }
  expect(offer(other)).toBe('txn-same-nonwitness-data-in-mempool')
  node.mine(1, anyScript, NOW)
  expect(offer(tx)).toBe('txn-already-known')
  // Without an unspent output nothing shows that it was ever there, as in Core.
  expect(offer(spend(outputOf(tx), 1_000n))).toBe('accepted')
  node.mine(1, anyScript, NOW)
  expect(offer(tx)).toBe('bad-txns-inputs-missingorspent')
})

test('testing a transaction changes nothing', () => {
  const tx = spend(coinbase(1), 1_000n)
  expect(verdict(node.test(tx, NOW))).toBe('accepted')
  expect(node.mempool()).toEqual([])
})

test('an entry is found by txid and by wtxid, with its fee and size', () => {
  const tx = spend(coinbase(1), 1_000n)
  offer(tx)
  expect(node.pooled(txid(tx))).toBe(node.pooled(wtxid(tx)))
  expect(node.pooled(txid(tx))).toMatchObject({ fee: 1_000n, vsize: vsize(tx), time: NOW })
})

test('policy alone refuses a high S, and a block may hold it', () => {
  const chain = nodeWithCoins(legacy)
  const tx = signedSpend([coinbaseCoin(chain, 1, legacy)], [pay(owner, SUBSIDY - 1_000n)])
  const highS = { ...tx, inputs: tx.inputs.map((i) => ({ ...i, scriptSig: raiseS(i.scriptSig) })) }
  expect(verdict(chain.submit(highS, NOW))).toBe(
    'non-mandatory-script-verify-flag (Non-canonical signature: S value is unnecessarily high)',
  )
  const block = blockOn(chain, { transactions: [highS], fees: 1_000n })
  expect(verdict(chain.submitBlock(block, NOW))).toBe('accepted')
})

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** Replaces s by the order less s, which verifies as well. */
function raiseS(scriptSig: Uint8Array): Uint8Array {
  const size = scriptSig[0] ?? 0
  const der = scriptSig.subarray(1, size)
  const r = der.subarray(2, 4 + (der[3] ?? 0))
  const s = BigInt(`0x${Buffer.from(der.subarray(r.length + 4)).toString('hex')}`)
  const high = Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex')
  const body = concat(r, Uint8Array.of(0x02, 33, 0), high)
  const raised = concat(Uint8Array.of(0x30, body.length), body, Uint8Array.of(1))
  return concat(Uint8Array.of(raised.length), raised, scriptSig.subarray(1 + size))
}

describe('mining from the mempool', () => {
  test('a block takes parents before children and pays their fees to its miner', () => {
    const parent = spend(coinbase(1), 500n)
    const child = spend(outputOf(parent), 40_000n)
    const other = spend(coinbase(2), 5_000n)
    for (const tx of [other, parent, child]) offer(tx)
    node.mine(1, owner.script, NOW)
    const [reward, ...mined] = node.blockAt(104)?.transactions ?? []
    // The child pulls its parent before a transaction that pays more than the parent alone.
    expect(mined.map((tx) => txid(tx))).toEqual([parent, child, other].map((tx) => txid(tx)))
    expect(reward?.outputs[0]?.value).toBe(SUBSIDY + 45_500n)
    expect(node.mempool()).toEqual([])
  })

  test('a block that confirms a conflict removes the entry and all that spends it', () => {
    const parent = spend(coinbase(1), 1_000n)
    const child = spend(outputOf(parent), 1_000n)
    offer(parent)
    offer(child)
    const rival = spend(coinbase(1), 2_000n)
    const block = blockOn(node, { transactions: [rival], fees: 2_000n })
    expect(verdict(node.submitBlock(block, NOW))).toBe('accepted')
    expect(node.mempool()).toEqual([])
  })

  test('after a reorganisation what may not be in the next block any more leaves', () => {
    const plain = spend(coinbase(1), 1_000n)
    const locked = spend(outputOf(plain), 1_000n, { lockTime: 103 })
    const onLocked = spend(outputOf(locked), 1_000n)
    const aged = spend(coinbase(2), 1_000n, { sequence: 102 })
    const young = spend(coinbase(3), 1_000n)
    const all = [plain, locked, onLocked, aged, young]
    expect(all.map(offer)).toEqual(all.map(() => 'accepted'))
    const { header } = present(node.blockAt(102), 'a block')
    node.invalidate(headerHash(header), NOW)
    expect(all.filter(pooled)).toEqual([plain])
    expect(all.map(offer)).toEqual([
      'txn-already-in-mempool',
      'non-final',
      'bad-txns-inputs-missingorspent',
      'non-BIP68-final',
      'bad-txns-premature-spend-of-coinbase',
    ])
    node.mine(1, anyScript, NOW)
    expect(node.transaction(txid(plain))?.confirmations).toBe(1)
  })

  test('an entry expires after fourteen days, when the next block comes', () => {
    const old = spend(coinbase(1), 1_000n)
    offer(old)
    const later = NOW + 14 * 86_400
    const empty = () => verdict(node.submitBlock(blockOn(node), later + 1))
    expect(empty()).toBe('accepted')
    expect(pooled(old)).toBe(false)
  })
})
