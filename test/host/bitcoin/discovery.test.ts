/**
 * Goal: an adapter that was given no peers finds some, follows their chain over real sockets, and
 * begins its next life with them. Method: addresses of the internet behind a proxy on loopback that
 * leads all of them to one regtest node.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { Seed } from '../../../src/core/base/seed.ts'
import { regtest } from '../../../src/core/btc/network.ts'
import { networkGroup } from '../../../src/core/btc/network-address.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import type { BitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { startBitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { PeerSources } from '../../../src/host/bitcoin/peer-sources.ts'
import { startRegtestServer } from '../../../src/host/bitcoin/regtest-server.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { startProxy } from '../../support/socks-proxy.ts'

const WAIT = { timeout: 20_000 }
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

it('peers of the book are called, one of each group, and those that served are known later', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ckbtc-discovery-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const bookPath = join(folder, 'peers')
  const node = new RegtestNode()
  node.mine(5, Uint8Array.of(0x51), Math.floor(Date.now() / 1_000))
  const server = await startRegtestServer({ node, port: 0 })
  closing.push(() => server.close())
  const proxy = await startProxy(server.port)
  closing.push(() => proxy.close())
  const hosts = ['20.1.0.1', '20.1.0.2', '30.1.0.1', '40.1.0.1', '50.1.0.1', '60.1.0.1']
  const times = { seenS: 1, successMs: 0, failureMs: 0, failures: 0 }
  new PeerSources({ network: regtest, bookPath }).keep({
    entries: hosts.map((host) => ({ host, port: 18_444, services: 9n, source: 'a', ...times })),
    anchors: [{ host: '60.1.0.1', port: 18_444 }],
  })

  const connect = (): BitcoinConnection =>
    startBitcoinConnection({
      network: regtest,
      peers: [],
      seed: Seed.fromBytes(new Uint8Array(32)),
      userAgent: '/ckbtc:test/',
      push: false,
      proxy: { host: '127.0.0.1', port: proxy.port },
      sources: new PeerSources({ network: regtest, bookPath }),
      clock: systemClock,
      onHeaders: () => undefined,
      onBlock: () => undefined,
    })
  const connection = connect()
  closing.push(() => connection.close())
  const ready = () => connection.peers().filter(({ state }) => state === 'ready')
  await vi.waitFor(() => expect(ready().length).toBe(4), WAIT)
  await vi.waitFor(() => expect(connection.status().state).toBe('current'), WAIT)
  expect(connection.bestHeight()).toBe(5)
  expect(proxy.names[0]).toBe('60.1.0.1:18444')
  expect(new Set(ready().map(({ address }) => networkGroup(address.host))).size).toBe(4)

  connection.close()
  const { known } = new PeerSources({ network: regtest, bookPath }).config
  expect(known.anchors).toEqual([{ host: '60.1.0.1', port: 18_444 }])
  expect(known.entries.filter(({ successMs }) => successMs > 0).length).toBe(4)
})
