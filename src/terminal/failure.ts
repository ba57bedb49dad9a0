/**
 * Failures as people and programs see them: at most seven lines, never a trace. Implements
 * `docs/spec/cli.md` §3.8.
 */
import { CkbtcError, errorCatalogue, HostDisk, HostPortBusy } from '../core/base/errors.ts'
import type { Failure } from './json.ts'
import { failureDocument } from './json.ts'
import { oneLine } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Prints `error` and gives the exit status that goes with it. */
export function printFailure(terminal: Terminal, error: unknown): number {
  const known = error instanceof CkbtcError ? error : systemFailure(error)
  if (known === undefined) return printBug(terminal, error)
  const { code, exit, message, fix, command, details } = known
  if (terminal.settings.json) {
    const { retry } = errorCatalogue[code]
    const hint = command === undefined ? fix : `${fix.replace(/:$/, '')}: ${command}`
    const { op } = details
    const operation = typeof op === 'string' ? op : null
    printDocument(terminal, { code, exit, message, hint, retry, op: operation, details })
    return exit
  }
  terminal.warn(`ckbtc: ${terminal.errorPaint.bad('error')}: ${shown(message)} (${code})`)
  terminal.warn(`ckbtc: hint: ${shown(fix)}`)
  if (command !== undefined) terminal.warn(`    ${shown(command)}`)
  return exit
}

function printDocument(terminal: Terminal, failure: Omit<Failure, 'network' | 'warnings'>): void {
  const { settings, warnings } = terminal
  terminal.answer(failureDocument({ ...failure, network: settings.network, warnings }))
}

/** Longer messages quote what others wrote; people get their beginning. */
const SHOWN_MAX = 1_000

/** One line, whatever a canister or a file put into it. */
const shown = (text: string): string =>
  oneLine(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)

const REPORT = 'ckbtc doctor --report'

/** Whatever no line of ours expected. The message is one line; where it was thrown stays out. */
function printBug(terminal: Terminal, error: unknown): number {
  const { exit, retry } = errorCatalogue.BUG
  const [cause = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
  const message = `this is a bug in ckbtc, nothing further was attempted: ${cause}`
  const hint = 'report the line above together with what this prints'
  if (terminal.settings.json) {
    const withCommand = `${hint}: ${REPORT}`
    const failure = { code: 'BUG', exit, message, hint: withCommand, retry }
    printDocument(terminal, { ...failure, op: null, details: {} })
    return exit
  }
  terminal.warn(`ckbtc: ${terminal.errorPaint.bad('error')}: ${shown(message)} (BUG)`)
  terminal.warn(`ckbtc: hint: ${hint}`)
  terminal.warn(`    ${REPORT}`)
  return exit
}

const diskReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  ENOSPC: 'no space left',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
}

/** Refusals of the operating system that the user can do something about. */
function systemFailure(error: unknown): CkbtcError | undefined {
  if (!(error instanceof Error)) return undefined
  const code = field(error, 'code')
  const reason = diskReasons[code]
  if (reason !== undefined) return new HostDisk(field(error, 'path') || 'a file', reason, error)
  if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL') return undefined
  const host = field(error, 'address') || '127.0.0.1'
  return new HostPortBusy({ host, port: Number(field(error, 'port')) || 0 }, error)
}

/** A property that Node adds to errors of the system, as text; empty when it is absent. */
const field = (error: Error, name: string): string =>
  String(Object.getOwnPropertyDescriptor(error, name)?.value ?? '')
