/** Header rules: targets, required bits, time and version. Source: `bitcoin.md` §4; BIP94. */
import type { BlockHash } from '../base/bytes.ts'
import { fromLittleEndian } from '../base/bytes.ts'
import type { BlockHeader } from './block.ts'
import { headerHash } from './block.ts'
import type { Network } from './network.ts'

export const RETARGET_INTERVAL = 2016
export const RETARGET_TIMESPAN_S = 1_209_600
export const MEDIAN_TIME_SPAN = 11
/** How far a header's time may be ahead of the local clock. */
export const FUTURE_MAX_S = 7_200

const MIN_DIFFICULTY_GAP_S = 1_200
const TIMEWARP_MAX_S = 600

/** Target that `bits` stand for; undefined if they are invalid or above the limit (HDR-1). */
export function targetOfBits(bits: number, network: Network): bigint | undefined {
  const target = expandBits(bits)
  return target === undefined || target > network.powLimit ? undefined : target
}

/** Target of bits, whatever the limit. One over 256 bits is above every limit and has no work. */
function expandBits(bits: number): bigint | undefined {
  const exponent = bits >>> 24
  const mantissa = bits & 0x7f_ffff
  const shift = BigInt(8 * (exponent - 3))
  const target = shift < 0n ? BigInt(mantissa) >> -shift : BigInt(mantissa) << shift
  const negative = (bits & 0x80_0000) !== 0
  return negative || target === 0n ? undefined : target
}

/** Compact form of a target, truncated downward (HDR-3). */
export function bitsOfTarget(target: bigint): number {
  let exponent = Math.ceil(target.toString(16).length / 2)
  const shift = BigInt(8 * (exponent - 3))
  let mantissa = Number(shift < 0n ? target << -shift : target >> shift)
  if (mantissa & 0x80_0000) {
    mantissa >>= 8
    exponent++
  }
  return exponent * 0x100_0000 + mantissa
}

/** Expected hashes behind a header: ⌊2^256 / (target + 1)⌋; 0 for invalid bits (HDR-4). */
export function workOfBits(bits: number): bigint {
  const target = expandBits(bits)
  return target === undefined ? 0n : (1n << 256n) / (target + 1n)
}

/** The hash, read as a little-endian number, is at most the target (HDR-2). */
export const hashMeetsTarget = (hash: BlockHash, target: bigint): boolean =>
  fromLittleEndian(hash) <= target

/** Integer difficulty of valid bits, at least 1: the unit of stability (HDR-5). */
export function difficulty(bits: number, network: Network): bigint {
  const easiest = expandBits(network.powLimitBits)
  const target = expandBits(bits)
  if (easiest === undefined || target === undefined || target >= easiest) return 1n
  return easiest / target
}

/** The header of height `height` on the branch that ends in the parent. */
export type Ancestor = (height: number) => BlockHeader

export type HeaderContext = {
  readonly network: Network
  /** Height of the header in question, at least 1. */
  readonly height: number
  readonly ancestor: Ancestor
}

/** Bits that a header at `height` with time `time` must have (HDR-6 to HDR-8). */
export function requiredBits({
  network,
  height,
  ancestor,
  time,
}: HeaderContext & { readonly time: number }): number {
  const parent = ancestor(height - 1)
  if (height % RETARGET_INTERVAL === 0)
    return network.retarget === 'never'
      ? parent.bits
      : retargetBits({ network, first: ancestor(height - RETARGET_INTERVAL), last: parent })
  if (!network.minDifficultyBlocks) return parent.bits
  if (time > parent.time + MIN_DIFFICULTY_GAP_S) return network.powLimitBits
  return lastRealBits({ network, height, ancestor })
}

/** HDR-6: `first` and `last` are the first and last header of the period that ends. */
export function retargetBits({
  network,
  first,
  last,
}: {
  readonly network: Network
  readonly first: Pick<BlockHeader, 'time' | 'bits'>
  readonly last: Pick<BlockHeader, 'time' | 'bits'>
}): number {
  // The span may be negative: times need not grow. Numbers are signed, so it clamps like any other.
  const span = Math.min(
    Math.max(last.time - first.time, RETARGET_TIMESPAN_S / 4),
    RETARGET_TIMESPAN_S * 4,
  )
  const base = expandBits(network.retarget === 'firstBlock' ? first.bits : last.bits) ?? 0n
  const target = (base * BigInt(span)) / BigInt(RETARGET_TIMESPAN_S)
  return bitsOfTarget(target > network.powLimit ? network.powLimit : target)
}

