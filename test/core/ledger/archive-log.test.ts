/**
 * Goal: whoever reads the log finds every block once, in the ledger or in the archive that the
 * ledger names. Method: §11 and checklist 90 to 97 and 100 of §20, asked for in Candid.
 */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { comparePrincipals, textOfPrincipal } from '../../../src/core/ic/principal.ts'
import type { Range } from '../../../src/core/ledger/blocks/log-queries.ts'
import { getBlocks } from '../../../src/core/ledger/blocks/log-queries.ts'
import { findBlock } from '../../../src/core/ledger/blocks/lookup.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { ArchivesUnderTest, ids, severalArchives } from './archives-under-test.ts'
import { alice, bob, DRIFT, MAX, minter, of, START, WINDOW } from './ledger-under-test.ts'

type Pairs = readonly (readonly [bigint, bigint])[]
const rangesOf = (pairs: Pairs): readonly Range[] =>
  pairs.map(([start, length]) => ({ start, length }))

/** Ids of local blocks, and ranges by archive. */
function icrc3(archives: ArchivesUnderTest, pairs: Pairs) {
  const answer = archives.ask('icrc3_get_blocks', [rangesOf(pairs)])
  expect(answer.logLength).toBe(BigInt(archives.local) + (archives.places.at(-1)?.[1] ?? -1n) + 1n)
  return {
    local: answer.blocks.map(({ id }) => id),
    archived: answer.archivedBlocks.map(({ args, callback }) => {
      expect(callback.methodName).toBe('icrc3_get_blocks')
      return {
        id: textOfPrincipal(callback.canisterId),
        args: args.map(({ start, length }) => [start, length]),
      }
    }),
  }
}

const archive = (number: number, ...args: Pairs) => ({
  id: textOfPrincipal(ids.archive(number)),
  args,
})

/** Fourteen blocks, ten of them in one archive. */
const fourteen = new ArchivesUnderTest({ triggerThreshold: 14n, numBlocksToArchive: 10n }).grow(14)
fourteen.settle()

