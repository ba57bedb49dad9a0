/**
 * Random histories: replay equals the live state, every prefix of a log satisfies the invariants,
 * nothing is credited or paid twice, and the reserve equation balances. `docs/spec/minter.md`
 * §18.1, §18.5, §19; checklist 104–106.
 *
 * Method: users deposit, redeem, move tokens; blocks come or do not; ledger, Bitcoin side, checker
 * and signer fail; the minter is upgraded in between. At the end everything works again, and every
 * withdrawal must have an end.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadEncoding } from '../../../src/core/base/errors.ts'
import { accountKey } from '../../../src/core/ic/account.ts'
import { apply } from '../../../src/core/minter/apply/apply.ts'
import { configOfInit } from '../../../src/core/minter/config.ts'
import { decodeLog, encodeLog, eventsOf } from '../../../src/core/minter/events/event-log.ts'
import type { Event, Payload } from '../../../src/core/minter/events/events.ts'
import { replay } from '../../../src/core/minter/events/replay.ts'
import { freshState } from '../../../src/core/minter/state/fresh-state.ts'
import { reserveEquation } from '../../../src/core/minter/state/reserve.ts'
import type { State } from '../../../src/core/minter/state/state.ts'
import { invariantViolations } from '../../../src/core/minter/state/violations.ts'
import { MINTER, signatureFor, someTxid, TestMinter, user } from '../../support/minter-world.ts'

const { SEED } = process.env
const SECOND = 1_000_000_000n
const HOUR = 3_600n * SECOND
const ADDRESSES = [
  'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
  'bcrt1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqc8gma6',
  'mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn',
]
const USERS = 4

type Step =
  | { readonly type: 'pay'; readonly who: number; readonly value: bigint; readonly deep: number }
  | { readonly type: 'update'; readonly who: number }
  | { readonly type: 'deposit'; readonly who: number; readonly value: bigint }
  | { readonly type: 'redeem'; readonly who: number; readonly percent: bigint; readonly to: number }
  /** A small withdrawal, and fees that eat it before its batch. */
  | { readonly type: 'squeeze'; readonly who: number; readonly rate: bigint }
  | { readonly type: 'donate'; readonly value: bigint }
  | { readonly type: 'mine'; readonly blocks: number }
  | { readonly type: 'wait'; readonly seconds: bigint }
  | { readonly type: 'sign'; readonly outcomes: readonly boolean[] }
  | { readonly type: 'rate'; readonly rate: bigint }
  | { readonly type: 'ledger' | 'bitcoin' | 'send'; readonly works: boolean }
  | { readonly type: 'checker'; readonly passes: boolean }
  | { readonly type: 'stale'; readonly who: number }
  | { readonly type: 'upgrade'; readonly inputsMax: bigint | undefined }

