/**
 * Goal: whatever bytes a caller sends, the ledger answers, refuses or rejects, and stays sound. Method:
 * ledger §§2, 5, 6, 11, checklist 15; arguments are written by the SDK, so that they are legal Candid
 * and absurd in meaning, and then damaged.
 */
import { IDL } from '@icp-sdk/core/candid'
import { Principal as SdkPrincipal } from '@icp-sdk/core/principal'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { present } from '../../../src/core/base/errors.ts'
import type { CallReply } from '../../../src/core/ic/call-reply.ts'
import { decodeArgs } from '../../../src/core/ic/candid.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import type { CanisterName } from '../../../src/core/subnet/canister.ts'
import { publishedInterface, publishedValues } from '../../support/candid-peer.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import { alice, bob, FEE, LedgerUnderTest, MAX, spender, testConfig } from './ledger-under-test.ts'

const published = await publishedInterface('ledger-icrc/icrc_ledger.idl.js')
const sdk = (owner: Uint8Array) => SdkPrincipal.fromUint8Array(owner)

/** What a caller may say, in the form of the SDK. */
type Said = { readonly [field: string]: unknown }

const account = (owner: Uint8Array, subaccount: readonly Uint8Array[] = []): Said => ({
  owner: sdk(owner),
  subaccount,
})
const OPTIONS = { fee: [], memo: [], created_at_time: [] }
const TRANSFER: Said = { from_subaccount: [], to: account(bob), amount: 5n, ...OPTIONS }
const APPROVE: Said = {
  from_subaccount: [],
  spender: account(bob),
  amount: 5n,
  expected_allowance: [],
  expires_at: [],
  ...OPTIONS,
}
const SPEND: Said = {
  spender_subaccount: [],
  from: account(alice),
  to: account(bob),
  amount: 5n,
  ...OPTIONS,
}
const CALLS = {
  icrc1_transfer: TRANSFER,
  icrc2_approve: APPROVE,
  icrc2_transfer_from: SPEND,
} as const
type Method = keyof typeof ledgerInterface

/** Alice has tokens, and lets the spender use some. */
function prepared(tokenWidth: 64 | 256 = 64): {
  ledger: LedgerUnderTest
  asked: CanistersUnderTest
} {
  const ledger = new LedgerUnderTest({ tokenWidth })
  ledger.fund(alice, 10_000_000n)
  ledger.approve(alice, spender, 1_000_000n)
  return { ledger, asked: new CanistersUnderTest(ledger) }
}

const callerOf = (method: string): typeof alice =>
  method === 'icrc2_transfer_from' ? spender : alice

function send(asked: CanistersUnderTest, method: Method, ...said: readonly unknown[]): CallReply {
  const { args } = present(published.get(method), 'a published method')
  const bytes = new Uint8Array(IDL.encode([...args], [...said]))
  return asked.call('ledger', method, bytes, { caller: callerOf(method), kind: 'update' })
}

/** The value that a method gave back; a reject fails the test. */
function givenBy(method: Method, reply: CallReply): unknown {
  if (reply.type === 'rejected') throw new RangeError(reply.message)
  return decodeArgs([ledgerInterface[method].result], reply.arg)[0]
}

const TRAP = { type: 'rejected', code: 5, errorCode: 'IC0503' }

