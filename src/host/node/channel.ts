/**
 * Messages between the subnet and the process of a node, over a socket: frames of a bounded length,
 * each one value in the format of structured clones. Source: architecture §3.
 */
import { deserialize, serialize } from 'node:v8'
import { BadEncoding } from '../../core/base/errors.ts'
import { FrameReader, frame } from '../links/frames.ts'

/** Of the socket, in the process of the node. */
export const CHANNEL_DESCRIPTOR = 3
/** A slot with all its bodies, and room. */
export const CHANNEL_FRAME_MAX = 64 * 1024 * 1024

export const messageBytes = (message: unknown): Uint8Array => frame(serialize(message))

/** Looks at a value and gives it back as a message. Throws `BadEncoding`. */
export type MessageShape<M> = (value: unknown) => M

export class MessageReader<M> {
  readonly #frames = new FrameReader(CHANNEL_FRAME_MAX)
  readonly #shape: MessageShape<M>

  constructor(shape: MessageShape<M>) {
    this.#shape = shape
  }

  /** Messages that are whole now. Throws `BadEncoding`; nothing can be read behind that. */
  push(chunk: Uint8Array): readonly M[] {
    this.#frames.push(chunk)
    const messages: M[] = []
    for (let body = this.#frames.next(); body !== undefined; body = this.#frames.next())
      messages.push(this.#shape(cloned(body)))
    return messages
  }
}

function cloned(body: Uint8Array): unknown {
  try {
    return deserialize(body)
  } catch (cause) {
    throw new BadEncoding('a frame holds no value', { cause })
  }
}
