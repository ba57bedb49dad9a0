/**
 * Goal: the client of compact filters works on real sockets: it finds coins, follows blocks, comes
 * back to a node that was away, and says what is wrong with a peer.
 * Method: regtest nodes behind their TCP listeners on loopback, and a listener that speaks nonsense.
 */
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { PeerAddress } from '../../src/core/btc/adapter-port.ts'
import type { BlockHeader } from '../../src/core/btc/block.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { Offence } from '../../src/core/btc/peer-session.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { RegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import { startRegtestServer } from '../../src/host/bitcoin/regtest-server.ts'
import type { FilterConnection, FilterConnectionOptions } from '../../src/host/filter-connection.ts'
import { startFilterConnection } from '../../src/host/filter-connection.ts'

const script = Uint8Array.of(0x51, 0x51)
const nowSeconds = (): number => Math.floor(Date.now() / 1_000)
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function serve(node: RegtestNode, port = 0): Promise<RegtestServer> {
  const server = await startRegtestServer({ node, port })
  closing.push(() => server.close())
  return server
}

function connectTo(
  ports: readonly number[],
  onOffence: (peer: PeerAddress, offence: Offence) => void = () => undefined,
  options: Partial<FilterConnectionOptions> = {},
): FilterConnection {
  const connection = startFilterConnection({
    network: regtest,
    peers: ports.map((port) => ({ host: '127.0.0.1', port })),
    seed: Seed.fromBytes(new Uint8Array(32).fill(3)),
    userAgent: '/ckbtc:test/',
    push: false,
    onOffence,
    ...options,
  })
  closing.push(() => connection.close())
  return connection
}

const until = (connection: FilterConnection, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return
      stop()
      resolve()
    }
    const stop = connection.onChange(look)
    look()
  })

test('two nodes stand for the coins that are found, and new blocks are followed', async () => {
  const node = new RegtestNode()
  node.mine(30, script, nowSeconds())
  const [one, two] = [await serve(node), await serve(node)]
  const connection = connectTo([one.port, two.port])
  connection.watch([script], 1)
  const { client } = connection
  await until(connection, () => client.status.searched === 30 && client.status.vouchers === 2)
  expect(client.status).toMatchObject({ synced: true, liars: 0, hopeful: 0 })
  expect(client.scan.coins.length).toBe(30)
  node.mine(2, script, nowSeconds())
  await until(connection, () => client.status.searched === 32)
  expect(client.scan.coins.length).toBe(32)
  expect(client.scan.rescanning([script], 32)).toBe(undefined)
})

test('a node that was away is found again', async () => {
  const node = new RegtestNode()
  node.mine(3, script, nowSeconds())
  const server = await serve(node)
  const connection = connectTo([server.port])
  connection.watch([script], 1)
  await until(connection, () => connection.client.status.searched === 3)
  await server.close()
  await until(connection, () => connection.client.status.vouchers === 0)
  node.mine(1, script, nowSeconds())
  await serve(node, server.port)
  await until(connection, () => connection.client.status.searched === 4)
  expect(connection.client.scan.coins.length).toBe(4)
}, 20_000)

test('a listener that is no Bitcoin node is named, and does not disturb the others', async () => {
  const noise: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n                                       ')
  })
  await new Promise<void>((resolve) => void noise.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => noise.close(resolve)))
  const address = present(noise.address() ?? undefined, 'it listens')
  const node = new RegtestNode()
  node.mine(3, script, nowSeconds())
  const offences: string[] = []
  const ports = [typeof address === 'string' ? 0 : address.port, (await serve(node)).port]
  const connection = connectTo(ports, (_, offence) => offences.push(offence.reason))
  connection.watch([script], 1)
  await until(connection, () => connection.client.status.searched === 3 && offences.length > 0)
  expect(offences).toContain('wrong message start')
  expect(connection.client.status).toMatchObject({ synced: true, vouchers: 1 })
})

describe('headers of an earlier life', () => {
  const node = new RegtestNode()
  node.mine(9, script, nowSeconds())
  const headers = Array.from(
    { length: 9 },
    (_, i) => present(node.blockAt(i + 1), 'a block').header,
  )
  const restore = async (
    parts: readonly (readonly BlockHeader[])[],
  ): Promise<{ readonly connection: FilterConnection; readonly counts: readonly number[] }> => {
    const counts: number[] = []
    const options = { headers: parts, onRestored: (count: number) => counts.push(count) }
    return { connection: connectTo([(await serve(node)).port], undefined, options), counts }
  }

  test('are judged in parts before anybody is called, and nothing is kept until then', async () => {
    const { connection, counts } = await restore([headers.slice(0, 4), headers.slice(4)])
    connection.watch([script], 1)
    expect(connection.client.peers.map(({ state }) => state)).toEqual(['waiting'])
    expect(connection.client.status.hopeful).toBe(1)
    expect(connection.toKeep()).toBe(undefined)
    await until(connection, () => connection.client.status.searched === 9)
    expect(counts).toEqual([4, 9])
    expect(connection.toKeep()?.headers).toEqual(headers)
  })

  test('end where one is damaged; the rest is fetched', async () => {
    const flawed = headers.with(2, { ...present(headers[2], 'one'), time: 1 })
    const { connection, counts } = await restore([flawed.slice(0, 4), flawed.slice(4)])
    await until(connection, () => connection.client.status.synced)
    expect(counts).toEqual([2])
    expect(connection.toKeep()?.headers).toEqual(headers)
  })
})
