/** Checks of the local subnet and of what it needs. Source: `docs/spec/cli.md` §5.19. */

import { existsSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findSubnet, openControl } from '../../host/daemon.ts'
import type { Context } from '../context.ts'
import type { Finding } from './finding.ts'
import { fail, ok, tried, warn } from './finding.ts'

export async function localFindings(
  context: Context,
  { fix }: { readonly fix: boolean },
): Promise<readonly Finding[]> {
  return [...(await tried('subnet', () => subnetFindings(context, fix))), await portFinding()]
}

async function subnetFindings(context: Context, fix: boolean): Promise<readonly Finding[]> {
  const { directories } = context
  const descriptor = join(directories.runtime, 'subnet.json')
  if ((await findSubnet(directories)) === undefined) {
    if (!existsSync(descriptor)) return [ok('subnet', 'none is running')]
    if (!fix)
      return [warn('subnet', `${descriptor} is of a subnet that has ended`, 'ckbtc doctor --fix')]
    rmSync(descriptor, { force: true })
    return [ok('subnet', `none is running; ${descriptor} of an ended one is gone`)]
  }
  const control = await openControl(directories)
  const { nodes, url, pid, bitcoinHeight, alarms } = await control.ask('status', {})
  const words = `${nodes} ${nodes === 1 ? 'node' : 'nodes'} at ${url}, process ${pid}, Bitcoin height ${bitcoinHeight}`
  const remedy = 'wait for the chain that has them, or begin anew: ckbtc subnet reset'
  return [ok('subnet', words), ...alarms.map((alarm) => fail('bitcoin', alarm, remedy))]
}

/** A subnet needs a port on this machine. */
function portFinding(): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: Error & { readonly code?: string }) =>
      resolve(
        fail(
          'ports',
          `none can be opened on 127.0.0.1: ${error.code ?? error.message}`,
          'stop a program that holds ports',
        ),
      ),
    )
    server.listen(0, '127.0.0.1', () => server.close(() => resolve(ok('ports', 'can be opened'))))
  })
}
