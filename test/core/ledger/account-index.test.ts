/**
 * Goal: whoever asks the index learns what the log says, whether blocks are in archives or not.
 * Method: ledger §13, checklist §20.110 to 116; asked in Candid. The interface against the
 * published one.
 */
import { describe, expect, test } from 'vitest'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { emptyIndex } from '../../../src/core/ledger/index/account-index.ts'
import { indexExtension, indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import type { LegacyValue } from '../../../src/core/ledger/interface/legacy-interface.ts'
import { TokenCanisters } from '../../../src/core/subnet/token-canisters.ts'
import { describeInterface } from '../../support/interface-tests.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  carol,
  collector,
  FEE,
  LedgerUnderTest,
  MAX,
  minter,
  of,
  START,
  spender,
  sub,
  testConfig,
  ZEROS,
} from './ledger-under-test.ts'

// The SDK lets a subaccount of any length through where ours refuses the message (§2.1).
const { list_subaccounts: _, ...published } = indexInterface
await describeInterface('the index interface', published, 'ledger-icrc/icrc_index.idl.js')

/** Archives of three blocks each, filled from the fourth local block on. */
const archiveOptions = {
  ...testConfig().archiveOptions,
  triggerThreshold: 4n,
  numBlocksToArchive: 3n,
  nodeMaxMemorySizeBytes: 700n,
}

/** 13 blocks of every kind, in slots of one call each. */
function world(changes: Parameters<typeof testConfig>[0] = {}) {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector), ...changes })
  const canisters = new CanistersUnderTest(ledger)
  const slot = (call: () => unknown): void => {
    call()
    canisters.endSlot()
  }
  slot(() => ledger.fund(alice, 10_000_000n))
  slot(() => ledger.approve(alice, of(spender, sub(2)), 900_000n))
  for (let i = 1; i <= 3; i++) {
    slot(() => ledger.transfer(alice, of(bob, sub(i)), 100_000n))
    slot(() => ledger.transferFrom(spender, [alice, carol], 7n, { spenderSubaccount: sub(2) }))
    slot(() => ledger.transfer(bob, minter, 20_000n, { fromSubaccount: sub(i) }))
  }
  slot(() => ledger.upgrade({ feeCollector: { type: 'unset' } }))
  slot(() => ledger.transfer(alice, bob, 5n))
  slot(() => ledger.upgrade({ feeCollector: { type: 'setTo', account: of(collector, ZEROS) } }))
  slot(() => ledger.transfer(alice, alice, 5n))
  return { ledger, canisters }
}

describe.each([
  ['in the ledger', {}],
  ['in archives', { archiveOptions }],
])('an index of a log %s', (_place, changes) => {
  const { ledger, canisters } = world(changes)
  const pageOf = (account = of(alice), maxResults = 100n, start?: bigint) => {
    const args = { account, maxResults, start }
    const answer = canisters.ask(['index', 'get_account_transactions'], [args])
    if (answer.type !== 'ok') throw new RangeError(answer.message)
    return answer.page
  }

  test('ledger §20.110: has every balance of the ledger and all its blocks', () => {
    for (const owner of [alice, bob, carol, spender, collector, minter])
      for (const subaccount of [undefined, ...[1, 2, 3].map(sub)]) {
        const account = of(owner, subaccount)
        const balance = ledger.balance(account)
        expect(canisters.ask(['index', 'icrc1_balance_of'], [account])).toBe(balance)
        expect(pageOf(account).balance).toBe(balance)
      }
    const { numBlocksSynced } = canisters.ask(['index', 'status'], [])
    expect(numBlocksSynced).toBe(13n)
  })

  test('ledger §20.111: pages of two meet, the oldest block is always named', () => {
    const seen: bigint[] = []
    for (let start: bigint | undefined; ; start = seen.at(-1)) {
      const { transactions, oldestTxId } = pageOf(of(alice), 2n, start)
      expect(oldestTxId).toBe(0n)
      if (transactions.length === 0) break
      seen.push(...transactions.map(({ id }) => id))
    }
    expect(seen).toEqual([12n, 11n, 9n, 8n, 6n, 5n, 3n, 2n, 1n, 0n])
  })

  test('shows a transaction as §9.3 has it', () => {
    const { transactions } = pageOf(of(carol), 1n)
    expect(transactions).toEqual([
      {
        id: 9n,
        transaction: {
          kind: 'transfer',
          timestamp: ledger.now,
          transfer: {
            ...{ from: { owner: alice }, to: { owner: carol }, amount: 7n, fee: FEE },
            spender: { owner: spender, subaccount: sub(2) },
          },
        },
      },
    ])
  })

  test('ledger §20.112: no results are none, too many to ask for are no trap', () => {
    expect(pageOf(of(alice), 0n)).toMatchObject({ transactions: [], oldestTxId: 0n })
    expect(pageOf(of(alice), MAX).transactions).toHaveLength(10)
    expect(pageOf(of(minter), 5n)).toEqual({ balance: 0n, transactions: [] })
  })

  test('ledger §20.113: an approval is listed for its owner, and gives its spender a subaccount', () => {
    expect(pageOf(of(alice)).transactions.at(-2)?.transaction.kind).toBe('approve')
    expect(pageOf(of(spender, sub(2)))).toEqual({ balance: 0n, transactions: [] })
    const listed = canisters.ask(['index', 'list_subaccounts'], [{ owner: spender }])
    expect(listed).toEqual([sub(2)])
  })

  test('ledger §20.114: subaccounts are listed in order, strictly after a start', () => {
    const list = (start?: Uint8Array) =>
      canisters.ask(['index', 'list_subaccounts'], [{ owner: bob, start }])
    expect(list()).toEqual([ZEROS, sub(1), sub(2), sub(3)])
    expect(list(sub(1))).toEqual([sub(2), sub(3)])
    expect(list(sub(3))).toEqual([])
    expect(canisters.ask(['index', 'list_subaccounts'], [{ owner: minter }])).toEqual([])
  })

  test('ledger §20.115: a collector has its fees and ranges, and no block of its own', () => {
    expect(pageOf(of(collector))).toEqual({ balance: 7n * FEE, transactions: [] })
    const { ranges } = canisters.ask(['index', 'get_fee_collectors_ranges'], [])
    expect(ranges).toEqual([
      [
        { owner: collector },
        [
          [0n, 11n],
          [12n, 13n],
        ],
      ],
    ])
  })

  test('get_blocks gives the blocks of the log in the older form', () => {
    const all = { start: 0n, length: MAX }
    const { chainLength, blocks } = canisters.ask(['index', 'get_blocks'], [all])
    expect([chainLength, blocks.length]).toEqual([13n, 13])
    const op = (value: LegacyValue | undefined): unknown =>
      value?.type === 'map' && new Map(value.map).get('tx')
    expect(op(blocks[1])).toMatchObject({ type: 'map' })
    const part = canisters.ask(['index', 'get_blocks'], [{ start: 9n, length: 2n }])
    expect(part).toEqual({ chainLength, blocks: blocks.slice(9, 11) })
    for (const range of [
      { start: 13n, length: 1n },
      { start: MAX, length: MAX },
      { start: 2n, length: 0n },
    ])
      expect(canisters.ask(['index', 'get_blocks'], [range]).blocks).toEqual([])
  })

  test('says which ledger it follows, and that nothing has stopped it', () => {
    const { ledger: id } = canisters.token
    expect(canisters.ask(['index', 'ledger_id'], [])).toEqual(id.id)
    expect(canisters.call('index', 'x_sync_status', encodeArgs([], []))).toEqual({
      type: 'replied',
      arg: encodeArgs(
        [indexExtension.x_sync_status.result],
        [{ numBlocksSynced: 13n, logLength: 13n, stopped: undefined }],
      ),
    })
  })
})

