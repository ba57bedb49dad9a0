/** Rows of a history as CSV and as JSON. Implements `docs/spec/cli.md` §§3.6, 5.7. */
import { toHex } from '../core/base/bytes.ts'
import { formatDecimal } from '../core/base/units.ts'
import { csvRow } from '../terminal/csv.ts'
import type { Warning } from '../terminal/json.ts'
import { answerDocument, toWire } from '../terminal/json.ts'
import { textOfAccount } from '../wallet/account-text.ts'
import type { Row } from '../wallet/history/filter.ts'
import type { Token } from '../wallet/token.ts'
import { inUnits, tokenDocument } from '../wallet/token.ts'
import { entryDocument, isoOf } from './history-words.ts'

/** A file in parts, so that it need not be in memory as a whole. */
export type ExportFormat = {
  readonly head: string
  readonly row: (row: Row, place: number) => string
  readonly tail: (warnings: readonly Warning[]) => string
}

export type ExportFacts = {
  readonly network: string
  readonly account: string
  readonly token: Token
}

type Column = readonly [title: string, cell: (row: Row) => string | undefined]

/** Without a sign, so that spreadsheets can add them up; `direction` has it. */
const size = (amount: bigint): bigint => (amount < 0n ? -amount : amount)

const directionOf = (amount: bigint): string =>
  amount === 0n ? 'none' : amount < 0n ? 'out' : 'in'

const columnsOf = ({ network, account, token }: ExportFacts): readonly Column[] => {
  const { isFurther, symbol, decimals } = token
  const unit = isFurther ? 'units' : 'sat'
  const ofBitcoin: readonly Column[] = [
    ['bitcoin_txid', ({ entry }) => entry.txid],
    ['bitcoin_address', ({ entry }) => entry.bitcoinAddress],
  ]
  return [
    ['time_utc', ({ entry }) => entry.time && isoOf(entry.time)],
    ['network', () => network],
    ...(isFurther ? [['token', () => symbol] as const] : []),
    ['account', () => account],
    ['type', ({ entry }) => entry.blockType ?? entry.type],
    ['direction', ({ entry }) => directionOf(entry.amount)],
    [
      isFurther ? 'amount' : 'amount_btc',
      ({ entry }) => formatDecimal(size(entry.amount), decimals),
    ],
    [`amount_${unit}`, ({ entry }) => String(size(entry.amount))],
    [`fee_${unit}`, ({ entry }) => String(entry.fee)],
    ['counterparty', ({ entry }) => entry.counterparty && textOfAccount(entry.counterparty)],
    ...(isFurther ? [] : ofBitcoin),
    ['block_index', ({ entry }) => String(entry.blockIndex)],
    ['memo_hex', ({ entry }) => entry.memo && toHex(entry.memo)],
    ['reference', ({ reference }) => reference],
    ['status', ({ entry }) => entry.status],
  ]
}

export function csvFormat(facts: ExportFacts): ExportFormat {
  const columns = columnsOf(facts)
  return {
    head: csvRow(columns.map(([title]) => title)),
    row: (row) => csvRow(columns.map(([, cell]) => cell(row) ?? '')),
    tail: () => '',
  }
}

/** The document of `history`, with the references, in one line. */
export function jsonFormat({ network, account, token }: ExportFacts): ExportFormat {
  const data = tokenDocument(token, { account, entries: [], nextCursor: null })
  const [head = '', end = ''] = splitAt(
    answerDocument({ schema: 'history', network, data, warnings: [] }),
    '"entries":[',
  )
  return {
    head,
    row: ({ entry, reference }, place) => {
      const document = toWire(inUnits(token, { ...entryDocument(entry), reference }))
      return `${place === 0 ? '' : ','}${JSON.stringify(document)}`
    },
    tail: (warnings) => `${end.replace(/\[\]\}$/, '')}${JSON.stringify(warnings)}}\n`,
  }
}

/** `mark` stays with the first part; no text before it can hold it. */
function splitAt(text: string, mark: string): readonly string[] {
  const place = text.indexOf(mark) + mark.length
  return [text.slice(0, place), text.slice(place)]
}
