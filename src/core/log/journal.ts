/**
 * What a node has said in the slots that are still open, as durable records: a node that starts
 * again says that, and nothing else. Source: threshold §18.4.
 */
import type { Hash32 } from '../base/bytes.ts'
import { hash32, toHex } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { sha256 } from '../base/hash.ts'
import type { Said } from './slot-round.ts'
import type { Vote } from './vote.ts'
import { readVote, writeVote } from './vote.ts'

const VOTES_MAX = 0xffff_ffff

type Record = { readonly key: string; readonly value: Uint8Array }

/** `votes` by number, `proposal` by proposer, `body` by hash. */
type Kind = 'votes' | 'proposal' | 'body'

export const journalPrefix = (incarnation: bigint): string => `${incarnation}/log/`

export class Journal {
  readonly #prefix: string
  readonly #records: Map<string, Uint8Array>
  /** Of the next list of votes: above every number on disk. */
  #next = 0

  /** `records`: of earlier lives, those of other parts and time lines among them. */
  constructor(records: ReadonlyMap<string, Uint8Array>, incarnation: bigint) {
    this.#prefix = journalPrefix(incarnation)
    this.#records = new Map([...records].filter(([key]) => key.startsWith(this.#prefix)))
    for (const key of this.#records.keys()) {
      const [, kind, number] = key.slice(this.#prefix.length).split('/')
      if (kind === 'votes') this.#next = Math.max(this.#next, Number(number) + 1)
    }
  }

  /** What has to be on disk before the votes leave. */
  write(slot: bigint, { votes, proposals, bodies }: Said): readonly Record[] {
    const fresh: Record[] = []
    const put = (kind: Kind, name: string, value: Uint8Array): void => {
      const key = `${this.#of(slot)}${kind}/${name}`
      if (this.#records.has(key)) return
      this.#records.set(key, value)
      fresh.push({ key, value })
    }
    for (const { hash, body } of bodies) put('body', toHex(hash), body)
    for (const { instance, bytes } of proposals) put('proposal', String(instance), bytes)
    const number = String(this.#next++).padStart(12, '0')
    put('votes', number, new Writer().list(votes, writeVote).done())
    return fresh
  }

  /** All that was said in a slot, in that order. */
  read(slot: bigint): Said {
    const votes: Vote[] = []
    const proposals: { instance: number; bytes: Uint8Array }[] = []
    const bodies: { hash: Hash32; body: Uint8Array }[] = []
    for (const [name, value] of this.#entries(slot)) {
      const [kind, rest = ''] = name.split('/')
      if (kind === 'votes') votes.push(...readVotes(value))
      if (kind === 'proposal') proposals.push({ instance: Number(rest), bytes: value })
      if (kind === 'body') bodies.push({ hash: hash32(sha256(value)), body: value })
    }
    return { votes, proposals, bodies }
  }

  /** Keys of slots below `slot`, which nobody needs any more. */
  forgetBelow(slot: bigint): readonly string[] {
    const limit = this.#of(slot)
    const keys = [...this.#records.keys()].filter((key) => key < limit)
    for (const key of keys) this.#records.delete(key)
    return keys
  }

  #of(slot: bigint): string {
    return `${this.#prefix}${slot.toString(16).padStart(16, '0')}/`
  }

  #entries(slot: bigint): readonly (readonly [string, Uint8Array])[] {
    const prefix = this.#of(slot)
    return [...this.#records]
      .filter(([key]) => key.startsWith(prefix))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key.slice(prefix.length), value] as const)
  }
}

function readVotes(bytes: Uint8Array): readonly Vote[] {
  const reader = new Reader(bytes)
  return reader.end(reader.list(readVote, VOTES_MAX))
}
