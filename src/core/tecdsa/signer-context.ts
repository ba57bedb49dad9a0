/**
 * What the parts of one signer share: who it is, whom it knows, what the log has decided, and what
 * it may say.
 */
import type { KeyScheme } from '../base/key-scheme.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { EvidenceContext } from './evidence.ts'
import type { Lane, SignerMessage } from './message.ts'
import type { NodeKeys } from './node-keys.ts'
import type { Runs } from './recipe.ts'
import type { RunBook } from './run.ts'
import type { Schedule } from './schedule.ts'
import type { LaneReport } from './signing-report.ts'
import type { Suite } from './suite.ts'

/** What dealer and receiver of one key's protocol work with. */
export type LaneContext<P = Secp256k1Point> = EvidenceContext & {
  /** Of the current time line. */
  readonly incarnation: bigint
  readonly lane: Lane
  readonly suite: Suite<P>
  readonly runs: RunBook<P>
  readonly keys: NodeKeys
  /** Own number: where this node stands among dealers and receivers is each transcript's. */
  readonly me: NodeIndex
  /** What was recorded durably in earlier lives of this node, by key. */
  readonly records: ReadonlyMap<string, Uint8Array>
  /** Begins the keys of the records of this time line. */
  readonly recordPrefix: string
}

/** The same for the keys that sign requests. */
export type SignerContext<P, W extends Runs<P>> = LaneContext<P> & {
  readonly lane: KeyScheme
  readonly schedule: Schedule<P, W>
}

export type SignerOutput =
  | { readonly type: 'send'; readonly to: NodeIndex | 'all'; readonly message: SignerMessage }
  | { readonly type: 'submit'; readonly item: SignerItem }
  /** Must be on disk before the outputs that follow it leave (§18.4). */
  | { readonly type: 'record'; readonly key: string; readonly value: Uint8Array }
  /** Keys of records that are of no use any more: erased for good. */
  | { readonly type: 'forget'; readonly keys: readonly string[] }
  | { readonly type: 'fault'; readonly culprit: NodeIndex; readonly reason: string }
  /** A signature was combined here from the shares of these nodes. */
  | { readonly type: 'signed'; readonly requestId: Uint8Array; readonly by: readonly NodeIndex[] }
  /** How, for who asked. */
  | { readonly type: 'report'; readonly requestId: Uint8Array; readonly report: LaneReport }

export type SignerItem =
  | { readonly type: 'dealing'; readonly lane: Lane; readonly bytes: Uint8Array }
  | { readonly type: 'completion' | 'abort' | 'refresh'; readonly bytes: Uint8Array }

export type SignerOutputs = readonly SignerOutput[]

/** Asks nodes for what they have sent in runs that are still open; undefined for nobody. §17.8 */
export const askAgain = (nodes: readonly NodeIndex[]): SignerOutputs | undefined =>
  nodes.length === 0
    ? undefined
    : nodes.map((to) => ({ type: 'send', to, message: { type: 'resend' } }))

export const fault = (culprit: NodeIndex, reason: string): SignerOutput => ({
  type: 'fault',
  culprit,
  reason,
})
