/** What a node sends to its peers, as outputs. Source: threshold §17.8. */
import type { NodeIndex } from '../base/party.ts'
import type { SignerMessage } from '../tecdsa/message.ts'
import { encodeSignerMessage } from '../tecdsa/message.ts'
import type { NodeOutput } from './node-io.ts'
import type { PeerMessage } from './peer-message.ts'
import { encodePeerMessage } from './peer-message.ts'

/** A word of the node itself, or of its signer. */
export function said(
  to: NodeIndex | 'all',
  message: Exclude<PeerMessage, { type: 'signer' }> | SignerMessage,
): Extract<NodeOutput, { type: 'send' }> {
  const peer: PeerMessage =
    message.type === 'hello' || message.type === 'root'
      ? message
      : { type: 'signer', bytes: encodeSignerMessage(message) }
  return { type: 'send', to, bytes: encodePeerMessage(peer) }
}
