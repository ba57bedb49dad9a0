/**
 * Goal: the ICRC-1 suite passes right ledgers of any token, and each of its groups notices a wrong
 * one.
 * Method: the suite through the agent, on a network in memory with further ledgers as guests: of
 * other fees, decimals, widths and memo limits; and one wrong ledger for each group, in a table that
 * does not compile without it.
 */
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { tokens } from '../../../src/core/base/units.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import { sdkIdentity, sdkPrincipal } from '../../../src/wallet/client/sdk-identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { LedgerUnderSuite } from '../../icrc1/ledger.ts'
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

/** Right ones, as unlike ckBTC as they may be, and the groups that they are asked. */
const otherTokens = [
  {
    name: 'fee 2,000,000,000,000, 18 decimals, amounts of 256 bits',
    config: {
      transferFee: 2_000_000_000_000n,
      decimals: 18,
      tokenWidth: 256,
      memoLengthMax: 32,
    },
    names: groupNames,
  },
  {
    name: 'no fee and no decimals, where amounts in fees would be 0',
    config: { transferFee: 0n, decimals: 0 },
    names: ['icrc2:approve', 'icrc2:transfer_from_insufficient_funds'],
  },
] as const

const right = otherTokens.map(({ config }, i) => guestLedger(i, config))
const wrong = Object.values(wrongLedgers).map(({ config, change = (handlers) => handlers }, i) =>
  changed(guestLedger(right.length + i, config), change),
)
const net = new NetworkUnderTest({ guests: [...right, ...wrong] })

const suiteOf = (id: Principal, readsAreQueries = true) =>
  LedgerUnderSuite.open({
    readsAreQueries,
    url: net.network.url,
    canisterId: sdkPrincipal(id),
    identity: sdkIdentity(devUser(0)),
    fetchRootKey: true,
    fetch: net.fetch,
  })

describe('a right ledger passes', () => {
  test.each(otherTokens.map(({ name, names }, i) => [name, names, right[i]] as const))(
    '%s',
    async (_, names, ledger) => {
      const { id } = present(ledger, 'a ledger of each token')
      const verdicts = await runSuite(await suiteOf(id), { names })
      expect(verdicts).toEqual(names.map((name) => ({ name, type: 'passed' })))
    },
  )
})

describe('a wrong ledger is noticed by', () => {
  test.each(groupNames.map((name, i) => [name, wrong[i]] as const))('%s', async (name, ledger) => {
    const { id } = present(ledger, 'a ledger of each group')
    const [verdict] = await runSuite(await suiteOf(id), { names: [name] })
    expect(verdict).toEqual({
      name,
      type: 'failed',
      reason: expect.stringMatching(wrongLedgers[name].reason),
    })
  })
})
