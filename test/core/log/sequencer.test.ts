/**
 * Goal: the substitute keeps what the log promises: one sequence, no gaps, rising time, ω for
 * those who are due it.
 * Method: threshold specification §§17.1, 17.4, 17.6, 23. Four nodes, so n − f = 3 and f + 1 = 2.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { addNs, timestampNs } from '../../../src/core/base/units.ts'
import type { LogDelivery, LogInput, Slot } from '../../../src/core/log/log.ts'
import { ITEM_SIZE_MAX, SLOT_ITEMS_MAX, SLOT_SIZE_MAX } from '../../../src/core/log/log.ts'
import {
  KEPT_SLOTS_MAX,
  ORDERED_MAX,
  Sequencer,
  TAPE_WISHES_MAX,
} from '../../../src/core/log/sequencer.ts'

const NODES = 4
const NOW = timestampNs(1_000n)
const entropy = utf8('thirty-two bytes of the test ...')

const makeLog = (nodes = NODES): Sequencer => new Sequencer(nodes, entropy)
const item = (name: string): Uint8Array => utf8(name)
const submit = (name: string): LogInput => ({ type: 'submit', item: item(name) })
const working = (slot: bigint): LogInput => ({ type: 'working', slot })
const tape = (slot: bigint): LogInput => ({ type: 'tape', slot })

const slotsOf = (deliveries: readonly LogDelivery[]): readonly Slot[] =>
  deliveries.flatMap(({ output }) => (output.type === 'slot' ? [output.slot] : []))
const receivers = (deliveries: readonly LogDelivery[]): readonly NodeIndex[] =>
  deliveries.map(({ to }) => to).toSorted()

/** All of some nodes work on a slot; what the log says to the last of them. */
function all(log: Sequencer, nodes: readonly NodeIndex[], slot: bigint): readonly LogDelivery[] {
  return nodes.flatMap((node) => log.step(node, working(slot), NOW))
}

/** A log with `count` slots, delivered to nodes 0, 1, 2. */
function withSlots(count: number): Sequencer {
  const log = makeLog()
  all(log, [0, 1, 2], 0n)
  for (let i = 0; i < count; i++) {
    expect(slotsOf(log.step(0, submit(`item ${i}`), NOW))).toHaveLength(3)
    all(log, [0, 1, 2], BigInt(i + 1))
  }
  return log
}

describe('a slot is decided', () => {
  test('when n − f nodes work on it and an item waits, not before', () => {
    const log = makeLog()
    expect(log.step(0, submit('first'), NOW)).toEqual([])
    expect(all(log, [0, 1], 0n)).toEqual([])
    const deliveries = log.step(2, working(0n), NOW)
    expect(receivers(deliveries)).toEqual([0, 1, 2])
    const slot = { number: 0n, time: NOW, proposers: [], items: [item('first')] }
    expect(slotsOf(deliveries)).toEqual([slot, slot, slot])
  })

  test('when an item comes, if the nodes wait for one', () => {
    const log = makeLog()
    expect(all(log, [0, 1, 2, 3], 0n)).toEqual([])
    expect(receivers(log.step(3, submit('late'), NOW))).toEqual([0, 1, 2, 3])
  })

  test('never while nodes that would make it are down', () => {
    const log = makeLog()
    all(log, [0, 1, 2], 0n)
    log.down(1)
    expect(log.step(0, submit('first'), NOW)).toEqual([])
    expect(receivers(log.step(3, working(0n), NOW))).toEqual([0, 2, 3])
  })

  test('by one node alone when it is the subnet', () => {
    const log = makeLog(1)
    log.step(0, working(0n), NOW)
    expect(slotsOf(log.step(0, submit('alone'), NOW))).toHaveLength(1)
  })

  test.each([-1n, 1n, 2n ** 70n])('by no node that says it works on slot %i', (slot) => {
    const log = makeLog()
    log.step(0, submit('first'), NOW)
    expect(all(log, [0, 1, 2, 3], slot)).toEqual([])
    expect(receivers(all(log, [0, 1, 2], 0n))).toEqual([0, 1, 2])
  })

  test('with its items in the order they came, each of them once for ever', () => {
    const log = makeLog()
    for (const [node, name] of [
      [1, 'b'],
      [2, 'a'],
      [3, 'b'],
      [1, 'b'],
    ] as const)
      log.step(node, submit(name), NOW)
    const [slot] = slotsOf(all(log, [0, 1, 2], 0n))
    expect(slot?.items).toEqual([item('b'), item('a')])
    expect(all(log, [0, 1, 2], 1n)).toEqual([])
    expect(log.step(2, submit('a'), NOW)).toEqual([])
    expect(slotsOf(log.step(2, submit('c'), NOW))[0]?.items).toEqual([item('c')])
  })
})

