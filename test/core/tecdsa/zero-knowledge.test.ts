/**
 * Goal: a proof says nothing but that its statement is true, and cannot be made without the witness.
 * Method: threshold specification §§5, 22.2. The oracle is programmed: a simulator that knows no
 * witness picks challenge and responses first and is accepted; a prover that is asked twice after
 * one commitment gives its witness away.
 */
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../src/core/base/bytes.ts'
import { present } from '../../../src/core/base/errors.ts'
import { asSecret, invert, mod } from '../../../src/core/base/group.ts'
import { secp256k1 as group } from '../../../src/core/base/noble-secp256k1.ts'
import type { OracleInputs } from '../../../src/core/base/random-oracle.ts'
import { bytesInput, oracleMessage, pointInputs } from '../../../src/core/base/random-oracle.ts'
import { Seed } from '../../../src/core/base/seed.ts'
import type { ChallengeOracle, ProofContext } from '../../../src/core/tecdsa/proofs.ts'
import {
  proveEqualLogs,
  proveEqualOpenings,
  proveProduct,
  verifyEqualLogs,
  verifyEqualOpenings,
  verifyProduct,
} from '../../../src/core/tecdsa/proofs.ts'
import type { Point } from '../../support/threshold.ts'
import { bytesOf, order } from '../../support/threshold.ts'

const generator = Seed.fromBytes(bytesOf('zero knowledge')).generator()
const scalar = () => generator.scalar(group)
const nonces = () => Seed.fromBytes(bytesOf('nonces')).generator()
const { g, h } = group
const ped = (value: bigint, mask: bigint): Point =>
  group.add(g.multiplyPublic(value), h.multiplyPublic(mask))
/** z·P − c·Q: how a verifier gets the commitment back. */
const backwards = (p: Point, z: bigint, q: Point, c: bigint): Point =>
  group.subtract(group.multiplyPublic(p, z), group.multiplyPublic(q, c))

const domain = 'a proof'
const associatedData = bytesOf('ad')
const asking = (oracle: ChallengeOracle): ProofContext => ({ domain, associatedData, oracle })

/** Each proof: a statement with its witness, and everything that a test does with such a proof. */
type Kind = {
  readonly name: string
  /** Proof of the true statement; `witness` is what extraction must give. */
  readonly prove: (context: ProofContext) => Readonly<Record<string, bigint>>
  readonly witness: Readonly<Record<string, bigint>>
  readonly verify: (context: ProofContext, statement: Statement, proof: Proof) => boolean
  readonly statement: Statement
  /** A statement of the same form that is not true. */
  readonly untrue: Statement
  /** What the oracle is asked about besides commitments, under the names of §5. */
  readonly asked: Statement
  /** Commitments that fit a statement, a challenge and responses. */
  readonly commitments: (statement: Statement, proof: Proof) => Statement
}
type Statement = Readonly<Record<string, Point>>
type Proof = Readonly<Record<string, bigint>>

const at = <T>(of: Readonly<Record<string, T>>, name: string): T => present(of[name], name)

function equalLogs(): Kind {
  const x = scalar()
  const base = group.hashToPoint(bytesOf('base'), bytesOf('dst'))
  const statement = { base, a: g.multiplySecret(x), b: group.multiplySecret(base, x) }
  return {
    name: 'equal logarithms',
    prove: (context) => proveEqualLogs(group, context, statement, { witness: x, nonces: nonces() }),
    witness: { response: x },
    verify: (context, { base: b1, a, b }, proof) =>
      verifyEqualLogs(
        group,
        context,
        { base: present(b1, 'base'), a: present(a, 'a'), b: present(b, 'b') },
        { challenge: at(proof, 'challenge'), response: at(proof, 'response') },
      ),
    statement,
    untrue: { ...statement, b: group.multiplySecret(base, scalar()) },
    asked: {
      instance_g: g.point,
      instance_h: base,
      instance_g_x: statement.a,
      instance_h_x: statement.b,
    },
    commitments: (of, { challenge = 0n, response = 0n }) => ({
      commitment1: backwards(g.point, response, at(of, 'a'), challenge),
      commitment2: backwards(at(of, 'base'), response, at(of, 'b'), challenge),
    }),
  }
}

function equalOpenings(): Kind {
  const [s, m] = [scalar(), scalar()]
  const statement = { a: ped(s, m), b: g.multiplyPublic(s) }
  return {
    name: 'equal openings',
    prove: (context) =>
      proveEqualOpenings(group, context, statement, { mask: m, nonces: nonces() }),
    witness: { response: m },
    verify: (context, of, proof) =>
      verifyEqualOpenings(
        group,
        context,
        { a: at(of, 'a'), b: at(of, 'b') },
        { challenge: at(proof, 'challenge'), response: at(proof, 'response') },
      ),
    statement,
    untrue: { ...statement, b: g.multiplySecret(scalar()) },
    asked: {
      instance_g: g.point,
      instance_h: h.point,
      instance_a: statement.a,
      instance_b: statement.b,
    },
    commitments: (of, { challenge = 0n, response = 0n }) => ({
      commitment: backwards(h.point, response, group.subtract(at(of, 'a'), at(of, 'b')), challenge),
    }),
  }
}

