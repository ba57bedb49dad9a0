/** What the logs of two nodes say to each other. Source: threshold §§17.2 to 17.8. */
import type { Hash32 } from '../base/bytes.ts'
import { hash32 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import { ITEM_SIZE_MAX, SLOT_ITEMS_MAX } from './log.ts'
import { PROPOSAL_SIZE_MAX } from './proposal.ts'
import type { Vote } from './vote.ts'
import { readVote, writeVote } from './vote.ts'

/** Votes in one message at most: far above what a node of 40 owes at one moment. */
const VOTES_MAX = 20_000
/** Hashes of slots in one answer, and slots in one copy. */
export const SLOTS_SHOWN_MAX = 128
/** Bytes of slots in one copy, beyond the first slot. */
export const COPY_SIZE_MAX = 8 * 1024 * 1024
/** One slot: the items of all proposals. */
const CONTENT_SIZE_MAX = 0xffff_ffff
const HASH_SIZE = 32
const SIGNATURE_SIZE = 64

/** All votes that a node owed at one moment, under one signature (performance R17). */
export type VotesMessage = {
  readonly type: 'votes'
  readonly slot: bigint
  /** Of the sender (§18.4). */
  readonly life: bigint
  readonly votes: readonly Vote[]
  /** Of the sender, over `votesContent`; checked when it is used as evidence (performance R18). */
  readonly signature: Uint8Array
}

export type LogMessage =
  | VotesMessage
  /** An item of the sender, for the log. */
  | { readonly type: 'item'; readonly item: Uint8Array }
  /** What the sender lacks of one proposal: items, or when none are named the proposal. */
  | {
      readonly type: 'want'
      readonly slot: bigint
      readonly instance: NodeIndex
      readonly hash: Hash32
      readonly items: readonly Hash32[]
    }
  | {
      readonly type: 'proposal'
      readonly slot: bigint
      readonly instance: NodeIndex
      readonly proposal: Uint8Array
    }
  /** An item that was asked for. */
  | { readonly type: 'body'; readonly item: Uint8Array }
  /** "I work on this slot: what have you said of it, and what comes after it?" */
  | { readonly type: 'resend'; readonly slot: bigint }
  /** The last votes that the sender has had from the receiver: part of each answer to `resend`. */
  | { readonly type: 'heard'; readonly last: VotesMessage | undefined }
  /** Hashes of delivered slots from `first` on. */
  | { readonly type: 'decided'; readonly first: bigint; readonly hashes: readonly Hash32[] }
  /** "Give me slots from this one on." */
  | { readonly type: 'copy'; readonly first: bigint }
  /** Canonical bytes of slots, in order. */
  | { readonly type: 'slots'; readonly contents: readonly Uint8Array[] }

const TAGS = {
  votes: 0,
  item: 1,
  want: 2,
  proposal: 3,
  body: 4,
  resend: 5,
  decided: 6,
  copy: 7,
  slots: 8,
  heard: 9,
} as const

/** What a node signs with its votes; `prefix` names the subnet and its time line. */
export const votesContent = (
  prefix: Uint8Array,
  { slot, life, votes }: Pick<VotesMessage, 'slot' | 'life' | 'votes'>,
): Uint8Array => new Writer().raw(prefix).u64(slot).u64(life).list(votes, writeVote).done()

/** `incarnation`: of the time line, outside which nothing of this counts. */
export function encodeLogMessage(incarnation: bigint, message: LogMessage): Uint8Array {
  const writer = new Writer().u64(incarnation).u8(TAGS[message.type])
  switch (message.type) {
    case 'votes':
      writeVotes(writer, message)
      break
    case 'heard':
      writer.optional(message.last, writeVotes)
      break
    case 'item':
    case 'body':
      writer.raw(message.item)
      break
    case 'want':
      writer.u64(message.slot).u8(message.instance).raw(message.hash)
      writer.list(message.items, (list, hash) => list.raw(hash))
      break
    case 'proposal':
      writer.u64(message.slot).u8(message.instance).raw(message.proposal)
      break
    case 'resend':
      writer.u64(message.slot)
      break
    case 'decided':
      writer.u64(message.first).list(message.hashes, (list, hash) => list.raw(hash))
      break
    case 'copy':
      writer.u64(message.first)
      break
    case 'slots':
      writer.list(message.contents, (list, content) => list.bytes(content))
  }
  return writer.done()
}

/** Undefined for a message of another time line. Throws `BadEncoding`. */
export function decodeLogMessage(incarnation: bigint, bytes: Uint8Array): LogMessage | undefined {
  const reader = new Reader(bytes)
  if (reader.u64() !== incarnation) return undefined
  return readMessage(reader)
}

function readMessage(reader: Reader): LogMessage {
  const tag = reader.u8()
  switch (tag) {
    case TAGS.votes:
      return reader.end(readVotes(reader))
    case TAGS.heard:
      return reader.end({ type: 'heard', last: reader.optional(readVotes) })
    case TAGS.item:
      return { type: 'item', item: readItem(reader) }
    case TAGS.body:
      return { type: 'body', item: readItem(reader) }
    case TAGS.want:
      return reader.end({
        type: 'want',
        slot: reader.u64(),
        instance: reader.u8(),
        hash: readHash(reader),
        items: reader.list(readHash, SLOT_ITEMS_MAX),
      })
    case TAGS.proposal:
      return {
        type: 'proposal',
        ...readPlace(reader),
        proposal: readRest(reader, PROPOSAL_SIZE_MAX),
      }
    case TAGS.resend:
      return reader.end({ type: 'resend', slot: reader.u64() })
    case TAGS.decided:
      return reader.end({
        type: 'decided',
        first: reader.u64(),
        hashes: reader.list(readHash, SLOTS_SHOWN_MAX),
      })
    case TAGS.copy:
      return reader.end({ type: 'copy', first: reader.u64() })
    case TAGS.slots: {
      const read = (list: Reader): Uint8Array => list.bytes(CONTENT_SIZE_MAX)
      return reader.end({ type: 'slots', contents: reader.list(read, SLOTS_SHOWN_MAX) })
    }
    default:
      throw new BadEncoding(`a message of the log of unknown kind ${tag}`)
  }
}

function writeVotes(writer: Writer, { slot, life, votes, signature }: VotesMessage): void {
  writer.u64(slot).u64(life).list(votes, writeVote).raw(signature)
}

const readVotes = (reader: Reader): VotesMessage => ({
  type: 'votes',
  slot: reader.u64(),
  life: reader.u64(),
  votes: oneProposal(reader.list(readVote, VOTES_MAX)),
  signature: reader.raw(SIGNATURE_SIZE),
})

/** A node proposes once in a slot: so votes are small, but for one of them. */
function oneProposal(votes: readonly Vote[]): readonly Vote[] {
  if (votes.filter(({ type }) => type === 'initial').length > 1)
    throw new BadEncoding('several proposals of one node for a slot')
  return votes
}

const readHash = (reader: Reader): Hash32 => hash32(reader.raw(HASH_SIZE))

const readPlace = (reader: Reader): { readonly slot: bigint; readonly instance: NodeIndex } => ({
  slot: reader.u64(),
  instance: reader.u8(),
})

const readItem = (reader: Reader): Uint8Array => readRest(reader, ITEM_SIZE_MAX)

function readRest(reader: Reader, sizeMax: number): Uint8Array {
  if (reader.remaining > sizeMax)
    throw new BadEncoding(`${reader.remaining} bytes, at most ${sizeMax} allowed`)
  return reader.raw(reader.remaining)
}
