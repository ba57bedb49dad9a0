/**
 * What releases do differently, as functions of numbers. `docs/spec/minter.md` §§7, 8, 10 is
 * `PRESENT`; a replay of what an older release was recorded to do passes its own (`Settings`).
 */

import { divCeil } from '../base/units.ts'
import type { View } from '../base/view.ts'
import type { Config } from './config.ts'
import type { Settings } from './constants.ts'
import {
  FEE_RATE_MIN,
  MINTER_FEE_BASE,
  MINTER_FEE_PER_INPUT,
  MINTER_FEE_PER_OUTPUT,
  MINTER_OUTPUT_MIN,
} from './constants.ts'
import type { SubmittedTransaction } from './state/state.ts'

/** Settings of an operator, and the ways of a release that no operator sets. */
export type Ruled = Settings & { readonly dialect?: Dialect }

export type Dialect = {
  /** §10.3; `outputs` counts the change. */
  readonly minterFee: (inputs: number, outputs: number) => bigint
  /** §10.2; `rate` in msat/vB. */
  readonly bitcoinFee: (vsize: bigint, rate: bigint) => bigint
  /** Floor of every estimate, msat/vB (§10.1). */
  readonly feeRateMin: Readonly<Record<Config['network'], bigint>>
  /** What a withdrawal pays for the check of its destination: nothing, since late 2024. */
  readonly withdrawalFee: (config: View<Config>) => bigint
  /** Outputs in the order in which requests came; else by amount and address (§8). */
  readonly isBatchByArrival: boolean
  /** A request after a quiet time goes out at once (§8). */
  readonly isQuietTimeUsed: boolean
  /** A transaction has `inputsMax` inputs at most (§9.3). */
  readonly isInputCountLimited: boolean
  /** A median far from the last one is used at once; else a second refresh must agree [H 13]. */
  readonly isJumpBelieved: boolean
  /** Rate of a replacement (§14.2); absent: the present one. `vsize` is the largest of the new one. */
  readonly bumpedRate?: (
    old: Pick<View<SubmittedTransaction>, 'feeRate' | 'withdrawalFee'>,
    now: { readonly estimate: bigint; readonly vsize: bigint },
  ) => bigint
  /** A payment that could not be built is refused before the burn [H 6]. */
  readonly isPaymentSimulated: boolean
}

export const PRESENT: Dialect = {
  minterFee(inputs, outputs) {
    const fee =
      MINTER_FEE_PER_INPUT * BigInt(inputs) +
      MINTER_FEE_PER_OUTPUT * BigInt(outputs) +
      MINTER_FEE_BASE
    return fee > MINTER_OUTPUT_MIN ? fee : MINTER_OUTPUT_MIN
  },
  bitcoinFee: (vsize, rate) => divCeil(vsize * rate, 1_000n),
  feeRateMin: FEE_RATE_MIN,
  withdrawalFee: () => 0n,
  isBatchByArrival: false,
  isQuietTimeUsed: true,
  isInputCountLimited: true,
  isJumpBelieved: false,
  isPaymentSimulated: true,
}
