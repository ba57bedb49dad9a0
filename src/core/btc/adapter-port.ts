/**
 * What the Bitcoin adapter takes and gives: the port its driver serves. Source:
 * `docs/spec/bitcoin.md` §3, §10.5.
 */
import type { BlockHash } from '../base/bytes.ts'
import type { Seed } from '../base/seed.ts'
import type { KnownPeers } from './address-book-file.ts'
import type { Block, BlockHeader } from './block.ts'
import type { FilterMessage } from './filter-message.ts'
import type { Network } from './network.ts'
import type { Ban } from './peer-bans.ts'
import type { Offence } from './peer-session.ts'
import type { Announcement, Evidence } from './transaction-relay.ts'

/** The one alarm; a later one replaces an earlier one. */
export const ADAPTER_ALARM = 'bitcoin-adapter'

export type PeerAddress = { readonly host: string; readonly port: number }

export type AdapterConfig = {
  readonly network: Network
  /** Named by the operator: always tried again (AD-1), and never banned (MB-1). */
  readonly peers: readonly PeerAddress[]
  readonly seed: Seed
  readonly userAgent: string
  /** Send transactions unasked to the first peer: for a peer on loopback (TX-4). */
  readonly push: boolean
  /** Connections for compact filters: peers without them are refused (HS-3). */
  readonly filters?: boolean
  /** Without it no peer is used but those above (AD-2). */
  readonly discovery?: DiscoveryConfig
  /** Connections go through a proxy, which takes its time (HS-5). */
  readonly isProxied?: boolean
  /** Connections end when nobody has called for so long (AD-11). */
  readonly idleAfterMs?: number
}

/** Where other peers come from (AD-1). */
export type DiscoveryConfig = {
  /** Names that know addresses. */
  readonly seeds: readonly string[]
  readonly fixed: readonly PeerAddress[]
  /** Of an earlier life. */
  readonly known: KnownPeers
}

/** `peer`: the number of a link; those of the configured peers are their indices. */
export type AdapterInput =
  | { readonly type: 'start' }
  | { readonly type: 'connected'; readonly peer: number }
  | { readonly type: 'bytes'; readonly peer: number; readonly bytes: Uint8Array }
  /** Closed by the other side, or never opened. Not sent for connections that we ended. */
  | { readonly type: 'disconnected'; readonly peer: number }
  | { readonly type: 'alarm'; readonly name: string }
  /** Headers that the chain view has already, parents first: at start. */
  | { readonly type: 'knownHeaders'; readonly headers: readonly BlockHeader[] }
  /** The chain view's missing blocks; replaces the list before. */
  | { readonly type: 'want'; readonly hashes: readonly BlockHash[] }
  /** The chain view's outgoing transactions; replaces the list before. */
  | { readonly type: 'announce'; readonly transactions: readonly Announcement[] }
  /** A question for filters; the peer is ready. */
  | { readonly type: 'ask'; readonly peer: number; readonly message: FilterMessage }
  /** Ends a connection for what the caller has found. */
  | { readonly type: 'accuse'; readonly peer: number; readonly offence: Offence }
  /** Addresses that a seed knows; none if it does not answer. */
  | { readonly type: 'lookedUp'; readonly seed: string; readonly addresses: readonly string[] }
  /** Somebody uses what the adapter is for (AD-11). */
  | { readonly type: 'called' }

export type AdapterOutput =
  | ({ readonly type: 'connect'; readonly peer: number } & PeerAddress)
  | { readonly type: 'send'; readonly peer: number; readonly bytes: Uint8Array }
  /** Close the connection and report nothing more of it; `offence` says what the peer did. */
  | { readonly type: 'disconnect'; readonly peer: number; readonly offence: Offence }
  | { readonly type: 'alarm'; readonly name: string; readonly afterMs: number }
  /** New headers that obey §4, parents first. */
  | { readonly type: 'headers'; readonly headers: readonly BlockHeader[] }
  /** A wanted block whose body belongs to its header; the chain view says whether it is valid. */
  | { readonly type: 'block'; readonly hash: BlockHash; readonly block: Block }
  | ({ readonly type: 'evidence'; readonly peer: number } & Evidence)
  /** Only with `filters`: the handshake is complete, and what the peer says of filters. */
  | { readonly type: 'peerReady'; readonly peer: number }
  | { readonly type: 'filterMessage'; readonly peer: number; readonly message: FilterMessage }
  /** Ask a seed for addresses; answered by `lookedUp`. */
  | { readonly type: 'lookUp'; readonly seed: string }

/**
 * `named` by the user: configured. The rest was discovered: `blocks` carries no
 * transactions and no addresses, `extra` is there for a comparison (AD-6, AD-9), `seed` to name
 * addresses where no name may be resolved (AD-3).
 */
export type PeerRole = 'named' | 'relay' | 'blocks' | 'extra' | 'seed'

export type PeerStatus = {
  readonly address: PeerAddress
  readonly role: PeerRole
  readonly state: 'waiting' | 'connecting' | 'ready'
  readonly lastOffence: Offence | undefined
}

export type AdapterStatus = {
  /** `idle`: it follows nobody until it is called. */
  readonly state: 'idle' | 'catching up' | 'current'
  readonly peers: readonly PeerStatus[]
  readonly bans: readonly Ban[]
  /** Every peer lies in this one group of the network: whoever has it may hide the chain (AD-7). */
  readonly eclipseRisk: string | undefined
}
