/**
 * Keys and genesis of a small subnet, the same for the same options; keys are in the order of the
 * membership.
 */
import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import type { Genesis } from '../../src/core/tecdsa/membership.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import { NodeKeys } from '../../src/core/tecdsa/node-keys.ts'
import { nativeEd25519 } from '../../src/native/ed25519.ts'

export type Founded = { readonly genesis: Genesis; readonly keys: readonly NodeKeys[] }

export function foundSubnet(nodes: number, incarnation = 7n): Founded {
  const root = Seed.fromBytes(new TextEncoder().encode('founded'))
  const made = Array.from(
    { length: nodes },
    (_, i) => new NodeKeys(root.derive(`node ${i}`), nativeEd25519),
  )
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
