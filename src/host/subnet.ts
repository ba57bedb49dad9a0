/**
 * The subnet in a box: hosts with a node each, what joins them, and what clients see of them. Source:
 * architecture §§1, 3.
 */
import { equalBytes } from '../core/base/bytes.ts'
import { CkbtcError, present } from '../core/base/errors.ts'
import type { NodeIndex } from '../core/base/party.ts'
import { agreementQuorum } from '../core/base/party.ts'
import { canisterIdsOf, mayHold } from '../core/ic/canister-ids.ts'
import type { Lie } from '../core/subnet/lies.ts'
import type { NodeInput } from '../core/subnet/node-io.ts'
import type { Genesis, MemberRecord } from '../core/tecdsa/membership.ts'
import { decodeGenesis, encodeGenesis } from '../core/tecdsa/membership.ts'
import { systemClock } from './clock.ts'
import { startRefused } from './disks/restore.ts'
import type { Founded } from './disks/subnet-disks.ts'
import { nodeDirectory, onceUnlocked, restoreDisks } from './disks/subnet-disks.ts'
import { newGenesis } from './founding.ts'
import type { IcBackend } from './ic/backend.ts'
import {
  brokenNode,
  divergedNode,
  endOfAll,
  NodeFailures,
  noDisk,
  problemOf,
  problemOfEnd,
} from './node/failures.ts'
import type { HostEnd } from './node/node-host.ts'
import { openHost } from './node/open-host.ts'
import { NodePlace } from './node/place.ts'
import type { FromNode, KeyNumber, NodeQuestion, SharedOutput } from './node/protocol.ts'
import { receivedProblem } from './node/protocol.ts'
import type { AnswerTo } from './node/questions.ts'
import { Questions } from './node/questions.ts'
import { newJournal } from './store/shared-store.ts'
import { SubnetBackend } from './subnet-backend.ts'
import type { SubnetEvent, SubnetOptions } from './subnet-events.ts'

/** A node that answers later is taken not to. */
const ANSWER_MS_MAX = 2_000

type Listener = (event: SubnetEvent) => void
type Made = { readonly place: NodePlace; readonly record: MemberRecord }

export class Subnet {
  readonly #options: SubnetOptions
  readonly #founded: Founded | undefined
  readonly #listeners = new Set<Listener>()
  readonly #questions: Questions
  readonly #backend: SubnetBackend
  readonly #up = new Set<NodeIndex>()
  readonly #starting = new Set<NodeIndex>()
  readonly #lies = new Map<NodeIndex, Lie>()
  readonly #strays: CkbtcError[] = []
  readonly #failures = new NodeFailures()
  readonly #made: NodePlace[]
  /** Nodes whose disks are lost have none. */
  #places: ReadonlyMap<NodeIndex, NodePlace> = new Map()
  #genesis: Uint8Array = new Uint8Array()
  #closed = false
  #fail: (error: Error) => void = () => undefined
  /** Rejects when too few nodes are left. */
  readonly #failure: Promise<never>

