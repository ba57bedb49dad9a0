/** Merkle trees of txids, with the ambiguity of CVE-2012-2459 reported. Source: bitcoin.md §5.1. */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, hash32 } from '../base/bytes.ts'
import { sha256d } from '../base/hash.ts'

/**
 * Root over `hashes` (32 zero bytes for none), an odd level's last hash paired with itself.
 *
 * `mutated`: some level pairs two equal neighbours, so a shorter or longer list has the same root.
 */
export function merkleRoot(hashes: readonly Hash32[]): {
  readonly root: Hash32
  readonly mutated: boolean
} {
  let level = hashes
  let mutated = false
  while (level.length > 1) {
    const next: Hash32[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] ?? ZERO_HASH
      const right = level[i + 1]
      if (right !== undefined && equalBytes(left, right)) mutated = true
      next.push(hashPair(left, right ?? left))
    }
    level = next
  }
  return { root: level[0] ?? ZERO_HASH, mutated }
}

const ZERO_HASH = hash32(new Uint8Array(32))

/** An inner node. */
export function hashPair(left: Hash32, right: Hash32): Hash32 {
  const pair = new Uint8Array(64)
  pair.set(left)
  pair.set(right, 32)
  return sha256d(pair)
}
