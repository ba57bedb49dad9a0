/**
 * Refresh of all keys in the life of a subnet of signers: before, during and after it somebody signs.
 *
 * Method: threshold specification §§11.2, 11.4, 22.3. Every message is encoded and decoded; nodes
 * stop, return and lie on the way. What must not change is the public keys; what must change is
 * every share, and what nobody may have any more is an old share or an old encryption key.
 */
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { encodeSignerMessage } from '../../src/core/tecdsa/message.ts'
import type { SignerOutput } from '../../src/core/tecdsa/signer-context.ts'
import { LyingDealer, lateNet } from '../support/lying-dealer.ts'
import { SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, isDone, request, settled } from '../support/signer-story.ts'

const publicKeys = (net: SignerNet, node: number): readonly string[] => [
  toHex(present(net.signer(node).publicKey, 'the main key')),
  toHex(present(net.signer(node).certificationKey, 'the key of certificates')),
]
const versions = (net: SignerNet, nodes: readonly number[]): readonly number[] =>
  nodes.map((node) => Number(net.signer(node).epoch.version))
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

describe('a refresh', () => {
  it.each([4, 7])('of %i nodes changes every share and no public key', (nodes) => {
    const net = settled({ nodes })
    const before = publicKeys(net, 0)
    const old = net.keysOf(1).encryptionKey.publicKey
    const message = utf8('a state root')
    const share = net.signer(1).certificationShare(message)
    net.refresh()
    // What is in stock is of the old key.
    net.run(() => net.signer(0).epoch.version === 2n)
    expect(net.signer(0).stock).toBe(0)
    net.settle()
    expect(versions(net, range(nodes))).toEqual(range(nodes).map(() => 2))
    for (const node of range(nodes)) expect(publicKeys(net, node)).toEqual(before)
    expect(net.signer(1).certificationShare(message)).not.toEqual(share)
    expect(net.signer(0).stock).toBe(1)
    const asked = request('after')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, nodes - 1)
    expectCertifies(net, range(nodes))
    expect(net.faults).toEqual([])
    expect(net.keysOf(1).encryptionKey.publicKey).not.toEqual(old)
    expect(net.keysOf(1).epochCount).toBe(1)
  })
})

describe('a paired request', () => {
  it('finishes under the old transcript, whose secrets its nodes keep until then', () => {
    let isHeld = true
    const net = settled({
      nodes: 4,
      tamper: (_, __, message) => (message.type === 'share' && isHeld ? undefined : message),
    })
    const asked = request('paired before')
    net.ask(asked)
    net.settle()
    net.refresh()
    net.settle()
    expect(versions(net, range(4))).toEqual([2, 2, 2, 2])
    expect(isDone(net, asked)).toBe(false)
    expect(range(4).map((node) => net.keysOf(node).epochCount)).toEqual([2, 2, 2, 2])
    isHeld = false
    net.stop(1)
    net.start(1) // Asks for what it has missed.
    net.settle()
    expectValid(net, asked, 2)
    const after = request('after')
    net.ask(after)
    net.settle()
    expectValid(net, after, 1)
    expect(range(4).map((node) => net.keysOf(node).epochCount)).toEqual([1, 1, 1, 1])
    expect(net.faults).toEqual([])
  })

  it('that is asked for while the refresh runs gets its signature', () => {
    const net = settled()
    net.refresh()
    net.run(() => net.signer(0).epoch.stage === 'resharing')
    const asked = request('during')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, 3)
    expect(versions(net, range(4))).toEqual([2, 2, 2, 2])
  })
})

describe('a node that is off during a refresh', () => {
  it('is not waited for, follows on return, and changes its encryption key at the next one', () => {
    const net = settled()
    const key = net.keysOf(3).encryptionKey.publicKey
    net.stop(3)
    net.refresh()
    net.settle()
    expect(versions(net, [0, 1, 2])).toEqual([2, 2, 2])
    net.start(3)
    net.settle()
    expect(versions(net, [3])).toEqual([2])
    expectCertifies(net, [2, 3])
    net.stop(0)
    const asked = request('with the one that was off')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, 3)
    expect(net.keysOf(3).encryptionKey.publicKey).toEqual(key)
    net.start(0)
    net.refresh()
    net.settle()
    expect(versions(net, range(4))).toEqual([3, 3, 3, 3])
    expect(net.keysOf(3).encryptionKey.publicKey).not.toEqual(key)
    expect(net.faults).toEqual([])
  })
})

