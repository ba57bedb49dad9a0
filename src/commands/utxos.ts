/** `ckbtc utxos`: what the minter holds. Implements `docs/spec/cli.md` §5.14. */
import { ReservesInconclusive, ReservesMismatch } from '../core/base/errors.ts'
import type { PrintableAnswer } from '../terminal/answer.ts'
import { printPagedAnswer } from '../terminal/answer.ts'
import { openProgress } from '../terminal/progress.ts'
import { printTable } from '../terminal/table.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { MinterCoin, Sight } from '../wallet/minter-coins.ts'
import { lookForCoins, readMinterCoins } from '../wallet/minter-coins.ts'
import { openSources, sourceNames } from './bitcoin-sources.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import type { Unit } from './money-words.ts'
import { amountIn, unitOf } from './money-words.ts'
import { readingAccount } from './reading-account.ts'
import type { Session } from './session.ts'
import { openSession } from './session.ts'
import type { SourceOf } from './verify-reserves.ts'

/** With what Bitcoin says of it, where that was asked. */
type Row = { readonly coin: MinterCoin; readonly sight: Sight | undefined }

export async function utxos(
  { options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
  sourceOf: SourceOf = openSources,
): Promise<void> {
  const names = sourceNames(options, context)
  const { PAGER: pager } = context.environment
  const session = await open(context)
  const progress = await openProgress(context.terminal)
  const show = (text: string): void => progress.show({ number: 1, label: 'Coins', text })
  let found: { readonly height: number | null; readonly rows: readonly Row[] }
  try {
    const coins = await read(options, session, context, show)
    const look = () => verified(coins, session, () => sourceOf(names, session, context, show))
    found = options.isOn('verify')
      ? await look()
      : { height: null, rows: coins.map((coin) => ({ coin, sight: undefined })) }
  } finally {
    progress.stop()
  }
  const failure = failureOf(found.rows)
  if (failure !== undefined && context.terminal.settings.json) throw failure
  await printPagedAnswer(context.terminal, answerOf(found, session, context), {
    pager,
    wanted: options.isOn('pager'),
  })
  if (failure !== undefined) throw failure
}

/** A long log takes a while: from here on it is told how far it is. */
const QUICK = 4_000

/** What was asked for, in the order that was asked for. */
async function read(
  options: Options,
  session: Session,
  context: Context,
  show: (text: string) => void,
): Promise<readonly MinterCoin[]> {
  const typed = options.text('account')
  const account = typed === undefined ? undefined : readingAccount(typed, session, context).text
  const state = options.text('state')
  const { coins } = await readMinterCoins(session.client, (count) => {
    if (count > QUICK) show(`${count} events read`)
  })
  const wanted = coins.filter(
    (coin) =>
      (account === undefined || coin.account === account) &&
      (state === undefined || coin.state === state),
  )
  const order: (a: MinterCoin, b: MinterCoin) => number =
    options.text('sort') === 'height'
      ? (a, b) => a.height - b.height
      : (a, b) => Number(b.amountSat - a.amountSat)
  return wanted.toSorted(order)
}

async function verified(
  coins: readonly MinterCoin[],
  { client }: Session,
  openSource: () => ReturnType<SourceOf>,
) {
  const source = await openSource()
  try {
    const seen = await lookForCoins(client, source, coins)
    if (seen === undefined)
      throw new ReservesInconclusive('the sources of Bitcoin stand at different blocks')
    const rows = coins.map((coin, place) => ({ coin, sight: seen.sights[place] }))
    return { height: seen.height, rows }
  } finally {
    await source.close()
  }
}

/** Of a transaction that is not final, the inputs may be spent already; a lost coin is gone. */
const mayBeSpent = ({ state }: MinterCoin): boolean => state === 'in-flight' || state === 'lost'

function failureOf(rows: readonly Row[]): Error | undefined {
  const wrong = rows.filter(
    ({ coin, sight }) => sight !== undefined && sight !== 'unspent' && !mayBeSpent(coin),
  )
  const [first] = wrong
  if (first === undefined) return undefined
  const { coin, sight } = first
  const coins = wrong.map((row) => ({ ...documentOf(row) }))
  return new ReservesMismatch(`coin ${coin.txid}:${coin.vout} is ${sight} on Bitcoin`, { coins })
}

const documentOf = ({ coin, sight }: Row) => ({
  txid: coin.txid,
  vout: coin.vout,
  amountSat: coin.amountSat,
  height: coin.height,
  account: coin.account,
  isMinters: coin.isMinters,
  state: coin.state,
  spentBy: coin.spentBy,
  onBitcoin: sight,
})

const totalOf = (rows: readonly Row[]): bigint =>
  rows.reduce((sum, { coin }) => sum + coin.amountSat, 0n)

/** Sum of each state that occurs, in the order of the list. */
function totalsOf(rows: readonly Row[]) {
  const states = [...new Set(rows.map(({ coin }) => coin.state))]
  return states.map((state) => {
    const own = rows.filter(({ coin }) => coin.state === state)
    return { state, count: own.length, amountSat: totalOf(own) }
  })
}

function answerOf(
  { height, rows }: { readonly height: number | null; readonly rows: readonly Row[] },
  { network, symbols, warnings }: Session,
  context: Context,
): PrintableAnswer {
  const unit = unitOf(context)
  return {
    schema: 'utxos',
    network: network.name,
    data: {
      coins: rows.map(documentOf),
      totals: totalsOf(rows),
      totalSat: totalOf(rows),
      verifiedAtHeight: height,
    },
    warnings,
    essential: amountIn(unit, totalOf(rows), symbols.bitcoin),
    print: (terminal) => print(rows, terminal, { unit, symbol: symbols.bitcoin }),
  }
}

function print(
  rows: readonly Row[],
  terminal: Terminal,
  { unit, symbol }: { readonly unit: Unit; readonly symbol: string },
): void {
  const { plain } = terminal.settings
  if (rows.length === 0 && !plain) {
    terminal.note('There are no such coins.')
    return
  }
  const isVerified = rows.some(({ sight }) => sight !== undefined)
  printTable(
    terminal,
    [
      { title: 'OUTPOINT' },
      { title: 'VALUE', align: 'right' },
      { title: 'HEIGHT', align: 'right' },
      { title: 'OWNER' },
      { title: 'STATE' },
      ...(isVerified ? [{ title: 'BITCOIN' }] : []),
    ],
    rows.map(({ coin, sight }) => [
      `${coin.txid}:${coin.vout}`,
      amountIn(unit, coin.amountSat, symbol),
      String(coin.height),
      ownerWords(coin, plain),
      coin.state,
      sight ?? '',
    ]),
  )
  if (plain) return
  for (const { state, count, amountSat } of totalsOf(rows))
    terminal.answer(
      `${amountIn(unit, amountSat, symbol)} ${state} in ${count} coin${count === 1 ? '' : 's'}`,
    )
}

const ownerWords = ({ account, isMinters }: MinterCoin, isWhole: boolean): string =>
  isMinters && !isWhole ? 'the minter' : (account ?? '')
