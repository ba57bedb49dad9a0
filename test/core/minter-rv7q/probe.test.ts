import { expect, it } from 'vitest'
import { attempt } from '../../../src/core/base/errors.ts'
import { replay } from '../../../src/core/minter/replay.ts'
import { reserveEquation } from '../../../src/core/minter/reserve.ts'
import { isExtension } from '../../../src/core/minter/events.ts'
import { MINTER, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const S = 1_000_000_000n
const HOUR = 3600n * S
const alice = { owner: user(1) }
const setRate = (w: TestMinter, rate: bigint) => {
  w.chain.rates = Array.from({ length: 101 }, () => rate)
  w.chain.isSet = true
  w.mine()
}
const candid = (w: TestMinter) => w.minter.log.events.filter((e) => !isExtension(e.payload.type))

it('A: candid replay after fee hold reimbursement', () => {
  const w = new TestMinter()
  w.deposit(alice, 10_000_000n)
  const r = w.withdraw(alice, ADDRESS, 60_000n)
  if (r.type === 'err') throw new Error(r.error.type)
  setRate(w, 2_000_000n)
  w.wait(80n * HOUR)
  console.log('A', w.status(r.value.blockIndex), candid(w).map((e) => e.payload.type))
  const again = attempt(() => replay(candid(w), MINTER))
  console.log('A replay', again instanceof Error ? again.message : 'fine')
})

it('B: in flight arithmetic of verify-reserves', () => {
  const w = new TestMinter()
  w.deposit(alice, 10_000_000n)
  const r = w.withdraw(alice, ADDRESS, 6_000_000n)
  if (r.type === 'err') throw new Error(r.error.type)
  w.wait(11n * S)
  const print = (label: string) => {
    const m = replay(candid(w), MINTER)
    const eq = reserveEquation(m, w.ledger.supply)
    const reserves = [...m.availableUtxos.values()].reduce((s, u) => s + u.value, 0n)
    const inFlight = [...m.submitted.values()].reduce((s, t) => s + (t.changeOutput?.value ?? 0n), 0n)
    const owed = eq.pending + eq.reimbursements
    console.log('B', label, { reserves, inFlight, supply: w.ledger.supply, owed, surplus: reserves + inFlight - w.ledger.supply - owed, eq: eq.surplus })
  }
  print('signing'); w.sign(); print('sent'); w.mine(6); print('final')
})

it('C: starving blocks all and asks for slots', () => {
  const w = new TestMinter()
  w.deposit(alice, 10_000_000n)
  w.deposit({ owner: user(2) }, 1_000_000n)
  w.withdraw(alice, ADDRESS, 5_000_000n)
  w.wait(11n * S)
  w.withdraw(alice, ADDRESS, 600_000n)
  w.withdraw(alice, ADDRESS, 700_000n)
  w.wait(11n * S)
  w.wait(25n * HOUR)
  w.deposit({ owner: user(3) }, 600_000n)
  const b = w.withdraw({ owner: user(3) }, ADDRESS, 500_000n)
  w.wait(60n * S)
  let ticks = 0
  const t = w.tick.bind(w)
  w.tick = () => { ticks++; t() }
  w.wait(HOUR)
  console.log('C', ticks, b.type, w.state.queue.length, b.type === 'ok' && w.status(b.value.blockIndex))
})

it('D: whose coins are short: batch too many inputs refunds payable ones', () => {
  const w = new TestMinter({ init: { inputsMax: 50n, consolidationThreshold: 100n } })
  for (let i = 0; i < 60; i++) w.deposit(alice, 100_000n)
  const a = w.withdraw({ owner: user(1) }, ADDRESS, 4_000_000n)
  const c = w.withdraw({ owner: user(1) }, ADDRESS, 1_500_000n)
  w.wait(11n * S)
  console.log('D', [a, c].map((r) => r.type === 'ok' && w.status(r.value.blockIndex)))
})

it('E: small one held because of a big neighbour', () => {
  const w = new TestMinter()
  for (let i = 0; i < 400; i++) w.pay(alice, 100_000n)
  w.call('update_balance', alice.owner, alice)
  const big = w.withdraw(alice, ADDRESS, 35_000_000n)
  const small = w.withdraw(alice, ADDRESS, 50_000n)
  w.wait(11n * S)
  console.log('E', [big, small].map((r) => r.type === 'ok' && w.status(r.value.blockIndex)), w.state.held.size)
  w.wait(30n * 60n * S)
  console.log('E +30min', [big, small].map((r) => r.type === 'ok' && w.status(r.value.blockIndex)), w.state.held.size, w.state.availableUtxos.size)
})
