/**
 * What does not confirm is replaced at a higher fee, and sent again until then. Source: minter §14.1,
 * §14.2 [H 2, H 14].
 */
import { divCeil } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import { txid as txidOf } from '../../btc/transaction.ts'
import { scriptOfAddress } from '../addresses.ts'
import {
  RELAY_RATE_INCREASE_MIN,
  REPLACEMENTS_OPEN_MAX,
  RESUBMISSION_RATE_MAX,
  SENT_AGAIN_IN_ROUND_MAX,
} from '../constants.ts'
import type { Context } from '../context.ts'
import { rootOf, schedule } from '../context.ts'
import type { Dialect } from '../dialect.ts'
import { hasLost } from '../losses/lost-coins.ts'
import { isPaidInPlace } from '../losses/paid-already.ts'
import { beingReplaced, chainOf, liveTransaction } from '../state/replacement-chain.ts'
import type { Delay, SubmittedTransaction, TxidKey } from '../state/state.ts'
import { burnsOf, keyOfTxid, sumOf } from '../state/state.ts'
import type { InvalidTransaction, ReplacedReason } from '../types.ts'
import type { BuildError, BuiltTransaction, Recipient } from './build-transaction.ts'
import { buildTransaction, worstCaseVsize } from './build-transaction.ts'
import { mainRecipient, planCancellation } from './cancellation.ts'
import { estimateRate } from './fees.ts'
import { sendTransaction, startSigning } from './signing.ts'

type Sent = View<SubmittedTransaction>

/** What a plan comes to: what is signed in the place of the old one, or why nothing is. */
type Plan =
  | { readonly type: 'replace'; readonly built: BuiltTransaction; readonly reason: ReplacedReason }
  | { readonly type: 'wait'; readonly delay: Delay }

const wait = (reason: Delay['reason'], rate = 0n): Plan => ({
  type: 'wait',
  delay: { reason, rate },
})

/**
 * Starts to sign replacements of what is stuck. `seen`: transactions that the chain has; undefined
 * while the view cannot tell.
 */
export function resubmit(context: Context, seen: ReadonlySet<TxidKey> | undefined): void {
  const { state, volatile } = context
  volatile.delayed.clear()
  if (volatile.root === undefined || volatile.mustLook || seen === undefined) return
  const due = [...dueForReplacement(context)].filter((key) => !isSeen(context, key, seen))
  if (due.length === 0) return
  const rate = estimateRate(context)
  let room = REPLACEMENTS_OPEN_MAX - openReplacements(context)
  for (const key of due) {
    const old = liveTransaction(state, key)
    if (old === undefined || room <= 0) break
    const plan = rate === undefined ? wait('noEstimate') : planReplacement(context, old, rate)
    if (plan.type === 'wait') {
      volatile.delayed.set(key, plan.delay)
      continue
    }
    room -= 1
    const { built, reason } = plan
    startSigning(context, built, { replaces: { oldTxid: old.txid, reason } })
  }
}

/** A consolidation keeps its bytes; of the rest, what is old enough and not being replaced. */
function* dueForReplacement({ state, settings, now }: Context): Iterable<TxidKey> {
  const replaced = beingReplaced(state)
  for (const [key, { purpose, submittedAt }] of state.submitted)
    if (
      purpose.type !== 'toConsolidate' &&
      submittedAt + settings.resubmissionDelayNs <= now &&
      !replaced.has(key)
    )
      yield key
}

/** When the next transaction will be old enough; undefined while none is waited for. */
export function nextReplacementAt({ state, settings, now }: Context): bigint | undefined {
  let next: bigint | undefined
  for (const { purpose, submittedAt } of state.submitted.values()) {
    const at = submittedAt + settings.resubmissionDelayNs
    if (purpose.type !== 'toConsolidate' && at > now && (next === undefined || at < next)) next = at
  }
  return next
}

/** Those that wait for lost coins hold up nobody else [H 14]. */
const openReplacements = (context: Context): number =>
  [...context.state.signing.values()].filter(
    ({ purpose, utxos }) => purpose.type === 'toReplace' && !hasLost(context, utxos),
  ).length

/** Also when an older one of its chain has a confirmation: nothing can take its place then. */
const isSeen = ({ state }: Context, key: TxidKey, seen: ReadonlySet<TxidKey>): boolean =>
  seen.size > 0 && chainOf(state, key).some((member) => seen.has(member))

