/**
 * Goal: which life of a node counts in a slot is a function of the log, and nobody but the node
 * itself starts one.
 * Method: threshold specification §§18.4, 21; slots by hand, at a node that executes them.
 */
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import { addNs } from '../../../src/core/base/units.ts'
import type { ReturnItem } from '../../../src/core/subnet/items.ts'
import { encodeItem, returnContent } from '../../../src/core/subnet/items.ts'
import { RETURN_SLOTS } from '../../../src/core/subnet/lives.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import { runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import type { Genesis } from '../../../src/core/tecdsa/membership.ts'
import type { EvidenceKind } from '../../../src/core/tecdsa/node-keys.ts'
import { foundSubnet, onlyNode } from '../../support/founded.ts'

const founded = foundSubnet(4)
const { genesis, keys } = founded
const NODE = 2

type Said = {
  readonly node?: number
  readonly life: bigint
  readonly by?: number
  readonly run?: Genesis
  readonly kind?: EvidenceKind
}

function returnOf({ node = NODE, life, by = node, run = genesis, kind = 'return' }: Said) {
  const content = returnContent(runPrefix(run), { node, life })
  const signature = present(keys[by], 'a node').sign(kind, content)
  return { type: 'return', node, life, signature } satisfies ReturnItem
}

/** A node, and what executes the next slots at it: whether a life began. */
function executing() {
  const node = new SubnetNode(onlyNode(founded))
  const execute = (...items: readonly ReturnItem[]): boolean => {
    const number = node.slot
    const time = addNs(genesis.createdAt, number + 1n)
    const slot = { number, time, proposers: [], items: items.map(encodeItem) }
    const lives = (at: bigint): readonly bigint[] =>
      keys.map((_, one) => node.lives.lifeOf(one, at))
    node.step({ type: 'slot', slot, later: 2 })
    return lives(number).join() !== lives(number + 1n).join()
  }
  return { node, execute }
}

describe('the return of a node', () => {
  test('up to the slot that holds it the old life counts, after it only the new one', () => {
    const { node, execute } = executing()
    execute()
    expect(execute(returnOf({ life: 5n }))).toBe(true)
    expect([0n, 1n, 2n, 9n].map((slot) => node.lives.lifeOf(NODE, slot))).toEqual([0n, 0n, 5n, 5n])
    expect([0, 1, 3].map((other) => node.lives.lifeOf(other, 9n))).toEqual([0n, 0n, 0n])
  })

  test('§21 item: second return in 100 slots, removed; one after them is not', () => {
    const { node, execute } = executing()
    expect(RETURN_SLOTS).toBe(100n)
    execute(returnOf({ life: 5n }), returnOf({ life: 6n }))
    for (let slot = 1n; slot < 99n; slot++) execute()
    expect(execute(returnOf({ life: 7n }))).toBe(false)
    expect(node.lives.lifeOf(NODE, 100n)).toBe(5n)
    // Others have a count of their own.
    expect(execute(returnOf({ node: 1, life: 7n }), returnOf({ life: 8n }))).toBe(true)
    expect([1, 2].map((one) => node.lives.lifeOf(one, 101n))).toEqual([7n, 8n])
  })

  test('with a life that was over brings no votes back', () => {
    const { node, execute } = executing()
    expect(execute(returnOf({ life: 0n }))).toBe(false)
    execute(returnOf({ life: 5n }))
    for (let slot = 1n; slot < 100n; slot++) execute()
    execute(returnOf({ life: 6n }))
    for (let slot = 101n; slot < 200n; slot++) execute()
    expect(execute(returnOf({ life: 5n }))).toBe(false)
    expect(node.lives.lifeOf(NODE, 201n)).toBe(6n)
  })

  test.each<[string, ReturnItem]>([
    ['by another node', returnOf({ life: 5n, by: 1 })],
    ['of no node', returnOf({ life: 5n, node: 9, by: NODE })],
    ['of another time line', returnOf({ life: 5n, run: { ...genesis, incarnation: 8n } })],
    ['under another domain', returnOf({ life: 5n, kind: 'item' })],
    ['over another life', { ...returnOf({ life: 6n }), life: 5n }],
  ])('signed %s leaves no trace', (_, item) => {
    const { node, execute } = executing()
    expect(execute(item)).toBe(false)
    expect(node.lives.knows(NODE, 5n)).toBe(false)
    expect(node.lives.mayReturn(NODE, 1n)).toBe(true)
  })

  test('is the same to a node that executes the slots again', () => {
    const [one, again] = [executing(), executing()]
    for (const { execute } of [one, again]) {
      execute(returnOf({ life: 5n }))
      execute(returnOf({ life: 6n }))
    }
    const table = [one, again].map(({ node }) => [1n, 2n].map((slot) => node.lives.lifeOf(2, slot)))
    expect(table[0]).toEqual(table[1])
  })
})
