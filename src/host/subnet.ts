/**
 * The subnet in a box: workers with nodes, the sequencer, the embedded Bitcoin node. Source:
 * architecture §§1, 3.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { equalBytes, fromBigEndian, toHex } from '../core/base/bytes.ts'
import { Bug, CkbtcError, present } from '../core/base/errors.ts'
import type { NodeIndex } from '../core/base/party.ts'
import { agreementQuorum } from '../core/base/party.ts'
import { canisterIdsOf } from '../core/ic/canister-ids.ts'
import type { LogDelivery } from '../core/log/log.ts'
import { Sequencer } from '../core/log/sequencer.ts'
import type { NodeInput, Observation } from '../core/subnet/node-io.ts'
import type { Genesis, MemberRecord } from '../core/tecdsa/membership.ts'
import {
  createMembership,
  decodeGenesis,
  encodeGenesis,
  memberId,
} from '../core/tecdsa/membership.ts'
import { systemClock } from './clock.ts'
import { startRefused } from './disks/restore.ts'
import type { Founded, SlotReader } from './disks/subnet-disks.ts'
import { nodeDirectory, restoreDisks, slotReader } from './disks/subnet-disks.ts'
import { entropy } from './entropy.ts'
import type { IcBackend } from './ic/backend.ts'
import { Questions } from './node/questions.ts'
import type {
  FromWorker,
  KeyNumber,
  NodeSettings,
  SharedOutput,
  ToWorker,
} from './node/worker-protocol.ts'
import { receivedProblem } from './node/worker-protocol.ts'
import { SubnetBackend } from './subnet-backend.ts'

export type SubnetOptions = {
  readonly nodes: number
  readonly settings: NodeSettings
  /** Where its nodes keep what they know; it goes on from there. Without it, in memory. */
  readonly directory?: string | undefined
}

export type SubnetEvent =
  | { readonly type: 'observed'; readonly node: NodeIndex; readonly event: Observation }
  | {
      readonly type: 'fault'
      readonly seenBy: NodeIndex
      readonly culprit: NodeIndex
      readonly reason: string
    }
  /** The disk of a node failed, and the node is down. */
  | { readonly type: 'failed'; readonly node: NodeIndex; readonly problem: CkbtcError }
  /** Too few nodes have disks that work: the subnet cannot go on. */
  | { readonly type: 'ended'; readonly problem: CkbtcError }
  /** An invariant of ours broke: nothing further is attempted. */
  | { readonly type: 'bug'; readonly message: string }

type Listener = (event: SubnetEvent) => void
type Place = { readonly worker: Worker; readonly name: KeyNumber }
type Made = Place & { readonly record: MemberRecord }

/** How long a worker may take to close its disks. */
const CLOSING_MS_MAX = 10_000

export class Subnet {
  readonly #options: SubnetOptions
  readonly #workers: readonly Worker[]
  readonly #founded: Founded | undefined
  readonly #reader: SlotReader | undefined
  readonly #log: Sequencer
  readonly #listeners = new Set<Listener>()
  readonly #questions: Questions
  readonly #backend: SubnetBackend
  readonly #up = new Set<NodeIndex>()
  readonly #strays: CkbtcError[] = []
  /** Nodes that are down because of their disks. */
  readonly #failed = new Map<NodeIndex, CkbtcError>()
  /** Nodes whose disks are lost have none. */
  #places: ReadonlyMap<NodeIndex, Place> = new Map()
  #genesis: Uint8Array = new Uint8Array()
  #closed = false
  #fail: (error: Error) => void = () => undefined
  /** Rejects when a worker ends by itself. */
  readonly #failure: Promise<never>

