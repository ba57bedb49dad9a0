/** Compares one answer of ours with the recorded one. */
import type { Readable } from './format.ts'
import { isOfLedger } from './ledger-rules.ts'
import { sameOutcome } from './outcome.ts'
import { isSame } from './readable.ts'
import type { Compared } from './rules.ts'
import { adjustments, differences } from './rules.ts'

export type Judged = {
  readonly kind: 'equal' | 'different' | 'uncompared' | 'unexplained'
  readonly reason?: string | undefined
  /** The minters hold other requests or coins from then on. */
  readonly diverges?: true
  /** The ledger does it all the same, so that its blocks stay in step. */
  readonly isCarriedOut?: true
  readonly recorded?: unknown
  readonly ours?: unknown
}

/** One comparison, and where it was made. */
export type Verdict = Judged & {
  readonly section: string
  readonly place: number
  /** What was compared, in words. */
  readonly what: string
}

/** Equal, equal once adjusted, different by a rule, or unexplained. */
export function judge(compared: Compared): Judged {
  const { recorded, ours } = compared
  if (sameOutcome(ours, recorded)) return { kind: 'equal' }
  const unexplained = { recorded, ours }
  if (!('code' in recorded)) {
    const reasons: string[] = []
    let reply: Readable = recorded.reply ?? null
    const our = 'code' in ours ? undefined : ours.reply
    for (const { reason, adjust } of adjustments) {
      const adjusted = adjust(reply, our, compared)
      if (adjusted === undefined || isSame(adjusted, reply)) continue
      reply = adjusted
      reasons.push(reason)
    }
    if (sameOutcome(ours, { reply })) return { kind: 'equal', reason: reasons.join('; ') }
  }
  const difference = differences.find(({ applies }) => applies(compared))
  const { ledgerApart } = compared.facts
  if (difference === undefined && ledgerApart !== undefined && isOfLedger(compared))
    return { kind: 'different', reason: ledgerApart, ...unexplained }
  if (difference === undefined) return { kind: 'unexplained', ...unexplained }
  const { applies: _, ...rule } = difference
  return { kind: 'different', ...rule, ...unexplained }
}
