/** A subnet that can be used, as `start` tells of it. Layout of `docs/spec/cli.md` §5.16. */
import type { StatusReply } from '../../host/control/protocol.ts'
import type { DaemonRequest } from '../../host/daemon-request.ts'
import type { Warning } from '../../terminal/json.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import type { Context } from '../context.ts'
import { NODES_FOR_SECRECY } from '../demo/words.ts'
import { printLocal } from '../local-network.ts'
import { nodeWords, printStarted, subnetData } from './description.ts'

export type Readiness = {
  readonly status: StatusReply
  /** Undefined for a subnet that had been running before. */
  readonly startedMs: number | undefined
  /** What was asked for. */
  readonly request: DaemonRequest
}

export function printReady({ terminal }: Pick<Context, 'terminal'>, readiness: Readiness): void {
  const { status, startedMs, request } = readiness
  printLocal(terminal, {
    schema: 'subnet-start',
    data: { ...subnetData(status), alreadyRunning: startedMs === undefined, startedMs },
    warnings: [
      ...trustWarnings(status),
      ...(startedMs === undefined ? lateWarnings(status, request) : []),
    ],
    essential: status.url,
    print: () => {
      const mark = terminal.paint.good('✓')
      const first =
        startedMs === undefined
          ? `${mark} Subnet is running already      ${nodeWords(status.nodes)}`
          : `${mark} Subnet ready in ${formatSeconds(startedMs)}      ${nodeWords(status.nodes)}`
      terminal.answer(first)
      printStarted(terminal, status)
    },
  })
}

/** Options of a start that came too late. */
function lateWarnings(
  { isEphemeral }: StatusReply,
  { given, isEphemeral: wanted }: DaemonRequest,
): readonly Warning[] {
  if (Object.keys(given).length === 0 && (!wanted || isEphemeral)) return []
  return [
    {
      code: 'OPTIONS_NOT_APPLIED',
      message: 'the subnet was running already, so the options change nothing; stop it first',
    },
  ]
}

/** What a user of this subnet must know. */
export function trustWarnings({ nodes, url, idsKind }: StatusReply): readonly Warning[] {
  const warnings: Warning[] = []
  if (nodes < NODES_FOR_SECRECY)
    warnings.push({
      code: 'KEY_KNOWN_TO_EVERY_NODE',
      message: `with fewer than ${NODES_FOR_SECRECY} nodes every node knows the key`,
    })
  if (!/^http:\/\/(?:127\.|\[::1\])/.test(url))
    warnings.push({
      code: 'OPEN_TO_THE_NETWORK',
      message: `other computers can reach ${url}; nothing there is protected but by signatures`,
    })
  if (idsKind === 'mainnet')
    warnings.push({
      code: 'IDS_OF_MAINNET',
      message: 'the canister ids are those of the Internet Computer: use test keys only',
    })
  return warnings
}
