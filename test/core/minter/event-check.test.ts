/**
 * The check after every event against the one that looks everywhere. Source: minter §18.5.
 *
 * Long valid histories satisfy both at every event. Then the state that an event has led to is
 * damaged where that event wrote, in every way in which a wrong writer could: both checks must see it.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountKey } from '../../../src/core/ic/account.ts'
import { apply } from '../../../src/core/minter/apply/apply.ts'
import { configOfInit } from '../../../src/core/minter/config.ts'
import type { Event, PayloadType } from '../../../src/core/minter/events/events.ts'
import { takeCoin } from '../../../src/core/minter/state/coin-set.ts'
import { applyChecked, violationsAt } from '../../../src/core/minter/state/event-check.ts'
import { freshState } from '../../../src/core/minter/state/fresh-state.ts'
import type { OutpointKey, State } from '../../../src/core/minter/state/state.ts'
import type { Touched } from '../../../src/core/minter/state/touched.ts'
import { touchedBy } from '../../../src/core/minter/state/touched.ts'
import { invariantViolations } from '../../../src/core/minter/state/violations.ts'
import { history, MINTER } from '../../support/minter-history.ts'

const SMALL = { accounts: 7, coins: 40, consolidatedEvery: 5 }
const EVENTS = 1_600

const events: readonly Event[] = firstOf(EVENTS)

function firstOf(count: number): readonly Event[] {
  const found: Event[] = []
  for (const event of history(SMALL)) {
    if (found.push(event) === count) break
  }
  return found
}

function stateAfter(count: number): State {
  const [first] = events
  if (first?.payload.type !== 'init') return expect.unreachable()
  const state = freshState(MINTER, configOfInit(first.payload.args))
  for (const event of events.slice(0, count)) apply(state, event)
  return state
}

describe('a valid history', () => {
  it('satisfies both checks after every event', () => {
    const state = stateAfter(0)
    for (const [index, event] of events.entries()) {
      applyChecked(state, event)
      expect(state.volatile.broken).toEqual([])
      if (index % 16 === 0) expect(invariantViolations(state)).toEqual([])
    }
    const kinds = new Set(events.map(({ payload }) => payload.type))
    for (const kind of ['replacedTransaction', 'createdConsolidateUtxosRequest'] as const)
      expect(kinds).toContain(kind)
    expect(kinds.size).toBe(13)
  })
})

type Site = { readonly state: State; readonly touched: Touched; readonly coin: OutpointKey }

/** A wrong writer: what it does to the state where it writes. False: not possible here. */
type Damage = readonly [
  name: string,
  after: readonly PayloadType[],
  damage: (site: Site) => boolean,
]

const DEPOSIT = ['receivedUtxos'] as const
const ACCEPTED = ['acceptedRetrieveBtcRequest'] as const
const STARTED = ['xSigningStarted'] as const
const SENT = ['sentTransaction'] as const
const REPLACED = ['replacedTransaction'] as const
const FINAL = ['confirmedTransaction'] as const
const RETURNED = ['xScheduleReimbursement', 'reimbursedWithdrawal'] as const

const burnOf = ({ touched: { burns } }: Site): bigint => burns[0] ?? expect.unreachable()
const keyOf = ({ touched: { transactions } }: Site): string =>
  transactions.at(-1) ?? expect.unreachable()
const done = (...what: readonly unknown[]): true => {
  expect(what.every((one) => one !== false)).toBe(true)
  return true
}

/** The transaction in which the burns of the event stand. */
const standing = (site: Site): string | undefined => {
  if (site.touched.burns.length === 0) return undefined // A replacement.
  const place = site.state.burnPlaces.get(burnOf(site))
  return place === undefined || place.type === 'queued' ? undefined : place.txid
}

