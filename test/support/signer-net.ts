/**
 * Signers of one subnet in one process, joined by the sequencer; every message is encoded and
 * decoded.
 */
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { Slot } from '../../src/core/log/log.ts'
import { EPOCH_RECORDS } from '../../src/core/tecdsa/epochs.ts'
import { runPrefix } from '../../src/core/tecdsa/evidence.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { decodeSignerMessage, encodeSignerMessage, LANES } from '../../src/core/tecdsa/message.ts'
import type { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { encodeMembershipChange, signJoining } from '../../src/core/tecdsa/refresh-item.ts'
import type { SigningRequest } from '../../src/core/tecdsa/request.ts'
import { Signer } from '../../src/core/tecdsa/signer.ts'
import type { SignerItem, SignerOutput } from '../../src/core/tecdsa/signer-context.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { nodeKeys } from './node-keys.ts'
import { Sequencer } from './sequencer.ts'

type Work =
  | {
      readonly type: 'message'
      readonly from: NodeIndex
      readonly to: NodeIndex
      readonly bytes: Uint8Array
    }
  | { readonly type: 'slot'; readonly to: NodeIndex; readonly slot: Slot }

/** Changes a message on its way from a lying node; undefined drops it. */
export type Tamper = (
  from: NodeIndex,
  to: NodeIndex,
  message: SignerMessage,
) => SignerMessage | undefined

export type Fault = {
  readonly seenBy: NodeIndex
  readonly culprit: NodeIndex
  readonly reason: string
}

type NetOptions = {
  /** Keys of an earlier time line, and the number of this one. */
  readonly restored?: Uint8Array
  readonly incarnation?: bigint
  /** What nodes had on record before; secrets of epochs are what lasts. */
  readonly records?: readonly ReadonlyMap<string, Uint8Array>[]
  readonly nodes: number
  readonly seed?: string
  readonly tamper?: Tamper
  /** Called before the first node starts, with the net that is being built. */
  readonly build?: (net: SignerNet) => void
  readonly stockTarget?: number
  /** Whether an item that a node wants in the log is handed in; all are unless told. */
  readonly admits?: (from: NodeIndex, item: SignerItem) => boolean
  /** Which of so many things that may happen next does: 0, the oldest, without it. */
  readonly next?: (count: number) => number
}

/** The key that has a stock. */
export const MAIN_KEY = 'key_1'

const TAGS = {
  ecdsa: 0,
  completion: 1,
  bls: 2,
  abort: 3,
  bip340: 4,
  ed25519: 5,
  refresh: 6,
  /** Of the operator: a refresh of the same nodes, and another membership. */
  start: 7,
  change: 8,
} as const
const tagOf = (item: SignerItem): number => TAGS[item.type === 'dealing' ? item.lane : item.type]

export class SignerNet {
  readonly genesis: Genesis
  readonly faults: Fault[] = []
  readonly signed: { readonly at: NodeIndex; readonly by: readonly NodeIndex[] }[] = []
  /** Every byte that was sent, for secrecy tests. */
  readonly wire: Uint8Array[] = []
  readonly completed: { readonly requestId: Uint8Array; readonly signature: Uint8Array }[] = []
  /** Requests that ended without a signature. */
  readonly expired: Uint8Array[] = []
  readonly records: Map<string, Uint8Array>[] = []
  /** Sees every message as it leaves. */
  watch: (message: SignerMessage & { readonly from: NodeIndex }) => void = () => undefined
  /** Whether a node dies before or after it performs something; it starts again at once. */
  crash: (node: NodeIndex, output: SignerOutput) => 'before' | 'after' | undefined = () => undefined
  /** Sees every item that a node puts into the log. */
  watchItems: (item: SignerItem) => void = () => undefined
  /** As the newest life of each node holds them. */
  readonly #keys: NodeKeys[]
  /** Where they grow from, and how often each node has started. */
  readonly #lives: { readonly root: Seed; starts: bigint }[] = []
  readonly #signers = new Map<NodeIndex, Signer>()
  readonly #log: Sequencer
  readonly #options: NetOptions
  readonly #slotOf = new Map<NodeIndex, bigint>()
  /**
   * Requests that the replicated canisters ask for once `at` is executed: the same at every node.
   */
  readonly #asks: { readonly at: bigint; readonly request: SigningRequest }[] = []
  /** Seeds of nodes that may join. */
  readonly #root: Seed
  #starts = 0
  #version: bigint
  #queue: Work[] = []
  #now = 1n

  constructor(options: NetOptions) {
    this.#options = options
    this.#version = 1n
    const root = Seed.fromBytes(new TextEncoder().encode(options.seed ?? 'signer-net'))
    const founders = Array.from({ length: options.nodes }, (_, i) => {
      const own = root.derive(`node-${i}`)
      return { own, keys: nodeKeys(own, options.incarnation) }
    })
    const membership = createMembership(
      founders.map(({ keys: { record } }) => record),
      1n,
    )
    const ordered = membership.members.map(({ id }) =>
      present(
        founders.find(({ keys: { record } }) => record.id === id),
        'a member is one of the nodes',
      ),
    )
    this.#keys = ordered.map(({ keys }) => keys)
    for (const { own } of ordered) this.#lives.push({ root: own, starts: 0n })
    this.genesis = {
      membership,
      entropy: root.derive('entropy').generator().bytes(32),
      incarnation: options.incarnation ?? 7n,
      createdAt: timestampNs(0n),
    }
    this.#root = root
    this.#log = new Sequencer(options.nodes, root.derive('tape').generator().bytes(32))
    options.build?.(this)
    for (let i = 0; i < options.nodes; i++) {
      const before = [...(options.records?.[i] ?? [])]
      this.records.push(new Map(before.filter(([key]) => key.startsWith(EPOCH_RECORDS))))
      this.start(i)
    }
  }

  /** Starts a node, or starts it again from what it has recorded and the log, and nothing else. */
  start(node: NodeIndex): void {
    const keys = this.#begin(node)
    const signer = new Signer({
      genesis: this.genesis,
      mainKey: MAIN_KEY,
      keys,
      me: node,
      ed25519: nativeEd25519,
      records: new Map(this.records[node]),
      stockTarget: this.#options.stockTarget ?? 1,
      creationMax: 1,
      restored: this.#options.restored,
    })
    this.#signers.set(node, signer)
    this.#slotOf.set(node, 0n)
    this.#perform(node, signer.step({ type: 'start' }))
    this.#say(node, { type: 'working', slot: 0n })
  }

  /** Secrets of a new life: those of epochs come from records, and fresh ones are others. */
  #begin(node: NodeIndex): NodeKeys {
    const life = present(this.#lives[node], 'a node of this net')
    const keys = nodeKeys(life.root, (this.#options.incarnation ?? 0n) + (life.starts << 64n))
    life.starts += 1n
    this.#keys[node] = keys
    return keys
  }

  stop(node: NodeIndex): void {
    this.#signers.delete(node)
    this.#log.down(node)
    this.#queue = this.#queue.filter(({ to }) => to !== node)
  }

  /** Secrets of a node, for tests that lie in its name or look for them. */
  keysOf(node: NodeIndex): NodeKeys {
    return present(this.#keys[node], 'a node of this net')
  }

  isUp(node: NodeIndex): boolean {
    return this.#signers.has(node)
  }

  signer(node: NodeIndex): Signer {
    return present(this.#signers.get(node), 'a node that is up')
  }

  /** A canister asks for a signature in the next slot; an item of the log brings the slot about. */
  ask(request: SigningRequest): void {
    const at = [...this.#slotOf.values()].toSorted((a, b) => Number(a - b)).at(-1) ?? 0n
    this.#asks.push({ at, request })
    const [node] = this.#signers.keys()
    this.#say(present(node, 'some node is up'), {
      type: 'submit',
      item: Uint8Array.of(9, ...request.id),
    })
  }

  /** Performs what a node answered to a step that the test made. */
  take(node: NodeIndex, outputs: readonly SignerOutput[]): void {
    this.#perform(node, outputs)
  }

  /** Runs until `until` holds or nothing is left to do. Returns whether it holds. */
  run(until: () => boolean, stepsMax = 100_000): boolean {
    for (let steps = 0; steps < stepsMax; steps++) {
      if (until()) return true
      if (!this.#turn()) return until()
    }
    return false
  }

  /** Runs until nothing is left to do. */
  settle(): void {
    this.run(() => false)
  }

  #turn(): boolean {
    const { next = () => 0 } = this.#options
    // One more than there are messages: the work of the nodes may come before.
    const work = this.#remove(next(this.#queue.length + 1))
    if (work !== undefined) {
      this.#handle(work)
      return true
    }
    let worked = false
    for (const [node, signer] of this.#signers) {
      const outputs = signer.work()
      if (outputs === undefined) continue
      worked = true
      this.#perform(node, outputs)
    }
    return worked || this.#queue.length > 0
  }

  /** Messages overtake each other; what the log says to one node comes in its order. */
  #remove(at: number): Work | undefined {
    const chosen = this.#queue[at]
    if (chosen === undefined) return undefined
    const { to, type } = chosen
    const isEarlier = (other: Work): boolean => other.type !== 'message' && other.to === to
    const first = type === 'message' ? at : this.#queue.findIndex(isEarlier)
    return this.#queue.splice(first, 1)[0]
  }

  #handle(work: Work): void {
    const signer = this.#signers.get(work.to)
    if (signer === undefined) return
    switch (work.type) {
      case 'message':
        this.#perform(work.to, signer.step(work))
        return
      case 'slot':
        this.#execute(work.to, signer, work.slot)
    }
  }

  #execute(node: NodeIndex, signer: Signer, slot: Slot): void {
    if (slot.number !== this.#slotOf.get(node)) return
    for (const item of slot.items) {
      const lane = LANES.find((known) => item[0] === TAGS[known])
      if (lane !== undefined) signer.takeDealing(lane, item.subarray(1))
      if (item[0] === TAGS.abort) signer.takeAbort(item.subarray(1))
      if (item[0] === TAGS.refresh) signer.takeRefresh(item.subarray(1))
      if (item[0] === TAGS.start) signer.startRefresh()
      if (item[0] === TAGS.change) signer.changeMembership(item.subarray(1))
      if (item[0] !== TAGS.completion) continue
      const completion = signer.judge(item.subarray(1))
      if (completion !== undefined && this.#isFirst(completion)) this.completed.push(completion)
    }
    for (const id of signer.expire()) this.#noteExpired(id)
    for (const { request } of this.#asks.filter(({ at }) => at === slot.number))
      signer.enqueue(request)
    this.#slotOf.set(node, slot.number + 1n)
    const outputs = signer.endSlot(slot.number, slot.time)
    this.#noteEpoch(signer)
    this.#say(node, { type: 'working', slot: slot.number + 1n })
    this.#perform(node, outputs)
  }

  /** The log, too, is that of the members. */
  #noteEpoch({ epoch: { version, members } }: Signer): void {
    if (version <= this.#version) return
    this.#version = version
    this.#log.resize(members.length)
  }

  /** The operator asks for a refresh. */
  refresh(): void {
    this.#starts += 1
    this.#order(Uint8Array.of(TAGS.start, this.#starts))
  }

  /**
   * The operator has nodes of these names join, and those of these numbers leave. Numbers of the
   * nodes that join, which follow the log from now on.
   */
  change({ join, leave }: { join: readonly string[]; leave: readonly NodeIndex[] }): NodeIndex[] {
    const prefix = runPrefix(this.genesis)
    const version = this.#version + 1n
    const roots = join.map((name) => this.#root.derive(`joiner ${name}`))
    const joiners = roots.map((root) => nodeKeys(root))
    const joining = joiners.map((keys) => signJoining(keys, prefix, version))
    const leaving = leave.map((node) => this.keysOf(node).record.id)
    const bytes = encodeMembershipChange({ version, joining, leaving })
    const numbers = joiners.map((_, i) => this.#keys.length + i)
    this.#keys.push(...joiners)
    for (const root of roots) this.#lives.push({ root, starts: 0n })
    for (const node of numbers) {
      this.records.push(new Map())
      this.start(node)
    }
    this.#order(Uint8Array.of(TAGS.change, ...bytes))
    return numbers
  }

  #order(item: Uint8Array): void {
    const [node] = this.#signers.keys()
    this.#say(present(node, 'some node is up'), { type: 'submit', item })
  }

  #noteExpired(id: Uint8Array): void {
    if (!this.expired.some((known) => equalBytes(known, id))) this.expired.push(id)
  }

  /** The clock of a node comes to the time at which it aborts what is open. */
  ring(node: NodeIndex): void {
    const signer = this.signer(node)
    const now = signer.nextExpiry
    if (now !== undefined) this.#perform(node, signer.step({ type: 'clock', now }))
  }

  #isFirst({ requestId }: { readonly requestId: Uint8Array }): boolean {
    return !this.completed.some((known) => String(known.requestId) === String(requestId))
  }

  #perform(node: NodeIndex, outputs: readonly SignerOutput[]): void {
    for (const output of outputs) {
      const dies = this.crash(node, output)
      if (dies !== 'before') this.#performOne(node, output)
      if (dies === undefined) continue
      this.stop(node)
      this.start(node)
      return
    }
  }

  #performOne(node: NodeIndex, output: SignerOutput): void {
    switch (output.type) {
      case 'send': {
        const to = output.to === 'all' ? this.#keys.map((_, i) => i) : [output.to]
        for (const receiver of to) this.#deliver(node, receiver, output.message)
        return
      }
      case 'submit':
        this.submit(node, output.item)
        return
      case 'record':
        this.records[node]?.set(output.key, output.value)
        return
      case 'forget':
        for (const key of output.keys) this.records[node]?.delete(key)
        return
      case 'fault':
        this.faults.push({ seenBy: node, culprit: output.culprit, reason: output.reason })
        return
      case 'signed':
        this.signed.push({ at: node, by: output.by })
    }
  }

  /** Puts an item into the log in the name of a node. */
  submit(node: NodeIndex, item: SignerItem): void {
    this.watchItems(item)
    if (this.#options.admits?.(node, item) === false) return
    this.#say(node, { type: 'submit', item: Uint8Array.of(tagOf(item), ...item.bytes) })
  }

  #deliver(from: NodeIndex, to: NodeIndex, message: SignerMessage): void {
    this.watch({ ...message, from })
    const honest = encodeSignerMessage(message)
    const { tamper } = this.#options
    const sent = tamper === undefined ? message : tamper(from, to, decodeSignerMessage(honest))
    if (sent === undefined || !this.#signers.has(to)) return
    const bytes = encodeSignerMessage(sent)
    this.wire.push(bytes)
    this.#queue.push({ type: 'message', from, to, bytes })
  }

  #say(node: NodeIndex, input: Parameters<Sequencer['step']>[1]): void {
    this.#now += 1n
    for (const { to, output } of this.#log.step(node, input, timestampNs(this.#now)))
      if (output.type === 'slot') this.#queue.push({ type: 'slot', to, slot: output.slot })
  }
}
