/**
 * A chain of unknown worth, read twice: the first time it proves its work and leaves one secret bit
 * in so many headers, the second time it is held to them and handed on. Source:
 * `docs/spec/bitcoin.md` §4.4 HDR-13, HDR-14.
 */
import type { BlockHash } from '../base/bytes.ts'
import { concat, equalBytes, fromBigEndian } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import { BitList } from './bit-list.ts'
import type { BlockHeader } from './block.ts'
import { FUTURE_MAX_S, hashMeetsTarget, mayChangeBits, targetOfBits, workOfBits } from './header.ts'
import type { Network } from './network.ts'

/** Headers to one remembered bit. */
export const PRESYNC_PERIOD = 600
/**
 * Headers of the second pass that wait for the ones above them: 24 bits stand over each that is
 * handed on, so a chain that was not shown before comes through once in 16 million times.
 */
export const PRESYNC_BUFFER = 24 * PRESYNC_PERIOD
/** No chain can have more blocks for long: each must be newer than the median of eleven (HDR-9). */
const BLOCKS_PER_SECOND_MAX = 6

export type PresyncOptions = {
  readonly network: Network
  /** Our header that the peer's chain begins after. */
  readonly start: {
    readonly hash: BlockHash
    readonly height: number
    readonly work: bigint
    readonly header: BlockHeader
  }
  /** Median time past of `start`. */
  readonly startTime: number
  readonly nowSeconds: number
  /** Work that the chain has to show, that of `start` included. */
  readonly threshold: bigint
  /** Random, and unknown to peers. */
  readonly salt: Uint8Array
  readonly period?: number
  readonly buffer?: number
}

/** A header with its hash, which is needed often and takes long. */
export type HashedHeader = { readonly header: BlockHeader; readonly hash: BlockHash }

export type PresyncStep =
  /** Headers that have proven themselves, parents first; there is more after `last`. */
  | { readonly type: 'more'; readonly proven: readonly HashedHeader[] }
  /** The same, and both passes are over: the chain has the work that it has to have. */
  | { readonly type: 'done'; readonly proven: readonly HashedHeader[] }
  /** The peer has no more to show, or shows another chain than before: nothing is held against it. */
  | { readonly type: 'given up'; readonly reason: string }
  /** A header from the future ends what can be read now (HDR-10). */
  | { readonly type: 'early'; readonly time: number }
  | { readonly type: 'invalid'; readonly reason: 'high-hash' | 'bad-diffbits' }

/** How far one pass has come. */
type Place = {
  readonly hash: BlockHash
  readonly height: number
  readonly work: bigint
  readonly bits: number
}

/** Memory: one bit in `period` headers of a chain as long as its time allows, and the buffer. */
export class HeaderPresync {
  readonly #options: PresyncOptions
  readonly #period: number
  readonly #bufferMax: number
  readonly #bitsMax: number
  /** Which header of each period leaves its bit. */
  readonly #offset: number
  readonly #bits = new BitList()
  #place: Place
  #isSecond = false
  #bitsSeen = 0
  #buffer: HashedHeader[] = []
  #read = 0

  constructor(options: PresyncOptions) {
    this.#options = options
    this.#period = options.period ?? PRESYNC_PERIOD
    this.#bufferMax = options.buffer ?? PRESYNC_BUFFER
    const seconds = Math.max(0, options.nowSeconds + FUTURE_MAX_S - options.startTime)
    this.#bitsMax = Math.ceil((BLOCKS_PER_SECOND_MAX * seconds) / this.#period)
    this.#offset = Number(fromBigEndian(sha256(options.salt).subarray(0, 4))) % this.#period
    this.#place = placeOf(options)
  }

  /** The header to go on after. */
  get last(): BlockHash {
    return this.#place.hash
  }
  /** Headers read so far, in both passes. */
  get read(): number {
    return this.#read
  }
  /** Whether the chain has proven its work, and is fetched to be kept. */
  get isSecondPass(): boolean {
    return this.#isSecond
  }
  /** Bits remembered, for all there is to be remembered between messages. */
  get remembered(): number {
    return this.#bits.length
  }

  /**
   * Headers that chain to each other, the first on `last`. `isFull`: the peer may have more.
   */
  receive(headers: readonly HashedHeader[], isFull: boolean): PresyncStep {
    this.#read += headers.length
    return this.#isSecond ? this.#again(headers, isFull) : this.#first(headers, isFull)
  }

  #first(headers: readonly HashedHeader[], isFull: boolean): PresyncStep {
    for (const hashed of headers) {
      const flaw = this.#advance(hashed)
      if (flaw !== undefined) return flaw
      if (this.#isBitDue()) {
        if (this.#bits.length >= this.#bitsMax)
          return giveUp('more headers than there was time for')
        this.#bits.push(this.#bitOf(hashed.hash))
      }
      if (this.#place.work >= this.#options.threshold) {
        this.#isSecond = true
        this.#place = placeOf(this.#options)
        return { type: 'more', proven: [] }
      }
    }
    return isFull ? { type: 'more', proven: [] } : giveUp('its chain has too little work')
  }

  #again(headers: readonly HashedHeader[], isFull: boolean): PresyncStep {
    for (const [i, hashed] of headers.entries()) {
      const flaw = this.#advance(hashed)
      if (flaw !== undefined) return flaw
      if (this.#isBitDue()) {
        if (this.#bits.at(this.#bitsSeen) !== this.#bitOf(hashed.hash))
          return giveUp('other headers than at first')
        this.#bitsSeen++
      }
      this.#buffer.push(hashed)
      if (this.#place.work >= this.#options.threshold)
        return { type: 'done', proven: [...this.#take(0), ...headers.slice(i + 1)] }
    }
    if (!isFull) return giveUp('fewer headers than at first')
    return { type: 'more', proven: this.#take(this.#bufferMax) }
  }

  /** Takes all but the newest `rest` out of the buffer. */
  #take(rest: number): readonly HashedHeader[] {
    return this.#buffer.splice(0, Math.max(0, this.#buffer.length - rest))
  }

  #advance({ header, hash }: HashedHeader): PresyncStep | undefined {
    const { network, nowSeconds } = this.#options
    const { work, bits } = this.#place
    const height = this.#place.height + 1
    if (!equalBytes(header.previous, this.#place.hash))
      return giveUp('its headers do not go on where they ended')
    if (!mayChangeBits({ network, height, from: bits, to: header.bits }))
      return { type: 'invalid', reason: 'bad-diffbits' }
    const target = targetOfBits(header.bits, network)
    if (target === undefined || !hashMeetsTarget(hash, target))
      return { type: 'invalid', reason: 'high-hash' }
    if (header.time > nowSeconds + FUTURE_MAX_S) return { type: 'early', time: header.time }
    this.#place = { hash, height, work: work + workOfBits(header.bits), bits: header.bits }
    return undefined
  }

  #isBitDue(): boolean {
    return (this.#place.height - this.#options.start.height) % this.#period === this.#offset
  }

  #bitOf(hash: BlockHash): boolean {
    return ((sha256(concat(this.#options.salt, hash))[0] ?? 0) & 1) === 1
  }
}

const placeOf = ({ start }: PresyncOptions): Place => ({
  hash: start.hash,
  height: start.height,
  work: start.work,
  bits: start.header.bits,
})

const giveUp = (reason: string): PresyncStep => ({ type: 'given up', reason })
