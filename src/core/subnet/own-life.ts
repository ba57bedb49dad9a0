/**
 * A node that has lost what it said: it draws a new life, keeps it, and asks the log to take it in.
 * Source: threshold §18.4, "Return of a node".
 */
import { Reader, Writer } from '../base/codec.ts'
import { journalPrefix } from '../log/journal.ts'
import type { LogOutput } from '../log/log-io.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import { encodeItem, returnContent } from './items.ts'
import type { SubnetNode } from './node.ts'
import type { NodeOutput } from './node-io.ts'

export class OwnLife {
  readonly #node: SubnetNode
  readonly #key: string
  /** Of votes, on disk or on their way to it. */
  readonly #votes: Set<string>
  #life: bigint
  /** The others have had votes of this life that this node has no record of. */
  #isForgetful = false
  /** Nobody has been told of this life. */
  #isFresh = false
  #isOffered = false

  constructor(node: SubnetNode) {
    const { genesis, records } = node.config
    this.#node = node
    this.#key = `${genesis.incarnation}/life`
    const prefix = journalPrefix(genesis.incarnation)
    this.#votes = new Set([...records.keys()].filter((key) => key.startsWith(prefix)))
    const kept = records.get(this.#key)
    this.#life = kept === undefined ? 0n : new Reader(kept).u64()
  }

  /** What its votes name. */
  get life(): bigint {
    return this.#life
  }

  /** Sees what the log asks to be recorded and forgotten. */
  watch(output: LogOutput): void {
    if (output.type === 'record') this.#votes.add(output.key)
    if (output.type === 'forget') for (const key of output.keys) this.#votes.delete(key)
    if (output.type === 'rolledBack') this.#isForgetful = true
  }

  /**
   * What there is to do for a node that has executed all its slots. `renew`: its life is over, or
   * the log may have refused it; `offer`: the log does not know it yet.
   */
  get due(): 'renew' | 'offer' | undefined {
    const { lives, slot, config } = this.#node
    if (this.#isForgetful) return 'renew'
    if (lives.lifeOf(config.me, slot) === this.#life) return undefined
    if (lives.knows(config.me, this.#life)) return 'renew'
    if (lives.mayReturn(config.me, slot)) return this.#isOffered ? undefined : 'offer'
    return this.#isFresh ? undefined : 'renew'
  }

  /** Draws another life: on disk before anything is said in it, and without votes. */
  renew(): readonly NodeOutput[] {
    const { keys, me } = this.#node.config
    do this.#life = keys.freshLife()
    while (this.#node.lives.knows(me, this.#life))
    this.#isForgetful = false
    this.#isFresh = true
    this.#isOffered = false
    const forgotten = [...this.#votes]
    this.#votes.clear()
    return [
      { type: 'record', key: this.#key, value: new Writer().u64(this.#life).done() },
      { type: 'forget', keys: forgotten },
    ]
  }

  /** The item that asks the log to take the node in. */
  offer(): Uint8Array {
    this.#isFresh = false
    this.#isOffered = true
    const { genesis, keys, me: node } = this.#node.config
    const life = this.#life
    const signature = keys.sign('return', returnContent(runPrefix(genesis), { node, life }))
    return encodeItem({ type: 'return', node, life, signature })
  }
}
