/** `ckbtc history`: what happened on an account. Implements `docs/spec/cli.md` §5.7. */
import { Problem, UsageInvalid } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { formatBtc, NS_PER_MS, timestampNs } from '../core/base/units.ts'
import type { PrintableAnswer } from '../terminal/answer.ts'
import { printPagedAnswer } from '../terminal/answer.ts'
import { shorten } from '../terminal/steps.ts'
import { printTable } from '../terminal/table.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import type { HistoryEntry, HistoryFilter, HistoryType } from '../wallet/history.ts'
import { readHistory } from '../wallet/history.ts'
import type { Context } from './context.ts'
import type { Invocation, Options } from './definitions/command.ts'
import { unitOf } from './money-words.ts'
import { readingAccount } from './reading-account.ts'
import { openSession } from './session.ts'

const LIMIT = 25
const LIMIT_MAX = 100_000
const HELP = 'ckbtc history --help'

export async function history(
  { args: [typed], options }: Invocation,
  context: Context,
  open: typeof openSession = openSession,
): Promise<void> {
  const filter = filterOf(options)
  const session = await open(context)
  const named = readingAccount(typed, session, context)
  const { entries: newestFirst, nextCursor } = await readHistory(
    session.client,
    named.account,
    filter,
  )
  const entries = options.isOn('reverse') ? newestFirst.toReversed() : newestFirst
  const { PAGER: pager } = context.environment
  const answer: PrintableAnswer = {
    schema: 'history',
    network: session.network.name,
    data: { account: named.text, entries: entries.map(documentOf), nextCursor },
    warnings: [...session.warnings, ...named.warnings],
    essential: '',
    print: (terminal) => {
      print(entries, { ...context, terminal })
      if (nextCursor !== undefined)
        terminal.note(`ckbtc: note: there is more: --before ${nextCursor}, or a larger --limit`)
    },
  }
  await printPagedAnswer(context.terminal, answer, { pager, wanted: options.isOn('pager') })
}

export const historyTypes: readonly HistoryType[] = [
  'deposit',
  'redeem',
  'transfer',
  'approve',
  'mint',
  'burn',
]

function filterOf(options: Options): HistoryFilter {
  const type = historyTypes.find((known) => known === options.text('type'))
  return {
    types: type && [type],
    since: timeOf(options.text('since'), '--since'),
    until: timeOf(options.text('until'), '--until'),
    before: cursorOf(options.text('before')),
    limit: limitOf(options.text('limit')),
  }
}

/** `2026-01-05`, or a whole time of RFC 3339; a day without a zone begins in UTC. */
function timeOf(text: string | undefined, flag: string): TimestampNs | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(ms) && ms >= 0) return timestampNs(BigInt(ms) * NS_PER_MS)
  throw new UsageInvalid(`${flag} takes a time, found "${text}"`, {
    fix: 'write a day or a time: 2026-01-05, 2026-01-05T10:00:00Z',
    command: HELP,
  })
}

function cursorOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw new UsageInvalid(`--before takes the index of a block, found "${text}"`, {
    fix: 'give the number that the page before ended with',
    command: HELP,
  })
}

function limitOf(text: string | undefined): number {
  const limit = text === undefined ? LIMIT : /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new Problem('USAGE_INVALID', `--limit takes a number from 1 to ${LIMIT_MAX}`, {
    fix: 'give a number in that range',
    command: HELP,
  })
}

const isoOf = (time: TimestampNs): string => new Date(Number(time / NS_PER_MS)).toISOString()

const documentOf = (entry: HistoryEntry) => ({
  time: isoOf(entry.time),
  type: entry.type,
  amountSat: entry.amountSat,
  feeSat: entry.feeSat,
  counterparty: entry.counterparty && textOfAccount(entry.counterparty),
  txid: entry.txid,
  vout: entry.vout,
  bitcoinAddress: entry.bitcoinAddress,
  blockIndex: entry.blockIndex,
  memo: entry.memo && Buffer.from(entry.memo).toString('hex'),
  status: entry.status,
})

function print(entries: readonly HistoryEntry[], context: Context): void {
  const { terminal } = context
  const { plain } = terminal.settings
  if (entries.length === 0 && !plain) {
    terminal.note('Nothing has happened on this account yet.')
    return
  }
  const unit = unitOf(context)
  const amount = (value: bigint): string => {
    const text = unit === 'sat' ? String(value) : formatBtc(value)
    return value > 0n ? `+${text}` : text
  }
  printTable(
    terminal,
    [
      { title: 'TIME' },
      { title: 'TYPE' },
      { title: 'AMOUNT', align: 'right' },
      { title: 'FEE', align: 'right' },
      { title: 'COUNTERPARTY / BITCOIN TX' },
      { title: 'BLOCK', align: 'right' },
    ],
    entries.map((entry) => [
      plain ? isoOf(entry.time) : localTime(entry.time),
      wordOf(entry),
      amount(entry.amountSat),
      `${entry.feeSat} sat`,
      otherSide(entry, plain),
      String(entry.blockIndex),
    ]),
  )
}

function localTime(time: TimestampNs): string {
  const date = new Date(Number(time / NS_PER_MS))
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

function wordOf({ type, amountSat }: HistoryEntry): string {
  if (type !== 'transfer') return type
  return amountSat < 0n ? 'sent' : amountSat > 0n ? 'received' : 'to itself'
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
