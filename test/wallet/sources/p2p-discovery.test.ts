/**
 * Goal: the source `p2p` that was given no peers finds some by names and by the book of an earlier
 * run, puts others in the place of those that lie, and says so when nobody is there.
 * Method: addresses of the internet behind a proxy on loopback that leads them to a regtest node, or
 * to one whose filters hide a payment.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { equalBytes } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { encodeFilter, filterElements } from '../../../src/core/btc/compact-filter.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import { PeerSources } from '../../../src/host/bitcoin/peer-sources.ts'
import { startRegtestServer } from '../../../src/host/bitcoin/regtest-server.ts'
import type { FilterConnection } from '../../../src/host/filter-connection.ts'
import { startFilterConnection } from '../../../src/host/filter-connection.ts'
import { PeerSource } from '../../../src/wallet/sources/p2p.ts'
import { startAltering } from '../../support/altering-server.ts'
import { liar } from '../../support/filter-liar.ts'
import type { ProxyUnderTest } from '../../support/socks-proxy.ts'
import { startProxy } from '../../support/socks-proxy.ts'
import { NOW_S, portsOf, tell, watched } from './story.ts'

const NAME = 'seed.example'
const LIAR = '20.1.0.1'
const HONEST = ['30.1.0.1', '40.1.0.1', '50.1.0.1', '60.1.0.1']
const { node, unspent } = tell()
const closing: (() => unknown)[] = []
let bookPath = ''
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'ckbtc-p2p-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  bookPath = join(folder, 'cache', 'peers')
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const later = async <T extends { close(): unknown }>(started: Promise<T>): Promise<T> => {
  const it = await started
  closing.push(() => it.close())
  return it
}

/** Filters of blocks that pay what is watched do not show it. */
const lie = liar(node, (height, honest) => {
  const block = present(node.blockAt(height), 'a block')
  const scripts = filterElements(block, [])
  const shown = scripts.filter((script) => !equalBytes(script, watched.script))
  return shown.length === scripts.length ? honest : encodeFilter(headerHash(block.header), shown)
})

async function internet(): Promise<ProxyUnderTest> {
  const server = await later(startRegtestServer({ node, nowSeconds: () => NOW_S }))
  const liarServer = await later(startAltering(server.port, lie))
  return later(startProxy((host) => (host === LIAR ? liarServer.port : server.port)))
}

type Run = { readonly connection: FilterConnection; readonly source: PeerSource }

/** Names are known to this run if it is given any. */
function run(
  proxyPort: number,
  names: Readonly<Record<string, readonly string[]>> = {},
  offences: string[] = [],
): Run {
  const sources = new PeerSources({
    network: regtest,
    bookPath,
    filters: true,
    seeds: Object.keys(names).length > 0 ? [NAME] : [],
    resolve: async (name) => names[name] ?? [],
  })
  const connection = startFilterConnection({
    network: regtest,
    peers: [],
    sources,
    seed: Seed.fromBytes(new Uint8Array(32).fill(3)),
    userAgent: '/ckbtc:test/',
    push: false,
    proxy: { host: '127.0.0.1', port: proxyPort },
    isProxied: false,
    onOffence: ({ host }, { kind }) => offences.push(`${host} ${kind}`),
  })
  const wait = (): Promise<void> => new Promise(() => undefined)
  const source = new PeerSource(connection, { ...portsOf(), wait })
  closing.push(() => source.close())
  return { connection, source }
}

it('peers are found by names, and by the book of an earlier run', async () => {
  const proxy = await internet()
  const first = run(proxy.port, { [`x49.${NAME}`]: HONEST })
  expect(await first.source.info()).toMatchObject({ label: 'proved', endpoint: '2 peers' })
  await first.source.close()
  const [called = '', second = ''] = proxy.names
  const again = run(proxy.port)
  expect((await again.source.spendStatus([unspent])).unspent).toBe('proved')
  expect([called, second].map((name) => HONEST.includes(name.split(':')[0] ?? ''))).toEqual([
    true,
    true,
  ])
  expect(proxy.names.length).toBeGreaterThanOrEqual(4)
})

it('a peer that hides a payment is banned, leaves the book, and another takes its place', async () => {
  const proxy = await internet()
  const times = { seenS: NOW_S, successMs: 0, failureMs: 0, failures: 0 }
  const entries = [LIAR, ...HONEST].map((host) => {
    return { host, port: 18_444, services: 73n, source: 'a', ...times }
  })
  const anchors = [{ host: LIAR, port: 18_444 }]
  new PeerSources({ network: regtest, bookPath }).keep({ entries, anchors })
  const offences: string[] = []
  const { connection, source } = run(proxy.port, {}, offences)
  const { outputs, unspent: label } = await source.spendStatus([unspent])
  expect(outputs[0]).toMatchObject({ type: 'unspent', script: watched.script })
  expect(label).toBe('proved')
  await vi.waitFor(() => expect(offences).toEqual([`${LIAR} filterLie`]))
  expect(connection.client.status.liars).toBe(1)
  const hosts = connection.client.peers.map(({ address }) => address.host)
  expect(hosts.length).toBeGreaterThanOrEqual(2)
  expect(HONEST).toEqual(expect.arrayContaining(hosts))
  await source.close()
  const { known } = new PeerSources({ network: regtest, bookPath }).config
  expect(known.entries.map(({ host }) => host)).toEqual(HONEST)
  expect(known.anchors.map(({ host }) => host)).not.toContain(LIAR)
})

it('where nobody that is known can be reached, the source says so before patience ends', async () => {
  const closed = await startRegtestServer({ node })
  await closed.close()
  const proxy = await later(startProxy(closed.port))
  const answers = { [NAME]: ['20.1.0.1'] }
  await expect(run(proxy.port, answers).source.info()).rejects.toMatchObject({
    code: 'NETWORK_UNREACHABLE',
    message: expect.stringContaining('none of the peers that were found can be used'),
  })
  expect(proxy.names).toEqual(['20.1.0.1:18444'])
})

it('without anybody to call the source says so at once', async () => {
  await expect(run(1).source.info()).rejects.toMatchObject({
    code: 'BTC_SOURCE_UNUSABLE',
    message: expect.stringContaining('no peer of regtest with compact filters was found'),
  })
})
