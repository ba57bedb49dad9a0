/** The logs of all nodes in one process, no delay: the loopback driver of D9. */
import { concat, utf8 } from '../../src/core/base/bytes.ts'
import { assert, present } from '../../src/core/base/errors.ts'
import { sha256 } from '../../src/core/base/hash.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { Ed25519 } from '../../src/core/base/verification.ts'
import type { LogPosition, Slot } from '../../src/core/log/log.ts'
import type { LogInput, LogOutput, SlotDisk } from '../../src/core/log/log-io.ts'
import { LogParty } from '../../src/core/log/log-party.ts'

const GENESIS = sha256(utf8('bench log'))

/** Nobody is behind here, so no slot is read again. */
const nothing: SlotDisk = {
  position: { next: 0n, previous: GENESIS, time: undefined } satisfies LogPosition,
  contentAt: () => undefined,
  hashAt: () => undefined,
}

/** The parties of one log, which answer each other alone. */
export const benchParties = (
  nodes: number,
  ed25519: Pick<Ed25519, 'sign'>,
  now: bigint,
): readonly LogParty[] =>
  Array.from({ length: nodes }, (_, me) => {
    const secret = sha256(utf8(`bench log ${me}`))
    return new LogParty(
      {
        nodes,
        me,
        incarnation: 1n,
        life: 0n,
        lifeOf: () => 0n,
        checksPast: false,
        from: 0n,
        disk: nothing,
        records: new Map(),
        coin: {
          isShared: () => false,
          share: () => undefined,
          combine: () => ({ value: undefined, blamed: [] }),
        },
        sign: (content) => ed25519.sign(secret, content),
        verify: () => false,
        prefix: concat(GENESIS, new Uint8Array(8)),
        isPlausible: () => true,
      },
      timestampNs(now),
    )
  })

type Work = { readonly to: NodeIndex; readonly input: LogInput }

export class LogLoop {
  readonly #parties: readonly LogParty[]
  readonly #queue: Work[] = []
  /** Nodes that owe votes, once nothing waits. */
  readonly #turns = new Set<NodeIndex>()
  #now = 1_000_000_000n
  #delivered = 0
  #newest: Slot | undefined
  messages = 0
  bytes = 0

  constructor(nodes: number, ed25519: Ed25519) {
    this.#parties = benchParties(nodes, ed25519, this.#now)
    for (const me of this.#parties.keys()) this.#step({ to: me, input: { type: 'start' } })
    this.#settle()
  }

  /** Each item comes from another node; runs until every node has them in one slot. */
  slot(items: readonly Uint8Array[]): Slot {
    this.#delivered = 0
    for (const [i, item] of items.entries())
      this.#queue.push({ to: i % this.#parties.length, input: { type: 'submit', item } })
    this.#settle()
    assert(this.#delivered === this.#parties.length, 'every node delivers one slot')
    const slot = present(this.#newest, 'a slot was delivered')
    assert(slot.items.length === items.length, 'it holds all items')
    return slot
  }

  #settle(): void {
    for (;;) {
      const next = this.#queue.shift()
      if (next !== undefined) this.#step(next)
      else {
        const [node] = this.#turns
        if (node === undefined) return
        this.#turns.delete(node)
        this.#step({ to: node, input: { type: 'alarm', name: 'turn' } })
      }
    }
  }

  #step({ to, input }: Work): void {
    this.#now += 1_000n
    const outputs = present(this.#parties[to], 'a node').step(input, timestampNs(this.#now))
    for (const output of outputs) this.#perform(to, output)
  }

  #perform(from: NodeIndex, output: LogOutput): void {
    if (output.type === 'alarm' && output.name === 'turn') this.#turns.add(from)
    if (output.type === 'slot') {
      this.#delivered += 1
      this.#newest = output.slot
      this.#queue.push({ to: from, input: { type: 'executed', wasQuiet: false } })
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
