/**
 * Files that only their owner may read, written whole or not at all. Implements `docs/spec/cli.md`
 * §§3.13, 3.14.
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { concatAll, toHex } from '../core/base/bytes.ts'
import { BadEncoding, HostDisk } from '../core/base/errors.ts'
import { flushDirectory } from '../native/flush-directory.ts'

export const FILE_MODE = 0o600
export const FOLDER_MODE = 0o700
/** Rights of anybody but the owner. */
const OTHERS = 0o077
/** Where modes mean nothing, nothing is said about them. */
const hasModes = process.platform !== 'win32'
const CHUNK_SIZE = 65_536

/** The code of a failed system call: `ENOENT`; nothing for other errors. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** Runs a system call; a failure is `HOST_DISK` and names the path. */
function onDisk<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined || code === 'EEXIST') throw error
    throw new HostDisk(path, code, error)
  }
}

/** Makes the folder and those above it, for the owner alone. */
export function makePrivateFolder(path: string): void {
  onDisk(path, () => mkdirSync(path, { recursive: true, mode: FOLDER_MODE }))
}

/** The file's bytes; nothing where there is no file. Longer ones are `BadEncoding`, and not read. */
export function readBounded(path: string, sizeMax: number): Uint8Array | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw code === undefined ? error : new HostDisk(path, code, error)
  }
  try {
    return onDisk(path, () => readOpen(file, sizeMax))
  } finally {
    closeSync(file)
  }
}

/** Counts what it reads: pipes and devices have no size to ask for. */
function readOpen(file: number, sizeMax: number): Uint8Array {
  const chunks: Uint8Array[] = []
  for (let size = 0; size <= sizeMax; ) {
    const chunk = new Uint8Array(Math.min(CHUNK_SIZE, sizeMax + 1 - size))
    const count = readSync(file, chunk)
    if (count === 0) return concatAll(chunks)
    chunks.push(chunk.subarray(0, count))
    size += count
  }
  throw new BadEncoding(`longer than ${sizeMax} bytes`)
}

type Writing = {
  /** Refuses to replace a file: `EEXIST`. */
  readonly exclusive?: boolean
}

/** After a crash the file holds the old content or the new one. */
export function writePrivate(
  path: string,
  content: string | Uint8Array,
  writing: Writing = {},
): void {
  const file = new PrivateFile(path)
  try {
    file.append(content)
    file.commit(writing)
  } finally {
    file.close()
  }
}

/** A file that grows out of sight, and stands under its name once it is whole. */
export class PrivateFile {
  readonly #path: string
  readonly #temporary: string
  readonly #file: number
  #isOpen = true

  constructor(path: string) {
    this.#path = path
    this.#temporary = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(6)))}.tmp`
    this.#file = onDisk(path, () => openSync(this.#temporary, 'wx', FILE_MODE))
  }

  append(content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
    onDisk(this.#path, () => {
      for (let offset = 0; offset < bytes.length; )
        offset += writeSync(this.#file, bytes, offset, bytes.length - offset)
    })
  }

  commit({ exclusive = false }: Writing = {}): void {
    onDisk(this.#path, () => fsyncSync(this.#file))
    this.#end()
    const [from, to] = [this.#temporary, this.#path]
    onDisk(to, () => (exclusive ? linkNew(from, to) : renameSync(from, to)))
    syncFolder(dirname(to))
  }

  /** Leaves nothing behind of what was not committed. */
  close(): void {
    this.#end()
    discard(this.#temporary)
  }

  #end(): void {
    if (this.#isOpen) closeSync(this.#file)
    this.#isOpen = false
  }
}

/** Where nothing could be written, nothing can be removed; the first failure is the one to tell. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

/** A second name for a file, which must be free. Some file systems know one name a file only. */
function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (!withoutLinks.has(systemCode(error) ?? '')) throw error
    copyFileSync(from, to, constants.COPYFILE_EXCL)
  }
}

const withoutLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Makes names durable, too. */
export const syncFolder = (path: string): void => onDisk(path, () => flushDirectory(path))

export type WidePath = { readonly path: string; readonly mode: number; readonly wanted: number }

/** The path's mode if others than its owner have a right to it; nothing where it does not exist. */
export function widePermissions(path: string): WidePath | undefined {
  if (!hasModes || !existsSync(path)) return undefined
  const status = onDisk(path, () => statSync(path))
  const mode = status.mode & 0o777
  if ((mode & OTHERS) === 0) return undefined
  return { path, mode, wanted: status.isDirectory() ? FOLDER_MODE : FILE_MODE }
}

export function narrowPermissions({ path, wanted }: WidePath): void {
  onDisk(path, () => chmodSync(path, wanted))
}
