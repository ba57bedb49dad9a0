/** Every kind of event in words, and whom it is about. Source: cli §5.14, minter §18.2. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Payload } from '../../src/core/minter/events/events.ts'
import { AccountTrail, subjectOf } from '../../src/wallet/event-subjects.ts'
import type { Wording } from '../../src/wallet/event-words.ts'
import { sentenceOf } from '../../src/wallet/event-words.ts'
import { eventsOf, PAYLOAD_TYPES } from '../support/minter-arbitraries.ts'
import { MINTER, someTxid, user } from '../support/minter-world.ts'

const symbols = { bitcoin: 'BTC', token: 'ckBTC' }
const wording: Wording = {
  minterId: MINTER,
  network: 'regtest',
  symbols,
  shown: (identifier) => identifier.slice(0, 4),
}
const account = { owner: user(1) }
const address = { type: 'p2wpkhV0', bytes: new Uint8Array(20) } as const
const utxo = { outpoint: { txid: someTxid(3), vout: 1 }, value: 50_000n, height: 7 }
const error = { type: 'tooManyInputs', inputs: 1_200n, inputsMax: 1_000n } as const
const sent = {
  type: 'sentTransaction',
  requests: [3n, 4n],
  txid: someTxid(9),
  utxos: [utxo, utxo],
  submittedAt: 1n,
  fee: 5_035n,
  withdrawalFee: { bitcoinFee: 705n, minterFee: 300n },
}
const replaced = {
  type: 'replacedTransaction',
  oldTxid: someTxid(9),
  newTxid: someTxid(8),
  changeOutput: { vout: 1, value: 1n },
  submittedAt: 2n,
  fee: 6_000n,
}
const accepted = {
  type: 'acceptedRetrieveBtcRequest',
  amount: 20_000_000n,
  address,
  blockIndex: 3n,
  receivedAt: 1n,
  reimbursementAccount: account,
}

const told = (payload: unknown): string => sentenceOf(payload as Payload, wording)

describe('the sentence of an event', () => {
  it.each(PAYLOAD_TYPES)('of kind %s says something, and names what it is about', (type) => {
    fc.assert(
      fc.property(eventsOf(type), ({ payload }) => {
        const { burns } = subjectOf(payload)
        const sentence = sentenceOf(payload, wording)
        expect(sentence.length).toBeGreaterThan(10)
        for (const burn of burns.slice(0, 5)) expect(sentence).toContain(String(burn))
        expect(sentence).not.toMatch(/undefined|\[object|NaN/)
      }),
      { numRuns: 10 },
    )
  })

  it.each<readonly [unknown, string]>([
    [accepted, 'redeem accepted: 0.20000000 ckBTC to bcrt (burn 3)'],
    [sent, 'tx 0909 sent for burns 3, 4, 2 inputs, 5.04 sat/vB, fee 705 + 300 sat'],
    [replaced, 'tx 0909 replaced by 0808 with more fee, 6 sat/vB'],
    [
      { ...replaced, reason: { type: 'toCancel', error } },
      'tx 0909 cancelled by 0808: 1200 inputs are more than 1000, 6 sat/vB',
    ],
    [
      { type: 'receivedUtxos', toAccount: { owner: MINTER }, utxos: [utxo] },
      'coins received: 0.00050000 BTC of tx 0303:1 for the minter',
    ],
    [{ type: 'upgrade', args: {} }, 'minter upgraded: nothing changed'],
    [
      { type: 'upgrade', args: { mode: { type: 'readOnly' }, inputsMax: 5n } },
      'minter upgraded: read-only, at most 5 inputs in a transaction',
    ],
  ])('of %o', (payload, sentence) => {
    expect(told(payload)).toBe(sentence)
  })
})

describe('the trail of an account', () => {
  it('follows its burns into transactions, replacements and their end', () => {
    const trail = new AccountTrail(account)
    const concerns = (payload: unknown): boolean => trail.concerns(payload as Payload)
    const final = (txid: Uint8Array) => ({ type: 'confirmedTransaction', txid })
    expect(concerns(sent)).toBe(false) // Not yet its burn.
    expect(concerns(accepted)).toBe(true)
    expect(concerns({ ...accepted, blockIndex: 4n, reimbursementAccount: undefined })).toBe(false)
    expect(concerns(sent)).toBe(true)
    expect(concerns(final(someTxid(7)))).toBe(false)
    expect(concerns(replaced)).toBe(true)
    expect(concerns(final(someTxid(8)))).toBe(true)
  })

  it('does not lead from a deposit to who else was paid by its transaction', () => {
    const trail = new AccountTrail(account)
    const deposit = { type: 'checkedUtxoV2', utxo, account }
    expect(trail.concerns(deposit as Payload)).toBe(true)
    expect(trail.concerns({ ...deposit, account: { owner: user(2) } } as Payload)).toBe(false)
  })
})
