/** What a node gives to a peer that asks. Source: threshold §§17.2, 17.7, 17.8 rule 2. */
import type { Hash32 } from '../base/bytes.ts'
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { Allowance } from './allowance.ts'
import type { SlotDisk } from './log-io.ts'
import type { LogMessage, VotesMessage } from './message.ts'
import { COPY_SIZE_MAX, SLOTS_SHOWN_MAX } from './message.ts'
import type { OwnVotes } from './own-votes.ts'
import type { Pool } from './pool.ts'
import type { SlotRound } from './slot-round.ts'
import { COIN_SHARE_SIZE } from './vote.ts'
import type { Witness } from './witness.ts'

type Want = Extract<LogMessage, { readonly type: 'want' }>
type Question = Extract<LogMessage, { readonly type: 'want' | 'resend' | 'copy' }>

/** Who asks, and when. */
export type Asker = { readonly from: NodeIndex; readonly now: TimestampNs }

export class Answers {
  readonly #disk: SlotDisk
  readonly #pool: Pool
  readonly #votes: OwnVotes
  readonly #witness: Witness
  readonly #allowance = new Allowance()

  constructor(
    disk: SlotDisk,
    pool: Pool,
    own: { readonly votes: OwnVotes; readonly witness: Witness },
  ) {
    this.#disk = disk
    this.#pool = pool
    this.#votes = own.votes
    this.#witness = own.witness
  }

  /** The link to a peer came back: the answer to its last question may be lost. */
  linked(peer: NodeIndex): void {
    this.#allowance.linked(peer)
  }

  /** `rounds`: the slots that this node takes part in. */
  to(
    asker: Asker,
    question: Question,
    rounds: readonly (SlotRound | undefined)[],
  ): readonly LogMessage[] {
    switch (question.type) {
      case 'want': {
        const round = rounds.find((one) => one?.slot === question.slot)
        return round === undefined ? [] : this.#want(asker, question, round)
      }
      case 'resend':
        return this.#resend(asker, question.slot)
      case 'copy':
        return this.#copy(asker, question.first)
    }
  }

  /** A proposal of an open slot, or items that it names. */
  #want(
    { from, now }: Asker,
    { slot, instance, hash, items }: Want,
    round: SlotRound,
  ): readonly LogMessage[] {
    const proposal = items.length > 0 ? undefined : round.proposalOf(instance, hash)
    const bodies = items.map((name) => round.bodyOf(name) ?? this.#pool.body(name))
    const answers: LogMessage[] = [
      ...(proposal === undefined ? [] : [{ type: 'proposal', slot, instance, proposal } as const]),
      ...bodies.flatMap((item) => (item === undefined ? [] : [{ type: 'body', item } as const])),
    ]
    return answers.filter((answer) => this.#allowance.mayGive(from, sizeOf(answer), now))
  }

  /** The asker's last votes, own ones as they were said, own items, and the slots that are decided from there on. */
  #resend({ from, now }: Asker, slot: bigint): readonly LogMessage[] {
    if (!this.#allowance.mayResend(from, slot, now)) return []
    // First: who starts waits for it. It is as large as the asker has made it.
    const last = this.#witness.lastOf(from)
    const isGiven = last === undefined || this.#allowance.mayGive(from, sizeOfVotes(last), now)
    const heard = isGiven ? [{ type: 'heard', last } as const] : []
    const votes = this.#votes.again(slot)
    const items = this.#pool
      .own()
      .filter((item) => this.#allowance.mayGive(from, item.length, now))
      .map((item) => ({ type: 'item', item }) as const)
    const hashes = this.#hashes(slot)
    return [
      ...heard,
      ...(votes === undefined ? [] : [votes]),
      ...items,
      ...(hashes.length === 0 ? [] : [{ type: 'decided', first: slot, hashes } as const]),
    ]
  }

  #hashes(first: bigint): readonly Hash32[] {
    const hashes: Hash32[] = []
    for (let number = first; hashes.length < SLOTS_SHOWN_MAX; number++) {
      const hash = this.#disk.hashAt(number)
      if (hash === undefined) return hashes
      hashes.push(hash)
    }
    return hashes
  }

  /** Slots from `first` on. */
  #copy({ from, now }: Asker, first: bigint): readonly LogMessage[] {
    if (!this.#allowance.mayCopy(from, now)) return []
    const contents: Uint8Array[] = []
    let size = 0
    for (let number = first; contents.length < SLOTS_SHOWN_MAX; number++) {
      const content = this.#disk.contentAt(number)
      if (content === undefined) break
      if (contents.length > 0 && size + content.length > COPY_SIZE_MAX) break
      size += content.length
      contents.push(content)
    }
    if (contents.length === 0 || !this.#allowance.mayGive(from, size, now)) return []
    return [{ type: 'slots', contents }]
  }
}

/** Bytes of votes: the largest but for `initial` is a share of the coin. */
const sizeOfVotes = ({ votes }: VotesMessage): number =>
  votes.reduce(
    (sum, vote) => sum + (vote.type === 'initial' ? vote.proposal.length : COIN_SHARE_SIZE),
    0,
  )

const sizeOf = (message: LogMessage): number => {
  if (message.type === 'proposal') return message.proposal.length
  return message.type === 'body' ? message.item.length : 0
}
