/**
 * Goal: a request that takes too long ends when f + 1 nodes say so in the log, at every node in the
 * same slot, and its presignature is never seen again.
 * Method: threshold §§17.1, 18.3, 18.5, 21. Signers of four nodes whose completions are kept back;
 * slots are made by the test.
 */
import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { NS_PER_MS, timestampNs } from '../../../src/core/base/units.ts'
import type { Abort } from '../../../src/core/tecdsa/abort.ts'
import { decodeAbort, encodeAbort, signAbort } from '../../../src/core/tecdsa/abort.ts'
import { runPrefix } from '../../../src/core/tecdsa/evidence.ts'
import { REQUEST_ALARM_MS } from '../../../src/core/tecdsa/expiry.ts'
import type { SigningRequest } from '../../../src/core/tecdsa/request.ts'
import type { Signer } from '../../../src/core/tecdsa/signer.ts'
import type { SignerItem } from '../../../src/core/tecdsa/signer-context.ts'
import type { SignerNet } from '../../support/signer-net.ts'
import { isDone, request, settled } from '../../support/signer-story.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const ALARM = BigInt(REQUEST_ALARM_MS) * NS_PER_MS
const asked = request('too long')

/** A subnet in which a request is paired, and its completions are held in the hands of the test. */
function paired(nodes: number): {
  readonly net: SignerNet
  readonly signer: Signer
  readonly completion: Uint8Array
  readonly abort: (node: number, change?: Partial<Abort>) => Uint8Array
} {
  const held: SignerItem[] = []
  const net = settled({
    nodes,
    admits: (_, item) => {
      if (item.type === 'completion') held.push(item)
      return item.type !== 'completion'
    },
  })
  net.ask(asked)
  net.settle()
  const completion = present(held[0], 'it is combined').bytes
  const prefix = runPrefix(net.genesis)
  const abort = (node: number, change: Partial<Abort> = {}): Uint8Array => {
    const signed = signAbort(net.keysOf(node), prefix, { requestId: asked.id, node })
    return encodeAbort({ ...signed, ...change })
  }
  return { net, signer: net.signer(0), completion, abort }
}

/** What the slot makes of the items that were handed to the signer before. */
const endOf = (signer: Signer, slot = 1_000n): readonly string[] => {
  const expired = signer.expire().map(toHex)
  signer.endSlot(slot, timestampNs(slot))
  return expired
}

describe('an abort', () => {
  const bytes = encodeAbort({
    requestId: new Uint8Array(32).fill(1),
    node: 2,
    signature: new Uint8Array(64).fill(3),
  })

  test('is read as it was written, whole or not at all', () => {
    expectStrict({ bytes, decode: decodeAbort, encode: encodeAbort })
    expectTotal({ bytes, decode: decodeAbort, encode: encodeAbort })
  })

  test('keeps its format', () => {
    expect(toHex(bytes)).toBe(`${'01'.repeat(32)}0002${'03'.repeat(64)}`)
  })
})

describe('aborts of a request in the log', () => {
  const { net, signer, completion, abort } = paired(4)
  const elsewhere = { ...net.genesis, incarnation: 8n }
  const flip = (value: Uint8Array): Uint8Array =>
    value.map((byte, i) => (i === 5 ? byte ^ 1 : byte))
  const { signature } = decodeAbort(abort(1))

  test.each<[string, Uint8Array]>([
    ['of another node than signed it', abort(1, { node: 2 })],
    ['of a node that is none', abort(1, { node: 9 })],
    ['that nobody signed', abort(1, { signature: flip(signature) })],
    ['of another request', abort(1, { requestId: flip(asked.id) })],
    ['of a request that there is not', abort(1, { requestId: request('no such').id })],
    [
      'of another incarnation',
      encodeAbort(signAbort(net.keysOf(1), runPrefix(elsewhere), { requestId: asked.id, node: 1 })),
    ],
    ['with a byte less', abort(1).slice(0, -1)],
    ['with a byte more', concat(abort(1), Uint8Array.of(0))],
  ])('%s do not count', (_, item) => {
    expect(signer.takeAbort(item)).toBe(false)
  })

  test('by f nodes change nothing', () => {
    expect(signer.takeAbort(abort(1))).toBe(true)
    expect([endOf(signer, 1_000n), signer.openRequests]).toEqual([[], 1])
  })

  test('§21 item: second abort of one node, is an invalid item, in the same slot or later', () => {
    expect(signer.takeAbort(abort(1))).toBe(false)
    expect([endOf(signer, 1_001n), signer.openRequests]).toEqual([[], 1])
  })

  test('by f + 1 nodes expire it at the end of the slot, once', () => {
    expect([signer.takeAbort(abort(3)), signer.openRequests]).toEqual([true, 1])
    expect([endOf(signer, 1_002n), signer.openRequests]).toEqual([[toHex(asked.id)], 0])
    expect(endOf(signer, 1_003n)).toEqual([])
  })

  test('§21 item: abort, of a request that has expired, is an invalid item', () => {
    expect(signer.takeAbort(abort(2))).toBe(false)
  })

  test('leave a completion that comes later without effect', () => {
    expect(signer.judge(completion)).toBeUndefined()
  })

  test('leave a share that comes later without effect', () => {
    const share = { from: 2, type: 'message', bytes: present(lastShare(net), 'a share') } as const
    expect(signer.step(share)).toEqual([])
    expect(signer.openRequests).toBe(0)
  })
})

