/**
 * How blocks leave the ledger for its archives, one message at a time. Implements
 * `docs/spec/ledger.md` §12.
 */
import type { TimestampNs } from '../../base/units.ts'
import { timestampNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Principal } from '../../ic/principal.ts'
import { encodeBlock } from '../blocks/block-codec.ts'
import type { Event, State } from '../state.ts'
import type { ArchiveInit } from './archive.ts'

/** What an archive answered; nothing is known of what a call did that failed. */
export type PortReply<T> =
  | { readonly type: 'ok'; readonly value: T }
  | { readonly type: 'failed'; readonly message: string }

/** The archives as the ledger calls them. Each call may be repeated: its answer may be lost. */
export interface ArchivePort {
  /** Creates archive number `number`, from 0, unless it is there already and holds nothing. */
  create(number: number, init: Omit<ArchiveInit, 'ledgerId'>): PortReply<Principal>
  /** Bytes. */
  remainingCapacity(archive: Principal): PortReply<bigint>
  /** All of them or none; nothing new if it holds them already. */
  append(archive: Principal, blocks: readonly Uint8Array[]): PortReply<undefined>
}

export type Archiving = {
  readonly state: View<State>
  /** Applies the event to `state`. */
  readonly record: (event: Event) => void
  readonly port: ArchivePort
}

/** When there is something to do; from the beginning of time: at once. Undefined: nothing. */
export function nextArchiving(state: View<State>): TimestampNs | undefined {
  const { waiting, pausedUntil } = state.archiving
  if (waiting === 0 && roundSize(state) === 0) return undefined
  return pausedUntil ?? timestampNs(0n)
}

/** Begins a round if one is due, and sends the next message of the one that runs. */
export function archiveStep(archiving: Archiving, now: TimestampNs): void {
  const { state, record } = archiving
  const due = nextArchiving(state)
  if (due === undefined || due > now) return
  if (state.archiving.waiting === 0) record({ type: 'startedArchiving', count: roundSize(state) })
  const moved = sendNext(archiving)
  if (moved.type === 'failed') record({ type: 'failedArchiving', at: now })
}

/** Blocks of a round that would begin now. */
function roundSize({ chain, config }: View<State>): number {
  const { triggerThreshold, numBlocksToArchive } = config.archiveOptions
  const local = chain.blocks.length
  if (BigInt(local) < triggerThreshold) return 0
  const asked = numBlocksToArchive < BigInt(local) ? Number(numBlocksToArchive) : local
  return Math.min(asked, config.limits.blocksToArchiveMax)
}

function sendNext(archiving: Archiving): PortReply<undefined> {
  const { state, record, port } = archiving
  const { archiveMessageBytesMax, archiveStepBytesMax } = state.config.limits
  const { maxMessageSizeBytes } = state.config.archiveOptions
  const messageBytesMax = Math.min(Number(maxMessageSizeBytes), archiveMessageBytesMax)
  const first = encodedAt(state, 0)
  if (first === undefined) return failed('a round without blocks')
  if (first.length > messageBytesMax) return failed(`a block of ${first.length} bytes`)
  const target = newestWithRoom(archiving, first.length)
  if (target.type === 'failed') return target
  const { canisterId, capacity } = target.value
  const room = Math.min(messageBytesMax, Math.max(archiveStepBytesMax, first.length))
  const batch = prefix(state, capacity < BigInt(room) ? Number(capacity) : room)
  const answer = port.append(canisterId, batch)
  if (answer.type === 'ok') record({ type: 'archivedBlocks', count: batch.length })
  return answer
}

const failed = (message: string): PortReply<never> => ({ type: 'failed', message })

type Target = { readonly canisterId: Principal; readonly capacity: bigint }

/** The newest archive if a block of that size fits, else one more. */
function newestWithRoom({ state, record, port }: Archiving, sizeBytes: number): PortReply<Target> {
  const { archives } = state.archiving
  const { nodeMaxMemorySizeBytes, maxTransactionsPerResponse } = state.config.archiveOptions
  const newest = archives.at(-1)
  if (newest !== undefined) {
    const capacity = port.remainingCapacity(newest.canisterId)
    if (capacity.type === 'failed') return capacity
    if (capacity.value >= BigInt(sizeBytes))
      return { type: 'ok', value: { canisterId: newest.canisterId, capacity: capacity.value } }
  }
  // No archive of today's options would take it either.
  if (nodeMaxMemorySizeBytes < BigInt(sizeBytes)) return failed(`a block of ${sizeBytes} bytes`)
  const created = port.create(archives.length, {
    blockIndexOffset: state.chain.firstLocalIndex,
    maxMemorySizeBytes: nodeMaxMemorySizeBytes,
    maxTransactionsPerResponse,
    parentHash: state.chain.blocks[0]?.parentHash,
  })
  if (created.type === 'failed') return created
  const canisterId = created.value
  record({ type: 'createdArchive', canisterId })
  const capacity = port.remainingCapacity(canisterId)
  if (capacity.type === 'failed') return capacity
  // One whose creation went unanswered keeps the options of then: the next round creates another.
  return capacity.value < BigInt(sizeBytes)
    ? failed(`an archive without room for ${sizeBytes} bytes`)
    : { type: 'ok', value: { canisterId, capacity: capacity.value } }
}

/** The oldest blocks of the round that fit into so many bytes. */
function prefix(state: View<State>, bytesMax: number): readonly Uint8Array[] {
  const batch: Uint8Array[] = []
  let size = 0
  while (batch.length < state.archiving.waiting) {
    const block = encodedAt(state, batch.length)
    if (block === undefined || size + block.length > bytesMax) break
    batch.push(block)
    size += block.length
  }
  return batch
}

function encodedAt({ chain }: View<State>, place: number): Uint8Array | undefined {
  const block = chain.blocks[place]
  return block && encodeBlock(block)
}
