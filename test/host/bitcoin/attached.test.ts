/**
 * Goal: a node of the user's is recognised by what it answers, and what is wrong with it is said.
 * Method: listeners on loopback that speak as nodes of the networks, as others do, or not at all.
 */
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hash32, toDisplayHex, toHex } from '../../../src/core/base/bytes.ts'
import { encodeMessage } from '../../../src/core/btc/message.ts'
import type { NetworkName } from '../../../src/core/btc/network.ts'
import { networks, regtest } from '../../../src/core/btc/network.ts'
import { RegtestNode } from '../../../src/core/btc/regtest/node.ts'
import { decodeTransaction, encodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { AttachedBitcoin } from '../../../src/host/bitcoin/attached-node.ts'
import { recognise } from '../../../src/host/bitcoin/recognise.ts'
import { startRegtestServer } from '../../../src/host/bitcoin/regtest-server.ts'
import { placeOfText, textOfPlace } from '../../../src/host/bitcoin-place.ts'
import { systemClock } from '../../../src/host/clock.ts'
import { BANS_SHOWN_MAX } from '../../../src/host/control/protocol.ts'
import { AttachedOperations } from '../../../src/host/daemon/attached-operations.ts'
import type { AttachedFacts } from '../../../src/host/daemon/attached-status.ts'
import { bansOf, notesOf } from '../../../src/host/daemon/attached-status.ts'
import type { BitcoinAnswer } from '../../../src/host/node/protocol.ts'
import { regtestWallet } from '../../../src/wallet/regtest-wallet.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const place = (port: number) => ({ host: '127.0.0.1', port, network: undefined })

async function listener(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    closing.push(() => socket.destroy())
    serve(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Says who it is to those of its own network, and hangs up on the others. */
const nodeOf = (name: NetworkName, services = 9n) =>
  listener((socket) => {
    const network = networks[name]
    const nobody = { services: 0n, address: new Uint8Array(16), port: 0 }
    socket.once('data', (bytes) => {
      if (!network.messageStart.every((byte, i) => bytes[i] === byte)) return socket.destroy()
      const common = { version: 70_016, services, time: 1n, receiver: nobody, sender: nobody }
      const more = { nonce: 7n, userAgent: '/other/', startHeight: 1, relay: true }
      socket.write(encodeMessage(network, { type: 'version', ...common, ...more }))
      return socket.write(encodeMessage(network, { type: 'verack' }))
    })
  })

describe('a node that a subnet is to be attached to', () => {
  it('is recognised as the regtest node that it is', async () => {
    const server = await startRegtestServer({ node: new RegtestNode() })
    closing.push(() => server.close())
    expect(await recognise(place(server.port), '/t/')).toEqual({
      ...place(server.port),
      network: 'regtest',
    })
  })

  it('is recognised as a node of signet', async () => {
    expect((await recognise(place(await nodeOf('signet')), '/t/')).network).toBe('signet')
  })

  it.each([
    ['is on mainnet', () => nodeOf('mainnet'), 'is on mainnet'],
    ['is on testnet4', () => nodeOf('testnet4'), 'is on testnet4'],
    ['serves no witnesses', () => nodeOf('regtest', 1n), 'no WITNESS service'],
    ['hangs up', () => listener((socket) => socket.destroy()), 'is no Bitcoin node'],
    [
      'speaks another protocol',
      () => listener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'is no Bitcoin node',
    ],
    ['is not there', async () => 1, 'cannot be reached: connect ECONNREFUSED'],
  ])('is refused where it %s', async (_, listen, words) => {
    await expect(recognise(place(await listen()), '/t/')).rejects.toMatchObject({
      code: 'BTC_SOURCE_UNUSABLE',
      message: expect.stringContaining(words),
      command: expect.stringContaining('ckbtc subnet start --bitcoin'),
    })
  })

  it('is refused when it says nothing, after some seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let heard = () => {}
      const connected = new Promise<void>((resolve) => {
        heard = resolve
      })
      const port = await listener((socket) => socket.once('data', heard))
      const refused = expect(recognise(place(port), '/t/')).rejects.toMatchObject({
        message: expect.stringContaining('no answer within 5 s'),
      })
      await connected
      vi.advanceTimersByTime(5_000)
      await refused
    } finally {
      vi.useRealTimers()
    }
  })
})

it.each([
  ['127.0.0.1:18444', '127.0.0.1', 18_444],
  ['Node.Example:1', 'node.example', 1],
  ['[::1]:65535', '::1', 65_535],
])('the place %s is read and written', (text, host, port) => {
  const read = placeOfText(text)
  expect(read).toEqual({ host, port, network: undefined })
  expect(read && textOfPlace(read)).toBe(text.toLowerCase())
})

it.each(['', 'a', ':1', 'a:', 'a:0', 'a:65536', 'a:1:2', '::1:1', 'a b:1', 'a:-1', '[::1]'])(
  '%j is no place',
  (text) => expect(placeOfText(text)).toBeUndefined(),
)

it('the chain of an attached node is seen with what is spent, unspent and unknown in it', async () => {
  const payer = regtestWallet('payer')
  const node = new RegtestNode()
  const nowSeconds = Number(systemClock() / 1_000_000_000n)
  node.mine(101, payer.script, nowSeconds)
  const server = await startRegtestServer({ node })
  closing.push(() => server.close())
  const chain = new AttachedBitcoin({ ...place(server.port), network: 'regtest' }, '/t/')
  closing.push(() => chain.close())
  const isThere = { timeout: 10_000, interval: 5 }
  await vi.waitFor(() => expect(chain.height).toBe(101), isThere)
  const coinbase = node.blockAt(1)?.transactions[0]
  const [output] = coinbase?.outputs ?? []
  if (coinbase === undefined || output === undefined) throw new RangeError('a coinbase pays')
  const coin = { outpoint: { txid: txid(coinbase), vout: 0 }, value: output.value }
  const young = node.blockAt(101)?.transactions[0]
  if (young === undefined) throw new RangeError('a coinbase pays')
  const immature = { ...coin, outpoint: { txid: txid(young), vout: 0 } }
  expect(chain.output(coin.outpoint)).toMatchObject({ type: 'unspent', value: coin.value })
  expect(chain.output({ ...coin.outpoint, vout: 9 })).toEqual({ type: 'unknown' })
  expect(chain.output({ txid: hash32(new Uint8Array(32)), vout: 0 })).toEqual({ type: 'unknown' })

  const more = { to: regtestWallet('recipient').address, amount: 1_000_000n as never }
  const paid = payer.pay({ utxos: [coin], ...more, feeRateSatPerVb: 2n })
  if (paid.type !== 'signed') throw new RangeError(paid.type)
  expect(chain.submit(paid.bytes.slice(1))).toMatchObject({ type: 'refused' })
  const early = payer.pay({ utxos: [immature], ...more, feeRateSatPerVb: 2n })
  if (early.type !== 'signed') throw new RangeError(early.type)
  expect(chain.submit(early.bytes)).toMatchObject({
    type: 'refused',
    reason: 'bad-txns-premature-spend-of-coinbase',
  })
  expect(chain.waiting).toBe(0) // Who was refused must not find it sent a block later.
  expect(chain.submit(paid.bytes)).toEqual({ type: 'accepted', txid: paid.txid })
  await vi.waitFor(() => expect(node.mempool().length).toBe(1), isThere)
  expect(chain.transaction(paid.txid)).toMatchObject({ confirmations: 0 })
  expect(chain.waiting).toBe(1)
  node.mine(1, payer.script, nowSeconds)
  await vi.waitFor(() => expect(chain.height).toBe(102), isThere)
  expect(chain.output(coin.outpoint)).toEqual({ type: 'spent' })
  const found = chain.transaction(paid.txid)
  expect(found).toMatchObject({ confirmations: 1, height: 102 })
  expect(found && encodeTransaction(found.transaction)).toEqual(paid.bytes)
  expect(chain.waiting).toBe(0)
  expect(regtest.name).toBe(chain.place.network)

  const operations = new AttachedOperations(chain)
  const id = toDisplayHex(paid.txid)
  for (const operation of ['mine', 'faucet', 'reorg', 'fee', 'minimum-fee'] as const)
    expect(() => operations.refuse(operation)).toThrow(
      expect.objectContaining({ code: 'RAIL_LOCAL_ONLY', exit: 10 }),
    )
  expect(operations.tip()).toMatchObject({
    height: 102,
    peerHost: '127.0.0.1',
    peerPort: server.port,
  })
  expect(operations.output({ txid: id, vout: 0 })).toMatchObject({ type: 'unspent', height: 102 })
  expect(operations.tx({ txid: id }, [])).toMatchObject({
    confirmations: 1,
    feeSat: Number(paid.fee),
  })
  expect(operations.tx({ txid: '00'.repeat(32) }, [])).toBeUndefined()
  const hex = toHex(paid.bytes)
  expect(operations.send({ hex })).toEqual({ txid: id, isTaken: false })
  expect(() => operations.send({ hex: hex.slice(2) })).toThrow(
    expect.objectContaining({ code: 'BTC_REFUSED' }),
  )
  // What only a node of the subnet has announced is known by what that node says of it.
  const bytes = encodeTransaction({ ...decodeTransaction(paid.bytes), lockTime: 7 })
  const other = txid(decodeTransaction(bytes))
  const report = {
    txid: other,
    fate: { type: 'queued' },
    ageMs: 1,
    remark: undefined,
    bytes,
  } as const
  expect(operations.tx({ txid: toDisplayHex(other) }, [{ transactions: [report] }])).toMatchObject({
    confirmations: 0,
    evidence: { state: 'queued' },
  })
})

it('a node that was begun anew is seen to have lost its chain', async () => {
  const nowSeconds = Number(systemClock() / 1_000_000_000n)
  const begin = async (name: string, blocks: number, port?: number) => {
    const node = new RegtestNode()
    node.mine(blocks, regtestWallet(name).script, nowSeconds)
    const server = await startRegtestServer(port === undefined ? { node } : { node, port })
    closing.push(() => server.close())
    return server
  }
  const first = await begin('first', 20)
  const chain = new AttachedBitcoin({ ...place(first.port), network: 'regtest' }, '/t/')
  closing.push(() => chain.close())
  const isThere = { timeout: 10_000, interval: 5 }
  await vi.waitFor(() => expect(chain.height).toBe(20), isThere)
  expect(chain.wentBackTo).toBeUndefined()
  await first.close()
  await begin('second', 5, first.port)
  await vi.waitFor(() => expect(chain.wentBackTo).toBe(5), isThere)
  expect(chain.height).toBe(20)
})

describe('the status of an attached subnet', () => {
  const well: AttachedFacts = {
    address: 'h:1',
    network: 'regtest',
    isConnected: true,
    nodesConnected: [1, 2, 3, 4],
    nodesUp: 4,
    height: 7,
    subnetHeight: 7,
    shownHeight: 7,
    tipHash: '00'.repeat(32),
    tipTime: 1,
    isCatchingUp: false,
    isStale: false,
    aheadSeconds: undefined,
    bans: [],
    lastOffence: undefined,
    eclipseRisk: undefined,
  }
  it('has nothing to say where all is well', () => expect(notesOf(well)).toEqual([]))

  it.each([
    ['that nothing answers', { isConnected: false, nodesConnected: [] }, 'nothing answers at h:1'],
    ['which nodes are not connected', { nodesConnected: [1] }, '3 of 4 nodes are not connected'],
    ['that the chain went back', { shownHeight: 5 }, 'ends at 5, below what the subnet has seen'],
    ['why a connection was ended', { lastOffence: 'high-hash' }, 'was ended: high-hash'],
    [
      'that all peers are neighbours',
      { eclipseRisk: '50.60' },
      'eclipse risk: every peer is in 50.60',
    ],
    [
      'who is banned, until when, and why',
      { bans: [{ host: '9.1.2.3', reason: 'high-hash', untilMs: 86_400_000 }] },
      '9.1.2.3 is not used until 1970-01-02T00:00:00.000Z: high-hash',
    ],
    ['that a clock is wrong', { aheadSeconds: 10_800 }, 'is 3 h 0 min ahead of the clock'],
    [
      'that signet blocks are not verified',
      { network: 'signet' },
      'signet blocks are not verified',
    ],
    ['that a signet node may be cut off', { network: 'signet', isStale: true }, 'cut off'],
  ] as const)('says %s', (_, change, words) => {
    expect(notesOf({ ...well, ...change }).join('; ')).toContain(words)
  })

  it('has each ban of any node once, the longest first, and a bounded number', () => {
    const ban = (host: string, untilMs: number) => ({ host, reason: 'r', untilMs })
    const answer = (...bans: readonly ReturnType<typeof ban>[]): BitcoinAnswer => ({
      type: 'bitcoin',
      isConnected: true,
      shownHeight: 1,
      lastOffence: undefined,
      eclipseRisk: undefined,
      transactions: [],
      bans,
    })
    const all = [answer(ban('a', 1), ban('b', 3)), undefined, answer(ban('a', 2))]
    expect(bansOf(all)).toEqual([ban('b', 3), ban('a', 2)])
    const many = Array.from({ length: 100 }, (_, i) => ban(`h${i}`, i))
    expect(bansOf([answer(...many)]).length).toBe(BANS_SHOWN_MAX)
  })

  it('bitcoin §13.58: says why a node in initial download takes no transaction', () => {
    const [note] = notesOf({ ...well, isStale: true })
    expect(note).toContain('bitcoind then ignores transactions; mine one')
    expect(notesOf({ ...well, isStale: true, isCatchingUp: true })).toEqual([])
  })
})
