/**
 * A peer on loopback that speaks as fast as it can, and what that costs the adapter. Source:
 * architecture §10.6, `docs/spec/bitcoin.md` §3.
 */
import { randomBytes, randomInt } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { concat, hash32 } from '../../src/core/base/bytes.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { BitcoinAdapter } from '../../src/core/btc/adapter.ts'
import type { AdapterInput, AdapterOutput } from '../../src/core/btc/adapter-port.ts'
import { NO_PEERS } from '../../src/core/btc/address-book-file.ts'
import type { Message } from '../../src/core/btc/message.ts'
import { encodeMessage, inventory } from '../../src/core/btc/message.ts'
import { regtest } from '../../src/core/btc/network.ts'
import { PeerDriver } from '../../src/host/bitcoin/peer-driver.ts'
import { systemClock } from '../../src/host/clock.ts'
import { peerVersion } from '../support/adapter-harness.ts'
import { ChainBuilder } from '../support/chain-builder.ts'

/** Partial messages and buffers come and go; a leak is more than that. */
export const GROWTH_MB_MAX = 24

const LOOPBACK = '127.0.0.1'
const MEGABYTE = 2 ** 20
const HEADERS = 2_000
/** One message of so many is an offence. */
const OFFENCE_EVERY = 3_000
/** Connections that flood at the same time. */
const FLOODERS = 4

export type Sample = {
  readonly seconds: number
  /** After a collection: objects and buffers that somebody holds. */
  readonly heldMb: number
  readonly residentMb: number
  /** Sent by the flood so far. */
  readonly sentMb: number
  readonly connections: number
}

const frame = (message: Message): Uint8Array => encodeMessage(regtest, message)
const unknown = (command: string, payload: Uint8Array): Uint8Array =>
  frame({ type: 'unknown', command, payload })

/** Frames that an adapter may get at any time, ready to be sent again and again. */
class Floods {
  readonly #headers: Uint8Array
  readonly #announcement: Uint8Array

  constructor() {
    const headers = new ChainBuilder().mineMany(HEADERS).map(({ header }) => header)
    this.#headers = frame({ type: 'headers', headers })
    this.#announcement = frame({ type: 'headers', headers: headers.slice(0, 5) })
  }

  /** Bytes to send next; undefined: end the connection. */
  next(): Uint8Array | undefined {
    const isOffence = randomInt(OFFENCE_EVERY) === 0
    const kinds = isOffence ? this.#offences : this.#patience
    return kinds[randomInt(kinds.length)]?.()
  }

  /** What a connection survives. */
  get #patience(): readonly (() => Uint8Array | undefined)[] {
    return [
      () => concat(...Array.from({ length: 500 }, () => frame({ type: 'ping', nonce: 1n }))),
      () => this.#items('inv', inventory.tx, 5_000),
      () => this.#items('inv', inventory.wtx, 5_000),
      () => this.#items('inv', inventory.block, 500),
      () => this.#items('getdata', inventory.witnessTx, 5_000),
      () => this.#items('notfound', inventory.witnessBlock, 500),
      () => this.#addresses(),
      () => frame({ type: 'addr', addresses: [] }),
      () => this.#announcement,
      () => frame({ type: 'headers', headers: [] }),
      () => unknown(`x${randomInt(1_000_000)}`, randomBytes(randomInt(1, 100_000))),
      () => unknown('cmpctblock', new Uint8Array(randomInt(1, 3_000_000))),
      () => frame({ type: 'getaddr' }),
      () => concat(...Array.from({ length: 50 }, () => frame({ type: 'sendheaders' }))),
    ]
  }

  /** What it does not survive, at once or at the third time. */
  get #offences(): readonly (() => Uint8Array | undefined)[] {
    return [
      () => this.#headers,
      () => unknown('tx', randomBytes(300)),
      // Half of a message, then the next frame in its place.
      () => unknown('block', new Uint8Array(60_000)).subarray(0, randomInt(1, 30_000)),
      () => undefined,
    ]
  }

  #items(type: 'inv' | 'getdata' | 'notfound', kind: number, countMax: number): Uint8Array {
    const items = Array.from({ length: randomInt(1, countMax) }, () => ({
      kind,
      hash: hash32(new Uint8Array(randomBytes(32))),
    }))
    return frame({ type, items })
  }

  #addresses(): Uint8Array {
    const addresses = Array.from({ length: 1_000 }, () => ({
      time: 1,
      services: 9n,
      network: 1,
      address: Uint8Array.of(randomInt(20, 90), randomInt(256), randomInt(256), 1),
      port: 8_333,
    }))
    return frame({ type: 'addrv2', addresses })
  }
}

