/** Small files that are there whole or not at all. Source: `docs/spec/cli.md` §3.14. */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { flushDirectory } from '../../native/flush-directory.ts'

const OWNER_READS_AND_WRITES = 0o600

/** Replaces the file in one step; only the owner may read it. It survives a loss of power. */
export function writeWholeFile(path: string, content: string | Uint8Array): void {
  const draft = `${path}.${process.pid}.tmp`
  const file = openSync(draft, 'w', OWNER_READS_AND_WRITES)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  flushDirectory(dirname(path))
}

/** Undefined when there is none, or when it is longer than `bytesMax`. */
export function readWholeFile(path: string, bytesMax: number): string | undefined {
  try {
    const content = readFileSync(path)
    return content.length > bytesMax ? undefined : content.toString('utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

export const removeFile = (path: string): void => rmSync(path, { force: true })
