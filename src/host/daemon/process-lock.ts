/**
 * One process at a time works on the state of the local subnet. The lock names its holder, and that
 * of a dead one is taken over. Source: `docs/spec/cli.md` §3.14.
 */
import { linkSync, renameSync, writeFileSync } from 'node:fs'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { integer, object, parseJson, text } from '../../core/base/json.ts'
import { entropy } from '../entropy.ts'
import type { ProcessMark } from '../store/process-mark.ts'
import { isRunning, ownMark } from '../store/process-mark.ts'
import { readWholeFile, removeFile } from './whole-file.ts'

const WAIT_MS_MAX = 5_000
const LOOK_MS = 50
const LOCK_BYTES_MAX = 4_096

export type Holder = ProcessMark & {
  /** What it does, for people: `runs the subnet`. */
  readonly what: string
}

const holder = object({ pid: integer(1, 2 ** 31 - 1), born: text, what: text })

export interface ProcessLock {
  release(): void
}

/**
 * Takes the lock, waiting for it for up to five seconds. Throws `HOST_STATE_LOCKED`. Undefined when
 * `isNeedless`, which is asked while it waits, says that the lock is no longer needed.
 */
export async function takeLock(
  path: string,
  what: string,
  isNeedless: () => Promise<boolean> | boolean = () => false,
): Promise<ProcessLock | undefined> {
  const own = `${path}.${process.pid}.${Buffer.from(entropy(4)).toString('hex')}`
  const content = JSON.stringify({ ...ownMark(), what })
  writeFileSync(own, content, { mode: 0o600 })
  try {
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      if (linked(own, path)) break
      const found = readHolder(path)
      if (found === undefined || !isRunning(found)) {
        removeDead(path, own)
        continue
      }
      if (await isNeedless()) return undefined
      if (performance.now() > deadline) throw locked(path, found)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  } finally {
    removeFile(own)
  }
  return {
    release: () => {
      if (readWholeFile(path, LOCK_BYTES_MAX) === content) removeFile(path)
    },
  }
}

/** Who holds the lock now, if anybody alive does. */
export function lockHolder(path: string): Holder | undefined {
  const found = readHolder(path)
  return found !== undefined && isRunning(found) ? found : undefined
}

function linked(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function readHolder(path: string): Holder | undefined {
  const source = readWholeFile(path, LOCK_BYTES_MAX)
  if (source === undefined) return undefined
  const read = attempt(() => parseJson(source, holder))
  return read instanceof BadEncoding ? undefined : read
}

/**
 * Moves a dead lock out of the way. Somebody else may have done so first, and what was moved is
 * then alive: it goes back.
 */
function removeDead(path: string, own: string): void {
  const moved = `${own}.dead`
  try {
    renameSync(path, moved)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  const found = readHolder(moved)
  if (found !== undefined && isRunning(found)) linked(moved, path)
  removeFile(moved)
}

const locked = (path: string, { pid, what }: Holder): Problem =>
  new Problem('HOST_STATE_LOCKED', `process ${pid} ${what} and holds the state`, {
    fix: 'wait until it has ended, or end it',
    command: 'ckbtc subnet stop',
    details: { path, pid },
  })
