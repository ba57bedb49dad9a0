/** The ways of the minter of 2024, where its table of differences gives numbers (RECORDINGS.md). */
import { divCeil, divFloor } from '../../../src/core/base/units.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/minter/constants.ts'
import type { Dialect, Ruled } from '../../../src/core/minter/dialect.ts'

const DAY_NS = 86_400n * 1_000_000_000n

/**
 * The rate that gave a fee, which that release kept and ours does not: of those that round down to
 * it the roundest, since estimates are round.
 */
function rateOfFee(fee: bigint, vsize: bigint): bigint {
  const lowest = divCeil(fee * 1_000n, vsize)
  for (const step of [1_000n, 500n, 100n, 10n]) {
    const rate = divCeil(lowest, step) * step
    if (divFloor(rate * vsize, 1_000n) === fee) return rate
  }
  return lowest
}

export const DIALECT_OF_2024: Dialect = {
  minterFee: (inputs, outputs) => 246n * BigInt(inputs) + 7n * BigInt(outputs) + 52n,
  bitcoinFee: (vsize, rate) => divFloor(vsize * rate, 1_000n),
  feeRateMin: { mainnet: 0n, testnet: 0n, regtest: 0n },
  withdrawalFee: ({ checkFee }) => checkFee,
  bumpedRate({ withdrawalFee }, { estimate, vsize }) {
    const bumped = rateOfFee(withdrawalFee?.bitcoinFee ?? 0n, vsize) + 1_000n
    return bumped > estimate ? bumped : estimate
  },
  isBatchByArrival: true,
  isQuietTimeUsed: false,
  isInputCountLimited: false,
  isJumpBelieved: true,
  isPaymentSimulated: false,
}

/** That release minted only when asked, took 1,000 withdrawals, and suspended for good. */
export const MINTER_OF_2024: Ruled = {
  ...DEFAULT_SETTINGS,
  autoMint: false,
  pendingRequestsMax: 1_000,
  depositsPerCallMax: 100_000,
  suspensionNs: 100_000n * DAY_NS,
  dialect: DIALECT_OF_2024,
}
