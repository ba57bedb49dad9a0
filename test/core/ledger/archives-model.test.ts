/**
 * Goal: a ledger with archives is a ledger without, whatever becomes of its messages to them: no
 * block is missing, none is there twice, and nobody who transfers notices.
 *
 * Method: random calls and random small options; archives that refuse, whose answers are lost, and
 * processes that end before or behind any call to them. After every step the whole log is read as
 * clients read it, and held against a ledger that keeps its blocks.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../../src/core/ledger/blocks/value.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { legacyValue } from '../../../src/core/ledger/interface/legacy-interface.ts'
import { tip } from '../../../src/core/ledger/queries.ts'
import type { Fault } from './archives-under-test.ts'
import { ArchivesUnderTest } from './archives-under-test.ts'
import {
  alice,
  bob,
  collector,
  type LedgerUnderTest,
  MAX,
  minter,
  of,
  sub,
} from './ledger-under-test.ts'

const size = fc.integer({ min: 1, max: 9 }).map(BigInt)
const options = fc.record({
  triggerThreshold: size,
  numBlocksToArchive: size,
  nodeMaxMemorySizeBytes: fc.integer({ min: 100, max: 1_500 }).map(BigInt),
  maxMessageSizeBytes: fc.integer({ min: 150, max: 900 }).map(BigInt),
  maxTransactionsPerResponse: fc.integer({ min: 1, max: 4 }).map(BigInt),
})
type Options = typeof options extends fc.Arbitrary<infer T> ? T : never

const fault = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Fault>('fails', 'unanswered', 'crash before', 'crash after'),
  },
)

type Operation =
  | { readonly type: 'call'; readonly number: number; readonly amount: bigint }
  | { readonly type: 'step'; readonly faults: readonly (Fault | undefined)[] }
  | { readonly type: 'pass'; readonly seconds: bigint }
  | { readonly type: 'options'; readonly options: Partial<Options> }
  | { readonly type: 'restart' }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      number: fc.nat(5),
      amount: fc.bigInt(0n, 50n),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('step' as const),
      faults: fc.array(fault, { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('pass' as const), seconds: fc.bigInt(1n, 50n) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('options' as const),
      options: fc.record(
        {
          triggerThreshold: size,
          numBlocksToArchive: size,
          nodeMaxMemorySizeBytes: fc.integer({ min: 100, max: 1_500 }).map(BigInt),
          maxMessageSizeBytes: fc.integer({ min: 150, max: 900 }).map(BigInt),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
)

/** Every kind of transaction; some are refused. */
function call(ledger: LedgerUnderTest, number: number, amount: bigint): unknown {
  const createdAtTime = ledger.now
  switch (number) {
    case 0:
      return ledger.transfer(alice, of(bob, sub(1)), amount, { createdAtTime })
    case 1:
      return ledger.transfer(minter, alice, amount, { memo: Uint8Array.of(Number(amount)) })
    case 2:
      return ledger.transfer(bob, minter, 10_000n + amount)
    case 3:
      return ledger.approve(alice, bob, 20_000n + amount, { createdAtTime })
    case 4:
      return ledger.transferFrom(bob, [alice, bob], amount, { fee: 10_000n })
    default:
      return ledger.transfer(bob, alice, amount, { memo: new Uint8Array(32) })
  }
}

type Ranges = readonly { readonly start: bigint; readonly length: bigint }[]

/** The log by `icrc3_get_blocks`, archives asked until they have given what they were said to hold. */
function readAll(archives: ArchivesUnderTest): ReadonlyMap<bigint, Value> {
  const found = new Map<bigint, Value>()
  const take = (blocks: readonly { readonly id: bigint; readonly block: Value }[]): void => {
    for (const { id, block } of blocks) {
      expect(found.has(id), `block ${id} once`).toBe(false)
      found.set(id, block)
    }
  }
  const all: Ranges = [{ start: 0n, length: MAX }]
  const { blocks, archivedBlocks, logLength } = archives.ask('icrc3_get_blocks', [all])
  take(blocks)
  for (const { args, callback } of archivedBlocks) {
    const { blocks: held } = archives.askArchive(callback.canisterId, 'icrc3_get_blocks', [args])
    expect(held).toHaveLength(Number(args.reduce((sum, { length }) => sum + length, 0n)))
    take(held)
  }
  expect(found.size).toBe(Number(logLength))
  return found
}

