/**
 * Goal: each case of the table of refusals about votes, proposals and catch-up is refused as it says.
 * Method: threshold specification §21; one slot at node 0 of four, that hears what the case says.
 */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { Reader, Writer } from '../../../src/core/base/codec.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { ROUNDS_AHEAD_MAX } from '../../../src/core/log/agreement.ts'
import { CatchUp } from '../../../src/core/log/catch-up.ts'
import { EarlyVotes } from '../../../src/core/log/early-votes.ts'
import { decodeLogMessage, encodeLogMessage } from '../../../src/core/log/message.ts'
import { encodeProposal, PROPOSED_BODIES_MAX } from '../../../src/core/log/proposal.ts'
import { SlotRound } from '../../../src/core/log/slot-round.ts'
import type { Vote } from '../../../src/core/log/vote.ts'
import { readVote, writeVote } from '../../../src/core/log/vote.ts'
import { Witness } from '../../../src/core/log/witness.ts'

const [NODES, ME, LIAR, INCARNATION] = [4, 0, 3, 7n]
const [one, other] = [sha256(utf8('one')), sha256(utf8('other'))]

/** A slot at node 0, and who was blamed there. */
function slotRound() {
  const faults: string[] = []
  const round = new SlotRound({
    slot: 5n,
    incarnation: INCARNATION,
    nodes: NODES,
    me: ME,
    coin: {
      isShared: () => false,
      share: () => undefined,
      combine: () => ({ value: undefined, blamed: [] }),
    },
    body: () => undefined,
    fault: (culprit, reason) => faults.push(`${culprit} ${reason.split(':')[0]}`),
  })
  /** Votes that it then says, by kind and instance. */
  const says = (): readonly string[] => {
    round.settle()
    return round
      .take()
      .votes.flatMap((vote) => (vote.type === 'initial' ? [] : [`${vote.type} ${vote.instance}`]))
  }
  return { round, faults, says }
}

const proposalOf = (...items: readonly Uint8Array[]): Uint8Array =>
  encodeProposal({ clock: timestampNs(9n), items: items.map((item) => sha256(item)) })

describe('a vote', () => {
  const instance = 2
  test.each<[string, Vote, Vote]>([
    [
      '§21 vote: second aux',
      { type: 'aux', instance, round: 0, value: 0 },
      { type: 'aux', instance, round: 0, value: 1 },
    ],
    [
      '§21 vote: conf',
      { type: 'conf', instance, round: 0, values: 1 },
      { type: 'conf', instance, round: 0, values: 3 },
    ],
    ['§21 vote: term', { type: 'term', instance, value: 0 }, { type: 'term', instance, value: 1 }],
    [
      '§21 vote: echo',
      { type: 'echo', instance, hash: one },
      { type: 'echo', instance, hash: other },
    ],
    [
      '§21 vote: ready of a sender',
      { type: 'ready', instance, hash: one },
      { type: 'ready', instance, hash: other },
    ],
  ])(
    '%s: the first counts, a copy changes nothing, another is a contradiction',
    (_, first, second) => {
      const { round, says } = slotRound()
      expect(round.receive(LIAR, [first])).toBe(true)
      const kept = round.votes
      expect([round.receive(LIAR, [first]), round.votes]).toEqual([true, kept])
      expect([round.receive(LIAR, [second]), round.votes]).toEqual([false, kept])
      // Were the second counted, one honest vote beside it would be f + 1.
      round.receive(1, [second])
      expect(says().filter((vote) => vote.startsWith('ready') || vote.startsWith('term'))).toEqual(
        [],
      )
    },
  )

  test('§21 vote: of another incarnation', () => {
    const signature = new Uint8Array(64)
    const votes = [{ type: 'term', instance, value: 1 } as const]
    const bytes = encodeLogMessage(INCARNATION, {
      type: 'votes',
      slot: 5n,
      life: 0n,
      votes,
      signature,
    })
    expect(decodeLogMessage(INCARNATION + 1n, bytes)).toBeUndefined()
    expect(decodeLogMessage(INCARNATION, bytes)).toBeDefined()
  })

  test('§21 vote: life', () => {
    const lifeOf = (node: number): bigint => (node === LIAR ? 9n : 0n)
    const early = new EarlyVotes(NODES)
    const votes = [{ type: 'term', instance, value: 1 } as const]
    early.hear(LIAR, { slot: 6n, life: 0n, votes }, 6n)
    early.hear(1, { slot: 6n, life: 0n, votes }, 6n)
    expect([...early.enter(6n, lifeOf).votes.keys()]).toEqual([1])
    const witness = new Witness({
      nodes: NODES,
      me: ME,
      prefix: new Uint8Array(),
      verify: () => true,
      life: 0n,
      lifeOf,
      checksPast: false,
    })
    const said = { type: 'votes', slot: 6n, votes, signature: new Uint8Array(64) } as const
    const counts = [0n, 9n].map((life) =>
      [LIAR, 1].map((n) => witness.counts(n, { ...said, life })),
    )
    expect(counts).toEqual([
      [false, true],
      [true, false],
    ])
  })

  test('§21 vote: of a round, beyond own + 16', () => {
    const { round } = slotRound()
    const at = (number: number): Vote => ({ type: 'aux', instance, round: number, value: 0 })
    expect([round.receive(LIAR, [at(ROUNDS_AHEAD_MAX + 1)]), round.votes]).toEqual([true, 0])
    expect([round.receive(LIAR, [at(ROUNDS_AHEAD_MAX)]), round.votes]).toEqual([true, 1])
  })

  test('§21 vote: slot beyond §17.8', () => {
    const early = new EarlyVotes(NODES)
    const votes = [{ type: 'term', instance, value: 1 } as const]
    early.hear(LIAR, { slot: 7n, life: 0n, votes }, 6n)
    expect(early.size).toBe(0)
    early.hear(LIAR, { slot: 6n, life: 0n, votes }, 6n)
    expect(early.size).toBe(1)
  })

  test('§21 empty: conf with the empty set, which no byte says', () => {
    const writer = new Writer()
    writeVote(writer, { type: 'conf', instance, round: 0, values: 1 })
    const [, ...rest] = writer.done()
    const sets = Array.from({ length: 256 }, (_, tag) => {
      const read = attempt(() => readVote(new Reader(Uint8Array.of(tag, ...rest))))
      return !(read instanceof BadEncoding) && read.type === 'conf' ? [read.values] : []
    })
    expect(sets.flat()).toEqual([1, 2, 3])
  })
})

