/**
 * An operating-system process in which one node lives. Started from `dist` by `process-host.ts`,
 * which holds the other end of its fourth file descriptor.
 */
import { Socket } from 'node:net'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { installSha256 } from '../../core/base/hash.ts'
import { nativeSha256 } from '../../native/sha256.ts'
import { PeerLinks } from '../links/peer-links.ts'
import { CHANNEL_DESCRIPTOR, MessageReader, messageBytes } from './channel.ts'
import { wordsOf } from './failures.ts'
import { NodeLife } from './life.ts'
import type { FromNode } from './protocol.ts'
import { readToNode } from './protocol-shapes.ts'

async function main(): Promise<void> {
  installSha256(nativeSha256)
  const channel = new Socket({ fd: CHANNEL_DESCRIPTOR })
  let life: NodeLife | undefined
  process.once('uncaughtException', (error) => {
    channel.write(messageBytes({ type: 'bug', message: wordsOf(error) } satisfies FromNode))
    if (life === undefined) channel.end(() => process.exit(1))
    else life.hear({ type: 'kill' }) // Nothing more leaves the node.
  })
  const links = await PeerLinks.listen()
  const node = new NodeLife({
    links,
    tell: (message) => {
      channel.write(messageBytes(message))
      if (message.type === 'closed') channel.end(() => process.exit(0))
    },
  })
  life = node
  const reader = new MessageReader(readToNode)
  channel.on('data', (chunk) => {
    const messages = attempt(() => reader.push(new Uint8Array(chunk)))
    if (messages instanceof BadEncoding) channel.destroy(messages)
    else for (const message of messages) node.hear(message)
  })
  channel.on('error', () => undefined) // Its `close` follows.
  // Without the subnet a node has nobody to serve.
  channel.on('close', () => process.exit(0))
}

// Ctrl-C reaches every process of a terminal; the subnet ends its nodes itself, in good order.
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
await main()
