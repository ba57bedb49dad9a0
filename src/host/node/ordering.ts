/**
 * Substitute for the log that the nodes would agree on by themselves: one sequencer beside them.
 * Source: threshold §17.6.
 */
import type { NodeIndex } from '../../core/base/party.ts'
import type { LogInput } from '../../core/log/log.ts'
import { Sequencer } from '../../core/log/sequencer.ts'
import type { NodeInput } from '../../core/subnet/node-io.ts'
import { systemClock } from '../clock.ts'
import type { Founded, SlotReader } from '../disks/subnet-disks.ts'
import { slotReader } from '../disks/subnet-disks.ts'
import { entropy } from '../entropy.ts'

export type OrderingOptions = {
  readonly nodes: number
  readonly directory: string | undefined
  readonly founded: Founded | undefined
  readonly input: (node: NodeIndex, input: NodeInput) => void
}

export class Ordering {
  readonly #log: Sequencer
  readonly #reader: SlotReader | undefined
  readonly #input: OrderingOptions['input']

  constructor({ nodes, directory, founded, input }: OrderingOptions) {
    const reader = directory === undefined ? undefined : slotReader(directory, nodes, founded)
    this.#reader = reader
    this.#input = input
    this.#log = new Sequencer(nodes, entropy(32), {
      ...(founded === undefined ? {} : { position: founded.position }),
      ...(reader === undefined ? {} : { read: (slot) => reader.read(slot) }),
    })
  }

  hear(me: NodeIndex, input: LogInput): void {
    for (const { to, output } of this.#log.step(me, input, systemClock()))
      this.#input(to, { type: 'log', output })
  }

  down(me: NodeIndex): void {
    this.#log.down(me)
  }

  close(): void {
    this.#reader?.close()
  }
}
