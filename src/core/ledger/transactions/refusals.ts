/** Refusals that several calls share, and every trap. Implements `docs/spec/ledger.md` §6. */
import type { Config } from '../config.ts'
import type { CommonError, Trap } from '../types.ts'

const trap = (message: string): Trap => ({ type: 'trap', message })

/** §6.3 step 5a. The wording is what clients and tests look for; so is that of the next two. */
export const NO_DELEGATED_MINTS = trap('the minter account cannot delegate mints')
/** §6.4 step 3. */
export const NO_MINTER_APPROVALS = trap('the minting account cannot delegate mints')
/** §6.4 step 2. */
export const NO_SELF_APPROVAL = trap('self approval is not allowed')
export const SUPPLY_EXCEEDED = trap('the total token supply would exceed the largest amount')

/** A memo beyond the limit is no error of the interface, but a trap. */
export function refuseMemo(
  { memoLengthMax }: Config,
  memo: Uint8Array | undefined,
): Trap | undefined {
  if (memo === undefined || memo.length <= memoLengthMax) return undefined
  return trap(`a memo of ${memo.length} bytes, at most ${memoLengthMax} allowed`)
}

/** A caller who names a fee must name the right one. */
export function refuseFee(given: bigint | undefined, expectedFee: bigint): CommonError | undefined {
  return given === undefined || given === expectedFee ? undefined : { type: 'badFee', expectedFee }
}
