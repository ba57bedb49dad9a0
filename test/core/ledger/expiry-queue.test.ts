/** The expiry queue against a list that is sorted: any member may leave, in any order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { timestampNs } from '../../../src/core/base/units.ts'
import { compareAccounts } from '../../../src/core/ic/account.ts'
import { principal } from '../../../src/core/ic/principal.ts'
import type { Pair } from '../../../src/core/ledger/accounts/account-key.ts'
import { packPair, unpackPair } from '../../../src/core/ledger/accounts/account-key.ts'
import type { Expiring } from '../../../src/core/ledger/accounts/expiry-queue.ts'
import { dequeue, enqueue } from '../../../src/core/ledger/accounts/expiry-queue.ts'

const account = fc.integer({ min: 0, max: 3 }).map((n) => ({
  owner: principal(new Uint8Array(n % 2 === 0 ? 10 : 29).fill(n)),
}))
const member: fc.Arbitrary<Expiring> = fc.record({
  key: fc.record({ from: account, spender: account }).map(packPair),
  expiresAt: fc.bigInt(0n, 40n).map(timestampNs),
  place: fc.constant(0),
})
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('in' as const), member }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('out' as const), place: fc.nat(50) }),
  },
)

const comparePairs = (a: Pair, b: Pair): number =>
  compareAccounts(a.from, b.from) || compareAccounts(a.spender, b.spender)

const order = (a: Expiring, b: Expiring): number =>
  Number(a.expiresAt - b.expiresAt) || comparePairs(unpackPair(a.key), unpackPair(b.key))

test('members leave in order of time, owner and spender, whoever left before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const queue: Expiring[] = []
      const list: Expiring[] = []
      for (const step of steps) {
        if (step.type === 'in') {
          const joining = { ...step.member }
          enqueue(queue, joining)
          list.push(joining)
        } else {
          const [leaving] = list.splice(step.place % Math.max(1, list.length), 1)
          if (leaving !== undefined) dequeue(queue, leaving)
        }
        expect(queue.every((member, place) => member.place === place)).toBe(true)
        expect(queue.length).toBe(list.length)
      }
      const inOrder: Expiring[] = []
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        inOrder.push(head)
        dequeue(queue, head)
      }
      const keys = (members: readonly Expiring[]) =>
        members.map(({ key, expiresAt }) => ({ key, expiresAt }))
      expect(keys(inOrder)).toEqual(keys(list.toSorted(order)))
    }),
    { numRuns: 300 },
  )
})
