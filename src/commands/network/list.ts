/** `ckbtc network list` and `network show`. Implements `docs/spec/cli.md` §5.19. */
import { printAnswer } from '../../terminal/answer.ts'
import { printPairs, printTable } from '../../terminal/table.ts'
import type { ShownNetwork } from '../../wallet/network-list.ts'
import { listNetworks, shown } from '../../wallet/network-list.ts'
import { resolveNetwork } from '../../wallet/networks.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { networkNameOf } from '../network-name.ts'
import { warningsOf } from '../session.ts'

const surroundingsOf = ({ directories, environment }: Context) => {
  const { CKBTC_URL: localUrl } = environment
  return { directories, localUrl }
}

export async function networkList(_: Invocation, context: Context): Promise<void> {
  const { terminal } = context
  const selected = networkNameOf(context)
  const networks = await listNetworks(surroundingsOf(context))
  printAnswer(terminal, {
    schema: 'network-list',
    network: selected,
    data: {
      selected,
      networks: networks.map((network) => ({
        ...network,
        selected: network.name === selected,
      })),
    },
    warnings: [],
    essential: networks.map(({ name }) => name).join('\n'),
    print: () =>
      printTable(
        terminal,
        ['NAME', 'BITCOIN', 'LEDGER', 'ENDPOINT', 'SELECTED'].map((title) => ({ title })),
        networks.map(({ name, bitcoin, realFunds, ledger, url }) => [
          name,
          realFunds ? `${bitcoin}, real funds` : bitcoin,
          ledger ?? '-',
          url ?? 'not running',
          name === selected ? 'yes' : '',
        ]),
      ),
  })
}

export async function networkShow(
  { args: [name = ''] }: Invocation,
  context: Context,
): Promise<void> {
  const network = await resolveNetwork(name, surroundingsOf(context))
  const found = shown(network)
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'network-show',
    network: name,
    data: found,
    warnings: warningsOf(network),
    essential: found.url ?? '',
    print: () => printPairs(terminal, pairsOf(found)),
  })
}

const pairsOf = (found: ShownNetwork): readonly (readonly [string, string])[] => [
  ['Network', `${found.name}, ${found.kind}`],
  ['Endpoint', found.url ?? 'not running'],
  ['Bitcoin', found.realFunds ? `${found.bitcoin}, real funds` : found.bitcoin],
  ['Ledger', found.ledger ?? '-'],
  ['Minter', found.minter ?? '-'],
  ['Index', found.index ?? '-'],
  ['Root key', `${found.rootKeyOrigin}, fingerprint ${found.rootKeyFingerprint ?? '-'}`],
  ['', found.rootKey ?? '-'],
]
