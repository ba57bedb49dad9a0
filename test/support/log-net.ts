/**
 * Logs of one subnet over a seeded hostile network: messages are delayed, reordered, repeated and
 * lost; nodes crash at any step and come back; some nodes lie. `LogChecker` watches.
 */
import { createHash } from 'node:crypto'
import { toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { installSha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { faultyMax } from '../../src/core/base/party.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { Slot } from '../../src/core/log/log.ts'
import type { LogAlarm, LogInput, LogOutput } from '../../src/core/log/log-io.ts'
import { LogParty } from '../../src/core/log/log-party.ts'
import { nativeSha256 } from '../../src/native/sha256.ts'
import { EventQueue } from './event-queue.ts'
import { LinkStates } from './link-states.ts'
import { LogChecker } from './log-checker.ts'
import type { LogNetOptions, Message, NetEvent, Schedule } from './log-net-options.ts'
import {
  coinOf,
  GENESIS,
  INCARNATION,
  MemorySlots,
  returnItem,
  signAs,
  verifyAs,
  withoutOwnWord,
} from './log-world.ts'
import { Random } from './random.ts'

// As the program does.
installSha256(nativeSha256)

/** Where virtual clocks begin: the exact value has no meaning. */
const EPOCH_NS = 1_000_000_000_000n

type Node = {
  disk: MemorySlots
  records: Map<string, Uint8Array>
  /** The life that its votes name (§18.4). */
  voice: bigint
  readonly alarms: Map<LogAlarm, number>
  /** What its users want in the log: given to the log again at every start. */
  readonly wanted: Uint8Array[]
  party: LogParty | undefined
  /** Counts starts: what was on its way to an earlier life is lost. */
  life: number
  /** Life up to which what it sent last is lost, too. */
  lostLife: number
}

export class LogNet {
  readonly random: Random
  readonly nodes: readonly Node[]
  readonly checker: LogChecker
  readonly faults: {
    readonly seenBy: NodeIndex
    readonly culprit: NodeIndex
    readonly reason: string
  }[] = []
  /** Nodes that learnt that their disk was older than what they had said. */
  readonly rolledBack: NodeIndex[] = []
  /** Messages that nodes sent. */
  sent = 0
  sentBytes = 0
  crashes = 0
  nowMs = 0
  readonly #options: LogNetOptions
  readonly #events = new EventQueue<NetEvent>()
  readonly #hash = createHash('sha256')
  readonly #links = new LinkStates()
  #mayCrash = true
  #alarmId = 0

  constructor(options: LogNetOptions) {
    this.#options = options
    this.random = new Random(options.seed)
    this.checker = new LogChecker(options.nodes)
    this.nodes = Array.from({ length: options.nodes }, () => ({
      disk: new MemorySlots(),
      records: new Map(),
      voice: 0n,
      alarms: new Map(),
      wanted: [],
      party: undefined,
      life: 0,
      lostLife: -1,
    }))
    for (const i of this.nodes.keys()) this.start(i)
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
    const ns = EPOCH_NS + BigInt(Math.floor(this.nowMs * 1e6))
    return timestampNs(this.#options.clock?.(node, ns) ?? ns)
  }

  /** Starts a node, or starts it again from its disk; what it had not recorded is gone. */
  start(index: NodeIndex): void {
    const node = this.node(index)
    if (node.party !== undefined) return
    node.life += 1
    const { nodes, seed, sharedFrom = 0n } = this.#options
    node.party = new LogParty(
      {
        nodes,
        me: index,
        incarnation: INCARNATION,
        from: 0n,
        disk: node.disk,
        records: new Map(node.records),
        coin: coinOf(index, { nodes, seed, sharedFrom }),
        life: node.voice,
        lifeOf: (one, slot) => this.node(index).disk.lifeOf(one, slot),
        checksPast: true,
        sign: (content) => signAs(index, content),
        verify: verifyAs,
        prefix: GENESIS,
        isPlausible: (item) => item.length > 0,
      },
      this.#clock(index),
    )
    const { life } = node
    this.input(index, { type: 'start' })
    for (const item of node.wanted)
      if (node.life === life && !node.disk.has(item)) this.input(index, { type: 'submit', item })
    for (const other of this.nodes.keys())
      if (!this.#links.isCut(index, other)) this.#link(index, other)
  }

  stop(index: NodeIndex): void {
    const node = this.node(index)
    if (node.party === undefined) return
    this.crashes += 1
    node.party = undefined
    // What it said last reaches some or nobody.
    if (this.random.oneIn(2)) node.lostLife = node.life
    node.life += 1
    node.alarms.clear()
  }

  /** A node that has lost what it said: the log takes it in with a new life. */
  #return(index: NodeIndex): void {
    const node = this.node(index)
    this.stop(index)
    node.records = new Map()
    node.voice = BigInt(1 + this.random.word())
    this.start(index)
    this.submit(index, returnItem(index, node.voice))
  }

  /** A copy of a node's disk, to be put back later. */
  copyDisk(index: NodeIndex): () => void {
    const node = this.node(index)
    const [count, records] = [node.disk.slots.length, new Map(node.records)]
    return () => {
      this.stop(index)
      node.disk = node.disk.upTo(count)
      node.records = records
      this.start(index)
    }
  }

  isUp(index: NodeIndex): boolean {
    return this.node(index).party !== undefined
  }

  /** Nothing goes wrong any more: all are up and linked. */
  calm(): void {
    this.#mayCrash = false
    this.heal()
    for (const i of this.nodes.keys()) this.start(i)
  }

  /** Cuts a group off from the others; what is on its way between them is lost. */
  cut(group: readonly NodeIndex[]): void {
    for (const a of group)
      for (const b of this.nodes.keys()) if (!group.includes(b)) this.#links.cut(a, b)
  }

  heal(): void {
    // The lower index first: a seed plays the run that it always played.
    for (const [a, b] of this.#links.heal()) this.#link(Math.min(a, b), Math.max(a, b))
  }

  #link(a: NodeIndex, b: NodeIndex): void {
    if (a === b || !this.isUp(a) || !this.isUp(b)) return
    this.input(a, { type: 'linked', peer: b })
    this.input(b, { type: 'linked', peer: a })
  }

  submit(index: NodeIndex, item: Uint8Array): void {
    this.node(index).wanted.push(item)
    this.input(index, { type: 'submit', item })
  }

  input(index: NodeIndex, input: LogInput): void {
    const { party } = this.node(index)
    if (party !== undefined) this.#perform(index, party.step(input, this.#clock(index)))
  }

  /** Does something at a later moment. */
  later(afterMs: number, act: () => void): void {
    this.#push(afterMs, { type: 'act', act })
  }

  #perform(index: NodeIndex, outputs: readonly LogOutput[]): void {
    const { crash } = this.#options
    for (const output of outputs) {
      const downMs = this.#mayCrash ? crash?.(index, output, this.random) : undefined
      if (downMs !== undefined) {
        this.stop(index)
        this.later(downMs, () => this.start(index))
        return
      }
      this.#do(index, output)
    }
  }

  #do(index: NodeIndex, output: LogOutput): void {
    const node = this.node(index)
    switch (output.type) {
      case 'record':
        node.records.set(output.key, output.value)
        return
      case 'forget':
        for (const key of output.keys) node.records.delete(key)
        return
      case 'send':
        this.#send(index, output.to, output.bytes)
        return
      case 'alarm': {
        const id = this.#alarmId++
        node.alarms.set(output.name, id)
        this.#push(output.afterMs, { type: 'alarm', node: index, name: output.name, id })
        return
      }
      case 'fault':
        this.faults.push({ seenBy: index, culprit: output.culprit, reason: output.reason })
        return
      case 'rolledBack':
        this.rolledBack.push(index)
        this.later(1, () => this.#return(index))
        return
      case 'slot': {
        const { slot } = output
        this.#deliver(index, slot)
        const { life } = node
        this.#push(this.random.below(3), { type: 'executed', node: index, life, slot })
      }
    }
  }

  #deliver(index: NodeIndex, slot: Slot): void {
    const { disk } = this.node(index)
    if (slot.number === disk.position.next) disk.append(slot)
    if (!this.isHonest(index)) return
    const hash = present(disk.hashAt(slot.number), 'it is on disk')
    this.checker.delivered(index, slot, hash, (node) => !this.isHonest(node))
  }

  #send(from: NodeIndex, to: NodeIndex | 'all', bytes: Uint8Array): void {
    const liar = this.#options.liars?.get(from)
    if (liar === undefined) this.checker.sent(from, bytes)
    for (const target of to === 'all' ? this.nodes.keys() : [to]) {
      if (target === from) continue
      const message = { from, to: target, bytes }
      if (liar === undefined) this.post(message)
      else for (const said of liar.says(message, this.random)) this.post(said)
    }
  }

  /** Puts a message on its way; by itself only what liars say, who say what they like. */
  post(message: Message): void {
    const { from, to, bytes } = message
    this.sent += 1
    this.sentBytes += bytes.length
    this.#hash.update(Uint8Array.of(from, to)).update(bytes)
    if (this.#links.isCut(from, to)) return
    const { schedule = promptSchedule } = this.#options
    const lives = [this.node(from).life, this.node(to).life, this.#links.life(from, to)] as const
    for (const delay of schedule(message, this.random, this.nowMs))
      this.#push(delay, { type: 'message', message, lives })
  }

  #push(afterMs: number, event: NetEvent): void {
    this.#events.push(this.nowMs + afterMs, event)
  }

  /** Runs until `until` holds, nothing is left to do, or virtual time is over. Whether it holds. */
  run(until: () => boolean, forMs = 600_000): boolean {
    const end = this.nowMs + forMs
    while (!until()) {
      const next = this.#events.pop(end)
      if (next === undefined) {
        this.nowMs = end
        return until()
      }
      this.nowMs = next.at
      this.#handle(next.event)
    }
    return true
  }

  #handle(event: NetEvent): void {
    switch (event.type) {
      case 'act':
        event.act()
        return
      case 'message':
        this.#arrive(event.message, event.lives)
        return
      case 'alarm':
        if (this.node(event.node).alarms.get(event.name) !== event.id) return
        this.node(event.node).alarms.delete(event.name)
        this.input(event.node, { type: 'alarm', name: event.name })
        return
      case 'executed':
        if (this.node(event.node).life === event.life)
          this.input(event.node, { type: 'executed', wasQuiet: this.#isQuiet(event.slot) })
    }
  }

  #isQuiet({ items }: Slot): boolean {
    const { counts = () => true } = this.#options
    return !items.some((item) => counts(item))
  }

  #arrive(message: Message, lives: readonly [number, number, number]): void {
    const { from, to, bytes } = message
    const isLost =
      this.node(from).lostLife >= lives[0] ||
      this.node(to).life !== lives[1] ||
      this.#links.life(from, to) !== lives[2]
    if (isLost) return
    const liar = this.#options.liars?.get(to)
    const told = liar === undefined ? bytes : withoutOwnWord(bytes)
    this.input(to, { type: 'message', from, bytes: told })
    if (liar !== undefined && this.isUp(to))
      for (const said of liar.hears(message, this.random)) this.post(said)
  }

  /** Slots that a node has. */
  height(index: NodeIndex): number {
    return this.node(index).disk.slots.length
  }

  /** Whether an item is in the log of a node. */
  has(index: NodeIndex, item: Uint8Array): boolean {
    return this.node(index).disk.has(item)
  }

  /** Whether everything that users of honest nodes want is in the log of every honest node. */
  get isServed(): boolean {
    const { honest } = this
    const wanted = honest.flatMap((i) => this.node(i).wanted)
    return wanted.every((item) => honest.every((i) => this.has(i, item)))
  }

  /** Hash of everything that was sent so far, in order: the same runs have the same. */
  get fingerprint(): string {
    return toHex(this.#hash.copy().digest())
  }
}

const promptSchedule: Schedule = (_message, random) => [1 + random.below(20)]

/** The first f nodes in a seeded order. */
export function someNodes(nodes: number, random: Random): readonly NodeIndex[] {
  const order = Array.from({ length: nodes }, (_, i) => i)
  return random.shuffle(order).slice(0, faultyMax(nodes))
}

export const itemOf = (text: string): Uint8Array => utf8(text)
