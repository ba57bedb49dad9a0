/**
 * One request being signed, whatever its algorithm: the own share, the shares of others, the
 * signature. Source: threshold §§14, 15.
 */
import { toHex } from '../base/bytes.ts'
import { assert, present } from '../base/errors.ts'
import type { Group } from '../base/group.ts'
import { encodePoint, invert, mod } from '../base/group.ts'
import type { NodeIndex } from '../base/party.ts'
import { constantTerm } from './commitment.ts'
import { lagrangeScalars } from './lagrange.ts'
import {
  decodeSchnorrShare,
  decodeSignatureShare,
  encodeSchnorrShare,
  encodeSignatureShare,
} from './object-codec.ts'
import type { Combined } from './optimistic.ts'
import type { Transcript } from './parameters.ts'
import type { EcdsaRuns, Runs, SchnorrRuns } from './recipe.ts'
import type { Refusal } from './refusal.ts'
import type { Run } from './run.ts'
import { finalOf } from './run.ts'
import type { SchnorrInputs } from './schnorr.ts'
import {
  combineSchnorr,
  createSchnorrShare,
  schnorrAtZero,
  schnorrInputs,
  verifySchnorrShare,
  verifySchnorrSignature,
} from './schnorr.ts'
import type { SchnorrScheme } from './schnorr-scheme.ts'
import type { SecretShare } from './secret.ts'
import type { SignatureShare, SigningInputs } from './signature.ts'
import {
  atZero,
  combine,
  createShare,
  publicInputs,
  verifyShare,
  verifySignature,
} from './signature.ts'
import type { ReportedCombination, SessionReport, Values } from './signing-report.ts'
import { reportedScalar, reportedScalars, reportedTranscript } from './signing-report.ts'
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
  /** Whether the share of a node is there and not known to be false. */
  has(node: NodeIndex): boolean
  /** Nodes whose shares may be combined, in the order of arrival. */
  readonly nodes: readonly NodeIndex[]
  /** Shares found false are let go of. */
  combine(): Combined
  /** Undefined when it is the signature of this request. */
  refusalOf(signature: Uint8Array): Refusal | undefined
  /** What is public of it before any share. */
  report(): SessionReport
  /** The scalars of a share, and whether it is what the node owes. Throws `BadEncoding`. */
  reportShare(
    node: NodeIndex,
    share: Uint8Array,
  ): { readonly values: Values; readonly good: boolean }
  /** How the shares of these nodes, which are there, are combined. */
  reportCombination(nodes: readonly NodeIndex[]): ReportedCombination
}

/** How one algorithm signs. Throws when a nonce gives no usable R, which has odds of 2^-256. */
export type Method<P, W extends Runs<P>> = (pairing: Pairing<P, W>, nonce: Uint8Array) => Session<P>

type Rules<P, S> = {
  readonly order: bigint
  readonly own: (shareOf: ShareOf<P>) => S | undefined
  readonly encode: (share: S) => Uint8Array
  readonly decode: (bytes: Uint8Array) => S
  readonly verify: (node: NodeIndex, share: S) => Refusal | undefined
  readonly combine: (shares: ReadonlyMap<NodeIndex, S>) => Combined
  readonly refusalOf: (signature: Uint8Array) => Refusal | undefined
  readonly report: () => SessionReport
  readonly scalarsOf: (share: S) => Readonly<Record<string, bigint>>
  readonly atZero: (shares: ReadonlyMap<NodeIndex, S>) => Readonly<Record<string, bigint>>
}

