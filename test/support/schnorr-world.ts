/** A Schnorr key and blinders among n nodes, shared by plain polynomials; for tests alone. */
import { mod } from '../../src/core/base/group.ts'
import { ed25519Group } from '../../src/core/base/noble-ed25519.ts'
import { secp256k1 } from '../../src/core/base/noble-secp256k1.ts'
import { reconstructionThreshold } from '../../src/core/base/party.ts'
import { Seed } from '../../src/core/base/seed.ts'
import type { Transcript } from '../../src/core/tecdsa/parameters.ts'
import { Polynomial } from '../../src/core/tecdsa/polynomial.ts'
import type { SchnorrInputs, SchnorrRequest, SchnorrShare } from '../../src/core/tecdsa/schnorr.ts'
import { createSchnorrShare, schnorrInputs } from '../../src/core/tecdsa/schnorr.ts'
import type { SchnorrScheme } from '../../src/core/tecdsa/schnorr-scheme.ts'
import { bip340, ed25519 } from '../../src/core/tecdsa/schnorr-scheme.ts'
import type { SecretShare } from '../../src/core/tecdsa/secret.ts'
import { Sealed } from '../../src/core/tecdsa/secret.ts'
import { schnorrBip340, thresholdEd25519 } from '../../src/core/tecdsa/suite.ts'
import { bytesOf } from './threshold.ts'

export const bip340Scheme = bip340(schnorrBip340(secp256k1))
export const ed25519Scheme = ed25519(thresholdEd25519(ed25519Group, secp256k1))

export type Sharing<P> = {
  readonly transcript: Transcript<P>
  readonly shares: readonly SecretShare[]
  /** What nobody knows outside a test. */
  readonly secret: bigint
}

export type SchnorrWorld<P> = {
  readonly scheme: SchnorrScheme<P>
  readonly key: Sharing<P>
  readonly blinder: Sharing<P>
}

function share<P>(
  { suite: { algorithm, group } }: SchnorrScheme<P>,
  { count, id }: { readonly count: number; readonly id: bigint },
  kind: Transcript<P>['kind'],
): Sharing<P> {
  const generator = Seed.fromBytes(bytesOf(`sharing ${algorithm} ${count} ${id}`)).generator()
  const coefficients = Array.from({ length: reconstructionThreshold(count) }, () =>
    generator.scalar(group),
  )
  const polynomial = new Polynomial(coefficients, group.order)
  const receivers = Array.from({ length: count }, (_, i) => Uint8Array.of(i))
  return {
    transcript: {
      id,
      algorithm,
      receivers,
      kind,
      combination: kind.origin.type === 'random' ? 'bySummation' : 'byInterpolation',
      commitment: { type: 'simple', points: polynomial.times(group.g) },
    },
    shares: receivers.map((_, i) => new Sealed({ type: 'simple', value: polynomial.shareOf(i) })),
    secret: mod(coefficients[0] ?? 0n, group.order),
  }
}

export function makeSchnorrWorld<P>(scheme: SchnorrScheme<P>, count: number): SchnorrWorld<P> {
  const origin = { type: 'reshareMasked', input: 1n } as const
  return {
    scheme,
    key: share(scheme, { count, id: 2n }, { type: 'unmasked', origin }),
    blinder: anotherBlinder(scheme, count, 3n),
  }
}

export const anotherBlinder = <P>(
  scheme: SchnorrScheme<P>,
  count: number,
  id: bigint,
): Sharing<P> => share(scheme, { count, id }, { type: 'unmasked', origin: { type: 'random' } })

export type Asked = Partial<
  Pick<SchnorrRequest<unknown>, 'path' | 'message' | 'nonce' | 'taprootRoot'>
>

export const requestOf = <P>(
  { key, blinder }: SchnorrWorld<P>,
  asked: Asked,
): SchnorrRequest<P> => ({
  key: key.transcript,
  blinder: blinder.transcript,
  path: asked.path ?? [bytesOf('caller'), bytesOf('element')],
  message: asked.message ?? bytesOf('message'),
  nonce: asked.nonce ?? bytesOf('nonce'),
  taprootRoot: asked.taprootRoot,
})

export function inputsOf<P>(world: SchnorrWorld<P>, asked: Asked = {}): SchnorrInputs<P> {
  const inputs = schnorrInputs(world.scheme, requestOf(world, asked))
  if ('refusal' in inputs) throw new Error(inputs.detail)
  return inputs
}

export const sharesOf = <P>(
  { scheme, key, blinder }: SchnorrWorld<P>,
  inputs: SchnorrInputs<P>,
): Map<number, SchnorrShare> =>
  new Map(
    key.shares.flatMap((own, node) => {
      const other = blinder.shares[node]
      if (other === undefined) return []
      return [[node, createSchnorrShare(scheme, inputs, { key: own, blinder: other })]]
    }),
  )