const who = fc.integer({ min: 0, max: USERS - 1 })
const value = fc.oneof(
  fc.bigInt(1n, 2_000n),
  fc.bigInt(1_000n, 200_000n),
  fc.bigInt(20_000n, 2_000_000n),
  fc.bigInt(10n ** 5n, 10n ** 8n),
)
const kind = <T extends string>(type: T) => fc.constant(type)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: kind('pay'), who, value, deep: fc.integer({ min: 1, max: 7 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: kind('update'), who }) },
  { weight: 8, arbitrary: fc.record({ type: kind('deposit'), who, value }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: kind('redeem'),
      who,
      percent: fc.bigInt(1n, 110n),
      to: fc.integer({ min: 0, max: ADDRESSES.length - 1 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ type: kind('mine'), blocks: fc.integer({ min: 1, max: 7 }) }),
  },
  { weight: 5, arbitrary: fc.record({ type: kind('wait'), seconds: fc.bigInt(0n, 40n) }) },
  { weight: 1, arbitrary: fc.record({ type: kind('wait'), seconds: fc.bigInt(0n, 100_000n) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: kind('sign'),
      outcomes: fc.array(fc.boolean(), { maxLength: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: kind('rate'),
      rate: fc.oneof(fc.bigInt(0n, 20_000n), fc.bigInt(0n, 20_000n), fc.bigInt(50_000n, 500_000n)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('ledger' as const, 'bitcoin' as const, 'send' as const),
      works: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: kind('checker'), passes: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: kind('squeeze'), who, rate: fc.bigInt(30_000n, 60_000n) }),
  },
  { weight: 1, arbitrary: fc.record({ type: kind('stale'), who }) },
  { weight: 1, arbitrary: fc.record({ type: kind('donate'), value }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: kind('upgrade'),
      inputsMax: fc.option(fc.bigInt(1n, 5n), { nil: undefined }),
    }),
  },
)

const accountOf = (number: number) => ({ owner: user(number + 1) })

/** Passed tests must have done something: how often each thing came to pass. */
const seen = new Map<string, number>()
const count = (name: string): void => void seen.set(name, (seen.get(name) ?? 0) + 1)

function perform(world: TestMinter, action: Step): void {
  const { chain, ledger } = world
  switch (action.type) {
    case 'pay':
      world.pay(accountOf(action.who), action.value, action.deep)
      return
    case 'update': {
      const result = world.call('update_balance', accountOf(action.who).owner, {})
      count(result.type === 'ok' ? 'credited' : result.error.type)
      return
    }
    case 'deposit':
      perform(world, { type: 'pay', who: action.who, value: action.value, deep: 6 })
      perform(world, { type: 'update', who: action.who })
      return
    case 'redeem': {
      const address = ADDRESSES[action.to] ?? ''
      const account = accountOf(action.who)
      const amount = (ledger.balance(account) * action.percent) / 100n
      const result = world.withdraw(account, address, amount)
      count(`redeem ${result.type === 'ok' ? 'ok' : result.error.type}`)
      return
    }
    case 'squeeze':
      if (world.withdraw(accountOf(action.who), ADDRESSES[0] ?? '', 6_000n).type === 'ok')
        perform(world, { type: 'rate', rate: action.rate })
      perform(world, { type: 'wait', seconds: 11n })
      return
    case 'donate':
      world.pay({ owner: MINTER }, action.value)
      return
    case 'mine':
      world.mine(action.blocks)
      return
    case 'wait':
      world.wait(action.seconds * SECOND)
      return
    case 'sign':
      for (const succeeds of action.outcomes) {
        const [request] = world.outstanding()
        if (request === undefined) return
        if (succeeds) world.deliver(request, signatureFor(request))
        else world.fail(request)
      }
      return
    case 'rate':
      chain.rates = Array.from({ length: 101 }, () => action.rate)
      chain.isSet = true
      return
    case 'ledger':
      ledger.failure = action.works ? undefined : { type: 'temporarilyUnavailable', message: 'm' }
      return
    case 'bitcoin':
      chain.isDown = !action.works
      return
    case 'send':
      chain.refusesToSend = !action.works
      return
    case 'checker':
      world.checker = {
        ...world.checker,
        checkTransaction: () =>
          action.passes ? { type: 'passed' } : { type: 'failed', addresses: [] },
      }
      return
    case 'stale':
      chain.stale = [...chain.utxosByKey.values()].filter(
        ({ script }) => script.join() === world.scriptOf(accountOf(action.who)).join(),
      )
      return
    case 'upgrade':
      world.upgrade({ type: 'upgrade', args: { inputsMax: action.inputsMax } })
  }
}

const durable = (state: State) => ({ ...state, volatile: undefined })

/** What must hold after every step. */
function check(world: TestMinter): void {
  const equation = reserveEquation(world.state, world.ledger.supply)
  expect(equation).toMatchObject({ balanced: true, covered: true, ledgerFees: 0n })
  const memos = world.ledger.blocks
    .filter(({ type }) => type === 'mint')
    .map(({ memo }) => memo.join())
  expect(new Set(memos).size).toBe(memos.length) // One mint for an outpoint.
  expect(world.outstanding().length).toBeLessThanOrEqual(10)
}

/** Everything works again for a week: whoever burned was paid or got it back. */
function settle(world: TestMinter): void {
  for (const works of ['ledger', 'bitcoin', 'send'] as const)
    perform(world, { type: works, works: true })
  world.chain.stale = []
  for (let day = 0; day < 5; day++) {
    world.wait(24n * HOUR)
    world.sign()
    world.mine(7)
    world.wait(HOUR)
    world.sign()
    world.mine(7)
    check(world)
  }
}

function checkReplay(world: TestMinter): void {
  const events = [...eventsOf(world.minter.log)]
  expect(durable(replay(events, MINTER))).toEqual(durable(world.state))
  const { log, torn } = decodeLog(encodeLog({ events }))
  expect({ log, torn }).toEqual({ log: world.minter.log, torn: false })
  const [first] = events
  if (first?.payload.type !== 'init') throw new Error('a log begins with init')
  const state = freshState(MINTER, configOfInit(first.payload.args))
  for (const event of events) {
    apply(state, event)
    expect(invariantViolations(state)).toEqual([])
  }
}

/** The events of `get_events`, page by page. */
function publishedEvents(world: TestMinter): readonly Event[] {
  const pages: Event[] = []
  for (let start = 0n; ; start = BigInt(pages.length)) {
    const page = world.call('get_events', user(0), { start, length: 50n })
    if (page.length === 0) return pages
    pages.push(...page)
  }
}

/** What the published events tell: who holds, was paid and got back how much. */
const inSupplyTerms = (state: State, supply: bigint) => ({
  equation: reserveEquation(state, supply),
  minted: [state.tokensMinted, state.tokensBurned, state.mintedFromDeposits, state.reimbursedTotal],
  coins: state.availableUtxos,
  finalized: state.finalized,
  reimbursed: state.reimbursed,
})

function checkPublished(world: TestMinter): void {
  const { supply } = world.ledger
  const replayed = replay(publishedEvents(world), MINTER)
  expect(inSupplyTerms(replayed, supply)).toEqual(inSupplyTerms(world.state, supply))
  expect(invariantViolations(replayed)).toEqual([])
  const ended = world.events('xScheduleReimbursement').length
  if (ended > 0) count('holds ended')
}

describe('a random history', () => {
  it('minter §23.106: is safe at every step, replays to the same state, and pays everybody in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 90, size: 'max' }), (steps) => {
        const world = new TestMinter({ init: { inputsMax: 30n, retrieveMinAmount: 5_000n } })
        for (const action of steps) {
          perform(world, action)
          check(world)
        }
        settle(world)
        checkReplay(world)
        checkPublished(world)
        for (const { payload } of world.events('acceptedRetrieveBtcRequest')) {
          if (payload.type !== 'acceptedRetrieveBtcRequest') continue
          const { type } = world.status(payload.blockIndex)
          count(type)
          expect(['confirmed', 'reimbursed']).toContain(type)
        }
        const paid = [...world.state.finalized.values()].filter(({ txid }) => txid !== undefined)
        expect(world.state.queue.length + world.state.signing.size).toBe(0)
        expect(paid.length + world.state.reimbursed.size).toBe(
          world.events('acceptedRetrieveBtcRequest').length,
        )
      }),
      { numRuns: 25, seed: Number(SEED ?? 1) },
    )
    // The histories met what the rules are about.
    for (const name of [
      'credited',
      'noNewUtxos',
      'redeem ok',
      'redeem amountTooLow',
      'confirmed',
      'reimbursed',
      'holds ended',
    ])
      expect([name, (seen.get(name) ?? 0) > 0]).toEqual([name, true])
  }, 120_000)
})

