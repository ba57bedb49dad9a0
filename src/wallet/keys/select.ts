/**
 * Which key a command works with, and whether it may. Implements `docs/spec/cli.md` §§3.12, 3.13,
 * `docs/spec/ic-interface.md` §§21.4, 22 rule 6.
 */
import { Problem } from '../../core/base/errors.ts'
import type { Principal } from '../../core/ic/principal.ts'
import type { User } from '../identity.ts'
import { devUser } from '../identity.ts'
import type { Network } from '../network.ts'
import { DEFAULT_NETWORK, hasRealFunds } from '../network.ts'
import { isCarriable } from '../network-rules.ts'
import type { Protection } from './key-file.ts'
import { keyOf } from './key-file.ts'
import type { KeyStore } from './key-store.ts'
import type { PassphraseSources } from './passphrase.ts'
import { openWithPassphrase } from './passphrase.ts'
import { devIndexOf, publishedKeyName } from './test-keys.ts'

/** What of a network decides about keys. */
export type KeyRules = {
  readonly name: string
  /** The subnet on this machine. */
  readonly local: boolean
  /** Its coins are worth money. */
  readonly realFunds: boolean
  /** A request signed for it could be carried to the Internet Computer. */
  readonly carriable: boolean
}

export const keyRulesOf = (network: Network): KeyRules => ({
  name: network.name,
  local: network.kind === 'local',
  realFunds: hasRealFunds(network),
  carriable: isCarriable(network),
})

/** Of the local subnet while it does not run: nothing is signed for it then. */
export const localKeyRules: KeyRules = {
  name: DEFAULT_NETWORK,
  local: true,
  realFunds: false,
  carriable: false,
}

/** Where a command was told its key, the strongest first. */
export type KeyWishes = {
  /** Of `-k`. */
  readonly option?: string | undefined
  /** `CKBTC_KEY`. */
  readonly environment?: string | undefined
  /** `key` of the user's configuration. */
  readonly config?: string | undefined
}

export type ChosenKey = {
  readonly name: string
  readonly principal: Principal
  readonly protection: Protection | 'test'
  readonly source: 'option' | 'environment' | 'config' | 'default' | 'local'
}

type Choosing = {
  readonly store: KeyStore
  readonly wishes: KeyWishes
  readonly network: KeyRules
}

/**
 * The key a command works with; its secret stays locked. Refuses what must not be used on this
 * network: test keys, keys without a passphrase, keys whose requests could be carried away.
 */
export function chooseKey({ store, wishes, network }: Choosing): ChosenKey {
  const { name, source } = wished(store, wishes, network)
  const index = devIndexOf(name)
  const chosen: ChosenKey =
    index === undefined
      ? { name, source, ...ownKey(store, name) }
      : { name, source, principal: devUser(index).principal, protection: 'test' }
  requireAllowed(chosen, network)
  return chosen
}

const ownKey = (store: KeyStore, name: string): Pick<ChosenKey, 'principal' | 'protection'> => {
  const { principal, protection } = store.entry(name)
  return { principal, protection }
}

function wished(
  store: KeyStore,
  { option, environment, config }: KeyWishes,
  network: KeyRules,
): Pick<ChosenKey, 'name' | 'source'> {
  const named = [
    { name: option, source: 'option' },
    { name: environment, source: 'environment' },
    { name: config, source: 'config' },
    { name: store.defaultName, source: 'default' },
  ] as const
  for (const { name, source } of named)
    if (name !== undefined && name !== '') return { name, source }
  if (network.local) return { name: 'dev0', source: 'local' }
  throw new Problem('KEY_NONE', `no key is selected for the network ${network.name}`, {
    fix: 'make one, or select one with -k <name>:',
    command: 'ckbtc key generate savings',
  })
}

/** The rails of keys; a request is never signed past them. */
export function requireAllowed(
  { name, principal, protection }: ChosenKey,
  network: KeyRules,
): void {
  const published = publishedKeyName(principal)
  if (published !== undefined && !network.local)
    throw new Problem(
      'RAIL_TEST_KEY',
      `the secret of ${name} is public (${published}): refused on the network ${network.name}`,
      { fix: 'use a key of your own:', command: 'ckbtc key list', details: { key: name } },
    )
  if (published === undefined && network.carriable)
    throw new Problem(
      'RAIL_TEST_KEY',
      `a request to ${network.name} is also good for the Internet Computer: only test keys sign here`,
      { fix: 'use -k dev0, or a subnet with canister ids of its own', details: { key: name } },
    )
  if (protection === 'plaintext' && network.realFunds)
    throw new Problem(
      'RAIL_PLAINTEXT_KEY',
      `${name} has no passphrase: refused on the network ${network.name}, which has real funds`,
      { fix: 'give it one:', command: `ckbtc key passwd ${name}`, details: { key: name } },
    )
}

/** Whether a key may be used on a network. */
export function isAllowed(chosen: ChosenKey, network: KeyRules): boolean {
  try {
    requireAllowed(chosen, network)
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

type Unlocking = {
  readonly store: KeyStore
  readonly sources: PassphraseSources
  /** Who signs in place of a key that is unlocked for a while. */
  readonly unlocked?: (() => User | undefined) | undefined
}

/** The chosen key, ready to sign. A locked one asks for its passphrase. */
export async function unlockUser(
  chosen: ChosenKey,
  { store, sources, unlocked }: Unlocking,
): Promise<User> {
  const { name, protection } = chosen
  switch (protection) {
    case 'test':
      return devUser(devIndexOf(name) ?? 0)
    case 'plaintext': {
      const material = await store.open(name, undefined)
      await store.noteUse(name)
      return keyOf(material)
    }
    case 'passphrase': {
      const delegate = unlocked?.()
      if (delegate !== undefined) return delegate
      const question = { name, question: `Passphrase of ${name}` }
      const material = await openWithPassphrase(sources, question, (passphrase) =>
        store.open(name, passphrase),
      )
      await store.noteUse(name)
      return keyOf(material)
    }
  }
}

/** Chooses and unlocks: for commands that sign. */
export async function selectUser({
  sources,
  unlocked,
  ...choosing
}: Choosing & Pick<Unlocking, 'sources' | 'unlocked'>): Promise<{
  readonly chosen: ChosenKey
  readonly user: User
}> {
  const chosen = chooseKey(choosing)
  return { chosen, user: await unlockUser(chosen, { store: choosing.store, sources, unlocked }) }
}
