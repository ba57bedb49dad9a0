/**
 * What the operator asks the signer for, as items of the log: a test key, and signatures under it.
 * Implements threshold §17.1 ("who may ask for a signature"), cli §5.18.
 */
import type { Hash32 } from '../base/bytes.ts'
import { concat, equalBytes, toHex, utf8 } from '../base/bytes.ts'
import { Reader, Writer } from '../base/codec.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { Principal } from '../ic/principal.ts'
import { selfAuthenticating } from '../ic/principal.ts'
import { encodePublicKey } from '../ic/public-key.ts'
import { runPrefix } from '../tecdsa/evidence.ts'
import type { Genesis } from '../tecdsa/membership.ts'
import type { Signer } from '../tecdsa/signer.ts'
import { subnetPrincipal } from './certified-state.ts'

/** The only key that the operator may use: no coin of the minter is under it. */
export const OPERATOR_KEY = 'test_key_1'

const DOMAIN = utf8('ckbtc-operator-request')
const NONCE_SIZE = 16
const DIGEST_SIZE = 32
const PUBLIC_KEY_SIZE = 32
const SIGNATURE_SIZE = 64
const PATH_MAX = 254
const ELEMENT_BYTES_MAX = 64
/** Requests of one time line. */
const REQUESTS_MAX = 100_000

export type OperatorRequest = {
  /** 16 random bytes: the same request made twice is two. */
  readonly nonce: Uint8Array
  /** What is signed, 32 bytes; undefined asks for the key alone. */
  readonly digest: Uint8Array | undefined
  /** Below the subnet's own principal. */
  readonly path: readonly Uint8Array[]
}

type Signed = {
  readonly request: OperatorRequest
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
}

const writeRequest = (writer: Writer, { nonce, digest, path }: OperatorRequest): Writer =>
  writer
    .raw(nonce)
    .optional(digest, (to, bytes) => to.raw(bytes))
    .list(path, (to, element) => to.bytes(element))

/** What the operator signs: it counts in this time line of this subnet and nowhere else. */
export const operatorContent = (genesis: Genesis, request: OperatorRequest): Uint8Array =>
  writeRequest(new Writer().bytes(DOMAIN).raw(runPrefix(genesis)), request).done()

export const encodeOperatorRequest = ({ request, publicKey, signature }: Signed): Uint8Array =>
  writeRequest(new Writer(), request).raw(publicKey).raw(signature).done()

export function decodeOperatorRequest(bytes: Uint8Array): Signed {
  const reader = new Reader(bytes)
  const request = {
    nonce: reader.raw(NONCE_SIZE),
    digest: reader.optional((from) => from.raw(DIGEST_SIZE)),
    path: reader.list((from) => from.bytes(ELEMENT_BYTES_MAX), PATH_MAX),
  }
  const publicKey = reader.raw(PUBLIC_KEY_SIZE)
  return reader.end({ request, publicKey, signature: reader.raw(SIGNATURE_SIZE) })
}

/** Equal at all nodes, and of no request of a canister. */
export const operatorRequestId = (genesis: Genesis, { nonce }: OperatorRequest): Hash32 =>
  sha256(concat(DOMAIN, runPrefix(genesis), nonce))

export class OperatorRequests {
  readonly #genesis: Genesis
  readonly #operator: Principal
  readonly #ed25519: Ed25519
  readonly #served = new Set<string>()

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
    signer: Pick<Signer, 'certificationKey' | 'holdKey' | 'enqueue'>,
  ): boolean {
    const signed = attempt(() => decodeOperatorRequest(bytes))
    const { certificationKey } = signer
    if (signed instanceof BadEncoding || certificationKey === undefined) return false
    if (!this.#isOperators(signed) || this.#served.size >= REQUESTS_MAX) return false
    const { request } = signed
    const id = operatorRequestId(this.#genesis, request)
    if (this.#served.has(toHex(id))) return false
    this.#served.add(toHex(id))
    const { digest, path } = request
    if (digest === undefined) signer.holdKey(OPERATOR_KEY)
    else {
      const caller = subnetPrincipal(certificationKey)
      signer.enqueue({ id, keyName: OPERATOR_KEY, path: [caller, ...path], digest })
    }
    return true
  }

  /** Whether the request was the operator's. */
  isOwn(requestId: Uint8Array): boolean {
    return this.#served.has(toHex(requestId))
  }

  #isOperators({ request, publicKey, signature }: Signed): boolean {
    const der = encodePublicKey({ type: 'ed25519', key: publicKey })
    return (
      equalBytes(selfAuthenticating(der), this.#operator) &&
      this.#ed25519.verify(publicKey, operatorContent(this.#genesis, request), signature)
    )
  }
}
