/** What may be shown on each stream, and the way to show it. Implements `docs/spec/cli.md` §3.5. */
import type { Warning } from './json.ts'

/** The part of a Node stream that printing needs. */
export type Stream = {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Width of the terminal; 0 where it does not know its size. */
  readonly columns?: number
  readonly rows?: number
}

/** The variables that decide what is shown; the names are those of the environment. */
export type Environment = {
  readonly [name in
    | 'CI'
    | 'CKBTC_COLOR'
    | 'COLUMNS'
    | 'FORCE_COLOR'
    | 'LANG'
    | 'LC_ALL'
    | 'LC_CTYPE'
    | 'NO_COLOR'
    | 'TERM']?: string | undefined
}

export type ColorWish = 'auto' | 'always' | 'never'

/** Global options, parsed. */
export type Settings = {
  readonly json: boolean
  /** Tables as tab-separated rows. */
  readonly plain: boolean
  readonly quiet: boolean
  /** How often `-v` was given. */
  readonly verbose: number
  /** Of the option, which beats the environment. */
  readonly color: ColorWish
  /** Of the configuration, which the environment beats. */
  readonly colorPreference: ColorWish
  /** `json`: events as JSON lines on standard error. */
  readonly progress: 'auto' | 'json'
  /** The selected network, named in documents. */
  readonly network: string
}

/** Colours by meaning; the words and symbols carry it alone, too. */
export type Paint = {
  good(text: string): string
  bad(text: string): string
  faint(text: string): string
}

export type Terminal = {
  readonly settings: Settings
  /** Colours of standard output. */
  readonly paint: Paint
  /** Colours of standard error. */
  readonly errorPaint: Paint
  /** Whether something may move on standard error. */
  readonly spins: boolean
  /** Columns of standard output; undefined where nothing is cut. */
  readonly width: number | undefined
  /** Rows of standard output; undefined where it is no terminal. */
  readonly rows: number | undefined
  /** Columns of standard error; undefined where it is no terminal. */
  readonly errorWidth: number | undefined
  /** What stands for something left out: one column wide, or three of ASCII. */
  readonly ellipsis: string
  /** A line of the answer, on standard output. */
  answer(line: string): void
  /** A part of an answer that is a file: on standard output as it is. */
  content(text: string): void
  /** A line for people, on standard error; nothing with `--quiet`. */
  note(line: string): void
  /** A line that must be seen, on standard error. */
  warn(line: string): void
  /** A line for `-vv` and for the trace of `--debug`. */
  trace(line: string): void
  /** Something to know beside the answer: in the document of `--json`, a line for people. */
  warning(warning: Warning): void
  /** All of them so far. */
  readonly warnings: readonly Warning[]
}

type Streams = { readonly out: Stream; readonly err: Stream }

/** Tables are not made narrower than this. */
export const WIDTH_MIN = 60

/**
 * Joins streams, environment and settings. Colours are loaded only when a stream shows them.
 * `record` gets every line, too: the trace of `--debug`.
 */
export async function openTerminal(
  { out, err }: Streams,
  environment: Environment,
  settings: Settings,
  record: (line: string) => void = () => {},
): Promise<Terminal> {
  const ascii = !speaksUtf8(environment)
  const line = (text: string): string => `${ascii ? toAscii(text) : text}\n`
  const warnings: Warning[] = []
  const write = (stream: Stream, text: string): void => {
    record(text)
    stream.write(line(text))
  }
  return {
    settings,
    paint: await paintFor(showsColour(out, environment, settings)),
    errorPaint: await paintFor(showsColour(err, environment, settings)),
    spins: !settings.json && !settings.quiet && maySpin(err, environment),
    width: widthOf(out, environment),
    rows: out.isTTY === true ? out.rows : undefined,
    errorWidth: widthOf(err, environment),
    ellipsis: ascii ? '...' : '…',
    answer: (text) => write(out, text),
    content: (text) => void out.write(text),
    note: (text) => void (settings.quiet || write(err, text)),
    warn: (text) => write(err, text),
    trace(text) {
      if (settings.verbose > 1) write(err, `  ${text}`)
      else record(text)
    },
    warning(warning) {
      warnings.push(warning)
      if (!settings.json) write(err, `ckbtc: warning: ${warning.message}`)
    },
    warnings,
  }
}

/** `COLUMNS` is believed where the terminal does not tell. */
function widthOf({ isTTY, columns }: Stream, environment: Environment): number | undefined {
  if (isTTY !== true) return undefined
  const wished = Number(environment.COLUMNS)
  const width = columns !== undefined && columns > 0 ? columns : wished
  return Number.isInteger(width) && width > 0 ? Math.max(WIDTH_MIN, width) : undefined
}

/** A flag beats the environment, which beats the configuration; in the environment, off beats on. */
export function showsColour(
  stream: Stream,
  environment: Environment,
  { color, colorPreference = 'auto' }: Pick<Settings, 'color'> & Partial<Settings>,
): boolean {
  if (color !== 'auto') return color === 'always'
  if (isSet(environment.NO_COLOR) || environment.TERM === 'dumb') return false
  if (environment.CKBTC_COLOR === 'never') return false
  if (environment.CKBTC_COLOR === 'always') return true
  const forced = environment.FORCE_COLOR
  if (isSet(forced)) return forced !== '0' && forced !== 'false'
  if (colorPreference !== 'auto') return colorPreference === 'always'
  return stream.isTTY === true
}

/** Whether a spinner may move on `stream`; without colour no escape sequence is written at all. */
export function maySpin(stream: Stream, environment: Environment): boolean {
  if (stream.isTTY !== true || environment.TERM === 'dumb') return false
  if (stream.columns === 0) return false // The spinner could not tell how many lines it fills.
  return !isSet(environment.CI) && !isSet(environment.NO_COLOR)
}

/** The locale's character set, by the order POSIX gives the variables. */
export function speaksUtf8(environment: Environment): boolean {
  const locale = [environment.LC_ALL, environment.LC_CTYPE, environment.LANG].find(isSet)
  return locale !== undefined && /utf-?8/i.test(locale)
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== ''

const asciiSymbols: Readonly<Record<string, string>> = {
  '✓': 'ok',
  '✗': 'x',
  '→': '->',
  '…': '...',
  '·': '-',
  '—': '-',
  '–': '-',
  '─': '-',
  '’': "'",
  '“': '"',
  '”': '"',
  '≥': '>=',
  '≤': '<=',
  '≠': '!=',
  '×': 'x',
}

const toAscii = (text: string): string =>
  text.replace(/[✓✗→…·—–─’“”≥≤≠×]/g, (symbol) => asciiSymbols[symbol] ?? symbol)

const plain: Paint = { good: String, bad: String, faint: String }

async function paintFor(coloured: boolean): Promise<Paint> {
  if (!coloured) return plain
  const { Chalk } = await import('chalk')
  const chalk = new Chalk({ level: 1 })
  return { good: chalk.green, bad: chalk.red, faint: chalk.dim }
}
