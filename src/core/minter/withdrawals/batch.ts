/** When withdrawals go out together, which, and what of the rest. Source: minter §§8, 15. */
import { compareBytes } from '../../base/bytes.ts'
import type { View } from '../../base/view.ts'
import { lessCharge } from '../apply/apply-withdrawals.ts'
import type { Context } from '../context.ts'
import { rootOf } from '../context.ts'
import { PRESENT } from '../dialect.ts'
import { coinsToSpend } from '../losses/lost-coins.ts'
import { fundsOf } from '../state/coin-set.ts'
import type { WithdrawalRequest } from '../state/state.ts'
import type { BuildError, BuiltTransaction } from '../transactions/build-transaction.ts'
import { planTransaction } from '../transactions/build-transaction.ts'
import { estimateRate } from '../transactions/fees.ts'
import { startSigning } from '../transactions/signing.ts'
import type { BitcoinAddress } from '../types.ts'

type Request = View<WithdrawalRequest>

/** Held requests that one pass looks at: each costs a simulation. */
const HELD_TRIED_MAX = 100
/** Batches that one round tries to build: each costs a simulation. */
const BATCH_PASSES_MAX = 32

/** One round's look at the queue. The coins are the same from its first pass to its last. */
type Round = {
  readonly context: Context
  /** msat/vB. */
  readonly rate: bigint
  /** Left out of the batch of this round. */
  readonly excluded: Set<bigint>
  /** By burn: whether it could be paid alone. */
  readonly alone: Map<bigint, boolean>
}

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
  const { isQuietTimeUsed } = settings.dialect ?? PRESENT
  const limit = state.config.maxTimeInQueueNs
  const [oldest, newest] = [queue[0], queue.at(-1)]
  if (oldest === undefined || newest === undefined) return false
  return (
    queue.length >= settings.pendingRequestsMin ||
    now - oldest.receivedAt > limit ||
    (isQuietTimeUsed &&
      lastSubmissionAt !== undefined &&
      newest.receivedAt - lastSubmissionAt > limit)
  )
}

/**
 * Forms one batch if one is due and asks for its signatures.
 *
 * True when it changed anything: a round that changed nothing would change nothing again.
 */
export function submitPendingBatch(context: Context): boolean {
  const eventsBefore = context.log.count
  formBatch(context)
  return context.log.count > eventsBefore
}

function formBatch(context: Context): void {
  const { root, mustLook } = context.volatile
  if (root === undefined || mustLook || context.state.queue.length === 0) return
  const rate = estimateRate(context)
  if (rate === undefined) return
  const round: Round = { context, rate, excluded: new Set(), alone: new Map() }
  endHolds(round)
  if (!isBatchDue(context)) return
  // Every pass that builds nothing leaves out one request more.
  for (let pass = 1; pass < BATCH_PASSES_MAX; pass++)
    if (tryBatch(round, context.settings.requestsPerBatchMax)) return
  // So many do not go together: one goes alone, so that every round gets somewhere.
  round.excluded.clear()
  tryBatch(round, 1)
}

/** One pass. True when there is nothing more to try in this round. */
function tryBatch(round: Round, requestsMax: number): boolean {
  const { context } = round
  const batch = drawBatch(round, requestsMax)
  if (batch.length === 0) return true
  const outcome = plan(round, batch)
  switch (outcome.type) {
    case 'built':
      startSigning(context, outcome, { requests: batch.map(({ blockIndex }) => blockIndex) })
      return true
    case 'notEnoughFunds':
      return true
    case 'tooManyInputs': {
      const largest = batch.slice(-1)
      if (batch.length > 1) passOver(round, largest)
      else reimburseUnsent(round, largest, outcome)
      return false
    }
    case 'amountTooLow':
      holdOrPassOver(round, batch.slice(0, 1)) // The smallest is the first that fees eat.
      return false
    case 'dustOutput': {
      const { address, amount } = outcome.recipient
      const dust = batch.filter((each) => each.address === address || isSame(each, address, amount))
      holdOrPassOver(round, dust)
      return false
    }
  }
}

const isSame = (request: Request, address: BitcoinAddress, amount: bigint): boolean =>
  request.amount === amount &&
  request.address.type === address.type &&
  compareBytes(request.address.bytes, address.bytes) === 0

