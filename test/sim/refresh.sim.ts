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
import type { SignerNet } from '../support/signer-net.ts'
import { expectCertifies, expectValid, request, settled } from '../support/signer-story.ts'

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
