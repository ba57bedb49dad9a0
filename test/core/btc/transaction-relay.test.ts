/**
 * Goal: what is known of one of our transactions is never more than its evidence, and it is announced
 * as long as that is too little. Method: relay and states by hand, peers that do what a test says.
 */
import { describe, expect, it } from 'vitest'
import type { Txid } from '../../../src/core/base/bytes.ts'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { inventory } from '../../../src/core/btc/message.ts'
import type { Standing } from '../../../src/core/btc/standing.ts'
import { transactionFromParts } from '../../../src/core/btc/transaction.ts'
import type { FateEvent, Tracked } from '../../../src/core/btc/transaction-fate.ts'
import { advance, fateOf, newTracked, remarkOf } from '../../../src/core/btc/transaction-fate.ts'
import type { Announcement, RelayPeer } from '../../../src/core/btc/transaction-relay.ts'
import { HEARD_MAX, PAST_MAX, TransactionRelay } from '../../../src/core/btc/transaction-relay.ts'

const MINUTE_MS = 60_000
const idOf = (n: number): Txid => hash32(new Uint8Array(32).fill(n))
const waiting: Standing = { type: 'waiting', rateSatPerKvb: 5_000n }
const inBlock = (confirmations: number): Standing => ({ type: 'inBlock', height: 7, confirmations })

describe('the fate of a transaction', () => {
  const by = idOf(9)
  const standing = (to: Standing): FateEvent => ({ type: 'standing', standing: to })
  const told = { type: 'announced', peer: 1 } as const
  const cases: readonly (readonly [string, readonly FateEvent[], object])[] = [
    ['begins as queued', [], { type: 'queued' }],
    ['is announced by how many peers were told', [told, told], { type: 'announced', peers: 1 }],
    [
      'is requested by whom',
      [told, { type: 'requested', peer: 1 }],
      { type: 'requested', peers: 1 },
    ],
    [
      'is echoed by who was not told',
      [told, { type: 'echoed', peer: 2 }],
      { type: 'echoed', peers: 1 },
    ],
    [
      'is not echoed by who was',
      [told, { type: 'echoed', peer: 1 }],
      { type: 'announced', peers: 1 },
    ],
    ['is in a block', [told, standing(inBlock(5))], inBlock(5)],
    ['is final with six confirmations', [standing(inBlock(6))], { type: 'final' }],
    [
      'is final where the list let it go',
      [standing(inBlock(5)), { type: 'dropped' }],
      { type: 'final' },
    ],
    ['expires in the list', [told, { type: 'dropped' }], { type: 'expired' }],
    [
      'is conflicted by another',
      [told, standing({ type: 'conflicted', by, confirmations: 2 })],
      { type: 'conflicted', by, confirmations: 2 },
    ],
    ['is replaced by one of ours', [standing({ type: 'replaced', by })], { type: 'replaced', by }],
    [
      'is queued again after a reorganisation, whatever peers did before',
      [told, { type: 'requested', peer: 1 }, standing(inBlock(1)), standing(waiting)],
      { type: 'queued' },
    ],
    [
      'is not echoed after a reorganisation by whom it was told before',
      [told, standing(inBlock(1)), standing(waiting), { type: 'echoed', peer: 1 }],
      { type: 'queued' },
    ],
    [
      'is what is left of a replacement that the chain undid',
      [standing({ type: 'replaced', by }), standing(waiting), told],
      { type: 'announced', peers: 1 },
    ],
  ]
  it.each(cases)('%s', (_, events, fate) => {
    const tracked = newTracked(waiting, 0)
    for (const event of events) advance(tracked, event, 1)
    expect(fateOf(tracked)).toEqual(fate)
  })

  it('has the age of its strongest evidence', () => {
    const tracked = newTracked(waiting, 5)
    advance(tracked, told, 10)
    advance(tracked, { type: 'announced', peer: 2 }, 20)
    expect(tracked.sinceMs).toBe(10)
    advance(tracked, { type: 'requested', peer: 2 }, 30)
    expect(tracked.sinceMs).toBe(30)
  })

  it('bitcoin §13.56: calls for a new announcement when the block that held it is gone', () => {
    const tracked = newTracked(waiting, 0)
    expect(advance(tracked, standing(inBlock(3)), 1)).toBe(false)
    expect(advance(tracked, standing(inBlock(2)), 2)).toBe(false)
    expect(advance(tracked, standing(waiting), 3)).toBe(true)
    expect(advance(tracked, standing(waiting), 4)).toBe(false)
  })
})

