/**
 * Which requests are let in: checks 6 to 13 of `docs/spec/ic-interface.md` §6, and the chains of
 * §7.
 */
import type { Hash32 } from '../base/bytes.ts'
import { equalBytes, toHex } from '../base/bytes.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import type { TimestampNs } from '../base/units.ts'
import { addNs, NS_PER_SECOND } from '../base/units.ts'
import type { Ed25519 } from '../base/verification.ts'
import type { Content, Envelope, SignedDelegation } from './envelope.ts'
import { delegationMessage, requestId, requestMessage } from './envelope.ts'
import type { Principal } from './principal.ts'
import { anonymous, selfAuthenticating, textOfPrincipal } from './principal.ts'
import { decodePublicKey, verifyRequestSignature } from './public-key.ts'

export const CALL_BYTES_MAX = 2 * 1024 * 1024
export const PATHS_MAX = 1_000
export const LABELS_MAX = 127
export const NONCE_BYTES_MAX = 32
export const DELEGATIONS_MAX = 20
export const TARGETS_MAX = 1_000
/** Five minutes ahead, and half a minute for clocks that differ. */
export const INGRESS_WINDOW_NS = 330n * NS_PER_SECOND

export type Context = {
  readonly now: TimestampNs
  readonly ed25519: Ed25519
  /** Size of the envelope as it came. */
  readonly sizeBytes: number
}

export type Refused = {
  readonly type: 'refused'
  readonly status: 400 | 413
  /** Plain text for the client; some clients search for its first words. */
  readonly reason: string
}
export type Admitted = {
  readonly type: 'admitted'
  readonly requestId: Hash32
  readonly content: Content
  /**
   * Canisters the delegations allow; undefined: all. Also bounds which request statuses are shown.
   */
  readonly targets: readonly Principal[] | undefined
}

const refused = (reason: string, status: 400 | 413 = 400): Refused => ({
  type: 'refused',
  status,
  reason,
})

/** The first failing check decides; a request that is refused leaves no trace. Total. */
export function admit(envelope: Envelope, context: Context): Admitted | Refused {
  const { content } = envelope
  const id = requestId(content)
  const chain = envelope.senderDelegation ?? []
  const targets = allowedTargets(chain)
  return (
    checkSize(content, context.sizeBytes) ??
    checkPaths(content) ??
    checkExpiry(content, context.now) ??
    checkNonce(content) ??
    checkSender(envelope) ??
    checkChain(envelope, chain, context) ??
    checkSignatures(envelope, chain, { id, ed25519: context.ed25519 }) ??
    checkTarget(content, targets) ?? { type: 'admitted', requestId: id, content, targets }
  )
}

// §6 check 6
function checkSize({ type }: Content, sizeBytes: number): Refused | undefined {
  if (type !== 'call' || sizeBytes <= CALL_BYTES_MAX) return undefined
  return refused(`A call of ${sizeBytes} bytes, at most ${CALL_BYTES_MAX} are allowed.`, 413)
}

// §6 check 7
function checkPaths(content: Content): Refused | undefined {
  if (content.type !== 'readState') return undefined
  const { paths } = content
  if (paths.length > PATHS_MAX)
    return refused(`Too many paths: ${paths.length}, at most ${PATHS_MAX} are allowed.`)
  const long = paths.find((path) => path.length > LABELS_MAX)
  if (long === undefined) return undefined
  return refused(`A path of ${long.length} labels, at most ${LABELS_MAX} are allowed.`)
}

// §6 check 8
function checkExpiry(content: Content, now: TimestampNs): Refused | undefined {
  const { type, sender, ingressExpiry } = content
  if (type !== 'call' && equalBytes(sender, anonymous)) return undefined
  const latest = addNs(now, INGRESS_WINDOW_NS)
  if (ingressExpiry >= now && ingressExpiry <= latest) return undefined
  return refused(
    'Invalid request expiry: Specified ingress_expiry not within expected range: ' +
      `Minimum allowed expiry: ${now}, Maximum allowed expiry: ${latest}, ` +
      `Provided expiry: ${ingressExpiry}`,
  )
}

// §6 check 9
function checkNonce({ nonce }: Content): Refused | undefined {
  if (nonce === undefined || nonce.length <= NONCE_BYTES_MAX) return undefined
  return refused(`Invalid nonce: ${nonce.length} bytes, at most ${NONCE_BYTES_MAX} are allowed.`)
}

