/**
 * What the operator asks the signer for, as items of the log: a test key, and signatures under it.
 * Implements threshold §17.1 ("who may ask for a signature"), cli §5.18.
 */
import type { Hash32 } from '../base/bytes.ts'
import { concat, equalBytes, toHex, utf8 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { KeyScheme } from '../base/key-scheme.ts'
import { isTaprootRoot, KEY_SCHEMES } from '../base/key-scheme.ts'
import type { NodeIndex } from '../base/party.ts'
import { reconstructionThreshold } from '../base/party.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { Principal } from '../ic/principal.ts'
import { selfAuthenticating } from '../ic/principal.ts'
import { encodePublicKey } from '../ic/public-key.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import type { Genesis } from '../tecdsa/membership.ts'
import { NODES_MAX } from '../tecdsa/membership.ts'
import type { KeyId } from '../tecdsa/request.ts'
import { MESSAGE_SIZE_MAX } from '../tecdsa/request.ts'
import type { Signer } from '../tecdsa/signer.ts'
import { subnetPrincipal } from './certified-state.ts'

/** The only key of an algorithm that the operator may use: no coin of the minter is under it. */
export const OPERATOR_KEY = 'test_key_1'
export const operatorKey = (scheme: KeyScheme): KeyId => ({ scheme, name: OPERATOR_KEY })

const DOMAIN = utf8('ckbtc-operator-request')
const REFRESH_DOMAIN = utf8('ckbtc-operator-refresh')
/** First byte of what is asked. */
const KINDS = { request: 0, refresh: 1 } as const
const NONCE_SIZE = 16
const DIGEST_SIZE = 32
const PUBLIC_KEY_SIZE = 32
const SIGNATURE_SIZE = 64
const PATH_MAX = 254
const ELEMENT_BYTES_MAX = 64
const ROOT_SIZE_MAX = 32
/** 40 nodes that join and as many that leave. */
const CHANGE_SIZE_MAX = 8 * 1024
/** Requests of one time line. */
const REQUESTS_MAX = 100_000

export type OperatorRequest = {
  /** 16 random bytes: the same request made twice is two. */
  readonly nonce: Uint8Array
  readonly scheme: KeyScheme
  /** What is signed, of `ecdsa` a hash of 32 bytes; undefined asks for the key alone. */
  readonly message: Uint8Array | undefined
  /** For `bip340` alone, 0 or 32 bytes. */
  readonly taprootRoot: Uint8Array | undefined
  /** Below the subnet's own principal. */
  readonly path: readonly Uint8Array[]
  /** Whose shares are combined, ascending; of none, anybody's. */
  readonly only: readonly NodeIndex[]
}

type Signed = {
  readonly request: OperatorRequest
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

const writeRequest = (
  writer: Writer,
  { nonce, scheme, message, taprootRoot, path, only }: OperatorRequest,
): Writer =>
  writer
    .raw(nonce)
    .u8(KEY_SCHEMES.indexOf(scheme))
    .optional(message, (to, bytes) => to.bytes(bytes))
    .optional(taprootRoot, (to, bytes) => to.bytes(bytes))
    .list(path, (to, element) => to.bytes(element))
    .list(only, (to, node) => to.u8(node))

/** What the operator signs: it counts in this time line of this subnet and nowhere else. */
export const operatorContent = (genesis: Genesis, request: OperatorRequest): Uint8Array =>
  writeRequest(new Writer().bytes(DOMAIN).raw(runPrefix(genesis)), request).done()

export const encodeOperatorRequest = ({ request, publicKey, signature }: Signed): Uint8Array =>
  writeRequest(new Writer().u8(KINDS.request), request).raw(publicKey).raw(signature).done()

export function decodeOperatorRequest(bytes: Uint8Array): Signed {
  const reader = readerOf(bytes, KINDS.request)
  const request = {
    nonce: reader.raw(NONCE_SIZE),
    scheme: readScheme(reader),
    message: reader.optional((from) => from.bytes(MESSAGE_SIZE_MAX)),
    taprootRoot: reader.optional((from) => from.bytes(ROOT_SIZE_MAX)),
    path: reader.list((from) => from.bytes(ELEMENT_BYTES_MAX), PATH_MAX),
    only: reader.list((from) => from.u8(), NODES_MAX),
  }
  requireSignable(request)
  const publicKey = reader.raw(PUBLIC_KEY_SIZE)
  return reader.end({ request, publicKey, signature: reader.raw(SIGNATURE_SIZE) })
}

function readerOf(bytes: Uint8Array, kind: number): Reader {
  const reader = new Reader(bytes)
  if (reader.u8() !== kind) throw new BadEncoding('an operator asks for something else')
  return reader
}

/** A refresh of all keys to the membership of this version: it counts once. */
export type OperatorRefresh = {
  readonly version: bigint
  /** Who joins and who leaves (threshold §11.2), encoded; undefined when all stay. */
  readonly change: Uint8Array | undefined
}

type SignedRefresh = Omit<Signed, 'request'> & { readonly refresh: OperatorRefresh }

const writeRefresh = (writer: Writer, { version, change }: OperatorRefresh): Writer =>
  writer.u64(version).optional(change, (to, bytes) => to.bytes(bytes))

export const operatorRefreshContent = (genesis: Genesis, refresh: OperatorRefresh): Uint8Array =>
  writeRefresh(new Writer().bytes(REFRESH_DOMAIN).raw(runPrefix(genesis)), refresh).done()

export const encodeOperatorRefresh = ({
  refresh,
  publicKey,
  signature,
}: SignedRefresh): Uint8Array =>
  writeRefresh(new Writer().u8(KINDS.refresh), refresh).raw(publicKey).raw(signature).done()

export function decodeOperatorRefresh(bytes: Uint8Array): SignedRefresh {
  const reader = readerOf(bytes, KINDS.refresh)
  const refresh = {
    version: reader.u64(),
    change: reader.optional((from) => from.bytes(CHANGE_SIZE_MAX)),
  }
  const publicKey = reader.raw(PUBLIC_KEY_SIZE)
  return reader.end({ refresh, publicKey, signature: reader.raw(SIGNATURE_SIZE) })
}

function readScheme(reader: Reader): KeyScheme {
  const scheme = KEY_SCHEMES[reader.u8()]
  if (scheme === undefined) throw new BadEncoding('a request under an unknown algorithm')
  return scheme
}

function requireSignable({ scheme, message, taprootRoot, only }: OperatorRequest): void {
  if (only.some((node, i) => i > 0 && node <= (only[i - 1] ?? node)))
    throw new BadEncoding('nodes repeated or out of order')
  if (scheme === 'ecdsa' && message !== undefined && message.length !== DIGEST_SIZE)
    throw new BadEncoding(`a hash of ${message.length} bytes`)
  if (taprootRoot === undefined) return
  if (scheme !== 'bip340' || message === undefined || !isTaprootRoot(taprootRoot))
    throw new BadEncoding('a taproot root that is none, or where none is due')
}

/** Equal at all nodes, and of no request of a canister. */
export const operatorRequestId = (genesis: Genesis, { nonce }: OperatorRequest): Hash32 =>
  sha256(concat(DOMAIN, runPrefix(genesis), nonce))

type Refreshed = Pick<Signer, 'epoch' | 'startRefresh' | 'changeMembership'>

export class OperatorRequests {
  readonly #genesis: Genesis
  readonly #operator: Principal
  readonly #ed25519: Ed25519
  /** The slot of each, by id. */
  readonly #served = new Map<string, bigint>()

  constructor(config: {
    readonly genesis: Genesis
    readonly operator: Principal
    readonly ed25519: Ed25519
  }) {
    this.#genesis = config.genesis
    this.#operator = config.operator
    this.#ed25519 = config.ed25519
  }

  /**
   * Executes an item. One that is malformed, of another signer or time line, or was served before
   * does not count, and none does before the subnet has a principal to ask in the name of.
   */
  serve(
    bytes: Uint8Array,
    signer: Pick<Signer, 'certificationKey' | 'holdKey' | 'enqueue'> & Refreshed,
    slot: bigint,
  ): boolean {
    if (bytes[0] === KINDS.refresh) return this.#refresh(bytes, signer)
    const signed = attempt(() => decodeOperatorRequest(bytes))
    const { certificationKey } = signer
    if (signed instanceof BadEncoding || certificationKey === undefined) return false
    const content = operatorContent(this.#genesis, signed.request)
    if (!this.#isOperators(signed, content) || !canSign(signed.request, signer.epoch)) return false
    if (this.#served.size >= REQUESTS_MAX) return false
    const { request } = signed
    const id = operatorRequestId(this.#genesis, request)
    if (this.#served.has(toHex(id))) return false
    this.#served.set(toHex(id), slot)
    const { scheme, message, taprootRoot, path, only } = request
    const key = operatorKey(scheme)
    if (message === undefined) signer.holdKey(key)
    else {
      const caller = subnetPrincipal(certificationKey)
      const asked = { id, key, path: [caller, ...path], message, taprootRoot, isReported: true }
      signer.enqueue(only.length === 0 ? asked : { ...asked, only })
    }
    return true
  }

  /** The slot that holds the request; undefined when it was not the operator's. */
  askedIn(requestId: Uint8Array): bigint | undefined {
    return this.#served.get(toHex(requestId))
  }

  #refresh(bytes: Uint8Array, signer: Refreshed): boolean {
    const signed = attempt(() => decodeOperatorRefresh(bytes))
    if (signed instanceof BadEncoding) return false
    const { version, change } = signed.refresh
    if (version !== signer.epoch.version + 1n) return false
    if (!this.#isOperators(signed, operatorRefreshContent(this.#genesis, signed.refresh)))
      return false
    return change === undefined ? signer.startRefresh() : signer.changeMembership(change)
  }

  #isOperators({ publicKey, signature }: Omit<Signed, 'request'>, content: Uint8Array): boolean {
    const der = encodePublicKey({ type: 'ed25519', key: publicKey })
    return (
      equalBytes(selfAuthenticating(der), this.#operator) &&
      this.#ed25519.verify(publicKey, content, signature)
    )
  }
}

/** Too few nodes make no signature, whoever they are; and one that is no member has no share. */
function canSign({ only }: OperatorRequest, { members }: Refreshed['epoch']): boolean {
  if (only.length === 0) return true
  const needed = reconstructionThreshold(members.length)
  return only.length >= needed && only.every((node) => members.includes(node))
}