describe('silence', () => {
  const trackedAt = (event: FateEvent | undefined, of: Standing = waiting): Tracked => {
    const tracked = newTracked(of, 0)
    if (event !== undefined) advance(tracked, event, 0)
    return tracked
  }
  const told = trackedAt({ type: 'announced', peer: 1 })
  it.each([
    ['no peer is connected', trackedAt(undefined), [], 0],
    ['below the rates', trackedAt(undefined, { type: 'held', reason: 'below the rates' }), [0n], 0],
    ['they are in initial download', told, [9_170_997n], 0],
    ['not requested: the peers have it, or drop it', told, [1_000n], MINUTE_MS],
  ] as const)('is explained: %s', (words, tracked, filters, nowMs) => {
    expect(remarkOf(tracked, { filters, nowMs })?.reason).toContain(words)
  })

  it('says nothing within a minute, nor where a peer has asked', () => {
    expect(remarkOf(told, { filters: [1_000n], nowMs: MINUTE_MS - 1 })).toBeUndefined()
    const asked = trackedAt({ type: 'requested', peer: 1 })
    expect(remarkOf(asked, { filters: [1_000n], nowMs: 9 * MINUTE_MS })).toBeUndefined()
  })

  it('bitcoin §13.53: below every fee filter it stays announced, and a bump is proposed', () => {
    expect(fateOf(told).type).toBe('announced')
    expect(remarkOf(told, { filters: [20_000n, 6_000n], nowMs: 0 })).toEqual({
      reason: 'it pays less than the fee filter of every peer',
      bumpSatPerKvb: 6_000n,
    })
    expect(remarkOf(told, { filters: [20_000n, 5_000n], nowMs: 0 })).toBeUndefined()
  })
})

