/** A SOCKS5 proxy on loopback that leads to places on loopback, and remembers the names. */
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { fromHex } from '../../src/core/base/bytes.ts'

const LOOPBACK = '127.0.0.1'
const NO_USER = fromHex('0500')
const CONNECTED = fromHex('05000001000000000000')

export type ProxyUnderTest = {
  readonly port: number
  /** What it was asked for, as `host:port`. */
  readonly names: readonly string[]
  close(): Promise<unknown>
}

/** `target`: the port that a host leads to, or all of them. */
export async function startProxy(
  target: number | ((host: string) => number),
): Promise<ProxyUnderTest> {
  const names: string[] = []
  const server = createServer((client) => serve(client, target, names))
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    names,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

function serve(client: Socket, to: number | ((host: string) => number), names: string[]): void {
  client.on('error', () => undefined)
  client.once('data', () => {
    client.write(NO_USER)
    client.once('data', (request) => {
      const size = request[4] ?? 0
      const host = request.subarray(5, 5 + size).toString()
      names.push(`${host}:${request.readUInt16BE(5 + size)}`)
      const target = connect({ host: LOOPBACK, port: typeof to === 'number' ? to : to(host) })
      target.on('error', () => undefined)
      target.once('connect', () => {
        client.write(CONNECTED)
        client.pipe(target).pipe(client)
      })
      client.once('close', () => target.destroy())
    })
  })
}
