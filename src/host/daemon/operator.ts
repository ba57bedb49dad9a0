/**
 * The operator of the local subnet: a key beside the state, and calls signed by it that change
 * replicated state. Implements `docs/spec/ic-interface.md` §18.
 */
import { existsSync } from 'node:fs'
import { fromHex, toHex, utf8 } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import { addNs, NS_PER_SECOND } from '../../core/base/units.ts'
import type { Codec, Method, ValueOf } from '../../core/ic/candid.ts'
import { decodeArgs, encodeArgs } from '../../core/ic/candid.ts'
import { decodeCertificate } from '../../core/ic/certificate.ts'
import type { CallContent, Identity } from '../../core/ic/envelope.ts'
import { encodeEnvelope, requestId, signCall } from '../../core/ic/envelope.ts'
import { lookup } from '../../core/ic/hash-tree.ts'
import type { Principal } from '../../core/ic/principal.ts'
import { selfAuthenticating } from '../../core/ic/principal.ts'
import { encodePublicKey } from '../../core/ic/public-key.ts'
import { nativeEd25519 } from '../../native/ed25519.ts'
import { systemClock } from '../clock.ts'
import { entropy } from '../entropy.ts'
import type { IcBackend } from '../ic/backend.ts'
import { readWholeFile, writeWholeFile } from './whole-file.ts'

const SECRET_SIZE = 32
const EXPIRY_NS = 240n * NS_PER_SECOND
const ANSWER_MS_MAX = 60_000

export type Operator = Identity & { readonly principal: Principal }

function operatorOf(secret: Uint8Array): Operator {
  const key = nativeEd25519.publicKey(secret)
  const publicKeyDer = encodePublicKey({ type: 'ed25519', key })
  const sign = (message: Uint8Array): Uint8Array => nativeEd25519.sign(secret, message)
  return { publicKeyDer, sign, principal: selfAuthenticating(publicKeyDer) }
}

/** For a subnet that is not kept. */
export const passingOperator = (): Operator => operatorOf(entropy(SECRET_SIZE))

/** The key of the file, which is made when there is none. Throws `CONFIG_INVALID`. */
export function loadOperator(path: string): Operator {
  if (!existsSync(path)) writeWholeFile(path, `${toHex(entropy(SECRET_SIZE))}\n`)
  const content = readWholeFile(path, 1_024)
  const secret = attempt(() => fromHex((content ?? '').trim()))
  if (secret instanceof BadEncoding || secret.length !== SECRET_SIZE)
    throw new Problem('CONFIG_INVALID', `${path} holds no key`, {
      fix: 'the key of the operator is damaged; start afresh',
      command: 'ckbtc subnet reset',
      details: { path },
    })
  return operatorOf(secret)
}

type Codecs = readonly Codec<unknown>[]

/**
 * A call ordered by the log like any other. Throws `SUBNET_SIGNING_STALLED` when no answer comes,
 * `CONFIG_INVALID` with the words of a canister that refuses.
 */
export async function callAsOperator<const A extends Codecs, R extends Codec<unknown>>(
  { backend, operator }: { readonly backend: IcBackend; readonly operator: Operator },
  target: {
    readonly canisterId: Principal
    readonly methodName: string
    readonly method: Method<A, R>
  },
  args: { readonly [K in keyof A]: ValueOf<A[K]> },
): Promise<ValueOf<R>> {
  const { canisterId, methodName, method } = target
  const expiry = addNs(systemClock(), EXPIRY_NS)
  const content: CallContent = {
    type: 'call',
    sender: operator.principal,
    ingressExpiry: expiry,
    nonce: entropy(16),
    canisterId,
    methodName,
    arg: encodeArgs(method.args, args),
  }
  const id = requestId(content)
  const envelope = encodeEnvelope(signCall(content, operator))
  const outcome = await backend.call({ envelope, requestId: id, expiry }, ANSWER_MS_MAX)
  if (outcome.type === 'busy')
    throw new Problem('SUBNET_SIGNING_STALLED', `the subnet has no room for ${methodName} now`, {
      fix: 'nothing was done; run the command again later',
      command: 'ckbtc subnet status',
    })
  if (outcome.type === 'pending')
    throw new Problem('SUBNET_SIGNING_STALLED', `${methodName} was sent and has no answer yet`, {
      fix: 'look whether enough nodes run; the request is not lost',
      command: 'ckbtc subnet status',
    })
  const { tree } = decodeCertificate(outcome.certificate)
  const status = [utf8('request_status'), id]
  const reply = lookup(tree, [...status, utf8('reply')])
  if (reply.type === 'found') return decodeArgs([method.result], reply.value)[0]
  const message = lookup(tree, [...status, utf8('reject_message')])
  const words = message.type === 'found' ? new TextDecoder().decode(message.value) : 'no reason'
  throw new Problem('CONFIG_INVALID', `${methodName} was refused: ${words}`, {
    fix: 'change what was asked for',
  })
}