// §6 check 10
function checkSender(envelope: Envelope): Refused | undefined {
  const { content, senderPubkey, senderSig, senderDelegation } = envelope
  const sender = textOfPrincipal(content.sender)
  if (equalBytes(content.sender, anonymous)) {
    if (senderPubkey ?? senderSig ?? senderDelegation)
      return refused('An anonymous request carries no public key, signature or delegation.')
    return undefined
  }
  if (senderSig === undefined) return refused(`Missing signature from user: ${sender}`)
  if (senderPubkey === undefined) return refused(`Missing public key of user: ${sender}`)
  if (equalBytes(content.sender, selfAuthenticating(senderPubkey))) return undefined
  return refused(`The user id ${sender} does not match the public key ${toHex(senderPubkey)}`)
}

// §7: everything that needs no signature.
function checkChain(
  { content, senderPubkey }: Envelope,
  chain: readonly SignedDelegation[],
  { now }: Context,
): Refused | undefined {
  if (chain.length > DELEGATIONS_MAX)
    return refused(`Too many delegations: ${chain.length}, at most ${DELEGATIONS_MAX}.`)
  const keys = new Set(senderPubkey === undefined ? [] : [toHex(senderPubkey)])
  for (const { delegation } of chain) {
    const { expiration, pubkey, targets, permissions } = delegation
    if (expiration < now)
      return refused(
        'Invalid delegation expiry: Specified sender delegation has expired: ' +
          `Current time: ${now}, Delegation expiry: ${expiration}`,
      )
    if (keys.has(toHex(pubkey)))
      return refused(`Invalid delegation: the key ${toHex(pubkey)} appears twice in the chain.`)
    keys.add(toHex(pubkey))
    if (targets !== undefined && targets.length > TARGETS_MAX)
      return refused(`Invalid delegation: ${targets.length} targets, at most ${TARGETS_MAX}.`)
    if (permissions !== undefined && permissions !== 'all' && permissions !== 'queries')
      return refused('Invalid delegation: unknown permissions.')
    if (permissions === 'queries' && content.type === 'call')
      return refused('Invalid delegation: it permits queries only.')
  }
  return undefined
}

// §6 checks 11 and 12: each key of the chain signs the next one, the last one the request.
function checkSignatures(
  { senderPubkey, senderSig }: Envelope,
  chain: readonly SignedDelegation[],
  { id, ed25519 }: { readonly id: Hash32; readonly ed25519: Ed25519 },
): Refused | undefined {
  if (senderPubkey === undefined || senderSig === undefined) return undefined // Anonymous.
  let der = senderPubkey
  for (const { delegation, signature } of chain) {
    const problem = signatureProblem({ der, message: delegationMessage(delegation), signature })
    if (problem !== undefined) return refused(`Invalid signature: ${problem}`)
    der = delegation.pubkey
  }
  const problem = signatureProblem({ der, message: requestMessage(id), signature: senderSig })
  return problem === undefined ? undefined : refused(`Invalid signature: ${problem}`)

  function signatureProblem(signed: {
    readonly der: Uint8Array
    readonly message: Uint8Array
    readonly signature: Uint8Array
  }): string | undefined {
    const publicKey = attempt(() => decodePublicKey(signed.der))
    if (publicKey instanceof BadEncoding) return publicKey.message
    const good = verifyRequestSignature({ ...signed, publicKey }, ed25519)
    return good ? undefined : `the signature of a ${publicKey.type} key does not verify`
  }
}

/** Intersection over the chain; undefined while no delegation names targets. */
function allowedTargets(chain: readonly SignedDelegation[]): readonly Principal[] | undefined {
  return chain.reduce<readonly Principal[] | undefined>((allowed, { delegation: { targets } }) => {
    if (targets === undefined) return allowed
    const named = new Set(targets.map(toHex))
    return allowed === undefined ? targets : allowed.filter((target) => named.has(toHex(target)))
  }, undefined)
}

// §6 check 13
function checkTarget(
  content: Content,
  targets: readonly Principal[] | undefined,
): Refused | undefined {
  if (content.type === 'readState' || targets === undefined) return undefined
  const { canisterId } = content
  if (targets.some((target) => equalBytes(target, canisterId))) return undefined
  return refused(`Canister '${textOfPrincipal(canisterId)}' is not one of the delegation targets.`)
}
