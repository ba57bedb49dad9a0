/** Whole messages of nodes, as a liar reads and writes them. Source: threshold §§17, 18. */
import { concat } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { LogMessage } from '../log/message.ts'
import { decodeLogMessage, encodeLogMessage } from '../log/message.ts'
import type { SignerMessage } from '../tecdsa/message.ts'
import { decodeSignerMessage, encodeSignerMessage } from '../tecdsa/message.ts'
import type { RootVote } from './peer-message.ts'
import { decodePeerMessage, encodePeerMessage, logMessage, tagLogMessage } from './peer-message.ts'

export type Spoken =
  | { readonly type: 'signer'; readonly message: SignerMessage }
  | { readonly type: 'log'; readonly message: LogMessage }
  | { readonly type: 'root'; readonly vote: RootVote }
  | { readonly type: 'hello' }

/** Undefined for what says nothing in this time line. */
export function readSpoken(incarnation: bigint, bytes: Uint8Array): Spoken | undefined {
  const read = attempt((): Spoken | undefined => {
    const log = logMessage(bytes)
    if (log !== undefined) {
      const message = decodeLogMessage(incarnation, log)
      return message && { type: 'log', message }
    }
    const peer = decodePeerMessage(bytes)
    return peer.type === 'signer'
      ? { type: 'signer', message: decodeSignerMessage(peer.bytes) }
      : peer
  })
  return read instanceof BadEncoding ? undefined : read
}

export function writeSpoken(incarnation: bigint, spoken: Spoken): Uint8Array {
  switch (spoken.type) {
    case 'signer':
      return encodePeerMessage({ type: 'signer', bytes: encodeSignerMessage(spoken.message) })
    case 'log':
      return tagLogMessage(encodeLogMessage(incarnation, spoken.message))
    case 'root':
    case 'hello':
      return encodePeerMessage(spoken)
  }
}

/** The last bit of the last byte, which is of a scalar where one ends the bytes. */
export function flipLast(bytes: Uint8Array): Uint8Array {
  const last = bytes.at(-1)
  return last === undefined ? bytes : concat(bytes.subarray(0, -1), Uint8Array.of(last ^ 1))
}