describe('slot time', () => {
  test.each([
    ['stands still', [1_000n, 1_000n, 1_000n], [1_000n, 1_001n, 1_002n]],
    ['goes back', [1_000n, 5n, 0n], [1_000n, 1_001n, 1_002n]],
    ['runs', [1_000n, 2_000n, 3_000n], [1_000n, 2_000n, 3_000n]],
  ])('rises when the clock %s', (_, clock, expected) => {
    const log = makeLog(1)
    const times = clock.map((now, i) => {
      log.step(0, working(BigInt(i)), timestampNs(now))
      return slotsOf(log.step(0, submit(`${i}`), timestampNs(now)))[0]?.time
    })
    expect(times).toEqual(expected)
  })
})

describe('room', () => {
  const HALF = SLOT_SIZE_MAX / 2
  const half = (byte: number): Uint8Array => new Uint8Array(HALF).fill(byte)

  test('for one item is 4 MiB', () => {
    const log = makeLog(1)
    log.step(0, working(0n), NOW)
    const sized = (size: number): LogInput => ({ type: 'submit', item: new Uint8Array(size) })
    expect(log.step(0, sized(ITEM_SIZE_MAX + 1), NOW)).toEqual([])
    expect(slotsOf(log.step(0, sized(ITEM_SIZE_MAX), NOW))).toHaveLength(1)
  })

  test('in one slot is 8 MiB; the rest goes into the next', () => {
    const log = makeLog()
    for (const node of [0, 1, 2]) log.step(node, { type: 'submit', item: half(node) }, NOW)
    expect(slotsOf(all(log, [0, 1, 2], 0n))[0]?.items).toHaveLength(2)
    expect(slotsOf(all(log, [0, 1, 2], 1n))[0]?.items).toHaveLength(1)
  })

  test('for waiting items is 8 MiB a node', () => {
    const log = makeLog()
    for (const byte of [1, 2, 3]) log.step(0, { type: 'submit', item: half(byte) }, NOW)
    log.step(1, submit('of another'), NOW)
    const ordered = [0n, 1n].flatMap((slot) => slotsOf(all(log, [0, 1, 2], slot))[0]?.items ?? [])
    expect(ordered.map(({ length }) => length)).toEqual([HALF, HALF, item('of another').length])
  })

  test('for waiting items is 1,000 a node, and no node takes that of another', () => {
    const log = makeLog()
    for (let i = 0; i < 1_001; i++) log.step(0, submit(`flood ${i}`), NOW)
    log.step(1, submit('of another'), NOW)
    const ordered = [0n, 1n, 2n].flatMap(
      (slot) => slotsOf(all(log, [0, 1, 2], slot))[0]?.items ?? [],
    )
    expect(ordered).toHaveLength(1_001)
    expect(ordered.at(-1)).toEqual(item('of another'))
    all(log, [0, 1, 2], 3n)
    expect(slotsOf(log.step(0, submit('flood 1000'), NOW))).toHaveLength(3)
  })

  test('in one slot is 500 items; the rest goes into the next', () => {
    const log = makeLog()
    for (let i = 0; i < SLOT_ITEMS_MAX; i++) log.step(0, submit(`${i}`), NOW)
    expect(slotsOf(all(log, [0, 1, 2], 0n))[0]?.items).toHaveLength(500)
    for (let i = 0; i <= SLOT_ITEMS_MAX; i++) log.step(0, submit(`more ${i}`), NOW)
    expect(slotsOf(all(log, [0, 1, 2], 1n))[0]?.items).toHaveLength(500)
    expect(slotsOf(all(log, [0, 1, 2], 2n))[0]?.items).toEqual([item('more 500')])
  })
})

