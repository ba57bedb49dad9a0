/** The chain and how it is read: checklist 81 to 83, 91 to 97 of the ledger specification §20. */
import { describe, expect, test } from 'vitest'
import { equalBytes, hash32, toHex } from '../../../src/core/base/bytes.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import type { Block } from '../../../src/core/ledger/blocks/block.ts'
import { hashBlock, hashTransaction } from '../../../src/core/ledger/blocks/block-hash.ts'
import type { Range } from '../../../src/core/ledger/blocks/log-queries.ts'
import {
  getBlocks,
  getLegacyBlocks,
  getTransactions,
} from '../../../src/core/ledger/blocks/log-queries.ts'
import { hashValue } from '../../../src/core/ledger/blocks/value.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { tip } from '../../../src/core/ledger/queries.ts'
import { replay } from '../../../src/core/ledger/replay.ts'
import {
  alice,
  bob,
  collector,
  FEE,
  LedgerUnderTest,
  MAX,
  minter,
  of,
  START,
  spender,
  trap,
} from './ledger-under-test.ts'

/** Eleven blocks of every kind, with a collector from the start. */
function busy(limits = DEFAULT_LIMITS): LedgerUnderTest {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector), limits })
  ledger.fund(alice, 10_000_000n)
  ledger.approve(alice, spender, 900_000n, { expiresAt: timestampNs(MAX), createdAtTime: START })
  for (let i = 0n; i < 3n; i++) {
    ledger.pass(1n)
    ledger.transfer(alice, bob, 1_000n + i, { fee: FEE, memo: Uint8Array.of(Number(i)) })
    ledger.transferFrom(spender, [alice, bob], 7n + i)
    ledger.transfer(alice, minter, FEE + i, { createdAtTime: ledger.now })
  }
  return ledger
}

describe('the chain', () => {
  test('ledger §20.81: every block names the hash of the block before, the first names none', () => {
    const { chain } = busy().state
    const hashes = chain.blocks.map((block) => hashBlock(block, hashTransaction(block.transaction)))
    expect(chain.blocks.map(({ parentHash }) => parentHash)).toEqual([
      undefined,
      ...hashes.slice(0, -1),
    ])
    expect(chain.tipHash).toEqual(hashes.at(-1))
  })

  test('ledger §20.83: both forms of a block have the hash that its successor names', () => {
    const { state } = busy()
    const all = { start: 0n, length: 100n }
    const blocks = getBlocks(state, [all])
    const legacy = getLegacyBlocks(state, all)
    if (blocks.type === 'trap' || legacy.type === 'trap') throw new Error('no trap expected')
    expect(legacy.blocks).toEqual(blocks.blocks.map(({ block }) => block))
    const hashes = legacy.blocks.map(hashValue)
    const parents = [...state.chain.blocks.slice(1).map((b) => b.parentHash), tip(state)?.hash]
    expect(hashes).toEqual(parents)
  })
})

