/**
 * Goal: a node that was away, or was told too much at once, comes to where the others are, also in
 * an idle subnet where nobody says anything more (threshold §§17.7, 17.8).
 *
 * Method: one net per case; nothing is submitted after the node is back.
 */
import { describe, expect, it } from 'vitest'
import { decodeLogMessage, SLOTS_SHOWN_MAX } from '../../src/core/log/message.ts'
import { itemOf, LogNet } from '../support/log-net.ts'
import type { Schedule } from '../support/log-net-options.ts'
import { inStep } from '../support/log-schedules.ts'
import { INCARNATION } from '../support/log-world.ts'

describe('a node that was away for more slots than one answer shows', () => {
  it.each([4, 7])('%i nodes: takes all of them, though the others are idle', (nodes) => {
    const net = new LogNet({ nodes, seed: `idle ${nodes}`, schedule: inStep })
    const away = nodes - 1
    net.stop(away)
    for (let i = 0; net.height(0) < 2 * SLOTS_SHOWN_MAX + 20; i++) {
      net.submit(0, itemOf(`item ${i}`))
      expect(net.run(() => net.has(0, itemOf(`item ${i}`)), 1_000)).toBe(true)
    }
    net.run(() => false, 10_000)
    net.start(away)
    expect(net.run(() => net.height(away) === net.height(0), 10_000)).toBe(true)
  })
})

describe('a node that had to drop votes of a slot', () => {
  it('asks for them when it enters that slot, and not only in the slot before', () => {
    const [slow, crashed] = [3, 2]
    // It has the slots by votes alone, late, and hears too early what is said in slot 2.
    const schedule: Schedule = ({ to, bytes }) => {
      const message = decodeLogMessage(INCARNATION, bytes)
      if (to !== slow || message === undefined) return [1]
      if (message.type === 'votes' && message.slot < 2n) return [5_000]
      return message.type === 'decided' ? [200_000] : [1]
    }
    const net = new LogNet({ nodes: 4, seed: 'dropped', schedule })
    net.run(() => false, 1_000)
    for (const slot of [1, 2]) {
      net.input(0, { type: 'read' })
      net.run(() => false, 1_000)
      expect(net.honest.map((node) => net.height(node))).toEqual([slot, slot, slot, 0])
    }
    net.stop(crashed)
    net.input(0, { type: 'read' })
    // Slot 2 is not decided without it, and nobody says anything there a second time unasked.
    expect(net.run(() => net.height(0) === 3, 60_000)).toBe(true)
    expect(net.run(() => net.height(slow) === 3, 60_000)).toBe(true)
  })
})