describe('a node that was away', () => {
  test('is handed every slot once and in order, and then works with the others', () => {
    const log = withSlots(100)
    const numbers: bigint[] = []
    for (let slot = 0n; slot < 100n; slot++)
      for (const { to, output } of log.step(3, working(slot), NOW))
        if (output.type === 'slot' && to === 3) numbers.push(output.slot.number)
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)))
    expect(log.step(3, working(100n), NOW)).toEqual([])
    expect(receivers(log.step(0, submit('next'), NOW))).toEqual([0, 1, 2, 3])
  })

  test('counts for no new slot while it is behind', () => {
    const log = withSlots(2)
    log.down(2)
    log.step(3, working(0n), NOW)
    expect(log.step(0, submit('next'), NOW)).toEqual([])
    log.step(3, working(1n), NOW)
    expect(receivers(log.step(3, working(2n), NOW))).toEqual([0, 1, 3])
  })
})

describe('an older log', () => {
  const position = { next: 7n, time: timestampNs(5_000n) }

  test('goes on at its next slot and above its time', () => {
    const log = new Sequencer(1, entropy, { position })
    expect(log.step(0, working(0n), NOW)).toEqual([])
    expect(log.step(0, submit('waits'), NOW)).toEqual([])
    const [slot] = slotsOf(log.step(0, working(7n), NOW))
    expect(slot).toEqual({
      number: 7n,
      time: addNs(position.time, 1n),
      proposers: [],
      items: [item('waits')],
    })
  })

  test('has its slots on the disks of nodes', () => {
    const old: Slot = { number: 3n, time: NOW, proposers: [], items: [item('old')] }
    const asked: bigint[] = []
    const read = (slot: bigint): Slot | undefined => {
      asked.push(slot)
      return slot === 3n ? old : undefined
    }
    const log = new Sequencer(4, entropy, { position, read })
    expect(log.step(1, working(3n), NOW)).toEqual([
      { to: 1, output: { type: 'slot', slot: old, head: 6n } },
    ])
    expect(log.step(1, working(4n), NOW)).toEqual([])
    expect(log.step(1, working(7n), NOW)).toEqual([])
    expect(asked).toEqual([3n, 4n])
  })

  test('gives no ω of slots before the start', () => {
    const log = new Sequencer(1, entropy, { position })
    log.step(0, working(7n), NOW)
    log.step(0, submit('x'), NOW)
    log.step(0, working(8n), NOW)
    expect(log.step(0, tape(6n), NOW)).toEqual([])
    expect(log.step(0, tape(7n), NOW)).toHaveLength(1)
  })
})

