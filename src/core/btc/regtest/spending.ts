/** May a transaction spend its inputs: existence, maturity, amounts, lock times, scripts. Source: BLK-10 to BLK-14, RN-2. */
import { toHex } from '../../base/bytes.ts'
import type { Sat } from '../../base/units.ts'
import { MONEY_MAX, sat } from '../../base/units.ts'
import type { Transaction, TxOut } from '../transaction.ts'
import { outpointKey, SEQUENCE_FINAL, wtxid } from '../transaction.ts'
import type { Coin, CoinView } from './coins.ts'
import type { ScriptError, ScriptFlags } from './script-rules.ts'
import { CONSENSUS_FLAGS, SCRIPT_ERROR_TEXT } from './script-rules.ts'
import { sequence as field, LOCK_TIME_THRESHOLD, spendChecker } from './spend-checker.ts'
import { verifyScript } from './verify-script.ts'

export const COINBASE_MATURITY = 100
const SEQUENCE_GRANULARITY_S = 512

/** Where a transaction would be confirmed: a block at `height` on top of a given chain. */
export type SpendContext = {
  readonly height: number
  /** Median time past of the block before. */
  readonly medianTimePast: number
  /** Median time past of the chain's block at a height. */
  readonly medianTimeAt: (height: number) => number
}

export type Spent = {
  readonly type: 'spendable'
  readonly coins: readonly Coin[]
  readonly fee: Sat
}
export type Unspendable = { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string): Unspendable => ({ type: 'refused', reason })

/** Everything but lock times and scripts. The transaction is sane (`checkTransaction`), and no coinbase. */
export function checkInputs(tx: Transaction, coins: CoinView, height: number): Spent | Unspendable {
  const found: Coin[] = []
  let total = 0n
  for (const { outpoint } of tx.inputs) {
    const coin = coins.get(outpointKey(outpoint))
    if (coin === undefined) return refused('bad-txns-inputs-missingorspent')
    found.push(coin)
  }
  for (const coin of found) {
    if (coin.coinbase && height - coin.height < COINBASE_MATURITY)
      return refused('bad-txns-premature-spend-of-coinbase') // BLK-11
    total += coin.value
    if (total > MONEY_MAX) return refused('bad-txns-inputvalues-outofrange')
  }
  const paid = tx.outputs.reduce((sum, { value }) => sum + value, 0n)
  if (paid > total) return refused('bad-txns-in-belowout') // BLK-12
  return { type: 'spendable', coins: found, fee: sat(total - paid) }
}

/** BLK-14, first half: nLockTime by BIP113. A coinbase is judged as well. */
export function isFinal(
  tx: Transaction,
  { height, medianTimePast }: Pick<SpendContext, 'height' | 'medianTimePast'>,
): boolean {
  if (tx.lockTime === 0) return true
  const now = tx.lockTime < LOCK_TIME_THRESHOLD ? height : medianTimePast
  return tx.lockTime < now || tx.inputs.every(({ sequence }) => sequence === SEQUENCE_FINAL)
}

/** BLK-14, second half: BIP68. `coins` are those of the inputs, in order. */
export function sequenceLocksHold(
  tx: Transaction,
  coins: readonly Coin[],
  { height, medianTimePast, medianTimeAt }: SpendContext,
): boolean {
  if (tx.version < 2) return true
  return tx.inputs.every(({ sequence }, i) => {
    if ((sequence & field.disabled) !== 0) return true
    const coinHeight = coins[i]?.height ?? height
    const units = sequence & field.mask
    if ((sequence & field.time) === 0) return coinHeight + units <= height
    // Counted from the median time past of the block before the one that holds the coin.
    const start = medianTimeAt(Math.max(coinHeight - 1, 0))
    return start + units * SEQUENCE_GRANULARITY_S <= medianTimePast
  })
}

/** Remembers which transactions were verified in full, so that a block does not verify its mempool again. */
export class VerifiedTransactions {
  readonly #known = new Set<string>()
  readonly #max: number

  constructor(max = VERIFIED_MAX) {
    this.#max = max
  }
  has(key: string): boolean {
    return this.#known.has(key)
  }
  add(key: string): void {
    this.#known.add(key)
    const [oldest] = this.#known
    if (this.#known.size > this.#max && oldest !== undefined) this.#known.delete(oldest)
  }
}

const VERIFIED_MAX = 50_000

/** The scripts of every input under the consensus flags; verified once for each wtxid. */
export function verifyConsensus(
  tx: Transaction,
  spent: readonly TxOut[],
  verified: VerifiedTransactions,
): ScriptError | undefined {
  // The wtxid fixes the outpoints, these fix the scripts and amounts spent.
  const key = toHex(wtxid(tx))
  if (verified.has(key)) return undefined
  const fault = verifyInputs(tx, spent, CONSENSUS_FLAGS)
  if (fault === undefined) verified.add(key)
  return fault
}

export function verifyInputs(
  tx: Transaction,
  spent: readonly TxOut[],
  flags: ScriptFlags,
): ScriptError | undefined {
  const checkerOf = spendChecker(tx, spent)
  for (const [index, { scriptSig, witness }] of tx.inputs.entries()) {
    const scriptPubKey = spent[index]?.script ?? new Uint8Array(0)
    const checker = checkerOf(index)
    const fault = verifyScript({ scriptSig, scriptPubKey, witness, flags, checker })
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Core's reason for a script that fails the rules of blocks. */
export const mandatoryFailure = (error: ScriptError): string =>
  `mandatory-script-verify-flag-failed (${SCRIPT_ERROR_TEXT[error]})`

/** Core's reason for a script that only the mempool refuses. */
export const policyFailure = (error: ScriptError): string =>
  `non-mandatory-script-verify-flag (${SCRIPT_ERROR_TEXT[error]})`
