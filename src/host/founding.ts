/** What a new subnet begins with. Source: threshold §§2.1, 3.7, 18.4. */
import { fromBigEndian } from '../core/base/bytes.ts'
import type { Genesis, MemberRecord } from '../core/tecdsa/membership.ts'
import { createMembership } from '../core/tecdsa/membership.ts'
import { systemClock } from './clock.ts'
import { entropy } from './entropy.ts'

export const newGenesis = (members: readonly MemberRecord[]): Genesis => ({
  membership: createMembership(members, 1n),
  entropy: entropy(32),
  incarnation: fromBigEndian(entropy(8)),
  createdAt: systemClock(),
})