it('minter §23.106: the published events replay after a hold ended, at every length', () => {
  const world = new TestMinter()
  world.deposit(accountOf(0), 1_000_000n)
  world.withdraw(accountOf(0), ADDRESSES[0] ?? '', 60_000n)
  perform(world, { type: 'rate', rate: 2_000_000n })
  world.wait(73n * HOUR)
  const published = publishedEvents(world)
  expect(published.map(({ payload }) => payload.type)).toEqual([
    'init',
    'checkedUtxoV2',
    'receivedUtxos',
    'acceptedRetrieveBtcRequest',
    'reimbursedWithdrawal',
  ])
  for (let length = 1; length < published.length; length++)
    expect(invariantViolations(replay(published.slice(0, length), MINTER))).toEqual([])
  checkPublished(world)
  expect(world.state.reimbursedTotal).toBe(59_990n)
})

describe('a log that cannot be', () => {
  const world = new TestMinter()
  const alice = accountOf(0)
  world.deposit(alice, 1_000_000n)
  const events = [...eventsOf(world.minter.log)]
  const {
    outpoint,
    value: coin,
    height,
  } = [...world.state.availableUtxos.values()][0] ?? expect.unreachable()
  const utxo = { outpoint, value: coin, height }
  const address = { type: 'p2wpkhV0', bytes: new Uint8Array(20) } as const
  const request = (blockIndex: bigint, receivedAt = 5n): Payload => ({
    type: 'acceptedRetrieveBtcRequest',
    amount: 100n,
    address,
    blockIndex,
    receivedAt,
    reimbursementAccount: alice,
  })
  const sent = (requests: readonly bigint[], utxos = [utxo]): Payload => ({
    type: 'sentTransaction',
    requests,
    txid: someTxid(9),
    utxos,
    submittedAt: 6n,
    changeOutput: { vout: 1, value: 1n },
  })
  const give = (burnBlockIndex: bigint, amount = 90n): Payload => ({
    type: 'xScheduleReimbursement',
    account: alice,
    burnBlockIndex,
    amount,
  })
  const consolidation = (blockIndex: bigint): Payload => ({
    type: 'createdConsolidateUtxosRequest',
    amount: 1n,
    address,
    blockIndex,
    receivedAt: 1n,
  })
  const burned = (blockIndex: bigint): Payload => ({
    type: 'xConsolidationBurned',
    blockIndex,
    amount: 1n,
  })
  const aborted = (blockIndex: bigint): Payload => ({ type: 'xAbortedConsolidation', blockIndex })
  const fresh = { ...utxo, outpoint: { txid: someTxid(77), vout: 0 } }
  const DEPOSIT = { type: 'deposit', account: alice, utxo: fresh } as const
  const CONSOLIDATION = { type: 'consolidation' } as const
  const called = (createdAtTime: bigint): Payload<'xLedgerCall'> => ({
    type: 'xLedgerCall',
    createdAtTime,
    amount: 1n,
    memo: new Uint8Array(),
    purpose: DEPOSIT,
  })
  const resolved = (burnBlockIndex: bigint, mintBlockIndex: bigint): Payload => ({
    type: 'xResolvedUnknown',
    burnBlockIndex,
    mintBlockIndex,
  })
  const replaced = (oldByte: number, newByte: number): Payload => ({
    type: 'replacedTransaction',
    oldTxid: someTxid(oldByte),
    newTxid: someTxid(newByte),
    changeOutput: { vout: 1, value: 1n },
    submittedAt: 7n,
    fee: 1n,
  })
  const replayOf = (...payloads: readonly Payload[]): State =>
    replay([...events, ...payloads.map((payload): Event => ({ payload }))], MINTER)

  it('minter §23.104: because it is empty, or begins with something else', () => {
    expect(() => replay([], MINTER)).toThrow(BadEncoding)
    expect(() => replay(events.slice(1), MINTER)).toThrow(BadEncoding)
  })

  it.each<readonly [string, readonly Payload[]]>([
    [
      'credits an outpoint twice',
      [{ type: 'receivedUtxos', toAccount: alice, mintTxid: 9n, utxos: [utxo] }],
    ],
    ['checks a coin that was credited', [{ type: 'checkedUtxoV2', utxo, account: alice }]],
    [
      'suspends a coin that was credited',
      [{ type: 'suspendedUtxo', utxo, account: alice, reason: 'quarantined' }],
    ],
    ['calls its own coin a donation', [{ type: 'xDonation', utxo }]],
    ['accepts a burn twice', [request(1n), request(1n)]],
    ['accepts a burn that was paid', [request(1n), sent([1n]), request(1n)]],
    ['accepts out of order', [request(1n, 5n), request(2n, 4n)]],
    ['minter §23.105: sends for an unknown request', [sent([1n])]],
    ['spends a coin that is not there', [request(1n), sent([1n]), request(2n), sent([2n])]],
    ['sends one transaction twice', [request(1n), sent([1n]), sent([], [])]],
    ['minter §23.105: replaces an unknown transaction', [replaced(1, 2)]],
    ['replaces a transaction by itself', [request(1n), sent([1n]), replaced(9, 9)]],
    ['replaces a transaction twice', [request(1n), sent([1n]), replaced(9, 1), replaced(9, 2)]],
    ['confirms an unknown transaction', [{ type: 'confirmedTransaction', txid: someTxid(1) }]],
    [
      'minter §23.105: removes a request that is not pending',
      [{ type: 'removedRetrieveBtcRequest', blockIndex: 1n }],
    ],
    ['gives back what is on its way', [request(1n), sent([1n]), give(1n)]],
    ['gives back twice', [request(1n), give(1n), give(1n)]],
    ['gives back more than was burned', [request(1n), give(1n, 101n)]],
    [
      'gives back what was paid',
      [request(1n), sent([1n]), { type: 'confirmedTransaction', txid: someTxid(9) }, give(1n)],
    ],
    [
      'reimburses what was not scheduled',
      [{ type: 'reimbursedWithdrawal', burnBlockIndex: 1n, mintBlockIndex: 2n }],
    ],
    [
      'reimburses in the block of the burn',
      [
        request(1n),
        give(1n),
        { type: 'reimbursedWithdrawal', burnBlockIndex: 1n, mintBlockIndex: 1n },
      ],
    ],
    [
      'quarantines what was not scheduled',
      [{ type: 'quarantinedWithdrawalReimbursement', burnBlockIndex: 1n }],
    ],
    ['holds what is not pending', [{ type: 'xHeldRequest', blockIndex: 1n, heldSince: 1n }]],
    [
      'holds twice',
      [
        request(1n),
        ...[1n, 2n].map(
          (heldSince) => ({ type: 'xHeldRequest', blockIndex: 1n, heldSince }) as const,
        ),
      ],
    ],
    ['signs for no transaction', [{ type: 'xSignatureFailed', txid: someTxid(1), input: 0 }]],
    [
      'pays a checker whom nothing is owed',
      [{ type: 'distributedKytFee', kytProvider: user(1), amount: 1n, blockIndex: 1n }],
    ],
    ['consolidates twice at once', [consolidation(1n), sent([1n]), consolidation(2n)]],
    ['consolidates for a burn that pays a withdrawal', [request(1n), consolidation(1n)]],
    ['pays a consolidation twice', [burned(1n), burned(1n)]],
    ['pays a consolidation with a withdrawal', [request(1n), burned(1n)]],
    ['takes a burn for a consolidation as a withdrawal', [burned(1n), request(1n)]],
    ['gives a consolidation up that was sent', [consolidation(1n), sent([1n]), aborted(1n)]],
    ['gives another consolidation up', [consolidation(1n), aborted(2n)]],
    ['calls twice for one end', [called(1n), called(2n)]],
    ['calls twice at one time', [called(1n), { ...called(1n), purpose: CONSOLIDATION }]],
    ['mints what was credited', [{ ...called(1n), purpose: { ...DEPOSIT, utxo } }]],
    ['ends a call that was not made', [{ type: 'xLedgerCallEnded', createdAtTime: 1n }]],
    [
      'checks anew what may be minted',
      [called(1n), { type: 'checkedUtxoV2', utxo: fresh, account: alice }],
    ],
    ['resolves what was not unknown', [request(1n), give(1n), resolved(1n, 2n)]],
    [
      'resolves twice',
      [
        request(1n),
        give(1n),
        { type: 'quarantinedWithdrawalReimbursement', burnBlockIndex: 1n },
        resolved(1n, 2n),
        resolved(1n, 3n),
      ],
    ],
  ])('%s', (_, payloads) => {
    const valid = payloads.slice(0, -1)
    expect(invariantViolations(replayOf(...valid))).toEqual([])
    expect(() => replayOf(...payloads)).toThrow(BadEncoding)
  })
})

