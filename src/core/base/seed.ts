/** Labelled seeds and the generator that grows from one. Source: threshold specification §3.8. */
import { chacha20orig } from '@noble/ciphers/chacha.js'
import { concat, fromBigEndian, fromLittleEndian } from './bytes.ts'
import { assert } from './errors.ts'
import type { Group, Secret } from './group.ts'
import { asSecret } from './group.ts'
import { expandMessage } from './random-oracle.ts'

const SEED_SIZE = 32
const BLOCK_SIZE = 64
const NONCE = new Uint8Array(8)

/** 32 secret bytes. One label, one use: the same label gives the same child. */
export class Seed {
  readonly #bytes: Uint8Array

  private constructor(bytes: Uint8Array) {
    assert(bytes.length === SEED_SIZE, 'a seed has 32 bytes')
    this.#bytes = bytes
  }

  static fromBytes(bytes: Uint8Array): Seed {
    return new Seed(expandMessage(bytes, 'ic-crypto-seed-from-bytes', SEED_SIZE))
  }

  static fromGenerator(generator: Generator): Seed {
    return new Seed(expandMessage(generator.bytes(SEED_SIZE), 'ic-crypto-seed-from-rng', SEED_SIZE))
  }

  derive(label: string): Seed {
    return new Seed(expandMessage(this.#bytes, label, SEED_SIZE))
  }

  generator(): Generator {
    return new Generator(this.#bytes)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}

/** ChaCha20 key stream under a seed, 64-bit block counter from 0, zero nonce. */
export class Generator {
  readonly #key: Uint8Array
  #counter = 0
  #buffer = new Uint8Array(0)

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** The next `size` bytes of the stream. */
  bytes(size: number): Uint8Array {
    while (this.#buffer.length < size) this.#buffer = concat(this.#buffer, this.#block()).slice()
    const taken = this.#buffer.slice(0, size)
    this.#buffer = this.#buffer.slice(size)
    return taken
  }

  #block(): Uint8Array {
    const block = chacha20orig(
      this.#key,
      NONCE,
      new Uint8Array(BLOCK_SIZE),
      undefined,
      this.#counter,
    )
    this.#counter += 1
    return block
  }

  /**
   * `count` words of 32 bits, each little-endian in the stream; known answers take their low bytes.
   */
  words(count: number): number[] {
    const bytes = this.bytes(4 * count)
    return Array.from({ length: count }, (_, i) =>
      Number(fromLittleEndian(bytes.subarray(4 * i, 4 * i + 4))),
    )
  }

  /** A scalar below the order: 32-byte draws until one fits. */
  scalar<P>(group: Group<P>): Secret {
    for (;;) {
      const draw = this.bytes(SEED_SIZE)
      const value = group.name === 'ed25519' ? fromLittleEndian(draw) : fromBigEndian(draw)
      if (value < group.order) return asSecret(value)
    }
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }
}
