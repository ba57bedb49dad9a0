/**
 * Goal: no client, however slow, large or rude, costs the server more than its bounds, and each
 * hears why it is refused.
 * Method: IC interface §19 and §26, items 24, 25, 81 and 104 to 107: raw sockets against the server
 * over a real subnet in this process.
 */
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../src/core/base/bytes.ts'
import { HostPortBusy } from '../../../src/core/base/errors.ts'
import { ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import type { Content } from '../../../src/core/ic/envelope.ts'
import { encodeEnvelope, signCall } from '../../../src/core/ic/envelope.ts'
import { textOfPrincipal } from '../../../src/core/ic/principal.ts'
import { IcGateway } from '../../../src/host/ic/gateway.ts'
import type { HttpLimits, HttpServer } from '../../../src/host/ic/http-server.ts'
import { startHttpServer } from '../../../src/host/ic/http-server.ts'
import { nativeEd25519 } from '../../../src/native/ed25519.ts'
import {
  callContent,
  ed25519Signer,
  post,
  queryContent,
  read,
  readContent,
} from '../../support/ic-requests.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const net = new SubnetNet(1)
net.settle()
net.pass(1)
const gateway = new IcGateway({
  backend: net.backend,
  clock: () => net.now,
  ed25519: nativeEd25519,
  implementation: 'ckbtc-test',
})
const executed = (): bigint => net.node(0).replica.updatesTotal
const user = ed25519Signer(1)
const id = textOfPrincipal(ownCanisterIds.ledger)
const CALL = `/api/v4/canister/${id}/call`
const QUERY = `/api/v3/canister/${id}/query`
const call = (arg = utf8('DIDL\0\0')): Uint8Array =>
  encodeEnvelope(signCall(callContent(user.principal, net.now, { arg }), user))

const open: HttpServer[] = []
const errors: unknown[] = []

async function start(limits: Partial<HttpLimits> = {}): Promise<HttpServer> {
  const onError = (error: unknown): void => void errors.push(error)
  const server = await startHttpServer({ gateway, host: '127.0.0.1', port: 0, limits, onError })
  open.push(server)
  return server
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
  expect(errors).toEqual([])
})

const sockets: Socket[] = []
afterAll(() => {
  for (const socket of sockets) socket.destroy()
})

type Conversation = {
  readonly socket: Socket
  /** All that came, once `what` is in it or the other side has ended. */
  readonly heard: (what: RegExp) => Promise<string>
  /** All that came until the connection was closed. */
  readonly closed: () => Promise<string>
}

function talk(port: number, ...words: readonly (string | Uint8Array)[]): Conversation {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  sockets.push(socket)
  let text = ''
  let isClosed = false
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    tell()
  })
  socket.on('error', () => undefined) // A reset is an end as well.
  socket.on('end', () => socket.end())
  socket.on('close', () => {
    isClosed = true
    tell()
  })
  for (const word of words) socket.write(word)
  const until = (done: () => boolean): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!done()) return
        listeners.delete(look)
        resolve(text)
      }
      listeners.add(look)
      look()
    })
  return {
    socket,
    heard: (what) => until(() => what.test(text) || isClosed),
    closed: () => until(() => isClosed),
  }
}

const head = (path: string, fields: Readonly<Record<string, string | number>> = {}): string =>
  `POST ${path} HTTP/1.1\r\n${Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/cbor',
    ...fields,
  })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`

