/**
 * Goal: a start of the subnet keeps what f + 1 copies hold, loses nothing while at most f copies lie
 * or are missing, and refuses the rest.
 * Method: a log is a word, one letter a slot; the hash of a slot is that of the word up to it.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import {
  agreementQuorum,
  faultyMax,
  reconstructionThreshold,
} from '../../../src/core/base/party.ts'
import type { StartRecord } from '../../../src/core/log/slot-codec.ts'
import { freshIncarnation } from '../../../src/host/disks/restore.ts'
import type { Copy, RestorePlan } from '../../../src/host/disks/restore-plan.ts'
import { planRestore } from '../../../src/host/disks/restore-plan.ts'

const hashOf = (word: string) => sha256(utf8(word))

/** `G|abc`: three slots above the genesis `G`, which is left out where it is the usual one. */
function copyOf(node: number, text: string, starts: readonly StartRecord[] = []): Copy {
  const [genesis, word] = text.includes('|') ? text.split('|') : ['G', text]
  const length = BigInt(word?.length ?? 0)
  return {
    node,
    length,
    starts,
    hashAt: (slot) =>
      slot < -1n || slot >= length
        ? undefined
        : hashOf(`${genesis}|${word?.slice(0, Number(slot) + 1)}`),
  }
}

/** Texts by node; undefined where no copy can be read. */
const copiesOf = (texts: readonly (string | undefined)[]): readonly Copy[] =>
  texts.flatMap((text, node) => (text === undefined ? [] : [copyOf(node, text)]))

/** `3: 0+1,2`: the copy keeps nothing of its own and takes the rest from nodes 1 and 2. */
function told(plan: RestorePlan): string {
  if (plan.type === 'refused') return plan.reason
  const copies = plan.copies.map(({ node, keep, sources }) =>
    sources.length === 0 ? `${node}: ${keep}` : `${node}: ${keep}+${sources.join()}`,
  )
  const foreign = plan.foreign.length === 0 ? [] : [`foreign ${plan.foreign.join()}`]
  return [`${plan.length}`, ...copies, ...foreign].join(' · ')
}

const none = undefined
const situations: readonly (readonly [string, readonly (string | undefined)[], string])[] = [
  ['all are equal', ['abc', 'abc', 'abc', 'abc'], '3 · 0: 3 · 1: 3 · 2: 3 · 3: 3'],
  ['nothing was decided yet', ['', '', '', ''], '0 · 0: 0 · 1: 0 · 2: 0 · 3: 0'],
  ['one is behind', ['abc', 'a', 'abc', 'abc'], '3 · 0: 3 · 1: 1+0,2,3 · 2: 3 · 3: 3'],
  ['one is empty', ['', 'abc', 'abc', 'abc'], '3 · 0: 0+1,2,3 · 1: 3 · 2: 3 · 3: 3'],
  ['one is alone ahead', ['abc', 'abcd', 'abc', 'abc'], '3 · 0: 3 · 1: 3 · 2: 3 · 3: 3'],
  ['two are ahead', ['abcd', 'abcd', 'abc', 'abc'], '4 · 0: 4 · 1: 4 · 2: 3+0,1 · 3: 3+0,1'],
  ['each has another length', ['a', 'ab', 'abc', 'abcd'], '3 · 0: 1+2,3 · 1: 2+2,3 · 2: 3 · 3: 3'],
  ['one went another way', ['abX', 'abc', 'abc', 'abc'], '3 · 0: 2+1,2,3 · 1: 3 · 2: 3 · 3: 3'],
  ['one went far another way', ['aXYZW', 'ab', 'ab', 'ab'], '2 · 0: 1+1,2,3 · 1: 2 · 2: 2 · 3: 2'],
  ['one cannot be read', [none, 'abc', 'ab', 'abc'], '3 · 1: 3 · 2: 2+1,3 · 3: 3'],
  ['one is read and one is ahead', [none, 'abcd', 'ab', 'abc'], '3 · 1: 3 · 2: 2+1,3 · 3: 3'],
  ['two cannot be read', [none, none, 'abc', 'abc'], 'tooFew'],
  ['nothing can be read', [none, none, none, none], 'tooFew'],
  ['two say this and two that', ['abX', 'abX', 'abc', 'abc'], 'contradiction'],
  ['they part early', ['X', 'X', 'abc', 'abc'], 'contradiction'],
  ['they part with the last slot of some', ['abcX', 'abcX', 'abcde', 'abcde'], 'contradiction'],
  [
    'a third way is open to one',
    ['abX', 'abY', 'abc', 'abc'],
    '3 · 0: 2+2,3 · 1: 2+2,3 · 2: 3 · 3: 3',
  ],
  ['nobody agrees on the last slot', ['abW', 'abX', 'abY', 'abZ'], '2 · 0: 2 · 1: 2 · 2: 2 · 3: 2'],
  [
    'one is of another subnet',
    ['H|abc', 'abc', 'abc', 'abc'],
    '3 · 1: 3 · 2: 3 · 3: 3 · foreign 0',
  ],
  ['one is of another subnet, one unread', ['H|abc', none, 'abc', 'abc'], 'tooFew'],
  ['two are of another subnet', ['H|abc', 'H|abc', 'abc', 'abc'], 'contradiction'],
  ['a subnet of one starts from itself', ['abc'], '3 · 0: 3'],
  ['a subnet of one without its copy', [none], 'tooFew'],
  [
    'seven, two behind and one ahead',
    ['a', 'ab', 'abc', 'abc', 'abc', 'abc', 'abcd'],
    '3 · 0: 1+2,3,4,5,6 · 1: 2+2,3,4,5,6 · 2: 3 · 3: 3 · 4: 3 · 5: 3 · 6: 3',
  ],
  [
    'seven, two ahead are too few',
    ['abc', 'abc', 'abc', 'abc', 'abc', 'abcd', 'abcd'],
    '3 · 0: 3 · 1: 3 · 2: 3 · 3: 3 · 4: 3 · 5: 3 · 6: 3',
  ],
]

