/** Reads the log of the local subnet, and what is added to it. Source: `docs/spec/cli.md` §5.16. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { Read } from '../core/base/json.ts'
import { integer, nullable, object, oneOf, parseJson, text } from '../core/base/json.ts'
import { logFiles } from './daemon/log-file.ts'
import { placesOf } from './daemon/places.ts'
import type { SubnetDirectories } from './daemon-request.ts'

const LOOK_MS = 200
const NODE_MAX = 40

const logLine = object({
  at: text,
  level: oneOf('info', 'warn', 'error'),
  node: nullable(integer(1, NODE_MAX)),
  text,
})
export type LogLine = Read<typeof logLine>

/** Every line there is, oldest first; damaged ones are left out. */
export function readLog(directories: SubnetDirectories): readonly LogLine[] {
  const { older, newer } = logFiles(placesOf(directories).logs)
  return [older, newer].flatMap((path) => linesOf(contentOf(path)))
}

function contentOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(path, 'utf8')
}

function linesOf(content: string): readonly LogLine[] {
  return content.split('\n').flatMap((line) => {
    if (line === '') return []
    const read = attempt(() => parseJson(line, logLine))
    return read instanceof BadEncoding ? [] : [read]
  })
}

/** Tells lines as they are added, from now on, until `signal` aborts. */
export async function followLog(
  directories: SubnetDirectories,
  tell: (line: LogLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const { newer } = logFiles(placesOf(directories).logs)
  let at = statSync(newer, { throwIfNoEntry: false })?.size ?? 0
  let rest = ''
  while (!signal.aborted) {
    const added = readFrom(newer, at)
    at = added.end
    const whole = `${added.isNew ? '' : rest}${added.content}`
    const end = whole.lastIndexOf('\n') + 1
    rest = whole.slice(end)
    for (const line of linesOf(whole.slice(0, end))) tell(line)
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** From an offset to the end; from the beginning when the file has been replaced by a new one. */
function readFrom(
  path: string,
  offset: number,
): { readonly content: string; readonly end: number; readonly isNew: boolean } {
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    return { content: '', end: offset, isNew: false }
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const isNew = size < offset
    const start = isNew ? 0 : offset
    const bytes = new Uint8Array(size - start)
    const count = readSync(file, bytes, 0, bytes.length, start)
    return {
      content: new TextDecoder().decode(bytes.subarray(0, count)),
      end: start + count,
      isNew,
    }
  } finally {
    closeSync(file)
  }
}
