/**
 * The subnet as its HTTP side sees it: calls until they are certified, reads that are fresh enough,
 * queries to a node that is not behind. Implements `docs/spec/ic-interface.md` §16 rules 4 to 7.
 */
import type { Hash32 } from '../core/base/bytes.ts'
import { toHex } from '../core/base/bytes.ts'
import { SubnetDown } from '../core/base/errors.ts'
import type { NodeIndex } from '../core/base/party.ts'
import { reconstructionThreshold } from '../core/base/party.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../core/base/units.ts'
import type { QueryContent } from '../core/ic/envelope.ts'
import type { Principal } from '../core/ic/principal.ts'
import type { StateRead } from '../core/ic/read-state.ts'
import { rootKeyOf } from '../core/subnet/certified-state.ts'
import type { NodeInput, NodeOutput, ReadStateOutcome } from '../core/subnet/node-io.ts'
import type { Clock } from './clock.ts'
import type { CallOutcome, IcBackend, SubmittedCall } from './ic/backend.ts'
import type { Questions } from './node/questions.ts'

/** Calls that wait to be executed, and what their envelopes take together (§25). */
const CALLS_MAX = 2_000
const CALL_BYTES_MAX = 64 * 1024 * 1024
/** A read finds a certificate not older than this, or a new one is made. */
const READ_AGE_MS_MAX = 2_000
const QUERY_AGE_MS_MAX = 60_000
/** How long a read waits for the new one. */
const REFRESH_WAIT_MS = 2_000

/** The part of the subnet that clients are served from. */
export type BackendPorts = {
  /** Whether a canister of that id may be there. */
  readonly hasCanister: (id: Principal) => boolean
  readonly clock: Clock
  /** Nodes that run, ascending. */
  readonly up: () => readonly NodeIndex[]
  readonly canProgress: () => boolean
  /** Members of the subnet, running or not. */
  readonly nodes: number
  readonly input: (node: NodeIndex, input: NodeInput) => void
  readonly questions: Questions
}

type Certified = Extract<NodeOutput, { readonly type: 'certified' }>
/** A call that is not known to be executed yet, whether or not somebody waits for it. */
type Wait = {
  readonly call: SubmittedCall
  readonly tell: Set<(outcome: CallOutcome) => void>
  /** `certified`: a certificate can be had. `asked`: a node was asked for it. */
  stage: 'sent' | 'certified' | 'asked'
}

export class SubnetBackend implements IcBackend {
  readonly #ports: BackendPorts
  readonly #waiting = new Map<string, Wait>()
  #waitingBytes = 0
  readonly #certified = new Map<NodeIndex, Certified>()
  readonly #fresh = new Set<() => void>()
  #newest: Certified | undefined
  #rootKey: Uint8Array | undefined
  #turn = 0
  #handedTo = 0

  constructor(ports: BackendPorts) {
    this.#ports = ports
  }

  get rootKey(): Uint8Array | undefined {
    return this.#rootKey
  }

