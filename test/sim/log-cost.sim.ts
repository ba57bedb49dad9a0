/**
 * Goal: what a slot costs without faults, as threshold §23 and performance R17 say.
 *
 * Method: all messages of one moment arrive together, and votes are counted on their way.
 */
import { expect, it } from 'vitest'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { itemOf, LogNet } from '../support/log-net.ts'
import { inStep } from '../support/log-schedules.ts'
import { INCARNATION, votesBytes } from '../support/log-world.ts'

const VOTES_TAG = votesBytes(0, 0n, [])[8]

it.each([4, 5, 7])('%i nodes: own votes that led to a slot are on disk before it', (nodes) => {
  const terms = new Map<number, number>()
  const net = new LogNet({
    nodes,
    seed: 'order',
    schedule: inStep,
    // Nobody crashes: this only looks at what leaves a node, in its order.
    crash: (node, output) => {
      if (output.type === 'send' && output.bytes[8] === VOTES_TAG) {
        const message = decodeLogMessage(INCARNATION, output.bytes)
        const votes = message?.type === 'votes' && message.slot === 0n ? message.votes : []
        const count = votes.filter(({ type }) => type === 'term').length
        terms.set(node, (terms.get(node) ?? 0) + count)
      }
      if (output.type === 'slot') expect(terms.get(node)).toBe(nodes)
      return undefined
    },
  })
  for (const node of net.honest) net.submit(node, itemOf(`item of ${node}`))
  expect(net.run(() => net.isServed)).toBe(true)
})

it.each([
  [4, 348, 84],
  [7, 2_100, 294],
  [13, 14_352, 1_092],
])('%i nodes: a slot costs %i votes, and in step %i messages', (nodes, votesDue, messagesDue) => {
  let messages = 0
  const net = new LogNet({
    nodes,
    seed: 'cost',
    schedule: (message, random, nowMs) => {
      if (message.bytes[8] === VOTES_TAG) messages += 1
      return inStep(message, random, nowMs)
    },
  })
  net.run(() => false, 10_000)
  for (const node of net.honest) net.submit(node, itemOf(`item of ${node}`))
  net.run(() => false, 60_000)
  expect(net.honest.map((node) => net.height(node))).toEqual(net.honest.map(() => 1))
  const votes = [...net.checker.counts.values()].reduce((sum, count) => sum + count, 0)
  expect([votes * (nodes - 1), messages]).toEqual([votesDue, messagesDue])
})
