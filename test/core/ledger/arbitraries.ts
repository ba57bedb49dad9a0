/** Random values, accounts and blocks for property tests. */
import fc from 'fast-check'
import { hash32 } from '../../../src/core/base/bytes.ts'
import { timestampNs, tokens } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { Block, Transaction } from '../../../src/core/ledger/blocks/block.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength })

const leaf: fc.Arbitrary<Value> = fc.oneof(
  bytes(0, 40).map((blob): Value => ({ type: 'blob', blob })),
  fc.string().map((text): Value => ({ type: 'text', text })),
  fc.bigInt(0n, 2n ** 70n).map((nat): Value => ({ type: 'nat', nat })),
)

export const arbitraryValue: fc.Arbitrary<Value> = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 4 }).map((array): Value => ({ type: 'array', array })),
)

const amount = fc
  .oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 2n ** 256n - 1n))
  .map(tokens)
const time = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n)).map(timestampNs)
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined })
const memo = optional(bytes(0, 80))

export const arbitraryAccount: fc.Arbitrary<Account> = fc.record({
  owner: bytes(0, 29).map(principal),
  subaccount: optional(fc.oneof(bytes(32, 32), fc.constant(new Uint8Array(32)))),
})
const account = arbitraryAccount

const common = { amount, memo, createdAtTime: optional(time) }

const transaction: fc.Arbitrary<Transaction> = fc.oneof(
  fc.record({ type: fc.constant('mint' as const), to: account, ...common }),
  fc.record({
    type: fc.constant('burn' as const),
    from: account,
    spender: optional(account),
    ...common,
  }),
  fc.record({
    type: fc.constant('transfer' as const),
    from: account,
    to: account,
    spender: optional(account),
    fee: optional(amount),
    ...common,
  }),
  fc.record({
    type: fc.constant('approve' as const),
    from: account,
    spender: account,
    fee: optional(amount),
    expectedAllowance: optional(amount),
    expiresAt: optional(time),
    ...common,
  }),
  fc.record({
    type: fc.constant('feeCollector' as const),
    feeCollector: optional(account),
    caller: optional(bytes(0, 29).map(principal)),
    createdAtTime: optional(time),
    method: optional(fc.string()),
  }),
)

/** Any block that can be written down, whether or not a ledger would write it. */
export const arbitraryBlock: fc.Arbitrary<Block> = fc.record({
  parentHash: optional(bytes(32, 32).map(hash32)),
  timestamp: time,
  transaction,
  fee: optional(amount),
  feeCollector: optional(account),
  feeCollectorBlock: optional(fc.bigInt(0n, 2n ** 64n - 1n)),
})
