/** Options of every command, none of which was given. */
import type { Globals } from '../../src/commands/context.ts'

export const noGlobals: Globals = {
  network: undefined,
  key: undefined,
  yes: false,
  input: true,
  unit: undefined,
  timeout: undefined,
  config: undefined,
  passphraseFile: undefined,
  token: undefined,
}
