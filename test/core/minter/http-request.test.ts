/** The minter's pages: what they say, and that nothing in them gets out. Source: minter §§20.2–20.4. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromUtf8 } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import { eventOfJson } from '../../../src/core/minter/events/event-json.ts'
import { appendEvent, eventAt } from '../../../src/core/minter/events/event-log.ts'
import { httpRequest } from '../../../src/core/minter/interface/http-request.ts'
import { note } from '../../../src/core/minter/observed.ts'
import { html } from '../../../src/core/minter/pages/html.ts'
import { lines, timeText } from '../../../src/core/minter/pages/texts.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const SECOND = NS_PER_SECOND

function get(world: TestMinter, url: string, method = 'GET') {
  const request = { method, url, headers: [], body: new Uint8Array() }
  const { statusCode, headers, body } = httpRequest(world.minter, world.world, request)
  return { status: statusCode, headers: new Map(headers), text: fromUtf8(body) }
}

/** Something in every table that needs no stuck transaction. */
function busy(): TestMinter {
  const world = new TestMinter()
  for (const value of [1n, 2n, 3n]) world.deposit(alice, value * 1_000_000n)
  world.withdraw(alice, ADDRESS, 500_000n)
  world.wait(11n * SECOND)
  world.sign()
  world.withdraw(alice, ADDRESS, 600_000n)
  world.pay({ owner: user(2) }, 200n)
  world.call('update_balance', user(2), {})
  return world
}

/** More coins than one page shows. */
const rich = new TestMinter()
for (let i = 0; i < 110; i++) rich.deposit({ owner: user(i % 7) }, 1_000_000n + BigInt(i))

describe('paths', () => {
  const world = new TestMinter()

  it.each([
    '/metrics',
    '/dashboard',
    '/logs',
    '/healthz',
    '/reserves',
    '/events',
    '/dashboard?canisterId=x&what=ever',
    '/%64ashboard#part',
  ])('%s is there, inert, and never kept', (url) => {
    const { status, headers } = get(world, url)
    expect(status).toBe(200)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  it.each([
    '',
    '/',
    '/metrics/',
    '//metrics',
    '/Metrics',
    '/metrics%00',
    '/__proto__',
    '/constructor',
    '/../metrics',
    'http://example.com/metrics',
    '/metric',
  ])('minter §23.113: nothing is under "%s"', (url) => {
    expect(get(world, url).status).toBe(404)
  })

  it.each([
    ['/dashboard?account_to_utxos_start=', 'no digits'],
    ['/dashboard?account_to_utxos_start=-1', 'a sign'],
    ['/dashboard?account_to_utxos_start=1.5', 'a point'],
    ['/dashboard?account_to_utxos_start=0x10', 'another base'],
    ['/dashboard?account_to_utxos_start=1e3', 'an exponent'],
    ['/dashboard?account_to_utxos_start=01', 'a leading zero'],
    ['/dashboard?account_to_utxos_start=18446744073709551616', '65 bits'],
    [`/dashboard?account_to_utxos_start=${'9'.repeat(500)}`, 'five hundred digits'],
    ['/dashboard?account_to_utxos_start=%D9%A1', 'a digit of another script'],
    ['/dashboard?pending_start=x', 'a letter'],
    ['/events?start=x', 'a letter'],
    ['/events?length=-5', 'a sign'],
    ['/logs?time=now', 'a word'],
    ['/logs?priority=high', 'no priority'],
    ['/logs?sort=up', 'no order'],
  ])('minter §23.113: %s is a bad request: %s', (url) => {
    expect(get(world, url).status).toBe(400)
  })

  it.each([
    ['/metrics?a=%', 'a broken escape'],
    ['/metrics?a=%zz', 'a broken escape'],
    ['/metric%', 'a broken escape in the path'],
    ['/metrics?a=%ff', 'no UTF-8'],
    ['/events?start=1&start=2', 'a parameter given twice'],
    ['/events?start=1&st%61rt=1', 'one given twice in disguise'],
    [`/metrics?${'a'.repeat(3_000)}`, 'a URL of 3,000 characters'],
    [`/metrics?${Array.from({ length: 30 }, (_, i) => `p${i}=1`).join('&')}`, 'thirty parameters'],
  ])('%s is refused: %s', (url) => {
    expect(get(world, url).status).toBe(400)
  })

  it.each(['POST', 'PUT', 'DELETE', 'get', ''])('take no %s', (method) => {
    expect(get(world, '/metrics', method).status).toBe(405)
  })

  it('answer whatever is asked', () => {
    const words = fc.constantFrom(
      '/',
      'metrics',
      'dashboard',
      'events',
      '?',
      '&',
      '=',
      '%',
      '#',
      'start',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 12 }), (parts) => {
        expect([200, 400, 404]).toContain(get(world, parts.join('')).status)
      }),
    )
  })

  it('write nothing', () => {
    const used = busy()
    const before = structuredClone({ ...used.minter })
    for (const path of ['metrics', 'dashboard', 'logs', 'healthz', 'reserves', 'events'])
      get(used, `/${path}`)
    expect({ ...used.minter }).toEqual(before)
  })
})

