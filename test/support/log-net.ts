/**
 * Logs of one subnet over a seeded hostile network: messages are delayed, reordered, repeated, lost
 * at crashes and partitioned; some nodes lie. A checker outside the system watches for forks.
 */
import { concat, equalBytes, hash32, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax, reconstructionThreshold } from '../../src/core/base/party.ts'
import { bytesInput, integerInput, oracleBytes } from '../../src/core/base/random-oracle.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../../src/core/base/units.ts'
import type { Coin, Toss } from '../../src/core/log/coin.ts'
import { lowestBit } from '../../src/core/log/coin.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import type { LogAlarm, LogInput, LogOutput, SlotDisk } from '../../src/core/log/log-io.ts'
import { LogParty } from '../../src/core/log/log-party.ts'
import { encodeSlot, slotHash } from '../../src/core/log/slot-codec.ts'
import { Random } from './random.ts'

const INCARNATION = 7n
const GENESIS = sha256(utf8('log-net'))
/** Where virtual clocks begin: the exact value has no meaning. */
const EPOCH_MS = 1_000_000

export type Message = {
  readonly from: NodeIndex
  readonly to: NodeIndex
  readonly bytes: Uint8Array
}

/** What a lying node makes of what it would send; it may send more, or nothing. */
export type Lie = (message: Message, random: Random) => readonly Message[]

/** How long a message is on its way; undefined loses it. */
export type Schedule = (message: Message, random: Random, nowMs: number) => number | undefined

export type LogNetOptions = {
  readonly nodes: number
  readonly seed: string
  readonly liars?: ReadonlyMap<NodeIndex, Lie>
  readonly schedule?: Schedule
  /** Milliseconds by which the clock of a node is ahead. */
  readonly skewMs?: (node: NodeIndex) => number
  /** From this slot on the coin needs shares. */
  readonly sharedFrom?: bigint
}

class MemoryDisk implements SlotDisk {
  readonly slots: Slot[] = []
  readonly contents: Uint8Array[] = []
  readonly hashes: ReturnType<typeof slotHash>[] = []

  get position(): LogPosition {
    const next = BigInt(this.slots.length)
    return { next, previous: this.hashes.at(-1) ?? GENESIS, time: this.slots.at(-1)?.time }
  }
  append(slot: Slot): void {
    const content = encodeSlot({ incarnation: INCARNATION, slot })
    this.hashes.push(slotHash(this.hashes.at(-1) ?? GENESIS, content))
    this.contents.push(content)
    this.slots.push(slot)
  }
  contentAt(slot: bigint): Uint8Array | undefined {
    return this.contents[Number(slot)]
  }
  hashAt(slot: bigint): ReturnType<typeof slotHash> | undefined {
    return this.hashes[Number(slot)]
  }
}

type Event =
  | { readonly type: 'message'; readonly message: Message; readonly life: number }
  | {
      readonly type: 'alarm'
      readonly node: NodeIndex
      readonly name: LogAlarm
      readonly id: number
    }
  | {
      readonly type: 'executed'
      readonly node: NodeIndex
      readonly life: number
      readonly slot: Slot
    }
  | { readonly type: 'act'; readonly act: () => void }

type Node = {
  readonly disk: MemoryDisk
  readonly records: Map<string, Uint8Array>
  readonly alarms: Map<LogAlarm, number>
  party: LogParty | undefined
  /** Counts starts: what was on its way to an earlier life is lost. */
  life: number
}

export class LogNet {
  readonly random: Random
  readonly nodes: Node[] = []
  readonly faults: {
    readonly seenBy: NodeIndex
    readonly culprit: NodeIndex
    readonly reason: string
  }[] = []
  /** Messages that nodes sent. */
  sent = 0
  /** The most rounds and bytes are for measurements of tests. */
  sentBytes = 0
  nowMs = 0
  readonly #options: LogNetOptions
  readonly #events: { readonly at: number; readonly order: number; readonly event: Event }[] = []
  #order = 0
  #alarmId = 0