  private constructor(options: SubnetOptions, founded: Founded | undefined) {
    const { directory, nodes } = options
    this.#options = options
    this.#founded = founded
    this.#failure = new Promise((_, reject) => {
      this.#fail = (error) => {
        if (error instanceof CkbtcError) this.#emit({ type: 'ended', problem: error })
        else this.#emit({ type: 'bug', message: error.message })
        reject(error)
      }
    })
    this.#failure.catch(() => undefined) // Whoever waits for it is told; it need not be anybody.
    this.#questions = new Questions((me, id, question) =>
      this.#tell(this.#place(me).worker, { type: 'ask', me, id, question }),
    )
    this.#backend = new SubnetBackend({
      ids: canisterIdsOf[options.settings.ids],
      clock: systemClock,
      up: () => this.up,
      canProgress: () => this.canProgress,
      input: (node, input) => this.#input(node, input),
      questions: this.#questions,
    })
    const reader = directory === undefined ? undefined : slotReader(directory, nodes, founded)
    this.#reader = reader
    this.#log = new Sequencer(nodes, entropy(32), {
      ...(founded === undefined ? {} : { position: founded.position }),
      ...(reader === undefined ? {} : { read: (slot) => reader.read(slot) }),
    })
    const count = Math.max(1, Math.min(availableParallelism(), nodes))
    const url = new URL('./node/worker.js', import.meta.url)
    this.#workers = Array.from({ length: count }, () => new Worker(url))
    for (const worker of this.#workers) {
      worker.on('message', (message: FromWorker) => this.#hear(message))
      worker.on('error', (error) => this.#fail(error))
      worker.on('exit', () => {
        if (!this.#closed) this.#fail(new Bug('a worker with nodes ended by itself'))
      })
    }
  }

  /**
   * Starts every node. Of a new subnet the key is not made yet: that is observed. Throws
   * `HOST_DISK`, `HOST_STATE_LOCKED` and `CONFIG_INVALID` when there is a directory.
   */
  static async start(options: SubnetOptions): Promise<Subnet> {
    const { directory, nodes, settings } = options
    const founded = directory === undefined ? undefined : restoreDisks(directory, nodes, settings)
    const subnet = new Subnet(options, founded)
    try {
      await Promise.race([subnet.#begin(), subnet.#failure])
      return subnet
    } catch (error) {
      await subnet.close()
      throw error
    }
  }

  get size(): number {
    return this.#options.nodes
  }

  /** In canonical order: the index of a node is its place. */
  get members(): readonly MemberRecord[] {
    return this.genesis.membership.members
  }

  /** What the nodes agree on, of the present time line. */
  get genesis(): Genesis {
    return decodeGenesis(this.#genesis)
  }

  /** Hands a signed request of the operator to every node that runs. */
  operatorRequest(request: Uint8Array): void {
    for (const node of this.#up) this.#input(node, { type: 'operator', request })
  }

  /** For clients. */
  get backend(): IcBackend {
    return this.#backend
  }

  /** Indices of the nodes that run, ascending. */
  get up(): readonly NodeIndex[] {
    return [...this.#up].toSorted((a, b) => a - b)
  }

  /** Whether enough nodes run for ordering and signing. */
  get canProgress(): boolean {
    return this.#up.size >= agreementQuorum(this.size)
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Collects the public keys of the workers' nodes, and tells all nodes who they are. */
  async #begin(): Promise<void> {
    const names = this.#founded?.ready ?? Array.from({ length: this.size }, (_, name) => name)
    const made = await Promise.all(names.map((name) => this.#createKeys(name)))
    const genesis = this.#founded?.genesis ?? newGenesis(made)
    this.#genesis = encodeGenesis(genesis)
    this.#places = new Map(
      genesis.membership.members.flatMap(({ id }, me) => {
        const place = made.find(({ record }) => equalBytes(record.id, id))
        return place === undefined ? [] : [[me, place] as const]
      }),
    )
    this.#refuseStrays(made)
    for (const me of this.#places.keys()) this.startNode(me)
  }

  /** A disk that is a copy of another's, or of no member, does not stand for a node. */
  #refuseStrays(made: readonly Made[]): void {
    const placed = new Set([...this.#places.values()].map(({ name }) => name))
    for (const { name } of made)
      if (!placed.has(name))
        this.#strays.push(
          startRefused(`disk ${name + 1} is a copy of another, or of no node of the subnet`, {}),
        )
    const [problem] = this.#strays
    if (problem !== undefined && placed.size < agreementQuorum(this.size)) throw problem
  }

  #createKeys(name: KeyNumber): Promise<Made> {
    const { directory } = this.#options
    const worker = present(this.#workers[name % this.#workers.length], 'there is a worker')
    return new Promise((resolve, reject) => {
      const hear = (message: FromWorker): void => {
        const isAnswer = message.type === 'keys' || message.type === 'failed'
        if (!isAnswer || message.name !== name) return
        worker.off('message', hear)
        if (message.type === 'failed') {
          reject(receivedProblem(message.problem))
          return
        }
        const { signingKey, encryptionKey } = message
        const record = { id: memberId(signingKey), signingKey, encryptionKey }
        resolve({ worker, name, record })
      }
      worker.on('message', hear)
      this.#tell(worker, {
        type: 'create',
        name,
        directory: directory === undefined ? undefined : nodeDirectory(directory, name),
      })
    })
  }

  /** Starts a node, or starts it again from its records and the log; never one without a disk. */
  startNode(me: NodeIndex): void {
    const place = this.#places.get(me)
    if (place === undefined || this.#up.has(me)) return
    const { worker, name } = place
    this.#up.add(me)
    this.#failed.delete(me)
    const { settings } = this.#options
    this.#tell(worker, { type: 'start', name, me, genesis: this.#genesis, settings })
    for (const call of this.#backend.waiting) this.#input(me, { type: 'ingress', ...call })
  }

  /** Ends a node at once; what it had not recorded is gone. */
  stopNode(me: NodeIndex): void {
    if (!this.#up.has(me)) return
    this.#tell(this.#place(me).worker, { type: 'stop', me })
    this.#down(me)
  }

  #down(me: NodeIndex): void {
    this.#up.delete(me)
    this.#log.down(me)
    this.#questions.stopped(me)
    this.#backend.stopped(me)
  }

  /** The others go on, as long as enough of them can. */
  #nodeFailed(name: KeyNumber, problem: CkbtcError): void {
    for (const [me, place] of this.#places) {
      if (place.name !== name || !this.#up.has(me)) continue
      this.#down(me)
      this.#failed.set(me, problem)
      this.#emit({ type: 'failed', node: me, problem })
    }
    if (this.#places.size - this.#failed.size < agreementQuorum(this.size)) this.#fail(problem)
  }

  /** Why disks of nodes that are down could not be used. */
  get problems(): readonly CkbtcError[] {
    return [...(this.#founded?.problems ?? []), ...this.#strays, ...this.#failed.values()]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    this.#backend.close()
    this.#questions.close()
    await Promise.all(this.#workers.map(endWorker))
    this.#reader?.close()
  }

  #place(me: NodeIndex): Place {
    return present(this.#places.get(me), `node ${me} has a place`)
  }

  #tell(worker: Worker, message: ToWorker): void {
    if (!this.#closed) worker.postMessage(message)
  }

  #input(me: NodeIndex, input: NodeInput): void {
    if (this.#up.has(me)) this.#tell(this.#place(me).worker, { type: 'input', me, input })
  }

  #emit(event: SubnetEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  #hear(message: FromWorker): void {
    if (this.#closed) return
    switch (message.type) {
      case 'keys':
      case 'closed':
        return // Awaited by `#createKeys` and `endWorker`.
      case 'answer':
        this.#questions.answered(message.id, message.answer)
        return
      case 'failed':
        this.#nodeFailed(message.name, receivedProblem(message.problem))
        return
      case 'bug':
        this.#emit({ type: 'bug', message: message.message })
        return
      case 'outputs':
        // What a node sent before it was stopped has left it; what comes later has not.
        if (!this.#up.has(message.me)) return
        for (const output of message.outputs) this.#route(message.me, output)
    }
  }

  #route(me: NodeIndex, output: SharedOutput): void {
    switch (output.type) {
      case 'send': {
        const input = { type: 'message', from: me, bytes: output.bytes } as const
        if (output.to !== 'all') this.#input(output.to, input)
        else for (const to of this.#up) this.#input(to, input)
        return
      }
      case 'log':
        this.#deliver(this.#log.step(me, output.input, systemClock()))
        return
      case 'certified':
        this.#backend.certified(me, output)
        return
      case 'diverged': {
        const roots = `${toHex(output.own)} here, ${toHex(output.other)} elsewhere`
        const message = `Diverged: node ${me + 1}, slot ${output.slot}: ${roots}`
        this.#emit({ type: 'bug', message })
        return
      }
      case 'fault':
        this.#emit({ type: 'fault', seenBy: me, culprit: output.culprit, reason: output.reason })
        return
      case 'observed':
        this.#emit({ type: 'observed', node: me, event: output.event })
    }
  }

  #deliver(deliveries: readonly LogDelivery[]): void {
    for (const { to, output } of deliveries) this.#input(to, { type: 'log', output })
  }
}

function newGenesis(made: readonly Made[]): Genesis {
  const membership = createMembership(
    made.map(({ record }) => record),
    1n,
  )
  return {
    membership,
    entropy: entropy(32),
    incarnation: fromBigEndian(entropy(8)),
    createdAt: systemClock(),
  }
}

/** A thread with an open store is not ended from outside before it has closed it (`LmdbStore`). */
async function endWorker(worker: Worker): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    worker.on('message', ({ type }: FromWorker) => {
      if (type === 'closed') resolve()
    })
    worker.on('exit', () => resolve())
    setTimeout(resolve, CLOSING_MS_MAX).unref()
  })
  worker.postMessage({ type: 'close' } satisfies ToWorker)
  const hasEnded = worker.threadId < 0
  if (!hasEnded) await closed
  await worker.terminate()
}
