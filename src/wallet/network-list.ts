/** Networks as commands list, add, remove and select them. Implements `docs/spec/cli.md` §5.19. */
import { toHex } from '../core/base/bytes.ts'
import type { Directories } from '../core/base/directories.ts'
import { attempt, BadEncoding, Problem, UsageInvalid } from '../core/base/errors.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../core/ic/principal.ts'
import { Client } from './client.ts'
import type { BitcoinKind, Network } from './network.ts'
import { builtIn, DEFAULT_NETWORK, hasRealFunds, reservedNames } from './network.ts'
import type { NetworkFacts } from './network-check.ts'
import { inspectNetwork, rootKeyFingerprint, rootKeyOf } from './network-check.ts'
import type { StoredNetwork, Surroundings } from './networks.ts'
import {
  changeNetworks,
  endpointOf,
  isNetworkName,
  networkOfStored,
  readNetworks,
  resolveNetwork,
} from './networks.ts'

/** A network as lists and documents show it. */
export type ShownNetwork = {
  readonly name: string
  readonly kind: Network['kind']
  /** Undefined for the local subnet while it does not run. */
  readonly url: string | undefined
  readonly bitcoin: BitcoinKind
  readonly realFunds: boolean
  readonly ledger: string | undefined
  readonly minter: string | undefined
  readonly index: string | undefined
  readonly rootKey: string | undefined
  readonly rootKeyFingerprint: string | undefined
  readonly rootKeyOrigin: string
}

export function shown(network: Network): ShownNetwork {
  const { ledger, minter, index } = network.ids
  return {
    name: network.name,
    kind: network.kind,
    url: network.url,
    bitcoin: network.bitcoin,
    realFunds: hasRealFunds(network),
    ledger: textOfPrincipal(ledger),
    minter: textOfPrincipal(minter),
    index: index && textOfPrincipal(index),
    rootKey: toHex(network.rootKey),
    rootKeyFingerprint: rootKeyFingerprint(network.rootKey),
    rootKeyOrigin: network.rootKeyOrigin,
  }
}

const localDown: ShownNetwork = {
  name: DEFAULT_NETWORK,
  kind: 'local',
  url: undefined,
  bitcoin: 'regtest',
  realFunds: false,
  ledger: undefined,
  minter: undefined,
  index: undefined,
  rootKey: undefined,
  rootKeyFingerprint: undefined,
  rootKeyOrigin: 'descriptor',
}

/** `local` first, those that are built in, then those that were added, in their order. */
export async function listNetworks(surroundings: Surroundings): Promise<readonly ShownNetwork[]> {
  const local = await resolveNetwork(DEFAULT_NETWORK, surroundings).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'SUBNET_DOWN') throw error
    return undefined
  })
  const others = [...builtIn, ...readNetworks(surroundings.directories).map(networkOfStored)]
  return [local === undefined ? localDown : shown(local), ...others.map(shown)]
}

/** What was typed after `network add`. */
export type NetworkWish = {
  readonly name: string
  readonly url: string | undefined
  readonly ledger: string | undefined
  readonly minter: string | undefined
  readonly index: string | undefined
  readonly bitcoin: BitcoinKind
  readonly rootKey: string | undefined
}

type AddPorts = {
  readonly directories: Pick<Directories, 'data'>
  readonly fetch: typeof globalThis.fetch
  readonly signal: AbortSignal
  readonly nowMs: number
}

const HELP = 'ckbtc network add --help'

/** Looks at the network, and keeps it if everything belongs together. */
export async function addNetwork(
  wish: NetworkWish,
  { directories, fetch, signal, nowMs }: AddPorts,
): Promise<{ readonly network: Network; readonly facts: NetworkFacts }> {
  requireFreeName(wish.name, readNetworks(directories))
  const { name, bitcoin } = wish
  const url = requireEndpoint(wish.url)
  const ids = {
    ledger: requireId(wish.ledger, '--ledger'),
    minter: requireId(wish.minter, '--minter'),
    index: wish.index === undefined ? undefined : requireId(wish.index, '--index'),
  }
  const key = await rootKeyOf(wish.rootKey, { url, bitcoin, fetch })
  const addedAt = new Date(nowMs).toISOString()
  const stored: StoredNetwork = { name, url, bitcoin, ids, ...key, addedAt }
  const network = networkOfStored(stored)
  const facts = await inspectNetwork(new Client({ network, fetch, signal }))
  await changeNetworks(directories, (networks) => {
    requireFreeName(name, networks)
    return [...networks, stored]
  })
  return { network, facts }
}

function requireFreeName(name: string, networks: readonly StoredNetwork[]): void {
  if (!isNetworkName(name))
    throw new UsageInvalid(`"${name}" is not a name of a network`, {
      fix: 'use 1 to 32 small letters, digits and dashes',
      command: HELP,
    })
  if (reservedNames.includes(name) || networks.some((network) => network.name === name))
    throw new UsageInvalid(`there is a network ${name} already`, {
      fix: 'take another name, or remove the one that is there',
      command: `ckbtc network show ${name}`,
    })
}

function requireEndpoint(typed: string | undefined): string {
  const url = typed === undefined ? undefined : endpointOf(typed)
  if (url !== undefined) return url
  throw new UsageInvalid(`--url takes http or https and a host, found "${typed ?? ''}"`, {
    fix: 'leave paths and passwords out: https://example.org, http://127.0.0.1:4943',
    command: HELP,
  })
}

function requireId(typed: string | undefined, flag: string): Principal {
  const id = typed === undefined ? undefined : attempt(() => principalOfText(typed))
  if (id !== undefined && !(id instanceof BadEncoding)) return id
  throw new UsageInvalid(`${flag} takes the id of a canister, found "${typed ?? ''}"`, {
    fix: 'give it in text, like mxzaz-hqaaa-aaaar-qaada-cai',
    command: HELP,
  })
}

/** Takes one away that was added. */
export async function removeNetwork(
  name: string,
  directories: Pick<Directories, 'data'>,
): Promise<void> {
  if (reservedNames.includes(name))
    throw new UsageInvalid(`the network ${name} is built in`, {
      fix: 'only networks that were added can be removed',
      command: 'ckbtc network list',
    })
  requireKnown(name, directories)
  await changeNetworks(directories, (networks) => networks.filter((one) => one.name !== name))
}

/** A network that commands may name, whether or not it can be reached. */
export function requireKnown(name: string, directories: Pick<Directories, 'data'>): void {
  const names = [...reservedNames, ...readNetworks(directories).map((stored) => stored.name)]
  if (names.includes(name)) return
  throw new UsageInvalid(`there is no network "${name}"`, {
    fix: `the networks are ${names.join(', ')}`,
    command: 'ckbtc network list',
  })
}
