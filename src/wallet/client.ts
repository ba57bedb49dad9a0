/**
 * The wallet's side of one network: ledger, minter and their logs, on one path for all networks.
 * Source: IC interface §21.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { equalBytes, utf8 } from '../core/base/bytes.ts'
import { BadEncoding } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS, timestampNs } from '../core/base/units.ts'
import type { Principal } from '../core/ic/principal.ts'
import { IndexClient } from './client/account-index.ts'
import { BitcoinClient } from './client/bitcoin.ts'
import type { Fetch } from './client/deliveries.ts'
import { EventReader } from './client/event-reader.ts'
import { LedgerClient } from './client/ledger.ts'
import type { OnProgress } from './client/logs.ts'
import { BlockReader } from './client/logs.ts'
import { MinterClient } from './client/minter.ts'
import { MinterViews } from './client/minter-views.ts'
import { descriptorStore, fileStore, memoryStore } from './client/node-keys.ts'
import type { RequestStatus } from './client/request-status.ts'
import { leb128 } from './client/request-status.ts'
import { sdkPrincipal } from './client/sdk-identity.ts'
import { Wire } from './client/wire.ts'
import type { User } from './identity.ts'
import type { Network } from './network.ts'
import { requireKeyMayBeUsed } from './network-rules.ts'
import type { Token } from './token.ts'
import { inToken } from './token.ts'

export type ClientOptions = {
  readonly network: Network
  /** Signs what moves value. Whoever reads needs none. */
  readonly signer?: User | undefined
  /** For a subnet in this process; `fetch` of the platform otherwise. */
  readonly fetch?: Fetch | undefined
  /** Where node keys may be kept between runs. */
  readonly cacheFolder?: string | undefined
  /** Ends every wait and request. */
  readonly signal?: AbortSignal | undefined
  /** A line for each request, for `-vv`. */
  readonly trace?: ((line: string) => void) | undefined
}

export class Client {
  readonly network: Network
  readonly ledger: LedgerClient
  readonly minter: MinterClient
  /** Undefined where the id of the Bitcoin canister is not known. */
  readonly bitcoin: BitcoinClient | undefined
  /** Undefined where the network has none that is known. */
  readonly index: IndexClient | undefined
  readonly blocks: BlockReader
  /** The minter's events. */
  readonly log: EventReader
  /** What only our minter tells of itself. */
  readonly views: MinterViews
  readonly #wire: Wire
  readonly #options: ClientOptions

  /** Throws `RAIL_TEST_KEY` for a key that must not be used there. */
  constructor(options: ClientOptions) {
    const { network, signer, fetch, cacheFolder, signal, trace } = options
    this.#options = options
    requireKeyMayBeUsed(network, signer?.principal)
    this.network = network
    const wire = new Wire({
      network,
      signer,
      fetch: fetch ?? globalThis.fetch,
      nodeKeys: nodeKeysFor(network, cacheFolder),
      entropy: (size) => new Uint8Array(randomBytes(size)),
      signal,
      trace,
    })
    this.#wire = wire
    this.ledger = new LedgerClient(wire)
    this.minter = new MinterClient(wire)
    this.bitcoin = network.ids.bitcoin === undefined ? undefined : new BitcoinClient(wire)
    this.index = network.ids.index && new IndexClient(wire, network.ids.index)
    this.blocks = new BlockReader(wire)
    this.log = new EventReader(wire)
    this.views = new MinterViews(wire)
  }

  /** The same with a key that signs. Throws `RAIL_TEST_KEY`. */
  signedBy(signer: User): Client {
    return new Client({ ...this.#options, signer })
  }

  /** The same for another token of the network: its ledger, its index. */
  withToken(token: Token): Client {
    if (equalBytes(token.ledger, this.network.ids.ledger)) return this
    return new Client({ ...this.#options, network: inToken(this.network, token) })
  }

  /** The network's time, as far as it is known. */
  now(): TimestampNs {
    return this.#wire.now()
  }

  /** The network's time, as it certifies it now: proof that something is over. */
  async certifiedTime(): Promise<TimestampNs> {
    const path = [utf8('time')]
    const value = await this.#wire.readCertified(sdkPrincipal(this.network.ids.ledger), path)
    if (value === undefined) throw new BadEncoding('a certificate without a time')
    return timestampNs(leb128(value))
  }

  /**
   * A time of creation for the ledger: the clocks have been compared, and no other call has the same,
   * so that only the same call is a duplicate.
   */
  async creationTime(): Promise<TimestampNs> {
    await this.certifiedTime()
    return timestampNs(this.now() + BigInt(randomInt(Number(NS_PER_MS))))
  }

  /** Network minus this computer, ms; 0 until a difference was found. */
  get clockOffsetMs(): number {
    return this.#wire.clockOffsetMs
  }

  /** The minter's whole event log. */
  events(onProgress?: OnProgress) {
    return this.log.all(onProgress)
  }

  /** What the minter was installed with. */
  init() {
    return this.log.init()
  }

  /** What became of a call that was sent before, in the name of the same signer. */
  requestStatus(canister: 'ledger' | 'minter', requestId: Uint8Array): Promise<RequestStatus> {
    return this.#wire.requestStatus(sdkPrincipal(this.network.ids[canister]), requestId)
  }

  /** Certified; undefined for an id at which nothing is installed. */
  moduleHash(id: Principal): Promise<Uint8Array | undefined> {
    return this.#wire.readCertified(sdkPrincipal(id), [utf8('canister'), id, utf8('module_hash')])
  }

  /** The time to judge a certificate of the ledger by. */
  clockFor(certificate: Uint8Array): Promise<TimestampNs> {
    return this.#wire.clockFor(certificate, sdkPrincipal(this.network.ids.ledger))
  }
}

function nodeKeysFor(network: Network, cacheFolder: string | undefined) {
  if (network.nodeKeys !== undefined) return descriptorStore(network)
  return cacheFolder === undefined ? memoryStore() : fileStore(cacheFolder, network)
}
