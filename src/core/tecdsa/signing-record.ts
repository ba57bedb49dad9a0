/**
 * What one signature was made of, for people who want to follow it: public values alone. Source:
 * threshold §§14, 15, 18.2, 20.
 */
import type { NodeIndex } from '../base/party.ts'
import type { Runs } from './recipe.ts'
import type { Run } from './run.ts'
import { finalOf } from './run.ts'
import type { Pairing } from './stock.ts'
import type { Suite } from './suite.ts'

export type SigningRecord = {
  /** That paired the request. */
  readonly slot: bigint
  readonly presignatureId: bigint
  /** σ of the slot, 48 bytes. */
  readonly tape: Uint8Array
  /** ω, 32 bytes. */
  readonly nonce: Uint8Array
  /** Commitments of the key and of the presignature, the constant term first. */
  readonly transcripts: readonly {
    readonly name: string
    readonly id: bigint
    readonly points: readonly Uint8Array[]
  }[]
  /** The shares that were combined, as §7 encodes them. */
  readonly shares: readonly { readonly node: NodeIndex; readonly share: Uint8Array }[]
  /** Whose shares were false. */
  readonly blamed: readonly NodeIndex[]
}

/** `used`: what the pairing itself does not say. */
export function signingRecord<P, W extends Runs<P>>(
  { group }: Suite<P>,
  { key, presignature, presignatureId, slot }: Pairing<P, W>,
  used: Pick<SigningRecord, 'tape' | 'nonce' | 'shares' | 'blamed'>,
): SigningRecord {
  const runs: readonly (readonly [string, Run<P>])[] = [
    ['key', key],
    ...Object.entries(presignature),
  ]
  const transcripts = runs.map(([name, run]) => {
    const { id, commitment } = finalOf(run)
    return { name, id, points: group.encode(commitment.points) }
  })
  return { slot, presignatureId, transcripts, ...used }
}