describe('ledger §20.15: a subaccount that has not 32 bytes is a reject', () => {
  const bytes = (length: number): readonly Uint8Array[] => [new Uint8Array(length).fill(1)]
  const places: readonly (readonly [string, Method, (length: number) => Said])[] = [
    ['of the sender', 'icrc1_transfer', (n) => ({ ...TRANSFER, from_subaccount: bytes(n) })],
    ['of the receiver', 'icrc1_transfer', (n) => ({ ...TRANSFER, to: account(bob, bytes(n)) })],
    ['of who approves', 'icrc2_approve', (n) => ({ ...APPROVE, from_subaccount: bytes(n) })],
    ['of a spender', 'icrc2_approve', (n) => ({ ...APPROVE, spender: account(bob, bytes(n)) })],
    ['of who spends', 'icrc2_transfer_from', (n) => ({ ...SPEND, spender_subaccount: bytes(n) })],
    ['of an owner', 'icrc2_transfer_from', (n) => ({ ...SPEND, from: account(alice, bytes(n)) })],
    ['of who is paid', 'icrc2_transfer_from', (n) => ({ ...SPEND, to: account(bob, bytes(n)) })],
    ['of a balance', 'icrc1_balance_of', (n) => account(alice, bytes(n))],
    [
      'of an allowance',
      'icrc2_allowance',
      (n) => ({ account: account(alice, bytes(n)), spender: account(bob) }),
    ],
    [
      'of the spender of an allowance',
      'icrc2_allowance',
      (n) => ({ account: account(alice), spender: account(bob, bytes(n)) }),
    ],
    [
      'of a list of allowances',
      'icrc103_get_allowances',
      (n) => ({ from_account: [account(alice, bytes(n))], prev_spender: [], take: [] }),
    ],
    [
      'of the last spender of a list',
      'icrc103_get_allowances',
      (n) => ({ from_account: [], prev_spender: [account(bob, bytes(n))], take: [] }),
    ],
  ]

  test.each(places)('%s, in %s', (_, method, said) => {
    const { ledger, asked } = prepared()
    for (const length of [0, 1, 31, 33, 64])
      expect(send(asked, method, said(length))).toMatchObject({
        ...TRAP,
        message: expect.stringContaining(`a subaccount of ${length} bytes`),
      })
    expect(ledger.state.chain.blocks).toHaveLength(2)
    expect(send(asked, method, said(32)).type).toBe('replied')
  })
})

describe('a memo', () => {
  test.each(Object.entries(CALLS))('that is too long is a reject of %s', (name, said) => {
    const { ledger, asked } = prepared()
    const method = name as keyof typeof CALLS
    for (const length of [33, 80, 65_536, 1_000_000])
      expect(send(asked, method, { ...said, memo: [new Uint8Array(length)] })).toMatchObject({
        ...TRAP,
        message: expect.stringContaining(`a memo of ${length} bytes, at most 32`),
      })
    expect(ledger.state.chain.blocks).toHaveLength(2)
    const reply = send(asked, method, { ...said, memo: [new Uint8Array(32)] })
    expect(givenBy(method, reply)).toEqual({ type: 'ok', blockIndex: 2n })
  })
})

const refused = (type: string, fields: Said = {}): unknown => ({
  type: 'err',
  error: { type, ...fields },
})

describe.each([
  ['64', 64, MAX],
  ['256', 256, 2n ** 256n - 1n],
] as const)('a number beyond %s bits', (_, width, max) => {
  const BALANCE = 10_000_000n - FEE
  const LARGE = [max + 1n, 2n * max, 2n ** 300n, 2n ** 1_000n]

  test.each<[string, Method, (large: bigint) => Said, unknown]>([
    [
      'as the amount of a transfer',
      'icrc1_transfer',
      (amount) => ({ ...TRANSFER, amount, fee: [1n] }),
      refused('insufficientFunds', { balance: BALANCE }),
    ],
    [
      'as an amount to spend',
      'icrc2_transfer_from',
      (amount) => ({ ...SPEND, amount }),
      refused('insufficientFunds', { balance: BALANCE }),
    ],
    [
      'as a fee',
      'icrc1_transfer',
      (fee) => ({ ...TRANSFER, fee: [fee] }),
      refused('badFee', { expectedFee: FEE }),
    ],
    [
      'as the fee of an approval',
      'icrc2_approve',
      (fee) => ({ ...APPROVE, fee: [fee] }),
      refused('badFee', { expectedFee: FEE }),
    ],
    [
      'as the fee of who spends',
      'icrc2_transfer_from',
      (fee) => ({ ...SPEND, fee: [fee] }),
      refused('badFee', { expectedFee: FEE }),
    ],
    [
      'as an expected allowance',
      'icrc2_approve',
      (large) => ({ ...APPROVE, expected_allowance: [large], fee: [1n] }),
      refused('allowanceChanged', { currentAllowance: 0n }),
    ],
  ])('%s is an error of the interface', (_name, method, said, expected) => {
    const { ledger, asked } = prepared(width)
    for (const large of LARGE)
      expect(givenBy(method, send(asked, method, said(large)))).toEqual(expected)
    expect(ledger.state.chain.blocks).toHaveLength(2)
  })

  test('as an allowance approves all there can be', () => {
    const { ledger, asked } = prepared(width)
    for (const amount of LARGE) {
      const reply = send(asked, 'icrc2_approve', { ...APPROVE, amount })
      expect(givenBy('icrc2_approve', reply)).toMatchObject({ type: 'ok' })
      expect(ledger.allowance(alice, bob)).toEqual({ allowance: max })
    }
  })
})

