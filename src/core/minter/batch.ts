/** When withdrawals go out together, which, and what of the rest. Source: minter §§8, 15. */
import { compareBytes } from '../base/bytes.ts'
import type { View } from '../base/view.ts'
import type { BuildError, BuiltTransaction } from './build-transaction.ts'
import { planTransaction } from './build-transaction.ts'
import { REIMBURSEMENT_CHARGE } from './constants.ts'
import type { Context } from './context.ts'
import { rootOf } from './context.ts'
import { estimateRate } from './fees.ts'
import { startSigning } from './signing.ts'
import type { WithdrawalRequest } from './state.ts'
import { sumOf } from './state.ts'
import type { BitcoinAddress } from './types.ts'

type Request = View<WithdrawalRequest>

/** Held requests that one round looks at: each costs a simulation. */
const HELD_TRIED_MAX = 100

const KIND_ORDER: Readonly<Record<BitcoinAddress['type'], number>> = {
  p2wpkhV0: 0,
  p2wshV0: 1,
  p2trV1: 2,
  p2pkh: 3,
  p2sh: 4,
}

const sign = (difference: bigint): number => (difference < 0n ? -1 : difference > 0n ? 1 : 0)

/** Order inside a batch, and so of outputs and of the fee's remainders. */
export function compareRequests(a: Request, b: Request): number {
  return (
    sign(a.amount - b.amount) ||
    KIND_ORDER[a.address.type] - KIND_ORDER[b.address.type] ||
    compareBytes(a.address.bytes, b.address.bytes) ||
    sign(a.blockIndex - b.blockIndex)
  )
}

/** Whether a batch may be formed now (§8). */
export function isBatchDue({ state, settings, now }: Context): boolean {
  const { queue, lastSubmissionAt } = state
  const limit = state.config.maxTimeInQueueNs
  const [oldest, newest] = [queue[0], queue.at(-1)]
  if (oldest === undefined || newest === undefined) return false
  return (
    queue.length >= settings.pendingRequestsMin ||
    now - oldest.receivedAt > limit ||
    (lastSubmissionAt !== undefined && newest.receivedAt - lastSubmissionAt > limit)
  )
}

/**
 * Forms one batch if one is due and asks for its signatures.
 *
 * True when it changed anything: a round that changed nothing would change nothing again.
 */
export function submitPendingBatch(context: Context): boolean {
  const eventsBefore = context.log.events.length
  formBatch(context)
  return context.log.events.length > eventsBefore
}

function formBatch(context: Context): void {
  if (context.volatile.root === undefined || context.state.queue.length === 0) return
  const rate = estimateRate(context)
  if (rate === undefined) return
  endHolds(context, rate)
  if (!isBatchDue(context)) return
  const excluded = new Set<bigint>()
  // Every pass that builds nothing leaves out one request more, so the loop ends.
  while (!tryBatch(context, rate, excluded));
}

/** One pass. True when there is nothing more to try in this round. */
function tryBatch(context: Context, rate: bigint, excluded: Set<bigint>): boolean {
  const batch = drawBatch(context, rate, excluded)
  if (batch.length === 0) return true
  const outcome = plan(context, batch, rate)
  switch (outcome.type) {
    case 'built':
      startSigning(
        context,
        outcome,
        batch.map(({ blockIndex }) => blockIndex),
      )
      return true
    case 'notEnoughFunds':
      return true
    case 'tooManyInputs':
      for (const request of batch) reimburseUnsent(context, request, outcome)
      return true
    case 'amountTooLow':
      leaveOut(context, batch.slice(0, 1), excluded) // The smallest is the first that fees eat.
      return false
    case 'dustOutput': {
      const { address, amount } = outcome.recipient
      const dust = batch.filter((each) => each.address === address || isSame(each, address, amount))
      leaveOut(context, dust, excluded)
      return false
    }
  }
}

const isSame = (request: Request, address: BitcoinAddress, amount: bigint): boolean =>
  request.amount === amount &&
  request.address.type === address.type &&
  compareBytes(request.address.bytes, address.bytes) === 0

