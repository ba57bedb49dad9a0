/**
 * Goal: a header counts once f + 1 nodes have named it, and a liar fills nobody's room but its
 * own.
 * Method: architecture §5.
 */
import { describe, expect, test } from 'vitest'
import type { BlockHeader } from '../../../src/core/btc/block.ts'
import { HeaderVotes, WAITING_HEADERS_MAX } from '../../../src/core/subnet/header-votes.ts'
import { headerAt } from '../btc/builders.ts'

const header = (name: number): BlockHeader => headerAt(name, 0x207fffff)
const [first, second, third] = [header(1), header(2), header(3)]

describe('a header', () => {
  test.each([
    [1, 1],
    [3, 1],
    [4, 2],
    [6, 2],
    [7, 3],
    [40, 14],
  ])('among %i nodes needs %i voices', (nodes, needed) => {
    const votes = new HeaderVotes(nodes)
    for (let node = 0; node < needed; node++) {
      expect(votes.agreed()).toEqual([])
      votes.add(node, first)
    }
    expect(votes.agreed()).toEqual([first])
  })

  test('is not agreed on by one node, however often it names it', () => {
    const votes = new HeaderVotes(4)
    for (let again = 0; again < 5; again++) votes.add(0, first)
    expect(votes.agreed()).toEqual([])
  })

  test('needs voices for itself: those for another do not count', () => {
    const votes = new HeaderVotes(4)
    votes.add(0, first)
    votes.add(1, { ...first, nonce: 1 })
    expect(votes.agreed()).toEqual([])
  })

  test('comes in the order of the first voices', () => {
    const votes = new HeaderVotes(4)
    for (const named of [first, second, third]) votes.add(0, named)
    for (const named of [third, first, second]) votes.add(1, named)
    expect(votes.agreed()).toEqual([first, second, third])
  })

  test('stays until it is dropped', () => {
    const votes = new HeaderVotes(1)
    votes.add(0, first)
    votes.add(0, second)
    expect(votes.agreed()).toEqual([first, second])
    votes.drop(first)
    expect(votes.agreed()).toEqual([second])
    votes.drop(first)
    expect(votes.agreed()).toEqual([second])
  })
})

describe('a liar with headers of its own', () => {
  const votes = new HeaderVotes(4)
  for (let i = 0; i < WAITING_HEADERS_MAX; i++) votes.add(3, header(100 + i))

  test('gets none of them in, and no more than 4,000 kept', () => {
    expect(votes.agreed()).toEqual([])
    const beyond = header(99)
    votes.add(3, beyond)
    votes.add(0, beyond)
    expect(votes.agreed()).toEqual([])
    votes.add(1, beyond)
    expect(votes.agreed()).toEqual([beyond])
  })

  test('leaves the others their room, and may join them', () => {
    votes.add(0, first)
    votes.add(3, first)
    expect(votes.agreed()).toContainEqual(first)
  })

  test('gets room again when one of its headers is judged', () => {
    votes.drop(header(100))
    votes.drop(first)
    votes.drop(header(99))
    votes.add(3, second)
    votes.add(0, second)
    expect(votes.agreed()).toEqual([second])
  })
})
