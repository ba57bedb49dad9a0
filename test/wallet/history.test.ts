/**
 * Goal: a history is complete, in order and bounded, whoever answers; what cannot be true is refused.
 * Method: cli §5.7, ledger §§10, 13; a log of 2,500 blocks in memory behind the ports of the wallet,
 * and indices that are late, absent, short of breath or liars.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../src/core/base/bytes.ts'
import { CanisterRefused, present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { timestampNs, tokens } from '../../src/core/base/units.ts'
import { sameAccount } from '../../src/core/ic/account.ts'
import { principal } from '../../src/core/ic/principal.ts'
import type { Block } from '../../src/core/ledger/blocks/block.ts'
import { blockOfValue, valueOfBlock } from '../../src/core/ledger/blocks/block-value.ts'
import { timedMovement } from '../../src/core/ledger/blocks/log-queries.ts'
import type { Value } from '../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../src/core/ledger/blocks/value.ts'
import type { HistoryFilter } from '../../src/wallet/history/filter.ts'
import type { HistoryClient } from '../../src/wallet/history.ts'
import { readHistory, walkHistory } from '../../src/wallet/history.ts'
import { ic } from '../../src/wallet/network.ts'

const me = { owner: principal(Uint8Array.of(1)) }
const friend = { owner: principal(Uint8Array.of(2)), subaccount: new Uint8Array(32).fill(7) }
const stranger = { owner: principal(Uint8Array.of(3)) }
const COUNT = 2_500
const timeOf = (index: number): TimestampNs => timestampNs(BigInt(index + 1) * 1_000_000n)

/** Every fifth block is about `me`; the amounts are the indices. */
const log = (): Value[] => {
  const values: Value[] = []
  for (let index = 0; index < COUNT; index++) {
    const last = values.at(-1)
    const parentHash = last && hashValue(last)
    const mine = index % 5 === 0
    const [from, to] =
      index % 2 === 0 ? [mine ? me : stranger, friend] : [friend, mine ? me : stranger]
    const amount = tokens(BigInt(index + 1))
    const transaction: Block['transaction'] =
      index < 5 ? { type: 'mint', to: me, amount } : { type: 'transfer', from, to, amount }
    values.push(
      valueOfBlock({ parentHash, timestamp: timeOf(index), transaction, fee: tokens(10n) }),
    )
  }
  return values
}
const honest = log()
const mineOf = (values: readonly Value[]): readonly bigint[] =>
  values.flatMap((value, index) => (isMine(value) ? [BigInt(index)] : [])).reverse()
const isMine = (value: Value): boolean => {
  const { transaction } = blockOfValue(value)
  const { from, to } = { from: undefined, to: undefined, ...transaction }
  return [from, to].some((party) => party !== undefined && sameAccount(party, me))
}
const all = mineOf(honest)

const movementIn = (value: Value | undefined) =>
  present(timedMovement(blockOfValue(present(value, 'a block'))), 'a movement')

const unasked = async (): Promise<never> => {
  throw new CanisterRefused('ledger', { methodName: 'none', reason: 'not installed' })
}

type Index = NonNullable<HistoryClient['index']>

/** An index that knows the first `synced` blocks and gives at most `pageMax` rows. */
const indexOf = (synced: number, pageMax = 2_000): Index => ({
  ledgerId: async () => ic.ids.ledger,
  synced: async () => BigInt(synced),
  page: async (_, { before = BigInt(synced), countMax }) => {
    const ids = all.filter((id) => id < before && id < BigInt(synced))
    const transactions = ids.slice(0, Math.min(countMax, pageMax)).map((id) => ({
      id,
      transaction: movementIn(honest[Number(id)]),
    }))
    return { transactions, oldest: all.filter((id) => id < BigInt(synced)).at(-1) }
  },
})

