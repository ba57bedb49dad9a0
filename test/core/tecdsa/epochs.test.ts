/**
 * Goal: of the secrets on record, those are erased that nothing can be encrypted to any more.
 * Method: threshold specification §§11.2 rule 3, 11.4, with records of two time lines. The stories
 * of whole signers are in `test/sim/epochs.sim.ts`.
 */
import { expect, test } from 'vitest'
import { utf8 } from '../../../src/core/base/bytes.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import { EPOCH_RECORDS, Epochs } from '../../../src/core/tecdsa/epochs.ts'
import { nodeKeys } from '../../support/node-keys.ts'

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
