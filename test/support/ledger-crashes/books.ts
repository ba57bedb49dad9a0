/**
 * What must be so after a crash, kept apart from the node: the log's calls run on a simple model, in
 * their order. Nothing that was told is lost, and the state is the one that the log leads to.
 */
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { decodeEnvelope, requestId } from '../../../src/core/ic/envelope.ts'
import { allowance, balanceOf, totalSupply } from '../../../src/core/ledger/queries.ts'
import { logLength } from '../../../src/core/ledger/state.ts'
import type { Reply } from '../../../src/core/ledger/types.ts'
import type { Slot } from '../../../src/core/log/log.ts'
import { decodeItem } from '../../../src/core/subnet/items.ts'
import type { SubnetNode } from '../../../src/core/subnet/node.ts'
import type { Replica } from '../../../src/core/subnet/replica.ts'
import type { NodeDisk } from '../../../src/host/disks/node-disk.ts'
import { ModelLedger } from '../../core/ledger/model.ts'
import type { Asked } from './calls.ts'
import { accounts, mintingAccount, readReply } from './calls.ts'
import type { Acknowledged } from './world.ts'
import { foundedReplica, founding, ledgerConfig } from './world.ts'

const everyone = [mintingAccount, ...accounts]

export class Books {
  /** Calls that were handed in, by request id in hexadecimal. */
  readonly asked = new Map<string, Asked>()
  /** What the model says of those that the log has, in the order of the log. */
  readonly replies = new Map<string, Reply>()
  readonly #model = new ModelLedger(ledgerConfig)
  readonly #undisturbed = new Undisturbed()
  #next: bigint

  constructor() {
    this.#next = founding().slot
  }

  /** What is wrong, in words. `disk`: as the crash has left it; `node`: started from it. */
  check(disk: NodeDisk, { replica }: SubnetNode, told: Acknowledged): readonly string[] {
    const isOfLog = shownBy(replica) === this.shownOf(disk)
    return [
      ...this.#read(disk),
      ...(isOfLog ? [] : ['the state is not that of the log']),
      ...this.#compareTold(told),
      ...this.#compareReplies(replica),
      ...this.#compareState(replica),
    ]
  }

  /** What a start from this disk leads to. */
  shownOf(disk: NodeDisk): string {
    this.#undisturbed.read(disk)
    return this.#undisturbed.shown
  }

  /** Runs what the log has gained. */
  #read(disk: NodeDisk): readonly string[] {
    const wrong: string[] = []
    if (disk.log.position.next < this.#next) wrong.push('slots are lost')
    for (; this.#next < disk.log.position.next; this.#next++)
      wrong.push(...this.#run(present(disk.log.read(this.#next), 'a slot below the end')))
    return wrong
  }

  #run({ items, time }: Slot): readonly string[] {
    return items.flatMap((bytes) => {
      const item = decodeItem(bytes)
      if (item.type !== 'ingress') return []
      const id = toHex(requestId(decodeEnvelope(item.envelope).content))
      if (this.replies.has(id)) return []
      const asked = this.asked.get(id)
      if (asked === undefined) return [`nobody made the call ${id}`]
      this.replies.set(id, this.#model.call(asked.user.principal, asked.call, time))
      return []
    })
  }

  #compareTold(told: Acknowledged): readonly string[] {
    return [...told].flatMap(([id, reply]) => {
      const expected = this.replies.get(id)
      if (expected === undefined) return [`the answer of ${id} was told, and its call is lost`]
      return this.#differs(id, readReply(this.#askedOf(id).call, reply), 'told')
    })
  }

  /** Of the requests that the node remembers. */
  #compareReplies(replica: Replica): readonly string[] {
    return [...this.replies.keys()].flatMap((id) => {
      const reply = replica.state.requests.get(id)?.reply
      if (reply === undefined) return []
      return this.#differs(id, readReply(this.#askedOf(id).call, reply), 'remembered')
    })
  }

  #differs(id: string, found: Reply, where: string): readonly string[] {
    const [is, should] = [words(found), words(this.replies.get(id))]
    return is === should ? [] : [`${where} of ${id}: ${is}, not ${should}`]
  }

  #askedOf = (id: string): Asked => present(this.asked.get(id), 'a call that was made')

  #compareState(replica: Replica): readonly string[] {
    const { ledger } = present(replica.state.tokens[0], 'the token is there')
    const model = this.#model
    const { time } = replica.state
    const blocks = [...this.replies.values()].filter(({ type }) => type === 'ok').length
    const pairs: (readonly [string, bigint, bigint])[] = [
      ['supply', totalSupply(ledger), model.supply],
      ['blocks', logLength(ledger), BigInt(blocks)],
      ...everyone.map(
        (account, i) =>
          [`balance ${i}`, balanceOf(ledger, account), model.balance(account)] as const,
      ),
      ...everyone.flatMap((account, i) =>
        everyone.map((spender, j) => {
          const found = allowance(ledger, { account, spender }, time).allowance
          return [`allowance ${i}, ${j}`, found, model.allowance(account, spender, time)] as const
        }),
      ),
    ]
    return pairs.flatMap(([name, is, should]) =>
      is === should ? [] : [`${name} is ${is}, not ${should}`],
    )
  }
}

/** The canisters alone, to which nothing ever happens: they execute what the log has gained. */
export class Undisturbed {
  readonly #replica = foundedReplica()
  #next = founding().slot

  read({ log }: NodeDisk): void {
    for (; this.#next < log.position.next; this.#next++) {
      const { items, time } = present(log.read(this.#next), 'a slot below the end')
      for (const bytes of items) {
        const item = decodeItem(bytes)
        if (item.type === 'ingress') this.#replica.ingress(item.envelope, time)
      }
      this.#replica.endSlot(time)
    }
  }

  get shown(): string {
    return shownBy(this.#replica)
  }
}

/** All that clients can be shown, and what the tokens keep. */
export function shownBy(replica: Pick<Replica, 'state' | 'stateTree'>): string {
  const { tokens, requests } = replica.state
  const root = toHex(replica.stateTree(founding().certificationKey).hash)
  return JSON.stringify([root, tokens, [...requests.keys()]], plain)
}

const plain = (_: string, value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value)
  if (value instanceof Map || value instanceof Set) return [...value]
  return typeof value === 'bigint' ? `${value}n` : value
}

function words(reply: Reply | undefined): string {
  if (reply === undefined) return 'nothing'
  return reply.type === 'trap' ? 'trap' : JSON.stringify(reply, plain)
}
