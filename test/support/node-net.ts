/**
 * Whole nodes over a seeded hostile network and a real regtest chain: messages are delayed,
 * reordered, repeated and lost; nodes crash between any two effects and come back from their disks;
 * some lie. `NodeChecker` watches. Source: threshold §§18.4, 22.4, 22.7.
 */
import { createHash } from 'node:crypto'
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { SubnetNode } from '../../src/core/subnet/node.ts'
import type { AlarmName, NodeInput, NodeOutput } from '../../src/core/subnet/node-io.ts'
import { OrderedNode } from '../../src/core/subnet/ordered-node.ts'
import { CrashDisk } from './crash-disk.ts'
import { EventQueue } from './event-queue.ts'
import { LinkStates } from './link-states.ts'
import type { Liar, Message, Schedule } from './log-net-options.ts'
import { NodeBitcoin } from './node-bitcoin.ts'
import { NodeChecker } from './node-checker.ts'
import type { NodeWorld } from './node-world.ts'
import { Random } from './random.ts'

export type NodeNetOptions = {
  readonly world: NodeWorld
  readonly seed: string
  readonly liars?: ReadonlyMap<NodeIndex, Liar>
  readonly schedule?: Schedule
  /** How far the clock of a node is ahead. */
  readonly skewNs?: (node: NodeIndex) => bigint
  /** Whether a node dies in the course of what one step asks for: milliseconds until it is back. */
  readonly crash?: (
    node: NodeIndex,
    outputs: readonly NodeOutput[],
    random: Random,
  ) => number | undefined
}

/** Of both ends and the link, when it was sent. */
type Lives = readonly [from: number, to: number, link: number]

type Event =
  | { readonly type: 'message'; readonly message: Message; readonly lives: Lives }
  | {
      readonly type: 'alarm'
      readonly node: NodeIndex
      readonly name: AlarmName
      readonly id: number
    }
  | { readonly type: 'act'; readonly act: () => void }

type Effect = () => void

export type SimNode = {
  readonly disk: CrashDisk
  readonly alarms: Map<AlarmName, number>
  ordered: OrderedNode | undefined
  /** Counts starts and ends: what was on its way to an earlier life is lost. */
  life: number
  /** Life up to which what it sent last is lost, too. */
  lostLife: number
}

const promptSchedule: Schedule = (_message, random) => [1 + random.below(10)]

export class NodeNet {
  readonly random: Random
  readonly world: NodeWorld
  readonly nodes: readonly SimNode[]
  readonly checker: NodeChecker
  readonly bitcoin: NodeBitcoin
  sent = 0
  crashes = 0
  nowMs = 0
  readonly #options: NodeNetOptions
  readonly #epochNs: bigint
  readonly #events = new EventQueue<Event>()
  readonly #hash = createHash('sha256')
  readonly #links = new LinkStates()
  #isCalm = false
  #alarmId = 0

  constructor(options: NodeNetOptions) {
    const { world, liars } = options
    this.#options = options
    this.world = world
    this.random = new Random(options.seed)
    // Where virtual clocks begin: after all that the canisters know of.
    this.#epochNs = (world.kept?.time ?? world.genesis.createdAt) + 1_000_000_000n
    this.checker = new NodeChecker(world, (node) => liars?.has(node) === true)
    this.nodes = world.keys.map(() => ({
      disk: new CrashDisk(world.origin, world.genesis.incarnation),
      alarms: new Map(),
      ordered: undefined,
      life: 0,
      lostLife: -1,
    }))
    this.bitcoin = new NodeBitcoin(this, world.kept?.blocks ?? [])
    for (const i of this.nodes.keys()) this.start(i)
  }

  node(index: NodeIndex): SimNode {
    return present(this.nodes[index], 'a node of this net')
  }

  isUp(index: NodeIndex): boolean {
    return this.node(index).ordered !== undefined
  }

  isHonest(index: NodeIndex): boolean {
    return this.#options.liars?.has(index) !== true
  }

  get honest(): readonly NodeIndex[] {
    return [...this.nodes.keys()].filter((i) => this.isHonest(i))
  }

