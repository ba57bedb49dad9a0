/**
 * The Bitcoin adapter under test, with a clock of its own and a peer that says what a test writes.
 */
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { BitcoinAdapter } from '../../src/core/btc/adapter.ts'
import type {
  AdapterInput,
  AdapterOutput,
  DiscoveryConfig,
} from '../../src/core/btc/adapter-port.ts'
import { ADAPTER_ALARM } from '../../src/core/btc/adapter-port.ts'
import type { Block, BlockHeader } from '../../src/core/btc/block.ts'
import type { Message, VersionMessage } from '../../src/core/btc/message.ts'
import { encodeMessage, service } from '../../src/core/btc/message.ts'
import { MessageStream } from '../../src/core/btc/message-stream.ts'
import type { Network } from '../../src/core/btc/network.ts'
import { regtest } from '../../src/core/btc/network.ts'
import type { Offence } from '../../src/core/btc/peer-session.ts'
import { NOW_S } from './chain-builder.ts'

type OutputOf<T extends AdapterOutput['type']> = Extract<AdapterOutput, { type: T }>

export const peerVersion = (change: Partial<VersionMessage> = {}): VersionMessage => ({
  type: 'version',
  version: 70_016,
  services: service.network | service.witness,
  time: BigInt(NOW_S),
  receiver: { services: 0n, address: new Uint8Array(16), port: 0 },
  sender: { services: 0n, address: new Uint8Array(16), port: 0 },
  nonce: 42n,
  userAgent: '/test/',
  startHeight: 0,
  relay: true,
  ...change,
})

export type HarnessOptions = {
  readonly peers?: number
  readonly push?: boolean
  /** With the message start of regtest. */
  readonly network?: Network
  /** Hosts of the address book, instead of peers that the user named; of more the first is called first. */
  readonly found?: readonly string[]
  /** Hosts that the user named, instead of the loopback interface. */
  readonly named?: readonly string[]
  readonly discovery?: DiscoveryConfig
  readonly idleAfterMs?: number
  readonly filters?: boolean
  readonly isProxied?: boolean
}

function bookOf(hosts: readonly string[]): DiscoveryConfig {
  const times = { seenS: NOW_S, successMs: 0, failureMs: 0, failures: 0 }
  const addresses = hosts.map((host) => ({ host, port: 1 }))
  const entries = addresses.map((one) => ({ ...one, services: 9n, source: 'a', ...times }))
  const anchors = hosts.length > 1 ? addresses.slice(0, 1) : []
  return { seeds: [], fixed: [], known: { entries, anchors } }
}

export class AdapterHarness {
  readonly adapter: BitcoinAdapter
  readonly outputs: AdapterOutput[] = []
  nowMs = NOW_S * 1000
  #alarmMs: number | undefined
  readonly #streams = new Map<number, MessageStream>()
  readonly #sent: { readonly peer: number; readonly message: Message }[] = []

  constructor(options: HarnessOptions = {}) {
    const { peers = 1, push = false, network = regtest, found, named, ...rest } = options
    const local = Array.from({ length: peers }, (_, i) => ({ host: '127.0.0.1', port: 18_444 + i }))
    const hosts = found === undefined ? named?.map((host) => ({ host, port: 1 })) : []
    this.adapter = new BitcoinAdapter({
      network,
      peers: hosts ?? local,
      seed: Seed.fromBytes(new Uint8Array(32).fill(7)),
      userAgent: '/ckbtc:test/',
      push,
      ...(found && { discovery: bookOf(found) }),
      ...rest,
    })
  }

  step(input: AdapterInput): readonly AdapterOutput[] {
    const outputs = this.adapter.step(input, timestampNs(BigInt(this.nowMs) * 1_000_000n))
    this.outputs.push(...outputs)
    for (const output of outputs) {
      if (output.type === 'alarm') this.#alarmMs = this.nowMs + output.afterMs
      if (output.type === 'connect') this.#streams.set(output.peer, new MessageStream(regtest))
      if (output.type !== 'send') continue
      const stream = present(this.#streams.get(output.peer), 'nothing is sent before connect')
      for (const event of stream.push(output.bytes))
        if (event.type === 'message') this.#sent.push({ peer: output.peer, message: event.message })
    }
    return outputs
  }

  /** Lets time pass; alarms ring on their way. */
  advance(ms: number): void {
    const end = this.nowMs + ms
    while (this.#alarmMs !== undefined && this.#alarmMs <= end) {
      this.nowMs = Math.max(this.nowMs, this.#alarmMs)
      this.#alarmMs = undefined
      this.step({ type: 'alarm', name: ADAPTER_ALARM })
    }
    this.nowMs = end
  }

  /** What the adapter has said since the last call. */
  sent(peer = 0): readonly Message[] {
    const messages = this.#sent.filter((entry) => entry.peer === peer)
    this.#sent.splice(0, this.#sent.length, ...this.#sent.filter((entry) => entry.peer !== peer))
    return messages.map(({ message }) => message)
  }

  sentTypes = (peer = 0): readonly string[] => this.sent(peer).map(({ type }) => type)

  bytes(bytes: Uint8Array, peer = 0): readonly AdapterOutput[] {
    return this.step({ type: 'bytes', peer, bytes })
  }
  say(message: Message, peer = 0): readonly AdapterOutput[] {
    return this.bytes(encodeMessage(regtest, message), peer)
  }
  sayHeaders(headers: readonly BlockHeader[], peer = 0): readonly AdapterOutput[] {
    return this.say({ type: 'headers', headers }, peer)
  }
  sayBlock(block: Block, peer = 0): readonly AdapterOutput[] {
    return this.say({ type: 'block', block }, peer)
  }

  of<T extends AdapterOutput['type']>(type: T): readonly OutputOf<T>[] {
    return this.outputs.filter((output): output is OutputOf<T> => output.type === type)
  }
  offences(): readonly Offence[] {
    return this.of('disconnect').map(({ offence }) => offence)
  }
  lastOffence(): Offence['kind'] | undefined {
    return this.offences().at(-1)?.kind
  }

  /**
   * Starts, if need be, and completes the handshake of a peer; what was said on the way is dropped.
   */
  ready(peer = 0, change: Partial<VersionMessage> = {}): void {
    if (this.of('connect').length === 0) this.step({ type: 'start' })
    this.step({ type: 'connected', peer })
    this.say(peerVersion({ nonce: BigInt(1_000 + peer), ...change }), peer)
    this.say({ type: 'wtxidrelay' }, peer)
    this.say({ type: 'verack' }, peer)
    this.sent(peer)
  }
}
