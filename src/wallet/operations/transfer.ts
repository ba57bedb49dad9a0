/**
 * ckBTC to another account: planned, sent once, and found again if the answer was lost. Implements
 * `docs/spec/cli.md` §§3.11, 5.4.
 */
import { equalBytes, toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { timestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { accountOfText, sameAccount, textOfAccount } from '../../core/ic/account.ts'
import { ledgerRefusal } from '../client/refusals.ts'
import type { Client } from '../client.ts'
import type { Token } from '../token.ts'
import { tokenOf } from '../token.ts'
import type { Found, Operating } from './operating.ts'
import { beginOnce, failed, findBlock, noting, refused, written } from './operating.ts'
import type { Facts, Operation } from './operation.ts'
import { bigintFact, isOpen, textFact } from './operation.ts'
import {
  amountFact,
  amountFacts,
  assertItsLedger,
  inItsToken,
  tokenFacts,
} from './operation-token.ts'

export type TransferRequest = {
  readonly from: Account
  readonly to: Account
  /** `all`: the balance less the fee. */
  readonly amount: bigint | 'all'
  readonly memo?: Uint8Array | undefined
}

export type TransferPlan = {
  readonly from: Account
  readonly to: Account
  readonly amount: bigint
  readonly fee: bigint
  readonly memo: Uint8Array | undefined
  /** What the minting account sends is made, and what it gets is burned; neither costs a fee. */
  readonly effect: 'transfer' | 'mint' | 'burn'
  readonly balance: bigint
  /** What is left in the account afterwards. */
  readonly keeps: bigint
}

export type TransferOutcome = {
  readonly operation: Operation
  readonly blockIndex: bigint
  readonly createdAt: TimestampNs
  /** The ledger had it already: sent before, and the answer lost. */
  readonly deduplicated: boolean
}

/** Reads balance and fee. Throws `LEDGER_INSUFFICIENT_FUNDS`. */
export async function planTransfer(
  client: Client,
  { from, to, amount: wanted, memo }: TransferRequest,
): Promise<TransferPlan> {
  const [balance, ledgerFee, effect] = await Promise.all([
    client.ledger.balanceOf(from),
    client.ledger.fee(),
    effectOf(client, from, to),
  ])
  const fee = effect === 'transfer' ? ledgerFee : 0n
  const amount = wanted === 'all' ? (balance > fee ? balance - fee : 0n) : wanted
  if (effect === 'mint' && amount > 0n)
    return { from, to, amount, fee, memo, effect, balance, keeps: balance }
  if (amount + fee > balance || amount === 0n)
    throw ledgerRefusal(
      { type: 'insufficientFunds', balance },
      asked(client, amount === 0n ? 1n : amount, fee),
    )
  return { from, to, amount, fee, memo, effect, balance, keeps: balance - amount - fee }
}

/** Of ckBTC the minter alone mints and burns; of a further token whoever has the minting account. */
async function effectOf(
  client: Client,
  from: Account,
  to: Account,
): Promise<TransferPlan['effect']> {
  const token = tokenOf(client.network)
  const minting = token.isFurther ? await client.ledger.mintingAccount() : undefined
  if (minting === undefined) return 'transfer'
  return sameAccount(to, minting) ? 'burn' : sameAccount(from, minting) ? 'mint' : 'transfer'
}

const asked = (client: Client, amount: bigint, fee: bigint) =>
  ({ what: 'transfer', token: tokenOf(client.network), amount, fee }) as const

/** What makes two transfers the same one in the eyes of a user. */
export const sameTransfer = (
  { from, to, amount, memo }: Pick<TransferPlan, 'from' | 'to' | 'amount' | 'memo'>,
  token: Token,
): Facts => ({
  from: textOfAccount(from),
  to: textOfAccount(to),
  ...amountFacts(token, { amountSat: String(amount) }),
  memo: memo === undefined ? null : toHex(memo),
  ...tokenFacts(token),
})

/** Sends it. Throws what the network refuses, and `OPERATION_UNKNOWN` for a lost answer. */
export async function transfer(
  operating: Operating,
  plan: TransferPlan,
  idempotencyKey?: string,
): Promise<TransferOutcome> {
  const { client, key } = operating
  const createdAt = await client.creationTime()
  const token = tokenOf(client.network)
  const same = sameTransfer(plan, token)
  const fees = amountFacts(token, { feeSat: String(plan.fee) })
  const begin = {
    kind: 'transfer',
    network: client.network.name,
    key,
    account: textOfAccount(plan.from),
    facts: { ...same, ...fees, createdAtNs: String(createdAt) },
  } as const
  const { operation } = beginOnce(operating, begin, { key: idempotencyKey, same })
  return goOnWithTransfer(operating, operation)
}

/** Ends one that was begun before. Throws `OPERATION_UNKNOWN` where that is not safe any more. */
export async function goOnWithTransfer(
  operating: Operating,
  operation: Operation,
): Promise<TransferOutcome> {
  const outcome = await resumeTransfer(operating, operation)
  if (outcome !== undefined) return outcome
  throw notAgain(operation)
}

export const notAgain = ({ id }: Operation): Problem =>
  new Problem('OPERATION_UNKNOWN', 'it cannot be sent again safely any more', {
    fix: 'see what became of it',
    command: `ckbtc status ${id}`,
    details: { op: id },
  })

type Sending = Pick<TransferPlan, 'from' | 'to' | 'amount' | 'fee' | 'memo'> & {
  readonly createdAt: TimestampNs
}

/** Safe to repeat for a day: the ledger knows the time of creation. */
async function send(
  operating: Operating,
  operation: Operation,
  { from, to, amount, fee, memo, createdAt }: Sending,
): Promise<TransferOutcome> {
  const { client } = operating
  assertItsLedger(client, operation)
  const call = { fromSubaccount: from.subaccount, to, amount, fee, memo, createdAtTime: createdAt }
  let result: Awaited<ReturnType<typeof client.ledger.transfer>>
  try {
    result = await client.ledger.transfer(call, { onSubmit: noting(operating, operation) })
  } catch (error) {
    throw failed(operating, operation, { error })
  }
  if (result.type === 'ok')
    return done(operating, operation, { ...result, createdAt, deduplicated: false })
  if (result.error.type === 'duplicate')
    return done(operating, operation, {
      blockIndex: result.error.duplicateOf,
      createdAt,
      deduplicated: true,
    })
  const problem = ledgerRefusal(result.error, asked(client, amount, fee))
  throw refused(operating, operation, { problem })
}

function done(
  operating: Operating,
  operation: Operation,
  outcome: Pick<TransferOutcome, 'blockIndex' | 'createdAt' | 'deduplicated'>,
): TransferOutcome {
  const { blockIndex, deduplicated } = outcome
  const facts = { blockIndex: String(blockIndex), deduplicated }
  return { operation: written(operating, operation, { state: 'done', facts }), ...outcome }
}

/** The ledger refuses what is older (§5 of its specification), with a margin for clocks. */
const WINDOW_NS = 23n * 3_600n * 1_000_000_000n

/**
 * Sends what the journal says, first or again: within the ledger's window that cannot pay twice.
 * Undefined where it is not safe, or not open any more. Throws `HOST_STATE_LOCKED`.
 */
export const resumeTransfer = (
  operating: Operating,
  { id }: Operation,
): Promise<TransferOutcome | undefined> =>
  operating.journal.exclusively(id, (now) => sendWritten(inItsToken(operating, now), now))

async function sendWritten(
  operating: Operating,
  operation: Operation,
): Promise<TransferOutcome | undefined> {
  const createdAt = bigintFact(operation, 'createdAtNs')
  const amount = amountFact(operation, 'amount')
  const fee = amountFact(operation, 'fee')
  const from = accountFact(operation, 'from')
  const to = accountFact(operation, 'to')
  if (createdAt === undefined || amount === undefined || fee === undefined) return undefined
  if (from === undefined || to === undefined) return undefined
  const blockIndex = bigintFact(operation, 'blockIndex')
  if (operation.state === 'done' && blockIndex !== undefined) {
    const { deduplicated } = operation.facts
    const at = timestampNs(createdAt)
    return { operation, blockIndex, createdAt: at, deduplicated: deduplicated === true }
  }
  if (!isOpen(operation)) return undefined
  if (createdAt + WINDOW_NS < operating.client.now()) return undefined
  const memo = memoFact(operation)
  return send(operating, operation, {
    from,
    to,
    amount,
    fee,
    memo,
    createdAt: timestampNs(createdAt),
  })
}

export function accountFact(operation: Operation, name: string): Account | undefined {
  const text = textFact(operation, name)
  const account = text === undefined ? undefined : attempt(() => accountOfText(text))
  return account instanceof BadEncoding ? undefined : account
}

function memoFact(operation: Operation): Uint8Array | undefined {
  const text = textFact(operation, 'memo')
  return text === undefined ? undefined : new Uint8Array(Buffer.from(text, 'hex'))
}

/** The block of a transfer whose answer was lost, by its time of creation. */
export function findTransfer(
  operating: Operating,
  operation: Operation,
  certified: boolean,
): Promise<Found | undefined> {
  const createdAt = bigintFact(operation, 'createdAtNs') ?? 0n
  const from = accountFact(operation, 'from')
  const to = accountFact(operation, 'to')
  const amount = amountFact(operation, 'amount')
  const fee = amountFact(operation, 'fee')
  const memo = memoFact(operation)
  const since = createdAt > 300_000_000_000n ? createdAt - 300_000_000_000n : 0n
  return findBlock(operating.client, { since, certified }, ({ block: { transaction } }) => {
    const { type } = transaction
    if (type === 'approve' || type === 'feeCollector') return false
    if (transaction.createdAtTime !== createdAt || transaction.amount !== amount) return false
    if (from === undefined || to === undefined) return false
    // What goes to the minter is burned, and its block names no receiver.
    if (transaction.type !== 'burn' && !sameAccount(transaction.to, to)) return false
    const sameMemo =
      memo === undefined || transaction.memo === undefined
        ? memo === transaction.memo
        : equalBytes(memo, transaction.memo)
    // What the minting account sends costs nothing, and its block names no payer.
    if (transaction.type === 'mint') return sameMemo && fee === 0n
    return sameMemo && sameAccount(transaction.from, from)
  })
}