/** `only`: whose shares are combined, if the request says so. */
function openSession<P, S>(rules: Rules<P, S>, only: readonly NodeIndex[] | undefined): Session<P> {
  const shares = new Map<NodeIndex, S>()
  const eligible = (): ReadonlyMap<NodeIndex, S> =>
    only === undefined ? shares : new Map([...shares].filter(([node]) => only.includes(node)))
  return {
    ownShare: (shareOf) => {
      const share = rules.own(shareOf)
      return share && rules.encode(share)
    },
    add: (node, bytes) => void shares.set(node, rules.decode(bytes)),
    has: (node) => shares.has(node),
    get nodes() {
      return [...eligible().keys()]
    },
    combine: () => {
      const combined = rules.combine(eligible())
      for (const node of combined.blamed) shares.delete(node)
      return combined
    },
    refusalOf: rules.refusalOf,
    report: rules.report,
    reportShare: (node, bytes) => {
      const share = rules.decode(bytes)
      return {
        values: reportedScalars(rules.scalarsOf(share)),
        good: rules.verify(node, share) === undefined,
      }
    },
    reportCombination: (nodes) => ({
      nodes,
      coefficients: lagrangeScalars(nodes, rules.order).map(reportedScalar),
      values: reportedScalars(
        rules.atZero(
          new Map(nodes.map((node) => [node, present(shares.get(node), 'its share was combined')])),
        ),
      ),
    }),
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
    const { order } = suite.group
    return openSession(
      {
        order,
        own: (shareOf) => {
          const lambda = shareOf(runs.lambda)
          const [kappaLambda, keyLambda] = [shareOf(runs.kappaLambda), shareOf(runs.keyLambda)]
          if (lambda === undefined || kappaLambda === undefined || keyLambda === undefined)
            return undefined
          return createShare(suite, inputs, { lambda, kappaLambda, keyLambda })
        },
        encode: (share) => encodeSignatureShare(suite, share),
        decode: (bytes) => decodeSignatureShare(suite, bytes),
        verify: (node, share) => verifyShare(suite, inputs, node, share),
        combine: (shares) => combine(suite, inputs, shares),
        refusalOf: (signature) => verifySignature(suite, inputs, signature),
        report: () => reportEcdsa(suite, finalOf(key), inputs),
        scalarsOf: ecdsaScalars,
        atZero: (shares) => {
          const { nu, mu } = atZero(suite, shares)
          return { numerator: nu, denominator: mu, quotient: mod(nu * invert(mu, order), order) }
        },
      },
      request.only,
    )
  }

const ecdsaScalars = ({ nu, mu }: SignatureShare): Readonly<Record<string, bigint>> => ({
  nu: nu.value,
  ...(nu.type === 'pedersen' ? { nuMask: nu.mask } : {}),
  mu: mu.value,
  ...(mu.type === 'pedersen' ? { muMask: mu.mask } : {}),
})

function reportEcdsa<P>(
  { group }: Suite<P>,
  key: Transcript<P>,
  { presignature, publicKey, chainCode, tweak, delta, r, rho, e, theta }: SigningInputs<P>,
): SessionReport {
  const transcripts = { key, ...presignature }
  return {
    masterKey: toHex(encodePoint(group, constantTerm(key.commitment))),
    derivation: {
      tweak: reportedScalar(tweak),
      chainCode: toHex(chainCode),
      publicKey: toHex(publicKey),
    },
    transcripts: reportTranscripts(group, transcripts),
    values: { r: toHex(encodePoint(group, r)), ...reportedScalars({ delta, rho, e, theta }) },
  }
}

const reportTranscripts = <P>(
  group: Group<P>,
  transcripts: Readonly<Record<string, Transcript<P>>>,
): SessionReport['transcripts'] =>
  Object.fromEntries(
    Object.entries(transcripts).map(([name, one]) => [name, reportedTranscript(group, one)]),
  )

/** §15. */
export const schnorrMethod =
  <P>(scheme: SchnorrScheme<P>): Method<P, SchnorrRuns<P>> =>
  ({ request, key, presignature: { blinder } }, nonce) => {
    const { path, message, taprootRoot } = request
    const { suite } = scheme
    const transcripts = { key: finalOf(key), blinder: finalOf(blinder) }
    const inputs = schnorrInputs(scheme, { ...transcripts, path, message, taprootRoot, nonce })
    assert(!('refusal' in inputs), 'a nonce gives a usable R')
    return openSession(
      {
        order: suite.group.order,
        own: (shareOf) => {
          const [ofKey, ofBlinder] = [shareOf(key), shareOf(blinder)]
          if (ofKey === undefined || ofBlinder === undefined) return undefined
          return createSchnorrShare(scheme, inputs, { key: ofKey, blinder: ofBlinder })
        },
        encode: (share) => encodeSchnorrShare(suite, share),
        decode: (bytes) => decodeSchnorrShare(suite, bytes),
        verify: (node, share) => verifySchnorrShare(scheme, inputs, node, share),
        combine: (shares) => combineSchnorr(scheme, inputs, shares),
        refusalOf: (signature) => verifySchnorrSignature(scheme, inputs, signature),
        report: () => reportSchnorr(suite, inputs),
        scalarsOf: ({ s }) => ({ s }),
        atZero: (shares) => ({ s: schnorrAtZero(scheme, shares) }),
      },
      request.only,
    )
  }

function reportSchnorr<P>(
  { group }: Suite<P>,
  { key, blinder, publicKey, chainCode, ...inputs }: SchnorrInputs<P>,
): SessionReport {
  const { pathTweak, tweak, delta, challenge, keyFactor, blinderFactor } = inputs
  return {
    masterKey: toHex(encodePoint(group, constantTerm(key.commitment))),
    derivation: {
      tweak: reportedScalar(pathTweak),
      chainCode: toHex(chainCode),
      publicKey: toHex(publicKey),
    },
    transcripts: reportTranscripts(group, { key, blinder }),
    values: {
      signingKey: toHex(inputs.verificationKey),
      r0: toHex(encodePoint(group, inputs.r0)),
      r: toHex(inputs.r),
      ...reportedScalars({ signingTweak: tweak, delta, e: challenge, keyFactor, blinderFactor }),
    },
  }
}