/**
 * Whether bits may change so at `height`, whatever the times are: all that can be asked of a chain
 * of which nothing is kept (HDR-13).
 */
export function mayChangeBits({
  network,
  height,
  from,
  to,
}: {
  readonly network: Network
  readonly height: number
  readonly from: number
  readonly to: number
}): boolean {
  if (network.minDifficultyBlocks) return true // Bounded by the limit alone.
  if (height % RETARGET_INTERVAL !== 0) return from === to
  const bitsAfter = (span: number): number => {
    const [first, last] = [
      { time: 0, bits: from },
      { time: span, bits: from },
    ] as const
    return retargetBits({ network, first, last })
  }
  const target = expandBits(to) ?? 0n
  const [shortest, longest] = [0, 8 * RETARGET_TIMESPAN_S].map(
    (span) => expandBits(bitsAfter(span)) ?? 0n,
  )
  return shortest !== undefined && longest !== undefined && shortest <= target && target <= longest
}

/** HDR-7: bits of the newest ancestor that is no minimum-difficulty block, or starts a period. */
function lastRealBits({ network, height, ancestor }: HeaderContext): number {
  // Where nothing ever retargets, every period begins as the first: no need to walk there.
  if (network.retarget === 'never') return network.genesis.bits
  let at = height - 1
  let { bits } = ancestor(at)
  while (at % RETARGET_INTERVAL !== 0 && bits === network.powLimitBits) {
    at--
    bits = ancestor(at).bits
  }
  return bits
}

/** Median of the times of up to eleven headers, in any order: element ⌊n/2⌋ of them sorted. */
export function medianTimePast(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** Median time past of the parent of a header at `height`: what its own time must exceed. */
export function parentMedianTime({ height, ancestor }: Omit<HeaderContext, 'network'>): number {
  const times: number[] = []
  for (let at = height - 1; at >= 0 && times.length < MEDIAN_TIME_SPAN; at--)
    times.push(ancestor(at).time)
  return medianTimePast(times)
}

export type HeaderReject =
  | 'high-hash'
  | 'bad-diffbits'
  | 'time-too-old'
  | 'time-timewarp-attack'
  | 'bad-version'
  | 'time-too-new'

/**
 * Why a header may not follow its ancestors, in Bitcoin Core's words. Links are the caller's.
 *
 * `time-too-new` is said only of a header with no other flaw: it may be valid later (HDR-10).
 */
export function checkHeader(
  header: BlockHeader,
  context: HeaderContext & { readonly nowSeconds: number; readonly hash?: BlockHash },
): HeaderReject | undefined {
  const { network, height, ancestor } = context
  const target = targetOfBits(header.bits, network)
  if (target === undefined || !hashMeetsTarget(context.hash ?? headerHash(header), target))
    return 'high-hash'
  if (header.bits !== requiredBits({ network, height, ancestor, time: header.time }))
    return 'bad-diffbits'
  if (header.time <= parentMedianTime(context)) return 'time-too-old' // HDR-9
  if (
    network.timewarpLimit &&
    height % RETARGET_INTERVAL === 0 &&
    header.time < ancestor(height - 1).time - TIMEWARP_MAX_S
  )
    return 'time-timewarp-attack' // HDR-11
  if (header.version < versionMin(network, height)) return 'bad-version'
  return header.time > context.nowSeconds + FUTURE_MAX_S ? 'time-too-new' : undefined
}

/** What to tell the user where a header is too far before the clock to be taken (HDR-10). */
export function clockDoubt(aheadSeconds: number): string {
  const minutes = Math.round(aheadSeconds / 60)
  const lead = `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `a block header is ${lead} ahead of the clock of this computer: compare it with another`
}

/** §4.3: a header's version tells which soft forks its miner knew. */
function versionMin({ forks }: Network, height: number): number {
  if (height >= forks.bip65) return 4
  if (height >= forks.bip66) return 3
  return height >= forks.bip34 ? 2 : -0x8000_0000
}