/** As it was sent last. */
const lastShare = (net: SignerNet): Uint8Array | undefined =>
  net.wire.findLast((bytes) => bytes[0] === 3)

describe('inside one slot', () => {
  test('a completion counts before the aborts in front of it', () => {
    const { signer, completion, abort } = paired(1)
    expect(signer.takeAbort(abort(0))).toBe(true)
    expect(signer.judge(completion)?.requestId).toEqual(asked.id)
    expect([endOf(signer), signer.openRequests]).toEqual([[], 0])
  })

  test('§21 item: abort, of a request that is completed, is an invalid item', () => {
    const { signer, completion, abort } = paired(1)
    expect(signer.judge(completion)).toBeDefined()
    expect(signer.takeAbort(abort(0))).toBe(false)
    expect(signer.judge(completion)).toBeUndefined()
  })
})

describe('a request without a presignature', () => {
  /** A subnet that has none, and makes none: its dealings do not come into the log. */
  function unpaired(): { readonly net: SignerNet; readonly waiting: readonly SigningRequest[] } {
    const stalled = { is: false }
    const net = settled({ nodes: 1, admits: (_, item) => !stalled.is || item.type !== 'dealing' })
    stalled.is = true
    net.ask(request('takes the stock'))
    net.settle()
    const waiting = [request('waits'), request('waits behind it')]
    for (const each of waiting) net.ask(each)
    net.settle()
    return { net, waiting }
  }

  test('expires as well, and those behind it keep their places', () => {
    const { net, waiting } = unpaired()
    const [first] = waiting.map(({ id }) => id)
    const requestId = present(first, 'asked')
    const signer = net.signer(0)
    expect(signer.openRequests).toBe(2)
    const statement = { requestId, node: 0 }
    const item = encodeAbort(signAbort(net.keysOf(0), runPrefix(net.genesis), statement))
    expect(signer.takeAbort(item)).toBe(true)
    expect([endOf(signer), signer.openRequests]).toEqual([[toHex(requestId)], 1])
    expect(signer.takeAbort(item)).toBe(false)
  })
})

describe('this node’s clock', () => {
  test('has the default alarm to go from the pairing slot', () => {
    const { signer } = paired(1)
    expect(present(signer.nextExpiry, 'it waits')).toBeGreaterThan(ALARM)
    expect(present(signer.nextExpiry, 'it waits')).toBeLessThan(ALARM + 1_000_000n)
  })

  test('makes it abort once, when the time has come', () => {
    const { signer, abort } = paired(1)
    const due = present(signer.nextExpiry, 'it waits')
    expect(signer.step({ type: 'clock', now: timestampNs(due - 1n) })).toEqual([])
    expect(signer.step({ type: 'clock', now: due })).toEqual([
      { type: 'submit', item: { type: 'abort', bytes: abort(0) } },
    ])
    expect([signer.step({ type: 'clock', now: due }), signer.nextExpiry]).toEqual([[], undefined])
  })

  test('does so again after a restart, unless the log has its abort', () => {
    const { net, abort } = paired(4)
    net.ring(0)
    net.settle()
    net.stop(0)
    net.start(0)
    net.settle()
    expect([net.signer(0).openRequests, net.signer(0).nextExpiry]).toEqual([1, undefined])
    net.stop(1)
    net.start(1)
    net.settle()
    const due = present(net.signer(1).nextExpiry, 'it has not aborted')
    expect(net.signer(1).step({ type: 'clock', now: due })).toEqual([
      { type: 'submit', item: { type: 'abort', bytes: abort(1) } },
    ])
  })

  test('says nothing of a subnet without requests', () => {
    const net = settled({ nodes: 1 })
    const { nextExpiry } = net.signer(0)
    expect(nextExpiry).toBeUndefined()
    expect(net.signer(0).step({ type: 'clock', now: timestampNs(2n ** 64n - 1n) })).toEqual([])
  })
})

test('a presignature is never used again after its request has expired', () => {
  const { net } = paired(1)
  const points = new Set<string>()
  for (const round of [0, 1, 2]) {
    const again = round === 0 ? asked : request(`again ${round}`)
    if (round > 0) {
      net.ask(again)
      net.settle()
    }
    net.ring(0)
    net.settle()
    expect(net.expired.map(toHex)).toContain(toHex(again.id))
    expect([isDone(net, again), net.signer(0).openRequests]).toEqual([false, 0])
  }
  for (const records of net.records)
    for (const [key, value] of records)
      if (key.includes('pairing')) points.add(`${key} ${toHex(value)}`)
  // One name for each presignature, one request and one nonce for each name.
  expect(points.size).toBe(3)
  expect(new Set([...points].map((entry) => entry.split(' ')[0])).size).toBe(3)
  expect(net.faults).toEqual([])
})