test.each(situations)('%s', (_, texts, expected) => {
  expect(told(planRestore(copiesOf(texts), texts.length))).toBe(expected)
})

describe('start records', () => {
  const start = (incarnation: bigint, first: bigint): StartRecord => ({
    incarnation,
    first,
    previous: hashOf('any'),
  })

  test.each([
    ['of time lines with slots stay', [start(1n, 0n), start(2n, 2n)], 3n, [1n, 2n]],
    ['without a slot of theirs go', [start(1n, 0n), start(2n, 2n), start(3n, 2n)], 3n, [1n, 3n]],
    ['at the end go', [start(1n, 0n), start(2n, 3n)], 3n, [1n]],
    ['behind the end go', [start(1n, 0n), start(2n, 2n), start(3n, 4n)], 3n, [1n, 2n]],
    ['of the genesis stay', [start(1n, 0n), start(2n, 0n)], 3n, [1n, 2n]],
    ['of the genesis stay without any slot', [start(1n, 0n), start(2n, 0n)], 0n, [1n]],
  ])('%s', (_, starts, length, expected) => {
    const word = 'abcdef'.slice(0, Number(length))
    const longer = copyOf(3, `${word}xyz`, starts)
    const plan = planRestore([...[0, 1, 2].map((node) => copyOf(node, word, starts)), longer], 4)
    const kept = plan.type === 'restore' ? plan.starts : []
    expect(kept.map(({ incarnation }) => incarnation)).toEqual(expected)
  })

  test('name no incarnation twice, not even by its low half', () => {
    const high = 1n << 40n
    const draws = [5n, 5n + high, 6n + high, 7n]
    const copies = [copyOf(0, '', [start(5n, 0n)]), copyOf(1, '', [start(6n, 0n)])]
    expect(freshIncarnation(copies, () => draws.shift() ?? 0n)).toBe(7n)
    expect(draws).toEqual([])
  })
})

describe('with at most f copies that lie or are missing', () => {
  /** The log as it was, who had how much of it, and what some say instead. */
  const world = fc.integer({ min: 1, max: 10 }).chain((nodes) =>
    fc.record({
      nodes: fc.constant(nodes),
      log: fc.string({ minLength: 0, maxLength: 12, unit: fc.constantFrom('a', 'b') }),
      lengths: fc.array(fc.nat(12), { minLength: nodes, maxLength: nodes }),
      bad: fc.uniqueArray(fc.nat(nodes - 1), { maxLength: faultyMax(nodes) }),
      lies: fc.array(
        fc.option(fc.string({ maxLength: 14, unit: fc.constantFrom('a', 'b') }), {
          nil: undefined,
        }),
        { minLength: nodes, maxLength: nodes },
      ),
    }),
  )
  type World = typeof world extends fc.Arbitrary<infer T> ? T : never
  const textsOf = ({ log, lengths, bad, lies }: World): readonly (string | undefined)[] =>
    lengths.map((length, node) => (bad.includes(node) ? lies[node] : log.slice(0, length)))

  test('every slot that n − f nodes had is kept, and nothing that was never decided', () => {
    fc.assert(
      fc.property(world, (situation) => {
        const { nodes, log, lengths } = situation
        const texts = textsOf(situation)
        const plan = planRestore(copiesOf(texts), nodes)
        expect(plan.type).toBe('restore')
        if (plan.type !== 'restore') return
        const held = lengths
          .map((length) => Math.min(length, log.length))
          .toSorted((a, b) => b - a)[agreementQuorum(nodes) - 1]
        const word = log.slice(0, Number(plan.length))
        expect(plan.length).toBeGreaterThanOrEqual(BigInt(held ?? 0))
        expect(plan.previous).toEqual(hashOf(`G|${word}`))
        expect(plan.length).toBe(BigInt(word.length))
        for (const { node, keep, sources } of plan.copies) {
          expect(texts[node]?.slice(0, Number(keep))).toBe(word.slice(0, Number(keep)))
          expect(sources.length === 0).toBe(keep === plan.length)
          for (const source of sources) expect(texts[source]?.startsWith(word)).toBe(true)
          if (keep < plan.length)
            expect(sources.length).toBeGreaterThanOrEqual(reconstructionThreshold(nodes))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a start that is made again on the result changes nothing', () => {
    fc.assert(
      fc.property(world, (situation) => {
        const plan = planRestore(copiesOf(textsOf(situation)), situation.nodes)
        if (plan.type !== 'restore') return
        const word = situation.log.slice(0, Number(plan.length))
        const after = plan.copies.map(({ node }) => copyOf(node, word))
        const again = planRestore(after, situation.nodes)
        expect(again).toMatchObject({ type: 'restore', length: plan.length })
        expect(
          again.type === 'restore' && again.copies.every(({ keep }) => keep === plan.length),
        ).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})