const client = (change: Partial<HistoryClient> = {}, values: readonly Value[] = honest) => {
  let held = 0
  const made: HistoryClient = {
    network: ic,
    clockFor: async () => timestampNs(0n),
    blocks: {
      length: async () => BigInt(values.length),
      values: async (start, end) => {
        const page = values.slice(Number(start), Number(end))
        held = Math.max(held, page.length)
        return page
      },
    },
    index: indexOf(values.length),
    ledger: { tipCertificate: async () => undefined },
    minter: { redemptionStatus: unasked },
    ...change,
  }
  return { made, held: () => held }
}

const everything: HistoryFilter = {
  types: undefined,
  since: undefined,
  until: undefined,
  before: undefined,
  counterparty: undefined,
  memo: undefined,
  search: undefined,
}
const wishing = (filter: Partial<HistoryFilter> = {}, certified = false) => {
  const warnings: string[] = []
  const wish = {
    account: me,
    filter: { ...everything, ...filter },
    referenceOf: () => undefined,
    certified,
    warn: ({ code }: { readonly code: string }) => void warnings.push(code),
  }
  return { wish, warnings }
}
const idsOf = async (from: HistoryClient, { wish }: ReturnType<typeof wishing>) => {
  const ids: bigint[] = []
  for await (const { entry } of walkHistory(from, wish)) ids.push(entry.blockIndex)
  return ids
}

describe('a history', () => {
  test.each<[string, Index | undefined, readonly string[]]>([
    ['an index', indexOf(COUNT), []],
    ['an index that gives little at once', indexOf(COUNT, 3), []],
    ['an index that is behind', indexOf(1_234), ['INDEX_BEHIND']],
    ['an index that has just begun', indexOf(0), ['INDEX_BEHIND']],
    ['an index that is ahead of a node', indexOf(COUNT + 7), []],
    ['no index', undefined, ['INDEX_NONE']],
    ['an index that is not there', { ...indexOf(COUNT), synced: unasked }, ['INDEX_NONE']],
  ])('is complete with %s', async (_, index, warned) => {
    const asked = wishing()
    const { made, held } = client({ index })
    expect(await idsOf(made, asked)).toEqual(all)
    expect(asked.warnings).toEqual(warned)
    expect(held()).toBeLessThanOrEqual(1_000)
  })

  test.each([1, 7, 25, 200])(
    'is the same in pages of %i, each beginning where one ended',
    async (limit) => {
      const found: bigint[] = []
      let before: bigint | undefined
      do {
        const page = await readHistory(client().made, wishing({ before }).wish, limit)
        expect(page.rows.length).toBeLessThanOrEqual(limit)
        found.push(...page.rows.map(({ entry }) => entry.blockIndex))
        before = page.nextCursor
        if (limit < 25 && found.length >= 50) break
      } while (before !== undefined)
      expect(found).toEqual(all.slice(0, found.length))
      if (limit >= 25) expect(found).toHaveLength(all.length)
    },
  )

  test('says that there is no more where a page ends with the last row', async () => {
    const { wish } = wishing({ before: 10n })
    const rows = all.filter((id) => id < 10n).length
    expect((await readHistory(client().made, wish, rows)).nextCursor).toBeUndefined()
    expect((await readHistory(client().made, wish, rows - 1)).nextCursor).toBe(1n)
  })

  test('is looked through for accounts, amounts, times and kinds', async () => {
    const ids = async (filter: Partial<HistoryFilter>) => idsOf(client().made, wishing(filter))
    expect(await ids({ counterparty: friend })).toEqual(all.filter((id) => id >= 5n))
    expect(await ids({ counterparty: stranger })).toEqual([])
    expect(await ids({ search: '0.00002001' })).toEqual([2000n])
    expect(await ids({ search: 'MINT' })).toEqual([4n, 3n, 2n, 1n, 0n])
    expect(await ids({ types: ['mint'], since: timeOf(3) })).toEqual([4n, 3n])
    expect(await ids({ since: timeOf(2_490), until: timeOf(2_490) })).toEqual([2490n])
    expect(await ids({ memo: Uint8Array.of(1) })).toEqual([])
  })
})

