/**
 * The program: runs one command line, listens to signals, and is the only writer of the exit
 * status.
 */
import { readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { Interrupted } from './core/base/errors.ts'
import { requireNodeVersion } from './host/node-version.ts'
import { printFailure } from './terminal/failure.ts'
import { openTerminal, type Settings, type Terminal } from './terminal/terminal.ts'

/** How long an interrupted command may take to clean up. */
const CLEANUP_MS_MAX = 3_000

const words = process.argv.slice(2)
const ending = new AbortController()
let outputClosed = false
let terminal = await openOutput({
  json: words.includes('--json'),
  quiet: false,
  verbose: 0,
  color: 'auto',
})

function openOutput(settings: Settings): Promise<Terminal> {
  return openTerminal({ out: process.stdout, err: process.stderr }, process.env, settings)
}

async function main(): Promise<number> {
  try {
    requireNodeVersion(process.versions.node)
    Reflect.get(nodeModule, 'enableCompileCache')?.() // Offered from Node 22.8 on.
    const { runCommandLine } = await import('./commands/tree.ts')
    await runCommandLine(words, {
      version: packageVersion(),
      open: async (settings) => {
        terminal = await openOutput(settings)
        return { terminal, signal: ending.signal }
      },
    })
    ending.signal.throwIfAborted()
    return 0
  } catch (error) {
    return report(ending.signal.aborted ? ending.signal.reason : error)
  }
}

function report(error: unknown): number {
  if (outputClosed) return 0 // Nobody reads on; that is how `| head` ends a program.
  // People have read the line already that `interrupt` prints.
  if (error instanceof Interrupted && !terminal.settings.json) return error.exit
  return printFailure(terminal, error)
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
  terminal.warn('Stopped. Nothing is kept; run the same command to start again.')
  setTimeout(() => process.exit(report(error)), CLEANUP_MS_MAX).unref()
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
  process.exit(printFailure(terminal, error))
}

process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
process.on('uncaughtException', crash)
process.stdout.on('error', outputFailed)
process.stderr.on('error', () => {}) // Notes that nobody reads are no reason to stop.

process.exitCode = await main()
if (ending.signal.aborted) process.exit()
