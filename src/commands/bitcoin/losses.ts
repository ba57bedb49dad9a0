/** `ckbtc bitcoin write-off` and `adopt`. Implements `docs/spec/cli.md` §5.17, minter §18.8. */
import { UsageInvalid } from '../../core/base/errors.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

const COIN = /^([0-9a-f]{64}):(0|[1-9][0-9]{0,9})$/
const VOUT_MAX = 2 ** 32 - 1

type Action = 'write-off' | 'adopt'

export const writeOff = (invocation: Invocation, context: Context): Promise<void> =>
  settle('write-off', invocation, context)

export const adopt = (invocation: Invocation, context: Context): Promise<void> =>
  settle('adopt', invocation, context)

async function settle(action: Action, { args }: Invocation, context: Context): Promise<void> {
  const coins = args.map((typed) => coinOf(typed, action))
  const { terminal, signal } = context
  const control = await controlOf(context)
  await control.ask('losses', { action, coins }, { signal })
  const names = coins.map(({ txid, vout }) => `${txid}:${vout}`)
  const what = names.length === 1 ? 'The coin is' : `${names.length} coins are`
  printLocal(terminal, {
    schema: 'bitcoin-losses',
    data: { action, coins: names },
    essential: action === 'adopt' ? 'adopted' : 'written-off',
    print: () =>
      terminal.answer(
        action === 'adopt'
          ? `${what} the minter's own now.`
          : `${what} written off; the minter mints again once no other is missing.`,
      ),
  })
}

function coinOf(typed: string, action: Action): { readonly txid: string; readonly vout: number } {
  const [, txid, vout] = COIN.exec(typed.toLowerCase()) ?? []
  if (txid === undefined || Number(vout) > VOUT_MAX)
    throw new UsageInvalid(`"${typed}" is no coin`, {
      fix: 'give <txid>:<vout>, as explorers show it',
      command: `ckbtc bitcoin ${action} --help`,
    })
  return { txid, vout: Number(vout) }
}
