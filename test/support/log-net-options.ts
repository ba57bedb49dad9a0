/** What a simulated log is made of: messages, liars, networks, crashes. */
import type { NodeIndex } from '../../src/core/base/party.ts'
import type { Slot } from '../../src/core/log/log.ts'
import type { LogAlarm, LogOutput } from '../../src/core/log/log-io.ts'
import type { Random } from './random.ts'

export type Message = {
  readonly from: NodeIndex
  readonly to: NodeIndex
  readonly bytes: Uint8Array
}

/** A lying node: what it says in place of what it would send, and what it adds to what it hears. */
export interface Liar {
  says(message: Message, random: Random): readonly Message[]
  hears(message: Message, random: Random): readonly Message[]
}

/** How long each copy of a message is on its way: none, one or more of them. */
export type Schedule = (message: Message, random: Random, nowMs: number) => readonly number[]

export type LogNetOptions = {
  readonly nodes: number
  readonly seed: string
  readonly liars?: ReadonlyMap<NodeIndex, Liar>
  readonly schedule?: Schedule
  /** The clock of a node, when virtual time is `ns`. */
  readonly clock?: (node: NodeIndex, ns: bigint) => bigint
  /** From this slot on the coin needs shares. */
  readonly sharedFrom?: bigint
  /** Whether an item does anything when its slot is executed: all do, unless told. */
  readonly counts?: (item: Uint8Array) => boolean
  /** Whether a node dies before it gets to an output: milliseconds until it starts again. */
  readonly crash?: (node: NodeIndex, output: LogOutput, random: Random) => number | undefined
}

/** What happens at a moment of virtual time. */
export type NetEvent =
  | {
      readonly type: 'message'
      readonly message: Message
      /** Of both ends and the link, when it was sent. */
      readonly lives: readonly [from: number, to: number, link: number]
    }
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
