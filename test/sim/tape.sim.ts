/**
 * Nonces made by the nodes: whole signers whose shares of the tape are false, missing or late.
 *
 * Safety: no signature without f + 1 nodes that have executed its slot, nobody honest is blamed.
 * Liveness: the signature comes once f + 1 good shares can.
 */
import { describe, expect, it } from 'vitest'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import type { SignerItem } from '../../src/core/tecdsa/signer-context.ts'
import type { SignerNet, Tamper } from '../support/signer-net.ts'
import { expectValid, isDone, request, settled } from '../support/signer-story.ts'

const NODES = [0, 1, 2, 3] as const
const isTape = ({ type }: SignerMessage): boolean => type === 'tape-share' || type === 'tape'

describe.each([0, 3])('node %i, lying about the tape', (liar) => {
  const lies: readonly (readonly [
    string,
    (message: SignerMessage) => SignerMessage | undefined,
  ])[] = [
    [
      'with the share of another slot',
      (message) =>
        message.type === 'tape-share' ? { ...message, slot: message.slot + 1n } : message,
    ],
    [
      'with a share of nothing',
      (message) =>
        message.type === 'tape-share' ? { ...message, share: new Uint8Array(48) } : message,
    ],
    [
      'with a σ that is none',
      (message) =>
        message.type === 'tape-share'
          ? {
              type: 'tape',
              incarnation: message.incarnation,
              slot: message.slot,
              signature: message.share,
            }
          : message,
    ],
    ['by silence', (message) => (isTape(message) ? undefined : message)],
  ]

  it.each(lies)('%s keeps nobody from a signature, and nobody else is blamed', (name, lie) => {
    const tamper: Tamper = (from, to, message) =>
      from === liar && to !== liar ? lie(message) : message
    const net = settled({ nodes: 4, tamper })
    for (const asked of [request('first'), request('second')]) {
      net.ask(asked)
      net.settle()
      expectValid(net, asked, liar === 0 ? 1 : 0)
    }
    const blamed = net.faults.filter(({ seenBy }) => seenBy !== liar)
    expect(blamed.filter(({ culprit }) => culprit !== liar)).toEqual([])
    // Two good shares are enough: one that comes behind them is not looked at.
    if (liar === 0 && (name.includes('nothing') || name.includes('none')))
      expect(new Set(blamed.map(({ reason }) => reason))).toEqual(new Set(['InvalidShare']))
  })
})

describe('with the tape shares of f nodes alone', () => {
  it('there is no nonce, no record, no share and no signature; with one more there are', () => {
    const silent = { nodes: new Set<NodeIndex>() }
    const net = settled({
      nodes: 4,
      tamper: (from, to, message) =>
        isTape(message) && from !== to && silent.nodes.has(from) ? undefined : message,
    })
    silent.nodes = new Set([0, 1, 2, 3])
    const asked = request('without a nonce')
    const shares: SignerMessage[] = []
    net.watch = (message) => {
      if (message.type === 'share') shares.push(message)
    }
    net.ask(asked)
    net.settle()
    expect([isDone(net, asked), shares, net.signer(0).openRequests]).toEqual([false, [], 1])
    for (const node of NODES)
      expect([...(net.records[node]?.keys() ?? [])].some((key) => key.includes('pairing'))).toBe(
        false,
      )
    silent.nodes = new Set([1, 2, 3])
    net.stop(3)
    net.start(3) // Asks for what it missed: node 0 gives its share again, and node 3 has its own.
    net.settle()
    expect(shares.map(({ type }) => type)).toContain('share')
    silent.nodes = new Set()
    net.stop(2)
    net.start(2)
    net.settle()
    expectValid(net, asked)
    expect(net.faults).toEqual([])
  })
})

describe.each([0, 3])('node %i, started again while the tape is made', (node) => {
  it.each([0, 2, 5])('after %i tape messages, gives and gets what is missing', (moment) => {
    const heard = { count: 0 }
    const net = settled({
      nodes: 4,
      tamper: (_, __, message) => {
        if (isTape(message)) heard.count += 1
        return message
      },
    })
    const asked = request(`again ${moment}`)
    net.ask(asked)
    net.run(() => heard.count > moment || isDone(net, asked))
    net.stop(node)
    net.start(node)
    net.settle()
    expectValid(net, asked, node)
    const next = request('and once more')
    net.ask(next)
    net.settle()
    expectValid(net, next, node)
    expect(net.faults).toEqual([])
  })
})

describe('a completion', () => {
  const completionsOf = (net: SignerNet): { readonly items: SignerItem[] } => {
    const items: SignerItem[] = []
    net.watchItems = (item) => {
      if (item.type === 'completion') items.push(item)
    }
    return { items }
  }

  it('is handed in by f + 1 nodes, in the same bytes', () => {
    const net = settled({ nodes: 4 })
    const { items } = completionsOf(net)
    net.ask(request('one'))
    net.settle()
    expect(items).toHaveLength(2)
    expect(new Set(items.map(({ bytes }) => String(bytes))).size).toBe(1)
  })

  it('that the first ones keep back is handed in by the others once a slot has gone by', () => {
    const held = { by: new Set<NodeIndex>() }
    const net = settled({
      nodes: 4,
      admits: (from, item) => {
        if (item.type !== 'completion' || held.by.size > 1) return true
        held.by.add(from)
        return false
      },
    })
    const asked = request('kept back')
    net.ask(asked)
    net.settle() // New presignatures bring the slot.
    expect(held.by.size).toBe(2)
    expectValid(net, asked)
  })
})