  get status(): IcBackend['status'] {
    const { slot = 0n, time = timestampNs(0n) } = this.#newest ?? {}
    return { health: this.#health, certifiedSlot: slot, certifiedTime: time }
  }

  get #health(): IcBackend['status']['health'] {
    if (this.#newest === undefined)
      return this.#rootKey === undefined ? 'starting' : 'waiting_for_certified_state'
    return this.#ports.canProgress() ? 'healthy' : 'certified_state_behind'
  }

  /** Envelopes of calls that wait, for a node that starts. */
  get waiting(): readonly SubmittedCall[] {
    return [...this.#waiting.values()].map(({ call }) => call)
  }

  hasCanister(id: Principal): boolean {
    return this.#ports.hasCanister(id)
  }

  /** A node has settled a slot: its certificates answer the calls that wait for it. */
  certified(node: NodeIndex, output: Certified): void {
    this.#rootKey ??= rootKeyOf(output.certificationKey)
    const before = this.#certified.get(node)
    if (before === undefined || output.slot > before.slot) this.#certified.set(node, output)
    if (this.#newest === undefined || output.slot > this.#newest.slot) {
      this.#newest = output
      for (const tell of this.#fresh) tell()
    }
    for (const id of output.requests) {
      const wait = this.#waiting.get(toHex(id))
      if (wait?.tell.size === 0) this.#forget(wait)
      else if (wait?.stage === 'sent') wait.stage = 'certified'
    }
    const wanted = [...this.#waiting.values()].filter(({ stage }) => stage === 'certified')
    if (wanted.length > 0) void this.#fetch(node, wanted)
  }

  stopped(node: NodeIndex): void {
    this.#certified.delete(node)
  }

  /** One node makes all certificates of a slot. What it cannot give is asked of the next one. */
  async #fetch(node: NodeIndex, wanted: readonly Wait[]): Promise<void> {
    for (const wait of wanted) wait.stage = 'asked'
    const requestIds = wanted.map(({ call }) => call.requestId)
    const answer = await this.#ports.questions.ask(node, { type: 'certificates', requestIds })
    for (const [place, wait] of wanted.entries()) {
      const certificate = answer?.certificates[place]
      wait.stage = 'certified'
      if (certificate === undefined) continue
      this.#forget(wait)
      for (const tell of [...wait.tell]) tell({ type: 'certified', certificate })
    }
  }

  call(call: SubmittedCall, waitMs: number): Promise<CallOutcome> {
    const { requestId, envelope } = call
    const name = toHex(requestId)
    const known = this.#waiting.get(name)
    if (known === undefined && (this.#isFull || !this.#hasRoom(envelope)))
      return Promise.resolve({ type: 'busy' })
    const wait: Wait = known ?? { call, tell: new Set(), stage: 'sent' }
    if (known === undefined) {
      this.#waiting.set(name, wait)
      this.#waitingBytes += envelope.length
    }
    // One that nobody waits for any more is handed in again: nodes have room for so many only.
    const isHandedIn = wait.tell.size > 0
    const outcome = this.#outcome(wait, waitMs)
    if (!isHandedIn)
      for (const node of this.#receivers(known !== undefined))
        this.#ports.input(node, { type: 'ingress', requestId, envelope })
    return outcome
  }

  /**
   * Nodes that put a call into the log: f + 1, one of which is honest and tells all others; all of
   * them for a call that is handed in again. Each in its turn.
   */
  #receivers(isAgain: boolean): readonly NodeIndex[] {
    const up = this.#ports.up()
    const count = isAgain ? up.length : reconstructionThreshold(this.#ports.nodes)
    this.#handedTo = (this.#handedTo + 1) % Math.max(1, up.length)
    const turned = [...up.slice(this.#handedTo), ...up.slice(0, this.#handedTo)]
    return turned.slice(0, count)
  }

  /** No other request is executed until old ones are forgotten; a slot now and then finds out. */
  get #isFull(): boolean {
    return this.#newest?.isFull === true && !this.#isOlder(READ_AGE_MS_MAX)
  }

  /** Calls that can no longer be executed make room for others. */
  #hasRoom({ length }: Uint8Array): boolean {
    const fits = (): boolean =>
      this.#waiting.size < CALLS_MAX && this.#waitingBytes + length <= CALL_BYTES_MAX
    if (fits()) return true
    const now = this.#ports.clock()
    for (const wait of this.#waiting.values())
      if (wait.call.expiry < now && wait.tell.size === 0) this.#forget(wait)
    return fits()
  }

  #forget({ call }: Wait): void {
    if (this.#waiting.delete(toHex(call.requestId))) this.#waitingBytes -= call.envelope.length
  }

  #outcome(wait: Wait, waitMs: number): Promise<CallOutcome> {
    return new Promise((resolve) => {
      const tell = (outcome: CallOutcome): void => {
        clearTimeout(timer)
        wait.tell.delete(tell)
        resolve(outcome)
      }
      const timer = setTimeout(() => tell({ type: 'pending' }), waitMs)
      wait.tell.add(tell)
    })
  }

  async query(query: {
    readonly requestId: Hash32
    readonly content: QueryContent
  }): Promise<Uint8Array> {
    await this.#freshen(QUERY_AGE_MS_MAX)
    for (;;) {
      const answer = await this.#ports.questions.ask(this.#chooseNode(), {
        type: 'query',
        ...query,
      })
      if (answer !== undefined) return answer.body
    }
  }

  async readState(read: StateRead): Promise<ReadStateOutcome> {
    await this.#freshen(READ_AGE_MS_MAX)
    for (;;) {
      const answer = await this.#ports.questions.ask(this.#chooseNode(), {
        type: 'readState',
        read,
      })
      if (answer !== undefined) return answer.outcome
    }
  }

  /** In turn, one of those that have certified as much as any. Throws `SubnetDown`. */
  #chooseNode(): NodeIndex {
    const up = this.#ports.up()
    const newest = this.#newest?.slot
    const current = up.filter((node) => this.#certified.get(node)?.slot === newest)
    const choice = current.length > 0 ? current : up
    this.#turn = (this.#turn + 1) % Math.max(1, choice.length)
    const node = choice[this.#turn]
    if (node === undefined) throw new SubnetDown()
    return node
  }

  /** Asks for a new slot when the newest certificate is too old, one for all who ask. */
  async #freshen(ageMsMax: number): Promise<void> {
    if (!this.#isOlder(ageMsMax)) return
    if (!this.#ports.canProgress()) return
    if (this.#fresh.size === 0)
      for (const node of this.#ports.up()) this.#ports.input(node, { type: 'refresh' })
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#fresh.delete(done)
        resolve()
      }
      const timer = setTimeout(done, REFRESH_WAIT_MS)
      this.#fresh.add(done)
    })
  }

  #isOlder(ageMsMax: number): boolean {
    const time: TimestampNs | undefined = this.#newest?.time
    return time === undefined || time + BigInt(ageMsMax) * NS_PER_MS < this.#ports.clock()
  }

  close(): void {
    for (const { tell } of this.#waiting.values())
      for (const end of [...tell]) end({ type: 'pending' })
    for (const done of [...this.#fresh]) done()
  }
}
