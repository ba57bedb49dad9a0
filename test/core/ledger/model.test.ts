/**
 * Goal: no sequence of calls, times, upgrades and restarts takes the ledger where its specification
 * does not.
 *
 * Method: random operations on few accounts with small amounts and short windows, which often
 * collide, are run on the ledger and on a simple model. Replies, balances, allowances, supply and the
 * hash of the newest block agree; the invariants, replay of the blocks among them, hold after every
 * event. `STEPS` and `SEED` choose how many and which (docs/long-runs.md).
 */
import { deserialize, serialize } from 'node:v8'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { Config, Settings } from '../../../src/core/ledger/config.ts'
import { DEFAULT_LIMITS, tokensMax } from '../../../src/core/ledger/config.ts'
import { ledgerTime } from '../../../src/core/ledger/state.ts'
import type {
  ApproveArgs,
  Call,
  Reply,
  Request,
  TransferArg,
  TransferFromArgs,
} from '../../../src/core/ledger/types.ts'
import {
  alice,
  bob,
  collector,
  LedgerUnderTest,
  minter,
  of,
  sub,
  testConfig,
  ZEROS,
} from './ledger-under-test.ts'
import { ModelLedger } from './model.ts'

const { STEPS = '10000', SEED = '2026' } = process.env
/** Operations in all, about, and those of one sequence at most. */
const COUNT = Number(STEPS)
const LENGTH_MAX = 60

const FEE = 3n
const WINDOW = 20n * NS_PER_SECOND
const DRIFT = 4n * NS_PER_SECOND
const LIMITS = {
  ...DEFAULT_LIMITS,
  transactionWindowNs: WINDOW,
  permittedDriftNs: DRIFT,
  transactionsInWindowMax: 6,
  allowancesToPruneMax: 2,
}

const owners = fc.constantFrom(alice, bob, minter)
const subaccount = fc.constantFrom(undefined, undefined, ZEROS, sub(1))
const account: fc.Arbitrary<Account> = fc.record({ owner: owners, subaccount })
const amountOf = (max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.bigInt(0n, 40n) },
    { weight: 1, arbitrary: fc.constantFrom(max - FEE, max, max + 1n) },
  )
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 })
const fee = fc.constantFrom(undefined, undefined, undefined, FEE, 0n)
const memo = fc.constantFrom(undefined, undefined, undefined, new Uint8Array(), new Uint8Array(33))
/** From the time of the call, many at the edges of window and drift. */
const offset = fc.oneof(
  fc.constantFrom(0n, -WINDOW, -WINDOW - 1n, DRIFT, DRIFT + 1n),
  fc.bigInt(-25n, 8n).map((seconds) => seconds * NS_PER_SECOND),
)

type Timed<A> = Omit<A, 'createdAtTime' | 'expiresAt'> & {
  readonly createdAt?: bigint | undefined
  readonly expires?: bigint | undefined
}

type Draft =
  | { readonly type: 'icrc1_transfer'; readonly arg: Timed<TransferArg> }
  | { readonly type: 'icrc2_approve'; readonly arg: Timed<ApproveArgs> }
  | { readonly type: 'icrc2_transfer_from'; readonly arg: Timed<TransferFromArgs> }

function draftOf(max: bigint): fc.Arbitrary<Draft> {
  const amount = amountOf(max)
  const common = { amount, fee, memo, createdAt: optional(offset) }
  return fc.oneof(
    fc.record({
      type: fc.constant('icrc1_transfer' as const),
      arg: fc.record({ fromSubaccount: subaccount, to: account, ...common }),
    }),
    fc.record({
      type: fc.constant('icrc2_approve' as const),
      arg: fc.record({
        fromSubaccount: subaccount,
        spender: account,
        expectedAllowance: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, amount),
        expires: optional(offset),
        ...common,
      }),
    }),
    fc.record({
      type: fc.constant('icrc2_transfer_from' as const),
      arg: fc.record({ spenderSubaccount: subaccount, from: account, to: account, ...common }),
    }),
  )
}

const later = (now: bigint, offsetNs: bigint | undefined): TimestampNs | undefined =>
  offsetNs === undefined ? undefined : timestampNs(now + offsetNs)

function callOf({ type, arg }: Draft, now: bigint): Call {
  const createdAtTime = later(now, arg.createdAt)
  if (type === 'icrc2_approve')
    return { type, arg: { ...arg, createdAtTime, expiresAt: later(now, arg.expires) } }
  return type === 'icrc1_transfer'
    ? { type, arg: { ...arg, createdAtTime } }
    : { type, arg: { ...arg, createdAtTime } }
}

