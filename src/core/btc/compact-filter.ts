/**
 * Basic block filters: Golomb-coded sets of the scripts that a block pays or spends. Source:
 * bitcoin.md §8.5; BIP158.
 */
import type { BlockHash, Hash32 } from '../base/bytes.ts'
import { concat, toHex } from '../base/bytes.ts'
import { BadEncoding } from '../base/errors.ts'
import { sha256d } from '../base/hash.ts'
import type { Block } from './block.ts'
import { op } from './script.ts'
import { PackedStrings, sipKey } from './siphash.ts'
import { ByteCursor, ByteSink } from './wire.ts'

/** Bits of a remainder. */
const P = 19
/** One false positive among so many. */
const M = 784_931
const REMAINDER = 2 ** P
const TWO_32 = 2 ** 32

/** The only type of filter there is. */
export const BASIC_FILTER = 0

/**
 * A filter taken apart. A value v below N·M stands in bucket ⌊v / M⌋, so a set of any size is
 * searched in about one step.
 */
export type CompactFilter = {
  /** N. */
  readonly count: number
  /** Where each bucket begins in `remainders`; one more for the end of the last. */
  readonly starts: Uint32Array
  /** v mod M, in ascending order of v. */
  readonly remainders: Uint32Array
}

/**
 * What the filter of a block must hold: every output script but empty ones and OP_RETURN, and every
 * script that it spends, each once. `spent`: those of all inputs but the coinbase's, in any order;
 * scripts that were created in the block itself may be left out.
 */
export function filterElements(
  block: Pick<Block, 'transactions'>,
  spent: readonly Uint8Array[],
): readonly Uint8Array[] {
  const elements = new Map<string, Uint8Array>()
  for (const script of [...outputScripts(block), ...spent])
    if (script.length > 0) elements.set(toHex(script), script)
  return [...elements.values()]
}

/** Output scripts that a filter of the block must hold. */
export const outputScripts = ({ transactions }: Pick<Block, 'transactions'>): Uint8Array[] =>
  transactions.flatMap(({ outputs }) =>
    outputs.flatMap(({ script }) => (script.length > 0 && script[0] !== op.return ? script : [])),
  )

/** The filter of distinct elements, in its serial form. */
export function encodeFilter(block: BlockHash, elements: readonly Uint8Array[]): Uint8Array {
  const packed = new PackedStrings(elements)
  const key = sipKey(block)
  const values = new Float64Array(packed.count)
  for (let i = 0; i < packed.count; i++) {
    packed.hash(key, i)
    const bucket = bucketOf(packed, packed.count)
    values[i] = bucket * M + remainderOf(packed, packed.count)
  }
  values.sort()
  const bits = new BitSink()
  let last = 0
  for (const value of values) {
    const delta = value - last
    for (let quotient = Math.floor(delta / REMAINDER); quotient > 0; quotient--) bits.bit(1)
    bits.bit(0)
    const remainder = delta % REMAINDER
    for (let i = P - 1; i >= 0; i--) bits.bit((remainder >> i) & 1)
    last = value
  }
  return concat(new ByteSink().length(packed.count).done(), bits.done())
}

/** Every prefix, trailing bytes, bits of padding that are set and values out of range are refused. */
export function decodeFilter(bytes: Uint8Array): CompactFilter {
  const cursor = new ByteCursor(bytes)
  const count = cursor.length()
  // An element has P + 1 bits at least, which bounds what is allocated.
  if (count * (P + 1) > cursor.remaining * 8)
    throw new BadEncoding(`a filter of ${count} elements in ${cursor.remaining} bytes`)
  const bits = new BitSource(cursor.raw(cursor.remaining))
  const remainders = new Uint32Array(count)
  const starts = new Uint32Array(count + 1)
  let value = 0
  let bucket = 0
  for (let i = 0; i < count; i++) {
    value += bits.unary() * REMAINDER + bits.number(P)
    const here = Math.floor(value / M)
    if (here >= count) throw new BadEncoding('a value of a filter is out of range')
    for (; bucket < here; bucket++) starts[bucket + 1] = i
    remainders[i] = value - here * M
  }
  for (; bucket < count; bucket++) starts[bucket + 1] = count
  bits.end()
  return { count, starts, remainders }
}

/** Indices of the strings that the block may hold; a script that it holds is always among them. */
export function matchFilter(
  filter: CompactFilter,
  block: BlockHash,
  strings: PackedStrings,
): readonly number[] {
  const { count, starts, remainders } = filter
  const key = sipKey(block)
  const found: number[] = []
  if (count === 0) return found
  for (let i = 0; i < strings.count; i++) {
    strings.hash(key, i)
    const bucket = bucketOf(strings, count)
    const end = starts[bucket + 1] ?? 0
    for (let at = starts[bucket] ?? 0; at < end; at++)
      if (remainders[at] === remainderOf(strings, count)) {
        found.push(i)
        break
      }
  }
  return found
}

type Halves = { readonly high: number; readonly low: number }

/**
 * ⌊h·N / 2^64⌋ of a 64-bit hash. With the remainder below it gives ⌊h·N·M / 2^64⌋ = bucket · M +
 * remainder; all products stay below 2^53.
 */
const bucketOf = ({ high, low }: Halves, count: number): number =>
  Math.floor((high * count + Math.floor((low * count) / TWO_32)) / TWO_32)

function remainderOf({ high, low }: Halves, count: number): number {
  const lows = low * count
  const upper = (high * count + Math.floor(lows / TWO_32)) % TWO_32
  return Math.floor((upper * M + Math.floor(((lows % TWO_32) * M) / TWO_32)) / TWO_32)
}

export const filterHash = (filter: Uint8Array): Hash32 => sha256d(filter)

/** The header commits to the filters of a block and of all before it; genesis follows zeros. */
export const filterHeader = (hash: Hash32, previous: Hash32): Hash32 =>
  sha256d(concat(hash, previous))

/** Bits from the most significant of each byte on. */
class BitSink {
  readonly #bytes: number[] = []
  #used = 8

  bit(bit: number): void {
    if (this.#used === 8) {
      this.#bytes.push(0)
      this.#used = 0
    }
    const at = this.#bytes.length - 1
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (bit << (7 - this.#used++))
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}

class BitSource {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }
  #bit(): number {
    const byte = this.#bytes[this.#at >> 3]
    if (byte === undefined) throw new BadEncoding('a filter is cut short')
    return (byte >> (7 - (this.#at++ & 7))) & 1
  }
  unary(): number {
    let ones = 0
    while (this.#bit() === 1) ones++
    return ones
  }
  number(size: number): number {
    let value = 0
    for (let left = size; left > 0; ) {
      const byte = this.#bytes[this.#at >> 3]
      if (byte === undefined) throw new BadEncoding('a filter is cut short')
      const room = 8 - (this.#at & 7)
      const taken = Math.min(room, left)
      value = (value << taken) | ((byte >> (room - taken)) & ((1 << taken) - 1))
      this.#at += taken
      left -= taken
    }
    return value
  }
  /** Nothing but bits of zero up to the end of the byte may follow. */
  end(): void {
    if (this.#bytes.length !== (this.#at + 7) >> 3) throw new BadEncoding('a filter has more bytes')
    while ((this.#at & 7) !== 0)
      if (this.#bit() !== 0) throw new BadEncoding('a filter is padded with ones')
  }
}
