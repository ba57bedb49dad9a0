/** The minter's event log as `ckbtc events` shows it. Implements `docs/spec/cli.md` §5.14. */
import { toDisplayHex } from '../core/base/bytes.ts'
import { UsageInvalid } from '../core/base/errors.ts'
import { nearest } from '../core/base/nearest.ts'
import type { TimestampNs } from '../core/base/units.ts'
import type { Account } from '../core/ic/account.ts'
import { textOfAccount } from '../core/ic/account.ts'
import type { Json } from '../core/minter/events/event-json.ts'
import { jsonOfEvent } from '../core/minter/events/event-json.ts'
import type { Event, PayloadType } from '../core/minter/events/events.ts'
import { EVENT_NAMES } from '../core/minter/events/events.ts'
import type { Client } from './client.ts'
import { AccountTrail, subjectOf } from './event-subjects.ts'
import { sentenceOf } from './event-words.ts'
import { minterNetworkOf, symbolsOf } from './network.ts'

export type EventLine = {
  /** Place in the log. */
  readonly number: number
  /** Absent on events of old logs. */
  readonly time: TimestampNs | undefined
  /** As the log names it: `sent_transaction`. */
  readonly type: string
  /** With identifiers as `shown` gives them. */
  readonly sentence: (shown?: (identifier: string) => string) => string
  readonly amountSat: bigint | undefined
  readonly txid: string | undefined
  readonly burnBlockIndices: readonly bigint[]
  readonly mintBlockIndex: bigint | undefined
  readonly account: string | undefined
  /** As it is exported (minter §18.1). */
  readonly original: () => Json
}

export type EventWish = {
  /** Kinds as the log names them; every kind where there are none. */
  readonly types: readonly string[]
  /** First number; the newest ones where it is absent. */
  readonly from: number | undefined
  readonly limit: number
  readonly account: Account | undefined
}

export type EventPage = {
  readonly events: readonly EventLine[]
  /** Number of the first event that is not there yet, or not shown any more. */
  readonly next: number
  /** Whether the log goes on from there. */
  readonly hasMore: boolean
}

/** Names of kinds, checked: hyphens do as well. Throws `USAGE_INVALID`. */
export function eventTypesOf(words: readonly string[]): readonly string[] {
  const known: readonly string[] = Object.values(EVENT_NAMES)
  return words.map((word) => {
    const name = word.replaceAll('-', '_')
    if (known.includes(name)) return name
    const close = nearest(name, known)
    throw new UsageInvalid(`no event is called "${word.slice(0, 100)}"`, {
      fix: close === undefined ? `the kinds are ${known.join(', ')}` : `the nearest is ${close}`,
      command: 'ckbtc events --help',
    })
  })
}

/** Events that are looked through at once on the way back to older ones. */
const STRETCH = 2_000

/** What was wished for, oldest first. */
export async function readEventLines(
  client: Client,
  wish: EventWish,
  onProgress?: (read: number) => void,
): Promise<EventPage> {
  const { from, limit, account } = wish
  // Later events name burns and transactions alone: whose they are, the earlier ones tell.
  const start = account === undefined ? from : 0
  const found: EventLine[] = []
  const lines = new EventLines(client, wish)
  if (start === undefined) {
    const end = Number(await client.log.length())
    for (let to = end; to > 0 && found.length < limit; ) {
      const at = Math.max(0, to - (wish.types.length === 0 ? limit : STRETCH))
      const events = await client.log.range(BigInt(at), BigInt(to))
      found.unshift(...lines.of(events, at))
      to = at
      onProgress?.(end - at)
    }
    return { events: found.slice(-limit), next: end, hasMore: false }
  }
  let at = start
  for (;;) {
    const events = await client.log.range(BigInt(at), BigInt(at + STRETCH))
    found.push(...lines.of(events, at).filter(({ number }) => number >= (from ?? 0)))
    at += events.length
    onProgress?.(at)
    if (events.length < STRETCH) break
    if (from !== undefined && found.length > limit) break
  }
  const shown = from === undefined ? found.slice(-limit) : found.slice(0, limit)
  const hasMore = from !== undefined && found.length > limit
  const last = shown.at(-1)
  return { events: shown, next: hasMore && last !== undefined ? last.number + 1 : at, hasMore }
}

/** Turns events into lines, in the order of the log where an account was asked for. */
export class EventLines {
  readonly #client: Client
  readonly #types: readonly string[]
  readonly #trail: AccountTrail | undefined

  constructor(client: Client, { types, account }: Pick<EventWish, 'types' | 'account'>) {
    this.#client = client
    this.#types = types
    this.#trail = account && new AccountTrail(account)
  }

  of(events: readonly Event[], start: number): readonly EventLine[] {
    return events.flatMap((event, place) => {
      const concerns = this.#trail?.concerns(event.payload) ?? true
      const type = EVENT_NAMES[event.payload.type satisfies PayloadType]
      const isWanted = this.#types.length === 0 || this.#types.includes(type)
      return concerns && isWanted ? [lineOf(this.#client, event, start + place)] : []
    })
  }
}

function lineOf({ network }: Client, event: Event, number: number): EventLine {
  const { payload, timestamp } = event
  const { amountSat, txids, burns, mint, accounts } = subjectOf(payload)
  const [txid] = txids
  const [account] = accounts
  const wording = {
    minterId: network.ids.minter,
    network: minterNetworkOf(network),
    symbols: symbolsOf(network),
  }
  return {
    number,
    time: timestamp,
    type: EVENT_NAMES[payload.type],
    sentence: (shown) => sentenceOf(payload, { ...wording, shown }),
    amountSat,
    txid: txid && toDisplayHex(txid),
    burnBlockIndices: burns,
    mintBlockIndex: mint,
    account: account && textOfAccount(account),
    original: () => jsonOfEvent(event),
  }
}
