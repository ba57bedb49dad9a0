/** What a node says in one slot of the log, as bytes. Source: threshold §§17.2, 17.3. */
import type { Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import type { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Bit } from './coin.ts'
import { PROPOSAL_SIZE_MAX } from './proposal.ts'

const HASH_SIZE = 32
/** A share of the coin is opaque here: id of the key's transcript (u64), then 48 bytes. */
export const COIN_SHARE_SIZE = 56

/** A set of bits: 1 is {0}, 2 is {1}, 3 is both. */
export type BitSet = 1 | 2 | 3

export const setOf = (bit: Bit): BitSet => (bit === 0 ? 1 : 2)

/** Votes of reliable broadcast name a proposal by its hash. */
export type BroadcastVote =
  | { readonly type: 'echo'; readonly instance: NodeIndex; readonly hash: Hash32 }
  | { readonly type: 'ready'; readonly instance: NodeIndex; readonly hash: Hash32 }

export type AgreementVote =
  | {
      readonly type: 'bval'
      readonly instance: NodeIndex
      readonly round: number
      readonly value: Bit
      /** The node's own estimate of this round, not a repetition of others: a restart needs it. */
      readonly isEstimate: boolean
    }
  | {
      readonly type: 'aux'
      readonly instance: NodeIndex
      readonly round: number
      readonly value: Bit
    }
  | {
      readonly type: 'conf'
      readonly instance: NodeIndex
      readonly round: number
      readonly values: BitSet
    }
  /** A share of the common coin: not a vote, but it travels with them. */
  | {
      readonly type: 'coin'
      readonly instance: NodeIndex
      readonly round: number
      readonly share: Uint8Array
    }
  | { readonly type: 'term'; readonly instance: NodeIndex; readonly value: Bit }

/** `initial` is the proposal of its sender. */
export type Vote =
  | { readonly type: 'initial'; readonly proposal: Uint8Array }
  | BroadcastVote
  | AgreementVote

/** A value or a set is added to the tag. */
const TAGS = {
  initial: 0,
  echo: 1,
  ready: 2,
  bval: 4,
  estimate: 6,
  aux: 8,
  conf: 9,
  term: 14,
  coin: 16,
} as const

export function writeVote(writer: Writer, vote: Vote): void {
  switch (vote.type) {
    case 'initial':
      writer.u8(TAGS.initial).bytes(vote.proposal)
      return
    case 'echo':
    case 'ready':
      writer.u8(TAGS[vote.type]).u8(vote.instance).raw(vote.hash)
      return
    case 'bval':
      writer.u8((vote.isEstimate ? TAGS.estimate : TAGS.bval) + vote.value)
      writer.u8(vote.instance).u16(vote.round)
      return
    case 'aux':
      writer.u8(TAGS.aux + vote.value)
      writer.u8(vote.instance).u16(vote.round)
      return
    case 'conf':
      writer.u8(TAGS.conf + vote.values)
      writer.u8(vote.instance).u16(vote.round)
      return
    case 'term':
      writer.u8(TAGS.term + vote.value).u8(vote.instance)
      return
    case 'coin':
      writer.u8(TAGS.coin).u8(vote.instance).u16(vote.round).raw(vote.share)
  }
}

/** Throws `BadEncoding`; the empty set of a `conf` has no encoding. */
export function readVote(reader: Reader): Vote {
  const tag = reader.u8()
  if (tag === TAGS.initial) return { type: 'initial', proposal: reader.bytes(PROPOSAL_SIZE_MAX) }
  const instance = reader.u8()
  const value: Bit = (tag & 1) === 1 ? 1 : 0
  switch (tag) {
    case TAGS.echo:
    case TAGS.ready: {
      const type = tag === TAGS.echo ? 'echo' : 'ready'
      return { type, instance, hash: hash32(reader.raw(HASH_SIZE)) }
    }
    case TAGS.bval:
    case TAGS.bval + 1:
      return { type: 'bval', instance, round: reader.u16(), value, isEstimate: false }
    case TAGS.estimate:
    case TAGS.estimate + 1:
      return { type: 'bval', instance, round: reader.u16(), value, isEstimate: true }
    case TAGS.aux:
    case TAGS.aux + 1:
      return { type: 'aux', instance, round: reader.u16(), value }
    case TAGS.conf + 1:
      return { type: 'conf', instance, round: reader.u16(), values: 1 }
    case TAGS.conf + 2:
      return { type: 'conf', instance, round: reader.u16(), values: 2 }
    case TAGS.conf + 3:
      return { type: 'conf', instance, round: reader.u16(), values: 3 }
    case TAGS.term:
    case TAGS.term + 1:
      return { type: 'term', instance, value }
    case TAGS.coin:
      return { type: 'coin', instance, round: reader.u16(), share: reader.raw(COIN_SHARE_SIZE) }
    default:
      throw new BadEncoding(`a vote of unknown kind ${tag}`)
  }
}