const plan = (
  { context, rate }: Round,
  recipients: readonly Request[],
): BuiltTransaction | BuildError =>
  planTransaction({
    available: coinsToSpend(context),
    recipients,
    mainScript: rootOf(context).mainScript,
    rate,
    inputsMax: context.state.config.inputsMax,
    countThreshold: context.settings.utxosCountThreshold,
    dialect: context.settings.dialect,
  })

function canBePaidAlone(round: Round, request: Request): boolean {
  const { alone } = round
  const known = alone.get(request.blockIndex) ?? plan(round, [request]).type === 'built'
  alone.set(request.blockIndex, known)
  return known
}

/**
 * [H 6] Nothing burned ends as too low: it waits for lower fees, and goes back if they do not come.
 *
 * Whom only the neighbours make too expensive waits for nothing but the next batch.
 */
function holdOrPassOver(round: Round, requests: readonly Request[]): void {
  const { state, record, now } = round.context
  passOver(round, requests)
  for (const request of requests) {
    const { blockIndex } = request
    if (state.held.has(blockIndex) || canBePaidAlone(round, request)) continue
    record({ type: 'xHeldRequest', blockIndex, heldSince: now })
  }
}

/** Requests of the next batch, in batch order. */
function drawBatch(round: Round, requestsMax: number): readonly Request[] {
  const { context, excluded } = round
  const { state } = context
  const funds = fundsOf(coinsToSpend(context))
  const starving = starvingRequest(round, funds)
  if (starving !== undefined) return [starving]
  const batch: Request[] = []
  let taken = 0n
  let heldTried = 0
  for (const request of state.queue) {
    if (batch.length >= requestsMax) break
    if (excluded.has(request.blockIndex)) continue
    const isHeld = state.held.has(request.blockIndex)
    if (isHeld && (++heldTried > HELD_TRIED_MAX || !canBePaidAlone(round, request))) continue
    if (taken + request.amount > funds) {
      notePassedOver(context, request)
      continue
    }
    batch.push(request)
    taken += request.amount
  }
  const { isBatchByArrival } = context.settings.dialect ?? PRESENT
  return isBatchByArrival ? batch : batch.sort(compareRequests)
}

/** Leaves them out of the batch of this round; they stay in the queue. */
function passOver({ context, excluded }: Round, requests: readonly Request[]): void {
  for (const request of requests) {
    excluded.add(request.blockIndex)
    notePassedOver(context, request)
  }
}

function notePassedOver({ volatile, now }: Context, { blockIndex }: Request): void {
  if (!volatile.passedOverSince.has(blockIndex)) volatile.passedOverSince.set(blockIndex, now)
}

/**
 * [H 8] Passed over for a day: it goes first and alone, so that small ones cannot keep it waiting.
 *
 * While the coins do not reach it, it holds nobody up.
 */
function starvingRequest({ context, excluded }: Round, funds: bigint): Request | undefined {
  const { state, volatile, settings, now } = context
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
function endHolds(round: Round): void {
  const { context } = round
  const { state, settings, now } = context
  const ended = state.queue.filter(({ blockIndex }) => {
    const since = state.held.get(blockIndex)
    return since !== undefined && now - since >= settings.holdNs
  })
  for (const request of ended) {
    const { reimbursementAccount: account, blockIndex, amount } = request
    if (account === undefined || canBePaidAlone(round, request)) continue
    context.record({
      type: 'xScheduleReimbursement',
      account,
      burnBlockIndex: blockIndex,
      amount: lessCharge(amount),
    })
  }
}

/** Nothing was signed for them, so nothing can pay them: they may be returned at once (§15). */
function reimburseUnsent(
  round: Round,
  requests: readonly Request[],
  error: Extract<BuildError, { readonly type: 'tooManyInputs' }>,
): void {
  passOver(round, requests)
  for (const { reimbursementAccount: account, blockIndex, amount } of requests) {
    if (account === undefined) continue
    round.context.record({
      type: 'scheduleWithdrawalReimbursement',
      account,
      burnBlockIndex: blockIndex,
      amount: lessCharge(amount),
      error,
    })
  }
}
