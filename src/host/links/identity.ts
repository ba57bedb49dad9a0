/** A node as its links show it: by its Ed25519 key, in its subnet and time line. Source: threshold §2.1. */
import type { NodeIndex } from '../../core/base/party.ts'
import { runPrefix } from '../../core/tecdsa/evidence.ts'
import type { Genesis } from '../../core/tecdsa/membership.ts'
import type { NodeKeys } from '../../core/tecdsa/node-keys.ts'
import { verifyEvidence } from '../../core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../native/ed25519.ts'
import type { LinkIdentity } from './handshake.ts'

export function linkIdentity({
  me,
  keys,
  genesis,
}: {
  readonly me: NodeIndex
  readonly keys: Pick<NodeKeys, 'sign'>
  readonly genesis: Genesis
}): LinkIdentity {
  const { members } = genesis.membership
  return {
    me,
    nodes: members.length,
    prefix: runPrefix(genesis),
    sign: (content) => keys.sign('link', content),
    verify: (node, content, signature) => {
      const signer = members[node]
      return (
        signer !== undefined &&
        verifyEvidence(nativeEd25519, { signer, kind: 'link', content, signature })
      )
    },
  }
}
