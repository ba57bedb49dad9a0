/**
 * State as bytes: the structured clone of `node:v8`, with large arrays behind it, each where its
 * elements can be read in place. A state of hundreds of megabytes is taken from its snapshot without
 * copying it, and lies in memory once. Source: architecture §7, performance G2.
 */
import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { assert, present } from '../../core/base/errors.ts'

/** The kinds of arrays that a state may hold. */
const KINDS = [Uint8Array, Uint32Array, BigUint64Array] as const
type Elements = Uint8Array | Uint32Array | BigUint64Array
/** For each kind: the array that lies in some bytes. */
const IN_PLACE: readonly ((bytes: Uint8Array) => Elements)[] = [
  (bytes) => bytes,
  ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4),
  ({ buffer, byteOffset, length }) => new BigUint64Array(buffer, byteOffset, length / 8),
]

/** Shorter ones stay between the values around them. */
const LARGE_BYTES_MIN = 4_096
/** Bytes of the largest element, and of the number in front. */
const ALIGNMENT = 8

const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT
const bytesOf = ({ buffer, byteOffset, byteLength }: Elements): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

class StateWriter extends DefaultSerializer {
  /** In the order of their places. */
  readonly large: { readonly at: number; readonly bytes: Uint8Array }[] = []
  /** Of all that are large. */
  size = 0

  /** Node calls this for every array; see `readArray` for what it writes. */
  _writeHostObject(array: Elements): void {
    const kind = KINDS.findIndex((type) => array instanceof type)
    assert(kind >= 0, 'a state holds arrays of known kinds')
    const bytes = bytesOf(array)
    this.writeUint32(kind)
    this.writeUint32(bytes.length)
    if (bytes.length < LARGE_BYTES_MIN) {
      this.writeRawBytes(bytes)
      return
    }
    this.writeDouble(this.size)
    this.large.push({ at: this.size, bytes })
    this.size += aligned(bytes.length)
  }
}

class StateReader extends DefaultDeserializer {
  readonly #large: Uint8Array

  constructor(values: Uint8Array, large: Uint8Array) {
    super(values)
    this.#large = large
  }

  /** Kind, bytes, and the bytes themselves or their place among the large arrays. */
  _readHostObject(): Elements {
    const inPlace = present(IN_PLACE[this.readUint32()], 'an array of a known kind')
    const length = this.readUint32()
    const isLarge = length >= LARGE_BYTES_MIN
    const bytes = isLarge
      ? this.#large.subarray(this.readDouble()).subarray(0, length)
      : new Uint8Array(this.readRawBytes(length)) // A copy, so that its elements are in place.
    assert(bytes.length === length, 'the bytes of an array are all there')
    return inPlace(bytes)
  }
}

/** Shares no memory with `state`. Arrays lose whatever class they have beyond their kind. */
export function encodeState(state: unknown): Uint8Array {
  const writer = new StateWriter()
  writer.writeHeader()
  writer.writeValue(state)
  const values = writer.releaseBuffer()
  const largeAt = aligned(ALIGNMENT + values.length)
  const bytes = new Uint8Array(largeAt + writer.size)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(values.length))
  bytes.set(values, ALIGNMENT)
  for (const part of writer.large) bytes.set(part.bytes, largeAt + part.at)
  return bytes
}

/**
 * What `encodeState` was given. Large arrays lie in the memory of `bytes`, which are the state's own
 * from now on. Throws anything for bytes that it did not write.
 */
export function decodeState(bytes: Uint8Array): unknown {
  // Elements are read in place, which their place in the whole memory decides.
  if (bytes.byteOffset % ALIGNMENT !== 0) return decodeState(bytes.slice())
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = ALIGNMENT + Number(view.getBigUint64(0))
  const reader = new StateReader(bytes.subarray(ALIGNMENT, end), bytes.subarray(aligned(end)))
  reader.readHeader()
  return reader.readValue()
}
