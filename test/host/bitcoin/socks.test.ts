/**
 * Goal: with a proxy every connection goes through it, by name, each as a user of its own; when it
 * fails nothing is connected directly. Method: the handshake by its bytes, and a proxy on loopback.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { concat, fromHex, utf8 } from '../../../src/core/base/bytes.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { mainnet, regtest } from '../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import type { BitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { startBitcoinConnection } from '../../../src/host/bitcoin/connection.ts'
import { PeerSources } from '../../../src/host/bitcoin/peer-sources.ts'
import { startRegtestServer } from '../../../src/host/bitcoin/regtest-server.ts'
import { proxyOfText, SocksHandshake } from '../../../src/host/bitcoin/socks.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { filterSources, peerProxy } from '../../../src/host/filter-peers.ts'
import { startProxy } from '../../support/socks-proxy.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const HOST = 'node.example'
const handshake = (): SocksHandshake =>
  new SocksHandshake({ host: HOST, port: 8_333 }, Uint8Array.of(0xab, 0xcd))
const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))
const request = concat(hex('05 01 00 03 0c'), utf8(HOST), hex('20 8d'))
const none = new Uint8Array(0)

describe('the handshake', () => {
  it('asks for the host by its name, as a user of its own', () => {
    const speaking = handshake()
    expect(speaking.start()).toEqual(hex('05 02 00 02'))
    const user = concat(hex('01 04'), utf8('abcd'), hex('04'), utf8('abcd'))
    expect(speaking.push(hex('05 02'))).toEqual({ type: 'more', send: user })
    expect(speaking.push(hex('01 00'))).toEqual({ type: 'more', send: request })
    const reply = hex('05 00 00 01 00 00 00 00 00 00')
    expect(speaking.push(reply)).toEqual({ type: 'connected', rest: none })
  })

  it('goes on without a user where the proxy wants none, and byte by byte', () => {
    const speaking = handshake()
    expect(speaking.push(hex('05'))).toEqual({ type: 'more', send: none })
    expect(speaking.push(hex('00'))).toEqual({ type: 'more', send: request })
    const reply = concat(hex('05 00 00 03 03'), utf8('abc'), hex('00 01'))
    for (const byte of reply.subarray(0, -1))
      expect(speaking.push(Uint8Array.of(byte))).toEqual({ type: 'more', send: none })
    expect(speaking.push(concat(reply.subarray(-1), utf8('peer')))).toEqual({
      type: 'connected',
      rest: utf8('peer'),
    })
  })

  it('takes an answer that names an address of version 6', () => {
    const speaking = handshake()
    speaking.push(hex('05 00'))
    const reply = concat(hex('05 00 00 04'), new Uint8Array(18))
    expect(speaking.push(reply)).toEqual({ type: 'connected', rest: none })
  })

  it.each([
    ['another protocol', ['48 54'], 'it does not speak SOCKS 5'],
    ['no method', ['05 ff'], 'it wants another authentication'],
    ['a refused user', ['05 02', '01 01'], 'it refuses the user'],
    ['another authentication', ['05 02', '05 00'], 'it refuses the user'],
    ['a refused connection', ['05 00', '05 05 00 01 00'], 'the connection was refused'],
    ['an unknown refusal', ['05 00', '05 63'], 'it says 99'],
    ['another protocol later', ['05 00', '04 00'], 'it does not speak SOCKS 5'],
    ['an unknown address', ['05 00', '05 00 00 07 00'], 'its answer has an unknown address'],
  ])('%s is refused', (_, answers, reason) => {
    const speaking = handshake()
    const steps = answers.map((answer) => speaking.push(hex(answer)))
    expect(steps.at(-1)).toEqual({ type: 'refused', reason })
  })

  it('a name that has no room is refused', () => {
    const long = new SocksHandshake({ host: 'x'.repeat(256), port: 1 }, none)
    expect(long.push(hex('05 00')).type).toBe('refused')
  })
})

it.each([
  ['socks5://127.0.0.1:9050', { host: '127.0.0.1', port: 9_050 }],
  ['socks5h://[::1]:9050/', { host: '::1', port: 9_050 }],
  ['socks5://tor:9050', { host: 'tor', port: 9_050 }],
  ['http://127.0.0.1:8080', undefined],
  ['socks5://127.0.0.1', undefined],
  ['socks5://127.0.0.1:0', undefined],
  ['socks5://127.0.0.1:70000', undefined],
  ['socks5://user:word@127.0.0.1:1', undefined],
  ['', undefined],
])('"%s" names a proxy or none', (text, place) => {
  expect(proxyOfText(text)).toEqual(place)
})

describe('the environment', () => {
  it('names the proxy of peers; what is no SOCKS5 proxy is no reason to go without', () => {
    expect(peerProxy({})).toBeUndefined()
    expect(peerProxy({ ALL_PROXY: '' })).toBeUndefined()
    expect(peerProxy({ all_proxy: 'socks5://tor:9050' })).toEqual({ host: 'tor', port: 9_050 })
    expect(() => peerProxy({ ALL_PROXY: 'http://proxy:8080' })).toThrow(
      'peers cannot be called through what ALL_PROXY names',
    )
  })

  it('with it seeds are called by the names that have peers with filters behind them', () => {
    const { seeds } = filterSources(mainnet, { folder: '/nowhere', isProxied: true }).config
    expect(seeds[0]).toBe('x49.seed.bitcoin.sipa.be')
  })
})

function connectThrough(port: number, asked: string[] = []): BitcoinConnection {
  const connection = startBitcoinConnection({
    network: regtest,
    peers: [{ host: HOST, port: 8_333 }],
    seed: Seed.fromBytes(new Uint8Array(32)),
    userAgent: '/ckbtc:test/',
    push: false,
    proxy: { host: '127.0.0.1', port, onRefusal: (reason) => asked.push(reason) },
    sources: new PeerSources({
      network: regtest,
      resolve: async (host) => {
        asked.push(host)
        return []
      },
    }),
    clock: systemClock,
    onHeaders: () => undefined,
    onBlock: () => undefined,
  })
  closing.push(() => connection.close())
  return connection
}

it('a peer is followed through a proxy that resolves its name', async () => {
  const node = new RegtestNode()
  node.mine(3, Uint8Array.of(0x51), Math.floor(Date.now() / 1_000))
  const server = await startRegtestServer({ node, port: 0 })
  closing.push(() => server.close())
  const proxy = await startProxy(server.port)
  closing.push(() => proxy.close())
  const connection = connectThrough(proxy.port)
  await vi.waitFor(() => expect(connection.bestHeight()).toBe(3), { timeout: 10_000 })
  expect(proxy.names).toEqual([`${HOST}:8333`])
})

/** Places that sockets of this process are connected to, and names that they look up. */
function watchSockets(): readonly string[] {
  const seen: string[] = []
  const watch = (message: unknown): void => {
    if (typeof message !== 'object' || message === null || !('socket' in message)) return
    const { socket } = message
    if (!(socket instanceof Socket)) return
    socket.on('connectionAttempt', (ip: string, port: number) => seen.push(`${ip}:${port}`))
    socket.on('lookup', (_error, _address, _family, host: string) => seen.push(host))
  }
  subscribe('net.client.socket', watch)
  closing.push(() => unsubscribe('net.client.socket', watch))
  return seen
}

it('bitcoin §13.42: the proxy is down: nothing is connected or resolved directly', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const address = gone.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  await new Promise((resolve) => gone.close(resolve))
  const seen = watchSockets()
  const said: string[] = []
  const connection = connectThrough(port, said)
  await vi.waitFor(() => expect(said.length).toBeGreaterThanOrEqual(2), { timeout: 10_000 })
  expect(new Set(seen)).toEqual(new Set([`127.0.0.1:${port}`]))
  expect(said.every((words) => words.includes('ECONNREFUSED'))).toBe(true)
  expect(connection.peers()[0]?.state).not.toBe('ready')
})
