/**
 * What this node has said in the slots that are still open: on disk before it leaves, and said again
 * when asked. Source: threshold §§17.8, 18.4.
 */
import { toHex } from '../base/bytes.ts'
import { Writer } from '../base/codec.ts'
import { Journal } from './journal.ts'
import type { LogConfig, LogOutput } from './log-io.ts'
import type { VotesMessage } from './message.ts'
import { votesContent } from './message.ts'
import type { SlotRound } from './slot-round.ts'
import type { Vote } from './vote.ts'
import { writeVote } from './vote.ts'

type Signer = Pick<LogConfig, 'sign' | 'prefix' | 'records' | 'incarnation' | 'life'>

export class OwnVotes {
  readonly #signer: Signer
  readonly #journal: Journal
  readonly #said = new Map<bigint, Vote[]>()

  constructor(signer: Signer) {
    this.#signer = signer
    this.#journal = new Journal(signer.records, signer.incarnation)
  }

  /** What the round owes to all: records, and after them one message. */
  take(
    round: SlotRound,
  ): { readonly records: readonly LogOutput[]; readonly message: VotesMessage } | undefined {
    const said = round.take()
    if (said.votes.length === 0) return undefined
    const { slot } = round
    const written = this.#journal.write(slot, said)
    this.#said.set(slot, [...(this.#said.get(slot) ?? []), ...said.votes])
    return {
      records: written.map((record) => ({ type: 'record', ...record })),
      message: this.#signed(slot, said.votes),
    }
  }

  /** Where a vote is recorded, the node says that one, whatever it would say now. */
  resume(round: SlotRound): void {
    const said = this.#journal.read(round.slot)
    if (said.votes.length === 0) return
    this.#said.set(round.slot, [...said.votes])
    round.resume(said)
  }

  /** Everything said in a slot; undefined for nothing. */
  again(slot: bigint): VotesMessage | undefined {
    const votes = this.#said.get(slot)
    return votes && this.#signed(slot, votes)
  }

  #signed(slot: bigint, votes: readonly Vote[]): VotesMessage {
    const { sign, prefix, life } = this.#signer
    const signature = sign(votesContent(prefix, { slot, life, votes }))
    return { type: 'votes', slot, life, votes, signature }
  }

  /** Whether all of these were said, as far as the records tell. */
  holds({ slot, votes }: VotesMessage): boolean {
    const said = new Set((this.#said.get(slot) ?? this.#journal.read(slot).votes).map(nameOf))
    return votes.every((vote) => said.has(nameOf(vote)))
  }

  /** Whoever lacks a slot below has other ways to come to it. */
  forgetBelow(slot: bigint): readonly LogOutput[] {
    for (const number of this.#said.keys()) if (number < slot) this.#said.delete(number)
    const keys = this.#journal.forgetBelow(slot)
    return keys.length === 0 ? [] : [{ type: 'forget', keys }]
  }
}

function nameOf(vote: Vote): string {
  const writer = new Writer()
  writeVote(writer, vote)
  return toHex(writer.done())
}
