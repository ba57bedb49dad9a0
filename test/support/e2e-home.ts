/** Runs the built program with a home directory of its own, and ends what it left running. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Both `vitest` and compiled scripts run at the root of the tree. */
export const launcher = join(process.cwd(), 'bin/ckbtc.js')

/** After which a command is stuck: many nodes on a machine with other work start in minutes. */
const COMMAND_MS_MAX = 180_000

/** Each starts a program. */
const LOOKS_MAX = 200

export type Ran = { readonly exit: number | null; readonly out: string; readonly err: string }

export class Home {
  readonly path: string = mkdtempSync(join(tmpdir(), 'ckbtc-home-'))

  environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const { PATH = '' } = process.env
    return { PATH, LANG: 'C.UTF-8', HOME: this.path, ...more }
  }

  /** A command line as one would type it; words are separated by single spaces. */
  run(line: string, more: Readonly<Record<string, string>> = {}): Ran {
    return this.runWords(line.split(' '), more)
  }

  runWords(words: readonly string[], more: Readonly<Record<string, string>> = {}): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...words], {
      env: this.environment({ CKBTC_HOME: this.path, ...more }),
      timeout: COMMAND_MS_MAX,
      encoding: 'utf8',
    })
    return { exit: status, out: stdout, err: stderr }
  }

  /** The same without waiting for it. */
  start(line: string): {
    readonly pid: number | undefined
    readonly end: Promise<Ran>
    /** Standard output so far. */
    readonly output: () => string
  } {
    const child = spawn(process.execPath, [launcher, ...line.split(' ')], {
      env: this.environment({ CKBTC_HOME: this.path }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    const end = new Promise<Ran>((resolve) => {
      child.on('close', (exit) => resolve({ exit, out, err }))
    })
    return { pid: child.pid, end, output: () => out }
  }

  /** `data` of the JSON document that a command prints. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they name.
  json(line: string): any {
    const { exit, out, err } = this.run(`${line} --json`)
    if (exit !== 0) throw new RangeError(`${line}: ${out}${err}`)
    return JSON.parse(out).data
  }

  /** Runs a command again and again: what a node says of itself, it says some time after a start. */
  untilSays(line: string, words: string): void {
    let said = ''
    for (let look = 0; look < LOOKS_MAX; look++) {
      said = this.run(line).out
      if (said.includes(words)) return
    }
    throw new RangeError(`${line} never says: ${words}, but: ${said}`)
  }

  read(...path: readonly string[]): string {
    return readFileSync(join(this.path, ...path), 'utf8')
  }

  remove(): void {
    this.run('subnet stop')
    rmSync(this.path, { recursive: true, force: true })
  }
}
