/**
 * Whole signers over the sequencer: key, presignatures, signatures; nodes that stop, return and
 * lie.
 *
 * Every message is encoded and decoded. A liar is a function over what one node sends; the test
 * states both that the others come to their signature and who is blamed for what.
 */
import { describe, expect, it } from 'vitest'
import { Bug, present } from '../../../src/core/base/errors.ts'
import {
  dealingContent,
  encodeSignedDealing,
  runPrefix,
} from '../../../src/core/tecdsa/evidence.ts'
import { SignerNet } from '../../support/signer-net.ts'
import { expectValid, isDone, request, settled } from '../../support/signer-story.ts'

/** Record of the first pairing of this time line. */
const PAIRING = '7/pairing/0'

describe('a subnet of signers', () => {
  it.each([1, 4])('of %i nodes makes one key and signs under keys derived from it', (nodes) => {
    const net = settled({ nodes })
    const keys = Array.from({ length: nodes }, (_, i) => String(net.signer(i).publicKey))
    expect(new Set(keys).size).toBe(1)
    const asked = request('first')
    net.ask(asked)
    net.run(() => isDone(net, asked))
    expectValid(net, asked)
    expect(net.faults).toEqual([])
  })

  it('signs request after request, each from a presignature of its own', () => {
    const net = new SignerNet({ nodes: 4 })
    const all = ['a', 'b'].map(request)
    for (const asked of all) net.ask(asked)
    net.run(() => all.every((asked) => isDone(net, asked)))
    for (const asked of all) expectValid(net, asked)
    const records = [...present(net.records[0], 'node 0')]
    const pairings = records.filter(([key]) => key.includes('/pairing/'))
    expect(new Set(pairings.map(([key]) => key)).size).toBe(2)
    expect(new Set(pairings.map(([, value]) => String(value.slice(0, 32)))).size).toBe(2)
  })

  it('gives the same key and signature again from the same seeds, and others from others', () => {
    const run = (seed: string): string => {
      const net = settled({ nodes: 1, seed })
      net.ask(request('x'))
      net.run(() => isDone(net, request('x')))
      return String(net.completed[0]?.signature)
    }
    expect(run('one')).toBe(run('one'))
    expect(run('one')).not.toBe(run('two'))
  })

  it('a pairing is recorded before the share leaves', () => {
    const net = settled()
    net.ask(request('order'))
    const paired = (): boolean => [...net.records].every((records) => records.has(PAIRING))
    let sharesBefore = 0
    net.watch = (message) => {
      const recorded = net.records[message.from]?.has(PAIRING) === true
      if (message.type === 'share' && !recorded) sharesBefore++
    }
    expect(net.run(paired)).toBe(true)
    net.run(() => net.completed.length > 0)
    expect(sharesBefore).toBe(0)
  })

  it('stops rather than give a share of a presignature under another request or nonce', () => {
    const net = settled()
    net.records[2]?.set(PAIRING, new Uint8Array(64).fill(1))
    net.stop(2)
    net.start(2)
    net.ask(request('again'))
    expect(() => net.settle()).toThrow(Bug)
  })
})

describe('a lying node', () => {
  const liar = 0

  it('that deals twice is caught, and both dealings are not kept', () => {
    const net = new SignerNet({ nodes: 4 })
    const keys = net.keysOf(liar)
    const deal = (content: number): void => {
      const statement = { transcriptId: 0n, dealer: liar, dealing: Uint8Array.of(content) }
      const signature = keys.sign('dealing', dealingContent(runPrefix(net.genesis), statement))
      const bytes = Uint8Array.of(1, ...encodeSignedDealing({ ...statement, signature }))
      net.take(2, net.signer(2).step({ type: 'message', from: liar, bytes }))
    }
    deal(1)
    deal(2)
    expect(net.faults.map(({ reason }) => reason)).toEqual(['Equivocation: two dealings'])
  })

  it('that sends bytes which are no message is blamed, and nobody stumbles', () => {
    const net = new SignerNet({ nodes: 4 })
    for (const bytes of [Uint8Array.of(), Uint8Array.of(9), new Uint8Array(70).fill(1)])
      net.take(1, net.signer(1).step({ type: 'message', from: liar, bytes }))
    expect(net.faults).toHaveLength(3)
    expect(net.faults.every(({ reason }) => reason.startsWith('BadEncoding'))).toBe(true)
  })
})
