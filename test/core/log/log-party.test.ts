/** One node's log alone: what is on disk before what. Source: threshold §§17.4, 18.4. */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { LogInput, LogOutput } from '../../../src/core/log/log-io.ts'
import { LogParty } from '../../../src/core/log/log-party.ts'
import {
  coinOf,
  GENESIS,
  INCARNATION,
  MemorySlots,
  signAs,
  verifyAs,
} from '../../support/log-world.ts'

class Lone {
  readonly disk = new MemorySlots()
  readonly outputs: LogOutput[] = []
  readonly #party: LogParty
  #ms = 0n

  constructor(nodes = 1) {
    this.#party = new LogParty(
      {
        nodes,
        me: 0,
        incarnation: INCARNATION,
        from: 0n,
        disk: this.disk,
        records: new Map(),
        coin: coinOf(0, { nodes, seed: 'lone', sharedFrom: 0n }),
        sign: (content) => signAs(0, content),
        verify: verifyAs,
        prefix: GENESIS,
        isPlausible: () => true,
      },
      timestampNs(1n),
    )
    this.say({ type: 'start' })
  }

  say(input: LogInput): void {
    this.#ms += 1n
    const outputs = this.#party.step(input, timestampNs(this.#ms * 1_000_000n))
    this.outputs.push(...outputs)
    for (const output of outputs)
      if (output.type === 'slot') {
        this.disk.append(output.slot)
        this.say({ type: 'executed', wasQuiet: false })
      }
    if (outputs.some((one) => one.type === 'alarm' && one.name === 'turn'))
      this.say({ type: 'alarm', name: 'turn' })
  }

  /** Kinds of outputs since this was asked last, without alarms. */
  take(): readonly string[] {
    return this.outputs.splice(0).flatMap(({ type }) => (type === 'alarm' ? [] : [type]))
  }
}

test('own votes are on disk before the slot that they led to, and older ones are forgotten after it', () => {
  const lone = new Lone()
  lone.take()
  for (const slot of [0, 1, 2]) {
    lone.say({ type: 'submit', item: utf8(`item ${slot}`) })
    const kinds = lone.take().filter((kind) => kind !== 'send')
    const forgotten = slot > 0 ? ['forget'] : []
    // A body, a proposal, and the votes; with the next slot those of the one before go.
    expect(kinds).toEqual(['record', 'record', 'record', 'slot', ...forgotten])
    expect(lone.disk.slots.map(({ items }) => items.length)).toEqual(Array(slot + 1).fill(1))
  }
})

test('whatever a peer sends, it does not throw', () => {
  const node = new Lone(4)
  node.say({ type: 'submit', item: utf8('item') })
  const sent = node.outputs.flatMap((one) => (one.type === 'send' ? [one.bytes] : []))
  node.take()
  for (const bytes of sent)
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [1, 2, 4, 8, 128]) {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        node.say({ type: 'message', from: 1 + (at % 3), bytes: changed })
        node.say({ type: 'message', from: 1 + (at % 3), bytes: changed.slice(0, at) })
      }
  expect(node.take()).toContain('fault')
})

test('what it hears from itself, and its own link, are nothing to it', () => {
  const node = new Lone(4)
  node.take()
  node.say({ type: 'linked', peer: 0 })
  node.say({ type: 'message', from: 0, bytes: utf8('garbage') })
  expect(node.take()).toEqual([])
})
