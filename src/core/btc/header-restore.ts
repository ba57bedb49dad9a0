/** Headers that we kept ourselves, back in a tree. Source: `docs/spec/bitcoin.md` §4.4 HDR-16. */
import { equalBytes, toHex } from '../base/bytes.ts'
import type { BlockHeader } from './block.ts'
import { headerHash } from './block.ts'
import { workOfBits } from './header.ts'
import type { HeaderTree } from './header-tree.ts'
import { addHeader, bestHeader, judgeHeader } from './header-tree.ts'

/** The newest are judged by every rule again: a crash or a damaged disk ends in them, if anywhere. */
export const REJUDGED_HEADERS = 2_016

/**
 * Headers after genesis, parents first, into a tree that has genesis alone. Older ones were judged
 * when they came; their hashes show that they are the same. Ends where something is wrong.
 */
export function restoreHeaders(
  tree: HeaderTree,
  headers: readonly BlockHeader[],
  nowSeconds: number,
): void {
  const trusted = Math.max(0, headers.length - REJUDGED_HEADERS)
  for (const [i, header] of headers.entries()) {
    const parent = bestHeader(tree)
    if (!equalBytes(header.previous, parent.hash)) return
    const hash = headerHash(header)
    if (i >= trusted) {
      const verdict = judgeHeader(tree, header, nowSeconds, hash)
      if (verdict.type !== 'valid') return
      addHeader(tree, verdict.node)
      continue
    }
    // A header vouches for the bytes of the one before it.
    const next = headers[i + 1]
    if (next === undefined || !equalBytes(next.previous, hash)) return
    const work = parent.work + workOfBits(header.bits)
    addHeader(tree, { hash, key: toHex(hash), header, height: i + 1, work, parent })
  }
}