describe('a range', () => {
  const range = (start: bigint, length: bigint): Said => ({ start, length })
  const methods = ['icrc3_get_blocks', 'get_blocks', 'get_transactions'] as const
  const ask = (method: (typeof methods)[number], start: bigint, length: bigint): CallReply => {
    const asked = range(start, length)
    return send(prepared().asked, method, method === 'icrc3_get_blocks' ? [asked] : asked)
  }

  test.each(methods)('of %s with a number beyond 64 bits is a reject', (method) => {
    for (const large of [MAX + 1n, 2n ** 70n, 2n ** 300n]) {
      expect(ask(method, large, 1n)).toMatchObject(TRAP)
      expect(ask(method, 0n, large)).toMatchObject(TRAP)
    }
  })

  test.each(methods)('of %s whose end overflows gives what there is', (method) => {
    const countOf = (start: bigint, length: bigint): number => {
      const value = givenBy(method, ask(method, start, length)) as Partial<{
        readonly blocks: readonly unknown[]
        readonly transactions: readonly unknown[]
      }>
      return (value.blocks ?? value.transactions ?? [0, 0, 0]).length
    }
    expect(countOf(1n, MAX)).toBe(1)
    expect(countOf(MAX, MAX)).toBe(0)
    expect(countOf(MAX, 1n)).toBe(0)
    expect(countOf(0n, MAX)).toBe(2)
  })

  test('may be asked for any number of times; the answer has its limit', () => {
    const ranges = Array.from({ length: 20_000 }, () => range(0n, MAX))
    const reply = send(prepared().asked, 'icrc3_get_blocks', ranges)
    expect(givenBy('icrc3_get_blocks', reply)).toMatchObject({ blocks: { length: 100 } })
  })
})

const names = Object.keys(ledgerInterface) as Method[]

describe('bytes that are no arguments', () => {
  const { ledger, asked } = prepared()
  /** Never throws, and never leaves a ledger that is not sound. */
  const answerTo = (canister: CanisterName, name: string, bytes: Uint8Array): CallReply =>
    asked.call(canister, name, bytes, { caller: callerOf(name), kind: 'update' })

  const withArchive = new LedgerUnderTest({
    archiveOptions: {
      ...testConfig().archiveOptions,
      triggerThreshold: 2n,
      numBlocksToArchive: 1n,
    },
  })
  withArchive.fund(alice, 10_000_000n)
  withArchive.fund(alice, 10_000_000n)
  const all = new CanistersUnderTest(withArchive)
  all.endSlot()

  test('are sent to ledger, index and archive', () => {
    expect(new Set(all.methods.map(([canister]) => canister)).size).toBe(3)
  })

  test.each(all.methods)('are a reject, or ask nothing: %s, %s', (canister, name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (random, hasMagic) => {
        const bytes = hasMagic ? Uint8Array.of(0x44, 0x49, 0x44, 0x4c, ...random) : random
        const reply = all.call(canister, name, bytes, { caller: alice, kind: 'update' })
        if (!hasMagic) expect(reply).toMatchObject(TRAP)
        // What is not for everybody is refused in the words of the canister.
        if (reply.type === 'rejected') expect(['IC0503', 'IC0406']).toContain(reply.errorCode)
      }),
      { numRuns: 40 },
    )
  })

  test.each(names)('made of some that are, by damage, are answered or trap: %s', (name) => {
    const types = [...present(published.get(name), 'a published method').args]
    const damage = fc.array(fc.record({ place: fc.nat(), byte: fc.nat(255), cut: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(fc.tuple(...types.map(publishedValues)), damage, (list, damages) => {
        let bytes = new Uint8Array(IDL.encode(types, list))
        for (const { place, byte, cut } of damages) {
          const at = place % bytes.length
          bytes = cut && at > 0 ? bytes.slice(0, at) : bytes.with(at, byte)
        }
        const reply = answerTo('ledger', name, bytes)
        if (reply.type === 'rejected') expect(reply).toMatchObject(TRAP)
      }),
      { numRuns: 60 },
    )
    expect(violations(ledger.state)).toEqual([])
  })
})
