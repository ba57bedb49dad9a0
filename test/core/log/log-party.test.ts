/** One node's log alone: what is on disk before what, and what survives it. §§17.2, 17.4, 18.4 */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { LogInput, LogOutput } from '../../../src/core/log/log-io.ts'
import { LogParty } from '../../../src/core/log/log-party.ts'
import { decodeLogMessage } from '../../../src/core/log/message.ts'
import { encodeProposal } from '../../../src/core/log/proposal.ts'
import { encodeSlot, slotHash } from '../../../src/core/log/slot-codec.ts'
import {
  coinOf,
  encoded,
  GENESIS,
  INCARNATION,
  MemorySlots,
  signAs,
  verifyAs,
  votesBytes,
} from '../../support/log-world.ts'

class Lone {
  readonly disk = new MemorySlots()
  readonly records = new Map<string, Uint8Array>()
  readonly outputs: LogOutput[] = []
  readonly #nodes: number
  #party: LogParty
  #ms = 0n

  constructor(nodes: number) {
    this.#nodes = nodes
    this.#party = this.#start()
    this.say({ type: 'start' })
  }

  #start(): LogParty {
    const nodes = this.#nodes
    return new LogParty(
      {
        nodes,
        me: 0,
        incarnation: INCARNATION,
        from: 0n,
        disk: this.disk,
        records: new Map(this.records),
        coin: coinOf(0, { nodes, seed: 'lone', sharedFrom: 0n }),
        life: 0n,
        lifeOf: () => 0n,
        checksPast: false,
        sign: (content) => signAs(0, content),
        verify: verifyAs,
        prefix: GENESIS,
        isPlausible: () => true,
      },
      timestampNs(1n),
    )
  }

  restart(): void {
    this.#party = this.#start()
    this.outputs.splice(0)
    this.say({ type: 'start' })
  }

  say(input: LogInput): void {
    this.#ms += 1n
    const outputs = this.#party.step(input, timestampNs(this.#ms * 1_000_000n))
    this.outputs.push(...outputs)
    for (const output of outputs) {
      if (output.type === 'record') this.records.set(output.key, output.value)
      if (output.type !== 'slot') continue
      this.disk.append(output.slot)
      this.say({ type: 'executed', wasQuiet: false })
    }
    if (outputs.some((one) => one.type === 'alarm' && one.name === 'turn'))
      this.say({ type: 'alarm', name: 'turn' })
  }

  hear(from: number, bytes: Uint8Array): void {
    this.say({ type: 'message', from, bytes })
  }

  /** Kinds of outputs since this was asked last, without alarms. */
  kinds(): readonly string[] {
    return this.outputs.splice(0).flatMap(({ type }) => (type === 'alarm' ? [] : [type]))
  }

  /** Messages since this was asked last. */
  messages(): ReturnType<typeof decodeLogMessage>[] {
    return this.outputs
      .splice(0)
      .flatMap((one) => (one.type === 'send' ? [decodeLogMessage(INCARNATION, one.bytes)] : []))
  }
}

test('what is said is on disk before, and older votes are forgotten after the slot', () => {
  const lone = new Lone(1)
  lone.kinds()
  for (const slot of [0, 1, 2]) {
    lone.say({ type: 'submit', item: utf8(`item ${slot}`) })
    const kinds = lone.kinds().filter((kind) => kind !== 'send')
    // A body, a proposal, and the votes; with the next slot those of the one before go.
    expect(kinds).toEqual(['record', 'record', 'record', 'slot', ...(slot > 0 ? ['forget'] : [])])
    expect(lone.disk.slots.map(({ items }) => items.length)).toEqual(Array(slot + 1).fill(1))
  }
})

test('whoever echoed a proposal gives its items to who asks, also after a restart', () => {
  const node = new Lone(4)
  const item = utf8('named')
  const proposal = encodeProposal({ clock: timestampNs(5n), items: [sha256(item)] })
  const hash = sha256(proposal)
  node.hear(1, votesBytes(1, 0n, [{ type: 'initial', proposal }]))
  node.hear(1, encoded({ type: 'body', item }))
  node.restart()
  const again = node.messages().flatMap((one) => (one?.type === 'votes' ? one.votes : []))
  expect(again).toContainEqual({ type: 'echo', instance: 1, hash })
  for (const items of [[sha256(item)], []])
    node.hear(2, encoded({ type: 'want', slot: 0n, instance: 1, hash, items }))
  const answers = node.messages()
  expect(answers).toContainEqual({ type: 'body', item })
  expect(answers).toContainEqual({ type: 'proposal', slot: 0n, instance: 1, proposal })
})

test('whatever a peer sends, it does not throw', () => {
  const node = new Lone(4)
  node.say({ type: 'submit', item: utf8('item') })
  const sent = node.outputs.flatMap((one) => (one.type === 'send' ? [one.bytes] : []))
  node.kinds()
  for (const bytes of sent)
    for (let at = 0; at < bytes.length; at++)
      for (const flip of [1, 2, 4, 8, 128]) {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        node.hear(1 + (at % 3), changed)
        node.hear(1 + (at % 3), changed.slice(0, at))
      }
  expect(node.kinds()).toContain('fault')
})

test('what it hears from itself, and its own link, are nothing to it', () => {
  const node = new Lone(4)
  node.kinds()
  node.say({ type: 'linked', peer: 0 })
  node.hear(0, utf8('garbage'))
  expect(node.kinds()).toEqual([])
})

// Others decide one slot more while they wait for the root of the one before: a node that comes
// back names both, or they wait for ever.
test('a node that executes slots again knows which of them are the last two', () => {
  const lone = new Lone(1)
  for (const name of ['a', 'b', 'c', 'd']) {
    lone.say({ type: 'submit', item: utf8(name) })
    lone.say({ type: 'alarm', name: 'turn' })
    lone.say({ type: 'executed', wasQuiet: false })
  }
  lone.restart()
  for (let i = 0; i < 3; i++) {
    lone.say({ type: 'executed', wasQuiet: false })
    lone.say({ type: 'alarm', name: 'turn' })
  }
  const later = lone.outputs.flatMap((output) => (output.type === 'slot' ? output.later : []))
  expect(later).toEqual([2, 2, 1, 0])
})

// Who was away has no votes of the slot that it comes to, and nobody says them again unasked.
test('a node that took slots from others asks for the votes of the slot it begins, and of the last', () => {
  const node = new Lone(4)
  const slot = { number: 0n, time: timestampNs(5n), proposers: [], items: [] }
  const content = encodeSlot({ incarnation: INCARNATION, slot })
  const hash = slotHash(node.disk.position.previous, content)
  for (const peer of [1, 2])
    node.hear(peer, encoded({ type: 'decided', first: 0n, hashes: [hash] }))
  node.messages()
  node.hear(1, encoded({ type: 'slots', contents: [content] }))
  expect(node.messages()).toEqual([1n, 0n].map((number) => ({ type: 'resend', slot: number })))
})

test('a node that starts again takes part in the slot before, too, and asks for its votes', () => {
  const node = new Lone(4)
  node.disk.append({ number: 0n, time: timestampNs(9n), proposers: [], items: [] })
  node.restart()
  const asked = node.messages().flatMap((one) => (one?.type === 'resend' ? [one.slot] : []))
  expect(asked).toEqual([1n, 0n])
})
