/**
 * Goal: a socket that is silent ends, and a peer that does not read what it asked for is not read
 * from. Method: a party that answers whatever it hears with much, and a listener on loopback.
 */
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import type { AdapterInput, AdapterOutput } from '../../../src/core/btc/adapter-port.ts'
import { PeerDriver } from '../../../src/host/bitcoin/peer-driver.ts'
import { systemClock } from '../../../src/host/clock.ts'

const WAIT = { timeout: 10_000 }
const ANSWER_BYTES = 600_000
const CHUNK_BYTES = 65_536
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** Connects to the one peer there is, and answers each chunk with ten times as much. */
class Party {
  readonly inputs: AdapterInput['type'][] = []
  heardBytes = 0
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  step(input: AdapterInput): readonly AdapterOutput[] {
    this.inputs.push(input.type)
    if (input.type === 'start')
      return [{ type: 'connect', peer: 0, host: '127.0.0.1', port: this.#port }]
    if (input.type !== 'bytes') return []
    this.heardBytes += input.bytes.length
    return [{ type: 'send', peer: 0, bytes: new Uint8Array(ANSWER_BYTES) }]
  }
}

async function drive(onClient: (client: Socket) => void, idleMs?: number): Promise<Party> {
  const server = createServer((client) => {
    client.on('error', () => undefined)
    closing.push(() => client.destroy())
    onClient(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  const address = server.address()
  const party = new Party(typeof address === 'object' ? (address?.port ?? 0) : 0)
  const options = { clock: systemClock, report: () => undefined }
  const driver = new PeerDriver<AdapterInput, AdapterOutput>(
    party,
    idleMs === undefined ? options : { ...options, idleMs },
  )
  closing.push(() => driver.close())
  driver.step({ type: 'start' })
  return party
}

it('a connection that is silent for its time ends (KA-4)', async () => {
  const party = await drive(() => undefined, 20)
  await vi.waitFor(() => expect(party.inputs).toEqual(['start', 'connected', 'disconnected']), WAIT)
})

it('who does not read is not read from, and is again once he has read', async () => {
  const sockets: Socket[] = []
  let isBlocked = false
  const party = await drive((client) => {
    sockets.push(client.pause())
    // Writes until the other side takes no more.
    const write = (): void => {
      while (client.write(new Uint8Array(CHUNK_BYTES)));
      isBlocked = true
    }
    client.on('drain', write)
    write()
  })
  await vi.waitFor(() => expect(isBlocked && party.heardBytes > 0).toBe(true), WAIT)
  // The kernel's buffers take a part of the answers; after that each chunk must wait.
  let before = -1
  await vi.waitFor(
    () => {
      const same = party.heardBytes === before
      before = party.heardBytes
      expect(same).toBe(true)
    },
    { ...WAIT, interval: 200 },
  )
  expect(party.heardBytes).toBeLessThan(200 * CHUNK_BYTES)
  sockets[0]?.resume()
  await vi.waitFor(() => expect(party.heardBytes).toBeGreaterThan(before), WAIT)
})
