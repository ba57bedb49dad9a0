/** What a local subnet is started with, and what it tells. Source: `docs/spec/cli.md` §5.16. */
import type { StatusReply } from './control/protocol.ts'
import type { GivenSettings } from './subnet-settings.ts'

/** The two of the user's directories that a subnet lives in. */
export type SubnetDirectories = { readonly state: string; readonly runtime: string }

export type DaemonRequest = {
  readonly directories: SubnetDirectories
  readonly given: GivenSettings
  readonly isEphemeral: boolean
}

export type DaemonEvent =
  | { readonly type: 'progress'; readonly text: string }
  | { readonly type: 'ready'; readonly status: StatusReply; readonly startedMs: number }

export type DaemonPorts = {
  readonly report: (event: DaemonEvent) => void
  /** Asks it to end in good order. */
  readonly ending: AbortSignal
}
