/** `ckbtc signer refresh`. Implements `docs/spec/cli.md` §5.18, threshold §11.2. */
import { printPairs } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'
import { marginWarnings } from './arguments.ts'

export async function refresh(_: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const control = await controlOf(context)
  const found = await control.ask('signer-refresh', {}, { signal })
  const { keyVersion, nodesUp, totalMs } = found
  printLocal(terminal, {
    schema: 'signer-refresh',
    data: found,
    essential: `${keyVersion}`,
    warnings: marginWarnings(found),
    print: () =>
      printPairs(terminal, [
        ['Shares', `version ${keyVersion}; those before it are erased and useless`],
        ['Keys', 'the same, and every address with them'],
        ['Nodes', `${nodesUp.length} up`],
        ['Time', `${totalMs} ms`],
      ]),
  })
}
