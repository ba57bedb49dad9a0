/**
 * Goal: the ledger canister says in Candid what the ledger is and holds. Method: ledger §§2, 9, 14,
 * 16, checklist 83, 87, 118 to 131; asked as clients ask.
 */
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../src/core/base/bytes.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { principal, principalOfText } from '../../../src/core/ic/principal.ts'
import type { Value } from '../../../src/core/ledger/blocks/value.ts'
import { hashValue } from '../../../src/core/ledger/blocks/value.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import type { LegacyValue } from '../../../src/core/ledger/interface/legacy-interface.ts'
import { tip } from '../../../src/core/ledger/queries.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  carol,
  collector,
  FEE,
  LedgerUnderTest,
  MAX,
  minter,
  of,
  START,
  spender,
  sub,
} from './ledger-under-test.ts'

const INDEX = principalOfText('n5wcd-faaaa-aaaar-qaaea-cai')

/** Blocks of every kind, with a collector from the start. */
function busy(): LedgerUnderTest {
  const ledger = new LedgerUnderTest({ feeCollector: of(collector) })
  ledger.fund(alice, 10_000_000n)
  const expiresAt = timestampNs(MAX)
  ledger.approve(alice, spender, 900_000n, { expiresAt, expectedAllowance: 0n })
  ledger.transfer(alice, of(bob, sub(1)), 5n, { fee: FEE, memo: utf8('hi'), createdAtTime: START })
  ledger.transferFrom(spender, [alice, bob], 7n)
  ledger.transfer(alice, minter, FEE)
  return ledger
}

describe('blocks', () => {
  /** The ICRC-3 value that an older reader makes of what it is given. */
  function valueOfLegacy(legacy: LegacyValue): Value {
    switch (legacy.type) {
      case 'nat64':
        return { type: 'nat', nat: legacy.nat64 }
      case 'array':
        return { type: 'array', array: legacy.array.map(valueOfLegacy) }
      case 'map':
        return { type: 'map', map: legacy.map.map(([key, inner]) => [key, valueOfLegacy(inner)]) }
      case 'blob':
      case 'text':
      case 'nat':
      case 'int':
        return legacy
    }
  }

  test('ledger §20.83: of both interfaces have the hash that the next one, or the tip, names', () => {
    const ledger = busy()
    const canisters = new CanistersUnderTest(ledger)
    const range = { start: 0n, length: 100n }
    const { blocks } = canisters.ask(['ledger', 'icrc3_get_blocks'], [[range]])
    const legacy = canisters.ask(['ledger', 'get_blocks'], [range])
    const hashes = blocks.map(({ block }) => toHex(hashValue(block)))
    expect(legacy.blocks.map((block) => toHex(hashValue(valueOfLegacy(block))))).toEqual(hashes)
    const parents = blocks.slice(1).map(({ block }) => {
      const phash = block.type === 'map' ? new Map(block.map).get('phash') : undefined
      return phash?.type === 'blob' ? toHex(phash.blob) : undefined
    })
    expect(hashes).toEqual([...parents, toHex(tip(ledger.state)?.hash ?? new Uint8Array())])
    expect(hashes).toHaveLength(5)
  })

  test('ledger §20.87: an update is given no certificate, a query is', () => {
    const canisters = new CanistersUnderTest(busy())
    const method = ['ledger', 'icrc3_get_tip_certificate'] as const
    const certificate = utf8('a certificate')
    const dataCertificate = () => certificate
    expect(canisters.ask(method, [], { dataCertificate })?.certificate).toEqual(certificate)
    expect(canisters.ask(method, [], { kind: 'update' })).toBeUndefined()
  })
})

