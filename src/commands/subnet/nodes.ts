/** `ckbtc subnet nodes`. Implements `docs/spec/cli.md` §5.16. */
import type { ReplyOf } from '../../host/control/protocol.ts'
import { printTable } from '../../terminal/table.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { controlOf, printLocal } from '../local-network.ts'

type Found = ReplyOf<'nodes'>
type Report = Found['nodes'][number]

export async function nodes(_: Invocation, context: Context): Promise<void> {
  const { terminal, signal } = context
  const found = await (await controlOf(context)).ask('nodes', {}, { signal })
  const { nodes: all, signatures, nodesUp, nodesNeeded } = found
  printLocal(terminal, {
    schema: 'subnet-nodes',
    data: { nodes: all, signatures, nodesUp, nodesNeeded },
    essential: nodesUp.join(' '),
    print: () =>
      printTable(
        terminal,
        [
          { title: 'Node', align: 'right' },
          { title: 'State', whole: true },
          { title: 'Signed', align: 'right' },
          { title: 'Latency', align: 'right' },
          { title: 'Faults', align: 'right' },
          { title: 'Last fault or problem' },
        ],
        all.map((node) => row(node, signatures)),
      ),
  })
}

const row = (node: Report, signatures: number): readonly string[] => [
  `${node.id}`,
  node.lie === undefined ? node.state : `${node.state}, lies: ${node.lie}`,
  `${node.signatures}/${signatures}`,
  node.latencyMs === undefined ? '-' : `${node.latencyMs} ms`,
  `${node.faults}`,
  node.problem ?? node.lastFault ?? '',
]
