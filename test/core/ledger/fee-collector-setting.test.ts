/**
 * Goal: with ICRC-107 its controller says, in a block, where fees go; without it nothing is new.
 *
 * Method: ledger §17 and the text of the standard; a random log with settings in it is replayed, and
 * read by an index, and a ledger as simple as can be says who holds what.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../../../src/core/base/bytes.ts'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Account } from '../../../src/core/ic/account.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { ckbtcTokenIds, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { anonymous } from '../../../src/core/ic/principal.ts'
import { decodeBlock, encodeBlock } from '../../../src/core/ledger/blocks/block-codec.ts'
import type { Config } from '../../../src/core/ledger/config.ts'
import { DEFAULT_LIMITS } from '../../../src/core/ledger/config.ts'
import { balanceIn, emptyIndex } from '../../../src/core/ledger/index/account-index.ts'
import { syncBlocks } from '../../../src/core/ledger/index/sync.ts'
import { feeCollectorInterface } from '../../../src/core/ledger/interface/fee-collector-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { blockTypesOf } from '../../../src/core/ledger/interface/metadata.ts'
import { apply } from '../../../src/core/ledger/machine.ts'
import { replay } from '../../../src/core/ledger/replay.ts'
import { decideSetFeeCollector } from '../../../src/core/ledger/transactions/fee-collector-setting.ts'
import type { Reply, SetFeeCollectorError } from '../../../src/core/ledger/types.ts'
import { dispatch } from '../../../src/core/subnet/dispatch.ts'
import { CanisterSource } from '../../../src/core/subnet/index-source.ts'
import { TokenArchives } from '../../../src/core/subnet/token-archives.ts'
import { newToken, TokenCanisters } from '../../../src/core/subnet/token-canisters.ts'
import { CanistersUnderTest } from './canisters-under-test.ts'
import {
  alice,
  bob,
  carol,
  collector,
  DRIFT,
  FEE,
  LedgerUnderTest,
  M,
  of,
  spender,
  sub,
  testConfig,
  trap,
  WINDOW,
  ZEROS,
} from './ledger-under-test.ts'

const controller = carol
const other = of(bob, sub(7))

/** `createdAt`: seconds from the time of the call. */
function set(
  ledger: LedgerUnderTest,
  feeCollector: Account | undefined,
  { caller = controller, createdAt = 0n } = {},
): Reply<SetFeeCollectorError> {
  const createdAtTime = timestampNs(ledger.now + createdAt)
  const args = { feeCollector, createdAtTime }
  const callers = { caller, controller }
  const { events, reply } = decideSetFeeCollector(ledger.state, callers, args, ledger.now)
  for (const event of events) apply(ledger.state, event)
  return reply
}

function funded(changes: Partial<Config> = {}): LedgerUnderTest {
  const ledger = new LedgerUnderTest({ extensions: ['ICRC-107'], ...changes })
  ledger.fund(alice, 10_000_000n)
  ledger.approve(alice, spender, 1_000_000n)
  return ledger
}

