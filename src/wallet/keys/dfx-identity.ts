/**
 * Identities of dfx that are encrypted: `identity.json` beside `identity.pem.encrypted`. Implements
 * `docs/spec/ic-interface.md` §22.
 */
import { createDecipheriv } from 'node:crypto'
import { argon2idAsync } from '@noble/hashes/argon2.js'
import { concat } from '../../core/base/bytes.ts'
import { BadEncoding } from '../../core/base/errors.ts'
import type { JsonReader } from '../../core/base/json.ts'
import { integer, list, parseJson, text } from '../../core/base/json.ts'
import { wrongPassphrase } from './encrypted-key.ts'
import type { Passphrase } from './passphrase.ts'
import { unreadable } from './pem.ts'

const NONCE_SIZE = 12
const TAG_SIZE = 16
const SALT_SIZE_MAX = 64
/** Version 1.3, memory in KiB. */
const argon2 = { t: 3, m: 64_000, p: 1, dkLen: 32, version: 0x13 } as const

export type DfxEncryption = { readonly salt: Uint8Array; readonly nonce: Uint8Array }

/** Whether dfx keeps its identities there: it writes secp256k1 only, and may leave out the name. */
export const isDfxIdentityPath = (path: string): boolean =>
  /(?:^|[\\/])dfx[\\/]identity[\\/][^\\/]+[\\/]identity\.pem$/.test(path)

type Fields = Readonly<Record<string, unknown>>

const fields: JsonReader<Fields> = (value, where) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadEncoding(`${where} is not an object`)
  return { ...value }
}

/** How the identity is encrypted; dfx may write more fields, which are left alone. */
export function readDfxIdentity(source: string): DfxEncryption {
  const {
    hsm = null,
    keyring_identity_suffix = null,
    encryption = null,
  } = parseJson(source, fields)
  if (hsm !== null)
    throw unreadable('this identity of dfx lives in a hardware module: not supported')
  if (keyring_identity_suffix !== null)
    throw unreadable(
      'this identity of dfx lives in the key ring of the system',
      'write it to a file first: dfx identity export <name> > <file>',
    )
  const { pw_salt, file_nonce } = fields(encryption, 'encryption')
  const salt = base64OfDfx(text(pw_salt, 'pw_salt'))
  const nonce = Uint8Array.from(list(integer(0, 255), NONCE_SIZE)(file_nonce, 'file_nonce'))
  if (nonce.length !== NONCE_SIZE) throw new BadEncoding(`a nonce of ${nonce.length} bytes`)
  return { salt, nonce }
}

/** Base64 without padding. */
function base64OfDfx(digits: string): Uint8Array {
  const bytes = new Uint8Array(Buffer.from(digits, 'base64'))
  const again = Buffer.from(bytes).toString('base64').replace(/=+$/, '')
  if (again !== digits || bytes.length < 8 || bytes.length > SALT_SIZE_MAX)
    throw new BadEncoding('pw_salt is no salt')
  return bytes
}

/** The PEM file inside; whoever takes another passphrase, or another file, is refused. */
export async function decryptDfx(
  { salt, nonce }: DfxEncryption,
  encrypted: Uint8Array,
  passphrase: Passphrase,
): Promise<Uint8Array> {
  if (encrypted.length <= TAG_SIZE) throw new BadEncoding('too short for an encrypted file')
  const key = await argon2idAsync(passphrase.raw(), salt, argon2)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(encrypted.slice(-TAG_SIZE))
  try {
    return concat(decipher.update(encrypted.slice(0, -TAG_SIZE)), decipher.final())
  } catch {
    throw wrongPassphrase()
  }
}
