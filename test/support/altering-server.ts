/** A peer on loopback that passes on what a node says, altered on its way. */
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { encodeMessage } from '../../src/core/btc/message.ts'
import { MessageStream } from '../../src/core/btc/message-stream.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { Alter } from './filter-net.ts'

const host = '127.0.0.1'

export async function startAltering(
  nodePort: number,
  alter: Alter,
): Promise<{ readonly port: number; close(): Promise<unknown> }> {
  const server = createServer((client) => passOn(client, nodePort, alter))
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

function passOn(client: Socket, port: number, alter: Alter): void {
  const node = connect({ host, port })
  const stream = new MessageStream(regtest)
  for (const socket of [client, node]) socket.on('error', () => undefined)
  client.pipe(node)
  node.on('data', (bytes) => {
    for (const event of stream.push(new Uint8Array(bytes)))
      if (event.type === 'message')
        for (const message of alter(event.message)) client.write(encodeMessage(regtest, message))
  })
  client.once('close', () => node.destroy())
  node.once('close', () => client.destroy())
}