type Operation = { readonly pauseNs: bigint } & (
  | { readonly type: 'call'; readonly caller: Principal; readonly draft: Draft }
  /** The call before, once more. */
  | { readonly type: 'again' }
  /** By one of those who were approved, oldest first, of what they were approved. */
  | {
      readonly type: 'spend'
      readonly place: number
      readonly to: Account
      readonly amount: bigint
    }
  | { readonly type: 'upgrade'; readonly settings: Settings }
  /** What is remembered goes through bytes, or all that has happened is done again. */
  | { readonly type: 'snapshot' }
  | { readonly type: 'replay' }
)

/** Often none, often what throttling looks back or an allowance is given for. */
const pauseNs = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0n) },
  { weight: 2, arbitrary: fc.constantFrom(NS_PER_SECOND, NS_PER_SECOND - 1n, DRIFT) },
  {
    weight: 1,
    arbitrary: fc.bigInt(0n, 12n).map((halves) => (halves * NS_PER_SECOND) / 2n),
  },
)

/** Of a clock that slept, or that somebody has set back. */
const jumpNs = fc.oneof(
  fc.constantFrom(WINDOW, WINDOW + DRIFT, WINDOW + DRIFT + 1n, 100n * WINDOW),
  fc.bigInt(-60n, 0n).map((seconds) => seconds * NS_PER_SECOND),
)

const collectors = [of(collector), of(bob, sub(1)), of(minter, ZEROS)]
const settings: fc.Arbitrary<Settings> = fc.record({
  transferFee: fc.constantFrom(undefined, 0n, FEE, 5n),
  memoLengthMax: fc.constantFrom(undefined, undefined, 31, 32, 33),
  feeCollector: fc.constantFrom(
    undefined,
    { type: 'unset' as const },
    ...collectors.map((account) => ({ type: 'setTo' as const, account })),
  ),
})

function operationOf(max: bigint): fc.Arbitrary<Operation> {
  const type = <const T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name)
  const call = { type: type('call'), caller: owners, draft: draftOf(max) }
  const spend = { type: type('spend'), place: fc.nat(9), to: account, amount: fc.bigInt(0n, 20n) }
  return fc.oneof(
    { weight: 40, arbitrary: fc.record({ ...call, pauseNs }) },
    { weight: 3, arbitrary: fc.record({ ...call, pauseNs: jumpNs }) },
    { weight: 8, arbitrary: fc.record({ type: type('again'), pauseNs }) },
    { weight: 8, arbitrary: fc.record({ ...spend, pauseNs }) },
    { weight: 1, arbitrary: fc.record({ type: type('again'), pauseNs: jumpNs }) },
    { weight: 1, arbitrary: fc.record({ type: type('upgrade'), settings, pauseNs }) },
    { weight: 1, arbitrary: fc.record({ type: type('snapshot'), pauseNs }) },
    { weight: 1, arbitrary: fc.record({ type: type('replay'), pauseNs }) },
  )
}

const accounts = [alice, bob, minter, collector].flatMap((owner) => [of(owner), of(owner, sub(1))])

type Both = { readonly ledger: LedgerUnderTest; readonly model: ModelLedger }

function compare({ ledger, model }: Both): void {
  expect(ledger.supply()).toBe(model.supply)
  for (const account of accounts) expect(ledger.balance(account)).toBe(model.balance(account))
  const { tipHash } = ledger.state.chain
  expect(tipHash && toHex(tipHash)).toBe(model.tip && toHex(model.tip))
}

function compareAllowances({ ledger, model }: Both): void {
  const time = ledgerTime(ledger.state, ledger.now)
  for (const from of accounts)
    for (const spender of accounts) {
      const { allowance } = ledger.allowance(from, spender)
      expect(allowance).toBe(model.allowance(from, spender, time))
    }
}

/** The model knows that a call traps, not how the ledger words it. */
const withoutMessage = (reply: Reply): Reply =>
  reply.type === 'trap' ? { type: 'trap', message: '' } : reply

/** One call to both, at the ledger's time: a clock that was set back does not set it back. */
function callBoth({ ledger, model }: Both, { caller, call }: Request): string {
  const time = ledgerTime(ledger.state, ledger.now)
  const reply = ledger.call(caller, call)
  expect(withoutMessage(reply)).toEqual(model.call(caller, call, time))
  return reply.type === 'err' ? reply.error.type : reply.type
}

