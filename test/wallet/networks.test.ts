/**
 * Goal: the list of networks is kept strictly and whole; the local one is what the descriptor says;
 * a network is added only when its canisters and its key belong to it.
 * Method: cli §§3.4, 5.19, IC interface §21.1; files in a temporary folder, a network in memory.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { equalBytes, toHex } from '../../src/core/base/bytes.ts'
import { BadEncoding } from '../../src/core/base/errors.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { selfAuthenticating } from '../../src/core/ic/principal.ts'
import { encodeDescriptor } from '../../src/core/ic/subnet-descriptor.ts'
import { Client } from '../../src/wallet/client.ts'
import type { Network } from '../../src/wallet/network.ts'
import { ic, MAINNET_ROOT_KEY, testnet4 } from '../../src/wallet/network.ts'
import {
  inspectNetwork,
  requireSameRootKey,
  rootKeyFingerprint,
  rootKeyOf,
} from '../../src/wallet/network-check.ts'
import type { StoredNetwork } from '../../src/wallet/networks.ts'
import {
  changeNetworks,
  decodeNetworks,
  encodeNetworks,
  endpointOf,
  isNetworkName,
  readNetworks,
  resolveNetwork,
} from '../../src/wallet/networks.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'

const folder = mkdtempSync(join(tmpdir(), 'ckbtc-networks-'))
const directories = { data: folder, runtime: folder }
const path = join(folder, 'networks.json')
const descriptorPath = join(folder, 'subnet.json')
const net = new NetworkUnderTest()
const { ledger, minter, index, checker, bitcoin } = ownCanisterIds

const stored: StoredNetwork = {
  name: 'staging',
  url: 'https://staging.example:4943',
  bitcoin: 'regtest',
  ids: { ledger, minter, index },
  rootKey: net.rootKey,
  rootKeyOrigin: 'given',
  addedAt: '2026-01-05T10:00:00Z',
}

afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  rmSync(path, { force: true })
  rmSync(descriptorPath, { force: true })
})

describe('the file of networks', () => {
  test('gives back what was written, whole and for its user alone', async () => {
    expect(readNetworks(directories)).toEqual([])
    const second = { ...stored, name: 'other', ids: { ledger, minter, index: undefined } }
    await changeNetworks(directories, () => [stored, second])
    expect(readNetworks(directories)).toEqual([stored, second])
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['networks.json'])
  })

  const good = JSON.parse(encodeNetworks([stored]))
  const withNetwork = (change: object): string =>
    JSON.stringify({ ...good, networks: [{ ...good.networks[0], ...change }] })

  test.each<[string, string]>([
    ['is no JSON', '{'],
    ['is a list', '[]'],
    ['is of a newer version', JSON.stringify({ ...good, version: 2 })],
    ['has a field too many', JSON.stringify({ ...good, more: 1 })],
    ['lacks its networks', JSON.stringify({ version: 1 })],
    [
      'names a network twice',
      JSON.stringify({ ...good, networks: [...good.networks, ...good.networks] }),
    ],
    ['names one in capitals', withNetwork({ name: 'Staging' })],
    ['names one after a path', withNetwork({ name: '../x' })],
    ['has an address with a path', withNetwork({ url: 'https://a.example/path' })],
    ['has an address that is none', withNetwork({ url: 'staging' })],
    ['has an unknown Bitcoin', withNetwork({ bitcoin: 'signet' })],
    ['has an id that is none', withNetwork({ ledger: 'aaaaa' })],
    ['lacks an id', withNetwork({ minter: undefined })],
    ['has a root key that is none', withNetwork({ root_key: '00' })],
    ['has a root key in capitals', withNetwork({ root_key: toHex(net.rootKey).toUpperCase() })],
    ['has a root key from nowhere', withNetwork({ root_key_origin: 'found' })],
    ['is huge', JSON.stringify({ ...good, more: 'x'.repeat(1_000_001) })],
  ])('that %s is refused, and says which file it is', (_, source) => {
    writeFileSync(path, source)
    const refusal = { code: 'CONFIG_INVALID', exit: 11, message: expect.stringContaining(path) }
    expect(() => readNetworks(directories)).toThrow(expect.objectContaining(refusal))
  })

  test('is refused in every prefix', () => {
    const whole = encodeNetworks([stored]).trimEnd()
    for (let size = 0; size < whole.length; size++)
      expect(() => decodeNetworks(whole.slice(0, size))).toThrow(BadEncoding)
    expect(() => decodeNetworks(`${whole}x`)).toThrow(BadEncoding)
  })
})

test.each([
  ['https://icp-api.io', 'https://icp-api.io'],
  ['https://icp-api.io/', 'https://icp-api.io'],
  ['http://127.0.0.1:4943', 'http://127.0.0.1:4943'],
  ['https://user:secret@a.example', undefined],
  ['https://a.example/api', undefined],
  ['https://a.example?x', undefined],
  ['ftp://a.example', undefined],
  ['file:///etc/passwd', undefined],
  ['icp-api.io', undefined],
])('%s is the endpoint %s', (address, endpoint) => {
  expect(endpointOf(address)).toBe(endpoint)
})

test('names of networks are short words', () => {
  expect(['a', 'my-net', 'x9'].every(isNetworkName)).toBe(true)
  expect(['', 'A', '-a', 'a/b', 'a.b', 'a'.repeat(33)].some(isNetworkName)).toBe(false)
})

describe('the network that a command means', () => {
  const { network } = net
  const descriptorOf = (pid: number): string =>
    encodeDescriptor({
      pid,
      url: 'http://127.0.0.1:4943',
      controlPath: '/tmp/none',
      startedAt: '2026-01-05T10:00:00Z',
      rootKey: net.rootKey,
      subnetId: selfAuthenticating(net.rootKey),
      nodeKeys: network.nodeKeys ?? [],
      masterPublicKey: network.masterKeys[0] ?? new Uint8Array(),
      ids: { ledger, minter, index, checker, bitcoin },
      nodes: 1,
      network: 'regtest',
      mining: 'auto',
      tokens: [],
    })
  const local = (localUrl?: string) => resolveNetwork('local', { directories, localUrl })

  test('is one of those built in', async () => {
    expect(await resolveNetwork('ic', { directories })).toBe(ic)
    expect(await resolveNetwork('testnet4', { directories })).toBe(testnet4)
  })

  test('is the running subnet, as its descriptor says', async () => {
    writeFileSync(descriptorPath, descriptorOf(process.pid))
    expect(await local()).toEqual({
      ...network,
      ids: { ...network.ids, checker },
    })
    expect(await local('http://127.0.0.1:9')).toMatchObject({ url: 'http://127.0.0.1:9' })
    await expect(local('nowhere')).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  test('does not run: no descriptor, one of a dead process, one that is damaged', async () => {
    const down = { code: 'SUBNET_DOWN', exit: 11, command: 'ckbtc subnet start' }
    await expect(local()).rejects.toMatchObject(down)
    writeFileSync(descriptorPath, descriptorOf(2 ** 31 - 1))
    await expect(local()).rejects.toMatchObject(down)
    // Whoever names another address knows where the subnet is; its process may be elsewhere.
    expect(await local('http://127.0.0.1:9')).toMatchObject({ kind: 'local' })
    writeFileSync(descriptorPath, '{')
    await expect(local()).rejects.toMatchObject(down)
  })

  test('is one that was added', async () => {
    await changeNetworks(directories, () => [stored])
    expect(await resolveNetwork('staging', { directories })).toEqual({
      name: 'staging',
      kind: 'custom',
      url: stored.url,
      bitcoin: 'regtest',
      ids: stored.ids,
      rootKey: net.rootKey,
      rootKeyOrigin: 'given',
      nodeKeys: undefined,
      masterKeys: [],
    })
    await expect(resolveNetwork('stagin', { directories })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      fix: expect.stringContaining('local, ic, testnet4, staging'),
    })
  })
})

describe('a root key', () => {
  const facts = { url: 'http://127.0.0.1', bitcoin: 'regtest', fetch: net.fetch } as const
  const file = join(folder, 'root-key')

  test('is given in digits, in a file, by name, or fetched', async () => {
    const given = { rootKey: net.rootKey, rootKeyOrigin: 'given' }
    expect(await rootKeyOf(toHex(net.rootKey), facts)).toEqual(given)
    writeFileSync(file, `${toHex(net.rootKey)}\n`)
    expect(await rootKeyOf(file, facts)).toEqual(given)
    writeFileSync(file, net.rootKey)
    expect(await rootKeyOf(file, facts)).toEqual(given)
    expect(await rootKeyOf('mainnet', facts)).toEqual({
      rootKey: MAINNET_ROOT_KEY,
      rootKeyOrigin: 'pinned',
    })
    expect(await rootKeyOf('fetch', facts)).toEqual({ ...given, rootKeyOrigin: 'fetched' })
    rmSync(file)
  })

  test.each<[string, string | undefined, Partial<typeof facts> | { bitcoin: 'mainnet' }]>([
    ['nobody gave', undefined, {}],
    ['is none', '00ff', {}],
    ['is a file that is not there', join(folder, 'none'), {}],
    ['is a file of something else', process.execPath, {}],
    ['would be fetched for real bitcoin', 'fetch', { bitcoin: 'mainnet' }],
  ])('that %s is refused', async (_, given, more) => {
    await expect(rootKeyOf(given, { ...facts, ...more })).rejects.toMatchObject({
      code: 'RAIL_NO_ROOT_KEY',
      exit: 10,
    })
  })

  test.each<[string, typeof fetch]>([
    ['nobody answers', () => Promise.reject(new TypeError('no'))],
    ['somebody else answers', async () => new Response('<html>')],
    ['a key is none', async () => new Response(Uint8Array.of(0xa0))],
  ])('cannot be fetched when %s', async (_, fetch) => {
    await expect(rootKeyOf('fetch', { ...facts, fetch })).rejects.toMatchObject({
      code: 'NETWORK_UNREACHABLE',
    })
  })
})

describe('a root key that was fetched', () => {
  const network = { ...net.network, name: 'lab', rootKeyOrigin: 'fetched' } as const
  const changed = { ...network, rootKey: MAINNET_ROOT_KEY }

  test('is refused once the network shows another, and both are named', async () => {
    await expect(requireSameRootKey(network, net.fetch)).resolves.toBeUndefined()
    await expect(requireSameRootKey(changed, net.fetch)).rejects.toMatchObject({
      code: 'NETWORK_BAD_CERTIFICATE',
      details: {
        kept: rootKeyFingerprint(MAINNET_ROOT_KEY),
        found: rootKeyFingerprint(net.rootKey),
      },
    })
  })

  test('is not asked about where it was given, or where nobody answers', async () => {
    const given = { ...changed, rootKeyOrigin: 'given' } as const
    await expect(requireSameRootKey(given, net.fetch)).resolves.toBeUndefined()
    const silent = () => Promise.reject(new TypeError('no'))
    await expect(requireSameRootKey(changed, silent)).resolves.toBeUndefined()
  })
})

describe('canisters', () => {
  const inspect = (change: Partial<Network>) =>
    inspectNetwork(
      new Client({
        network: { ...net.network, kind: 'custom', name: 'staging', ...change },
        fetch: net.fetch,
      }),
    )

  test('that belong together say what they are', async () => {
    expect(await inspect({})).toMatchObject({
      token: { symbol: 'ckBTC', decimals: 8 },
      supply: 0n,
      confirmations: 6,
    })
  })

  test.each<[string, Partial<Network>]>([
    ['the minter is not the one that mints', { ids: { ledger, minter: index } }],
    ['the Bitcoin is another', { bitcoin: 'testnet4' }],
  ])('do not belong together when %s', async (_, change) => {
    await expect(inspect(change)).rejects.toMatchObject({
      code: 'RAIL_CANISTER_MISMATCH',
      exit: 10,
    })
  })

  test('are not taken for others that answer differently', async () => {
    await expect(inspect({ ids: { ledger: minter, minter } })).rejects.toMatchObject({
      code: expect.stringMatching(/REFUSED$/),
    })
    expect(equalBytes(ledger, minter)).toBe(false)
  })
})

test('a written file can be read by people', async () => {
  await changeNetworks(directories, () => [stored])
  expect(readFileSync(path, 'utf8')).toContain('"ledger": "23xb3-ep777-777s3-4aaaa-cai"')
})
