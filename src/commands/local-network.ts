/** What commands of the local subnet have in common. Source: `docs/spec/cli.md` §§3.4, 3.6, 5.17. */
import { Problem } from '../core/base/errors.ts'
import type { ControlClient } from '../host/control/client.ts'
import { openControl } from '../host/daemon.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Warning } from '../terminal/json.ts'
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

/** Prints an answer in the form that was asked for. */
export function printLocal(terminal: Terminal, { warnings = [], ...answer }: LocalAnswer): void {
  printAnswer(terminal, { ...answer, network: LOCAL, warnings })
}
