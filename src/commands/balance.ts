/** `ckbtc balance`: settled, incoming, outgoing. Implements `docs/spec/cli.md` §5.3. */
import { printAnswer } from '../terminal/answer.ts'
import { printTable } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { AccountBalance, IncomingCoin } from '../wallet/balance.ts'
import { readBalance } from '../wallet/balance.ts'
import { bothTexts, tokenDocument, tokenText } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { amountIn, coins, tokensIn, unitOf } from './money-words.ts'
import type { NamedAccount } from './reading-account.ts'
import { everyAccount, readingAccount, withSubaccounts } from './reading-account.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'

type Row = NamedAccount & AccountBalance

export async function balance(
  { args, options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const session = await open(context)
  const { client, network, token } = session
  const certified = options.isOn('certified')
  const accounts = await accountsOf(session, context, { args, options })
  const rows = await Promise.all(
    accounts.map(async (named): Promise<Row> => {
      return { ...named, ...(await readBalance(client, named.account, { certified })) }
    }),
  )
  const { terminal } = context
  printAnswer(terminal, {
    schema: 'balance',
    network: network.name,
    data: tokenDocument(token, { accounts: rows.map(documentOf) }),
    warnings: [...session.warnings, ...accounts.flatMap(({ warnings }) => warnings)],
    essential: rows.map(({ balanceSat }) => tokenText(balanceSat, token)).join('\n'),
    print: () =>
      terminal.settings.plain
        ? printRows(rows, session, context)
        : printAccounts(rows, session, terminal),
  })
}

async function accountsOf(
  session: Session,
  context: Context,
  { args, options }: { readonly args: readonly string[]; readonly options: Options },
): Promise<readonly NamedAccount[]> {
  const typed = args.length > 0 ? args : [undefined]
  const named = options.isOn('all')
    ? everyAccount(session, context)
    : typed.map((text) => readingAccount(text, session, context))
  if (!options.isOn('subaccounts')) return named
  return (await Promise.all(named.map((one) => withSubaccounts(session, one)))).flat()
}

const documentOf = ({ text, key, balanceSat, incoming, outgoing }: Row) => ({
  account: text,
  key,
  balanceSat,
  incomingSat: incoming && sumOf(incoming),
  outgoingSat: outgoing && sumOf(outgoing),
  spendableSat: balanceSat,
})

const sumOf = (parts: readonly { readonly amountSat: bigint }[]): bigint =>
  parts.reduce((sum, { amountSat }) => sum + amountSat, 0n)

function printRows(rows: readonly Row[], { symbols, token }: Session, context: Context): void {
  const unit = unitOf(context)
  const columns = ['ACCOUNT', 'KEY', 'BALANCE', 'INCOMING', 'OUTGOING'].map((title) => ({ title }))
  printTable(
    context.terminal,
    columns,
    rows.map(({ text, key, balanceSat, incoming, outgoing }) => [
      text,
      key ?? '-',
      tokensIn(unit, balanceSat, token),
      incoming === undefined ? '-' : amountIn(unit, sumOf(incoming), symbols.bitcoin),
      outgoing === undefined ? '-' : tokensIn(unit, sumOf(outgoing), token),
    ]),
  )
}

function printAccounts(rows: readonly Row[], session: Session, terminal: Terminal): void {
  const { network, symbols, token } = session
  for (const row of rows) {
    const amounts = bothTexts(row.balanceSat, token)
    const place = terminal.paint.faint(`${network.name} · ${row.key ?? row.text}`)
    terminal.answer(`${amounts.padEnd(38)} ${place}`)
    if (token.isFurther) continue
    printLines(terminal, 'incoming', incomingWords(row, symbols.bitcoin))
    printLines(terminal, 'outgoing', outgoingWords(row, symbols.token))
  }
}

function printLines({ answer }: Terminal, label: string, lines: readonly string[]): void {
  for (const [place, line] of lines.entries())
    answer(`  ${(place === 0 ? label : '').padEnd(8)}  ${line}`)
}

function incomingWords({ incoming }: Row, symbol: string): readonly string[] {
  if (incoming === undefined) return ['not known on this network']
  const words = ({ amountSat, confirmations, needed }: IncomingCoin): string => {
    const due = confirmations >= needed ? ', not minted yet' : ''
    return `${coins(amountSat, symbol)}, ${Math.min(confirmations, needed)}/${needed} confirmations${due}`
  }
  return incoming.length === 0 ? ['none'] : incoming.map(words)
}

const outgoingWords = ({ outgoing = [] }: Row, symbol: string): readonly string[] =>
  outgoing.length === 0
    ? ['none']
    : outgoing.map(
        ({ amountSat, blockIndex }) => `${coins(amountSat, symbol)}, burned in block ${blockIndex}`,
      )
