/**
 * Goal: a proof of inclusion is believed only if the block holds the very transaction (BLK-17).
 * Method: every transaction of blocks of every small size; the two published attacks, built for
 * real; a table of corruptions.
 */
import { describe, expect, test } from 'vitest'
import { fromHex, hash32 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { decodeBlock, txidsOf } from '../../../src/core/btc/block.ts'
import { hashPair, merkleRoot } from '../../../src/core/btc/merkle.ts'
import type { InclusionProof, ProofReject } from '../../../src/core/btc/merkle-proof.ts'
import { checkInclusion, merkleBranch, merkleDepth } from '../../../src/core/btc/merkle-proof.ts'
import type { Transaction } from '../../../src/core/btc/transaction.ts'
import {
  decodeTransaction,
  encodeStripped,
  transactionFromParts,
  txid,
} from '../../../src/core/btc/transaction.ts'
import { vectorBytes } from '../../support/vectors.ts'
import { blockOf, hashOf, output, payment } from './builders.ts'

const labels = (count: number) => Array.from({ length: count }, (_, i) => payment(`p${i}`))

/** The honest proof of one transaction of a block. */
function proofOf(transactions: readonly Transaction[], position: number): InclusionProof {
  const ids = transactions.map(txid)
  const at = (i: number) => present(transactions[i], 'a position in the block')
  return {
    transaction: at(position),
    branch: merkleBranch(ids, position),
    coinbase: { transaction: at(0), branch: merkleBranch(ids, 0) },
    transactionCount: transactions.length,
  }
}

test('every transaction of every small block is proved', () => {
  for (let others = 0; others < 12; others++) {
    const { header, transactions } = blockOf(7, labels(others))
    for (const i of transactions.keys())
      expect(checkInclusion(proofOf(transactions, i), header), `${i} of ${others + 1}`).toBe(
        undefined,
      )
  }
})

test('so is every transaction of a real block', (context) => {
  const block = decodeBlock(vectorBytes(context, 'bitcoin-blocks/block300025.raw'))
  const { transactions } = block
  for (const i of [0, 1, 2, transactions.length - 1])
    expect(checkInclusion(proofOf(transactions, i), block.header)).toBe(undefined)
})

test('the depth of a tree is that of its leaves', () => {
  expect([1, 2, 3, 4, 5, 8, 9].map(merkleDepth)).toEqual([0, 1, 2, 2, 3, 3, 4])
})

describe('a proof is refused', () => {
  const { header, transactions } = blockOf(7, labels(5))
  const honest = proofOf(transactions, 3)
  const { branch, coinbase } = honest
  const last = proofOf(transactions, 5)
  const sibling = (at: number, hash = hashOf('other')) => ({
    ...branch,
    siblings: branch.siblings.with(at, hash),
  })
  const cases: readonly (readonly [string, Partial<InclusionProof>, ProofReject])[] = [
    ['of another transaction', { transaction: payment('foreign') }, 'bad-merkle-root'],
    ['at another place', { branch: { ...branch, position: 2 } }, 'bad-merkle-root'],
    ['at no place of the block', { branch: { ...branch, position: 6 } }, 'bad-position'],
    ['at a negative place', { branch: { ...branch, position: -1 } }, 'bad-position'],
    ['at half a place', { branch: { ...branch, position: 4.5 } }, 'bad-position'],
    ['with another neighbour', { branch: sibling(0) }, 'bad-merkle-root'],
    ['with another neighbour higher up', { branch: sibling(2) }, 'bad-merkle-root'],
    [
      'whose last of a level has a neighbour',
      { transaction: last.transaction, branch: { position: 5, siblings: branch.siblings } },
      'duplicated-branch',
    ],
    [
      'whose neighbour is the transaction itself',
      { branch: sibling(0, txid(honest.transaction)) },
      'duplicated-branch',
    ],
    [
      'that is shorter than that of the coinbase',
      { branch: { ...branch, siblings: branch.siblings.slice(1) } },
      'other-depth-than-coinbase',
    ],
    [
      'that is longer than that of the coinbase',
      { branch: { ...branch, siblings: [...branch.siblings, hashOf('root')] } },
      'other-depth-than-coinbase',
    ],
    ['with a count that does not give the depth', { transactionCount: 9 }, 'bad-depth'],
    ['with a count of one', { transactionCount: 1 }, 'bad-depth'],
    [
      'with a coinbase that is none',
      { coinbase: { ...coinbase, transaction: payment('p0') } },
      'not-a-coinbase',
    ],
    [
      'with the coinbase of another block',
      { coinbase: { ...coinbase, transaction: present(blockOf(8, []).transactions[0], 'one') } },
      'bad-merkle-root',
    ],
    [
      'with a coinbase that is not first',
      { coinbase: { ...coinbase, branch: { ...coinbase.branch, position: 1 } } },
      'misplaced-coinbase',
    ],
    [
      'of a payment that is said to be first',
      { branch: { ...branch, position: 0 } },
      'misplaced-coinbase',
    ],
    [
      'of a coinbase that is not first',
      { transaction: coinbase.transaction },
      'misplaced-coinbase',
    ],
  ]
  test.each(cases)('%s', (_, change, reason) => {
    expect(checkInclusion({ ...honest, ...change }, header)).toBe(reason)
  })

  test('by a header of another block', () => {
    expect(checkInclusion(honest, { merkleRoot: hashOf('x') })).toBe('bad-merkle-root')
  })
})

describe('CVE-2017-12842', () => {
  /** 60 bytes of fields and four of script: the size of an inner node. */
  const short = transactionFromParts({
    inputs: [{ outpoint: { txid: hashOf('a'), vout: 0 }, scriptSig: new Uint8Array(0) }],
    outputs: [output(1_000n, fromHex('51515151'))],
  })

  test('bitcoin §13.24: an inner node shown as a transaction of 64 bytes is no transaction', () => {
    expect(encodeStripped(short).length).toBe(64)
    const { header, transactions } = blockOf(7, [short])
    expect(checkInclusion(proofOf(transactions, 1), header)).toBe('transaction-of-64-bytes')
    // The same root with the two halves as leaves: nobody can tell which block was meant.
    const bytes = encodeStripped(short)
    const halves = [hash32(bytes.slice(0, 32)), hash32(bytes.slice(32))] as const
    expect(hashPair(...halves)).toEqual(txid(short))
  })

  test('a payment below a transaction of 64 bytes is not in the block', () => {
    // The miner chose the second half of the short transaction to be the id of a payment.
    const fake = payment('never made')
    const bytes = encodeStripped(short)
    const left = hash32(bytes.slice(0, 32))
    const node = hashPair(left, txid(fake))
    const first = present(blockOf(7, []).transactions[0], 'a coinbase')
    const { root } = merkleRoot([txid(first), node])
    const proof: InclusionProof = {
      transaction: fake,
      branch: { position: 3, siblings: [left, txid(first)] },
      coinbase: { transaction: first, branch: { position: 0, siblings: [node] } },
      transactionCount: 4,
    }
    expect(checkInclusion(proof, { merkleRoot: root })).toBe('other-depth-than-coinbase')
    const deeper = { ...proof.coinbase, branch: { position: 0, siblings: [node, node] } }
    expect(checkInclusion({ ...proof, coinbase: deeper }, { merkleRoot: root })).toBe(
      'bad-merkle-root',
    )
  })

  test('a short transaction is read back as itself', () => {
    expect(txid(decodeTransaction(encodeStripped(short)))).toEqual(txid(short))
  })
})

test('the branch of a position leads to the root', () => {
  const ids = txidsOf(blockOf(7, labels(6)))
  for (const i of ids.keys()) {
    const { siblings } = merkleBranch(ids, i)
    expect(siblings.length).toBe(merkleDepth(ids.length))
  }
})
