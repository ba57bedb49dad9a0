/** An invariant that does not hold stops the minter, visibly, and not the node. Source: minter §18.5. */
import { expect, it } from 'vitest'
import { NS_PER_SECOND, timestampNs } from '../../../src/core/base/units.ts'
import type { Call, Method, Methods } from '../../../src/core/minter/calls.ts'
import { contextOf } from '../../../src/core/minter/context.ts'
import { adoptCoins, writeOffLost } from '../../../src/core/minter/losses/losses.ts'
import * as machine from '../../../src/core/minter/machine.ts'
import { keyOfUtxo } from '../../../src/core/minter/state/state.ts'
import { stoppedAsBroken } from '../../../src/core/minter/state/stopped.ts'
import { MINTER, signatureFor, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }

/** As `TestMinter.call`, without its look at the invariants. */
function ask<M extends Method>(world: TestMinter, method: M, args: Methods[M]['args']) {
  const call = { method, caller: user(1), args } as Call<M>
  return machine.handle(world.minter, world.world, call)
}

/** One transaction is being signed; then memory fails, and an event notices. */
function brokenMinter() {
  const world = new TestMinter()
  for (let i = 0; i < 3; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11n * NS_PER_SECOND)
  const [signing] = world.state.signing.values()
  const [coin] = signing?.utxos ?? []
  const [request] = world.outstanding()
  if (coin === undefined || request === undefined) return expect.unreachable()
  world.state.spentBy.delete(keyOfUtxo(coin))
  world.pay(alice, 1_000_000n)
  const credited = ask(world, 'update_balance', alice)
  return { world, request, credited }
}

it('the call that noticed ends as it began, and every later one is refused', () => {
  const { world, credited } = brokenMinter()
  expect(credited).toMatchObject({ value: { type: 'ok', value: [{ type: 'minted' }] } })
  const message = expect.stringContaining('the minter has stopped')
  const refused = { value: { type: 'err', error: { type: 'temporarilyUnavailable', message } } }
  const [supply, events] = [world.ledger.supply, world.minter.log.count]
  world.pay(alice, 1_000_000n)
  expect(ask(world, 'update_balance', alice)).toMatchObject(refused)
  const withdrawal = { amount: 100_000n, address: ADDRESS }
  expect(ask(world, 'retrieve_btc_with_approval', withdrawal)).toMatchObject(refused)
  expect(ask(world, 'retrieve_btc', withdrawal)).toMatchObject(refused)
  machine.notify(world.minter, world.world, { type: 'bitcoinChanged', isReorganised: false })
  machine.tick(world.minter, world.world)
  expect([world.ledger.supply, world.minter.log.count]).toEqual([supply, events])
})

it('nothing is asked for and no timer runs, while a signature that comes is kept', () => {
  const { world, request } = brokenMinter()
  expect(machine.outstanding(world.minter)).toEqual([])
  expect(machine.nextTimer(world.minter)).toBeUndefined()
  const { key } = request
  const notice = { type: 'signatureReady', key, signature: signatureFor(request) } as const
  machine.notify(world.minter, world.world, notice)
  expect(world.events('xInputSigned').length).toBe(1)
  expect(world.events('sentTransaction')).toEqual([])
  expect(world.chain.sent).toEqual([])
})

it('queries are answered, and what does not hold is named', () => {
  const { world } = brokenMinter()
  expect(ask(world, 'get_minter_info', undefined)).toMatchObject({ type: 'reply' })
  expect(ask(world, 'get_known_utxos', alice)).toMatchObject({ type: 'reply' })
  expect(stoppedAsBroken(world.state.volatile)?.message).toMatch(/does not hold: \w+: 7: /)
})

it('an upgrade that replays to a sound state goes on where it stopped', () => {
  const { world, request } = brokenMinter()
  expect(world.upgrade()).toMatchObject({ type: 'installed' })
  expect(world.state.volatile.broken).toEqual([])
  expect(world.outstanding()).toEqual([request])
  world.sign()
  world.mine(6)
  expect(world.state.signing.size + world.state.submitted.size).toBe(0)
})

it('a round that notices does nothing more: what waits to be sent is not sent', () => {
  const world = new TestMinter()
  for (let i = 0; i < 4; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11n * NS_PER_SECOND)
  world.chain.refusesToSend = true
  world.sign()
  expect(world.state.volatile.unsent.size).toBe(1)
  world.withdraw(alice, ADDRESS, 800_000n)
  const [coin] = world.state.spentBy.keys()
  if (coin === undefined) expect.unreachable()
  world.state.spentBy.delete(coin)
  world.chain.refusesToSend = false
  world.now = timestampNs(world.now + 11n * NS_PER_SECOND)
  machine.tick(world.minter, world.world) // The batch is the first step of the round.
  expect(world.events('xSigningStarted').length).toBe(2)
  expect(world.state.volatile.broken).not.toEqual([])
  expect(world.chain.sent).toEqual([])
  expect(machine.outstanding(world.minter)).toEqual([])
})

it('a reimbursement that notices is the last that is minted', () => {
  const world = new TestMinter({ init: { inputsMax: 60n } })
  for (let i = 0; i < 100; i++) world.deposit(alice, 2_000n)
  for (let i = 0; i < 2; i++) world.withdraw(alice, ADDRESS, 55_000n)
  world.ledger.failure = { type: 'temporarilyUnavailable', message: 'down' }
  world.upgrade({ type: 'upgrade', args: { inputsMax: 10n } })
  world.wait(30n * NS_PER_SECOND)
  const [first] = world.state.reimbursements.keys()
  expect(world.state.reimbursements.size).toBe(2)
  if (first === undefined) expect.unreachable()
  world.state.burnPlaces.set(first, { type: 'signing', txid: '' })
  world.ledger.failure = undefined
  world.now = timestampNs(world.now + 11n * NS_PER_SECOND)
  machine.tick(world.minter, world.world)
  expect(world.state.volatile.broken).not.toEqual([])
  expect(world.events('reimbursedWithdrawal').length).toBe(1)
})

it('the operator can neither write off nor adopt by a state that is not believed', () => {
  const { world } = brokenMinter()
  const events = world.minter.log.count
  const [held] = world.state.availableUtxos.values()
  if (held === undefined) return expect.unreachable()
  world.state.volatile.lost.set(keyOfUtxo(held), held)
  const { outpoint } = world.chain.pay(world.scriptOf({ owner: MINTER }), 5_000_000n)
  const context = contextOf(world.minter, world.world)
  const refused = { type: 'err', reason: expect.stringContaining('the minter has stopped') }
  expect(adoptCoins(context, [outpoint])).toEqual(refused)
  expect(writeOffLost(context, [held.outpoint])).toEqual(refused)
  expect(world.minter.log.count).toBe(events)
})
