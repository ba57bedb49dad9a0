/** What a start in the background tells the new process, and what that tells back: JSON texts. */
import { attempt, BadEncoding } from '../../core/base/errors.ts'
import { count, exactly, flag, object, parseJson, text, textUpTo } from '../../core/base/json.ts'
import { failureShape, statusShape, wireJson } from '../control/protocol.ts'
import type { DaemonEvent, DaemonRequest } from '../daemon-request.ts'
import { decodeGiven, encodeGiven, SETTINGS_BYTES_MAX } from '../subnet-settings.ts'

const request = object({
  directories: object({ state: text, runtime: text }),
  given: textUpTo(SETTINGS_BYTES_MAX),
  isEphemeral: flag,
})

export const encodeRequest = ({ directories, given, isEphemeral }: DaemonRequest): string =>
  wireJson({ directories, given: encodeGiven(given), isEphemeral })

/** Throws `BadEncoding`. */
export function decodeRequest(source: string): DaemonRequest {
  const { given, ...rest } = parseJson(source, request)
  return { ...rest, given: decodeGiven(given) }
}

export type LaunchMessage =
  | DaemonEvent
  | ({ readonly type: 'failed' } & ReturnType<typeof failureShape>)

const progress = object({ type: exactly('progress'), text })
const ready = object({ type: exactly('ready'), status: statusShape, startedMs: count })

/** Undefined for what is none of them. */
export function decodeLaunchMessage(source: unknown): LaunchMessage | undefined {
  const read = attempt(() =>
    parseJson(String(source), (value, where): LaunchMessage => {
      if (typeof value !== 'object' || value === null || !('type' in value))
        throw new BadEncoding(`${where} has no type`)
      const { type, ...rest } = value
      if (type === 'progress') return progress(value, where)
      if (type === 'ready') return ready(value, where)
      if (type === 'failed') return { type, ...failureShape(rest, where) }
      throw new BadEncoding(`${where} is of no known type`)
    }),
  )
  return read instanceof BadEncoding ? undefined : read
}
