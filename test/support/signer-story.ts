/** What the tests of whole signers ask of a net, and how they judge its answer. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js'
import { expect } from 'vitest'
import { equalBytes, utf8 } from '../../src/core/base/bytes.ts'
import { masterKey } from '../../src/core/base/derivation.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { KeyScheme } from '../../src/core/base/key-scheme.ts'
import { deriveKey, taprootOutputKey } from '../../src/core/base/key-scheme.ts'
import { verifyBls } from '../../src/core/base/verification.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import { MAIN_KEY, SignerNet } from './signer-net.ts'

/** A request of the name's own: id, path and digest are different for each name. */
export const request = (
  name: string,
  keyName = MAIN_KEY,
  scheme: KeyScheme = 'ecdsa',
): SigningRequest => ({
  id: sha256(utf8(`request ${name}`)),
  key: { scheme, name: keyName },
  path: [utf8('caller'), utf8(name)],
  message: sha256(utf8(`message ${name}`)),
  taprootRoot: undefined,
})

export const isDone = (net: SignerNet, asked: SigningRequest): boolean =>
  net.completed.some(({ requestId }) => equalBytes(requestId, asked.id))

/** What `asked` got verifies, by another library, under the key derived from `node`'s view of the master key. */
export function expectValid(net: SignerNet, asked: SigningRequest, node = 0): void {
  const found = present(
    net.completed.find(({ requestId }) => equalBytes(requestId, asked.id)),
    'the request is completed',
  )
  const master = masterKey(present(net.signer(node).publicKeyOf(asked.key), 'the key is made'))
  const { publicKey } = deriveKey(asked.key.scheme, master, asked.path)
  expect(isValid(asked, publicKey, found.signature)).toBe(true)
}

function isValid(
  { key: { scheme }, message, taprootRoot }: SigningRequest,
  publicKey: Uint8Array,
  signature: Uint8Array,
): boolean {
  switch (scheme) {
    case 'ecdsa':
      return secp256k1.verify(signature, message, publicKey, { prehash: false })
    case 'ed25519':
      return ed25519.verify(signature, message, publicKey, { zip215: false })
    case 'bip340': {
      const root = taprootRoot && taprootOutputKey(publicKey, taprootRoot)
      return schnorr.verify(signature, message, root ?? publicKey.slice(1))
    }
  }
}

/**
 * The first and the last of these nodes sign a certificate under the key that all of them hold, by
 * the shares of all.
 */
export function expectCertifies(net: SignerNet, nodes: readonly number[]): void {
  const message = utf8('a state root')
  const keys = nodes.map((i) => present(net.signer(i).certificationKey, 'the key is made'))
  expect(new Set(keys.map(String)).size).toBe(1)
  const shares = nodes.map((i) => [i, net.signer(i).certificationShare(message)] as const)
  const given = shares.flatMap(([i, share]) => (share === undefined ? [] : [[i, share] as const]))
  for (const node of [nodes.at(0), nodes.at(-1)]) {
    const signer = net.signer(present(node, 'a node'))
    const { signature, blamed } = signer.combineCertification(message, new Map(given))
    expect(blamed).toEqual([])
    const key = present(keys[0], 'a key')
    expect(verifyBls(key, message, present(signature, 'combined'))).toBe(true)
  }
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
