/** `ckbtc bitcoin flag`. Implements `docs/spec/cli.md` §5.17. */
import { UsageInvalid } from '../../core/base/errors.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

const TARGET_LENGTH_MAX = 200

export async function flag({ args, options }: Invocation, context: Context): Promise<void> {
  const [typed = ''] = args
  // Base58 addresses tell cases apart.
  const target = typed.includes(':') ? typed.toLowerCase() : typed
  if (target === '' || target.length > TARGET_LENGTH_MAX)
    throw new UsageInvalid('what is flagged is a coin or an address', {
      fix: 'give <txid>:<vout> or a Bitcoin address',
      command: 'ckbtc bitcoin flag --help',
    })
  const flagged = !options.isOn('remove')
  const { terminal, signal } = context
  const control = await controlOf(context)
  await control.ask('flag', { target, flagged }, { signal })
  printLocal(terminal, {
    schema: 'bitcoin-flag',
    data: { target, flagged },
    essential: flagged ? 'flagged' : 'not-flagged',
    print: () =>
      terminal.answer(
        flagged ? `The checker refuses ${target}.` : `The checker has nothing against ${target}.`,
      ),
  })
}
