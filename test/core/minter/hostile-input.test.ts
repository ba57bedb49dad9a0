/**
 * Goal: whatever users, the checker and the Bitcoin view say, no coin is credited twice, nothing is
 * burned that is not accepted, and nothing throws. Method: minter §§3.5, 5, 5.4, 6, 7; tables of
 * inputs, in values and in the bytes that a client sends.
 */
import { IDL } from '@icp-sdk/core/candid'
import { describe, expect, it } from 'vitest'
import { sat } from '../../../src/core/base/units.ts'
import { accountKey } from '../../../src/core/ic/account.ts'
import { encodeArgs } from '../../../src/core/ic/candid.ts'
import { withdrawalAccount } from '../../../src/core/minter/addresses.ts'
import { callCandid } from '../../../src/core/minter/interface/candid-face.ts'
import { minterExtension } from '../../../src/core/minter/interface/extension.ts'
import { httpRequest } from '../../../src/core/minter/interface/http-request.ts'
import { minterInterface } from '../../../src/core/minter/interface/interface.ts'
import type { BitcoinUtxo, CheckTransactionResult } from '../../../src/core/minter/ports.ts'
import type { UpdateBalanceResult } from '../../../src/core/minter/types.ts'
import { viewsOf } from '../../../src/core/minter/views.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }
const bob = { owner: user(2) }

const update = (world: TestMinter, account = alice): UpdateBalanceResult =>
  world.call('update_balance', account.owner, account)
const typesOf = (result: UpdateBalanceResult): readonly string[] =>
  result.type === 'ok' ? result.value.map(({ type }) => type) : [result.error.type]
const mints = ({ ledger }: TestMinter): number =>
  ledger.blocks.filter(({ type }) => type === 'mint').length

