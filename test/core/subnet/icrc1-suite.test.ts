/**
 * Goal: each group of the ICRC-1 suite notices a wrong ledger; what the standard leaves open is
 * skipped, and nothing a ledger does ends the run.
 * Method: the suite through the agent, on a network in memory with further ledgers as guests: one
 * wrong ledger for each group, in a table that does not compile without it, and right ones that are
 * as bare as they may be. The right ones that have everything are in `test/e2e/icrc1-suite.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { tokens } from '../../../src/core/base/units.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import type { Canister } from '../../../src/core/subnet/canister.ts'
import { sdkIdentity, sdkPrincipal } from '../../../src/wallet/client/sdk-identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import type { LedgerOptions } from '../../icrc1/ledger.ts'
import { LedgerUnderSuite } from '../../icrc1/ledger.ts'
import { heading, line, summary } from '../../icrc1/report.ts'
import type { GroupName } from '../../icrc1/suite.ts'
import { groupNames, runSuite } from '../../icrc1/suite.ts'
import type { Change } from '../../support/guest-ledger.ts'
import { changed, guestLedger, hearing, mistaking, saying } from '../../support/guest-ledger.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

type Wrong = {
  readonly config?: Partial<Config>
  readonly change?: Change
  /** What the group says of it. */
  readonly reason: RegExp
}

const untimed = <T extends object>(arg: T): T => ({ ...arg, createdAtTime: undefined })
const withoutIcrc1: Wrong = {
  change: saying('icrc1_supported_standards', (standards) =>
    standards.filter(({ name }) => name !== 'ICRC-1'),
  ),
  reason: /and not ICRC-1$/,
}

