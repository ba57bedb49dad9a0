/** `ckbtc subnet stop`. Implements `docs/spec/cli.md` §5.16. */
import { stopSubnet } from '../../host/daemon.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printLocal } from '../local-network.ts'

export async function stop(_: Invocation, { terminal, directories }: Context): Promise<void> {
  const { wasRunning, isKept } = await stopSubnet(directories)
  printLocal(terminal, {
    schema: 'subnet-stop',
    data: { state: 'stopped', wasRunning, kept: isKept },
    essential: 'stopped',
    print: () => {
      if (!wasRunning) terminal.answer('No subnet was running.')
      else terminal.answer(`Subnet stopped; ${isKept ? 'its state is kept' : 'nothing is kept'}.`)
    },
  })
}
