/**
 * Goal: chains of replacements hold together in every log, and end whole; a log in which one
 * transaction takes the place of another wrongly is refused. Source: minter §§13, 14, 18.2, 18.5.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { sat, timestampNs } from '../../../src/core/base/units.ts'
import { decodeTransaction, encodeStripped } from '../../../src/core/btc/transaction.ts'
import { eventsOf } from '../../../src/core/minter/events/event-log.ts'
import type { Payload } from '../../../src/core/minter/events/events.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { chainOf, changesOf } from '../../../src/core/minter/state/replacement-chain.ts'
import type { State } from '../../../src/core/minter/state/state.ts'
import { keyOfTxid } from '../../../src/core/minter/state/state.ts'
import { invariantViolations } from '../../../src/core/minter/state/violations.ts'
import type { Utxo } from '../../../src/core/minter/types.ts'
import { statusV1 } from '../../../src/core/minter/withdrawals/status.ts'
import { MINTER, signatureFor, someTxid, TestMinter, user } from '../../support/minter-world.ts'

const alice = { owner: user(1) }
const address = { type: 'p2wpkhV0', bytes: new Uint8Array(20) } as const
const init = [...eventsOf(new TestMinter().minter.log)].map(({ payload }) => payload)

const replayOf = (payloads: readonly Payload[]): State =>
  replay(
    [...init, ...payloads].map((payload) => ({ payload })),
    MINTER,
  )

const txidOf = (chain: number, member: number): Txid =>
  hash32(new Uint8Array(32).fill(7).with(0, chain).with(1, member)) as Txid
const coinOf = (chain: number, vout = 0): Utxo => ({
  outpoint: { txid: txidOf(chain, 255), vout },
  value: sat(50_000n),
  height: 1,
})

/** A coin, a withdrawal that spends it, and `replacements` after the transaction. */
function chainEvents(chain: number, replacements: number): readonly Payload[] {
  const change = { changeOutput: { vout: 1, value: 1_000n } }
  return [
    { type: 'receivedUtxos', toAccount: alice, mintTxid: BigInt(chain), utxos: [coinOf(chain)] },
    {
      type: 'acceptedRetrieveBtcRequest',
      amount: 10_000n,
      address,
      blockIndex: BigInt(chain),
      receivedAt: 5n,
      reimbursementAccount: alice,
    },
    {
      type: 'sentTransaction',
      requests: [BigInt(chain)],
      txid: txidOf(chain, 0),
      utxos: [coinOf(chain)],
      submittedAt: 6n,
      ...change,
    },
    ...Array.from(
      { length: replacements },
      (_, i): Payload => ({
        type: 'replacedTransaction',
        oldTxid: txidOf(chain, i),
        newTxid: txidOf(chain, i + 1),
        submittedAt: 7n + BigInt(i),
        fee: 1_000n * BigInt(i),
        ...change,
      }),
    ),
  ]
}

const sizesOf = ({ submitted, stuck, replacedBy, replaces }: State): readonly number[] =>
  [submitted, stuck, replacedBy, replaces].map(({ size }) => size)

