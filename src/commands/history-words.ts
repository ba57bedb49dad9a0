/** What `history` and `export` have in common: filters, and rows as documents. Implements cli §5.7. */
import { UsageInvalid } from '../core/base/errors.ts'
import type { TimestampNs } from '../core/base/units.ts'
import { NS_PER_MS, TIMESTAMP_MAX, timestampNs } from '../core/base/units.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import { parseAccount } from '../wallet/destinations.ts'
import type { HistoryEntry } from '../wallet/history/entry.ts'
import { historyTypes } from '../wallet/history/entry.ts'
import type { HistoryFilter } from '../wallet/history/filter.ts'
import { referencesOf } from '../wallet/history/references.ts'
import type { HistoryWish } from '../wallet/history.ts'
import type { Context } from './context.ts'
import type { Options } from './definitions/command.ts'
import { journalOf } from './journal.ts'
import { memoOf } from './memo.ts'
import type { NamedAccount } from './reading-account.ts'
import type { Session } from './session.ts'

export type Asked = {
  readonly wish: Omit<HistoryWish, 'onPage'>
  /** Of what was read, once it has been. */
  readonly warnings: { readonly code: string; readonly message: string }[]
}

/** What the options ask for. Throws `USAGE_INVALID`. */
export function askedOf(
  options: Options,
  { account }: NamedAccount,
  { network }: Session,
  context: Context,
): Asked {
  const warnings: Asked['warnings'] = []
  const operations = journalOf(context)
    .all()
    .filter((operation) => operation.network === network.name)
  const wish = {
    account,
    filter: filterOf(options, network.kind === 'local'),
    referenceOf: referencesOf(operations, account),
    certified: options.isOn('certified'),
    warn: (warning: Asked['warnings'][number]) => void warnings.push(warning),
  }
  return { wish, warnings }
}

function filterOf(options: Options, isLocal: boolean): HistoryFilter {
  const type = historyTypes.find((known) => known === options.text('type'))
  const counterparty = options.text('counterparty')
  return {
    types: type && [type],
    since: timeOf(options.text('since'), '--since'),
    until: timeOf(options.text('until'), '--until'),
    before: cursorOf(options.text('before')),
    counterparty: counterparty === undefined ? undefined : parseAccount(counterparty, { isLocal }),
    memo: memoOf(options.text('memo'), HELP),
    search: options.text('search'),
  }
}

const HELP = 'ckbtc history --help'

/** `2026-01-05`, or a whole time of RFC 3339; a day without a zone begins in UTC. */
function timeOf(text: string | undefined, flag: string): TimestampNs | undefined {
  if (text === undefined) return undefined
  const [day] = /^\d{4}-\d\d-\d\d/.exec(text) ?? []
  const ms = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN
  if (ms >= 0 && ms <= LAST_MS) return timestampNs(BigInt(ms) * NS_PER_MS)
  throw new UsageInvalid(`${flag} takes a time, found "${text}"`, {
    fix: 'write a day or a time: 2026-01-05, 2026-01-05T10:00:00Z',
    command: HELP,
  })
}

/** The largest timestamp is one of the year 2554. */
const LAST_MS = Number(TIMESTAMP_MAX / NS_PER_MS)

/** JavaScript takes 31 February for a day in March. */
function isDay(day: string): boolean {
  const ms = Date.parse(day)
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(day)
}

function cursorOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,18}$/.test(text)) return BigInt(text)
  throw new UsageInvalid(`--before takes the index of a block, found "${text}"`, {
    fix: 'give the number that the page before ended with',
    command: HELP,
  })
}

export const isoOf = (time: TimestampNs): string => new Date(Number(time / NS_PER_MS)).toISOString()

export const entryDocument = (entry: HistoryEntry) => ({
  time: entry.time && isoOf(entry.time),
  type: entry.type,
  ...(entry.blockType === undefined ? {} : { blockType: entry.blockType }),
  amountSat: entry.amount,
  feeSat: entry.fee,
  counterparty: entry.counterparty && textOfAccount(entry.counterparty),
  txid: entry.txid,
  vout: entry.vout,
  bitcoinAddress: entry.bitcoinAddress,
  blockIndex: entry.blockIndex,
  memo: entry.memo && Buffer.from(entry.memo).toString('hex'),
  status: entry.status,
})

/** What a long reading is called, until it says how far it is. */
export const reading = { label: 'History', text: 'reading blocks' } as const

/** `reached`: the oldest block that has been read. */
export const readingWords = (reached: bigint): string => `reading blocks, back to ${reached}`
