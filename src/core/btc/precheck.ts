/**
 * Would the network take our transaction? Asked before anybody is told of it: from peers there is no
 * answer but silence. Source: `docs/spec/bitcoin.md` §10.1, §10.6.
 */
import type { Sat } from '../base/units.ts'
import { feeAt, paysMore, rateOf } from './regtest/fee-rate.ts'
import {
  checkStandard,
  checkStandardInputs,
  policyVsize,
  SIGOPS_COST_STANDARD_MAX,
} from './regtest/policy.ts'
import { ScriptVerifier } from './regtest/script-verifier.ts'
import { sigopCost } from './regtest/sigops.ts'
import type { SpendContext } from './regtest/spending.ts'
import { checkInputs, isFinal, sequenceLocksHold } from './regtest/spending.ts'
import type { Transaction } from './transaction.ts'
import { checkTransaction, isCoinbase } from './transaction.ts'
import type { Utxo } from './utxo-set.ts'

/** PRE-3, in satoshi per 1,000 virtual bytes. */
export const RATE_MIN_SAT_PER_KVB = 100n
export const RATE_MAX_SAT_PER_KVB = 10_000_000n
/** A fee is at most a tenth of what is paid, or this, whichever is more. */
export const FEE_MAX_SAT = 10_000_000n
const FEE_SHARE = 10n
/** What a replacement pays for its own relay beyond what it replaces (§10.6). */
const INCREMENTAL_SAT_PER_KVB = 1_000n

export type Paid = { readonly fee: bigint; readonly vsize: number }

export type PrecheckContext = SpendContext & {
  /** What the next block could spend, unconfirmed outputs of our own among it. */
  readonly output: (key: string) => Utxo | undefined
  /** Ours that it would replace, and what builds on these. */
  readonly replaces?: readonly Paid[]
}

export type Verdict =
  | { readonly type: 'passed'; readonly fee: Sat; readonly vsize: number }
  /** In the words of Core where it has some. */
  | { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string): Verdict => ({ type: 'refused', reason })

/** Remembers which scripts were right: they are the costly part. */
export class Precheck {
  readonly #scripts = new ScriptVerifier()

  judge(tx: Transaction, context: PrecheckContext): Verdict {
    const flaw = isCoinbase(tx) ? 'coinbase' : (checkTransaction(tx) ?? checkStandard(tx)) // PRE-1, 2
    if (flaw !== undefined) return refused(flaw)
    const spent = checkInputs(tx, { get: (key) => context.output(key) }, context.height) // PRE-3
    if (spent.type === 'refused') return spent
    const isRipe = isFinal(tx, context) && sequenceLocksHold(tx, spent.coins, context) // PRE-5
    if (!isRipe) return refused('non-final')
    const sigops = sigopCost(tx, spent.coins)
    const paid = { fee: spent.fee, vsize: policyVsize(tx, sigops) }
    const fault =
      checkStandardInputs(tx, spent.coins) ??
      (sigops > SIGOPS_COST_STANDARD_MAX ? 'bad-txns-too-many-sigops' : undefined) ??
      feeFault(tx, paid) ??
      replacementFault(paid, context.replaces ?? []) ??
      this.#scripts.standardFault(tx, spent.coins) // PRE-4
    return fault === undefined ? { type: 'passed', ...paid } : refused(fault)
  }
}

function feeFault(tx: Transaction, paid: Paid): string | undefined {
  const rate = rateOf(paid)
  if (rate < RATE_MIN_SAT_PER_KVB) return 'min relay fee not met'
  const amount = tx.outputs.reduce((sum, { value }) => sum + value, 0n)
  const share = amount / FEE_SHARE
  const feeMax = share > FEE_MAX_SAT ? share : FEE_MAX_SAT
  return rate > RATE_MAX_SAT_PER_KVB || paid.fee > feeMax ? 'max-fee-exceeded' : undefined
}

/** Says how much is missing. */
function replacementFault(paid: Paid, replaces: readonly Paid[]): string | undefined {
  if (replaces.length === 0) return undefined
  const replacedFees = replaces.reduce((sum, { fee }) => sum + fee, 0n)
  const needed = replacedFees + feeAt(INCREMENTAL_SAT_PER_KVB, paid.vsize)
  if (paid.fee < needed)
    return `insufficient fee, rejecting replacement: ${needed - paid.fee} sat more are needed`
  return replaces.every((other) => paysMore(paid, other))
    ? undefined
    : 'insufficient fee, rejecting replacement: its rate is not higher'
}
