/** `ckbtc config set` and `unset`. Implements `docs/spec/cli.md` §5.19. */
import { Problem } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import { consent } from '../../terminal/prompt.ts'
import { loadConfiguration } from '../../wallet/config.ts'
import { writeSetting } from '../../wallet/config-file.ts'
import { devIndexOf } from '../../wallet/keys/test-keys.ts'
import { builtIn, DEFAULT_NETWORK, hasRealFunds } from '../../wallet/network.ts'
import { readNetworks } from '../../wallet/networks.ts'
import { requireKind } from '../../wallet/setting-names.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import { keyPorts } from '../key-ports.ts'
import { keyStoreOf } from '../keys.ts'

export async function configSet({ args }: Invocation, context: Context): Promise<void> {
  const [name = '', value = ''] = args
  requireKind(name, 'user').check(value)
  if (name === 'network') await requireNetwork(value, context)
  if (name === 'key' && devIndexOf(value) === undefined)
    keyStoreOf(context, keyPorts(context)).entry(value)
  await change(name, value, context)
}

export async function configUnset({ args }: Invocation, context: Context): Promise<void> {
  const [name = ''] = args
  requireKind(name, 'user')
  await change(name, undefined, context)
}

/** The network must be there; one with real funds is never selected unasked. */
async function requireNetwork(name: string, context: Context): Promise<void> {
  const { directories, environment, globals, terminal } = context
  if (name === DEFAULT_NETWORK) return
  const known = [...builtIn, ...(await readNetworks(directories))]
  const found = known.find((network) => network.name === name)
  if (found === undefined)
    throw new Problem('USAGE_INVALID', `there is no network "${name}"`, {
      fix: `the networks are ${[DEFAULT_NETWORK, ...known.map((one) => one.name)].join(', ')}`,
    })
  if (!hasRealFunds(found)) return
  terminal.note(`Commands without -n will move real funds on ${name} from now on.`)
  const facts = { environment, input: globals.input }
  await consent(`Make ${name} the network of every command?`, { facts, yes: globals.yes })
}

async function change(name: string, value: string | undefined, context: Context): Promise<void> {
  const { terminal, configuration, environment, globals } = context
  const { path } = configuration
  const changed = await writeSetting(path, name, value)
  const now = loadConfiguration({
    path,
    isNamed: false,
    workingFolder: configuration.projectPath && dirnameOf(configuration.projectPath),
    environment,
    options: {},
  }).setting(name)
  const isBeaten = now?.source === 'environment' || now?.source === 'project'
  printAnswer(terminal, {
    schema: value === undefined ? 'config-unset' : 'config-set',
    network: globals.network ?? DEFAULT_NETWORK,
    data: { name, value: value ?? null, changed, path },
    warnings: isBeaten
      ? [
          {
            code: 'SETTING_BEATEN',
            message: `${now.place} sets it to ${now.value}, and that holds`,
          },
        ]
      : [],
    essential: value ?? '',
    print: () =>
      terminal.answer(
        value === undefined
          ? `${name} is ${changed ? 'no longer' : 'not'} set in ${path}`
          : `${name} is ${value} in ${path}`,
      ),
  })
}

const dirnameOf = (path: string): string => path.replace(/[/\\][^/\\]*$/, '') || '/'