const wrongLedgers: Readonly<Record<GroupName, Wrong>> = {
  'icrc1:transfer': {
    change: saying('icrc1_balance_of', (balance, { subaccount }) =>
      subaccount === undefined ? balance : tokens(0n),
    ),
    reason: /^balance of the receiver, by zeros: expected 10000, got 0$/,
  },
  'icrc1:burn': {
    change: saying('icrc1_balance_of', (balance, { owner }) =>
      equalBytes(owner, devUser(4).principal) ? tokens(1n) : balance,
    ),
    reason: /^balance of the minting account: expected 0, got 1$/,
  },
  'icrc1:metadata': {
    change: saying('icrc1_fee', (fee) => fee + 1n),
    reason: /^the entry icrc1:fee: expected { Nat: 11 }, got { Nat: 10 }$/,
  },
  'icrc1:supported_standards': withoutIcrc1,
  'icrc1:tx_deduplication': {
    change: hearing('icrc1_transfer', untimed),
    reason: /^a transfer with a time, again: expected Duplicate, got { Ok: \d+ }$/,
  },
  'icrc1:memo_bytes_length': {
    config: { memoLengthMax: 31 },
    reason: /IC0503/,
  },
  'icrc1:future_transfers': {
    change: hearing('icrc1_transfer', untimed),
    reason: /^a transfer of the last time there is: expected CreatedInFuture, got { Ok: \d+ }$/,
  },
  'icrc1:bad_fee': {
    change: hearing('icrc1_transfer', (arg) => ({ ...arg, fee: undefined })),
    reason: /^a fee too high by 1: expected BadFee, got { Ok: \d+ }$/,
  },
  'icrc2:supported_standards': withoutIcrc1,
  'icrc2:approve': {
    change: hearing('icrc2_approve', (arg) => ({ ...arg, spender: { owner: arg.spender.owner } })),
    reason: /^allowance: expected { allowance: 10, expires_at: \[\] }, got { allowance: 20,/,
  },
  'icrc2:approve_expiration': {
    change: hearing('icrc2_approve', (arg) => ({ ...arg, expiresAt: undefined })),
    reason: /^an approval that is over: expected Expired, got { Ok: \d+ }$/,
  },
  'icrc2:approve_expected_allowance': {
    change: hearing('icrc2_approve', (arg) => ({ ...arg, expectedAllowance: undefined })),
    reason: /^an approval that expects another allowance: expected AllowanceChanged, got { Ok/,
  },
  'icrc2:transfer_from': {
    change: saying('icrc2_allowance', ({ allowance }) => ({
      allowance: tokens(allowance + 1n),
    })),
    reason: /^allowance: expected { allowance: 1, expires_at: \[\] }, got { allowance: 2,/,
  },
  'icrc2:transfer_from_insufficient_funds': {
    change: saying('icrc2_transfer_from', () => ({
      type: 'err',
      error: { type: 'insufficientAllowance', allowance: 0n },
    })),
    reason: /^a transfer of more than the owner has: expected InsufficientFunds, got { Err/,
  },
  'icrc2:transfer_from_insufficient_allowance': {
    change: mistaking('icrc2_transfer_from', ({ from }) => from.owner),
    reason: /^a transfer that nobody approved: expected InsufficientAllowance, got { Ok: \d+ }$/,
  },
  'icrc2:transfer_from_self': {
    change: mistaking('icrc2_transfer_from', () => devUser(2).principal),
    reason: /^a transfer from the own account: expected Ok, got { Err: { InsufficientAllowance/,
  },
}

const wrong = Object.values(wrongLedgers).map(({ config, change = (handlers) => handlers }, i) =>
  changed(guestLedger(i, config), change),
)
/** Where amounts in fees would be 0. */
const free = guestLedger(wrong.length, { transferFee: 0n, decimals: 0 })
/** As the standard allows. */
const plain = changed(
  guestLedger(wrong.length + 1),
  saying('icrc1_supported_standards', (standards) =>
    standards.filter(({ name }) => name === 'ICRC-1'),
  ),
)
const forgetful = changed(
  guestLedger(wrong.length + 2),
  saying('icrc1_transfer', (result, { createdAtTime }) =>
    createdAtTime === undefined ? result : { type: 'err', error: { type: 'tooOld' } },
  ),
)
const loud = changed(
  guestLedger(wrong.length + 3),
  saying('icrc1_name', () => `\u202e${'x'.repeat(10_000)}`),
)
const net = new NetworkUnderTest({ guests: [...wrong, free, plain, forgetful, loud] })

const suiteOf = ({ id }: Pick<Canister, 'id'>, change: Partial<LedgerOptions> = {}) =>
  LedgerUnderSuite.open({
    url: net.network.url,
    canisterId: sdkPrincipal(id),
    identity: sdkIdentity(devUser(0)),
    rootKey: net.rootKey,
    readsAreQueries: true,
    fetch: net.fetch,
    ...change,
  })

test('a ledger without fees passes, its balances read with proof', async () => {
  const names: readonly GroupName[] = ['icrc2:approve', 'icrc2:transfer_from_insufficient_funds']
  const verdicts = await runSuite(await suiteOf(free, { readsAreQueries: false }), { names })
  expect(verdicts).toEqual(names.map((name) => ({ name, type: 'passed' })))
})

test('what a ledger may do without is skipped, with the reason', async () => {
  const skipped = async (ledger: Canister, name: GroupName) =>
    runSuite(await suiteOf(ledger), { names: [name] })
  expect(await skipped(plain, 'icrc2:approve')).toEqual([
    { name: 'icrc2:approve', type: 'skipped', reason: 'the ledger does not claim ICRC-2' },
  ])
  expect(await skipped(forgetful, 'icrc1:tx_deduplication')).toMatchObject([
    { type: 'skipped', reason: expect.stringMatching(/nothing is deduplicated$/) },
  ])
})

test('a ledger that never answers fails every group in time', async () => {
  const fetch = () => new Promise<never>(() => undefined)
  const told: string[] = []
  const verdicts = await runSuite(await suiteOf(plain, { fetch }), {
    groupMs: 20,
    onVerdict: (verdict) => told.push(line(told.length + 1, verdict)),
  })
  expect(told).toEqual(
    groupNames.map((name, i) => `not ok ${i + 1} - ${name}\n# no end after 0.02 s`),
  )
  expect(summary(verdicts)).toBe('# 0 passed, 16 failed, 0 skipped')
})

test('what a ledger says is cut short, and moves no terminal', async () => {
  const [verdict] = await runSuite(await suiteOf(loud), { names: ['icrc1:metadata'] })
  expect(verdict).toMatchObject({ type: 'failed', reason: expect.stringMatching(/"\ufffdx+$/) })
  expect(Object(verdict).reason).toHaveLength(2_000)
})

test('a report is TAP', () => {
  const name = 'icrc1:burn'
  expect(heading(3)).toBe('TAP version 14\n1..3')
  expect(line(1, { name, type: 'passed' })).toBe('ok 1 - icrc1:burn')
  expect(line(2, { name, type: 'skipped', reason: 'why' })).toBe('ok 2 - icrc1:burn # SKIP why')
  expect(line(3, { name, type: 'failed', reason: 'a\nb' })).toBe('not ok 3 - icrc1:burn\n# a\n# b')
})

describe('a wrong ledger is noticed by', () => {
  test.each(groupNames.map((name, i) => [name, wrong[i]] as const))('%s', async (name, ledger) => {
    const suite = await suiteOf(present(ledger, 'a ledger of each group'))
    const [verdict] = await runSuite(suite, { names: [name] })
    expect(verdict).toEqual({
      name,
      type: 'failed',
      reason: expect.stringMatching(wrongLedgers[name].reason),
    })
  })
})
