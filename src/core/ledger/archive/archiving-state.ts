/** What the ledger remembers of its archives. Implements `docs/spec/ledger.md` §§4 (I6), 12. */
import { present } from '../../base/errors.ts'
import type { TimestampNs } from '../../base/units.ts'
import { addNs, NS_PER_SECOND } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Principal } from '../../ic/principal.ts'
import type { Event, State } from '../state.ts'
import type { BlockIndex } from '../types.ts'

export type ArchivingState = {
  /** In the order of creation. Contiguous from block 0 to the first local one. */
  readonly archives: ArchiveEntry[]
  /** Blocks that the round which is running has still to move; 0 while none is. */
  waiting: number
  /** Rounds that failed since an archive accepted anything. */
  failures: number
  /** No archive is asked for anything before; undefined unless the last round failed. */
  pausedUntil: TimestampNs | undefined
}

export type ArchiveEntry = {
  readonly canisterId: Principal
  readonly start: BlockIndex
  /** Behind its last block; `start` while it has none. */
  end: BlockIndex
}

/** Pauses after the first, second, … failure in a row: doubled up to the longest. */
const FIRST_PAUSE_NS = 10n * NS_PER_SECOND
const LONGEST_PAUSE_NS = 3_600n * NS_PER_SECOND

export const emptyArchiving = (): ArchivingState => ({
  archives: [],
  waiting: 0,
  failures: 0,
  pausedUntil: undefined,
})

/** Those that hold blocks. */
export const archivesInUse = ({
  archiving,
}: View<Pick<State, 'archiving'>>): readonly View<ArchiveEntry>[] =>
  archiving.archives.filter(({ start, end }) => start < end)

type ArchivingEvent = Extract<
  Event,
  { readonly type: 'startedArchiving' | 'createdArchive' | 'archivedBlocks' | 'failedArchiving' }
>

export function applyArchiving({ archiving, chain }: State, event: ArchivingEvent): void {
  switch (event.type) {
    case 'startedArchiving':
      archiving.waiting = event.count
      return
    case 'createdArchive': {
      const start = chain.firstLocalIndex
      archiving.archives.push({ canisterId: event.canisterId, start, end: start })
      return
    }
    case 'archivedBlocks': {
      const archive = present(archiving.archives.at(-1), 'an archive has accepted blocks')
      archive.end += BigInt(event.count)
      // In the same step, so that no block is ever in two places for a reader, nor in none.
      chain.blocks.splice(0, event.count)
      chain.firstLocalIndex += BigInt(event.count)
      archiving.waiting -= event.count
      archiving.failures = 0
      archiving.pausedUntil = undefined
      return
    }
    case 'failedArchiving':
      archiving.waiting = 0
      archiving.failures += 1
      archiving.pausedUntil = addNs(event.at, pauseNs(archiving.failures))
      return
  }
}

function pauseNs(failures: number): bigint {
  const pause = FIRST_PAUSE_NS << BigInt(Math.min(failures - 1, 16))
  return pause < LONGEST_PAUSE_NS ? pause : LONGEST_PAUSE_NS
}
