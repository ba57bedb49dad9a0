/** Memos as people type them. Implements cli §5.4. */
import { fromHex, utf8 } from '../core/base/bytes.ts'
import { attempt, BadEncoding, UsageInvalid } from '../core/base/errors.ts'

const MEMO_SIZE_MAX = 80

/** Text as UTF-8, or `0x` and hexadecimal digits. Throws `USAGE_INVALID`. */
export function memoOf(text: string | undefined, command: string): Uint8Array | undefined {
  if (text === undefined) return undefined
  const bytes = text.startsWith('0x') ? attempt(() => fromHex(text.slice(2))) : utf8(text)
  if (bytes instanceof BadEncoding || bytes.length > MEMO_SIZE_MAX)
    throw new UsageInvalid(`a memo is text or 0x and hexadecimal, at most ${MEMO_SIZE_MAX} bytes`, {
      fix: 'shorten it',
      command,
    })
  return bytes
}
