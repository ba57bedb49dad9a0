/** A subnet that can be used, as `start` tells of it. Layout of `docs/spec/cli.md` §5.16. */
import type { StatusReply } from '../../host/control-protocol.ts'
import type { Warning } from '../../terminal/json.ts'
import { formatSeconds } from '../../terminal/steps.ts'
import type { Context } from '../context.ts'
import { NODES_FOR_SECRECY } from '../demo/words.ts'
import { printLocal } from '../local-network.ts'
import { nodeWords, printStarted, subnetData } from './description.ts'

/** `startedMs`: undefined for a subnet that had been running before. */
export function printReady(
  { terminal }: Pick<Context, 'terminal'>,
  status: StatusReply,
  startedMs: number | undefined,
): void {
  printLocal(terminal, {
    schema: 'subnet-start',
    data: { ...subnetData(status), alreadyRunning: startedMs === undefined, startedMs },
    warnings: trustWarnings(status),
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

function trustWarnings({ nodes, url, idsKind }: StatusReply): readonly Warning[] {
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
