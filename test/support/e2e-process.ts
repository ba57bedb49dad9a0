/**
 * Runs the program in empty directories, sends it a signal when it has come to a step, and looks at
 * what it left.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../bin/ckbtc.js', import.meta.url))

export type Signalled = {
  readonly exit: number | null
  readonly err: string
  /** Files in the working, home and temporary directories, which were empty before. */
  readonly left: readonly string[]
}

/** Sends `signal` once standard error has shown `after`. */
export async function signalDemo(
  words: readonly string[],
  { signal, after }: { readonly signal: NodeJS.Signals; readonly after: string },
): Promise<Signalled> {
  const place = mkdtempSync(join(tmpdir(), 'ckbtc-e2e-'))
  const [cwd, home, temporary] = ['cwd', 'home', 'tmp'].map((name) =>
    mkdtempSync(join(place, name)),
  )
  const child = spawn(process.execPath, [launcher, 'demo', ...words], {
    cwd,
    // Node's own cache of compiled code would lie in the temporary directory; it is not ours.
    env: { HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8', NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let err = ''
  let sent = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    if (sent || !err.includes(after)) return
    sent = true
    child.kill(signal)
  })
  const exit = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  const left = [cwd, home, temporary].flatMap((path) => readdirSync(path ?? place))
  rmSync(place, { recursive: true })
  return { exit, err, left }
}
