/** `ckbtc subnet start`. Implements `docs/spec/cli.md` §5.16. */

import { startSubnet } from '../../host/daemon.ts'
import type { DaemonRequest } from '../../host/daemon-request.ts'
import { openProgress } from '../../terminal/progress.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { printReady } from './ready.ts'
import { startOptions } from './start-options.ts'

export async function start({ options }: Invocation, context: Context): Promise<void> {
  const given = startOptions(options, context.configuration)
  const request = {
    directories: context.directories,
    given,
    isEphemeral: options.isOn('ephemeral'),
  }
  if (options.isOn('foreground')) {
    const { runInForeground } = await import('./foreground.ts')
    return runInForeground(request, context)
  }
  await startInBackground(request, context)
}

async function startInBackground(request: DaemonRequest, context: Context): Promise<void> {
  const { terminal, signal, whenStopped } = context
  whenStopped({ line: 'Stopped starting the subnet.' })
  const progress = await openProgress(terminal)
  progress.show({ number: 1, label: 'Subnet', text: 'starting' })
  try {
    const tell = (text: string): void => progress.show({ number: 1, label: 'Subnet', text })
    const { status, startedMs } = await startSubnet(request, tell, signal)
    progress.stop()
    printReady(context, { status, startedMs, request })
  } finally {
    progress.stop()
  }
}