  /** Honest nodes that are up. */
  get subnets(): readonly SubnetNode[] {
    return this.honest.flatMap((i) => this.node(i).ordered?.node ?? [])
  }

  /** Nothing goes wrong any more. */
  get isCalm(): boolean {
    return this.#isCalm
  }

  /** True time. */
  get now(): TimestampNs {
    return timestampNs(this.#epochNs + BigInt(Math.floor(this.nowMs * 1e6)))
  }

  get nowSeconds(): number {
    return Number(this.now / 1_000_000_000n)
  }

  #clock(node: NodeIndex): TimestampNs {
    return timestampNs(this.now + (this.#options.skewNs?.(node) ?? 0n))
  }

  /** Starts a node, or starts it again from its disk. */
  start(index: NodeIndex): void {
    const node = this.node(index)
    if (node.ordered !== undefined) return
    const { disk } = node
    node.life += 1
    const subnet = new SubnetNode(this.world.configOf(index, disk.records))
    node.ordered = new OrderedNode(subnet, { disk, now: this.#clock(index) })
    this.checker.started(index)
    this.input(index, { type: 'start' })
    for (const other of this.nodes.keys())
      if (!this.#links.isCut(index, other)) this.#link(index, other)
    this.bitcoin.started(index)
  }

  stop(index: NodeIndex): void {
    const node = this.node(index)
    if (node.ordered === undefined) return
    this.crashes += 1
    node.ordered = undefined
    // What it said last reaches some or nobody.
    if (this.random.oneIn(2)) node.lostLife = node.life
    node.life += 1
    node.alarms.clear()
  }

  /** A copy of a node's disk, to be put back later (threshold §18.4, "Return of a node"). */
  copyDisk(index: NodeIndex): () => void {
    const putBack = this.node(index).disk.copy()
    return () => {
      this.stop(index)
      this.checker.older.add(index)
      putBack()
      this.start(index)
    }
  }

  /** Nothing goes wrong any more: all are up and linked. */
  calm(): void {
    this.#isCalm = true
    this.heal()
    for (const i of this.nodes.keys()) this.start(i)
    this.bitcoin.calm()
  }

  /** Cuts a group off from the others; what is on its way between them is lost. */
  cut(group: readonly NodeIndex[]): void {
    for (const a of group)
      for (const b of this.nodes.keys()) if (!group.includes(b)) this.#links.cut(a, b)
  }

  heal(): void {
    for (const [a, b] of this.#links.heal()) this.#link(a, b)
  }

  #link(a: NodeIndex, b: NodeIndex): void {
    if (a === b || !this.isUp(a) || !this.isUp(b)) return
    this.input(a, { type: 'linked', peer: b })
    this.input(b, { type: 'linked', peer: a })
  }

  input(index: NodeIndex, input: NodeInput): void {
    const { ordered, life } = this.node(index)
    if (ordered === undefined) return
    this.#perform(index, ordered.step(input, this.#clock(index)))
    if (this.isHonest(index) && this.node(index).life === life)
      this.checker.stepped(index, ordered.node)
  }

  /** Does something at a later moment. */
  later(afterMs: number, act: () => void): void {
    this.#push(afterMs, { type: 'act', act })
  }

  /** The same for an input that an end of the node makes void. */
  inputLater(afterMs: number, index: NodeIndex, input: NodeInput): void {
    const { life } = this.node(index)
    this.later(afterMs, () => {
      if (this.node(index).life === life) this.input(index, input)
    })
  }

  #push(afterMs: number, event: Event): void {
    this.#events.push(this.nowMs + afterMs, event)
  }

  /** As the runner: all is on disk before anything leaves; a crash may fall between any two effects. */
  #perform(index: NodeIndex, outputs: readonly NodeOutput[]): void {
    if (outputs.length === 0) return
    const effects = [
      ...this.#commits(index, outputs),
      ...outputs.flatMap((output) => this.#effects(index, output)),
    ]
    const { crash } = this.#options
    const downMs = this.#isCalm ? undefined : crash?.(index, outputs, this.random)
    const end = downMs === undefined ? effects.length : this.random.below(effects.length + 1)
    for (const effect of effects.slice(0, end)) effect()
    if (downMs === undefined) return
    this.stop(index)
    this.later(downMs, () => this.start(index))
  }

  /** Slots but the last each by themselves; the last one with the records. */
  #commits(index: NodeIndex, outputs: readonly NodeOutput[]): readonly Effect[] {
    const { disk } = this.node(index)
    const slots = outputs.flatMap((output) => (output.type === 'decided' ? [output.slot] : []))
    const last = (): void => {
      for (const slot of slots.slice(-1)) disk.append(slot)
      for (const output of outputs) {
        if (output.type === 'record') disk.records.set(output.key, output.value)
        if (output.type === 'forget') for (const key of output.keys) disk.records.delete(key)
      }
      if (this.isHonest(index)) this.checker.kept(index, outputs, disk)
    }
    return [...slots.slice(0, -1).map((slot) => () => disk.append(slot)), last]
  }

  #effects(index: NodeIndex, output: NodeOutput): readonly Effect[] {
    switch (output.type) {
      case 'record':
      case 'forget':
      case 'decided':
      case 'log':
      case 'signer-past':
        return []
      case 'send': {
        if (this.isHonest(index)) this.checker.willSend(output.bytes)
        const targets = output.to === 'all' ? [...this.nodes.keys()] : [output.to]
        return targets.map((to) => () => this.#send({ from: index, to, bytes: output.bytes }))
      }
      case 'alarm':
        return [() => this.#arm(index, output.name, output.afterMs)]
      case 'adapter':
        return [() => this.bitcoin.asked(index, output)]
      case 'fault':
      case 'diverged':
      case 'certified':
      case 'observed':
        return this.isHonest(index) ? [() => this.checker.saw(index, output)] : []
    }
  }

  #arm(index: NodeIndex, name: AlarmName, afterMs: number): void {
    const id = this.#alarmId++
    this.node(index).alarms.set(name, id)
    // Work takes its time, so that other things happen in between.
    const workMs = name === 'work' ? this.random.below(3) : 0
    this.#push(afterMs + workMs, { type: 'alarm', node: index, name, id })
  }

  #send(message: Message): void {
    const { from, to } = message
    const liar = this.#options.liars?.get(from)
    if (liar === undefined) this.checker.sent(message)
    if (to === from) {
      this.#note(message)
      this.#push(0, { type: 'message', message, lives: this.#lives(message) })
    } else if (liar === undefined) this.post(message)
    else for (const said of liar.says(message, this.random)) this.post(said)
  }

  #note(message: Message): void {
    const { from, to, bytes } = message
    this.sent += 1
    this.#hash.update(Uint8Array.of(from, to)).update(bytes)
    this.checker.posted(message)
  }

  #lives({ from, to }: Message): Lives {
    return [this.node(from).life, this.node(to).life, this.#links.life(from, to)]
  }

  /** Puts a message on its way; by itself only what liars say, who say what they like. */
  post(message: Message): void {
    const { from, to } = message
    this.#note(message)
    if (this.#links.isCut(from, to) || !this.isUp(to)) return
    const { schedule = promptSchedule } = this.#options
    for (const delay of schedule(message, this.random, this.nowMs))
      this.#push(delay, { type: 'message', message, lives: this.#lives(message) })
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

  #handle(event: Event): void {
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
    }
  }

  #arrive(message: Message, lives: Lives): void {
    const { from, to, bytes } = message
    const isLost =
      this.node(from).lostLife >= lives[0] ||
      this.node(to).life !== lives[1] ||
      this.#links.life(from, to) !== lives[2]
    if (isLost) return
    this.input(to, { type: 'message', from, bytes })
    const liar = this.#options.liars?.get(to)
    if (liar !== undefined && this.isUp(to))
      for (const said of liar.hears(message, this.random)) this.post(said)
  }

  /** Hash of everything that was sent so far, in order: the same runs have the same. */
  get fingerprint(): string {
    return toHex(this.#hash.copy().digest())
  }
}
