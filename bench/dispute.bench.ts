/**
 * Benchmark C9: what one bad dealing costs. Source: performance specification §7, threshold
 * specification §10.
 */
import { bigEndian } from '../src/core/base/bytes.ts'
import { assert, present } from '../src/core/base/errors.ts'
import { mod } from '../src/core/base/group.ts'
import type { NodeIndex } from '../src/core/base/party.ts'
import { reconstructionThreshold } from '../src/core/base/party.ts'
import type { Disputed } from '../src/core/tecdsa/complaint.ts'
import { createComplaint, verifyComplaint } from '../src/core/tecdsa/complaint.ts'
import { createOpening, verifyOpening } from '../src/core/tecdsa/opening.ts'
import { recoverShare } from '../src/core/tecdsa/recovery.ts'
import { unseal } from '../src/core/tecdsa/secret.ts'
import type { Committee } from './support/committee.ts'
import { committeeOf, suite } from './support/committee.ts'
import { benchSeed } from './support/inputs.ts'
import type { Benchmark } from './support/task.ts'
import { task } from './support/task.ts'

const DEALER: NodeIndex = 0
const VICTIM: NodeIndex = 1

/** The masked dealing of one dealer, whose ciphertext for the victim is one too large. */
function disputedOf({ kappaLambda: { parameters, dealings } }: Committee): Disputed {
  const dealing = present(dealings[DEALER], 'every dealer has dealt')
  const ctexts = dealing.ciphertext.ctexts.map((ctext, receiver) =>
    receiver === VICTIM ? ctext.map((scalar) => mod(scalar + 1n, suite.group.order)) : ctext,
  )
  const spoilt = { ...dealing, ciphertext: { ...dealing.ciphertext, ctexts } }
  return { parameters, dealerIndex: DEALER, dealing: spoilt }
}

/** The victim complains, one node checks that, t nodes open, and the victim checks and recovers. */
function settle({ n, nodes }: Committee, disputed: Disputed, index: number) {
  const recipientOf = (receiverIndex: NodeIndex) => ({
    receiverIndex,
    key: present(nodes[receiverIndex], 'every node has a key').key,
  })
  const seed = benchSeed(`complaint ${index}`)
  const complaint = createComplaint(suite, disputed, recipientOf(VICTIM), seed)
  const refusal = verifyComplaint(suite, disputed, VICTIM, complaint)
  assert(refusal === undefined, 'the complaint is founded')
  const openers = Array.from({ length: n }, (_, i) => i).filter((i) => i !== VICTIM)
  const openings = openers.slice(0, reconstructionThreshold(n)).map((opener) => {
    const opening = createOpening(suite, disputed, recipientOf(opener))
    assert(opening !== undefined, 'the others have good shares')
    const pair = { opener, complainer: VICTIM }
    assert(!verifyOpening(suite, disputed, pair, opening), 'the opening opens')
    return [opener, opening] as const
  })
  const share = recoverShare(suite, disputed, VICTIM, new Map(openings))
  assert(!('refusal' in share), 't openings are enough')
  return share
}

export const disputeBenchmark = (n: number): Benchmark => ({
  id: 'C9',
  name: 'complaint',
  group: 'secp256k1',
  n,
  prepare: () => {
    const committee = committeeOf(n)
    const disputed = disputedOf(committee)
    return {
      own: task(
        (index) => settle(committee, disputed, index),
        (share) => bigEndian(unseal(share).value, 32),
      ),
      note: `one complaint, checked once; ${reconstructionThreshold(n)} openings, each checked`,
    }
  },
})
