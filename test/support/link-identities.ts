/** Nodes of one subnet as their links know them. */

import { present } from '../../src/core/base/errors.ts'
import { Seed } from '../../src/core/base/seed.ts'
import { timestampNs } from '../../src/core/base/units.ts'
import { createMembership } from '../../src/core/tecdsa/membership.ts'
import type { LinkIdentity } from '../../src/host/links/handshake.ts'
import { linkIdentity } from '../../src/host/links/identity.ts'
import { nodeKeys } from './node-keys.ts'

/** `subnet`: names its keys; `incarnation`: its time line. */
export function identities(
  nodes: number,
  { subnet = 'links', incarnation = 1n } = {},
): readonly LinkIdentity[] {
  const keys = Array.from({ length: nodes }, (_, i) =>
    nodeKeys(Seed.fromBytes(new Uint8Array(32)).derive(`${subnet} ${i}`)),
  )
  const membership = createMembership(
    keys.map(({ record }) => record),
    1n,
  )
  const genesis = {
    membership,
    entropy: new Uint8Array(32),
    incarnation,
    createdAt: timestampNs(1n),
  }
  return membership.members.map(({ id }, me) => {
    const own = keys.find(({ record }) => String(record.id) === String(id))
    return linkIdentity({ me, keys: present(own, 'a member has keys'), genesis })
  })
}
