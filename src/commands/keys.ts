/**
 * The key a command works with, for every command that needs one. Implements `docs/spec/cli.md`
 * §§3.12, 3.13.
 */
import type { Warning } from '../terminal/json.ts'
import type { User } from '../wallet/identity.ts'
import { KeyStore } from '../wallet/keys/key-store.ts'
import type { PassphraseSources } from '../wallet/keys/passphrase.ts'
import type { ChosenKey, KeyRules, KeyWishes } from '../wallet/keys/select.ts'
import { chooseKey, keyRulesOf, localKeyRules, unlockUser } from '../wallet/keys/select.ts'
import { Unlocked } from '../wallet/keys/unlocked.ts'
import type { Network } from '../wallet/network.ts'
import { DEFAULT_NETWORK } from '../wallet/network.ts'
import { resolveNetwork } from '../wallet/networks.ts'
import type { Context } from './context.ts'
import type { KeyPorts } from './key-ports.ts'
import { keyPorts } from './key-ports.ts'
import { networkNameOf } from './network-name.ts'

export const keyStoreOf = (
  { directories }: Pick<Context, 'directories'>,
  { nowMs, cost }: Pick<KeyPorts, 'nowMs' | 'cost'>,
): KeyStore =>
  new KeyStore({ folder: directories.data, nowMs, ...(cost === undefined ? {} : { cost }) })

/** Where the command was told its key. */
export const keyWishesOf = ({
  globals,
  environment,
  configuration,
}: Pick<Context, 'globals' | 'environment' | 'configuration'>): KeyWishes => {
  const { CKBTC_KEY } = environment
  return { option: globals.key, environment: CKBTC_KEY, config: configuration.written('key') }
}

export type SelectedKey = {
  readonly chosen: ChosenKey
  /** What the user should know about the key's files. */
  readonly warnings: readonly Warning[]
}

/** The key of a command that looks and does not sign. No passphrase is asked for. */
export const selectKey = (
  context: Context,
  network: Network,
  ports: KeyPorts = keyPorts(context),
): SelectedKey => select(context, keyRulesOf(network), ports)

/** The key of a command that signs on this network, ready to sign. */
export async function selectUser(
  context: Context,
  network: Network,
  ports: KeyPorts = keyPorts(context),
): Promise<SelectedKey & { readonly user: User }> {
  const rules = keyRulesOf(network)
  const selected = select(context, rules, ports)
  const user = await unlockUser(selected.chosen, {
    store: keyStoreOf(context, ports),
    sources: passphraseSources(context, rules, ports),
    unlocked: () =>
      unlockedOf(context, ports).find(selected.chosen.name, selected.chosen.principal, network),
  })
  return { ...selected, user }
}

/** What is unlocked for a while. */
export const unlockedOf = (
  { directories }: Pick<Context, 'directories'>,
  { nowMs, entropy }: KeyPorts,
): Unlocked => new Unlocked({ folder: directories.runtime, nowMs, entropy })

/** The same where the network need not be there: `local` is known without its descriptor. */
export function select(context: Context, rules: KeyRules, ports: KeyPorts): SelectedKey {
  const store = keyStoreOf(context, ports)
  const chosen = chooseKey({ store, wishes: keyWishesOf(context), network: rules })
  const isFile = chosen.protection !== 'test'
  return { chosen, warnings: isFile ? permissionWarnings(store, chosen.name) : [] }
}

export function permissionWarnings(store: KeyStore, name?: string): readonly Warning[] {
  return store.widePermissions(name).map(({ path, mode }) => ({
    code: 'KEY_PERMISSIONS',
    message: `others may read ${path} (mode ${mode.toString(8)}); ckbtc doctor --fix takes that away`,
  }))
}

export function passphraseSources(
  { globals, environment }: Context,
  { realFunds }: KeyRules,
  { person, read }: KeyPorts,
): PassphraseSources {
  const { CKBTC_PASSPHRASE, CKBTC_PASSPHRASE_FILE } = environment
  return {
    file: globals.passphraseFile,
    environment: { CKBTC_PASSPHRASE, CKBTC_PASSPHRASE_FILE },
    read,
    ask: person?.askSecret,
    realFunds,
  }
}

/** What the selected network demands of keys, whether or not it can be reached. */
export async function keyRulesFor(context: Context): Promise<KeyRules> {
  const name = networkNameOf(context)
  if (name === DEFAULT_NETWORK) return localKeyRules
  return keyRulesOf(await resolveNetwork(name, { directories: context.directories }))
}
