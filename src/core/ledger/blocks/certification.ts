/** The certified tip of the log. Implements `docs/spec/ledger.md` §10. */
import type { Hash32 } from '../../base/bytes.ts'
import { utf8 } from '../../base/bytes.ts'
import type { View } from '../../base/view.ts'
import { encodeCbor } from '../../ic/cbor.ts'
import { leb128 } from '../../ic/cursor.ts'
import type { HashTree } from '../../ic/hash-tree.ts'
import { cborOfHashTree, rootHash } from '../../ic/hash-tree.ts'
import { tip } from '../queries.ts'
import type { State } from '../state.ts'

/** Names the newest block; empty while there is none. */
export function tipTree(state: View<State>): HashTree {
  const newest = tip(state)
  if (newest === undefined) return { type: 'empty' }
  const label = (name: string, value: Uint8Array): HashTree => ({
    type: 'labeled',
    label: utf8(name),
    tree: { type: 'leaf', value },
  })
  return {
    type: 'fork',
    left: label('last_block_hash', newest.hash),
    right: label('last_block_index', leb128(newest.index)),
  }
}

/** What the state of the subnet shows for the ledger. */
export const certifiedTip = (state: View<State>): Hash32 => rootHash(tipTree(state))

/** CBOR, no tag in front. */
export const encodeTipTree = (state: View<State>): Uint8Array =>
  encodeCbor(cborOfHashTree(tipTree(state)))
