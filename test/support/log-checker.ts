/**
 * A witness outside the system: whether honest nodes have one log and never contradict themselves,
 * over all their lives. Source: threshold §22.4.
 */
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { equalBytes, toHex } from '../../src/core/base/bytes.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Slot } from '../../src/core/log/log.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import type { Vote } from '../../src/core/log/vote.ts'
import { INCARNATION, votesBytes } from './log-world.ts'

/** What a simulated run must never show. */
export class Wrong extends Error {}

/** Behind the incarnation. */
const TAG_AT = 8
const VOTES_TAG = votesBytes(0, 0n, [])[TAG_AT]

export type Line = {
  readonly incarnation: bigint
  /** Number of its first slot. */
  readonly first: bigint
  /** Of the slot before it, if there is one. */
  readonly time?: bigint | undefined
}

export class LogChecker {
  readonly #nodes: number
  readonly #line: Line
  /** Hash of each slot, from the first honest node that delivered it. */
  readonly #log: Hash32[] = []
  readonly #times: bigint[] = []
  /** All votes of honest nodes, ever. */
  readonly #said = new Map<string, string>()
  /** The highest round that an honest node has voted in. */
  roundMax = 0
  /** Votes by kind, copies left out. */
  readonly counts = new Map<Vote['type'], number>()

  constructor(nodes: number, line: Line = { incarnation: INCARNATION, first: 0n }) {
    this.#nodes = nodes
    this.#line = line
  }

  /** An honest node delivers a slot; `isLiar` tells whose clocks count for nothing. */
  delivered(node: NodeIndex, slot: Slot, hash: Hash32, isLiar: (node: NodeIndex) => boolean): void {
    const number = Number(slot.number - this.#line.first)
    const known = this.#log[number]
    if (known !== undefined) {
      if (!equalBytes(known, hash)) throw new Wrong(`fork in slot ${number} at node ${node}`)
      return
    }
    if (number !== this.#log.length) throw new Wrong(`gap before slot ${number} at node ${node}`)
    // n − f, counted here: the program's own number is under test.
    if (slot.proposers.length < this.#nodes - Math.floor((this.#nodes - 1) / 3))
      throw new Wrong(`slot ${number} of ${slot.proposers.length} proposals`)
    const before = this.#times.at(-1) ?? this.#line.time
    if (before !== undefined && slot.time <= before) throw new Wrong(`time of slot ${number}`)
    const clocks = slot.proposers.filter((one) => !isLiar(one.node)).map(({ clock }) => clock)
    const isInside =
      clocks.some((clock) => clock <= slot.time) && clocks.some((clock) => clock >= slot.time)
    const isForced = before !== undefined && slot.time === before + 1n
    if (!isInside && !isForced) throw new Wrong(`time of slot ${number} is no honest clock's`)
    this.#log.push(hash)
    this.#times.push(slot.time)
  }

  /** An honest node sends a message. */
  sent(node: NodeIndex, bytes: Uint8Array): void {
    if (bytes[TAG_AT] !== VOTES_TAG) return
    const message = decodeLogMessage(this.#line.incarnation, bytes)
    if (message?.type !== 'votes') return
    // Whatever its life: one that returns votes in no slot again.
    for (const vote of message.votes) this.#voted(`${node}/${message.slot}`, vote)
  }

  #voted(voter: string, vote: Vote): void {
    for (const [kind, value] of claimsOf(vote)) {
      const name = `${voter}/${kind}`
      const before = this.#said.get(name)
      if (before !== undefined && before !== value)
        throw new Wrong(`node and slot ${name}: ${before}, then ${value}`)
      if (before === undefined) this.counts.set(vote.type, (this.counts.get(vote.type) ?? 0) + 1)
      this.#said.set(name, value)
    }
    if ('round' in vote) this.roundMax = Math.max(this.roundMax, vote.round)
  }
}

/** What a vote settles once and for all: two values under one name are a contradiction. */
function claimsOf(vote: Vote): readonly (readonly [string, string])[] {
  switch (vote.type) {
    case 'initial':
      return [['initial', toHex(sha256(vote.proposal))]]
    case 'echo':
    case 'ready':
      return [[`${vote.type}/${vote.instance}`, toHex(vote.hash)]]
    case 'bval':
      return vote.isEstimate
        ? [[`estimate/${vote.instance}/${vote.round}`, String(vote.value)]]
        : [[`bval/${vote.instance}/${vote.round}/${vote.value}`, 'said']]
    case 'aux':
      return [[`aux/${vote.instance}/${vote.round}`, String(vote.value)]]
    case 'conf':
      return [[`conf/${vote.instance}/${vote.round}`, String(vote.values)]]
    case 'coin':
      return [[`coin/${vote.instance}/${vote.round}`, toHex(vote.share)]]
    case 'term':
      return [[`term/${vote.instance}`, String(vote.value)]]
  }
}