test('the log of the second world is in archives', () => {
  const { ledger } = world({ archiveOptions })
  expect(ledger.state.archiving.archives.length).toBeGreaterThan(2)
  expect(ledger.state.chain.firstLocalIndex).toBeGreaterThan(8n)
})

describe('an index traps', () => {
  const { canisters } = world()
  const account = of(alice)
  test.each([
    ['a start of 65 bits', { account, maxResults: 1n, start: MAX + 1n }],
    ['a number of results of 65 bits', { account, maxResults: MAX + 1n }],
  ])('at %s', (_name, args) => {
    expect(canisters.tell(['index', 'get_account_transactions'], [args])).toMatchObject({
      errorCode: 'IC0503',
    })
  })

  test.each([
    ['start', { start: MAX + 1n, length: 1n }],
    ['length', { start: 0n, length: MAX + 1n }],
  ])('at blocks with a %s of 65 bits', (_name, range) => {
    expect(canisters.tell(['index', 'get_blocks'], [range])).toMatchObject({ errorCode: 'IC0503' })
  })

  test.each([0, 31, 33])('at subaccounts after one of %i bytes', (size) => {
    const { list_subaccounts: method } = indexInterface
    const [codec] = method.args
    // As many bytes as an honest argument announces in front of its last 32.
    const honest = encodeArgs([codec], [{ owner: alice, start: sub(1) }])
    const arg = honest.slice(0, honest.length - 32 + Math.min(size, 32))
    const changed = Uint8Array.from([...arg, ...(size > 32 ? [0] : [])])
    changed[honest.length - 33] = size
    const reply = canisters.call('index', 'list_subaccounts', changed)
    expect(reply).toMatchObject({ errorCode: 'IC0503' })
    expect(canisters.call('index', 'list_subaccounts', honest).type).toBe('replied')
  })
})

test('blocks with long memos are read to their end, a few in each answer', () => {
  const ledger = new LedgerUnderTest({ memoLengthMax: 65_535 })
  const canisters = new CanistersUnderTest(ledger)
  ledger.fund(alice, 100_000_000n)
  for (let i = 0; i < 70; i++)
    ledger.quietly(alice, {
      type: 'icrc1_transfer',
      arg: { to: of(bob), amount: 1n, memo: new Uint8Array(50_000).fill(i) },
    })
  canisters.endSlot()
  const all = { start: 1n, length: MAX }
  expect(canisters.ask(['index', 'get_blocks'], [all]).blocks.length).toBe(20)
  const seen: bigint[] = []
  for (let start: bigint | undefined; start === undefined || start > 1n; start = seen.at(-1)) {
    const args = { account: of(bob), start, maxResults: 2_000n }
    const answer = canisters.ask(['index', 'get_account_transactions'], [args])
    if (answer.type !== 'ok') throw new RangeError(answer.message)
    const { transactions } = answer.page
    expect(transactions.length).toBe(Math.min(20, 70 - seen.length))
    seen.push(...transactions.map(({ id }) => id))
  }
  expect(seen).toEqual(Array.from({ length: 70 }, (_, i) => BigInt(70 - i)))
})

test('an index that begins beside archives takes their blocks, and then those of the ledger', () => {
  const { canisters } = world({ archiveOptions })
  const { state } = canisters.token
  const index = emptyIndex(64)
  const token = new TokenCanisters(ckbtcTokenIds(ownCanisterIds), { ...state, index })
  expect(state.ledger.chain.firstLocalIndex).toBeGreaterThan(0n)
  for (let i = 0; i < 3; i++) token.endSlot(START)
  expect(index).toEqual(state.index)
})
