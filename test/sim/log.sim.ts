/** The log over a hostile network. Source: threshold §§17, 22.4. */
import { describe, expect, it } from 'vitest'
import { itemOf, LogNet } from '../support/log-net.ts'

describe.each([1, 4, 5, 7])('with %i honest nodes', (nodes) => {
  it('an item of each node is in one log', () => {
    const net = new LogNet({ nodes, seed: `calm-${nodes}` })
    const items = net.honest.map((i) => itemOf(`item ${i}`))
    for (const [i, item] of items.entries()) net.submit(i, item)
    const all = (): boolean => net.honest.every((i) => items.every((item) => net.has(i, item)))
    expect(net.run(all)).toBe(true)
    net.run(() => false, 60_000)
  })
})
