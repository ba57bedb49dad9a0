/**
 * What became of a call, as the network certifies it. Implements IC interface §§8, 10.1, 15.2:
 * "not shown" is never read as "not there".
 */
import { fromUtf8, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { TimestampNs } from '../../core/base/units.ts'
import { verifyCertificate } from '../../core/ic/certificate.ts'
import { Cursor } from '../../core/ic/cursor.ts'
import type { HashTree } from '../../core/ic/hash-tree.ts'
import { lookup, lookupTree } from '../../core/ic/hash-tree.ts'
import type { Principal } from '../../core/ic/principal.ts'

export type RequestStatus =
  | { readonly type: 'replied'; readonly reply: Uint8Array }
  | { readonly type: 'rejected'; readonly code: number; readonly message: string }
  /** Known, and not finished. */
  | { readonly type: 'open' }
  /** Proven not to be known at this time. */
  | { readonly type: 'absent'; readonly certifiedAtNs: bigint }
  /** The certificate does not show it. */
  | { readonly type: 'hidden' }

const SYS_FATAL = 1n

type Check = {
  readonly rootKey: Uint8Array
  readonly canisterId: Principal
  readonly now: TimestampNs
}

/** What a certificate shows, once it is verified. Throws `NETWORK_BAD_CERTIFICATE`. */
export const verifiedTree = (certificate: Uint8Array, check: Check): HashTree =>
  verified(certificate, check).tree

function verified(certificate: Uint8Array, { rootKey, canisterId: id, now }: Check) {
  const checked = verifyCertificate(certificate, {
    rootKey,
    effective: { type: 'canister', id },
    now,
  })
  if (checked.type === 'refused') throw untrue(checked.reason)
  return checked
}

/** Verifies a certificate and reads the status of a call in it. Throws `NETWORK_BAD_CERTIFICATE`. */
export function statusIn(
  certificate: Uint8Array,
  { requestId, ...check }: Check & { readonly requestId: Uint8Array },
): RequestStatus {
  const { tree, timeNs } = verified(certificate, check)
  const found = lookupTree(tree, [utf8('request_status'), requestId])
  if (found.type !== 'found')
    return found.type === 'absent' ? { type: 'absent', certifiedAtNs: timeNs } : { type: 'hidden' }
  const status = attempt(() => statusOf(found.tree))
  if (status instanceof BadEncoding) throw untrue(status.message)
  return status
}

function statusOf(tree: HashTree): RequestStatus {
  const field = (name: string): Uint8Array | undefined => {
    const found = lookup(tree, [utf8(name)])
    return found.type === 'found' ? found.value : undefined
  }
  const status = text(field('status'))
  switch (status) {
    case 'replied': {
      const reply = field('reply')
      if (reply === undefined) throw new BadEncoding('a reply is not shown')
      return { type: 'replied', reply }
    }
    case 'rejected': {
      const code = field('reject_code')
      const number = code === undefined ? SYS_FATAL : leb128(code)
      return { type: 'rejected', code: Number(number), message: text(field('reject_message')) }
    }
    case 'received':
    case 'processing':
      return { type: 'open' }
    default:
      throw new BadEncoding(`a call is in the state "${status.slice(0, 32)}"`)
  }
}

const text = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : fromUtf8(bytes))

export function leb128(bytes: Uint8Array): bigint {
  const cursor = new Cursor(bytes)
  return cursor.end(cursor.leb128())
}

/** What a network says that its own rules do not allow. */
export const untrue = (reason: string): Problem =>
  new Problem('NETWORK_BAD_CERTIFICATE', `the answer is not one of this network: ${reason}`, {
    fix: 'do not believe this network; a local one may have been reset meanwhile',
    command: 'ckbtc doctor',
  })
