/**
 * Goal: every reason that the specification lists for a refused block (RN-5) is one that the node
 * gives, for a block or transaction that breaks this rule alone.
 * Method: the list is read from the specification, so a reason without its block is noticed.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { hash32 } from '../../../../src/core/base/bytes.ts'
import { present } from '../../../../src/core/base/errors.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import type { BlockHeader } from '../../../../src/core/btc/block.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { connectBlock } from '../../../../src/core/btc/regtest/block-validation.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { Transaction } from '../../../../src/core/btc/transaction.ts'
import { NULL_VOUT, outpointKey, stripWitness, txid } from '../../../../src/core/btc/transaction.ts'
import { anchorsOf, mineAnchors, spendAnchors } from './anchors.ts'
import type { BlockParts } from './chains.ts'
import { blockOn, NOW, SUBSIDY, solved, unsolved, verdict } from './chains.ts'

const node = new RegtestNode()
const [anchor, ripening] = [mineAnchors(node, 1, NOW)[0], node.blockAt(101)]
const coin = present(anchor, 'an anchor was mined')
const good = spendAnchors([coin], { fee: 1_000n })
const nothing = { txid: hash32(new Uint8Array(32)), vout: NULL_VOUT }
const anyScript = Uint8Array.of(0x51)

const judged = (parts: BlockParts): string =>
  verdict(node.submitBlock(blockOn(node, { reward: 0n, ...parts }), NOW))
const withHeader = (change: Partial<BlockHeader>): string =>
  judged({ header: (header) => ({ ...header, ...change }) })
const withCoinbase = (change: (tx: Transaction) => Transaction): string =>
  judged({ coinbase: change })
const withSpend = (change: Partial<Transaction>): string =>
  judged({ transactions: [{ ...good, ...change }] })
const withValues = (...values: readonly bigint[]): string =>
  withSpend({ outputs: values.map((value) => ({ value: value as Sat, script: anyScript })) })
const withScripts = (...scripts: readonly Uint8Array[]): string =>
  withCoinbase((tx) => ({
    ...tx,
    outputs: [...tx.outputs, ...scripts.map((script) => ({ value: 0n as Sat, script }))],
  }))
const withCoinbaseScript = (scriptSig: Uint8Array): string =>
  withCoinbase((tx) => ({ ...tx, inputs: tx.inputs.map((input) => ({ ...input, scriptSig })) }))
const [input] = good.inputs

const REASONS: Readonly<Record<string, () => string>> = {
  'bad-txnmrklroot': () => withHeader({ merkleRoot: hash32(new Uint8Array(32).fill(9)) }),
  'bad-txns-duplicate': () => {
    const other = spendAnchors([coin], { fee: 1_001n })
    const block = blockOn(node, { transactions: [other, good], reward: 0n })
    const transactions = [...block.transactions, good]
    return verdict(node.submitBlock({ ...block, transactions }, NOW))
  },
  'bad-witness-merkle-match': () =>
    withCoinbase((tx) => ({
      ...tx,
      inputs: tx.inputs.map((i) => ({ ...i, witness: [new Uint8Array(32).fill(1)] })),
    })),
  'unexpected-witness': () => {
    const inputs = good.inputs.map((i) => ({ ...i, witness: [anyScript] }))
    return judged({ transactions: [{ ...good, inputs }], commitment: false })
  },
  'bad-cb-missing': () =>
    withCoinbase((tx) => ({
      ...tx,
      inputs: tx.inputs.map((i) => ({ ...i, outpoint: { ...nothing, vout: 0 } })),
    })),
  'bad-cb-multiple': () => judged({ transactions: blockOn(node).transactions }),
  'bad-cb-length': () => withCoinbaseScript(anyScript),
  'bad-cb-height': () => withCoinbaseScript(Uint8Array.of(0x02, 0xff, 0xff, 0)),
  'bad-cb-amount': () => judged({ reward: SUBSIDY + 1n }),
  'bad-blk-length': () => {
    const { header } = blockOn(node)
    const root = hash32(new Uint8Array(32))
    return verdict(
      node.submitBlock({ transactions: [], header: solved({ ...header, merkleRoot: root }) }, NOW),
    )
  },
  'bad-blk-weight': () => {
    const witness = [new Uint8Array(3_999_900)]
    const inputs = good.inputs.map((i) => ({ ...i, witness }))
    return judged({ transactions: [{ ...good, inputs }] })
  },
  'bad-blk-sigops': () =>
    withScripts(...[9_999, 9_999, 3].map((n) => new Uint8Array(n).fill(0xac))),
  'bad-txns-vin-empty': () => withSpend({ inputs: [] }),
  'bad-txns-vout-empty': () => withSpend({ outputs: [] }),
  'bad-txns-vout-negative': () => withValues(-1n),
  'bad-txns-vout-toolarge': () => withValues(2_100_000_000_000_001n),
  'bad-txns-txouttotal-toolarge': () => withValues(2_100_000_000_000_000n, 1n),
  'bad-txns-inputs-duplicate': () => withSpend({ inputs: [...good.inputs, ...good.inputs] }),
  'bad-txns-prevout-null': () =>
    withSpend({ inputs: [...good.inputs, { ...present(input, 'it has one'), outpoint: nothing }] }),
  'bad-txns-inputs-missingorspent': () => judged({ transactions: [good, good] }),
  'bad-txns-premature-spend-of-coinbase': () => {
    const coinbase = present(ripening?.transactions[0], 'a block has a coinbase')
    const outpoint = { txid: txid(coinbase), vout: 0 }
    return judged({ transactions: [spendAnchors([{ outpoint, value: SUBSIDY }], { fee: 1n })] })
  },
  'bad-txns-in-belowout': () => withValues(SUBSIDY + 1n),
  'bad-txns-nonfinal': () => withSpend({ lockTime: 500 }),
  'bad-txns-BIP30': () => {
    // No chain leads there: BIP34 makes every coinbase another. So the coin is put there by hand.
    const { transactions, header } = blockOn(node, { transactions: [good], fees: 1_000n })
    const txids = transactions.map(txid)
    const there = { value: 1n as Sat, script: anyScript, height: 1, coinbase: false }
    const key = outpointKey({ txid: txid(good), vout: 0 })
    const connected = connectBlock(
      { header, transactions },
      {
        height: 102,
        medianTimePast: NOW,
        medianTimeAt: () => NOW,
        network: regtest,
        coins: { get: (asked) => (asked === key ? there : undefined) },
        scripts: { consensusFault: () => undefined },
        txids,
      },
    )
    return connected.type === 'refused' ? connected.reason : 'accepted'
  },
  'high-hash': () => {
    const { header, transactions } = blockOn(node)
    return verdict(node.submitBlock({ transactions, header: unsolved(header) }, NOW))
  },
  'bad-diffbits': () => withHeader({ bits: 0x2070_0000 }),
  'time-too-old': () => withHeader({ time: node.tip().header.time - 600 }),
  'time-too-new': () => withHeader({ time: NOW + 7_201 + 100 }),
  'bad-version': () => withHeader({ version: 3 }),
  'mandatory-script-verify-flag-failed': () => {
    const inputs = good.inputs.map((i) => ({ ...i, scriptSig: anyScript }))
    return withSpend({ inputs })
  },
}

describe('a block is refused with the reason of Bitcoin Core', () => {
  it.each(Object.entries(REASONS))('%s', (reason, provoke) => {
    const said = provoke()
    expect(said === reason || said.startsWith(`${reason} (`), `it said ${said}`).toBe(true)
  })

  it('that the specification lists, and no other', () => {
    const text = readFileSync('docs/spec/bitcoin.md', 'utf8')
    const [, list = ''] = /RN-5 ([\s\S]*?)\nRN-6/.exec(text) ?? []
    const listed = [...list.matchAll(/`([^`]+)`/g)].map(([, reason]) => reason)
    expect(Object.keys(REASONS).sort()).toEqual(listed.sort())
  })

  it('and the same without its flaw is accepted', () => {
    expect(anchorsOf(good)).toHaveLength(1)
    expect(stripWitness(good)).toEqual(good)
    expect(judged({ transactions: [good] })).toBe('accepted')
  })
})
