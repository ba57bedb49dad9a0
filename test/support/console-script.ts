/**
 * Console scripts (`*.console`): commands and their exact output, as a user sees them.
 *
 * `$ command`, then lines of standard output; `! ` begins a line of standard error, `? ` the exit status
 * (0 when absent), `# ` a remark. In output `{hex}`, `{number}` and `{any}` stand for what differs
 * from run to run, and a line `{lines}` for any lines at all.
 *
 * Every command has a home of its own. A line `# home: shared` gives all of a file the same one, and
 * ends a subnet that they have started; `# needs: subnet start …` runs that before the first of them.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type ConsoleCase = {
  readonly command: string
  /** Line of the command in its file, from 1. */
  readonly line: number
  readonly out: readonly string[]
  readonly err: readonly string[]
  readonly exit: number
}

export type ConsoleHome = {
  /** All commands of the file have one home. */
  readonly shared: boolean
  /** `ckbtc …`, to be run before the first command. */
  readonly before: string | undefined
}

export function homeOf(text: string): ConsoleHome {
  const need = /^# needs: (subnet start.*)$/m.exec(text)?.[1]
  return {
    shared: need !== undefined || /^# home: shared$/m.test(text),
    before: need === undefined ? undefined : `ckbtc ${need}`,
  }
}

export function parseConsole(text: string): readonly ConsoleCase[] {
  const cases: { command: string; line: number; out: string[]; err: string[]; exit: number }[] = []
  for (const [index, row] of text.split('\n').entries()) {
    if (row.startsWith('# ')) continue
    if (row.startsWith('$ ')) {
      cases.push({ command: row.slice(2), line: index + 1, out: [], err: [], exit: 0 })
      continue
    }
    const current = cases.at(-1)
    if (current === undefined) {
      if (row === '') continue
      throw new RangeError(`line ${index + 1} stands before the first command`)
    }
    if (row.startsWith('? ')) current.exit = Number(row.slice(2))
    else if (row === '!' || row.startsWith('! ')) current.err.push(row.slice(2))
    else current.out.push(row)
  }
  // Blank lines between two cases belong to the script and not to the output.
  return cases.map((item) => ({ ...item, out: item.out.slice(0, lastShown(item.out) + 1) }))
}

const lastShown = (rows: readonly string[]): number => rows.findLastIndex((row) => row !== '')

const wildcards: Readonly<Record<string, string>> = {
  '{hex}': '[0-9a-f]+',
  '{number}': '\\d+(?:\\.\\d+)?',
  '{any}': '[^\\n]+',
}

/** The expected lines as one pattern over the whole stream. */
export function expectedOutput(rows: readonly string[]): RegExp {
  const patterns = rows.map((row) => {
    if (row === '{lines}') return '(?:[^\\n]*\\n)*?'
    const parts = row.split(/(\{(?:hex|number|any)\})/)
    const body = parts.map((part) => wildcards[part] ?? part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    return `${body.join('')}\\n`
  })
  return new RegExp(`^${patterns.join('')}$`)
}

export type Ran = {
  readonly out: string
  readonly err: string
  /** What the shell says: 128 + signal when a signal ended the command. */
  readonly exit: number
  /** Files found afterwards in the home and the temporary directory, which were empty before. */
  readonly left: readonly string[]
}

const launcher = fileURLToPath(new URL('../../bin/ckbtc.js', import.meta.url))

/** `CKBTC_HOME` of several commands, which a subnet may run in. */
export class SharedHome {
  readonly path = mkdtempSync(join(tmpdir(), 'ckbtc-shared-'))

  async remove(): Promise<void> {
    await runCommand('ckbtc subnet stop', this)
    rmSync(this.path, { recursive: true, force: true })
  }
}

/**
 * Runs a shell command with `ckbtc` on its path, `$SUPPORT` this folder, an empty home or the one
 * that is shared, and no standard input.
 */
export async function runCommand(command: string, shared?: SharedHome): Promise<Ran> {
  const place = mkdtempSync(join(tmpdir(), 'ckbtc-console-'))
  const [bin, home, temporary] = [newDirectory(place), newDirectory(place), newDirectory(place)]
  symlinkSync(launcher, join(bin, 'ckbtc'))
  const { PATH } = process.env
  const child = spawn('bash', ['-c', command], {
    cwd: home,
    env: {
      PATH: `${bin}:${PATH}`,
      HOME: home,
      TMPDIR: temporary,
      SUPPORT: fileURLToPath(new URL('.', import.meta.url)),
      LANG: 'C.UTF-8',
      ...(shared === undefined ? {} : { CKBTC_HOME: shared.path }),
      // Node keeps it in the temporary directory, for all programs; it is not ours.
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err] = [collect(child.stdout), collect(child.stderr)]
  const exit = await new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? -1))
  })
  const left = [...readdirSync(home), ...readdirSync(temporary)]
  rmSync(place, { recursive: true })
  return { out: out(), err: err(), exit, left }
}

const newDirectory = (place: string): string => mkdtempSync(join(place, 'd'))

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: string[] = []
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => chunks.push(chunk))
  return () => chunks.join('')
}