  constructor(options: LogNetOptions) {
    this.#options = options
    this.random = new Random(options.seed)
    for (let i = 0; i < options.nodes; i++)
      this.nodes.push({
        disk: new MemoryDisk(),
        records: new Map(),
        alarms: new Map(),
        party: undefined,
        life: 0,
      })
    for (let i = 0; i < options.nodes; i++) this.start(i)
  }

  node(index: NodeIndex): Node {
    return present(this.nodes[index], 'a node of this net')
  }

  isHonest(index: NodeIndex): boolean {
    return this.#options.liars?.has(index) !== true
  }

  get honest(): readonly NodeIndex[] {
    return this.nodes.map((_, i) => i).filter((i) => this.isHonest(i))
  }

  #clock(node: NodeIndex): TimestampNs {
    const ms = Math.floor(EPOCH_MS + this.nowMs + (this.#options.skewMs?.(node) ?? 0))
    return timestampNs(BigInt(Math.max(0, ms)) * NS_PER_MS)
  }

  /** Starts a node, or starts it again from its disk; what it had not recorded is gone. */
  start(index: NodeIndex): void {
    const node = this.node(index)
    node.life += 1
    node.alarms.clear()
    const { nodes } = this.#options
    node.party = new LogParty(
      {
        nodes,
        me: index,
        incarnation: INCARNATION,
        from: 0n,
        disk: node.disk,
        records: new Map(node.records),
        coin: this.#coin(index),
        sign: (content) => concat(sha256(content), sha256(Uint8Array.of(index))),
        verify: (from, content, signature) =>
          equalBytes(signature, concat(sha256(content), sha256(Uint8Array.of(from)))),
        prefix: GENESIS,
        isPlausible: (item) => item.length > 0,
      },
      this.#clock(index),
    )
    this.input(index, { type: 'start' })
    for (const other of this.nodes.keys())
      if (other !== index) this.input(other, { type: 'linked', peer: index })
  }

  stop(index: NodeIndex): void {
    const node = this.node(index)
    node.party = undefined
    node.life += 1
    node.alarms.clear()
  }

  isUp(index: NodeIndex): boolean {
    return this.node(index).party !== undefined
  }

  /** Shares are hashes that anybody can check, and nobody tosses with fewer than f + 1 of them. */
  #coin(me: NodeIndex): Coin {
    const { nodes, sharedFrom = 0n } = this.#options
    const shareOf = (node: NodeIndex, { slot, instance, round }: Toss): Uint8Array =>
      oracleBytes(
        'test-coin-share',
        {
          node: integerInput(BigInt(node)),
          slot: integerInput(slot),
          instance: integerInput(BigInt(instance)),
          round: integerInput(BigInt(round)),
          seed: bytesInput(utf8(this.#options.seed)),
        },
        48,
      )
    return {
      isShared: (slot) => slot >= sharedFrom,
      share: (toss) => shareOf(me, toss),
      combine: (toss, shares) => {
        const blamed = [...shares]
          .filter(([i, s]) => !equalBytes(s, shareOf(i, toss)))
          .map(([i]) => i)
        const isEnough = shares.size - blamed.length >= reconstructionThreshold(nodes)
        return { value: isEnough ? lowestBit(shareOf(nodes, toss)) : undefined, blamed }
      },
    }
  }

  submit(node: NodeIndex, item: Uint8Array): void {
    this.input(node, { type: 'submit', item })
  }

  input(index: NodeIndex, input: LogInput): void {
    const { party } = this.node(index)
    if (party !== undefined) this.#perform(index, party.step(input, this.#clock(index)))
  }

  /** Does something at a later moment. */
  later(afterMs: number, act: () => void): void {
    this.#push(afterMs, { type: 'act', act })
  }

  /** A fork, a gap or a slot out of time is an error at once. */
  #perform(index: NodeIndex, outputs: readonly LogOutput[]): void {
    const node = this.node(index)
    const { life } = node
    for (const output of outputs)
      switch (output.type) {
        case 'record':
          node.records.set(output.key, output.value)
          break
        case 'forget':
          for (const key of output.keys) node.records.delete(key)
          break
        case 'send':
          this.#send(index, output.to, output.bytes)
          break
        case 'alarm': {
          const id = this.#alarmId++
          node.alarms.set(output.name, id)
          this.#push(output.afterMs, { type: 'alarm', node: index, name: output.name, id })
          break
        }
        case 'fault':
          this.faults.push({ seenBy: index, culprit: output.culprit, reason: output.reason })
          break
        case 'slot':
          this.#deliver(index, output.slot)
          this.#push(this.random.below(3), {
            type: 'executed',
            node: index,
            life,
            slot: output.slot,
          })
      }
  }

  #deliver(index: NodeIndex, slot: Slot): void {
    const { disk } = this.node(index)
    if (slot.number === disk.position.next) disk.append(slot)
    if (!this.isHonest(index)) return
    for (const other of this.honest) {
      const [mine, theirs] = [disk.hashAt(slot.number), this.node(other).disk.hashAt(slot.number)]
      if (mine !== undefined && theirs !== undefined && !equalBytes(mine, theirs))
        throw new Error(`fork in slot ${slot.number} between ${index} and ${other}`)
    }
  }

  #send(from: NodeIndex, to: NodeIndex | 'all', bytes: Uint8Array): void {
    const targets = to === 'all' ? this.nodes.map((_, i) => i) : [to]
    for (const target of targets) {
      if (target === from) continue
      const message = { from, to: target, bytes }
      const lie = this.#options.liars?.get(from)
      for (const said of lie === undefined ? [message] : lie(message, this.random)) this.#post(said)
    }
  }

  #post(message: Message): void {
    this.sent += 1
    this.sentBytes += message.bytes.length
    const { schedule = defaultSchedule } = this.#options
    const delay = schedule(message, this.random, this.nowMs)
    if (delay === undefined) return
    const { life } = this.node(message.to)
    this.#push(delay, { type: 'message', message, life })
  }

  #push(afterMs: number, event: Event): void {
    const entry = { at: this.nowMs + afterMs, order: this.#order++, event }
    let [low, high] = [0, this.#events.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = present(this.#events[middle], 'inside')
      // Descending, so that the next one is popped.
      if (other.at > entry.at || (other.at === entry.at && other.order > entry.order))
        low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, entry)
  }

  /** Runs until `until` holds, nothing is left to do, or virtual time is over. Whether it holds. */
  run(until: () => boolean, forMs = 600_000): boolean {
    const end = this.nowMs + forMs
    while (!until()) {
      const next = this.#events.at(-1)
      if (next === undefined || next.at > end) return until()
      this.#events.pop()
      this.nowMs = next.at
      this.#handle(next.event)
    }
    return true
  }

  #handle(event: Event): void {
    switch (event.type) {
      case 'act':
        event.act()
        return
      case 'message': {
        const { from, to, bytes } = event.message
        if (this.node(to).life === event.life) this.input(to, { type: 'message', from, bytes })
        return
      }
      case 'alarm':
        if (this.node(event.node).alarms.get(event.name) !== event.id) return
        this.node(event.node).alarms.delete(event.name)
        this.input(event.node, { type: 'alarm', name: event.name })
        return
      case 'executed':
        if (this.node(event.node).life === event.life)
          this.input(event.node, { type: 'executed', wasQuiet: event.slot.items.length === 0 })
    }
  }

  /** Slots that a node has. */
  height(index: NodeIndex): number {
    return this.node(index).disk.slots.length
  }

  /** Whether an item is in the log of a node. */
  has(index: NodeIndex, item: Uint8Array): boolean {
    return this.node(index).disk.slots.some(({ items }) =>
      items.some((one) => equalBytes(one, item)),
    )
  }

  /** Hash of the newest slot: the same logs have the same. */
  head(index: NodeIndex): Uint8Array {
    return hash32(this.node(index).disk.position.previous)
  }
}

const defaultSchedule: Schedule = (_message, random) => 1 + random.below(20)

/** The first f nodes in a seeded order. */
export function someNodes(nodes: number, random: Random): readonly NodeIndex[] {
  const order = Array.from({ length: nodes }, (_, i) => i)
  return random.shuffle(order).slice(0, faultyMax(nodes))
}

export const itemOf = (text: string): Uint8Array => utf8(text)
