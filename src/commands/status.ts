/** `ckbtc status`: where an operation is, without ever spending. Implements `docs/spec/cli.md` §5.6. */
import { CkbtcError, Problem } from '../core/base/errors.ts'
import { printAnswer } from '../terminal/answer.ts'
import type { Warning } from '../terminal/json.ts'
import { oneLine, printTable } from '../terminal/table.ts'
import type { Account } from '../wallet/account-text.ts'
import { nobody } from '../wallet/account-text.ts'
import type { Operating } from '../wallet/operations/operating.ts'
import { lookAgain } from '../wallet/operations/operating.ts'
import type { Operation } from '../wallet/operations/operation.ts'
import { isOpen, textFact } from '../wallet/operations/operation.ts'
import { isSameToken, tokenFacts } from '../wallet/operations/operation-token.ts'
import { nextStep, refresh } from '../wallet/operations/status.ts'
import type { Token } from '../wallet/token.ts'
import { askingClient } from './asker.ts'
import { evidenceWords } from './bitcoin/evidence-words.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { journalOf } from './journal.ts'
import {
  amountWords,
  feeRateWords,
  operationDocument,
  replacedIds,
  requireNetwork,
  sinceWords,
  stateWords,
} from './operation-words.ts'
import type { PaymentEvidence } from './payment-evidence.ts'
import { paymentEvidence } from './payment-evidence.ts'
import { readingAccount } from './reading-account.ts'
import { foundElsewhere } from './redemptions.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'
import { stillOpen, waiting } from './waiting.ts'