describe('shares of two epochs', () => {
  it('make no signature together, and those of each make the same one', () => {
    const net = settled()
    const message = utf8('a state root')
    const share = (node: number): readonly [number, Uint8Array] => [
      node,
      present(net.signer(node).certificationShare(message), 'its share'),
    ]
    const [old0, old1] = [share(0), share(1)]
    const former = net.signer(2).certificationTranscript
    net.refresh()
    net.settle()
    const signer = net.signer(2)
    const now = signer.combineCertification(message, new Map([share(0), share(1)]))
    const before = signer.combineCertification(message, new Map([old0, old1]), former)
    expect(present(now.signature, 'combined')).toEqual(before.signature)
    const mixed = signer.combineCertification(message, new Map([old0, share(1)]))
    expect(mixed).toEqual({ signature: undefined, blamed: [0] })
    const other = signer.combineCertification(message, new Map([old0, share(1)]), former)
    expect(other).toEqual({ signature: undefined, blamed: [1] })
  })
})

describe('with f liars that deal bad shares to f nodes each', () => {
  const cases: readonly (readonly [number, ReadonlyMap<number, readonly number[]>])[] = [
    [4, new Map([[0, [2]]])],
    [
      7,
      new Map([
        [0, [2, 3]],
        [1, [4, 5]],
      ]),
    ],
  ]
  it.each(cases)('of %i nodes, their victims recover the new shares, too', (nodes, liars) => {
    const late = lateNet()
    const dealers = [...liars].map(
      ([liar, victims]) => new LyingDealer({ net: late.net, liar, victims }),
    )
    const net = new SignerNet({
      nodes,
      build: late.build,
      tamper: (from, to, message) =>
        dealers.reduce<SignerMessage | undefined>(
          (current, { tamper }) => current && tamper(from, to, current),
          message,
        ),
    })
    net.settle()
    const keys = publicKeys(net, nodes - 1)
    const dealt = (): number => dealers.reduce((sum, dealer) => sum + dealer.dealt.length, 0)
    const before = dealt()
    net.refresh()
    net.settle()
    const honest = range(nodes).filter((node) => !liars.has(node))
    expect(versions(net, honest)).toEqual(honest.map(() => 2))
    for (const node of honest) expect(publicKeys(net, node)).toEqual(keys)
    // Two keys of BLS and that of the minter, at least: all of them hold bad dealings.
    expect(dealt() - before).toBeGreaterThan(2)
    const asked = request('despite bad dealings')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, nodes - 1)
    expectCertifies(net, honest)
    const blamed = net.faults.filter(({ seenBy }) => honest.includes(seenBy))
    expect(blamed.every(({ culprit }) => liars.has(culprit))).toBe(true)
    expect(blamed.some(({ reason }) => reason.startsWith('BadShare'))).toBe(true)
  })
})

describe('with nodes killed at each durable write and each send of a refresh', () => {
  it('the refresh ends, and nobody contradicts what an earlier life said', () => {
    const net = settled()
    const keys = publicKeys(net, 0)
    const deaths = new Set<string>()
    net.crash = (node, output) => {
      const name = [1, 2].includes(node) ? nameOf(node, output) : undefined
      if (name === undefined || deaths.has(name)) return undefined
      deaths.add(name)
      return output.type === 'record' || deaths.size % 2 === 0 ? 'after' : 'before'
    }
    net.refresh()
    net.settle()
    net.crash = () => undefined
    expect(versions(net, range(4))).toEqual([2, 2, 2, 2])
    for (const kind of ['record epoch', 'refresh in the log', 'dealing', 'support'])
      expect(
        [...deaths].filter((name) => name.startsWith(`1 ${kind}`)),
        kind,
      ).not.toEqual([])
    for (const node of range(4)) {
      expect(publicKeys(net, node)).toEqual(keys)
      expect(net.signer(node).certificationShare(utf8('a root')), `${node}`).toBeDefined()
    }
    const asked = request('after all')
    net.ask(asked)
    net.settle()
    expectValid(net, asked, 1)
    expectCertifies(net, range(4))
    expect(net.faults).toEqual([])
  })
})

/** What a node dies of, once. */
function nameOf(node: number, output: SignerOutput): string | undefined {
  switch (output.type) {
    case 'record':
      return `${node} record ${output.key}`
    case 'submit':
      return `${node} ${output.item.type} in the log ${toHex(output.item.bytes)}`
    case 'send':
      return output.to !== 'all' || output.message.type === 'resend'
        ? undefined
        : `${node} ${output.message.type} ${toHex(encodeSignerMessage(output.message))}`
    default:
      return undefined
  }
}
