/** Makes a change of a directory's entries durable. Source: POSIX `fsync`. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { platform } from 'node:os'

/** So that the file itself, not only what is in it, survives a loss of power. */
export function flushDirectory(directory: string): void {
  if (platform() === 'win32') return // Directories cannot be opened there.
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
