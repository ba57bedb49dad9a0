/**
 * Goal: blocks leave the ledger in rounds, and only once an archive has them; nothing that goes
 * wrong there is seen by those who transfer. Method: §12 and checklist 101, 102, 104, 105, 107 to
 * 109 of §20, message by message.
 */
import { describe, expect, test } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { canisterOfNumber } from '../../../src/core/ic/canister-ids.ts'
import { archiveStep, nextArchiving } from '../../../src/core/ledger/archive/archiving.ts'
import { encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { apply } from '../../../src/core/ledger/machine.ts'
import type { Event } from '../../../src/core/ledger/state.ts'
import type { Fault } from './archives-under-test.ts'
import { ArchivesUnderTest, ids, severalArchives } from './archives-under-test.ts'

const HOUR = 3_600n * NS_PER_SECOND
const FAULTS: readonly Fault[] = ['fails', 'unanswered', 'crash before', 'crash after']

/** Sizes of the blocks of `grow`: the first, those behind it. */
const [FIRST_SIZE = 0, SIZE = 0] = new ArchivesUnderTest()
  .grow(2)
  .ledger.state.chain.blocks.map((block) => encodeBlock(block).length)

const TWO = BigInt(2 * SIZE)

describe('a round', () => {
  test('ledger §20.101: begins with the block that reaches the threshold', () => {
    const archives = new ArchivesUnderTest({ triggerThreshold: 10n, numBlocksToArchive: 5n }).grow(
      9,
    )
    expect(nextArchiving(archives.ledger.state)).toBeUndefined()
    archives.step()
    expect([archives.places, archives.local]).toEqual([[], 9])
    archives.transfer(1)
    archives.settle()
    expect([archives.places, archives.local]).toEqual([[[0n, 4n]], 5])
    expect(archives.ask('icrc3_get_archives', [{}])).toEqual([
      { canisterId: ids.archive(0), start: 0n, end: 4n },
    ])
  })

  test('ledger §20.102: goes on in another archive when one is full', () => {
    const archives = new ArchivesUnderTest({
      triggerThreshold: 2n,
      numBlocksToArchive: 2n,
      nodeMaxMemorySizeBytes: BigInt(2 * SIZE),
    }).grow(2)
    archives.settle()
    archives.transfer(2)
    archives.settle()
    expect(archives.places).toEqual([
      [0n, 1n],
      [2n, 3n],
    ])
    const [first, second] = [ids.archive(0), ids.archive(1)]
    const from = (id: typeof first) =>
      archives.ask('icrc3_get_archives', [{ from: id }]).map(({ canisterId }) => canisterId)
    expect(from(first)).toEqual([second])
    expect(from(second)).toEqual([])
    expect(from(canisterOfNumber(0n))).toEqual([first, second])
  })

  test('ledger §20.108: an archive that is full is followed by the next block’s', () => {
    const archives = severalArchives(3, 0)
    expect(archives.places).toEqual([
      [0n, 1n],
      [2n, 3n],
      [4n, 5n],
    ])
    expect(archives.archives.map(({ init }) => init.blockIndexOffset)).toEqual([0n, 2n, 4n])
  })

  test('moves what fits to the byte, and no more', () => {
    const options = { triggerThreshold: 4n, numBlocksToArchive: 4n }
    const room = BigInt(FIRST_SIZE + 2 * SIZE)
    for (const [spare, first] of [
      [0n, 2n],
      [-1n, 1n],
    ] as const) {
      const nodeMaxMemorySizeBytes = room + spare
      const archives = new ArchivesUnderTest({ ...options, nodeMaxMemorySizeBytes }).grow(4)
      archives.settle()
      expect(archives.places).toEqual([
        [0n, first],
        [first + 1n, 3n],
      ])
    }
  })

  test('is sent in messages of the size that a ledger is set to', () => {
    const maxMessageSizeBytes = BigInt(FIRST_SIZE + 2 * SIZE)
    const options = { triggerThreshold: 10n, numBlocksToArchive: 10n, maxMessageSizeBytes }
    const archives = new ArchivesUnderTest(options).grow(10)
    archives.settle()
    expect(archives.accepted).toEqual([3, 2, 2, 2, 1])
  })

  test('is sent in messages that no slot waits long for', () => {
    const limits = { ...DEFAULT_LIMITS, archiveStepBytesMax: 3 * SIZE }
    const options = { triggerThreshold: 10n, numBlocksToArchive: 10n }
    const archives = new ArchivesUnderTest(options, { limits }).grow(10)
    archives.settle()
    expect(archives.accepted).toEqual([3, 3, 3, 1])
    const tiny = { ...DEFAULT_LIMITS, archiveStepBytesMax: 1 }
    const single = new ArchivesUnderTest(options, { limits: tiny }).grow(10)
    single.settle()
    expect(new Set(single.accepted)).toEqual(new Set([1]))
  })

  test('ledger §20.109: moves 18 000 blocks at most', () => {
    const options = { triggerThreshold: 20_000n, numBlocksToArchive: 50_000n }
    const { ledger } = new ArchivesUnderTest(options).grow(2)
    const { state } = ledger
    const [, block] = state.chain.blocks
    if (block === undefined) throw new RangeError('a block expected')
    while (state.chain.blocks.length < 25_000) state.chain.blocks.push(block)
    const events: Event[] = []
    const failed = { type: 'failed', message: '' } as const
    const port = { create: () => failed, remainingCapacity: () => failed, append: () => failed }
    const record = (event: Event): void => {
      events.push(event)
      apply(state, event)
    }
    archiveStep({ state, record, port }, ledger.now)
    expect(events[0]).toEqual({ type: 'startedArchiving', count: 18_000 })
  })

  test('of no blocks is none', () => {
    const none = new ArchivesUnderTest({ triggerThreshold: 1n, numBlocksToArchive: 0n }).grow(3)
    expect(nextArchiving(none.ledger.state)).toBeUndefined()
    const empty = new ArchivesUnderTest({ triggerThreshold: 0n, numBlocksToArchive: 5n })
    expect(nextArchiving(empty.ledger.state)).toBeUndefined()
  })

  test('can take every block, and the log goes on behind them', () => {
    const options = { triggerThreshold: 0n, numBlocksToArchive: 99n }
    const archives = new ArchivesUnderTest(options).grow(3)
    archives.settle()
    expect([archives.places, archives.local]).toEqual([[[0n, 2n]], 0])
    archives.transfer(1)
    archives.settle()
    expect(archives.places).toEqual([[0n, 3n]])
  })

  test('of other options is the next one; archives keep theirs', () => {
    const options = { triggerThreshold: 4n, numBlocksToArchive: 2n }
    const archives = new ArchivesUnderTest({
      ...options,
      nodeMaxMemorySizeBytes: BigInt(4 * SIZE),
      maxTransactionsPerResponse: 1n,
    }).grow(4)
    archives.settle()
    archives.ledger.upgrade({
      archiveOptions: {
        triggerThreshold: 6n,
        numBlocksToArchive: 6n,
        nodeMaxMemorySizeBytes: 9_999_999n,
        maxTransactionsPerResponse: 3n,
      },
    })
    archives.transfer(3)
    archives.settle()
    expect(archives.places).toEqual([[0n, 1n]])
    archives.transfer(1)
    archives.settle()
    expect(archives.places).toEqual([
      [0n, 3n],
      [4n, 7n],
    ])
    const all = { start: 4n, length: 99n }
    expect(archives.askArchive(0, 'get_blocks', [{ ...all, start: 0n }]).blocks).toHaveLength(1)
    expect(archives.askArchive(1, 'get_blocks', [all]).blocks).toHaveLength(3)
    expect(archives.archives.map(({ init }) => init.maxMemorySizeBytes)).toEqual([
      BigInt(4 * SIZE),
      9_999_999n,
    ])
  })
})

describe('an archive that fails', () => {
  const options = { triggerThreshold: 6n, numBlocksToArchive: 4n, maxMessageSizeBytes: TWO }
  /** Each call of a round: capacity is asked, after the first archive was created. */
  const places = [0, 1, 2, 3, 4, 5, 6]

  test.each(FAULTS)(
    'ledger §20.104: %s: transfers go on, and a later round catches up',
    (fault) => {
      for (const place of places) {
        const archives = new ArchivesUnderTest(options).grow(6)
        archives.faults = [...Array<undefined>(place), fault]
        for (let i = 0; i < 6; i++) {
          archives.step()
          archives.transfer(1)
        }
        archives.settle()
        const [, last = 0n] = archives.places.at(-1) ?? []
        expect(archives.local).toBe(12 - Number(last) - 1)
        expect(archives.local).toBeLessThan(6)
        expect(archives.archives.length).toBe(1)
      }
    },
  )

  test('ledger §20.105: a crash between the two leaves no gap and no block twice', () => {
    for (const place of places) {
      const archives = new ArchivesUnderTest(options).grow(6)
      archives.faults = [...Array<undefined>(place), 'crash after']
      archives.settle()
      expect(archives.archives[0]?.blocks.count).toBe(4)
      expect(archives.places).toEqual([[0n, 3n]])
    }
  })

  test('holds nothing that the ledger has not been told of, as far as readers see', () => {
    const archives = new ArchivesUnderTest(options).grow(6)
    archives.faults = [undefined, undefined, 'unanswered']
    archives.step()
    expect(archives.archives[0]?.blocks.count).toBe(2)
    expect([archives.places, archives.local]).toEqual([[], 6])
    const { blocks, archivedBlocks } = archives.ask('icrc3_get_blocks', [
      [{ start: 0n, length: 100n }],
    ])
    expect([blocks.length, archivedBlocks]).toEqual([6, []])
  })

  test('is asked again after a pause that grows, not with every transfer', () => {
    const archives = new ArchivesUnderTest(options).grow(6)
    const { ledger } = archives
    let last = ledger.now
    const pauses: bigint[] = []
    for (let round = 0; round < 12; round++) {
      archives.faults = ['fails']
      archives.step()
      archives.transfer(1)
      archives.faults = ['fails']
      archives.step()
      expect(archives.faults, 'nobody was asked').toEqual(['fails'])
      const due = nextArchiving(ledger.state) ?? last
      pauses.push((due - last) / NS_PER_SECOND)
      ledger.pass(due - last - 1n)
      archives.step()
      expect(archives.faults).toEqual(['fails'])
      ledger.pass(1n)
      last = ledger.now
    }
    expect(pauses).toEqual([
      10n,
      20n,
      40n,
      80n,
      160n,
      320n,
      640n,
      1280n,
      2560n,
      3600n,
      3600n,
      3600n,
    ])
    archives.faults = []
    archives.settle()
    expect(archives.ledger.state.archiving).toMatchObject({ failures: 0, pausedUntil: undefined })
  })

  test('keeps what it took before', () => {
    const archives = new ArchivesUnderTest(options).grow(6)
    archives.faults = [undefined, undefined, undefined, undefined, 'fails']
    archives.step()
    archives.step()
    expect(archives.ledger.state.archiving).toMatchObject({ waiting: 0, failures: 1 })
    expect(archives.places).toEqual([[0n, 1n]])
    expect(archives.local).toBe(4)
  })

  test('ledger §20.107: a block larger than a message fails the round, and the ledger serves', () => {
    const small = { ...options, maxMessageSizeBytes: BigInt(SIZE - 1) }
    const archives = new ArchivesUnderTest(small).grow(6)
    for (let i = 0; i < 5; i++) {
      archives.step()
      archives.transfer(1)
      archives.ledger.pass(HOUR)
    }
    // The first block has no parent and fits.
    expect(archives.places).toEqual([[0n, 0n]])
    expect(archives.ledger.state.archiving.failures).toBeGreaterThan(1)
    archives.ledger.upgrade({ archiveOptions: { maxMessageSizeBytes: BigInt(SIZE) } })
    archives.settle()
    expect(archives.local).toBeLessThan(6)
  })

  test('a block larger than any archive fails the round, and no archive is made for it', () => {
    const small = { ...options, nodeMaxMemorySizeBytes: BigInt(FIRST_SIZE - 1) }
    const archives = new ArchivesUnderTest(small).grow(6)
    for (let i = 0; i < 5; i++) {
      archives.step()
      archives.transfer(1)
      archives.ledger.pass(HOUR)
    }
    expect(archives.archives).toEqual([])
    archives.ledger.upgrade({ archiveOptions: { nodeMaxMemorySizeBytes: 1_000n } })
    archives.settle()
    expect(archives.local).toBeLessThan(6)
  })

  test('one whose creation went unanswered under small options is followed by a larger one', () => {
    const small = { ...options, nodeMaxMemorySizeBytes: BigInt(FIRST_SIZE) }
    const archives = new ArchivesUnderTest(small).grow(6)
    archives.step()
    expect(archives.places).toEqual([[0n, 0n]])
    archives.ledger.upgrade({ archiveOptions: { nodeMaxMemorySizeBytes: BigInt(SIZE) } })
    archives.faults = [undefined, 'unanswered']
    archives.step()
    expect(archives.archives.length).toBe(2)
    archives.ledger.upgrade({ archiveOptions: { nodeMaxMemorySizeBytes: 9_999n } })
    archives.settle()
    expect(archives.local).toBeLessThan(6)
  })
})
