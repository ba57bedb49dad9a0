/**
 * Goal: an index takes every block of a log, wherever it lies, and no block of a source that lies.
 *
 * Method: random calls on a ledger with archives; the index that followed it and one that asks
 * ledger and archives from block 0 on are equal, and agree with the ledger and with a filter of the
 * whole log. Sources that answer wrongly, each in one way (ledger §13, checklist §20.110, 111, 115
 * to 117).
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadEncoding, present } from '../../../src/core/base/errors.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { sameAccount } from '../../../src/core/ic/account.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { blockAt } from '../../../src/core/ledger/archive/whole-log.ts'
import type { Block, Transaction } from '../../../src/core/ledger/blocks/block.ts'
import { valueOfBlock } from '../../../src/core/ledger/blocks/block-value.ts'
import type { NumberedBlock, Range } from '../../../src/core/ledger/blocks/log-queries.ts'
import type { Entry, Value } from '../../../src/core/ledger/blocks/value.ts'
import type { IndexState } from '../../../src/core/ledger/index/account-index.ts'
import { accountPage, balanceIn, emptyIndex } from '../../../src/core/ledger/index/account-index.ts'
import { subaccountsAfter } from '../../../src/core/ledger/index/account-table.ts'
import type { IndexSource } from '../../../src/core/ledger/index/sync.ts'
import { syncBlocks } from '../../../src/core/ledger/index/sync.ts'
import type { GetBlocksResult } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { logLength } from '../../../src/core/ledger/state.ts'
import type { Call } from '../../../src/core/ledger/types.ts'
import { CanisterSource } from '../../../src/core/subnet/index-source.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  carol,
  collector,
  LedgerUnderTest,
  minter,
  of,
  sub,
  testConfig,
  ZEROS,
} from './ledger-under-test.ts'

const FEE = 3n
const owners = [alice, bob, minter] as const
const subaccounts = [undefined, ZEROS, sub(1)] as const
const accounts = [...owners, collector].flatMap((owner) => [of(owner), of(owner, sub(1))])
const account: fc.Arbitrary<Account> = fc.record({
  owner: fc.constantFrom(...owners),
  subaccount: fc.constantFrom(...subaccounts),
})
const given = { amount: fc.bigInt(0n, 40n), fee: fc.constantFrom(undefined, undefined, FEE) }
const own = { fromSubaccount: fc.constantFrom(...subaccounts), ...given }
const call: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    type: fc.constant('icrc1_transfer' as const),
    arg: fc.record({ to: account, ...own }),
  }),
  fc.record({
    type: fc.constant('icrc2_approve' as const),
    arg: fc.record({ spender: account, ...own }),
  }),
  fc.record({
    type: fc.constant('icrc2_transfer_from' as const),
    arg: fc.record({
      from: account,
      to: account,
      spenderSubaccount: fc.constantFrom(...subaccounts),
      ...given,
    }),
  }),
)

type Operation =
  | { readonly type: 'call'; readonly caller: Principal; readonly call: Call }
  | { readonly type: 'collector'; readonly to: Account | undefined }
  | { readonly type: 'endSlot' }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('call' as const),
      caller: fc.constantFrom(alice, bob, alice, bob, minter),
      call,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('collector' as const),
      to: fc.constantFrom(undefined, of(collector), of(alice, sub(1))),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'endSlot' as const }) },
)

/** Runs the operations; archives take two blocks at a time as soon as four are local. */
function run(operations: readonly Operation[]) {
  const archiveOptions = {
    ...testConfig().archiveOptions,
    triggerThreshold: 4n,
    numBlocksToArchive: 2n,
    nodeMaxMemorySizeBytes: 900n,
  }
  const changes = { transferFee: FEE, feeCollector: of(collector), archiveOptions }
  const ledger = new LedgerUnderTest(changes)
  const canisters = new CanistersUnderTest(ledger)
  for (const owner of [alice, bob])
    for (const account of [of(owner), of(owner, sub(1))]) ledger.fund(account, 1_000n)
  ledger.approve(alice, bob, 500n)
  ledger.approve(bob, alice, 500n)
  for (const step of operations)
    if (step.type === 'endSlot') canisters.endSlot()
    else if (step.type === 'call') ledger.call(step.caller, step.call)
    else
      ledger.upgrade({
        feeCollector: step.to ? { type: 'setTo', account: step.to } : { type: 'unset' },
      })
  canisters.endSlot()
  return { ledger, token: canisters.token }
}

