/**
 * The process of a local subnet in the background: takes its orders from whoever started it, tells
 * how the start goes, and then lives on its own. Started from `dist` by `../daemon.ts`.
 */
import { CkbtcError, errorCatalogue } from '../../core/base/errors.ts'
import { wireJson } from '../control/protocol.ts'
import { decodeRequest } from './launch-protocol.ts'
import { runDaemon } from './run.ts'

/** How long the end may take before it is forced. */
const ENDING_MS_MAX = 8_000

const ending = new AbortController()

/** Whoever started this process may have gone away: then nobody needs to be told. */
function tell(message: object): void {
  if (process.connected) process.send?.(wireJson(message), () => undefined)
}

function end(): void {
  ending.abort()
  setTimeout(() => process.exit(errorCatalogue.BUG.exit), ENDING_MS_MAX).unref()
}

async function main(order: unknown): Promise<number> {
  try {
    await runDaemon(decodeRequest(String(order)), { report: tell, ending: ending.signal })
    return 0
  } catch (error) {
    const known = error instanceof CkbtcError
    const message = error instanceof Error ? error.message : String(error)
    const { code, fix, command, details } = known
      ? error
      : {
          code: 'BUG',
          fix: 'report it with the log of the subnet',
          command: undefined,
          details: {},
        }
    tell({ type: 'failed', code, message, fix, command, details })
    return known ? error.exit : errorCatalogue.BUG.exit
  } finally {
    if (process.connected) process.disconnect()
  }
}

process.on('SIGTERM', end)
process.on('SIGINT', end)
process.on('SIGHUP', () => undefined) // The terminal has been closed; the subnet lives on.
process.once('message', (order) => {
  main(order).then((status) => process.exit(status))
})