  private constructor(options: SubnetOptions, founded: Founded | undefined) {
    const { nodes, settings } = options
    this.#options = options
    this.#founded = founded
    this.#failure = new Promise((_, reject) => {
      this.#fail = (error) => {
        if (this.#closed) return
        if (error instanceof CkbtcError) this.#emit({ type: 'ended', problem: error })
        else this.#emit({ type: 'bug', message: error.message })
        reject(error)
      }
    })
    this.#failure.catch(() => undefined) // Whoever waits for it is told; it need not be anybody.
    this.#questions = new Questions((me, id, question) =>
      this.#place(me).tell({ type: 'ask', id, question }),
    )
    this.#backend = new SubnetBackend({
      hasCanister: (id) =>
        mayHold(canisterIdsOf[settings.ids], settings.ledgers?.tokens.length ?? 0, id),
      clock: systemClock,
      up: () => this.up,
      canProgress: () => this.canProgress,
      nodes: this.size,
      input: (node, input) => this.#input(node, input),
      questions: this.#questions,
    })
    const names = founded?.ready ?? Array.from({ length: nodes }, (_, name) => name)
    this.#made = names.map((name) => this.#makePlace(name))
  }

  #makePlace(name: KeyNumber): NodePlace {
    const { directory, isolation = 'worker', open = openHost(isolation) } = this.#options
    return new NodePlace({
      name,
      storage:
        directory === undefined
          ? { type: 'memory', journal: newJournal() }
          : { type: 'directory', path: nodeDirectory(directory, name) },
      open,
      hear: (message) => this.#hear(name, message),
      ended: (end) => this.#hostEnded(name, end),
    })
  }

  /**
   * Starts every node. Of a new subnet the key is not made yet: that is observed. Throws
   * `HOST_DISK`, `HOST_STATE_LOCKED` and `CONFIG_INVALID` when there is a directory.
   */
  static async start(options: SubnetOptions): Promise<Subnet> {
    const { directory, nodes, settings } = options
    const founded =
      directory === undefined
        ? undefined
        : await onceUnlocked(() => restoreDisks(directory, nodes, settings))
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

  /** Calls that are not known to be executed yet. */
  get waitingCalls(): number {
    return this.#backend.waiting.length
  }

  /** Indices of the nodes that run, ascending. */
  get up(): readonly NodeIndex[] {
    return [...this.#up].toSorted((a, b) => a - b)
  }

  /** Whether enough nodes run for ordering and signing. */
  get canProgress(): boolean {
    return this.#up.size >= agreementQuorum(this.size)
  }

  /** Of a node that failed, `problemOf` says why. */
  stateOf(node: NodeIndex): 'up' | 'starting' | 'down' | 'failed' {
    if (this.#up.has(node)) return 'up'
    const place = this.#places.get(node)
    if (this.#starting.has(node)) return 'starting'
    return place === undefined || this.#failures.of(node) !== undefined ? 'failed' : 'down'
  }

  /** In which way it was made to lie. */
  lieOf(node: NodeIndex): Lie | undefined {
    return this.#lies.get(node)
  }

  /** Makes a node that runs lie from now on, or be honest again; a node that starts is honest. */
  corrupt(node: NodeIndex, lie: Lie | undefined): void {
    if (!this.#up.has(node)) return
    if (lie === undefined) this.#lies.delete(node)
    else this.#lies.set(node, lie)
    this.#place(node).tell({ type: 'corrupt', lie })
    // What it kept from them they ask for again.
    if (lie === undefined)
      for (const peer of this.#up) this.#input(peer, { type: 'linked', peer: node })
    this.#emit({ type: 'corrupted', node, lie })
  }

  problemOf(node: NodeIndex): CkbtcError | undefined {
    return this.#places.has(node) ? this.#failures.of(node) : noDisk(node)
  }

  /** Undefined when the node does not answer, or not in time. */
  async ask<Q extends NodeQuestion>(
    node: NodeIndex,
    question: Q,
  ): Promise<AnswerTo<Q> | undefined> {
    return this.#up.has(node) ? this.#questions.ask(node, question, ANSWER_MS_MAX) : undefined
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Collects the public keys of the nodes, and tells all nodes who they are. */
  async #begin(): Promise<void> {
    const made = await Promise.all(
      this.#made.map(async (place): Promise<Made> => {
        return { place, record: present(await place.open(), 'nobody ends a node that is new') }
      }),
    )
    const genesis = this.#founded?.genesis ?? newGenesis(made.map(({ record }) => record))
    this.#genesis = encodeGenesis(genesis)
    this.#places = new Map(
      genesis.membership.members.flatMap(({ id }, me) => {
        const found = made.find(({ record }) => equalBytes(record.id, id))
        return found === undefined ? [] : [[me, found.place] as const]
      }),
    )
    await this.#refuseStrays(made)
    for (const me of this.#places.keys()) this.#run(me)
  }

  /** A disk that is a copy of another's, or of no member, does not stand for a node. */
  async #refuseStrays(made: readonly Made[]): Promise<void> {
    const placed = new Set(this.#places.values())
    for (const { place } of made) {
      if (placed.has(place)) continue
      this.#strays.push(
        startRefused(
          `disk ${place.name + 1} is a copy of another, or of no node of the subnet`,
          {},
        ),
      )
      await place.kill()
    }
    const [problem] = this.#strays
    if (problem !== undefined && placed.size < agreementQuorum(this.size)) throw problem
  }

  /** Starts a node again from its disk and what the others tell it; never one without a disk. */
  async startNode(me: NodeIndex): Promise<void> {
    const place = this.#places.get(me)
    if (place === undefined || place.isOpen || this.#starting.has(me) || this.#closed) return
    this.#starting.add(me)
    this.#failures.remove(me)
    try {
      if ((await place.open()) === undefined) return
    } catch (error) {
      this.#nodeFailed(me, problemOf(error))
      return
    } finally {
      this.#starting.delete(me)
    }
    this.#run(me)
  }

  #run(me: NodeIndex): void {
    const { settings } = this.#options
    this.#up.add(me)
    this.#place(me).tell({ type: 'start', me, genesis: this.#genesis, settings })
    this.#link(me)
    for (const call of this.#backend.waiting) this.#input(me, { type: 'ingress', ...call })
    this.#emit({ type: 'started', node: me })
  }

  /** Nodes that have no links of their own are linked by this. */
  #link(me: NodeIndex): void {
    if (this.#place(me).port !== undefined) this.#tellPorts()
    else
      for (const peer of this.#up) {
        if (peer === me) continue
        this.#input(me, { type: 'linked', peer })
        this.#input(peer, { type: 'linked', peer: me })
      }
  }

  /** Where the others can be dialled, and who cannot. */
  #tellPorts(): void {
    const ports = this.members.map((_, node) => this.#places.get(node)?.port)
    for (const peer of this.#up)
      if (ports[peer] !== undefined) this.#place(peer).tell({ type: 'peers', ports })
  }

  /** Ends a node at once; what it had not recorded is gone. Resolves when its host has ended. */
  async stopNode(me: NodeIndex): Promise<void> {
    if (this.#places.has(me)) await this.#down(me)
  }

  #down(me: NodeIndex): Promise<void> {
    const ending = this.#place(me).kill()
    if (!this.#up.delete(me)) return ending
    this.#lies.delete(me)
    this.#tellPorts()
    this.#questions.stopped(me)
    this.#backend.stopped(me)
    this.#emit({ type: 'stopped', node: me })
    return ending
  }

  /** The others go on, as long as enough of them can. */
  #nodeFailed(me: NodeIndex, problem: CkbtcError): void {
    if (this.#failures.of(me) !== undefined) return // It is down already.
    void this.#down(me)
    this.#failures.add(me, problem)
    this.#emit({ type: 'failed', node: me, problem })
    const left = this.#places.size - this.#failures.lasting
    if (left < agreementQuorum(this.size)) this.#fail(endOfAll(problem))
  }

  #hostEnded(name: KeyNumber, end: HostEnd): void {
    const me = this.#indexOf(name)
    const problem = problemOfEnd(end)
    if (me !== undefined) this.#nodeFailed(me, problem)
    else this.#fail(endOfAll(problem)) // Nobody knows yet who of the members it would be.
  }

  /** Why disks of nodes that are down could not be used. */
  get problems(): readonly CkbtcError[] {
    return [...(this.#founded?.problems ?? []), ...this.#strays, ...this.#failures.problems]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    this.#backend.close()
    this.#questions.close()
    await Promise.all(this.#made.map((place) => place.close()))
  }

  #place(me: NodeIndex): NodePlace {
    return present(this.#places.get(me), `node ${me} has a place`)
  }

  #indexOf(name: KeyNumber): NodeIndex | undefined {
    for (const [me, place] of this.#places) if (place.name === name) return me
    return undefined
  }

  #input(me: NodeIndex, input: NodeInput): void {
    if (this.#up.has(me)) this.#place(me).tell({ type: 'input', input })
  }

  #emit(event: SubnetEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  /** What a node said before it was stopped has left it; what comes later is not heard. */
  #hear(name: KeyNumber, message: FromNode): void {
    const me = this.#indexOf(name)
    if (this.#closed || me === undefined) return
    switch (message.type) {
      case 'keys':
      case 'closed':
        return // Awaited where the host is opened and closed.
      case 'link':
        this.#emit({ ...message, node: me })
        return
      case 'answer':
        this.#questions.answered(message.id, message.answer)
        return
      case 'failed':
        this.#nodeFailed(me, receivedProblem(message.problem))
        return
      case 'bug':
        this.#nodeFailed(me, brokenNode(message.message))
        return
      case 'outputs':
        for (const output of message.outputs) this.#route(me, output)
    }
  }

  #route(me: NodeIndex, output: SharedOutput): void {
    switch (output.type) {
      case 'send': {
        const input = { type: 'message', from: me, bytes: output.bytes } as const
        if (output.to !== 'all') this.#input(output.to, input)
        else for (const to of this.#up) if (to !== me) this.#input(to, input)
        return
      }
      case 'certified':
        this.#backend.certified(me, output)
        return
      case 'diverged':
        this.#nodeFailed(me, divergedNode(output))
        return
      case 'fault':
        this.#emit({ type: 'fault', seenBy: me, culprit: output.culprit, reason: output.reason })
        return
      case 'observed':
        this.#emit({ type: 'observed', node: me, event: output.event })
    }
  }
}