describe('the relay', () => {
  const transaction = transactionFromParts({ inputs: [], outputs: [] })
  const numbered = (n: number, standing: Standing = waiting): Announcement => ({
    txid: idOf(n),
    wtxid: idOf(n + 100),
    transaction,
    bytes: Uint8Array.of(n),
    standing,
  })
  const peer = (number: number): RelayPeer => ({ peer: number, wtxidRelay: true, push: false })
  const one = numbered(1)
  const inv = (n: number) => [{ kind: inventory.wtx, hash: idOf(n + 100) }]
  const told = (to: number, n = 1) => ({ peer: to, message: { type: 'inv', items: inv(n) } })
  const relay = () => new TransactionRelay(() => 0)
  const fate = (of: TransactionRelay) => of.report([peer(1)], 0)[0]?.fate

  it('tells nobody of what is held back, replaced or confirmed, and serves what is not held', () => {
    const held = numbered(1, { type: 'held', reason: 'dust' })
    for (const standing of [inBlock(1), { type: 'replaced', by: idOf(3) }] as const) {
      const own = relay()
      expect(own.announce([numbered(1, standing)], [peer(1)], 0)).toEqual([])
      expect(own.expire([peer(1)], 9 * MINUTE_MS)).toEqual([])
      expect(own.serve(1, inv(1), 0).messages).toEqual([{ type: 'tx', transaction }])
    }
    const own = relay()
    expect(own.announce([held], [peer(1)], 0)).toEqual([])
    expect(own.peerReady(peer(2), 0)).toEqual([])
    expect(own.serve(1, inv(1), 0).messages).toEqual([{ type: 'notfound', items: inv(1) }])
    expect(own.announce([one], [peer(1)], 1)).toEqual([told(1)])
  })

  it('bitcoin §13.56: announces anew at once what a reorganisation took out of its block', () => {
    const own = relay()
    own.announce([one], [peer(1)], 0)
    expect(own.announce([numbered(1, inBlock(3))], [peer(1)], 1)).toEqual([])
    expect(own.announce([one], [peer(1), peer(2)], 2)).toEqual([told(1), told(2)])
    expect(own.deadlineMs).toBe(2 + 2 * MINUTE_MS)
    expect(own.announce([one], [peer(1), peer(2)], 3)).toEqual([])
  })

  it('bitcoin §13.59: is silent below a fee filter, and tells when the filter falls', () => {
    const own = relay()
    const filter = (rate: bigint) => own.filter({ peer: 1, peers: [peer(1), peer(2)] }, rate, 0)
    expect(filter(20_000n)).toEqual([])
    expect(own.announce([one], [peer(1), peer(2)], 0)).toEqual([told(2)])
    expect(own.expire([peer(1)], 9 * MINUTE_MS)).toEqual([])
    expect(filter(5_001n)).toEqual([])
    expect(filter(5_000n)).toEqual([told(1)])
    expect(filter(1_000n)).toEqual([]) // It was told already.
  })

  it('forgets the filter of a connection with it', () => {
    const own = relay()
    own.filter({ peer: 1, peers: [] }, 20_000n, 0)
    own.announce([one], [peer(1)], 0)
    own.forget(1)
    expect(own.peerReady(peer(1), 0)).toEqual([told(1)])
  })

  it('believes no echo of who was told, not even on a later connection', () => {
    const own = relay()
    own.announce([one], [peer(1)], 0)
    own.forget(1)
    expect(own.heard(inv(1), 1, 0)).toEqual([])
    expect(own.heard(inv(1), 2, 0)).toEqual([{ txid: one.txid, kind: 'echoed' }])
    expect(own.heard(inv(1), 3, 0)).toEqual([])
    expect(fate(own)).toEqual({ type: 'echoed', peers: 2 })
  })

  it('counts an echo that came before the transaction was in the list, and keeps few of them', () => {
    const [own, full] = [relay(), relay()]
    own.heard(inv(1), 7, 5)
    expect(own.heardOf(one)?.sinceMs).toBe(5)
    own.announce([one], [], 9)
    expect(fate(own)).toEqual({ type: 'echoed', peers: 1 })
    full.heard(inv(1), 7, 0)
    for (let i = 0; i < HEARD_MAX; i++) {
      const hash = new Uint8Array(32)
      new DataView(hash.buffer).setUint32(0, i)
      full.heard([{ kind: inventory.tx, hash: hash32(hash) }], 7, 1)
    }
    expect(full.heardOf(one)).toBeUndefined()
  })

  it('repeats what was echoed after twelve hours at the earliest', () => {
    const own = relay()
    own.announce([one], [peer(1)], 0)
    own.heard(inv(1), 2, 0)
    expect(own.deadlineMs).toBe(12 * 60 * MINUTE_MS)
  })

  it('remembers how the last ones that left the list ended', () => {
    const own = relay()
    own.announce([numbered(1, inBlock(5)), numbered(2)], [peer(1)], 0)
    own.announce([], [peer(1)], 1)
    expect(own.report([], 1).map(({ fate: { type } }) => type)).toEqual(['final', 'expired'])
    for (let n = 3; n < 3 + 100; n++) own.announce([numbered(n)], [], 2)
    own.announce([], [], 3)
    expect(own.report([], 3)).toHaveLength(PAST_MAX)
  })

  it('does not call final what is listed again', () => {
    const own = relay()
    own.announce([numbered(1, inBlock(5))], [], 0)
    own.announce([], [], 1)
    own.announce([numbered(1)], [], 2)
    expect(own.report([], 2).map(({ fate: { type } }) => type)).toEqual(['queued'])
  })
})
