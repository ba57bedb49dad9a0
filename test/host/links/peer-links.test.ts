/**
 * Goal: nodes on one machine find each other again after every break, and strangers, liars and
 * broken frames end one link and nothing else. Method: real sockets on the loopback interface.
 */
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { concat, fromUtf8, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { frame } from '../../../src/host/links/frames.ts'
import type { LinkIdentity } from '../../../src/host/links/handshake.ts'
import { Handshake } from '../../../src/host/links/handshake.ts'
import { PeerLinks } from '../../../src/host/links/peer-links.ts'
import { identities } from '../../support/link-identities.ts'

type Node = { readonly links: PeerLinks; readonly told: string[] }

const all = identities(3)
const running: PeerLinks[] = []
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  for (const links of running.splice(0)) links.close()
})

let wake: () => void = () => undefined
/** Until something that nodes tell makes it true. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo())
    await new Promise<void>((resolve) => {
      wake = resolve
    })
}

async function node(
  me: number,
  identity: LinkIdentity = present(all[me], 'a node'),
): Promise<Node> {
  const links = await PeerLinks.listen()
  running.push(links)
  const told: string[] = []
  const tell = (text: string): void => {
    told.push(text)
    wake()
  }
  links.begin(identity, {
    hear: (peer, message) => tell(`${peer}: ${fromUtf8(message)}`),
    linked: (peer) => tell(`${peer} linked`),
    ended: (reason, peer) => tell(`${peer ?? '?'} ${reason}`),
  })
  return { links, told }
}

const introduce = (...nodes: readonly (Node | undefined)[]): void => {
  const ports = nodes.map((one) => one?.links.port)
  for (const one of nodes) one?.links.peers(ports)
}

it('all are linked to all, and what is sent arrives once and in order', async () => {
  const nodes = await Promise.all([node(0), node(1), node(2)])
  introduce(...nodes)
  const [first, second, third] = nodes
  await until(() => nodes.every(({ told }) => told.length === 2))
  first.links.send('all', utf8('to all'))
  for (let i = 0; i < 100; i++) third.links.send(1, utf8(`${i}`))
  await until(() => second.told.length === 2 + 1 + 100 && third.told.length === 3)
  expect(second.told.filter((text) => text.startsWith('2: '))).toEqual(
    Array.from({ length: 100 }, (_, i) => `2: ${i}`),
  )
  expect(first.told.toSorted()).toEqual(['1 linked', '2 linked'])
  expect(third.told).toContain('0: to all')
})

it('a node that comes back, elsewhere, is linked again, whoever dials', async () => {
  const [first, second, third] = [await node(0), await node(1), await node(2)]
  introduce(first, second, third)
  await until(() => second.told.length === 2)
  second.links.close()
  await until(() => first.told.includes('1 closed') && third.told.includes('1 closed'))
  const again = await node(1)
  introduce(first, again, third)
  await until(() => again.told.length === 2)
  again.links.send('all', utf8('back'))
  await until(() => first.told.includes('1: back') && third.told.includes('1: back'))
  expect(first.told.filter((text) => text === '1 linked')).toHaveLength(2)
})

it('one that is called before it listens is called again', async () => {
  const reserved = createServer()
  await new Promise<void>((resolve) => reserved.listen(0, '127.0.0.1', resolve))
  const address = reserved.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  reserved.on('connection', (socket) => socket.destroy())
  const first = await node(0)
  first.links.peers([undefined, port])
  await until(() => first.told.filter((text) => text === '1 closed').length > 2)
  reserved.close()
})

/** A stranger's socket: sends `bytes` and waits for the end of the link. */
async function stranger(port: number, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(bytes))
    socket.on('error', () => undefined)
    socket.on('data', () => undefined)
    socket.on('close', () => resolve())
  })
}

it.each([
  ['a frame without end', Uint8Array.of(255, 255, 255, 255), 'bad-frame'],
  ['a frame that is no hello', frame(utf8('hello')), 'bad-frame'],
  ['another protocol', utf8('GET / HTTP/1.1\r\n\r\n'), 'bad-frame'],
  [
    'the hello of another subnet',
    frame(new Handshake(present(identities(3, { subnet: 'x' })[0], 'a node'), 1).begin(1)),
    'other-subnet',
  ],
])('%s ends its link and no other', async (_, bytes, reason) => {
  const [first, second] = [await node(0), await node(1)]
  introduce(first, second)
  await until(() => second.told.length === 1)
  await stranger(second.links.port, bytes)
  await until(() => second.told.length === 2)
  first.links.send(1, utf8('still here'))
  await until(() => second.told.length === 3)
  expect(second.told).toEqual(['0 linked', `? ${reason}`, '0: still here'])
})

it('who does not hold the key of the node it names is not linked', async () => {
  const second = await node(1)
  const liar = await node(0, { ...present(all[2], 'a node'), me: 0 })
  introduce(liar, second)
  await until(() => second.told.length > 0)
  expect(second.told[0]).toBe('? bad-signature')
  expect(second.told.join()).not.toContain('linked')
})

