/**
 * Goal: with one honest peer among liars nothing that is watched is hidden (safety), the search comes
 * to its end (liveness), and the honest peer is never taken for a liar.
 * Method: three peers of which two lie at random, by a numbered seed: they hide scripts from filters
 * with headers to match, change bytes, answer late, twice, or not at all. `SEED=7` repeats one.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { sat } from '../../../src/core/base/units.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { encodeFilter, filterElements } from '../../../src/core/btc/compact-filter.ts'
import { UNDECIDED_MAX } from '../../../src/core/btc/filter-sync.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { transactionFromParts, txid } from '../../../src/core/btc/transaction.ts'
import { liar } from '../../support/filter-liar.ts'
import type { Alter } from '../../support/filter-net.ts'
import { FilterNet } from '../../support/filter-net.ts'
import { seedsTo } from '../../support/seeds.ts'
import { blockOn, NOW } from './regtest/chains.ts'

const SEEDS = 24

/** Any of these spends itself: a push of bytes that are not all zero. */
const scriptOf = (n: number): Uint8Array => Uint8Array.of(3, n & 0xff, n >> 8, 1)

/** A chain in which each of the last blocks spends what the one before it paid. */
function chainOfSpends(count: number): RegtestNode {
  const node = new RegtestNode()
  node.mine(1, scriptOf(0), NOW)
  node.mine(100, Uint8Array.of(0x51), NOW)
  let source = { txid: txid(present(node.blockAt(1)?.transactions[0], 'a coinbase')), vout: 0 }
  for (let i = 1; i <= count; i++) {
    const outputs = [{ value: sat(BigInt(1_000_000 - i)), script: scriptOf(i) }]
    const tx = transactionFromParts({ inputs: [{ outpoint: source }], outputs })
    const reply = node.submitBlock(blockOn(node, { transactions: [tx] }), NOW + 10_000)
    if (reply.type === 'refused') throw new RangeError(reply.reason)
    source = { txid: txid(tx), vout: 0 }
  }
  node.mine(14, Uint8Array.of(0x51), NOW)
  return node
}

const node = chainOfSpends(30)
const watched = [3, 4, 11, 20, 30].map(scriptOf)
const TRUTH = watched.map((script) => {
  const height = 101 + (script[1] ?? 0)
  return [toHex(script), height, height === 131 ? undefined : height + 1] as const
})

const found = ({ client }: FilterNet) =>
  client.scan.coins
    .map(({ script, height, spent }) => [toHex(script), height, spent?.height] as const)
    .toSorted(([, a], [, b]) => a - b)

/** Lies that are as good as they can be, and noise. */
function randomLiar(seed: Seed): Alter {
  const generator = seed.generator()
  const chance = (percent: number): boolean => (generator.words(1)[0] ?? 0) % 100 < percent
  const hidden = new Set(watched.filter(() => chance(40)).map(toHex))
  const heights = new Set(Array.from({ length: 40 }, (_, i) => 100 + i).filter(() => chance(20)))
  const lie = liar(node, (height, honest) => {
    if (!heights.has(height)) return honest
    const block = present(node.blockAt(height), 'a block')
    const shown = filterElements(block, []).filter((script) => !hidden.has(toHex(script)))
    return encodeFilter(headerHash(block.header), shown)
  })
  const noise = chance(50) ? 0 : 8
  return (message) => {
    if (!message.type.startsWith('cf')) return [message]
    const [said] = lie(message)
    if (said === undefined || chance(noise)) return []
    if (chance(noise)) return [said, said]
    if (said.type === 'cfilter' && chance(noise)) {
      const filter = said.filter.slice()
      const at = (generator.words(1)[0] ?? 0) % filter.length
      filter[at] = (filter[at] ?? 0) ^ 1
      return [{ ...said, filter }]
    }
    return [said]
  }
}

describe('one honest peer among liars is heard', () => {
  test.each(seedsTo(SEEDS))('seed %i', (number) => {
    const seed = Seed.fromBytes(new Uint8Array(32).fill(number))
    const place = number % 3
    const peers = [0, 1, 2].map((i) =>
      i === place ? { node } : { node, alter: randomLiar(seed.derive(`liar ${i}`)) },
    )
    const net = new FilterNet(peers, { nowS: NOW + 20_000 })
    net.step({ type: 'watch', scripts: watched, birth: 1 })
    net.start()
    for (let minutes = 0; minutes < 30; minutes++) {
      const { synced, searched, tip } = net.client.status
      if (synced && searched === tip.height) break
      net.advance(60_000)
    }
    const { status } = net.client
    expect(status).toMatchObject({ synced: true, searched: node.tip().height })
    expect(found(net)).toEqual(TRUTH)
    const accused = net.offences.filter(({ offence }) => offence.kind === 'filterLie')
    expect(accused.map(({ peer }) => peer)).not.toContain(place)
  })
})

test('peers who differ about more than a hundred blocks, without proof, are of no use together', () => {
  const long = chainOfSpends(UNDECIDED_MAX + 5)
  const alter = liar(long, (height, honest) => {
    if (height <= 101 || height > 101 + UNDECIDED_MAX + 5) return honest
    const block = present(long.blockAt(height), 'a block')
    return encodeFilter(headerHash(block.header), filterElements(block, []))
  })
  const net = new FilterNet([{ node: long }, { node: long, alter }], { nowS: NOW + 20_000 })
  net.step({ type: 'watch', scripts: watched, birth: 1 })
  net.start()
  expect(net.client.status.undecided).toBe(UNDECIDED_MAX + 1)
  expect(net.client.scan.rescanning(watched, long.tip().height)).toMatchObject({ at: 0 })
  expect(net.offences).toEqual([])
  expect(equalBytes(net.client.status.tip.hash, long.tip().hash)).toBe(true)
})
