/**
 * Runs one node in this thread: performs its outputs, keeps its records, fires its alarms, drives
 * its adapter.
 */
import { CkbtcError } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import type {
  AlarmName,
  Answer,
  NodeInput,
  NodeOutput,
  Question,
} from '../../core/subnet/node-io.ts'
import type { OrderedNode } from '../../core/subnet/ordered-node.ts'
import type { BitcoinConnection } from '../bitcoin/connection.ts'
import type { LogScrub } from '../disks/log-scrub.ts'
import { SCRUB_PAUSE_MS } from '../disks/log-scrub.ts'
import type { NodeDisk } from '../disks/node-disk.ts'
import type { RunningSnapshots } from '../disks/running-snapshots.ts'
import type { BitcoinAnswer, SharedOutput } from './protocol.ts'

type Cancel = () => void

export type RunnerPorts = {
  /** What is committed is on disk when this returns. */
  readonly disk: Pick<NodeDisk, 'commit'> & { readonly log: Pick<NodeDisk['log'], 'position'> }
  /** Without it, the node's state is kept at a stop alone. */
  readonly snapshots?: Pick<RunningSnapshots, 'executed' | 'isDue' | 'take'> | undefined
  readonly clock: () => TimestampNs
  /** Outputs that concern others, in order. */
  readonly share: (outputs: readonly SharedOutput[]) => void
  /** In place of the timers of this thread: `act` in a later turn, after so long at the earliest. */
  readonly schedule?: (afterMs: number, act: () => void) => Cancel
  /** Called once, with the invariant that broke, or what nobody foresaw; the node is ended. */
  readonly broken: (error: Error) => void
  /** Called once, when the disk does not take what must be on it; the node is ended. */
  readonly failed: (problem: CkbtcError) => void
}

export class NodeRunner {
  readonly #node: OrderedNode
  readonly #ports: RunnerPorts
  readonly #schedule: (afterMs: number, act: () => void) => Cancel
  readonly #alarms = new Map<AlarmName, Cancel>()
  #bitcoin: BitcoinConnection | undefined
  #ended = false
  #broken = false
  #cancelSnapshot: Cancel | undefined
  #cancelScrub: Cancel | undefined
  /** Questions that wait for the state to be certified. */
  readonly #waiting = new Set<() => void>()

  constructor(node: OrderedNode, ports: RunnerPorts) {
    this.#node = node
    this.#ports = ports
    this.#schedule = ports.schedule ?? schedule
  }

  get node(): OrderedNode['node'] {
    return this.#node.node
  }

  /** Whether an invariant or its disk broke: its state is not to be trusted, or goes beyond the disk. */
  get isBroken(): boolean {
    return this.#broken
  }

  /** The node follows Bitcoin through this connection from now on. */
  attach(bitcoin: BitcoinConnection): void {
    this.#bitcoin = bitcoin
  }

