/**
 * Two filters for one block: which of them is provably false. Source: `bitcoin.md` §8.5 CF-1.
 *
 * Only what is certain counts: the output scripts of the block, the scripts of outputs that we know
 * and that it spends, and how many elements there can be. A script that is guessed from an input
 * proves nothing: whoever makes the input can make it look like another kind.
 */
import { toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { Block } from './block.ts'
import { headerHash } from './block.ts'
import type { CompactFilter } from './compact-filter.ts'
import { decodeFilter, matchFilter, outputScripts } from './compact-filter.ts'
import { PackedStrings } from './siphash.ts'
import type { OutPoint } from './transaction.ts'
import { isCoinbase } from './transaction.ts'

/** The script of an output that the caller knows for certain; undefined for all others. */
export type KnownScript = (outpoint: OutPoint) => Uint8Array | undefined

/** Why the filter cannot be that of the block; undefined if nothing speaks against it. */
export function flawOfFilter(
  bytes: Uint8Array,
  block: Block,
  knownScript: KnownScript,
): string | undefined {
  const filter = attempt(() => decodeFilter(bytes))
  if (filter instanceof BadEncoding) return `it does not decode: ${filter.message}`
  const outputs = new Map(outputScripts(block).map((script) => [toHex(script), script]))
  const spends = block.transactions.filter((tx) => !isCoinbase(tx)).flatMap(({ inputs }) => inputs)
  const required = [
    ...outputs.values(),
    ...spends.flatMap(({ outpoint }) => knownScript(outpoint) ?? []),
  ].filter((script) => script.length > 0)
  if (hides(filter, block, required)) return 'it hides a script of the block'
  if (filter.count > outputs.size + spends.length)
    return `it holds ${filter.count} elements, the block at most ${outputs.size + spends.length}`
  return undefined
}

function hides(filter: CompactFilter, block: Block, required: readonly Uint8Array[]): boolean {
  const found = matchFilter(filter, headerHash(block.header), new PackedStrings(required))
  return found.length < required.length
}
