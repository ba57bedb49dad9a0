/** A growing list of bits, eight to a byte. For `docs/spec/bitcoin.md` HDR-13. */
const FIRST_BYTES = 64

export class BitList {
  #bytes = new Uint8Array(FIRST_BYTES)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(bit: boolean): void {
    const at = this.#length >> 3
    if (at === this.#bytes.length) {
      const grown = new Uint8Array(2 * at)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    if (bit) this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (this.#length & 7))
    this.#length++
  }

  /** Undefined past the end. */
  at(index: number): boolean | undefined {
    if (index >= this.#length) return undefined
    return (((this.#bytes[index >> 3] ?? 0) >> (index & 7)) & 1) === 1
  }
}
