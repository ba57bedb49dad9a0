/**
 * `ENCRYPTED PRIVATE KEY`: PKCS#8 under a passphrase, PBES2. Source: RFC 8018, RFC 7914 §7;
 * `docs/spec/ic-interface.md` §22 rule 3.
 */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { concat, fromHex } from '../../core/base/bytes.ts'
import { attempt, BadEncoding, Problem } from '../../core/base/errors.ts'
import type { SecretKey } from '../identity.ts'
import { type DerReader, der, derInteger, readDer, tags } from './der.ts'
import type { Passphrase } from './passphrase.ts'
import { unreadable } from './pem.ts'
import { encodePkcs8, readPkcs8 } from './private-key.ts'

const PBES2 = '2a864886f70d01050d'
const SCRYPT = '2b06010401da47040b'
const PBKDF2 = '2a864886f70d01050c'
const HMAC_SHA256 = '2a864886f70d0209'
const AES_256_CBC = '60864801650304012a'

const CIPHER = 'aes-256-cbc'
const KEY_SIZE = 32
const IV_SIZE = 16
const SALT_SIZE_MAX = 64
/** Work that a file may ask for: memory is 128·n·r. */
const SCRYPT_MEMORY_MAX = 128 * 2 ** 20
const SCRYPT_MAXMEM = 256 * 2 ** 20
const SCRYPT_P_MAX = 4
const PBKDF2_ROUNDS_MAX = 10_000_000
/** What quill and icp-cli write. */
const written = { n: 2 ** 17, r: 8, p: 1 } as const

type Stretching =
  | {
      readonly type: 'scrypt'
      readonly salt: Uint8Array
      readonly n: number
      readonly r: number
      readonly p: number
    }
  | { readonly type: 'pbkdf2'; readonly salt: Uint8Array; readonly rounds: number }

export type EncryptedKey = {
  readonly stretching: Stretching
  readonly iv: Uint8Array
  readonly encrypted: Uint8Array
}

/** `EncryptedPrivateKeyInfo`. Other ciphers, and more work than is sane, are refused. */
export function readEncrypted(bytes: Uint8Array): EncryptedKey {
  return readDer(bytes, tags.sequence, (outside) => {
    const algorithm = outside.inside(tags.sequence)
    if (algorithm.oid() !== PBES2) throw otherWay()
    const scheme = algorithm.inside(tags.sequence)
    algorithm.end()
    const stretching = readStretching(scheme.inside(tags.sequence))
    const cipher = scheme.inside(tags.sequence)
    scheme.end()
    if (cipher.oid() !== AES_256_CBC) throw otherWay()
    const iv = cipher.take(tags.octetString)
    cipher.end()
    const encrypted = outside.take(tags.octetString)
    if (iv.length !== IV_SIZE || encrypted.length === 0 || encrypted.length % IV_SIZE !== 0)
      throw new BadEncoding('lengths that AES-256-CBC does not have')
    return { stretching, iv, encrypted }
  })
}

const otherWay = (): Problem =>
  unreadable(
    'the key is encrypted in a way that is not supported',
    'write it anew with: openssl pkcs8 -topk8 -scrypt -v2 aes-256-cbc -in <file>',
  )

function readStretching(reader: DerReader): Stretching {
  const oid = reader.oid()
  const parameters = reader.inside(tags.sequence)
  reader.end()
  const salt = parameters.take(tags.octetString)
  if (salt.length > SALT_SIZE_MAX) throw new BadEncoding(`a salt of ${salt.length} bytes`)
  const stretching =
    oid === SCRYPT
      ? readScrypt(salt, parameters)
      : oid === PBKDF2
        ? readPbkdf2(salt, parameters)
        : undefined
  if (stretching === undefined) throw otherWay()
  parameters.end()
  return stretching
}

function readScrypt(salt: Uint8Array, parameters: DerReader): Stretching {
  const [n, r, p] = [parameters.integer(), parameters.integer(), parameters.integer()]
  requireKeySize(parameters)
  const sane = n > 1 && (n & (n - 1)) === 0 && r > 0 && p > 0 && p <= SCRYPT_P_MAX
  if (!sane || 128 * n * r > SCRYPT_MEMORY_MAX)
    throw new BadEncoding('scrypt with other work than 128 MiB and 4 lanes at most')
  return { type: 'scrypt', salt, n, r, p }
}

function readPbkdf2(salt: Uint8Array, parameters: DerReader): Stretching {
  const rounds = parameters.integer()
  requireKeySize(parameters)
  const hash = parameters.comes(tags.sequence) ? parameters.inside(tags.sequence) : undefined
  if (hash?.oid() !== HMAC_SHA256) throw otherWay()
  if (hash.comes(tags.null)) hash.take(tags.null)
  hash.end()
  if (rounds === 0 || rounds > PBKDF2_ROUNDS_MAX) throw new BadEncoding(`${rounds} rounds`)
  return { type: 'pbkdf2', salt, rounds }
}

function requireKeySize(parameters: DerReader): void {
  if (parameters.comes(tags.integer) && parameters.integer() !== KEY_SIZE)
    throw new BadEncoding('a key of another length than 32 bytes')
}

/** CBC does not authenticate: a wrong passphrase and a changed file cannot be told apart. */
export async function decrypt(
  { stretching, iv, encrypted }: EncryptedKey,
  passphrase: Passphrase,
): Promise<SecretKey> {
  const key = await stretch(stretching, passphrase)
  const decipher = createDecipheriv(CIPHER, key, iv)
  let plain: Uint8Array
  try {
    plain = concat(decipher.update(encrypted), decipher.final())
  } catch {
    throw wrongPassphrase() // The padding is wrong.
  }
  const read = attempt(() => readPkcs8(plain))
  if (read instanceof BadEncoding) throw wrongPassphrase()
  return read
}

export const wrongPassphrase = (): Problem =>
  new Problem('KEY_WRONG_PASSPHRASE', 'wrong password: it does not open the key file', {
    fix: 'type it again; it is the one that was set in the program the file is from',
  })

const pbkdf2Of = promisify(pbkdf2)

function stretch(stretching: Stretching, passphrase: Passphrase): Promise<Uint8Array> {
  const { salt } = stretching
  if (stretching.type === 'pbkdf2')
    return pbkdf2Of(passphrase.raw(), salt, stretching.rounds, KEY_SIZE, 'sha256')
  const { n, r, p } = stretching
  const options = { N: n, r, p, maxmem: SCRYPT_MAXMEM }
  return new Promise((resolve, reject) =>
    scrypt(passphrase.raw(), salt, KEY_SIZE, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  )
}

/** The form that quill and icp-cli write and read. */
export async function encrypt(key: SecretKey, passphrase: Passphrase): Promise<Uint8Array> {
  const [salt, iv] = [randomBytes(16), randomBytes(IV_SIZE)]
  const stretched = await stretch({ type: 'scrypt', salt, ...written }, passphrase)
  const cipher = createCipheriv(CIPHER, stretched, iv)
  const encrypted = concat(cipher.update(encodePkcs8(key)), cipher.final())
  const named = (oid: string, parameters: Uint8Array): Uint8Array =>
    der(tags.sequence, der(tags.oid, fromHex(oid)), parameters)
  const { n, r, p } = written
  const work = der(
    tags.sequence,
    der(tags.octetString, salt),
    ...[n, r, p].map((value) => derInteger(value)),
  )
  const scheme = der(
    tags.sequence,
    named(SCRYPT, work),
    named(AES_256_CBC, der(tags.octetString, iv)),
  )
  return der(tags.sequence, named(PBES2, scheme), der(tags.octetString, encrypted))
}
