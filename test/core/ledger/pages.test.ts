/**
 * Goal: monitoring that reads the deployed ledger and index reads ours. Method: ledger §2.1; the
 * pages as a gateway asks for them, in Candid, each number after a history that sets it apart.
 */
import { describe, expect, test } from 'vitest'
import { fromUtf8 } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { decodeArgs, encodeArgs } from '../../../src/core/ic/candid.ts'
import { httpInterface } from '../../../src/core/ic/http-request.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  FEE,
  LedgerUnderTest,
  MAX,
  minter,
  START,
  spender,
  testConfig,
} from './ledger-under-test.ts'

const ledger = new LedgerUnderTest()
ledger.fund(alice, 10_000_000n)
ledger.approve(alice, spender, 900_000n, { createdAtTime: START })
ledger.approve(alice, bob, 900_000n)
ledger.transfer(alice, bob, 5n, { createdAtTime: START })
ledger.pass(90n * NS_PER_SECOND)
ledger.transfer(alice, minter, 20_000n, { createdAtTime: START })
const canisters = new CanistersUnderTest(ledger)
const supply = 10_000_000n - 3n * FEE - 20_000n

function get(
  name: 'ledger' | 'index',
  url: string,
  {
    method = 'GET',
    kind = 'query',
    of = canisters,
  }: { method?: string; kind?: 'query' | 'update'; of?: CanistersUnderTest } = {},
) {
  const { args, result } = httpInterface.http_request
  const arg = encodeArgs(args, [{ method, url, headers: [], body: new Uint8Array() }])
  const reply = of.call(name, 'http_request', arg, { kind })
  if (reply.type !== 'replied') throw new RangeError(reply.message)
  const [{ statusCode, headers, body }] = decodeArgs([result], reply.arg)
  return { status: statusCode, headers: new Map(headers), text: fromUtf8(body) }
}

/** Samples by name, without their time. */
const samplesOf = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(' ').slice(0, 2)),
  )

describe('/metrics', () => {
  test('of the ledger has the deployed names, without cycles and memory', () => {
    const { status, headers, text } = get('ledger', '/metrics')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(samplesOf(text)).toEqual({
      ledger_transactions_by_hash_cache_entries: '3',
      ledger_transactions_by_height_entries: '3',
      ledger_transactions: '5',
      ledger_archived_transactions: '0',
      ledger_total_transactions: '5',
      ledger_balances_token_pool: `${MAX - supply}`,
      ledger_total_supply: `${supply}`,
      ledger_balance_store_entries: '2',
      ledger_most_recent_block_time_seconds: `${START / NS_PER_SECOND + 90n}`,
      ledger_num_archives: '0',
      ledger_num_approvals: '2',
    })
    expect(text).toContain(`# TYPE ledger_total_supply gauge\nledger_total_supply ${supply} `)
    expect(text).toMatch(new RegExp(`ledger_transactions 5 ${ledger.now / 1_000_000n}\n`))
  })

  test('of the index counts the blocks that it has read', () => {
    const samples = samplesOf(get('index', '/metrics').text)
    expect(samples).toEqual({ index_number_of_blocks: '5', index_stopped: '0' })
  })

  test('answers a call as it answers a query', () => {
    for (const name of ['ledger', 'index'] as const)
      expect(get(name, '/metrics', { kind: 'update' })).toEqual(get(name, '/metrics'))
  })
})

test('/metrics of a ledger that keeps no block itself says where they are, and the time', () => {
  const archiving = new LedgerUnderTest({
    archiveOptions: {
      ...testConfig().archiveOptions,
      triggerThreshold: 2n,
      numBlocksToArchive: 9n,
    },
  })
  archiving.fund(alice, 10_000_000n)
  archiving.fund(bob, 10_000_000n)
  const token = new CanistersUnderTest(archiving)
  token.endSlot()
  expect(samplesOf(get('ledger', '/metrics', { of: token }).text)).toMatchObject({
    ledger_transactions: '0',
    ledger_archived_transactions: '2',
    ledger_total_transactions: '2',
    ledger_num_archives: '1',
    ledger_most_recent_block_time_seconds: `${START / NS_PER_SECOND}`,
  })
})

test('/logs is empty', () => {
  for (const name of ['ledger', 'index'] as const)
    expect(get(name, '/logs')).toMatchObject({ status: 200, text: '' })
})

test.each([
  ['ledger', '/dashboard', 'GET', 404],
  ['ledger', '/__proto__', 'GET', 404],
  ['index', '/dashboard', 'GET', 404],
  ['ledger', '/metrics', 'POST', 405],
  ['index', '/metrics', 'POST', 405],
  ['ledger', '/metrics?a=%', 'GET', 400],
] as const)('%s answers %s by %s with %i', (name, url, method, status) => {
  expect(get(name, url, { method }).status).toBe(status)
})
