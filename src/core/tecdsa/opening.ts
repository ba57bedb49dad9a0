/**
 * Openings: a helper's own share of a dealing about which somebody complained. Source: threshold
 * specification §10.3. Their encoding is in `object-codec.ts`.
 */
import type { NodeIndex } from '../base/party.ts'
import { openingOpens } from './commitment.ts'
import type { Disputed } from './complaint.ts'
import type { Recipient } from './dealing.ts'
import { openDealing } from './dealing.ts'
import { receiverAt } from './parameters.ts'
import type { Refusal } from './refusal.ts'
import { refuseUnless } from './refusal.ts'
import type { Opening } from './secret.ts'
import { unseal } from './secret.ts'
import type { Suite } from './suite.ts'

/**
 * The helper's share of this one dealing, for all to see; undefined when it is bad itself. Only
 * after the complaint was verified.
 */
export function createOpening<P>(
  suite: Suite<P>,
  disputed: Disputed<P>,
  helper: Recipient,
): Opening | undefined {
  const share = openDealing(suite, disputed, disputed.dealing, helper)
  return share && unseal(share)
}

/**
 * Undefined when the opening is the share of the receiver at `opener`, which is not the complainer.
 */
export function verifyOpening<P>(
  { group }: Suite<P>,
  { parameters, dealing }: Disputed<P>,
  { opener, complainer }: { readonly opener: NodeIndex; readonly complainer: NodeIndex },
  opening: Opening,
): Refusal | undefined {
  const refuse = (condition: boolean, detail: string): Refusal | undefined =>
    refuseUnless(condition, 'InvalidOpening', detail)
  return (
    refuse(receiverAt(parameters, opener) !== undefined, `index ${opener} receives nothing`) ??
    refuse(opener !== complainer, 'nobody opens for itself') ??
    refuse(
      openingOpens(group, dealing.commitment, opener, opening),
      'not the share that was dealt to the opener',
    )
  )
}
