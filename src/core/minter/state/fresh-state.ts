/** The state of a minter that has done nothing yet. Source: minter §4. */
import type { Principal } from '../../ic/principal.ts'
import type { Config } from '../config.ts'
import { emptyCache } from '../deposits/utxo-cache.ts'
import { freshObserved } from '../observed.ts'
import { newCoinSet } from './coin-set.ts'
import { noConsolidationFees } from './consolidation-fees.ts'
import type { State, Volatile } from './state.ts'

/** Start of the fees: what is shown and used before the first estimate (§4). */
const INITIAL_MEDIAN = 1n
const INITIAL_RATES = 100

export function freshVolatile(config: Config): Volatile {
  return {
    root: undefined,
    updating: new Set(),
    retrieving: new Set(),
    fees: {
      rates: Array.from({ length: INITIAL_RATES }, () => INITIAL_MEDIAN),
      median: INITIAL_MEDIAN,
      withdrawalMin: config.retrieveMinAmount,
      known: false,
      jump: undefined,
    },
    lastChecked: new Map(),
    utxoCache: emptyCache(),
    passedOverSince: new Map(),
    unsent: new Set(),
    lastSent: new Map(),
    delayed: new Map(),
    open: new Map(),
    resting: new Set(),
    lost: new Map(),
    mustLook: false,
    looked: new Set(),
    lookedAt: 0n,
    lostAt: 0n,
    sendAgainAt: 0n,
    broken: [],
    tasks: new Map(),
    watched: new Map(),
    toMint: new Set(),
    lastCreatedAt: 0n,
    observed: freshObserved(),
  }
}

/** The state before the first deposit. */
export function freshState(self: Principal, config: Config): State {
  const coins = newCoinSet()
  return {
    self,
    config,
    coins,
    availableUtxos: coins.byKey,
    spentBy: new Map(),
    outpointAccount: new Map(),
    accountUtxos: new Map(),
    mintedOutpoints: new Set(),
    doubleCredits: new Set(),
    donations: new Map(),
    writtenOff: new Map(),
    checkedUtxos: new Map(),
    suspendedUtxos: new Map(),
    suspendedFor: new Map(),
    legacySuspendedUtxos: new Map(),
    queue: [],
    burnPlaces: new Map(),
    held: new Map(),
    signing: new Map(),
    submitted: new Map(),
    stuck: new Map(),
    replacedBy: new Map(),
    replaces: new Map(),
    finalized: new Map(),
    accountBurns: new Map(),
    depositReimbursements: new Map(),
    reimbursedDeposits: new Map(),
    cancelled: new Map(),
    reimbursements: new Map(),
    reimbursed: new Map(),
    calls: new Map(),
    consolidation: undefined,
    consolidationFees: noConsolidationFees(),
    nextAttempt: 0,
    lastConsolidationAt: undefined,
    lastSubmissionAt: undefined,
    tokensMinted: 0n,
    tokensBurned: 0n,
    mintedFromDeposits: 0n,
    reimbursedTotal: 0n,
    earnings: {
      checkFees: 0n,
      minterFees: 0n,
      reimbursementCharges: 0n,
      amountsTooLow: 0n,
      writtenOff: 0n,
      adopted: 0n,
    },
    owedKyt: new Map(),
    volatile: freshVolatile(config),
  }
}