test('votes about nodes that there are not are blamed once a message, and the others count', () => {
  const { round, faults } = slotRound()
  const about = (instance: number): Vote => ({ type: 'term', instance, value: 1 })
  expect(round.receive(LIAR, [about(4), about(2), about(255), about(4)])).toBe(true)
  expect([faults, round.votes]).toEqual([[`${LIAR} BadEncoding`], 1])
})

describe('a proposal', () => {
  const initial = (proposal: Uint8Array): Vote => ({ type: 'initial', proposal })

  test('that is one is echoed', () => {
    const { round, faults, says } = slotRound()
    round.receive(LIAR, [initial(proposalOf())])
    expect([says(), faults]).toEqual([[`echo ${LIAR}`], []])
  })

  test.each<[string, Uint8Array]>([
    ['§21 empty: proposal that does not decode', utf8('nothing')],
    [
      '§21 empty: proposal that does not decode, with a byte too many',
      Uint8Array.of(...proposalOf(), 0),
    ],
    ['§21 empty: proposal that does not decode, with an item twice', proposalOf(one, one)],
    [
      '§21 empty: breaks §23, by the number of its items',
      proposalOf(...Array.from({ length: 501 }, (_, i) => utf8(`item ${i}`))),
    ],
  ])('%s: not echoed, its node blamed', (_, bytes) => {
    const { round, faults, says } = slotRound()
    round.receive(LIAR, [initial(bytes)])
    expect([says(), faults]).toEqual([[], [`${LIAR} BadEncoding`]])
  })

  test('§21 empty: breaks §23, by the size of its items', () => {
    const { round, says } = slotRound()
    const large = [0, 1, 2].map((i) => new Uint8Array(PROPOSED_BODIES_MAX / 2).fill(i))
    round.receive(LIAR, [initial(proposalOf(...large))])
    for (const body of large) {
      expect(says()).toEqual([])
      round.offer(sha256(body), body)
    }
    expect(says()).toEqual([])
  })

  test('§21 body: proposal naming a body that its proposer does not give', () => {
    const { round, says } = slotRound()
    const [here, gone] = [utf8('here'), utf8('gone')]
    round.receive(LIAR, [initial(proposalOf(here, gone))])
    round.offer(sha256(here), here)
    expect(says()).toEqual([])
    round.offer(sha256(gone), gone)
    expect(says()).toEqual([`echo ${LIAR}`])
  })
})

test('§21 catch-up: catch-up answers with f equal hashes', () => {
  const catchUp = new CatchUp(NODES, INCARNATION)
  catchUp.heard(LIAR, 0n, [one])
  catchUp.heard(LIAR, 0n, [one])
  expect([catchUp.agreed(0n), catchUp.holderToAsk(0n, ME)]).toEqual([undefined, undefined])
  catchUp.heard(1, 0n, [one])
  expect([catchUp.agreed(0n), catchUp.holderToAsk(0n, ME)]).toEqual([one, LIAR])
})
