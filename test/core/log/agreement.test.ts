/** Binary agreement at one node, step by step. Source: threshold §17.3. */
import { describe, expect, it, test } from 'vitest'
import type { InstanceVote } from '../../../src/core/log/agreement.ts'
import { Agreement, ROUNDS_AHEAD_MAX } from '../../../src/core/log/agreement.ts'
import type { Bit } from '../../../src/core/log/coin.ts'

const ME = 0
const NODES = 4
const GOOD = 1

type World = {
  readonly party: Agreement
  readonly said: InstanceVote[]
  readonly blamed: number[]
  readonly hear: (node: number, vote: InstanceVote) => boolean
}

/** `coin`: of rounds from 2 on. */
function world(coin: Bit = 1): World {
  const said: InstanceVote[] = []
  const blamed: number[] = []
  const party: Agreement = new Agreement({
    nodes: NODES,
    me: ME,
    coin: {
      share: () => Uint8Array.of(GOOD),
      toss: (_round, shares) => {
        const bad = [...shares].filter(([, [share]]) => share !== GOOD).map(([node]) => node)
        return { value: shares.size - bad.length >= 2 ? coin : undefined, blamed: bad }
      },
    },
    say: (vote) => {
      said.push(vote)
      party.receive(ME, vote)
    },
    fault: (culprit) => blamed.push(culprit),
  })
  const hear = (node: number, vote: InstanceVote): boolean => {
    const counted = party.receive(node, vote)
    party.settle()
    return counted
  }
  return { party, said, blamed, hear }
}

const bval = (round: number, value: Bit): InstanceVote => ({
  type: 'bval',
  round,
  value,
  isEstimate: true,
})
const kinds = (said: readonly InstanceVote[]): readonly string[] =>
  said.map((vote) => {
    const value = 'value' in vote ? vote.value : 'values' in vote ? `{${vote.values}}` : ''
    return `${vote.type}${'round' in vote ? vote.round : ''}:${value}`
  })

/** A round in which all say one value. */
function playRound({ hear }: World, round: number, value: Bit): void {
  for (const node of [1, 2]) hear(node, bval(round, value))
  for (const node of [1, 2]) hear(node, { type: 'aux', round, value })
  for (const node of [1, 2]) hear(node, { type: 'conf', round, values: value === 0 ? 1 : 2 })
}

describe('a round', () => {
  it('goes bval, aux, conf, coin; a value that equals the coin is decided, with one term', () => {
    const it = world()
    it.party.input(1)
    playRound(it, 0, 1)
    expect(kinds(it.said)).toEqual(['bval0:1', 'aux0:1', 'conf0:{2}', 'term:1', 'bval1:1'])
    expect(it.party.decision).toBe(1)
  })

  it('whose value differs from the coin goes on with that value', () => {
    const it = world()
    it.party.input(0)
    playRound(it, 0, 0)
    expect([it.party.decision, kinds(it.said).at(-1)]).toEqual([undefined, 'bval1:0'])
    playRound(it, 1, 0)
    expect(it.party.decision).toBe(0)
  })

  it('of both values takes the coin’s', () => {
    const it = world()
    it.party.input(0)
    for (const node of [1, 2]) for (const value of [0, 1] as const) it.hear(node, bval(0, value))
    it.hear(1, { type: 'aux', round: 0, value: 0 })
    it.hear(2, { type: 'aux', round: 0, value: 1 })
    for (const node of [1, 2]) it.hear(node, { type: 'conf', round: 0, values: 3 })
    expect([it.party.decision, kinds(it.said).at(-1)]).toEqual([undefined, 'bval1:1'])
  })

  it('shows its share of the coin only when conf fixed the values', () => {
    const it = world(0)
    it.party.input(1)
    for (const round of [0, 1]) playRound(it, round, round === 0 ? 0 : 1)
    const isShown = (): boolean => it.said.some(({ type }) => type === 'coin')
    const both = world(0)
    both.party.input(0)
    playRound(both, 0, 0)
    for (const node of [1, 2]) for (const value of [0, 1] as const) both.hear(node, bval(1, value))
    both.hear(1, { type: 'aux', round: 1, value: 1 })
    both.hear(2, { type: 'aux', round: 1, value: 1 })
    for (const node of [1, 2]) both.hear(node, { type: 'conf', round: 1, values: 3 })
    for (const node of [1, 2]) both.hear(node, bval(2, 0))
    for (const node of [1, 2]) both.hear(node, { type: 'aux', round: 2, value: 0 })
    both.hear(1, { type: 'conf', round: 2, values: 1 })
    expect(both.said.some(({ type }) => type === 'coin')).toBe(false)
    both.hear(2, { type: 'conf', round: 2, values: 1 })
    expect(both.said.some(({ type }) => type === 'coin')).toBe(true)
    expect(both.party.decision).toBeUndefined()
    both.hear(1, { type: 'coin', round: 2, share: Uint8Array.of(9) })
    expect([both.blamed, both.party.decision]).toEqual([[1], undefined])
    both.hear(1, { type: 'coin', round: 2, share: Uint8Array.of(GOOD) }) // Too late for it.
    expect(both.party.decision).toBeUndefined()
    both.hear(2, { type: 'coin', round: 2, share: Uint8Array.of(GOOD) })
    expect(both.party.decision).toBe(0)
    expect(isShown()).toBe(false)
  })
})

