/**
 * Keys and genesis of a small subnet, the same for the same options; keys are in the order of the
 * membership.
 */
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import { embeddedMinter } from '../../src/core/subnet/settings.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import type { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'
import { nodeKeys } from './node-keys.ts'

export type Founded = { readonly genesis: Genesis; readonly keys: readonly NodeKeys[] }

export function foundSubnet(nodes: number, incarnation = 7n): Founded {
  const root = Seed.fromBytes(new TextEncoder().encode('founded'))
  const made = Array.from({ length: nodes }, (_, i) => nodeKeys(root.derive(`node ${i}`)))
  const records = made.map(({ record }) => record)
  const membership = createMembership(records, 1n)
  const keys = membership.members.map(({ id }) =>
    present(
      made.find(({ record }) => record.id === id),
      'a member is one of the nodes',
    ),
  )
  const entropy = root.derive('entropy').generator().bytes(32)
  const createdAt = timestampNs(1_800_000_000_000_000_000n)
  return { genesis: { membership, entropy, incarnation, createdAt }, keys }
}

/** The one node of a subnet of one, with as little to prepare as can be. */
export const onlyNode = (
  { genesis, keys }: Founded,
  operator: Principal = ownCanisterIds.minter,
) => ({
  genesis,
  keys: present(keys[0], 'the node has keys'),
  me: 0,
  ed25519: nativeEd25519,
  records: new Map<string, Uint8Array>(),
  stockTarget: 1,
  creationMax: 1,
  minter: embeddedMinter,
  operator,
})