const damages: readonly Damage[] = [
  ['1: a coin without account', DEPOSIT, ({ state, coin }) => state.outpointAccount.delete(coin)],
  [
    '1: a coin missing from its account',
    DEPOSIT,
    ({ state, touched, coin }) =>
      state.accountUtxos.get(touched.account ?? '')?.delete(coin) ?? false,
  ],
  [
    '2: a coin of another account',
    DEPOSIT,
    ({ state, coin }) =>
      done(
        state.outpointAccount.set(coin, { owner: MINTER, subaccount: new Uint8Array(32).fill(3) }),
      ),
  ],
  [
    '7: a coin that is nowhere',
    DEPOSIT,
    ({ state, coin }) => takeCoin(state.coins, coin) !== undefined,
  ],
  [
    '7: a coin out of its order',
    DEPOSIT,
    ({ state, coin }) => {
      const utxo = state.availableUtxos.get(coin)
      const piece = state.coins.pieces.find((coins) => utxo !== undefined && coins.includes(utxo))
      if (piece === undefined || utxo === undefined || piece.length < 2) return false
      piece.splice(piece.indexOf(utxo), 1)
      piece.splice(piece.length > 0 && piece[0] === utxo ? piece.length : 0, 0, utxo)
      return piece.indexOf(utxo) === 0 && piece.length > 1
        ? invariantViolations(state).length > 0
        : true
    },
  ],
  [
    '7: a coin that is spent too early',
    DEPOSIT,
    ({ state, coin }) => done(state.spentBy.set(coin, 'ff')),
  ],
  [
    '8: a coin that was not credited',
    DEPOSIT,
    ({ state, coin }) => state.mintedOutpoints.delete(coin),
  ],
  [
    '8: a coin that still waits',
    DEPOSIT,
    ({ state, coin }) => {
      const utxo = state.availableUtxos.get(coin)
      return utxo !== undefined && done(state.checkedUtxos.set(coin, { utxo, status: 'clean' }))
    },
  ],
  [
    '8: a coin that was given',
    DEPOSIT,
    ({ state, coin }) => {
      const utxo = state.availableUtxos.get(coin)
      return utxo !== undefined && done(state.donations.set(coin, utxo))
    },
  ],
  [
    '8: a coin that waits in two places',
    ['checkedUtxoV2'],
    ({ state, touched, coin }) => {
      const utxo = state.checkedUtxos.get(coin)?.utxo
      if (utxo === undefined || touched.account === undefined) return false
      const suspension = { utxo, reason: 'quarantined' } as const
      return done(state.suspendedUtxos.set(touched.account, new Map([[coin, suspension]])))
    },
  ],
  [
    '3: a request before its time',
    ACCEPTED,
    ({ state }) => {
      const last = state.queue.pop()
      if (last === undefined || (state.queue[0]?.receivedAt ?? 0n) >= last.receivedAt) return false
      return state.queue.length > 0 && done(state.queue.unshift(last))
    },
  ],
  ['6: a burn without place', ACCEPTED, (site) => damageQueue(site, 'index')],
  ['6: a burn that is not queued', ACCEPTED, (site) => damageQueue(site, 'queue')],
  [
    '6: a burn that is done and waits',
    ACCEPTED,
    (site) => {
      const request = site.state.queue.at(-1)
      return (
        request !== undefined &&
        done(site.state.finalized.set(burnOf(site), { request, txid: undefined }))
      )
    },
  ],
  ['6: a hold that stayed', RETURNED, (site) => done(site.state.held.set(burnOf(site), 1n))],
  [
    '6: a burn that is given back twice',
    RETURNED,
    (site) => {
      const { state } = site
      const task = state.reimbursements.get(burnOf(site)) ?? state.reimbursed.get(burnOf(site))
      if (task === undefined) return false
      state.reimbursements.set(burnOf(site), task)
      return done(state.reimbursed.set(burnOf(site), { ...task, mintBlockIndex: 1n }))
    },
  ],
  [
    '6: a burn in another transaction',
    STARTED,
    (site) =>
      standing(site) !== undefined &&
      done(site.state.burnPlaces.set(burnOf(site), { type: 'signing', txid: 'ff' })),
  ],
  [
    '7: coins that stay available',
    STARTED,
    ({ state, coin }) => {
      const utxo = [...state.signing.values()].flatMap(({ utxos }) => utxos)[0]
      return (
        utxo !== undefined && state.spentBy.has(coin) && done(state.coins.byKey.set(coin, utxo))
      )
    },
  ],
  ['7: coins that nothing spends', STARTED, ({ state, coin }) => state.spentBy.delete(coin)],
  [
    '7: coins of another transaction',
    SENT,
    ({ state, coin }) => done(state.spentBy.set(coin, 'ff')),
  ],
  [
    '7: a transaction that is signed and sent',
    SENT,
    (site) => {
      const { state } = site
      const sent = state.submitted.get(keyOf(site))
      return sent !== undefined && done(state.stuck.set(keyOf(site), sent))
    },
  ],
  ['6: a transaction that is gone', SENT, (site) => site.state.submitted.delete(keyOf(site))],
  [
    '9: a consolidation that is not current',
    SENT,
    ({ state }) => {
      const isSent = [...state.submitted.values()].some(
        ({ purpose }) => purpose.type === 'toConsolidate',
      )
      state.consolidation = undefined
      return isSent
    },
  ],
  [
    '4: a replaced one that is lost',
    REPLACED,
    ({ state, touched }) => state.stuck.delete(touched.transactions[0] ?? ''),
  ],
  ['4: a replacement that is lost', REPLACED, (site) => site.state.submitted.delete(keyOf(site))],
  ['5: a replacement one way', REPLACED, (site) => site.state.replaces.delete(keyOf(site))],
  [
    '5: a replacement of itself',
    REPLACED,
    ({ state, touched }) => {
      const [before, after] = touched.transactions
      if (before === undefined || after === undefined) return false
      state.replacedBy.set(after, before)
      return done(state.replaces.set(before, after))
    },
  ],
  ['7: a coin that stays spent', FINAL, ({ state, coin }) => done(state.spentBy.set(coin, 'ff'))],
  [
    '2: a coin that keeps its account',
    FINAL,
    ({ state, coin }) => done(state.outpointAccount.set(coin, { owner: MINTER })),
  ],
  [
    '6: a burn that stays under way',
    FINAL,
    (site) =>
      done(site.state.burnPlaces.set(burnOf(site), { type: 'submitted', txid: keyOf(site) })),
  ],
]