  /** Reads the old part of the log, a little at a time; damage in it is the end of the node. */
  readThrough(old: Pick<LogScrub, 'step'>): void {
    this.#cancelScrub = this.#schedule(SCRUB_PAUSE_MS, () =>
      this.#guarded(() => {
        if (old.step()) this.readThrough(old)
      }),
    )
  }

  /** How it stands to the Bitcoin node that it follows. */
  get bitcoin(): BitcoinAnswer | undefined {
    const peer = this.#bitcoin?.peers()[0]
    if (this.#bitcoin === undefined || peer === undefined || this.#ended) return undefined
    const { bans, eclipseRisk } = this.#bitcoin.status()
    return {
      type: 'bitcoin',
      isConnected: peer.state === 'ready',
      shownHeight: this.#bitcoin.bestHeight(),
      lastOffence: peer.lastOffence?.reason,
      bans: bans.map(({ host, offence, untilMs }) => ({ host, reason: offence.reason, untilMs })),
      eclipseRisk,
      transactions: this.#bitcoin.report(),
    }
  }

  input(input: NodeInput): void {
    this.#guarded(() => {
      const begunMs = performance.now()
      const outputs = this.#node.step(input, this.#ports.clock())
      this.#perform(outputs, performance.now() - begunMs)
    })
  }

  /** Answers a client outside the log; undefined when the node has ended, perhaps of this. */
  ask(question: Question, now: TimestampNs): Answer | undefined {
    return this.#guarded(() => {
      const { answer, outputs } = this.node.ask(question, now)
      this.#perform(outputs, undefined)
      return answer
    })
  }

  /** Whatever is thrown is the end of this node, and of no other that shares its thread. */
  #guarded<T>(work: () => T): T | undefined {
    if (this.#ended) return undefined
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#broken = true
      this.end()
      if (error instanceof CkbtcError) this.#ports.failed(error)
      else this.#ports.broken(error)
      return undefined
    }
  }

  /** Resolves when the node's state is certified, at the latest after `waitMs`. */
  async settled(waitMs: number): Promise<void> {
    if (!this.node.isSettling || this.#ended) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, waitMs)
      this.#waiting.add(done)
    })
  }

  /** Stops at once: nothing more leaves, nothing more fires. */
  end(): void {
    this.#ended = true
    for (const cancel of this.#alarms.values()) cancel()
    this.#alarms.clear()
    this.#cancelSnapshot?.()
    this.#cancelScrub?.()
    this.#bitcoin?.close()
    for (const done of [...this.#waiting]) done()
  }

  /** Slots and what is vouched for are on disk before anything of them leaves (§18.4). */
  #keep(outputs: readonly NodeOutput[]): void {
    const { disk } = this.#ports
    const records = outputs.filter((output) => output.type === 'record')
    const forget = outputs.flatMap((output) => (output.type === 'forget' ? output.keys : []))
    const { next } = disk.log.position
    // A node that starts again executes old slots anew; they are written once.
    const slots = outputs.flatMap((output) =>
      output.type === 'decided' && output.slot.number >= next ? [output.slot] : [],
    )
    for (const slot of slots.slice(0, -1)) disk.commit({ slot })
    const slot = slots.at(-1)
    const past = outputs.filter((output) => output.type === 'signer-past')
    disk.commit({ slot, records, forget, past, root: slot && this.node.namedRoot })
  }

  /** `tookMs`: to make them, where they are of one piece of work. */
  #perform(outputs: readonly NodeOutput[], tookMs: number | undefined): void {
    this.#keep(outputs)
    const shared: SharedOutput[] = []
    for (const output of outputs)
      switch (output.type) {
        case 'record':
        case 'forget':
        case 'decided':
        case 'signer-past':
          break // On disk already.
        case 'log':
          break // Passed to the log inside the node.
        case 'alarm':
          this.#arm(output.name, output.afterMs)
          break
        case 'adapter':
          this.#bitcoin?.want(output.wanted)
          this.#bitcoin?.announce(output.announce)
          break
        case 'certified':
          shared.push(output)
          for (const done of [...this.#waiting]) done()
          break
        case 'diverged':
          this.#broken = true // What it has come to is not kept: the log may lead to what is right.
          shared.push(output)
          break
        case 'send':
        case 'fault':
          shared.push(output)
          break
        case 'observed':
          shared.push(timed(output, tookMs))
      }
    if (shared.length > 0) this.#ports.share(shared)
    this.#mindSnapshot(outputs)
  }

  /** In a turn of its own: what the last slot led to has left by then, and is on its way. */
  #mindSnapshot(outputs: readonly NodeOutput[]): void {
    const { snapshots } = this.#ports
    if (snapshots === undefined) return
    for (const output of outputs) if (output.type === 'decided') snapshots.executed(output.slot)
    if (this.#cancelSnapshot !== undefined || this.#broken || !snapshots.isDue(this.node)) return
    this.#cancelSnapshot = this.#schedule(0, () => {
      this.#cancelSnapshot = undefined
      // It may have diverged while this waited for its turn.
      if (!this.#broken) this.#guarded(() => snapshots.take(this.node))
    })
  }

  /**
   * Work waits only for its turn in the event loop, so that input is served between two pieces of
   * it.
   */
  #arm(name: AlarmName, afterMs: number): void {
    this.#alarms.get(name)?.()
    const fire = (): void => {
      this.#alarms.delete(name)
      this.input({ type: 'alarm', name })
    }
    this.#alarms.set(name, this.#schedule(afterMs, fire))
  }
}

function schedule(afterMs: number, act: () => void): Cancel {
  if (afterMs === 0) {
    const handle = setImmediate(act)
    return () => clearImmediate(handle)
  }
  const handle = setTimeout(act, afterMs)
  return () => clearTimeout(handle)
}

type Observed = Extract<NodeOutput, { type: 'observed' }>

/** A signature is combined in one piece of work: a node has no clock to tell how long it took. */
function timed(output: Observed, tookMs: number | undefined): Observed {
  const { type, event } = output
  if (event.type !== 'signed' || tookMs === undefined) return output
  return { type, event: { ...event, tookMs } }
}