describe('what the ledger says about itself', () => {
  const facts = (ledger: LedgerUnderTest) => {
    const canisters = new CanistersUnderTest(ledger)
    const entries = canisters.ask(['ledger', 'icrc1_metadata'], [])
    expect(new Set(entries.map(([key]) => key)).size).toBe(entries.length)
    return {
      name: canisters.ask(['ledger', 'icrc1_name'], []),
      symbol: canisters.ask(['ledger', 'icrc1_symbol'], []),
      decimals: canisters.ask(['ledger', 'icrc1_decimals'], []),
      fee: canisters.ask(['ledger', 'icrc1_fee'], []),
      metadata: new Map<string, unknown>(
        entries.map(([key, value]) => {
          if (value.type === 'nat') return [key, value.nat]
          return [key, value.type === 'text' ? value.text : value]
        }),
      ),
    }
  }
  const agree = ({ name, symbol, decimals, fee, metadata }: ReturnType<typeof facts>): void => {
    expect(metadata.get('icrc1:name')).toBe(name)
    expect(metadata.get('icrc1:symbol')).toBe(symbol)
    expect(metadata.get('icrc1:decimals')).toBe(BigInt(decimals))
    expect(metadata.get('icrc1:fee')).toBe(fee)
  }

  test('ledger §20.118: metadata agrees with name, symbol, decimals and fee', () => {
    const token = { tokenName: 'a name', tokenSymbol: 'SYM', decimals: 3, transferFee: 77n }
    const told = facts(new LedgerUnderTest({ ...token, indexPrincipal: INDEX }))
    expect(told).toMatchObject({ name: 'a name', symbol: 'SYM', decimals: 3, fee: 77n })
    agree(told)
  })

  test('ledger §20.120: what an upgrade changes is visible at once, in fees too', () => {
    const ledger = new LedgerUnderTest()
    ledger.fund(alice, 1_000n)
    const token = { tokenName: 'new', tokenSymbol: 'NEW', transferFee: 9n }
    const logo = ['my:logo', { type: 'text', text: 'x' }] as const
    expect(ledger.upgrade({ ...token, metadata: [logo] })).toEqual({ type: 'ok' })
    const told = facts(ledger)
    expect(told).toMatchObject({ name: 'new', symbol: 'NEW', fee: 9n })
    expect([...told.metadata][0]).toEqual(['my:logo', 'x'])
    agree(told)
    ledger.transfer(alice, bob, 1n)
    expect(ledger.balance(alice)).toBe(990n)
    expect(ledger.upgrade({})).toEqual({ type: 'ok' })
    expect(facts(ledger)).toEqual(told)
  })

  test('ledger §20.123: an index that is not set is an error and no entry; once set it stays', () => {
    const ledger = new LedgerUnderTest()
    const canisters = () => new CanistersUnderTest(ledger)
    const asked = () => canisters().ask(['ledger', 'icrc106_get_index_principal'], [])
    const standards = () => canisters().ask(['ledger', 'icrc1_supported_standards'], [])
    const KEY = 'icrc106:index_principal'
    expect(asked()).toEqual({ type: 'err', error: { type: 'indexPrincipalNotSet' } })
    expect(facts(ledger).metadata.has(KEY)).toBe(false)
    expect(standards().map(({ name }) => name)).toContain('ICRC-106')
    ledger.upgrade({ indexPrincipal: INDEX })
    for (const indexPrincipal of [INDEX, undefined]) {
      ledger.upgrade({ indexPrincipal })
      expect(asked()).toEqual({ type: 'ok', principal: INDEX })
      expect(facts(ledger).metadata.get(KEY)).toBe('n5wcd-faaaa-aaaar-qaaea-cai')
    }
  })

  test('ledger §20.125: seven standards under two methods, and five types of blocks', () => {
    const canisters = new CanistersUnderTest(new LedgerUnderTest())
    const standards = canisters.ask(['ledger', 'icrc1_supported_standards'], [])
    const numbers = [1, 2, 3, 10, 21, 103, 106]
    expect(standards.map(({ name }) => name)).toEqual(numbers.map((number) => `ICRC-${number}`))
    expect(canisters.ask(['ledger', 'icrc10_supported_standards'], [])).toEqual(standards)
    const types = canisters.ask(['ledger', 'icrc3_supported_block_types'], [])
    expect(types.map(({ blockType }) => blockType)).toEqual(
      expect.arrayContaining(['1burn', '1mint', '1xfer', '2approve', '2xfer']),
    )
  })
})