describe('icrc3_get_blocks', () => {
  test('ledger §20.90: local blocks, and where the others are', () => {
    expect(icrc3(fourteen, [[0n, MAX]])).toEqual({
      local: [10n, 11n, 12n, 13n],
      archived: [archive(0, [0n, 10n])],
    })
  })

  test('ledger §20.91: each range as asked, in its order, also twice', () => {
    const pairs: Pairs = [
      [2n, 3n],
      [1n, 2n],
      [0n, 10n],
      [10n, 5n],
      [8n, 4n],
      [2n, 3n],
      [12n, 1n],
    ]
    expect(icrc3(fourteen, pairs)).toEqual({
      local: [10n, 11n, 12n, 13n, 10n, 11n, 12n],
      archived: [archive(0, [2n, 3n], [1n, 2n], [0n, 10n], [8n, 2n], [2n, 3n])],
    })
  })

  test('ledger §20.92: nothing of what there is not', () => {
    const nothing = { local: [], archived: [] }
    const beyond: Pairs = [
      [15n, 1n],
      [0n, 0n],
      [10n, 0n],
      [14n, MAX],
      [MAX, MAX],
    ]
    for (const pairs of [...beyond.map((pair) => [pair]), beyond, []])
      expect(icrc3(fourteen, pairs)).toEqual(nothing)
  })

  test('ledger §20.93: at most a hundred local blocks, cut before it is split', () => {
    const archives = new ArchivesUnderTest({ triggerThreshold: 1_001n, numBlocksToArchive: 0n })
    archives.ledger.fund(alice, 1_000_000_000_000n)
    for (let i = 1; i < 1_120; i++)
      archives.ledger.quietly(alice, { type: 'icrc1_transfer', arg: { to: of(bob), amount: 1n } })
    archives.ledger.upgrade({ archiveOptions: { numBlocksToArchive: 120n } })
    archives.settle()
    expect([archives.places, archives.local]).toEqual([[[0n, 119n]], 1_000])
    const count = (pairs: Pairs): number => icrc3(archives, pairs).local.length
    expect(count([[200n, MAX]])).toBe(100)
    expect(
      count([
        [200n, 100n],
        [200n, 1n],
      ]),
    ).toBe(100)
    expect(
      count([
        [200n, 60n],
        [300n, 60n],
      ]),
    ).toBe(100)
    // What is archived is no part of the hundred, but of the range that is cut.
    expect(icrc3(archives, [[0n, MAX]])).toEqual({ local: [], archived: [archive(0, [0n, 100n])] })
    expect(icrc3(archives, [[110n, MAX]]).local).toHaveLength(90)
    expect(
      icrc3(archives, [
        [30n, 100n],
        [0n, 100n],
        [120n, 91n],
      ]),
    ).toMatchObject({
      local: { length: 100 },
      archived: [archive(0, [30n, 90n], [0n, 90n])],
    })
  })

  test('ledger §20.94: a number of 65 bits is rejected', () => {
    for (const pair of [
      [MAX + 1n, 1n],
      [0n, MAX + 1n],
    ] as const)
      expect(() => icrc3(fourteen, [pair])).toThrow('too large')
  })

  test('archives are listed by id, whenever they were created', () => {
    const archives = severalArchives(4)
    const order = [0, 1, 2, 3].sort((a, b) => comparePrincipals(ids.archive(a), ids.archive(b)))
    const parts = [archive(0, [1n, 1n]), archive(1, [2n, 2n]), archive(2, [4n, 2n])]
    const all = [...parts, archive(3, [6n, 2n])]
    expect(icrc3(archives, [[1n, 9n]])).toEqual({
      local: [8n, 9n],
      archived: order.map((number) => all[number]),
    })
  })

  test('the archives of one answer stand in the order of their ids, not of their creation', () => {
    const { state } = severalArchives(3).ledger
    const [first, second, third] = state.archiving.archives
    if (!first || !second || !third) throw new RangeError('three archives expected')
    const swapped = [
      { ...first, canisterId: third.canisterId },
      second,
      { ...third, canisterId: first.canisterId },
    ]
    const answer = getBlocks(
      { ...state, archiving: { ...state.archiving, archives: swapped } },
      rangesOf([[0n, 9n]]),
    )
    expect(answer).toMatchObject({
      archived: [
        { canisterId: first.canisterId, ranges: [{ start: 4n }] },
        { canisterId: second.canisterId, ranges: [{ start: 2n }] },
        { canisterId: third.canisterId, ranges: [{ start: 0n }] },
      ],
    })
  })

  test('one answer names no more archived ranges than fit into it', () => {
    const many = Array.from({ length: 100_001 }, () => ({ start: 0n, length: 1n }))
    expect(() => fourteen.ask('icrc3_get_blocks', [many])).toThrow('100000 ranges')
    const { archivedBlocks } = fourteen.ask('icrc3_get_blocks', [many.slice(1)])
    expect(archivedBlocks[0]?.args).toHaveLength(100_000)
  })

  test('ledger §20.100: while a round runs every index is in one place', () => {
    const options = { triggerThreshold: 9n, numBlocksToArchive: 8n, maxMessageSizeBytes: 450n }
    const archives = new ArchivesUnderTest(options).grow(9)
    let steps = 0
    for (; archives.local > 1; steps++) {
      const { local, archived } = icrc3(archives, [[0n, MAX]])
      const moved = archived.flatMap(({ args }) =>
        args.flatMap(([start = 0n, length = 0n]) =>
          Array.from({ length: Number(length) }, (_, i) => start + BigInt(i)),
        ),
      )
      expect([...moved, ...local]).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n])
      archives.step()
    }
    expect(steps).toBeGreaterThan(2)
  })
})

