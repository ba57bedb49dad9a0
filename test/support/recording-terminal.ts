/** A real terminal over streams that keep what is written to them; a screen if it has columns. */
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
  { columns, record }: { readonly columns?: number; readonly record?: (line: string) => void } = {},
) {
  const written = { out: '', err: '' }
  const shape = columns === undefined ? {} : { isTTY: true, columns }
  const streams = {
    out: {
      ...shape,
      write(text: string) {
        written.out += text
      },
    },
    err: {
      ...shape,
      write(text: string) {
        written.err += text
      },
    },
  }
  const terminal = await openTerminal(streams, environment, { ...defaults, ...settings }, record)
  return { terminal, written }
}
