/** What the tests of whole signers ask of a net, and how they judge its answer. */
import { secp256k1 as independent } from '@noble/curves/secp256k1.js'
import { expect } from 'vitest'
import { equalBytes, utf8 } from '../../src/core/base/bytes.ts'
import { derivePublicKey, masterKey } from '../../src/core/base/derivation.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { SigningRequest } from '../../src/core/tecdsa/schedule.ts'
import { SignerNet } from './signer-net.ts'

/** A request of the name's own: id, path and digest are different for each name. */
export const request = (name: string): SigningRequest => ({
  id: sha256(utf8(`request ${name}`)),
  path: [utf8('caller'), utf8(name)],
  digest: sha256(utf8(`message ${name}`)),
})

export const isDone = (net: SignerNet, asked: SigningRequest): boolean =>
  net.completed.some(({ requestId }) => equalBytes(requestId, asked.id))

/** What `asked` got verifies, by another library, under the key derived from `node`'s view of the master key. */
export function expectValid(net: SignerNet, asked: SigningRequest, node = 0): void {
  const found = present(
    net.completed.find(({ requestId }) => equalBytes(requestId, asked.id)),
    'the request is completed',
  )
  const master = masterKey(present(net.signer(node).publicKey, 'the key is made'))
  const { publicKey } = derivePublicKey(master, asked.path)
  const valid = independent.verify(found.signature, asked.digest, publicKey, { prehash: false })
  expect(valid).toBe(true)
}

/** A net that has its key and a presignature. */
export function settled(
  options: ConstructorParameters<typeof SignerNet>[0] = { nodes: 4 },
): SignerNet {
  const net = new SignerNet(options)
  net.settle()
  expect(net.signer(0).stock).toBe(1)
  return net
}