describe('a log of the deployed minter', () => {
  const alice = accountOf(0)
  const utxo = (byte: number, vout = 0) => ({
    outpoint: { txid: someTxid(byte), vout },
    value: new TestMinter().pay(alice, 50_000n).value,
    height: 1,
  })
  const world = new TestMinter()
  const replayOf = (...payloads: readonly Payload[]): State =>
    replay(
      [...eventsOf(world.minter.log), ...payloads.map((payload): Event => ({ payload }))],
      MINTER,
    )
  const credit = (...utxos: readonly ReturnType<typeof utxo>[]): Payload => ({
    type: 'receivedUtxos',
    toAccount: alice,
    mintTxid: 1n,
    utxos,
  })
  const address = { type: 'p2wpkhV0', bytes: new Uint8Array(20) } as const
  const request = (blockIndex: bigint): Payload => ({
    type: 'acceptedRetrieveBtcRequest',
    amount: 10_000n,
    address,
    blockIndex,
    receivedAt: 5n,
    reimbursementAccount: alice,
  })
  const change = { vout: 1, value: 1n }
  const sent: Payload = {
    type: 'sentTransaction',
    requests: [7n],
    txid: someTxid(90),
    utxos: [utxo(1), utxo(2)],
    submittedAt: 6n,
    changeOutput: change,
  }
  const replaced = (oldByte: number, newByte: number, more: object = {}): Payload => ({
    type: 'replacedTransaction',
    oldTxid: someTxid(oldByte),
    newTxid: someTxid(newByte),
    changeOutput: change,
    submittedAt: 7n,
    fee: 1n,
    ...more,
  })
  const confirmed = (byte: number): Payload => ({
    type: 'confirmedTransaction',
    txid: someTxid(byte),
  })
  const start = [credit(utxo(1), utxo(2)), request(7n), sent]

  it.each([90, 91, 92])('ends a chain of replacements whichever member (%i) confirms', (byte) => {
    const chain = [...start, replaced(90, 91), replaced(91, 92)]
    expect(invariantViolations(replayOf(...chain))).toEqual([])
    const state = replayOf(...chain, confirmed(byte))
    expect(invariantViolations(state)).toEqual([])
    expect(state.finalized.get(7n)?.txid).toEqual(someTxid(byte))
    expect(
      [state.submitted, state.stuck, state.replacedBy, state.replaces].map((m) => m.size),
    ).toEqual([0, 0, 0, 0])
    expect(state.accountUtxos.has(accountKey(alice))).toBe(false)
  })

  it('gives a cancelled withdrawal back with the coins that the cancellation did not need', () => {
    const error = { type: 'tooManyInputs', inputs: 2n, inputsMax: 1n } as const
    const reason = { type: 'toCancel', error } as const
    const cancelled = [...start, replaced(90, 91, { reason, newUtxos: [utxo(1)] })]
    expect(invariantViolations(replayOf(...cancelled))).toEqual([])
    const back: Payload = {
      type: 'scheduleWithdrawalReimbursement',
      account: alice,
      burnBlockIndex: 7n,
      amount: 9_000n,
      error,
    }
    const state = replayOf(...cancelled, confirmed(91), back)
    expect(invariantViolations(state)).toEqual([])
    expect([...state.availableUtxos.values()]).toEqual([utxo(2)])
    expect(state.reimbursements.get(7n)?.amount).toBe(9_000n)
    const other = replaced(90, 91, { reason, newUtxos: [utxo(3)] })
    expect(() => replayOf(...start, other)).toThrow(BadEncoding)
  })

  it('may credit two outpoints of March 2026 twice, which are then not spent twice', () => {
    const historic = utxo(0, 5)
    const txid = Uint8Array.from(
      '91bb46443799335076fbcd117f2295c7499d02dd3a59c22a531d31591114b303'.match(/../g) ?? [],
      (byte) => Number.parseInt(byte, 16),
    ).reverse()
    historic.outpoint.txid.set(txid)
    const state = replayOf(credit(historic), credit(historic))
    expect(state.doubleCredits.size).toBe(1)
    expect(state.availableUtxos.size).toBe(1)
    expect(state.mintedFromDeposits).toBe(100_000n)
  })

  it('keeps what it owes to checkers, and consolidates', () => {
    const kytProvider = user(9)
    const checked: Payload = {
      type: 'checkedUtxo',
      utxo: utxo(4),
      uuid: 'u',
      clean: true,
      kytProvider,
    }
    const paid: Payload = { type: 'distributedKytFee', kytProvider, amount: 100n, blockIndex: 1n }
    expect([...replayOf(checked, checked).owedKyt.values()]).toEqual([100n])
    expect(replayOf(checked, paid).owedKyt.size).toBe(0)
    expect(() => replayOf(checked, { ...paid, amount: 101n })).toThrow(BadEncoding)
    const consolidation: Payload = {
      type: 'createdConsolidateUtxosRequest',
      amount: 1n,
      address,
      blockIndex: 7n,
      receivedAt: 1n,
    }
    const state = replayOf(credit(utxo(1), utxo(2)), consolidation, sent, confirmed(90))
    expect(state.consolidation).toBeUndefined()
    expect(state.finalized.has(7n)).toBe(true)
    expect(invariantViolations(state)).toEqual([])
  })
})