describe('a Bitcoin view', () => {
  type Answer = (coin: BitcoinUtxo, tip: number) => readonly BitcoinUtxo[]
  const at = (coin: BitcoinUtxo, height: number): BitcoinUtxo => ({ ...coin, height })
  const worth = (coin: BitcoinUtxo, value: bigint): BitcoinUtxo => ({ ...coin, value: sat(value) })

  /** What an account is told by a view that answers so, and what it has then. */
  function told(answer: Answer) {
    const world = new TestMinter()
    const coin = world.pay(alice, 50_000n)
    const plain = { outpoint: coin.outpoint, value: coin.value, height: coin.height }
    const { tipHeight } = world.chain
    world.chain.utxos = () => ({ type: 'utxos', utxos: [...answer(plain, tipHeight)], tipHeight })
    const results = [typesOf(update(world)), typesOf(update(world))]
    return { world, results, balance: world.ledger.balance(alice), tipHeight }
  }

  it.each<readonly [string, Answer]>([
    ['lists a coin once', (coin) => [coin]],
    ['lists a coin three times', (coin) => [coin, coin, coin]],
    ['lists a coin at two depths', (coin) => [coin, at(coin, coin.height - 1)]],
    ['lists a coin deep enough and not', (coin, tip) => [at(coin, tip), coin]],
  ])('that %s has it credited once', (_, answer) => {
    const { results, balance } = told(answer)
    expect([results, balance]).toEqual([[['minted'], ['noNewUtxos']], 49_900n])
  })

  it.each<readonly [string, Answer]>([
    ['gives a coin two values', (coin) => [coin, worth(coin, 60_000n)]],
    ['gives a coin two values, the second too small', (coin) => [coin, worth(coin, 1n)]],
    ['gives another value, not deep enough', (coin, tip) => [at(worth(coin, 9n), tip), coin]],
    ['gives another value, above its tip', (coin, tip) => [coin, at(worth(coin, 9n), tip + 1)]],
    ['gives another value, at first', (coin, tip) => [at(worth(coin, 9n), tip + 1), coin]],
    ['lists a coin that is not deep enough', (coin, tip) => [at(coin, tip - 4)]],
    ['lists a coin above its tip', (coin, tip) => [at(coin, tip + 1)]],
    ['lists a coin at the greatest height', (coin) => [at(coin, 2 ** 32 - 1)]],
    ['lists a coin worth nothing', (coin) => [worth(coin, 0n)]],
    ['lists nothing', () => []],
  ])('that %s has nothing credited', (_, answer) => {
    const { results, balance, world } = told(answer)
    expect([results, balance]).toEqual([[['noNewUtxos'], ['noNewUtxos']], 0n])
    expect(world.events('checkedUtxoV2', 'suspendedUtxo', 'receivedUtxos')).toEqual([])
  })

  it('that lists coins above its tip gives an answer that can be sent, with no confirmations', () => {
    const world = new TestMinter()
    const coin = world.pay(alice, 50_000n)
    const { tipHeight } = world.chain
    const utxos = [at(coin, tipHeight + 9), at(coin, tipHeight + 9)]
    world.chain.utxos = () => ({ type: 'utxos', utxos, tipHeight })
    const result = update(world)
    expect(result).toMatchObject({
      error: { currentConfirmations: 0, pendingUtxos: [{ confirmations: 0 }] },
    })
    const { result: codec } = minterInterface.update_balance
    expect(() => encodeArgs([codec], [result])).not.toThrow()
  })

  it('that lists one outpoint for two accounts has the first of them credited', () => {
    const world = new TestMinter()
    const coin = world.pay(alice, 50_000n)
    world.chain.utxos = () => ({ type: 'utxos', utxos: [coin], tipHeight: world.chain.tipHeight })
    const answers = world.sameSlot(() => [update(world, bob), update(world, alice)].map(typesOf))
    expect(answers).toEqual([['minted'], ['noNewUtxos']])
    expect([world.ledger.balance(bob), world.ledger.balance(alice)]).toEqual([49_900n, 0n])
  })

  it.each<readonly [string, (world: TestMinter, coin: BitcoinUtxo) => void]>([
    ['too small for one', (world) => world.upgrade({ type: 'upgrade', args: { checkFee: 100n } })],
    ['checked for one, whose mint failed', (world) => (world.ledger.failure = undefined)],
  ])('that lists for another account a coin %s credits it once', (what, then) => {
    const world = new TestMinter({ init: { checkFee: what.startsWith('too') ? 50_000n : 100n } })
    const coin = world.pay(alice, 50_000n)
    world.chain.utxos = () => ({ type: 'utxos', utxos: [coin], tipHeight: world.chain.tipHeight })
    world.ledger.failure = { type: 'temporarilyUnavailable', message: 'busy' }
    update(world)
    world.ledger.failure = undefined
    then(world, coin)
    update(world, bob)
    update(world)
    expect(mints(world)).toBe(1)
    expect(world.state.outpointAccount.size).toBe(1)
    expect(world.state.checkedUtxos.size).toBe(0)
  })

  it('that lists a donation for an account has nothing credited', () => {
    const world = new TestMinter()
    const coin = world.pay({ owner: MINTER }, 50_000n)
    world.deposit(bob, 1_000_000n)
    world.withdraw(bob, ADDRESS, 900_000n)
    world.wait(11_000_000_000n)
    world.sign()
    world.mine(6)
    expect(world.state.donations.size).toBe(1)
    world.chain.utxos = () => ({ type: 'utxos', utxos: [coin], tipHeight: world.chain.tipHeight })
    expect(typesOf(update(world))).toEqual(['noNewUtxos'])
    expect(world.ledger.balance(alice)).toBe(0n)
  })

  it('that shrinks, and grows again, credits each coin once', () => {
    const world = new TestMinter()
    const coins = [world.pay(alice, 50_000n), world.pay(alice, 60_000n)]
    const tipHeight = world.chain.tipHeight
    for (const utxos of [coins, [], coins.slice(1), coins, [...coins, ...coins]]) {
      world.chain.utxos = () => ({ type: 'utxos', utxos, tipHeight })
      update(world)
    }
    expect(mints(world)).toBe(2)
    expect(world.ledger.balance(alice)).toBe(110_000n - 200n)
  })

  it('that changes the value of a credited coin changes nothing', () => {
    const world = new TestMinter()
    const coin = world.pay(alice, 50_000n)
    update(world)
    const utxos = [worth(coin, 2_100_000_000_000_000n)]
    world.chain.utxos = () => ({ type: 'utxos', utxos, tipHeight: world.chain.tipHeight })
    expect(typesOf(update(world))).toEqual(['noNewUtxos'])
    expect(world.state.availableUtxos.size).toBe(1)
    expect(mints(world)).toBe(1)
  })
})

describe('a checker', () => {
  it('that answers otherwise at each asking mints each coin once, and no tainted one', () => {
    const world = new TestMinter()
    world.pay(alice, 50_000n)
    world.pay(alice, 60_000n)
    const answers: CheckTransactionResult[] = [
      { type: 'failed', addresses: [] },
      { type: 'retriable', message: '' },
      { type: 'notEnoughCycles' },
      { type: 'passed' },
      { type: 'error', message: '' },
      { type: 'failed', addresses: ['x'.repeat(10_000)] },
    ]
    world.checker = {
      checkAddress: () => ({ type: 'passed' }),
      checkTransaction: () => answers.shift() ?? { type: 'passed' },
    }
    for (let i = 0; i < 6; i++) {
      update(world)
      world.wait(86_400_000_000_000n)
    }
    expect(mints(world)).toBe(2)
    expect(world.ledger.balance(alice)).toBe(110_000n - 200n)
  })
})

