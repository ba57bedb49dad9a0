/**
 * A witness outside the system, told of everything honest nodes do: one log, one state, one word,
 * over all their lives; blame for liars alone. Source: threshold §§22.4, 22.7, architecture §10.
 */
import { toHex } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { NodeIndex } from '../../src/core/base/party.ts'
import { decodeLogMessage } from '../../src/core/log/message.ts'
import { decodeItem } from '../../src/core/subnet/items.ts'
import type { SubnetNode } from '../../src/core/subnet/node.ts'
import type { NodeOutput } from '../../src/core/subnet/node-io.ts'
import { decodePeerMessage, logMessage } from '../../src/core/subnet/peer-message.ts'
import type { CrashDisk } from './crash-disk.ts'
import { LogChecker, Wrong } from './log-checker.ts'
import type { Message } from './log-net-options.ts'
import type { NodeWorld } from './node-world.ts'
import { SignerChecker } from './signer-checker.ts'

type Seen = Extract<NodeOutput, { readonly type: 'fault' | 'diverged' | 'certified' | 'observed' }>

export class NodeChecker {
  readonly log: LogChecker
  readonly signer = new SignerChecker()
  /** Signatures that the operator got, by request. */
  readonly operatorSignatures = new Map<string, string>()
  /** Nodes whose disks were put back from older copies. */
  readonly older = new Set<NodeIndex>()
  /** Faults that honest nodes saw. */
  readonly faults: string[] = []
  /** Presignatures in stock at a node, after its newest slot. */
  readonly stock = new Map<NodeIndex, number>()
  /** Of the membership whose keys are in force at a node; undefined in a refresh. */
  readonly versions = new Map<NodeIndex, bigint | undefined>()
  /** Requests for signatures that are open after the newest slot. */
  open = 0
  /** The newest slot that was certified at a node. */
  readonly certified = new Map<NodeIndex, bigint>()
  /** Under which certificates verify. */
  certificationKey: Uint8Array | undefined
  readonly #world: NodeWorld
  readonly #isLiar: (node: NodeIndex) => boolean
  /** What is the same at all honest nodes. */
  readonly #said = new Map<string, string>()
  readonly #slots = new Map<NodeIndex, bigint>()

  constructor(world: NodeWorld, isLiar: (node: NodeIndex) => boolean) {
    const { incarnation } = world.genesis
    this.#world = world
    const { next: first, time } = world.origin
    this.log = new LogChecker(world.nodes, { incarnation, first, time })
    this.#isLiar = isLiar
  }

  #once(name: string, value: string): void {
    const before = this.#said.get(name)
    if (before !== undefined && before !== value)
      throw new Wrong(`${name}: ${before}, then ${value}`)
    this.#said.set(name, value)
  }

  started(node: NodeIndex): void {
    this.#slots.delete(node)
  }

  /** What one step asked to be kept is on the disk of an honest node. */
  kept(node: NodeIndex, outputs: readonly NodeOutput[], disk: CrashDisk): void {
    for (const output of outputs) {
      if (output.type === 'record') this.signer.kept(node, output.key, output.value)
      if (output.type !== 'decided') continue
      const hash = present(disk.hashAt(output.slot.number), 'it is on disk')
      this.log.delivered(node, output.slot, hash, this.#isLiar)
    }
  }

  /** A message leaves an honest node. */
  sent({ from, bytes }: Message): void {
    const ofLog = logMessage(bytes)
    if (ofLog !== undefined) {
      this.log.sent(from, ofLog)
      return
    }
    const message = decodePeerMessage(bytes)
    if (message.type === 'signer') this.signer.sent(from, message.bytes)
    if (message.type !== 'root') return
    const { slot, root, share } = message.vote
    this.#once(`root of slot ${slot}`, toHex(root))
    if (share !== undefined) this.#once(`root share of ${from} for ${slot}`, toHex(share))
  }

  /** An honest node asks for a message to be sent. */
  willSend(bytes: Uint8Array): void {
    const ofLog = logMessage(bytes)
    const message = ofLog && decodeLogMessage(this.#world.genesis.incarnation, ofLog)
    if (message?.type !== 'item') return
    const item = decodeItem(message.item)
    if (item.type === 'completion') this.signer.completed(item.completion)
  }

  /** A message of anybody is on its way. */
  posted({ bytes }: Message): void {
    if (bytes[0] === 0) this.signer.heard(bytes.subarray(1))
  }

  saw(node: NodeIndex, output: Seen): void {
    switch (output.type) {
      case 'fault':
        this.faults.push(`${node} blames ${output.culprit}: ${output.reason}`)
        // One whose disk is older than what it has said is no liar.
        if (output.reason.startsWith('RolledBack') && this.older.has(output.culprit)) return
        if (!this.#isLiar(output.culprit))
          throw new Wrong(`node ${node} blames ${output.culprit}: ${output.reason}`)
        return
      case 'diverged':
        throw new Wrong(`node ${node} diverged in slot ${output.slot}`)
      case 'certified':
        this.certified.set(node, output.slot)
        this.certificationKey = output.certificationKey
        this.#once('certification key', toHex(output.certificationKey))
        this.#once(`time of slot ${output.slot}`, `${output.time}`)
        return
      case 'observed':
        this.#observed(node, output.event)
    }
  }

  #observed(node: NodeIndex, event: Extract<Seen, { readonly type: 'observed' }>['event']): void {
    if (event.type === 'operatorSigned') {
      const request = toHex(event.requestId)
      this.#once(`operator's ${request}`, toHex(event.signature))
      this.operatorSignatures.set(request, toHex(event.signature))
    }
    if (event.type !== 'executed') return
    const { slot, stock, openRequests, bitcoinHeight, version, refresh } = event
    const signer = `${stock} in stock, ${openRequests} open, keys ${version}, refresh ${refresh}`
    this.#once(`slot ${slot}`, `${signer}, ${bitcoinHeight} blocks`)
    this.versions.set(node, refresh === 'none' ? version : undefined)
    this.stock.set(node, stock)
    this.open = openRequests
  }

  /** An honest node has made a step. */
  stepped(node: NodeIndex, subnet: SubnetNode): void {
    const before = this.#slots.get(node) ?? this.#world.origin.next
    const { slot, root } = subnet.slot === before ? { slot: before } : subnet
    this.#slots.set(node, slot)
    if (root === undefined) return
    this.#once(`root of slot ${slot - 1n}`, toHex(root))
    const [violation] = subnet.replica.violations()
    if (violation !== undefined) throw new Wrong(`slot ${slot - 1n}: ${violation}`)
  }
}
