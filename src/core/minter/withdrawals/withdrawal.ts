/** Accepting a withdrawal: every refusal comes before the burn. Source: minter §7 [H 3, H 6]. */
import { equalBytes } from '../../base/bytes.ts'
import type { Account } from '../../ic/account.ts'
import { sameAccount } from '../../ic/account.ts'
import type { Principal } from '../../ic/principal.ts'
import { anonymous } from '../../ic/principal.ts'
import type { Destination } from '../addresses.ts'
import {
  isOwnScript,
  parseDestination,
  withdrawalAccount,
  withdrawalSubaccount,
} from '../addresses.ts'
import { callLedger, resolveCalls } from '../call-journal.ts'
import { DUST_LIMIT } from '../constants.ts'
import type { Context } from '../context.ts'
import { err, ok, reply, rootOf, schedule, trap, unavailable } from '../context.ts'
import { PRESENT } from '../dialect.ts'
import type { Waits } from '../guards.ts'
import { guarded, refusedNow } from '../guards.ts'
import { coinsToSpend, lookAgain } from '../losses/lost-coins.ts'
import { encodeBurnMemo } from '../memo.ts'
import type { BurnResult } from '../ports.ts'
import { requestsOf } from '../state/state.ts'
import type { BuildError, BuiltTransaction, Recipient } from '../transactions/build-transaction.ts'
import { planTransaction } from '../transactions/build-transaction.ts'
import { estimateRate } from '../transactions/fees.ts'
import type {
  Answer,
  BitcoinAddress,
  Result,
  RetrieveBtcArgs,
  RetrieveBtcError,
  RetrieveBtcOk,
  RetrieveBtcResult,
  RetrieveBtcWithApprovalArgs,
  RetrieveBtcWithApprovalError,
  RetrieveBtcWithApprovalResult,
} from '../types.ts'

const CODE_TAINTED = 1n
const CODE_CHECKER = 2n
/** Looks for an amount that would do: more coins can be needed for more. */
const NEEDED_AMOUNT_ROUNDS = 8

/** [H 7] Found on the ledger it is paid, so a second one must not come before. */
const UNKNOWN_BURN = 'whether the ledger has burned is not known yet: it is looked up'

type Trap = ReturnType<typeof trap>
type Refused<E> = { readonly type: 'refused'; readonly error: E }
type Burned<E> = { readonly type: 'ok'; readonly blockIndex: bigint } | Refused<E> | Trap

/** What differs between the two ways of §7.1; `E` are the errors that only this way knows. */
type Way<E> = {
  /** The guard's account, and where a reimbursement goes. */
  readonly account: Account
  readonly balanceProblem: () => RetrieveBtcError | undefined
  readonly checkerDown: (message: string) => RetrieveBtcError
  readonly burn: (address: BitcoinAddress) => Burned<RetrieveBtcError | E>
}

const refused = <E>(error: E): Refused<E> => ({ type: 'refused', error })

/** Deposit first: burns from the caller's withdrawal account. */
export function retrieveBtc(
  context: Context,
  caller: Principal,
  args: RetrieveBtcArgs,
): Answer<RetrieveBtcResult> {
  const { state, ports } = context
  const { address, amount } = args
  const account = { owner: caller }
  return withdraw<never>(context, caller, args, {
    account,
    balanceProblem() {
      const found = ports.ledger.balanceOf(withdrawalAccount(state.self, caller))
      if (found.type !== 'balance') return found
      const { balance } = found
      return balance < amount ? { type: 'insufficientFunds', balance } : undefined
    },
    checkerDown: unavailable,
    burn(destination) {
      const memo = encodeBurnMemo({ type: 'convert', address, status: 'accepted' })
      const from = withdrawalAccount(state.self, caller)
      const way = { account, address: destination, from, byAllowance: false }
      const asked = { amount, memo, purpose: { type: 'withdrawal', ...way } } as const
      const subaccount = withdrawalSubaccount(caller)
      return burned(
        callLedger(context, asked, (call) => ports.ledger.burn({ ...call, subaccount })),
      )
    },
  })
}

/** Approve first: burns from the caller's account, the minter being the spender. */
export function retrieveBtcWithApproval(
  context: Context,
  caller: Principal,
  args: RetrieveBtcWithApprovalArgs,
): Answer<RetrieveBtcWithApprovalResult> {
  const { address, amount, fromSubaccount } = args
  const account = { owner: caller, subaccount: fromSubaccount }
  return withdraw<RetrieveBtcWithApprovalError>(context, caller, args, {
    account,
    balanceProblem: () => undefined, // The ledger says so when it burns.
    checkerDown: (message) => ({ type: 'genericError', code: CODE_CHECKER, message }),
    burn(destination) {
      const memo = encodeBurnMemo({ type: 'convert', address })
      const way = { account, address: destination, from: account, byAllowance: true }
      const asked = { amount, memo, purpose: { type: 'withdrawal', ...way } } as const
      const result = callLedger(context, asked, (call) =>
        context.ports.ledger.burnFrom({ ...call, from: account }),
      )
      return result.type === 'insufficientAllowance' ? refused(result) : burned(result)
    },
  })
}

/** Step 10 of §7.2, answers of the ledger. */
function burned(result: BurnResult): Burned<RetrieveBtcError> {
  switch (result.type) {
    case 'ok':
      return result
    case 'insufficientFunds':
    case 'temporarilyUnavailable':
      return refused(result)
    case 'genericError':
      return refused(unavailable(`the ledger refused with code ${result.code}: ${result.message}`))
    case 'unknown':
      return refused(unavailable(UNKNOWN_BURN))
    case 'impossible':
      return trap(`the ledger answered what cannot be: ${result.message}`)
  }
}

