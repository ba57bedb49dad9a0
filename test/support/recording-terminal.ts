/** A real terminal over streams that keep what is written to them. */
import { type Environment, openTerminal, type Settings } from '../../src/terminal/terminal.ts'

const defaults: Settings = {
  json: false,
  plain: false,
  quiet: false,
  verbose: 0,
  color: 'auto',
  colorPreference: 'auto',
  progress: 'auto',
  network: 'local',
}

export async function recordingTerminal(
  settings: Partial<Settings> = {},
  environment: Environment = { LANG: 'C.UTF-8' },
  record?: (line: string) => void,
) {
  const written = { out: '', err: '' }
  const streams = {
    out: {
      write(text: string) {
        written.out += text
      },
    },
    err: {
      write(text: string) {
        written.err += text
      },
    },
  }
  const terminal = await openTerminal(streams, environment, { ...defaults, ...settings }, record)
  return { terminal, written }
}
