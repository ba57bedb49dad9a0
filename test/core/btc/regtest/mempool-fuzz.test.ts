/**
 * Goal: whatever is offered to the mempool, it answers; and what it takes, the next block can hold.
 * Method: good spends with random changes, to a node that keeps to standards and to one that does
 * not; each one taken is mined at once.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { present } from '../../../../src/core/base/errors.ts'
import type { Sat } from '../../../../src/core/base/units.ts'
import { RegtestNode } from '../../../../src/core/btc/regtest/node.ts'
import type { Transaction, TxIn } from '../../../../src/core/btc/transaction.ts'
import { encodeTransaction, txid } from '../../../../src/core/btc/transaction.ts'
import type { Anchor } from './anchors.ts'
import { anchorsOf, mineAnchors, spendAnchors } from './anchors.ts'
import { NOW } from './chains.ts'

const anyScript = Uint8Array.of(0x51)
const bytes = fc.uint8Array({ maxLength: 90 })
const u32 = fc.oneof(
  fc.constantFrom(0, 1, 103, 104, 0x0040_0001, 499_999_999, 500_000_000, NOW, 0xffff_fffe),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)
/** Each makes another transaction of one. */
const change = fc.oneof(
  fc.integer({ min: -3, max: 5 }).map((version) => withPart({ version })),
  u32.map((lockTime) => withPart({ lockTime })),
  u32.map((sequence) => withInput({ sequence })),
  bytes.map((scriptSig) => withInput({ scriptSig })),
  fc.array(bytes, { maxLength: 4 }).map((witness) => withInput({ witness })),
  fc.nat(3).map((vout) => (tx: Transaction) => ({
    ...tx,
    inputs: tx.inputs.map((i) => ({ ...i, outpoint: { ...i.outpoint, vout } })),
  })),
  fc.constant((tx: Transaction) => ({ ...tx, inputs: [...tx.inputs, ...tx.inputs] })),
  fc.constant(withPart({ inputs: [] })),
  fc.constant(withPart({ outputs: [] })),
  bytes.map((script) => withOutput({ script })),
  fc
    .bigInt({ min: -1n, max: 2_100_000_000_000_001n })
    .map((value) => withOutput({ value: value as Sat })),
  fc.nat(900).map((fee) => (tx: Transaction) => ({
    ...tx,
    outputs: tx.outputs.map((o, i) =>
      i === 0 ? { ...o, value: (o.value - BigInt(fee)) as Sat } : o,
    ),
  })),
)

function withPart(part: Partial<Transaction>) {
  return (tx: Transaction): Transaction => ({ ...tx, ...part })
}
function withInput(part: Partial<TxIn>) {
  return (tx: Transaction): Transaction => ({
    ...tx,
    inputs: tx.inputs.map((input, i) => (i === 0 ? { ...input, ...part } : input)),
  })
}
function withOutput(part: Partial<Transaction['outputs'][number]>) {
  return (tx: Transaction): Transaction => ({
    ...tx,
    outputs: tx.outputs.map((output, i) => (i === 0 ? { ...output, ...part } : output)),
  })
}

test('what the mempool takes a block holds, and nothing makes it throw', () => {
  const nodes = [false, true].map((acceptNonstandard) => {
    const node = new RegtestNode({ mempool: { acceptNonstandard } })
    return { node, coins: [...mineAnchors(node, 40, NOW)] as Anchor[] }
  })
  let taken = 0
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
      for (const { node, coins } of nodes) {
        const coin = coins[0]
        if (coin === undefined) return // All are spent.
        const offered = changes.reduce(
          (tx: Transaction, make) => make(tx),
          spendAnchors([coin], { fee: 2_000n, outputs: 2 }),
        )
        const reply = node.submit(offered, NOW)
        if (reply.type === 'refused') {
          expect(node.mempool()).toEqual([])
          expect(reply.reason).toMatch(/^[a-zA-Z0-9 -]+(?:,? .*)?$/)
          continue
        }
        taken += 1
        node.mine(1, anyScript, NOW)
        expect(node.transaction(reply.txid)?.confirmations).toBe(1)
        coins.shift()
        coins.push(...anchorsOf(offered).filter(({ value }) => value > 1_000_000n))
      }
    }),
    { numRuns: 150, seed: 5 },
  )
  expect(taken).toBeGreaterThan(40)
})

test('no bytes make it throw, and a transaction cut or altered is judged', () => {
  const node = new RegtestNode()
  const [coin] = mineAnchors(node, 1, NOW)
  const whole = encodeTransaction(spendAnchors([present(coin, 'a coin')], { fee: 2_000n }))
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const altered = whole.map((byte, i) => (i === at ? byte ^ flip : byte))
      // The other amount and the data are anybody's to choose: no signature holds them.
      for (const offered of [altered, whole.subarray(0, at)]) {
        const reply = node.test(offered, NOW)
        if (reply.type === 'accepted') expect(reply.txid).toEqual(txid(reply.entry.transaction))
      }
    }),
    { numRuns: 150 },
  )
})
