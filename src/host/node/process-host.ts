/** A node in a process of its own, with links of its own to its peers. Source: architecture §3. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { CkbtcError } from '../../core/base/errors.ts'
import { attempt, BadEncoding, Bug, Problem } from '../../core/base/errors.ts'
import { CHANNEL_DESCRIPTOR, MessageReader, messageBytes } from './channel.ts'
import type { HostEars, HostEnd, NodeHost } from './node-host.ts'
import { CLOSING_MS_MAX } from './node-host.ts'
import type { ToNode } from './protocol.ts'
import { readFromNode } from './protocol-shapes.ts'

/** V8 keeps far more for young objects than a node has use for. */
const HEAP_OPTIONS = ['--max-semi-space-size=2']

export class ProcessHost implements NodeHost {
  readonly #ears: HostEars
  readonly #child: ChildProcess
  readonly #channel: Duplex
  readonly #exited: Promise<void>
  #closed: () => void = () => undefined
  #ended = false

  constructor(ears: HostEars) {
    this.#ears = ears
    const program = fileURLToPath(new URL('./process.js', import.meta.url))
    const child = spawn(process.execPath, [...HEAP_OPTIONS, program], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
      windowsHide: true,
    })
    this.#child = child
    this.#channel = channelOf(child)
    this.#exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.#end({ type: 'broken', error })
        resolve()
      })
      child.on('exit', (status, signal) => {
        this.#end(endOf(status, signal))
        resolve()
      })
    })
    this.#channel.on('error', () => undefined) // The process has ended, which is told.
    const reader = new MessageReader(readFromNode)
    this.#channel.on('data', (chunk: Uint8Array) => {
      const messages = attempt(() => reader.push(new Uint8Array(chunk)))
      if (messages instanceof BadEncoding) {
        child.kill('SIGKILL')
        this.#end({ type: 'gone', problem: unreadable(messages) })
        return
      }
      for (const message of messages)
        if (message.type === 'closed') this.#closed()
        else if (!this.#ended) ears.hear(message)
    })
  }

  tell(message: ToNode): void {
    if (!this.#ended) this.#channel.write(messageBytes(message))
  }

  #end(end: HostEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#ears.ended(end)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    if (!this.#ended) this.#channel.write(messageBytes({ type: 'close' } satisfies ToNode))
    this.#ended = true
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), CLOSING_MS_MAX)
    await Promise.race([closed.then(() => this.#exited), this.#exited])
    clearTimeout(timer)
  }

  async kill(): Promise<void> {
    this.#ended = true
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}

function channelOf({ stdio }: ChildProcess): Duplex {
  const channel = stdio[CHANNEL_DESCRIPTOR]
  if (channel instanceof Socket) return channel
  throw new Bug('a process was started without its channel')
}

/** Whoever sends a signal means it; a process that ends by itself is at fault. */
const endOf = (status: number | null, signal: NodeJS.Signals | null): HostEnd =>
  signal === null
    ? { type: 'broken', error: new Bug(`the process of a node ended with status ${status}`) }
    : { type: 'gone', problem: gone(`its process was ended by ${signal}`) }

const unreadable = ({ message }: BadEncoding): CkbtcError =>
  gone(`what its process said cannot be read: ${message}`)

const gone = (message: string): CkbtcError =>
  new Problem('SUBNET_DOWN', message, {
    fix: 'bring the node back',
    command: 'ckbtc subnet heal-node --all',
  })
