/** A key file as JSON text: version 1, read strictly. Implements `docs/spec/cli.md` §§3.13, 10. */
import { toHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { JsonReader } from '../../core/base/json.ts'
import {
  exactly,
  hexBytes,
  integer,
  nullable,
  object,
  oneOf,
  parseJson,
  text,
} from '../../core/base/json.ts'
import { principalOfText, textOfPrincipal } from '../../core/ic/principal.ts'
import { keyCurves } from '../identity.ts'
import type { KeyFile } from './key-file.ts'
import { CIPHER, NONCE_SIZE, SALT_SIZE, TAG_SIZE, VERSION } from './key-file.ts'
import { corrupt } from './key-refusals.ts'

export const KEY_FILE_BYTES_MAX = 16_384

/** A file cannot ask for more work than this. */
const SCRYPT_N_MAX = 2 ** 18
const SCRYPT_P_MAX = 8
const SCRYPT_R = 8

const bytesOf =
  (size: number): JsonReader<Uint8Array> =>
  (value, where) => {
    const bytes = hexBytes(value, where)
    if (bytes.length !== size) throw new BadEncoding(`${where} is not ${size} bytes`)
    return bytes
  }

const powerOfTwo: JsonReader<number> = (value, where) => {
  const n = integer(2, SCRYPT_N_MAX)(value, where)
  if ((n & (n - 1)) !== 0) throw new BadEncoding(`${where} is not a power of two`)
  return n
}

const time: JsonReader<string> = (value, where) => {
  const found = text(value, where)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z$/.test(found))
    throw new BadEncoding(`${where} is not a time in UTC`)
  return found
}

const document = object({
  version: exactly(VERSION),
  principal: (value, where) => principalOfText(text(value, where)),
  curve: oneOf(...keyCurves),
  holds: oneOf('phrase', 'key'),
  created_at: time,
  sealing: nullable(
    object({
      kdf: exactly('scrypt'),
      n: powerOfTwo,
      r: integer(SCRYPT_R, SCRYPT_R),
      p: integer(1, SCRYPT_P_MAX),
      salt: bytesOf(SALT_SIZE),
      cipher: exactly(CIPHER),
      nonce: bytesOf(NONCE_SIZE),
    }),
  ),
  secret: hexBytes,
})

/** Only how old the format is: everything else may have changed since. */
const versionOf: JsonReader<number> = (value, where) =>
  typeof value === 'object' && value !== null && 'version' in value
    ? integer(0, Number.MAX_SAFE_INTEGER)(value.version, `${where}.version`)
    : VERSION

/** Reads a file's text. Anything else than a key file of this version is `KEY_CORRUPT`. */
export function decodeKeyFile(source: string, name: string): KeyFile {
  const version = attempt(() => parseJson(source, versionOf))
  if (version instanceof BadEncoding) throw corrupt(name, version.message)
  if (version > VERSION)
    throw new Problem(
      'KEY_CORRUPT',
      `the file of key ${name} has version ${version}, this program reads version ${VERSION}`,
      { fix: 'install a newer ckbtc; the file was left as it is', details: { key: name, version } },
    )
  const read = attempt(() => {
    const { principal, curve, holds, created_at, sealing, secret } = parseJson(source, document)
    const size = secret.length - (sealing === undefined ? 0 : TAG_SIZE)
    if (size !== 32 && !(size === 16 && holds === 'phrase'))
      throw new BadEncoding(`a secret of ${size} bytes`)
    const header = { principal, curve, holds, createdAt: created_at, secret }
    if (sealing === undefined) return { ...header, sealing: undefined }
    const { n, r, p, salt, nonce } = sealing
    return { ...header, sealing: { cost: { n, r, p }, salt, nonce } }
  })
  if (read instanceof BadEncoding) throw corrupt(name, read.message)
  return read
}

export function encodeKeyFile({
  principal,
  curve,
  holds,
  createdAt,
  sealing,
  secret,
}: KeyFile): string {
  const value = {
    version: VERSION,
    principal: textOfPrincipal(principal),
    curve,
    holds,
    created_at: createdAt,
    sealing:
      sealing === undefined
        ? null
        : {
            kdf: 'scrypt',
            ...sealing.cost,
            salt: toHex(sealing.salt),
            cipher: CIPHER,
            nonce: toHex(sealing.nonce),
          },
    secret: toHex(secret),
  }
  return `${JSON.stringify(value, undefined, 2)}\n`
}
