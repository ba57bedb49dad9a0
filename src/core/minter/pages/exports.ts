/** What programs read: `/events`, `/reserves`, `/healthz`. Implements `docs/spec/minter.md` §20.2. */
import { BadEncoding } from '../../base/errors.ts'
import type { HttpUrl } from '../../ic/http-url.ts'
import { numberOf } from '../../ic/http-url.ts'
import type { Context } from '../context.ts'
import type { Json } from '../events/event-json.ts'
import { jsonOfEvent } from '../events/event-json.ts'
import { eventAt } from '../events/event-log.ts'
import { infoOf, reserveOf } from '../views/info.ts'
import { safeJson } from './json.ts'

const EVENTS_DEFAULT = 100n
const EVENTS_MAX = 2_000n
/** The line that would go beyond is the first of the next answer. */
export const EVENTS_BYTES_MAX = 2_000_000

/** Events of ours included, one a line; as many as fit. */
export function eventsPage({ log }: Context, url: HttpUrl): string | BadEncoding {
  const start = numberOf(url, 'start', 0n)
  if (start instanceof BadEncoding) return start
  const length = numberOf(url, 'length', EVENTS_DEFAULT)
  if (length instanceof BadEncoding) return length
  const count = Number(length < EVENTS_MAX ? length : EVENTS_MAX)
  const first = start < BigInt(log.count) ? Number(start) : log.count
  const lines: string[] = []
  let size = 0
  for (let index = first; index < Math.min(log.count, first + count); index++) {
    const event = eventAt(log, index)
    if (event === undefined) break
    const line = `${safeJson(jsonOfEvent(event))}\n`
    size += line.length
    if (size > EVENTS_BYTES_MAX && lines.length > 0) break
    lines.push(line)
  }
  return lines.join('')
}

/** Every term of the equation of §18.5 as decimal text; undefined while the supply is not known. */
export function reservesPage(context: Context): string | undefined {
  const reserve = reserveOf(context)
  if (reserve === undefined) return undefined
  const terms = Object.entries(reserve).map(([name, value]): [string, Json] => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    typeof value === 'bigint' ? `${value}` : value,
  ])
  return safeJson({ time: `${context.now}`, ...Object.fromEntries(terms) })
}

/** Alerts with which the minter does not do its work. */
const SERIOUS: ReadonlySet<string> = new Set([
  'stopped',
  'no_key',
  'view_behind',
  'lost_coins',
  'not_covered',
  'not_balanced',
])

export type Health = { readonly isWell: boolean; readonly body: string }

export function healthPage(context: Context): Health {
  const { alerts } = infoOf(context)
  const isWell = !alerts.some(({ code }) => SERIOUS.has(code))
  return { isWell, body: safeJson({ healthy: isWell, time: `${context.now}`, alerts }) }
}
