/** What came of a call, ours or recorded: a readable reply, or a reject known by its code. */

import { fromHex } from '../../../src/core/base/bytes.ts'
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
  return status === undefined ? ANSWERED : shortReply({ status })
}

const shortReply = (shortened: Fields): Outcome => ({ reply: { shortened } })

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Ours, shortened as the recorded one was. */
function asShort(ours: Readable | undefined, recorded: Fields): Readable {
  if (field(recorded, 'status') !== undefined) return { status: field(ours, 'status_code') ?? null }
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
