/**
 * One writer at a time over the files of a folder, across processes. Implements `docs/spec/cli.md`
 * §3.14.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fromUtf8, toHex } from '../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import { integer, object, parseJson, text } from '../core/base/json.ts'
import { makePrivateFolder, readBounded, systemCode, writePrivate } from './private-files.ts'

/** How long a second process waits for the first one. */
export const LOCK_WAIT_MS = 5_000
const LOOK_MS = 50
const LOCK_BYTES_MAX = 1_024
const PID_MAX = 2 ** 31 - 1

const holderOf = object({ pid: integer(1, PID_MAX), host: text, nonce: text })

/**
 * Runs `action` while nobody else holds `path`. Whoever waited too long gets `HOST_STATE_LOCKED`,
 * which names the holder. What a process left behind that no longer lives is taken away.
 */
export async function withLock<T>(
  path: string,
  action: () => T | Promise<T>,
  { waitMs = LOCK_WAIT_MS }: { readonly waitMs?: number } = {},
): Promise<T> {
  makePrivateFolder(dirname(path))
  const own = `${JSON.stringify({
    pid: process.pid,
    host: hostname(),
    nonce: toHex(randomBytes(8)),
  })}\n`
  for (let waited = 0; !take(path, own); waited += LOOK_MS) {
    if (waited >= waitMs) throw locked(path, waitMs)
    await pause(LOOK_MS)
  }
  try {
    return await action()
  } finally {
    rmSync(path, { force: true })
  }
}

/** The file appears with its content in one step, so nobody sees a lock without a holder. */
function take(path: string, own: string): boolean {
  if (create(path, own)) return true
  const found = contentOf(path)
  if (found === undefined || !isAbandoned(found)) return false
  // Only who holds this second file takes a lock away, and looks again first: two who saw the same
  // dead holder cannot take away each other's new locks.
  const takeover = `${path}.takeover`
  if (!create(takeover, own)) return false
  try {
    if (contentOf(path) === found) rmSync(path, { force: true })
  } finally {
    rmSync(takeover, { force: true })
  }
  return create(path, own)
}

function create(path: string, own: string): boolean {
  try {
    writePrivate(path, own, { exclusive: true })
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function contentOf(path: string): string | undefined {
  const content = attempt(() => {
    const bytes = readBounded(path, LOCK_BYTES_MAX)
    return bytes === undefined ? undefined : fromUtf8(bytes)
  })
  return content instanceof BadEncoding ? undefined : content
}

/** Of processes on other machines nothing is known, so they live. */
function isAbandoned(content: string): boolean {
  const holder = attempt(() => parseJson(content, holderOf))
  return !(holder instanceof BadEncoding) && holder.host === hostname() && !isAlive(holder.pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return systemCode(error) !== 'ESRCH'
  }
}

function locked(path: string, waitMs: number): Problem {
  const holder = attempt(() => parseJson(contentOf(path) ?? '', holderOf))
  const who =
    holder instanceof BadEncoding
      ? 'somebody'
      : `process ${holder.pid}${holder.host === hostname() ? '' : ` on ${holder.host}`}`
  return new Problem('HOST_STATE_LOCKED', `${who} holds ${path}, waited ${waitMs / 1_000} s`, {
    fix: 'wait until the other command has ended; if there is none, remove the file',
    details: { path, pid: holder instanceof BadEncoding ? null : holder.pid },
  })
}
