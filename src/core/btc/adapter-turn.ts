/**
 * What every part of the Bitcoin adapter has at hand in a step: its time, chance, and what comes of
 * it. Source: `docs/spec/bitcoin.md` §3.
 */
import { fromBigEndian } from '../base/bytes.ts'
import type { Generator, Seed } from '../base/seed.ts'
import type { AdapterOutput } from './adapter-port.ts'
import type { Message } from './message.ts'
import { encodeMessage } from './message.ts'
import type { Network } from './network.ts'

export class AdapterTurn {
  readonly #network: Network
  readonly #random: Generator
  #nowMs = 0
  #out: AdapterOutput[] = []
  #sentBytes = 0

  constructor(network: Network, seed: Seed) {
    this.#network = network
    this.#random = seed.derive('bitcoin adapter').generator()
  }

  begin(nowMs: number): void {
    this.#nowMs = nowMs
    this.#out = []
    this.#sentBytes = 0
  }

  /** In the step under way, to all peers. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Of the step under way. */
  get nowMs(): number {
    return this.#nowMs
  }
  get outputs(): readonly AdapterOutput[] {
    return this.#out
  }

  emit(output: AdapterOutput): void {
    this.#out.push(output)
  }

  send(peer: number, message: Message): void {
    const bytes = encodeMessage(this.#network, message)
    this.#sentBytes += bytes.length
    this.emit({ type: 'send', peer, bytes })
  }

  /** In [0, 1). */
  fraction(): number {
    return (this.#random.words(1)[0] ?? 0) / 2 ** 32
  }

  nonce(): bigint {
    return fromBigEndian(this.bytes(8))
  }

  bytes(size: number): Uint8Array {
    return this.#random.bytes(size)
  }
}
