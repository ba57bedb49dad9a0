/**
 * A whole node: the log beside signer and replica, which apply its slots. Source: architecture §3,
 * threshold §17. Sans-IO.
 */
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import type { LogConfig, LogInput, LogOutput, SlotDisk } from '../log/log-io.ts'
import { LogParty } from '../log/log-party.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { verifyEvidence } from '../tecdsa/node-keys.ts'
import { isPlausible } from './items.ts'
import type { NodeOutputs, SubnetNode } from './node.ts'
import type { NodeInput, NodeOutput } from './node-io.ts'
import { isLogAlarm } from './node-io.ts'
import { logMessage, tagLogMessage } from './peer-message.ts'

export class OrderedNode {
  readonly #node: SubnetNode
  readonly #log: LogParty

  /** `node` is where its newest time line begins; `disk` holds the slots of it that it knows. */
  constructor(
    node: SubnetNode,
    { disk, now }: { readonly disk: SlotDisk; readonly now: TimestampNs },
  ) {
    this.#node = node
    this.#log = new LogParty(logConfig(node, disk), now)
  }

  /** For questions of clients, and for what is kept at a stop. */
  get node(): SubnetNode {
    return this.#node
  }

  /** Synchronous and total: neither peers nor users make it throw. `now`: own clock. */
  step(input: NodeInput, now: TimestampNs): NodeOutputs {
    const outputs: NodeOutput[] = []
    const pending: NodeOutput[] = [...this.#first(input, now)]
    // What the log makes of a slot that was executed comes after all that the slot led to.
    for (let output = pending.shift(); output !== undefined; output = pending.shift())
      if (output.type === 'log') pending.push(...this.#ask(output.input, now))
      else outputs.push(output)
    return outputs
  }

  #first(input: NodeInput, now: TimestampNs): NodeOutputs {
    switch (input.type) {
      case 'start':
      case 'linked':
        return [...this.#ask(input, now), ...this.#node.step(input)]
      case 'message': {
        const bytes = logMessage(input.bytes)
        return bytes === undefined
          ? this.#node.step(input)
          : this.#ask({ type: 'message', from: input.from, bytes }, now)
      }
      case 'alarm':
        return isLogAlarm(input.name)
          ? this.#ask({ type: 'alarm', name: input.name }, now)
          : this.#node.step(input)
      default:
        return this.#node.step(input)
    }
  }

  #ask(input: LogInput, now: TimestampNs): NodeOutputs {
    return this.#log.step(input, now).flatMap((output) => this.#translate(output))
  }

  #translate(output: LogOutput): NodeOutputs {
    switch (output.type) {
      case 'send':
        return [{ ...output, bytes: tagLogMessage(output.bytes) }]
      case 'slot':
        return [{ type: 'decided', slot: output.slot }, ...this.#node.step(output)]
      case 'record':
      case 'forget':
      case 'alarm':
      case 'fault':
        return [output]
    }
  }
}

function logConfig(node: SubnetNode, disk: SlotDisk): LogConfig {
  const { genesis, keys, me, ed25519, records } = node.config
  const { members } = genesis.membership
  const { signer } = node
  return {
    nodes: members.length,
    me,
    incarnation: genesis.incarnation,
    from: node.slot,
    disk,
    records,
    coin: {
      isShared: (slot) => signer.tapeKeySlot !== undefined && slot >= signer.tapeKeySlot,
      share: (toss) => signer.coinShare(toss),
      combine: (toss, shares) => signer.combineCoin(toss, shares),
    },
    life: 0n,
    lifeOf: () => 0n,
    checksPast: false,
    sign: (content) => keys.sign('vote', content),
    verify: (from: NodeIndex, content, signature) => {
      const signer = members[from]
      return (
        signer !== undefined &&
        verifyEvidence(ed25519, { signer, kind: 'vote', content, signature })
      )
    },
    prefix: runPrefix(genesis),
    isPlausible,
  }
}
