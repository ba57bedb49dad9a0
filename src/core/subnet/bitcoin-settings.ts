/**
 * What the Bitcoin canister is set to, in replicated state. Source: `docs/spec/bitcoin.md` §§9.7,
 * 9.8.
 */
import { UTXOS_PER_PAGE_MAX } from '../btc/utxo-page.ts'
import type { Principal } from '../ic/principal.ts'
import type { AnswersChange, BitcoinConfigChange, BitcoinFees } from './bitcoin-interface.ts'

export type BitcoinSettings = {
  /** Whether blocks are asked for. */
  syncing: boolean
  apiAccess: boolean
  disableApiIfNotFullySynced: boolean
  /** Kept and shown; nothing follows from it here. */
  burnCycles: boolean
  /** Kept and shown; percentiles are made with the block that changes them. */
  lazilyEvaluateFeePercentiles: boolean
  watchdogCanister: Principal | undefined
  fees: BitcoinFees
  /** D4. */
  utxosPerPage: number
  /** D6: balances count confirmations as outputs do, by the stability count. */
  strictConfirmations: boolean
}

export const FREE: BitcoinFees = {
  getUtxosBase: 0n,
  getUtxosCyclesPerTenInstructions: 0n,
  getUtxosMaximum: 0n,
  getBalance: 0n,
  getBalanceMaximum: 0n,
  getCurrentFeePercentiles: 0n,
  getCurrentFeePercentilesMaximum: 0n,
  sendTransactionBase: 0n,
  sendTransactionPerByte: 0n,
  getBlockHeadersBase: 0n,
  getBlockHeadersCyclesPerTenInstructions: 0n,
  getBlockHeadersMaximum: 0n,
}

/** As published (D4). */
const UTXOS_PER_PAGE_LIMIT = 10_000
const MILLION = 1_000_000n

/** Prices of the deployed testnet canister; mainnet's are two and a half times as high. */
export const TESTNET_FEES: BitcoinFees = {
  getUtxosBase: 20n * MILLION,
  getUtxosCyclesPerTenInstructions: 4n,
  getUtxosMaximum: 4_000n * MILLION,
  getBalance: 4n * MILLION,
  getBalanceMaximum: 40n * MILLION,
  getCurrentFeePercentiles: 4n * MILLION,
  getCurrentFeePercentilesMaximum: 40n * MILLION,
  sendTransactionBase: 2_000n * MILLION,
  sendTransactionPerByte: 8n * MILLION,
  getBlockHeadersBase: 20n * MILLION,
  getBlockHeadersCyclesPerTenInstructions: 4n,
  getBlockHeadersMaximum: 4_000n * MILLION,
}

export const initialSettings = (): BitcoinSettings => ({
  syncing: true,
  apiAccess: true,
  disableApiIfNotFullySynced: true,
  burnCycles: false,
  lazilyEvaluateFeePercentiles: false,
  watchdogCanister: undefined,
  fees: FREE,
  utxosPerPage: UTXOS_PER_PAGE_MAX,
  strictConfirmations: false,
})

/** Takes over what a change names; the stability threshold is the chain view's. */
export function changeSettings(settings: BitcoinSettings, change: BitcoinConfigChange): void {
  const { stabilityThreshold: _, watchdogCanister, ...rest } = change
  Object.assign(settings, rest)
  if (watchdogCanister !== undefined) settings.watchdogCanister = watchdogCanister.id
}

/** False, and nothing is changed, for pages that hold nothing or too much for one reply. */
export function changeAnswers(settings: BitcoinSettings, change: AnswersChange): boolean {
  const { utxosPerPage = settings.utxosPerPage } = change
  if (utxosPerPage < 1 || utxosPerPage > UTXOS_PER_PAGE_LIMIT) return false
  settings.utxosPerPage = utxosPerPage
  settings.strictConfirmations = change.strictConfirmations ?? settings.strictConfirmations
  return true
}

/** The watchdog may open and close the interface, and nothing else. */
export const isApiAccessAlone = (change: BitcoinConfigChange): boolean =>
  Object.keys(change).every((key) => key === 'apiAccess')
