/** Secrets of a node that a test can make again, those of later epochs included. */
import type { Seed } from '../../src/core/base/seed.ts'
import { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'

export function nodeKeys(root: Seed, life = 0n): NodeKeys {
  const generator = root.derive(`entropy of later epochs, life ${life}`).generator()
  return new NodeKeys(root, nativeEd25519, (size) => generator.bytes(size))
}
