/** What came of a call, ours or recorded: a readable reply, or a reject known by its code. */

import { fromHex } from '../../../src/core/base/bytes.ts'
import { attempt, BadEncoding } from '../../../src/core/base/errors.ts'
import type { Codec } from '../../../src/core/ic/candid.ts'
import type { Readable, Step } from './format.ts'
import { NotUnderstood } from './format.ts'
import { isSame, readableMessage } from './readable.ts'

export type Outcome =
  | { readonly reply: Readable | undefined }
  | { readonly code: number; readonly message?: string }

export const TRAPPED = 5
export const NO_SUCH_METHOD = 3

/** A step whose long answer was shortened says only that it is answered. */
export const ANSWERED = { reply: 'answered' } as const

export function recordedOutcome(
  { x, r }: Pick<Step, 'x' | 'r'>,
  codec: Codec<unknown> | undefined,
): Outcome {
  if (x !== undefined) return x
  if (r === undefined) return ANSWERED
  if (codec === undefined) throw new NotUnderstood('a reply of a method without a codec')
  const reply = attempt(() => readableMessage(codec, fromHex(r)))
  if (reply instanceof BadEncoding)
    throw new NotUnderstood(`a recorded reply does not decode: ${reply.message}`)
  return { reply }
}

export function sameOutcome(ours: Outcome, recorded: Outcome): boolean {
  if ('code' in recorded) return 'code' in ours && ours.code === recorded.code
  if ('code' in ours) return false
  return isSame(recorded.reply, ANSWERED.reply) || isSame(ours.reply, recorded.reply)
}
