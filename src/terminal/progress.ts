/**
 * What is being waited for: a spinner where something may move, plain lines elsewhere, JSON lines for
 * programs. Implements `docs/spec/cli.md` §§3.5, 3.6.
 */
import { toWire } from './json.ts'
import type { Terminal } from './terminal.ts'

/** At most one sign of life a minute between two changes of state. */
const HEARTBEAT_MS = 60_000

export interface Progress {
  /** Shows `text` as the present state, `label` as its subject. */
  show(state: ProgressState): void
  /** Something happened that stays on the screen, above the present state. */
  tell(line: string, facts?: Readonly<Record<string, unknown>>): void
  /** The state has ended and another will be shown. */
  clear(): void
  /** Ends it and gives the cursor back. May be called twice. */
  stop(): void
}

export type ProgressState = {
  /** Its place in a story that is told in numbered steps. */
  readonly number?: number
  readonly label: string
  readonly text: string
  /** For programs: names in camel case, amounts end in `Sat`. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** Width of the column of labels in a story, the same as in `steps.ts`. */
export const LABEL_WIDTH = 18

export async function openProgress(terminal: Terminal): Promise<Progress> {
  if (terminal.settings.progress === 'json') return jsonLines(terminal)
  if (terminal.settings.quiet) return silent
  return terminal.spins ? await spinner(terminal) : plainLines(terminal)
}

const silent: Progress = { show: () => {}, tell: () => {}, clear: () => {}, stop: () => {} }

async function spinner({ errorPaint, errorWidth, note }: Terminal): Promise<Progress> {
  const { default: ora } = await import('ora')
  // Standard input stays as it is: in raw mode Ctrl-C would be a key and no signal.
  const moving = ora({ stream: process.stderr, discardStdin: false, color: false })
  let since = Date.now()
  let shown = ''
  const elapsed = (): string => {
    const seconds = Math.floor((Date.now() - since) / 1_000)
    return seconds < 5 ? '' : ` ${durationText(seconds)}`
  }
  const draw = (): void => {
    const line = shown + errorPaint.faint(elapsed())
    moving.text = errorWidth === undefined ? line : line.slice(0, 4 * errorWidth)
  }
  const tick = setInterval(draw, 1_000)
  tick.unref()
  return {
    show({ number, label, text }) {
      const next =
        number === undefined
          ? `${label}: ${text}`
          : label.padEnd(LABEL_WIDTH) + errorPaint.faint(text)
      if (next !== shown) since = Date.now()
      shown = next
      moving.prefixText = number === undefined ? '' : String(number).padStart(2)
      draw()
      if (!moving.isSpinning) moving.start()
    },
    tell(line) {
      const spun = moving.isSpinning
      if (spun) moving.stop()
      note(line)
      if (spun) moving.start()
    },
    clear: () => void moving.stop(),
    stop() {
      clearInterval(tick)
      moving.stop()
    },
  }
}

function plainLines(terminal: Terminal): Progress {
  let last = ''
  let minutes = 0
  const heartbeat = setInterval(() => {
    minutes += 1
    if (last !== '') terminal.note(`${last} (${durationText(60 * minutes)})`)
  }, HEARTBEAT_MS)
  heartbeat.unref()
  return {
    show({ label, text }) {
      const line = `${label}: ${text}`
      if (line === last) return
      last = line
      minutes = 0
      terminal.note(line)
      heartbeat.refresh()
    },
    tell: (line) => terminal.note(line),
    clear() {
      last = ''
    },
    stop: () => clearInterval(heartbeat),
  }
}

/** One document a line on standard error, with `--quiet` too: a program has asked for it. */
function jsonLines({ warn, settings: { network } }: Terminal): Progress {
  const print = (event: string, fields: Readonly<Record<string, unknown>>): void => {
    const at = new Date().toISOString()
    const wired = Object(toWire(fields))
    warn(JSON.stringify({ schema: 'ckbtc.progress.v1', at, network, event, ...wired }))
  }
  let last = ''
  return {
    show({ number, label, text, facts = {} }) {
      const state = JSON.stringify([label, text])
      if (state === last) return
      last = state
      print('state', { ...(number === undefined ? {} : { number }), label, text, ...facts })
    },
    tell: (line, facts = {}) => print('line', { text: line, ...facts }),
    clear: () => {},
    stop: () => {},
  }
}

/** `45 s`, `3 min`, `2 h 5 min`: how long something has taken. */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60]
  if (hours >= 48) return `${Math.floor(hours / 24)} d`
  return rest === 0 ? `${hours} h` : `${hours} h ${rest} min`
}