describe('a setting', () => {
  test('is a block with its method, its caller and the time that the caller gave', () => {
    const ledger = funded()
    expect(set(ledger, of(collector, ZEROS), { createdAt: -5n })).toEqual({
      type: 'ok',
      blockIndex: 2n,
    })
    expect(ledger.state.chain.blocks.at(-1)).toMatchObject({
      timestamp: ledger.now,
      transaction: {
        type: 'feeCollector',
        feeCollector: of(collector, ZEROS),
        caller: controller,
        createdAtTime: ledger.now - 5n,
        method: '107set_fee_collector',
      },
    })
  })

  test('gives every later fee to the account, those of approvals too', () => {
    const ledger = funded()
    set(ledger, of(collector))
    const supply = ledger.supply()
    ledger.transfer(alice, bob, 5n)
    ledger.approve(alice, spender, 1_000_000n)
    ledger.transferFrom(spender, [alice, bob], 5n)
    expect(ledger.balance(collector)).toBe(3n * FEE)
    expect(ledger.supply()).toBe(supply)
    set(ledger, other)
    ledger.approve(alice, spender, 3n)
    expect([ledger.balance(collector), ledger.balance(other)]).toEqual([3n * FEE, FEE])
  })

  test('of no account burns them', () => {
    const ledger = funded({ feeCollector: of(collector) })
    set(ledger, undefined)
    const supply = ledger.supply()
    ledger.transfer(alice, bob, 5n)
    ledger.approve(alice, spender, 3n)
    expect(ledger.supply()).toBe(supply - 2n * FEE)
    expect(ledger.balance(collector)).toBe(0n)
  })

  test('ends the older way: later blocks bear no key of it, earlier ones keep theirs', () => {
    const ledger = funded({ feeCollector: of(collector) })
    ledger.transfer(alice, bob, 5n)
    set(ledger, other)
    ledger.transfer(alice, bob, 5n)
    const marks = ledger.state.chain.blocks.map((b) => b.feeCollector ?? b.feeCollectorBlock)
    expect(marks).toEqual([of(collector), 0n, 0n, undefined, undefined])
    expect([ledger.balance(collector), ledger.balance(other)]).toEqual([FEE, FEE])
    const change = { type: 'setTo', account: of(collector) } as const
    expect(ledger.upgrade({ feeCollector: change })).toEqual(trap('icrc107_set_fee_collector'))
    expect(ledger.upgrade({ tokenName: 'Other' })).toEqual({ type: 'ok' })
  })

  test('right behind a change in the older way bears no key of it either', () => {
    const ledger = funded()
    ledger.upgrade({ feeCollector: { type: 'setTo', account: of(collector) } })
    set(ledger, other)
    expect(ledger.state.chain.blocks.at(-1)).not.toHaveProperty('feeCollector')
  })

  test('is made once, however often it is asked for', () => {
    const ledger = funded()
    const first = set(ledger, of(collector))
    const again = { type: 'err', error: { type: 'duplicate', duplicateOf: 2n } }
    expect(first).toEqual({ type: 'ok', blockIndex: 2n })
    expect(set(ledger, of(collector))).toEqual(again)
    ledger.pass(WINDOW + DRIFT)
    const late = { createdAt: -WINDOW - DRIFT }
    expect(set(ledger, of(collector), late)).toMatchObject({ error: { message: 'tooOld' } })
    for (const [to, createdAt] of [
      [of(collector, ZEROS), 0n],
      [undefined, 0n],
      [of(collector), 1n],
    ] as const)
      expect(set(ledger, to, { createdAt }).type).toBe('ok')
  })
})

describe('a setting is refused', () => {
  const denied = { type: 'err', error: expect.objectContaining({ type: 'accessDenied' }) }
  const invalid = { type: 'err', error: expect.objectContaining({ type: 'invalidAccount' }) }
  const generic = (errorCode: bigint) => ({
    type: 'err',
    error: expect.objectContaining({ type: 'genericError', errorCode }),
  })
  test.each([
    ['of a user', of(collector), { caller: alice }, denied],
    ['of nobody', undefined, { caller: anonymous }, denied],
    ['to the minting account', M, {}, invalid],
    ['to the minting account in its other form', of(M.owner, ZEROS), {}, invalid],
    ['to everybody', of(anonymous), {}, invalid],
    ['to everybody, in a subaccount', of(anonymous, sub(1)), {}, invalid],
    ['that is too old', of(collector), { createdAt: -WINDOW - 1n }, generic(1n)],
    ['of the future', of(collector), { createdAt: DRIFT + 1n }, generic(2n)],
  ])('%s', (_name, to, options, expected) => {
    const ledger = funded()
    const before = structuredClone(ledger.state)
    expect(set(ledger, to, options)).toEqual(expected)
    expect(ledger.state).toEqual(before)
  })

  test('while transactions come too fast', () => {
    const limits = { ...DEFAULT_LIMITS, transactionsInWindowMax: 2 }
    const ledger = funded({ limits })
    ledger.transfer(alice, bob, 1n, { createdAtTime: ledger.now })
    expect(set(ledger, of(collector))).toEqual(generic(3n))
  })

  test('that a subaccount of the minting account would collect, is none', () => {
    expect(set(funded(), of(M.owner, sub(1))).type).toBe('ok')
  })
})

