/** `ckbtc network add`, `remove` and `use`. Implements `docs/spec/cli.md` §5.19. */
import { formatBtc } from '../../core/base/units.ts'
import { printAnswer } from '../../terminal/answer.ts'
import type { Warning } from '../../terminal/json.ts'
import { consent } from '../../terminal/prompt.ts'
import { writeSetting } from '../../wallet/config-file.ts'
import type { Network } from '../../wallet/network.ts'
import { builtIn, hasRealFunds, symbolsOf } from '../../wallet/network.ts'
import { addNetwork, removeNetwork, requireKnown, shown } from '../../wallet/network-list.ts'
import { isCarriable } from '../../wallet/network-rules.ts'
import { readNetworks } from '../../wallet/networks.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { signalOf, warningsOf } from '../session.ts'

export async function networkAdd(
  { args: [name = ''], options }: Invocation,
  context: Context,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<void> {
  const kind = options.text('bitcoin')
  const { network, facts } = await addNetwork(
    {
      name,
      url: options.text('url'),
      ledger: options.text('ledger'),
      minter: options.text('minter'),
      index: options.text('index'),
      bitcoin: kind === 'mainnet' || kind === 'testnet4' ? kind : 'regtest',
      rootKey: options.text('rootKey'),
    },
    { directories: context.directories, fetch, signal: signalOf(context), nowMs: Date.now() },
  )
  const { terminal } = context
  const { token, supply, confirmations } = facts
  printAnswer(terminal, {
    schema: 'network-add',
    network: name,
    data: { ...shown(network), token, supplySat: supply, confirmations },
    warnings: [...warningsOf(network), ...carriableWarnings(network)],
    essential: name,
    print: () => {
      const { token: symbol } = symbolsOf(network)
      terminal.answer(
        `Found ${token.name} (${token.symbol}), ${formatBtc(supply)} ${symbol} in all, ${confirmations} confirmations; the minter is the one that mints.`,
      )
      terminal.answer(`${terminal.paint.good('✓')} Network ${name} is added`)
      terminal.note(`  Use it:  ckbtc balance -n ${name}`)
    },
  })
}

function carriableWarnings(network: Network): readonly Warning[] {
  if (!isCarriable(network)) return []
  const message = `${network.name} has canister ids of the Internet Computer: only test keys sign there`
  return [{ code: 'NETWORK_SHARES_IDS', message }]
}

export async function networkRemove(
  { args: [name = ''] }: Invocation,
  context: Context,
): Promise<void> {
  const { terminal, configuration, directories } = context
  await removeNetwork(name, directories)
  const isSelected = configuration.written('network') === name
  const message = `the configuration still selects ${name}: ckbtc network use local`
  printAnswer(terminal, {
    schema: 'network-remove',
    network: name,
    data: { name, removed: true },
    warnings: isSelected ? [{ code: 'NETWORK_SELECTED', message }] : [],
    essential: name,
    print: () => terminal.answer(`${terminal.paint.good('✓')} Network ${name} is removed`),
  })
}

export async function networkUse(
  { args: [name = ''] }: Invocation,
  context: Context,
): Promise<void> {
  const { terminal, configuration, directories, environment, globals } = context
  requireKnown(name, directories)
  const known = [...builtIn, ...readNetworks(directories)].find((one) => one.name === name)
  if (known !== undefined && hasRealFunds(known)) {
    terminal.note(`${name} is Bitcoin mainnet: from now on every command means real money,`)
    terminal.note('unless it names another network with -n.')
    const facts = { environment, input: globals.input }
    await consent(`Use ${name} by default?`, { facts, yes: globals.yes })
  }
  const changed = await writeSetting(configuration.path, 'network', name)
  printAnswer(terminal, {
    schema: 'network-use',
    network: name,
    data: { name, changed },
    warnings: [],
    essential: name,
    print: () => terminal.answer(`${terminal.paint.good('✓')} The default network is ${name}`),
  })
}
