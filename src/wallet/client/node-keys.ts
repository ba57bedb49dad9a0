/**
 * Where the keys of a subnet's nodes are kept, so that one question needs no certificate. Implements
 * IC interface §21.3: bound to the root key, five minutes, readable by the user alone.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HttpAgentOptions } from '@icp-sdk/core/agent'
import { fromHex, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { textOfPrincipal } from '../../core/ic/principal.ts'
import type { Network } from '../network.ts'

export type NodeKeyStore = NonNullable<HttpAgentOptions['subnetNodeKeyExpirableStore']>
type NodeKeys = Awaited<ReturnType<NodeKeyStore['get']>>

const LIFETIME_MS = 300_000
/** Of a subnet: more nodes than the largest has. */
const NODES_MAX = 500
const FILE_BYTES_MAX = 200_000

/** In the memory of this run, over what is known from elsewhere. */
export function memoryStore(first?: ReadonlyMap<string, Uint8Array>): NodeKeyStore {
  const known = new Map<string, NonNullable<NodeKeys>>()
  let given = first
  return {
    expirationTime: LIFETIME_MS,
    get: async (canister) => known.get(canister) ?? (given && new Map(given)),
    set: async (canister, keys) => void known.set(canister, keys),
    delete: async (canister) => {
      given = undefined // What was given did not verify: the certificate tells what is true.
      known.delete(canister)
    },
  }
}

/** The keys that the descriptor of the running subnet names. */
export const descriptorStore = ({ nodeKeys = [] }: Pick<Network, 'nodeKeys'>): NodeKeyStore =>
  memoryStore(new Map(nodeKeys.map(({ id, publicKey }) => [textOfPrincipal(id), publicKey])))

type Stored = {
  readonly version: 1
  readonly rootKey: string
  readonly canisters: {
    readonly [canister: string]: {
      readonly storedAt: number
      readonly keys: Readonly<Record<string, string>>
    }
  }
}

/** A file in the cache: whatever is wrong with it, it counts as empty. */
export function fileStore(folder: string, network: Network): NodeKeyStore {
  const path = join(folder, `node-keys-${network.name}.json`)
  const rootKey = toHex(network.rootKey)
  const change = async (canister: string, keys: NodeKeys): Promise<void> => {
    const { [canister]: _, ...others } = (await readStored(path, rootKey)).canisters
    const entry = { storedAt: Date.now(), keys: keys === undefined ? {} : hexOf(keys) }
    const canisters = keys === undefined ? others : { ...others, [canister]: entry }
    await writePrivately(path, JSON.stringify({ version: 1, rootKey, canisters }))
  }
  return {
    expirationTime: LIFETIME_MS,
    get: async (canister) => {
      const { canisters } = await readStored(path, rootKey)
      const entry = Object.hasOwn(canisters, canister) ? canisters[canister] : undefined
      if (entry === undefined) return undefined
      const age = Date.now() - entry.storedAt
      return age < 0 || age > LIFETIME_MS ? undefined : keysOf(entry.keys)
    },
    set: change,
    delete: (canister) => change(canister, undefined),
  }
}

const hexOf = (keys: ReadonlyMap<string, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...keys].map(([id, key]) => [id, toHex(key)]))

function keysOf(keys: Readonly<Record<string, string>>): NodeKeys {
  const decoded = attempt(
    () => new Map(Object.entries(keys).map(([id, key]) => [id, fromHex(key)] as const)),
  )
  return decoded instanceof BadEncoding ? undefined : decoded
}

async function readStored(path: string, rootKey: string): Promise<Stored> {
  const empty: Stored = { version: 1, rootKey, canisters: {} }
  const text = await readFile(path, 'utf8').catch(() => '')
  if (text.length > FILE_BYTES_MAX) return empty
  const value = parsed(text)
  return isStored(value) && value.rootKey === rootKey ? value : empty
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isStored(value: unknown): value is Stored {
  if (!isObject(value)) return false
  const { version, rootKey, canisters } = value
  if (version !== 1 || typeof rootKey !== 'string' || !isObject(canisters)) return false
  return Object.values(canisters).every(isEntry)
}

function isEntry(entry: unknown): boolean {
  if (!isObject(entry)) return false
  const { storedAt, keys } = entry
  if (typeof storedAt !== 'number' || !isObject(keys)) return false
  const named = Object.values(keys)
  return named.length <= NODES_MAX && named.every((key) => typeof key === 'string')
}

/** Only a cache: a disk that is full or read-only costs time, nothing else. */
async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(draft, text, { mode: 0o600 })
    await rename(draft, path)
  } catch {
    await rm(draft, { force: true }).catch(() => undefined)
  }
}
