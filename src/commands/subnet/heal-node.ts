/** `ckbtc subnet heal-node`. Implements `docs/spec/cli.md` §5.16. */
import { UsageInvalid } from '../../core/base/errors.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { goesOn, parseIds, printStrength, strengthWarnings } from './strength.ts'

export async function healNode({ args, options }: Invocation, context: Context): Promise<void> {
  const ids = parseIds(args)
  const isAll = options.isOn('all')
  if (isAll === ids.length > 0)
    throw new UsageInvalid(isAll ? 'give ids or --all, not both' : 'which nodes is not said', {
      fix: 'give their ids, or --all for every one that is down',
      command: 'ckbtc subnet heal-node --all',
    })
  const { terminal, signal } = context
  const healed = await (await controlOf(context)).ask('heal-node', { ids }, { signal })
  const { changed } = healed
  printLocal(terminal, {
    schema: 'subnet-heal-node',
    data: { ...healed, goesOn: goesOn(healed) },
    essential: changed.join(' '),
    warnings: strengthWarnings(terminal, healed),
    print: () => {
      if (changed.length === 0) terminal.answer('There was nothing to heal.')
      else terminal.answer(`Node${changed.length === 1 ? '' : 's'} ${changed.join(', ')} back.`)
      printStrength(terminal, healed)
    },
  })
}
