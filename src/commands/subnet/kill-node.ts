/** `ckbtc subnet kill-node`. Implements `docs/spec/cli.md` §5.16. */
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { goesOn, parseIds, printStrength, strengthWarnings } from './strength.ts'

export async function killNode({ args }: Invocation, context: Context): Promise<void> {
  const ids = parseIds(args)
  const { terminal, signal } = context
  const control = await controlOf(context)
  const before = await control.ask('status', {}, { signal })
  const left = { ...before, nodesUp: before.nodesUp.filter((id) => !ids.includes(id)) }
  // Said before anything is done: a Ctrl-C in between leaves the nodes as they are.
  if (goesOn(before) && !goesOn(left))
    terminal.note(
      `ckbtc: note: without ${ids.length === 1 ? 'it' : 'them'} nothing is ordered or signed`,
    )
  const killed = await control.ask('kill-node', { ids }, { signal })
  printLocal(terminal, {
    schema: 'subnet-kill-node',
    data: { ...killed, goesOn: goesOn(killed) },
    essential: killed.changed.join(' '),
    warnings: strengthWarnings(terminal, killed),
    print: () => printStrength(terminal, killed),
  })
}