/** Sends to everybody who connects, as fast as he reads; some connections never read. */
class FloodServer {
  readonly #server: Server
  readonly #floods = new Floods()
  readonly #sockets = new Set<Socket>()
  sentBytes = 0
  connections = 0

  constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, LOOPBACK, resolve))
    const address = this.#server.address()
    return typeof address === 'object' ? (address?.port ?? 0) : 0
  }

  #serve(socket: Socket): void {
    this.connections += 1
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    if (randomInt(4) === 0) socket.pause()
    else socket.resume()
    const greeting: readonly Message[] = [
      peerVersion({ nonce: BigInt(this.connections) }),
      { type: 'wtxidrelay' },
      { type: 'verack' },
    ]
    socket.write(concat(...greeting.map(frame)))
    const go = (): void => {
      while (!socket.destroyed) {
        const bytes = this.#floods.next()
        if (bytes === undefined) {
          socket.end()
          return
        }
        this.sentBytes += bytes.length
        if (!socket.write(bytes)) break
      }
    }
    socket.on('drain', () => setImmediate(go))
    setImmediate(go)
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

/** What is held after a collection. */
function collected(): { readonly heldMb: number; readonly residentMb: number } {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heldMb: (heapUsed + external) / MEGABYTE, residentMb: rss / MEGABYTE }
}

/** Floods an adapter through its driver; a sample after each of `samples` equal times. */
export async function flood({
  seconds,
  samples,
  onSample,
}: {
  readonly seconds: number
  readonly samples: number
  readonly onSample?: (sample: Sample) => void
}): Promise<readonly Sample[]> {
  const server = new FloodServer()
  const port = await server.listen()
  const adapter = new BitcoinAdapter({
    network: regtest,
    peers: Array.from({ length: FLOODERS }, () => ({ host: LOOPBACK, port })),
    seed: Seed.fromBytes(randomBytes(32)),
    userAgent: '/ckbtc:flood/',
    push: false,
    // A book to fill.
    discovery: { seeds: [], fixed: [], known: NO_PEERS },
  })
  // Nobody is ever called whom the flood names: to reach him fails at once.
  const party = {
    step: (input: AdapterInput, now: TimestampNs) =>
      adapter.step(input, now).filter((output) => {
        const isStranger = output.type === 'connect' && output.host !== LOOPBACK
        if (isStranger) setImmediate(() => driver.step({ type: 'disconnected', peer: output.peer }))
        return !isStranger
      }),
  }
  const driver = new PeerDriver<AdapterInput, AdapterOutput>(party, {
    clock: systemClock,
    report: () => undefined,
  })
  driver.step({ type: 'start' })
  const taken: Sample[] = []
  try {
    for (let i = 1; i <= samples; i++) {
      await pause((1_000 * seconds) / samples)
      const sample = {
        seconds: (seconds * i) / samples,
        ...collected(),
        sentMb: server.sentBytes / MEGABYTE,
        connections: server.connections,
      }
      taken.push(sample)
      onSample?.(sample)
    }
  } finally {
    driver.close()
    server.close()
  }
  return taken
}

/** Megabytes that the end holds more than the time after the first quarter. */
export function growthMb(samples: readonly Sample[]): number {
  const rest = samples.slice(Math.ceil(samples.length / 4))
  const half = Math.ceil(rest.length / 2)
  const least = (list: readonly Sample[]): number => Math.min(...list.map(({ heldMb }) => heldMb))
  return least(rest.slice(half)) - least(rest.slice(0, half))
}