describe('a good client', () => {
  test('is answered over IPv4, IPv6 and the name of this machine', async () => {
    const server = await start()
    for (const url of [
      server.url,
      `http://localhost:${server.port}`,
      ...(server.addresses.includes('::1') ? [`http://[::1]:${server.port}`] : []),
    ]) {
      expect((await post({ fetch, url }, call())).status).toBe(200)
      expect((await read(await fetch(`${url}/api/v2/status`))).fields.has('root_key')).toBe(true)
    }
  })

  test('sends many requests over one connection', async () => {
    const { port } = await start()
    const body = call()
    const request = concat(utf8(head(CALL, { 'content-length': body.length })), body)
    const conversation = talk(port, request)
    await conversation.heard(/200 OK/)
    conversation.socket.write(request)
    const text = await conversation.heard(/200 OK.*200 OK/s)
    expect(text).toMatch(/connection: keep-alive/i)
    expect(text).toMatch(/timeout=60/i)
  })

  test('may ask before it sends a large body', async () => {
    const { port } = await start()
    const body = call(new Uint8Array(1_000_000))
    const fields = { 'content-length': body.length, expect: '100-continue' }
    const conversation = talk(port, head(CALL, fields))
    expect(await conversation.heard(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    conversation.socket.write(body)
    expect(await conversation.heard(/HTTP\/1.1 200/)).toMatch(/200 OK/)
  })

  test('that ends its side after the request still hears the answer', async () => {
    const { port } = await start()
    const body = call()
    const conversation = talk(port, head(CALL, { 'content-length': body.length }), body)
    conversation.socket.end()
    expect(await conversation.closed()).toMatch(/^HTTP\/1.1 200 OK/)
  })

  test('may ask for the head of the status only', async () => {
    const { port } = await start()
    const conversation = talk(port, `HEAD /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    const text = await conversation.heard(/\r\n\r\n/)
    expect(text).toMatch(/^HTTP\/1.1 200 OK/)
    expect(text.endsWith('\r\n\r\n')).toBe(true)
  })
})

describe('a large body', () => {
  const MIB = 1024 * 1024

  test('24: of a call, 3 MiB, is refused before it is complete', async () => {
    const { port } = await start()
    const before = executed()
    const conversation = talk(port, head(CALL, { 'content-length': 3 * MIB }), 'begin')
    expect(await conversation.heard(/is not read/)).toMatch(
      /^HTTP\/1.1 413 .*connection: close.*A body of more than 2097152 bytes is not read\.$/is,
    )
    expect(executed()).toBe(before)
  })

  test('24: of a query, 5 MiB, is refused before it is complete', async () => {
    const { port } = await start()
    const conversation = talk(port, head(QUERY, { 'content-length': 5 * MIB }))
    expect(await conversation.heard(/is not read/)).toMatch(/^HTTP\/1.1 413 .*4194304 bytes/s)
  })

  test('81: of a read, a path of 127 labels of 1 MiB each, is refused before it is complete', async () => {
    const { port } = await start()
    const path = `/api/v3/canister/${id}/read_state`
    const conversation = talk(port, head(path, { 'content-length': 127 * MIB + 1_000 }))
    const paths = concat(utf8('paths'), Uint8Array.of(0x81, 0x98, 127))
    const label = concat(Uint8Array.of(0x5a, 0x00, 0x10, 0x00, 0x00), new Uint8Array(MIB))
    conversation.socket.write(concat(paths, label))
    expect(await conversation.heard(/is not read/)).toMatch(/^HTTP\/1.1 413 .*4194304 bytes/s)
  })

  test('24: of unknown length is refused once it is too large, while its client still writes', async () => {
    const { port } = await start()
    const conversation = talk(port, head(CALL, { 'transfer-encoding': 'chunked' }))
    const chunk = concat(utf8('100000\r\n'), new Uint8Array(MIB), utf8('\r\n'))
    for (let sent = 0; sent < 4; sent++) conversation.socket.write(chunk)
    expect(await conversation.heard(/is not read/)).toMatch(/^HTTP\/1.1 413 /)
    conversation.socket.write('0\r\n\r\n')
    await conversation.closed()
  })

  test('24: that is announced with a question is refused without being sent', async () => {
    const { port } = await start()
    const fields = { 'content-length': 3 * MIB, expect: '100-continue' }
    expect(await talk(port, head(CALL, fields)).heard(/is not read/)).toMatch(/^HTTP\/1.1 413 /)
  })

  test('24: is refused to a client that reads only after it has written', async () => {
    const server = await start()
    const answer = await post({ fetch, url: server.url }, call(new Uint8Array(3 * MIB)))
    expect(answer.status).toBe(413)
  })

  test('of a call is read up to 2 MiB, of anything up to 4 MiB, and not a byte beyond', async () => {
    const { url } = await start()
    const PADDED = 70_000 // Long enough for a length of four bytes.
    const pad = (more: number): Uint8Array => new Uint8Array(PADDED + more)
    const { principal } = user
    const makers = {
      call: (more) => callContent(principal, net.now, { arg: pad(more) }),
      query: (more) => queryContent(principal, net.now, { arg: pad(more) }),
      read_state: (more) => readContent(principal, net.now, [[pad(more)]]),
    } satisfies Record<string, (more: number) => Content>
    for (const [action, bytesMax, status] of [
      ['call', 2 * MIB, 200],
      ['query', 4 * MIB, 200],
      ['read_state', 4 * MIB, 404], // What it asks for is not there.
    ] as const) {
      const make = (more: number) => encodeEnvelope(signCall(makers[action](more), user))
      const largest = make(bytesMax - make(0).length)
      expect(largest.length).toBe(bytesMax)
      expect((await post({ fetch, url }, largest, { action })).status).toBe(status)
      const larger = make(bytesMax + 1 - make(0).length)
      const text = `A body of more than ${bytesMax} bytes is not read.`
      expect(await post({ fetch, url }, larger, { action })).toMatchObject({ status: 413, text })
    }
  })

  test('of unknown path is not read either', async () => {
    const { port } = await start()
    const conversation = talk(port, head('/nothing', { 'content-length': 100 * MIB }), 'begin')
    expect(await conversation.heard(/nothing under/)).toMatch(/^HTTP\/1.1 404 /)
  })

  test('finds no room when those of all clients together have filled it', async () => {
    const { port } = await start({ bytesInWorkMax: 5 * MIB })
    const hog = talk(port, head(QUERY, { 'content-length': 4 * MIB }), new Uint8Array(4 * MIB - 1))
    const crowded = async (): Promise<string> => {
      const body = call(new Uint8Array(1_500_000))
      return talk(port, head(CALL, { 'content-length': body.length }), body).heard(
        /worked on|200 OK/,
      )
    }
    let text = ''
    // The server has to have read what the first client wrote.
    while (!text.includes('429')) text = await crowded()
    expect(text).toMatch(/retry-after: 1/)
    hog.socket.destroy()
    while (!text.includes('200 OK')) text = await crowded()
  })

  test('in very small pieces takes no more room than in one', async () => {
    const { port } = await start({ bytesInWorkMax: 300_000 })
    const body = call(new Uint8Array(100_000))
    const conversation = talk(port, head(CALL, { 'transfer-encoding': 'chunked' }))
    const pieces = [...body].map((byte) => concat(utf8('1\r\n'), Uint8Array.of(byte), utf8('\r\n')))
    conversation.socket.write(concat(...pieces, utf8('0\r\n\r\n')))
    expect(await conversation.heard(/HTTP\/1.1 \d/)).toMatch(/200 OK/)
  })
})

describe('a slow client', () => {
  test('25: whose body trickles is told so', async () => {
    const { port } = await start({ requestMsMax: 300 })
    const conversation = talk(port, head(CALL, { 'content-length': 1_000 }), 'some')
    const timer = setInterval(() => conversation.socket.write('x'), 20)
    const text = await conversation.closed()
    clearInterval(timer)
    expect(text).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/)
    expect(text).toMatch(/access-control-allow-origin: \*/)
    expect(text).toMatch(/The request did not arrive in time\.$/)
  })

  test('25: whose head does not arrive is told so', async () => {
    const { port } = await start({ headersMsMax: 300, requestMsMax: 300 })
    expect(await talk(port, 'POST /api').closed()).toMatch(/^HTTP\/1.1 408 /)
    expect(await talk(port).closed()).toMatch(/^HTTP\/1.1 408 /)
  })

  test('that does not take its answer is cut off', async () => {
    const never = 3_600_000
    const { port } = await start({ answerMsMax: 300, headersMsMax: never, requestMsMax: never })
    const request = `GET /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n`
    const conversation = talk(port)
    conversation.socket.pause()
    conversation.socket.write(request.repeat(20_000))
    const ended = new Promise((resolve) => conversation.socket.once('close', resolve))
    // It hears of the end only when it reads or writes again.
    const timer = setInterval(() => conversation.socket.write(request), 50)
    await ended
    clearInterval(timer)
  })

  test('that is idle for too long is let go', async () => {
    const { port } = await start({ keepAliveMs: 200 })
    const conversation = talk(port, `GET /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    expect(await conversation.closed()).toMatch(/200 OK/)
  })

  test('that goes away in the middle of a body leaves nothing', async () => {
    const { port } = await start()
    const before = executed()
    const conversation = talk(port, head(CALL, { 'content-length': 1_000 }), 'some')
    conversation.socket.end()
    expect(await conversation.closed()).toMatch(/^HTTP\/1.1 400 |^$/)
    const rude = talk(port, head(CALL, { 'content-length': 1_000 }), 'some')
    rude.socket.resetAndDestroy()
    await rude.closed()
    expect(executed()).toBe(before)
  })
})

describe('a rude client', () => {
  test.each(['hello\r\n\r\n', '\0\0\0\0\0\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n'])(
    'that does not speak HTTP is refused: %j',
    async (words) => {
      const { port } = await start()
      expect(await talk(port, words).closed()).toMatch(/^HTTP\/1.1 400 /)
    },
  )

  test('with an endless head is refused', async () => {
    const { port } = await start()
    const words = `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}`
    expect(await talk(port, words).closed()).toMatch(/^HTTP\/1.1 431 |^$/)
  })

  test('beyond the bound of connections is not taken, the next one after it is', async () => {
    const { port } = await start({ connectionsMax: 3 })
    const request = `GET /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n`
    const three = [1, 2, 3].map(() => talk(port, request))
    for (const one of three) await one.heard(/200 OK/)
    expect(await talk(port, request).closed()).toBe('')
    three[0]?.socket.destroy()
    await three[0]?.closed()
    let text = ''
    while (!text.includes('200 OK')) text = await talk(port, request).heard(/200 OK/)
  })
})

describe('the name that is asked for', () => {
  test.each([
    'localhost',
    'LOCALHOST',
    'localhost:4943',
    `${id}.localhost`,
    '127.0.0.1',
    '127.0.0.1:80',
    '192.168.1.7',
    '[::1]',
    '[::1]:4943',
    'ckbtc.example:80',
  ])('%s is served', async (host) => {
    const server = await startHttpServer({
      gateway,
      host: '127.0.0.1',
      port: 0,
      names: ['ckbtc.example'],
    })
    open.push(server)
    const conversation = talk(server.port, `GET /api/v2/status HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    expect(await conversation.heard(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 200 /)
  })

  test.each([
    'evil.example',
    'evil.example:4943',
    'localhost.evil.example',
    'notlocalhost',
    '127.0.0.1.evil.example',
    'ckbtc.example',
    '',
  ])('106: %j is not', async (host) => {
    const { port } = await start()
    const before = executed()
    const body = call()
    const conversation = talk(port, head(CALL, { host, 'content-length': body.length }), body)
    expect(await conversation.heard(/under that name/)).toMatch(/^HTTP\/1.1 403 /)
    expect(executed()).toBe(before)
  })

  test('106: is asked for by HTTP/1.0 too', async () => {
    const { port } = await start()
    expect(await talk(port, 'GET /api/v2/status HTTP/1.0\r\n\r\n').closed()).toMatch(
      /^HTTP\/1.1 403 /,
    )
  })
})

describe('pages of other origins', () => {
  test('104: get a preflight answered', async () => {
    const server = await start()
    const answer = await fetch(`${server.url}${CALL}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.org', 'access-control-request-method': 'POST' },
    })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('content-length')).toBe(null)
  })

  test.each(['/faucet', '/mine', '/reset', '/nodes/1/kill', '/metrics', '/control', '/x/faucet'])(
    '105: find nothing under %s',
    async (path) => {
      const server = await start()
      for (const method of ['GET', 'POST']) {
        const answer = await fetch(`${server.url}${path}`, { method })
        expect(answer.status).toBe(404)
      }
    },
  )
})

describe('the port', () => {
  test('107: that is taken names the process that holds it', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const failure = await startHttpServer({ gateway, host: '127.0.0.1', port }).catch(
      (error: unknown) => error,
    )
    await new Promise((resolve) => other.close(resolve))
    expect(failure).toBeInstanceOf(HostPortBusy)
    if (process.platform !== 'linux') return
    expect(failure).toMatchObject({
      code: 'HOST_PORT_BUSY',
      message: expect.stringContaining(`(process ${process.pid})`),
      details: { host: '127.0.0.1', port, holder: { pid: process.pid } },
    })
  })

  test('107: is held on both loopback addresses or not at all', async () => {
    const server = await start()
    if (!server.addresses.includes('::1')) return // This machine has no IPv6.
    await server.close()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(server.port, '::1', resolve))
    await expect(
      startHttpServer({ gateway, host: '127.0.0.1', port: server.port }),
    ).rejects.toMatchObject({ code: 'HOST_PORT_BUSY' })
    const free = createServer()
    await new Promise<void>((resolve) => free.listen(server.port, '127.0.0.1', resolve))
    for (const each of [other, free]) await new Promise((resolve) => each.close(resolve))
  })

  test('of a machine that is not this one is not had', async () => {
    await expect(startHttpServer({ gateway, host: '192.0.2.1', port: 0 })).rejects.toMatchObject({
      code: 'USAGE_INVALID',
      message: '192.0.2.1 is not an address of this machine',
    })
  })

  test('that other machines reach is warned of', async () => {
    const warnings: string[] = []
    const onWarning = (words: string): void => void warnings.push(words)
    open.push(await startHttpServer({ gateway, host: '0.0.0.0', port: 0, onWarning }))
    open.push(await startHttpServer({ gateway, host: 'localhost', port: 0, onWarning }))
    expect(warnings.length).toBe(1)
    expect(warnings[0]).toMatch(/^other machines reach this subnet under 0\.0\.0\.0/)
  })

  test('is free again once the server is closed, and answers in work are still given', async () => {
    const server = await start()
    const idle = talk(server.port, `GET /api/v2/status HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await idle.heard(/200 OK/)
    const before = executed()
    const body = call()
    const busy = talk(server.port, head(CALL, { 'content-length': body.length }), body)
    while (executed() === before) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([server.close(), server.close()])
    expect(await busy.closed()).toMatch(/^HTTP\/1.1 200 OK/)
    await idle.closed()
    const again = await startHttpServer({ gateway, host: '127.0.0.1', port: server.port })
    open.push(again)
    expect(again.port).toBe(server.port)
  })
})
