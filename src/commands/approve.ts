/** `ckbtc approve` and `ckbtc allowance`. Implements `docs/spec/cli.md` §5.9. */
import { parseAmount, parseDuration } from '../core/base/amounts.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { addNs, NS_PER_MS, timestampNs } from '../core/base/units.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Warning } from '../terminal/json.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import { parseAccount } from '../wallet/destinations.ts'
import type { ApprovePlan } from '../wallet/operations/approve.ts'
import {
  approvalOpen,
  planApproval,
  sameApproval,
  approve as send,
} from '../wallet/operations/approve.ts'
import { earlierWithKey } from '../wallet/operations/operating.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { bigintFact, isOpen, textFact } from '../wallet/operations/operation.ts'
import { amountFact } from '../wallet/operations/operation-token.ts'
import { refresh } from '../wallet/operations/status.ts'
import {
  bothTexts,
  parseTokenAmount,
  smallText,
  tokenDocument,
  tokenText,
} from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { readingAccount } from './reading-account.ts'
import { openSession } from './session.ts'
import type { Spender } from './spending.ts'
import { agree, openSpender, requiredOption } from './spending.ts'

export async function approve(
  { args, options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const words = args.join(' ')
  // What can be said before anybody is asked is said then.
  if (context.globals.token === undefined) parseAmount(words)
  const typed = requiredOption(options, 'spender', 'approve')
  const session = await open(context)
  const { token } = session
  const amount = parseTokenAmount(words, token)
  const isLocal = session.network.kind === 'local'
  const spender = parseAccount(typed, { isLocal, token })
  const from = openSpender(session, context, options.text('fromSubaccount'))
  const [expires, expected] = [options.text('expiresIn'), options.text('expected')]
  const expiresAt =
    expires === undefined
      ? undefined
      : addNs(await session.client.creationTime(), BigInt(parseDuration(expires)) * NS_PER_MS)
  const wanted = { from: from.account, spender, amount, expiresAt }
  const key = options.text('idempotencyKey')
  const same = { kind: 'approve', facts: sameApproval(wanted, token) } as const
  const earlier = earlierWithKey(
    { journal: from.journal, network: session.network.name },
    key,
    same,
  )
  if (earlier !== undefined) {
    const found = await refresh(from.reading, earlier)
    if (found.state === 'done') return print(found, from, context)
    if (isOpen(found)) throw approvalOpen(found)
  }
  const plan = await planApproval(session.client, {
    ...wanted,
    expected: expected === undefined ? undefined : parseTokenAmount(expected, token),
  })
  if (options.isOn('dryRun')) return printPlan(plan, from, context)
  await agree(from, context, { ...proposal(plan, from), same }, { options })
  const { operation } = await send(await from.unlock(), plan, key)
  print(operation, from, context)
}

const endText = (expiresAt: TimestampNs | undefined): string =>
  expiresAt === undefined ? 'never' : new Date(Number(expiresAt / NS_PER_MS)).toISOString()

function proposal(plan: ApprovePlan, { session: { token } }: Spender) {
  const { amount, previous, fee, spender, expiresAt } = plan
  return {
    // Nothing leaves the account yet but the fee; the limits are for what may leave.
    amountSat: amount,
    feesSat: fee,
    summary: [
      ['  Spender', textOfAccount(spender)],
      ['  Allowance', `was ${tokenText(previous, token)}, becomes ${tokenText(amount, token)}`],
      ...(amount === 0n ? [] : [['  Expires', endText(expiresAt)] as const]),
      ['  Fee', smallText(fee, token)],
    ],
  } as const
}

const warningsOf = (plan: Pick<ApprovePlan, 'amount' | 'expiresAt'>): readonly Warning[] =>
  plan.expiresAt === undefined && plan.amount > 0n
    ? [
        {
          code: 'APPROVAL_WITHOUT_END',
          message: 'this allowance has no end; --expires-in 1h gives it one',
        },
      ]
    : []

function printPlan(plan: ApprovePlan, spender: Spender, context: Context): void {
  const { session, warnings } = spender
  printAnswer(context.terminal, {
    schema: 'approve-plan',
    network: session.network.name,
    data: tokenDocument(session.token, {
      dryRun: true,
      spender: textOfAccount(plan.spender),
      previousSat: plan.previous,
      allowanceSat: plan.amount,
      expiresAt: plan.expiresAt === undefined ? null : endText(plan.expiresAt),
      feeSat: plan.fee,
    }),
    warnings: [...session.warnings, ...warnings, ...warningsOf(plan)],
    essential: String(plan.amount),
    print: ({ answer }) => {
      for (const [name, value] of proposal(plan, spender).summary)
        answer(`${name.padEnd(13)}${value}`)
      answer('Nothing was sent.')
    },
  })
}

function print(operation: Operation, { session, warnings }: Spender, context: Context): void {
  const { token, network } = session
  const amount = amountFact(operation, 'amount') ?? 0n
  const blockIndex = bigintFact(operation, 'blockIndex') ?? 0n
  const expiresNs = bigintFact(operation, 'expiresAtNs')
  const expiresAt = expiresNs === undefined ? undefined : timestampNs(expiresNs)
  const words = amount === 0n ? 'Revoked the allowance' : `Allowed ${tokenText(amount, token)}`
  printAnswer(context.terminal, {
    schema: 'approve',
    network: network.name,
    data: tokenDocument(token, {
      op: operation.id,
      blockIndex,
      spender: textFact(operation, 'spender'),
      previousSat: amountFact(operation, 'previous') ?? 0n,
      allowanceSat: amount,
      expiresAt: expiresAt === undefined ? null : endText(expiresAt),
      feeSat: amountFact(operation, 'fee') ?? 0n,
    }),
    warnings: [...session.warnings, ...warnings, ...warningsOf({ amount, expiresAt })],
    essential: String(blockIndex),
    print: ({ answer, paint }) =>
      answer(`${paint.good('✓')} ${words}  ledger block ${blockIndex}   ${operation.id}`),
  })
}

/** What somebody may still take from an account. */
export async function allowance(
  { options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const typed = requiredOption(options, 'spender', 'allowance')
  const session = await open(context)
  const { client, network, token } = session
  const spender = parseAccount(typed, { isLocal: network.kind === 'local' })
  const owner = readingAccount(options.text('owner'), session, context)
  const found = await client.ledger.allowance({ owner: owner.account, spender })
  printAnswer(context.terminal, {
    schema: 'allowance',
    network: network.name,
    data: tokenDocument(token, {
      owner: owner.text,
      spender: textOfAccount(spender),
      allowanceSat: found.allowance,
      expiresAt: found.expiresAt === undefined ? null : endText(found.expiresAt),
    }),
    warnings: [...session.warnings, ...owner.warnings],
    essential: tokenText(found.allowance, token),
    print: ({ answer }) => {
      const end = found.allowance === 0n ? '' : `   expires ${endText(found.expiresAt)}`
      answer(`${bothTexts(found.allowance, token)}${end}`)
    },
  })
}
