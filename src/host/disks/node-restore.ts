/**
 * A node as it goes on from its disk: newest snapshot, then the slots after it, through every start
 * of the subnet up to the last one. Source: architecture §7, threshold §18.4.
 */
import { equalBytes } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, CkbtcError, present } from '../../core/base/errors.ts'
import { canisterIdsOf } from '../../core/ic/canister-ids.ts'
import type { StartRecord } from '../../core/log/slot-codec.ts'
import type { NodeConfig } from '../../core/subnet/node.ts'
import { SubnetNode } from '../../core/subnet/node.ts'
import type { ReplicaState } from '../../core/subnet/replica-state.ts'
import { installCanisters } from '../../core/subnet/replica-state.ts'
import type { SignerSlot } from '../../core/subnet/signer-past.ts'
import { decodeSignerCalls } from '../../core/subnet/signer-past.ts'
import { storeDamaged, storeDiverged } from '../store/problem.ts'
import type { NodeDisk } from './node-disk.ts'
import { decodeState, encodeState } from './snapshot-codec.ts'

/** What a subnet goes on from: its keys (public), and the state of its canisters. */
type Kept = { readonly keys: Uint8Array; readonly state: ReplicaState }

type Saved = Kept & {
  /** Keys with which the time line began that the snapshot is in the midst of; none in the first. */
  readonly begun: Uint8Array | undefined
  /** Of the state, as certificates name it. */
  readonly root: Uint8Array
}

/** Raised when the shape of `Saved` changes: snapshots of another are passed over. */
const SNAPSHOT_FORMAT = 13

/**
 * A node that starts again while the others go on executes so many slots at least, whatever its
 * snapshots are of: others may wait for the roots that it names.
 */
const REPEATED_SLOTS_MIN = 2n

/** What is the same in every time line. `genesis` is that of the first one. */
export type RestoreConfig = Omit<NodeConfig, 'from' | 'restored'>

/** How far a node has come, and in which state. */
type Reached = {
  /** The first slot that is not in it. */
  readonly next: bigint
  /** At the end of a time line. */
  readonly kept: Kept | undefined
  /** In the midst of one. */
  readonly node: SubnetNode | undefined
}

/**
 * The node where the newest time line begins, or a snapshot in it; the slots from there on it takes
 * from the log, as any node that is behind. Nothing has been said to anybody. What each earlier
 * line led to is kept as a snapshot.
 */
export function restoreNode(disk: NodeDisk, config: RestoreConfig): SubnetNode {
  const beginning = present(disk.log.starts.at(-1), 'a log has a start record').first
  const reached = fromSnapshot(disk, config)
  let { kept, node } = reached
  for (const entry of disk.log.entries(reached.next)) {
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
  if (!isNamedRoot(disk, slot, node.root)) throw storeDiverged(disk.name, slot)
}

/** Whether the others were told of no other root of this slot. */
function isNamedRoot(disk: NodeDisk, slot: bigint, root: Uint8Array | undefined): boolean {
  const named = disk.root
  return named?.slot !== slot || (root !== undefined && equalBytes(root, named.root))
}

/**
 * Puts what a node has come to on its disk, so that a later start replays less. Bytes written: none
 * while the keys are not final.
 */
export function saveNode(disk: NodeDisk, node: SubnetNode): number {
  return save(disk, node)?.length ?? 0
}

/** Undefined while the keys are not final: such a subnet begins again. */
function keep(disk: NodeDisk, node: SubnetNode): Kept | undefined {
  const bytes = save(disk, node)
  return bytes && present(parse(bytes), 'what was written just now can be read')
}

function save(disk: NodeDisk, node: SubnetNode): Uint8Array | undefined {
  const { snapshot, root } = node
  if (snapshot === undefined || root === undefined) return undefined
  const { slot: next, keys, state } = snapshot
  const saved = { format: SNAPSHOT_FORMAT, keys, state, begun: node.config.restored, root }
  const bytes = encodeState(saved)
  if (next > 0n) disk.commit({ snapshot: { slot: next - 1n, bytes } })
  return bytes
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

/** Newest first; what cannot be used is passed over, and an older one or the log stands in for it. */
function fromSnapshot(disk: NodeDisk, config: RestoreConfig): Reached {
  for (const { slot, bytes } of disk.snapshots()) {
    const saved = parse(bytes)
    if (saved === undefined || !isNamedRoot(disk, slot, saved.root)) continue
    const next = slot + 1n
    // Right behind it a time line begins, which the keys that are final by then go over to.
    if (disk.log.starts.some(({ first }) => first === next))
      return { next, kept: saved, node: undefined }
    const node = resume(disk, config, { slot, saved })
    if (node !== undefined) return { next, kept: undefined, node }
  }
  return { next: 0n, kept: undefined, node: undefined }
}

/** In the midst of a time line. Undefined when it does not lead to the state that was saved. */
function resume(
  disk: NodeDisk,
  config: RestoreConfig,
  { slot, saved: { begun, state, root } }: { readonly slot: bigint; readonly saved: Saved },
): SubnetNode | undefined {
  const { starts, position } = disk.log
  const line = starts.findLast(({ first }) => first <= slot)
  if (line === undefined) return undefined
  if (line === starts.at(-1) && slot + REPEATED_SLOTS_MIN >= position.next) return undefined
  const genesis = { ...config.genesis, incarnation: line.incarnation }
  const from = { slot: slot + 1n, state, past: pastOf(disk, line, slot) }
  try {
    const node = new SubnetNode({ ...config, genesis, restored: begun, from })
    return node.root !== undefined && equalBytes(node.root, root) ? node : undefined
  } catch (error) {
    if (error instanceof CkbtcError) return undefined
    throw error
  }
}

/**
 * The slots of a time line, up to `last`, that left their mark on the signer; with each the one
 * before it, and the first and the last of all: they say what the time and the number of the slot
 * were.
 */
function* pastOf(disk: NodeDisk, { first }: StartRecord, last: bigint): Generator<SignerSlot> {
  let next = first
  const quiet = (number: bigint): SignerSlot => ({ slot: slotAt(disk, number), calls: [] })
  const quietUpTo = function* (end: bigint): Generator<SignerSlot> {
    if (next === first && next < end - 1n) yield quiet(next)
    if (next < end) yield quiet(end - 1n)
  }
  for (const { slot, calls } of disk.signerPast(first, last)) {
    yield* quietUpTo(slot)
    const decoded = attempt(() => decodeSignerCalls(calls))
    if (decoded instanceof BadEncoding)
      throw storeDamaged(disk.name, `what slot ${slot} asked of the signer is unreadable`, decoded)
    yield { slot: slotAt(disk, slot), calls: decoded }
    next = slot + 1n
  }
  yield* quietUpTo(last + 1n)
}

function slotAt(disk: NodeDisk, number: bigint): SignerSlot['slot'] {
  const slot = disk.log.read(number)
  if (slot === undefined) throw storeDamaged(disk.name, `slot ${number} is missing`)
  return slot
}

/**
 * The store has checked that the bytes are those that were written. Undefined for what another
 * version of the program wrote, or of Node: the log stands in for it.
 */
function parse(bytes: Uint8Array): Saved | undefined {
  const read = deserialized(bytes)
  return read?.format === SNAPSHOT_FORMAT ? read : undefined
}

function deserialized(bytes: Uint8Array): (Saved & { readonly format?: number }) | undefined {
  try {
    return decodeState(bytes) as Saved & { readonly format?: number }
  } catch {
    return undefined // It names no classes of errors for what it does not know.
  }
}
