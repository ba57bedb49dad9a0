/**
 * A whole node: the log beside signer and replica, which apply its slots. Source: architecture §3,
 * threshold §17. Sans-IO.
 */
import type { NodeIndex } from '../base/party.ts'
import type { TimestampNs } from '../base/units.ts'
import { journalPrefix } from '../log/journal.ts'
import type { LogConfig, LogInput, LogOutput, SlotDisk } from '../log/log-io.ts'
import { LogParty } from '../log/log-party.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { verifyEvidence } from '../tecdsa/node-keys.ts'
import { isPlausible } from './items.ts'
import type { NodeOutputs, SubnetNode } from './node.ts'
import type { NodeInput, NodeOutput } from './node-io.ts'
import { isLogAlarm } from './node-io.ts'
import { OwnLife } from './own-life.ts'
import { logMessage, tagLogMessage } from './peer-message.ts'

/** No lie, but whoever looks after the node has to know. */
const ROLLED_BACK = 'RolledBack: this node has said more than it has on record'

export class OrderedNode {
  readonly #node: SubnetNode
  readonly #disk: SlotDisk
  readonly #life: OwnLife
  #log: LogParty

  /** `node` is where its newest time line begins; `disk` holds the slots of it that it knows. */
  constructor(
    node: SubnetNode,
    { disk, now }: { readonly disk: SlotDisk; readonly now: TimestampNs },
  ) {
    this.#node = node
    this.#disk = disk
    this.#life = new OwnLife(node)
    const { records } = node.config
    this.#log = new LogParty(logConfig(node, { disk, records, life: this.#life.life }), now)
  }

  /** For questions of clients, and for what is kept at a stop. */
  get node(): SubnetNode {
    return this.#node
  }

  /** Synchronous and total: neither peers nor users make it throw. `now`: own clock. */
  step(input: NodeInput, now: TimestampNs): NodeOutputs {
    const outputs = this.#settled(this.#first(input, now), now)
    // A slot of this step is not on disk yet: whatever there is to do for it comes with the next.
    if (outputs.some(({ type }) => type === 'decided')) return outputs
    return [...outputs, ...this.#settled(this.#mindLife(now), now)]
  }

  /** What the log makes of a slot that was executed comes after all that the slot led to. */
  #settled(first: NodeOutputs, now: TimestampNs): NodeOutputs {
    const outputs: NodeOutput[] = []
    const pending: NodeOutput[] = [...first]
    for (let output = pending.shift(); output !== undefined; output = pending.shift())
      if (output.type === 'log') pending.push(...this.#ask(output.input, now))
      else outputs.push(output)
    return outputs
  }

  /**
   * Returns with a new life when its disk turns out to be older than what it has said (§18.4). What
   * it does beside the log needs no such care: its dealings come out the same, and which request a
   * presignature is paired with, and ω, are functions of the log in this incarnation, so a share
   * whose record it has lost can be given again, and not under another ω.
   */
  #mindLife(now: TimestampNs): NodeOutputs {
    const hasExecutedAll = this.#node.slot === this.#disk.position.next
    const due = hasExecutedAll ? this.#life.due : undefined
    if (due === 'offer') return this.#ask({ type: 'submit', item: this.#life.offer() }, now)
    if (due === undefined) return []
    const outputs = this.#life.renew()
    const { genesis, records } = this.#node.config
    const votes = journalPrefix(genesis.incarnation)
    const others = new Map([...records].filter(([key]) => !key.startsWith(votes)))
    const { life } = this.#life
    this.#log = new LogParty(
      logConfig(this.#node, { disk: this.#disk, records: others, life }),
      now,
    )
    const begun = this.#ask({ type: 'start' }, now)
    return [...outputs, ...begun, ...this.#mindLife(now)]
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
    return this.#log.step(input, now).flatMap((output) => {
      this.#life.watch(output)
      return this.#translate(output)
    })
  }

  #translate(output: LogOutput): NodeOutputs {
    switch (output.type) {
      case 'send':
        return [{ ...output, bytes: tagLogMessage(output.bytes) }]
      case 'slot':
        return [{ type: 'decided', slot: output.slot }, ...this.#node.step(output)]
      case 'rolledBack':
        return [{ type: 'fault', culprit: this.#node.config.me, reason: ROLLED_BACK }]
      case 'record':
      case 'forget':
      case 'alarm':
      case 'fault':
        return [output]
    }
  }
}

function logConfig(
  node: SubnetNode,
  { disk, records, life }: Pick<LogConfig, 'disk' | 'records' | 'life'>,
): LogConfig {
  const { genesis, keys, me, ed25519 } = node.config
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
    life,
    lifeOf: (one, slot) => node.lives.lifeOf(one, slot),
    checksPast: true,
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
