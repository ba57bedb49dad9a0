/** Script trees of taproot outputs: branches, control blocks, the commitment. Source: BIP341. */
import type { Hash32 } from '../base/bytes.ts'
import { concat, equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { taggedHash } from '../base/hash.ts'
import { taprootOutputPoint } from '../base/key-scheme.ts'

/** First byte of an annex, and of nothing else that may stand last in a taproot witness. */
export const ANNEX_TAG = 0x50
/** Leaf version whose scripts BIP342 defines; all others are left to the future. */
export const TAPSCRIPT_LEAF = 0xc0
/** The first byte of a control block holds the leaf version, and in its last bit the parity. */
export const LEAF_VERSION_MASK = 0xfe

const PARITY_MASK = 0x01
const BASE_SIZE = 33
const NODE_SIZE = 32
const DEPTH_MAX = 128

/** How a leaf hangs below an output: its version, the internal key, the hashes beside the path. */
export type ControlBlock = {
  readonly leafVersion: number
  /** Of y of the output key: 0 even, 1 odd. */
  readonly parity: number
  readonly internalKey: Uint8Array
  /** From the leaf upward. */
  readonly path: readonly Uint8Array[]
}

/** Undefined for a size that no control block has; any bytes of a right size are one. */
export function readControlBlock(bytes: Uint8Array): ControlBlock | undefined {
  const [first] = bytes
  const depth = (bytes.length - BASE_SIZE) / NODE_SIZE
  if (first === undefined || depth < 0 || depth > DEPTH_MAX || !Number.isInteger(depth))
    return undefined
  return {
    leafVersion: first & LEAF_VERSION_MASK,
    parity: first & PARITY_MASK,
    internalKey: bytes.subarray(1, BASE_SIZE),
    path: Array.from({ length: depth }, (_, i) => {
      const start = BASE_SIZE + i * NODE_SIZE
      return bytes.subarray(start, start + NODE_SIZE)
    }),
  }
}

/** Hash of two subtrees: the smaller one stands first, so a path needs no directions. */
export function tapBranchHash(a: Uint8Array, b: Uint8Array): Hash32 {
  const [first, second] = toHex(a) < toHex(b) ? [a, b] : [b, a]
  return taggedHash('TapBranch', concat(first, second))
}

/** Whether the output key (32 bytes, x-only) commits to the leaf below the control block. */
export function commitsToLeaf(
  outputKey: Uint8Array,
  { parity, internalKey, path }: ControlBlock,
  leafHash: Hash32,
): boolean {
  const root = path.reduce(tapBranchHash, leafHash)
  const point = attempt(() => taprootOutputPoint(internalKey, root))
  if (point instanceof BadEncoding) return false // No point has this x, or no key comes of it.
  return point[0] === 2 + parity && equalBytes(point.subarray(1), outputKey)
}