describe('the older methods', () => {
  const eleven = new ArchivesUnderTest({ triggerThreshold: 11n, numBlocksToArchive: 5n }).grow(11)
  eleven.settle()
  const callback = (methodName: string) => ({ canisterId: ids.archive(0), methodName })
  const both = (archives: ArchivesUnderTest, start: bigint, length: bigint) => {
    const { blocks, archivedBlocks, ...older } = archives.ask('get_blocks', [{ start, length }])
    const flat = archives.ask('get_transactions', [{ start, length }])
    expect([flat.firstIndex, flat.logLength]).toEqual([older.firstIndex, older.chainLength])
    expect(flat.transactions.length).toBe(blocks.length)
    const strip = ({ start: from, length: count }: Range) => [from, count]
    expect(flat.archivedTransactions.map(strip)).toEqual(archivedBlocks.map(strip))
    expect(flat.archivedTransactions.map((part) => part.callback.methodName)).toEqual(
      archivedBlocks.map(() => 'get_transactions'),
    )
    return { ...older, count: blocks.length, archivedBlocks }
  }

  test('ledger §20.95: the local part, where the others are, and a certificate', () => {
    expect(both(eleven, 0n, 1_000_000n)).toEqual({
      firstIndex: 5n,
      chainLength: 11n,
      count: 6,
      archivedBlocks: [{ start: 0n, length: 5n, callback: callback('get_blocks') }],
      certificate: Uint8Array.of(1),
    })
  })

  test('ledger §20.95: a range in archives alone names the first local block', () => {
    expect(both(eleven, 1n, 2n)).toMatchObject({
      firstIndex: 5n,
      count: 0,
      archivedBlocks: [{ start: 1n, length: 2n }],
    })
    expect(both(eleven, 3n, 4n)).toMatchObject({
      firstIndex: 5n,
      count: 2,
      archivedBlocks: [{ start: 3n, length: 2n }],
    })
  })

  test('ledger §20.96: beyond the end there is nothing, and no reject', () => {
    const nothing = { firstIndex: 5n, count: 0, archivedBlocks: [] }
    expect(both(eleven, 100n, 5n)).toMatchObject(nothing)
    expect(both(eleven, MAX, MAX)).toMatchObject(nothing)
  })

  test('ledger §20.97: two thousand local blocks at most, and archived parts uncut', () => {
    const limits = { ...DEFAULT_LIMITS, archiveStepBytesMax: 1024 * 1024 }
    const options = { triggerThreshold: 4_051n, numBlocksToArchive: 2_050n }
    const archives = new ArchivesUnderTest(options, { limits })
    archives.ledger.fund(alice, 1_000_000_000_000n)
    for (let i = 1; i < 4_051; i++)
      archives.ledger.quietly(alice, { type: 'icrc1_transfer', arg: { to: of(bob), amount: 1n } })
    archives.step()
    expect(archives.local).toBe(2_001)
    const archived = [{ start: 1n, length: 2_049n }]
    const first = { firstIndex: 2_050n, count: 2_000 }
    expect(both(archives, 1n, MAX)).toMatchObject({ ...first, archivedBlocks: archived })
    expect(both(archives, 2_050n, 2_001n)).toMatchObject({ ...first, archivedBlocks: [] })
  })

  test('name each archive that holds a part', () => {
    const archives = severalArchives(3)
    expect(
      both(archives, 1n, MAX).archivedBlocks.map(({ start, length }) => [start, length]),
    ).toEqual([
      [1n, 1n],
      [2n, 2n],
      [4n, 2n],
    ])
  })
})

