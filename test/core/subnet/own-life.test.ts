/**
 * Goal: a node that is shown more than it has on record returns once, with a life that is on disk
 * before anybody hears of it, and says nothing in the log meanwhile; wherever it dies on the way.
 * Method: threshold specification §18.4, "Return of a node"; one node of four, its peers by hand.
 */
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { addNs } from '../../../src/core/base/units.ts'
import type { LogMessage, VotesMessage } from '../../../src/core/log/message.ts'
import { decodeLogMessage, encodeLogMessage, votesContent } from '../../../src/core/log/message.ts'
import type { ReturnItem } from '../../../src/core/subnet/items.ts'
import { decodeItem, encodeItem, returnContent } from '../../../src/core/subnet/items.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import type { NodeInput, NodeOutput } from '../../../src/core/subnet/node-io.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import { logMessage, tagLogMessage } from '../../../src/core/subnet/peer-message.ts'
import { runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import { foundSubnet, onlyNode } from '../../support/founded.ts'
import { SlotMemory } from '../../support/slot-disk.ts'

const founded = foundSubnet(4)
const { genesis, keys } = founded
const ME = 0
const own = present(keys[ME], 'a node')
const prefix = runPrefix(genesis)
const LIFE_KEY = `${genesis.incarnation}/life`

const returnOf = (life: bigint): ReturnItem => {
  const signature = own.sign('return', returnContent(prefix, { node: ME, life }))
  return { type: 'return', node: ME, life, signature }
}

/** Votes that this node has said some time. */
function votesOf(slot: bigint, life = 0n): VotesMessage {
  const votes = [{ type: 'term', instance: 1, value: 1 } as const]
  const signature = own.sign('vote', votesContent(prefix, { slot, life, votes }))
  return { type: 'votes', slot, life, votes, signature }
}

/** What is on the node's disk, and the node as long as it lives. */
class Lone {
  readonly disk = new SlotMemory(genesis)
  readonly records = new Map<string, Uint8Array>()
  readonly outputs: NodeOutput[] = []
  #node: OrderedNode | undefined
  #ms = 0n

  /** Slots, each of one list of items, that the disk holds from the beginning. */
  constructor(...slots: readonly (readonly ReturnItem[])[]) {
    for (const items of slots) this.#append(items)
  }

  #append(items: readonly ReturnItem[]): void {
    const number = this.disk.position.next
    const time = addNs(genesis.createdAt, number + 1n)
    this.disk.append({ number, time, proposers: [], items: items.map(encodeItem) })
  }

  start(): void {
    const config = { ...onlyNode(founded), records: new Map(this.records) }
    this.#node = new OrderedNode(new SubnetNode(config), { disk: this.disk, now: this.#now })
    this.outputs.splice(0)
    this.say({ type: 'start' })
    // As it asked to after each slot.
    this.say({ type: 'alarm', name: 'work' })
  }

  get #now() {
    return addNs(genesis.createdAt, this.#ms * 1_000_000n)
  }

  /** All is on disk that the node wants there; other nodes get what `outputs` tell. */
  say(input: NodeInput): void {
    this.#ms += 1_000n
    const outputs = present(this.#node, 'it is started').step(input, this.#now)
    this.outputs.push(...outputs)
    for (const output of outputs) {
      if (output.type === 'record') this.records.set(output.key, output.value)
      if (output.type === 'forget') for (const key of output.keys) this.records.delete(key)
      if (output.type === 'decided') this.disk.append(output.slot)
    }
    if (outputs.some((one) => one.type === 'alarm' && one.name === 'turn'))
      this.say({ type: 'alarm', name: 'turn' })
  }

  hear(from: number, message: LogMessage): void {
    const bytes = tagLogMessage(encodeLogMessage(genesis.incarnation, message))
    this.say({ type: 'message', from, bytes })
  }

  /** What three peers say when they are asked. */
  shown(last: VotesMessage | undefined, peers = [1, 2]): void {
    for (const peer of peers) this.hear(peer, { type: 'heard', last })
  }

  get life(): string | undefined {
    const life = this.records.get(LIFE_KEY)
    return life && toHex(life)
  }

  /** Messages of the log since the start. */
  get messages(): readonly LogMessage[] {
    return this.outputs.flatMap((output) => {
      const bytes = output.type === 'send' ? logMessage(output.bytes) : undefined
      return (bytes && decodeLogMessage(genesis.incarnation, bytes)) ?? []
    })
  }

  /** The lives that it asked the log for since the start. */
  get offered(): readonly string[] {
    return this.messages.flatMap((message) => {
      const item = message.type === 'item' ? decodeItem(message.item) : undefined
      return item?.type === 'return' ? [item.life.toString(16).padStart(16, '0')] : []
    })
  }

  get voted(): readonly (readonly [slot: bigint, life: bigint])[] {
    return this.messages.flatMap((message) =>
      message.type === 'votes' ? [[message.slot, message.life] as const] : [],
    )
  }

  get faults(): readonly string[] {
    return this.outputs.flatMap((one) =>
      one.type === 'fault' ? [`${one.culprit} ${one.reason.split(':')[0]}`] : [],
    )
  }

  /** Something that it would propose. */
  wants(): void {
    this.say({ type: 'operator', request: utf8(`request ${this.#ms}`) })
  }
}

const lone = (...slots: readonly (readonly ReturnItem[])[]): Lone => {
  const node = new Lone(...slots)
  node.start()
  return node
}

describe('a node that starts', () => {
  test('votes when n − f, itself included, have shown what they had from it', () => {
    const node = lone()
    node.wants()
    node.shown(undefined, [1])
    node.shown(undefined, [1])
    expect(node.voted).toEqual([])
    node.shown(undefined, [2])
    expect(node.voted).toEqual([[0n, 0n]])
  })

  test('is not believed to be shown what others forged', () => {
    const node = lone()
    node.wants()
    const forged = { ...votesOf(5n), signature: new Uint8Array(64) }
    node.shown(forged, [1, 2, 3])
    expect([node.voted, node.faults, node.life]).toEqual([[], [], undefined])
  })

  test('shows others what it has from them before it is sure itself', () => {
    const node = lone()
    node.hear(1, { type: 'resend', slot: 0n })
    expect(node.messages.map(({ type }) => type)).toContain('heard')
  })

  test('knows what is on its disk', () => {
    const node = lone()
    node.shown(undefined)
    node.wants()
    const [said] = node.messages.flatMap((one) => (one.type === 'votes' ? [one] : []))
    node.start()
    node.shown(said)
    expect([node.voted.length, node.faults, node.life]).toEqual([1, [], undefined])
  })
})

describe('a node that is shown a vote it has no record of', () => {
  const placeOf = (node: Lone, is: (output: NodeOutput) => boolean): number =>
    node.outputs.findIndex(is)

  test('records a life and forgets its votes, then asks to be taken in, and votes nowhere', () => {
    const node = lone()
    node.shown(undefined)
    node.wants()
    const votes = [...node.records.keys()].filter((key) => key.includes('/log/'))
    expect(votes.length).toBeGreaterThan(0)
    node.start()
    node.shown(votesOf(0n), [3])
    node.shown(undefined)
    node.wants()
    expect(node.faults).toEqual([`${ME} RolledBack`])
    expect([...node.records.keys()].filter((key) => key.includes('/log/'))).toEqual([])
    expect([node.offered, node.voted]).toEqual([[node.life], []])
    const recorded = placeOf(node, (one) => one.type === 'record' && one.key === LIFE_KEY)
    const left = placeOf(
      node,
      (one) => one.type === 'send' && toHex(one.bytes).includes(node.life ?? 'none'),
    )
    expect(recorded >= 0 && recorded < left).toBe(true)
  })

  test('does so whenever it is shown one, also after it was sure', () => {
    const node = lone()
    node.shown(undefined)
    node.shown(votesOf(7n), [3])
    expect([node.faults, node.offered]).toEqual([[`${ME} RolledBack`], [node.life]])
  })

  test('of a later life that its log does not know, has lost that one, too', () => {
    const node = lone([], [])
    node.wants()
    node.shown(votesOf(9n, 5n))
    expect([node.faults, node.voted, node.offered]).toEqual([[`${ME} RolledBack`], [], [node.life]])
    // What it is shown of the lives before is what it knows.
    node.shown(votesOf(9n, 5n), [1, 2, 3])
    expect([node.faults.length, node.offered]).toEqual([1, [node.life]])
  })

  test('draws one life, wherever it dies on the way', () => {
    const node = lone()
    node.shown(votesOf(7n))
    const { life } = node
    // With the life on disk, the item gone or not; and again.
    for (let death = 0; death < 3; death++) {
      node.start()
      expect(node.offered).toEqual([life])
      node.wants()
      node.shown(votesOf(7n))
      expect([node.life, node.voted, node.faults]).toEqual([life, [], []])
    }
  })

  test('that died before its life was on disk is shown it again', () => {
    const node = lone()
    node.shown(votesOf(7n))
    const first = node.life
    node.records.clear()
    node.start()
    expect(node.offered).toEqual([])
    node.shown(votesOf(7n))
    expect(node.offered).toEqual([node.life])
    expect(node.life).not.toBe(first)
  })
})

describe('a node that was taken in', () => {
  const LIFE = 0x0123_4567_89ab_cdefn
  const slots = [[], [returnOf(LIFE)]]
  const living = (): Lone => {
    const node = new Lone(...slots)
    node.records.set(LIFE_KEY, Uint8Array.of(0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef))
    node.start()
    return node
  }

  test('votes with its new life, once n − f have shown what they had from it', () => {
    const node = living()
    node.wants()
    expect(node.voted).toEqual([])
    // Of its old life, in the slot that took it in at the latest.
    node.shown(votesOf(1n))
    expect([node.voted, node.faults, node.offered]).toEqual([[[2n, LIFE]], [], []])
  })

  test('and whose disk is older than that life draws another one, for a later slot', () => {
    const node = lone(...slots)
    const { life } = node
    node.wants()
    node.shown(votesOf(2n, LIFE))
    expect(life).not.toBeUndefined()
    expect([node.life, node.offered, node.voted]).toEqual([life, [], []])
    const ripe = lone(...slots, ...Array.from({ length: 98 }, () => []))
    expect(ripe.offered).toEqual([])
    const due = lone(...slots, ...Array.from({ length: 99 }, () => []))
    expect(due.offered).toEqual([due.life])
  })

  test('with another life draws again: what it offered may have been refused', () => {
    const node = new Lone(...slots)
    node.records.set(LIFE_KEY, new Uint8Array(8).fill(1))
    node.start()
    expect(node.life).not.toBe('01'.repeat(8))
    expect([node.life?.length, node.offered]).toEqual([16, []])
  })

  test('in another time line is none of this one', () => {
    const node = new Lone(...slots)
    node.records.set(`${genesis.incarnation + 1n}/life`, new Uint8Array(8).fill(1))
    node.start()
    expect(node.life).not.toBe('01'.repeat(8))
    expect(node.life).toBeDefined()
  })
})