describe('a ledger that recovers its log', () => {
  const ledger = busy()
  const canisters = new CanistersUnderTest(ledger)
  const asAlice = { caller: alice, kind: 'update' } as const
  const rejected = (message: string) => ({
    type: 'rejected',
    code: 5,
    errorCode: 'IC0503',
    message: expect.stringContaining(message),
  })
  const NOT_READY = rejected('the ledger is not ready')

  test('ledger §20.126: rejects a transfer and a reading of blocks, and does nothing', () => {
    const transfer = (isRecovering: boolean) =>
      canisters.tell(['ledger', 'icrc1_transfer'], [{ to: of(bob), amount: 1n }], {
        ...asAlice,
        isRecovering,
      })
    const read = (isRecovering: boolean) =>
      canisters.tell(['ledger', 'get_blocks'], [{ start: 0n, length: 1n }], { isRecovering })
    const before = ledger.state.chain.tipHash
    expect(transfer(true)).toEqual(NOT_READY)
    expect(read(true)).toEqual(NOT_READY)
    expect(ledger.state.chain.tipHash).toBe(before)
    expect(transfer(false).type).toBe('replied')
    expect(read(false).type).toBe('replied')
    expect(ledger.state.chain.tipHash).not.toBe(before)
  })

  test('ledger §20.126: says that it is not ready, and what token it is', () => {
    const ready = (isRecovering: boolean) =>
      canisters.ask(['ledger', 'is_ledger_ready'], [], { isRecovering })
    expect([ready(true), ready(false)]).toEqual([false, true])
    expect(canisters.ask(['ledger', 'icrc1_symbol'], [], { isRecovering: true })).toBe('ckBTC')
    expect(canisters.ask(['ledger', 'icrc1_fee'], [], { isRecovering: true })).toBe(FEE)
  })

  const needState: readonly string[] = [
    ...['icrc1_transfer', 'icrc2_approve', 'icrc2_transfer_from', 'icrc1_balance_of'],
    ...['icrc1_total_supply', 'icrc2_allowance', 'icrc103_get_allowances'],
    ...['icrc3_get_blocks', 'icrc3_get_archives', 'icrc3_get_tip_certificate'],
    ...['get_blocks', 'get_transactions', 'get_data_certificate', 'archives'],
  ]

  test.each(Object.keys(ledgerInterface))('answers %s only if it needs no state', (name) => {
    const nothing = encodeArgs([], [])
    const reply = canisters.call('ledger', name, nothing, { kind: 'update', isRecovering: true })
    const isRefused = reply.type === 'rejected' && reply.message.includes('not ready')
    expect(isRefused).toBe(needState.includes(name))
  })
})

describe('allowances', () => {
  const ledger = new LedgerUnderTest()
  for (const owner of [of(alice), of(alice, sub(1)), of(bob)]) ledger.fund(owner, 10_000_000n)
  ledger.approve(alice, minter, 1n)
  ledger.approve(alice, carol, 2n)
  ledger.approve(alice, carol, 3n, { fromSubaccount: sub(1) })
  ledger.approve(bob, carol, 4n)
  const canisters = new CanistersUnderTest(ledger)
  type Args = Parameters<typeof page>[0]
  function page(
    args: { readonly take?: bigint; readonly ofBob?: boolean },
    caller = alice,
  ): readonly bigint[] {
    const { take, ofBob } = args
    const fromAccount = ofBob === true ? of(bob) : undefined
    const answer = canisters.ask(['ledger', 'icrc103_get_allowances'], [{ take, fromAccount }], {
      caller,
    })
    if (answer.type !== 'ok') throw new RangeError('no error is ever produced')
    return answer.allowances.map(({ allowance }) => allowance)
  }

  test('ledger §20.127: of the caller come in order, from all of his accounts, and no others', () => {
    expect(page({})).toEqual([1n, 2n, 3n])
  })

  test('ledger §20.131: of anybody may be asked for by anybody', () => {
    expect(page({ ofBob: true }, carol)).toEqual([4n])
  })

  test.each<[string, Args, number]>([
    ['no number', {}, 3],
    ['none', { take: 0n }, 0],
    ['2^64', { take: 2n ** 64n }, 3],
    ['2^70', { take: 2n ** 70n }, 3],
  ])('are given when %s is asked for', (_, args, count) => {
    expect(page(args)).toHaveLength(count)
  })

  test('ledger §20.129: come by 500 at most, whatever number is asked for', () => {
    const rich = new LedgerUnderTest()
    rich.fund(alice, 600n * FEE)
    for (let n = 0; n < 501; n++)
      rich.quietly(alice, {
        type: 'icrc2_approve',
        arg: { spender: of(principal(Uint8Array.of(n >> 8, n & 255, 7))), amount: 5n },
      })
    const many = new CanistersUnderTest(rich)
    const count = (take: bigint | undefined): number => {
      const answer = many.ask(['ledger', 'icrc103_get_allowances'], [{ take }], { caller: alice })
      return answer.type === 'ok' ? answer.allowances.length : -1
    }
    expect([undefined, 0n, 499n, 500n, 501n, 2n ** 70n].map(count)).toEqual([
      500, 0, 499, 500, 500, 500,
    ])
  })
})

test('a trap of the ledger is a reject with its words', () => {
  const reply = new CanistersUnderTest(busy()).tell(
    ['ledger', 'icrc2_approve'],
    [{ spender: of(alice), amount: 1n }],
    { caller: alice, kind: 'update' },
  )
  expect(reply).toMatchObject({ code: 5, message: expect.stringContaining('self approval') })
})
