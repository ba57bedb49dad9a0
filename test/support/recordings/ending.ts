/** What a recording says of its end: the minter's events, and coins selected for amounts. */
import { eventsOf } from '../../../src/core/minter/event-log.ts'
import { isExtension } from '../../../src/core/minter/events.ts'
import { payloadCodec } from '../../../src/core/minter/interface-events.ts'
import type { Fields, Recording } from './format.ts'
import { field, fieldsOf } from './format.ts'
import type { Judged } from './judge.ts'
import type { Player } from './player.ts'
import { canonical, readableOf } from './readable.ts'
import { eventOfToday, plainEvent } from './rules.ts'

export type Ending = { readonly what: string } & Judged

/** Every recorded event, in order, against ours without those that only we have. */
export function compareEvents(player: Player, { events, events_note }: Recording): Ending[] {
  if (events === undefined) return []
  const leftOut = /worth (\d+)/.exec(events_note ?? '')?.[1]
  const ours = [...eventsOf(player.minter.minter.log)]
    .map(({ payload }) => payload)
    .filter((payload) => !isExtension(payload.type))
    .map((payload) => fieldsOf(readableOf(payloadCodec, payload)))
    .filter((payload) => leftOut === undefined || !isOfCoinWorth(payload, leftOut))
  const verdicts: Ending[] = []
  let next = 0
  const checked = new Set<string>()
  for (const event of events) {
    const expected = eventOfToday(event)
    const what = `event ${Object.keys(event).join()}`
    if (expected === undefined) {
      verdicts.push({ what, kind: 'different', reason: 'no event of today’s release' })
      continue
    }
    const said = canonical(plainEvent(expected))
    if (checked.has(said)) {
      verdicts.push({ what, kind: 'different', reason: 'a checked coin is recorded once today' })
      continue
    }
    if ('checked_utxo_v2' in expected) checked.add(said)
    const our = ours[next]
    next += 1
    const isEqual = our !== undefined && canonical(plainEvent(our)) === said
    verdicts.push({
      what,
      kind: isEqual ? 'equal' : 'unexplained',
      ...(isEqual ? {} : { recorded: event, ours: our }),
    })
    if (!isEqual) return verdicts
  }
  for (const our of ours.slice(next))
    verdicts.push({ what: 'event', kind: 'unexplained', ours: our })
  return verdicts
}

function isOfCoinWorth(payload: Fields, worth: string): boolean {
  const [content] = Object.values(payload)
  const utxos = field(content, 'utxos')
  const first = Array.isArray(utxos) ? utxos[0] : field(content, 'utxo')
  return field(first, 'value') === worth
}
