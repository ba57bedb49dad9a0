/**
 * Goal: a root is settled by n − f nodes and signed by any f + 1, and no f nodes can settle, stop
 * or forge one.
 * Method: threshold §16.2; a key whose shares are the node's index and the root, so that what the
 * certifier passes on can be read.
 */
import { describe, expect, test } from 'vitest'
import { concat, hash32 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import type { CertificationKey, CertifierOutputs } from '../../../src/core/subnet/certifier.ts'
import { Certifier } from '../../../src/core/subnet/certifier.ts'
import type { RootVote } from '../../../src/core/subnet/peer-message.ts'
import { decodePeerMessage, encodePeerMessage } from '../../../src/core/subnet/peer-message.ts'
import { expectStrict, expectTotal } from '../btc/strict-decoder.ts'

const root = (byte: number) => hash32(new Uint8Array(32).fill(byte))
const shareOf = (node: NodeIndex, over: Uint8Array): Uint8Array =>
  concat(sha256(concat(Uint8Array.of(node), over)), new Uint8Array(16))

/** Good shares are those of `shareOf`; two of them make the signature. */
const keyOf = (me: NodeIndex): CertificationKey => ({
  share: (over) => shareOf(me, over),
  transcript: () => 1n,
  combine: (over, shares) => {
    const blamed = [...shares].filter(([node, share]) => `${share}` !== `${shareOf(node, over)}`)
    const good = shares.size - blamed.length
    return { signature: good >= 2 ? sha256(over) : undefined, blamed: blamed.map(([node]) => node) }
  },
})

const certifier = (nodes = 4): Certifier => new Certifier({ me: 0, nodes, key: keyOf(0) })
const vote = (node: NodeIndex, slot: bigint, byte: number): RootVote => ({
  slot,
  root: root(byte),
  share: shareOf(node, root(byte)),
})
const kinds = (outputs: CertifierOutputs): readonly string[] => outputs.map(({ type }) => type)

/** Executes a slot and hears the own vote back, as every node does. */
function execute(of: Certifier, slot: bigint, byte: number): CertifierOutputs {
  const outputs = of.executed(slot, root(byte))
  return [...outputs, ...of.receive(0, vote(0, slot, byte))]
}

describe('a root', () => {
  test('is signed under the transcript of its slot, although a refresh came since', () => {
    let transcript = 1n
    const asked: (bigint | undefined)[] = []
    const key: CertificationKey = {
      ...keyOf(0),
      transcript: () => transcript,
      combine: (over, shares, of) => {
        asked.push(of)
        return keyOf(0).combine(over, shares, of)
      },
    }
    const one = new Certifier({ me: 0, nodes: 4, key })
    execute(one, 5n, 7)
    one.receive(1, vote(1, 5n, 7))
    one.receive(2, vote(2, 5n, 7))
    transcript = 2n
    expect(one.signature().signature).toEqual(sha256(root(7)))
    expect(asked).toEqual([1n])
  })

  test('is settled by the vote of the third of four nodes, whatever comes first', () => {
    const one = certifier()
    expect(kinds(one.receive(2, vote(2, 5n, 7)))).toEqual([])
    expect(kinds(execute(one, 5n, 7))).toEqual(['vote'])
    expect(one.isWaiting).toBe(true)
    expect(one.receive(3, vote(3, 5n, 7))).toEqual([{ type: 'released', slot: 5n, settled: true }])
    expect(one.settled).toMatchObject({ slot: 5n, root: root(7) })
    expect(one.signature().signature).toEqual(sha256(root(7)))
  })

  test('is not settled by votes for another root, another slot, or the same node again', () => {
    const one = certifier()
    execute(one, 5n, 7)
    one.receive(1, vote(1, 5n, 7))
    one.receive(1, vote(1, 5n, 7))
    one.receive(2, vote(2, 5n, 8))
    one.receive(3, vote(3, 4n, 7))
    expect(one.isWaiting).toBe(true)
    expect(one.settled).toBeUndefined()
  })

  test('of a subnet of one node is settled by its own vote', () => {
    const one = new Certifier({
      me: 0,
      nodes: 1,
      key: {
        share: () => new Uint8Array(48),
        transcript: () => 1n,
        combine: () => ({ signature: sha256(root(1)), blamed: [] }),
      },
    })
    expect(kinds(execute(one, 0n, 1))).toEqual(['vote', 'released'])
  })

  test('is signed without a false share, whose node is blamed once', () => {
    const one = certifier()
    execute(one, 5n, 7)
    one.receive(1, { ...vote(1, 5n, 7), share: new Uint8Array(48) })
    one.receive(2, vote(2, 5n, 7))
    const { signature, faults } = one.signature()
    expect(signature).toEqual(sha256(root(7)))
    expect(faults).toEqual([{ type: 'fault', culprit: 1, reason: 'InvalidCertificationShare' }])
    expect(one.signature().faults).toEqual([])
  })

  test('waits for another share when too few are good, and takes none of a liar again', () => {
    const lying = { ...vote(1, 5n, 7), share: new Uint8Array(48) }
    const one = new Certifier({ me: 0, nodes: 4, key: { ...keyOf(0), share: () => undefined } })
    one.executed(5n, root(7))
    one.receive(0, { ...vote(0, 5n, 7), share: undefined })
    one.receive(1, lying)
    one.receive(2, vote(2, 5n, 7))
    expect(one.settled).toMatchObject({ slot: 5n })
    expect(one.signature().signature).toBeUndefined()
    one.receive(1, lying)
    expect(one.signature().faults).toEqual([])
    one.receive(3, vote(3, 5n, 7))
    expect(one.signature().signature).toEqual(sha256(root(7)))
  })
})

describe('a node that is behind', () => {
  test('gives its slot up when two of four are in later ones, not for one liar', () => {
    const one = certifier()
    execute(one, 5n, 7)
    expect(one.receive(1, vote(1, 9n, 1))).toEqual([])
    expect(one.receive(2, vote(2, 6n, 1))).toEqual([{ type: 'released', slot: 5n, settled: false }])
    expect(one.settled).toBeUndefined()
  })

  // Others wait for the newest root, and for the one before: who lacks that one lacks f + 1 of them.
  test('is told the votes of the last two slots, once for each slot', () => {
    const one = certifier()
    execute(one, 4n, 6)
    expect(one.receive(3, vote(3, 2n, 1))).toEqual([{ type: 'vote', to: 3, vote: vote(0, 4n, 6) }])
    expect(one.receive(3, vote(3, 3n, 1))).toEqual([])
    one.passed()
    execute(one, 5n, 7)
    const newest = [4n, 5n].map((slot, i) => ({ type: 'vote', to: 3, vote: vote(0, slot, 6 + i) }))
    expect(one.receive(3, vote(3, 4n, 6))).toEqual(newest)
    one.passed()
    execute(one, 6n, 8)
    expect(one.resend(3)).toMatchObject([{ vote: { slot: 5n } }, { vote: { slot: 6n } }])
    expect(one.named?.slot).toBe(6n)
  })

  test('finds votes that came early: the newest sixteen of one sender', () => {
    const one = certifier()
    for (let slot = 40n; slot >= 1n; slot--) one.receive(1, vote(1, slot, 7))
    for (const slot of [24n, 25n]) one.receive(2, vote(2, slot, 7))
    execute(one, 24n, 7)
    expect(one.settled).toBeUndefined()
    execute(one, 25n, 7)
    expect(one.settled?.slot).toBe(25n)
  })
})

describe('divergence', () => {
  test('§21 diverged: f + 1 shares for another root of an executed slot, which ends the certifying', () => {
    const one = certifier()
    execute(one, 5n, 7)
    one.receive(1, vote(1, 5n, 8))
    expect(one.receive(2, vote(2, 5n, 8))).toEqual([
      { type: 'diverged', slot: 5n, own: root(7), other: root(8) },
    ])
    expect(one.executed(6n, root(9))).toEqual([])
  })

  test('is not seen for shares that do not verify', () => {
    const one = certifier()
    execute(one, 5n, 7)
    one.receive(1, vote(1, 5n, 8))
    expect(one.receive(2, { ...vote(2, 5n, 8), share: new Uint8Array(48) })).toEqual([])
  })
})

describe('a message of a peer', () => {
  const messages = [
    { type: 'signer', bytes: Uint8Array.of(1, 2, 3) },
    { type: 'hello' },
    { type: 'root', vote: vote(1, 5n, 7) },
    { type: 'root', vote: { ...vote(1, 5n, 7), share: undefined } },
  ] as const

  test.each(messages)('is read as it was written: $type', (message) => {
    const bytes = encodePeerMessage(message)
    expect(decodePeerMessage(bytes)).toEqual(message)
    expectTotal({ bytes, decode: decodePeerMessage, encode: encodePeerMessage })
  })

  test('that votes for a root is read whole or not at all', () => {
    const bytes = encodePeerMessage(messages[2])
    expectStrict({ bytes, decode: decodePeerMessage, encode: encodePeerMessage })
  })
})
