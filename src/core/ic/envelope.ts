/**
 * Requests and their signed envelopes. Implements `docs/spec/ic-interface.md` §§5, 7 (structure),
 * §2 (input rules).
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, utf8 } from '../base/bytes.ts'
import { assert, BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { timestampNs } from '../base/units.ts'
import { type Cbor, decodeCbor, encodeTaggedCbor } from './cbor.ts'
import type { Principal } from './principal.ts'
import { principal, selfAuthenticating } from './principal.ts'
import { mapHash, separated } from './request-id.ts'

type Common = {
  readonly sender: Principal
  readonly ingressExpiry: TimestampNs
  readonly nonce?: Uint8Array | undefined
}
type Invocation = Common & {
  readonly canisterId: Principal
  readonly methodName: string
  readonly arg: Uint8Array
}

export type CallContent = Invocation & { readonly type: 'call' }
export type QueryContent = Invocation & { readonly type: 'query' }
export type ReadStateContent = Common & {
  readonly type: 'readState'
  readonly paths: readonly (readonly Uint8Array[])[]
}
export type Content = CallContent | QueryContent | ReadStateContent

/** Passes the right to sign on to `pubkey` (DER). */
export type Delegation = {
  readonly pubkey: Uint8Array
  readonly expiration: TimestampNs
  readonly targets?: readonly Principal[] | undefined
  readonly permissions?: string | undefined
}
export type SignedDelegation = { readonly delegation: Delegation; readonly signature: Uint8Array }

/** An anonymous request has a content and nothing else. */
export type Envelope = {
  readonly content: Content
  readonly senderPubkey?: Uint8Array | undefined
  readonly senderSig?: Uint8Array | undefined
  /** From `senderPubkey` to the key that made `senderSig`; never empty. */
  readonly senderDelegation?: readonly SignedDelegation[] | undefined
}

export const METHOD_NAME_BYTES_MAX = 256

/** Fields as they are hashed and written, in the order in which they are written. */
type Flat = bigint | string | Uint8Array | readonly Flat[]
type FlatMap = { readonly [key: string]: Flat | undefined }

const requestTypes = { call: 'call', query: 'query', readState: 'read_state' } as const

function contentFields(content: Content): FlatMap {
  const head = {
    request_type: requestTypes[content.type],
    sender: content.sender,
    ingress_expiry: content.ingressExpiry,
  }
  if (content.type === 'readState') return { ...head, paths: content.paths, nonce: content.nonce }
  const { canisterId, methodName, arg, nonce } = content
  return { ...head, canister_id: canisterId, method_name: methodName, arg, nonce }
}

const delegationFields = (delegation: Delegation): FlatMap => ({
  pubkey: delegation.pubkey,
  expiration: delegation.expiration,
  targets: delegation.targets,
  permissions: delegation.permissions,
})

/** 32 bytes, over the content alone: signing twice does not make a second request. */
export const requestId = (content: Content): Hash32 => mapHash(contentFields(content))

/** What the last key of the chain signs. */
export const requestMessage = (id: Hash32): Uint8Array => separated('ic-request', id)

/** What a key signs to pass its right on. */
export const delegationMessage = (delegation: Delegation): Uint8Array =>
  separated('ic-request-auth-delegation', mapHash(delegationFields(delegation)))

export type Identity = {
  readonly publicKeyDer: Uint8Array
  /** Raw signature of §4 over the message itself; hashing is up to the scheme. */
  readonly sign: (message: Uint8Array) => Uint8Array
  /** When the key acts for another one: the chain from that one, and its DER key. */
  readonly chain?: { readonly rootKeyDer: Uint8Array; readonly delegations: SignedDelegations }
}
type SignedDelegations = readonly [SignedDelegation, ...SignedDelegation[]]

/** Signs a content of any type. Its sender must be the identity's principal. */
export function signCall(content: Content, { publicKeyDer, sign, chain }: Identity): Envelope {
  const senderPubkey = chain?.rootKeyDer ?? publicKeyDer
  assert(
    equalBytes(content.sender, selfAuthenticating(senderPubkey)),
    'the sender of a request is the principal of the key that signs it',
  )
  const senderSig = sign(requestMessage(requestId(content)))
  return { content, senderPubkey, senderSig, senderDelegation: chain?.delegations }
}

