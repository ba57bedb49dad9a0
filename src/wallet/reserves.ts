/**
 * Is every ckBTC backed? Recomputed from the ledger's blocks, the minter's events, the key and the
 * chain. Source: cli §5.13.
 */
import { attempt, BadEncoding } from '../core/base/errors.ts'
import type { Block } from '../core/ledger/block.ts'
import { ckbtcConfig } from '../core/ledger/config.ts'
import { totalSupply } from '../core/ledger/queries.ts'
import { replay as replayLedger } from '../core/ledger/replay.ts'
import type { Event } from '../core/minter/events.ts'
import { replay as replayMinter } from '../core/minter/replay.ts'
import type { State as MinterState } from '../core/minter/state.ts'
import type { Canisters } from './canisters.ts'
import { compareBooks } from './reserve-books.ts'
import type { BitcoinSource } from './reserve-coins.ts'
import { countCoins } from './reserve-coins.ts'

/** Readings until all views are of one moment: under steady traffic some fail. */
const READINGS_MAX = 10

export type ReserveReport = {
  /**
   * `mismatch`: two views contradict each other; `inconclusive`: the views never stood still
   * together.
   */
  readonly verdict: 'backed' | 'shortfall' | 'mismatch' | 'inconclusive'
  readonly height: number
  readonly supplySat: bigint
  /** Accepted redemptions that are not paid, and reimbursements due. */
  readonly owedSat: bigint
  /** Coins found unspent on the chain, with the value and the script that they should have. */
  readonly reservesSat: bigint
  /**
   * Own change in mined transactions that are not final; the payments in them are no longer owed.
   */
  readonly inFlightSat: bigint
  /** reserves + in flight − supply − owed; negative when short. */
  readonly surplusSat: bigint
  readonly coins: { readonly total: number; readonly verified: number }
  readonly events: number
  readonly blocks: number
  /** What contradicts what, in words; empty when nothing does. */
  readonly contradictions: readonly string[]
}

/** Reads everything and computes; repeats nothing that the minter says about itself. */
export async function verifyReserves(
  canisters: Canisters,
  bitcoin: BitcoinSource,
): Promise<ReserveReport> {
  let report = await readOnce(canisters, bitcoin)
  for (let readings = 1; report.verdict === 'inconclusive' && readings < READINGS_MAX; readings++)
    report = await readOnce(canisters, bitcoin)
  return report
}

/** One reading of all views. It counts only if none of them moved meanwhile. */
async function readOnce(canisters: Canisters, bitcoin: BitcoinSource): Promise<ReserveReport> {
  const height = await bitcoin.height()
  const events = await canisters.events()
  const blocks = await canisters.blocks()
  const contradictions: string[] = []
  const supplySat = supplyOf(canisters, blocks, contradictions)
  const minter = minterState(canisters, events, contradictions)
  compareBooks({ blocks, events }, contradictions)
  const count = await countCoins({ canisters, bitcoin, minter }, contradictions)
  const moved =
    (await canisters.events()).length !== events.length || (await bitcoin.height()) !== height
  const surplusSat = count.reservesSat + count.inFlightSat - supplySat - count.owedSat
  const broken = minter === undefined || contradictions.length > 0
  return {
    ...count,
    verdict: moved ? 'inconclusive' : verdictOf(surplusSat, { minter, broken }),
    height,
    supplySat,
    surplusSat,
    events: events.length,
    blocks: blocks.length,
    contradictions,
  }
}

/** Books that cannot be replayed say nothing of a sum. */
function verdictOf(
  surplusSat: bigint,
  { minter, broken }: { readonly minter: MinterState | undefined; readonly broken: boolean },
): ReserveReport['verdict'] {
  if (minter === undefined) return 'mismatch'
  if (surplusSat < 0n) return 'shortfall'
  return broken ? 'mismatch' : 'backed'
}

/** Replays the blocks: every parent hash, balance and fee is checked on the way. */
function supplyOf(
  { deployment: { minterId } }: Canisters,
  blocks: readonly Block[],
  found: string[],
): bigint {
  const config = ckbtcConfig({ minter: minterId, archiveController: minterId })
  const replayed = replayLedger(config, blocks)
  if (replayed.type === 'replayed') return totalSupply(replayed.state)
  found.push(`ledger block ${replayed.blockIndex}: ${replayed.reason}`)
  return 0n
}

function minterState(
  { deployment: { minterId } }: Canisters,
  events: readonly Event[],
  found: string[],
): MinterState | undefined {
  const state = attempt(() => replayMinter(events, minterId))
  if (!(state instanceof BadEncoding)) return state
  found.push(`the minter's events contradict each other: ${state.message}`)
  return undefined
}
