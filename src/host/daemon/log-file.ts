/**
 * The log of the local subnet: JSON lines in two files of bounded size. It names no secret and no
 * argument of a call. Source: `docs/spec/cli.md` §5.16, `docs/spec/ic-interface.md` §19.
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE_BYTES_MAX = 4_000_000
const LINE_LENGTH_MAX = 2_000
/** Lines of one second beyond which the rest of it is only counted. */
const LINES_PER_SECOND_MAX = 200

export const logFiles = (folder: string): { readonly older: string; readonly newer: string } => ({
  older: join(folder, 'subnet.1.log'),
  newer: join(folder, 'subnet.log'),
})

export type LogLevel = 'info' | 'warn' | 'error'

export class LogFile {
  readonly #folder: string
  readonly #now: () => Date
  #file: number
  #bytes: number
  #second = 0
  #lines = 0

  constructor(folder: string, now: () => Date) {
    this.#folder = folder
    this.#now = now
    this.#file = openSync(logFiles(folder).newer, 'a', 0o600)
    this.#bytes = fstatSync(this.#file).size
  }

  /** `node`: its id, from 1; undefined for what concerns the subnet as a whole. */
  write(level: LogLevel, text: string, node?: number): void {
    const at = this.#now()
    const second = Math.floor(at.getTime() / 1_000)
    if (second !== this.#second) {
      const left = this.#lines - LINES_PER_SECOND_MAX
      this.#second = second
      this.#lines = 0
      if (left > 0) this.#append(at, { level: 'warn', node: null, text: `${left} lines left out` })
    }
    this.#lines++
    if (this.#lines > LINES_PER_SECOND_MAX) return
    this.#append(at, { level, node: node ?? null, text: text.slice(0, LINE_LENGTH_MAX) })
  }

  #append(at: Date, fields: object): void {
    const line = Buffer.from(`${JSON.stringify({ at: at.toISOString(), ...fields })}\n`)
    if (this.#bytes + line.length > FILE_BYTES_MAX) this.#turn()
    this.#bytes += writeSync(this.#file, line)
  }

  #turn(): void {
    const { older, newer } = logFiles(this.#folder)
    closeSync(this.#file)
    renameSync(newer, older)
    this.#file = openSync(newer, 'a', 0o600)
    this.#bytes = 0
  }

  close(): void {
    closeSync(this.#file)
  }
}
