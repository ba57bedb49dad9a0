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
