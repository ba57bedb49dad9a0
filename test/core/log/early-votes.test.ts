/** Votes of the next slot, and the news of later ones. Source: threshold §17.8 rule 3. */
import { expect, test } from 'vitest'
import { EarlyVotes } from '../../../src/core/log/early-votes.ts'
import type { Vote } from '../../../src/core/log/vote.ts'

const term = (instance: number): Vote => ({ type: 'term', instance, value: 1 })
const initial: Vote = { type: 'initial', proposal: Uint8Array.of(1) }
const NODES = 4
const none = (): bigint => 0n
const MAX = 1 + NODES * (3 + 5 * 17)

test('votes of the next slot count there, once', () => {
  const early = new EarlyVotes(NODES)
  expect(early.hear(1, { slot: 5n, life: 0n, votes: [term(0)] }, 5n)).toBe(false)
  early.hear(1, { slot: 5n, life: 0n, votes: [term(1)] }, 5n)
  const { votes, lacking } = early.enter(5n, none)
  expect([[...votes], lacking]).toEqual([[[1, [term(0), term(1)]]], []])
  expect(early.enter(5n, none).votes.size).toBe(0)
})

test('votes of a slot that came from elsewhere count in no other one', () => {
  const early = new EarlyVotes(NODES)
  early.hear(1, { slot: 5n, life: 0n, votes: [term(0)] }, 5n)
  early.hear(2, { slot: 5n, life: 0n, votes: [term(0)] }, 5n)
  early.hear(1, { slot: 6n, life: 0n, votes: [term(1)] }, 6n)
  expect([...early.enter(6n, none).votes]).toEqual([[1, [term(1)]]])
})

test('of one sender so many are kept and one initial; dropped ones are asked for', () => {
  const early = new EarlyVotes(NODES)
  early.hear(1, { slot: 5n, life: 0n, votes: [initial, initial] }, 5n)
  expect(early.size).toBe(1)
  for (let i = 0; i < 2 * MAX; i++) early.hear(1, { slot: 5n, life: 0n, votes: [term(0)] }, 5n)
  expect(early.size).toBe(MAX)
  expect(early.enter(5n, none).lacking).toEqual([1])
})

test('f + 1 senders in later slots are news, once; when a slot of theirs is entered, they are asked', () => {
  const early = new EarlyVotes(NODES)
  const later = (from: number, slot: bigint): boolean =>
    early.hear(from, { slot, life: 0n, votes: [] }, 5n)
  expect([later(1, 6n), later(1, 7n), later(2, 9n), later(3, 9n)]).toEqual([
    false,
    false,
    true,
    false,
  ])
  expect(early.enter(8n, none).lacking).toEqual([2, 3])
  // What they said of slot 9 was dropped then, and it was not kept later.
  expect([early.enter(9n, none).lacking, early.isBehind]).toEqual([[2, 3], false])
  expect(early.enter(10n, none).lacking).toEqual([])
})

test('f + 1 nodes beyond the slot worked on are a sign to be behind, fewer are none', () => {
  const early = new EarlyVotes(NODES)
  early.hear(1, { slot: 2n ** 64n - 1n, life: 0n, votes: [] }, 5n)
  expect(early.isBehind).toBe(false)
  early.hear(2, { slot: 5n, life: 0n, votes: [term(0)] }, 5n)
  expect(early.isBehind).toBe(true)
  early.enter(5n, none)
  expect(early.isBehind).toBe(false)
})

test('votes of another life of their node do not count', () => {
  const early = new EarlyVotes(NODES)
  early.hear(1, { slot: 5n, life: 7n, votes: [term(0)] }, 5n)
  early.hear(2, { slot: 5n, life: 7n, votes: [term(0)] }, 5n)
  early.hear(2, { slot: 5n, life: 0n, votes: [term(1)] }, 5n)
  expect([...early.enter(5n, none).votes]).toEqual([[2, [term(1)]]])
})
