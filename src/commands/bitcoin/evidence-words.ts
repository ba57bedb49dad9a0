/**
 * What is known of a transaction that the subnet announces, in words: the strongest evidence, its age,
 * and what is to be done. Layout of `docs/spec/cli.md` §5.17; bitcoin §10.4 (EV-3).
 */
import type { TransactionReply } from '../../host/control/protocol.ts'

type Evidence = NonNullable<TransactionReply['evidence']>

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

function age(ms: number): string {
  if (ms >= HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`
  return ms >= MINUTE_MS ? `${Math.floor(ms / MINUTE_MS)} min` : `${Math.floor(ms / SECOND_MS)} s`
}

const words: Readonly<Record<string, string>> = {
  queued: 'nobody was told of it',
  announced: 'announced',
  requested: 'fetched',
  echoed: 'heard of from others',
  'in-block': 'in a block',
  final: 'final',
  conflicted: 'another one took its coins',
  replaced: 'replaced',
  expired: 'given up',
}

export function evidenceWords({ state, peers, ageMs, reason, bumpSatPerVb }: Evidence): string {
  const by = peers === 0 ? '' : `, ${peers} ${peers === 1 ? 'peer' : 'peers'}`
  const why = reason === undefined ? '' : `: ${reason}`
  const bump = bumpSatPerVb === undefined ? '' : `; a replacement should pay ${bumpSatPerVb} sat/vB`
  return `${words[state] ?? state}${by}, for ${age(ageMs)}${why}${bump}`
}
