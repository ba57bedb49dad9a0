/**
 * Where an adapter's peers come from in this world: DNS, and a file of an earlier life. Source:
 * `docs/spec/bitcoin.md` §3.8 AD-1, AD-3, AD-5, AD-8.
 */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import type { DiscoveryConfig } from '../../core/btc/adapter-port.ts'
import type { KnownPeers } from '../../core/btc/address-book-file.ts'
import {
  BOOK_BYTES_MAX,
  decodeKnownPeers,
  encodeKnownPeers,
  NO_PEERS,
} from '../../core/btc/address-book-file.ts'
import {
  BLOCK_SEED_PREFIX,
  dnsSeeds,
  FILTER_SEED_PREFIX,
  fixedPeers,
} from '../../core/btc/dns-seeds.ts'
import type { Network } from '../../core/btc/network.ts'
import { writeWholeFile } from '../daemon/whole-file.ts'
import type { Resolve } from './seed-lookup.ts'
import { lookUpSeed, resolveBySystem } from './seed-lookup.ts'

/** How often what is known is written, and at the end. */
export const KEEP_EVERY_MS = 600_000

export type PeerSourcesOptions = {
  readonly network: Network
  /** File of the address book; without it nothing is kept. */
  readonly bookPath?: string
  /** Peers must serve compact filters. */
  readonly filters?: boolean
  /** Seeds are called, not looked up: by the name that has such peers behind it (AD-3). */
  readonly isProxied?: boolean
  /** In the place of the network's own. */
  readonly seeds?: readonly string[]
  readonly resolve?: Resolve
}

export class PeerSources {
  readonly #options: PeerSourcesOptions
  readonly config: DiscoveryConfig
  #problem: string | undefined

  constructor(options: PeerSourcesOptions) {
    const { network, bookPath, isProxied, seeds = dnsSeeds[network.name] } = options
    this.#options = options
    const known = bookPath === undefined ? NO_PEERS : readKnownPeers(network, bookPath)
    const isFlawed = known instanceof BadEncoding
    this.#problem = isFlawed ? known.message : undefined
    this.config = {
      seeds: seeds.map((seed) => (isProxied ? `${this.#prefix}${seed}` : seed)),
      fixed: fixedPeers[network.name],
      known: isFlawed ? NO_PEERS : known,
    }
  }

  /** Why the file was not read, or not written. */
  get problem(): string | undefined {
    return this.#problem
  }

  lookUp(seed: string): Promise<readonly string[]> {
    const { resolve = resolveBySystem } = this.#options
    return lookUpSeed(seed, { prefix: this.#prefix, resolve })
  }

  get #prefix(): string {
    return this.#options.filters ? FILTER_SEED_PREFIX : BLOCK_SEED_PREFIX
  }

  /** Replaces the file as a whole. What cannot be written is found again in a later life. */
  keep(known: KnownPeers): void {
    const { network, bookPath } = this.#options
    if (bookPath === undefined) return
    try {
      mkdirSync(dirname(bookPath), { recursive: true, mode: 0o700 })
      writeWholeFile(bookPath, encodeKnownPeers(network, known))
      this.#problem = undefined
    } catch (error) {
      if (!isSystemError(error)) throw error
      this.#problem = error.message
    }
  }
}

/** Anybody may have written the file: a flaw costs what it holds, and nothing else. */
function readKnownPeers(network: Network, path: string): KnownPeers | BadEncoding {
  try {
    if (!existsSync(path)) return NO_PEERS
    if (statSync(path).size > BOOK_BYTES_MAX)
      return new BadEncoding('an address book that is too long')
    const bytes = new Uint8Array(readFileSync(path))
    return attempt(() => decodeKnownPeers(network, bytes))
  } catch (error) {
    if (!isSystemError(error)) throw error
    return new BadEncoding(error.message)
  }
}

const isSystemError = (error: unknown): error is Error => error instanceof Error && 'code' in error
