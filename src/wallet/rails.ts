/** What a command that moves value must not do by accident. Implements `docs/spec/cli.md` §3.12. */
import { Problem } from '../core/base/errors.ts'
import type { Limits } from './config.ts'
import type { Network } from './network.ts'
import { hasRealFunds } from './network.ts'
import { smallText, tokenDocument, tokenOf, tokenOption } from './token.ts'

/** Fees up to here are never too high: a small payment must stay possible. */
export const FEE_FLOOR_SAT = 5_000n
/** Hundredths of a percent in the whole. */
const WHOLE = 10_000n

/** Either a sum, or hundredths of a percent of the amount. */
export type FeeCap =
  | { readonly type: 'sat'; readonly sat: bigint }
  | { readonly type: 'share'; readonly hundredthsPercent: bigint }

export type Spending = {
  readonly amountSat: bigint
  /** Everything that is paid to others than the receiver, as far as it is known. */
  readonly feesSat: bigint
  /** Of the command line. */
  readonly cap: FeeCap | undefined
}

/**
 * Throws `RAIL_SPEND_LIMIT` and `RAIL_FEE_CAP`; nothing lifts them but other numbers. The cap of the
 * settings is for real funds, the others are for every network.
 */
export function requireWithinLimits(
  network: Network,
  limits: Limits,
  { amountSat, feesSat, cap }: Spending,
): void {
  const token = tokenOf(network)
  // A limit in satoshis says nothing of what has none.
  const maxSendSat = token.isFurther ? undefined : limits.maxSendSat
  if (maxSendSat !== undefined && amountSat > maxSendSat)
    throw new Problem(
      'RAIL_SPEND_LIMIT',
      `${amountSat} sat is above the limit of ${maxSendSat} sat on ${network.name}`,
      {
        fix: 'send less, or raise the limit in the settings',
        command: `ckbtc config get limits.${network.name}.max_send`,
        details: { amountSat, limitSat: maxSendSat },
      },
    )
  const effective = cap ?? (hasRealFunds(network) ? capOf(limits) : undefined)
  if (effective === undefined) return
  const allowed = allowedFee(effective, amountSat, cap === undefined ? FEE_FLOOR_SAT : 0n)
  if (feesSat <= allowed) return
  const [fees, most] = [smallText(feesSat, token), smallText(allowed, token)]
  throw new Problem('RAIL_FEE_CAP', `the fees of ${fees} are above ${most}`, {
    fix: 'wait until fees are lower, or allow more with --max-fee; --yes does not',
    command: `ckbtc fees${tokenOption(token)}`,
    details: tokenDocument(token, { feesSat, allowedSat: allowed }),
  })
}

const capOf = ({ maxFeePercent }: Limits): FeeCap => ({
  type: 'share',
  hundredthsPercent: maxFeePercent,
})

function allowedFee(cap: FeeCap, amountSat: bigint, floorSat: bigint): bigint {
  if (cap.type === 'sat') return cap.sat
  const share = (amountSat * cap.hundredthsPercent) / WHOLE
  return share > floorSat ? share : floorSat
}

/** Above this a yes is not enough: the amount is typed. */
export const isLarge = (
  network: Network,
  { confirmLargeSat }: Pick<Limits, 'confirmLargeSat'>,
  amountSat: bigint,
): boolean => hasRealFunds(network) && amountSat > confirmLargeSat
