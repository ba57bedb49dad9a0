/** Signed requests of every key type, and the answers of the IC interface to them. */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { utf8 } from '../../src/core/base/bytes.ts'
import { present } from '../../src/core/base/errors.ts'
import type { TimestampNs } from '../../src/core/base/units.ts'
import { addNs, NS_PER_SECOND } from '../../src/core/base/units.ts'
import { ownCanisterIds } from '../../src/core/ic/canister-ids.ts'
import type { Cbor } from '../../src/core/ic/cbor.ts'
import { decodeCbor } from '../../src/core/ic/cbor.ts'
import { verifyCertificate } from '../../src/core/ic/certificate.ts'
import type {
  CallContent,
  Delegation,
  Envelope,
  Identity,
  QueryContent,
  ReadStateContent,
  SignedDelegation,
} from '../../src/core/ic/envelope.ts'
import {
  delegationMessage,
  encodeEnvelope,
  requestId,
  signCall,
} from '../../src/core/ic/envelope.ts'
import { lookup } from '../../src/core/ic/hash-tree.ts'
import type { Principal } from '../../src/core/ic/principal.ts'
import { selfAuthenticating, textOfPrincipal } from '../../src/core/ic/principal.ts'
import { encodePublicKey } from '../../src/core/ic/public-key.ts'
import { userOfSecret } from '../../src/wallet/identity.ts'

export type Signer = Identity & { readonly principal: Principal }

const secretOf = (seed: number): Uint8Array => new Uint8Array(32).fill(seed)

export const ed25519Signer = (seed: number): Signer => userOfSecret(secretOf(seed))

function ecdsaSigner(
  type: 'secp256k1' | 'p256',
  curve: Pick<typeof secp256k1 | typeof p256, 'getPublicKey' | 'sign'>,
  seed: number,
): Signer {
  const secret = secretOf(seed)
  const publicKeyDer = encodePublicKey({ type, key: curve.getPublicKey(secret, false) })
  return {
    publicKeyDer,
    principal: selfAuthenticating(publicKeyDer),
    // Another nonce every time: two signatures of one message differ.
    sign: (message) => curve.sign(message, secret, { extraEntropy: true }),
  }
}
export const secp256k1Signer = (seed: number): Signer => ecdsaSigner('secp256k1', secp256k1, seed)
export const p256Signer = (seed: number): Signer => ecdsaSigner('p256', p256, seed)

/** A link from one key to the next. */
export function delegate(
  from: Identity,
  to: Identity,
  fields: Partial<Delegation> & Pick<Delegation, 'expiration'>,
): SignedDelegation {
  const delegation = { pubkey: to.publicKeyDer, ...fields }
  return { delegation, signature: from.sign(delegationMessage(delegation)) }
}

/** `content`, signed by the last key of a chain that starts at `root`. */
export function signChained(
  content: CallContent | QueryContent | ReadStateContent,
  { root, last }: { readonly root: Identity; readonly last: Identity },
  delegations: readonly SignedDelegation[],
): Envelope {
  const [first, ...rest] = delegations
  const chain = {
    rootKeyDer: root.publicKeyDer,
    delegations: [present(first, 'a link'), ...rest],
  } as const
  return signCall(content, { ...last, chain })
}

let nonces = 0

/** A call that needs no money and is executed: the deposit address of the caller. */
export function callContent(
  sender: Principal,
  now: TimestampNs,
  fields: Partial<Omit<CallContent, 'type'>> = {},
): CallContent {
  return {
    type: 'call',
    sender,
    ingressExpiry: addNs(now, 240n * NS_PER_SECOND),
    nonce: utf8(`nonce ${nonces++}`),
    canisterId: ownCanisterIds.ledger,
    methodName: 'icrc1_fee',
    arg: utf8('DIDL\0\0'),
    ...fields,
  }
}

export const queryContent = (
  sender: Principal,
  now: TimestampNs,
  fields: Partial<Omit<QueryContent, 'type'>> = {},
): QueryContent => ({ ...callContent(sender, now, fields), type: 'query' })

export function readContent(
  sender: Principal,
  now: TimestampNs,
  paths: ReadStateContent['paths'],
): ReadStateContent {
  return { type: 'readState', sender, ingressExpiry: addNs(now, 240n * NS_PER_SECOND), paths }
}

export type Posted = {
  readonly status: number
  readonly headers: Headers
  /** Of a refusal. */
  readonly text: string
  /** Of an answer in CBOR; empty otherwise. */
  readonly fields: ReadonlyMap<string, Cbor>
}

export type PostOptions = {
  /** Of the endpoint; the newest by default. */
  readonly version?: 2 | 3 | 4
  readonly action?: 'call' | 'query' | 'read_state'
  /** Of the URL; by default the ledger. */
  readonly id?: Principal | string
  readonly scope?: 'canister' | 'subnet'
  readonly contentType?: string | undefined
}

/** Where requests go: `fetch` without sockets or with them. */
export type Endpoint = { readonly fetch: typeof fetch; readonly url?: string }

export async function post(
  { fetch: send, url = 'http://127.0.0.1' }: Endpoint,
  body: Uint8Array | Envelope,
  options: PostOptions = {},
): Promise<Posted> {
  const {
    action = 'call',
    version = action === 'call' ? 4 : 3,
    scope = 'canister',
    id = ownCanisterIds.ledger,
  } = options
  const contentType = 'contentType' in options ? options.contentType : 'application/cbor'
  const name = typeof id === 'string' ? id : textOfPrincipal(id)
  const response = await send(`${url}/api/v${version}/${scope}/${name}/${action}`, {
    method: 'POST',
    headers: contentType === undefined ? {} : { 'content-type': contentType },
    body: body instanceof Uint8Array ? new Uint8Array(body) : new Uint8Array(encodeEnvelope(body)),
  })
  return read(response)
}

export async function read(response: Response): Promise<Posted> {
  const { status, headers } = response
  const bytes = new Uint8Array(await response.arrayBuffer())
  const isCbor = headers.get('content-type') === 'application/cbor'
  const decoded = isCbor ? decodeCbor(bytes) : undefined
  return {
    status,
    headers,
    text: isCbor ? '' : new TextDecoder().decode(bytes),
    fields: decoded instanceof Map ? decoded : new Map(),
  }
}

/** What a certificate in an answer says of a request, as text; throws if it does not verify. */
export function certified(
  { fields }: Posted,
  {
    envelope,
    rootKey,
    now,
  }: {
    readonly envelope: Envelope
    readonly rootKey: Uint8Array
    readonly now: TimestampNs
  },
): (
  label: 'status' | 'reply' | 'reject_code' | 'reject_message' | 'error_code',
) => Uint8Array | undefined {
  const certificate = fields.get('certificate')
  if (!(certificate instanceof Uint8Array)) throw new Error('an answer without certificate')
  const effective = { type: 'canister', id: ownCanisterIds.ledger } as const
  const verified = verifyCertificate(certificate, { rootKey, effective, now })
  if (verified.type === 'refused') throw new Error(verified.reason)
  const id = requestId(envelope.content)
  return (label) => {
    const found = lookup(verified.tree, [utf8('request_status'), id, utf8(label)])
    return found.type === 'found' ? found.value : undefined
  }
}
