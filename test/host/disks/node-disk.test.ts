/**
 * Goal: a node's disk gives back what was written, in order, and refuses what does not fit together.
 * Method: a log of one letter a slot; each part of the layout is damaged in turn.
 */
import { describe, expect, test } from 'vitest'
import type { Hash32 } from '../../../src/core/base/bytes.ts'
import { concat, equalBytes, u64be, utf8 } from '../../../src/core/base/bytes.ts'
import { Problem, present } from '../../../src/core/base/errors.ts'
import { encodeSlot, encodeStartRecord, slotHash } from '../../../src/core/log/slot-codec.ts'
import { encodeGenesis, subnetIdOf } from '../../../src/core/tecdsa/membership.ts'
import { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import type { Store, StoreWriter } from '../../../src/host/store/store.ts'
import { MemoryStore } from '../../../src/host/store/store.ts'
import { diskWith, genesis, replayed, slotOf, write } from './disks.ts'

const slotKey = (number: bigint): Uint8Array => concat(utf8('slot/'), u64be(number))
const startKey = (index: bigint): Uint8Array => concat(utf8('start/'), u64be(index))
const genesisId = subnetIdOf(genesis)

describe('a fresh disk', () => {
  test('holds nothing, and its root secret is written once', () => {
    const disk = new NodeDisk(new MemoryStore())
    expect([disk.seed, disk.genesis, disk.records().size]).toEqual([undefined, undefined, 0])
    expect(() => disk.log).toThrow('the log begins with the genesis')
    disk.writeSeed(utf8('secret'))
    expect(() => disk.writeSeed(utf8('another'))).toThrow('a root secret is written once')
    expect(disk.seed).toEqual(utf8('secret'))
  })

  test('is founded once, and its log begins in the time line of the genesis', () => {
    const disk = diskWith('')
    expect(disk.log.position).toEqual({ next: 0n, previous: genesisId, time: undefined })
    expect(disk.log.starts).toEqual([{ incarnation: 7n, first: 0n, previous: genesisId }])
    expect(() => disk.found(encodeGenesis(genesis))).toThrow('a subnet is founded once')
    expect(replayed(disk)).toBe('[7]')
  })
})

describe('a log on disk', () => {
  test('is there when the disk is opened again, and goes on', () => {
    const store = new MemoryStore()
    const { position } = diskWith('abc', store).log
    const again = new NodeDisk(store)
    expect(again.log.position).toEqual(position)
    expect(position).toMatchObject({ next: 3n, time: slotOf(2n, 'c').time })
    write(again, 'de')
    expect(replayed(new NodeDisk(store))).toBe('[7]abcde')
    expect(replayed(again, 3n)).toBe('de')
    expect(replayed(again, 5n)).toBe('')
  })

  test('has the hashes of the chain', () => {
    const { log } = diskWith('ab')
    const first = slotHash(genesisId, encodeSlot({ incarnation: 7n, slot: slotOf(0n, 'a') }))
    const second = slotHash(first, encodeSlot({ incarnation: 7n, slot: slotOf(1n, 'b') }))
    expect([-1n, 0n, 1n].map((slot) => log.hashAt(slot))).toEqual([genesisId, first, second])
    expect([log.hashAt(2n), log.hashAt(-2n), log.read(2n), log.read(-1n)]).toEqual(
      [1, 2, 3, 4].map(() => undefined),
    )
    expect(log.read(1n)).toEqual(slotOf(1n, 'b'))
  })

  test.each([
    ['a gap', slotOf(3n, 'x'), 'without gaps'],
    ['a slot again', slotOf(1n, 'b'), 'without gaps'],
    ['a time that stands still', { ...slotOf(2n, 'x'), time: slotOf(1n, 'b').time }, 'time'],
  ])('takes no slot after %s, and stays as it was', (_, slot, reason) => {
    const disk = diskWith('ab')
    const { position } = disk.log
    const records = [{ key: 'key', value: utf8('value') }]
    expect(() => disk.commit({ slot, records })).toThrow(reason)
    expect(disk.log.position).toEqual(position)
    expect(disk.records().size).toBe(0)
    write(disk, 'c')
    expect(replayed(disk)).toBe('[7]abc')
  })

  test('bitcoin §13.66: a step that finds no room is written as a whole once there is room', () => {
    const store = new MemoryStore()
    const failing: Store = {
      name: store.name,
      get: (key) => store.get(key),
      has: (key) => store.has(key),
      range: (range) => store.range(range),
      keys: (range) => store.keys(range),
      close: () => store.close(),
      transaction: (work) =>
        store.transaction((writer) => {
          work(writer)
          throw new RangeError('no room')
        }),
    }
    diskWith('a', store)
    const step = {
      slot: slotOf(1n, 'b'),
      records: [{ key: 'key', value: utf8('value') }],
      snapshot: { slot: 1n, bytes: utf8('state') },
    }
    expect(() => new NodeDisk(failing).commit(step)).toThrow('no room')
    expect(replayed(new NodeDisk(store))).toBe('[7]a')
    expect(new NodeDisk(store).records().size).toBe(0)
    new NodeDisk(store).commit(step)
    const again = new NodeDisk(store)
    expect(replayed(again)).toBe('[7]ab')
    expect(again.records()).toEqual(new Map([['key', utf8('value')]]))
    expect([...again.snapshots()]).toEqual([step.snapshot])
  })
})

describe('the secret of an epoch', () => {
  test('is written with the root, outlasts a time line, and is gone once it is forgotten', () => {
    const store = new MemoryStore()
    const disk = new NodeDisk(store)
    disk.writeSeed(utf8('root'), utf8('first'))
    disk.found(encodeGenesis(genesis))
    disk.commit({ records: [{ key: 'epoch/1/2', value: utf8('second') }] })
    disk.commit({ records: [{ key: '1/support', value: utf8('vote') }] })
    const { next: first, previous } = disk.log.position
    disk.restart([...disk.log.starts, { incarnation: 9n, first, previous }])
    const kept = new NodeDisk(store)
    expect([...kept.records().keys()]).toEqual(['epoch/1/2', 'epoch/first'])
    expect(kept.firstEpoch).toEqual(utf8('first'))
    kept.commit({ forget: ['epoch/first'] })
    expect(new NodeDisk(store).firstEpoch).toBeUndefined()
  })
})

describe('records', () => {
  test('are replaced, and forgotten when a new time line begins', () => {
    const disk = diskWith('a')
    for (const [key, value] of [
      ['1/a', 'x'],
      ['1/b', 'y'],
      ['10/a', 'z'],
      ['1/a', 'w'],
    ] as const)
      disk.commit({ records: [{ key, value: utf8(value) }] })
    expect([...disk.records()].map(([key]) => key)).toEqual(['1/a', '1/b', '10/a'])
    expect(disk.records().get('1/a')).toEqual(utf8('w'))
    const { next: first, previous } = disk.log.position
    disk.restart([...disk.log.starts, { incarnation: 9n, first, previous }])
    expect(disk.records().size).toBe(0)
  })
})

describe('snapshots', () => {
  const snapshot = (slot: bigint) => ({ slot, bytes: utf8(`state ${slot}`) })

  test('are kept two at a time, the newest first', () => {
    const disk = diskWith('abcd')
    for (const slot of [0n, 1n, 3n]) disk.commit({ snapshot: snapshot(slot) })
    expect([...disk.snapshots()]).toEqual([snapshot(3n), snapshot(1n)])
    expect(() => disk.commit({ snapshot: snapshot(4n) })).toThrow('of a slot on disk')
  })

  test('of slots that were dropped are no more, even when the slots are filled anew', () => {
    const disk = diskWith('abcd')
    for (const slot of [1n, 3n]) disk.commit({ snapshot: snapshot(slot) })
    disk.cut(2n)
    write(disk, 'xy')
    expect([...disk.snapshots()]).toEqual([snapshot(1n)])
  })

  test('of another log or that cannot be read are passed over', () => {
    const store = new MemoryStore()
    const disk = diskWith('abcd', store)
    for (const slot of [1n, 3n]) disk.commit({ snapshot: snapshot(slot) })
    const damaged = concat(utf8('snapshot-bytes/'), u64be(3n))
    const half = new NodeDisk({
      name: store.name,
      get: (key) => {
        if (equalBytes(key, damaged)) throw new Problem('HOST_DISK', 'damaged', { fix: 'none' })
        return store.get(key)
      },
      has: (key) => store.has(key),
      range: (range) => store.range(range),
      keys: (range) => store.keys(range),
      transaction: (work) => store.transaction(work),
      close: () => store.close(),
    })
    expect([...half.snapshots()]).toEqual([snapshot(1n)])
    store.transaction((writer) => {
      writer.put(concat(utf8('snapshot/'), u64be(3n)), genesisId)
    })
    expect([...disk.snapshots()]).toEqual([snapshot(1n)])
  })
})

describe('a start of the whole subnet', () => {
  test('cuts the log, and the slots after it are of the new time line', () => {
    const store = new MemoryStore()
    const disk = diskWith('abcd', store)
    const first = 2n
    const previous = present(disk.log.hashAt(1n), 'slot 1')
    const starts = [...disk.log.starts, { incarnation: 9n, first, previous }]
    disk.restart(starts)
    expect(disk.log.position).toMatchObject({ next: 2n, time: slotOf(1n, 'b').time, previous })
    write(disk, 'xy')
    expect(replayed(new NodeDisk(store))).toBe('[7]ab[9]xy')
    expect(replayed(disk, 2n)).toBe('[9]xy')
    expect(replayed(disk, 3n)).toBe('y')
  })

  test('forgets a root that was named for a slot that is dropped, and no other', () => {
    const root = genesisId
    for (const [slot, kept] of [
      [1n, { slot: 1n, root }],
      [2n, undefined],
      [3n, undefined],
    ] as const) {
      const disk = diskWith('abcd')
      disk.commit({ root: { slot, root } })
      const previous = present(disk.log.hashAt(1n), 'slot 1')
      disk.restart([...disk.log.starts, { incarnation: 9n, first: 2n, previous }])
      expect(disk.root).toEqual(kept)
    }
  })

  test('that nobody wrote in leaves its record at the end', () => {
    const disk = diskWith('ab')
    const { next: first, previous } = disk.log.position
    disk.restart([...disk.log.starts, { incarnation: 9n, first, previous }])
    expect(replayed(disk)).toBe('[7]ab[9]')
  })

  test('must follow the slot it names', () => {
    const disk = diskWith('ab')
    const start = { incarnation: 9n, first: 1n, previous: genesisId }
    expect(() => disk.restart([...disk.log.starts, start])).toThrow('follows the slot')
    expect(replayed(disk)).toBe('[7]ab')
  })
})

describe('a disk is refused by name', () => {
  const other = diskWith('xyz')
  const contentOf = (disk: NodeDisk, number: bigint): Uint8Array =>
    concat(
      present(disk.log.hashAt(number), 'a slot'),
      present(disk.log.contentAt(number), 'a slot'),
    )
  const flip = (writer: StoreWriter, key: Uint8Array, at: number): void => {
    const value = present(writer.get(key), 'something is there')
    value[at] = (value[at] ?? 0) ^ 1
    writer.put(key, value)
  }
  /** Content under its hash, as if it were slot 2. */
  const forged = (content: Uint8Array, disk: NodeDisk): Uint8Array =>
    concat(slotHash(second(disk), content), content)
  const second = (disk: NodeDisk): Hash32 => present(disk.log.hashAt(1n), 'slot 1')

  const damages: readonly (readonly [string, (w: StoreWriter, disk: NodeDisk) => void, string])[] =
    [
      ['with a hash changed', (w) => flip(w, slotKey(2n), 5), 'slot 2 does not have its hash'],
      [
        'with an item changed',
        (w) => flip(w, slotKey(2n), 32 + 36),
        'slot 2 does not have its hash',
      ],
      [
        'with an old slot changed',
        (w) => flip(w, slotKey(1n), 40),
        'slot 1 does not have its hash',
      ],
      ['with a slot of another log', (w) => w.put(slotKey(1n), contentOf(other, 1n)), 'slot 2'],
      ['without a slot in the middle', (w) => w.remove(slotKey(1n)), 'slot 1 is missing'],
      ['without its first slot', (w) => w.remove(slotKey(0n)), 'slot 0 is missing'],
      [
        'with a slot cut off',
        (w) => w.put(slotKey(2n), w.get(slotKey(2n))?.slice(0, 50) ?? slotKey(0n)),
        'slot 2',
      ],
      [
        'with a slot that is no slot',
        (w, disk) => w.put(slotKey(2n), forged(utf8('nothing'), disk)),
        'slot 2 is unreadable',
      ],
      [
        'with a slot of another number',
        (w, disk) =>
          w.put(slotKey(2n), forged(encodeSlot({ incarnation: 7n, slot: slotOf(3n, 'c') }), disk)),
        'slot 2 is another slot',
      ],
      [
        'with a slot of another time line',
        (w, disk) =>
          w.put(slotKey(2n), forged(encodeSlot({ incarnation: 8n, slot: slotOf(2n, 'c') }), disk)),
        'slot 2 is of another time line',
      ],
      ['without its first start record', (w) => w.remove(startKey(0n)), 'start record is missing'],
      ['with a start record cut off', (w) => w.put(startKey(0n), slotKey(0n)), 'start record'],
      [
        'with a start record beyond its end',
        (w) =>
          w.put(
            startKey(1n),
            encodeStartRecord({ incarnation: 8n, first: 9n, previous: genesisId }),
          ),
        'out of order',
      ],
      [
        'with a start record that follows another slot',
        (w) =>
          w.put(
            startKey(1n),
            encodeStartRecord({ incarnation: 8n, first: 3n, previous: genesisId }),
          ),
        'does not follow slot 2',
      ],
      [
        'with a start record where no time line began',
        (w, disk) =>
          w.put(
            startKey(1n),
            encodeStartRecord({ incarnation: 8n, first: 2n, previous: second(disk) }),
          ),
        'slot 2 is of another time line',
      ],
      ['with another genesis', (w) => flip(w, utf8('genesis'), 290), 'does not follow slot -1'],
      [
        'without a whole genesis',
        (w) => w.put(utf8('genesis'), utf8('G')),
        'genesis is unreadable',
      ],
    ]
  test.each(damages)('%s', (_, damage, what) => {
    const store = new MemoryStore()
    const disk = diskWith('abc', store)
    store.transaction((writer) => damage(writer, disk))
    const use = (): void => void [...new NodeDisk(store).log.entries(0n)]
    expect(use).toThrow(
      expect.objectContaining({
        code: 'HOST_DISK',
        message: expect.stringContaining(`${store.name} is damaged`),
      }),
    )
    expect(use).toThrow(what)
  })
})

describe('what the canisters asked of the signer', () => {
  const asked = (disk: NodeDisk): readonly bigint[] =>
    [...disk.signerPast(0n, 99n)].map(({ slot }) => slot)
  /** Slots 0 to 5 of one time line, 6 to 9 of the next; each asked for something. */
  function disk(): NodeDisk {
    const made = diskWith('abcdef')
    const { next: first, previous } = made.log.position
    made.restart([...made.log.starts, { incarnation: 99n, first, previous }])
    write(made, 'ghij')
    for (let slot = 0n; slot < 10n; slot++)
      made.commit({ past: [{ slot, calls: utf8(`${slot}`) }] })
    return made
  }
  const keep = (made: NodeDisk, ...slots: readonly bigint[]): void => {
    for (const slot of slots) made.commit({ snapshot: { slot, bytes: utf8('state') } })
  }

  test('is given from a slot to a slot, in order', () => {
    expect([...disk().signerPast(3n, 5n)]).toEqual(
      [3n, 4n, 5n].map((slot) => ({ slot, calls: utf8(`${slot}`) })),
    )
  })

  test('goes with the slots that are dropped: their numbers will be those of others', () => {
    const made = disk()
    made.cut(8n)
    expect(asked(made)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n])
  })

  test('stays while a snapshot that is kept is in the midst of its time line, and no longer', () => {
    const made = disk()
    keep(made, 2n, 4n)
    expect(asked(made)).toHaveLength(10)
    keep(made, 8n)
    expect(asked(made)).toHaveLength(10) // 4 is kept, and may be needed.
    keep(made, 9n)
    expect(asked(made)).toEqual([6n, 7n, 8n, 9n])
  })

  test('of a time line at whose end a snapshot is, is not needed', () => {
    const made = disk()
    keep(made, 5n)
    expect(asked(made)).toEqual([6n, 7n, 8n, 9n])
  })
})
