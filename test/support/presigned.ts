/** A key with a presignature, and signatures made with them, by the pure functions alone. */
import { fromBigEndian, utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import { invert, mod } from '../../src/core/base/group.ts'
import type { Operation } from '../../src/core/tecdsa/parameters.ts'
import type { Presignature } from '../../src/core/tecdsa/presignature.ts'
import type { SignatureShare, SigningInputs } from '../../src/core/tecdsa/signature.ts'
import { combine, createShare, publicInputs } from '../../src/core/tecdsa/signature.ts'
import type { Run, RunOf } from './threshold.ts'
import { bytesOf, makeNodes, makeRun, order, suite } from './threshold.ts'

/** A key and one presignature among the same nodes. */
export type World = {
  readonly key: Run
  readonly kappa: Run
  readonly lambda: Run
  readonly kappaLambda: Run
  readonly keyLambda: Run
  readonly presignature: Presignature
}

/** Another number gives another presignature of the same key. */
export function makeWorld(count: number, number = 0): World {
  const nodes = makeNodes(count, `${count}`)
  const run = (id: bigint, operation: RunOf<Operation['type']>): Run =>
    makeRun({ operation, dealers: nodes, receivers: nodes, id })
  const masked = run(1n, { type: 'random' })
  const key = run(2n, { type: 'reshareOfMasked', input: masked })
  const first = 3n + 4n * BigInt(number)
  const kappa = run(first, { type: 'randomUnmasked' })
  const lambda = run(first + 1n, { type: 'random' })
  const times = { type: 'unmaskedTimesMasked', right: lambda } as const
  const kappaLambda = run(first + 2n, { ...times, left: kappa })
  const keyLambda = run(first + 3n, { ...times, left: key })
  const presignature = {
    kappa: kappa.transcript,
    lambda: lambda.transcript,
    kappaLambda: kappaLambda.transcript,
    keyLambda: keyLambda.transcript,
  }
  return { key, kappa, lambda, kappaLambda, keyLambda, presignature }
}

export type Asked = {
  readonly path?: readonly Uint8Array[]
  readonly digest?: Uint8Array
  readonly nonce?: Uint8Array
}

export function inputsOf({ key, presignature }: World, asked: Asked = {}): SigningInputs {
  const inputs = publicInputs(suite, {
    key: key.transcript,
    presignature,
    path: asked.path ?? [utf8('caller'), utf8('element')],
    digest: asked.digest ?? bytesOf('message'),
    nonce: asked.nonce ?? bytesOf('nonce'),
  })
  if ('refusal' in inputs) throw new Error(inputs.detail)
  return inputs
}

/** The share of every node. */
export const sharesOf = (world: World, inputs: SigningInputs): Map<number, SignatureShare> =>
  new Map(
    world.key.shares.map((_, node) => [
      node,
      createShare(suite, inputs, {
        lambda: present(world.lambda.shares[node], 'a share'),
        kappaLambda: present(world.kappaLambda.shares[node], 'a share'),
        keyLambda: present(world.keyLambda.shares[node], 'a share'),
      }),
    ]),
  )

export function signatureOf(world: World, inputs: SigningInputs): Uint8Array {
  const { result } = combine(suite, inputs, sharesOf(world, inputs))
  if (!('signature' in result)) throw new Error(result.detail)
  return result.signature
}

/** What everybody knows of a signature that was given. */
export type Given = { readonly inputs: SigningInputs; readonly signature: Uint8Array }

export const give = (world: World, asked: Asked = {}): Given => {
  const inputs = inputsOf(world, asked)
  return { inputs, signature: signatureOf(world, inputs) }
}

/**
 * What a thief gets who takes two signatures for ones of one κ, §18.3 rule 4: s·(κ + δ) = θ + ρ·x,
 * twice, solved for x and κ. That s is made low hides its sign, so there are four solutions.
 */
export function extract(
  one: Given,
  two: Given,
): readonly { readonly x: bigint; readonly kappa: bigint }[] {
  const signsOf = ({ signature }: Given): readonly bigint[] => {
    const low = fromBigEndian(signature.subarray(32))
    return [low, order - low]
  }
  return signsOf(one).flatMap((s1) =>
    signsOf(two).flatMap((s2) => {
      const [a, b] = [one.inputs, two.inputs]
      const determinant = mod(s1 * b.rho - s2 * a.rho, order)
      if (determinant === 0n) return []
      const above = s2 * (a.theta - s1 * a.delta) - s1 * (b.theta - s2 * b.delta)
      const x = mod(above * invert(determinant, order), order)
      return [{ x, kappa: mod((a.theta + a.rho * x) * invert(s1, order) - a.delta, order) }]
    }),
  )
}
