/**
 * Goal: `verify-reserves` sees the same coins through every source that a person may name, says what
 * each rests on, and rounds nothing up when sources lie, disagree or cannot be asked.
 * Method: cli §5.13; a network in memory whose Bitcoin node is served over its P2P port, as Esplora
 * and as bitcoind, all on loopback.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyReserves } from '../../src/commands/verify-reserves.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { filterSources } from '../../src/host/filter-peers.ts'
import { Client } from '../../src/wallet/client.ts'
import { depositAddress } from '../../src/wallet/deposit-address.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { regtestWallet } from '../../src/wallet/regtest-wallet.ts'
import { bitcoindDouble, COOKIE } from '../support/bitcoind-double.ts'
import { CommandDesk } from '../support/command-desk.ts'
import { esploraDouble } from '../support/esplora-double.ts'
import type { HttpDouble } from '../support/http-double.ts'
import { NetworkUnderTest } from '../support/network-under-test.ts'
import { startProxy } from '../support/socks-proxy.ts'

const dev0 = devUser(0)
const net = new NetworkUnderTest()
const desk = new CommandDesk(net)
const { network, fetch } = net
const client = new Client({ network, fetch, signer: dev0 })
const nowSeconds = Math.floor(Date.now() / 1_000)
const honest = esploraDouble(net.bitcoin, nowSeconds)
const second = esploraDouble(net.bitcoin, nowSeconds)
const node = bitcoindDouble(net.bitcoin, nowSeconds).server
const cookie = join(desk.folder, 'cookie')
let peers: readonly RegtestServer[] = []
let esplora: readonly string[] = []
let bitcoind = ''
let nobody = ''

const portOf = async (server: HttpDouble): Promise<string> => (await server.start()).origin

beforeAll(async () => {
  const { address } = await depositAddress(client, { owner: dev0.principal })
  net.pay(address, 50_000_000n)
  net.mine(6)
  await client.minter.updateBalance({ owner: dev0.principal })
  await client.ledger.approve({ spender: { owner: network.ids.minter }, amount: 20_000_000n })
  await client.minter.retrieve({ address: regtestWallet('recipient').address, amount: 20_000_000n })
  net.mine(1)
  net.mine(30)
  net.mine(1)
  writeFileSync(cookie, `${COOKIE}\n`)
  peers = [
    await startRegtestServer({ node: net.bitcoin }),
    await startRegtestServer({ node: net.bitcoin }),
  ]
  esplora = [`esplora=${await portOf(honest)}`, `esplora=${await portOf(second)}`]
  bitcoind = `bitcoind=${await portOf(node)}?cookie=${cookie}`
  const gone = bitcoindDouble(net.bitcoin, nowSeconds).server
  nobody = `bitcoind=${await portOf(gone)}`
  await gone.close()
}, 60_000)
afterAll(async () => {
  for (const server of [honest, second, node, ...peers]) await server.close()
  desk.close()
})

const asked = (bitcoinSource: readonly string[], environment = {}) =>
  desk.json(verifyReserves, { options: { bitcoinSource }, environment })
const shown = (bitcoinSource: readonly string[]) =>
  desk.run(verifyReserves, { options: { bitcoinSource } })
const p2p = (): string => `p2p=${peers.map(({ port }) => `127.0.0.1:${port}`).join()}`

describe('reserves are backed', () => {
  const views: readonly (readonly [string, () => readonly string[], object])[] = [
    ['to two peers with filters', () => [p2p()], { label: 'proved', source: 'p2p' }],
    [
      'to one peer, whose word it is',
      () => [`p2p=127.0.0.1:${peers[0]?.port}`],
      { label: 'server-said', source: 'p2p' },
    ],
    ['to one’s own bitcoind', () => [bitcoind], { label: 'own-node' }],
    ['to two Esplora servers', () => esplora, { label: 'server-said' }],
    ['to the Bitcoin canister', () => ['canister'], { label: 'server-said', source: 'canister' }],
  ]
  test.each(views)(
    '%s',
    async (_, sources, trust) => {
      const { data, ok } = await asked(sources())
      expect(ok).toBe(true)
      expect(data).toMatchObject({
        verdict: 'backed',
        supply_sat: 29_999_890,
        reserves_confirmed_sat: 30_000_300,
        coins: { total: 1, verified: 1, missing: 0, mismatched: 0 },
        bitcoin_sources: sources().length,
        height: net.bitcoin.tip().height,
      })
      expect(data.trust.slice(2)[0]).toMatchObject({ what: 'bitcoin-view', ...trust })
    },
    30_000,
  )

  test('to three kinds at once, and the weakest of them is stated (RV-4)', async () => {
    const { data } = await asked([p2p(), bitcoind, 'canister'])
    const labels = data.trust.slice(2).map(({ label }: { label: string }) => label)
    expect(labels).toEqual(['proved', 'own-node', 'server-said'])
    expect(data).toMatchObject({ bitcoin_label: 'server-said', bitcoin_sources: 3 })
    const { out } = await shown([p2p(), bitcoind])
    expect(out).toMatch(/Bitcoin view: p2p \(proved\), bitcoind 127\.0\.0\.1:\d+ \(own-node\)/)
  }, 30_000)

  test('to the source that a setting names', async () => {
    const set = { CKBTC_BITCOIN_SOURCE: bitcoind }
    const { data } = await asked([], set)
    expect(data.trust[2]).toMatchObject({ label: 'own-node' })
  })
})

describe('p2p without addresses, on a network that is not the local subnet', () => {
  const elsewhere = new CommandDesk(net, { kind: 'custom' })
  afterAll(() => elsewhere.close())
  const options = { bitcoinSource: ['p2p'] }

  test('discovers peers: those of an earlier run, through the proxy of the environment', async () => {
    const proxy = await startProxy(peers[0]?.port ?? 0)
    const folder = elsewhere.directories.cache
    const times = { seenS: nowSeconds, successMs: 0, failureMs: 0, failures: 0 }
    const entries = ['20.1.0.1', '30.1.0.1'].map((host) => {
      return { host, port: 18_444, services: 73n, source: 'a', ...times }
    })
    filterSources(regtest, { folder, isProxied: true }).keep({ entries, anchors: [] })
    const environment = { ALL_PROXY: `socks5://127.0.0.1:${proxy.port}` }
    const { data } = await elsewhere.json(verifyReserves, { options, environment })
    expect(data).toMatchObject({ verdict: 'backed', coins: { verified: 1 } })
    expect(data.trust.slice(2)[0]).toMatchObject({ label: 'proved', source: 'p2p' })
    expect(proxy.names.toSorted()).toEqual(['20.1.0.1:18444', '30.1.0.1:18444'])
    const { known } = filterSources(regtest, { folder, isProxied: true }).config
    expect(known.entries.every(({ successMs }) => successMs > 0)).toBe(true)
    await proxy.close()
    rmSync(folder, { recursive: true })
  }, 30_000)

  test('says at once that nobody is known', async () => {
    const { err, exit } = await elsewhere.run(verifyReserves, { options })
    expect(exit).toBe(11)
    expect(err).toContain('no peer of regtest with compact filters was found')
  })
})

describe('nothing is rounded up', () => {
  const failure = (details: object) => ({ ok: false, error: details })

  test('when a peer says that it stands alone', async () => {
    const { out } = await shown([`p2p=127.0.0.1:${peers[0]?.port}`])
    expect(out).toContain('Bitcoin view: p2p (server-said; 1 filter peer, 2 make a proof)')
  })

  test('when one of two servers says that a coin is spent', async () => {
    second.lie = ({ path }, answer) =>
      path.includes('/outspend/')
        ? {
            ...answer,
            body: JSON.stringify({ spent: true, status: { confirmed: true, block_height: 3 } }),
          }
        : answer
    expect(await asked(esplora)).toMatchObject(
      failure({ code: 'RESERVES_INCONCLUSIVE', message: expect.stringContaining('disagree') }),
    )
    second.lie = (_, answer) => answer
  })

  test('when a server forges a proof', async () => {
    second.lie = ({ path }, answer) =>
      path.endsWith('/merkle-proof')
        ? { ...answer, body: String(answer.body).replace(/"pos":\d+/, '"pos":0') }
        : answer
    expect(await asked([bitcoind, esplora[1] ?? ''])).toMatchObject(
      failure({ code: 'BTC_SOURCE_FALSE', details: { endpoint: expect.any(String) } }),
    )
    second.lie = (_, answer) => answer
  })

  test('when one Esplora server stands alone', async () => {
    expect(await asked([esplora[0] ?? ''])).toMatchObject(
      failure({ code: 'RESERVES_INCONCLUSIVE', message: expect.stringContaining('two Esplora') }),
    )
  })

  const refusals: readonly (readonly [string, () => readonly string[], string, number])[] = [
    ['a source that is none', () => ['electrum'], 'USAGE_INVALID', 2],
    ['a source named twice', () => ['canister', 'canister'], 'USAGE_INVALID', 2],
    ['no cookie', () => [bitcoind.replace(/\?.*/, '')], 'BTC_SOURCE_UNUSABLE', 11],
    ['a cookie file that is not there', () => [`${bitcoind}x`], 'BTC_SOURCE_UNUSABLE', 11],
    ['a server that is not there', () => [`${nobody}?cookie=${cookie}`], 'NETWORK_UNREACHABLE', 5],
    ['plain HTTP to the world', () => ['bitcoind=http://node.example'], 'BTC_SOURCE_UNUSABLE', 11],
    ['the embedded chain of a subnet that is down', () => ['embedded'], 'SUBNET_DOWN', 11],
  ]
  test.each(refusals)(
    'by %s',
    async (_, sources, code, exit) => {
      const run = await shown(sources())
      expect([run.exit, run.err.includes(code)], run.err).toEqual([exit, true])
      expect(run.err).toContain('ckbtc ')
    },
    30_000,
  )
})
