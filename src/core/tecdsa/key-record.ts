/**
 * Final keys as a node keeps them for a later start: who the members are, and of each key the
 * transcript that was reshared and the signed dealings that made the key of it. All of it is public.
 * Source: threshold §§9.2, 11.2, 18.4.
 */
import { Reader, Writer } from '../base/codec.ts'
import { BadEncoding, present } from '../base/errors.ts'
import type { BlsG2Point } from '../base/noble-bls12381.ts'
import type { Ed25519Point } from '../base/noble-ed25519.ts'
import type { Secp256k1Point } from '../base/noble-secp256k1.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { BlsKeys } from './bls-lane.ts'
import { constantTerm } from './commitment.ts'
import { verifyDealing } from './dealing.ts'
import { decodeDealing } from './dealing-codec.ts'
import type { SignedDealing } from './evidence.ts'
import {
  DEALING_SIZE_MAX,
  dealerSigned,
  decodeSignedDealing,
  encodeSignedDealing,
  lanePrefix,
} from './evidence.ts'
import type { Genesis, MemberRecord } from './membership.ts'
import { NODES_MAX, subnetIdOf } from './membership.ts'
import type { Transcript, TranscriptParameters } from './parameters.ts'
import { checkParameters, collectionThreshold, dealerIndexOf, sameNodes } from './parameters.ts'
import type { NumberedMembership } from './roster.ts'
import type { Run } from './run.ts'
import { openRun, takeDealing, takesDealer } from './run.ts'
import type { Epoch } from './run-ledger.ts'
import { sourceHeight } from './run-ledger.ts'
import type { Standing } from './standing.ts'
import { readStanding, writeStanding } from './standing.ts'
import type { Suite } from './suite.ts'
import { decodeTranscript, encodeTranscript } from './transcript-codec.ts'

type Named<P> = ReadonlyMap<string, Run<P>>

/** Keys that sign requests, by name, and the two of the subnet itself. */
export type FinalKeys = {
  readonly ecdsa: Named<Secp256k1Point>
  readonly bip340: Named<Secp256k1Point>
  readonly ed25519: Named<Ed25519Point>
  readonly bls: BlsKeys<Run<BlsG2Point>>
}

/** With the members that hold them: all of them are of one membership. */
export type KeptKeys = FinalKeys & { readonly standing: Standing }

/** The algorithms over our engines. */
export type Suites = {
  readonly ecdsa: Suite<Secp256k1Point>
  readonly bip340: Suite<Secp256k1Point>
  readonly ed25519: Suite<Ed25519Point>
  readonly bls: Suite<BlsG2Point>
}

/** Against what kept keys are checked. */
export type KeyCheck = {
  readonly suites: Suites
  readonly genesis: Genesis
  readonly ed25519: Ed25519
}

const VERSION = 4
/** Of one algorithm. */
const KEYS_MAX = 16
const NAME_SIZE_MAX = 64
/** Ids and signature around the dealing. */
const SIGNED_DEALING_SIZE_MAX = DEALING_SIZE_MAX + 128

/** Equal at all nodes whose log is. */
export function encodeFinalKeys(suites: Suites, keys: KeptKeys): Uint8Array {
  const writer = new Writer().u8(VERSION)
  writeStanding(writer, keys.standing)
  writer
    .bytes(encodeKeyRun(suites.bls, keys.bls.tape))
    .bytes(encodeKeyRun(suites.bls, keys.bls.certification))
  writeNamed(writer, suites.ecdsa, keys.ecdsa)
  writeNamed(writer, suites.bip340, keys.bip340)
  writeNamed(writer, suites.ed25519, keys.ed25519)
  return writer.done()
}

/** Names in ascending order. */
function writeNamed<P>(writer: Writer, suite: Suite<P>, keys: Named<P>): void {
  const named = [...keys].toSorted(([a], [b]) => (a < b ? -1 : 1))
  writer.list(named, (list, [name, run]) => list.text(name).bytes(encodeKeyRun(suite, run)))
}

type NamedBytes = readonly (readonly [name: string, run: Uint8Array])[]

function readNamed(reader: Reader): NamedBytes {
  const named = reader.list((list) => [list.text(NAME_SIZE_MAX), list.bytes()] as const, KEYS_MAX)
  const ascends = named.every(([name], i) => i === 0 || (named[i - 1]?.[0] ?? '') < name)
  if (!ascends) throw new BadEncoding('names of kept keys are repeated or out of order')
  return named
}

function decodeNamed<P>(check: Check, suite: Suite<P>, named: NamedBytes): Named<P> {
  const keys = new Map(named.map(([name, run]) => [name, decodeKeyRun(check, suite, run)]))
  requireDistinct([...keys.values()])
  return keys
}

/** Every key verified and its transcript computed again. Anything else is `BadEncoding`. */
export function decodeFinalKeys(keyCheck: KeyCheck, bytes: Uint8Array): KeptKeys {
  const reader = new Reader(bytes)
  const version = reader.u8()
  if (version !== VERSION) throw new BadEncoding(`kept keys of version ${version}`)
  const standing = readStanding(reader, keyCheck.genesis)
  const [tape, certification] = [reader.bytes(), reader.bytes()]
  const [ecdsa, bip340, ed25519] = [readNamed(reader), readNamed(reader), readNamed(reader)]
  reader.end(undefined)
  const check = checkOf(keyCheck, standing)
  const { suites } = check
  const bls = {
    tape: decodeKeyRun(check, suites.bls, tape),
    certification: decodeKeyRun(check, suites.bls, certification),
  }
  requireDistinct(Object.values(bls))
  return {
    ecdsa: decodeNamed(check, suites.ecdsa, ecdsa),
    bip340: decodeNamed(check, suites.bip340, bip340),
    ed25519: decodeNamed(check, suites.ed25519, ed25519),
    bls,
    standing,
  }
}

