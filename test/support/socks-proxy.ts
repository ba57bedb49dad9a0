/** A SOCKS5 proxy on loopback that leads everybody to one place, and remembers the names. */
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

export async function startProxy(targetPort: number): Promise<ProxyUnderTest> {
  const names: string[] = []
  const server = createServer((client) => serve(client, targetPort, names))
  await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    names,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

function serve(client: Socket, port: number, names: string[]): void {
  client.on('error', () => undefined)
  client.once('data', () => {
    client.write(NO_USER)
    client.once('data', (request) => {
      const size = request[4] ?? 0
      names.push(`${request.subarray(5, 5 + size).toString()}:${request.readUInt16BE(5 + size)}`)
      const target = connect({ host: LOOPBACK, port })
      target.on('error', () => undefined)
      target.once('connect', () => {
        client.write(CONNECTED)
        client.pipe(target).pipe(client)
      })
      client.once('close', () => target.destroy())
    })
  })
}
