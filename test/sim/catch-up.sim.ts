/**
 * Goal: only what f + 1 nodes say of a slot moves a node that is behind. A certificate of the state
 * after it is none of that, whoever signed it: items that leave the state alone are not under it.
 *
 * Method: threshold §§17.7, 21. A whole subnet signs and certifies while one node of four is down;
 * that one then hears, from one peer and where its answers go, what the subnet has certified.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Hash32 } from '../../src/core/base/bytes.ts'
import { bigEndian, concat, toHex, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import { decodeCertificate, verifyCertificate } from '../../src/core/ic/certificate.ts'
import { rootHash } from '../../src/core/ic/hash-tree.ts'
import { anonymous } from '../../src/core/ic/principal.ts'
import type { LogMessage } from '../../src/core/log/message.ts'
import { decodeLogMessage, encodeLogMessage } from '../../src/core/log/message.ts'
import { rootKeyOf } from '../../src/core/subnet/certified-state.ts'
import { SubnetNode } from '../../src/core/subnet/node.ts'
import type { NodeInput, NodeOutput } from '../../src/core/subnet/node-io.ts'
import { OrderedNode } from '../../src/core/subnet/ordered-node.ts'
import { encodePeerMessage, logMessage, tagLogMessage } from '../../src/core/subnet/peer-message.ts'
import { NodeClients } from '../support/node-clients.ts'
import { keptOf } from '../support/node-founding.ts'
import { NodeNet } from '../support/node-net.ts'
import { NodeWorld } from '../support/node-world.ts'

const SOON_MS = 300_000
const TIMEOUT_MS = 300_000
const [BEHIND, PEER, OTHER] = [0, 3, 2]
const INCARNATION = 9_500n

describe('a certificate of the state instead of answers', () => {
  const net = new NodeNet({
    world: new NodeWorld(4, { incarnation: INCARNATION, kept: keptOf(4) }),
    seed: 'catch-up',
  })
  let certificate: Uint8Array
  let root: Hash32

  const peer = (node: number): SubnetNode =>
    present(net.node(node).ordered, 'the others are up').node

  beforeAll(() => {
    const clients = new NodeClients(net)
    const signed = (message: number): boolean => {
      const total = net.checker.operatorSignatures.size
      clients.operatorAsks({ scheme: 'ecdsa', message: new Uint8Array(32).fill(message) })
      return net.run(() => net.checker.operatorSignatures.size > total, SOON_MS)
    }
    expect(signed(1)).toBe(true)
    net.stop(BEHIND)
    expect(signed(2)).toBe(true)
    const isLevel = (): boolean =>
      net.checker.certified.get(PEER) === peer(PEER).slot - 1n &&
      peer(PEER).slot === peer(OTHER).slot
    expect(net.run(isLevel, SOON_MS)).toBe(true)
    const read = {
      scope: 'canister',
      effectiveId: ownCanisterIds.ledger,
      version: 2,
      sender: anonymous,
      targets: undefined,
      paths: [],
    } as const
    const { answer } = peer(PEER).ask({ type: 'readState', read }, net.now)
    if (answer.type !== 'readState' || answer.outcome.type !== 'certificate')
      throw new Error('the state is certified')
    certificate = answer.outcome.certificate
    root = rootHash(decodeCertificate(certificate).tree)
  }, TIMEOUT_MS)

  /** Its newest root, as it tells a node that starts. */
  function rootVoteOf(node: number): Uint8Array {
    const bytes = encodePeerMessage({ type: 'hello' })
    const [said] = peer(node).step({ type: 'message', from: BEHIND, bytes })
    if (said?.type !== 'send') throw new Error('it has named a root')
    return said.bytes
  }

  /** The node that is behind, from its disk, and what its peers say to it. */
  function behind() {
    const { disk } = net.node(BEHIND)
    const config = net.world.configOf(BEHIND, disk.records)
    const node = new OrderedNode(new SubnetNode(config), { disk, now: net.now })
    const outputs: NodeOutput[] = []
    const say = (input: NodeInput): void => {
      const step = node.step(input, net.now)
      outputs.push(...step)
      if (step.some((one) => one.type === 'alarm' && one.name === 'turn'))
        say({ type: 'alarm', name: 'turn' })
    }
    const hear = (from: number, bytes: Uint8Array): void => say({ type: 'message', from, bytes })
    say({ type: 'start' })
    // The newest root of each of the others, with its share of the signature: what makes
    // certificates. They let the node go on to the end of its own slots, and no further.
    for (const from of [1, OTHER, PEER]) hear(from, rootVoteOf(from))
    const { next } = disk.position
    expect(node.node.slot).toBe(next)
    outputs.splice(0)
    const state = () => ({ slot: node.node.slot, root: toHex(node.node.root ?? utf8('none')) })
    const heard = () => {
      const faults = outputs.flatMap((one) => (one.type === 'fault' ? [one.culprit] : []))
      const slots = outputs.filter(({ type }) => type === 'decided').length
      const asked = outputs.flatMap((one) => {
        const bytes = one.type === 'send' ? logMessage(one.bytes) : undefined
        const message = bytes && decodeLogMessage(INCARNATION, bytes)
        return message?.type === 'copy' ? [message.first] : []
      })
      return { faults, slots, asked }
    }
    return { hear, state, heard, next }
  }

  const ofLog = (message: LogMessage): Uint8Array =>
    tagLogMessage(encodeLogMessage(INCARNATION, message))
  const NOTHING = { faults: [], slots: 0, asked: [] }

  it('is a good one, of a slot that the node does not have', () => {
    const rootKey = rootKeyOf(present(net.checker.certificationKey, 'the state is certified'))
    const effective = { type: 'canister', id: ownCanisterIds.ledger } as const
    expect(verifyCertificate(certificate, { rootKey, effective, now: net.now }).type).toBe(
      'verified',
    )
    expect(root).toEqual(peer(PEER).root)
    expect(net.node(PEER).disk.position.next).toBeGreaterThan(net.node(BEHIND).disk.position.next)
  })

  it('§21 catch-up: certificate of the state instead of answers, its root as hash of the slot', () => {
    const { hear, state, heard, next } = behind()
    const before = state()
    const { disk } = net.node(PEER)
    const hashes = Array.from({ length: Number(disk.position.next - next) }, () => root)
    hear(PEER, ofLog({ type: 'decided', first: next, hashes }))
    // With the slots themselves, which are the true ones.
    const contents = hashes.map((_, i) => present(disk.contentAt(next + BigInt(i)), 'a slot'))
    hear(PEER, ofLog({ type: 'slots', contents }))
    // One true answer more is f: its root is the hash that nobody else gives.
    const told = hashes.map((_, i) => present(disk.hashAt(next + BigInt(i)), 'a slot'))
    hear(OTHER, ofLog({ type: 'decided', first: next, hashes: told }))
    expect([state(), heard()]).toEqual([before, NOTHING])
    // Another one is f + 1: the same slots are accepted.
    hear(1, ofLog({ type: 'decided', first: next, hashes: told }))
    expect(heard().asked).toEqual([next])
    hear(OTHER, ofLog({ type: 'slots', contents }))
    expect([heard().faults, heard().slots > 0, state().slot > before.slot]).toEqual([
      [],
      true,
      true,
    ])
  })

  it('§21 catch-up: certificate of the state instead of answers, in the name of n − f nodes', () => {
    const { hear, state, heard, next } = behind()
    for (const from of [1, OTHER, PEER]) hear(from, rootVoteOf(from))
    expect([state().slot, heard()]).toEqual([next, NOTHING])
  })

  it.each<[string, () => Uint8Array]>([
    [
      '§21 catch-up: certificate of the state instead of answers, where its hashes go',
      () => concat(Uint8Array.of(6), bigEndian(0n, 8), certificate),
    ],
    [
      '§21 catch-up: certificate of the state instead of answers, where its slots go',
      () => encodeLogMessage(INCARNATION, { type: 'slots', contents: [certificate] }).subarray(8),
    ],
    ['§21 catch-up: certificate of the state instead of answers, bare', () => certificate],
  ])('%s, is blamed on who sent it', (_, content) => {
    const { hear, state, heard } = behind()
    const before = state()
    hear(PEER, tagLogMessage(concat(bigEndian(INCARNATION, 8), content())))
    expect([state(), heard()]).toEqual([before, { ...NOTHING, faults: [PEER] }])
  })
})
