/** One link between two nodes over a socket: handshake, then sealed messages. Implements threshold §2.1. */
import type { Socket } from 'node:net'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { FrameReader, frame } from './frames.ts'
import type { HandshakeStep, LinkIdentity, LinkRefusal } from './handshake.ts'
import { HANDSHAKE_FRAME_MAX, Handshake } from './handshake.ts'
import { SEALED_SIZE_MAX, SealedChannel } from './sealed-channel.ts'

const HANDSHAKE_MS_MAX = 5_000
/** Unsent bytes beyond which the other side is taken to have stopped reading. */
const UNSENT_BYTES_MAX = 128 * 1024 * 1024
/** Says that the keys are agreed. */
const CONFIRMATION = new Uint8Array()

export type LinkEars = {
  /** The other side has proven who it is, and holds the same keys. */
  readonly up: (peer: NodeIndex) => void
  readonly hear: (peer: NodeIndex, message: Uint8Array) => void
  /** Once, and nothing after it. `peer`: when it was up. */
  readonly ended: (reason: LinkRefusal, peer: NodeIndex | undefined) => void
}

export class Link {
  readonly #socket: Socket
  readonly #ears: LinkEars
  readonly #frames = new FrameReader(HANDSHAKE_FRAME_MAX)
  readonly #handshake: Handshake
  readonly #timer: NodeJS.Timeout
  #peer: NodeIndex | undefined
  #channel: SealedChannel | undefined
  #isUp = false
  #isOver = false

  /** `dials`: the node that was called over the socket; undefined for who was called. */
  constructor(
    socket: Socket,
    { identity, dials }: { readonly identity: LinkIdentity; readonly dials?: NodeIndex },
    ears: LinkEars,
  ) {
    this.#socket = socket
    this.#ears = ears
    this.#handshake = new Handshake(identity, dials)
    this.#timer = setTimeout(() => this.end('too-slow'), HANDSHAKE_MS_MAX)
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => undefined) // Its `close` follows.
    socket.on('close', () => this.end('closed'))
    if (dials !== undefined) this.#write(this.#handshake.begin(dials))
  }

  get isUp(): boolean {
    return this.#isUp
  }

  send(message: Uint8Array): void {
    if (!this.#isUp || this.#channel === undefined) return
    this.#write(this.#channel.seal(message))
    if (this.#socket.writableLength > UNSENT_BYTES_MAX) this.end('too-slow')
  }

  end(reason: LinkRefusal): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#socket.destroy()
    this.#ears.ended(reason, this.#isUp ? this.#peer : undefined)
  }

  #write(body: Uint8Array): void {
    this.#socket.write(frame(body))
  }

  #receive(chunk: Uint8Array): void {
    this.#frames.push(chunk)
    while (!this.#isOver) {
      const body = attempt(() => this.#frames.next())
      if (body === undefined) return
      if (body instanceof BadEncoding) this.end('bad-frame')
      else if (this.#channel === undefined) this.#perform(this.#handshake.receive(body))
      else this.#open(this.#channel, body)
    }
  }

  #perform(step: HandshakeStep): void {
    switch (step.type) {
      case 'refused':
        this.end(step.reason)
        return
      case 'send':
        this.#write(step.body)
        return
      case 'done':
        if (step.send !== undefined) this.#write(step.send)
        this.#peer = step.peer
        this.#channel = new SealedChannel(step.keys)
        this.#frames.limit(SEALED_SIZE_MAX)
        this.#write(this.#channel.seal(CONFIRMATION))
    }
  }

  #open(channel: SealedChannel, body: Uint8Array): void {
    const message = channel.open(body)
    if (message === undefined || this.#peer === undefined) {
      this.end('bad-code')
      return
    }
    if (this.#isUp) {
      this.#ears.hear(this.#peer, message)
      return
    }
    this.#isUp = true
    clearTimeout(this.#timer)
    this.#ears.up(this.#peer)
  }
}
