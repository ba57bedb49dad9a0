/** A chain is put back from its bytes as it was, and from nothing else (RN-23, RN-24). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concat, hash32, toHex, u32be, utf8 } from '../../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../../src/core/base/errors.ts'
import { sha256 } from '../../../../src/core/base/hash.ts'
import { sat } from '../../../../src/core/base/units.ts'
import type { Block } from '../../../../src/core/btc/block.ts'
import { networks } from '../../../../src/core/btc/network.ts'
import {
  CHAIN_HEAD_SIZE,
  chainHead,
  decodeChain,
  encodeChain,
} from '../../../../src/core/btc/regtest/chain-snapshot.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import { txid } from '../../../../src/core/btc/transaction.ts'
import { mineAnchors, spendAnchors } from './anchors.ts'
import { NOW } from './chains.ts'

const node = new RegtestNode()
const coins = mineAnchors(node, 1, NOW)
const tx = spendAnchors(coins, { fee: 1_000n })
node.submit(tx, NOW)
node.mine(1, Uint8Array.of(0x51), NOW)
const snapshot = node.snapshot()
const blocks = decodeChain(snapshot)

/** The same bytes with a true hash behind them. */
const rehashed = (bytes: Uint8Array): Uint8Array => {
  const content = bytes.subarray(0, -32)
  return concat(content, sha256(content))
}

describe('a snapshot of a chain', () => {
  it('gives the same tip, coins and transactions, and the chain goes on', () => {
    const restored = RegtestNode.restore(snapshot)
    expect(restored.tip()).toEqual(node.tip())
    expect(restored.transaction(txid(tx))).toEqual(node.transaction(txid(tx)))
    for (const { outpoint } of tx.inputs) expect(restored.utxo(outpoint)).toEqual({ type: 'spent' })
    expect(toHex(restored.snapshot())).toBe(toHex(snapshot))
    restored.mine(1, Uint8Array.of(0x51), NOW)
    expect(restored.tip().height).toBe(node.tip().height + 1)
  })

  it('has a fixed form', () => {
    const first = encodeChain(blocks.slice(0, 1))
    expect(toHex(first.subarray(0, CHAIN_HEAD_SIZE + 4))).toBe(
      `${toHex(utf8('ckbtc-chain'))}00000001${toHex(networks.regtest.genesis.hash)}00000001`,
    )
    expect(decodeChain(encodeChain([]))).toEqual([])
  })

  it('bitcoin §13.67: with one altered coin is refused by its hash, and without the hash by its chain', () => {
    const altered = blocks.map((block, i): Block => {
      if (i !== 0) return block
      const transactions = block.transactions.map((coinbase) => ({
        ...coinbase,
        outputs: coinbase.outputs.map((o) => ({ ...o, value: sat(o.value === 0n ? 0n : 1n) })),
      }))
      return { ...block, transactions }
    })
    const bytes = concat(encodeChain(altered).subarray(0, -32), snapshot.subarray(-32))
    expect(() => RegtestNode.restore(bytes)).toThrow('a chain is altered, or cut short')
    expect(() => RegtestNode.restore(rehashed(bytes))).toThrow('block 1: bad-txnmrklroot')
  })

  it('with any byte altered is refused', () => {
    fc.assert(
      fc.property(fc.nat(snapshot.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = snapshot.map((byte, i) => (i === at ? byte ^ change : byte))
        expect(() => decodeChain(bytes)).toThrow(BadEncoding)
      }),
      { numRuns: 40 },
    )
  })

  it('of another network or format is refused, and names both', () => {
    const other = (head: Uint8Array) => rehashed(concat(head, snapshot.subarray(CHAIN_HEAD_SIZE)))
    expect(() => decodeChain(other(chainHead(networks.signet)))).toThrow(
      'a chain of signet, not of regtest',
    )
    expect(() => decodeChain(other(chainHead(networks.regtest, 7)))).toThrow(
      'a chain of format 7, not 1',
    )
    const genesis = { ...networks.regtest.genesis, hash: hash32(new Uint8Array(32)) }
    expect(() => decodeChain(other(chainHead({ ...networks.regtest, genesis })))).toThrow(
      'a chain of unknown, not of regtest',
    )
  })

  it('is refused at every cut, with bytes behind it, and with another count', () => {
    const small = encodeChain(blocks.slice(0, 2))
    for (let size = 0; size < small.length; size++) {
      expect(() => decodeChain(small.subarray(0, size))).toThrow(BadEncoding)
      if (size > CHAIN_HEAD_SIZE + 4 + 32)
        expect(() => decodeChain(rehashed(small.subarray(0, size)))).toThrow(BadEncoding)
    }
    expect(() => decodeChain(concat(small, Uint8Array.of(0)))).toThrow(BadEncoding)
    const count = concat(
      small.subarray(0, CHAIN_HEAD_SIZE),
      u32be(3),
      small.subarray(CHAIN_HEAD_SIZE + 4),
    )
    expect(() => decodeChain(rehashed(count))).toThrow('a chain of another length')
  })
})
