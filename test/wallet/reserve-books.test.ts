/**
 * Goal: what a consolidation burns, and a reimbursement whose mint was found late, are in the books of
 * ledger and minter alike. Method: one block and its event, then each field wrong. Source: cli §5.13,
 * minter §§15, 16.
 */
import { describe, expect, it } from 'vitest'
import { timestampNs, tokens } from '../../src/core/base/units.ts'
import type { Block, Transaction } from '../../src/core/ledger/blocks/block.ts'
import type { Payload } from '../../src/core/minter/events/events.ts'
import { encodeBurnMemo, encodeMintMemo } from '../../src/core/minter/memo.ts'
import { compareBooks } from '../../src/wallet/reserve-books.ts'
import { MINTER, user } from '../support/minter-world.ts'

const now = timestampNs(1n)
const blockOf = (transaction: Transaction): Block => ({ timestamp: now, transaction })
const found = (transactions: readonly Transaction[], ...payloads: readonly Payload[]): string => {
  const contradictions: string[] = []
  const blocks = transactions.map(blockOf)
  const events = payloads.map((payload) => ({ timestamp: now, payload }))
  compareBooks({ blocks, events }, contradictions)
  return contradictions.join('; ')
}

const memo = encodeBurnMemo({ type: 'consolidate', value: 9n, inputs: 3n })
const burn = { type: 'burn', from: { owner: MINTER }, amount: tokens(7n), memo } as const
const paid = { type: 'xConsolidationBurned', blockIndex: 0n, amount: 7n } as const
const created: Payload = {
  type: 'createdConsolidateUtxosRequest',
  amount: 9n,
  address: { type: 'p2wpkhV0', bytes: new Uint8Array(20) },
  blockIndex: 0n,
  receivedAt: 1n,
}

describe('the burn of a consolidation', () => {
  it('is in the books, reused after an abort or not, and in those of the deployed minter', () => {
    expect(found([burn], paid, created)).toBe('')
    expect(found([burn], paid, created, created)).toBe('')
    expect(found([burn], created)).toBe('')
  })

  it.each<readonly [string, string]>([
    [found([burn]), 'has no event'],
    [found([{ ...burn, amount: tokens(6n) }], paid, created), 'burns 6, its event says 7'],
    [found([{ ...burn, memo: undefined }], paid, created), 'does not say that it pays'],
    [found([{ ...burn, memo: undefined }], created), 'has no event'],
    [found([burn], paid, paid), 'named twice'],
    [found([], paid), 'which is none'],
  ])('%s', (contradiction, part) => {
    expect(contradiction).toContain(part)
  })
})

describe('a reimbursement that was found late', () => {
  const account = { owner: user(1) }
  const request = {
    type: 'burn',
    from: account,
    amount: tokens(100n),
    memo: encodeBurnMemo({ type: 'convert', address: 'a' }),
  } as const
  const mint = {
    type: 'mint',
    to: account,
    amount: tokens(90n),
    memo: encodeMintMemo({ type: 'reimburseWithdrawal', withdrawalId: 0n }),
  } as const
  const before: readonly Payload[] = [
    { ...created, type: 'acceptedRetrieveBtcRequest', amount: 100n, reimbursementAccount: account },
    { type: 'xScheduleReimbursement', account, burnBlockIndex: 0n, amount: 90n },
    { type: 'quarantinedWithdrawalReimbursement', burnBlockIndex: 0n },
  ]
  const resolved: Payload = { type: 'xResolvedUnknown', burnBlockIndex: 0n, mintBlockIndex: 1n }

  it('is in the books', () => {
    expect(found([request, mint], ...before, resolved)).toBe('')
    expect(found([request, mint], ...before)).toContain('mint block 1 has no event')
    const more = { ...mint, amount: tokens(91n) }
    expect(found([request, more], ...before, resolved)).toContain('gives back 91, not 90')
  })
})
