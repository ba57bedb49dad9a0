/**
 * Goal: a node whose canisters have come to another state than those of the others signs nothing
 * more: what its canisters ask for is paired with presignatures that serve other requests elsewhere,
 * and shares of both give the key away (§18.3 rule 4).
 * Method: threshold specification §§16.2, 18.3, 21; four whole nodes, one of which was founded with
 * other canister ids.
 */
import { expect, it } from 'vitest'
import type { NodeIndex } from '../../../src/core/base/party.ts'
import { SubnetNode } from '../../../src/core/subnet/node.ts'
import { OrderedNode } from '../../../src/core/subnet/ordered-node.ts'
import { decodePeerMessage, logMessage } from '../../../src/core/subnet/peer-message.ts'
import { decodeSignerMessage } from '../../../src/core/tecdsa/message.ts'
import { SlotMemory } from '../../support/slot-disk.ts'
import { SubnetNet } from '../../support/subnet-net.ts'

const strange: NodeIndex = 0

/** Kind of what one part of a node says to the same part of another. */
function kindOf(bytes: Uint8Array): string {
  if (logMessage(bytes) !== undefined) return 'log'
  const message = decodePeerMessage(bytes)
  return message.type === 'signer' ? decodeSignerMessage(message.bytes).type : message.type
}

it('§21 diverged: f + 1 shares for another root of an executed slot, which ends the signing', () => {
  const net = new SubnetNet(4)
  const config = { ...net.configOf(strange), ids: 'mainnet', records: new Map() } as const
  const disk = new SlotMemory(net.genesis)
  net.nodes.set(strange, new OrderedNode(new SubnetNode(config), { disk, now: net.now }))
  /** What the node says once it knows that it is alone. */
  const said = new Set<string>()
  net.tamper = (bytes, from) => {
    if (from === strange && net.faults.length > 0) said.add(kindOf(bytes))
    return bytes
  }
  net.settle()
  net.pass(1)
  expect(net.faults).toEqual([expect.stringMatching(/^0 diverged in slot \d+$/)])
  expect([...said]).toEqual(['log'])
  // The others have their stock without it.
  expect(
    net.observed.filter(({ node, event }) => node === 1 && event.type === 'keyMade'),
  ).toHaveLength(1)
})