describe('an amount', () => {
  const MAX = 2n ** 64n - 1n
  it.each([
    ['nothing', 0n, 'amountTooLow'],
    ['one', 1n, 'amountTooLow'],
    ['one less than the minimum', 49_999n, 'amountTooLow'],
    ['the minimum', 50_000n, 'ok'],
    ['one more than the minimum', 50_001n, 'ok'],
    ['one less than the balance', 999_899n, 'ok'],
    ['the balance', 999_900n, 'ok'],
    ['one more than the balance', 999_901n, 'insufficientFunds'],
    ['all there is', 2_100_000_000_000_000n, 'temporarilyUnavailable'],
    ['2^64 − 1', MAX, 'temporarilyUnavailable'],
  ])(
    'of %s is judged alike both ways, and burned only when it is accepted',
    (_, amount, expected) => {
      for (const isApproved of [true, false]) {
        const world = new TestMinter()
        world.deposit(bob, 9_000_000n)
        world.deposit(alice, 1_000_000n)
        const account = isApproved ? alice : withdrawalAccount(MINTER, alice.owner)
        if (!isApproved) world.ledger.move(alice, account, 999_900n)
        world.ledger.allowances.set(accountKey(alice), MAX)
        const args = { address: ADDRESS, amount }
        const method = isApproved ? 'retrieve_btc_with_approval' : 'retrieve_btc'
        const result = world.call(method, alice.owner, args)
        expect(result.type === 'ok' ? 'ok' : result.error.type).toBe(expected)
        const isBurned = expected === 'ok'
        expect(world.ledger.balance(account)).toBe(999_900n - (isBurned ? amount : 0n))
        expect(world.state.queue.length).toBe(isBurned ? 1 : 0)
      }
    },
  )
})

describe('a subaccount', () => {
  const fields = { owner: IDL.Opt(IDL.Principal), subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)) }
  const withdrawal = { address: IDL.Text, amount: IDL.Nat64, from_subaccount: fields.subaccount }

  it.each([0, 1, 31, 33, 64, 1_000])('of %i bytes is refused before anything is done', (length) => {
    const world = new TestMinter()
    world.deposit(alice, 1_000_000n)
    const before = world.events().length
    const subaccount = [new Uint8Array(length)]
    const account = IDL.encode([IDL.Record(fields)], [{ owner: [], subaccount }])
    const args = { address: ADDRESS, amount: 100_000n, from_subaccount: subaccount }
    const calls = [
      ['get_btc_address', account],
      ['update_balance', account],
      ['get_known_utxos', account],
      ['retrieve_btc_with_approval', IDL.encode([IDL.Record(withdrawal)], [args])],
    ] as const
    for (const [method, arg] of calls) {
      const call = { caller: alice.owner, method, arg, kind: 'update' } as const
      expect(callCandid(world.minter, world.world, call)).toMatchObject({ type: 'trap' })
    }
    expect(world.events().length).toBe(before)
    expect(world.state.volatile.updating.size + world.state.volatile.retrieving.size).toBe(0)
  })
})

it('delays without end leave every answer one that can be sent', () => {
  const ever = 2n ** 64n - 1n
  const delays = { suspensionNs: ever, holdNs: ever, passedOverNs: ever, resubmissionDelayNs: ever }
  const world = new TestMinter({ settings: delays, init: { maxTimeInQueueNs: ever } })
  const { x_deposits, x_withdrawals, x_info } = minterExtension
  const isSent = () => {
    const views = viewsOf(world.minter, world.world, alice.owner)
    const page = { start: 0n, length: 100n }
    encodeArgs([x_deposits.result], [views.deposits(page)])
    encodeArgs([x_withdrawals.result], [views.withdrawals(page)])
    encodeArgs([x_info.result], [views.info()])
    const { update_balance, get_minter_info } = minterInterface
    encodeArgs([update_balance.result], [update(world)])
    encodeArgs([get_minter_info.result], [world.call('get_minter_info', alice.owner, undefined)])
    httpRequest(world.minter, world.world, {
      method: 'GET',
      url: '/dashboard',
      headers: [],
      body: new Uint8Array(),
    })
  }
  world.pay(alice, 50n)
  isSent()
  isSent()
  world.deposit(alice, 9_000_000n)
  world.withdraw(alice, ADDRESS, 100_000n)
  isSent()
})
