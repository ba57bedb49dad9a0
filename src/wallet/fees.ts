/** What things cost now, and the limits: read when asked, never compiled in. Implements cli §5.8. */
import { CanisterRefused } from '../core/base/errors.ts'
import type { WithdrawalFee } from '../core/minter/types.ts'
import type { Client } from './client.ts'

export type Fees = {
  readonly ledgerFeeSat: bigint
  readonly checkFeeSat: bigint
  readonly depositMinimumSat: bigint
  readonly redeemMinimumSat: bigint
  readonly confirmations: number
  /** Amount that the next two are for. */
  readonly amountSat: bigint
  /** Undefined while the minter knows no fee rate, or cannot pay so much. */
  readonly minterFeeSat: bigint | undefined
  readonly bitcoinFeeSat: bigint | undefined
  /** Of the estimate, for one input and two outputs; undefined with the fees. */
  readonly feeRateSatPerVb: number | undefined
  /** Why there is no estimate, in the minter's words. */
  readonly noEstimate: string | undefined
}

/** `amount`: of a redemption; without it the fees are those of the smallest. */
export async function readFees(client: Client, amount?: bigint): Promise<Fees> {
  const [ledgerFeeSat, info, estimate] = await Promise.all([
    client.ledger.fee(),
    client.minter.info(),
    estimateFor(client, amount),
  ])
  const { checkFee, retrieveMinAmount, minConfirmations } = info
  const fee = typeof estimate === 'string' ? undefined : estimate
  return {
    ledgerFeeSat,
    checkFeeSat: checkFee,
    depositMinimumSat: info.depositMinAmount ?? checkFee + 1n,
    redeemMinimumSat: retrieveMinAmount,
    confirmations: minConfirmations,
    amountSat: amount ?? retrieveMinAmount,
    minterFeeSat: fee?.minterFee,
    bitcoinFeeSat: fee?.bitcoinFee,
    feeRateSatPerVb: fee && rateOf(fee),
    noEstimate: typeof estimate === 'string' ? estimate : undefined,
  }
}

async function estimateFor(
  client: Client,
  amount: bigint | undefined,
): Promise<WithdrawalFee | string> {
  try {
    return await client.minter.estimateFee(amount)
  } catch (error) {
    // The minter traps when it could not pay such an amount now (minter §2.1).
    if (error instanceof CanisterRefused) return trapText(error.reason)
    throw error
  }
}

/** Bytes of the minter's transactions: the minter fee tells how many inputs there are (§10.3). */
const MINTER_FEE = { perInput: 146n, perOutput: 4n, fixed: 26n, outputs: 2n } as const
const VSIZE = { frame: 10.5, input: 68, output: 31 } as const

/** The rate that leads to an estimate, in sat/vB with one decimal. */
export function rateOf({ minterFee, bitcoinFee }: WithdrawalFee): number {
  const { perInput, perOutput, fixed, outputs } = MINTER_FEE
  const inputs = Number((minterFee - fixed - perOutput * outputs) / perInput)
  const vsize = VSIZE.frame + VSIZE.input * Math.max(1, inputs) + VSIZE.output * Number(outputs)
  return Math.round((10 * Number(bitcoinFee)) / vsize) / 10
}

/** The canister's own words in a trap. */
const trapText = (reason: string): string => /with message: '(.*)'/.exec(reason)?.[1] ?? reason
