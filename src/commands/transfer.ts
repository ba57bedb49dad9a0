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
import { amountFact } from '../wallet/operations/operation-token.ts'
import { refresh } from '../wallet/operations/status.ts'
import type { TransferPlan } from '../wallet/operations/transfer.ts'
import {
  notAgain,
  planTransfer,
  resumeTransfer,
  sameTransfer,
  transfer as send,
} from '../wallet/operations/transfer.ts'
import type { Token } from '../wallet/token.ts'
import { bothTexts, smallText, tokenDocument, tokenText } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation } from './definitions/command.ts'
import { memoOf } from './memo.ts'
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
  // What can be said before anybody is asked is said then.
  if (context.globals.token === undefined) spentAmount(args, 'transfer')
  const memo = memoOf(options.text('memo'), 'ckbtc transfer --help')
  const typed = requiredOption(options, 'to', 'transfer')
  const session = await open(context)
  const { token } = session
  const amount = spentAmount(args, 'transfer', token)
  const isLocal = session.network.kind === 'local'
  const command = `ckbtc redeem ${args.join('')} --to ${typed}`
  const to = withSubaccount(
    parseAccount(typed, { isLocal, command, token }),
    options.text('toSubaccount'),
  )
  const spender = openSpender(session, context, options.text('fromSubaccount'))
  const wanted = { from: spender.account, to, amount, memo }
  const key = options.text('idempotencyKey')
  const earlier = earlierWithKey({ journal: spender.journal, network: session.network.name }, key, {
    kind: 'transfer',
    facts: sameOf(wanted, token),
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
function sameOf(wanted: Parameters<typeof planTransfer>[1], token: Token): Operation['facts'] {
  const { amount } = wanted
  const same = sameTransfer(
    { ...wanted, amount: amount === 'all' ? 0n : amount, memo: wanted.memo },
    token,
  )
  if (amount !== 'all') return same
  const { amountSat: _, amountUnits: __, ...others } = same
  return others
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
  const { token, network } = spender.session
  const to = textOfAccount(plan.to)
  const isFirst = network.kind !== 'local' && !wasPaidBefore(spender, to)
  return {
    same: { kind: 'transfer', facts: sameTransfer(plan, token) },
    amountSat: plan.amount,
    feesSat: plan.fee,
    summary: [
      ['  Send', bothTexts(plan.amount, token)],
      ['  To', `${to}${isFirst ? '   first time you send to this account' : ''}`],
      ...(network.kind === 'local' ? [] : [compareLine(to)]),
      ['  Fee', smallText(plan.fee, token)],
      ...effectLines(plan, token),
    ],
  } as const
}

function effectLines(
  { effect, keeps }: TransferPlan,
  token: Token,
): readonly (readonly [name: string, value: string])[] {
  const left = ['  You keep', tokenText(keeps, token)] as const
  switch (effect) {
    case 'transfer':
      return [left]
    case 'mint':
      return [['  Mints', `new ${token.symbol}: you are the minting account`]]
    case 'burn':
      return [left, ['  Burns', `this is the minting account: the ${token.symbol} will be gone`]]
  }
}

function printPlan(plan: TransferPlan, spender: Spender, context: Context): void {
  const { session, warnings } = spender
  const { summary } = proposal(plan, spender)
  printAnswer(context.terminal, {
    schema: 'transfer-plan',
    network: session.network.name,
    data: tokenDocument(session.token, {
      dryRun: true,
      amountSat: plan.amount,
      feeSat: plan.fee,
      from: textOfAccount(plan.from),
      to: textOfAccount(plan.to),
      memo: memoText(plan.memo),
      balanceAfterSat: plan.keeps,
    }),
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
  const { token, network } = session
  const { terminal } = context
  const amount = amountFact(operation, 'amount') ?? 0n
  const blockIndex = bigintFact(operation, 'blockIndex') ?? 0n
  const { deduplicated: known } = operation.facts
  const deduplicated = known === true
  printAnswer(terminal, {
    schema: 'transfer',
    network: network.name,
    data: tokenDocument(token, {
      op: operation.id,
      blockIndex,
      amountSat: amount,
      feeSat: amountFact(operation, 'fee') ?? 0n,
      from: textFact(operation, 'from'),
      to: textFact(operation, 'to'),
      memo: textFact(operation, 'memo') ?? null,
      createdAtTimeNs: textFact(operation, 'createdAtNs'),
      deduplicated,
    }),
    warnings: [...session.warnings, ...warnings],
    essential: String(blockIndex),
    print: ({ answer, paint }) =>
      answer(
        `${paint.good('✓')} Sent ${tokenText(amount, token)}  ledger block ${blockIndex}   ${operation.id}${deduplicated ? '   (it had arrived already)' : ''}`,
      ),
  })
}