describe('memory', () => {
  /** One node that follows a log of `count` items; what it is asked to read. */
  function follow(count: number, size = 1) {
    const disk: Slot[] = []
    const asked: bigint[] = []
    const log = new Sequencer(1, entropy, {
      read: (slot) => {
        asked.push(slot)
        return disk[Number(slot)]
      },
    })
    for (let i = 0; i < count; i++) {
      log.step(0, working(BigInt(i)), NOW)
      const bytes = new Uint8Array(size + 8)
      new DataView(bytes.buffer).setUint32(0, i)
      const [slot] = slotsOf(log.step(0, { type: 'submit', item: bytes }, NOW))
      disk.push(present(slot, 'a slot'))
    }
    log.step(0, working(BigInt(count)), NOW)
    return { log, asked, disk }
  }

  test('holds the newest slots; older ones are read', () => {
    const { log, asked, disk } = follow(KEPT_SLOTS_MAX + 10)
    const deliver = (slot: bigint) => slotsOf(log.step(0, working(slot), NOW))[0]
    expect(deliver(10n)).toEqual(disk[10])
    expect(asked).toEqual([])
    expect(deliver(9n)).toEqual(disk[9])
    expect(deliver(0n)).toEqual(disk[0])
    expect(asked).toEqual([9n, 0n])
  })

  test('holds fewer slots when they are large, and always the newest', () => {
    const { log, asked } = follow(12, ITEM_SIZE_MAX - 8)
    log.step(0, working(11n), NOW)
    log.step(0, working(5n), NOW)
    expect(asked).toEqual([])
    log.step(0, working(3n), NOW)
    expect(asked).toEqual([3n])
  })

  test('holds every slot when there is nowhere to read', () => {
    const log = new Sequencer(1, entropy)
    for (let i = 0; i < KEPT_SLOTS_MAX + 10; i++) {
      log.step(0, working(BigInt(i)), NOW)
      log.step(0, submit(`${i}`), NOW)
    }
    expect(slotsOf(log.step(0, working(0n), NOW))).toHaveLength(1)
  })

  test('knows the newest items as ordered, and forgets older ones', () => {
    const log = new Sequencer(1, entropy)
    let next = 0n
    const order = (name: string): number => {
      log.step(0, working(next), NOW)
      const slots = slotsOf(log.step(0, submit(name), NOW)).length
      next += BigInt(slots)
      return slots
    }
    for (let i = 0; i < ORDERED_MAX; i++) order(`${i}`)
    expect(order('0')).toBe(0)
    expect(order('one more')).toBe(1)
    expect(order('1')).toBe(0)
    expect(order('0')).toBe(1)
  })

  test('holds the newest wishes of each node, and no node takes the room of another', () => {
    const log = new Sequencer(4, entropy)
    all(log, [0, 1, 2], 0n)
    for (let i = 0; i <= TAPE_WISHES_MAX; i++) {
      log.step(0, submit(`${i}`), NOW)
      all(log, [0, 1, 2], BigInt(i + 1))
    }
    log.step(1, tape(0n), NOW)
    for (let i = 1; i <= TAPE_WISHES_MAX; i++) log.step(0, tape(BigInt(i)), NOW)
    expect(receivers(log.step(0, tape(0n), NOW))).toEqual([0, 1])
    expect(log.step(1, tape(1n), NOW)).toEqual([]) // The oldest wish of node 0 made room.
    expect(receivers(log.step(1, tape(2n), NOW))).toEqual([0, 1])
  })
})

