/**
 * Requests that cannot be signed for a while: some nodes abort, some lie about it, some start again.
 *
 * Safety: f nodes expire nothing; a request ends once, the same way at all nodes; no presignature is
 * paired twice. Liveness: every request ends with a signature or as expired.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { encodeAbort, signAbort } from '../../src/core/tecdsa/abort.ts'
import { runPrefix } from '../../src/core/tecdsa/evidence.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import type { SignerNet } from '../support/signer-net.ts'
import { expectValid, isDone, request, settled } from '../support/signer-story.ts'

const NODES = [0, 1, 2, 3]
const HELD: readonly SignerMessage['type'][] = ['tape-share', 'tape', 'share']

const isExpired = (net: SignerNet, { id }: SigningRequest): boolean =>
  net.expired.map(toHex).includes(toHex(id))

/** Pairings that nodes have put on record: never two of one presignature. */
function expectSingleUse(net: SignerNet): void {
  const uses = new Map<string, string>()
  for (const records of net.records)
    for (const [key, value] of records) {
      if (!key.includes('pairing')) continue
      expect(uses.get(key) ?? toHex(value)).toBe(toHex(value))
      uses.set(key, toHex(value))
    }
  const requests = [...uses.values()].map((value) => value.slice(0, 64))
  expect(new Set(requests).size).toBe(requests.length)
}

describe('while messages about signatures are held back', () => {
  it.each(NODES)('aborts of f nodes do nothing, of f + 1 expire (beginning with %i)', (first) => {
    const held: { is: boolean } = { is: false }
    const net = settled({
      nodes: 4,
      tamper: (from, to, message) =>
        held.is && from !== to && HELD.includes(message.type) ? undefined : message,
    })
    held.is = true
    const asked = request(`held ${first}`)
    net.ask(asked)
    net.settle()
    net.ring(first)
    net.settle()
    // It says so again after a restart, and counts once.
    net.stop(first)
    net.start(first)
    net.settle()
    net.ring(first)
    net.settle()
    expect(net.expired).toEqual([])
    expect(NODES.map((node) => net.signer(node).openRequests)).toEqual([1, 1, 1, 1])
    net.ring((first + 1) % 4)
    net.settle()
    expect(isExpired(net, asked)).toBe(true)
    expect(NODES.map((node) => net.signer(node).openRequests)).toEqual([0, 0, 0, 0])
    held.is = false
    const next = request(`after ${first}`)
    net.ask(next)
    net.settle()
    expectValid(net, next)
    expect([isDone(net, asked), net.expired.length, net.faults]).toEqual([false, 1, []])
    expectSingleUse(net)
  })
})

describe('a liar that aborts whatever is asked for', () => {
  it('expires nothing', () => {
    const liar = 3
    const net = settled({ nodes: 4 })
    for (const name of ['one', 'two', 'three']) {
      const asked = request(name)
      net.ask(asked)
      net.run(() => net.signer(liar).openRequests > 0)
      const statement = { requestId: asked.id, node: liar }
      const bytes = encodeAbort(signAbort(net.keysOf(liar), runPrefix(net.genesis), statement))
      net.submit(liar, { type: 'abort', bytes })
      net.settle()
      expectValid(net, asked)
    }
    expect(net.expired).toEqual([])
    expectSingleUse(net)
  })
})