type Outcome<E> = Answer<Result<RetrieveBtcOk, RetrieveBtcError | E>>

/** Steps 1 to 3 of §7.2. */
function withdraw<E>(
  context: Context,
  caller: Principal,
  args: RetrieveBtcArgs,
  way: Way<E>,
): Outcome<E> {
  const { state, volatile, settings } = context
  if (equalBytes(caller, anonymous)) return trap('anonymous caller not allowed')
  const refusal = refusedNow(context, { caller, direction: 'withdrawal' })
  if (refusal !== undefined) return reply(err(refusal))
  if (volatile.root === undefined) return reply(err(unavailable('the key is not made yet')))
  const destination = parseDestination(args.address, state.config.network)
  if (destination.type === 'destination') {
    const own = { script: destination.script, self: state.self, caller }
    if (isOwnScript(volatile.root, own)) return trap('illegal retrieve_btc target') // [H 3]
  }
  const { callsOverlap } = context
  const guard = { account: way.account, concurrentMax: settings.concurrentMax, callsOverlap }
  const asked = { amount: args.amount, text: args.address, destination }
  const result = guarded(volatile.retrieving, guard, (waits) =>
    burnAndQueue(context, { ...asked, waits }, way),
  )
  if (result.type === 'alreadyProcessing' || result.type === 'temporarilyUnavailable')
    return reply(err(result))
  return result
}

type Asked = {
  readonly amount: bigint
  readonly text: string
  readonly destination: Destination
  readonly waits: Waits
}

/** Steps 4 to 12. */
function burnAndQueue<E>(context: Context, asked: Asked, way: Way<E>): Outcome<E> {
  const { amount, destination } = asked
  lookAgain(context)
  const min = context.volatile.fees.withdrawalMin
  if (amount < min) return reply(err({ type: 'amountTooLow', min }))
  if (destination.type === 'malformed')
    return reply(err({ type: 'malformedAddress', message: destination.message }))
  if (incompleteCount(context) >= context.settings.pendingRequestsMax)
    return reply(err(unavailable('too many pending retrieve_btc requests')))
  const { address } = destination
  const { isPaymentSimulated, withdrawalFee } = context.settings.dialect ?? PRESENT
  resolveCalls(context, way.account)
  if (hasUnknownBurn(context, way.account)) return reply(err(unavailable(UNKNOWN_BURN)))
  const unpayable = isPaymentSimulated ? paymentProblem(context, { address, amount }) : undefined
  if (unpayable !== undefined) return reply(err(unpayable))
  asked.waits()
  const problem = way.balanceProblem() ?? checkerProblem(context, asked.text, way)
  if (problem !== undefined) return reply(err(problem))
  const burn = way.burn(address)
  if (burn.type === 'trap') return burn
  if (burn.type === 'refused') return reply(err(burn.error))
  const { blockIndex } = burn
  context.record({
    type: 'acceptedRetrieveBtcRequest',
    amount: amount - withdrawalFee(context.state.config),
    address,
    blockIndex,
    receivedAt: context.now,
    reimbursementAccount: way.account,
  })
  schedule(context, 'process', context.now)
  return reply(ok({ blockIndex }))
}

const hasUnknownBurn = ({ state }: Context, account: Account): boolean =>
  [...state.calls.values()].some(
    ({ purpose }) => purpose.type === 'withdrawal' && sameAccount(purpose.account, account),
  )

/** Accepted and not final. */
export function incompleteCount({ state }: Pick<Context, 'state'>): number {
  const sent = [...state.signing.values(), ...state.submitted.values()]
  return sent.reduce((sum, { purpose }) => sum + requestsOf(purpose).length, state.queue.length)
}

const simulate = (
  context: Context,
  recipient: Recipient,
  rate: bigint,
): BuiltTransaction | BuildError =>
  planTransaction({
    available: coinsToSpend(context),
    recipients: [recipient],
    mainScript: rootOf(context).mainScript,
    rate,
    inputsMax: context.state.config.inputsMax,
    countThreshold: context.settings.utxosCountThreshold,
    dialect: context.settings.dialect,
  })

/** [H 6] A payment that could not be built now is refused now, while nothing is burned. */
function paymentProblem(context: Context, recipient: Recipient): RetrieveBtcError | undefined {
  const rate = estimateRate(context)
  if (rate === undefined) return unavailable('no fee estimate yet')
  let min = recipient.amount
  for (let round = 0; round < NEEDED_AMOUNT_ROUNDS; round++) {
    const simulated = simulate(context, { ...recipient, amount: min }, rate)
    switch (simulated.type) {
      case 'built':
        return min === recipient.amount ? undefined : { type: 'amountTooLow', min }
      case 'notEnoughFunds':
        return unavailable('the coins that can be spent now do not cover the amount')
      case 'tooManyInputs':
        return unavailable('the payment would need too many coins')
      case 'amountTooLow':
        min = simulated.fees + DUST_LIMIT + 1n
        continue
      case 'dustOutput':
        min = simulated.share + DUST_LIMIT + 1n
    }
  }
  return { type: 'amountTooLow', min }
}

function checkerProblem<E>(
  { ports }: Context,
  text: string,
  way: Way<E>,
): RetrieveBtcError | undefined {
  const answer = ports.checker.checkAddress(text)
  switch (answer.type) {
    case 'passed':
      return undefined
    case 'failed':
      return {
        type: 'genericError',
        code: CODE_TAINTED,
        message: 'Destination address is tainted',
      }
    case 'callFailed':
      return way.checkerDown(answer.message)
  }
}
