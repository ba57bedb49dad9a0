/**
 * ckBTC to bitcoin: approval, burn, and the way to the Bitcoin chain. Implements `docs/spec/cli.md`
 * §§3.11, 5.5.
 */
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../../core/ic/account.ts'
import { decodeBurnMemo } from '../../core/minter/memo.ts'
import type { RetrieveBtcWithApprovalResult } from '../../core/minter/types.ts'
import type { SubmittedRequest } from '../client/deliveries.ts'
import { ledgerRefusal, minterRefusal } from '../client/refusals.ts'
import type { Client } from '../client.ts'
import { tokenOf } from '../token.ts'
import { findApproval, sendApproval } from './approve.ts'
import type { Found, Operating, Search } from './operating.ts'
import {
  beginOnce,
  failed,
  findBlock,
  lookAgain,
  mayStillHappen,
  noting,
  refused,
  written,
} from './operating.ts'
import type { Facts, Operation } from './operation.ts'
import { bigintFact, isOpen, textFact } from './operation.ts'
import { accountFact } from './transfer.ts'

export type RedeemRequest = {
  readonly from: Account
  /** Bitcoin address, checked. */
  readonly to: string
  /** What is burned; `all`: the balance less the fee of the approval. */
  readonly amount: bigint | 'all'
  /** The amount is what should arrive; the burn is computed from the estimate. */
  readonly receive?: boolean
}

export type RedeemPlan = {
  readonly from: Account
  readonly to: string
  /** What is burned. */
  readonly amount: bigint
  /** Estimates, taken from the amount. */
  readonly bitcoinFee: bigint
  readonly minterFee: bigint
  /** Of the approval, on top. */
  readonly ledgerFee: bigint
  /** An estimate. */
  readonly arrives: bigint
  readonly balance: bigint
  readonly keeps: bigint
  readonly minimum: bigint
}

/** The approval ends by itself: no standing allowance is left behind. */
const APPROVAL_NS = 600n * NS_PER_SECOND
/** Between the clocks of this computer and of the network, at most. */
const DRIFT_NS = 300n * NS_PER_SECOND
/** A minter that is busy with the account is asked again for so long. */
const BUSY_MS_MAX = 60_000
/** How the minter says that it is inside too many accounts (minter §5). */
const TOO_MANY = /^too many concurrent /i
/** Estimates are repeated until the burn gives what should arrive. */
const ESTIMATES_MAX = 8

/** Throws `LEDGER_INSUFFICIENT_FUNDS` and `MINTER_BELOW_MINIMUM`. */
export async function planRedemption(
  client: Client,
  { from, to, amount: wanted, receive = false }: RedeemRequest,
): Promise<RedeemPlan> {
  const [ledgerFee, balance, info] = await Promise.all([
    client.ledger.fee(),
    client.ledger.balanceOf(from),
    client.minter.info(),
  ])
  let amount = wanted === 'all' ? (balance > ledgerFee ? balance - ledgerFee : 0n) : wanted
  const minimum = info.retrieveMinAmount
  const names = { what: 'redemption', token: tokenOf(client.network) } as const
  const tooLow = (): Problem =>
    minterRefusal({ type: 'amountTooLow', min: minimum }, { ...names, amount, fee: 0n })
  let fees = { minterFee: 0n, bitcoinFee: 0n }
  const requireFunds = (): void => {
    if (amount + ledgerFee <= balance) return
    const asked = { ...names, amount, fee: ledgerFee }
    throw ledgerRefusal({ type: 'insufficientFunds', balance }, asked)
  }
  for (let estimates = 0; estimates < ESTIMATES_MAX; estimates++) {
    if (amount < minimum && !receive) throw tooLow()
    // Before the estimate: the minter has none for more than it holds.
    requireFunds()
    fees = await client.minter.estimateFee(amount > minimum ? amount : minimum)
    const burn = receive && wanted !== 'all' ? wanted + fees.minterFee + fees.bitcoinFee : amount
    if (burn === amount) break
    amount = burn
  }
  if (amount < minimum) throw tooLow()
  requireFunds()
  const { minterFee, bitcoinFee } = fees
  requireArrival(amount, minterFee + bitcoinFee)
  return {
    from,
    to,
    amount,
    bitcoinFee,
    minterFee,
    ledgerFee,
    arrives: amount - minterFee - bitcoinFee,
    balance,
    keeps: balance - amount - ledgerFee,
    minimum,
  }
}

/** Throws `MINTER_BELOW_MINIMUM` where the fees take all of it. */
export function requireArrival(amountSat: bigint, feesSat: bigint): void {
  if (amountSat > feesSat) return
  const message = `the fees of ${feesSat} sat leave nothing of ${amountSat} sat`
  throw new Problem('MINTER_BELOW_MINIMUM', message, {
    fix: 'redeem more, or wait until fees are lower',
    command: 'ckbtc fees',
    details: { amountSat, feesSat },
  })
}

