/**
 * Withdrawals of an account with all that their status leaves out: why they wait, since when, what
 * was sent for them. Source: minter §§7.3, 22, 3 [H 9, H 17].
 */

import type { Txid } from '../../base/bytes.ts'
import { addNs } from '../../base/units.ts'
import type { View } from '../../base/view.ts'
import type { Account } from '../../ic/account.ts'
import { accountKey } from '../../ic/account.ts'
import { addressText, scriptOfAddress } from '../addresses.ts'
import type { Context } from '../context.ts'
import { eventAt } from '../events/event-log.ts'
import type { Event, Payload } from '../events/events.ts'
import type { BurnIndex } from '../state/state.ts'
import { distribute } from '../transactions/build-transaction.ts'
import type { RetrieveBtcStatusV2, WithdrawalFee } from '../types.ts'
import { statusOf } from '../withdrawals/status.ts'
import type { PageArgs } from './pages.ts'
import { newestFirst, rangeOf } from './pages.ts'
import type { Wait } from './waits.ts'
import { waitOf } from './waits.ts'

/** One transaction that was sent for a withdrawal. */
export type PayingTransaction = {
  readonly txid: Txid
  readonly submittedAt: bigint
  /** Effective, msat/vB. */
  readonly feeRate?: bigint | undefined
  readonly withdrawalFee?: WithdrawalFee | undefined
  /** What the recipient gets by it; absent where it is not known or nothing. */
  readonly receives?: bigint | undefined
  /** It pays the requests back instead of out. */
  readonly isCancellation: boolean
  /** Blocks of the main chain from its own on; 0 while it is in none. */
  readonly confirmations: number
}

export type Withdrawal = {
  readonly blockIndex: bigint
  readonly amount: bigint
  readonly address: string
  readonly account?: Account | undefined
  readonly receivedAt: bigint
  readonly status: RetrieveBtcStatusV2
  readonly wait?: Wait | undefined
  /** Time of the last thing that happened to it. */
  readonly since?: bigint | undefined
  /** When the next step is expected at the latest; absent where nobody can say. */
  readonly nextStepAt?: bigint | undefined
  readonly requiredConfirmations: number
  /** The whole chain of replacements, oldest first. */
  readonly transactions: readonly PayingTransaction[]
}

export type WithdrawalsPage = {
  readonly total: bigint
  readonly withdrawals: readonly Withdrawal[]
}

/** Newest first. */
export function withdrawalsOf(context: Context, account: Account, page: PageArgs): WithdrawalsPage {
  const burns = context.state.accountBurns.get(accountKey(account)) ?? []
  const { from, to } = rangeOf(page, { total: burns.length })
  const withdrawals = newestFirst(burns, from, to).flatMap(
    (burn) => withdrawalOf(context, burn) ?? [],
  )
  return { total: BigInt(burns.length), withdrawals }
}

/** Undefined for a burn that no withdrawal stands for. */
export function withdrawalOf(context: Context, burn: BurnIndex): Withdrawal | undefined {
  const { log, state } = context
  const told = (log.history.burns.get(burn) ?? []).flatMap((at) => eventAt(log, at) ?? [])
  const accepted = told.map(({ payload }) => payload).find(isAccepted)
  if (accepted === undefined) return undefined
  const { amount, address, receivedAt, reimbursementAccount: account } = accepted
  const since = told.at(-1)?.timestamp
  const wait = waitOf(context, burn)
  return {
    blockIndex: burn,
    amount,
    address: addressText(scriptOfAddress(address), state.config.network),
    ...(account && { account }),
    receivedAt,
    status: statusOf(context, burn),
    ...(wait && { wait }),
    ...(since && { since }),
    ...nextStep(context, wait),
    requiredConfirmations: state.config.minConfirmations,
    transactions: transactionsOf(context, { amount, burn, told }),
  }
}

const isAccepted = (
  payload: View<Payload>,
): payload is View<Payload<'acceptedRetrieveBtcRequest'>> =>
  payload.type === 'acceptedRetrieveBtcRequest'

type Told = {
  readonly burn: BurnIndex
  readonly amount: bigint
  readonly told: readonly View<Event>[]
}

function transactionsOf(context: Context, { burn, amount, told }: Told): PayingTransaction[] {
  let requests: readonly BurnIndex[] = []
  let isCancellation = false
  return told.flatMap(({ payload }): readonly PayingTransaction[] => {
    if (payload.type === 'sentTransaction') requests = payload.requests
    else if (payload.type !== 'replacedTransaction') return []
    else isCancellation ||= payload.reason?.type === 'toCancel'
    const txid = payload.type === 'sentTransaction' ? payload.txid : payload.newTxid
    const { submittedAt, fee: feeRate, withdrawalFee } = payload
    const share = shareOf(withdrawalFee, requests, burn)
    const receives = share === undefined || isCancellation ? undefined : amount - share
    const confirmations = context.ports.bitcoin.confirmations(txid)
    return [
      {
        txid,
        submittedAt,
        ...(feeRate !== undefined && { feeRate }),
        ...(withdrawalFee && { withdrawalFee }),
        ...(receives !== undefined && { receives }),
        isCancellation,
        confirmations,
      },
    ]
  })
}

/** What a withdrawal bears of the fees of its transaction (§10.3). */
function shareOf(
  fee: WithdrawalFee | undefined,
  requests: readonly BurnIndex[],
  burn: BurnIndex,
): bigint | undefined {
  if (fee === undefined || requests.length === 0) return undefined
  return distribute(fee.bitcoinFee + fee.minterFee, requests.length)[requests.indexOf(burn)]
}

/** Blocks come every ten minutes, but on regtest, where they come when they are made. */
const BLOCK_NS = 600_000_000_000n

function nextStep({ state, now }: Context, wait: Wait | undefined): { nextStepAt?: bigint } {
  switch (wait?.type) {
    case 'queue':
    case 'fees':
      return { nextStepAt: wait.until }
    case 'confirmations':
    case 'cancellation': {
      if (state.config.network === 'regtest') return {}
      const left = BigInt(Math.max(0, wait.required - wait.have))
      return { nextStepAt: addNs(now, left * BLOCK_NS) }
    }
    default:
      return {}
  }
}
