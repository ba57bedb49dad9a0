/**
 * Goal: what real blocks spend and create is valid to the last satoshi. Method: two published
 * blocks with the outputs that they spend; then one of those is missing, worth less, or too young.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { Sat } from '../../../src/core/base/units.ts'
import { sat } from '../../../src/core/base/units.ts'
import { decodeBlock, subsidy, txidsOf } from '../../../src/core/btc/block.ts'
import { checkSpends } from '../../../src/core/btc/block-spends.ts'
import { mainnet, testnet3 } from '../../../src/core/btc/network.ts'
import { outpointKey } from '../../../src/core/btc/transaction.ts'
import type { Utxo } from '../../../src/core/btc/utxo-set.ts'
import { ByteCursor } from '../../../src/core/btc/wire.ts'
import { vectorBytes } from '../../support/vectors.ts'

const blocks = [
  { height: 300_025, network: mainnet },
  { height: 928_828, network: testnet3 },
] as const

describe('real blocks', () => {
  test.for(blocks)('$network.name block $height', ({ height, network }, context) => {
    const name = `bitcoin-blocks/block${height}`
    const block = decodeBlock(vectorBytes(context, `${name}.raw`))
    const cursor = new ByteCursor(vectorBytes(context, `${name}-undo.raw`))
    const own = new Set(txidsOf(block).map(toHex))
    const spent = new Map<string, Utxo>()
    let within = 0
    for (const { inputs } of block.transactions.slice(1))
      for (const { outpoint } of inputs) {
        const output = { value: cursor.i64() as Sat, script: cursor.bytes() }
        const utxo = { outpoint, ...output, height: 1, coinbase: false }
        if (own.has(toHex(outpoint.txid))) within++
        else spent.set(outpointKey(outpoint), utxo)
      }
    expect(cursor.remaining).toBe(0)
    const judge = (change: (utxo: Utxo, key: string) => Utxo | undefined = (utxo) => utxo) =>
      checkSpends(block, {
        network,
        height,
        txids: txidsOf(block),
        output: (key) => {
          const utxo = spent.get(key)
          return utxo && change(utxo, key)
        },
        medianTime: () => block.header.time - 3_600,
      })

    const verdict = judge()
    if (verdict.type !== 'valid') throw new Error(verdict.reason)
    expect(verdict.feeRates).toHaveLength(block.transactions.length - 1)
    const { changes } = verdict
    // Nothing is in two of the maps, and all that was there is spent.
    for (const key of changes.created.keys())
      expect(changes.spent.has(key) || changes.passing.has(key)).toBe(false)
    expect([changes.spent.size, changes.passing.size]).toEqual([spent.size, within])
    const sumOf = (utxos: Iterable<Utxo>) => [...utxos].reduce((sum, { value }) => sum + value, 0n)
    const grown = sumOf(changes.created.values()) - sumOf(changes.spent.values())
    expect(grown).toBeLessThanOrEqual(subsidy(height, network))

    const fresh = [...changes.spent.keys()]
    const victim = present(fresh[fresh.length >> 1], 'a block spends something')
    const at = (key: string, change: (utxo: Utxo) => Utxo | undefined) =>
      judge((utxo, each) => (each === key ? change(utxo) : utxo))
    expect(at(victim, () => undefined)).toEqual({
      type: 'invalid',
      reason: 'bad-txns-inputs-missingorspent',
    })
    expect(at(victim, (utxo) => ({ ...utxo, coinbase: true, height: height - 99 }))).toEqual({
      type: 'invalid',
      reason: 'bad-txns-premature-spend-of-coinbase',
    })
    expect(at(victim, (utxo) => ({ ...utxo, coinbase: true, height: height - 100 })).type).toBe(
      'valid',
    )
    expect(at(victim, (utxo) => ({ ...utxo, value: sat(0n) })).type).toBe('invalid')
  })
})