function damageQueue(site: Site, what: 'index' | 'queue'): boolean {
  if (what === 'queue') return site.state.queue.pop() !== undefined
  return done(site.state.burnPlaces.set(burnOf(site), { type: 'submitted', txid: 'ff' }))
}

describe('damage where an event wrote', () => {
  it.each(damages)('%s: both checks see it', (_, after, damage) => {
    const places = [...events.keys()].filter((at) =>
      after.some((type) => events[at]?.payload.type === type),
    )
    expect(places.length).toBeGreaterThan(0)
    let damaged = 0
    fc.assert(
      fc.property(fc.constantFrom(...places), (at) => {
        const event = events[at]
        if (event === undefined) return expect.unreachable()
        const state = stateAfter(at)
        const touched = touchedBy(state, event.payload)
        apply(state, event)
        const [coin = ''] = touched.coins
        fc.pre(damage({ state, touched, coin }))
        damaged++
        expect(invariantViolations(state)).not.toEqual([])
        expect(violationsAt(state, touched)).not.toEqual([])
      }),
      { numRuns: 6, seed: 7 },
    )
    expect(damaged).toBeGreaterThan(0)
  })
})

it('the account of a coin is that of its event', () => {
  const deposit = events.find(({ payload }) => payload.type === 'receivedUtxos')
  if (deposit?.payload.type !== 'receivedUtxos') return expect.unreachable()
  const { account } = touchedBy(stateAfter(1), deposit.payload)
  expect(account).toBe(accountKey(deposit.payload.toAccount))
})

it('requests of one time leave the queue each by itself', () => {
  const state = stateAfter(1)
  const receivedAt = 5n
  const address = { type: 'p2sh', bytes: new Uint8Array(20) } as const
  for (const blockIndex of [70n, 71n, 72n]) {
    const payload = { type: 'acceptedRetrieveBtcRequest', amount: 9n, address } as const
    applyChecked(state, { payload: { ...payload, blockIndex, receivedAt } })
  }
  applyChecked(state, { payload: { type: 'removedRetrieveBtcRequest', blockIndex: 71n } })
  expect(state.queue.map(({ blockIndex }) => blockIndex)).toEqual([70n, 72n])
  expect(state.volatile.broken).toEqual([])
  expect(invariantViolations(state)).toEqual([])
})
