/**
 * Goal: what an operation answers or throws in the process of the subnet reaches whoever asked,
 * and nobody else may ask. Method: server and client of the control port, on a socket of their own.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Bug, Problem } from '../../../src/core/base/errors.ts'
import { ControlClient } from '../../../src/host/control/client.ts'
import { REQUEST_BYTES_MAX } from '../../../src/host/control/protocol.ts'
import type { ControlHandlers, ControlServer } from '../../../src/host/daemon/control-server.ts'
import { startControlServer } from '../../../src/host/daemon/control-server.ts'

const hash = 'ab'.repeat(32)
const notAsked = () => {
  throw new Bug('not asked for in this test')
}
const handlers: ControlHandlers = {
  status: notAsked,
  stop: () => ({}),
  mine: ({ count }) => ({ height: count, hash, blocks: [hash] }),
  faucet: notAsked,
  'deposit-address': notAsked,
  reorg: () => {
    throw new Problem('BTC_REFUSED', 'depth 9 is not between 1 and 3', {
      fix: 'look',
      command: 'ckbtc bitcoin tip',
      details: { reason: 'depth', positions: [1, 2] },
    })
  },
  tip: () => ({ height: 7, hash, time: 1, waitingTransactions: 0, peerHost: 'h', peerPort: 1 }),
  tx: () => undefined,
  output: () => ({ type: 'spent', amountSat: undefined, script: undefined, height: undefined }),
  sightings: () => ({ outputs: [] }),
  send: () => {
    throw new RangeError('a stranger')
  },
  fee: notAsked,
  'minimum-fee': notAsked,
  'minter-settings': notAsked,
  'ledger-settings': notAsked,
  nodes: notAsked,
  'kill-node': notAsked,
  'corrupt-node': notAsked,
  'heal-node': notAsked,
  'signer-info': notAsked,
  'signer-public-key': notAsked,
  'signer-sign': notAsked,
  'signer-refresh': notAsked,
  flag: async () => ({}),
  losses: async () => ({}),
  'checker-mode': async () => ({}),
}

describe('the control port', () => {
  let folder = ''
  let path = ''
  let server: ControlServer
  let heard: unknown[] = []
  let client: ControlClient

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ckbtc-control-'))
    path = join(folder, 'control.sock')
    heard = []
    server = await startControlServer({ path, handlers, onError: (error) => heard.push(error) })
    client = new ControlClient(path)
  })
  afterEach(async () => {
    await server.close()
    rmSync(folder, { recursive: true })
  })

  it('answers what the operation gives, what does not exist included', async () => {
    expect(await client.ask('mine', { count: 3, to: undefined, empty: false })).toEqual({
      height: 3,
      hash,
      blocks: [hash],
    })
    expect(await client.ask('tx', { txid: hash })).toBeUndefined()
    expect(await client.ask('output', { txid: hash, vout: 0 })).toMatchObject({ type: 'spent' })
    expect(await client.ask('flag', { target: 'x', flagged: true })).toEqual({})
  })

  it('hands on a failure with code, words, help and details', async () => {
    const failed = client.ask('reorg', { depth: 9, dropTransactions: false })
    await expect(failed).rejects.toMatchObject({
      code: 'BTC_REFUSED',
      exit: 7,
      message: 'depth 9 is not between 1 and 3',
      fix: 'look',
      command: 'ckbtc bitcoin tip',
      details: { reason: 'depth', positions: [1, 2] },
    })
    expect(heard).toEqual([])
  })

  it('calls everything else a bug, and tells the log', async () => {
    await expect(client.ask('send', { hex: '00' })).rejects.toThrow(Bug)
    expect(heard).toEqual([new RangeError('a stranger')])
  })

  it('belongs to its owner alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each([
    ['no count', { to: null, empty: false }],
    ['a count of none', { count: 0, to: null, empty: false }],
    ['more blocks than a request may mine', { count: 10_001, to: null, empty: false }],
    ['a field too much', { count: 1, to: null, empty: false, more: 1 }],
    ['null', null],
  ])('refuses a request with %s', async (_, body) => {
    const { status, text } = await post('/mine', JSON.stringify(body))
    expect(status).toBe(409)
    expect(JSON.parse(text)).toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('refuses what is no JSON, at any length of it', async () => {
    for (const body of ['', '{', '{"count":1', '{}x', '\u0000'])
      expect((await post('/mine', body)).status).toBe(409)
  })

  it.each([
    ['/nothing', 404],
    ['/', 404],
    ['/toString', 404],
    ['/mine/../tip', 404],
  ])('knows no operation %s', async (url, status) => {
    expect((await post(url, '{}')).status).toBe(status)
  })

  it('takes nothing but POST', async () => {
    expect((await post('/tip', '', 'GET')).status).toBe(404)
  })

  it('reads no request without an end', async () => {
    expect((await post('/send', 'x'.repeat(REQUEST_BYTES_MAX + 1))).status).toBe(413)
    expect(await client.ask('tip', {})).toMatchObject({ height: 7 })
  })

  it('survives who speaks another language', async () => {
    const socket = connect(path)
    socket.write('SSH-2.0-x\r\n\r\n')
    await new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    )
    expect(await client.ask('tip', {})).toMatchObject({ height: 7 })
  })

  it('tells that no subnet runs when nobody listens', async () => {
    await server.close()
    await expect(client.ask('tip', {})).rejects.toMatchObject({
      code: 'SUBNET_DOWN',
      command: 'ckbtc subnet start',
    })
  })

  it('takes the place of a socket that a dead process left', async () => {
    const second = await startControlServer({ path, handlers, onError: notAsked })
    expect(await client.ask('tip', {})).toMatchObject({ height: 7 })
    await second.close()
  })

  it('lets go when whoever asked has lost patience', async () => {
    const signal = AbortSignal.abort(new Problem('INTERRUPTED', 'enough', { fix: 'none' }))
    await expect(client.ask('tip', {}, { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  function post(
    url: string,
    body: string,
    method = 'POST',
  ): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({ socketPath: path, path: url, method }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      request.on('error', reject)
      request.end(body)
    })
  }
})