export async function status(
  { args: [wanted], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const session = await open(context)
  if (wanted === undefined) await list(session, context, options)
  else await one(wanted, session, context, options)
}

/** Anybody may look: the account of an operation is in the journal. */
const reading = ({ client, signal }: Session, context: Context): Operating => ({
  client: askingClient(client),
  journal: journalOf(context),
  key: null,
  account: nobody,
  signal,
})

async function list(session: Session, context: Context, options: Options): Promise<void> {
  const operating = reading(session, context)
  const { network, symbols } = session
  const of = options.text('account')
  const account = of === undefined ? undefined : readingAccount(of, session, context).text
  const all = operating.journal
    .all()
    .filter((operation) => operation.network === network.name)
    .filter((operation) => context.globals.token === undefined || isOf(session.token, operation))
  const chosen = all
    .filter((operation) => options.isOn('all') || isOpen(operation))
    .filter((operation) => account === undefined || operation.account === account)
    .toReversed()
  const warnings: Warning[] = []
  const operations = await refreshed(chosen, operating, warnings)
  const shown = options.isOn('all') ? operations : operations.filter(isOpen)
  printAnswer(context.terminal, {
    schema: 'status',
    network: network.name,
    data: { operations: operations.map(operationDocument) },
    warnings: [...session.warnings, ...warnings],
    essential: shown.map(({ id }) => id).join('\n'),
    print: (terminal) => {
      if (operations.length === 0 && !terminal.settings.plain)
        return terminal.answer('No operation is open.')
      printTable(
        terminal,
        [
          { title: 'OP', whole: true },
          { title: 'WHAT' },
          { title: 'AMOUNT', align: 'right' },
          { title: 'STATE' },
          { title: 'SINCE' },
          { title: 'NEXT', whole: true },
        ],
        operations.map((operation) => [
          operation.id,
          operation.kind,
          amountWords(operation, symbols),
          stateWords(operation),
          sinceWords(operation, Date.now()),
          nextStep(operation).next ?? '-',
        ]),
      )
    },
  })
}

/** What one operation meets on its way is no reason to hide the others. */
const TOLERATED = /^(?:NETWORK|LEDGER|MINTER|HOST_CLOCK|RAIL_CANISTER)/
/** Of what others say. */
const WORDS_MAX = 300

/** What is known is shown even where the network does not answer. */
async function refreshed(
  operations: readonly Operation[],
  operating: Operating,
  warnings: Warning[],
): Promise<readonly Operation[]> {
  const found: Operation[] = []
  for (const operation of operations)
    try {
      const isSilent = warnings.some(({ code }) => code.startsWith('NETWORK'))
      found.push(isSilent ? operation : await refresh(operating, operation))
    } catch (error) {
      if (!(error instanceof CkbtcError) || !TOLERATED.test(error.code)) throw error
      const message = oneLine(`as of the last look: ${error.message.slice(0, WORDS_MAX)}`)
      warnings.push({ code: error.code, message })
      found.push(operation)
    }
  return found
}

async function one(
  wanted: string,
  session: Session,
  context: Context,
  options: Options,
): Promise<void> {
  const operating = reading(session, context)
  const known = named(wanted, operating, session)
  if (known === undefined) {
    if (session.token.isFurther) throw noSuchOperation(wanted)
    const account = accountOf(session, context, options)
    const found = await foundElsewhere(wanted, session.client, account)
    if (found === undefined) throw noSuchOperation(wanted)
    return conclude(found, session, context, await paymentEvidence(found, session, context))
  }
  requireNetwork(known, { command: 'status', selected: session.network.name })
  const first = await refresh(operating, known)
  if (!options.isOn('wait'))
    return conclude(first, session, context, await paymentEvidence(first, session, context))
  const wait = { op: first.id, what: first.kind === 'redeem' ? 'redemption' : first.kind }
  const last = await waiting(context, wait, async (progress) => {
    let operation = first
    while (isOpen(operation) && !nextStep(operation).needsAction) {
      progress.show({ label: operation.kind, text: stateWords(operation), facts: { op: first.id } })
      await lookAgain(operating)
      operation = await refresh(operating, operation)
    }
    return operation
  })
  conclude(last, session, context)
}

function accountOf(session: Session, context: Context, options: Options): Account {
  return readingAccount(options.text('account'), session, context).account
}

/** A block has its number on one ledger. */
const isOf = (token: Token, operation: Operation): boolean =>
  isSameToken(operation, { facts: tokenFacts(token) })

/** By its id, or by the transaction or block that it led to. */
const named = (wanted: string, { journal }: Operating, { network, token }: Session) =>
  journal
    .all()
    .findLast(
      (operation) =>
        operation.id === wanted.toUpperCase().replace(/^OP_/, 'op_') ||
        (operation.network === network.name &&
          isOf(token, operation) &&
          (replacedIds(operation).includes(wanted) ||
            ['txid', 'burnBlockIndex', 'blockIndex'].some(
              (name) => textFact(operation, name) === wanted,
            ))),
    )

const noSuchOperation = (wanted: string): Problem =>
  new Problem('USAGE_INVALID', `there is no operation ${wanted.slice(0, 80)}`, {
    fix: 'give the id of an operation, a Bitcoin transaction or a ledger block; all of yours are listed by',
    command: 'ckbtc status --all',
  })

/** Prints it; one that is open, unpaid or unknown is an exit status, too. */
function conclude(
  operation: Operation,
  session: Session,
  context: Context,
  evidence?: PaymentEvidence,
): void {
  const { terminal } = context
  const problem = problemOf(operation, evidence)
  if (problem !== undefined && terminal.settings.json) throw problem
  const { next } = nextStep(operation)
  const { network, symbols } = session
  printAnswer(terminal, {
    schema: 'status',
    network: network.name,
    data: { operations: [operationDocument(operation)] },
    warnings: session.warnings,
    essential: operation.state,
    print: ({ answer }) => {
      const rows: readonly (readonly [string, string | undefined])[] = [
        [operation.id, `${operation.kind}  ${amountWords(operation, symbols)}`],
        ['state', stateWords(operation)],
        ['account', operation.account],
        ['to', textFact(operation, 'to') ?? textFact(operation, 'address')],
        ['transaction', transactionWords(operation)],
        ...replacedIds(operation).map((txid): readonly [string, string] => ['replaced', txid]),
        ['cancelled by', textFact(operation, 'cancelledByTxid')],
        ['evidence', evidence && evidenceWords(evidence)],
        [
          'ledger block',
          textFact(operation, 'burnBlockIndex') ?? textFact(operation, 'blockIndex'),
        ],
        ['coins', textFact(operation, 'coins')],
        ['since', operation.startedAt],
        ['next', next ?? undefined],
      ]
      for (const [name, value] of rows)
        if (value !== undefined && value !== '') answer(`${name.padEnd(14)} ${oneLine(value)}`)
    },
  })
  if (problem !== undefined) throw problem
}

/** With what it pays, where that is known. */
function transactionWords(operation: Operation): string | undefined {
  const [txid, rate] = [textFact(operation, 'txid'), feeRateWords(operation)]
  return txid === undefined || rate === undefined ? txid : `${txid}   ${rate}`
}

/** Who said no. */
const refusers = {
  transfer: 'LEDGER_REFUSED',
  approve: 'LEDGER_REFUSED',
  deposit: 'MINTER_REFUSED',
  redeem: 'MINTER_REFUSED',
} as const

function problemOf(operation: Operation, evidence?: PaymentEvidence): Problem | undefined {
  const known = { ...operationDocument(operation), op: operation.id }
  const details = evidence === undefined ? known : { ...known, evidence }
  switch (operation.state) {
    case 'done':
    case 'cancelled':
      return undefined
    case 'refused':
    case 'returned':
      return new Problem(refusers[operation.kind], `the ${operation.kind} was ${operation.state}`, {
        fix: 'what it was about is in the account; the details say why',
        command: `ckbtc status ${operation.id} --json`,
        details,
      })
    case 'unknown':
      return new Problem('OPERATION_UNKNOWN', 'it was sent, and no answer is known yet', {
        fix: 'look again in a few minutes; do not repeat it',
        command: `ckbtc status ${operation.id} --wait`,
        details,
      })
    case 'planned':
    case 'submitting':
    case 'waiting': {
      const { fix, message } = stillOpen(operation.id, operation.kind)
      const { next, needsAction } = nextStep(operation)
      const command = needsAction && next !== null ? next : `ckbtc status ${operation.id} --wait`
      return new Problem('OPERATION_OPEN', needsAction ? 'it waits for you' : message, {
        fix: needsAction ? 'go on with it:' : fix,
        command,
        details,
      })
    }
  }
}
