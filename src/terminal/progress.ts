/**
 * What is being waited for: a spinner where something may move, plain lines elsewhere. Implements
 * `docs/spec/cli.md` §3.5.
 */
import type { Terminal } from './terminal.ts'

/** At most one sign of life a minute between two changes of state. */
const HEARTBEAT_MS = 60_000

export interface Progress {
  /**
   * Shows `text` as the present state, `label` as its subject; `number` is its place in a story.
   */
  show(state: ProgressState): void
  /** The state has ended and another will be shown. */
  clear(): void
  /** Ends it and gives the cursor back. May be called twice. */
  stop(): void
}

export type ProgressState = {
  readonly number: number
  readonly label: string
  readonly text: string
}

/** Width of the column of labels in a story, the same as in `steps.ts`. */
export const LABEL_WIDTH = 18

export async function openProgress(terminal: Terminal): Promise<Progress> {
  if (terminal.settings.quiet) return silent
  return terminal.spins ? await spinner(terminal) : plainLines(terminal)
}

const silent: Progress = { show: () => {}, clear: () => {}, stop: () => {} }

async function spinner({ errorPaint }: Terminal): Promise<Progress> {
  const { default: ora } = await import('ora')
  // Standard input stays as it is: in raw mode Ctrl-C would be a key and no signal.
  const moving = ora({ stream: process.stderr, discardStdin: false, color: false })
  return {
    show({ number, label, text }) {
      moving.prefixText = String(number).padStart(2)
      moving.text = label.padEnd(LABEL_WIDTH) + errorPaint.faint(text)
      if (!moving.isSpinning) moving.start()
    },
    clear: () => void moving.stop(),
    stop: () => void moving.stop(),
  }
}

function plainLines(terminal: Terminal): Progress {
  let last = ''
  const print = (line: string): void => {
    last = line
    terminal.note(line)
  }
  const heartbeat = setInterval(() => last !== '' && print(last), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    show({ label, text }) {
      const line = `${label}: ${text}`
      if (line === last) return
      print(line)
      heartbeat.refresh()
    },
    clear() {
      last = ''
    },
    stop: () => clearInterval(heartbeat),
  }
}