describe('a replay', () => {
  const { state } = busy()
  const { blocks } = state.chain

  test('gives balances, supply, allowances, window and tip again', () => {
    const again = replay(state.config, blocks)
    if (again.type === 'broken') throw new Error(again.reason)
    expect(again.state.balances).toEqual(state.balances)
    expect([...again.state.allowances.entries]).toEqual([...state.allowances.entries])
    expect(again.state.deduplication).toEqual(state.deduplication)
    expect(again.state.chain).toEqual(state.chain)
  })

  test('survives an approval without a fee: it cost what the block before did', () => {
    const ledger = new LedgerUnderTest()
    ledger.fund(alice, 500_000n)
    ledger.transfer(alice, bob, 5n)
    ledger.approve(alice, spender, 5n)
    const [mint, transfer, approval] = ledger.state.chain.blocks
    if (!mint || !transfer || !approval) throw new Error('three blocks expected')
    const config = { ...ledger.state.config, transferFee: 1n }
    const again = replay(config, [mint, transfer, { ...approval, fee: undefined }])
    expect(again).toMatchObject({ state: { balances: ledger.state.balances } })
  })

  const zeros = hash32(new Uint8Array(32))
  const corruptions: readonly (readonly [string, number, (block: Block) => Block, string])[] = [
    ['a parent that is none', 1, (b) => ({ ...b, parentHash: zeros }), 'parent'],
    ['no parent', 5, (b) => ({ ...b, parentHash: undefined }), 'parent'],
    ['a parent of the first block', 0, (b) => ({ ...b, parentHash: zeros }), 'parent'],
    ['a time before the last', 2, (b) => ({ ...b, timestamp: timestampNs(START - 1n) }), 'older'],
    ['two collectors', 3, (b) => ({ ...b, feeCollector: of(bob) }), 'points to another'],
    ['a collector from nowhere', 3, (b) => ({ ...b, feeCollectorBlock: 9n }), 'names no'],
    ['more than the balance', 2, (b) => amounts(b, 10_000_000n), 'balance'],
    ['more than the allowance', 3, (b) => amounts(b, 900_000n), 'allowance'],
    ['a supply beyond the largest', 0, (b) => amounts(b, MAX + 1n), 'more than there can be'],
    ['a fee beyond the balance', 1, (b) => ({ ...b, fee: tokens(10_000_001n) }), 'balance'],
  ]
  const amounts = (block: Block, amount: bigint): Block => ({
    ...block,
    transaction: { ...block.transaction, amount: tokens(amount) } as Block['transaction'],
  })

  test.each(corruptions)('refuses %s', (_name, index, corrupt, reason) => {
    const damaged = blocks.map((block, place) => (place === index ? corrupt(block) : block))
    expect(replay(state.config, damaged)).toEqual({
      type: 'broken',
      blockIndex: BigInt(index),
      reason: expect.stringContaining(reason),
    })
  })

  test('notices any change of a block by its successor', () => {
    for (const [place, block] of blocks.slice(0, -1).entries()) {
      const memo = Uint8Array.of(99)
      const changed = { ...block, transaction: { ...block.transaction, memo } }
      const damaged = blocks.map((other, index) => (index === place ? changed : other))
      expect(replay(state.config, damaged)).toMatchObject({
        type: 'broken',
        blockIndex: BigInt(place + 1),
      })
    }
  })
})

describe('the invariants', () => {
  type Damage = (ledger: LedgerUnderTest) => void
  const damages: readonly (readonly [string, Damage, string])[] = [
    ['tokens from nowhere', (l) => l.state.balances.amounts.set('x', tokens(1n)), 'I1'],
    [
      'a pool that is too large',
      (l) => {
        l.state.balances.pool = tokens(MAX)
      },
      'I1',
    ],
    ['a stored zero', (l) => l.state.balances.amounts.set('x', tokens(0n)), 'I2'],
    ['a hash without its entry', (l) => l.state.deduplication.slots.fill(0), 'I4'],
    ['another index of an entry', (l) => l.state.deduplication.indices.fill(77n), 'I8: the ded'],
    ['an order without its allowances', (l) => l.state.allowances.order.pop(), 'in the order'],
    [
      'a forgotten queue member',
      (l) => {
        l.state.allowances.expiry.length = 0
      },
      'I5',
    ],
    [
      'a forgotten allowance',
      (l) => {
        l.state.allowances.entries.clear()
        l.state.allowances.order.length = 0
        l.state.allowances.expiry.length = 0
      },
      'I8: allowances',
    ],
    ['a lost block', (l) => l.state.chain.blocks.pop(), 'I8: balances'],
    ['a block in the wrong place', (l) => l.state.chain.blocks.reverse(), 'I3'],
    [
      'another tip',
      (l) => {
        l.state.chain.tipHash = hash32(new Uint8Array(32))
      },
      'I3',
    ],
  ]
  test.each(damages)('notice %s', (_name, damage, invariant) => {
    const ledger = busy()
    damage(ledger)
    expect(violations(ledger.state)).toContainEqual(expect.stringContaining(invariant))
  })

  test('notice tokens of the minting account', () => {
    const ledger = busy()
    const { amounts } = ledger.state.balances
    const [key] = amounts.keys()
    if (key === undefined) throw new Error('a balance expected')
    const minting = { ...ledger.state.config, mintingAccount: of(alice) }
    expect(violations({ ...ledger.state, config: minting })).toContainEqual(
      expect.stringContaining('I2'),
    )
  })
})

