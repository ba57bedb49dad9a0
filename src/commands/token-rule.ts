/** Which commands know tokens beside ckBTC. Implements `docs/spec/cli.md` §§3.1, 4 (`--token`). */
import { UsageInvalid } from '../core/base/errors.ts'
import type { Globals } from './context.ts'
import type { CommandDefinition } from './definitions/command.ts'

/** What the networks' own are called. */
const OWN = /^ck(?:test)?btc$/i

/** Throws `USAGE_INVALID` for a command that could only be about ckBTC. */
export function requireTokenFits(
  { token }: Pick<Globals, 'token'>,
  { anyToken, insteadForToken = 'ckbtc info' }: CommandDefinition,
): void {
  if (token === undefined || anyToken === true || OWN.test(token)) return
  throw new UsageInvalid(`this command knows ckBTC alone, not "${token.slice(0, 40)}"`, {
    fix: 'leave --token out; what there is for other tokens:',
    command: `${insteadForToken} --token ${token}`,
  })
}
