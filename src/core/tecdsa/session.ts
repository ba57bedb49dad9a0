/**
 * One request being signed, whatever its algorithm: the own share, the shares of others, the
 * signature. Source: threshold §§14, 15.
 */
import { assert } from '../base/errors.ts'
import type { NodeIndex } from '../base/party.ts'
import {
  decodeSchnorrShare,
  decodeSignatureShare,
  encodeSchnorrShare,
  encodeSignatureShare,
} from './object-codec.ts'
import type { Transcript } from './parameters.ts'
import type { EcdsaRuns, Runs, SchnorrRuns } from './recipe.ts'
import type { Refusal } from './refusal.ts'
import type { Run } from './run.ts'
import { finalOf } from './run.ts'
import {
  combineSchnorr,
  createSchnorrShare,
  schnorrInputs,
  verifySchnorrSignature,
} from './schnorr.ts'
import type { SchnorrScheme } from './schnorr-scheme.ts'
import type { SecretShare } from './secret.ts'
import type { Combined } from './signature.ts'
import { combine, createShare, publicInputs, verifySignature } from './signature.ts'
import type { Pairing } from './stock.ts'
import type { Suite } from './suite.ts'

/** Own shares of transcripts; undefined while one cannot be had. */
export type ShareOf<P> = (run: Run<P>) => SecretShare | undefined

/** A request whose nonce is known. Shares are public, encoded as §7 says. */
export interface Session<P> {
  /** The own share; undefined while a share of a transcript that it needs cannot be had. */
  ownShare(shareOf: ShareOf<P>): Uint8Array | undefined
  /** Takes the share of a node, to be judged when it is combined. Throws `BadEncoding`. */
  add(node: NodeIndex, share: Uint8Array): void
  /** Nodes whose shares are there and not known to be false, in the order of arrival. */
  readonly nodes: readonly NodeIndex[]
  /** Shares found false are let go of. */
  combine(): Combined
  /** Undefined when it is the signature of this request. */
  refusalOf(signature: Uint8Array): Refusal | undefined
}

/** How one algorithm signs. Throws when a nonce gives no usable R, which has odds of 2^-256. */
export type Method<P, W extends Runs<P>> = (pairing: Pairing<P, W>, nonce: Uint8Array) => Session<P>

type Rules<P, S> = {
  readonly own: (shareOf: ShareOf<P>) => S | undefined
  readonly encode: (share: S) => Uint8Array
  readonly decode: (bytes: Uint8Array) => S
  readonly combine: (shares: ReadonlyMap<NodeIndex, S>) => Combined
  readonly refusalOf: (signature: Uint8Array) => Refusal | undefined
}

function openSession<P, S>(rules: Rules<P, S>): Session<P> {
  const shares = new Map<NodeIndex, S>()
  return {
    ownShare: (shareOf) => {
      const share = rules.own(shareOf)
      return share && rules.encode(share)
    },
    add: (node, bytes) => void shares.set(node, rules.decode(bytes)),
    get nodes() {
      return [...shares.keys()]
    },
    combine: () => {
      const combined = rules.combine(shares)
      for (const node of combined.blamed) shares.delete(node)
      return combined
    },
    refusalOf: rules.refusalOf,
  }
}

/** §14. */
export const ecdsaMethod =
  <P>(suite: Suite<P>): Method<P, EcdsaRuns<P>> =>
  ({ request, key, presignature: runs }, nonce) => {
    const { path, message: digest } = request
    const final = (run: Run<P>): Transcript<P> => finalOf(run)
    const presignature = {
      kappa: final(runs.kappa),
      lambda: final(runs.lambda),
      kappaLambda: final(runs.kappaLambda),
      keyLambda: final(runs.keyLambda),
    }
    const inputs = publicInputs(suite, { key: final(key), presignature, path, digest, nonce })
    assert(!('refusal' in inputs), 'a nonce gives a usable R')
    return openSession({
      own: (shareOf) => {
        const lambda = shareOf(runs.lambda)
        const [kappaLambda, keyLambda] = [shareOf(runs.kappaLambda), shareOf(runs.keyLambda)]
        if (lambda === undefined || kappaLambda === undefined || keyLambda === undefined)
          return undefined
        return createShare(suite, inputs, { lambda, kappaLambda, keyLambda })
      },
      encode: (share) => encodeSignatureShare(suite, share),
      decode: (bytes) => decodeSignatureShare(suite, bytes),
      combine: (shares) => combine(suite, inputs, shares),
      refusalOf: (signature) => verifySignature(suite, inputs, signature),
    })
  }

/** §15. */
export const schnorrMethod =
  <P>(scheme: SchnorrScheme<P>): Method<P, SchnorrRuns<P>> =>
  ({ request, key, presignature: { blinder } }, nonce) => {
    const { path, message, taprootRoot } = request
    const { suite } = scheme
    const transcripts = { key: finalOf(key), blinder: finalOf(blinder) }
    const inputs = schnorrInputs(scheme, { ...transcripts, path, message, taprootRoot, nonce })
    assert(!('refusal' in inputs), 'a nonce gives a usable R')
    return openSession({
      own: (shareOf) => {
        const [ofKey, ofBlinder] = [shareOf(key), shareOf(blinder)]
        if (ofKey === undefined || ofBlinder === undefined) return undefined
        return createSchnorrShare(scheme, inputs, { key: ofKey, blinder: ofBlinder })
      },
      encode: (share) => encodeSchnorrShare(suite, share),
      decode: (bytes) => decodeSchnorrShare(suite, bytes),
      combine: (shares) => combineSchnorr(scheme, inputs, shares),
      refusalOf: (signature) => verifySchnorrSignature(scheme, inputs, signature),
    })
  }
