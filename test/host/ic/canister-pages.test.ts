/**
 * Goal: a browser sees the pages of a canister, and neither the canister nor the browser gets more
 * out of the server than that.
 * Method: IC interface §20; requests over sockets against a real subnet in this process, and answers
 * that no canister of ours gives through another backend.
 */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { canisterOfNumber, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { HttpResponse } from '../../../src/core/ic/http-request.ts'
import { httpInterface } from '../../../src/core/ic/http-request.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { queryBody } from '../../../src/core/ic/responses.ts'
import type { IcBackend } from '../../../src/host/ic/backend.ts'
import { IcGateway } from '../../../src/host/ic/gateway.ts'
import type { HttpServer } from '../../../src/host/ic/http-server.ts'
import { startHttpServer } from '../../../src/host/ic/http-server.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const MINTER = textOfPrincipal(ownCanisterIds.minter)
const INDEX = textOfPrincipal(ownCanisterIds.index)
const BITCOIN = textOfPrincipal(ownCanisterIds.bitcoin)
const LEDGER = textOfPrincipal(ownCanisterIds.ledger)

/** What the backend below answers. */
let canned: HttpResponse | Uint8Array | 'never' = new Uint8Array()
const plain: HttpResponse = { statusCode: 200, headers: [], body: utf8('hello') }
const signature = {
  timestamp: net.now,
  signature: new Uint8Array(64),
  nodeId: ownCanisterIds.ledger,
}
const other: IcBackend = {
  rootKey: present(net.backend.rootKey, 'a root is certified'),
  status: net.backend.status,
  hasCanister: () => true,
  call: (call, wait) => net.backend.call(call, wait),
  readState: (read) => net.backend.readState(read),
  query: () => {
    if (canned === 'never') return new Promise(() => undefined)
    const arg =
      canned instanceof Uint8Array
        ? canned
        : encodeArgs([httpInterface.http_request.result], [canned])
    return Promise.resolve(queryBody({ type: 'replied', arg }, signature))
  },
}

const servers: HttpServer[] = []
const start = async (backend: IcBackend): Promise<number> => {
  const options = { backend, clock: () => net.now, ed25519: nativeEd25519 }
  const gateway = new IcGateway({ ...options, implementation: 'ckbtc-test', pageWaitMs: 20 })
  const server = await startHttpServer({ gateway, host: '127.0.0.1', port: 0 })
  servers.push(server)
  return server.port
}
let [here, elsewhere] = [0, 0]
beforeAll(async () => {
  here = await start(net.backend)
  elsewhere = await start(other)
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

type Asked = { host?: string; method?: string; port?: number; body?: string }
type Answer = { status: number; headers: Readonly<Record<string, unknown>>; text: string }

function ask(path: string, { host, method = 'GET', port = here, body }: Asked = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const headers = {
      ...(host && { host }),
      ...(body && { 'content-length': body.length }),
    }
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('a browser', () => {
  test.each([
    ['by its host name', '/dashboard', `${MINTER}.localhost`],
    ['by its host name with a port', '/dashboard', `${MINTER}.localhost:4943`],
    ['by a host name in upper case', '/dashboard', `${MINTER.toUpperCase()}.LOCALHOST`],
    ['by the URL', `/dashboard?canisterId=${MINTER}`, undefined],
    ['by both', `/dashboard?canisterId=${MINTER}`, `${MINTER}.localhost`],
  ])('reaches the dashboard of the minter %s', async (_, path, host) => {
    const { status, headers, text } = await ask(path, { ...(host && { host }) })
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(text).toContain('<h1>ckBTC minter</h1>')
    expect(text).toContain(MINTER)
  })

  test.each(['metrics', 'logs', 'events?length=3', 'reserves', 'healthz'])(
    'reads /%s',
    async (page) => {
      const { status, text } = await ask(`/${page}`, { host: `${MINTER}.localhost` })
      expect(status).toBe(200)
      expect(text.length).toBeGreaterThan(10)
    },
  )

  test('gets the head alone when it asks for that', async () => {
    const path = `/metrics?canisterId=${MINTER}`
    const { status, text, headers } = await ask(path, { method: 'HEAD' })
    expect([status, text]).toEqual([200, ''])
    expect(Number(headers['content-length'])).toBeGreaterThan(1_000)
  })

  test('hears of a bad number from the canister, and of paths that are not there', async () => {
    const host = `${MINTER}.localhost`
    expect((await ask('/dashboard?account_to_utxos_start=x', { host })).status).toBe(400)
    expect((await ask('/nothing', { host })).status).toBe(404)
  })

  test('still reaches the interface under the name of a canister', async () => {
    const { status, headers } = await ask('/api/v2/status', { host: `${MINTER}.localhost` })
    expect([status, headers['content-type']]).toEqual([200, 'application/cbor'])
    const named = await ask(`/api/v2/status?canisterId=${MINTER}`)
    expect(named.headers['content-type']).toBe('application/cbor')
  })
})

test.each([
  ['ledger', LEDGER, 'ledger_total_transactions 0'],
  ['index', INDEX, 'index_number_of_blocks 0'],
])('the metrics of the %s are pages too', async (_, id, line) => {
  const { status, text } = await ask(`/metrics?canisterId=${id}`)
  expect(status).toBe(200)
  expect(text).toContain(`${line} `)
})

describe('who asks for what is not there', () => {
  test.each([
    ['no canister', '/dashboard', undefined, 404],
    [
      'a canister that is not here',
      `/?canisterId=${textOfPrincipal(canisterOfNumber(7n))}`,
      undefined,
      404,
    ],
    ['one without pages', `/?canisterId=${BITCOIN}`, undefined, 404],
    ['an id with a character too many', `/?canisterId=${LEDGER}x`, undefined, 400],
    ['an id that is none', '/metrics?canisterId=minter', undefined, 400],
    ['an id given twice', `/metrics?canisterId=${MINTER}&canisterId=${MINTER}`, undefined, 400],
    ['two canisters', `/metrics?canisterId=${LEDGER}`, `${MINTER}.localhost`, 400],
    ['a broken escape', '/metrics?a=%', `${MINTER}.localhost`, 400],
    ['a name that leads here from outside', '/metrics', `${MINTER}.example.com`, 403],
    ['a host that only begins like ours', '/metrics', `${MINTER}.localhost.example.com`, 403],
    ['a name below that of a canister', '/metrics', `a.${MINTER}.localhost`, 404],
    ['a URL too long to be one', `/metrics?${'a'.repeat(3_000)}`, `${MINTER}.localhost`, 400],
  ])('%s is refused', async (_, path, host, status) => {
    expect((await ask(path, { ...(host && { host }) })).status).toBe(status)
  })

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('with %s is told to GET', async (method) => {
    const { status, headers } = await ask('/dashboard', { method, host: `${MINTER}.localhost` })
    expect([status, headers]).toMatchObject([405, { allow: 'GET, OPTIONS' }])
  })

  test('with a body is refused', async () => {
    const { status } = await ask('/dashboard', { host: `${MINTER}.localhost`, body: 'x' })
    expect(status).toBe(413)
  })
})

describe('what a canister answers', () => {
  const get = async (response: typeof canned): Promise<Answer> => {
    canned = response
    return ask('/', { port: elsewhere, host: `${MINTER}.localhost` })
  }

  test('is passed on as far as a page may say it of itself', async () => {
    const { headers, text } = await get({
      ...plain,
      headers: [
        ['Content-Type', 'text/plain'],
        ['content-type', 'text/html'],
        ['Set-Cookie', 'a=b'],
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '99999'],
        ['Connection', 'upgrade'],
        ['Location', 'http://example.com/'],
        ['Strict-Transport-Security', 'max-age=1'],
        ['Access-Control-Allow-Origin', 'http://example.com'],
        ['X-Content-Type-Options', 'sniff'],
        ['ETag', '"1"'],
      ],
    })
    expect(text).toBe('hello')
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'content-length': '5',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
      etag: '"1"',
    })
    for (const name of ['set-cookie', 'transfer-encoding', 'location', 'strict-transport-security'])
      expect(headers[name]).toBeUndefined()
  })

  test.each([
    ['a line end in a value', ['etag', 'x\r\nset-cookie: a=b']],
    ['a line feed alone', ['etag', 'x\ny']],
    ['letters beyond ASCII', ['etag', 'é']],
    ['a name with a line end', ['etag\r\nset-cookie', 'a=b']],
    ['a name of an inherited field', ['__proto__', 'x']],
    ['more than 8 KiB', ['etag', 'x'.repeat(9_000)]],
  ] as const)('as a header with %s is left out', async (_, header) => {
    const { status, headers, text } = await get({ ...plain, headers: [header] })
    expect([status, text]).toEqual([200, 'hello'])
    expect(headers).not.toHaveProperty('etag')
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('without a type is not guessed at', async () => {
    const { headers } = await get(plain)
    expect(headers['content-type']).toBe('application/octet-stream')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test.each([0, 100, 101, 199, 600, 999, 65_535])('as status %s is none', async (statusCode) => {
    expect((await get({ ...plain, statusCode })).status).toBe(502)
  })

  test.each([204, 304, 404, 500])('as status %s is passed on', async (statusCode) => {
    expect((await get({ ...plain, statusCode, body: new Uint8Array() })).status).toBe(statusCode)
  })

  test('and is no HTTP answer, or wants a call, or does not come, is said so', async () => {
    expect((await get(utf8('DIDL\0\0'))).status).toBe(502)
    expect((await get(new Uint8Array(100))).status).toBe(502)
    expect((await get({ ...plain, upgrade: true })).status).toBe(501)
    expect((await get('never')).status).toBe(504)
  })
})
