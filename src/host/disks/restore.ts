/**
 * A start of the whole subnet: brings all copies of the log to one end and opens a new time line
 * there. Source: threshold §18.4, restore of the subnet.
 */
import { equalBytes } from '../../core/base/bytes.ts'
import {
  attempt,
  BadEncoding,
  CkbtcError,
  HostDisk,
  Problem,
  present,
} from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { agreementQuorum } from '../../core/base/party.ts'
import type { LogPosition } from '../../core/log/log.ts'
import type { StartRecord } from '../../core/log/slot-codec.ts'
import { decodeSlot, slotHash } from '../../core/log/slot-codec.ts'
import { storeDamaged } from '../store/problem.ts'
import type { DiskLog } from './disk-log.ts'
import { incarnationAt } from './disk-log.ts'
import type { NodeDisk } from './node-disk.ts'
import type { Copy, CopyPlan, RestorePlan } from './restore-plan.ts'
import { planRestore } from './restore-plan.ts'

/** Slots copied in one transaction, and bytes of them. */
const BATCH_SLOTS_MAX = 500
const BATCH_SIZE_MAX = 16 * 1024 * 1024
/** Transcripts name the incarnation by its low half, so no two may share it. */
const LOW_HALF = 2n ** 32n - 1n

type Disks = ReadonlyMap<NodeIndex, NodeDisk>

export type RestoreOptions = {
  readonly nodes: number
  /** Disks that can be read, each of a founded subnet. */
  readonly disks: Disks
  /** Why other disks could not be opened. */
  readonly unopened?: readonly CkbtcError[] | undefined
  /** 64 fresh bits. */
  readonly draw: () => bigint
}

export type Restored = {
  /** The record that every disk now ends with. */
  readonly start: StartRecord
  /** Where the log goes on, the same on all. */
  readonly position: LogPosition
  /** Nodes whose disks are ready, ascending: at least n − f. */
  readonly nodes: readonly NodeIndex[]
  /** Slots that each disk lost and gained; only those where something changed. */
  readonly changes: readonly CopyChange[]
  /** Disks that turned out to be damaged, or of another subnet: their nodes stay down. */
  readonly unfit: readonly { readonly node: NodeIndex; readonly problem: CkbtcError }[]
}

export type CopyChange = {
  readonly node: NodeIndex
  readonly dropped: bigint
  readonly caughtUp: bigint
}

type Plan = Extract<RestorePlan, { readonly type: 'restore' }>
type Problems = Map<NodeIndex, CkbtcError>

/**
 * Every step is whole by itself and leaves what f + 1 copies hold, so that a start which is cut off
 * is simply made again. Throws a problem when the copies do not allow a start.
 */
export function restoreSubnet({ nodes, disks, unopened, draw }: RestoreOptions): Restored {
  const problems: Problems = new Map()
  // (d): who has lost its secret can compute no share of any key. So n − f ≥ t nodes hold theirs.
  for (const [node, disk] of disks)
    guarded(node, problems, () => {
      if (!disk.hasSeed) throw storeDamaged(disk.name, 'its root secret is missing')
      return []
    })
  const plan = planWith({ disks, nodes, unopened }, problems)
  const starts = [...disks.values()].map(({ log }) => log)
  const incarnation = freshIncarnation(starts, draw)
  const start = { incarnation, first: plan.length, previous: plan.previous }
  const changes = plan.copies.flatMap((copy) =>
    guarded(copy.node, problems, () => applyPlan(copy, { plan, disks, start })),
  )
  const ready = plan.copies.map(({ node }) => node).filter((node) => !problems.has(node))
  const [node] = ready
  if (node === undefined || ready.length < agreementQuorum(nodes))
    throw present([...problems.values()][0], 'a planned copy that is not ready has a problem')
  for (const foreign of plan.foreign)
    problems.set(foreign, startRefused(`disk ${foreign + 1} is of another subnet`, {}))
  return {
    start,
    position: diskOf(disks, node).log.position,
    nodes: ready,
    changes: changes.filter(({ dropped, caughtUp }) => dropped > 0n || caughtUp > 0n),
    unfit: [...problems].map(([node, problem]) => ({ node, problem })),
  }
}

/** A copy that cannot be read even now is left out, and the rest is looked at again. */
function planWith(options: Omit<RestoreOptions, 'draw'>, problems: Problems): Plan {
  const { disks, nodes, unopened = [] } = options
  const copies = [...disks]
    .filter(([node]) => !problems.has(node))
    .map(([node, { log }]) => copyOf(node, log, problems))
  const before = problems.size
  const plan = planRestore(copies, nodes)
  if (problems.size > before) return planWith(options, problems)
  if (plan.type === 'restore') return plan
  const causes = [...unopened, ...problems.values()]
  throw refusal(plan.reason, { readable: copies.length, nodes, causes })
}

