/** `ckbtc transfer`: ckBTC to another account. Implements `docs/spec/cli.md` §5.4. */
import { parseSubaccount } from '../core/base/amounts.ts'
import { toHex } from '../core/base/bytes.ts'
import { UsageInvalid } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Account } from '../wallet/account-text.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import { parseAccount } from '../wallet/destinations.ts'
import { earlierWithKey } from '../wallet/operations/operating.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { bigintFact, isOpen, textFact } from '../wallet/operations/operation.ts'
import { refresh } from '../wallet/operations/status.ts'
import type { TransferPlan } from '../wallet/operations/transfer.ts'
import {
  notAgain,
  planTransfer,
  resumeTransfer,
  sameTransfer,
  transfer as send,
} from '../wallet/operations/transfer.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { memoOf } from './memo.ts'
import { coins, sats } from './money-words.ts'
import { openSession } from './session.ts'
import type { Spender } from './spending.ts'
import {
  agree,
  compareLine,
  openSpender,
  requiredOption,
  spentAmount,
  wasPaidBefore,
} from './spending.ts'

export async function transfer(
  { args, options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const amount = spentAmount(args, 'transfer')
  const memo = memoOf(options.text('memo'), 'ckbtc transfer --help')
  const typed = requiredOption(options, 'to', 'transfer')
  const session = await open(context)
  const isLocal = session.network.kind === 'local'
  const command = `ckbtc redeem ${args.join('')} --to ${typed}`
  const to = withSubaccount(parseAccount(typed, { isLocal, command }), options.text('toSubaccount'))
  const spender = openSpender(session, context, options.text('fromSubaccount'))
  const wanted = { from: spender.account, to, amount, memo }
  const key = options.text('idempotencyKey')
  const earlier = earlierWithKey({ journal: spender.journal, network: session.network.name }, key, {
    kind: 'transfer',
    facts: sameOf(wanted),
  })
  const isDry = options.isOn('dryRun')
  if (earlier?.state === 'done' || (earlier !== undefined && isOpen(earlier) && !isDry)) {
    const ended = await finished(spender, earlier)
    if (ended !== undefined) return print(ended, spender, context)
  }
  const plan = await planTransfer(session.client, wanted)
  if (isDry) return printPlan(plan, spender, context)
  await agree(spender, context, proposal(plan, spender), { options })
  const { operation } = await send(await spender.unlock(), plan, key)
  print(operation, spender, context)
}

/** What an idempotency key stands for; what `all` is depends on the moment. */
function sameOf(wanted: Parameters<typeof planTransfer>[1]): Operation['facts'] {
  const { from, to, amount, memo } = wanted
  const { amountSat, ...others } = sameTransfer({
    from,
    to,
    memo,
    amount: amount === 'all' ? 0n : amount,
  })
  return amount === 'all' ? others : { ...others, amountSat: amountSat ?? null }
}

/**
 * The outcome of the operation that an idempotency key names; an open one is ended. Undefined where it
 * has moved nothing and never will. Throws `OPERATION_UNKNOWN`.
 */
async function finished(spender: Spender, operation: Operation): Promise<Operation | undefined> {
  if (operation.state === 'done') return operation
  const outcome = await resumeTransfer(await spender.unlock(), operation)
  if (outcome !== undefined) return outcome.operation
  const now = await refresh(spender.reading, operation)
  if (now.state === 'done') return now
  if (isOpen(now)) throw notAgain(now)
  return undefined
}

function withSubaccount(account: Account, text: string | undefined): Account {
  if (text === undefined) return account
  if (account.subaccount === undefined)
    return { owner: account.owner, subaccount: parseSubaccount(text) }
  throw new UsageInvalid('the receiver names a subaccount already', {
    fix: 'leave --to-subaccount out',
    command: 'ckbtc transfer --help',
  })
}

function proposal(plan: TransferPlan, spender: Spender) {
  const { symbols, network } = spender.session
  const to = textOfAccount(plan.to)
  const isFirst = network.kind !== 'local' && !wasPaidBefore(spender, to)
  return {
    same: { kind: 'transfer', facts: sameTransfer(plan) },
    amountSat: plan.amount,
    feesSat: plan.fee,
    summary: [
      ['  Send', `${coins(plan.amount, symbols.token)}   ${sats(plan.amount)}`],
      ['  To', `${to}${isFirst ? '   first time you send to this account' : ''}`],
      ...(network.kind === 'local' ? [] : [compareLine(to)]),
      ['  Fee', sats(plan.fee)],
      ['  You keep', coins(plan.keeps, symbols.token)],
    ],
  } as const
}

function printPlan(plan: TransferPlan, spender: Spender, context: Context): void {
  const { session, warnings } = spender
  const { summary } = proposal(plan, spender)
  printAnswer(context.terminal, {
    schema: 'transfer-plan',
    network: session.network.name,
    data: {
      dryRun: true,
      amountSat: plan.amount,
      feeSat: plan.fee,
      from: textOfAccount(plan.from),
      to: textOfAccount(plan.to),
      memo: memoText(plan.memo),
      balanceAfterSat: plan.keeps,
    },
    warnings: [...session.warnings, ...warnings],
    essential: String(plan.amount),
    print: ({ answer }) => {
      for (const [name, value] of summary) answer(`${name.padEnd(12)}${value}`)
      answer('Nothing was sent.')
    },
  })
}

const memoText = (memo: Uint8Array | undefined): string | null =>
  memo === undefined ? null : toHex(memo)

function print(operation: Operation, { session, warnings }: Spender, context: Context): void {
  const { symbols, network } = session
  const { terminal } = context
  const amount = bigintFact(operation, 'amountSat') ?? 0n
  const blockIndex = bigintFact(operation, 'blockIndex') ?? 0n
  const { deduplicated: known } = operation.facts
  const deduplicated = known === true
  printAnswer(terminal, {
    schema: 'transfer',
    network: network.name,
    data: {
      op: operation.id,
      blockIndex,
      amountSat: amount,
      feeSat: bigintFact(operation, 'feeSat') ?? 0n,
      from: textFact(operation, 'from'),
      to: textFact(operation, 'to'),
      memo: textFact(operation, 'memo') ?? null,
      createdAtTimeNs: textFact(operation, 'createdAtNs'),
      deduplicated,
    },
    warnings: [...session.warnings, ...warnings],
    essential: String(blockIndex),
    print: ({ answer, paint }) =>
      answer(
        `${paint.good('✓')} Sent ${coins(amount, symbols.token)}  ledger block ${blockIndex}   ${operation.id}${deduplicated ? '   (it had arrived already)' : ''}`,
      ),
  })
}