/** What makes two redemptions the same one in the eyes of a user. */
export const sameRedemption = ({
  from,
  to,
  amount,
}: Pick<RedeemPlan, 'from' | 'to' | 'amount'>): Facts => ({
  from: textOfAccount(from),
  to,
  amountSat: String(amount),
})

/** Approves and burns; the operation is waiting for Bitcoin afterwards. */
export async function redeem(
  operating: Operating,
  plan: RedeemPlan,
  idempotencyKey?: string,
): Promise<Operation> {
  const { client, key } = operating
  const same = sameRedemption(plan)
  const begin = {
    kind: 'redeem',
    network: client.network.name,
    key,
    account: textOfAccount(plan.from),
    facts: {
      ...same,
      bitcoinFeeSat: String(plan.bitcoinFee),
      minterFeeSat: String(plan.minterFee),
      ledgerFeeSat: String(plan.ledgerFee),
      stage: null,
    },
  } as const
  const { operation } = beginOnce(operating, begin, { key: idempotencyKey, same })
  return resumeRedemption(operating, operation)
}

/** The exact amount, for ten minutes. The expected allowance makes a race fail. */
async function approveBurn(
  operating: Operating,
  operation: Operation,
  { from, amount }: Pick<RedeemPlan, 'from' | 'amount'>,
): Promise<Operation> {
  const { client, journal } = operating
  const spender = { owner: client.minter.id }
  const [{ allowance: previous }, fee, balance] = await Promise.all([
    client.ledger.allowance({ owner: from, spender }),
    client.ledger.fee(),
    client.ledger.balanceOf(from),
  ])
  const createdAt = await client.creationTime()
  const expiresAt = addNs(createdAt, APPROVAL_NS)
  const facts = {
    approvedAtNs: String(createdAt),
    approvalExpiresAtNs: String(expiresAt),
    approvalPreviousSat: String(previous),
    approvalFeeSat: String(fee),
  }
  const noted = journal.update(operation.id, { state: 'submitting', facts })
  const plan = { from, spender, amount, previous, fee, balance, expiresAt, createdAt }
  const block = await sendApproval(operating, noted, plan, 'approval_')
  return written(operating, operation, {
    state: 'planned',
    facts: { stage: 'approved', approvalBlockIndex: String(block) },
  })
}

async function burn(operating: Operating, operation: Operation): Promise<Operation> {
  const { client } = operating
  const amount = bigintFact(operation, 'amountSat') ?? 0n
  let result: RetrieveBtcWithApprovalResult
  try {
    result = await retrieve(operating, operation, amount)
  } catch (error) {
    throw failed(operating, operation, { error, prefix: 'burn_' })
  }
  if (result.type === 'ok') return burned(operating, operation, result.value.blockIndex)
  const token = tokenOf(client.network)
  const asked = { what: 'redemption', token, amount, fee: 0n } as const
  const problem = minterRefusal(result.error, asked)
  throw refused(operating, operation, { problem, prefix: 'burn_' })
}

/** At work on this account, or on as many others as it can be: a moment later it may not be. */
const isBusy = (result: RetrieveBtcWithApprovalResult): boolean =>
  result.type === 'err' &&
  (result.error.type === 'alreadyProcessing' ||
    (result.error.type === 'temporarilyUnavailable' && TOO_MANY.test(result.error.message)))

/** While the minter is busy it takes nothing in: asked again, for a minute. */
async function retrieve(
  operating: Operating,
  operation: Operation,
  amount: bigint,
): Promise<RetrieveBtcWithApprovalResult> {
  const { client } = operating
  const from = accountFact(operation, 'from')
  const address = textFact(operation, 'to') ?? ''
  // By the clock as it is then: the library may have set it right on the way.
  const onSubmit = (request: SubmittedRequest): void => {
    const facts = { burnSubmittedAtNs: String(client.now()) }
    noting(operating, operation, 'burn_', facts)(request)
  }
  const until = performance.now() + BUSY_MS_MAX
  for (;;) {
    const args = { address, amount, fromSubaccount: from?.subaccount }
    const result = await client.minter.retrieve(args, { onSubmit })
    if (!isBusy(result) || performance.now() > until) return result
    await lookAgain(operating)
  }
}

const burned = (operating: Operating, operation: Operation, blockIndex: bigint): Operation =>
  written(operating, operation, {
    state: 'waiting',
    facts: { stage: 'queued', burnBlockIndex: String(blockIndex) },
  })