const page = (ids: readonly bigint[], oldest: bigint | undefined): Index => {
  const transaction = movementIn(honest[0])
  const answer = { transactions: ids.map((id) => ({ id, transaction })), oldest }
  return { ...indexOf(COUNT), page: async () => answer }
}

describe('an answer that cannot be true ends it:', () => {
  test.each<[string, Index]>([
    ['an index that repeats a page', page([9n, 8n], 0n)],
    ['an index that repeats a row', page([9n, 9n], 9n)],
    ['an index that goes backward', page([8n, 9n], 8n)],
    ['an index with rows that no block has', page([BigInt(COUNT)], 0n)],
    ['an index that keeps rows back', page([], 3n)],
    ['an index with rows and no oldest one', page([9n, 8n], undefined)],
    ['an index with rows below its oldest one', page([9n, 8n], 9n)],
    ['the index of another ledger', { ...indexOf(COUNT), ledgerId: async () => ic.ids.minter }],
  ])('%s', async (_, index) => {
    await expect(idsOf(client({ index }).made, wishing())).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
    })
  })

  test('a ledger that keeps blocks back', async () => {
    const { made } = client({ index: undefined })
    const blocks = {
      ...made.blocks,
      values: async (start: bigint, end: bigint) =>
        end > 1_500n ? made.blocks.values(start, end) : made.blocks.values(start, end - 1n),
    }
    await expect(idsOf({ ...made, blocks }, wishing())).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
    })
  })

  test('a block that is none', async () => {
    const broken = honest.with(2_000, {
      type: 'map',
      map: [['tx', { type: 'map', map: [['op', { type: 'text', text: 'xfer' }]] }]],
    })
    const { made } = client({ index: undefined }, broken)
    await expect(idsOf(made, wishing())).rejects.toMatchObject({ code: 'NETWORK_BAD_CERTIFICATE' })
  })
})

describe('a block of a kind that is not known', () => {
  const text = (value: string): Value => ({ type: 'text', text: value })
  const owner: Value = { type: 'array', array: [{ type: 'blob', blob: me.owner }] }
  const foreign = (fields: readonly (readonly [string, Value])[]): Value => ({
    type: 'map',
    map: fields,
  })
  const collector = foreign([
    ['btype', text('107feecol')],
    ['ts', { type: 'nat', nat: timeOf(9) }],
    ['tx', { type: 'map', map: [['fee_collector', owner]] }],
  ])
  const odd = foreign([
    ['btype', text('x'.repeat(500))],
    ['about', { type: 'array', array: [owner] }],
  ])
  const others = foreign([['btype', text('107feecol')]])

  test('is a row of its own where it names the account, and breaks nothing', async () => {
    const values = [...honest.slice(0, 6), collector, others, odd]
    const { made } = client({ index: undefined }, values)
    const { wish } = wishing()
    const { rows } = await readHistory(made, wish, 100)
    expect(rows.map(({ entry }) => [entry.blockIndex, entry.type, entry.blockType])).toEqual([
      [8n, 'other', 'x'.repeat(40)],
      [6n, 'other', '107feecol'],
      ...[5n, 4n, 3n, 2n, 1n, 0n].map((id) => [id, id === 5n ? 'transfer' : 'mint', undefined]),
    ])
    expect(rows[1]?.entry.time).toBe(timeOf(9))
    expect(rows[0]?.entry.time).toBeUndefined()
    const since = wishing({ since: timeOf(5) })
    expect(await idsOf(made, since)).toEqual([8n, 6n, 5n])
  })
})

test('the log of these tests is a chain', () => {
  for (const [index, value] of honest.slice(1).entries())
    expect(
      equalBytes(
        hashValue(present(honest[index], 'a block')),
        present(blockOfValue(value).parentHash, 'a hash'),
      ),
    ).toBe(true)
})
