/**
 * Goal: whoever asks again and again gets so much in a second, and costs so much work. Source:
 * threshold §17.8 rule 2.
 *
 * Method: node 0 alone, asked by node 3; what it reads and what it says is counted.
 */
import { describe, expect, it } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { ANSWERED_SIZE_MAX, COPIED_MAX, RESENT_MAX } from '../../../src/core/log/allowance.ts'
import { Answers } from '../../../src/core/log/answers.ts'
import type { SlotDisk } from '../../../src/core/log/log-io.ts'
import type { LogMessage, VotesMessage } from '../../../src/core/log/message.ts'
import { OwnVotes } from '../../../src/core/log/own-votes.ts'
import { Pool } from '../../../src/core/log/pool.ts'
import { PROPOSAL_SIZE_MAX } from '../../../src/core/log/proposal.ts'
import { Witness } from '../../../src/core/log/witness.ts'
import { encoded, GENESIS, MemorySlots, signAs, verifyAs } from '../../support/log-world.ts'

const [NODES, ME, ASKER] = [4, 0, 3]
const MIB = 1024 * 1024
const SECOND = 1_000_000_000n

/** Counts what is read of it. */
class Disk implements SlotDisk {
  readonly position = new MemorySlots().position
  readonly #size: number
  reads = 0

  constructor(size: number) {
    this.#size = size
  }

  contentAt(): Uint8Array {
    this.reads += 1
    return new Uint8Array(this.#size)
  }

  hashAt(): undefined {
    return undefined
  }
}

function answering(slotSize: number) {
  const disk = new Disk(slotSize)
  const options = {
    nodes: NODES,
    me: ME,
    incarnation: 7n,
    prefix: GENESIS,
    records: new Map(),
    life: 0n,
    lifeOf: () => 0n,
    checksPast: false,
    sign: (content: Uint8Array) => signAs(ME, content),
    verify: verifyAs,
  }
  const witness = new Witness(options)
  const pool = new Pool(NODES, ME)
  const answers = new Answers(disk, pool, { votes: new OwnVotes(options), witness })
  const sizes = (question: Parameters<Answers['to']>[1], ns: bigint): readonly number[] =>
    answers
      .to({ from: ASKER, now: timestampNs(ns) }, question, [])
      .map((answer: LogMessage) => encoded(answer).length)
  return { disk, witness, sizes, linked: () => answers.linked(ASKER) }
}

const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)

describe('in a second', () => {
  it('slots are read so often for one node, and as much of them is given', () => {
    const { disk, sizes } = answering(3 * MIB)
    const ask = (ns: bigint): number => sum(sizes({ type: 'copy', first: 0n }, ns))
    const given = Array.from({ length: 1_000 }, (_, i) => ask(BigInt(i)))
    expect(sum(given)).toBeLessThanOrEqual(ANSWERED_SIZE_MAX + MIB)
    // Two slots fit into a copy, and the third is looked at.
    expect(disk.reads).toBe(3 * COPIED_MAX)
    expect(ask(SECOND)).toBeGreaterThan(6 * MIB)
  })

  it('votes are said again once, and once more when the link comes back', () => {
    const { sizes, linked } = answering(1)
    const ask = (): number => sizes({ type: 'resend', slot: 0n }, 0n).length
    expect([ask(), ask()]).toEqual([1, 0])
    linked()
    expect([ask(), ask()]).toEqual([1, 0])
  })

  it('its own votes are shown to it so far, however large it has made them', () => {
    const { witness, sizes } = answering(1)
    const proposal = new Uint8Array(PROPOSAL_SIZE_MAX)
    const term = { type: 'term', instance: 0, value: 1 } as const
    const last: VotesMessage = {
      type: 'votes',
      slot: 1n,
      life: 0n,
      votes: [{ type: 'initial', proposal }, ...Array.from({ length: 19_000 }, () => term)],
      signature: new Uint8Array(64),
    }
    witness.heard(ASKER, last)
    const ask = (slot: number, ns: bigint): number =>
      sum(sizes({ type: 'resend', slot: BigInt(slot) }, ns))
    const given = Array.from({ length: 2 * RESENT_MAX }, (_, i) => ask(i, 0n))
    expect(given[0]).toBeGreaterThan(PROPOSAL_SIZE_MAX)
    expect(sum(given)).toBeLessThanOrEqual(ANSWERED_SIZE_MAX + MIB)
    expect(ask(0, SECOND)).toBe(given[0])
  })
})
