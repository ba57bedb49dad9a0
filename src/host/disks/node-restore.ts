/**
 * A node as it goes on from its disk: newest snapshot, then the slots after it, through every start
 * of the subnet up to the last one. Source: architecture §7, threshold §18.4.
 */
import { deserialize, serialize } from 'node:v8'
import { equalBytes } from '../../core/base/bytes.ts'
import { present } from '../../core/base/errors.ts'
import { canisterIdsOf } from '../../core/ic/canister-ids.ts'
import type { NodeConfig } from '../../core/subnet/node.ts'
import { SubnetNode } from '../../core/subnet/node.ts'
import type { ReplicaState } from '../../core/subnet/replica-state.ts'
import { installCanisters } from '../../core/subnet/replica-state.ts'
import { storeDamaged, storeDiverged } from '../store/problem.ts'
import type { NodeDisk } from './node-disk.ts'

/** What a subnet goes on from: its keys (public), and the state of its canisters. */
type Kept = { readonly keys: Uint8Array; readonly state: ReplicaState }

/** Raised when the shape of `Kept` changes: snapshots of another are passed over. */
const SNAPSHOT_FORMAT = 9

/** What is the same in every time line. `genesis` is that of the first one. */
export type RestoreConfig = Omit<NodeConfig, 'from' | 'restored'>

/**
 * The node where the newest time line begins; the slots of that line it takes from the log, as any
 * node that is behind. Nothing has been said to anybody. What each earlier line led to is kept as a
 * snapshot.
 */
export function restoreNode(disk: NodeDisk, config: RestoreConfig): SubnetNode {
  const beginning = present(disk.log.starts.at(-1), 'a log has a start record').first
  const newest = newestSnapshot(disk)
  let kept = newest?.kept
  let node: SubnetNode | undefined
  for (const entry of disk.log.entries(newest === undefined ? 0n : newest.slot + 1n)) {
    if (entry.type === 'slot') {
      if (entry.slot.number >= beginning) break
      // Nobody is told of what is executed here.
      node?.step({ type: 'slot', slot: entry.slot, later: 2 })
      if (node !== undefined) requireSameRoot(disk, node, entry.slot.number)
      continue
    }
    const { first, incarnation } = entry.record
    if (node !== undefined) kept = keep(disk, node)
    node = begin(config, { kept, first, incarnation })
  }
  if (node === undefined) throw storeDamaged(disk.name, 'its log has no beginning')
  return node
}

/** Certificates of that state may be in the hands of clients. */
function requireSameRoot(disk: NodeDisk, node: SubnetNode, slot: bigint): void {
  const named = disk.root
  if (named?.slot !== slot) return
  const { root } = node
  if (root === undefined || !equalBytes(root, named.root)) throw storeDiverged(disk.name, slot)
}

/** Puts what a node has come to on its disk, so that a later start replays less. */
export function saveNode(disk: NodeDisk, node: SubnetNode): void {
  keep(disk, node)
}

function begin(
  config: RestoreConfig,
  {
    kept,
    first,
    incarnation,
  }: { readonly kept: Kept | undefined; readonly first: bigint; readonly incarnation: bigint },
): SubnetNode {
  const genesis = { ...config.genesis, incarnation }
  const { minter, ledgers, bitcoinNetwork } = config
  const fresh = { minter, ledgers, bitcoinNetwork, createdAt: genesis.createdAt, incarnation }
  // Without final keys nobody was served: the canisters are installed anew.
  const state = kept?.state ?? installCanisters(canisterIdsOf[config.ids ?? 'own'], fresh)
  return new SubnetNode({ ...config, genesis, restored: kept?.keys, from: { slot: first, state } })
}

/** Undefined while the keys are not final: such a subnet begins again. */
function keep(disk: NodeDisk, { snapshot }: SubnetNode): Kept | undefined {
  if (snapshot === undefined) return undefined
  const { slot: next, keys, state } = snapshot
  const bytes = new Uint8Array(serialize({ format: SNAPSHOT_FORMAT, keys, state }))
  if (next > 0n) disk.commit({ snapshot: { slot: next - 1n, bytes } })
  return present(parse(bytes), 'what was written just now can be read')
}

function newestSnapshot(
  disk: NodeDisk,
): { readonly slot: bigint; readonly kept: Kept } | undefined {
  for (const { slot, bytes } of disk.snapshots()) {
    // A time line begins right behind it, or it was taken at a stop and the next one does.
    const isBeginning = disk.log.starts.some(({ first }) => first === slot + 1n)
    const kept = isBeginning ? parse(bytes) : undefined
    if (kept !== undefined) return { slot, kept }
  }
  return undefined
}

/**
 * The store has checked that the bytes are those that were written. Undefined for what another
 * version of the program wrote, or of Node: the log stands in for it.
 */
function parse(bytes: Uint8Array): Kept | undefined {
  const read = deserialized(bytes)
  return read?.format === SNAPSHOT_FORMAT ? read : undefined
}

function deserialized(bytes: Uint8Array): (Kept & { readonly format?: number }) | undefined {
  try {
    return deserialize(bytes) as Kept & { readonly format?: number }
  } catch {
    return undefined // It names no classes of errors for what it does not know.
  }
}
