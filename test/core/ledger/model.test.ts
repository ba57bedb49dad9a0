/**
 * Goal: no sequence of calls and times takes the ledger where its specification does not.
 *
 * Method: random operations on few accounts with small amounts and short windows, which often
 * collide, are run on the ledger and on a simple model. Replies, balances, allowances and supply
 * agree; the invariants, replay among them, hold after every event.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TimestampNs } from '../../../src/core/base/units.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
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
  MAX,
  minter,
  of,
  sub,
  ZEROS,
} from './ledger-under-test.ts'
import { ModelLedger } from './model.ts'

const FEE = 3n
const LIMITS = {
  ...DEFAULT_LIMITS,
  transactionWindowNs: 20n * NS_PER_SECOND,
  permittedDriftNs: 4n * NS_PER_SECOND,
  transactionsInWindowMax: 6,
  allowancesToPruneMax: 2,
}

const owners = fc.constantFrom(alice, bob, minter)
const subaccount = fc.constantFrom(undefined, undefined, ZEROS, sub(1))
const account: fc.Arbitrary<Account> = fc.record({ owner: owners, subaccount })
const amount = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt(0n, 40n) },
  { weight: 1, arbitrary: fc.constantFrom(MAX - FEE, MAX, MAX + 1n) },
)
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 })
const fee = fc.constantFrom(undefined, undefined, undefined, FEE, 0n)
const memo = fc.constantFrom(undefined, undefined, undefined, new Uint8Array(), new Uint8Array(33))
/** Seconds from the time of the call, so many at the edges of window and drift. */
const offset = fc
  .oneof(fc.constantFrom(0n, -20n, -21n, 4n, 5n), fc.bigInt(-25n, 8n))
  .map((seconds) => seconds * NS_PER_SECOND)
const common = { amount, fee, memo, createdAt: optional(offset) }

type Timed<A> = Omit<A, 'createdAtTime' | 'expiresAt'> & {
  readonly createdAt?: bigint | undefined
  readonly expires?: bigint | undefined
}

type Draft =
  | { readonly type: 'icrc1_transfer'; readonly arg: Timed<TransferArg> }
  | { readonly type: 'icrc2_approve'; readonly arg: Timed<ApproveArgs> }
  | { readonly type: 'icrc2_transfer_from'; readonly arg: Timed<TransferFromArgs> }

const draft: fc.Arbitrary<Draft> = fc.oneof(
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

type Operation =
  | {
      readonly type: 'call'
      readonly caller: Principal
      readonly draft: Draft
      readonly pauseNs: bigint
    }
  /** The call before, once more. */
  | { readonly type: 'again'; readonly pauseNs: bigint }

const pauseNs = fc
  .oneof({ weight: 4, arbitrary: fc.constant(0n) }, fc.bigInt(0n, 12n))
  .map((halves) => (halves * NS_PER_SECOND) / 2n)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('call' as const), caller: owners, draft, pauseNs }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('again' as const), pauseNs }) },
)

const accounts = [alice, bob, minter, collector].flatMap((owner) => [of(owner), of(owner, sub(1))])

function compareBalances(ledger: LedgerUnderTest, model: ModelLedger): void {
  expect(ledger.supply()).toBe(model.supply)
  for (const account of accounts) expect(ledger.balance(account)).toBe(model.balance(account))
}

function compareAllowances(ledger: LedgerUnderTest, model: ModelLedger): void {
  for (const from of accounts)
    for (const spender of accounts) {
      const { allowance } = ledger.allowance(from, spender)
      expect(allowance).toBe(model.allowance(from, spender, ledger.now))
    }
}

/** The model knows that a call traps, not how the ledger words it. */
const withoutMessage = (reply: Reply): Reply =>
  reply.type === 'trap' ? { type: 'trap', message: '' } : reply

/** Runs the operations on both, and says which replies came. */
function run(changes: Partial<Config>, operations: readonly Operation[]): ReadonlySet<string> {
  const ledger = new LedgerUnderTest({ transferFee: FEE, limits: LIMITS, ...changes })
  const model = new ModelLedger(ledger.state.config)
  const seen = new Set<string>()
  const both = ({ caller, call }: Request): void => {
    const reply = ledger.call(caller, call)
    expect(withoutMessage(reply)).toEqual(model.call(caller, call, ledger.now))
    compareBalances(ledger, model)
    seen.add(reply.type === 'err' ? reply.error.type : reply.type)
  }
  const fund = (owner: Principal): Request => ({
    caller: minter,
    call: { type: 'icrc1_transfer', arg: { to: of(owner), amount: 100n } },
  })
  both(fund(alice))
  let request = fund(bob)
  both(request)
  for (const operation of operations) {
    ledger.pass(operation.pauseNs)
    if (operation.type === 'call')
      request = { caller: operation.caller, call: callOf(operation.draft, ledger.now) }
    both(request)
  }
  compareAllowances(ledger, model)
  return seen
}

/** One that meets every reply in each of the three ledgers. */
const SEED = 2026

test.each([
  ['without a fee collector', {}],
  ['with a fee collector', { feeCollector: of(collector) }],
  ['without a fee', { transferFee: 0n }],
])('ledger §20.144: random calls agree with a simple model, %s', (_name, changes) => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.array(operation, { minLength: 10, maxLength: 30 }), (operations) => {
      for (const reply of run(changes, operations)) seen.add(reply)
    }),
    { numRuns: 60, seed: SEED },
  )
  // A run that never meets an error would prove little.
  expect([...seen].sort()).toEqual(EVERY_REPLY)
})

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
  'temporarilyUnavailable',
  'tooOld',
  'trap',
]
