/**
 * The disks of a whole subnet: opened together at a start, brought to one end, and handed over to
 * the threads that run the nodes. Source: architecture §7, threshold §18.4.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { equalBytes, fromBigEndian, toHex } from '../../core/base/bytes.ts'
import { CkbtcError, Problem, present } from '../../core/base/errors.ts'
import type { LogPosition } from '../../core/log/log.ts'
import type { Genesis } from '../../core/tecdsa/membership.ts'
import { decodeGenesis } from '../../core/tecdsa/membership.ts'
import { entropy } from '../entropy.ts'
import type { KeyNumber } from '../node/protocol.ts'
import type { LmdbOptions } from '../store/lmdb-store.ts'
import { LmdbStore } from '../store/lmdb-store.ts'
import type { FoundingSettings } from './founding-settings.ts'
import { encodeFounding, requireFounding } from './founding-settings.ts'
import { NodeDisk } from './node-disk.ts'
import { restoreSubnet, startRefused } from './restore.ts'

/** `docs/spec/cli.md` §3.14. */
const LOCKED_MS_MAX = 5_000
const LOOK_MS = 50

/** What a subnet that was founded before goes on from. */
export type Founded = {
  /** In the time line that begins now. */
  readonly genesis: Genesis
  readonly position: LogPosition
  /** Disks whose nodes can run, ascending. */
  readonly ready: readonly KeyNumber[]
  /** Why the others cannot. */
  readonly problems: readonly CkbtcError[]
}

type Opened = {
  readonly disks: ReadonlyMap<KeyNumber, NodeDisk>
  readonly problems: readonly CkbtcError[]
}

/** `directory`: of the subnet. */
export const nodeDirectory = (directory: string, name: KeyNumber): string =>
  join(directory, `node-${name + 1}`)

/**
 * Opens a new time line on the disks; every store is closed again. Undefined where no subnet was
 * founded yet. Throws `HOST_DISK` when too few disks are left, `HOST_STATE_LOCKED` and
 * `CONFIG_INVALID`.
 */
export function restoreDisks(
  directory: string,
  nodes: number,
  settings: FoundingSettings,
): Founded | undefined {
  const { disks, problems } = openDisks(directory, nodes)
  try {
    const genesis = genesisOf(disks)
    if (genesis === undefined) {
      const [problem] = problems
      if (problem !== undefined) throw problem
      return undefined
    }
    requireSize(decodeGenesis(genesis), nodes)
    const isOwn = (disk: NodeDisk): boolean => equalBytes(disk.genesis ?? genesis, genesis)
    const own = [...disks.values()].filter((disk) => disk.hasSeed && isOwn(disk))
    for (const disk of own)
      if (disk.settings !== undefined) requireFounding(disk.settings, settings)
    // The founding was cut off after some had been told of it: the others learn of it now.
    for (const disk of own)
      if (disk.genesis === undefined) disk.found(genesis, encodeFounding(settings))
      else if (disk.settings === undefined) disk.writeSettings(encodeFounding(settings))
    const founded = new Map([...disks].filter(([, disk]) => disk.genesis !== undefined))
    const restored = restoreSubnet({
      nodes,
      disks: founded,
      unopened: problems,
      draw: () => fromBigEndian(entropy(8)),
    })
    const [first] = restored.nodes
    const ready = present(founded.get(present(first, 'n − f disks are ready')), 'it is founded')
    return {
      genesis: {
        ...decodeGenesis(present(ready.genesis, 'it is founded')),
        incarnation: restored.start.incarnation,
      },
      position: restored.position,
      ready: restored.nodes,
      problems: [
        ...problems,
        ...[...disks.values()]
          .filter((disk) => disk.genesis === undefined)
          .map((disk) => startRefused(`the store ${disk.name} is empty: its node is lost`, {})),
        ...restored.unfit.map(({ problem }) => problem),
      ],
    }
  } finally {
    for (const disk of disks.values()) disk.close()
  }
}

/** Processes of nodes end right after the subnet that was killed, and hold their disks until then. */
export async function onceUnlocked<T>(work: () => T): Promise<T> {
  const deadline = performance.now() + LOCKED_MS_MAX
  for (;;)
    try {
      return work()
    } catch (error) {
      const isLocked = error instanceof CkbtcError && error.code === 'HOST_STATE_LOCKED'
      if (!isLocked || performance.now() > deadline) throw error
      await pause(LOOK_MS)
    }
}

/** A damaged disk keeps its node down; whatever else is wrong concerns the start. */
function openDisks(directory: string, nodes: number): Opened {
  const disks = new Map<KeyNumber, NodeDisk>()
  const problems: CkbtcError[] = []
  for (let name = 0; name < nodes; name++)
    try {
      disks.set(name, openDisk(nodeDirectory(directory, name)))
    } catch (error) {
      if (error instanceof CkbtcError && error.code === 'HOST_DISK') {
        problems.push(error)
        continue
      }
      for (const disk of disks.values()) disk.close()
      throw error
    }
  return { disks, problems }
}

/** Throws `HOST_DISK`, `HOST_STATE_LOCKED`, `CONFIG_INVALID`. */
export function openDisk(directory: string, options: LmdbOptions = {}): NodeDisk {
  const store = LmdbStore.open(directory, options)
  try {
    return new NodeDisk(store)
  } catch (error) {
    store.close()
    throw error
  }
}

/** The one that most disks hold: one of another subnet may have strayed among them. */
function genesisOf(disks: Opened['disks']): Uint8Array | undefined {
  const holders = new Map<string, { readonly genesis: Uint8Array; count: number }>()
  for (const { genesis } of disks.values()) {
    if (genesis === undefined) continue
    const name = toHex(genesis)
    const known = holders.get(name) ?? { genesis, count: 0 }
    known.count += 1
    holders.set(name, known)
  }
  const [most] = [...holders.values()].toSorted((a, b) => b.count - a.count)
  return most?.genesis
}

function requireSize({ membership: { members } }: Genesis, nodes: number): void {
  if (members.length === nodes) return
  throw new Problem(
    'CONFIG_INVALID',
    `the subnet was founded with ${members.length} nodes, not ${nodes}`,
    {
      fix: 'start it as it is, or begin anew, which discards everything',
      command: 'ckbtc subnet reset',
      details: { founded: members.length, asked: nodes },
    },
  )
}