function upgradeBoth({ ledger, model }: Both, settings: Settings): string {
  const { type } = ledger.upgrade(settings)
  expect(type).toBe(model.upgrade(settings) ? 'ok' : 'trap')
  return `upgrade ${type}`
}

/** Goes on with what a restart finds, which is what there was. */
function restart(ledger: LedgerUnderTest, how: 'snapshot' | 'replay'): string {
  const again = how === 'snapshot' ? deserialize(serialize(ledger.state)) : ledger.replayed()
  expect(again).toEqual(ledger.state)
  ledger.state = again
  return how
}

/** Who approved whom, by a call that was taken. */
function grantBy({ caller, call }: Request, reply: string): readonly Grant[] {
  if (call.type !== 'icrc2_approve' || reply !== 'ok') return []
  return [{ from: of(caller, call.arg.fromSubaccount), spender: call.arg.spender }]
}

type Grant = { readonly from: Account; readonly spender: Account }

const spendingOf = ({ from, spender }: Grant, to: Account, amount: bigint): Request => ({
  caller: spender.owner,
  call: {
    type: 'icrc2_transfer_from',
    arg: { spenderSubaccount: spender.subaccount, from, to, amount },
  },
})

/** Runs the operations on both, and says what came of them. */
function run(config: Partial<Config>, operations: readonly Operation[]): ReadonlySet<string> {
  const ledger = new LedgerUnderTest(config)
  const both = { ledger, model: new ModelLedger(ledger.state.config) }
  const fund = (owner: Principal): Request => ({
    caller: minter,
    call: { type: 'icrc1_transfer', arg: { to: of(owner), amount: 100n } },
  })
  callBoth(both, fund(alice))
  let request = fund(bob)
  const seen = new Set([callBoth(both, request)])
  const grants: Grant[] = []
  const send = (): void => {
    const reply = callBoth(both, request)
    seen.add(reply)
    grants.push(...grantBy(request, reply))
  }
  for (const operation of operations) {
    ledger.pass(operation.pauseNs)
    // Before a call that would prune what has just expired.
    if (operation.pauseNs !== 0n) compareAllowances(both)
    switch (operation.type) {
      case 'call':
        request = { caller: operation.caller, call: callOf(operation.draft, ledger.now) }
        send()
        break
      case 'again':
        send()
        break
      case 'spend': {
        const grant = grants[operation.place % Math.max(1, grants.length)]
        if (grant !== undefined) request = spendingOf(grant, operation.to, operation.amount)
        send()
        break
      }
      case 'upgrade':
        seen.add(upgradeBoth(both, operation.settings))
        break
      case 'snapshot':
      case 'replay':
        seen.add(restart(ledger, operation.type))
        break
    }
    compare(both)
  }
  compareAllowances(both)
  return seen
}

const ledgers: readonly (readonly [string, Partial<Config>])[] = [
  ['without a fee collector', {}],
  ['with a fee collector', { feeCollector: of(collector) }],
  ['without a fee', { transferFee: 0n }],
  ['of 256 bits', { tokenWidth: 256 }],
  ['of 256 bits, with a fee collector', { tokenWidth: 256, feeCollector: of(bob) }],
]

test.each(ledgers)(
  'ledger §20.144: random calls agree with a simple model, %s',
  { timeout: 30_000 + 10 * COUNT },
  (_name, changes) => {
    const seen = new Set<string>()
    const config = testConfig({ transferFee: FEE, limits: LIMITS, ...changes })
    const operation = operationOf(tokensMax(config))
    const sequence = fc.array(operation, { minLength: 1, maxLength: LENGTH_MAX, size: 'max' })
    const numRuns = Math.ceil((2 * COUNT) / ledgers.length / LENGTH_MAX)
    let steps = 0
    fc.assert(
      fc.property(sequence, (operations) => {
        steps += operations.length
        for (const reply of run(config, operations)) seen.add(reply)
      }),
      { numRuns, seed: Number(SEED) },
    )
    expect(steps).toBeGreaterThan((0.9 * COUNT) / ledgers.length)
    // A run that never meets an error would prove little.
    expect([...seen].sort()).toEqual(EVERY_REPLY)
  },
)

const EVERY_REPLY = [
  'allowanceChanged',
  'badBurn',
  'badFee',
  'createdInFuture',
  'duplicate',
  'expired',
  'insufficientAllowance',
  'insufficientFunds',
  'ok',
  'replay',
  'snapshot',
  'temporarilyUnavailable',
  'tooOld',
  'trap',
  'upgrade ok',
  'upgrade trap',
]
