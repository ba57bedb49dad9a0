/** What may be shown on each stream, and the way to show it. Implements `docs/spec/cli.md` §3.5. */

/** The part of a Node stream that printing needs. */
export type Stream = {
  write(text: string): unknown
  readonly isTTY?: boolean
  /** Width of the terminal; 0 where it does not know its size. */
  readonly columns?: number
}

/** The variables that decide what is shown; the names are those of the environment. */
export type Environment = {
  readonly [name in
    | 'CI'
    | 'CKBTC_COLOR'
    | 'FORCE_COLOR'
    | 'LANG'
    | 'LC_ALL'
    | 'LC_CTYPE'
    | 'NO_COLOR'
    | 'TERM']?: string | undefined
}

/** Global options, parsed. */
export type Settings = {
  readonly json: boolean
  readonly quiet: boolean
  /** How often `-v` was given. */
  readonly verbose: number
  readonly color: 'auto' | 'always' | 'never'
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
  /** A line of the answer, on standard output. */
  answer(line: string): void
  /** A line for people, on standard error; nothing with `--quiet`. */
  note(line: string): void
  /** A line that must be seen, on standard error. */
  warn(line: string): void
}

type Streams = { readonly out: Stream; readonly err: Stream }

/** Joins streams, environment and settings. Colours are loaded only when a stream shows them. */
export async function openTerminal(
  { out, err }: Streams,
  environment: Environment,
  settings: Settings,
): Promise<Terminal> {
  const ascii = !speaksUtf8(environment)
  const line = (text: string): string => `${ascii ? toAscii(text) : text}\n`
  return {
    settings,
    paint: await paintFor(showsColour(out, environment, settings)),
    errorPaint: await paintFor(showsColour(err, environment, settings)),
    spins: !settings.json && !settings.quiet && maySpin(err, environment),
    answer: (text) => void out.write(line(text)),
    note: (text) => void (settings.quiet || err.write(line(text))),
    warn: (text) => void err.write(line(text)),
  }
}

/** A flag beats the environment; in the environment, off beats on. */
export function showsColour(
  stream: Stream,
  environment: Environment,
  { color }: Pick<Settings, 'color'>,
): boolean {
  if (color !== 'auto') return color === 'always'
  if (isSet(environment.NO_COLOR) || environment.TERM === 'dumb') return false
  if (environment.CKBTC_COLOR === 'never') return false
  if (environment.CKBTC_COLOR === 'always') return true
  const forced = environment.FORCE_COLOR
  if (isSet(forced)) return forced !== '0' && forced !== 'false'
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
}

const toAscii = (text: string): string =>
  text.replace(/[✓✗→…·]/g, (symbol) => asciiSymbols[symbol] ?? symbol)

const plain: Paint = { good: String, bad: String, faint: String }

async function paintFor(coloured: boolean): Promise<Paint> {
  if (!coloured) return plain
  const { Chalk } = await import('chalk')
  const chalk = new Chalk({ level: 1 })
  return { good: chalk.green, bad: chalk.red, faint: chalk.dim }
}