describe('ω of a slot', () => {
  const valuesOf = (deliveries: readonly LogDelivery[]): readonly string[] =>
    deliveries.flatMap(({ output }) => (output.type === 'tape' ? [toHex(output.value)] : []))

  test('is given to f + 1 nodes that have the slot, to all who asked, and equal', () => {
    const log = withSlots(1)
    expect(log.step(0, tape(0n), NOW)).toEqual([])
    const second = log.step(1, tape(0n), NOW)
    expect(receivers(second)).toEqual([0, 1])
    const third = log.step(2, tape(0n), NOW)
    expect(receivers(third)).toContain(2)
    const values = [...valuesOf(second), ...valuesOf(third)]
    expect(new Set(values).size).toBe(1)
    expect(values[0]).toHaveLength(64)
  })

  test('is not given to one node, however often it asks', () => {
    const log = withSlots(1)
    for (let again = 0; again < 5; again++) expect(log.step(0, tape(0n), NOW)).toEqual([])
  })

  test('is not given for the wish of a node that is behind or went down', () => {
    const log = withSlots(1)
    log.step(0, tape(0n), NOW)
    expect(log.step(3, tape(0n), NOW)).toEqual([])
    log.step(3, working(0n), NOW)
    expect(log.step(3, tape(0n), NOW)).toEqual([])
    log.down(0)
    expect(log.step(1, tape(0n), NOW)).toEqual([])
    expect(receivers(log.step(2, tape(0n), NOW))).toEqual([1, 2])
  })

  test.each([-1n, 1n, 2n, 2n ** 64n])('%i, which is not decided, is given to nobody', (slot) => {
    const log = withSlots(1)
    for (const node of [0, 1, 2, 3]) expect(log.step(node, tape(slot), NOW)).toEqual([])
  })

  test('is another one for another slot or other entropy', () => {
    const log = withSlots(2)
    const ask = (of: Sequencer, slot: bigint): string =>
      present([0, 1].flatMap((node) => valuesOf(of.step(node, tape(slot), NOW)))[0], 'ω')
    const other = new Sequencer(1, utf8('other entropy'))
    other.step(0, working(0n), NOW)
    other.step(0, submit('x'), NOW)
    other.step(0, working(1n), NOW)
    expect(new Set([ask(log, 0n), ask(log, 1n), ask(other, 0n)]).size).toBe(3)
  })
})

describe('under any inputs', () => {
  const input = fc.oneof(
    fc.record({ type: fc.constant('submit' as const), item: fc.uint8Array({ maxLength: 2 }) }),
    fc.record({ type: fc.constantFrom('working', 'tape'), slot: fc.bigInt(-3n, 2n ** 66n) }),
    fc.record({ type: fc.constantFrom('working', 'tape'), slot: fc.bigInt(-1n, 6n) }),
  )
  const step = fc.record({
    from: fc.nat(NODES - 1),
    input,
    now: fc.bigInt(0n, 50n),
    goesDown: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  })

  test('no node throws the log over, and all nodes see one sequence with rising times', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const log = makeLog()
        const known: Slot[] = []
        for (const { from, input: said, now, goesDown } of steps) {
          if (goesDown) log.down(from)
          for (const slot of slotsOf(log.step(from, said, timestampNs(now)))) {
            const before = known[Number(slot.number)]
            if (before !== undefined) expect(slot).toEqual(before)
            else expect(slot.number).toBe(BigInt(known.push(slot) - 1))
          }
        }
        for (const [i, { time }] of known.entries()) {
          const previous = known[i - 1]
          if (previous !== undefined) expect(time >= addNs(previous.time, 1n)).toBe(true)
        }
        const items = known.flatMap((slot) => slot.items.map(toHex))
        expect(new Set(items).size).toBe(items.length)
      }),
      { numRuns: 200 },
    )
  })

  test('the sequence goes on as soon as n − f nodes follow it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log = makeLog()
        for (const { from, input: said, now } of steps) log.step(from, said, timestampNs(now))
        for (const node of [0, 1, 2]) follow(log, node)
        log.step(3, submit('wanted at last'), NOW)
        for (const node of [0, 1, 2]) follow(log, node)
        const items = [0, 1, 2].map((node) => follow(log, node).map(toHex))
        for (const seen of items) expect(seen).toContain(toHex(item('wanted at last')))
      }),
      { numRuns: 100 },
    )
  })
})

/** A node goes through the log from its start, until nothing more comes; every item it saw. */
function follow(log: Sequencer, node: NodeIndex): readonly Uint8Array[] {
  const items: Uint8Array[] = []
  for (let slot = 0n; ; slot++) {
    const found = slotsOf(log.step(node, working(slot), NOW).filter(({ to }) => to === node)).find(
      ({ number }) => number === slot,
    )
    if (found === undefined) return items
    items.push(...found.items)
  }
}
