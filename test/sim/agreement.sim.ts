/**
 * Goal: binary agreement by itself gives one decision, proposed by an honest node, and a schedule
 * hostile to the coin ends (threshold §§17.3, 22.4).
 *
 * Method: chance with liars, and a scheduler that learns each coin with the first share and keeps
 * two honest nodes apart with it for as long as the protocol lets it.
 */
import { describe, expect, it } from 'vitest'
import type { InstanceVote } from '../../src/core/log/agreement.ts'
import type { Bit } from '../../src/core/log/coin.ts'
import { AgreementNet } from '../support/agreement-net.ts'
import { playByChance, playHostile } from '../support/agreement-runs.ts'
import { seedsTo } from '../support/seeds.ts'

describe.each([1, 4, 5, 6, 7, 10, 13])('agreement alone, %i nodes', (nodes) => {
  it('§22.4 agreement: one decision, proposed by an honest node, with f liars sending term early and at random', () => {
    for (const seed of seedsTo(nodes < 7 ? 300 : 60))
      expect(() => playByChance(nodes, seed), `seed ${seed}`).not.toThrow()
  })
})

describe.each([4, 5, 6, 7, 10])('a schedule hostile to the coin, %i nodes', (nodes) => {
  it('§22.4 agreement: ends, mean below 5.5 rounds, none above 40', () => {
    const seeds = seedsTo(nodes < 7 ? 1_000 : 200)
    const rounds = seeds.map((seed) => playHostile(nodes, seed))
    const worst = Math.max(...rounds)
    expect(worst, `seed ${seeds[rounds.indexOf(worst)]}`).toBeLessThanOrEqual(40)
    expect(rounds.reduce((sum, count) => sum + count, 0) / rounds.length).toBeLessThan(5.5)
  })
})

/** Votes of one kind to one node, from some nodes, and of one value. */
function feed(
  net: AgreementNet,
  to: number,
  type: InstanceVote['type'],
  { from, value }: { readonly from?: readonly number[]; readonly value?: Bit } = {},
): void {
  net.deliverWhere(
    (sent) =>
      sent.to === to &&
      sent.vote.type === type &&
      (from === undefined || from.includes(sent.from)) &&
      (value === undefined || ('value' in sent.vote && sent.vote.value === value)),
  )
}

function ends(net: AgreementNet): void {
  net.deliverWhere(() => true)
  expect(net.honest.map((node) => net.party(node).isStopped)).toEqual(net.honest.map(() => true))
  net.check()
}

const bval = (value: Bit): InstanceVote => ({ type: 'bval', round: 0, value, isEstimate: true })

describe('whoever is ahead goes on for those behind, with f liars silent from then on', () => {
  it('stopping with fewer than 2f + 1 term would leave the rest below n − f', () => {
    const net = new AgreementNet(4, 'stop')
    const [a = 0, b = 0, c = 0] = net.honest
    const [liar = 0] = net.liars
    for (const [node, value] of [
      [a, 1],
      [b, 1],
      [c, 0],
    ] as const)
      net.input(node, value)
    for (const to of [a, b]) net.lie(liar, to, bval(1))
    for (const to of [a, b, c]) net.lie(liar, to, bval(0))
    for (const to of [a, b]) feed(net, to, 'bval', { value: 1 })
    for (const to of [a, b]) feed(net, to, 'bval', { value: 0 })
    feed(net, c, 'bval', { value: 0 })
    feed(net, c, 'bval')
    for (const to of [a, b]) net.lie(liar, to, { type: 'aux', round: 0, value: 1 })
    feed(net, a, 'aux', { from: [b, liar] })
    feed(net, b, 'aux', { from: [a, liar] })
    feed(net, c, 'aux', { from: [a, b] })
    net.lie(liar, a, { type: 'conf', round: 0, values: 2 })
    feed(net, a, 'conf', { from: [b, liar] })
    feed(net, b, 'conf', { from: [a, c] })
    feed(net, c, 'conf', { from: [a, b] })
    // The first one has decided, and the liar tells it alone that it has, too.
    expect([a, b, c].map((node) => net.party(node).decision)).toEqual([1, undefined, undefined])
    net.lie(liar, a, { type: 'term', value: 1 })
    feed(net, a, 'term')
    ends(net)
  })

  it('bval is repeated in past rounds, or a slower node would never fill its bin', () => {
    const net = new AgreementNet(7, 'past')
    const [slow = 0, other = 0, ...fast] = net.honest
    const [first = 0] = fast
    for (const node of [slow, other]) net.input(node, 1)
    for (const node of fast) net.input(node, 0)
    for (const liar of net.liars) {
      for (const to of [other, first]) net.lie(liar, to, bval(1))
      for (const to of fast) net.lie(liar, to, bval(0))
    }
    // One of the fast says 1 as well, and the other slow one accepts 1 with it.
    net.deliverWhere(
      ({ to, vote }) => to === first && vote.type === 'bval' && vote.value === 1,
      () => net.hasSaid(first, 'bval', 0, 1),
    )
    for (const to of fast) feed(net, to, 'bval', { value: 0 })
    feed(net, other, 'bval', { value: 1 })
    for (const to of [slow, other, slow]) feed(net, to, 'bval', { value: 0 })
    expect([slow, other].map((node) => net.hasSaid(node, 'aux', 0, node === slow ? 0 : 1))).toEqual(
      [true, true],
    )
    for (const liar of net.liars)
      for (const to of fast) {
        net.lie(liar, to, { type: 'aux', round: 0, value: 0 })
        net.lie(liar, to, { type: 'conf', round: 0, values: 1 })
      }
    const sure = [...fast, ...net.liars]
    for (const to of fast) feed(net, to, 'aux', { from: sure })
    for (const to of fast) feed(net, to, 'conf', { from: sure })
    expect(fast.map((node) => net.estimate(node, 1))).toEqual([0, 0, 0])
    ends(net)
  })
})