/**
 * Goes on with a redemption whose burn is not known yet: it is looked for, and made only if it is
 * certain that there is none. Throws `OPERATION_UNKNOWN` and `HOST_STATE_LOCKED`.
 */
export const resumeRedemption = (operating: Operating, { id }: Operation): Promise<Operation> =>
  operating.journal.exclusively(id, (now) => approveAndBurn(operating, now))

async function approveAndBurn(operating: Operating, operation: Operation): Promise<Operation> {
  if (!isOpen(operation)) return operation
  const settled = await lookForBurn(operating, operation)
  if (settled === 'open')
    throw new Problem('OPERATION_UNKNOWN', 'the burn may still be executed', {
      fix: 'look again in a few minutes; nothing is lost',
      command: `ckbtc status ${operation.id}`,
      details: { op: operation.id },
    })
  if (settled !== 'none') return settled
  const from = accountFact(operation, 'from')
  const amount = bigintFact(operation, 'amountSat')
  if (from === undefined || amount === undefined)
    throw new Problem('CONFIG_INVALID', `the journal does not say what ${operation.id} is about`, {
      fix: 'start a new redemption',
      command: 'ckbtc redeem',
    })
  const isApproved = await stillApproved(operating, operation, { from, amount })
  const approved = isApproved
    ? operation
    : await approveBurn(operating, operation, { from, amount })
  return burn(operating, approved)
}

async function stillApproved(
  { client }: Operating,
  operation: Operation,
  { from, amount }: Pick<RedeemPlan, 'from' | 'amount'>,
): Promise<boolean> {
  const expiresAt = bigintFact(operation, 'approvalExpiresAtNs') ?? 0n
  if (expiresAt < client.now() + 60n * NS_PER_SECOND) return false
  const spender = { owner: client.minter.id }
  const { allowance } = await client.ledger.allowance({ owner: from, spender })
  return allowance >= amount
}

/**
 * The operation once its burn is found in the ledger. `open`: it may still come; `none`: proven that
 * there is none, and that none will come.
 */
export async function lookForBurn(
  operating: Operating,
  operation: Operation,
): Promise<Operation | 'open' | 'none'> {
  if (bigintFact(operation, 'burnBlockIndex') !== undefined) return operation
  const submittedAt = bigintFact(operation, 'burnSubmittedAtNs')
  if (submittedAt === undefined) return 'none'
  const others = operating.journal
    .all()
    .filter(({ id, network }) => id !== operation.id && network === operation.network)
  const isClaimed = (burn: Found): boolean => others.some((other) => claims(other, burn))
  const search = { since: submittedAt - DRIFT_NS, isClaimed }
  const seen = await findBurn(operating.client, operation, { ...search, certified: false })
  if (seen !== undefined) return burned(operating, operation, seen.index)
  if (await mayStillHappen(operating, operation, 'burn_')) return 'open'
  const proven = await findBurn(operating.client, operation, { ...search, certified: true })
  return proven === undefined ? 'none' : burned(operating, operation, proven.index)
}

/**
 * Whether a block is the burn of this operation. Numbers begin again where a local network does: a
 * block from after its call could be executed is not.
 */
function claims(operation: Operation, { index, block }: Found): boolean {
  if (bigintFact(operation, 'burnBlockIndex') !== index) return false
  const expiresAt = bigintFact(operation, 'burn_requestExpiresAtNs')
  return expiresAt === undefined || block.timestamp <= expiresAt + DRIFT_NS
}

function findBurn(
  client: Client,
  operation: Operation,
  { isClaimed, ...search }: Search & { readonly isClaimed: (found: Found) => boolean },
): Promise<Found | undefined> {
  const from = accountFact(operation, 'from')
  const amount = bigintFact(operation, 'amountSat')
  const address = textFact(operation, 'to')
  return findBlock(client, search, (found) => {
    const { transaction } = found.block
    if (transaction.type !== 'burn' || transaction.amount !== amount) return false
    if (from === undefined || !sameAccount(transaction.from, from)) return false
    const { memo } = transaction
    const decoded = memo === undefined ? undefined : attempt(() => decodeBurnMemo(memo))
    if (decoded === undefined || decoded instanceof BadEncoding) return false
    return decoded.type === 'convert' && decoded.address === address && !isClaimed(found)
  })
}

/** The approval of an operation that stopped in it; the operation as it is then. */
export async function lookForApproval(
  operating: Operating,
  operation: Operation,
): Promise<Operation> {
  const found = await findApproval(operating, operation, {
    createdAtFact: 'approvedAtNs',
    certified: false,
  })
  if (found === undefined) return operation
  return operating.journal.update(operation.id, {
    state: 'planned',
    facts: { stage: 'approved', approvalBlockIndex: String(found.index) },
  })
}
