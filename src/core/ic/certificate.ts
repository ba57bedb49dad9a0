/**
 * Certificates: a state root signed by a subnet's threshold key, with the part of the state that is
 * shown. Implements `docs/spec/ic-interface.md` §15.
 */
import type { Hash32 } from '../base/bytes.ts'
import { compareBytes, equalBytes, toHex, utf8 } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { TimestampNs } from '../base/units.ts'
import { NS_PER_SECOND } from '../base/units.ts'
import { verifyBls } from '../base/verification.ts'
import type { Cbor } from './cbor.ts'
import { decodeCbor, encodeTaggedCbor } from './cbor.ts'
import { Cursor } from './cursor.ts'
import type { HashTree } from './hash-tree.ts'
import {
  cborOfHashTree,
  hashTreeOfCbor,
  labelsOf,
  lookup,
  lookupTree,
  rootHash,
} from './hash-tree.ts'
import type { Principal } from './principal.ts'
import { principal, textOfPrincipal } from './principal.ts'
import { decodePublicKey } from './public-key.ts'
import { separated } from './request-id.ts'

export type Certificate = {
  readonly tree: HashTree
  /** 48 bytes. */
  readonly signature: Uint8Array
  readonly delegation?: CertificateDelegation | undefined
}

/** The root subnet's word about another subnet's key. `certificate`: encoded. */
export type CertificateDelegation = {
  readonly subnetId: Principal
  readonly certificate: Uint8Array
}

/** Forks of a trie over 300,000 requests, and room to spare. */
const TREE_DEPTH_MAX = 200
/** Both directions (§15.2 step 5). */
const AGE_NS_MAX = 300n * NS_PER_SECOND
const DELEGATION_AGE_NS_MAX = 30n * 24n * 3_600n * NS_PER_SECOND

/** What the nodes sign. */
export const certifiedMessage = (root: Hash32): Uint8Array => separated('ic-state-root', root)

export function encodeCertificate({ tree, signature, delegation }: Certificate): Uint8Array {
  const fields: [string, Cbor][] = [
    ['tree', cborOfHashTree(tree)],
    ['signature', signature],
  ]
  if (delegation !== undefined) {
    const { subnetId, certificate } = delegation
    fields.push([
      'delegation',
      new Map<string, Cbor>([
        ['subnet_id', subnetId],
        ['certificate', certificate],
      ]),
    ])
  }
  return encodeTaggedCbor(new Map(fields))
}

/** Anything but a well-formed certificate is `BadEncoding`. Nothing is verified. */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  const fields = decodeCbor(bytes, { depthMax: TREE_DEPTH_MAX })
  const tree = field(fields, 'tree')
  const signature = blobField(fields, 'signature')
  const delegation = field(fields, 'delegation')
  if (tree === undefined) throw new BadEncoding('a certificate without tree')
  if (signature.length !== 48) throw new BadEncoding('a certificate with a malformed signature')
  return {
    tree: hashTreeOfCbor(tree),
    signature,
    ...(delegation === undefined
      ? {}
      : {
          delegation: {
            subnetId: principal(blobField(delegation, 'subnet_id')),
            certificate: blobField(delegation, 'certificate'),
          },
        }),
  }
}

const isMap = (value: Cbor): value is ReadonlyMap<string, Cbor> => value instanceof Map

function field(value: Cbor, name: string): Cbor | undefined {
  if (!isMap(value)) throw new BadEncoding('a certificate is a map')
  return value.get(name) ?? undefined
}

function blobField(value: Cbor, name: string): Uint8Array {
  const found = field(value, name)
  if (!(found instanceof Uint8Array)) throw new BadEncoding(`a certificate without ${name}`)
  return found
}

/** Whom the certificate must speak for: the canister that was asked, or the subnet. */
export type Effective =
  | { readonly type: 'canister'; readonly id: Principal }
  | { readonly type: 'subnet'; readonly id: Principal }

export type CertificateCheck = {
  /** DER, 133 bytes. */
  readonly rootKey: Uint8Array
  readonly effective: Effective
  /** Undefined: its age is not judged. */
  readonly now: TimestampNs | undefined
}

export type VerifiedCertificate =
  | { readonly type: 'verified'; readonly tree: HashTree; readonly timeNs: bigint }
  | { readonly type: 'refused'; readonly reason: string }

const refused = (reason: string): VerifiedCertificate => ({ type: 'refused', reason })