it('minter §23.84: of chains of one to five, whichever member confirms, nothing is left', () => {
  const story = fc
    .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
    .chain((lengths) =>
      fc.tuple(
        fc.constant(lengths),
        fc.tuple(...lengths.map((length) => fc.integer({ min: 0, max: length - 1 }))),
      ),
    )
  fc.assert(
    fc.property(story, ([lengths, confirming]) => {
      const made = lengths.flatMap((length, chain) => chainEvents(chain, length - 1))
      const state = replayOf(made)
      expect(invariantViolations(state)).toEqual([])
      lengths.forEach((length, chain) => {
        const newest = txidOf(chain, length - 1)
        const members = Array.from({ length }, (_, i) => keyOfTxid(txidOf(chain, i)))
        for (const member of members) {
          expect(chainOf(state, member)).toEqual(members)
          expect(chainOf(state, member).at(-1)).toBe(keyOfTxid(newest))
        }
        expect(changesOf(state, keyOfTxid(newest))?.length).toBe(length)
        expect(statusV1({ state, volatile: state.volatile }, BigInt(chain))).toEqual({
          type: 'submitted',
          txid: newest,
        })
      })
      const events = [...made]
      confirming.forEach((member, chain) => {
        events.push({ type: 'confirmedTransaction', txid: txidOf(chain, member) })
        const after = replayOf(events)
        expect(invariantViolations(after)).toEqual([])
        expect(after.finalized.get(BigInt(chain))?.txid).toEqual(txidOf(chain, member))
        const open = lengths.slice(chain + 1)
        const replaced = open.reduce((sum, length) => sum + length - 1, 0)
        expect(sizesOf(after)).toEqual([open.length, replaced, replaced, replaced])
      })
      expect(sizesOf(replayOf(events))).toEqual([0, 0, 0, 0])
    }),
    { numRuns: 40 },
  )
})