/** Fees of every block by the words of the standard, block after block. */
function feesOf(ledger: LedgerUnderTest, account: Account): bigint {
  const { blocks } = ledger.state.chain
  let sum = 0n
  let setting: { readonly to: Account | undefined } | undefined
  for (const block of blocks) {
    const { transaction } = block
    if (transaction.type === 'feeCollector') setting = { to: transaction.feeCollector }
    const named = block.feeCollector ?? blocks[Number(block.feeCollectorBlock ?? -1)]?.feeCollector
    const charges =
      transaction.type === 'transfer' || (setting !== undefined && transaction.type === 'approve')
    const to = setting === undefined ? named : setting.to
    if (charges && to !== undefined && equalBytes(to.owner, account.owner)) sum += FEE
  }
  return sum
}

type Step = 'transfer' | 'approve' | 'collector' | 'other' | 'burn' | 'upgrade'
const steps = fc.array(
  fc.constantFrom<Step>('transfer', 'approve', 'transfer', 'collector', 'other', 'burn', 'upgrade'),
  { maxLength: 25 },
)

test('random logs with settings replay, and an index reads them', () => {
  const account = { collector: of(collector), other, burn: undefined }
  fc.assert(
    fc.property(steps, fc.boolean(), (taken, begins) => {
      const ledger = funded(begins ? { feeCollector: of(collector) } : {})
      const canisters = new CanistersUnderTest(ledger)
      for (const step of taken) {
        ledger.pass(NS_PER_SECOND)
        if (step === 'transfer') ledger.transfer(alice, alice, 5n)
        else if (step === 'approve') ledger.approve(alice, spender, 5n)
        else if (step === 'upgrade') ledger.upgrade({ feeCollector: { type: 'unset' } })
        else expect(set(ledger, account[step]).type).toBe('ok')
        canisters.endSlot()
      }
      expect(ledger.balance(collector)).toBe(feesOf(ledger, of(collector)))
      expect(ledger.balance(other)).toBe(feesOf(ledger, other))
      const again = replay(ledger.state.config, ledger.state.chain.blocks)
      if (again.type === 'broken') throw new RangeError(again.reason)
      expect(again.state.balances).toEqual(ledger.state.balances)
      expect(again.state.feeCollection).toMatchObject({ set: ledger.state.feeCollection.set })
      for (const block of ledger.state.chain.blocks)
        expect(decodeBlock(encodeBlock(block))).toEqual(block)
      const { index } = canisters.token.state
      const fresh = emptyIndex(64)
      syncBlocks(fresh, new CanisterSource(canisters.token), 100)
      expect(fresh).toEqual(index)
      for (const one of [of(collector), other, of(alice)])
        expect(balanceIn(index, one)).toBe(ledger.balance(one))
      expect([index.supply, index.stopped]).toEqual([ledger.supply(), undefined])
    }),
    { numRuns: 40, seed: 107 },
  )
})

test('the index counts a setting to its range, and lists it for nobody', () => {
  const ledger = funded({ feeCollector: of(collector) })
  const canisters = new CanistersUnderTest(ledger)
  set(ledger, of(collector, ZEROS))
  ledger.transfer(alice, bob, 5n)
  set(ledger, other)
  ledger.transfer(alice, bob, 5n)
  set(ledger, undefined)
  ledger.transfer(alice, bob, 5n)
  const { ranges } = canisters.ask(['index', 'get_fee_collectors_ranges'], [])
  expect(ranges).toEqual([
    [{ owner: collector }, [[0n, 4n]]],
    [{ owner: bob, subaccount: sub(7) }, [[4n, 6n]]],
  ])
  const args = { account: of(collector), maxResults: 9n }
  const answer = canisters.ask(['index', 'get_account_transactions'], [args])
  expect(answer).toMatchObject({ page: { balance: FEE, transactions: [] } })
  const all = { start: 0n, length: 9n }
  expect(canisters.ask(['ledger', 'get_transactions'], [all]).transactions[2]).toEqual({
    kind: '107feecol',
    timestamp: ledger.now,
    feeCollector: {
      feeCollector: { owner: collector, subaccount: ZEROS },
      ...{ caller: controller, ts: ledger.now, mthd: '107set_fee_collector' },
    },
  })
})

