/** Reliable broadcast by its counts. Source: threshold §17.2. */
import { describe, expect, it, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { Broadcast, echoQuorum } from '../../../src/core/log/broadcast.ts'

const [one, two] = [sha256(utf8('one')), sha256(utf8('two'))]
const ME = 0

function broadcastOf(nodes: number): { readonly party: Broadcast; readonly said: string[] } {
  const said: string[] = []
  const party: Broadcast = new Broadcast(nodes, ME, (kind, hash) => {
    said.push(kind)
    party.receive(ME, kind, hash)
  })
  return { party, said }
}

test('the echo quorum is 3, 4, 4, 5 at n = 4, 5, 6, 7, and two of them share an honest node', () => {
  expect([1, 4, 5, 6, 7].map(echoQuorum)).toEqual([1, 3, 4, 4, 5])
  for (let nodes = 1; nodes <= 40; nodes++)
    expect(2 * echoQuorum(nodes) - nodes).toBeGreaterThan(Math.floor((nodes - 1) / 3))
})

describe.each([4, 5, 6, 7])('%i nodes', (nodes) => {
  const f = Math.floor((nodes - 1) / 3)

  it('are ready after more than (n + f) / 2 equal echoes, not before', () => {
    const { party, said } = broadcastOf(nodes)
    for (let node = 1; node <= echoQuorum(nodes); node++) {
      expect(said).toEqual([])
      party.receive(node, 'echo', one)
      party.settle()
    }
    expect(said).toEqual(['ready'])
  })

  it('are ready after f + 1 equal readies, and deliver after 2f + 1', () => {
    const { party, said } = broadcastOf(nodes)
    for (let node = 1; node <= f; node++) party.receive(node, 'ready', one)
    party.settle()
    expect(said).toEqual([])
    party.receive(f + 1, 'ready', one)
    party.settle()
    expect(said).toEqual(['ready'])
    for (let node = f + 2; node <= 2 * f; node++) {
      expect(party.delivered).toBeUndefined()
      party.receive(node, 'ready', one)
      party.settle()
    }
    expect(party.delivered).toEqual(one) // With its own.
  })
})

test('one vote per sender and kind: a second, different one is not counted', () => {
  const { party, said } = broadcastOf(4)
  expect(party.receive(1, 'echo', one)).toBe(true)
  expect(party.receive(1, 'echo', one)).toBe(true)
  expect(party.receive(1, 'echo', two)).toBe(false)
  for (const node of [2, 3]) party.receive(node, 'echo', two)
  party.settle()
  expect(said).toEqual([])
  expect(party.echoers(two)).toEqual([2, 3])
})

test('it echoes once, and what was recorded counts as said', () => {
  const { party, said } = broadcastOf(4)
  party.receive(ME, 'echo', one)
  party.echo(two)
  expect(said).toEqual([])
  expect(party.hasEchoed()).toBe(true)
})
