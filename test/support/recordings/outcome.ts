/** What came of a call, ours or recorded: a readable reply, or a reject known by its code. */

import { fromHex, fromUtf8 } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import type { Fields, Readable, Step } from './format.ts'
import { field, fieldsOf, listOf, NotUnderstood } from './format.ts'
import { isSame, readableMessage } from './readable.ts'

export type Outcome =
  | { readonly reply: Readable | undefined }
  | { readonly code: number; readonly message?: string }

export const TRAPPED = 5
export const NO_SUCH_METHOD = 3
export const NO_SUCH_CANISTER = 3

/** A step whose long answer was shortened says only that it is answered. */
export const ANSWERED = { reply: 'answered' } as const

export function recordedOutcome(
  { x, r, out }: Pick<Step, 'x' | 'r' | 'out'>,
  codec: Codec<unknown> | undefined,
): Outcome {
  if (x !== undefined) return x
  if (r === undefined) return shortened(out)
  if (codec === undefined) throw new NotUnderstood('a reply of a method without a codec')
  const reply = attempt(() => readableMessage(codec, fromHex(r)))
  if (reply instanceof BadEncoding)
    throw new NotUnderstood(`a recorded reply does not decode: ${reply.message}`)
  return { reply }
}

/** What is left of an answer too long to keep: how many rows, or the status of a page. */
function shortened(out: Readable | undefined): Outcome {
  const rows = field(isRecord(out) ? out : null, 'Ok')
  const { count, minted } = fieldsOf(isRecord(rows) ? rows : isRecord(out) ? out : null)
  const { status_code: status } = fieldsOf(isRecord(out) ? out : null)
  if (count !== undefined) return shortReply({ count, ...(minted === undefined ? {} : { minted }) })
  const { body } = fieldsOf(isRecord(out) ? out : null)
  if (status === undefined) return ANSWERED
  return shortReply({ status, ...(Array.isArray(body) ? { gauges: gaugesOf(body) } : {}) })
}

/** Gauges that mean the same in every release. */
const GAUGE =
  /^(ckbtc_minter_(?:retrieve_btc_request_count\{.*\}|minted_tokens|burned_tokens|min_retrievable_amount|min_confirmations|utxos_available|btc_balance|managed_addresses_count|outpoint_count|longest_resubmission_chain_size|finalized_requests|concurrent_\w+_count)) (\d+)/

const gaugesOf = (lines: readonly Readable[]): Fields =>
  Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = GAUGE.exec(String(line)) ?? []
      return name === undefined || value === undefined ? [] : [[name, value]]
    }),
  )

const shortReply = (shortened: Fields): Outcome => ({ reply: { shortened } })

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Ours, shortened as the recorded one was. */
function asShort(ours: Readable | undefined, recorded: Fields): Readable {
  if (field(recorded, 'status') !== undefined) {
    const lines = fromUtf8(fromHex(String(field(ours, 'body') ?? ''))).split('\n')
    const status = field(ours, 'status_code') ?? null
    return field(recorded, 'gauges') === undefined
      ? { status }
      : { status, gauges: gaugesOf(lines) }
  }
  const list = listOf(Array.isArray(ours) ? ours : field(ours, 'Ok'))
  const minted = list.filter((row) => isRecord(row) && field(row, 'Minted') !== undefined)
  return field(recorded, 'minted') === undefined
    ? { count: list.length }
    : { count: list.length, minted: minted.length }
}

export function sameOutcome(ours: Outcome, recorded: Outcome): boolean {
  if ('code' in recorded) return 'code' in ours && ours.code === recorded.code
  if ('code' in ours) return false
  if (isSame(recorded.reply, ANSWERED.reply)) return true
  const short = isRecord(recorded.reply) ? field(recorded.reply, 'shortened') : undefined
  if (short === undefined) return isSame(ours.reply, recorded.reply)
  return isSame(asShort(ours.reply, fieldsOf(short)), short)
}
