/** Whom a node asks for a proposal that it lacks. Source: threshold §17.2. */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { sha256 } from '../../../src/core/base/hash.ts'
import { timestampNs } from '../../../src/core/base/units.ts'
import { encodeProposal } from '../../../src/core/log/proposal.ts'
import { Requests } from '../../../src/core/log/requests.ts'
import { SlotRound } from '../../../src/core/log/slot-round.ts'
import { coinOf } from '../../support/log-world.ts'

const [NODES, ME, PROPOSER] = [7, 0, 6]

function slotRound(): SlotRound {
  return new SlotRound({
    slot: 0n,
    incarnation: 7n,
    nodes: NODES,
    me: ME,
    coin: coinOf(ME, { nodes: NODES, seed: 'requests', sharedFrom: 0n }),
    body: () => undefined,
    fault: () => undefined,
  })
}

test('a proposal that all deliver is asked of f + 1 of those who echoed it, and anew after an alarm', () => {
  const [round, requests] = [slotRound(), new Requests(NODES, ME)]
  const hash = sha256(utf8('a proposal'))
  for (const from of [1, 2, 3, 4, 5])
    round.receive(from, [
      { type: 'echo', instance: PROPOSER, hash },
      { type: 'ready', instance: PROPOSER, hash },
    ])
  round.settle()
  const want = { type: 'want', slot: 0n, instance: PROPOSER, hash, items: [] }
  const asked = [1, 2, 3].map((to) => ({ to, message: want }))
  expect([requests.due(round), requests.due(round)]).toEqual([asked, []])
  requests.askAgain()
  expect(requests.due(round)).toEqual(asked)
})

test('items are asked of the proposer alone until the proposal is delivered', () => {
  const [round, requests] = [slotRound(), new Requests(NODES, ME)]
  const item = sha256(utf8('an item'))
  const proposal = encodeProposal({ clock: timestampNs(1n), items: [item] })
  const hash = sha256(proposal)
  round.receive(PROPOSER, [{ type: 'initial', proposal }])
  round.receive(1, [{ type: 'echo', instance: PROPOSER, hash }])
  round.settle()
  expect(requests.due(round).map(({ to }) => to)).toEqual([PROPOSER])
  for (const from of [1, 2, 3, 4, 5])
    round.receive(from, [
      { type: 'echo', instance: PROPOSER, hash },
      { type: 'ready', instance: PROPOSER, hash },
    ])
  round.settle()
  expect(requests.due(round).map(({ to }) => to)).toEqual([1, 2, 3])
})
