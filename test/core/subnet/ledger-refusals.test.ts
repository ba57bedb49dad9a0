/**
 * Goal: every error and every reject that ledger and index have is met by a caller from outside, in
 * the words of the published interface, and leaves the ledger as it was (ledger §§6, 8, 11, 13).
 * Method: the unmodified client's services on a network in memory, against ledgers of its own with
 * small limits. The tables name every variant and every trap, so that a new one does not compile;
 * what nobody can bring about is listed with its reason. A reject is a certified one, code 5 and
 * IC0503.
 */
import { IcrcIndexCanister } from '@dfinity/ledger-icrc'
import { CertifiedRejectErrorCode, HttpAgent, RejectError } from '@icp-sdk/core/agent'
import { beforeAll, describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type * as refusals from '../../../src/core/ledger/transactions/refusals.ts'
import type {
  ApproveError,
  TransferError,
  TransferFromError,
} from '../../../src/core/ledger/types.ts'
import { sdkIdentity, sdkPrincipal } from '../../../src/wallet/client/sdk-identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import type { Account, ApproveArgs, Result, TransferArg } from '../../icrc1/ledger.ts'
import { LedgerUnderSuite, none, type Party, some } from '../../icrc1/ledger.ts'
import { guestToken } from '../../support/guest-ledger.ts'
import { NetworkUnderTest } from '../../support/network-under-test.ts'

const FEE = 10n
const MEMO_MAX = 32
const MAX = 2n ** 64n - 1n
const FUNDS = 2n ** 60n

const usual = guestToken(0, { memoLengthMax: MEMO_MAX })
/** A single timed transaction within a second is all that it takes. */
const busy = guestToken(1, {
  limits: { ...usual.ledger.state.config.limits, transactionsInWindowMax: 2 },
})
const wide = guestToken(2, { tokenWidth: 256 })
const net = new NetworkUnderTest({
  guests: [usual, busy, wide].flatMap(({ canisters }) => canisters),
})

type Guest = typeof usual
const idOf = ({ ledger }: Guest) => sdkPrincipal(ledger.id)
async function partyOf(user: number, guest: Guest): Promise<Party> {
  const { url } = net.network
  const identity = sdkIdentity(devUser(user))
  const options = { url, canisterId: idOf(guest), identity, rootKey: net.rootKey, fetch: net.fetch }
  return (await LedgerUnderSuite.open(options)).funded()
}
const account = (user: number, subaccount?: Uint8Array): Account => ({
  owner: sdkPrincipal(devUser(user).principal),
  subaccount: subaccount === undefined ? none : some(subaccount),
})

/** dev0 holds everything but what dev3 has: one fee. dev2 spends, dev4 mints, dev1 has nothing. */
const [RICH, POOR, SPENDER, SHORT, MINTER] = [0, 1, 2, 3, 4].map((user) => account(user)) as [
  Account,
  Account,
  Account,
  Account,
  Account,
]
let rich: Party
let poor: Party
let spender: Party
let minter: Party
/** Who is paid. */
const TO = account(0, new Uint8Array(32).fill(7))
let agent: HttpAgent
let index: Readonly<Record<string, (arg: unknown) => Promise<unknown>>>

beforeAll(async () => {
  rich = await partyOf(0, usual)
  poor = await partyOf(1, usual)
  spender = await partyOf(2, usual)
  minter = await partyOf(4, usual)
  const { url: host } = net.network
  const identity = sdkIdentity(devUser(0))
  agent = await HttpAgent.create({ host, identity, rootKey: net.rootKey, fetch: net.fetch })
  const canisterId = sdkPrincipal(present(usual.canisters[1], 'its index').id)
  index = Reflect.get(IcrcIndexCanister.create({ agent, canisterId }), 'certifiedService')
  await rich.transfer({ to: SHORT, amount: FEE })
  await rich.approve({ spender: SPENDER, amount: FUNDS })
  await (await partyOf(3, usual)).approve({ spender: SPENDER, amount: FUNDS })
})

/** Everything that the ledger remembers. */
const stateOf = ({ ledger }: Guest): unknown => structuredClone(ledger.state)

/** Asks; the ledger is afterwards as before. */
async function unchanged<T>(ask: () => Promise<T>, guest = usual): Promise<T> {
  const before = stateOf(guest)
  const answer = await ask()
  expect(stateOf(guest)).toEqual(before)
  return answer
}

type Row = readonly [ask: () => Promise<unknown>, fields: unknown]
/** A reason stands where nobody can ask. */
type Rows<E extends { readonly type: string }> = Readonly<Record<E['type'], Row | string>>

function expectEach<E extends { readonly type: string }>(rows: Rows<E>): void {
  for (const [type, row] of Object.entries<Row | string>(rows)) {
    const name = type.slice(0, 1).toUpperCase() + type.slice(1)
    if (typeof row === 'string') test.skip(`${name}: ${row}`, () => undefined)
    else
      test(name, async () => {
        const [ask, fields] = row
        expect(await unchanged(ask)).toEqual({ Err: { [name]: fields } })
      })
  }
}
const anyTime = { ledger_time: expect.any(BigInt) }
const NEVER = 'part of the interface, and never answered (ledger §6)'

/** The second of two calls that are the same, with the index of the first. */
async function twice(ask: (now: TransferArg['created_at_time']) => Promise<Result>): Promise<void> {
  const now = some(BigInt(Date.now()) * 1_000_000n)
  const first = await ask(now)
  const duplicate_of = Object(first).Ok
  expect(duplicate_of).toEqual(expect.any(BigInt))
  const again = await unchanged(() => ask(now))
  expect(again).toEqual({ Err: { Duplicate: { duplicate_of } } })
}

/** Asks right behind a timed transaction until both fell into one second. */
async function throttled(ask: (party: Party) => Promise<Result>): Promise<void> {
  const owner = await partyOf(0, busy)
  const caller = await partyOf(2, busy)
  for (let attempt = 0; attempt < 50; attempt++) {
    await owner.transfer({
      to: TO,
      amount: 1n,
      created_at_time: some(BigInt(Date.now()) * 1_000_000n),
    })
    const before = stateOf(busy)
    const answer = await ask(caller)
    if ('Ok' in answer || !('TemporarilyUnavailable' in answer.Err)) continue
    expect(stateOf(busy)).toEqual(before)
    return
  }
  throw new RangeError('never throttled')
}

describe('an error of icrc1_transfer', () => {
  const pay = (change: Partial<TransferArg> = {}, party = rich) =>
    party.transfer({ to: TO, amount: 1n, ...change })
  expectEach<Exclude<TransferError, { type: 'duplicate' | 'temporarilyUnavailable' }>>({
    badFee: [() => pay({ fee: some(FEE + 1n) }), { expected_fee: FEE }],
    badBurn: [() => pay({ to: MINTER, amount: FEE - 1n }), { min_burn_amount: FEE }],
    insufficientFunds: [() => pay({}, poor), { balance: 0n }],
    tooOld: [() => pay({ created_at_time: some(1n) }), null],
    createdInFuture: [() => pay({ created_at_time: some(MAX) }), anyTime],
    genericError: NEVER,
  })
  test('Duplicate', () => twice((created_at_time) => pay({ created_at_time })))
  test('TemporarilyUnavailable', () => throttled((party) => pay({}, party)))

  test.each<readonly [string, Partial<TransferArg>, unknown]>([
    ['an amount of 65 bits', { amount: MAX + 1n }, { InsufficientFunds: { balance: 0n } }],
    ['an amount of 257 bits', { amount: 2n ** 256n }, { InsufficientFunds: { balance: 0n } }],
    [
      '65 bits and a wrong fee',
      { amount: MAX + 1n, fee: some(1n) },
      { InsufficientFunds: { balance: 0n } },
    ],
    [
      'an amount that overflows with its fee',
      { amount: MAX },
      { InsufficientFunds: { balance: 0n } },
    ],
    ['a fee of 257 bits', { fee: some(2n ** 256n) }, { BadFee: { expected_fee: FEE } }],
    ['a burn of nothing', { to: MINTER, amount: 0n }, { BadBurn: { min_burn_amount: FEE } }],
    ['a burn with its fee', { to: MINTER, fee: some(FEE) }, { BadFee: { expected_fee: 0n } }],
  ])('for %s', async (_, change, error) => {
    expect(await unchanged(() => pay(change, poor))).toEqual({ Err: error })
  })

  test.each([2n ** 256n - 1n, 2n ** 256n, 2n ** 300n])(
    'on a ledger of 256 bits, for an amount of %i',
    async (amount) => {
      const party = await partyOf(0, wide)
      const answer = await unchanged(() => pay({ amount }, party), wide)
      expect(answer).toEqual({ Err: { InsufficientFunds: { balance: FUNDS } } })
    },
  )
})

describe('an error of icrc2_approve', () => {
  const grant = (change: Partial<ApproveArgs> = {}, party = rich) =>
    party.approve({ spender: SPENDER, amount: 1n, ...change })
  expectEach<Exclude<ApproveError, { type: 'duplicate' | 'temporarilyUnavailable' }>>({
    badFee: [() => grant({ fee: some(FEE - 1n) }), { expected_fee: FEE }],
    insufficientFunds: [() => grant({}, poor), { balance: 0n }],
    allowanceChanged: [() => grant({ expected_allowance: some(1n) }), { current_allowance: FUNDS }],
    expired: [() => grant({ expires_at: some(1n) }), anyTime],
    tooOld: [() => grant({ created_at_time: some(1n) }), null],
    createdInFuture: [() => grant({ created_at_time: some(MAX) }), anyTime],
    genericError: NEVER,
  })
  test('Duplicate', () => twice((created_at_time) => grant({ spender: MINTER, created_at_time })))
  test('TemporarilyUnavailable', () => throttled((party) => grant({ spender: POOR }, party)))

  test.each([MAX + 1n, 2n ** 256n])('AllowanceChanged where %i is expected', async (expected) => {
    const answer = await unchanged(() => grant({ expected_allowance: some(expected) }))
    expect(answer).toEqual({ Err: { AllowanceChanged: { current_allowance: FUNDS } } })
  })

  test('none, for more than 64 bits: what is stored is the largest amount', async () => {
    const there = { account: RICH, spender: POOR }
    expect(await grant({ spender: POOR, amount: 2n ** 256n })).toEqual({ Ok: expect.any(BigInt) })
    expect(await rich.reads.icrc2_allowance(there)).toEqual({ allowance: MAX, expires_at: [] })
  })
})

describe('an error of icrc2_transfer_from', () => {
  const spend = (change: Partial<Parameters<Party['transferFrom']>[0]> = {}, party = spender) =>
    party.transferFrom({ from: RICH, to: TO, amount: 1n, ...change })
  expectEach<Exclude<TransferFromError, { type: 'duplicate' | 'temporarilyUnavailable' }>>({
    badFee: [() => spend({ fee: some(0n) }), { expected_fee: FEE }],
    badBurn: [() => spend({ to: MINTER }), { min_burn_amount: FEE }],
    insufficientFunds: [() => spend({ from: SHORT }), { balance: 0n }],
    insufficientAllowance: [() => spend({ from: SPENDER }, rich), { allowance: 0n }],
    tooOld: [() => spend({ created_at_time: some(1n) }), null],
    createdInFuture: [() => spend({ created_at_time: some(MAX) }), anyTime],
    genericError: NEVER,
  })
  test('Duplicate', () => twice((created_at_time) => spend({ created_at_time })))
  test('TemporarilyUnavailable', () => throttled((party) => spend({}, party)))

  test.each<readonly [string, object, unknown]>([
    ['an amount of 65 bits', { amount: MAX + 1n }, { InsufficientFunds: { balance: 0n } }],
    [
      'an amount that overflows with its fee',
      { amount: MAX },
      { InsufficientAllowance: { allowance: FUNDS } },
    ],
    [
      'a subaccount that nobody approved',
      { spender_subaccount: some(new Uint8Array(32).fill(1)) },
      { InsufficientAllowance: { allowance: 0n } },
    ],
  ])('for %s', async (_, change, error) => {
    const answer = await unchanged(() => spend({ from: SHORT, ...change }))
    expect(answer).toEqual({ Err: error })
  })
})

/** A certified reject of code 5 with IC0503; its words. */
async function trapped(ask: () => Promise<unknown>): Promise<string> {
  const error: unknown = await unchanged(() => ask().catch((reason: unknown) => reason))
  const code = error instanceof RejectError ? error.code : undefined
  if (!(code instanceof CertifiedRejectErrorCode)) throw new RangeError(`no reject: ${error}`)
  expect([code.rejectCode, code.rejectErrorCode]).toEqual([5, 'IC0503'])
  return code.rejectMessage
}

describe('a trap', () => {
  const memoOf = (size: number) => some(new Uint8Array(size))
  const pay = (change: object = {}) => rich.transfer({ to: TO, amount: 1n, ...change })
  const grant = (change: object = {}) => rich.approve({ spender: SPENDER, amount: 1n, ...change })
  const spend = (change: object = {}) =>
    spender.transferFrom({ from: RICH, to: TO, amount: 1n, ...change })

  type TrapName = Exclude<keyof typeof refusals, 'refuseFee'>
  const traps: Readonly<Record<TrapName, readonly (readonly [RegExp, () => Promise<unknown>])[]>> =
    {
      refuseMemo: [MEMO_MAX + 1, 65_536].flatMap((size) =>
        [pay, grant, spend].map(
          (ask) =>
            [new RegExp(`a memo of ${size} bytes`), () => ask({ memo: memoOf(size) })] as const,
        ),
      ),
      NO_SELF_APPROVAL: [
        [/self approval is not allowed/, () => grant({ spender: RICH })],
        [/self approval is not allowed/, () => grant({ spender: rich.subaccount(1) })],
        [/self approval is not allowed/, () => minter.approve({ spender: MINTER, amount: 1n })],
      ],
      NO_MINTER_APPROVALS: [
        [
          /the minting account cannot delegate mints/,
          () => minter.approve({ spender: SPENDER, amount: 1n }),
        ],
      ],
      NO_DELEGATED_MINTS: [
        [/the minter account cannot delegate mints/, () => spend({ from: MINTER })],
        [
          /the minter account cannot delegate mints/,
          () => minter.transferFrom({ from: MINTER, to: TO, amount: 1n }),
        ],
      ],
      SUPPLY_EXCEEDED: [
        [/supply/, () => minter.transfer({ to: TO, amount: MAX })],
        [/supply/, () => minter.transfer({ to: TO, amount: MAX - FUNDS + 100n * FEE })],
      ],
    }
  test.each(Object.entries(traps))('%s', async (_, rows) => {
    for (const [words, ask] of rows) expect(await trapped(ask)).toMatch(words)
  })

  const lengths = [31, 33]
  const odd = (size: number) => account(0, new Uint8Array(size))
  const bytes = (size: number) => some(new Uint8Array(size))
  const placed: Readonly<Record<string, (size: number) => Promise<unknown>>> = {
    'icrc1_transfer, from_subaccount': (size) => pay({ from_subaccount: bytes(size) }),
    'icrc1_transfer, to': (size) => pay({ to: odd(size) }),
    'icrc2_approve, from_subaccount': (size) => grant({ from_subaccount: bytes(size) }),
    'icrc2_approve, spender': (size) => grant({ spender: odd(size) }),
    'icrc2_transfer_from, spender_subaccount': (size) => spend({ spender_subaccount: bytes(size) }),
    'icrc2_transfer_from, from': (size) => spend({ from: odd(size) }),
    'icrc2_transfer_from, to': (size) => spend({ to: odd(size) }),
    icrc1_balance_of: (size) => rich.reads.icrc1_balance_of(odd(size)),
    'icrc2_allowance, account': (size) =>
      rich.reads.icrc2_allowance({ account: odd(size), spender: POOR }),
    'icrc2_allowance, spender': (size) =>
      rich.reads.icrc2_allowance({ account: POOR, spender: odd(size) }),
    'icrc103_get_allowances, from_account': (size) =>
      Reflect.get(
        rich.reads,
        'icrc103_get_allowances',
      )({
        from_account: some(odd(size)),
        prev_spender: none,
        take: none,
      }),
    'icrc103_get_allowances, prev_spender': (size) =>
      Reflect.get(
        rich.reads,
        'icrc103_get_allowances',
      )({
        from_account: none,
        prev_spender: some(odd(size)),
        take: none,
      }),
    'icrc1_balance_of of the index': (size) => ofIndex('icrc1_balance_of', odd(size)),
    'get_account_transactions of the index': (size) =>
      ofIndex('get_account_transactions', { account: odd(size), start: none, max_results: 1n }),
    'list_subaccounts of the index': (size) =>
      ofIndex('list_subaccounts', { owner: RICH.owner, start: bytes(size) }),
  }
  test.each(Object.entries(placed))('for a subaccount of another length: %s', async (_, ask) => {
    for (const size of lengths) expect(await trapped(() => ask(size))).toMatch(/subaccount|bytes/)
  })

  const ofIndex = (method: string, arg: unknown): Promise<unknown> =>
    present(index[method], method)(arg)
  const ofLedger = (method: string, arg: unknown): Promise<unknown> =>
    Reflect.get(rich.reads, method)(arg)
  const ranged: Readonly<Record<string, (start: bigint, length: bigint) => Promise<unknown>>> = {
    icrc3_get_blocks: (start, length) => ofLedger('icrc3_get_blocks', [{ start, length }]),
    'icrc3_get_blocks, behind a good range': (start, length) =>
      ofLedger('icrc3_get_blocks', [
        { start: 0n, length: 1n },
        { start, length },
      ]),
    get_blocks: (start, length) => ofLedger('get_blocks', { start, length }),
    get_transactions: (start, length) => ofLedger('get_transactions', { start, length }),
    'get_account_transactions of the index': (start, max_results) =>
      ofIndex('get_account_transactions', { account: RICH, start: some(start), max_results }),
  }
  test.each(Object.entries(ranged))('for a number of 65 bits: %s', async (_, ask) => {
    for (const [start, length] of [
      [MAX + 1n, 1n],
      [0n, MAX + 1n],
      [2n ** 256n, 2n ** 256n],
    ] as const)
      expect(await trapped(() => ask(start, length))).toMatch(/too large|64 bits/)
    await unchanged(() => ask(MAX, MAX)) // The largest that there are overflow, and are served.
  })
})

describe('an argument that does not decode is a reject', () => {
  const raw = (methodName: string, arg: Uint8Array, canisterId = idOf(usual)) =>
    agent.update(canisterId, { methodName, arg, effectiveCanisterId: canisterId })
  const indexId = sdkPrincipal(present(usual.canisters[1], 'its index').id)

  /** Methods that differ in what they take: without arguments they are all the same. */
  const taking = (methods: Readonly<Record<string, { readonly args: readonly unknown[] }>>) =>
    Object.keys(methods).filter((name) => (methods[name]?.args.length ?? 0) > 0)
  test.each(['icrc1_name', ...taking(ledgerInterface)])('of %s', async (method) => {
    await trapped(() => raw(method, utf8('DIDL')))
  })
  test.each(taking(indexInterface))('of %s of the index', async (method) => {
    await trapped(() => raw(method, utf8('DIDL'), indexId))
  })

  const good = encodeArgs(ledgerInterface.icrc1_transfer.args, [
    { to: { owner: devUser(1).principal }, amount: 1n },
  ])
  test.each<readonly [string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['another magic', concat(utf8('DIDM'), good.subarray(4))],
    ['half a message', good.subarray(0, good.length / 2)],
    ['a message without its last byte', good.subarray(0, -1)],
    ['a byte behind the message', concat(good, Uint8Array.of(0))],
    ['no argument', utf8('DIDL\0\0')],
    ['a number in place of a record', Uint8Array.of(...utf8('DIDL'), 0, 1, 0x7d, 1)],
    ['a table that never ends', concat(utf8('DIDL'), new Uint8Array(10).fill(0xff))],
    ['an empty record', Uint8Array.of(...utf8('DIDL'), 1, 0x6c, 0, 1, 0)],
    ['zeros', new Uint8Array(10_000)],
  ])('%s, to icrc1_transfer', async (_, arg) => {
    await trapped(() => raw('icrc1_transfer', arg))
  })

  test('and so is a record of 100,000 fields', async () => {
    const many = 100_000
    const fields = Uint8Array.from({ length: 4 * many }, (_, place) => {
      const field = Math.floor(place / 4)
      const byte = [0x80 | (field & 0x7f), 0x80 | ((field >> 7) & 0x7f), field >> 14, 0x7f]
      return byte[place % 4] ?? 0
    })
    const count = [0x80 | (many & 0x7f), 0x80 | ((many >> 7) & 0x7f), many >> 14]
    const arg = concat(utf8('DIDL'), Uint8Array.of(1, 0x6c, ...count), fields, Uint8Array.of(1, 0))
    await trapped(() => raw('icrc1_transfer', arg))
  })
})

test('ranges that overlap, repeat, or end beyond the log are served as they are asked', async () => {
  type Page = { readonly blocks: readonly { readonly id: bigint }[] }
  const ranges = [
    [1n, 2n],
    [0n, 2n],
    [1n, 2n],
    [MAX, MAX],
    [3n, MAX],
  ].map(([start, length]) => ({ start, length }))
  const ask = (): Promise<Page> => Reflect.get(rich.reads, 'icrc3_get_blocks')(ranges)
  const { blocks } = await unchanged(ask)
  const length = usual.ledger.state.chain.blocks.length
  const rest = Array.from({ length: length - 3 }, (_, place) => BigInt(place + 3))
  expect(blocks.map(({ id }) => id)).toEqual([1n, 2n, 0n, 1n, 1n, 2n, ...rest])
})
