/** A subnet as it is built and started: its own process, its sockets, a directory that goes again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlClient } from '../../src/host/control/client.ts'
import type { StatusReply } from '../../src/host/control/protocol.ts'
import type * as Daemon from '../../src/host/daemon.ts'
import type { GivenSettings } from '../../src/host/subnet-settings.ts'

// A name that is computed keeps the type checker from asking for what is built later.
const address = new URL('../../dist/host/daemon.js', import.meta.url).href
const daemon: typeof Daemon = await import(address)

export type RunningSubnet = {
  readonly status: StatusReply
  readonly control: ControlClient
  /** Ends it and removes what it kept. */
  readonly stop: () => Promise<void>
}

/** In memory; blocks are mined when the test says so. */
export async function startedSubnet(given: GivenSettings = {}): Promise<RunningSubnet> {
  const place = mkdtempSync(join(tmpdir(), 'ckbtc-e2e-'))
  const directories = { state: join(place, 'state'), runtime: join(place, 'runtime') }
  const request = {
    directories,
    given: { mining: { type: 'manual' } as const, ...given },
    isEphemeral: true,
  }
  const signal = new AbortController().signal
  const { status } = await daemon.startSubnet(request, () => undefined, signal)
  return {
    status,
    control: await daemon.openControl(directories),
    stop: async () => {
      await daemon.stopSubnet(directories)
      rmSync(place, { recursive: true, force: true })
    },
  }
}