type Check = KeyCheck & {
  readonly records: readonly MemberRecord[]
  readonly epoch: Epoch
  readonly former: Epoch | undefined
}

function checkOf(check: KeyCheck, { roster, membership, former }: Standing): Check {
  const epochOf = (one: NumberedMembership): Epoch => roster.epoch(check.suites.ecdsa, one)
  const { records } = roster
  return { ...check, records, epoch: epochOf(membership), former: former && epochOf(former) }
}

/** Ids are counted by algorithm. */
function requireDistinct(runs: readonly Run<unknown>[]): void {
  const ids = new Set(runs.map(({ parameters }) => parameters.id))
  if (ids.size !== runs.length) throw new BadEncoding('two kept keys are one transcript')
}

function encodeKeyRun<P>(suite: Suite<P>, { parameters, incarnation, taken }: Run<P>): Uint8Array {
  const { id, operation } = parameters
  const isReshare = operation.type === 'reshareOfMasked' || operation.type === 'reshareOfUnmasked'
  const input = isReshare ? operation.input : undefined
  return new Writer()
    .u64(id)
    .u64(incarnation)
    .u32(Number(BigInt.asUintN(32, parameters.sourceHeight)))
    .bytes(encodeTranscript(suite, present(input, 'a key is the resharing of a transcript')))
    .list([...taken.values()], (writer, { signed }) => writer.bytes(encodeSignedDealing(signed)))
    .done()
}

function decodeKeyRun<P>(check: Check, suite: Suite<P>, bytes: Uint8Array): Run<P> {
  const reader = new Reader(bytes)
  const { id, incarnation, slot, input, dealings } = reader.end({
    id: reader.u64(),
    incarnation: reader.u64(),
    slot: reader.u32(),
    input: reader.bytes(),
    dealings: reader.list(
      (list) => decodeSignedDealing(list.bytes(SIGNED_DEALING_SIZE_MAX)),
      NODES_MAX,
    ),
  })
  const { members, membershipVersion } = check.epoch
  const parameters: TranscriptParameters<P> = {
    id,
    algorithm: suite.algorithm,
    ...dealtBy(check, decodeTranscript(suite, input)),
    receivers: members,
    membershipVersion,
    subnetId: subnetIdOf(check.genesis),
    sourceHeight: sourceHeight(incarnation, BigInt(slot)),
  }
  const problem = checkParameters(parameters)
  if (problem !== undefined) throw new BadEncoding(`a kept key: ${problem.detail}`)
  if (dealings.length !== collectionThreshold(parameters))
    throw new BadEncoding('a kept key has another number of dealings than made it')
  const run = openRun(incarnation, parameters)
  for (const signed of dealings) takeKept(check, suite, { run, signed })
  const { commitment } = present(run.transcript, 'it has as many dealings as it takes')
  if (suite.group.isZero(constantTerm(commitment))) throw new BadEncoding('the identity as a key')
  return run
}

/** A key was made by the members, or dealt on to them by those before them. */
function dealtBy<P>(
  { epoch, former }: Check,
  input: Transcript<P>,
): Pick<TranscriptParameters<P>, 'dealers' | 'operation'> {
  const isMasked = input.kind.type === 'masked'
  const dealers = isMasked ? epoch.members : former?.members
  const isFresh = input.kind.origin.type === 'random'
  const ids = dealers?.map(({ id }) => id)
  if (dealers === undefined || isFresh !== isMasked || !sameNodes(input.receivers, ids ?? []))
    throw new BadEncoding('a kept key is not dealt on from a sharing among the nodes that held it')
  return { dealers, operation: { type: isMasked ? 'reshareOfMasked' : 'reshareOfUnmasked', input } }
}

/** Signatures of supporters are not kept: the dealing is checked itself, as they did. */
function takeKept<P>(
  { genesis, ed25519, records: members }: Check,
  suite: Suite<P>,
  { run, signed }: { readonly run: Run<P>; readonly signed: SignedDealing },
): void {
  const { parameters, incarnation } = run
  const id = members[signed.dealer]?.id
  const dealerIndex = id && dealerIndexOf(parameters, id)
  if (dealerIndex === undefined || !takesDealer(run, dealerIndex))
    throw new BadEncoding('a kept key names a dealer that has none or two')
  const prefix = lanePrefix({ ...genesis, incarnation }, suite.algorithm)
  if (signed.transcriptId !== parameters.id || !dealerSigned({ prefix, members, ed25519 }, signed))
    throw new BadEncoding('a dealing of a kept key is not signed by its dealer')
  const dealing = decodeDealing(suite, signed.dealing)
  const refusal = verifyDealing(suite, { parameters, dealerIndex }, dealing)
  if (refusal !== undefined) throw new BadEncoding(`a dealing of a kept key: ${refusal.detail}`)
  takeDealing(suite, run, { dealerIndex, signed, dealing })
}
