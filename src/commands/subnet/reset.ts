/** `ckbtc subnet reset`. Implements `docs/spec/cli.md` §5.16. */
import { discardable, resetSubnet } from '../../host/daemon.ts'
import { consent } from '../../terminal/prompt.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printLocal } from '../local-network.ts'
import { megabytes } from './description.ts'

export async function reset(_: Invocation, context: Context): Promise<void> {
  const { terminal, directories, globals, environment } = context
  const found = await discardable(directories)
  if (found.isRunning || found.bytes > 0) {
    const what = 'the chain, the ledger and the keys of the local subnet'
    terminal.note(`This discards ${what} (${megabytes(found.bytes)}).`)
    const facts = { environment, input: globals.input }
    await consent('Discard them?', { facts, yes: globals.yes })
  }
  const { path, bytes } = await resetSubnet(directories)
  printLocal(terminal, {
    schema: 'subnet-reset',
    data: { path, bytes, wasRunning: found.isRunning },
    essential: path,
    print: () => {
      if (bytes === 0 && !found.isRunning) terminal.answer('There was nothing to discard.')
      else
        terminal.answer(`Discarded ${path} (${megabytes(bytes)}). Begin again: ckbtc subnet start`)
    },
  })
}
