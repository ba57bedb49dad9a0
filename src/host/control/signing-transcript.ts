/**
 * All that is public of one signature, as the control port hands it out and `signer sign
 * --transcript` writes it. Implements `docs/spec/cli.md` §5.18, threshold §20; `docs/transcript.md`
 * says what each field is.
 */
import { toHex } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader, Read } from '../../core/base/json.ts'
import {
  dictionary,
  flag,
  integer,
  list,
  nullable,
  object,
  oneOf,
  text,
} from '../../core/base/json.ts'
import type { NodeIndex } from '../../core/base/party.ts'
import { faultyMax, reconstructionThreshold } from '../../core/base/party.ts'
import type { Genesis } from '../../core/tecdsa/membership.ts'
import { subnetIdOf } from '../../core/tecdsa/membership.ts'
import type { SigningReport } from '../../core/tecdsa/signing-report.ts'

const NODES_MAX = 40
/** t of the largest subnet. */
const POINTS_MAX = 14
const VALUES_MAX = 16

const node = integer(1, NODES_MAX)
const nodes = list(node, NODES_MAX)
const hex = matching(/^(?:[0-9a-f]{2}){0,1024}$/, 'hexadecimal')
/** Counters of the log. */
const digits = matching(/^(?:0|[1-9]\d{0,19})$/, 'a whole number in digits')

function matching(pattern: RegExp, expected: string): JsonReader<string> {
  return (value, where) => {
    if (typeof value === 'string' && pattern.test(value)) return value
    throw new BadEncoding(`${where} is not ${expected}`)
  }
}

const named =
  <T>(read: JsonReader<T>): JsonReader<Readonly<Record<string, T>>> =>
  (value, where) =>
    Object.fromEntries(dictionary(read, VALUES_MAX)(value, where))

const values = named(hex)

export const milliseconds: JsonReader<number> = (value, where) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new BadEncoding(`${where} is not a time in milliseconds`)
}

/** Null where it was not measured. */
export const phases = object({
  presign: nullable(milliseconds),
  sign: nullable(milliseconds),
  combine: nullable(milliseconds),
  order: nullable(milliseconds),
  total: milliseconds,
})

export const transcriptShape = object({
  request: object({
    id: hex,
    scheme: oneOf('ecdsa', 'bip340', 'ed25519'),
    keyId: text,
    /** From the principal of the subnet, which asks, on. */
    path: list(hex, 256),
    taprootRoot: nullable(hex),
    /** Whose shares were asked for; null: anybody's. */
    only: nullable(nodes),
  }),
  subnet: object({
    id: hex,
    incarnation: digits,
    n: node,
    f: integer(0, NODES_MAX),
    t: node,
    nodes: list(object({ node, id: hex }), NODES_MAX),
  }),
  masterKey: hex,
  derivation: object({ tweak: hex, chainCode: hex, publicKey: hex }),
  presignature: object({
    id: digits,
    transcripts: named(
      object({
        id: digits,
        kind: oneOf('masked', 'unmasked'),
        origin: text,
        inputs: list(digits, 2),
        combination: oneOf('bySummation', 'byInterpolation'),
        commitment: list(hex, POINTS_MAX),
      }),
    ),
  }),
  pairing: object({ slot: digits }),
  tape: object({ publicKey: hex, signature: hex, value: hex }),
  nonce: hex,
  values,
  shares: list(
    object({
      node,
      good: flag,
      combined: flag,
      blame: nullable(text),
      bytes: hex,
      values: nullable(values),
    }),
    NODES_MAX,
  ),
  combination: object({ nodes, coefficients: list(hex, NODES_MAX), values }),
  signature: hex,
  submission: object({ combinedBy: node, atOnce: nodes }),
  ms: phases,
})

export type SigningTranscript = Read<typeof transcriptShape>

type Parts = {
  readonly report: SigningReport
  readonly genesis: Genesis
  readonly request: Omit<SigningTranscript['request'], 'id'>
  readonly ms: SigningTranscript['ms']
}

/** People count nodes from 1, which is also where their shares are on the line. */
const shown = (index: NodeIndex): number => index + 1

export function signingTranscript({ report, genesis, request, ms }: Parts): SigningTranscript {
  const { members, shares, combination } = report
  return {
    request: { id: report.requestId, ...request },
    subnet: {
      id: toHex(subnetIdOf(genesis)),
      incarnation: genesis.incarnation.toString(),
      n: members.length,
      f: faultyMax(members.length),
      t: reconstructionThreshold(members.length),
      nodes: members.map((id, place) => ({ node: shown(place), id })),
    },
    masterKey: report.masterKey,
    derivation: report.derivation,
    presignature: { id: report.presignatureId, transcripts: report.transcripts },
    pairing: { slot: report.pairingSlot },
    tape: { publicKey: report.tapeKey, ...report.tape },
    nonce: report.nonce,
    values: report.values,
    shares: shares.map((share) => ({ ...share, node: shown(share.node) })),
    combination: { ...combination, nodes: combination.nodes.map(shown) },
    signature: report.signature,
    submission: { combinedBy: shown(report.combinedBy), atOnce: report.submitters.map(shown) },
    ms,
  }
}