describe('blocks with long memos', () => {
  const long = { triggerThreshold: 200n, numBlocksToArchive: 60n }
  const limits = { ...DEFAULT_LIMITS, archiveStepBytesMax: 1024 * 1024 }
  const archives = new ArchivesUnderTest(long, { memoLengthMax: 65_535, limits })
  archives.ledger.fund(alice, 1_000_000_000n)
  for (let i = 0; i < 119; i++)
    archives.ledger.quietly(alice, {
      type: 'icrc1_transfer',
      arg: { to: of(bob), amount: 1n, memo: new Uint8Array(50_000).fill(i) },
    })

  /** How many blocks one answer of each method gives from `start` on. */
  const counts = (ask: (range: Range) => readonly number[], start: bigint): readonly number[] =>
    ask({ start, length: 100n })

  test('are read to their end, a few in each answer, from the ledger', () => {
    const ask = (range: Range) => [
      archives.ask('icrc3_get_blocks', [[range, range]]).blocks.length,
      archives.ask('get_blocks', [range]).blocks.length,
      archives.ask('get_transactions', [range]).transactions.length,
    ]
    expect(counts(ask, 1n)).toEqual([20, 20, 20])
    expect(counts(ask, 110n)).toEqual([20, 10, 10])
  })

  test('are read to their end, a few in each answer, from an archive', () => {
    archives.ledger.upgrade({ archiveOptions: { triggerThreshold: 61n } })
    while (archives.local > 60) archives.step()
    const ask = (range: Range) => [
      archives.askArchive(0, 'icrc3_get_blocks', [[range, range]]).blocks.length,
      archives.askArchive(0, 'get_blocks', [range]).blocks.length,
      archives.askArchive(0, 'get_transactions', [range]).transactions.length,
    ]
    expect(counts(ask, 1n)).toEqual([20, 20, 20])
    expect(counts(ask, 55n)).toEqual([10, 5, 5])
  })

  test('are left out together with whatever is asked for behind them', () => {
    const mixed = new ArchivesUnderTest(long, { memoLengthMax: 65_535, limits })
    mixed.ledger.fund(alice, 1_000_000_000n)
    const send = (memo?: Uint8Array): void =>
      mixed.ledger.quietly(alice, {
        type: 'icrc1_transfer',
        arg: { to: of(bob), amount: 1n, memo },
      })
    for (let i = 0; i < 30; i++) send(new Uint8Array(50_000).fill(i))
    for (let i = 0; i < 30; i++) send()
    const ranges = [
      { start: 1n, length: 30n },
      { start: 31n, length: 30n },
    ]
    const first = Array.from({ length: 20 }, (_, i) => BigInt(1 + i))
    expect(mixed.ask('icrc3_get_blocks', [ranges]).blocks.map(({ id }) => id)).toEqual(first)
    mixed.ledger.upgrade({ archiveOptions: { triggerThreshold: 61n } })
    mixed.settle()
    const { blocks } = mixed.askArchive(0, 'icrc3_get_blocks', [ranges])
    expect(blocks.map(({ id }) => id)).toEqual(first)
  })
})

describe('a block is found by its transaction', () => {
  const archives = new ArchivesUnderTest({ triggerThreshold: 4n, numBlocksToArchive: 3n })
  const { ledger } = archives
  const memo = utf8('a deposit')
  const mint = (createdAtTime: typeof START) =>
    ({ type: 'mint', to: of(alice), amount: 5n, memo, createdAtTime }) as const
  /** Created a moment apart; the ledger takes the second one as late as it can. */
  const created = [START, (START + 1n) as typeof START] as const
  ledger.fund(bob, 1_000_000n)
  ledger.transfer(minter, alice, 5n, { memo, createdAtTime: created[0] })
  ledger.fund(bob, 1n)
  ledger.pass(WINDOW + 1n)
  ledger.transfer(minter, alice, 5n, { memo, createdAtTime: created[1] })
  ledger.fund(bob, 1n)
  ledger.fund(bob, 2n)
  const find = (sought: ReturnType<typeof mint>) =>
    findBlock(ledger.state, archives.archives, sought as Parameters<typeof findBlock>[2])

  test('wherever it is, and however long ago the window forgot it', () => {
    expect(created.map((time) => find(mint(time)))).toEqual([1n, 3n])
    archives.settle()
    expect(archives.places).toEqual([[0n, 2n]])
    ledger.pass(2n * (WINDOW + DRIFT))
    ledger.fund(bob, 7n) // The window forgets.
    ledger.fund(bob, 8n)
    archives.settle()
    expect(ledger.state.deduplication.count).toBe(0)
    expect(archives.local).toBeLessThan(4)
    expect(created.map((time) => find(mint(time)))).toEqual([1n, 3n])
  })

  test.each([
    ['another time', { ...mint(created[0]), createdAtTime: (START + 2n) as typeof START }],
    ['another amount', { ...mint(created[0]), amount: 6n }],
    ['another memo', { ...mint(created[0]), memo: utf8('another') }],
    ['another account', { ...mint(created[0]), to: of(bob) }],
  ])('and none of %s', (_name, sought) => {
    expect(find(sought as ReturnType<typeof mint>)).toBeUndefined()
  })

  test('never said to be nowhere while its archive is not at hand', () => {
    expect(() => findBlock(ledger.state, [], mint(created[0]) as never)).toThrow('in its archive')
  })
})
