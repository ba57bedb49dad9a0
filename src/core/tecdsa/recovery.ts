/**
 * Recovery: the share that a bad dealing should have brought, from the openings of others. Source:
 * threshold specification §10.4.
 */
import { assert, present } from '../base/errors.ts'
import type { Secret } from '../base/group.ts'
import { asSecret, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import { shareOpens } from './commitment.ts'
import type { Disputed } from './complaint.ts'
import { evaluationPoint, lagrangeScalars } from './lagrange.ts'
import { receiverThreshold } from './parameters.ts'
import type { Refusal } from './refusal.ts'
import type { Opening, SecretShare } from './secret.ts'
import { Sealed } from './secret.ts'
import type { Suite } from './suite.ts'

/**
 * share_j = Σ λ_{i,S}(x_j)·opening_i over t verified openings, values and masks apart. More are
 * not needed.
 */
export function recoverShare<P>(
  { group }: Suite<P>,
  { parameters, dealing }: Disputed<P>,
  receiverIndex: NodeIndex,
  openings: ReadonlyMap<NodeIndex, Opening>,
): SecretShare | Refusal {
  const t = receiverThreshold(parameters)
  if (openings.size < t)
    return { refusal: 'InsufficientOpenings', detail: `${openings.size} openings, ${t} needed` }
  const used = [...openings].slice(0, t)
  const indices = used.map(([opener]) => opener)
  const weights = lagrangeScalars(indices, group.order, evaluationPoint(receiverIndex))
  const at = (scalarOf: (opening: Opening) => bigint): Secret =>
    asSecret(
      used.reduce((sum, [, opening], i) => {
        const weight = present(weights[i], 'every opening has a weight')
        return mod(sum + weight * scalarOf(opening), group.order)
      }, 0n),
    )
  const value = at((opening) => opening.value)
  const share = new Sealed(
    dealing.commitment.type === 'simple'
      ? { type: 'simple' as const, value }
      : { type: 'pedersen' as const, value, mask: at(maskOf) },
  )
  assert(
    shareOpens(group, dealing.commitment, receiverIndex, share),
    'verified openings lie on the polynomial that the dealer committed to',
  )
  return share
}

const maskOf = (opening: Opening): bigint => (opening.type === 'pedersen' ? opening.mask : 0n)
