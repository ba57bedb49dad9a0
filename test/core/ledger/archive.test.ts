/**
 * Goal: an archive takes what follows its newest block, once, and nothing else; what it took it
 * gives back to whoever asks. Method: batches that are wrong in every way, §12 and checklist 98,
 * 99, 103, 106 of §20; answers through Candid.
 */
import { deserialize, serialize } from 'node:v8'
import { describe, expect, test } from 'vitest'
import { equalBytes, fromHex } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import type { Appending, Archive, ArchiveInit } from '../../../src/core/ledger/archive/archive.ts'
import {
  applyToArchive,
  blockBytes,
  decideAppend,
  endOf,
  newArchive,
  remainingCapacity,
} from '../../../src/core/ledger/archive/archive.ts'
import { noBlocks, store, storedAt } from '../../../src/core/ledger/archive/stored-blocks.ts'
import { encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import type { Range } from '../../../src/core/ledger/blocks/log-queries.ts'
import { SUPPORTED_BLOCK_TYPES } from '../../../src/core/ledger/interface/metadata.ts'
import { ArchivesUnderTest, ids, severalArchives } from './archives-under-test.ts'
import { alice, MAX } from './ledger-under-test.ts'

const log = new ArchivesUnderTest().grow(12)
const { chain } = log.ledger.state
const encoded = chain.blocks.map(encodeBlock)
const sizeOf = (from: number, to: number): number =>
  encoded.slice(from, to).reduce((sum, { length }) => sum + length, 0)

/** Holds the blocks from `offset` to `end`. */
function archiveOf(offset: number, end: number, changes: Partial<ArchiveInit> = {}): Archive {
  const archive = newArchive({
    ledgerId: ids.ledger,
    blockIndexOffset: BigInt(offset),
    maxMemorySizeBytes: 1_000_000n,
    maxTransactionsPerResponse: 2_000n,
    parentHash: chain.blocks[offset]?.parentHash,
    ...changes,
  })
  expect(append(archive, encoded.slice(offset, end)).type).toBe('events')
  return archive
}

function append(archive: Archive, batch: readonly Uint8Array[]): Appending {
  const appending = decideAppend(archive, batch)
  if (appending.type === 'events')
    for (const event of appending.events) applyToArchive(archive, event)
  return appending
}

const contents = (archive: Archive): readonly Uint8Array[] =>
  Array.from({ length: archive.blocks.count }, (_, place) => {
    const bytes = blockBytes(archive, archive.init.blockIndexOffset + BigInt(place))
    if (bytes === undefined) throw new RangeError(`no block ${place}`)
    return bytes
  })

describe('append_blocks', () => {
  const part = (from: number, to: number): readonly Uint8Array[] => encoded.slice(from, to)
  /** Of the same parent as block `place`. */
  const changed = (place: number): Uint8Array => {
    const block = chain.blocks[place]
    if (block === undefined) throw new RangeError(`no block ${place}`)
    return encodeBlock({ ...block, timestamp: timestampNs(block.timestamp + 1n) })
  }
  const refusals: readonly (readonly [string, readonly Uint8Array[], string])[] = [
    ['ledger §20.106: a batch with the wrong parent', part(8, 9), 'block 0 does not follow'],
    ['a batch with a gap inside', [...part(7, 8), ...part(9, 10)], 'block 1 does not follow'],
    ['a batch in the wrong order', [...part(8, 9), ...part(7, 8)], 'does not follow'],
    ['a block twice in one batch', [...part(7, 8), ...part(7, 8)], 'block 1 does not follow'],
    ['a first block behind others', part(0, 1), 'does not follow'],
    ['blocks of before its offset', part(1, 3), 'does not follow'],
    ['what begins before its offset', part(2, 9), 'does not follow'],
    ['a known block that goes on differently', [...part(5, 6), changed(6)], 'differs'],
    ['a known block with a gap behind it', [...part(6, 7), ...part(8, 9)], 'does not follow'],
    ['another block in place of a known one', [changed(6), ...part(7, 9)], 'does not follow'],
    ['a block of the right parent with another behind', [changed(7), ...part(8, 9)], 'block 1'],
    ['no block', [fromHex('d9d9f700')], 'block 0'],
    ['no CBOR', [Uint8Array.of(0xff)], 'block 0'],
    ['nothing', [new Uint8Array()], 'block 0'],
    ['a cut block', [encoded[7]?.subarray(0, -1) ?? new Uint8Array()], 'block 0'],
    ['a block with a byte behind it', [Uint8Array.of(...(encoded[7] ?? []), 0)], 'block 0'],
  ]
  test.each(refusals)('%s is refused, and nothing is kept of it', (_name, batch, reason) => {
    const archive = archiveOf(3, 7)
    const before = serialize(archive)
    const refused = decideAppend(archive, batch)
    expect(refused).toEqual({ type: 'refused', reason: expect.stringContaining(reason) })
    expect(serialize(archive)).toEqual(before)
  })

  const repeats: readonly (readonly [string, number, number, number])[] = [
    ['the last batch', 5, 7, 7],
    ['an older batch', 3, 5, 7],
    ['one in the middle', 4, 6, 7],
    ['all it has', 3, 7, 7],
    ['the last block and more', 6, 9, 9],
    ['all it has and more', 3, 12, 12],
    ['no blocks', 0, 0, 7],
  ]
  test.each(repeats)('%s again is accepted and stored once', (_name, from, to, end) => {
    const archive = archiveOf(3, 7)
    expect(append(archive, part(from, to)).type).toBe('events')
    expect(contents(archive)).toEqual(part(3, end))
    expect(endOf(archive)).toBe(BigInt(end))
    expect(append(archive, part(end, 12)).type).toBe('events')
    expect(contents(archive)).toEqual(part(3, 12))
  })

  test('an archive of the first block takes no block with a parent first', () => {
    const archive = archiveOf(0, 0)
    expect(append(archive, part(1, 2)).type).toBe('refused')
    expect(append(archive, part(0, 2)).type).toBe('events')
  })

  test('what is beyond its capacity is refused as a whole, to the byte', () => {
    const maxMemorySizeBytes = BigInt(sizeOf(3, 8))
    const archive = archiveOf(3, 7, { maxMemorySizeBytes })
    expect(remainingCapacity(archive)).toBe(BigInt(sizeOf(7, 8)))
    expect(append(archive, part(7, 9))).toMatchObject({ type: 'refused' })
    expect(contents(archive)).toEqual(part(3, 7))
    expect(append(archive, part(7, 8)).type).toBe('events')
    expect(remainingCapacity(archive)).toBe(0n)
    expect(append(archive, part(7, 8)).type).toBe('events')
    expect(append(archive, part(8, 9))).toMatchObject({ type: 'refused' })
  })

  test('ledger §20.106: a caller that is not the ledger is rejected', () => {
    const archives = new ArchivesUnderTest({ triggerThreshold: 4n, numBlocksToArchive: 4n }).grow(4)
    archives.settle()
    archives.transfer(1)
    const next = archives.ledger.state.chain.blocks.map(encodeBlock)
    const foreign = archives.tellArchive(0, 'append_blocks', [next], alice)
    expect(foreign).toMatchObject({ type: 'rejected', errorCode: 'IC0503' })
    expect(archives.askArchive(0, 'icrc3_get_blocks', [[]]).logLength).toBe(4n)
    expect(archives.tellArchive(0, 'append_blocks', [next], ids.ledger).type).toBe('replied')
    expect(archives.askArchive(0, 'icrc3_get_blocks', [[]]).logLength).toBe(5n)
  })

  test('ledger §20.103: one that starts again has its blocks and takes more', () => {
    const archive: Archive = deserialize(serialize(archiveOf(3, 7)))
    expect(contents(archive)).toEqual(part(3, 7))
    const restarted: Archive = deserialize(serialize(archive))
    expect(append(restarted, part(6, 12)).type).toBe('events')
    expect(contents(restarted)).toEqual(part(3, 12))
    // What was read from the same bytes before is still what it was.
    expect(contents(archive)).toEqual(part(3, 7))
  })
})

test('many blocks lie in few pieces of memory, and each is found', () => {
  const stored = noBlocks()
  const block = (place: number): Uint8Array =>
    new Uint8Array(place % 500 === 250 ? 300_000 : (place * 37) % 700).fill(place & 0xff)
  for (let place = 0; place < 3_000; place += 100) {
    store(
      stored,
      Array.from({ length: 100 }, (_, i) => block(place + i)),
    )
    store(stored, [])
  }
  expect(stored.count).toBe(3_000)
  expect(stored.sizeBytes).toBe(stored.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0))
  expect(stored.chunks.length).toBeLessThan(25)
  for (let place = 0; place < 3_000; place++)
    expect(equalBytes(storedAt(stored, place) ?? new Uint8Array(9_999), block(place))).toBe(true)
  for (const place of [-1, 3_000, 1e9]) expect(storedAt(stored, place)).toBeUndefined()
})

