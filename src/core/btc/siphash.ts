/** SipHash-2-4 of many byte strings under changing keys. Source: BIP158; Aumasson, Bernstein 2012. */

/**
 * Byte strings as 32-bit words, each closed by its length as SipHash wants it; packed once, hashed
 * under the key of every block.
 */
export class PackedStrings {
  readonly #words: Int32Array
  /** Where each string begins; one more for the end of the last. */
  readonly #starts: Uint32Array
  #high = 0
  #low = 0

  constructor(strings: readonly Uint8Array[]) {
    this.#starts = new Uint32Array(strings.length + 1)
    let size = 0
    for (const [i, { length }] of strings.entries()) {
      size += 2 * (Math.floor(length / 8) + 1)
      this.#starts[i + 1] = size
    }
    this.#words = new Int32Array(size)
    for (const [i, bytes] of strings.entries()) this.#pack(bytes, this.#starts[i] ?? 0)
  }

  get count(): number {
    return this.#starts.length - 1
  }
  /** Upper and lower half of the last hash. */
  get high(): number {
    return this.#high
  }
  get low(): number {
    return this.#low
  }

  #pack(bytes: Uint8Array, start: number): void {
    const words = this.#words
    for (const [i, byte] of bytes.entries()) {
      const at = start + (i >> 2)
      words[at] = (words[at] ?? 0) | (byte << (8 * (i & 3)))
    }
    const last = start + 2 * Math.floor(bytes.length / 8) + 1
    words[last] = (words[last] ?? 0) | (bytes.length << 24)
  }

  /** Hashes the string at `index`; the result stands in `high` and `low`. */
  hash({ k0Low, k0High, k1Low, k1High }: SipKey, index: number): void {
    const words = this.#words
    const end = this.#starts[index + 1] ?? 0
    let v0h = 0x736f6d65 ^ k0High
    let v0l = 0x70736575 ^ k0Low
    let v1h = 0x646f7261 ^ k1High
    let v1l = 0x6e646f6d ^ k1Low
    let v2h = 0x6c796765 ^ k0High
    let v2l = 0x6e657261 ^ k0Low
    let v3h = 0x74656462 ^ k1High
    let v3l = 0x79746573 ^ k1Low
    for (let at = this.#starts[index] ?? 0; at <= end; at += 2) {
      const isLast = at === end
      const low = isLast ? 0 : (words[at] ?? 0)
      const high = isLast ? 0 : (words[at + 1] ?? 0)
      v3l ^= low
      v3h ^= high
      if (isLast) v2l ^= 0xff
      for (let round = isLast ? 4 : 2; round > 0; round--) {
        // v0 += v1, v1 <<<= 13, v1 ^= v0, v0 <<<= 32
        v0l = (v0l + v1l) | 0
        v0h = (v0h + v1h + (v0l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0
        let t = v1h
        v1h = ((v1h << 13) | (v1l >>> 19)) ^ v0h
        v1l = ((v1l << 13) | (t >>> 19)) ^ v0l
        t = v0h
        v0h = v0l
        v0l = t
        // v2 += v3, v3 <<<= 16, v3 ^= v2
        v2l = (v2l + v3l) | 0
        v2h = (v2h + v3h + (v2l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0
        t = v3h
        v3h = ((v3h << 16) | (v3l >>> 16)) ^ v2h
        v3l = ((v3l << 16) | (t >>> 16)) ^ v2l
        // v0 += v3, v3 <<<= 21, v3 ^= v0
        v0l = (v0l + v3l) | 0
        v0h = (v0h + v3h + (v0l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0
        t = v3h
        v3h = ((v3h << 21) | (v3l >>> 11)) ^ v0h
        v3l = ((v3l << 21) | (t >>> 11)) ^ v0l
        // v2 += v1, v1 <<<= 17, v1 ^= v2, v2 <<<= 32
        v2l = (v2l + v1l) | 0
        v2h = (v2h + v1h + (v2l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0
        t = v1h
        v1h = ((v1h << 17) | (v1l >>> 15)) ^ v2h
        v1l = ((v1l << 17) | (t >>> 15)) ^ v2l
        t = v2h
        v2h = v2l
        v2l = t
      }
      v0l ^= low
      v0h ^= high
    }
    this.#high = (v0h ^ v1h ^ v2h ^ v3h) >>> 0
    this.#low = (v0l ^ v1l ^ v2l ^ v3l) >>> 0
  }
}

/** The 128-bit key as four words. */
export type SipKey = {
  readonly k0Low: number
  readonly k0High: number
  readonly k1Low: number
  readonly k1High: number
}

/** Key of 16 bytes, little-endian halves. */
export function sipKey(bytes: Uint8Array): SipKey {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
  return {
    k0Low: view.getInt32(0, true),
    k0High: view.getInt32(4, true),
    k1Low: view.getInt32(8, true),
    k1High: view.getInt32(12, true),
  }
}

/** One hash as a number of 64 bits. */
export function sipHash(key: Uint8Array, bytes: Uint8Array): bigint {
  const packed = new PackedStrings([bytes])
  packed.hash(sipKey(key), 0)
  return (BigInt(packed.high) << 32n) | BigInt(packed.low)
}
