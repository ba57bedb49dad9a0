/** `ckbtc resume`: goes on with an operation that waits for its user. Implements cli §5.6. */
import { Problem, UsageInvalid } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import { isAccountOf } from '../wallet/account-text.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { isOpen } from '../wallet/operations/operation.ts'
import { tokenOfOperation } from '../wallet/operations/operation-token.ts'
import { refresh } from '../wallet/operations/status.ts'
import { notAgain, resumeTransfer } from '../wallet/operations/transfer.ts'
import type { Context } from './context.ts'
import { continuationOf } from './continuation.ts'
import type { Invocation } from './definitions/command.ts'
import { journalOf } from './journal.ts'
import { operationDocument, requireNetwork, stateWords } from './operation-words.ts'
import { goOn } from './redeem.ts'
import type { Session } from './session.ts'
import { openSession, sessionWith } from './session.ts'
import type { Spender } from './spending.ts'
import { agree, openSpender } from './spending.ts'
import { stillOpen } from './waiting.ts'

export async function resume(
  { args: [id = ''], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const operation = journalOf(context).get(id)
  const opened = await open(context)
  requireNetwork(operation, { command: 'resume', selected: opened.network.name })
  const session = await sessionOfOperation(operation, opened, context)
  const keyed = { ...context, globals: { ...context.globals, key: operation.key ?? undefined } }
  const spender = openSpender(session, keyed, undefined)
  requireOwner(operation, spender)
  const now = await refresh(spender.reading, operation)
  if (!isOpen(now) || options.isOn('dryRun')) return print(now, spender, context)
  switch (now.kind) {
    case 'redeem':
      return goOn(now, spender, keyed, { until: 'confirmed', options })
    case 'transfer': {
      await agree(spender, context, await continuationOf(now, spender), { options, goesOn: true })
      const outcome = await resumeTransfer(await spender.unlock(), now)
      if (outcome !== undefined) return print(outcome.operation, spender, context)
      throw notAgain(now)
    }
    case 'approve':
    case 'deposit':
      throw stillOpen(now.id, now.kind)
  }
}

/** The ledger is that of the operation; `--token` may only say the same. */
async function sessionOfOperation(
  operation: Operation,
  opened: Session,
  { globals }: Context,
): Promise<Session> {
  const token = tokenOfOperation(opened.network, operation)
  if (globals.token !== undefined && globals.token.toLowerCase() !== token.symbol.toLowerCase())
    throw new UsageInvalid(`${operation.id} is about ${token.symbol}, not "${globals.token}"`, {
      fix: 'leave --token out: the operation knows its token',
      command: `ckbtc resume ${operation.id}`,
    })
  return sessionWith(opened, token)
}

/** A key of the same name may be another one by now. */
function requireOwner({ id, key, account }: Operation, spender: Spender): void {
  if (isAccountOf(account, spender.account.owner)) return
  throw new Problem(
    'KEY_NOT_FOUND',
    `${id} was begun by another key, ${key ?? 'unknown'} of then`,
    {
      fix: 'import that key again, under its old name',
      command: 'ckbtc key list',
      details: { op: id, account },
    },
  )
}

function print(operation: Operation, { session, warnings }: Spender, context: Context): void {
  printAnswer(context.terminal, {
    schema: 'resume',
    network: session.network.name,
    data: operationDocument(operation),
    warnings: [...session.warnings, ...warnings],
    essential: operation.state,
    print: ({ answer }) => answer(`${operation.id}  ${operation.kind}  ${stateWords(operation)}`),
  })
}
