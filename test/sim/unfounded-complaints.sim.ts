/**
 * Goal: who complains for nothing is blamed for it, and nothing is opened.
 * Method: threshold specification §§10.2, 22.3. Whole signers over the sequencer; the corrupt
 * receiver's complaints are the test's, made with its own keys.
 */
import { describe, expect, it } from 'vitest'
import { Seed } from '../../src/core/base/seed.ts'
import type { Disputed } from '../../src/core/tecdsa/complaint.ts'
import { createComplaint, encodeComplaint } from '../../src/core/tecdsa/complaint.ts'
import { verifyDealing } from '../../src/core/tecdsa/dealing.ts'
import { decodeDealing } from '../../src/core/tecdsa/dealing-codec.ts'
import type { SignedComplaint } from '../../src/core/tecdsa/dispute.ts'
import { complaintContent } from '../../src/core/tecdsa/dispute.ts'
import { decodeSupportedDealing, lanePrefix } from '../../src/core/tecdsa/evidence.ts'
import { subnetIdOf } from '../../src/core/tecdsa/membership.ts'
import type { SignerMessage } from '../../src/core/tecdsa/message.ts'
import { member } from '../../src/core/tecdsa/parameters.ts'
import { sourceHeight } from '../../src/core/tecdsa/run-ledger.ts'
import { suites } from '../../src/core/tecdsa/signer-config.ts'
import type { SignerNet } from '../support/signer-net.ts'
import { expectValid, request, settled } from '../support/signer-story.ts'

describe('one corrupt receiver that complains about honest dealings', () => {
  const corrupt = 3
  const suite = suites.ecdsa

  /** The dealings of κ and λ of the presignature in stock, each as its transcript has it. */
  function dealingsInStock(net: SignerNet, items: readonly Uint8Array[]) {
    const { membership, incarnation } = net.genesis
    const members = membership.members.map(({ id, encryptionKey }) =>
      member(suite, id, encryptionKey),
    )
    return items.map(decodeSupportedDealing).flatMap(({ signed }) => {
      const dealing = decodeDealing(suite, signed.dealing)
      const type = dealing.commitment.type === 'simple' ? 'randomUnmasked' : 'random'
      const heights = Array.from({ length: 60 }, (_, slot) =>
        sourceHeight(incarnation, BigInt(slot)),
      )
      const found = heights
        .map(
          (height): Disputed => ({
            parameters: {
              id: signed.transcriptId,
              algorithm: suite.algorithm,
              dealers: members,
              receivers: members,
              operation: { type },
              membershipVersion: membership.version,
              subnetId: subnetIdOf(net.genesis),
              sourceHeight: height,
            },
            dealerIndex: signed.dealer,
            dealing,
          }),
        )
        .find((disputed) => verifyDealing(suite, disputed, dealing) === undefined)
      return found === undefined ? [] : [found]
    })
  }

  it('§22.3 unfounded: all are refused and blamed, nothing is opened, and presignatures are made', () => {
    const items: Uint8Array[] = []
    const net = settled({
      nodes: 4,
      build: (built) => {
        built.watchItems = (item) => {
          if (item.type === 'dealing' && item.lane === 'ecdsa') items.push(item.bytes)
        }
      },
    })
    const sent: SignerMessage[] = []
    net.watch = (message) => sent.push(message)
    const keys = net.keysOf(corrupt)
    const own = dealingsInStock(net, items).filter(({ dealerIndex }) => dealerIndex !== corrupt)
    expect(own.length).toBeGreaterThanOrEqual(6)
    const send = (statement: Omit<SignedComplaint, 'signature'>): void => {
      const content = complaintContent(lanePrefix(net.genesis, suite.algorithm), statement)
      const signature = keys.sign('complaint', content)
      const message = {
        type: 'complaint',
        lane: 'ecdsa',
        signed: { ...statement, signature },
      } as const
      net.take(corrupt, [{ type: 'send', to: 'all', message }])
    }
    for (const [i, disputed] of own.entries()) {
      const recipient = { receiverIndex: corrupt, key: keys.encryptionKey }
      const seed = Seed.fromBytes(Uint8Array.of(i))
      const complaint = createComplaint(suite, disputed, recipient, seed)
      send({
        transcriptId: disputed.parameters.id,
        dealer: disputed.dealerIndex,
        complaint: encodeComplaint(suite, complaint),
      })
    }
    net.settle()
    const honest = net.faults.filter(({ seenBy }) => seenBy !== corrupt)
    expect(honest.every(({ culprit }) => culprit === corrupt)).toBe(true)
    const reasons = honest.map(({ reason }) => reason)
    // Of each transcript, two dealings were taken.
    expect(reasons.filter((reason) => reason.endsWith('the share is good')).length).toBeGreaterThan(
      6,
    )
    expect(reasons.every((reason) => reason.startsWith('InvalidComplaint'))).toBe(true)
    expect(sent.some(({ type }) => type === 'opening')).toBe(false)
    const asked = request('nevertheless')
    net.ask(asked)
    net.settle()
    expectValid(net, asked)
    expect(net.signer(0).stock).toBe(1)
  })
})
