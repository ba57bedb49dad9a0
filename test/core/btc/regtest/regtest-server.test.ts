/**
 * Goal: the regtest node is reached over real TCP, on loopback alone, by as many peers as allowed,
 * and closes cleanly.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Message } from '../../../../src/core/btc/message.ts'
import { encodeMessage, inventory } from '../../../../src/core/btc/message.ts'
import { MessageStream } from '../../../../src/core/btc/message-stream.ts'
import { regtest } from '../../../../src/core/btc/network.ts'
import { txid, wtxid } from '../../../../src/core/btc/transaction.ts'
import type { RegtestServer } from '../../../../src/host/bitcoin/regtest-server.ts'
import { PEERS_MAX, startRegtestServer } from '../../../../src/host/bitcoin/regtest-server.ts'
import { coinbaseCoin, NOW, nodeWithCoins, SUBSIDY } from './chains.ts'
import { p2wpkhWallet, pay, signedSpend } from './wallets.ts'

const owner = p2wpkhWallet(1)
const nowhere = { services: 0n, address: new Uint8Array(16), port: 0 }
const greeting: Message = {
  type: 'version',
  version: 70_016,
  services: 0n,
  time: BigInt(NOW),
  receiver: nowhere,
  sender: nowhere,
  nonce: 1n,
  userAgent: '/tcp-test/',
  startHeight: 0,
  relay: true,
}

/** A client that waits for messages by type. */
class Client {
  readonly socket: Socket
  readonly #stream = new MessageStream(regtest)
  #inbox: Message[] = []
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('error', () => undefined)
    this.socket.on('data', (bytes) => {
      for (const event of this.#stream.push(new Uint8Array(bytes)))
        if (event.type === 'message') this.#inbox.push(event.message)
      this.#wake()
    })
  }
  say(message: Message): void {
    this.socket.write(encodeMessage(regtest, message))
  }
  async hear<T extends Message['type']>(type: T): Promise<Extract<Message, { type: T }>> {
    for (;;) {
      const at = this.#inbox.findIndex((message) => message.type === type)
      if (at >= 0) return this.#inbox.splice(0, at + 1)[at] as Extract<Message, { type: T }>
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
  async shakeHands(): Promise<void> {
    this.say(greeting)
    await this.hear('verack')
    this.say({ type: 'wtxidrelay' })
    this.say({ type: 'verack' })
    await this.hear('feefilter')
    this.say({ type: 'sendheaders' })
  }
}

/** A connection may end with a reset, which is as good as an end. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

let server: RegtestServer
let node: ReturnType<typeof nodeWithCoins>
beforeEach(async () => {
  node = nodeWithCoins(owner, 1)
  server = await startRegtestServer({ node, nowSeconds: () => NOW })
})
afterEach(() => server.close())

test('a peer syncs headers and blocks, sends a transaction and sees it mined', async () => {
  const client = new Client(server.port)
  await client.shakeHands()
  const stop = regtest.genesis.hash
  client.say({ type: 'getheaders', version: 70_016, locator: [regtest.genesis.hash], stop })
  expect((await client.hear('headers')).headers.length).toBe(101)

  const transaction = signedSpend([coinbaseCoin(node, 1, owner)], [pay(owner, SUBSIDY - 1_000n)])
  client.say({ type: 'inv', items: [{ kind: inventory.wtx, hash: wtxid(transaction) }] })
  await client.hear('getdata')
  client.say({ type: 'tx', transaction })
  client.say({ type: 'ping', nonce: 3n })
  await client.hear('pong')
  expect(node.pooled(txid(transaction))).toBeDefined()

  const [hash = stop] = node.mine(1, owner.script, NOW)
  expect((await client.hear('headers')).headers).toEqual([node.tip().header])
  client.say({ type: 'getdata', items: [{ kind: inventory.witnessBlock, hash }] })
  const { block } = await client.hear('block')
  expect(block.transactions[1]).toEqual(transaction)
  expect(server.peers()).toMatchObject([{ userAgent: '/tcp-test/', ready: true }])
  client.socket.destroy()
})

test('what a slow socket cannot take at once arrives in the end', async () => {
  node.mine(300, new Uint8Array(9_000).fill(0x61), NOW)
  const client = new Client(server.port)
  await client.shakeHands()
  const items = Array.from({ length: 300 }, (_, i) => {
    const header = node.blockAt(102 + i)?.header
    const next = node.blockAt(103 + i)?.header.previous ?? node.tip().hash
    return { kind: inventory.witnessBlock, hash: header === undefined ? node.tip().hash : next }
  })
  client.say({ type: 'getdata', items })
  for (let count = 0; count < 300; count++) await client.hear('block')
  client.socket.destroy()
})

test('a peer that speaks another network is dropped with a reason', async () => {
  const drops: string[] = []
  const strict = await startRegtestServer({ node, onDrop: (_, reason) => drops.push(reason) })
  const client = new Client(strict.port)
  client.socket.write(new Uint8Array(24))
  await ended(client.socket)
  expect(drops).toEqual(['malformed-stream'])
  await strict.close()
})

test('one peer too many is turned away, the others stay', async () => {
  const clients = Array.from({ length: PEERS_MAX }, () => new Client(server.port))
  await Promise.all(clients.map((client) => client.shakeHands()))
  const late = new Client(server.port)
  await ended(late.socket)
  expect(server.peers().length).toBe(PEERS_MAX)
  for (const client of clients) client.socket.destroy()
})

test('closing ends every connection and frees the port', async () => {
  const client = new Client(server.port)
  await client.shakeHands()
  const closed = ended(client.socket)
  await server.close()
  await closed
  const next = createServer().listen(server.port, '127.0.0.1')
  await once(next, 'listening')
  next.close()
})

test('a port that is taken is the error of the system', async () => {
  await expect(startRegtestServer({ node, port: server.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
})
