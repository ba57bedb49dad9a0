/**
 * Goal: clients are served what is fresh enough, and are told at once when there is no room.
 * Method: IC interface §§16, 25: reads and questions at the ages that decide; a backend whose nodes
 * are the test's, told that they know as many requests as they may.
 */
import { describe, expect, test } from 'vitest'
import { hash32, utf8 } from '../../src/core/base/bytes.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { NS_PER_MS, NS_PER_SECOND, timestampNs } from '../../src/core/base/units.ts'
import { signCall } from '../../src/core/ic/envelope.ts'
import type { NodeInput } from '../../src/core/subnet/node-io.ts'
import { Questions } from '../../src/host/node/questions.ts'
import { SubnetBackend } from '../../src/host/subnet-backend.ts'
import { ed25519Signer, post, queryContent, readContent } from '../support/ic-requests.ts'
import { SubnetNet } from '../support/subnet-net.ts'

describe('the age of a certificate', () => {
  const net = new SubnetNet(1)
  net.settle()
  net.pass(1)
  const user = ed25519Signer(1)
  /** How many blocks are made for one request that comes `ms` after the newest block. */
  async function blocksFor(action: 'query' | 'read_state', ms: number): Promise<number> {
    const read = () => readContent(user.principal, net.now, [[utf8('time')]])
    net.pass(3_000)
    await post(net, signCall(read(), user), { action: 'read_state' })
    const newest = net.slots.at(-1)?.time ?? timestampNs(0n)
    net.pass(ms - Number((net.now - newest) / NS_PER_MS))
    const before = net.slots.length
    const content = action === 'query' ? queryContent(user.principal, net.now) : read()
    expect((await post(net, signCall(content, user), { action })).status).toBe(200)
    return net.slots.length - before
  }

  test.each([
    ['read_state', 2_000],
    ['query', 60_000],
  ] as const)('of a %s is at most %i ms: beyond it a block is made first', async (action, ms) => {
    expect(await blocksFor(action, ms - 1)).toBe(0)
    expect(await blocksFor(action, ms + 1)).toBe(1)
  })
})

describe('a subnet that knows as many requests as it may', () => {
  let now: TimestampNs = timestampNs(1_000n * NS_PER_SECOND)
  const handedIn: NodeInput[] = []
  const backend = new SubnetBackend({
    hasCanister: () => true,
    clock: () => now,
    up: () => [0],
    canProgress: () => true,
    nodes: 1,
    input: (_, input) => void handedIn.push(input),
    questions: new Questions(() => undefined),
  })
  let slot = 0n
  const certified = (isFull: boolean): void =>
    backend.certified(0, {
      type: 'certified',
      slot: slot++,
      time: now,
      requests: [],
      isFull,
      certificationKey: new Uint8Array(96),
    })
  const call = (seed: number) =>
    backend.call(
      {
        envelope: Uint8Array.of(seed),
        requestId: hash32(new Uint8Array(32).fill(seed)),
        expiry: timestampNs(now + NS_PER_SECOND),
      },
      0,
    )

  test('takes no call, until a new block has shown that there is room', async () => {
    certified(false)
    expect(await call(1)).toEqual({ type: 'pending' })
    certified(true)
    handedIn.length = 0
    expect(await call(2)).toEqual({ type: 'busy' })
    expect(handedIn).toEqual([])
    expect(await call(1)).toEqual({ type: 'pending' }) // That one was taken.

    // A call now and then makes the block in which old requests are forgotten.
    now = timestampNs(now + 2_001n * NS_PER_MS)
    expect(await call(3)).toEqual({ type: 'pending' })
    certified(true)
    expect(await call(4)).toEqual({ type: 'busy' })
    certified(false)
    expect(await call(4)).toEqual({ type: 'pending' })
    backend.close()
  })
})