function applyPlan(
  copy: CopyPlan,
  { plan, disks, start }: { plan: Plan; disks: Disks; start: StartRecord },
): readonly CopyChange[] {
  const disk = diskOf(disks, copy.node)
  const dropped = disk.log.position.next - copy.keep
  if (dropped > 0n) disk.cut(copy.keep)
  const sources = copy.sources.map((node) => diskOf(disks, node))
  if (sources.length > 0) fillUp(disk, sources, plan)
  disk.restart([...plan.starts, start])
  return [{ node: copy.node, dropped, caughtUp: plan.length - copy.keep }]
}

/** Nothing, and the problem noted, when a disk fails. */
function guarded<T>(node: NodeIndex, problems: Problems, work: () => readonly T[]): readonly T[] {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof CkbtcError)) throw error
    problems.set(node, error)
    return []
  }
}

const diskOf = (disks: Disks, node: NodeIndex): NodeDisk =>
  present(disks.get(node), 'a planned copy is there')

const copyOf = (node: NodeIndex, log: DiskLog, problems: Problems): Copy => ({
  node,
  length: log.position.next,
  starts: log.starts,
  hashAt: (slot) => guarded(node, problems, () => [log.hashAt(slot)])[0],
})

/** Drawn again while its low half occurs in the log, or in any copy of it. */
export function freshIncarnation(
  copies: readonly Pick<Copy, 'starts'>[],
  draw: () => bigint,
): bigint {
  const seen = new Set(
    copies.flatMap(({ starts }) => starts.map(({ incarnation }) => incarnation & LOW_HALF)),
  )
  for (;;) {
    const incarnation = draw()
    if (!seen.has(incarnation & LOW_HALF)) return incarnation
  }
}

/** Takes the missing slots from the first source that holds all of them. */
function fillUp(disk: NodeDisk, sources: readonly NodeDisk[], plan: Plan): void {
  const flaws: string[] = []
  for (const source of sources) {
    const flaw = flawOf(source, disk, plan)
    if (flaw === undefined) {
      copySlots(source, disk, plan)
      return
    }
    flaws.push(`${source.name}: ${flaw}`)
  }
  throw startRefused(`no copy of the log holds all slots below ${plan.length}`, { flaws })
}

/** Reads what would be copied, first: nothing is written that does not lead to the target. */
function flawOf(source: NodeDisk, to: NodeDisk, plan: Plan): string | undefined {
  let { next, previous } = to.log.position
  try {
    for (; next < plan.length; next++) {
      const content = source.log.contentAt(next)
      if (content === undefined) return `slot ${next} is missing`
      const logged = attempt(() => decodeSlot(content))
      if (logged instanceof BadEncoding) return `slot ${next} is unreadable`
      const isInPlace =
        logged.slot.number === next && logged.incarnation === incarnationAt(plan.starts, next)
      if (!isInPlace) return `slot ${next} is another`
      previous = slotHash(previous, content)
    }
  } catch (error) {
    if (error instanceof CkbtcError) return error.message
    throw error
  }
  return equalBytes(previous, plan.previous) ? undefined : `its slots lead elsewhere`
}

function copySlots(source: NodeDisk, to: NodeDisk, { length, starts }: Plan): void {
  while (to.log.position.next < length) {
    const contents: Uint8Array[] = []
    let size = 0
    for (let next = to.log.position.next; next < length; next++) {
      if (contents.length >= BATCH_SLOTS_MAX || size > BATCH_SIZE_MAX) break
      const content = present(source.log.contentAt(next), 'a source holds the slots')
      contents.push(content)
      size += content.length
    }
    to.catchUp({ contents, starts })
  }
}

export const startRefused = (
  message: string,
  details: Readonly<Record<string, unknown>>,
  cause?: unknown,
): Problem =>
  new Problem('HOST_DISK', message, {
    fix: 'put copies of the damaged stores back, or begin anew, which discards everything',
    command: 'ckbtc subnet reset',
    details,
    cause,
  })

function refusal(
  reason: Extract<RestorePlan, { readonly type: 'refused' }>['reason'],
  { readable, nodes, causes }: { readable: number; nodes: number; causes: readonly CkbtcError[] },
): CkbtcError {
  // Nothing is damaged where there is only no room: nothing must be discarded for that.
  const lack = causes.find((cause) => cause instanceof HostDisk)
  if (lack !== undefined && reason === 'tooFew') return lack
  const [cause] = causes
  const copiesNeeded = agreementQuorum(nodes)
  const message =
    reason === 'tooFew'
      ? `${readable} of ${nodes} copies of the log can be read, a start needs ${copiesNeeded}`
      : 'copies of the log contradict each other'
  return startRefused(message, { nodes, copies: readable, copiesNeeded }, cause)
}