function product(): Kind {
  const [a, b, beta, gamma] = [scalar(), scalar(), scalar(), scalar()]
  const statement = {
    lhs: g.multiplyPublic(a),
    rhs: ped(b, beta),
    product: ped(mod(a * b, order), gamma),
  }
  const maskDifference = asSecret(mod(gamma - a * beta, order))
  const witness = { lhs: a, maskDifference }
  return {
    name: 'product',
    prove: (context) => proveProduct(group, context, statement, { witness, nonces: nonces() }),
    witness: { response1: a, response2: maskDifference },
    verify: (context, of, proof) =>
      verifyProduct(
        group,
        context,
        { lhs: at(of, 'lhs'), rhs: at(of, 'rhs'), product: at(of, 'product') },
        {
          challenge: at(proof, 'challenge'),
          response1: at(proof, 'response1'),
          response2: at(proof, 'response2'),
        },
      ),
    statement,
    untrue: { ...statement, product: ped(scalar(), gamma) },
    asked: {
      instance_g: g.point,
      instance_h: h.point,
      instance_lhs: statement.lhs,
      instance_rhs: statement.rhs,
      instance_product: statement.product,
    },
    commitments: (of, { challenge = 0n, response1 = 0n, response2 = 0n }) => ({
      commitment1: backwards(g.point, response1, at(of, 'lhs'), challenge),
      commitment2: group.add(
        backwards(at(of, 'rhs'), response1, at(of, 'product'), challenge),
        h.multiplyPublic(response2),
      ),
    }),
  }
}

const bytesAsked = (inputs: OracleInputs): string => toHex(oracleMessage(inputs))

describe.each([equalLogs(), equalOpenings(), product()])('$name', (kind) => {
  /** Challenge and responses at random, before anything else. */
  const picked = (): Proof =>
    Object.fromEntries(['challenge', ...Object.keys(kind.witness)].map((name) => [name, scalar()]))

  /** What the oracle answers at the one point that the simulator has chosen. */
  function programmed(statement: Statement, proof: Proof): ChallengeOracle {
    const due = pointInputs(group, kind.commitments(statement, proof))
    return (_, __, inputs) => {
      const isPoint = Object.entries(due).every(
        ([name, input]) =>
          inputs[name] !== undefined &&
          bytesAsked({ [name]: inputs[name] }) === bytesAsked({ [name]: input }),
      )
      return isPoint ? at(proof, 'challenge') : scalar()
    }
  }

  test('§22.2 simulator: who knows no witness is accepted under an oracle of its own', () => {
    for (const statement of [kind.statement, kind.untrue]) {
      const proof = picked()
      const oracle = programmed(statement, proof)
      expect(kind.verify(asking(oracle), statement, proof)).toBe(true)
      // It is the oracle that helps: under the real one, and for other picks, it does not.
      expect(kind.verify({ domain, associatedData }, statement, proof)).toBe(false)
      expect(kind.verify(asking(oracle), statement, picked())).toBe(false)
    }
  })

  test('§22.2 simulator: an honest proof is one that it could have picked', () => {
    const honest = kind.prove({ domain, associatedData })
    const commitments = kind.commitments(kind.statement, honest)
    const asked: OracleInputs[] = []
    kind.prove(
      asking((_, __, inputs) => {
        asked.push(inputs)
        return at(honest, 'challenge')
      }),
    )
    const [inputs = {}] = asked
    for (const [name, input] of Object.entries(pointInputs(group, commitments)))
      expect(inputs[name]).toEqual(input)
  })

  test('the oracle is asked about all of the statement: else a point could be chosen after it', () => {
    const honest = kind.prove({ domain, associatedData })
    const due = {
      associated_data: bytesInput(associatedData),
      ...pointInputs(group, { ...kind.asked, ...kind.commitments(kind.statement, honest) }),
    }
    const asked: [string, OracleInputs][] = []
    const recording = asking((_, of, inputs) => {
      asked.push([of, inputs])
      return at(honest, 'challenge')
    })
    expect(kind.verify(recording, kind.statement, honest)).toBe(true)
    expect(asked).toEqual([[domain, due]])
  })

  test('§22.2 extractor: two answers to one commitment are the witness', () => {
    const [c1, c2] = [scalar(), scalar()]
    const [one, two] = [c1, c2].map((c) => {
      const oracle: ChallengeOracle = () => c
      const proof = kind.prove(asking(oracle))
      expect(kind.verify(asking(oracle), kind.statement, proof)).toBe(true)
      return proof
    })
    const inverse = invert(c1 - c2, order)
    for (const [name, secret] of Object.entries(kind.witness)) {
      const difference = (one?.[name] ?? 0n) - (two?.[name] ?? 0n)
      expect(mod(difference * inverse, order)).toBe(secret)
    }
  })
})
