/**
 * Goal: the regtest node answers JSON-RPC over HTTP to who has read its cookie, within bounds, and
 * the wallet's source for a node of one's own takes it for Bitcoin Core, unchanged.
 * Method: real sockets on loopback. RN-21, RN-22, §8.6.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { toDisplayHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { headerHash } from '../../../src/core/btc/block.ts'
import { encodeTransaction, txid } from '../../../src/core/btc/transaction.ts'
import { EmbeddedBitcoin } from '../../../src/host/bitcoin/embedded-node.ts'
import type { RpcServer } from '../../../src/host/bitcoin/rpc-server.ts'
import { BODY_BYTES_MAX, startRpcServer } from '../../../src/host/bitcoin/rpc-server.ts'
import { BitcoindSource } from '../../../src/wallet/sources/bitcoind.ts'
import type { Story } from '../../wallet/sources/story.ts'
import { NOW_S, other, portsOf, tell, watched } from '../../wallet/sources/story.ts'

const folder = mkdtempSync(join(tmpdir(), 'ckbtc-rpc-'))
const cookieFile = join(folder, 'cookie')
const cookie = (): string => readFileSync(cookieFile, 'utf8')

let story: Story
let server: RpcServer
const shared = tell()

beforeEach(async ({ task }) => {
  story = /broadcasts/.test(task.name) ? tell() : shared
  const nowSeconds = (): number => NOW_S
  server = await startRpcServer({ node: story.node, port: 0, cookieFile, nowSeconds })
})
afterEach(async () => {
  await server.close()
  rmSync(cookieFile, { force: true })
})

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}/`, {
    method: 'POST',
    body,
    headers: { authorization: `Basic ${btoa(cookie())}`, ...headers },
  })
const call = (method: string, id: unknown = 1) => JSON.stringify({ method, id })

describe('over HTTP', () => {
  test('one call, a batch, and a batch of nothing', async () => {
    const one = await post(call('getblockcount'))
    expect([one.status, one.headers.get('content-type')]).toEqual([200, 'application/json'])
    const { height } = story.node.tip()
    expect(await one.text()).toBe(`{"result":${height},"error":null,"id":1}\n`)
    const many = await post(`[${call('getblockcount', 1)},${call('nothing', 2)},7]`)
    expect(many.status).toBe(200)
    expect(await many.json()).toMatchObject([
      { id: 1, result: height },
      { id: 2, error: { code: -32601 } },
      { id: null, error: { code: -32600 } },
    ])
    expect(await (await post('[]')).text()).toBe('[]\n')
    const silent = await post('[{"jsonrpc":"2.0","method":"uptime"}]')
    expect([silent.status, await silent.text()]).toEqual([204, ''])
  })

  test('the cookie is for its owner alone, new every time, and gone in the end', async () => {
    expect(cookie()).toMatch(/^__cookie__:[0-9a-f]{64}$/)
    expect(statSync(cookieFile).mode & 0o777).toBe(0o600)
    const before = cookie()
    await server.close()
    expect(() => cookie()).toThrow('ENOENT')
    const { node } = story
    server = await startRpcServer({ node, port: 0, cookieFile, nowSeconds: () => NOW_S })
    expect(cookie()).not.toBe(before)
  })

  test('who has no cookie, or another, hears nothing', async () => {
    for (const authorization of ['', 'Basic', 'Bearer x', `Basic ${btoa('__cookie__:0')}`]) {
      const refused = await post(call('stop'), { authorization })
      expect([refused.status, await refused.text()]).toEqual([401, ''])
      expect(refused.headers.get('www-authenticate')).toBe('Basic realm="jsonrpc"')
    }
  })

  test('only posts are answered, at the places that Core has', async () => {
    const statuses = ['wallet/', 'rest/chaininfo.json', '?x', '%2e%2e/cookie'].map(
      async (place) => {
        const request = { method: 'POST', body: call('uptime') }
        const authorization = `Basic ${btoa(cookie())}`
        const url = `http://127.0.0.1:${server.port}/${place}`
        return (await fetch(url, { ...request, headers: { authorization } })).status
      },
    )
    expect(await Promise.all(statuses)).toEqual([200, 404, 404, 404])
    const asked = await fetch(`http://127.0.0.1:${server.port}/`)
    expect([asked.status, await asked.text()]).toEqual([
      405,
      'JSONRPC server handles only POST requests\n',
    ])
  })

  test('bodies that are no JSON, no UTF-8 or too long are refused, and the next call is answered', async () => {
    for (const body of ['', '{', '\0', Uint8Array.of(0xff, 0xfe), '['.repeat(100_000)]) {
      const refused = await post(body)
      expect(refused.status).toBe(500)
      expect(await refused.json()).toMatchObject({ error: { code: -32700 } })
    }
    const long = await post(new Uint8Array(BODY_BYTES_MAX + 1).fill(0x20))
    expect(long.status).toBe(413)
    await long.text()
    expect((await post(call('uptime'))).status).toBe(200)
  })

  test('bodies of the greatest size have room, one after another', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 8; i++)
      statuses.push((await post(call('uptime').padEnd(BODY_BYTES_MAX))).status)
    expect(statuses).toEqual(statuses.map(() => 200))
  })

  test('who speaks no HTTP is cut off, and others are not', async () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.resume().write('nonsense\r\n\r\n')
    await closed
    expect((await post(call('uptime'))).status).toBe(200)
  })
})

describe('to the wallet, as an own node', () => {
  const source = (): BitcoindSource =>
    new BitcoindSource(
      { url: new URL(`http://127.0.0.1:${server.port}/`), authority: cookie, withinMs: 5_000 },
      portsOf(),
    )

  test('it tells what is unspent, spent, and unknown', async () => {
    const { unspent, spent, unknown } = story
    const status = await source().spendStatus([unspent, spent, unknown])
    expect(status.at.hash).toEqual(story.node.tip().hash)
    expect(status.outputs).toEqual([
      { type: 'unspent', value: 4_999_999_000n, script: watched.script, height: unspent.height },
      { type: 'spent' },
      { type: 'unknown' },
    ])
  })

  test('it finds outputs by script, amounts to the satoshi', async () => {
    const found = await source().stableUtxos([watched.script, other.script])
    const { utxos } = present(found, 'a scan')
    expect(utxos.map(({ value }) => value)).toEqual(
      expect.arrayContaining([4_999_999_000n, 5_000n, 1_000_000n]),
    )
    for (const { outpoint, value, script, height } of utxos)
      expect(story.node.utxo(outpoint)).toMatchObject({ type: 'unspent', value, script, height })
  })

  test('it gives headers, blocks and what blocks spend', async () => {
    const node = source()
    expect((await node.info()).notes).toEqual([])
    expect((await node.headers(1, 10)).length).toBe(10)
    const block = present(story.node.blockAt(107), 'a block with a spend')
    const hash = headerHash(block.header)
    expect(await node.block(hash)).toEqual(block)
    expect(await node.prevouts(hash)).toEqual([{ value: 4_999_999_000n, script: watched.script }])
  })

  test('it broadcasts, or says why not, and has evidence', async () => {
    const node = source()
    const id = txid(story.next)
    expect(await node.txEvidence(id)).toEqual({ type: 'unknown' })
    const bytes = encodeTransaction(story.next)
    // It pays half of its coin to the miner.
    expect(await node.broadcast(bytes)).toMatchObject({ type: 'refused', kind: 'fee-too-high' })
    expect(story.node.submit(bytes, NOW_S).type).toBe('accepted')
    expect(await node.broadcast(bytes)).toEqual({ type: 'accepted', txid: id })
    expect(await node.txEvidence(id)).toMatchObject({ type: 'echoed', label: 'own-node' })
    story.node.mine(2, other.script, NOW_S)
    expect(await node.txEvidence(id)).toMatchObject({ type: 'inBlock', confirmations: 2 })
    expect(await node.broadcast(bytes)).toEqual({ type: 'accepted', txid: id })
    const double = encodeTransaction({ ...story.next, lockTime: 1 })
    expect(await node.broadcast(double)).toMatchObject({
      type: 'refused',
      kind: 'inputs-missing-or-spent',
    })
  })
})

test('the embedded node serves it when told, with its peers, until it closes', async () => {
  const place = { port: 0, cookieFile: join(folder, 'embedded') }
  const bitcoin = await EmbeddedBitcoin.start()
  const port = await bitcoin.serveRpc(place)
  const ask = async (body: string): Promise<unknown> => {
    const authorization = `Basic ${btoa(readFileSync(place.cookieFile, 'utf8'))}`
    const answer = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body,
      headers: { authorization },
    })
    return answer.json()
  }
  expect(await ask(call('getbestblockhash'))).toMatchObject({
    result: toDisplayHex(bitcoin.tip.hash),
  })
  const second = await EmbeddedBitcoin.start()
  second.mine(3, Uint8Array.of(0x51))
  const add = (command: string) =>
    ask(JSON.stringify({ method: 'addnode', params: [`127.0.0.1:${second.port}`, command] }))
  expect(await add('add')).toMatchObject({ result: null })
  expect(await add('add')).toMatchObject({ error: { code: -23 } })
  await vi.waitFor(() => expect(bitcoin.tip.hash).toEqual(second.tip.hash), { interval: 10 })
  expect(await ask(call('getpeerinfo'))).toMatchObject({ result: [{ inbound: false }] })
  expect(await add('remove')).toMatchObject({ result: null })
  expect(await add('remove')).toMatchObject({ error: { code: -24 } })
  await expect(second.serveRpc({ ...place, port })).rejects.toMatchObject({
    code: 'HOST_PORT_BUSY',
  })
  await second.close()
  await bitcoin.close()
  await expect(ask(call('uptime'))).rejects.toThrow()
})
