/** A complaint about a dealing that is good. Source: threshold §10.1. */
import type { NodeIndex } from '../base/party.ts'
import { encodeComplaint } from '../tecdsa/complaint.ts'
import { complaintContent } from '../tecdsa/dispute.ts'
import { lanePrefix } from '../tecdsa/evidence.ts'
import type { SignerMessage } from '../tecdsa/message.ts'
import { suites } from '../tecdsa/signer-config.ts'
import type { Suite } from '../tecdsa/suite.ts'
import type { LiarConfig } from './liar.ts'
import type { Spoken } from './spoken.ts'

/** Whoever deals is complained about at once; the proof proves nothing. */
export function unfoundedComplaint(
  { genesis, keys, seed }: LiarConfig,
  from: NodeIndex,
  message: SignerMessage,
): readonly Spoken[] {
  if (message.type !== 'dealing' || message.signed.dealer !== from) return []
  const { lane, signed: dealt } = message
  const { transcriptId, dealer } = dealt
  const chance = seed.derive(`ckbtc-liar-complaint-${lane}-${transcriptId}-${dealer}`)
  const made = <P>(suite: Suite<P>): Uint8Array => {
    const group = suite.encryptionGroup
    const generator = chance.generator()
    const scalar = (): bigint => generator.scalar(group)
    const proof = { challenge: scalar(), response: scalar() }
    return encodeComplaint(suite, {
      proof,
      sharedSecret: group.g.multiplySecret(generator.scalar(group)),
    })
  }
  const complaint = lane === 'bls' ? made(suites.bls) : made(suites.ecdsa)
  const statement = { transcriptId, dealer, complaint }
  const content = complaintContent(lanePrefix(genesis, suites[lane].algorithm), statement)
  const signed = { ...statement, signature: keys.sign('complaint', content) }
  return [{ type: 'signer', message: { type: 'complaint', lane, signed } }]
}
