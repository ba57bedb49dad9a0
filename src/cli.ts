/**
 * The program: runs one command line, listens to signals, and is the only writer of the exit
 * status.
 */
import { readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { homedir } from 'node:os'
import type { StopManner } from './commands/context.ts'
import { directoriesOf } from './core/base/directories.ts'
import { Interrupted, ProgramEnded } from './core/base/errors.ts'
import { requireNodeVersion } from './host/node-version.ts'
import { printFailure } from './terminal/failure.ts'
import { openTerminal, type Settings, type Terminal } from './terminal/terminal.ts'
import type { Trace } from './terminal/trace.ts'

/** What a signal means for a command that says nothing else. */
const usualStop = {
  line: 'Stopped. Nothing is kept; run the same command to start again.',
  patienceMs: 3_000,
} as const satisfies StopManner

const words = process.argv.slice(2)
const directories = directoriesOf({
  environment: process.env,
  home: homedir(),
  platform: process.platform,
})
let trace: Trace | undefined
const ending = new AbortController()
let outputClosed = false
let stopManner: StopManner = usualStop
let terminal = await openOutput({
  json: words.includes('--json'),
  plain: false,
  quiet: false,
  verbose: 0,
  color: 'auto',
  colorPreference: 'auto',
  progress: 'auto',
  network: 'local',
})

function openOutput(settings: Settings): Promise<Terminal> {
  const streams = { out: process.stdout, err: process.stderr }
  return openTerminal(streams, process.env, settings, (line) => trace?.record(line))
}

async function main(): Promise<number> {
  try {
    requireNodeVersion(process.versions.node)
    Reflect.get(nodeModule, 'enableCompileCache')?.() // Offered from Node 22.8 on.
    trace = await traceIfWanted()
    const { runCommandLine } = await import('./commands/tree.ts')
    await runCommandLine(words, {
      version: packageVersion(),
      environment: process.env,
      directories,
      workingFolder: workingFolder(),
      open: async (settings) => {
        terminal = await openOutput(settings)
        const whenStopped = (manner: Partial<StopManner>): void => {
          stopManner = { ...usualStop, ...manner }
        }
        return { terminal, signal: ending.signal, whenStopped }
      },
    })
    ending.signal.throwIfAborted()
    if (trace !== undefined) terminal.note(`ckbtc: trace: ${trace.path}`)
    return 0
  } catch (error) {
    // Another program that was run has its own idea of a signal.
    if (error instanceof ProgramEnded) return error.status
    return report(ending.signal.aborted ? ending.signal.reason : error)
  }
}

/** Words after `--` are another program's. */
async function traceIfWanted(): Promise<Trace | undefined> {
  const end = words.indexOf('--')
  if (!(end < 0 ? words : words.slice(0, end)).includes('--debug')) return undefined
  const { openTrace } = await import('./terminal/trace.ts')
  return openTrace({
    folder: directories.state,
    words,
    environment: process.env,
    version: packageVersion(),
    now: () => new Date(),
  })
}

/** Says where the trace is, for whoever reports it. */
function endTrace(error: unknown): void {
  trace?.failure(error)
  if (trace !== undefined) terminal.note(`ckbtc: trace: ${trace.path}`)
}

function report(error: unknown): number {
  endTrace(error)
  if (outputClosed) return 0 // Nobody reads on; that is how `| head` ends a program.
  // People have read the line already that `interrupt` prints.
  if (error instanceof Interrupted && (!terminal.settings.json || stopManner.answers === true))
    return error.exit
  return printFailure(terminal, error)
}

/** A folder that was removed under a running shell is no folder. */
function workingFolder(): string | undefined {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return String(Reflect.get(Object(manifest), 'version'))
}

/** The first signal asks the command to clean up, the second ends the program at once. */
function interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
  const error = new Interrupted(signal)
  if (ending.signal.aborted) process.exit(error.exit)
  ending.abort(error)
  const { line, patienceMs } = stopManner
  if (line !== '') terminal.warn(line)
  setTimeout(() => process.exit(report(error)), patienceMs).unref()
}

function outputFailed(error: Error & { code?: string }): void {
  if (outputClosed) return
  outputClosed = error.code === 'EPIPE'
  if (!outputClosed) crash(error)
  ending.abort(error)
}

/** An error that no command caught: said in one line, without a trace. */
function crash(error: unknown): never {
  ending.abort(error)
  endTrace(error)
  process.exit(printFailure(terminal, error))
}

process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
process.on('uncaughtException', crash)
process.stdout.on('error', outputFailed)
process.stderr.on('error', () => {}) // Notes that nobody reads are no reason to stop.

process.exitCode = await main()
if (ending.signal.aborted) process.exit()
