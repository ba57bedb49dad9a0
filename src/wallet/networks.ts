/**
 * Which network a command means, and the list of those the user has added. Implements cli §§3.4,
 * 3.14, IC interface §21.1.
 */
import { join } from 'node:path'
import { fromUtf8, toHex } from '../core/base/bytes.ts'
import type { Directories } from '../core/base/directories.ts'
import { attempt, BadEncoding, Problem } from '../core/base/errors.ts'
import type { JsonReader } from '../core/base/json.ts'
import {
  exactly,
  hexBytes,
  list,
  nullable,
  object,
  oneOf,
  parseJson,
  text,
} from '../core/base/json.ts'
import type { Principal } from '../core/ic/principal.ts'
import { principalOfText, textOfPrincipal } from '../core/ic/principal.ts'
import { decodePublicKey } from '../core/ic/public-key.ts'
import type { SubnetDescriptor } from '../core/ic/subnet-descriptor.ts'
import { DESCRIPTOR_BYTES_MAX, decodeDescriptor } from '../core/ic/subnet-descriptor.ts'
import { withLock } from './file-lock.ts'
import type { BitcoinKind, Network, NetworkIds } from './network.ts'
import { builtIn, DEFAULT_NETWORK } from './network.ts'
import { makePrivateFolder, readBounded, writePrivate } from './private-files.ts'
import { withFurtherTokens } from './token.ts'

/** A network as the user added it. */
export type StoredNetwork = {
  readonly name: string
  readonly url: string
  readonly bitcoin: BitcoinKind
  readonly ids: Pick<NetworkIds, 'ledger' | 'minter' | 'index'>
  readonly rootKey: Uint8Array
  readonly rootKeyOrigin: 'pinned' | 'given' | 'fetched'
  /** RFC 3339, UTC. */
  readonly addedAt: string
}

const VERSION = 1
const NETWORKS_MAX = 200
const FILE_BYTES_MAX = 1_000_000
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** Where everything about networks lies. */
export const networksPath = ({ data }: Pick<Directories, 'data'>): string =>
  join(data, 'networks.json')

export const isNetworkName = (name: string): boolean => NAME.test(name)

const id: JsonReader<Principal> = (value, where) => principalOfText(text(value, where))

const name: JsonReader<string> = (value, where) => {
  const found = text(value, where)
  if (!isNetworkName(found)) throw new BadEncoding(`${where} is not a name of a network`)
  return found
}

const url: JsonReader<string> = (value, where) => {
  const found = endpointOf(text(value, where))
  if (found === undefined) throw new BadEncoding(`${where} is not an address of an endpoint`)
  return found
}

const rootKey: JsonReader<Uint8Array> = (value, where) => {
  const der = hexBytes(value, where)
  if (!isRootKey(der)) throw new BadEncoding(`${where} is not a root key`)
  return der
}

const document = object({
  version: exactly(VERSION),
  networks: list(
    object({
      name,
      url,
      bitcoin: oneOf('mainnet', 'testnet4', 'regtest'),
      ledger: id,
      minter: id,
      index: nullable(id),
      root_key: rootKey,
      root_key_origin: oneOf('pinned', 'given', 'fetched'),
      added_at: text,
    }),
    NETWORKS_MAX,
  ),
})

/** An address with http or https and nothing behind the host; undefined for anything else. */
export function endpointOf(address: string): string | undefined {
  const parsed = URL.canParse(address) ? new URL(address) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) return undefined
  const { pathname, search, hash, username, password, origin } = parsed
  const bare = pathname === '/' && `${search}${hash}${username}${password}` === ''
  return bare ? origin : undefined
}

/** DER of a BLS key, 133 bytes. */
export function isRootKey(der: Uint8Array): boolean {
  const key = attempt(() => decodePublicKey(der))
  return !(key instanceof BadEncoding) && key.type === 'bls12381'
}

export function decodeNetworks(source: string): readonly StoredNetwork[] {
  const { networks } = parseJson(source, document)
  const names = new Set(networks.map((network) => network.name))
  if (names.size !== networks.length) throw new BadEncoding('two networks of one name')
  return networks.map(({ ledger, minter, index, ...network }) => ({
    name: network.name,
    url: network.url,
    bitcoin: network.bitcoin,
    ids: { ledger, minter, index },
    rootKey: network.root_key,
    rootKeyOrigin: network.root_key_origin,
    addedAt: network.added_at,
  }))
}

export function encodeNetworks(networks: readonly StoredNetwork[]): string {
  const rows = networks.map(({ ids: { ledger, minter, index }, ...network }) => ({
    name: network.name,
    url: network.url,
    bitcoin: network.bitcoin,
    ledger: textOfPrincipal(ledger),
    minter: textOfPrincipal(minter),
    index: index === undefined ? null : textOfPrincipal(index),
    root_key: toHex(network.rootKey),
    root_key_origin: network.rootKeyOrigin,
    added_at: network.addedAt,
  }))
  return `${JSON.stringify({ version: VERSION, networks: rows }, undefined, 2)}\n`
}

