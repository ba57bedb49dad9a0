/** What commands of the local subnet have in common. Source: `docs/spec/cli.md` §§3.4, 3.6, 5.17. */
import { Problem } from '../core/base/errors.ts'
import type { ControlClient } from '../host/control-client.ts'
import { openControl } from '../host/daemon.ts'
import type { Warning } from '../terminal/json.ts'
import { answerDocument } from '../terminal/json.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Context } from './context.ts'

export const LOCAL = 'local'

/** Throws `RAIL_LOCAL_ONLY` when another network is selected: this command is about ours alone. */
export function requireLocal({
  globals,
  environment,
}: Pick<Context, 'globals' | 'environment'>): void {
  const { CKBTC_NETWORK } = environment
  const network = globals.network ?? (CKBTC_NETWORK || LOCAL)
  if (network === LOCAL) return
  throw new Problem('RAIL_LOCAL_ONLY', `the network is ${network}, and this works on local only`, {
    fix: 'leave --network and CKBTC_NETWORK out, or name local',
    details: { network },
  })
}

/** The control port of the running subnet. Throws `RAIL_LOCAL_ONLY` or `SUBNET_DOWN`. */
export async function controlOf(context: Context): Promise<ControlClient> {
  requireLocal(context)
  return openControl(context.directories)
}

export type LocalAnswer = {
  /** `bitcoin-mine` becomes `ckbtc.bitcoin-mine.v1`. */
  readonly schema: string
  readonly data: object
  readonly warnings?: readonly Warning[]
  /** What `--quiet` leaves. */
  readonly essential: string
  /** For people, and for `--plain`. */
  readonly print: () => void
}

/** Prints an answer in the form that was asked for; warnings go to standard error for people. */
export function printLocal(terminal: Terminal, answer: LocalAnswer): void {
  const { json, quiet } = terminal.settings
  const { schema, data, warnings = [] } = answer
  if (json) {
    terminal.answer(answerDocument({ schema, network: LOCAL, data, warnings }))
    return
  }
  for (const { message } of warnings) terminal.warn(`ckbtc: warning: ${message}`)
  if (quiet) terminal.answer(answer.essential)
  else answer.print()
}