const cborMap = (fields: { readonly [key: string]: Cbor | undefined }): ReadonlyMap<string, Cbor> =>
  new Map(
    Object.entries(fields).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const chain = envelope.senderDelegation?.map(({ delegation, signature }) =>
    cborMap({ delegation: cborMap(delegationFields(delegation)), signature }),
  )
  return encodeTaggedCbor(
    cborMap({
      content: cborMap(contentFields(envelope.content)),
      sender_pubkey: envelope.senderPubkey,
      sender_sig: envelope.senderSig,
      sender_delegation: chain,
    }),
  )
}

/**
 * Check 3 of §6 but for the path: anything that is not an envelope of a known request is
 * `BadEncoding`.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const fields = new Fields(decodeCbor(bytes), 'the envelope')
  const chain = fields.maybe('sender_delegation', (value) => list(value).map(signedDelegation))
  return {
    content: decodeContent(new Fields(fields.get('content', any), 'the content')),
    senderPubkey: fields.maybe('sender_pubkey', blob),
    senderSig: fields.maybe('sender_sig', blob),
    senderDelegation: chain?.length === 0 ? undefined : chain, // An empty array is none (§7).
  }
}

function decodeContent(fields: Fields): Content {
  const requestType = fields.get('request_type', text)
  const common = {
    sender: fields.get('sender', principalOf),
    ingressExpiry: fields.get('ingress_expiry', time),
    nonce: fields.maybe('nonce', blob),
  }
  if (requestType === 'read_state') {
    const paths = fields.get('paths', (value) => list(value).map((path) => list(path).map(blob)))
    return fields.end({ type: 'readState', ...common, paths })
  }
  if (requestType !== 'call' && requestType !== 'query')
    throw new BadEncoding(`unknown request type "${requestType.slice(0, 64)}"`)
  return fields.end({
    type: requestType,
    ...common,
    canisterId: fields.get('canister_id', principalOf),
    methodName: fields.get('method_name', methodName),
    arg: fields.get('arg', blob),
  })
}

function signedDelegation(value: Cbor): SignedDelegation {
  const signed = new Fields(value, 'a signed delegation')
  const fields = new Fields(signed.get('delegation', any), 'a delegation')
  return {
    delegation: fields.end({
      pubkey: fields.get('pubkey', blob),
      expiration: fields.get('expiration', time),
      targets: fields.maybe('targets', (targets) => list(targets).map(principalOf)),
      permissions: fields.maybe('permissions', text),
    }),
    signature: signed.get('signature', blob),
  }
}

/** A map whose fields are taken one by one; null counts as absent (§2). */
class Fields {
  readonly #map: ReadonlyMap<string, Cbor>
  readonly #what: string
  readonly #taken = new Set<string>()

  constructor(value: Cbor, what: string) {
    if (!(value instanceof Map)) throw new BadEncoding(`${what} is not a map`)
    this.#map = value
    this.#what = what
  }

  maybe<T>(key: string, read: (value: Cbor) => T): T | undefined {
    this.#taken.add(key)
    const value = this.#map.get(key)
    return value === undefined || value === null ? undefined : read(value)
  }

  get<T>(key: string, read: (value: Cbor) => T): T {
    const value = this.maybe(key, read)
    if (value === undefined) throw new BadEncoding(`${this.#what} lacks ${key}`)
    return value
  }

  /** Refuses fields nobody took: they would be signed but not understood. */
  end<T>(value: T): T {
    for (const key of this.#map.keys())
      if (!this.#taken.has(key))
        throw new BadEncoding(`${this.#what} has the unknown field "${key.slice(0, 64)}"`)
    return value
  }
}

const any = (value: Cbor): Cbor => value
const time = (value: Cbor): TimestampNs => timestampNs(natural(value))
const principalOf = (value: Cbor): Principal => principal(blob(value))

function natural(value: Cbor): bigint {
  if (typeof value !== 'bigint') throw new BadEncoding('a number is expected')
  return value
}

function text(value: Cbor): string {
  if (typeof value !== 'string') throw new BadEncoding('a text is expected')
  return value
}

function blob(value: Cbor): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new BadEncoding('a byte string is expected')
  return value
}

function list(value: Cbor): readonly Cbor[] {
  if (!Array.isArray(value)) throw new BadEncoding('an array is expected')
  return value
}

function methodName(value: Cbor): string {
  const name = text(value)
  if (utf8(name).length > METHOD_NAME_BYTES_MAX)
    throw new BadEncoding(`a method name of more than ${METHOD_NAME_BYTES_MAX} bytes`)
  return name
}