/** Somebody between two nodes, who changes what the caller says next when told so. */
async function between(port: number): Promise<{
  readonly port: number
  readonly stopReading: () => void
  readonly changeNext: (change: (bytes: Uint8Array) => Uint8Array) => Promise<void>
  readonly close: () => void
}> {
  let next: ((bytes: Uint8Array) => Uint8Array) | undefined
  let changed: () => void = () => undefined
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const onward = connect({ host: '127.0.0.1', port })
    socket.on('data', (bytes) => {
      onward.write(next === undefined ? bytes : next(new Uint8Array(bytes)))
      if (next !== undefined) changed()
      next = undefined
    })
    onward.on('data', (bytes) => socket.write(bytes))
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    stopReading: () => {
      for (const socket of sockets) socket.pause()
    },
    changeNext: (change) =>
      new Promise((resolve) => {
        next = change
        changed = resolve
      }),
    close: () => server.close(),
  }
}

it.each<readonly [string, (bytes: Uint8Array) => Uint8Array]>([
  ['changes', (bytes) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))],
  ['repeats', (bytes) => concat(bytes, bytes)],
  ['leaves out', (bytes) => bytes.subarray(bytes.length)],
])('somebody on the way who %s a message ends the link', async (_, change) => {
  const [first, second] = [await node(0), await node(1)]
  const middle = await between(second.links.port)
  first.links.peers([undefined, middle.port])
  await until(() => first.told.length === 1 && second.told.length === 1)
  const changed = middle.changeNext(change)
  first.links.send(1, utf8('one'))
  await changed
  first.links.send(1, utf8('two'))
  await until(() => second.told.includes('0 bad-code'))
  const before = second.told.slice(0, second.told.indexOf('0 bad-code'))
  expect(before.filter((text) => text !== '0: one')).toEqual(['0 linked'])
  // They find each other again by themselves.
  await until(() => second.told.filter((text) => text === '0 linked').length === 2)
  middle.close()
})

/** Sockets that say nothing, and are told of. */
async function silent(port: number, count: number): Promise<readonly Socket[]> {
  return Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket))
          socket.on('error', () => undefined)
        }),
    ),
  )
}

it('strangers who say nothing keep no node out: the oldest of them makes room', async () => {
  const second = await node(1)
  const strangers = await silent(second.links.port, 200)
  await until(() => second.told.length >= 20)
  expect(new Set(second.told)).toEqual(new Set(['? too-slow']))
  const first = await node(0)
  introduce(first, second)
  await until(() => second.told.includes('0 linked'))
  // Not of each of the seventy that made room.
  expect(second.told.length).toBeLessThan(60)
  for (const socket of strangers) socket.destroy()
})

it('who does not finish the handshake in five seconds is let go', async () => {
  const first = await node(1)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const [socket] = await silent(first.links.port, 1)
    const hello = frame(new Handshake(present(all[0], 'a node'), 1).begin(1))
    const closed = new Promise<void>((resolve) => socket?.on('close', () => resolve()))
    socket?.write(hello)
    await new Promise<void>((resolve) => socket?.once('data', () => resolve()))
    vi.advanceTimersByTime(4_999)
    expect(first.told).toEqual([])
    vi.advanceTimersByTime(1)
    await closed
    expect(first.told).toEqual(['? too-slow'])
  } finally {
    vi.useRealTimers()
  }
})

it('a peer that reads nothing is let go before much has piled up', async () => {
  const [first, second] = [await node(0), await node(1)]
  const middle = await between(second.links.port)
  first.links.peers([undefined, middle.port])
  await until(() => first.told.length === 1)
  middle.stopReading()
  const message = new Uint8Array(1024 * 1024)
  let sent = 0
  while (!first.told.includes('1 too-slow') && sent < 1_000) {
    first.links.send(1, message)
    sent++
  }
  expect(sent).toBeGreaterThan(32)
  expect(sent).toBeLessThan(140)
  middle.close()
})

it('a node that has moved is dialled once', async () => {
  const reached: string[] = []
  const ports = await Promise.all(
    ['old', 'new'].map(
      (name) =>
        new Promise<number>((resolve) => {
          const server = createServer((socket) => {
            reached.push(name)
            socket.on('error', () => undefined)
            wake()
          })
          servers.push(server)
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' ? (address?.port ?? 0) : 0)
          })
        }),
    ),
  )
  const first = await node(0)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    first.links.peers([undefined, ports[0]])
    await until(() => reached.length === 1)
    first.links.peers([undefined, ports[1]])
    await until(() => reached.length === 2)
    expect(vi.getTimerCount()).toBe(1)
    expect([reached, first.told]).toEqual([['old', 'new'], ['1 replaced']])
  } finally {
    vi.useRealTimers()
  }
})
