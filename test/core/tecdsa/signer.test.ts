/** Whole signers over the sequencer: key, presignatures, signatures; nodes that stop, return and lie. */
import { secp256k1 as independent } from '@noble/curves/secp256k1.js'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../../src/core/base/derivation.ts'
import { present } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import type { SigningRequest } from '../../../src/core/tecdsa/schedule.ts'
import { SignerNet } from '../../support/signer-net.ts'

const request = (name: string): SigningRequest => ({
  id: sha256(utf8(`request ${name}`)),
  path: [utf8('caller'), utf8(name)],
  digest: sha256(utf8(`message ${name}`)),
})

function expectValid(net: SignerNet, asked: SigningRequest, node = 0): void {
  const found = present(
    net.completed.find(({ requestId }) => String(requestId) === String(asked.id)),
    'the request is completed',
  )
  const master = masterKey(present(net.signer(node).publicKey, 'the key is made'))
  const { publicKey } = derivePublicKey(master, asked.path)
  const valid = independent.verify(found.signature, asked.digest, publicKey, { prehash: false })
  expect(valid).toBe(true)
}

describe('a subnet of signers', () => {
  it.each([1, 2, 4, 5, 7])(
    'of %i nodes makes one key and signs under keys derived from it',
    (nodes) => {
      const net = new SignerNet({ nodes })
      net.settle()
      const keys = Array.from({ length: nodes }, (_, i) => String(net.signer(i).publicKey))
      expect(new Set(keys).size).toBe(1)
      expect(net.signer(0).stock).toBe(1)
      const asked = request('first')
      net.ask(asked)
      net.settle()
      expectValid(net, asked)
      expect(net.faults).toEqual([])
    },
  )

  it('signs request after request, each from a presignature of its own', () => {
    const net = new SignerNet({ nodes: 4 })
    const all = ['a', 'b', 'c'].map(request)
    for (const asked of all) net.ask(asked)
    net.settle()
    for (const asked of all) expectValid(net, asked)
    const pairings = [...present(net.records[0], 'node 0').keys()].filter((key) =>
      key.startsWith('pairing/'),
    )
    expect(new Set(pairings).size).toBe(3)
  })
})