/** §13: whose history a transaction is part of. */
function partiesOf(transaction: Transaction): readonly Account[] {
  if (transaction.type === 'feeCollector') return []
  if (transaction.type === 'mint') return [transaction.to]
  if (transaction.type === 'transfer') return [transaction.from, transaction.to]
  return [transaction.from]
}

/** Ids of the blocks of an account, newest first. */
const filtered = (blocks: readonly Block[], account: Account): readonly number[] =>
  [...blocks.entries()]
    .filter(([, { transaction }]) =>
      partiesOf(transaction).some((party) => sameAccount(party, account)),
    )
    .map(([id]) => id)
    .reverse()

function comparePages(index: IndexState, account: Account, expected: readonly number[]): void {
  for (let size = 1; size <= expected.length + 1; size++) {
    const pages: number[] = []
    for (let before: bigint | undefined; ; before = BigInt(pages.at(-1) ?? 0)) {
      const { ids, oldest } = accountPage(index, account, { before, countMax: BigInt(size) })
      expect(oldest).toBe(expected.at(-1))
      expect(ids.length).toBe(Math.min(size, expected.length - pages.length))
      if (ids.length === 0) break
      pages.push(...ids)
    }
    expect(pages).toEqual(expected)
  }
}

/** From block 0 on, with questions of at most `countMax` blocks. */
function fromZero(token: CanistersUnderTest['token'], countMax: number): IndexState {
  const index = emptyIndex(64)
  while (syncBlocks(index, new CanisterSource(token), countMax) > 0);
  expect(index.stopped).toBeUndefined()
  return index
}

test('ledger §20.116: from zero or in step, an index knows the whole log, archives included', () => {
  let archived = 0n
  let spread = 0
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 20, maxLength: 50 }),
      fc.integer({ min: 1, max: 7 }),
      (operations, countMax) => {
        const { ledger, token } = run(operations)
        const { index } = token.state
        const length = Number(logLength(ledger.state))
        expect([index.synced, index.stopped]).toEqual([length, undefined])
        expect(fromZero(token, countMax)).toEqual(index)
        const blocks = Array.from({ length }, (_, id) =>
          present(blockAt(token.ledger.log, BigInt(id)), 'a block of the log'),
        )
        for (const account of accounts) {
          expect(balanceIn(index, account)).toBe(ledger.balance(account))
          comparePages(index, account, filtered(blocks, account))
        }
        expect(index.supply).toBe(ledger.supply())
        for (const owner of [...owners, collector]) compareSubaccounts(index, blocks, owner)
        archived += ledger.state.chain.firstLocalIndex
        spread = Math.max(spread, ledger.state.archiving.archives.length)
      },
    ),
    { numRuns: 30, seed: 2027 },
  )
  // Without archives the test would prove little.
  expect(archived).toBeGreaterThan(300n)
  expect(spread).toBeGreaterThan(3)
})

/** Of whom a block changes the balance, and the spender of an approval. */
function namedBy(blocks: readonly Block[], { transaction, ...block }: Block): readonly Account[] {
  if (transaction.type === 'approve') return [transaction.from, transaction.spender]
  const { feeCollector = blocks[Number(block.feeCollectorBlock ?? -1)]?.feeCollector } = block
  const collects = transaction.type === 'transfer' && feeCollector !== undefined
  return [...partiesOf(transaction), ...(collects ? [feeCollector] : [])]
}

function compareSubaccounts(index: IndexState, blocks: readonly Block[], owner: Principal): void {
  const named = blocks.flatMap((block) => namedBy(blocks, block))
  const expected = [ZEROS, sub(1)].filter((subaccount) =>
    named.some((account) => sameAccount(account, of(owner, subaccount))),
  )
  expect(subaccountsAfter(index.table, { owner, start: undefined }, 100)).toEqual(expected)
}