describe('what an archive answers', () => {
  const archives = new ArchivesUnderTest({
    triggerThreshold: 320n,
    numBlocksToArchive: 300n,
    maxTransactionsPerResponse: 120n,
  })
  archives.ledger.fund(alice, 1_000_000_000n)
  for (let i = 1; i < 330; i++)
    archives.ledger.quietly(alice, {
      type: 'icrc1_transfer',
      arg: { to: { owner: alice }, amount: BigInt(i) },
    })
  const all = archives.ask('icrc3_get_blocks', [[{ start: 0n, length: MAX }]]).blocks
  const legacyAll = archives.ask('get_blocks', [{ start: 0n, length: MAX }]).blocks
  const flatAll = archives.ask('get_transactions', [{ start: 0n, length: MAX }]).transactions
  archives.settle()
  const range = (start: bigint, length: bigint) => ({ start, length })

  test('ledger §20.99: a hundred of the blocks asked for, and a reader loops until done', () => {
    expect(archives.askArchive(0, 'icrc3_get_blocks', [[range(0n, 150n)]]).blocks).toEqual(all)
    const read: bigint[] = []
    while (read.length < 300) {
      const next = BigInt(read.length)
      const page = archives.askArchive(0, 'icrc3_get_blocks', [[range(next, 300n - next)]])
      expect(page.archivedBlocks).toEqual([])
      expect(page.logLength).toBe(300n)
      read.push(...page.blocks.map(({ id }) => id))
    }
    expect(read).toEqual(Array.from({ length: 300 }, (_, index) => BigInt(index)))
  })

  test('a hundred in all, however many ranges', () => {
    const ranges = [range(10n, 60n), range(0n, 30n), range(10n, 60n)]
    const { blocks } = archives.askArchive(0, 'icrc3_get_blocks', [ranges])
    expect(blocks.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 60 }, (_, i) => BigInt(10 + i)),
      ...Array.from({ length: 30 }, (_, i) => BigInt(i)),
      ...Array.from({ length: 10 }, (_, i) => BigInt(10 + i)),
    ])
  })

  test('the older methods answer as many as it was installed with', () => {
    const { blocks } = archives.askArchive(0, 'get_blocks', [range(5n, MAX)])
    expect(blocks).toEqual(legacyAll.slice(5, 125))
    const { transactions } = archives.askArchive(0, 'get_transactions', [range(5n, MAX)])
    expect(transactions).toEqual(flatAll.slice(5, 125))
    expect(archives.askArchive(0, 'get_transaction', [299n])).toEqual(flatAll[299])
  })

  test('lists no archives and no certificate, and the types of the ledger', () => {
    expect(archives.askArchive(0, 'icrc3_get_archives', [{}])).toEqual([])
    expect(archives.askArchive(0, 'icrc3_get_tip_certificate', [])).toBeUndefined()
    expect(archives.askArchive(0, 'icrc3_supported_block_types', [])).toEqual(SUPPORTED_BLOCK_TYPES)
  })

  test('ledger §20.98: beyond its end an answer is short or empty', () => {
    const beyond = [range(298n, 5n), range(300n, 1n), range(MAX, MAX)]
    const { blocks } = archives.askArchive(0, 'icrc3_get_blocks', [beyond])
    expect(blocks.map(({ id }) => id)).toEqual([298n, 299n])
    expect(archives.askArchive(0, 'get_blocks', [range(299n, 9n)]).blocks).toHaveLength(1)
    expect(archives.askArchive(0, 'get_transactions', [range(300n, 9n)]).transactions).toEqual([])
    expect(archives.askArchive(0, 'get_transaction', [300n])).toBeUndefined()
    expect(archives.askArchive(0, 'get_transaction', [MAX])).toBeUndefined()
  })

  test('ledger §20.98: below its offset, and from 2^64 up, it rejects', () => {
    const many = severalArchives(2)
    const second = (asked: Range) => [
      many.tellArchive(1, 'get_blocks', [asked]).type,
      many.tellArchive(1, 'get_transactions', [asked]).type,
      many.tellArchive(1, 'icrc3_get_blocks', [[asked]]).type,
    ]
    expect(second(range(2n, 1n))).toEqual(['replied', 'replied', 'replied'])
    const refused = ['rejected', 'rejected', 'rejected']
    expect(second(range(1n, 2n))).toEqual(refused)
    expect(second(range(0n, 0n))).toEqual(refused)
    expect(second(range(MAX + 1n, 1n))).toEqual(refused)
    expect(second(range(2n, MAX + 1n))).toEqual(refused)
    expect(many.askArchive(1, 'get_transaction', [1n])).toBeUndefined()
    expect(many.askArchive(1, 'get_transaction', [2n])).toMatchObject({ kind: 'transfer' })
  })
})
