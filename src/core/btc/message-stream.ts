/** Cuts a peer's bytes into messages, in bounded memory. Source: bitcoin.md §3.1 (WIRE-1 to 6). */
import { equalBytes } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { Message } from './message.ts'
import {
  COMMAND_SIZE,
  decodeMessage,
  FRAME_HEADER_SIZE,
  listTooLong,
  PAYLOAD_MAX,
  payloadChecksum,
} from './message.ts'
import type { Network } from './network.ts'

export type StreamEvent =
  | { readonly type: 'message'; readonly message: Message }
  /** The message was dropped; three of these in ten minutes cost the connection (§3.9). */
  | { readonly type: 'strike'; readonly reason: string }
  /** Disconnect; with `ban` the host is not to be used for a day. The stream yields no more. */
  | { readonly type: 'fault'; readonly reason: string; readonly ban: boolean }

type FrameHeader = {
  readonly command: string
  readonly length: number
  readonly checksum: Uint8Array
}

/** Room made at first for a payload: a peer pays for more by sending it. */
const PAYLOAD_START_BYTES = 4_096

/** One direction of one connection. Holds at most one partial message. */
export class MessageStream {
  readonly #network: Network
  readonly #headerBytes = new Uint8Array(FRAME_HEADER_SIZE)
  #header: FrameHeader | undefined
  #payload = new Uint8Array(0)
  /** Bytes of the header, or of the payload once the header is known. */
  #filled = 0
  #dead = false

  constructor(network: Network) {
    this.#network = network
  }

  /** What the next bytes of the stream complete, in order. Chunks may be cut anywhere. */
  push(bytes: Uint8Array): readonly StreamEvent[] {
    const events: StreamEvent[] = []
    let rest = bytes
    while (!this.#dead && rest.length > 0) {
      const taken = this.#header === undefined ? this.#fillHeader(rest) : this.#fillPayload(rest)
      rest = rest.subarray(taken)
      events.push(...this.#complete())
    }
    return events
  }

  #fillHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, FRAME_HEADER_SIZE - this.#filled)
    this.#headerBytes.set(part, this.#filled)
    this.#filled += part.length
    return part.length
  }

  #fillPayload(bytes: Uint8Array): number {
    const due = this.#header?.length ?? 0
    const part = bytes.subarray(0, due - this.#filled)
    const needed = this.#filled + part.length
    if (needed > this.#payload.length) {
      const room = Math.max(needed, Math.min(due, 2 * this.#payload.length))
      const grown = new Uint8Array(room)
      grown.set(this.#payload.subarray(0, this.#filled))
      this.#payload = grown
    }
    this.#payload.set(part, this.#filled)
    this.#filled = needed
    return part.length
  }

  /** What the bytes so far complete: a header, and the whole message if its payload is there. */
  #complete(): readonly StreamEvent[] {
    if (this.#header === undefined) {
      if (this.#filled < FRAME_HEADER_SIZE) return []
      const header = parseFrameHeader(this.#headerBytes, this.#network)
      if ('type' in header) {
        this.#dead = true
        return [header]
      }
      this.#header = header
      this.#payload = new Uint8Array(Math.min(header.length, PAYLOAD_START_BYTES))
      this.#filled = 0
    }
    if (this.#filled < this.#header.length) return []
    const event = openFrame(this.#header, this.#payload.subarray(0, this.#header.length))
    this.#dead = event.type === 'fault'
    this.#header = undefined
    this.#payload = new Uint8Array(0)
    this.#filled = 0
    return [event]
  }
}

function parseFrameHeader(bytes: Uint8Array, network: Network): FrameHeader | StreamEvent {
  if (!network.messageStart.every((byte, i) => bytes[i] === byte))
    return { type: 'fault', reason: 'wrong message start', ban: false }
  const command = parseCommand(bytes.subarray(4, 4 + COMMAND_SIZE))
  if (command === undefined) return { type: 'fault', reason: 'malformed command', ban: false }
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = view.getUint32(16, true)
  if (length > PAYLOAD_MAX)
    return { type: 'fault', reason: `${command} of ${length} bytes`, ban: true } // WIRE-1
  return { command, length, checksum: bytes.slice(20, FRAME_HEADER_SIZE) }
}

/** Printable ASCII, then zeros to the end (WIRE-2). */
function parseCommand(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes)
  return /^([!-~]+)\0*$/.exec(text)?.[1]
}

function openFrame({ command, checksum }: FrameHeader, payload: Uint8Array): StreamEvent {
  if (!equalBytes(payloadChecksum(payload), checksum))
    return { type: 'strike', reason: `${command} with a wrong checksum` } // WIRE-3
  const message = attempt(() =>
    listTooLong(command, payload) ? 'tooLong' : decodeMessage(command, payload),
  )
  if (message === 'tooLong')
    return { type: 'fault', reason: `${command} with too many entries`, ban: true }
  return message instanceof BadEncoding
    ? { type: 'strike', reason: `${command}: ${message.message}` }
    : { type: 'message', message }
}