/** The same by the older methods, each archive asked again until a part is complete. */
function readOlder(archives: ArchivesUnderTest) {
  const all = { start: 0n, length: MAX }
  const blocks = archives.ask('get_blocks', [all])
  const flat = archives.ask('get_transactions', [all])
  const parts = <T>(
    archived: readonly { start: bigint; length: bigint; callback: { canisterId: Principal } }[],
    ask: (archive: Principal, range: { start: bigint; length: bigint }) => readonly T[],
  ): readonly T[] =>
    archived.flatMap(({ start, length, callback }) => {
      const got: T[] = []
      while (BigInt(got.length) < length) {
        const done = BigInt(got.length)
        const more = ask(callback.canisterId, { start: start + done, length: length - done })
        expect(more.length).toBeGreaterThan(0)
        got.push(...more)
      }
      return got
    })
  return {
    blocks: [
      ...parts(
        blocks.archivedBlocks,
        (id, range) => archives.askArchive(id, 'get_blocks', [range]).blocks,
      ),
      ...blocks.blocks,
    ],
    transactions: [
      ...parts(
        flat.archivedTransactions,
        (id, range) => archives.askArchive(id, 'get_transactions', [range]).transactions,
      ),
      ...flat.transactions,
    ],
  }
}

function compare(archives: ArchivesUnderTest, plain: ArchivesUnderTest): void {
  const { blocks } = plain.ask('icrc3_get_blocks', [[{ start: 0n, length: MAX }]])
  const found = readAll(archives)
  let parent: Uint8Array | undefined
  for (const { id } of blocks) {
    const mine = found.get(id)
    if (mine?.type !== 'map') throw new RangeError(`block ${id} is missing`)
    const phash = new Map(mine.map).get('phash')
    const named = phash?.type === 'blob' ? toHex(phash.blob) : undefined
    expect(named).toBe(parent && toHex(parent))
    parent = hashValue(mine)
  }
  expect(parent).toEqual(tip(archives.ledger.state)?.hash)
  expect(found.size).toBe(blocks.length)
}

/** All but where the blocks are. */
function compareRest(archives: ArchivesUnderTest, plain: ArchivesUnderTest): void {
  const { chain, archiving: _, config: __, ...rest } = archives.ledger.state
  const { chain: whole, archiving: ___, config: ____, ...same } = plain.ledger.state
  expect(rest).toEqual(same)
  expect(chain.tipHash).toEqual(whole.tipHash)
  const { blocks } = plain.ask('get_blocks', [{ start: 0n, length: MAX }])
  const { transactions } = plain.ask('get_transactions', [{ start: 0n, length: MAX }])
  expect(readOlder(archives)).toEqual({ blocks, transactions })
  expect(blocks).toEqual([...readAll(archives)].sort(byId).map(([, block]) => legacyValue(block)))
}

const byId = ([a]: readonly [bigint, unknown], [b]: readonly [bigint, unknown]): number =>
  a < b ? -1 : 1

function run(settings: Options, operations: readonly Operation[]): ReadonlySet<string> {
  const limits = { ...DEFAULT_LIMITS, archiveStepBytesMax: 400 }
  const changes = { feeCollector: of(collector), limits }
  const archives = new ArchivesUnderTest(settings, changes)
  const plain = new ArchivesUnderTest({ triggerThreshold: MAX }, changes)
  const both = [archives.ledger, plain.ledger]
  for (const ledger of both) for (const owner of [alice, bob]) ledger.fund(owner, 1_000_000n)
  const seen = new Set<string>()
  for (const operation of operations) {
    switch (operation.type) {
      case 'call': {
        const [reply, expected] = both.map((l) => call(l, operation.number, operation.amount))
        expect(reply).toEqual(expected)
        break
      }
      case 'step':
        archives.faults = [...operation.faults]
        archives.step()
        break
      case 'pass':
        for (const ledger of both) ledger.pass(operation.seconds * NS_PER_SECOND)
        break
      case 'options':
        expect(archives.ledger.upgrade({ archiveOptions: operation.options }).type).toBe('ok')
        break
      case 'restart':
        archives.restart()
        break
    }
    compare(archives, plain)
  }
  compareRest(archives, plain)
  const { failures } = archives.ledger.state.archiving
  if (failures > 0) seen.add('ends in a pause')
  archives.faults = []
  // Options under which any block fits: now every round comes to its end.
  archives.ledger.upgrade({
    archiveOptions: { nodeMaxMemorySizeBytes: 2_000n, maxMessageSizeBytes: 2_000n },
  })
  archives.settle()
  compare(archives, plain)
  compareRest(archives, plain)
  const { triggerThreshold } = archives.ledger.state.config.archiveOptions
  expect(BigInt(archives.local)).toBeLessThan(triggerThreshold)
  if (archives.archives.length > 2) seen.add('several archives')
  return seen
}

/** `SEED=7 RUNS=1000` is another, longer campaign. */
const { SEED = '2026', RUNS = '20' } = process.env

test(`ledger §20.105: no failure loses a block or gives one twice, seed ${SEED}`, () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      options,
      fc.array(operation, { minLength: 15, maxLength: 35 }),
      (settings, operations) => {
        for (const what of run(settings, operations)) seen.add(what)
      },
    ),
    { numRuns: Number(RUNS), seed: Number(SEED) },
  )
  // A run that never meets them would prove little.
  expect([...seen].sort()).toEqual(['ends in a pause', 'several archives'])
})
