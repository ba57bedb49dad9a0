/** A copy of this process's memory, to look for what must not be in it. Linux only. */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CHUNK_BYTES = 16 * 1024 * 1024

export const canReadMemory = existsSync('/proc/self/maps')

/** Holds the copy in a file, outside the memory that it shows. */
export class MemoryCopy {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ckbtc-memory-'))
  readonly #file = join(this.#folder, 'copy')

  /** Copies every region that this process may write. */
  constructor() {
    const memory = openSync('/proc/self/mem', 'r')
    const copy = openSync(this.#file, 'w')
    const buffer = Buffer.alloc(CHUNK_BYTES)
    for (const { start, end } of writableRegions())
      for (let at = start; at < end; at += BigInt(CHUNK_BYTES)) {
        const size = Number(end - at < BigInt(CHUNK_BYTES) ? end - at : BigInt(CHUNK_BYTES))
        writeSync(copy, buffer, 0, readAt(memory, buffer, { size, at }))
      }
    closeSync(memory)
    closeSync(copy)
    buffer.fill(0)
  }

  /** Whether the bytes occur anywhere. */
  holds(pattern: Uint8Array): boolean {
    const copy = openSync(this.#file, 'r')
    const buffer = Buffer.alloc(CHUNK_BYTES)
    try {
      for (let at = 0; ; at += CHUNK_BYTES - pattern.length) {
        const size = readSync(copy, buffer, 0, CHUNK_BYTES, at)
        if (size < pattern.length) return false
        if (buffer.subarray(0, size).includes(Buffer.from(pattern))) return true
      }
    } finally {
      closeSync(copy)
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true })
  }
}

function writableRegions(): readonly { readonly start: bigint; readonly end: bigint }[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line)
      if (match === null || /\[v|\/dev\//.test(line)) return []
      return [{ start: BigInt(`0x${match[1]}`), end: BigInt(`0x${match[2]}`) }]
    })
}

/** Regions may be gone or guarded by now: what cannot be read is left out. */
function readAt(
  memory: number,
  buffer: Buffer,
  { size, at }: { size: number; at: bigint },
): number {
  try {
    return readSync(memory, buffer, 0, size, at)
  } catch {
    return 0
  }
}
