/**
 * Goal: the secret of an epoch is there as long as something is encrypted to it, whenever the node
 * starts again, and not longer, whoever stays and whoever leaves.
 * Method: threshold specification §§11.2 rule 3, 11.4. Signers of four nodes whose work comes between
 * the slots that they read again.
 */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { EPOCH_RECORDS, Epochs } from '../../../src/core/tecdsa/epochs.ts'
import { nodeKeys } from '../../support/node-keys.ts'
import { SignerNet } from '../../support/signer-net.ts'

const message = utf8('a state root')
const recordsOf = (net: SignerNet, node: number): readonly string[] =>
  [...(net.records[node]?.keys() ?? [])].filter((key) => key.startsWith(EPOCH_RECORDS))

/** A net with its keys; every second turn is one of work. */
function ready(): SignerNet {
  let turns = 0
  const next = (count: number): number => {
    turns += 1
    return turns % 2 === 0 ? 0 : count - 1
  }
  const net = new SignerNet({
    nodes: 4,
    stockTarget: 0,
    next: (count) => (count > 1 ? next(count) : 0),
  })
  net.settle()
  return net
}

/** One more slot, in which nothing happens. */
function slot(net: SignerNet): void {
  net.submit(1, { type: 'abort', bytes: Uint8Array.of(1) })
  net.settle()
}

test('a node that starts again with the secrets of two epochs keeps that of the next one', () => {
  const net = ready()
  net.refresh()
  // Its word is in the log, the switch is not.
  expect(net.run(() => net.signer(1).epoch.stage === 'resharing')).toBe(true)
  expect(recordsOf(net, 1)).toHaveLength(1)
  net.stop(1)
  net.start(1)
  expect(net.keysOf(1).epochCount).toBe(2)
  net.settle()
  slot(net)
  expect(net.signer(1).epoch.version).toBe(2n)
  expect(net.signer(1).certificationShare(message)).toBeDefined()
  expect([net.keysOf(1).epochCount, recordsOf(net, 1)]).toEqual([1, [`${EPOCH_RECORDS}7/2`]])
  // And when it reads all of it once more.
  net.stop(1)
  net.start(1)
  net.settle()
  expect(net.signer(1).certificationShare(message)).toBeDefined()
})

test('a node that has left keeps no secret, and who joins keeps its own until it does', () => {
  const net = ready()
  const [joined = -1] = net.change({ join: ['a new one'], leave: [0] })
  net.settle()
  expect(net.signer(joined).epoch).toMatchObject({ version: 2n, stage: 'none' })
  expect(net.signer(joined).certificationShare(message)).toBeDefined()
  expect(net.keysOf(0).epochCount).toBe(1)
  slot(net)
  expect([0, 1, joined].map((node) => net.keysOf(node).epochCount)).toEqual([0, 1, 1])
  expect(recordsOf(net, 0)).toEqual([])
  net.stop(0)
  net.start(0)
  net.settle()
  expect(net.keysOf(0).epochCount).toBe(0)
})

test('of the secrets on record, those of later memberships of this time line alone are spared', () => {
  const keys = nodeKeys(Seed.fromBytes(utf8('a node')))
  const first = keys.record.encryptionKey
  const named = (name: string, byte: number) =>
    [`${EPOCH_RECORDS}${name}`, new Uint8Array(32).fill(byte)] as const
  const records = new Map([named('6/3', 1), named('7/2', 2), named('7/3', 3)])
  const epochs = new Epochs({ keys, incarnation: 7n, records, runs: () => [] })
  const erase = (version: bigint, own: readonly Uint8Array[], over?: Uint8Array) =>
    epochs.erase(version, { keys: own, over })
  expect(erase(1n, [first])).toEqual([{ type: 'forget', keys: [`${EPOCH_RECORDS}6/3`] }])
  const second = epochs.ofVersion(2n).epoch.publicKey
  expect(erase(2n, [second])).toEqual([])
  expect(keys.epochCount).toBe(2)
  const third = epochs.ofVersion(3n).epoch.publicKey
  expect(erase(3n, [third])).toEqual([{ type: 'forget', keys: [`${EPOCH_RECORDS}7/2`] }])
  expect(erase(4n, [], second)).toBeUndefined()
  expect(erase(4n, [], third)).toEqual([{ type: 'forget', keys: [`${EPOCH_RECORDS}7/3`] }])
  expect([keys.epochCount, erase(5n, [], third)]).toEqual([0, undefined])
})