describe('the canister', () => {
  const { icrc107_get_fee_collector: get, icrc107_set_fee_collector: setMethod } =
    feeCollectorInterface
  function canisterOf(changes: Partial<Config>) {
    const ledger = new LedgerUnderTest(changes)
    const state = newToken(ledger.state)
    const token = new TokenCanisters(ckbtcTokenIds(ownCanisterIds), state, controller)
    const call = (methodName: string, arg: Uint8Array, caller = controller) => {
      const context = { caller, now: ledger.now, kind: 'update' as const }
      const handlers = token.ledger.handlers({ ...context, dataCertificate: () => undefined })
      return dispatch(handlers, { canisterId: token.ledger.id, methodName, arg }, 'update')
    }
    return { ledger, token, call }
  }
  const replied = (method: { readonly result: unknown }, value: unknown) => ({
    type: 'replied',
    arg: encodeArgs([method.result as never], [value as never]),
  })

  test('sets, and says what is set', () => {
    const { ledger, call } = canisterOf({ extensions: ['ICRC-107'], feeCollector: other })
    const current = () => call('icrc107_get_fee_collector', encodeArgs([], []))
    expect(current()).toEqual(replied(get, { type: 'ok', collector: other }))
    const arg = encodeArgs(setMethod.args, [
      { feeCollector: of(collector), createdAtTime: ledger.now },
    ])
    const refusal = call('icrc107_set_fee_collector', arg, alice)
    expect(refusal).toMatchObject({ type: 'replied' })
    expect(current()).toEqual(replied(get, { type: 'ok', collector: other }))
    expect(call('icrc107_set_fee_collector', arg)).toEqual(
      replied(setMethod, { type: 'ok', blockIndex: 0n }),
    )
    expect(current()).toEqual(replied(get, { type: 'ok', collector: of(collector) }))
    const burning = encodeArgs(setMethod.args, [{ createdAtTime: ledger.now }])
    expect(call('icrc107_set_fee_collector', burning)).toEqual(
      replied(setMethod, { type: 'ok', blockIndex: 1n }),
    )
    expect(current()).toEqual(replied(get, { type: 'ok', collector: undefined }))
  })

  test('lists standard and block type, and has the methods in its interface', () => {
    const { ledger, token } = canisterOf({ extensions: ['ICRC-107'] })
    const canisters = new CanistersUnderTest(ledger)
    expect(canisters.ask(['ledger', 'icrc1_supported_standards'], []).at(-1)?.name).toBe('ICRC-107')
    const types = canisters.ask(['ledger', 'icrc3_supported_block_types'], [])
    expect(types.at(-1)?.blockType).toBe('107feecol')
    expect(token.ledger.service).toContain('icrc107_set_fee_collector')
    const archives = new TokenArchives(
      ckbtcTokenIds(ownCanisterIds),
      [],
      blockTypesOf(ledger.state.config),
    )
    const limits = { maxMemorySizeBytes: 1n, maxTransactionsPerResponse: 1n }
    archives.create(0, { ...limits, blockIndexOffset: 0n, parentHash: undefined })
    const context = { caller: alice, now: ledger.now, kind: 'query' as const }
    const { icrc3_supported_block_types: listing } =
      archives.canisters[0]?.handlers({ ...context, dataCertificate: () => undefined }) ?? {}
    expect(listing?.answer(encodeArgs([], []))).toEqual({
      type: 'result',
      value: encodeArgs([ledgerInterface.icrc3_supported_block_types.result], [types]),
    })
  })

  test('has nothing of it unless told', () => {
    const { token, call } = canisterOf({})
    const canisters = new CanistersUnderTest(new LedgerUnderTest())
    expect(token.ledger.service).not.toContain('107')
    for (const name of ['icrc107_set_fee_collector', 'icrc107_get_fee_collector'])
      expect(call(name, encodeArgs([], []))).toMatchObject({ errorCode: 'IC0536' })
    expect(canisters.ask(['ledger', 'icrc1_supported_standards'], [])).toHaveLength(7)
    expect(canisters.ask(['ledger', 'icrc3_supported_block_types'], [])).toHaveLength(5)
  })
})

test('a log in which the minting account collects fees is broken', () => {
  const ledger = funded()
  set(ledger, of(collector))
  const [first, second, third] = ledger.state.chain.blocks
  if (first === undefined || second === undefined || third === undefined)
    throw new RangeError('three blocks expected')
  const wrong = { ...third, transaction: { type: 'feeCollector', feeCollector: M } as const }
  expect(replay(testConfig(), [first, second, wrong])).toEqual({
    type: 'broken',
    blockIndex: 2n,
    reason: 'the minting account cannot collect fees',
  })
})
