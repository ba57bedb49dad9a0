/** `ckbtc subnet start --foreground`: the subnet in this process. Implements cli §5.16. */

import { ControlClient } from '../../host/control/client.ts'
import { findSubnet, runSubnet } from '../../host/daemon.ts'
import type { DaemonRequest } from '../../host/daemon-request.ts'
import { openProgress } from '../../terminal/progress.ts'
import type { Context } from '../context.ts'
import { printReady } from './ready.ts'

/** How long nodes and stores may take to close. */
const CLOSING_MS_MAX = 10_000

export async function runInForeground(request: DaemonRequest, context: Context): Promise<void> {
  const { terminal, signal, whenStopped } = context
  const kept = request.isEphemeral ? 'nothing is kept' : 'its state is kept'
  whenStopped({ line: `Stopping the subnet; ${kept}.`, patienceMs: CLOSING_MS_MAX })
  const progress = await openProgress(terminal)
  let isReady = false
  try {
    await runSubnet(request, {
      ending: signal,
      report: (event) => {
        if (event.type === 'progress') {
          progress.show({ number: 1, label: 'Subnet', text: event.text })
          return
        }
        isReady = true
        progress.stop()
        printReady(context, { ...event, request })
      },
    })
  } finally {
    progress.stop()
  }
  if (isReady || signal.aborted) return
  const rival = await findSubnet(request.directories)
  if (rival === undefined) return
  const status = await new ControlClient(rival.controlPath).ask('status', {})
  printReady(context, { status, startedMs: undefined, request })
}
