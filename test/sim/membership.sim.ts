/**
 * Change of membership: a subnet of four becomes one of seven other nodes and again one of four
 * others, with nodes that are off and nodes that lie on the way, and it is still the same subnet.
 *
 * Method: threshold specification §§2.3, 11.2, 22.3. Ids are hashes of keys, so old and new nodes are
 * shuffled in canonical order: whoever takes an index of one set for that of another fails here.
 */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { LyingDealer, lateNet } from '../support/lying-dealer.ts'
import type { SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, request, settled } from '../support/signer-story.ts'

const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`)

const publicKeys = (net: SignerNet, node: number): readonly string[] => {
  const signer = net.signer(node)
  return [signer.publicKey, signer.certificationKey].map((key) => toHex(present(key, 'a key')))
}

function signs(net: SignerNet, name: string, node: number): void {
  const asked = request(name)
  net.ask(asked)
  net.settle()
  expectValid(net, asked, node)
}

describe('a change of membership', () => {
  it('§22.3 move: from 4 to 7 to 4 disjoint nodes, the keys stay, and who has left may be off', () => {
    const net = settled({ nodes: 4 })
    const keys = publicKeys(net, 0)
    net.stop(2) // Dead: f of the old nodes may be.
    const seven = net.change({ join: names('second', 7), leave: [0, 1, 2, 3] })
    net.settle()
    for (const node of seven) {
      expect(net.signer(node).epoch).toMatchObject({ version: 2n, stage: 'none' })
      expect(publicKeys(net, node)).toEqual(keys)
    }
    for (const node of [0, 1, 3]) {
      expect(net.signer(node).certificationShare(Uint8Array.of(1))).toBeUndefined()
      net.stop(node)
    }
    net.stop(present(seven[2], 'one of seven'))
    net.stop(present(seven[5], 'another'))
    signs(net, 'by the seven', present(seven[0], 'one of seven'))
    const four = net.change({ join: names('third', 4), leave: seven })
    net.settle()
    for (const node of four) expect(publicKeys(net, node)).toEqual(keys)
    for (const node of seven) net.stop(node)
    signs(net, 'by the last four', present(four[3], 'one of four'))
    expectCertifies(net, four)
    expect(net.faults).toEqual([])
  })

  it('§22.3 move: with a dead node and a lying dealer in each membership on the way', () => {
    const late = lateNet()
    // The first of the four, and one of the seven. Both deal badly to the second of the receivers.
    const liars = [0, 6].map((liar) => new LyingDealer({ net: late.net, liar, victims: [1] }))
    const [first, second] = liars
    const net = settled({
      nodes: 4,
      build: late.build,
      tamper: (from, to, message) =>
        liars.reduce<SignerMessage | undefined>(
          (current, { tamper }) => current && tamper(from, to, current),
          message,
        ),
    })
    const keys = publicKeys(net, 3)
    net.stop(2)
    let dealt = first?.dealt.length ?? 0
    const seven = net.change({ join: names('second', 7), leave: [0, 1, 2, 3] })
    const [dead = -1, , , , , , honest = -1] = seven
    net.stop(dead)
    net.settle()
    // Two keys of BLS and that of the minter, at least, hold bad dealings.
    expect(first?.dealt.length).toBeGreaterThan(dealt + 2)
    for (const node of seven.filter((one) => one !== dead))
      expect(publicKeys(net, node)).toEqual(keys)
    for (const node of [0, 1, 3]) net.stop(node)
    signs(net, 'by the seven', honest)
    dealt = second?.dealt.length ?? 0
    const four = net.change({ join: names('third', 4), leave: seven })
    net.settle()
    expect(second?.dealt.length).toBeGreaterThan(dealt + 2)
    for (const node of four) expect(publicKeys(net, node)).toEqual(keys)
    for (const node of [...seven, ...four.slice(0, 1)]) net.stop(node)
    signs(net, 'by three of the last four', present(four[3], 'one of four'))
    expectCertifies(net, four.slice(1))
    // Their victims have proven it, and nobody else is blamed.
    expect(new Set(net.faults.map(({ culprit }) => culprit))).toEqual(new Set([0, 6]))
    expect(net.faults.filter(({ reason }) => !reason.startsWith('BadShare'))).toEqual([])
  }, 600_000)

  it('one dead node is replaced by a new one, and the others stay', () => {
    const net = settled({ nodes: 4 })
    const keys = publicKeys(net, 0)
    net.stop(1)
    const [joined = -1] = net.change({ join: ['a new one'], leave: [1] })
    net.settle()
    expect(publicKeys(net, joined)).toEqual(keys)
    net.stop(0) // Of the four that are members now, one.
    signs(net, 'with the new one', joined)
    expectCertifies(net, [2, 3, joined])
  })
})