/** The events of a withdrawal of two inputs that was replaced, its signatures among them. */
const lived = (() => {
  const world = new TestMinter()
  for (let i = 0; i < 2; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080', 1_500_000n)
  world.wait(11_000_000_000n)
  world.sign()
  const sentCount = world.minter.log.count
  world.wait(86_400_000_000_000n)
  for (const request of world.outstanding()) world.deliver(request, signatureFor(request))
  const payloads = [...eventsOf(world.minter.log)].map(({ payload }) => payload)
  return { sent: payloads.slice(0, sentCount), replacing: payloads.slice(sentCount) }
})()

const replayLived = (payloads: readonly Payload[]): State =>
  replay(
    payloads.map((payload) => ({ payload, timestamp: timestampNs(1n) })),
    MINTER,
  )

type Kind<T extends Payload['type']> = Extract<Payload, { readonly type: T }>
const only = <T extends Payload['type']>(payload: Payload | undefined, type: T): Kind<T> =>
  payload?.type === type ? (payload as Kind<T>) : expect.unreachable(`no ${type}`)

const [start, one, two, replaced] = lived.replacing
const started = only(start, 'xSigningStarted')
const done = only(replaced, 'replacedTransaction')
const { replaces = expect.unreachable('it replaces') } = started
const { sent } = lived
const error = { type: 'tooManyInputs', inputs: 2n, inputsMax: 1n } as const
const isSigned = (payload: Payload | undefined): Payload => only(payload, 'xInputSigned')
const signatures = [isSigned(one), isSigned(two)]

/** The same transaction at another fee. */
function cheaper(): Payload {
  const transaction = decodeTransaction(started.unsignedTransaction)
  const outputs = transaction.outputs.map((output) => ({ ...output, value: sat(1_000n) }))
  return { ...started, unsignedTransaction: encodeStripped({ ...transaction, outputs }) }
}

/** The same transaction with one input less. */
function fewer(): Payload {
  const transaction = decodeTransaction(started.unsignedTransaction)
  const inputs = transaction.inputs.slice(1)
  return {
    ...started,
    unsignedTransaction: encodeStripped({ ...transaction, inputs }),
    utxos: started.utxos.slice(1),
  }
}

describe('a replacement in the log', () => {
  it('holds its invariants at every event', () => {
    const all = [...sent, ...lived.replacing]
    for (let count = 1; count <= all.length; count++)
      expect(invariantViolations(replayLived(all.slice(0, count)))).toEqual([])
    const [made] = replayLived(all).submitted.values()
    expect(made?.txid).toEqual(done.newTxid)
    expect(made?.signedTransaction).toBeDefined()
  })

  it('is read without signatures where a deployed minter wrote it', () => {
    const [made] = replayLived([...sent, done]).submitted.values()
    expect(made?.txid).toEqual(done.newTxid)
    expect(made?.signedTransaction).toBeUndefined()
  })

  it.each<readonly [string, readonly Payload[]]>([
    ['signed twice at once', [...sent, started, cheaper()]],
    ['signed while it is signed', [...sent, started, started]],
    [
      'signed for what was never sent',
      [...sent, { ...started, replaces: { ...replaces, oldTxid: someTxid(9) } }],
    ],
    [
      'signed for what was replaced already',
      [...sent, ...lived.replacing, { ...started, replaces }],
    ],
    ['signed with requests of its own', [...sent, { ...started, requests: [1n] }]],
    ['signed over other coins', [...sent, fewer()]],
    [
      'signed as a cancellation of coins of nobody',
      [
        ...sent,
        {
          ...started,
          replaces: { ...replaces, reason: { type: 'toCancel', error } },
          utxos: started.utxos.map((utxo) => ({
            ...utxo,
            outpoint: { ...utxo.outpoint, vout: 9 },
          })),
        },
      ],
    ],
    [
      'sent as if it replaced nothing',
      [
        ...sent,
        started,
        ...signatures,
        {
          type: 'sentTransaction',
          requests: [],
          txid: done.newTxid,
          utxos: started.utxos,
          submittedAt: 1n,
        },
      ],
    ],
    [
      'recorded for another one',
      [...sent, started, ...signatures, { ...done, oldTxid: someTxid(9) }],
    ],
    ['recorded with a signature missing', [...sent, started, ...signatures.slice(1), done]],
    [
      'recorded for another reason',
      [
        ...sent,
        started,
        ...signatures,
        { ...done, reason: { type: 'toCancel', error }, newUtxos: started.utxos },
      ],
    ],
    [
      'recorded with other coins',
      [...sent, started, ...signatures, { ...done, newUtxos: started.utxos.slice(1) }],
    ],
    ['recorded twice', [...sent, ...lived.replacing, done]],
    ['recorded in its own place', [...sent, { ...done, newTxid: done.oldTxid }]],
    [
      'recorded in the place of one that it came after',
      [...sent, ...lived.replacing, { ...done, oldTxid: done.newTxid, newTxid: done.oldTxid }],
    ],
  ])('that is %s is refused', (_, payloads) => {
    expect(invariantViolations(replayLived(payloads.slice(0, -1)))).toEqual([])
    expect(() => replayLived(payloads)).toThrow(BadEncoding)
  })
})

describe('a reimbursement', () => {
  const burn = only(
    sent.find(({ type }) => type === 'acceptedRetrieveBtcRequest'),
    'acceptedRetrieveBtcRequest',
  ).blockIndex
  const back: Payload = {
    type: 'scheduleWithdrawalReimbursement',
    account: alice,
    burnBlockIndex: burn,
    amount: 1n,
    error,
  }
  const cancelling: Payload = {
    ...done,
    reason: { type: 'toCancel', error },
    newUtxos: started.utxos.slice(1),
  }

  it.each<readonly [string, readonly Payload[]]>([
    ['is being signed', sent.slice(0, -3)],
    ['is submitted', sent],
    ['is being replaced', [...sent, started]],
    ['was replaced', [...sent, ...lived.replacing]],
    ['is cancelled, which is not final', [...sent, cancelling]],
    ['was paid', [...sent, { type: 'confirmedTransaction', txid: done.oldTxid }]],
  ])('minter §23.98: of a withdrawal whose transaction %s is refused as a bug', (_, payloads) => {
    expect(() => replayLived(payloads)).not.toThrow()
    expect(() => replayLived([...payloads, back])).toThrow(BadEncoding)
  })

  it('is taken once its cancellation is final, and only once', () => {
    const final: readonly Payload[] = [
      ...sent,
      cancelling,
      { type: 'confirmedTransaction', txid: done.newTxid },
    ]
    const state = replayLived([...final, back])
    expect(state.reimbursements.get(burn)?.amount).toBe(1n)
    expect(invariantViolations(state)).toEqual([])
    expect(() => replayLived([...final, back, back])).toThrow(BadEncoding)
    expect(() => replayLived([...final, { ...back, amount: 1_500_001n }])).toThrow(BadEncoding)
  })
})
