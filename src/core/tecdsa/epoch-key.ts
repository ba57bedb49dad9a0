/**
 * What a node keeps secret for one epoch: its MEGa key, and the seeds of what it deals and proves
 * while this key is the one by which transcripts name it. Source: threshold §§3.8, 6.1, 11.4.
 *
 * Seeds of dealings are of the epoch, too: who could draw a dealing again would read in it the share
 * that it hands on, long after the share was erased.
 */
import { assert } from '../base/errors.ts'
import { encodePoint } from '../base/group.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { Seed } from '../base/seed.ts'
import type { MegaSecretKey } from './mega.ts'
import { generateMegaKey } from './mega.ts'
import { ecdsaSecp256k1 } from './suite.ts'

export class EpochKey {
  #seed: Seed | undefined
  readonly mega: MegaSecretKey
  /** 33 bytes. */
  readonly publicKey: Uint8Array

  constructor(seed: Seed) {
    this.#seed = seed
    const generator = seed.derive('ckbtc-node-encryption-key').generator()
    this.mega = generateMegaKey(ecdsaSecp256k1(secp256k1), generator)
    this.publicKey = encodePoint(secp256k1, this.mega.publicKey)
  }

  isOf(publicKey: Secp256k1Point): boolean {
    return secp256k1.equals(this.mega.publicKey, publicKey)
  }

  /** The label names the statement that the seed is for (§3.8). */
  seedOf(label: string): Seed {
    assert(this.#seed !== undefined, 'an erased epoch deals nothing')
    return this.#seed.derive(label)
  }

  erase(): void {
    this.#seed = undefined
    this.mega.secret.erase()
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}
