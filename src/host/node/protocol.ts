/**
 * What the subnet and the host of a node say to each other, whichever of the drivers of architecture
 * §3 it is. Everything survives structured cloning.
 */
import type { CkbtcError } from '../../core/base/errors.ts'
import { Problem } from '../../core/base/errors.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import type { TransactionReport } from '../../core/btc/transaction-relay.ts'
import type { IdsKind } from '../../core/ic/canister-ids.ts'
import type { Lie } from '../../core/subnet/lies.ts'
import type { Answer, NodeInput, NodeOutput, Question } from '../../core/subnet/node-io.ts'
import type { LedgerSettings, MinterSettings } from '../../core/subnet/settings.ts'
import type { AttachableNetwork } from '../bitcoin-place.ts'
import type { LinkRefusal } from '../links/handshake.ts'
import type { PeerPorts } from '../links/peer-links.ts'

/**
 * Number of the keys of a node, in the order they are made, before the membership gives it an
 * index.
 */
export type KeyNumber = number

export type NodeSettings = {
  readonly stockTarget: number
  readonly creationMax: number
  readonly minter: MinterSettings
  /** ckBTC's profile and no further token unless told. */
  readonly ledgers?: LedgerSettings | undefined
  readonly ids: IdsKind
  /** Principal that may change replicated settings. */
  readonly operator: Uint8Array
  /** The Bitcoin node that it follows. */
  readonly bitcoin: NodeBitcoin
  /** Bytes of log after which its state is put on disk; see `disks/running-snapshots.ts`. */
  readonly snapshotLogMin?: number | undefined
}

export type NodeBitcoin = {
  readonly host: string
  readonly port: number
  readonly network: AttachableNetwork
  /** A node of the user's, not the embedded one. */
  readonly isAttached: boolean
}

/** What a node is asked by who runs it: what a client may ask, and how it stands to Bitcoin. */
export type NodeQuestion = Question | { readonly type: 'bitcoin' }
export type NodeAnswer = Answer | BitcoinAnswer
export type BannedHost = {
  readonly host: string
  readonly reason: string
  /** Unix milliseconds. */
  readonly untilMs: number
}
export type BitcoinAnswer = {
  readonly type: 'bitcoin'
  readonly isConnected: boolean
  /** Of the best header that its peer has shown. */
  readonly shownHeight: number
  /** Why it ended its last connection, if it did. */
  readonly lastOffence: string | undefined
  /** Hosts that it does not use for a while (MB-3). */
  readonly bans: readonly BannedHost[]
  /** The one group of the network that all its peers lie in, if there is but one (AD-7). */
  readonly eclipseRisk: string | undefined
  /** What it knows of the subnet's own transactions. */
  readonly transactions: readonly TransactionReport[]
}

/** Where a node keeps what survives it. */
export type Storage =
  | { readonly type: 'directory'; readonly path: string }
  /** Of this process, held for the node while it is down; see `shared-store.ts`. */
  | { readonly type: 'memory'; readonly journal: SharedArrayBuffer }

/** To the host of one node. */
export type ToNode =
  /** Make its keys, or read them again; the secrets stay there. Answered by `keys`. */
  | { readonly type: 'create'; readonly storage: Storage }
  /** Run it. */
  | {
      readonly type: 'start'
      readonly me: NodeIndex
      readonly genesis: Uint8Array
      readonly settings: NodeSettings
    }
  | { readonly type: 'input'; readonly input: NodeInput }
  /** Answered by `answer`, unless the node ends first. */
  | { readonly type: 'ask'; readonly id: number; readonly question: NodeQuestion }
  /** Where the peers listen, if nodes have links of their own; after `start`, and when one moves. */
  | { readonly type: 'peers'; readonly ports: PeerPorts }
  /** From now on it lies in this way; undefined: no more. A node that starts lies in none. */
  | { readonly type: 'corrupt'; readonly lie: Lie | undefined }
  /** Let go of the store, with nothing more said or written. Answered by `closed`. */
  | { readonly type: 'kill' }
  /** End in good order: what it has come to is on its disk. Answered by `closed`. */
  | { readonly type: 'close' }

/** A problem as it passes from the host of a node to the subnet. */
export type SentProblem = Pick<CkbtcError, 'code' | 'message' | 'fix' | 'command' | 'details'>

export const sentProblem = ({ code, message, fix, command, details }: CkbtcError): SentProblem => ({
  code,
  message,
  fix,
  command,
  details,
})

export const receivedProblem = ({ code, message, ...help }: SentProblem): Problem =>
  new Problem(code, message, help)

/** From the host of one node. */
export type FromNode =
  | {
      readonly type: 'keys'
      readonly signingKey: Uint8Array
      readonly encryptionKey: Uint8Array
      /** Where it listens for its peers, if it has links of its own. */
      readonly port: number | undefined
    }
  /** A link of its own is there, or ended. `peer`: where it is known. */
  | {
      readonly type: 'link'
      readonly peer: NodeIndex | undefined
      readonly state: 'up' | LinkRefusal
    }
  | { readonly type: 'outputs'; readonly outputs: readonly SharedOutput[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: NodeAnswer }
  | { readonly type: 'closed' }
  /** Its disk cannot be read or written: it has ended, or was not started. */
  | { readonly type: 'failed'; readonly problem: SentProblem }
  /** A fault of the program showed in it: it has ended. */
  | { readonly type: 'bug'; readonly message: string }

/** Outputs that concern others; alarms, records and the adapter are the node's own. */
export type SharedOutput = Exclude<
  NodeOutput,
  { type: 'alarm' | 'record' | 'forget' | 'decided' | 'signer-past' | 'log' | 'adapter' }
>
