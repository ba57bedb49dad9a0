/** `ckbtc bitcoin tip`. Implements `docs/spec/cli.md` §5.17. */
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

export async function tip(_: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const { height, hash, time, waitingTransactions } = await (await controlOf(context)).ask(
    'tip',
    {},
    { signal },
  )
  const minedAt = new Date(time * 1_000).toISOString()
  printLocal(terminal, {
    schema: 'bitcoin-tip',
    data: { height, hash, minedAt, waitingTransactions },
    essential: `${height}`,
    print: () =>
      printPairs(terminal, [
        ['Height', `${height}`],
        ['Hash', hash],
        ['Time', minedAt],
        ['Waiting', `${waitingTransactions} transactions`],
      ]),
  })
}
