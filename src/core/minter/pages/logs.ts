/** `/logs`. Implements `docs/spec/minter.md` §20.4. */
import { BadEncoding } from '../../base/errors.ts'
import type { HttpUrl } from '../../ic/http-url.ts'
import { numberOf } from '../../ic/http-url.ts'
import type { Context } from '../context.ts'
import type { LogEntry } from '../observed.ts'
import { safeJson } from './json.ts'

/** Of the body; older lines are left out where time goes forward, else newer ones. */
export const LOGS_BYTES_MAX = 2_000_000

/** JSON of the entries that are asked for; `BadEncoding` for what cannot be asked. */
export function logsPage({ volatile }: Context, url: HttpUrl): string | BadEncoding {
  const { Info, Debug } = volatile.observed.log
  const priority = url.parameters.get('priority')?.toLowerCase()
  if (priority !== undefined && priority !== 'info' && priority !== 'debug')
    return new BadEncoding('priority is info or debug')
  const since = numberOf(url, 'time', 0n)
  if (since instanceof BadEncoding) return since
  const isAscending = orderOf(url)
  if (isAscending instanceof BadEncoding) return isAscending
  const all = [...(priority === 'debug' ? [] : Info), ...(priority === 'info' ? [] : Debug)]
  const entries = all
    .filter(({ timestamp }) => timestamp >= since)
    .sort((a, b) => (a.counter < b.counter ? -1 : 1))
  return bodyOf(isAscending ? entries : entries.reverse())
}

/** Ascending, but from the newest on where a time is given. */
function orderOf({ parameters }: HttpUrl): boolean | BadEncoding {
  const sort = parameters.get('sort')
  if (sort === undefined) return !parameters.has('time')
  if (sort !== 'asc' && sort !== 'desc') return new BadEncoding('sort is asc or desc')
  return sort === 'asc'
}

function bodyOf(entries: readonly LogEntry[]): string {
  const texts: string[] = []
  let size = '{"entries":[]}'.length
  for (const { timestamp, priority, file, message, counter } of entries) {
    // A line of the source is not told: it would be another one in the next version.
    const text = safeJson({
      timestamp: `${timestamp}`,
      priority,
      file,
      line: 0,
      message,
      counter: `${counter}`,
    })
    size += text.length + 1
    if (size > LOGS_BYTES_MAX) break
    texts.push(text)
  }
  return `{"entries":[${texts.join(',')}]}`
}
