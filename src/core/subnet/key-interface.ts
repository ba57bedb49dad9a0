/**
 * The methods of the management canister about threshold keys, as canisters reach them: types on
 * the wire and what an argument must keep to. Source: threshold §19.
 */

import { PATH_ELEMENTS_MAX } from '../base/derivation.ts'
import { attempt, BadEncoding } from '../base/errors.ts'
import { isTaprootRoot } from '../base/key-scheme.ts'

import { blob, decodeArgs, opt, principalCodec, text, update, vec } from '../ic/candid.ts'
import { enumeration, record, variant } from '../ic/candid-records.ts'
import type { Principal } from '../ic/principal.ts'
import type { KeyId } from '../tecdsa/request.ts'
import { MESSAGE_SIZE_MAX, PATH_BYTES_MAX } from '../tecdsa/request.ts'

const DIGEST_SIZE = 32

const ecdsaKeyId = record({ curve: enumeration('secp256k1'), name: text })
const schnorrKeyId = record({ algorithm: enumeration('bip340secp256k1', 'ed25519'), name: text })
const path = vec(blob)
const publicKey = record({ public_key: blob, chain_code: blob })
const signature = record({ signature: blob })
const aux = variant({ bip341: record({ merkle_root_hash: blob }) })

export const keyInterface = {
  ecdsa_public_key: update(
    [record({ canister_id: opt(principalCodec), derivation_path: path, key_id: ecdsaKeyId })],
    publicKey,
  ),
  sign_with_ecdsa: update(
    [record({ message_hash: blob, derivation_path: path, key_id: ecdsaKeyId })],
    signature,
  ),
  schnorr_public_key: update(
    [record({ canister_id: opt(principalCodec), derivation_path: path, key_id: schnorrKeyId })],
    publicKey,
  ),
  sign_with_schnorr: update(
    [record({ message: blob, derivation_path: path, key_id: schnorrKeyId, aux: opt(aux) })],
    signature,
  ),
}

export type KeyMethod = keyof typeof keyInterface

export const isKeyMethod = (name: string): name is KeyMethod => Object.hasOwn(keyInterface, name)

/** What a call asks for, whichever method it came by. */
export type KeyQuestion =
  | {
      readonly type: 'publicKey'
      readonly key: KeyId
      readonly path: readonly Uint8Array[]
      /** Whose key; undefined: the caller's. */
      readonly canisterId: Principal | undefined
    }
  | {
      readonly type: 'sign'
      readonly key: KeyId
      readonly path: readonly Uint8Array[]
      readonly message: Uint8Array
      readonly taprootRoot: Uint8Array | undefined
    }

const SCHNORR_SCHEMES = { bip340secp256k1: 'bip340', ed25519: 'ed25519' } as const

/** Reads an argument. What it does not keep to is said in a `BadEncoding`. */
export function readQuestion(method: KeyMethod, arg: Uint8Array): KeyQuestion | BadEncoding {
  return attempt(() => checked(questionOf(method, arg)))
}

function questionOf(method: KeyMethod, arg: Uint8Array): KeyQuestion {
  switch (method) {
    case 'ecdsa_public_key': {
      const [{ keyId, canisterId, derivationPath }] = decodeArgs(keyInterface[method].args, arg)
      const key = { scheme: 'ecdsa', name: keyId.name } as const
      return { type: 'publicKey', key, path: derivationPath, canisterId }
    }
    case 'sign_with_ecdsa': {
      const [{ keyId, messageHash, derivationPath }] = decodeArgs(keyInterface[method].args, arg)
      const key = { scheme: 'ecdsa', name: keyId.name } as const
      const [message, taprootRoot] = [messageHash, undefined]
      return { type: 'sign', key, path: derivationPath, message, taprootRoot }
    }
    case 'schnorr_public_key': {
      const [{ keyId, canisterId, derivationPath }] = decodeArgs(keyInterface[method].args, arg)
      const key = { scheme: SCHNORR_SCHEMES[keyId.algorithm], name: keyId.name }
      return { type: 'publicKey', key, path: derivationPath, canisterId }
    }
    case 'sign_with_schnorr': {
      const [args] = decodeArgs(keyInterface[method].args, arg)
      const { keyId, message, derivationPath: path } = args
      const key = { scheme: SCHNORR_SCHEMES[keyId.algorithm], name: keyId.name }
      return { type: 'sign', key, path, message, taprootRoot: args.aux?.merkleRootHash }
    }
  }
}

function checked(question: KeyQuestion): KeyQuestion {
  const bytes = question.path.reduce((sum, element) => sum + element.length, 0)
  demand(question.path.length <= PATH_ELEMENTS_MAX, () => {
    return `a derivation path of ${question.path.length} elements, at most ${PATH_ELEMENTS_MAX}`
  })
  demand(bytes <= PATH_BYTES_MAX, () => {
    return `a derivation path of ${bytes} bytes, at most ${PATH_BYTES_MAX}`
  })
  if (question.type === 'sign') checkSigned(question)
  return question
}

function checkSigned({
  key: { scheme },
  message: { length },
  taprootRoot,
}: KeyQuestion & { readonly type: 'sign' }): void {
  if (scheme === 'ecdsa')
    demand(length === DIGEST_SIZE, () => `a message hash of ${length} bytes, ${DIGEST_SIZE} due`)
  demand(length <= MESSAGE_SIZE_MAX, () => {
    return `a message of ${length} bytes, at most ${MESSAGE_SIZE_MAX}`
  })
  if (taprootRoot === undefined) return
  demand(scheme === 'bip340', () => `a merkle root for ${scheme}, only bip340secp256k1 takes one`)
  demand(isTaprootRoot(taprootRoot), () => {
    return `a merkle root of ${taprootRoot.length} bytes, 0 or 32 due`
  })
}

function demand(condition: boolean, detail: () => string): void {
  if (!condition) throw new BadEncoding(detail())
}
