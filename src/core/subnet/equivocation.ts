/**
 * Two stories: nodes of even index hear the one, the others another one, and one of these both, so
 * that somebody can find out. Source: threshold §§8.3, 17.2, 17.3, 22.4.
 */
import { hash32 } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { addNs } from '../base/units.ts'
import type { Bit } from '../log/coin.ts'
import { decodeProposal, encodeProposal } from '../log/proposal.ts'
import type { BitSet, Vote } from '../log/vote.ts'
import type { SignedDealing } from '../tecdsa/evidence.ts'
import {
  dealingContent,
  decodeSignedDealing,
  encodeSignedDealing,
  lanePrefix,
} from '../tecdsa/evidence.ts'
import type { Lane } from '../tecdsa/message.ts'
import { suites } from '../tecdsa/signer-config.ts'
import { signedVotes } from './false-evidence.ts'
import type { LiarConfig } from './liar.ts'
import type { Spoken } from './spoken.ts'
import { flipLast } from './spoken.ts'

type Liar = Pick<LiarConfig, 'genesis' | 'keys' | 'me'>

/** What `to` hears. */
export function equivocal(liar: Liar, to: NodeIndex, spoken: Spoken): readonly Spoken[] {
  if (to % 2 === 0) return [spoken]
  const other = otherStory(liar, spoken)
  if (other === spoken) return [spoken]
  const odd = liar.genesis.membership.members.map((_, i) => i).filter((i) => i % 2 === 1)
  const hearsBoth = odd.find((node) => node !== liar.me)
  return to === hearsBoth ? [other, spoken] : [other]
}

function otherStory(liar: Liar, spoken: Spoken): Spoken {
  if (spoken.type === 'root') {
    const { vote } = spoken
    return { ...spoken, vote: { ...vote, root: hash32(flipLast(vote.root)) } }
  }
  if (spoken.type === 'log' && spoken.message.type === 'votes') {
    const { message } = spoken
    return { type: 'log', message: signedVotes(liar, message, message.votes.map(otherVote)) }
  }
  if (spoken.type === 'signer' && spoken.message.type === 'dealing') {
    const { message } = spoken
    const signed = otherDealing(liar, message.lane, message.signed)
    return { type: 'signer', message: { ...message, signed } }
  }
  return spoken
}

function otherVote(vote: Vote): Vote {
  switch (vote.type) {
    case 'initial':
      return { ...vote, proposal: otherProposal(vote.proposal) }
    case 'echo':
    case 'ready':
      return { ...vote, hash: hash32(flipLast(vote.hash)) }
    case 'bval':
    case 'aux':
    case 'term':
      return { ...vote, value: otherBit(vote.value) }
    case 'conf':
      return { ...vote, values: otherSet(vote.values) }
    case 'coin':
      return vote
  }
}

const otherBit = (bit: Bit): Bit => (bit === 0 ? 1 : 0)
const otherSet = (values: BitSet): BitSet => (values === 1 ? 2 : 1)

/** The same items a nanosecond later. */
function otherProposal(bytes: Uint8Array): Uint8Array {
  const proposal = attempt(() => decodeProposal(bytes))
  if (proposal instanceof BadEncoding) return bytes
  return encodeProposal({ ...proposal, clock: addNs(proposal.clock, 1n) })
}

/** Another one for the same transcript, whose last proof is wrong. */
function otherDealing(
  { genesis, keys, me }: Liar,
  lane: Lane,
  signed: SignedDealing,
): SignedDealing {
  if (signed.dealer !== me) return signed
  const statement = { ...signed, dealing: flipLast(signed.dealing) }
  const content = dealingContent(lanePrefix(genesis, suites[lane].algorithm), statement)
  const signature = keys.sign('dealing', content)
  return decodeSignedDealing(encodeSignedDealing({ ...statement, signature }))
}
