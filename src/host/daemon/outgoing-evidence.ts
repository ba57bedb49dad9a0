/**
 * What the nodes know of the subnet's own transactions, put together: of each the strongest evidence
 * that any of them has. Source: `docs/spec/bitcoin.md` §10.3, §10.4 (EV-3).
 */
import type { Txid } from '../../core/base/bytes.ts'
import { equalBytes, fromDisplayHex, hash32, toDisplayHex, toHex } from '../../core/base/bytes.ts'
import { divCeil } from '../../core/base/units.ts'
import type { Fate } from '../../core/btc/transaction-fate.ts'
import type { TransactionReport } from '../../core/btc/transaction-relay.ts'
import type { StatusReply, TransactionReply } from '../control/protocol.ts'
import { OUTGOING_SHOWN_MAX } from '../control/protocol.ts'
import type { BitcoinAnswer } from '../node/protocol.ts'

type Answered = Pick<BitcoinAnswer, 'transactions'>
export type OutgoingEvidence = StatusReply['outgoing'][number]

/** The strongest first. */
const strength: readonly Fate['type'][] = [
  'final',
  'inBlock',
  'conflicted',
  'replaced',
  'expired',
  'echoed',
  'requested',
  'announced',
  'queued',
]
const SATS_PER_KVB = 1_000n

/** Newest last; only the last ones. */
export function outgoingEvidence(
  answers: readonly (Answered | undefined)[],
): readonly OutgoingEvidence[] {
  return strongest(answers).map(evidenceOf).slice(-OUTGOING_SHOWN_MAX)
}

/** Of one transaction, with its bytes. */
export const reportOf = (
  answers: readonly (Answered | undefined)[],
  txid: Txid,
): TransactionReport | undefined =>
  strongest(answers).find((report) => equalBytes(report.txid, txid))

/** What a chain knows of a transaction, with the evidence that nodes have, if it is of the subnet. */
export function withEvidence(
  found: TransactionReply,
  answers: readonly (Answered | undefined)[],
): TransactionReply {
  const report = reportOf(answers, hash32(fromDisplayHex(found.txid)))
  if (report === undefined) return found
  const { txid: _, ...evidence } = evidenceOf(report)
  return { ...found, evidence }
}

function strongest(answers: readonly (Answered | undefined)[]): readonly TransactionReport[] {
  const found = new Map<string, TransactionReport>()
  const rank = ({ fate }: TransactionReport): number => strength.indexOf(fate.type)
  for (const report of answers.flatMap((answer) => answer?.transactions ?? [])) {
    const key = toHex(report.txid)
    const best = found.get(key)
    if (best === undefined || rank(report) < rank(best)) found.set(key, report)
  }
  return [...found.values()]
}

export function evidenceOf({ txid, fate, ageMs, remark }: TransactionReport): OutgoingEvidence {
  const isByPeers = fate.type === 'announced' || fate.type === 'requested' || fate.type === 'echoed'
  const isByOther = fate.type === 'conflicted' || fate.type === 'replaced'
  const { reason, bumpSatPerKvb } = remark ?? {}
  return {
    txid: toDisplayHex(txid),
    state: fate.type === 'inBlock' ? 'in-block' : fate.type,
    peers: isByPeers ? fate.peers : 0,
    ageMs: Math.round(ageMs),
    reason: isByOther ? `by ${toDisplayHex(fate.by)}` : reason,
    bumpSatPerVb:
      bumpSatPerKvb === undefined ? undefined : Number(divCeil(bumpSatPerKvb, SATS_PER_KVB)),
  }
}
