/** Messages on a stream of bytes: a length of four bytes, then as many. Bounded before it is held. */
import { concat, u32be } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'

const LENGTH_SIZE = 4
/** Pieces shorter than this are joined as they come: each has a price of its own. */
const PIECE_SIZE_MIN = 4_096

export const frame = (...parts: readonly Uint8Array[]): Uint8Array =>
  concat(u32be(parts.reduce((sum, part) => sum + part.length, 0)), ...parts)

/** Puts frames together again, however the stream was cut. */
export class FrameReader {
  #sizeMax: number
  #chunks: Uint8Array[] = []
  #size = 0

  /** A frame whose body is longer is refused. */
  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax
  }

  /** From the next frame on. */
  limit(sizeMax: number): void {
    this.#sizeMax = sizeMax
  }

  push(chunk: Uint8Array): void {
    this.#size += chunk.length
    let piece = chunk
    // Only to one that is not longer, so that no byte is copied often.
    for (let last = this.#chunks.at(-1); last !== undefined; last = this.#chunks.at(-1)) {
      if (last.length >= PIECE_SIZE_MIN || last.length > piece.length) break
      piece = concat(last, piece)
      this.#chunks.pop()
    }
    this.#chunks.push(piece)
  }

  /** The next whole frame; undefined when more has to come. Throws `BadEncoding`. */
  next(): Uint8Array | undefined {
    if (this.#size < LENGTH_SIZE) return undefined
    const head = this.#joined(LENGTH_SIZE)
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0)
    if (length > this.#sizeMax)
      throw new BadEncoding(`a frame of ${length} bytes, at most ${this.#sizeMax} allowed`)
    if (this.#size < LENGTH_SIZE + length) return undefined
    const whole = this.#joined(LENGTH_SIZE + length)
    this.#chunks[0] = whole.subarray(LENGTH_SIZE + length)
    this.#size -= LENGTH_SIZE + length
    return whole.slice(LENGTH_SIZE, LENGTH_SIZE + length)
  }

  /** The first chunk, once it holds `size` bytes. */
  #joined(size: number): Uint8Array {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= size) return first
    const all = concat(...this.#chunks)
    this.#chunks = [all]
    return all
  }
}
