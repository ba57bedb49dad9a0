/** An adapter that finds its peers, among machines of which a test says whether they answer. */
import type { AdapterOutput, DiscoveryConfig } from '../../src/core/btc/adapter-port.ts'
import { NO_PEERS } from '../../src/core/btc/address-book-file.ts'
import type { BlockHeader } from '../../src/core/btc/block.ts'
import type { VersionMessage } from '../../src/core/btc/message.ts'
import type { HarnessOptions } from './adapter-harness.ts'
import { AdapterHarness } from './adapter-harness.ts'

const TICK_MS = 500

export class DiscoveryWorld {
  readonly harness: AdapterHarness
  /** What seeds answer. */
  readonly seeds = new Map<string, readonly string[]>()
  /** Machines that nobody reaches. */
  readonly down = new Set<string>()
  isOnline = true
  /** What machines say in their versions. */
  readonly versions = new Map<string, Partial<VersionMessage>>()
  /** Headers that they show at once. */
  readonly chains = new Map<string, readonly BlockHeader[]>()
  /** Hosts in the order of the attempts. */
  readonly attempts: { readonly host: string; readonly atMs: number }[] = []
  readonly lookUps: string[] = []
  readonly live = new Map<number, string>()
  /** Whether the adapter wants transactions of a peer. */
  readonly relayFlags = new Map<number, boolean>()
  #done = 0

  constructor(config: Partial<DiscoveryConfig> = {}, options: HarnessOptions = {}) {
    const discovery = { seeds: [], fixed: [], known: NO_PEERS, ...config }
    this.harness = new AdapterHarness({ peers: 0, discovery, ...options })
    this.harness.step({ type: 'start' })
    this.pump()
  }

  /** Works off what the adapter has asked for. */
  pump(): void {
    for (;;) {
      const output = this.harness.outputs[this.#done]
      if (output === undefined) return
      this.#done += 1
      this.#perform(output)
    }
  }

  #perform(output: AdapterOutput): void {
    if (output.type === 'lookUp') {
      this.lookUps.push(output.seed)
      const addresses = this.isOnline ? (this.seeds.get(output.seed) ?? []) : []
      this.harness.step({ type: 'lookedUp', seed: output.seed, addresses })
    } else if (output.type === 'disconnect') this.live.delete(output.peer)
    else if (output.type === 'connect') this.#connect(output.peer, output.host)
  }

  #connect(peer: number, host: string): void {
    this.attempts.push({ host, atMs: this.harness.nowMs })
    if (!this.isOnline || this.down.has(host)) {
      this.harness.step({ type: 'disconnected', peer })
      return
    }
    this.live.set(peer, host)
    this.harness.step({ type: 'connected', peer })
    for (const message of this.harness.sent(peer))
      if (message.type === 'version') this.relayFlags.set(peer, message.relay)
    this.harness.ready(peer, this.versions.get(host))
    this.harness.sayHeaders(this.chains.get(host) ?? [], peer)
  }

  wait(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK_MS) {
      this.harness.advance(TICK_MS)
      for (const peer of this.live.keys()) this.#pong(peer)
      this.pump()
    }
  }

  #pong(peer: number): void {
    for (const message of this.harness.sent(peer)) {
      if (message.type === 'ping') this.harness.say({ type: 'pong', nonce: message.nonce }, peer)
      if (message.type === 'getheaders') this.harness.sayHeaders([], peer)
    }
  }

  goDown(): void {
    this.isOnline = false
    for (const peer of [...this.live.keys()]) this.harness.step({ type: 'disconnected', peer })
    this.live.clear()
    this.pump()
  }

  get hosts(): readonly string[] {
    return [...this.live.values()]
  }
  peerOf(host: string): number {
    return [...this.live].find(([, one]) => one === host)?.[0] ?? -1
  }
  roles(): readonly string[] {
    return this.harness.adapter.peers.map(({ role }) => role).toSorted()
  }
}