/** No file is an empty list. Throws `CONFIG_INVALID` for one that is damaged or newer. */
export function readNetworks(directories: Pick<Directories, 'data'>): readonly StoredNetwork[] {
  const path = networksPath(directories)
  const networks = attempt(() => {
    const source = readText(path, FILE_BYTES_MAX)
    return source === undefined ? [] : decodeNetworks(source)
  })
  if (!(networks instanceof BadEncoding)) return networks
  throw new Problem('CONFIG_INVALID', `${path}: ${networks.message}`, {
    fix: 'correct the file, or move it away and add the networks again',
    command: 'ckbtc network add --help',
    details: { path },
  })
}

/** Changes the list under a lock; the file holds the old list or the new one. */
export async function changeNetworks(
  directories: Pick<Directories, 'data'>,
  change: (networks: readonly StoredNetwork[]) => readonly StoredNetwork[],
): Promise<void> {
  const path = networksPath(directories)
  makePrivateFolder(directories.data)
  await withLock(`${path}.lock`, () =>
    writePrivate(path, encodeNetworks(change(readNetworks(directories)))),
  )
}

const readText = (path: string, sizeMax: number): string | undefined => {
  const bytes = readBounded(path, sizeMax)
  return bytes && fromUtf8(bytes)
}

/** A network that was added, as a client takes it. */
export const networkOfStored = ({ ids, ...stored }: StoredNetwork): Network => ({
  name: stored.name,
  kind: 'custom',
  url: stored.url,
  bitcoin: stored.bitcoin,
  ids,
  rootKey: stored.rootKey,
  rootKeyOrigin: stored.rootKeyOrigin,
  nodeKeys: undefined,
  masterKeys: [],
})

/** The running subnet, as a client takes it. */
export const networkOfDescriptor = (
  descriptor: Pick<
    SubnetDescriptor,
    'url' | 'ids' | 'rootKey' | 'nodeKeys' | 'masterPublicKey' | 'network' | 'tokens'
  >,
): Network =>
  withFurtherTokens(
    {
      name: DEFAULT_NETWORK,
      kind: 'local',
      url: descriptor.url,
      bitcoin: descriptor.network,
      ids: descriptor.ids,
      rootKey: descriptor.rootKey,
      rootKeyOrigin: 'descriptor',
      nodeKeys: descriptor.nodeKeys,
      masterKeys: [descriptor.masterPublicKey],
    },
    descriptor.tokens,
  )

export type Surroundings = {
  readonly directories: Pick<Directories, 'data' | 'runtime'>
  /** `CKBTC_URL`: another way to the local subnet. */
  readonly localUrl?: string | undefined
}

/** The network of this name. Throws `SUBNET_DOWN`, `NETWORK_NOT_FOUND`, `CONFIG_INVALID`. */
export async function resolveNetwork(
  wanted: string,
  { directories, localUrl }: Surroundings,
): Promise<Network> {
  if (wanted === DEFAULT_NETWORK) return localNetwork(directories, localUrl)
  const known = builtIn.find((network) => network.name === wanted)
  if (known !== undefined) return known
  const stored = readNetworks(directories)
  const found = stored.find((network) => network.name === wanted)
  if (found !== undefined) return networkOfStored(found)
  const names = [DEFAULT_NETWORK, ...[...builtIn, ...stored].map((network) => network.name)]
  throw new Problem('USAGE_INVALID', `there is no network "${wanted}"`, {
    fix: `the networks are ${names.join(', ')}; another one is added by`,
    command: 'ckbtc network add --help',
  })
}

function localNetwork(
  { runtime }: Pick<Directories, 'runtime'>,
  localUrl: string | undefined,
): Network {
  const path = join(runtime, 'subnet.json')
  const descriptor = attempt(() => {
    const source = readText(path, DESCRIPTOR_BYTES_MAX)
    return source === undefined ? undefined : decodeDescriptor(source)
  })
  if (descriptor === undefined) throw subnetDown('no local subnet is running')
  if (descriptor instanceof BadEncoding)
    throw subnetDown(`${path} describes no subnet of this version: ${descriptor.message}`)
  const network = networkOfDescriptor(descriptor)
  if (localUrl !== undefined && localUrl !== '') {
    const endpoint = endpointOf(localUrl)
    if (endpoint !== undefined) return { ...network, url: endpoint }
    throw new Problem('USAGE_INVALID', `CKBTC_URL is not an address: "${localUrl}"`, {
      fix: 'give http or https, a host and a port, as in http://127.0.0.1:4943',
    })
  }
  if (!isAlive(descriptor.pid)) throw subnetDown('the local subnet has ended')
  return network
}

const subnetDown = (message: string): Problem =>
  new Problem('SUBNET_DOWN', message, { fix: 'start one', command: 'ckbtc subnet start' })

/** Whether the process exists; one of another user does, too. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
