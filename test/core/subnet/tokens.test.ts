/**
 * Goal: tokens beside ckBTC are ledgers of their own: nothing that happens at one is seen at another,
 * each has what its file says, and an upgrade of the operator changes one of them, wholly or not at all.
 * Method: one replica with a token of 64 and one of 256 bits, called in Candid as clients call it.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import type { Codec, Method } from '../../../src/core/ic/candid.ts'
import { furtherToken, ownCanisterIds } from '../../../src/core/ic/canister-ids.ts'
import { lookup } from '../../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../../src/core/ic/principal.ts'
import { witness } from '../../../src/core/ic/state-tree.ts'
import { indexInterface } from '../../../src/core/ledger/index/index-interface.ts'
import type { LedgerArg } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerExtension } from '../../../src/core/ledger/interface/init-interface.ts'
import { ledgerInterface } from '../../../src/core/ledger/interface/ledger-interface.ts'
import { violations } from '../../../src/core/ledger/invariants.ts'
import { certifiedDataPath } from '../../../src/core/subnet/certified-state.ts'
import type { User } from '../../../src/wallet/identity.ts'
import { devUser } from '../../../src/wallet/identity.ts'
import { copyOf, operator, ReplicaWorld } from '../../support/replica-world.ts'
import { tokenMinter, tokenOf } from '../../support/token-files.ts'

const [alice, bob] = [devUser(0), devUser(1)]
const collector = { owner: bob.principal, subaccount: new Uint8Array(32).fill(7) }
const small = tokenOf({ decimals: 2, transfer_fee: '3', max_memo_length: 4 })
const wide = {
  ...tokenOf({
    token_symbol: 'WIDE',
    token_width: 256,
    decimals: 18,
    transfer_fee: `${10n ** 15n}`,
  }),
  feeCollector: collector,
  initialBalances: [{ account: { owner: bob.principal }, amount: 2n ** 200n }],
}
const ledgers = { ckbtc: {}, tokens: [small, wide] }
const [smallIds, wideIds] = [furtherToken(0), furtherToken(1)]
const of = ({ principal }: User) => ({ owner: principal })

const makeWorld = () => new ReplicaWorld({ ledgers })
const call = <M extends keyof typeof ledgerInterface>(
  world: ReplicaWorld,
  user: User,
  [canisterId, name]: readonly [Principal, M],
  args: readonly unknown[],
) => {
  const method: Method<readonly Codec<unknown>[], Codec<unknown>> = ledgerInterface[name]
  return world.call({ user, canisterId }, [name, method], args)
}

const balance = (world: ReplicaWorld, ledger: Principal, user: User) =>
  call(world, user, [ledger, 'icrc1_balance_of'], [of(user)])
const mint = (world: ReplicaWorld, ledger: Principal, amount: bigint, by = tokenMinter) =>
  call(world, by, [ledger, 'icrc1_transfer'], [{ to: of(alice), amount }])
const ok = (blockIndex: bigint) => ({ type: 'ok', blockIndex })

describe('tokens beside ckBTC', () => {
  test('are what their files say', () => {
    const world = makeWorld()
    const said = (ledger: Principal) =>
      (
        ['icrc1_name', 'icrc1_symbol', 'icrc1_decimals', 'icrc1_fee', 'icrc1_total_supply'] as const
      ).map((name) => call(world, alice, [ledger, name], []))
    expect(said(smallIds.ledger)).toEqual(['A token', 'XYZ', 2, 3n, 0n])
    expect(said(wideIds.ledger)).toEqual(['A token', 'WIDE', 18, 10n ** 15n, 2n ** 200n])
    expect(said(ownCanisterIds.ledger)).toEqual(['ckBTC', 'ckBTC', 8, 10n, 0n])
    expect(call(world, alice, [wideIds.ledger, 'icrc1_minting_account'], [])).toEqual(
      of(tokenMinter),
    )
  })

  test('name their own index, and it them', () => {
    const world = makeWorld()
    for (const { ledger, index } of [smallIds, wideIds]) {
      expect(call(world, alice, [ledger, 'icrc106_get_index_principal'], [])).toEqual({
        type: 'ok',
        principal: index,
      })
      const method = indexInterface.ledger_id
      expect(world.call({ user: alice, canisterId: index }, ['ledger_id', method], [])).toEqual(
        ledger,
      )
    }
  })

  test('are minted by the account of the file, and by nobody else', () => {
    const world = makeWorld()
    expect(mint(world, smallIds.ledger, 100n)).toEqual(ok(0n))
    expect(mint(world, smallIds.ledger, 100n, bob)).toMatchObject({
      error: { type: 'insufficientFunds', balance: 0n },
    })
    expect(mint(world, ownCanisterIds.ledger, 100n)).toMatchObject({ type: 'err' })
    expect(balance(world, smallIds.ledger, alice)).toBe(100n)
    expect(balance(world, wideIds.ledger, alice)).toBe(0n)
    expect(balance(world, ownCanisterIds.ledger, alice)).toBe(0n)
  })

  test('hold as much as their width: no more than 64 bits, and more than 64 bits', () => {
    const world = makeWorld()
    expect(mint(world, smallIds.ledger, 2n ** 64n - 1n)).toEqual(ok(0n))
    expect(mint(world, smallIds.ledger, 1n)).toMatchObject({ type: 'rejected', code: 5 })
    expect(mint(world, wideIds.ledger, 2n ** 255n)).toEqual(ok(1n))
    expect(mint(world, wideIds.ledger, 2n ** 255n)).toMatchObject({ type: 'rejected', code: 5 })
    expect(balance(world, wideIds.ledger, alice)).toBe(2n ** 255n)
  })

  test('take their own fees and memos, and give fees to whom they name', () => {
    const world = makeWorld()
    for (const { ledger } of [smallIds, wideIds]) mint(world, ledger, 10n ** 16n)
    const pay = (ledger: Principal, more: object) =>
      call(world, alice, [ledger, 'icrc1_transfer'], [{ to: of(bob), amount: 1n, ...more }])
    expect(pay(smallIds.ledger, { fee: 10n })).toMatchObject({
      error: { type: 'badFee', expectedFee: 3n },
    })
    expect(pay(wideIds.ledger, { fee: 10n ** 15n })).toEqual(ok(2n))
    expect(call(world, bob, [wideIds.ledger, 'icrc1_balance_of'], [collector])).toBe(10n ** 15n)
    expect(pay(smallIds.ledger, { memo: new Uint8Array(5) })).toMatchObject({ type: 'rejected' })
    expect(pay(wideIds.ledger, { memo: new Uint8Array(5) })).toEqual(ok(3n))
  })

  test('do not know what was done at each other: the same call is another transaction', () => {
    const world = makeWorld()
    for (const { ledger } of [smallIds, wideIds]) mint(world, ledger, 10n ** 18n)
    const arg = { to: of(bob), amount: 1n, createdAtTime: world.now }
    const pay = (ledger: Principal) => call(world, alice, [ledger, 'icrc1_transfer'], [arg])
    expect(pay(smallIds.ledger)).toEqual(ok(1n))
    expect(pay(wideIds.ledger)).toEqual(ok(2n))
    expect(pay(smallIds.ledger)).toMatchObject({ error: { type: 'duplicate', duplicateOf: 1n } })
    expect(pay(wideIds.ledger)).toMatchObject({ error: { type: 'duplicate', duplicateOf: 2n } })
  })

  test('keep allowances apart', () => {
    const world = makeWorld()
    for (const { ledger } of [smallIds, wideIds]) mint(world, ledger, 10n ** 18n)
    const approval = { spender: of(bob), amount: 50n }
    expect(call(world, alice, [smallIds.ledger, 'icrc2_approve'], [approval])).toEqual(ok(1n))
    const spend = (ledger: Principal) =>
      call(
        world,
        bob,
        [ledger, 'icrc2_transfer_from'],
        [{ from: of(alice), to: of(bob), amount: 5n }],
      )
    expect(spend(wideIds.ledger)).toMatchObject({
      error: { type: 'insufficientAllowance', allowance: 0n },
    })
    expect(spend(smallIds.ledger)).toEqual(ok(2n))
  })

  test('have a certified tip each, which moves with their own blocks alone', () => {
    const world = makeWorld()
    const certified = () => {
      const tree = world.replica.stateTree(new Uint8Array(96))
      return [ownCanisterIds, smallIds, wideIds].map(({ ledger }) => {
        const path = certifiedDataPath(ledger)
        const at = lookup(witness(tree, [path]), [...path])
        return at.type === 'found' ? toHex(at.value) : at.type
      })
    }
    const before = certified()
    mint(world, smallIds.ledger, 1n)
    const after = certified()
    expect(new Set([...before, ...after]).size).toBe(3) // Two are empty logs.
    expect([after[0], after[2]]).toEqual([before[0], before[2]])
    expect(after[1]).not.toBe(before[1])
  })

  test('stand beside a ckBTC that is founded with what was set', () => {
    const ckbtc = { transferFee: 21n, feeCollector: { type: 'unset' } } as const
    const world = new ReplicaWorld({ ledgers: { ckbtc, tokens: [small] } })
    expect(call(world, alice, [ownCanisterIds.ledger, 'icrc1_fee'], [])).toBe(21n)
    expect(call(world, alice, [smallIds.ledger, 'icrc1_fee'], [])).toBe(3n)
    expect(world.replica.state.ckbtc.ledger.config.feeCollector).toBeUndefined()
  })

  test('go on from a snapshot', () => {
    const world = makeWorld()
    mint(world, wideIds.ledger, 2n ** 100n)
    const copy = new ReplicaWorld({ ledgers, state: copyOf(world), slot: 100 })
    expect(balance(copy, wideIds.ledger, alice)).toBe(2n ** 100n)
    expect(mint(copy, wideIds.ledger, 1n)).toEqual(ok(2n))
  })
})

describe('an upgrade of a ledger', () => {
  const upgrade = (
    world: ReplicaWorld,
    arg: LedgerArg | undefined,
    user = operator,
    id = wideIds.ledger,
  ) => world.call({ user, canisterId: id }, ['x_upgrade', ledgerExtension.x_upgrade], [arg])
  const settings = (world: ReplicaWorld, canisterId = wideIds.ledger) =>
    world.call({ user: bob, canisterId }, ['x_settings', ledgerExtension.x_settings], [])
  const stateOf = (world: ReplicaWorld, k = 1) => world.replica.state.tokens[k]?.ledger

  test('by the operator changes what it names, at one ledger', () => {
    const world = makeWorld()
    const before = [settings(world, smallIds.ledger), settings(world, ownCanisterIds.ledger)]
    const args = {
      tokenName: 'new',
      transferFee: 5n,
      maxMemoLength: 33,
      changeFeeCollector: { type: 'unset' },
      changeArchiveOptions: { triggerThreshold: 7n },
      indexPrincipal: alice.principal,
    } as const
    const old = settings(world)
    expect(upgrade(world, { type: 'upgrade', args })).toEqual({ type: 'ok' })
    const { feeCollectorAccount: _, ...rest } = old as {
      readonly feeCollectorAccount: unknown
      readonly archiveOptions: object
    }
    expect(settings(world)).toEqual({
      ...rest,
      tokenName: 'new',
      transferFee: 5n,
      maxMemoLength: 33,
      indexPrincipal: alice.principal,
      archiveOptions: { ...rest.archiveOptions, triggerThreshold: 7n },
    })
    expect([settings(world, smallIds.ledger), settings(world, ownCanisterIds.ledger)]).toEqual(
      before,
    )
  })

  test('keeps balances, allowances, blocks and what was done', () => {
    const world = makeWorld()
    mint(world, wideIds.ledger, 10n ** 18n)
    const arg = { to: of(bob), amount: 1n, createdAtTime: world.now }
    const pay = () => call(world, alice, [wideIds.ledger, 'icrc1_transfer'], [arg])
    expect(pay()).toEqual(ok(2n))
    upgrade(world, { type: 'upgrade', args: { transferFee: 1n } })
    expect(pay()).toMatchObject({ error: { type: 'duplicate', duplicateOf: 2n } })
    expect(balance(world, wideIds.ledger, alice)).toBe(10n ** 18n - 1n - 10n ** 15n)
    const state = stateOf(world)
    expect(state && violations(state)).toEqual([])
  })

  test.each<readonly [string, LedgerArg | undefined]>([
    ['nothing', undefined],
    ['an upgrade without arguments', { type: 'upgrade' }],
    ['an upgrade of nothing', { type: 'upgrade', args: {} }],
  ])('with %s changes nothing', (_, arg) => {
    const world = makeWorld()
    const before = structuredClone(stateOf(world))
    expect(upgrade(world, arg)).toEqual({ type: 'ok' })
    expect(stateOf(world)).toEqual(before)
  })

  const init: LedgerArg = {
    type: 'init',
    args: {
      mintingAccount: of(alice),
      transferFee: 1n,
      tokenName: 'x',
      tokenSymbol: 'x',
      metadata: [],
      initialBalances: [],
      archiveOptions: {
        numBlocksToArchive: 1n,
        triggerThreshold: 1n,
        controllerId: alice.principal,
      },
    },
  }

  test.each<readonly [string, LedgerArg, string]>([
    ['an init argument', init, 'init argument'],
    ['a lower memo limit', upgradeOf({ maxMemoLength: 31, tokenName: 'new' }), 'cannot be lowered'],
    ['a fee of 257 bits', upgradeOf({ transferFee: 2n ** 256n, tokenName: 'new' }), '256 bits'],
    [
      'its minting account as collector',
      upgradeOf({
        changeFeeCollector: { type: 'setTo', account: of(tokenMinter) },
        tokenName: 'new',
      }),
      'minting account',
    ],
    [
      'the same with a subaccount of zeros',
      upgradeOf({
        changeFeeCollector: {
          type: 'setTo',
          account: { ...of(tokenMinter), subaccount: new Uint8Array(32) },
        },
      }),
      'minting account',
    ],
    [
      'a reserved key',
      upgradeOf({ metadata: [['icrc1:fee', { type: 'nat', nat: 1n }]], tokenName: 'new' }),
      "ledger's own",
    ],
  ])('with %s is refused and leaves the old state in full', (_, arg, words) => {
    const world = makeWorld()
    const before = structuredClone(stateOf(world))
    expect(upgrade(world, arg)).toMatchObject({
      type: 'err',
      reason: expect.stringContaining(words),
    })
    expect(stateOf(world)).toEqual(before)
  })

  test('a fee of 65 bits fits the wide ledger alone', () => {
    const world = makeWorld()
    const arg = upgradeOf({ transferFee: 2n ** 64n })
    expect(upgrade(world, arg)).toEqual({ type: 'ok' })
    expect(upgrade(world, arg, operator, smallIds.ledger)).toMatchObject({ type: 'err' })
    expect(upgrade(world, arg, operator, ownCanisterIds.ledger)).toMatchObject({ type: 'err' })
  })

  test('of anybody else is rejected, its minter included', () => {
    const world = makeWorld()
    for (const user of [alice, tokenMinter])
      expect(upgrade(world, upgradeOf({ transferFee: 0n }), user)).toMatchObject({
        type: 'rejected',
        code: 4,
      })
    expect(stateOf(world)?.config.transferFee).toBe(10n ** 15n)
  })
})

function upgradeOf(args: Extract<LedgerArg, { type: 'upgrade' }>['args']): LedgerArg {
  return { type: 'upgrade', args }
}
