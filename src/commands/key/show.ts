/** `ckbtc key show`: never secrets. Implements `docs/spec/cli.md` §5.11. */
import { Problem } from '../../core/base/errors.ts'
import { printAnswer } from '../../terminal/answer.ts'
import { printPairs } from '../../terminal/table.ts'
import { knownAddresses, principalText } from '../../wallet/keys/describe.ts'
import type { ChosenKey } from '../../wallet/keys/select.ts'
import { isAllowed, keyRulesOf, localKeyRules } from '../../wallet/keys/select.ts'
import type { Network } from '../../wallet/network.ts'
import { builtIn, DEFAULT_NETWORK } from '../../wallet/network.ts'
import { resolveNetwork } from '../../wallet/networks.ts'
import type { Context } from '../context.ts'
import type { Invocation } from '../definitions/command.ts'
import type { KeyPorts } from '../key-ports.ts'
import { keyPorts } from '../key-ports.ts'
import { keyStoreOf, select } from '../keys.ts'
import { networkNameOf } from '../network-name.ts'

export async function keyShow(
  { args: [name] }: Invocation,
  context: Context,
  ports: KeyPorts = keyPorts(context),
): Promise<void> {
  const wanted =
    name === undefined ? context : { ...context, globals: { ...context.globals, key: name } }
  // Looking is allowed whatever the network is: nothing is signed.
  const { chosen, warnings } = select(wanted, localKeyRules, ports)
  const isTest = chosen.protection === 'test'
  const entry = isTest ? undefined : keyStoreOf(context, ports).entry(chosen.name)
  const principal = principalText(chosen.principal)
  const networks = (await networksOf(context)).filter((network) =>
    isAllowed(chosen, keyRulesOf(network)),
  )
  const addresses = knownAddresses(chosen.principal, networks)
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'key-show',
    network: networkNameOf(context),
    data: {
      name: chosen.name,
      principal,
      account: principal,
      curve: entry?.curve ?? 'ed25519',
      protection: chosen.protection,
      default: entry?.isDefault ?? false,
      hasPhrase: entry?.holds === 'phrase',
      createdAt: entry?.createdAt,
      lastUsedAt: entry?.usedAt,
      addresses,
    },
    warnings,
    essential: principal,
    print: () =>
      printPairs(terminal, [
        ['Key', chosen.name],
        ['Principal', principal],
        ['Account', principal],
        ['Protection', protectionWords(chosen)],
        ['Default', entry?.isDefault === true ? 'yes' : 'no'],
        ['Phrase', entry?.holds === 'phrase' ? 'ckbtc key export can write it' : 'none'],
        ['Last used', entry?.usedAt ?? 'never'],
        ...addresses.map(({ network, address }) => [`Deposit ${network}`, address] as const),
      ]),
  })
}

const protectionWords = ({ protection }: ChosenKey): string =>
  protection === 'test' ? 'none: everybody knows its secret' : protection

/** The built-in networks, and the local one if it runs. */
async function networksOf({ directories }: Context): Promise<readonly Network[]> {
  try {
    return [await resolveNetwork(DEFAULT_NETWORK, { directories }), ...builtIn]
  } catch (error) {
    if (error instanceof Problem && error.code === 'SUBNET_DOWN') return builtIn
    throw error
  }
}
