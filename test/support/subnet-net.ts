/**
 * Whole nodes of one subnet in one process, over their own log and a real regtest chain.
 *
 * The adapters are left out: headers and blocks are handed over as the chain has them. The same
 * nodes run under worker threads, with sockets, in `test/e2e`.
 */
import { equalBytes } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { agreementQuorum } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../../src/core/base/units.ts'
import { encodeBlock, encodeHeader, headerHash } from '../../src/core/btc/block.ts'
import { RegtestNode } from '../../src/core/btc/regtest/node.ts'
import type { CallReply } from '../../src/core/ic/call-reply.ts'
import { mayHold, ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { decodeEnvelope, requestId } from '../../src/core/ic/envelope.ts'
import type { Slot } from '../../src/core/log/log.ts'
import { encodeLogMessage } from '../../src/core/log/message.ts'
import type { LiedMessage } from '../../src/core/subnet/liar.ts'
import { Liar } from '../../src/core/subnet/liar.ts'
import type { Lie } from '../../src/core/subnet/lies.ts'
import type { NodeConfig } from '../../src/core/subnet/node.ts'
import { SubnetNode } from '../../src/core/subnet/node.ts'
import type {
  AlarmName,
  NodeInput,
  NodeOutput,
  Observation,
} from '../../src/core/subnet/node-io.ts'
import { OrderedNode } from '../../src/core/subnet/ordered-node.ts'
import { tagLogMessage } from '../../src/core/subnet/peer-message.ts'
import { embeddedMinter } from '../../src/core/subnet/settings.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import type { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { systemClock } from '../../src/host/clock.ts'
import { IcGateway } from '../../src/host/ic/gateway.ts'
import { gatewayFetch } from '../../src/host/ic/gateway-fetch.ts'
import { Questions } from '../../src/host/node/questions.ts'
import { SubnetBackend } from '../../src/host/subnet-backend.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { devUser } from '../../src/wallet/identity.ts'
import { nodeKeys } from './node-keys.ts'
import { SlotMemory } from './slot-disk.ts'

const NS_PER_SECOND_NUMBER = 1_000_000_000

export class SubnetNet {
  readonly bitcoin = new RegtestNode()
  readonly nodes = new Map<NodeIndex, OrderedNode>()
  readonly genesis: Genesis
  /** What the nodes have put into the log. */
  readonly slots: Slot[] = []
  /** Transactions that nodes asked to announce, in order, as they came out. */
  readonly announced: Uint8Array[] = []
  /** Calls of clients, in the order in which they were handed in. */
  readonly envelopes: Uint8Array[] = []
  readonly faults: string[] = []
  /** What nodes tell who watches them, oldest first. */
  readonly observed: { readonly node: NodeIndex; readonly event: Observation }[] = []
  /** Whether transactions that nodes announce reach the Bitcoin node. */
  relaying = true
  /** A message on its way between nodes may be changed here. */
  tamper: (bytes: Uint8Array, from: NodeIndex) => Uint8Array = (bytes) => bytes
  readonly #liars = new Map<NodeIndex, Liar>()
  readonly #keys: readonly NodeKeys[]
  readonly #records: Map<string, Uint8Array>[] = []
  readonly #disks: SlotMemory[] = []
  readonly #queue: { readonly to: NodeIndex; readonly input: NodeInput }[] = []
  /** When each alarm of a node is due. */
  readonly #alarms = new Map<NodeIndex, Map<AlarmName, bigint>>()
  /** That of the system at first: agents judge certificates by it. */
  #now: bigint = systemClock()
  readonly #questions: Questions
  readonly backend: SubnetBackend
  /** The IC interface of this subnet, for agents in this process. */
  readonly fetch: typeof fetch

  readonly #change: Partial<Pick<NodeConfig, 'refreshIntervalMs' | 'ledgers'>>

  constructor(
    nodes: number,
    change: Partial<Pick<NodeConfig, 'refreshIntervalMs' | 'ledgers'>> = {},
  ) {
    this.#change = change
    const root = Seed.fromBytes(new TextEncoder().encode('subnet-net'))
    const all = Array.from({ length: nodes }, (_, i) => nodeKeys(root.derive(`${i}`)))
    const membership = createMembership(
      all.map(({ record }) => record),
      1n,
    )
    this.#keys = membership.members.map(({ id }) =>
      present(
        all.find(({ record }) => record.id === id),
        'a member is one of the nodes',
      ),
    )
    this.genesis = {
      membership,
      entropy: root.derive('entropy').generator().bytes(32),
      incarnation: 1n,
      createdAt: this.now,
    }
    this.#questions = new Questions((me, id, question) => {
      if (question.type === 'bitcoin') return // There are no adapters here.
      const { answer, outputs } = this.node(me).ask(question, this.now)
      for (const output of outputs) this.#perform(me, output)
      this.#questions.answered(id, answer)
    })
    this.backend = new SubnetBackend({
      hasCanister: (id) => mayHold(ownCanisterIds, change.ledgers?.tokens.length ?? 0, id),
      clock: () => this.now,
      up: () => [...this.nodes.keys()],
      canProgress: () => this.nodes.size >= agreementQuorum(nodes),
      nodes,
      input: (to, input) => {
        if (input.type === 'ingress') this.#remember(input.envelope)
        this.#queue.push({ to, input })
        queueMicrotask(() => this.settle())
      },
      questions: this.#questions,
    })
    this.fetch = gatewayFetch(
      new IcGateway({
        backend: this.backend,
        clock: () => this.now,
        ed25519: nativeEd25519,
        implementation: 'ckbtc-test',
      }),
    )
    for (let i = 0; i < nodes; i++) {
      this.#records.push(new Map())
      this.#disks.push(new SlotMemory(this.genesis))
      this.start(i)
    }
  }

  #remember(envelope: Uint8Array): void {
    if (!this.envelopes.some((known) => equalBytes(known, envelope))) this.envelopes.push(envelope)
  }

  /** What the node of this index is made of, but for its records and where it begins. */
  configOf(me: NodeIndex): Omit<NodeConfig, 'records' | 'from' | 'restored'> {
    return {
      genesis: this.genesis,
      keys: present(this.#keys[me], 'a node of this net'),
      me,
      ed25519: nativeEd25519,
      stockTarget: 1,
      creationMax: 1,
      minter: embeddedMinter,
      operator: devUser(4).principal,
      ...this.#change,
    }
  }

  /** What the node has on record. */
  recordsOf(me: NodeIndex): ReadonlyMap<string, Uint8Array> {
    return present(this.#records[me], 'a node of this net')
  }

  get now(): TimestampNs {
    return timestampNs(this.#now)
  }

  get nowSeconds(): number {
    return Number(this.#now / BigInt(NS_PER_SECOND_NUMBER))
  }

  start(me: NodeIndex): void {
    const records = new Map(this.#records[me])
    const config = { ...this.configOf(me), records }
    const disk = present(this.#disks[me], 'a disk for each node')
    const node = new OrderedNode(new SubnetNode(config), { disk, now: this.now })
    this.nodes.set(me, node)
    this.#alarms.set(me, new Map())
    for (const peer of this.nodes.keys())
      if (peer !== me) this.#queue.push({ to: peer, input: { type: 'linked', peer: me } })
    this.#queue.push({ to: me, input: { type: 'start' } })
    const headers = this.#headersFrom(1)
    if (headers.length > 0) this.#queue.push({ to: me, input: { type: 'headers', headers } })
  }

  /** From now on the node lies, until it is given no lie. */
  corrupt(me: NodeIndex, lie: Lie | undefined): void {
    const keys = present(this.#keys[me], 'a node of this net')
    const seed = Seed.fromBytes(new TextEncoder().encode('liar'))
    const { genesis } = this
    if (lie === undefined) this.#liars.delete(me)
    else this.#liars.set(me, new Liar({ lie, seed, genesis, me, keys }))
  }

  stop(me: NodeIndex): void {
    this.nodes.delete(me)
    this.#alarms.delete(me)
    this.#questions.stopped(me)
    this.backend.stopped(me)
  }

  node(me: NodeIndex): SubnetNode {
    return present(this.nodes.get(me), 'a node that is up').node
  }

  /** Mines and shows the new headers to every node. */
  mine(count: number, payTo: Uint8Array): void {
    const first = this.bitcoin.tip().height + 1
    this.bitcoin.mine(count, payTo, this.nowSeconds)
    this.showHeaders(first)
  }

  /** Shows the headers from a height on to every node. */
  showHeaders(first: number): void {
    const headers = this.#headersFrom(first)
    for (const to of this.nodes.keys())
      this.#queue.push({ to, input: { type: 'headers', headers } })
    this.settle()
  }

  #headersFrom(first: number): readonly Uint8Array[] {
    const count = this.bitcoin.tip().height - first + 1
    return Array.from({ length: Math.max(0, count) }, (_, i) =>
      encodeHeader(present(this.bitcoin.blockAt(first + i), 'a block of the chain').header),
    )
  }

  /** Puts an item into the log, as a lying node could. */
  order(item: Uint8Array): void {
    const message = encodeLogMessage(this.genesis.incarnation, { type: 'item', item })
    const [liar, ...others] = [...this.nodes.keys()].toReversed()
    for (const to of others)
      this.#queue.push({
        to,
        input: { type: 'message', from: present(liar, 'a node'), bytes: tagLogMessage(message) },
      })
    this.settle()
  }

  /** Something happens at a node. */
  tell(to: NodeIndex, input: NodeInput): void {
    this.#queue.push({ to, input })
    this.settle()
  }

  /** Lets time pass; timers that fall due fire. */
  pass(ms: number): void {
    this.#now += BigInt(ms) * NS_PER_MS
    this.settle()
  }

  /** Works off everything that can be done now. */
  settle(): void {
    while (this.#turn());
  }

  #turn(): boolean {
    const next = this.#queue.shift()
    if (next !== undefined) {
      this.#step(next.to, next.input)
      return true
    }
    const alarm = this.#nextAlarm()
    if (alarm === undefined) return false
    const { me, name, due } = alarm
    if (due > this.#now) this.#now = due
    this.#alarms.get(me)?.delete(name)
    this.#step(me, { type: 'alarm', name })
    return true
  }

  /**
   * The earliest alarm that is due. What a quiet log waits for comes by itself, so time goes on to
   * there.
   */
  #nextAlarm():
    | { readonly me: NodeIndex; readonly name: AlarmName; readonly due: bigint }
    | undefined {
    const all = [...this.#alarms].flatMap(([me, alarms]) =>
      [...alarms].map(([name, due]) => ({ me, name, due })),
    )
    const [first] = all
      .filter(({ name, due }) => due <= this.#now || name === 'join')
      .toSorted((x, y) => Number(x.due - y.due))
    return first
  }

  #step(to: NodeIndex, input: NodeInput): void {
    const node = this.nodes.get(to)
    if (node === undefined) return
    if (input.type === 'message')
      this.#deceive(to, this.#liars.get(to)?.hear(input.from, input.bytes) ?? [])
    for (const output of node.step(input, this.now)) this.#perform(to, output)
  }

  #deceive(from: NodeIndex, lies: readonly LiedMessage[]): void {
    for (const { to, bytes } of lies)
      this.#queue.push({ to, input: { type: 'message', from, bytes } })
  }

  #perform(me: NodeIndex, output: NodeOutput): void {
    switch (output.type) {
      case 'send': {
        const to = output.to === 'all' ? [...this.nodes.keys()] : [output.to]
        const liar = this.#liars.get(me)
        for (const peer of to)
          if (liar !== undefined && peer !== me) this.#deceive(me, liar.say(peer, output.bytes))
          else
            this.#queue.push({
              to: peer,
              input: { type: 'message', from: me, bytes: this.tamper(output.bytes, me) },
            })
        return
      }
      case 'decided':
        this.#now += 1n
        this.#disks[me]?.append(output.slot)
        this.#keep(output.slot)
        return
      case 'forget':
        for (const key of output.keys) this.#records[me]?.delete(key)
        return
      case 'log':
      case 'signer-past':
        return // Passed to the log inside the node.
      case 'record':
        this.#records[me]?.set(output.key, output.value)
        return
      case 'alarm':
        this.#alarms.get(me)?.set(output.name, this.#now + BigInt(output.afterMs) * NS_PER_MS)
        return
      case 'fault':
        this.faults.push(`${me} blames ${output.culprit}: ${output.reason}`)
        return
      case 'certified':
        this.backend.certified(me, output)
        return
      case 'diverged':
        this.faults.push(`${me} diverged in slot ${output.slot}`)
        return
      case 'adapter':
        this.#adapter(me, output)
        return
      case 'observed':
        this.observed.push({ node: me, event: output.event })
        return
    }
  }

  #keep(slot: Slot): void {
    if (slot.number === BigInt(this.slots.length)) this.slots.push(slot)
  }

  #adapter(to: NodeIndex, { wanted, announce }: Extract<NodeOutput, { type: 'adapter' }>): void {
    for (const hash of wanted) {
      const block = this.bitcoin.blockByHash(hash)
      if (block !== undefined)
        this.#queue.push({ to, input: { type: 'block', block: encodeBlock(block) } })
    }
    for (const { bytes } of announce) {
      this.announced.push(bytes)
      if (this.relaying) this.bitcoin.submit(bytes, this.nowSeconds)
    }
  }

  /** Hands a signed request of the operator to all nodes. */
  operatorRequest(request: Uint8Array): void {
    for (const to of this.nodes.keys())
      this.#queue.push({ to, input: { type: 'operator', request } })
    this.settle()
  }

  /** Hands an envelope to all nodes; what came of it, or undefined if it was not executed. */
  call(envelope: Uint8Array): CallReply | undefined {
    const id = requestId(decodeEnvelope(envelope).content)
    for (const to of this.nodes.keys())
      this.#queue.push({ to, input: { type: 'ingress', requestId: id, envelope } })
    this.settle()
    return this.node(0).replica.findRequest(id)?.reply
  }
}

export const hashOfTip = (net: SubnetNet): Uint8Array => headerHash(net.bitcoin.tip().header)
