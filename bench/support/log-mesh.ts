/** The log of the nodes in the place of the sequencer: votes and proposals, no delay. For D10. */
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { Ed25519 } from '../../src/core/base/verification.ts'
import type { LogInput as PartyInput, LogOutput as PartyOutput } from '../../src/core/log/log-io.ts'
import type { LogParty } from '../../src/core/log/log-party.ts'
import type { Log, LogDelivery, LogInput } from '../../test/support/sequencer.ts'
import { benchParties } from './logs.ts'

/** Before the clock of the signers begins. */
const START = 1_000_000_000n

export class LogMesh implements Log {
  readonly #parties: readonly LogParty[]
  readonly #queue: { readonly to: NodeIndex; readonly input: PartyInput }[] = []
  /** Nodes that owe votes, once nothing waits. */
  readonly #turns = new Set<NodeIndex>()
  #deliveries: LogDelivery[] = []
  #now = START
  /** What crossed the network since the start. */
  messages = 0
  bytes = 0

  constructor(nodes: number, ed25519: Ed25519) {
    this.#parties = benchParties(nodes, ed25519, this.#now)
    for (const to of this.#parties.keys()) this.#queue.push({ to, input: { type: 'start' } })
    this.#settle()
  }

  step(from: NodeIndex, input: LogInput, now: TimestampNs): readonly LogDelivery[] {
    if (START + now > this.#now) this.#now = START + now
    if (input.type === 'submit') this.#queue.push({ to: from, input })
    if (input.type === 'working' && input.slot > 0n)
      this.#queue.push({ to: from, input: { type: 'executed', wasQuiet: false } })
    this.#settle()
    const deliveries = this.#deliveries
    this.#deliveries = []
    return deliveries
  }

  /** Nobody is. */
  down(): void {}

  #settle(): void {
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) this.#handle(next.to, next.input)
      else {
        const [node] = this.#turns
        if (node === undefined) return
        this.#turns.delete(node)
        this.#handle(node, { type: 'alarm', name: 'turn' })
      }
    }
  }

  #handle(to: NodeIndex, input: PartyInput): void {
    this.#now += 1_000n
    const outputs = present(this.#parties[to], 'a node').step(input, timestampNs(this.#now))
    for (const output of outputs) this.#perform(to, output)
  }

  #perform(from: NodeIndex, output: PartyOutput): void {
    if (output.type === 'alarm' && output.name === 'turn') this.#turns.add(from)
    if (output.type === 'slot') {
      const { slot } = output
      this.#deliveries.push({ to: from, output: { type: 'slot', slot, head: slot.number } })
    }
    if (output.type !== 'send') return
    for (const to of this.#parties.keys()) {
      if (to === from || (output.to !== 'all' && output.to !== to)) continue
      this.messages += 1
      this.bytes += output.bytes.length
      this.#queue.push({ to, input: { type: 'message', from, bytes: output.bytes } })
    }
  }
}