/** Verifies an encoded certificate; total. */
export function verifyCertificate(
  bytes: Uint8Array,
  { rootKey, effective, now }: CertificateCheck,
): VerifiedCertificate {
  const certificate = attempt(() => decodeCertificate(bytes))
  if (certificate instanceof BadEncoding) return refused(certificate.message)
  const key = keyOf(certificate, rootKey, effective)
  if (key.type === 'refused') return key
  const verified = verifyUnder(certificate, key.der)
  if (verified.type === 'refused' || now === undefined) return verified
  const { timeNs } = verified
  const off = timeNs > now ? timeNs - now : now - timeNs
  return off > AGE_NS_MAX
    ? refused(`the certificate is ${off / NS_PER_SECOND} s off the clock`)
    : verified

  /** Steps 2 and 3. */
  function keyOf(
    { delegation }: Certificate,
    root: Uint8Array,
    whom: Effective,
  ):
    | { readonly type: 'key'; readonly der: Uint8Array }
    | { readonly type: 'refused'; readonly reason: string } {
    if (delegation === undefined) return { type: 'key', der: root }
    const inner = attempt(() => decodeCertificate(delegation.certificate))
    if (inner instanceof BadEncoding) return { type: 'refused', reason: inner.message }
    if (inner.delegation !== undefined)
      return { type: 'refused', reason: 'a delegation inside a delegation' }
    const outer = verifyUnder(inner, root)
    if (outer.type === 'refused') return outer
    if (now !== undefined && outer.timeNs + DELEGATION_AGE_NS_MAX < now)
      return { type: 'refused', reason: 'the delegation is older than 30 days' }
    const out = scopeProblem(outer.tree, delegation.subnetId, whom)
    if (out !== undefined) return { type: 'refused', reason: out }
    const found = lookup(outer.tree, [utf8('subnet'), delegation.subnetId, utf8('public_key')])
    return found.type === 'found'
      ? { type: 'key', der: found.value }
      : { type: 'refused', reason: 'the delegation shows no key of the subnet' }
  }
}

/** Steps 1, 4, and the time that every certificate shows. */
function verifyUnder(certificate: Certificate, der: Uint8Array): VerifiedCertificate {
  const { tree, signature } = certificate
  const key = attempt(() => decodePublicKey(der))
  if (key instanceof BadEncoding || key.type !== 'bls12381')
    return refused(`the key ${fingerprint(der)} is no BLS12-381 key`)
  if (!verifyBls(key.key, certifiedMessage(rootHash(tree)), signature))
    return refused(`the certificate is not signed by the key ${fingerprint(der)}`)
  const time = lookup(tree, [utf8('time')])
  if (time.type !== 'found') return refused('the certificate shows no time')
  const timeNs = attempt(() => leb128(time.value))
  return timeNs instanceof BadEncoding
    ? refused('the time of the certificate is malformed')
    : { type: 'verified', tree, timeNs }
}

/** First bytes of a hash of the key: enough to tell two keys apart by eye. */
export const fingerprint = (der: Uint8Array): string => toHex(sha256(der)).slice(0, 16)

/** Why a delegation does not reach as far as is asked; undefined when it does. */
function scopeProblem(tree: HashTree, subnetId: Principal, whom: Effective): string | undefined {
  if (whom.type === 'subnet')
    return equalBytes(whom.id, subnetId) ? undefined : 'the delegation is for another subnet'
  const ranges = attempt(() => rangesOf(tree, subnetId, whom.id))
  if (ranges instanceof BadEncoding) return ranges.message
  const inside = ranges.some(
    ([low, high]) => compareBytes(low, whom.id) <= 0 && compareBytes(whom.id, high) <= 0,
  )
  return inside ? undefined : `the delegation does not cover ${textOfPrincipal(whom.id)}`
}

/** The shard with the greatest label that is not above the id, or the flat list. */
function rangesOf(tree: HashTree, subnetId: Principal, id: Principal): readonly Range[] {
  const sharded = lookupTree(tree, [utf8('canister_ranges'), subnetId])
  if (sharded.type === 'found') {
    const label = labelsOf(sharded.tree).findLast((low) => compareBytes(low, id) <= 0)
    const shard = label === undefined ? undefined : lookup(sharded.tree, [label])
    if (shard?.type !== 'found') throw new BadEncoding('the delegation shows no canister range')
    return decodeRanges(shard.value)
  }
  const flat = lookup(tree, [utf8('subnet'), subnetId, utf8('canister_ranges')])
  if (flat.type !== 'found') throw new BadEncoding('the delegation shows no canister range')
  return decodeRanges(flat.value)
}

type Range = readonly [low: Uint8Array, high: Uint8Array]

export const encodeRanges = (ranges: readonly Range[]): Uint8Array =>
  encodeTaggedCbor(ranges.map(([low, high]) => [low, high]))

export function decodeRanges(bytes: Uint8Array): readonly Range[] {
  const list = decodeCbor(bytes)
  if (!Array.isArray(list)) throw new BadEncoding('canister ranges are a list')
  return list.map((pair: Cbor): Range => {
    const [low, high]: readonly (Cbor | undefined)[] = Array.isArray(pair) ? pair : []
    if (low instanceof Uint8Array && high instanceof Uint8Array) return [low, high]
    throw new BadEncoding('a canister range is a pair of ids')
  })
}

function leb128(bytes: Uint8Array): bigint {
  const cursor = new Cursor(bytes)
  return cursor.end(cursor.leb128())
}
