/** What the minter notices of itself. Source: minter §20.4. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NS_PER_SECOND } from '../../../src/core/base/units.ts'
import { notedOf } from '../../../src/core/minter/events/noted-events.ts'
import {
  freshObserved,
  LOG_ENTRIES_MAX,
  MESSAGE_LENGTH_MAX,
  note,
  observeAsked,
  observeCache,
  observeSigned,
  observeUpdateCall,
  observeUtxos,
} from '../../../src/core/minter/observed.ts'
import { eventsOf, PAYLOAD_TYPES } from '../../support/minter-arbitraries.ts'
import { TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const observer = (now = 0n) => ({ volatile: { observed: freshObserved() }, now })

describe('latency', () => {
  it.each([
    [0n, 0],
    [1_000n, 0],
    [1_001n, 1],
    [20_000n, 6],
    [20_001n, 7],
    [10n ** 12n, 7],
  ])('of a signature that took %s ms falls into bucket %s', (ms, bucket) => {
    const seen = observer(5n)
    observeAsked(seen, 'a:0')
    observeSigned({ ...seen, now: 5n + ms * 1_000_000n }, 'a:0', 'success')
    const { counts, sum } = seen.volatile.observed.signing.success
    expect(counts.indexOf(1)).toBe(bucket)
    expect(sum).toBe(Number(ms))
  })

  it('of a request that was not seen to begin counts for nothing', () => {
    const seen = observer()
    observeSigned(seen, 'a:0', 'failure')
    expect(seen.volatile.observed).toEqual(freshObserved())
  })

  it('of what is asked for and never answered takes bounded room, and so does every label', () => {
    const seen = observer()
    for (let i = 0; i < 3_000; i++) {
      observeAsked(seen, `a:${i}`)
      observeUpdateCall(seen, i)
      observeUtxos(seen, 'client', i * 1_000)
    }
    const { askedAt, updateCalls, utxosLatency } = seen.volatile.observed
    expect([askedAt.size, updateCalls.size, utxosLatency.client.size]).toEqual([1_000, 101, 100])
    expect(updateCalls.get(100)?.counts[0]).toBe(2_900)
  })

  it('is that of slot time, for each signature once', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    world.withdraw(alice, ADDRESS, 500_000n)
    world.wait(11n * NS_PER_SECOND)
    for (const request of world.outstanding()) world.fail(request)
    world.wait(6n * NS_PER_SECOND)
    world.sign()
    const { signing, utxosCalls, updateCalls } = world.state.volatile.observed
    const total = ({ counts }: { counts: readonly number[] }) =>
      counts.reduce((sum, count) => sum + count, 0)
    expect([total(signing.failure), total(signing.success)]).toEqual([1, 1])
    expect(utxosCalls.client).toBeGreaterThan(0)
    expect([...updateCalls.keys()]).toEqual([1])
  })
})

it('hits and misses of the cache are counted', () => {
  const seen = observer()
  for (const isHit of [true, false, false]) observeCache(seen, isHit)
  expect(seen.volatile.observed).toMatchObject({ cacheHits: 1, cacheMisses: 2 })
})

describe('the log for people', () => {
  it('tells what happened, in order', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    world.withdraw(alice, ADDRESS, 500_000n)
    const { Info } = world.state.volatile.observed.log
    expect(Info.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}:0 minted to .* in block 0$/),
      'burn 1: 500000 to be paid out',
    ])
  })

  it('tells when the state breaks, and where', () => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    world.state.tokensMinted = 1n
    world.state.outpointAccount.clear()
    world.pay(alice, 2_000_000n)
    expect(() => world.call('update_balance', alice.owner, {})).toThrow()
    const { broken, observed } = world.state.volatile
    const told = observed.log.Info.filter(({ file }) => file === 'state/event-check.ts')
    expect(broken.length).toBeGreaterThan(0)
    expect(told.map(({ message }) => message)).toEqual(broken)
  })

  it('keeps the newest of each priority, and numbers them all', () => {
    const seen = observer(7n)
    note(seen, 'a.ts', 'first', 'Debug')
    for (let i = 0; i < LOG_ENTRIES_MAX + 5; i++) note(seen, 'a.ts', `message ${i}`)
    const { Info, Debug } = seen.volatile.observed.log
    expect([Info.length, Debug.length]).toEqual([LOG_ENTRIES_MAX, 1])
    expect(Info[0]).toEqual({
      timestamp: 7n,
      priority: 'Info',
      file: 'a.ts',
      message: 'message 5',
      counter: 6n,
    })
  })

  it('cuts what is long', () => {
    const seen = observer()
    note(seen, 'a.ts', 'x'.repeat(10_000))
    expect(seen.volatile.observed.log.Info[0]?.message.length).toBe(MESSAGE_LENGTH_MAX)
  })

  it.each(PAYLOAD_TYPES)('has a line for %s, of a module that is there', (type) => {
    const [event] = fc.sample(eventsOf(type), { numRuns: 1, seed: 3 })
    if (event === undefined) return expect.unreachable()
    const { file, message } = notedOf(event.payload)
    const path = fileURLToPath(new URL(`../../../src/core/minter/${file}`, import.meta.url))
    expect(existsSync(path)).toBe(true)
    expect(readFileSync(path, 'utf8')).toContain(type)
    expect(message).toMatch(/^[\x20-\x7e]+$/)
  })
})