/** The same inputs and recipients with the original amounts: what is new is the fee (§14.2). */
function planReplacement(context: Context, old: Sent, estimate: bigint): Plan {
  const { state, settings } = context
  if (hasLost(context, old.utxos)) return wait('lostCoins')
  const { mainScript } = rootOf(context)
  const recipients = recipientsOf(context, old)
  const sizes = [...recipients.map(({ address }) => scriptOfAddress(address).length)]
  const vsize = worstCaseVsize(old.utxos.length, [...sizes, mainScript.length])
  const { dialect } = settings
  const rate = (dialect?.bumpedRate ?? bumpedRate)(old, { estimate, vsize })
  const rateMax = settings.resubmissionRateMax || RESUBMISSION_RATE_MAX[state.config.network]
  if (rateMax !== undefined && rate > rateMax) return wait('rateAboveMax', rate)
  const { inputsMax } = state.config
  const request = { utxos: old.utxos, recipients, mainScript, rate, inputsMax, dialect }
  const outcome = buildTransaction(request)
  if (outcome.type !== 'tooManyInputs' || old.purpose.type === 'toCancel')
    return planOf(context, outcome, { reason: { type: 'toRetry' }, rate })
  // What bars this one need not bar the one before it: nobody may be given back anything (§18.8).
  if (burnsOf(old.purpose).some((burn) => isPaidInPlace(context, burn)))
    return wait('tooManyInputs', rate)
  const { inputs } = outcome
  const error: InvalidTransaction = { type: 'tooManyInputs', inputs, inputsMax }
  if (rateMax !== undefined && estimate > rateMax) return wait('rateAboveMax', estimate)
  const cancellation = planCancellation(context, { old, oldVsize: vsize, estimate, rateMax })
  return planOf(context, cancellation, { reason: { type: 'toCancel', error }, rate: estimate })
}

function planOf(
  { state }: Context,
  outcome: BuiltTransaction | BuildError,
  { reason, rate }: { readonly reason: ReplacedReason; readonly rate: bigint },
): Plan {
  if (outcome.type !== 'built') return wait(outcome.type, rate)
  // Only where neither rate nor fee of the old one is known: the log of a deployed minter.
  const isSame = liveTransaction(state, keyOfTxid(txidOf(outcome.transaction))) !== undefined
  return isSame ? wait('unchanged', rate) : { type: 'replace', built: outcome, reason }
}

/** In the order in which the old transaction pays them. */
function recipientsOf(context: Context, { purpose, utxos, ...old }: Sent): readonly Recipient[] {
  switch (purpose.type) {
    case 'toConfirm':
      return purpose.requests
    case 'toCancel': {
      // The amount of then: the minimum may have been changed since.
      const { changeOutput, withdrawalFee } = old
      const amount =
        changeOutput === undefined || withdrawalFee === undefined
          ? context.state.config.retrieveMinAmount
          : sumOf(utxos) + withdrawalFee.minterFee - changeOutput.value
      return [mainRecipient(context, amount)]
    }
    case 'toConsolidate':
      return []
  }
}

/**
 * At least a step above what the old one really pays, by rate and by fee: `vsize` is the largest that
 * the new one can have, so that nodes take it as a replacement (BIP125).
 */
export const bumpedRate: NonNullable<Dialect['bumpedRate']> = (
  { feeRate, withdrawalFee },
  { estimate, vsize },
) => {
  const byRate = feeRate === undefined ? 0n : feeRate + RELAY_RATE_INCREASE_MIN
  const byFee =
    withdrawalFee === undefined
      ? 0n
      : divCeil(withdrawalFee.bitcoinFee * 1_000n, vsize) + RELAY_RATE_INCREASE_MIN
  const bumped = byRate > byFee ? byRate : byFee
  return estimate > bumped ? estimate : bumped
}

/** Nodes may have dropped what does not confirm: they get the same bytes again (§14.2). */
export function resend(context: Context, seen: ReadonlySet<TxidKey> | undefined): void {
  const { state, volatile, settings, now } = context
  const waiting = [...volatile.unsent]
  let room = SENT_AGAIN_IN_ROUND_MAX
  for (const [key, transaction] of state.submitted) {
    if (room === 0) break
    if (transaction.signedTransaction === undefined) continue // Nobody can send it again.
    if (volatile.unsent.has(key) || sentAgainAt(context, key, transaction) > now) continue
    if (seen !== undefined && isSeen(context, key, seen)) volatile.lastSent.set(key, now)
    else {
      waiting.push(key)
      room -= 1
    }
  }
  for (const key of waiting) sendTransaction(context, key)
  const next = nextResendAt(context)
  if (next !== undefined)
    schedule(context, 'process', next > now ? next : now + settings.processPeriodNs)
}

const sentAgainAt = (
  { volatile, settings }: Context,
  key: TxidKey,
  { submittedAt }: Pick<Sent, 'submittedAt'>,
): bigint => (volatile.lastSent.get(key) ?? submittedAt) + settings.resendPeriodNs

function nextResendAt(context: Context): bigint | undefined {
  let next: bigint | undefined
  for (const [key, transaction] of context.state.submitted) {
    if (transaction.signedTransaction === undefined) continue
    const at = sentAgainAt(context, key, transaction)
    if (next === undefined || at < next) next = at
  }
  return next
}
