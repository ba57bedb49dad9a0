/** Allowances: set, never added to. Implements `docs/spec/cli.md` §5.9. */
import { Problem } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import type { Account } from '../../core/ic/account.ts'
import { sameAccount, textOfAccount } from '../../core/ic/account.ts'
import { ledgerRefusal } from '../client/refusals.ts'
import type { Client } from '../client.ts'
import type { Token } from '../token.ts'
import { tokenOf } from '../token.ts'
import type { Found, Operating } from './operating.ts'
import { beginOnce, failed, findBlock, noting, refused, written } from './operating.ts'
import type { Facts, Operation } from './operation.ts'
import { bigintFact } from './operation.ts'
import { amountFacts, assertItsLedger, tokenFacts } from './operation-token.ts'
import { accountFact } from './transfer.ts'

export type ApproveRequest = {
  readonly from: Account
  readonly spender: Account
  /** 0 revokes. */
  readonly amount: bigint
  readonly expiresAt?: TimestampNs | undefined
  /** What the allowance must be now; read from the ledger unless given. */
  readonly expected?: bigint | undefined
}

export type ApprovePlan = Omit<ApproveRequest, 'expected'> & {
  /** Was, and must still be. */
  readonly previous: bigint
  readonly fee: bigint
  readonly balance: bigint
}

export type ApproveOutcome = { readonly operation: Operation; readonly blockIndex: bigint }

/** Throws `LEDGER_INSUFFICIENT_FUNDS` when the fee cannot be paid. */
export async function planApproval(
  client: Client,
  { expected, ...request }: ApproveRequest,
): Promise<ApprovePlan> {
  const { from, spender } = request
  const [fee, balance, { allowance }] = await Promise.all([
    client.ledger.fee(),
    client.ledger.balanceOf(from),
    client.ledger.allowance({ owner: from, spender }),
  ])
  const previous = expected ?? allowance
  if (previous !== allowance)
    throw ledgerRefusal(
      { type: 'allowanceChanged', currentAllowance: allowance },
      asked(client, request.amount, fee),
    )
  if (balance < fee)
    throw ledgerRefusal({ type: 'insufficientFunds', balance }, asked(client, 0n, fee))
  return { ...request, previous, fee, balance }
}

const asked = (client: Client, amount: bigint, fee: bigint) =>
  ({ what: 'approval', token: tokenOf(client.network), amount, fee }) as const

/** What makes two approvals the same one in the eyes of a user. */
export const sameApproval = (
  { from, spender, amount }: Pick<ApprovePlan, 'from' | 'spender' | 'amount'>,
  token: Token,
): Facts => ({
  from: textOfAccount(from),
  spender: textOfAccount(spender),
  ...amountFacts(token, { amountSat: String(amount) }),
  ...tokenFacts(token),
})

export async function approve(
  operating: Operating,
  plan: ApprovePlan,
  idempotencyKey?: string,
): Promise<ApproveOutcome> {
  const { client, journal, key } = operating
  const createdAt = await client.creationTime()
  const token = tokenOf(client.network)
  const same = sameApproval(plan, token)
  const { previous, fee } = plan
  const begin = {
    kind: 'approve',
    network: client.network.name,
    key,
    account: textOfAccount(plan.from),
    facts: {
      ...same,
      ...amountFacts(token, { previousSat: String(previous), feeSat: String(fee) }),
      expiresAtNs: plan.expiresAt === undefined ? null : String(plan.expiresAt),
      createdAtNs: String(createdAt),
    },
  } as const
  const { operation, isNew } = beginOnce(operating, begin, { key: idempotencyKey, same })
  if (!isNew) throw approvalOpen(operation)
  return journal.exclusively(operation.id, async (now) => {
    const blockIndex = await sendApproval(operating, now, { ...plan, createdAt })
    const facts = { blockIndex: String(blockIndex) }
    return { operation: written(operating, now, { state: 'done', facts }), blockIndex }
  })
}

/** It may still be executed: another one would not be told apart from it. */
export const approvalOpen = ({ id }: Operation): Problem =>
  new Problem('OPERATION_UNKNOWN', 'it was sent, and may still be executed', {
    fix: 'look again in a few minutes; do not repeat it',
    command: `ckbtc status ${id}`,
    details: { op: id },
  })

/** One approval as a step of an operation; `prefix` keeps its facts apart. */
export async function sendApproval(
  operating: Operating,
  operation: Operation,
  plan: ApprovePlan & { readonly createdAt: TimestampNs },
  prefix = '',
): Promise<bigint> {
  const { client } = operating
  const { from, spender, amount, previous, fee, expiresAt, createdAt } = plan
  assertItsLedger(client, operation)
  let result: Awaited<ReturnType<typeof client.ledger.approve>>
  try {
    result = await client.ledger.approve(
      {
        fromSubaccount: from.subaccount,
        spender,
        amount,
        expectedAllowance: previous,
        expiresAt,
        fee,
        createdAtTime: createdAt,
      },
      { onSubmit: noting(operating, operation, prefix) },
    )
  } catch (error) {
    throw failed(operating, operation, { error, prefix })
  }
  if (result.type === 'ok') return result.blockIndex
  if (result.error.type === 'duplicate') return result.error.duplicateOf
  const problem = ledgerRefusal(result.error, asked(client, amount, fee))
  throw refused(operating, operation, { problem, prefix })
}

type Finding = { readonly certified: boolean; readonly createdAtFact?: string }

/** The block of an approval whose answer was lost. */
export function findApproval(
  { client }: Operating,
  operation: Operation,
  { certified, createdAtFact = 'createdAtNs' }: Finding,
): Promise<Found | undefined> {
  const createdAt = bigintFact(operation, createdAtFact) ?? 0n
  const from = accountFact(operation, 'from')
  const since = createdAt > 300_000_000_000n ? createdAt - 300_000_000_000n : 0n
  return findBlock(
    client,
    { since, certified },
    ({ block: { transaction } }) =>
      transaction.type === 'approve' &&
      transaction.createdAtTime === createdAt &&
      from !== undefined &&
      sameAccount(transaction.from, from),
  )
}
