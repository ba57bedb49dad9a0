/** A node in a process of its own, with links of its own to its peers. Source: architecture §3. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { CkbtcError } from '../../core/base/errors.ts'
import { attempt, BadEncoding, Bug } from '../../core/base/errors.ts'
import { CHANNEL_DESCRIPTOR, MessageReader, messageBytes } from './channel.ts'
import type { HostEars, HostEnd, NodeHost } from './node-host.ts'
import { CLOSING_MS_MAX, hostGone } from './node-host.ts'
import type { ToNode } from './protocol.ts'
import { readFromNode } from './protocol-shapes.ts'

/** V8 keeps far more for young objects than a node has use for. */
const HEAP_OPTIONS = ['--max-semi-space-size=2']
/** Unread bytes beyond which the process is taken to have stopped. */
const UNREAD_BYTES_MAX = 256 * 1024 * 1024

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
        this.#end({ type: 'gone', problem: notStarted(error) })
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
        this.#giveUp(`what its process said cannot be read: ${messages.message}`)
        return
      }
      for (const message of messages)
        if (message.type === 'closed') this.#closed()
        else if (!this.#ended) ears.hear(message)
    })
  }

  tell(message: ToNode): void {
    if (this.#ended) return
    this.#channel.write(messageBytes(message))
    if (this.#channel.writableLength > UNREAD_BYTES_MAX) this.#giveUp('its process does not read')
  }

  #giveUp(message: string): void {
    this.#child.kill('SIGKILL')
    this.#end({ type: 'gone', problem: hostGone(message) })
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

/** The types know of no process for which there are too many files open. Throws `SUBNET_DOWN`. */
function channelOf(child: { readonly stdio?: ChildProcess['stdio'] }): Duplex {
  const channel = child.stdio?.[CHANNEL_DESCRIPTOR]
  if (channel instanceof Socket) return channel
  throw hostGone('its process could not be started')
}

/** Whoever sends a signal means it; a process that ends by itself is at fault. */
const endOf = (status: number | null, signal: NodeJS.Signals | null): HostEnd =>
  signal === null
    ? { type: 'broken', error: new Bug(`the process of a node ended with status ${status}`) }
    : { type: 'gone', problem: hostGone(`its process was ended by ${signal}`) }

const notStarted = ({ message }: Error): CkbtcError =>
  hostGone(`its process could not be started: ${message}`)
