/**
 * Goal: of what the nodes say of a transaction the strongest evidence is shown, and no more. Method:
 * answers by hand.
 */
import { describe, expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { hash32, toDisplayHex } from '../../../src/core/base/bytes.ts'
import type { Fate } from '../../../src/core/btc/transaction-fate.ts'
import type { TransactionReport } from '../../../src/core/btc/transaction-relay.ts'
import { WithheldNews } from '../../../src/core/subnet/observed.ts'
import { evidenceOf, outgoingEvidence } from '../../../src/host/daemon/outgoing-evidence.ts'

const idOf = (n: number): Txid => hash32(new Uint8Array(32).fill(n))
const report = (
  n: number,
  fate: Fate,
  remark?: TransactionReport['remark'],
): TransactionReport => ({
  txid: idOf(n),
  fate,
  ageMs: 1_499.6,
  remark,
  bytes: new Uint8Array(),
})
const said = (...transactions: readonly TransactionReport[]) => ({
  transactions,
})
const by = idOf(9)

describe('the evidence of a transaction', () => {
  const stronger: readonly Fate[] = [
    { type: 'queued' },
    { type: 'announced', peers: 1 },
    { type: 'requested', peers: 1 },
    { type: 'echoed', peers: 1 },
    { type: 'expired' },
    { type: 'replaced', by },
    { type: 'conflicted', by, confirmations: 1 },
    { type: 'inBlock', height: 7, confirmations: 1 },
    { type: 'final' },
  ]
  it.each(
    stronger.slice(1).map((fate, i) => [fate.type, stronger[i]?.type ?? '', fate, i] as const),
  )('is %s rather than %s, whichever node says so', (_, __, strong, i) => {
    const weak = report(1, stronger[i] ?? strong)
    const best = [evidenceOf(report(1, strong))]
    expect(outgoingEvidence([said(weak), undefined, said(report(1, strong))])).toEqual(best)
    expect(outgoingEvidence([said(report(1, strong)), said(weak)])).toEqual(best)
  })

  it('names peers, the other transaction, the reason, and what a bump should pay', () => {
    const none = { peers: 0, ageMs: 1_500, reason: undefined, bumpSatPerVb: undefined }
    expect(evidenceOf(report(1, { type: 'echoed', peers: 3 }))).toEqual({
      ...none,
      txid: toDisplayHex(idOf(1)),
      state: 'echoed',
      peers: 3,
    })
    expect(evidenceOf(report(1, { type: 'inBlock', height: 7, confirmations: 2 }))).toMatchObject({
      ...none,
      state: 'in-block',
    })
    expect(evidenceOf(report(1, { type: 'replaced', by }))).toMatchObject({
      reason: `by ${toDisplayHex(by)}`,
    })
    const remark = { reason: 'it pays less', bumpSatPerKvb: 6_001n }
    expect(evidenceOf(report(1, { type: 'announced', peers: 1 }, remark))).toMatchObject({
      reason: 'it pays less',
      bumpSatPerVb: 7,
    })
  })
})

it('a transaction that is kept back is told once for each reason, and again when it comes back', () => {
  const news = new WithheldNews()
  const held = (reason: string) => ({
    key: 'k',
    txid: idOf(1),
    standing: { type: 'held', reason } as const,
  })
  const told = (reason: string) => [
    { type: 'observed', event: { type: 'withheld', txid: idOf(1), reason } },
  ]
  expect(news.take([held('dust')])).toEqual(told('dust'))
  expect(news.take([held('dust')])).toEqual([])
  expect(news.take([held('non-final')])).toEqual(told('non-final'))
  expect(news.take([{ ...held(''), standing: { type: 'waiting' } }])).toEqual([])
  expect(news.take([held('non-final')])).toEqual(told('non-final'))
})