describe('/metrics', () => {
  const NAMES = [
    'retrieve_btc_request_count',
    'btc_transaction_count',
    'longest_resubmission_chain_size',
    'stored_finalized_requests',
    'finalized_requests',
    'minted_tokens',
    'burned_tokens',
    'min_retrievable_amount',
    'fee_based_min_retrievable_amount',
    'min_confirmations',
    'utxos_available',
    'get_utxos_calls',
    'get_utxos_cache_hits',
    'get_utxos_cache_misses',
    'btc_balance',
    'managed_addresses_count',
    'outpoint_count',
    'concurrent_update_balance_count',
    'concurrent_retrieve_btc_count',
    'global_timer_timestamp',
    'median_fee_per_vbyte',
    'owed_kyt_amount',
    'suspended_utxos_without_account_count',
    'ignored_utxos_count',
    'quarantined_utxos_count',
    'mint_status_unknown_utxos_count',
    'update_calls_latency',
    'get_utxos_latency',
    'get_utxos_result_size',
    'sign_with_ecdsa_latency',
    'surplus',
    'donations',
    'held_requests',
    'quarantined_reimbursements',
    'oldest_pending_age_seconds',
    'event_count',
  ]
  const { headers, text } = get(busy(), '/metrics')
  const lines = text.split('\n')

  it('has every name, with help and type, once', () => {
    for (const name of NAMES) {
      const own = lines.filter((line) => line.startsWith(`# TYPE ckbtc_minter_${name} `))
      expect([name, own.length]).toEqual([name, 1])
    }
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  })

  it('is in the format that is read', () => {
    const sample =
      /^[a-z_]+(?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? -?\d+(?:\.\d+)? \d+$/
    expect(text.endsWith('\n')).toBe(true)
    for (const line of lines.filter((each) => each !== '' && !each.startsWith('#')))
      expect(line).toMatch(sample)
  })

  it('counts what is there', () => {
    const value = (name: string): string =>
      lines.find((line) => line.startsWith(`ckbtc_minter_${name} `))?.split(' ')[1] ?? ''
    expect(value('utxos_available')).toBe('2')
    expect(value('ignored_utxos_count')).toBe('1')
    expect(value('surplus')).toBe('300')
    for (const line of [
      'retrieve_btc_request_count{status="pending"} 1',
      'retrieve_btc_request_count{status="submitted"} 1',
      'sign_with_ecdsa_latency_bucket{result="success",le="1000"} 1',
      'sign_with_ecdsa_latency_bucket{result="success",le="+Inf"} 1',
      'sign_with_ecdsa_latency_bucket{result="failure",le="+Inf"} 0',
      'update_calls_latency_bucket{num_new_utxos="1",le="500"} 4',
      'get_utxos_calls{source="client"} 4',
    ])
      expect(text).toContain(`ckbtc_minter_${line} `)
  })
})

describe('/logs', () => {
  const world = new TestMinter()
  const observer = { volatile: world.state.volatile, now: 5n }
  note(observer, 'a.ts', 'one')
  note({ ...observer, now: 6n }, 'a.ts', 'two', 'Debug')
  note({ ...observer, now: 7n }, 'a.ts', 'three')
  const messages = (query: string): string[] => {
    const { entries } = JSON.parse(get(world, `/logs${query}`).text)
    return entries.map(({ message }: { message: string }) => message)
  }

  it('has all entries with all their fields, oldest first', () => {
    expect(JSON.parse(get(world, '/logs').text).entries[0]).toEqual({
      timestamp: '5',
      priority: 'Info',
      file: 'a.ts',
      line: 0,
      message: 'one',
      counter: '0',
    })
    expect(messages('')).toEqual(['one', 'two', 'three'])
  })

  it.each([
    ['?time=6', ['three', 'two']],
    ['?time=6&sort=asc', ['two', 'three']],
    ['?time=8', []],
    ['?sort=desc', ['three', 'two', 'one']],
    ['?priority=info', ['one', 'three']],
    ['?priority=Debug', ['two']],
    ['?priority=info&time=7', ['three']],
  ])('minter §23.113: with %s has fewer, in the order asked for', (query, expected) => {
    expect(messages(query)).toEqual(expected)
  })

  it('stays within its two million bytes, whatever the messages are', () => {
    const full = new TestMinter()
    for (let i = 0; i < 2_000; i++)
      note({ volatile: full.state.volatile, now: 1n }, 'a.ts', '<'.repeat(500))
    const { text } = get(full, '/logs')
    expect(text.length).toBeLessThanOrEqual(2_000_000)
    expect(JSON.parse(text).entries.length).toBeGreaterThan(600)
  })
})

describe('/events', () => {
  it('has one event a line, ours too, as JSON that is read back', () => {
    const world = busy()
    const { log } = world.minter
    const { text, headers } = get(world, '/events?start=2&length=1000')
    const read = text
      .trimEnd()
      .split('\n')
      .map((line) => eventOfJson(JSON.parse(line)))
    expect(read.length).toBe(log.count - 2)
    read.forEach((event, i) => {
      expect(event).toEqual(eventAt(log, i + 2))
    })
    expect(text).toContain('"x_signing_started"')
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
  })

  it('gives a hundred unless told, two thousand at most, none beyond the end', () => {
    const world = new TestMinter()
    const { log } = world.minter
    for (let i = log.count; i < 2_500; i++)
      appendEvent(log, { payload: { type: 'removedRetrieveBtcRequest', blockIndex: BigInt(i) } })
    const count = (query: string): number =>
      get(world, `/events${query}`).text.split('\n').length - 1
    expect(count('')).toBe(100)
    expect(count('?length=99999')).toBe(2_000)
    expect(count('?start=2499&length=10')).toBe(1)
    expect(count('?start=2500')).toBe(0)
    expect(count('?start=18446744073709551615')).toBe(0)
  })

  it('ends before two million bytes, and goes on from there', () => {
    const world = new TestMinter()
    const { log } = world.minter
    const address = 'x'.repeat(300_000)
    const refused = { type: 'retrieveBtcKytFailed', address, amount: 1n, uuid: '' } as const
    const principals = { owner: user(1), kytProvider: user(2), blockIndex: 1n }
    for (let i = 0; i < 9; i++) appendEvent(log, { payload: { ...refused, ...principals } })
    const { text } = get(world, '/events?start=1')
    expect(text.length).toBeLessThanOrEqual(2_000_000)
    expect(text.split('\n').length - 1).toBe(6)
  })
})

describe('/reserves and /healthz', () => {
  it('give the equation, and say when it does not hold', () => {
    const world = busy()
    const reserves = JSON.parse(get(world, '/reserves').text)
    expect(reserves).toMatchObject({
      coins: '6000000',
      pending: '1100000',
      surplus: '300',
      check_fees: '300',
      balanced: true,
      covered: true,
    })
    expect(get(world, '/healthz').status).toBe(200)
    world.ledger.balances.set('made up', 10_000_000n)
    expect(JSON.parse(get(world, '/reserves').text)).toMatchObject({ covered: false })
    const { status, text } = get(world, '/healthz')
    expect([status, JSON.parse(text).healthy]).toEqual([503, false])
    expect(text).toContain('not_covered')
  })
})

describe('/dashboard', () => {
  it('has every section', () => {
    const { text } = get(busy(), '/dashboard')
    for (const id of [
      'metadata',
      'reserve',
      'pending',
      'in_flight',
      'submitted',
      'chains',
      'finalized',
      'reimbursements',
      'reimbursed',
      'journal',
      'change',
      'lost',
      'unminted',
      'quarantined',
      'ignored',
      'donations',
      'account_to_utxos',
    ])
      expect(text).toContain(`<section id="${id}">`)
    expect(text).toContain('Do not send here')
  })

  it('has a style that is one', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(get(busy(), '/dashboard').text)?.[1] ?? ''
    expect(style).toContain('section>div{overflow-x:auto')
    expect(style).not.toContain('&')
  })

  it('loads nothing and runs nothing', () => {
    const { text, headers } = get(busy(), '/dashboard')
    expect(text).not.toMatch(/<script|<link|<img|<iframe|src=|url\(|@import|http/i)
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('minter §23.113: its pages together show every coin once', () => {
    const world = rich
    const shown: string[] = []
    for (const start of [0, 100, 200]) {
      const { text } = get(world, `/dashboard?account_to_utxos_start=${start}`)
      const [, table = ''] = text.split('<section id="account_to_utxos">')
      shown.push(...[...table.matchAll(/[0-9a-f]{64}:\d+/g)].map(([outpoint]) => outpoint))
    }
    expect(shown.length).toBe(110)
    expect(new Set(shown).size).toBe(110)
  })

  it('links to the rows before and after, and keeps the canister of the gateway', () => {
    const world = rich
    const { text } = get(world, '/dashboard?canisterId=a%22b&account_to_utxos_start=50')
    expect(text).toContain('href="?canisterId=a%22b&amp;account_to_utxos_start=0#account_to_utxos"')
    expect(text).toContain('rows 51–110 of 110')
  })

  it('says of alerts what they are', () => {
    const world = busy()
    world.ledger.balances.set('made up', 10_000_000n)
    expect(get(world, '/dashboard').text).toContain('<p class="alert"><b>not_covered</b>')
  })
})

describe('texts that users made', () => {
  const EVIL = `</td><script>alert('1')</script><img src=x onerror="x">\n"'&\u202e\u0000`

  it('minter §23.115: are escaped wherever a page shows them', () => {
    const world = busy()
    world.state.config = { ...world.state.config, ecdsaKeyName: EVIL }
    const { text } = get(world, '/dashboard')
    expect(text).toContain('&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;')
    expect(text).not.toMatch(/<script|<img|\p{Cf}/u)
  })

  it('minter §23.115: cannot leave an attribute', () => {
    const world = rich
    const query = `canisterId=${encodeURIComponent(`"><script>alert(1)</script>`)}`
    const { text } = get(world, `/dashboard?${query}`)
    expect(text).not.toContain('<script')
    expect(text).toContain('href="?canisterId=%22%3E%3Cscript%3E')
  })

  it('minter §23.115: are no markup in JSON either, and no line of their own', () => {
    const world = new TestMinter()
    note({ volatile: world.state.volatile, now: 1n }, 'a.ts', EVIL)
    const payload = {
      type: 'retrieveBtcKytFailed',
      address: EVIL,
      amount: 1n,
      uuid: EVIL,
      owner: user(1),
      kytProvider: user(2),
      blockIndex: 1n,
    } as const
    appendEvent(world.minter.log, { payload })
    const logs = get(world, '/logs').text
    const events = get(world, '/events').text
    for (const text of [logs, events]) expect(text).not.toMatch(/[<>&\p{Cf}]/u)
    expect(JSON.parse(logs).entries[0].message).toBe(EVIL)
    expect(events.trimEnd().split('\n').length).toBe(world.minter.log.count)
    expect(eventOfJson(JSON.parse(events.trimEnd().split('\n').at(-1) ?? ''))).toEqual({ payload })
  })

  it('minter §23.115: are escaped in a refusal that is text, and it is no page', () => {
    const { headers, text } = get(new TestMinter(), '/events?start=<script>')
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(text).not.toContain('<script>')
  })
})

it.each([
  [0n, '1970-01-01 00:00:00'],
  [951_782_399n, '2000-02-28 23:59:59'],
  [951_782_400n, '2000-02-29 00:00:00'],
  [1_709_251_199n, '2024-02-29 23:59:59'],
  [1_709_251_200n, '2024-03-01 00:00:00'],
  [4_107_542_399n, '2100-02-28 23:59:59'],
  [4_107_542_400n, '2100-03-01 00:00:00'],
])('the time %s is shown as %s', (seconds, text) => {
  expect(timeText(seconds * SECOND)).toBe(text)
})

it.each([
  [20, 20, ''],
  [1_000, 20, 'and 980 more'],
])('of %i inputs %i are put into words', (count, expected, end) => {
  let made = 0
  const items = Array.from({ length: count }, (_, i) => i)
  const cell = (i: number) => {
    made += 1
    return html`${i}`
  }
  const text = lines(items, cell).toString()
  expect([made, text.endsWith(end)]).toEqual([expected, true])
})

it('times are shown as a calendar has them', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 9_000_000_000n), (seconds) => {
      const date = new Date(Number(seconds) * 1_000).toISOString()
      expect(timeText(timestampNs(seconds * SECOND))).toBe(
        `${date.slice(0, 10)} ${date.slice(11, 19)}`,
      )
    }),
  )
})
