/**
 * The trace of `--debug`: everything that was said and asked, in a file, without secrets. Implements
 * `docs/spec/cli.md` §3.8.
 */
import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

export type TraceFacts = {
  /** State directory; traces lie in `debug` below it. */
  readonly folder: string
  /** Words of the command line. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly now: () => Date
}

export type Trace = {
  readonly path: string
  /** One line of text. */
  record(text: string): void
  /** An error with its causes and where they were thrown. */
  failure(error: unknown): void
}

/** Older traces than these are removed. */
const TRACES_KEPT = 20
const CAUSES_MAX = 8
/** Longer lines are cut: a trace is for people. */
const LINE_LENGTH_MAX = 20_000

/** Begins a trace. Throws errors of the system when the file cannot be written. */
export function openTrace({ folder, words, environment, version, now }: TraceFacts): Trace {
  const traces = join(folder, 'debug')
  mkdirSync(traces, { recursive: true, mode: 0o700 })
  const clean = redaction(environment)
  const path = join(traces, `${now().toISOString().replaceAll(':', '-')}-${process.pid}.log`)
  const record = (text: string): void => {
    const line = clean(stripVTControlCharacters(text).slice(0, LINE_LENGTH_MAX))
    appendFileSync(path, `${now().toISOString()} ${line}\n`, { mode: 0o600 })
  }
  record(`ckbtc ${version}, Node ${process.version}, ${process.platform} ${process.arch}`)
  record(`command: ckbtc ${words.join(' ')}`)
  for (const [name, value] of Object.entries(environment))
    if (/^(?:CKBTC_|XDG_|CI$|NO_COLOR$|TERM$|LANG$|LC_)/.test(name))
      record(`variable: ${name}=${isSecretName(name) ? '[secret]' : value}`)
  keepNewest(traces)
  return { path, record, failure: (error) => record(describe(error)) }
}

function keepNewest(folder: string): void {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort()
  for (const name of names.slice(0, Math.max(0, names.length - TRACES_KEPT)))
    rmSync(join(folder, name), { force: true })
}

function describe(error: unknown): string {
  const parts: string[] = []
  let cause = error
  for (let depth = 0; cause !== undefined && depth < CAUSES_MAX; depth++) {
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    parts.push(`${depth === 0 ? 'error' : 'caused by'}: ${text}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return parts.join('\n')
}

const isSecretName = (name: string): boolean => name === 'CKBTC_PASSPHRASE'

/**
 * What looks like a secret is not written: PEM blocks, runs of words as long as a seed phrase and
 * numbered words, passwords in addresses, and the passphrase of the environment.
 */
function redaction({ CKBTC_PASSPHRASE: passphrase }: TraceFacts['environment']) {
  return (text: string): string => {
    const shown = text
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, SECRET)
      .replace(/\b(?:[a-z]{3,8}\s+){11,}[a-z]{3,8}\b/g, SECRET)
      .replace(/(?:\b\d{1,2}\s+[a-z]{3,8}\b\s*){3,}/g, SECRET)
      .replace(/(?<=\/\/)[^/@\s]+(?=@)/g, SECRET)
    return passphrase === undefined || passphrase === ''
      ? shown
      : shown.replaceAll(passphrase, SECRET)
  }
}

const SECRET = '[secret]'
