/** `ckbtc history`: what happened on an account. Implements `docs/spec/cli.md` §5.7. */
import { Problem } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { formatDecimal, NS_PER_MS } from '../core/base/units.ts'
import type { PrintableAnswer } from '../terminal/answer.ts'
import { printPagedAnswer } from '../terminal/answer.ts'
import { slowly } from '../terminal/late-progress.ts'
import { shorten } from '../terminal/steps.ts'
import { printTable } from '../terminal/table.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import type { HistoryEntry } from '../wallet/history/entry.ts'
import { readHistory } from '../wallet/history.ts'
import type { Token } from '../wallet/token.ts'
import { smallText, tokenDocument } from '../wallet/token.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { askedOf, entryDocument, isoOf, reading, readingWords } from './history-words.ts'
import { unitOf } from './money-words.ts'
import { readingAccount } from './reading-account.ts'
import { openSession } from './session.ts'

const LIMIT = 25
const LIMIT_MAX = 100_000

export async function history(
  { args: [typed], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const limit = limitOf(options.text('limit'))
  const session = await open(context)
  const named = readingAccount(typed, session, context)
  const { wish, warnings } = askedOf(options, named, session, context)
  const { rows, nextCursor } = await slowly(context.terminal, reading, (say) =>
    readHistory(
      session.client,
      { ...wish, onPage: (reached) => say(readingWords(reached)) },
      limit,
    ),
  )
  const newestFirst = rows.map(({ entry }) => entry)
  const entries = options.isOn('reverse') ? newestFirst.toReversed() : newestFirst
  const { PAGER: pager } = context.environment
  const { token } = session
  const answer: PrintableAnswer = {
    schema: 'history',
    network: session.network.name,
    data: tokenDocument(token, {
      account: named.text,
      entries: entries.map(entryDocument),
      nextCursor,
    }),
    warnings: [...session.warnings, ...named.warnings, ...warnings],
    essential: '',
    print: (terminal) => {
      if (entries.length === 0 && !terminal.settings.plain)
        return terminal.note(emptyWords(options))
      print(entries, { ...context, terminal }, token)
      if (nextCursor !== undefined)
        terminal.note(`ckbtc: note: there is more: --before ${nextCursor}, or a larger --limit`)
    },
  }
  await printPagedAnswer(context.terminal, answer, { pager, wanted: options.isOn('pager') })
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? LIMIT : /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new Problem('USAGE_INVALID', `--limit takes a number from 1 to ${LIMIT_MAX}`, {
    fix: 'give a number in that range',
    command: 'ckbtc history --help',
  })
}

const FILTERS = ['type', 'since', 'until', 'before', 'search', 'counterparty', 'memo'] as const

const emptyWords = (options: Options): string =>
  FILTERS.some((name) => options.text(name) !== undefined)
    ? 'Nothing on this account is like that.'
    : 'Nothing has happened on this account yet.'

function print(entries: readonly HistoryEntry[], context: Context, token: Token): void {
  const { terminal } = context
  const { plain } = terminal.settings
  const isNarrow = (terminal.width ?? NARROW) < NARROW
  const decimals = unitOf(context) === 'sat' && !token.isFurther ? 0 : token.decimals
  const amount = (value: bigint): string => {
    const text = formatDecimal(value, decimals)
    return value > 0n ? `+${text}` : text
  }
  printTable(
    terminal,
    [
      { title: 'TIME' },
      { title: 'TYPE' },
      { title: 'AMOUNT', align: 'right' },
      { title: 'FEE', align: 'right' },
      { title: 'COUNTERPARTY / BITCOIN TX', shortTitle: 'WITH / TX', widthMin: 11 },
      { title: 'BLOCK', align: 'right' },
    ],
    entries.map((entry) => [
      entry.time === undefined ? '-' : plain ? isoOf(entry.time) : localTime(entry.time, isNarrow),
      wordOf(entry),
      amount(entry.amount),
      smallText(entry.fee, token),
      otherSide(entry, plain),
      String(entry.blockIndex),
    ]),
  )
}

/** Columns below which the time of day has no place. */
const NARROW = 72

function localTime(time: TimestampNs, isNarrow: boolean): string {
  const date = new Date(Number(time / NS_PER_MS))
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return isNarrow ? day : `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function wordOf({ type, blockType, amount }: HistoryEntry): string {
  if (type === 'other') return blockType ?? type
  if (type !== 'transfer') return type
  return amount < 0n ? 'sent' : amount > 0n ? 'received' : 'to itself'
}

function otherSide(
  { txid, vout, counterparty, status, type, bitcoinAddress }: HistoryEntry,
  whole: boolean,
): string {
  const cut = (text: string): string => (whole ? text : shorten(text, 8))
  if (txid !== undefined && type === 'deposit') return `tx ${cut(txid)}:${vout}`
  if (txid !== undefined) return `tx ${cut(txid)} ${status === 'done' ? 'confirmed' : status}`
  if (type === 'redeem') return `${cut(bitcoinAddress ?? '')} ${status}`.trim()
  return counterparty === undefined ? '' : cut(textOfAccount(counterparty))
}
