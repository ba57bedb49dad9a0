/** Each invariant of Source: minter §18.5 is broken once, and named. */
import { expect, it } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { addCoin } from '../../../src/core/minter/state/coin-set.ts'
import { keyOfUtxo, requestsOf } from '../../../src/core/minter/state/state.ts'
import { invariantViolations } from '../../../src/core/minter/state/violations.ts'
import { someTxid, TestMinter, user } from '../../support/minter-world.ts'

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const alice = { owner: user(1) }

/** One coin available, one transaction submitted, one being signed, two requests waiting. */
function busy() {
  const world = new TestMinter()
  for (let i = 0; i < 3; i++) world.deposit(alice, 1_000_000n)
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11_000_000_000n)
  world.sign()
  world.withdraw(alice, ADDRESS, 900_000n)
  world.wait(11_000_000_000n)
  world.withdraw(alice, ADDRESS, 100_000n)
  world.now = timestampNs(world.now + 1n)
  world.withdraw(alice, ADDRESS, 100_000n)
  const { state } = world
  const one = <T>(values: Iterable<T>): T => [...values][0] ?? expect.unreachable()
  return {
    state,
    available: one(state.availableUtxos.values()),
    submitted: one(state.submitted.values()),
    submittedKey: one(state.submitted.keys()),
    signing: one(state.signing.values()),
    owned: one(state.accountUtxos.values()),
  }
}
type Busy = ReturnType<typeof busy>

it('a state that is reached has none', () => {
  expect(invariantViolations(busy().state)).toEqual([])
})

it.each<readonly [string, (busy: Busy) => void]>([
  ['1', ({ state, available }) => state.outpointAccount.delete(keyOfUtxo(available))],
  ['1', ({ owned, available }) => owned.delete(keyOfUtxo(available))],
  [
    '2',
    ({ state, available }) => state.outpointAccount.set(keyOfUtxo(available), { owner: user(2) }),
  ],
  [
    '2',
    ({ state }) => {
      state.outpointAccount.set('nobody:0', alice)
      state.mintedOutpoints.add('nobody:0')
    },
  ],
  ['3', ({ state }) => state.queue.reverse()],
  [
    '4',
    ({ state, submitted, submittedKey }) => {
      state.submitted.delete(submittedKey)
      state.stuck.set(submittedKey, submitted)
    },
  ],
  ['4', ({ state, submittedKey }) => state.replacedBy.set(submittedKey, 'nowhere')],
  [
    '5',
    ({ state, submitted, submittedKey }) => {
      state.stuck.set('old', { ...submitted, txid: someTxid(1) })
      state.replacedBy.set('old', submittedKey)
    },
  ],
  [
    '5',
    ({ state, submitted }) => {
      for (const [before, after] of [
        ['a', 'b'],
        ['b', 'a'],
      ] as const) {
        state.stuck.set(before, submitted)
        state.replacedBy.set(before, after)
        state.replaces.set(after, before)
      }
    },
  ],
  ['5', ({ state }) => state.replaces.set('x', 'y')],
  ['6', ({ state, signing }) => state.queue.push(...requestsOf(signing.purpose))],
  [
    '6',
    ({ state }) => {
      const [request] = state.queue
      if (request !== undefined)
        state.finalized.set(request.blockIndex, { request, txid: undefined })
    },
  ],
  ['6', ({ state }) => state.held.set(999n, 0n)],
  ['6', ({ state }) => state.burnPlaces.set(999n, { type: 'signing', txid: 'nowhere' })],
  ['6', ({ state }) => state.burnPlaces.delete(state.queue[0]?.blockIndex ?? 0n)],
  [
    '6',
    ({ state, submittedKey }) =>
      state.burnPlaces.set(state.queue[0]?.blockIndex ?? 0n, {
        type: 'submitted',
        txid: submittedKey,
      }),
  ],
  ['7', ({ state, submitted }) => submitted.utxos.map((utxo) => addCoin(state.coins, utxo))],
  ['7', ({ state, submitted }) => state.submitted.set('other', submitted)],
  [
    '7',
    ({ state, signing }) =>
      state.submitted.set('other', { ...busy().submitted, utxos: signing.utxos }),
  ],
  ['8', ({ state, available }) => state.mintedOutpoints.delete(keyOfUtxo(available))],
  [
    '8',
    ({ state, available }) =>
      state.checkedUtxos.set(keyOfUtxo(available), { utxo: available, status: 'clean' }),
  ],
  ['8', ({ state, available }) => state.donations.set(keyOfUtxo(available), available)],
  [
    '8',
    ({ state, available }) => {
      state.checkedUtxos.set('new', { utxo: available, status: 'clean' })
      state.legacySuspendedUtxos.set('new', { utxo: available, reason: 'quarantined' })
    },
  ],
  [
    '9',
    ({ state, submitted, submittedKey }) => {
      const address = { type: 'p2sh', bytes: new Uint8Array(20) } as const
      const request = { amount: 1n, address, blockIndex: 77n, receivedAt: 1n }
      state.submitted.set(submittedKey, {
        ...submitted,
        purpose: { type: 'toConsolidate', request },
      })
    },
  ],
])('invariant %s is named when it does not hold (%#)', (number, corrupt) => {
  const busyState = busy()
  corrupt(busyState)
  const names = invariantViolations(busyState.state).map((problem) => problem.slice(0, 1))
  expect(names).toContain(number)
})