describe('reading the log', () => {
  const ledger = busy({ ...DEFAULT_LIMITS, blocksPerResponseMax: 8, transactionsPerRequestMax: 6 })
  const ids = (...ranges: readonly (readonly [bigint, bigint])[]): readonly bigint[] => {
    const answer = getBlocks(ledger.state, ranges.map(range))
    if (answer.type === 'trap') throw new Error(answer.message)
    expect(answer.logLength).toBe(11n)
    return answer.blocks.map(({ id }) => id)
  }
  const range = ([start, length]: readonly [bigint, bigint]): Range => ({ start, length })

  test('ledger §20.91: ranges are served as asked, also twice', () => {
    expect(ids([2n, 3n], [1n, 2n], [4n, 1n], [2n, 1n])).toEqual([2n, 3n, 4n, 1n, 2n, 4n, 2n])
    expect(ids([9n, 5n])).toEqual([9n, 10n])
  })

  test('ledger §20.92: what is beyond the end, or nothing, gives nothing', () => {
    expect(ids([11n, 1n], [99n, 5n], [0n, 0n], [MAX, MAX])).toEqual([])
    expect(ids()).toEqual([])
  })

  test('ledger §20.93: one answer holds no more than its limit', () => {
    expect(ids([0n, MAX]).length).toBe(8)
    expect(ids([0n, 7n], [0n, 5n])).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 0n])
    expect(ids([0n, 8n], [0n, 1n]).length).toBe(8)
  })

  test('ledger §20.94: numbers of 65 bits trap', () => {
    for (const big of [
      [MAX + 1n, 1n],
      [0n, MAX + 1n],
    ] as const) {
      expect(getBlocks(ledger.state, [range(big)])).toEqual(trap('too large'))
      expect(getLegacyBlocks(ledger.state, range(big))).toEqual(trap('too large'))
      expect(getTransactions(ledger.state, range(big))).toEqual(trap('too large'))
    }
  })

  test('ranges behind a full answer are not looked at', () => {
    expect(ids([0n, 8n], [MAX + 1n, 1n]).length).toBe(8)
  })

  const legacy = (start: bigint, length: bigint): readonly [bigint, number] => {
    const blocks = getLegacyBlocks(ledger.state, { start, length })
    const transactions = getTransactions(ledger.state, { start, length })
    if (blocks.type === 'trap' || transactions.type === 'trap') throw new Error('no trap expected')
    expect([blocks.chainLength, transactions.logLength]).toEqual([11n, 11n])
    expect(transactions.firstIndex).toBe(blocks.firstIndex)
    expect(transactions.transactions.length).toBe(blocks.blocks.length)
    return [blocks.firstIndex, blocks.blocks.length]
  }

  test('ledger §20.97: the older methods cut a range at its end', () => {
    expect(legacy(2n, 3n)).toEqual([2n, 3])
    expect(legacy(2n, MAX)).toEqual([2n, 6])
    expect(legacy(9n, 6n)).toEqual([9n, 2])
  })

  test('ledger §20.96: beyond the end the older methods name the first local block', () => {
    expect(legacy(11n, 5n)).toEqual([11n, 0])
    expect(legacy(12n, 5n)).toEqual([0n, 0])
    expect(legacy(MAX, MAX)).toEqual([0n, 0])
  })

  test('a flattened transaction shows the fee that was paid, whoever named it', () => {
    const answer = getTransactions(ledger.state, { start: 0n, length: 5n })
    if (answer.type === 'trap') throw new Error(answer.message)
    expect(answer.transactions.map(({ type, fee }) => [type, fee])).toEqual([
      ['mint', undefined],
      ['approve', FEE],
      ['transfer', FEE],
      ['transfer', FEE],
      ['burn', undefined],
    ])
    expect(answer.transactions[1]).toMatchObject({ timestamp: START, createdAtTime: START })
  })

  test('blocks that left for an archive are no longer served, and indices go on', () => {
    const archived = busy()
    const { chain } = archived.state
    chain.blocks.splice(0, 5)
    chain.firstLocalIndex = 5n
    archived.quietly(minter, { type: 'icrc1_transfer', arg: { to: of(bob), amount: 1n } })
    const answer = getBlocks(archived.state, [{ start: 3n, length: 4n }])
    expect(answer).toMatchObject({ logLength: 12n, blocks: [{ id: 5n }, { id: 6n }] })
    expect(getLegacyBlocks(archived.state, { start: 0n, length: 2n })).toMatchObject({
      firstIndex: 5n,
      blocks: [],
    })
    expect(tip(archived.state)?.index).toBe(11n)
  })
})

test('the hash of the tip is the hash of the last block as a value', () => {
  const { state } = busy()
  const answer = getBlocks(state, [{ start: 10n, length: 1n }])
  const last = answer.type === 'blocks' ? answer.blocks[0] : undefined
  const newest = tip(state)
  if (last === undefined || newest === undefined) throw new Error('a block expected')
  expect(newest.index).toBe(last.id)
  expect(equalBytes(newest.hash, hashValue(last.block)), toHex(newest.hash)).toBe(true)
})