const plan = (
  context: Context,
  recipients: readonly Request[],
  rate: bigint,
): BuiltTransaction | BuildError =>
  planTransaction({
    available: context.state.availableUtxos,
    recipients,
    mainScript: rootOf(context).mainScript,
    rate,
    inputsMax: context.state.config.inputsMax,
    countThreshold: context.settings.utxosCountThreshold,
  })

const canBePaidAlone = (context: Context, request: Request, rate: bigint): boolean =>
  plan(context, [request], rate).type === 'built'

/**
 * [H 6] Nothing burned ends as too low: it waits for lower fees, and goes back if they do not come.
 */
function leaveOut(context: Context, requests: readonly Request[], excluded: Set<bigint>): void {
  for (const { blockIndex } of requests) {
    excluded.add(blockIndex)
    if (!context.state.held.has(blockIndex))
      context.record({ type: 'xHeldRequest', blockIndex, heldSince: context.now })
  }
}

/** Requests of the next batch, in batch order. */
function drawBatch(
  context: Context,
  rate: bigint,
  excluded: ReadonlySet<bigint>,
): readonly Request[] {
  const { state, settings } = context
  const funds = sumOf(state.availableUtxos.values())
  const starving = starvingRequest(context, funds, excluded)
  if (starving !== undefined) return [starving]
  const batch: Request[] = []
  let taken = 0n
  let heldTried = 0
  for (const request of state.queue) {
    if (batch.length >= settings.requestsPerBatchMax) break
    if (excluded.has(request.blockIndex)) continue
    const isHeld = state.held.has(request.blockIndex)
    if (isHeld && (++heldTried > HELD_TRIED_MAX || !canBePaidAlone(context, request, rate)))
      continue
    if (taken + request.amount > funds) {
      passOver(context, request)
      continue
    }
    batch.push(request)
    taken += request.amount
  }
  return batch.sort(compareRequests)
}

function passOver({ volatile, now }: Context, { blockIndex }: Request): void {
  if (!volatile.passedOverSince.has(blockIndex)) volatile.passedOverSince.set(blockIndex, now)
}

/**
 * [H 8] Passed over for a day: it goes first and alone, so that small ones cannot keep it waiting.
 *
 * While the coins do not reach it, it holds nobody up.
 */
function starvingRequest(
  { state, volatile, settings, now }: Context,
  funds: bigint,
  excluded: ReadonlySet<bigint>,
): Request | undefined {
  return state.queue.find(({ blockIndex, amount }) => {
    const since = volatile.passedOverSince.get(blockIndex)
    return (
      since !== undefined &&
      now - since >= settings.passedOverNs &&
      amount <= funds &&
      !state.held.has(blockIndex) &&
      !excluded.has(blockIndex)
    )
  })
}

/** Holds that lasted long enough, and whose request fees would still eat, are returned. */
function endHolds(context: Context, rate: bigint): void {
  const { state, settings, now } = context
  const ended = state.queue.filter(({ blockIndex }) => {
    const since = state.held.get(blockIndex)
    return since !== undefined && now - since >= settings.holdNs
  })
  for (const request of ended) {
    const { reimbursementAccount: account, blockIndex, amount } = request
    if (account === undefined || canBePaidAlone(context, request, rate)) continue
    context.record({
      type: 'xScheduleReimbursement',
      account,
      burnBlockIndex: blockIndex,
      amount: lessCharge(amount),
    })
  }
}

const lessCharge = (amount: bigint): bigint =>
  amount > REIMBURSEMENT_CHARGE ? amount - REIMBURSEMENT_CHARGE : 0n

/** Nothing was signed for it, so nothing can pay it: it may be returned at once (§15). */
function reimburseUnsent(
  { record }: Context,
  { reimbursementAccount: account, blockIndex, amount }: Request,
  error: Extract<BuildError, { readonly type: 'tooManyInputs' }>,
): void {
  if (account === undefined) return
  record({
    type: 'scheduleWithdrawalReimbursement',
    account,
    burnBlockIndex: blockIndex,
    amount: lessCharge(amount),
    error,
  })
}