describe('a source that', () => {
  const block = (parentless: Partial<Block> = {}): Value =>
    valueOfBlock({
      timestamp: timestampNs(1n),
      transaction: { type: 'mint', to: of(alice), amount: tokens(5n) },
      ...parentless,
    })
  const numbered = (...ids: readonly number[]): readonly NumberedBlock[] =>
    ids.map((id) => ({ id: BigInt(id), block: block() }))
  const callback = { canisterId: ownCanisterIds.firstArchive, methodName: 'icrc3_get_blocks' }
  const archived = (start: number, length: number): GetBlocksResult['archivedBlocks'] => [
    { args: [{ start: BigInt(start), length: BigInt(length) }], callback },
  ]
  const answer = (changes: Partial<GetBlocksResult> = {}): GetBlocksResult => ({
    logLength: 6n,
    blocks: numbered(3, 4, 5),
    archivedBlocks: archived(0, 3),
    ...changes,
  })
  const source = (
    ledger: Partial<GetBlocksResult> | (() => GetBlocksResult | undefined),
    archive: (range: Range) => Partial<GetBlocksResult> | undefined = ({ start }) => ({
      blocks: numbered(...[0, 1, 2].slice(Number(start))),
    }),
  ): IndexSource => ({
    ledger: () => (typeof ledger === 'function' ? ledger() : answer(ledger)),
    archive: (_, [range = { start: 0n, length: 0n }]) => {
      const given = archive(range)
      return given && { logLength: 3n, blocks: [], archivedBlocks: [], ...given }
    },
  })
  const changedBlock = (change: (entries: readonly Entry[]) => readonly Entry[]): Value => {
    const value = block()
    if (value.type !== 'map') throw new RangeError('a block is a map')
    return { type: 'map', map: change(value.map) }
  }
  const one = (value: Value) => ({ blocks: [{ id: 3n, block: value }] })

  test('answers well is read to its end', () => {
    const index = emptyIndex(64)
    expect(syncBlocks(index, source({}), 100)).toBe(6)
    expect([index.synced, index.stopped]).toEqual([6, undefined])
  })

  test('gives an archive of one block an answer is read to its end', () => {
    const index = emptyIndex(64)
    const piecemeal = source({}, ({ start }) => ({ blocks: numbered(Number(start)) }))
    expect(syncBlocks(index, piecemeal, 100)).toBe(6)
  })

  test('has no answer for now is asked again', () => {
    const index = emptyIndex(64)
    expect(
      syncBlocks(
        index,
        source(() => undefined),
        100,
      ),
    ).toBe(0)
    expect(
      syncBlocks(
        index,
        source({}, () => undefined),
        100,
      ),
    ).toBe(0)
    expect(index.stopped).toBeUndefined()
    expect(syncBlocks(index, source({}), 100)).toBe(6)
  })

  const type = (name: string): Entry => ['btype', { type: 'text', text: name }]
  test.each<[string, number, string, IndexSource]>([
    [
      'ledger §20.117: gives a block a wrong number',
      0,
      'block 5 stands out of its order',
      source({ blocks: numbered(3, 5, 4) }),
    ],
    [
      'ledger §20.117: gives an archived block a wrong number',
      0,
      'block 1 in its place',
      source({}, () => ({ blocks: numbered(1, 2) })),
    ],
    [
      'ledger §20.117: sends the index from archive to archive',
      0,
      'an archive names another archive',
      source({}, () => ({ archivedBlocks: archived(0, 3) })),
    ],
    [
      'ledger §20.117: leaves a gap',
      0,
      'the ledger keeps it back',
      source({ archivedBlocks: archived(1, 2) }),
    ],
    [
      'leaves a gap behind an archive',
      3,
      'the ledger keeps it back',
      source({ blocks: numbered(4, 5) }),
    ],
    ['keeps all back', 0, 'the ledger keeps it back', source({ blocks: [], archivedBlocks: [] })],
    ['has an empty archive', 0, 'an archive keeps it back', source({}, () => ({ blocks: [] }))],
    [
      'gives more than was asked for',
      0,
      'block 100 was not asked for',
      source({
        ...{ logLength: 2n ** 64n, archivedBlocks: [] },
        blocks: numbered(...Array.from({ length: 101 }, (_, id) => id)),
      }),
    ],
    [
      'gives an endless archive',
      0,
      'block 3 was not asked for',
      source({}, () => ({ blocks: numbered(0, 1, 2, 3, 4) })),
    ],
    [
      'answers with no answer',
      0,
      'no Candid',
      source(() => {
        throw new BadEncoding('no Candid')
      }),
    ],
    [
      'has a block of an unknown type',
      3,
      'unknown type "122mint"',
      source(one(changedBlock((entries) => [...entries, type('122mint')]))),
    ],
    [
      'has a block that is none',
      3,
      'a block without "ts"',
      source(one(changedBlock((entries) => entries.filter(([key]) => key !== 'ts')))),
    ],
    [
      'has a block that says more than is known',
      3,
      'keys that are unknown here',
      source(one(changedBlock((entries) => [...entries, ['burn', { type: 'nat', nat: 7n }]]))),
    ],
    [
      'has a mint whose transaction costs a fee',
      3,
      'keys that are unknown here',
      source(
        one(
          changedBlock((entries) =>
            entries.map(
              ([key, value]): Entry =>
                key === 'tx' && value.type === 'map'
                  ? [key, { type: 'map', map: [...value.map, ['fee', { type: 'nat', nat: 1n }]] }]
                  : [key, value],
            ),
          ),
        ),
      ),
    ],
  ])('%s stops the index', (_name, synced, reason, wrong) => {
    const index = emptyIndex(64)
    for (let step = 0; step < 3; step++) syncBlocks(index, wrong, 100)
    expect([index.synced, index.stopped]).toEqual([synced, expect.stringContaining(reason)])
    expect(balanceIn(index, of(alice))).toBe(5n * BigInt(synced))
    expect(syncBlocks(index, source({}), 100)).toBe(0)
  })

  test('becomes shorter stops the index', () => {
    const index = emptyIndex(64)
    syncBlocks(index, source({}), 100)
    syncBlocks(index, source({ logLength: 5n, blocks: [], archivedBlocks: [] }), 100)
    expect(index).toMatchObject({ synced: 6, stopped: 'the log of the ledger ends at 5' })
  })

  test('gives what comes before the blocks that were asked for stops the index', () => {
    const index = emptyIndex(64)
    syncBlocks(index, source({}), 100)
    syncBlocks(index, source({ logLength: 8n, blocks: numbered(5, 6, 7) }), 100)
    expect(index).toMatchObject({ synced: 6, stopped: 'block 5 was not asked for' })
  })

  test('names types is read as one that does not', () => {
    const index = emptyIndex(64)
    const named = changedBlock((entries) => [...entries, type('1mint')])
    syncBlocks(index, source({ ...one(named), logLength: 4n }), 100)
    expect([index.synced, index.stopped]).toEqual([4, undefined])
  })

  test('quotes at length is quoted in short', () => {
    const index = emptyIndex(64)
    const long = changedBlock((entries) => [...entries, type('x'.repeat(100_000))])
    syncBlocks(index, source(one(long)), 100)
    expect(index.stopped?.length).toBe(200)
  })
})

test('a stopped index of a token says so, and answers as before', () => {
  const ledger = new LedgerUnderTest()
  const canisters = new CanistersUnderTest(ledger)
  ledger.fund(alice, 50_000n)
  canisters.endSlot()
  const { index } = canisters.token.state
  index.stopped = 'a block of the unknown type "122mint"'
  ledger.fund(carol, 5n)
  canisters.endSlot()
  expect(canisters.ask(['index', 'status'], [])).toEqual({ numBlocksSynced: 1n })
  expect(canisters.ask(['index', 'icrc1_balance_of'], [of(alice)])).toBe(50_000n)
  expect(canisters.ask(['index', 'icrc1_balance_of'], [of(carol)])).toBe(0n)
  expect(ledger.balance(carol)).toBe(5n)
})
