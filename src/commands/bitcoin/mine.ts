/** `ckbtc bitcoin mine`. Implements `docs/spec/cli.md` §5.17. */
import { parseCount } from '../../core/base/amounts.ts'
import { BLOCKS_MAX } from '../../host/control/protocol.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

export async function mine({ args, options }: Invocation, context: Context): Promise<void> {
  const count = parseCount(args[0] ?? '1', {
    what: 'the number of blocks',
    min: 1,
    max: BLOCKS_MAX,
  })
  const request = { count, to: options.text('to'), empty: options.isOn('empty') }
  const control = await controlOf(context)
  const mined = await control.ask('mine', request, { signal: context.signal })
  const { terminal } = context
  printLocal(terminal, {
    schema: 'bitcoin-mine',
    data: mined,
    essential: mined.hash,
    print: () => {
      const blocks = count === 1 ? 'one block' : `${count} blocks`
      terminal.answer(`Mined ${blocks}. Height ${mined.height}, ${mined.hash}`)
    },
  })
}
