/** Shares and openings that are signed by their node, and false. Source: threshold §§10.3, 14.3, 16. */

import type { VotesMessage } from '../log/message.ts'
import { votesContent } from '../log/message.ts'
import type { Vote } from '../log/vote.ts'
import { BLS_SHARE_SIZE } from '../tecdsa/bls.ts'
import { openingContent } from '../tecdsa/dispute.ts'
import { lanePrefix, runPrefix } from '../tecdsa/evidence.ts'
import { shareContent } from '../tecdsa/message.ts'
import { suites } from '../tecdsa/signer-config.ts'
import type { LiarConfig } from './liar.ts'
import type { Spoken } from './spoken.ts'
import { flipLast } from './spoken.ts'

type Liar = Pick<LiarConfig, 'genesis' | 'keys'>

/** In the compressed form of BLS12-381: the other point of the same x, which is of the group. */
const SIGN_BIT = 0x20
/** Of a share with or without the name of its key before it. */
const negated = (share: Uint8Array): Uint8Array =>
  share.map((byte, i) => (i === share.length - BLS_SHARE_SIZE ? byte ^ SIGN_BIT : byte))

/** Every share that a node gives, of signatures, state roots, tape and coin. */
export function badShares(liar: Liar, spoken: Spoken): Spoken {
  if (spoken.type === 'root') {
    const { vote } = spoken
    return { ...spoken, vote: { ...vote, share: vote.share && negated(vote.share) } }
  }
  if (spoken.type === 'log') {
    const { message } = spoken
    if (message.type !== 'votes') return spoken
    return { type: 'log', message: signedVotes(liar, message, message.votes.map(badCoin)) }
  }
  if (spoken.type !== 'signer') return spoken
  const { message } = spoken
  switch (message.type) {
    case 'tape-share':
      return { ...spoken, message: { ...message, share: negated(message.share) } }
    case 'share': {
      const changed = { ...message, share: flipLast(message.share) }
      const prefix = lanePrefix(liar.genesis, suites[message.lane].algorithm)
      const signature = liar.keys.sign('signature-share', shareContent(prefix, changed))
      return { ...spoken, message: { ...changed, signature } }
    }
    default:
      return spoken
  }
}

const badCoin = (vote: Vote): Vote =>
  vote.type === 'coin' ? { ...vote, share: negated(vote.share) } : vote

/** Votes of a slot under a new signature. */
export function signedVotes(
  { genesis, keys }: Liar,
  { slot, life }: Pick<VotesMessage, 'slot' | 'life'>,
  votes: readonly Vote[],
) {
  const content = votesContent(runPrefix(genesis), { slot, life, votes })
  return { type: 'votes', slot, life, votes, signature: keys.sign('vote', content) } as const
}

/** An answer to a complaint that opens nothing. */
export function badOpening({ genesis, keys }: Liar, spoken: Spoken): Spoken {
  if (spoken.type !== 'signer' || spoken.message.type !== 'opening') return spoken
  const { message } = spoken
  const changed = { ...message.signed, opening: flipLast(message.signed.opening) }
  const content = openingContent(lanePrefix(genesis, suites[message.lane].algorithm), changed)
  const signed = { ...changed, signature: keys.sign('opening', content) }
  return { ...spoken, message: { ...message, signed } }
}
