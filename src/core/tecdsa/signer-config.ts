/**
 * What a signer is made of: who it is, which time line it works in, which keys it goes on with.
 * Source: threshold §§16.2, 18.4.
 */
import { BadEncoding } from '../base/errors.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import { blsG2 } from '../base/noble-bls12381.ts'
import { ed25519Group } from '../base/noble-ed25519.ts'
import { secp256k1 } from '../base/noble-secp256k1.ts'
import type { NodeIndex } from '../base/party.ts'
import type { Ed25519 } from '../base/verification.ts'
import { lanePrefix } from './evidence.ts'
import type { KeptKeys, Suites } from './key-record.ts'
import { decodeFinalKeys } from './key-record.ts'
import type { Genesis } from './membership.ts'
import { subnetIdOf } from './membership.ts'
import type { Lane } from './message.ts'
import type { NodeKeys } from './node-keys.ts'
import type { Roster } from './roster.ts'
import type { RunFrame } from './run-ledger.ts'
import type { LaneContext } from './signer-context.ts'
import type { Standing } from './standing.ts'
import { firstStanding } from './standing.ts'
import type { StockLimits } from './stock.ts'
import type { Suite } from './suite.ts'
import { ecdsaSecp256k1, schnorrBip340, thresholdBls, thresholdEd25519 } from './suite.ts'

/** `stockTarget` is that of the main key. */
export type SignerConfig = StockLimits & {
  /** `incarnation`: that of the current time line, fresh at every start of the whole subnet. */
  readonly genesis: Genesis
  readonly keys: NodeKeys
  readonly me: NodeIndex
  readonly ed25519: Ed25519
  /** What earlier lives of this node recorded. */
  readonly records: ReadonlyMap<string, Uint8Array>
  /** Name of the key that is made at the start and has a stock: the minter's. */
  readonly mainKey: string
  /** How old keys get before this node wishes a refresh; by itself it never does without it. */
  readonly refreshIntervalMs?: number | undefined
  /** How long a request may take before this node aborts it; §23 unless told. */
  readonly requestAlarmMs?: number | undefined
  /**
   * What `finalKeys` gave when an earlier time line ended: nothing else remains of it. The same
   * bytes at every node, and again when a node starts anew within this time line: ids count from
   * there. Without it keys are made.
   */
  readonly restored?: Uint8Array | undefined
}

/** The algorithms over our engines. */
export const suites: Suites = {
  ecdsa: ecdsaSecp256k1(secp256k1),
  bip340: schnorrBip340(secp256k1),
  ed25519: thresholdEd25519(ed25519Group, secp256k1),
  bls: thresholdBls(blsG2, secp256k1),
}

export const runFrame = (
  { genesis }: Pick<SignerConfig, 'genesis'>,
  { roster, membership }: Standing = firstStanding(genesis),
): RunFrame => ({ ...roster.epoch(suites.ecdsa, membership), subnetId: subnetIdOf(genesis) })

/** Throws `BadEncoding` for bytes that are no keys of this subnet. */
export function keptKeys(config: SignerConfig): KeptKeys | undefined {
  const { restored, genesis, ed25519, mainKey } = config
  if (restored === undefined) return undefined
  const kept = decodeFinalKeys({ suites, genesis, ed25519 }, restored)
  if (!kept.ecdsa.has(mainKey)) throw new BadEncoding(`no kept key is called ${mainKey}`)
  return kept
}

type Context<P> = Omit<LaneContext<P>, 'runs'>

/** What the parts of all lanes see: the members join it as they come. */
export type LaneFrame = SignerConfig & { readonly roster: Roster }

const contextIn = <P>(config: LaneFrame, lane: Lane, suite: Suite<P>): Context<P> => {
  const { genesis, keys, me, records, ed25519, roster } = config
  const { incarnation } = genesis
  return {
    incarnation,
    keys,
    me,
    records,
    members: roster.records,
    ed25519,
    lane,
    suite,
    // The records of ECDSA have the shorter names.
    recordPrefix: lane === 'ecdsa' ? `${incarnation}/` : `${incarnation}/${lane}/`,
    prefix: lanePrefix(genesis, suite.algorithm),
  }
}

/** No signature, record or message of one algorithm serves in another. */
export const keyContext = <P>(
  config: LaneFrame,
  lane: KeyScheme,
  suite: Suite<P>,
): Context<P> & { readonly lane: KeyScheme } => ({ ...contextIn(config, lane, suite), lane })

export const blsContext = (config: LaneFrame): Context<BlsG2Point> =>
  contextIn(config, 'bls', suites.bls)
