/**
 * Zero-knowledge proofs: equal logarithm, equal openings, product. Source: threshold specification
 * §5.
 */
import type { Group, Secret } from '../base/group.ts'
import { mod } from '../base/group.ts'
import type { OracleInputs } from '../base/random-oracle.ts'
import { bytesInput, oracleScalar, pointInputs } from '../base/random-oracle.ts'
import type { Generator } from '../base/seed.ts'

/** Challenge and response of the proofs with one witness. */
export type ProofOfLog = { readonly challenge: bigint; readonly response: bigint }

export type ProofOfProduct = {
  readonly challenge: bigint
  readonly response1: bigint
  readonly response2: bigint
}

/** Gives the challenge for what is asked. */
export type ChallengeOracle = <P>(group: Group<P>, domain: string, inputs: OracleInputs) => bigint

/** Where a statement is made: domain string of the proof, associated data of the transcript. */
export type ProofContext = {
  readonly domain: string
  readonly associatedData: Uint8Array
  /** In place of that of §3.4: the simulators of §22.2 program it. */
  readonly oracle?: ChallengeOracle
}

/** A = x·g and B = x·base. */
export type EqualLogs<P> = { readonly base: P; readonly a: P; readonly b: P }

/** A = ped(s, m) and B = s·g hide the same s. */
export type EqualOpenings<P> = { readonly a: P; readonly b: P }

/** A = a·g, B = ped(b, β), C = ped(a·b, γ). */
export type Product<P> = { readonly lhs: P; readonly rhs: P; readonly product: P }

/** witness·c + nonce. The result is public: the nonce, used once, hides the witness. */
const respond = <P>(group: Group<P>, witness: Secret, c: bigint, nonce: Secret): bigint =>
  mod(witness * c + nonce, group.order)

/** The challenge for a statement and its commitments, all of them points under their names. */
function challengeOf<P>(
  group: Group<P>,
  { domain, associatedData, oracle = oracleScalar }: ProofContext,
  points: Readonly<Record<string, P>>,
): bigint {
  return oracle(group, domain, {
    associated_data: bytesInput(associatedData),
    ...pointInputs(group, points),
  })
}

function equalLogsChallenge<P>(
  group: Group<P>,
  context: ProofContext,
  { base, a, b }: EqualLogs<P>,
  commitments: { readonly commitment1: P; readonly commitment2: P },
): bigint {
  const instance = { instance_g: group.g.point, instance_h: base, instance_g_x: a, instance_h_x: b }
  return challengeOf(group, context, { ...instance, ...commitments })
}

/** §5.1; the nonce is the first scalar of the generator. */
export function proveEqualLogs<P>(
  group: Group<P>,
  context: ProofContext,
  statement: EqualLogs<P>,
  { witness, nonces }: { readonly witness: Secret; readonly nonces: Generator },
): ProofOfLog {
  const k = nonces.scalar(group)
  const challenge = equalLogsChallenge(group, context, statement, {
    commitment1: group.g.multiplySecret(k),
    commitment2: group.multiplySecret(statement.base, k),
  })
  return { challenge, response: respond(group, witness, challenge, k) }
}

export function verifyEqualLogs<P>(
  group: Group<P>,
  context: ProofContext,
  statement: EqualLogs<P>,
  { challenge, response }: ProofOfLog,
): boolean {
  const { base, a, b } = statement
  const minusC = mod(-challenge, group.order)
  const commitment1 = group.add(group.g.multiplyPublic(response), group.multiplyPublic(a, minusC))
  const commitment2 = group.pair(base, response, b, minusC)
  const commitments = { commitment1, commitment2 }
  return equalLogsChallenge(group, context, statement, commitments) === challenge
}

function equalOpeningsChallenge<P>(
  group: Group<P>,
  context: ProofContext,
  { a, b }: EqualOpenings<P>,
  commitment: P,
): bigint {
  const instance = { instance_g: group.g.point, instance_h: group.h.point }
  return challengeOf(group, context, { ...instance, instance_a: a, instance_b: b, commitment })
}

/** §5.2: A − B = m·h, so the witness is the mask m. */
export function proveEqualOpenings<P>(
  group: Group<P>,
  context: ProofContext,
  statement: EqualOpenings<P>,
  { mask, nonces }: { readonly mask: Secret; readonly nonces: Generator },
): ProofOfLog {
  const k = nonces.scalar(group)
  const commitment = group.h.multiplySecret(k)
  const challenge = equalOpeningsChallenge(group, context, statement, commitment)
  return { challenge, response: respond(group, mask, challenge, k) }
}

export function verifyEqualOpenings<P>(
  group: Group<P>,
  context: ProofContext,
  statement: EqualOpenings<P>,
  { challenge, response }: ProofOfLog,
): boolean {
  const difference = group.subtract(statement.a, statement.b)
  const commitment = group.add(
    group.h.multiplyPublic(response),
    group.multiplyPublic(difference, mod(-challenge, group.order)),
  )
  return equalOpeningsChallenge(group, context, statement, commitment) === challenge
}

function productChallenge<P>(
  group: Group<P>,
  context: ProofContext,
  { lhs, rhs, product }: Product<P>,
  commitments: { readonly commitment1: P; readonly commitment2: P },
): bigint {
  return challengeOf(group, context, {
    instance_g: group.g.point,
    instance_h: group.h.point,
    instance_lhs: lhs,
    instance_rhs: rhs,
    instance_product: product,
    ...commitments,
  })
}

/** The a of A = a·g, and γ − a·β, which turns a·B into C. */
export type ProductWitness = { readonly lhs: Secret; readonly maskDifference: Secret }

/** §5.3; the nonces are the first two scalars of the generator, r1 before r2. */
export function proveProduct<P>(
  group: Group<P>,
  context: ProofContext,
  statement: Product<P>,
  { witness, nonces }: { readonly witness: ProductWitness; readonly nonces: Generator },
): ProofOfProduct {
  const r1 = nonces.scalar(group)
  const r2 = nonces.scalar(group)
  const challenge = productChallenge(group, context, statement, {
    commitment1: group.g.multiplySecret(r1),
    commitment2: group.add(group.multiplySecret(statement.rhs, r1), group.h.multiplySecret(r2)),
  })
  return {
    challenge,
    response1: respond(group, witness.lhs, challenge, r1),
    response2: respond(group, witness.maskDifference, challenge, r2),
  }
}

export function verifyProduct<P>(
  group: Group<P>,
  context: ProofContext,
  statement: Product<P>,
  { challenge, response1, response2 }: ProofOfProduct,
): boolean {
  const { lhs, rhs, product } = statement
  const minusC = mod(-challenge, group.order)
  const commitments = {
    commitment1: group.add(group.g.multiplyPublic(response1), group.multiplyPublic(lhs, minusC)),
    commitment2: group.add(
      group.pair(rhs, response1, product, minusC),
      group.h.multiplyPublic(response2),
    ),
  }
  return productChallenge(group, context, statement, commitments) === challenge
}
