/** What the minter's view of a redemption becomes in journal and words. Source: cli §§5.5, 5.6. */
import { describe, expect, it } from 'vitest'
import type { Wait } from '../../../src/core/minter/views/waits.ts'
import type { Withdrawal } from '../../../src/core/minter/views/withdrawals.ts'
import { chainFacts, waitWords } from '../../../src/wallet/operations/redemption-story.ts'
import { someTxid } from '../../support/minter-world.ts'

type Sent = Partial<Withdrawal['transactions'][number]>

const withdrawal = (transactions: readonly Sent[], wait?: Wait): Withdrawal => ({
  blockIndex: 3n,
  amount: 1_000n,
  address: 'bcrt1',
  receivedAt: 0n,
  status: { type: 'pending' },
  requiredConfirmations: 6,
  transactions: transactions.map((one, i) => ({
    txid: someTxid(i + 1),
    submittedAt: BigInt(i),
    isCancellation: false,
    confirmations: 0,
    ...one,
  })),
  wait,
})

const id = (byte: number): string => `0${byte}`.repeat(32)

describe('what the journal keeps', () => {
  it('is nothing before anything was sent', () => {
    expect(chainFacts(withdrawal([]))).toEqual({})
  })

  it('is the newest of a chain, with what it costs, and those before it', () => {
    const sent = [{}, {}, { feeRate: 7_000n, receives: 900n }]
    expect(chainFacts(withdrawal(sent))).toEqual({
      txid: id(3),
      replacedTxids: `${id(1)} ${id(2)}`,
      feeRateMsatPerVb: '7000',
      receivesSat: '900',
    })
  })

  it('is the one that a block has, whichever it is', () => {
    expect(chainFacts(withdrawal([{ confirmations: 1 }, {}]))).toEqual({
      txid: id(1),
      replacedTxids: id(2),
    })
  })

  it('has a cancellation beside the payment that it took the place of', () => {
    expect(chainFacts(withdrawal([{}, { isCancellation: true }]))).toEqual({
      txid: id(1),
      cancelledByTxid: id(2),
    })
  })
})

describe('why a redemption waits', () => {
  it.each<readonly [Wait, string]>([
    [{ type: 'key' }, 'the subnet is making the minter’s key'],
    [
      { type: 'stopped' },
      'the minter has stopped itself: its books are broken, and a person has to look',
    ],
    [
      { type: 'confirmations', have: 0, required: 6, replacedAt: 0n },
      'no block has the transaction yet; replaced with more fee from 1970-01-01T00:00:00.000Z on',
    ],
    [
      { type: 'confirmations', have: 0, required: 6, replacedAt: 0n, delay: 'dustOutput' },
      'no block has the transaction yet; not replaced with more fee now: so little would be left that nodes do not relay it',
    ],
    [{ type: 'view' }, 'the minter’s view of Bitcoin is behind'],
    [
      { type: 'queue', until: 1_000_000_000n, ahead: 2 },
      'sent with others by 1970-01-01T00:00:01.000Z, 2 before it',
    ],
    [{ type: 'funds', available: 5n }, 'the minter has 5 sat at hand now'],
    [
      { type: 'funds', available: 5n, passedOverSince: 1n },
      'the minter has 5 sat at hand now; it goes first as soon as that is enough',
    ],
    [
      { type: 'fees', since: 0n, until: 1_000_000_000n },
      'fees are too high for it now; given back if they stay so until 1970-01-01T00:00:01.000Z',
    ],
    [{ type: 'lostCoins', amount: 9n }, 'a reorganisation took back coins of 9 sat'],
    [{ type: 'signatures', signed: 1, inputs: 3, failed: 0 }, '1 of 3 signatures'],
    [
      { type: 'signatures', signed: 0, inputs: 1, failed: 2 },
      '0 of 1 signature, 2 asked for again',
    ],
    [{ type: 'announcement' }, 'no Bitcoin node has asked for the transaction yet'],
    [{ type: 'confirmations', have: 0, required: 6 }, 'no block has the transaction yet'],
    [{ type: 'confirmations', have: 2, required: 6 }, '2 of 6 confirmations'],
    [
      { type: 'cancellation', have: 0, required: 6 },
      'cancelled; given back after 0 of 6 confirmations',
    ],
    [{ type: 'return' }, 'given back with the next round of the minter'],
    [{ type: 'unknownReturn' }, 'whether it was given back is looked up on the ledger'],
  ])('%o', (wait, words) => {
    expect(waitWords(withdrawal([{}], wait))).toBe(words)
  })

  it('is nothing once it is over, and counts what was replaced while no block has any', () => {
    const unseen: Wait = { type: 'confirmations', have: 0, required: 6 }
    expect(waitWords(withdrawal([{}]))).toBeUndefined()
    expect(waitWords(withdrawal([{}, {}], unseen))).toBe(
      'no block has the transaction yet; replaced once with more fee',
    )
    expect(waitWords(withdrawal([{}, {}, {}], unseen))).toContain('replaced 2 times')
  })
})