describe('before its input', () => {
  it('a node repeats what f + 1 say, once, and nothing else', () => {
    const { said, hear } = world()
    hear(1, bval(0, 0))
    expect(said).toEqual([])
    hear(2, bval(0, 0))
    hear(3, bval(0, 0))
    expect(said).toEqual([{ type: 'bval', round: 0, value: 0, isEstimate: false }])
  })

  it('f + 1 term decide, 2f + 1 stop', () => {
    const { party, said, hear } = world()
    hear(1, { type: 'term', value: 0 })
    expect(party.decision).toBeUndefined()
    hear(2, { type: 'term', value: 0 })
    expect([party.decision, party.isStopped, said]).toEqual([0, true, [{ type: 'term', value: 0 }]])
  })
})

test('in past rounds a node goes on repeating bval', () => {
  const it = world()
  it.party.input(1)
  playRound(it, 0, 1)
  const before = it.said.length
  for (const node of [2, 3]) it.hear(node, bval(0, 0))
  expect(kinds(it.said.slice(before))).toEqual(['bval0:0'])
})

test('the first aux, conf and term of a sender counts; another value is a contradiction', () => {
  const { hear } = world()
  const pairs: readonly (readonly [InstanceVote, InstanceVote])[] = [
    [
      { type: 'aux', round: 0, value: 0 },
      { type: 'aux', round: 0, value: 1 },
    ],
    [
      { type: 'conf', round: 0, values: 1 },
      { type: 'conf', round: 0, values: 3 },
    ],
    [
      { type: 'term', value: 0 },
      { type: 'term', value: 1 },
    ],
  ]
  for (const [first, second] of pairs)
    expect([hear(3, first), hear(3, first), hear(3, second)]).toEqual([true, true, false])
})

test('a second, different vote of a sender is not counted', () => {
  const { party, hear } = world()
  hear(3, { type: 'term', value: 0 })
  hear(3, { type: 'term', value: 1 })
  hear(2, { type: 'term', value: 1 })
  expect(party.decision).toBeUndefined()
  hear(1, { type: 'term', value: 0 })
  expect(party.decision).toBe(0)
})

test('votes of rounds beyond own + 16 are dropped, and asked for when their round comes', () => {
  const { party, hear } = world()
  const { size } = party
  hear(1, bval(ROUNDS_AHEAD_MAX + 1, 0))
  expect([party.size, party.takeDropped()]).toEqual([size, false])
  hear(1, bval(ROUNDS_AHEAD_MAX, 0))
  expect(party.size).toBe(size + 1)
  party.receive(ME, bval(ROUNDS_AHEAD_MAX + 1, 0))
  expect([party.takeDropped(), party.takeDropped()]).toEqual([true, false])
})

test('own recorded votes put a node where it was', () => {
  const before = world()
  before.party.input(0)
  playRound(before, 0, 0)
  const after = world()
  for (const vote of before.said) after.party.receive(ME, vote)
  playRound(after, 1, 0)
  expect(kinds(after.said)).toEqual(['aux1:0', 'conf1:{1}', 'term:0', 'bval2:0'])
})
